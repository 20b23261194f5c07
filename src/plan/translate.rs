//! Rules and the site file speak of ports; a flow is at the port that its start asks for.
//!
//! First the proxy, then the network. A proxy that publishes may be asked at other numbers than the systems behind it
//! (`publishes.ports`). What is asked may be translated on the way (`ports`). Conditions, in this order:
//! 1. What must be closed is closed at its own number as well as at those that lead to it. It is not closed at a number
//!    of an address that several systems share, when another system is reached there.
//! 2. A number that the start asks for is asked.
//! 3. Numbers that lead to it are asked in its place; without any, the number itself is.

use super::Target;
use super::settle::Proposal;
use crate::product::Need;
use crate::site::{Origin, Site, SystemId, ZoneId};
use crate::yaml::Ports;

/// Proposed flows, at each port that is asked.
pub(super) fn asked(site: &Site, proposal: Proposal) -> Proposal {
    let Target::System(to) = proposal.to else {
        return proposal;
    };
    let zone = site.legs(proposal.from, to).0;
    if !proposal.transport.has_ports() || leads_straight(site, zone, &proposal, to) {
        return proposal;
    }
    let mut ports: Vec<Ports> = proposal
        .ports
        .iter()
        .flat_map(|port| match port.low == port.high {
            true => one(site, zone, &proposal, to, port.low),
            // Ranges are not translated.
            false => vec![*port],
        })
        .collect();
    ports.sort_unstable();
    ports.dedup();
    Proposal {
        ports: ports.into(),
        ..proposal
    }
}

/// Whether nothing on the way leads elsewhere, so that every port is asked as it is.
fn leads_straight(site: &Site, zone: ZoneId, proposal: &Proposal, to: SystemId) -> bool {
    let by_proxy = match proposal.from {
        Origin::Zone(_) => !site.systems[to].published_ports.is_empty(),
        Origin::System(from) => site.systems[from].publishes.contains(&to),
    };
    let is_shared = proposal.need == Need::Forbidden && site.is_shared(zone, to);
    !by_proxy && !is_shared && site.systems[to].translation(zone).is_none()
}

fn one(site: &Site, zone: ZoneId, proposal: &Proposal, to: SystemId, port: u16) -> Vec<Ports> {
    let mut ports: Vec<u16> = published(site, proposal.from, to, port)
        .into_iter()
        .flat_map(|port| site.asked_ports(zone, to, port))
        .collect();
    if proposal.need == Need::Forbidden {
        ports.push(port);
        ports.retain(|port| !site.is_anothers(zone, to, *port));
    }
    ports.into_iter().map(Ports::one).collect()
}

/// The ports of a flow that leads to a proxy from outside, or from a proxy to what it publishes.
fn published(site: &Site, from: Origin, to: SystemId, port: u16) -> Vec<u16> {
    match from {
        Origin::Zone(_) => site.systems[to].published_ports.asked(port),
        Origin::System(from) if site.systems[from].publishes.contains(&to) => {
            vec![site.systems[from].published_ports.own(port)]
        }
        Origin::System(_) => vec![port],
    }
}
