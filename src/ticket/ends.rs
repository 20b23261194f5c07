//! What a cell of a ticket means on this site, and whether it holds an end of a flow.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::plan::Target;
use crate::site::{Origin, Site, SystemId, ZoneId};

/// What a ticket names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Everything.
    Any,
    /// All of a zone.
    Zone(ZoneId),
    /// Systems that have this name or address.
    Systems(Vec<SystemId>),
    /// Addresses of which no single system has them all.
    Network(IpNet),
    /// A host by a name that is no system's.
    Host(String),
}

impl End {
    /// What a text means: `any`, a zone, a system, one of its names or addresses, a network, or another host.
    pub(super) fn of(site: &Site, text: &str) -> Self {
        if ["any", "*", "all"].contains(&text.to_ascii_lowercase().as_str()) {
            return Self::Any;
        }
        if let Some(zone) = site.zones.iter().position(|it| it.name == text) {
            return Self::Zone(zone);
        }
        let systems = site.systems.iter().enumerate();
        let systems = systems.filter(|(_, it)| it.name == text || it.is_at(text));
        let systems: Vec<SystemId> = systems.map(|(number, _)| number).collect();
        if !systems.is_empty() {
            return Self::Systems(systems);
        }
        let address = text.parse::<IpAddr>().map(IpNet::from);
        match address.or_else(|_| text.parse::<IpNet>()) {
            Ok(network) if network.prefix_len() == 0 => Self::Any,
            Ok(network) => Self::Network(network),
            Err(_) => Self::Host(text.to_ascii_lowercase()),
        }
    }

    /// Whether all that may start a flow is in it.
    pub(super) fn holds_origin(&self, site: &Site, origin: Origin) -> bool {
        match (self, origin) {
            (Self::Any, _) => true,
            (Self::Zone(zone), Origin::Zone(other)) => *zone == other,
            (Self::Zone(zone), Origin::System(system)) => site.systems[system].is_in(*zone),
            (Self::Systems(all), Origin::System(system)) => all.contains(&system),
            (Self::Network(network), Origin::Zone(zone)) => {
                holds_zone(*network, &site.zones[zone].networks)
            }
            (Self::Network(network), Origin::System(system)) => {
                holds_all(*network, &addresses(site, system))
            }
            (Self::Systems(_), Origin::Zone(_)) | (Self::Host(_), _) => false,
        }
    }

    /// Whether something that may start a flow is in it.
    pub(super) fn touches_origin(&self, site: &Site, origin: Origin) -> bool {
        match (self, origin) {
            (Self::Systems(all), Origin::Zone(zone)) => {
                all.iter().any(|system| site.systems[*system].is_in(zone))
            }
            (Self::Network(network), Origin::Zone(zone)) => {
                // Of a network the most specific zone counts, as for addresses of this host.
                let inside = site.zone_of_address(network.addr());
                let networks = site.zones[zone].networks.iter();
                inside.is_some_and(|(it, _)| it == zone)
                    || networks.clone().any(|it| network.contains(it))
            }
            (Self::Network(network), Origin::System(system)) => {
                let addresses = addresses(site, system);
                addresses.iter().any(|address| network.contains(address))
            }
            _ => self.holds_origin(site, origin),
        }
    }

    /// Whether all of where a flow leads is in it, as its start sees that.
    pub(super) fn holds_target(&self, site: &Site, target: &Target, start: ZoneId) -> bool {
        match (self, target) {
            (Self::Any, _) => true,
            (Self::Zone(zone), Target::System(system)) => site.systems[*system].is_in(*zone),
            (Self::Systems(all), Target::System(system)) => all.contains(system),
            (Self::Network(network), Target::System(system)) => {
                holds_all(*network, site.systems[*system].addresses_for(start))
            }
            (Self::Network(network), Target::Host(name)) => {
                let address = name.parse::<IpAddr>();
                address.is_ok_and(|address| network.contains(&address))
            }
            (Self::Host(name), Target::Host(host)) => {
                name.strip_prefix("crl.").unwrap_or(name) == &**host || **name == **host
            }
            (Self::Host(name), Target::Service(it)) => it.name == *name,
            (Self::Zone(zone), Target::Service(_)) => site.internet == Some(*zone),
            (Self::Zone(zone), Target::Clients(other)) => zone == other,
            (Self::Network(network), Target::Clients(zone)) => {
                holds_zone(*network, &site.zones[*zone].networks)
            }
            (Self::Zone(_), Target::Host(_))
            | (Self::Network(_), Target::Service(_))
            | (Self::Systems(_), Target::Host(_) | Target::Service(_) | Target::Clients(_))
            | (Self::Host(_), _) => false,
        }
    }

    /// Whether something of where a flow leads is in it.
    pub(super) fn touches_target(&self, site: &Site, target: &Target, start: ZoneId) -> bool {
        match (self, target) {
            (Self::Network(network), Target::System(system)) => {
                let mut addresses = site.systems[*system].addresses_for(start).iter();
                addresses.any(|address| network.contains(address))
            }
            _ => self.holds_target(site, target, start),
        }
    }
}

fn holds_zone(network: IpNet, networks: &[IpNet]) -> bool {
    !networks.is_empty() && networks.iter().all(|it| network.contains(it))
}

fn holds_all(network: IpNet, addresses: &[IpAddr]) -> bool {
    !addresses.is_empty() && addresses.iter().all(|address| network.contains(address))
}

/// All addresses of a system, as any zone sees them.
fn addresses(site: &Site, system: SystemId) -> Vec<IpAddr> {
    let all = site.systems[system].addresses.iter();
    all.flat_map(|(_, addresses)| addresses).copied().collect()
}
