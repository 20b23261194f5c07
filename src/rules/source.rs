//! Who may start a flow, as addresses.

use std::net::IpAddr;

use super::range::{Family, Range, minus, union};
use crate::plan::{Flow, Plan};
use crate::product::Need;
use crate::site::{Origin, Site, SystemId, ZoneId};

/// The addresses that may start a flow, as they are seen in a zone on its way.
///
/// A zone has the addresses for which its networks are the most specific ones of the file. Those of its systems that
/// must not start this flow are taken out.
pub(super) fn ranges(
    site: &Site,
    plan: &Plan,
    flow: &Flow,
    seen_in: ZoneId,
    family: Family,
) -> Vec<Range> {
    let all = match flow.from {
        Origin::System(system) => ones(seen(site, system, seen_in)),
        Origin::Zone(zone) => minus(&of_zone(site, zone), &barred(site, plan, flow, zone)),
    };
    let mut all = union(all);
    all.retain(|range| range.family() == family);
    all
}

/// What the zones' networks leave to a zone: the most specific network decides.
fn of_zone(site: &Site, zone: ZoneId) -> Vec<Range> {
    let zones = site.zones.iter().enumerate();
    let mut networks: Vec<_> = zones
        .flat_map(|(number, it)| it.networks.iter().map(move |network| (*network, number)))
        .collect();
    networks.sort_by_key(|(network, _)| network.prefix_len());
    let mut own: Vec<Range> = Vec::new();
    for (network, number) in networks {
        own = minus(&own, &[network.into()]);
        if number == zone {
            own.push(network.into());
        }
    }
    own
}

/// The systems of a zone that must not start a flow that the rest of the zone may.
fn barred(site: &Site, plan: &Plan, flow: &Flow, zone: ZoneId) -> Vec<Range> {
    let same = |other: &&Flow| {
        other.need == Need::Forbidden
            && (&other.to, other.transport) == (&flow.to, flow.transport)
            && other.port.low <= flow.port.low
            && flow.port.high <= other.port.high
    };
    let systems = plan
        .flows
        .iter()
        .filter(same)
        .filter_map(|other| match other.from {
            Origin::System(system) if other.start(site) == zone => Some(system),
            Origin::System(_) | Origin::Zone(_) => None,
        });
    systems
        .flat_map(|system| ones(seen(site, system, zone)))
        .collect()
}

/// A system's addresses as a zone sees them; its own, where the file gives that zone none.
fn seen(site: &Site, system: SystemId, zone: ZoneId) -> &[IpAddr] {
    let system = &site.systems[system];
    match system.addresses_for(zone) {
        [] => system.addresses_for(system.zone),
        seen => seen,
    }
}

fn ones(addresses: &[IpAddr]) -> Vec<Range> {
    addresses
        .iter()
        .map(|address| Range::one(*address))
        .collect()
}
