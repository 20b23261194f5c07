//! A stand-in of a site on loopback, with planted faults: of the one in `probes.yaml`, or of a user's own.
//!
//! The lab is a table from (system, port) of the plan to a listener on a port that the operating system chose. So no
//! privileges are needed. Everything else is the code of a real run. What must be closed leads to one silent listener.
//! What clients need over other protocols than HTTP, TLS and plain TCP has no stand-in, and is not tried.
//! Certificates are made at start; when the lab is dropped nothing is left.

mod certificates;
mod stand_in;

use std::collections::HashMap;
use std::net::SocketAddr;

use rustls::pki_types::CertificateDer;

use crate::config::Sweep;
use crate::os;
use crate::plan::{Flow, Plan, Target};
use crate::probe::Way;
use crate::product::{Catalogue, Need, Protocol, Transport};
use crate::site::{Origin, Site, SystemId, ZoneId};
use certificates::Authority;
use stand_in::{StandIn, spawn};

/// The site file of the lab.
pub const SITE_FILE: &str = include_str!("../../probes.yaml");

/// The catalogue's name of the port that is planted open though it must be closed.
const EXPOSED_PORT: &str = "rdp";

/// Whether faults are planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// One of each kind.
    Planted,
    /// None.
    None,
}

/// A running lab.
pub struct Lab {
    table: HashMap<(SystemId, u16), SocketAddr>,
    silent: Option<os::SilentListener>,
    /// The lab's certification authority.
    pub root: CertificateDer<'static>,
    listeners: Vec<tokio::task::JoinHandle<()>>,
}

impl Lab {
    /// Starts stand-ins for the flows that start in a zone.
    ///
    /// # Errors
    /// When loopback cannot be listened on, or certificates cannot be made.
    pub async fn start(
        site: &Site,
        catalogue: &Catalogue,
        plan: &Plan,
        zone: ZoneId,
        faults: Faults,
    ) -> anyhow::Result<Self> {
        let authority = Authority::new()?;
        let mut lab = Self {
            table: HashMap::new(),
            silent: os::silent_listener()?,
            root: authority.root(),
            listeners: Vec::new(),
        };
        let needed = needed(plan, zone);
        let mut required: HashMap<Protocol, usize> = HashMap::new();
        for (system, flow) in &needed {
            let name = site.systems[*system].name_for(zone).unwrap_or("localhost");
            let earlier = required.entry(flow.protocol).or_default();
            let kind = kind(flow, *earlier, faults);
            *earlier += usize::from(flow.need == Need::Required);
            lab.stand_in(*system, flow.port.low, kind, name, &authority)
                .await?;
        }
        if let (Faults::Planted, Some((system, _))) = (faults, needed.first()) {
            lab.expose(catalogue, *system, &authority).await?;
        }
        Ok(lab)
    }

    /// Whether this platform can be silent for real.
    pub fn is_silent_for_real(&self) -> bool {
        self.silent.is_some()
    }

    /// Whether a flow has a stand-in: what must be closed has, and what clients need over HTTP or TLS.
    pub fn has(&self, flow: &Flow) -> bool {
        flow.need == Need::Forbidden || can_stand_in(flow)
    }

    /// Which way a connection of the plan goes.
    pub fn way(&self, to: &Target, port: u16) -> Way {
        let stand_in = to.system().and_then(|it| self.table.get(&(it, port)));
        match (stand_in, &self.silent) {
            (Some(address), _) => Way::StandIn(*address),
            (None, Some(silent)) => Way::StandIn(silent.address),
            (None, None) => Way::Void,
        }
    }

    async fn stand_in(
        &mut self,
        system: SystemId,
        port: u16,
        kind: Option<StandIn>,
        name: &str,
        authority: &Authority,
    ) -> anyhow::Result<()> {
        let Some(kind) = kind else { return Ok(()) };
        let (address, listener) = spawn(kind, name, authority).await?;
        self.table.insert((system, port), address);
        self.listeners.extend(listener);
        Ok(())
    }

    async fn expose(
        &mut self,
        catalogue: &Catalogue,
        system: SystemId,
        authority: &Authority,
    ) -> anyhow::Result<()> {
        let port = catalogue
            .ports
            .get(EXPOSED_PORT)
            .and_then(|port| port.default.first())
            .map(|range| range.low);
        if let Some(port) = port {
            self.stand_in(system, port, Some(StandIn::Accept), "", authority)
                .await?;
        }
        Ok(())
    }
}

/// Takes out of a site what no stand-in can show: pins of real certificates. No more than the watchlist is swept, for
/// nothing else is there to be found.
pub fn prepare(site: &mut Site) {
    for system in &mut site.systems {
        system.pin = None;
    }
    let sweep = &mut site.probing.sweep.value;
    if *sweep != Sweep::None {
        *sweep = Sweep::Watchlist;
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

/// Whether there is a stand-in that speaks as the end of a flow does.
fn can_stand_in(flow: &Flow) -> bool {
    let is_one = flow.transport == Transport::Tcp && flow.port.low == flow.port.high;
    match flow.protocol {
        Protocol::Http | Protocol::Https | Protocol::Tls | Protocol::Tcp => {
            is_one && flow.to.system().is_some()
        }
        Protocol::Udp
        | Protocol::Rpc
        | Protocol::Smb
        | Protocol::Tds
        | Protocol::Ldap
        | Protocol::Dns
        | Protocol::Kerberos
        | Protocol::Nats
        | Protocol::Esp => false,
    }
}

/// What anything in the zone may start and the lab has stand-ins for, in the order of the plan. A stand-in answers whoever
/// asks, so there is none for what one system alone may start.
fn needed(plan: &Plan, zone: ZoneId) -> Vec<(SystemId, &Flow)> {
    let mine = plan.flows.iter().filter(|flow| {
        flow.from == Origin::Zone(zone) && flow.need != Need::Forbidden && can_stand_in(flow)
    });
    mine.filter_map(|flow| Some((flow.to.system()?, flow)))
        .collect()
}

/// What stands in for a flow, before which so many of its protocol are required. Faults go to the first required flows of a
/// protocol. The first HTTP port answers garbage. The second, third and fourth HTTPS port are silent, down and dressed in
/// another's certificate.
fn kind(flow: &Flow, earlier: usize, faults: Faults) -> Option<StandIn> {
    let planted = faults == Faults::Planted && flow.need == Need::Required;
    match (flow.protocol, planted.then_some(earlier)) {
        (Protocol::Http, Some(0)) => Some(StandIn::Garbage),
        (Protocol::Https, Some(1)) => None,
        (Protocol::Https, Some(2)) => Some(StandIn::Down),
        (Protocol::Https, Some(3)) => Some(StandIn::WrongName),
        (Protocol::Https | Protocol::Tls, _) => Some(StandIn::Https),
        (Protocol::Http, _) => Some(StandIn::Http),
        (_, _) => Some(StandIn::Accept),
    }
}
