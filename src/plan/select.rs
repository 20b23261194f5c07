//! The flows that one vantage can try.

use std::collections::BTreeSet;

use super::{Flow, Plan, Target};
use crate::product::Need;
use crate::site::{Origin, Site, SystemId, ZoneId};

/// A flow that a vantage tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its number in the plan.
    pub flow: usize,
    /// Whether the vantage may start it.
    pub owner: Owner,
}

/// Who starts a flow, seen from a vantage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The vantage itself, or anything in its zone.
    Vantage,
    /// Another system of the zone; the vantage tries in its stead.
    Another,
}

/// The flows that start in some zones, as a system with legs there (or none) can try them. The numbers of those that
/// have to be tried elsewhere come with them.
///
/// What is forbidden there has to be spread out before ([`Plan::spread`]). What is not spread out is tried elsewhere.
///
/// A system's own word goes before its zone's. A zone's forbidden flow is left out where the vantage itself needs the
/// same host and port. A zone's needed flow is left out where the vantage itself must not start it. So is what leads to
/// the vantage itself.
///
/// A host with several legs goes around the firewall between them. What starts in one zone and this host reaches by
/// another leg counts as a flow of another zone.
pub fn select(
    site: &Site,
    plan: &Plan,
    zones: &[ZoneId],
    system: Option<SystemId>,
) -> (Vec<Chosen>, Vec<usize>) {
    let own: BTreeSet<_> = plan
        .flows
        .iter()
        .filter(|flow| system.is_some_and(|system| flow.from == Origin::System(system)))
        .map(|flow| (&flow.to, flow.port, flow.transport, is_forbidden(flow)))
        .collect();
    let mut chosen = Vec::new();
    let mut elsewhere = Vec::new();
    for (number, flow) in plan.flows.iter().enumerate() {
        let start = flow.start(site);
        if !zones.contains(&start) || goes_around(site, flow, start, system) {
            elsewhere.push(number);
        } else if !is_moot(flow, system, &own) {
            let owner = match flow.from {
                Origin::Zone(_) => Owner::Vantage,
                Origin::System(other) if Some(other) == system => Owner::Vantage,
                Origin::System(_) => Owner::Another,
            };
            chosen.push(Chosen {
                flow: number,
                owner,
            });
        }
    }
    (chosen, elsewhere)
}

/// Whether the packets of a system would leave it by another leg than the one in the zone where the flow starts.
fn goes_around(site: &Site, flow: &Flow, start: ZoneId, system: Option<SystemId>) -> bool {
    let Some(system) = system else { return false };
    match flow.to {
        Target::System(to) => site.legs(Origin::System(system), to).0 != start,
        Target::Host(_) | Target::Service(_) | Target::Clients(_) => {
            site.systems[system].zone != start
        }
    }
}

fn is_moot(
    flow: &Flow,
    system: Option<SystemId>,
    own: &BTreeSet<(&Target, crate::yaml::Ports, crate::product::Transport, bool)>,
) -> bool {
    let to_itself = system.is_some_and(|system| flow.to == Target::System(system));
    let said_otherwise = matches!(flow.from, Origin::Zone(_))
        && own.contains(&(&flow.to, flow.port, flow.transport, !is_forbidden(flow)));
    to_itself || said_otherwise
}

fn is_forbidden(flow: &Flow) -> bool {
    flow.need == Need::Forbidden
}
