//! The plan for whoever writes firewall rules: what each firewall, or each host's own, has to let through.
//!
//! A flow becomes one permit for each firewall that it crosses and each family of addresses (`permit`). Both ends are
//! as that firewall sees them (`view`, `source`). Where the file lacks an address, it becomes a remark that says so. A
//! dialect is a file that turns the permits of one device into text; the tables hold all. No dialect ever writes "any"
//! for what is not known, and what users and reports say stays inside comments (`plain`).

mod asa;
mod closed;
mod dialect;
mod heading;
mod iptables;
mod missing;
mod netsh;
mod nftables;
mod object;
mod panos;
mod permit;
mod escape;
mod range;
mod source;
mod table;
mod view;
mod windows;
mod write;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::product::{Need, Transport};
use crate::site::ZoneId;
use crate::yaml::Ports;

pub use dialect::Dialect;
pub use heading::Heading;
pub use missing::Missing;
pub use permit::{of_firewalls, of_hosts};
pub use range::{Family, Range};
pub use table::{csv, markdown};
pub use write::write;

/// Which flows become permits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// Whether optional flows do.
    pub optional: bool,
    /// Whether what has a name alone becomes one: the devices look names up themselves.
    pub by_name: bool,
    /// Only those that a report shows as blocked.
    pub missing: Option<&'a Missing>,
}

/// What devices have to let through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// In the order of the plan.
    pub permits: Vec<Permit>,
    /// What cannot be written.
    pub unwritten: Vec<Unwritten>,
}

/// What one device has to let through, in one family of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The firewall, the box that it is a leg of, or the host with its own.
    pub device: String,
    /// The zone that packets come from as they reach the device.
    pub from: ZoneId,
    /// The zone that they go on into.
    pub to: ZoneId,
    /// Who may start it.
    pub source: Source,
    /// Where it leads.
    pub destination: Destination,
    /// Transport.
    pub transport: Transport,
    /// The port, or range of ports, of packets before the device translates.
    pub port_before: Ports,
    /// The same behind it.
    pub port_behind: Ports,
    /// The flows that need it.
    pub flows: Vec<Permitted>,
}

/// Who may start a flow, as a device sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Zone or system.
    pub name: String,
    /// Its addresses, of one family.
    pub ranges: Vec<Range>,
}

/// Where a flow leads, as a device sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// System, or `crl.HOST`.
    pub name: String,
    /// The addresses of packets before the device translates.
    pub before: Vec<IpAddr>,
    /// The same behind it: equal, where it does not translate.
    pub behind: Vec<IpAddr>,
    /// The name that the device has to look up itself, because no address is known or stays; then both are empty.
    pub host: Option<String>,
}

/// A flow with what a firewall team has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permitted {
    /// Its id.
    pub id: String,
    /// Its need.
    pub need: Need,
    /// What it is for.
    pub why: String,
    /// In words, what a report says of it.
    pub seen: Option<String>,
}

/// A flow for which no rule can be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unwritten {
    /// The firewall, or the host with its own.
    pub device: String,
    /// The flow's id.
    pub id: String,
    /// What is not known, and what to do.
    pub lacks: String,
}

impl Permit {
    /// The family of its addresses.
    pub fn family(&self) -> Family {
        self.source.ranges.first().map_or(Family::V4, Range::family)
    }

    /// Whether its transport has ports; that of IPsec has none.
    pub fn has_ports(&self) -> bool {
        match self.transport {
            Transport::Tcp | Transport::Udp => true,
            Transport::Esp => false,
        }
    }

    /// Whether the device translates the destination.
    pub fn is_translated(&self) -> bool {
        self.destination.before != self.destination.behind || self.port_before != self.port_behind
    }
}

impl Rules {
    /// Each device with its own.
    pub fn by_device(&self) -> BTreeMap<&str, Self> {
        let mut all: BTreeMap<&str, Self> = BTreeMap::new();
        for permit in &self.permits {
            let of = all.entry(&permit.device).or_default();
            of.permits.push(permit.clone());
        }
        for unwritten in &self.unwritten {
            let of = all.entry(&unwritten.device).or_default();
            of.unwritten.push(unwritten.clone());
        }
        all
    }

    /// Those of one device.
    pub fn of(&self, device: &str) -> Self {
        let permits = self.permits.iter().filter(|permit| permit.device == device);
        let unwritten = self.unwritten.iter().filter(|it| it.device == device);
        Self {
            permits: permits.cloned().collect(),
            unwritten: unwritten.cloned().collect(),
        }
    }
}
