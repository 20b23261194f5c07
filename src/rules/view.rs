//! What a firewall sees of the system that a flow leads to.
//!
//! The site file gives a system's addresses, and the ports at which it is asked, by the zone that asks. A packet in a
//! zone is taken to carry the address and port at which that zone asks for the system. So where the zones before and
//! behind a firewall differ in that, the firewall translates. Of several on the way it is the outermost, unless the
//! file says otherwise of the zones between them.

use std::net::IpAddr;

use super::range::Family;
use crate::plan::{Flow, Target};
use crate::site::{Crossing, Site, ZoneId};
use crate::yaml::Ports;

/// A flow's destination in the headers of packets in one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Headers {
    /// Its addresses; none where the file gives none.
    pub(super) addresses: Vec<IpAddr>,
    /// Its port or ports.
    pub(super) port: Ports,
}

/// A flow's destination in each zone that its packets pass, the first and the last included. All translation of
/// addresses and ports is decided here.
pub(super) fn on_the_way(site: &Site, flow: &Flow, port: Ports, way: &[Crossing]) -> Vec<Headers> {
    let first = flow.start(site);
    let own = own_port(site, flow, port);
    let zones: Vec<ZoneId> = std::iter::once(first)
        .chain(way.iter().map(|crossing| crossing.to))
        .collect();
    let ports = zones.iter().enumerate().map(|(number, zone)| match number {
        0 => port,
        _ if number == way.len() => own,
        _ => asked_port(site, flow, own, *zone),
    });
    let seen: Vec<(Ports, Vec<IpAddr>)> = ports
        .zip(&zones)
        .map(|(port, zone)| (port, looked_up(site, &flow.to, *zone, port)))
        .collect();
    let is_anothers = seen[0].1.is_empty() && !addresses_for(site, &flow.to, first).is_empty();
    let known = seen.iter().find(|(_, addresses)| !addresses.is_empty());
    let mut addresses = match known {
        Some((_, known)) if !is_anothers => known.clone(),
        _ => Vec::new(),
    };
    seen.into_iter()
        .map(|(port, seen)| {
            addresses = translated(&addresses, &seen);
            Headers {
                addresses: addresses.clone(),
                port,
            }
        })
        .collect()
}

/// The port at which a flow's destination listens.
pub(super) fn own_port(site: &Site, flow: &Flow, port: Ports) -> Ports {
    match flow.to {
        Target::System(system) if port.low == port.high => {
            Ports::one(site.own_port(flow.start(site), system, port.low))
        }
        // Ranges are not translated.
        _ => port,
    }
}

/// The port at which a zone asks for one of a flow's destination.
fn asked_port(site: &Site, flow: &Flow, own: Ports, zone: ZoneId) -> Ports {
    match flow.to {
        Target::System(system) if own.low == own.high => {
            let asked = site.asked_ports(zone, system, own.low);
            asked.first().map_or(own, |asked| Ports::one(*asked))
        }
        _ => own,
    }
}

/// The zone that a flow leads into. A host that is no system of the file stands where its address lies, else in the
/// Internet's zone.
pub(super) fn zone_of_target(site: &Site, flow: &Flow) -> ZoneId {
    match flow.to {
        Target::System(system) => flow.end(site).unwrap_or(site.systems[system].zone),
        Target::Service(_) | Target::Clients(_) => {
            flow.end(site).unwrap_or_else(|| flow.start(site))
        }
        Target::Host(_) => {
            let address = addresses_for(site, &flow.to, 0).first().copied();
            let lies_in = address.and_then(|address| site.zone_of_address(address));
            lies_in
                .map(|(zone, _)| zone)
                .or(site.internet)
                .unwrap_or_else(|| flow.start(site))
        }
    }
}

/// The addresses by which a zone sees a destination.
fn addresses_for(site: &Site, target: &Target, zone: ZoneId) -> Vec<IpAddr> {
    match target {
        Target::System(system) => site.systems[*system].addresses_for(zone).to_vec(),
        Target::Host(name) => name.parse().into_iter().collect(),
        Target::Service(_) | Target::Clients(_) => Vec::new(),
    }
}

/// Those of them at which it reaches this port of the destination, and not another system behind the same address.
fn looked_up(site: &Site, target: &Target, zone: ZoneId, port: Ports) -> Vec<IpAddr> {
    match target {
        Target::System(system) if port.low == port.high => {
            site.addresses_at(zone, *system, port.low)
        }
        _ => addresses_for(site, target, zone),
    }
}

/// What addresses become between two zones: an address that both see stays, the others become what only the second
/// sees, within their family.
fn translated(before: &[IpAddr], behind: &[IpAddr]) -> Vec<IpAddr> {
    if behind.is_empty() {
        return before.to_vec();
    }
    let stays = |address: &IpAddr| behind.contains(address);
    let changed: Vec<Family> = before
        .iter()
        .filter(|address| !stays(address))
        .map(|address| Family::of(*address))
        .collect();
    let becomes =
        |address: &&IpAddr| before.contains(address) || changed.contains(&Family::of(**address));
    behind.iter().filter(becomes).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<IpAddr> {
        text.split_whitespace()
            .map(|address| address.parse().expect("an address"))
            .collect()
    }

    #[test]
    fn an_address_that_both_zones_see_stays_and_no_family_is_added() {
        for (before, behind, after) in [
            ("203.0.113.10", "192.0.2.10", "192.0.2.10"),
            ("203.0.113.10", "192.0.2.10 2001:db8::10", "192.0.2.10"),
            ("192.0.2.10", "192.0.2.10 192.0.2.11", "192.0.2.10"),
            (
                "203.0.113.10 192.0.2.11",
                "192.0.2.10 192.0.2.11",
                "192.0.2.10 192.0.2.11",
            ),
            ("203.0.113.10", "", "203.0.113.10"),
        ] {
            assert_eq!(
                translated(&addresses(before), &addresses(behind)),
                addresses(after),
                "{before} to {behind}"
            );
        }
    }
}
