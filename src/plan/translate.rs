//! Rules and the site file speak of ports; a flow is at the port that its start asks for.
//!
//! Conditions, in this order:
//! 1. What must be closed is closed at its own number as well as at those that lead to it, but not at a number of an
//!    address that several systems share when another system is reached there.
//! 2. A number that the start asks for is asked.
//! 3. Numbers that lead to it are asked in its place; without any, the number itself is.

use super::{Flow, Target};
use crate::catalogue::Need;
use crate::site::Site;
use crate::yaml::Ports;

/// A proposed flow, at each port that is asked.
pub(super) fn asked(site: &Site, flow: Flow) -> Vec<Flow> {
    let Target::System(to) = flow.to else {
        return vec![flow];
    };
    if flow.port.low != flow.port.high {
        return vec![flow];
    }
    let zone = site.zone_of(flow.from);
    let mut ports = site.asked_ports(zone, to, flow.port.low);
    if flow.need == Need::Forbidden {
        ports.push(flow.port.low);
        ports.dedup();
        ports.retain(|port| !site.is_anothers(zone, to, *port));
    }
    let at = |port| Flow {
        port: Ports::one(port),
        ..flow.clone()
    };
    ports.into_iter().map(at).collect()
}
