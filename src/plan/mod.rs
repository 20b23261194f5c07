//! The flows of a site: who must, may or must not reach whom, each with its reasons.
//!
//! Rules of the catalogue, the user's own flows, the revocation lists and the watchlist each propose flows (`derive`).
//! Each is taken to the ports that its start asks for (`translate`). Proposals for the same start, end, port and
//! transport are settled into one (`settle`): required beats optional, optional beats forbidden. A vantage then takes
//! the flows that it can try (`select`). A flow is a few numbers and a shared `Reason`, so that thousands of forbidden
//! ones cost little; names appear only on output (`output`).

mod client;
mod derive;
mod devices;
mod exceptions;
mod output;
mod roles;
mod select;
mod settle;
mod translate;

use std::net::IpAddr;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::product::{Catalogue, Confidence, Need, Protocol, Transport};
use crate::site::{Origin, Site, SystemId, Translator, ZoneId};
use crate::yaml::Ports;

pub use client::of_client;
pub use derive::{flow_to_list, is_only_of_lists};
pub use devices::firewalls_in_words;
pub use exceptions::review;
pub use output::{
    Declared, Destination, ExceptionEntry, FlowEntry, PlanDocument, Port, SiteName, Source,
    ToolName, document, entry, exception_entry, id, text,
};
pub use roles::{databases, is_bridged, package_drives, roles};
pub use select::{Chosen, Owner, select};

/// A site's flows, ordered by id.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The flows.
    pub flows: Vec<Flow>,
    /// Ports that are tried for being unexpectedly open: the watchlist.
    pub watchlist: Vec<u16>,
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
}

impl Flow {
    /// The zone in which it starts.
    pub fn start(&self, site: &Site) -> ZoneId {
        match self.to {
            Target::System(to) => site.legs(self.from, to).0,
            Target::Host(_) => site.zone_of(self.from),
        }
    }

    /// The firewall on its way that translates an address of its destination, as far as the file says.
    pub fn translator<'a>(&self, site: &'a Site, address: IpAddr) -> Option<Translator<'a>> {
        match self.to {
            Target::System(system) => {
                site.translator(self.start(site), self.end(site)?, system, address)
            }
            Target::Host(_) => None,
        }
    }

    /// Whether it is TCP between two systems that speak inside IPsec: what is seen of it holds only between these two.
    pub fn is_inside_ipsec(&self, site: &Site) -> bool {
        match (self.transport, self.from, &self.to) {
            (Transport::Tcp, Origin::System(from), Target::System(to)) => {
                site.is_ipsec_between(from, *to)
            }
            _ => false,
        }
    }

    /// The zone in which it arrives; `None`: no zone of the file.
    pub fn end(&self, site: &Site) -> Option<ZoneId> {
        match self.to {
            Target::System(to) => Some(site.legs(self.from, to).1),
            Target::Host(_) => None,
        }
    }
}

/// Where a flow leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A system of the file.
    System(SystemId),
    /// A host that is no system of the file: one of revocation lists. Its name, or its address.
    Host(Arc<str>),
}

/// Why a flow is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Ids of the rules.
    pub rules: Vec<String>,
    /// What it is for.
    pub why: String,
    /// What fails without it, or what an open port exposes.
    pub breaks: String,
    /// Where it is documented; empty for unconfirmed rules.
    pub source: String,
    /// How sure the strongest of the rules is.
    pub confidence: Confidence,
    /// Where the site file says so.
    pub declared: Place,
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
    let watchlist = derive::watchlist(site, catalogue);
    let mut proposals = derive::from_rules(site, catalogue, &watchlist);
    proposals.extend(derive::own_flows(site));
    proposals.extend(derive::from_watchlist(site, &watchlist));
    let asked = proposals
        .into_iter()
        .flat_map(|flow| translate::asked(site, flow));
    let mut flows = settle::settle(asked.collect());
    flows.sort_by_cached_key(|flow| id(site, flow));
    Plan { flows, watchlist }
}
