//! The flows of a site: who must, may or must not reach whom, each with its reasons.
//!
//! Rules of the catalogue, the user's own flows, the revocation lists and the watchlist each propose flows (`derive`), one
//! destination after the other. Each is taken to the ports that its start asks for (`translate`). Proposals for the same
//! start, end, port and transport are settled into one (`settle`): required beats optional, optional beats forbidden.
//!
//! What must not pass is by far the most: every port of a list, from every other zone, to every system. So it stays one
//! entry for each pair of ends, with a set of ports that such entries share (`forbidden`). A vantage turns those that it
//! can try into flows (`spread`, then `select`). Reasons are shared too. Names appear only on output (`output`, `text`),
//! flow by flow. A plan so grows with the pairs of systems that need each other, and with systems times zones.

mod client;
mod derive;
mod devices;
mod exceptions;
mod find;
mod forbidden;
mod ids;
mod lines;
mod order;
mod output;
mod roles;
mod select;
mod settle;
mod table;
mod text;
mod translate;

use std::net::IpAddr;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::product::{Catalogue, Confidence, Need, Protocol, Service, Transport};
use crate::site::{Origin, Site, SystemId, Translator, ZoneId};
use crate::yaml::Ports;
use order::Order;
use settle::Settled;

pub use client::of_client;
pub use derive::{beside, flow_to_list, is_only_of_lists};
pub use devices::firewalls_in_words;
pub use exceptions::review;
pub use forbidden::Forbidden;
pub use ids::id;
pub use output::{
    Declared, Destination, ExceptionEntry, FlowEntry, ForbiddenEntry, PlanDocument, Port,
    ReasonEntry, SiteName, Source, ToolName, document, entry, exception_entry, place, write_json,
};
pub use roles::{databases, is_bridged, package_drives, roles};
pub use select::{Chosen, Owner, select};
pub use text::{Detail, text};

/// A site's flows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What must or may pass, ordered by id; among it what was spread out of `forbidden`.
    pub flows: Vec<Flow>,
    /// What must not pass, ordered by its ends.
    pub forbidden: Vec<Forbidden>,
}

/// One flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Who starts it.
    pub from: Origin,
    /// Where it leads.
    pub to: Target,
    /// Transport.
    pub transport: Transport,
    /// The port that its start asks for, or a range of dynamic ports; none where the transport has none.
    pub port: Ports,
    /// What is spoken.
    pub protocol: Protocol,
    /// What the site needs of it.
    pub need: Need,
    /// Why, and who says so.
    pub reason: Arc<Reason>,
    /// Where the site file asks for it.
    pub declared: Place,
}

impl Flow {
    /// The zone in which it starts.
    pub fn start(&self, site: &Site) -> ZoneId {
        self.to.start(site, self.from)
    }

    /// The firewall on its way that translates an address of its destination, as far as the file says.
    pub fn translator<'a>(&self, site: &'a Site, address: IpAddr) -> Option<Translator<'a>> {
        let system = self.to.system()?;
        site.translator(self.start(site), self.end(site)?, system, address)
    }

    /// Whether it is TCP between two systems that speak inside IPsec: what is seen of it holds only between these two.
    pub fn is_inside_ipsec(&self, site: &Site) -> bool {
        is_inside_ipsec(site, self.transport, self.from, &self.to)
    }

    /// The zone in which it arrives; `None`: no zone of the file.
    pub fn end(&self, site: &Site) -> Option<ZoneId> {
        self.to.end(site, self.from)
    }
}

/// Where a flow leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A system of the file.
    System(SystemId),
    /// A host that is no system of the file: one of revocation lists. Its name, or its address.
    Host(Arc<str>),
    /// A name of a service that is no system of the file.
    Service(Arc<ServiceName>),
    /// The clients of a zone.
    Clients(ZoneId),
}

/// A name under which a service is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName {
    /// The service.
    pub service: Service,
    /// The name; with `*.` before it, all names that end so.
    pub name: String,
    /// The name that is tried; `None`: nobody knows one.
    pub tries: Option<String>,
}

impl Target {
    /// Whether it stands for many hosts, none of which anybody names.
    pub fn is_many(&self) -> bool {
        match self {
            Self::Clients(_) => true,
            Self::Service(it) => it.tries.is_none(),
            Self::System(_) | Self::Host(_) => false,
        }
    }

    /// The system of the file that it is.
    pub fn system(&self) -> Option<SystemId> {
        match self {
            Self::System(system) => Some(*system),
            Self::Host(_) | Self::Service(_) | Self::Clients(_) => None,
        }
    }

    /// The zone in which a flow starts that leads here.
    fn start(&self, site: &Site, from: Origin) -> ZoneId {
        match self {
            Self::System(to) => site.legs(from, *to).0,
            Self::Host(_) | Self::Service(_) | Self::Clients(_) => site.zone_of(from),
        }
    }

    /// The zone in which a flow arrives that leads here; `None`: no zone of the file.
    fn end(&self, site: &Site, from: Origin) -> Option<ZoneId> {
        match self {
            Self::System(to) => Some(site.legs(from, *to).1),
            Self::Clients(zone) => Some(*zone),
            Self::Service(_) => site.internet,
            Self::Host(_) => None,
        }
    }
}

fn is_inside_ipsec(site: &Site, transport: Transport, from: Origin, to: &Target) -> bool {
    match (transport, from, to) {
        (Transport::Tcp, Origin::System(from), Target::System(to)) => {
            site.is_ipsec_between(from, *to)
        }
        _ => false,
    }
}

/// Why a flow is planned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    /// Ids of the rules.
    pub rules: Vec<String>,
    /// What it is for.
    pub why: Arc<str>,
    /// What fails without it, or what an open port exposes.
    pub breaks: Arc<str>,
    /// Where it is documented; empty for unconfirmed rules.
    pub source: Arc<str>,
    /// How sure the strongest of the rules is.
    pub confidence: Confidence,
    /// Whether only the watchlist forbids it, no rule.
    pub only_watched: bool,
}

/// The rule id of flows that only the watchlist forbids.
pub const WATCHLIST: &str = "watchlist";
/// The rule id of the user's own flows.
pub const OWN: &str = "own-flow";
/// The rule id of flows to revocation lists that only certificates name.
pub const LIST: &str = "revocation-list";

/// Derives every flow of a site.
pub fn derive(site: &Site, catalogue: &Catalogue) -> Plan {
    let mut settled = Settled::default();
    derive::propose(site, catalogue, &mut settled);
    let Settled {
        mut flows,
        mut forbidden,
        ..
    } = settled;
    let order = Order::new(site, flows.iter().map(|it| &it.to));
    order.sort(&mut flows);
    order.sort_forbidden(&mut forbidden);
    Plan { flows, forbidden }
}
