//! Who may start a flow, as addresses.

use std::collections::HashMap;
use std::net::IpAddr;

use super::closed::Closed;
use super::range::{Family, Range, minus, union};
use crate::plan::{Flow, Target};
use crate::product::Transport;
use crate::site::{Origin, Site, SystemId, ZoneId};
use crate::yaml::Ports;

/// Systems that must not start a flow, each with the ports at which it must not.
type Barred<'a> = Vec<(SystemId, &'a [Ports])>;

/// Who may start flows, for all flows of a plan.
pub(super) struct Sources<'a> {
    site: &'a Site,
    /// By zone: its addresses.
    zones: Vec<Vec<Range>>,
    /// By end and transport.
    barred: HashMap<(&'a Target, Transport), Barred<'a>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(site: &'a Site, closed: &Closed<'a>) -> Self {
        let mut barred: HashMap<_, Barred<'_>> = HashMap::new();
        for (from, to, transport, ports) in closed.all() {
            if let Origin::System(system) = from {
                let there = barred.entry((to, transport)).or_default();
                there.push((system, ports));
            }
        }
        let zones = 0..site.zones.len();
        Self {
            site,
            zones: zones.map(|zone| of_zone(site, zone)).collect(),
            barred,
        }
    }

    /// The addresses that may start a flow, as they are seen in a zone on its way.
    ///
    /// A zone has the addresses for which its networks are the most specific ones of the file. Those of its systems that
    /// must not start this flow are taken out.
    pub(super) fn of(&self, flow: &Flow, seen_in: ZoneId, family: Family) -> Vec<Range> {
        let all = match flow.from {
            Origin::System(system) => ones(seen(self.site, system, seen_in)),
            Origin::Zone(zone) => minus(&self.zones[zone], &self.barred(flow, zone)),
        };
        let mut all = union(all);
        all.retain(|range| range.family() == family);
        all
    }

    /// The systems of a zone that must not start a flow that the rest of the zone may.
    fn barred(&self, flow: &Flow, zone: ZoneId) -> Vec<Range> {
        let has = |ports: &Ports| ports.low <= flow.port.low && flow.port.high <= ports.high;
        let Target::System(to) = flow.to else {
            return Vec::new();
        };
        let there = self.barred.get(&(&flow.to, flow.transport));
        let barred = there.into_iter().flatten().filter(|(system, ports)| {
            ports.iter().any(has) && self.site.legs(Origin::System(*system), to).0 == zone
        });
        barred
            .flat_map(|(system, _)| ones(seen(self.site, *system, zone)))
            .collect()
    }
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
