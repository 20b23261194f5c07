//! Rules and the site file speak of ports; a flow is at the port that its start asks for.
//!
//! First the proxy, then the network. A proxy that publishes may be asked at other numbers than the systems behind it
//! (`publishes.ports`). What is asked may be translated on the way (`ports`). Conditions, in this order:
//! 1. What must be closed is closed at its own number as well as at those that lead to it. It is not closed at a number
//!    of an address that several systems share, when another system is reached there.
//! 2. A number that the start asks for is asked.
//! 3. Numbers that lead to it are asked in its place; without any, the number itself is.

use super::{Flow, Target};
use crate::product::Need;
use crate::site::{Origin, Site, SystemId};
use crate::yaml::Ports;

/// A proposed flow, at each port that is asked.
pub(super) fn asked(site: &Site, flow: Flow) -> Vec<Flow> {
    let Target::System(to) = flow.to else {
        return vec![flow];
    };
    if flow.port.low != flow.port.high || !flow.transport.has_ports() {
        return vec![flow];
    }
    let (zone, port) = (site.legs(flow.from, to).0, flow.port.low);
    let mut ports: Vec<u16> = published(site, flow.from, to, port)
        .into_iter()
        .flat_map(|port| site.asked_ports(zone, to, port))
        .collect();
    if flow.need == Need::Forbidden {
        ports.push(port);
        ports.retain(|port| !site.is_anothers(zone, to, *port));
    }
    ports.sort_unstable();
    ports.dedup();
    let at = |port| Flow {
        port: Ports::one(port),
        ..flow.clone()
    };
    ports.into_iter().map(at).collect()
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
