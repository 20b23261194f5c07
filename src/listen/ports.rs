//! Which ports a system's listener stands in on: those that needed flows of the plan aim at.

use std::collections::BTreeMap;

use crate::plan::{Flow, Plan, Target};
use crate::product::{Need, Protocol, Transport};
use crate::site::{Site, SystemId};
use crate::yaml::Ports;

/// Ports of each dynamic range that are listened on.
const OF_A_RANGE: u16 = 4;
/// How many neighbours of a port are tried where it is in use.
const NEIGHBOURS: u16 = 16;

/// A port to stand in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Transport.
    pub transport: Transport,
    /// Port, or range of dynamic ports.
    pub port: Ports,
    /// What is done there besides answering challenges.
    pub part: Part,
}

/// What is done on a port besides answering challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Nothing.
    Plain,
    /// The dynamic ports are named.
    Mapper,
    /// Nothing, on a few ports of a range that the mapper names.
    Dynamic,
}

/// The ports of a system, each once: those at which it listens, where a firewall leads others to them. A member stands in
/// for its virtual name too.
pub fn wanted(site: &Site, plan: &Plan, system: SystemId) -> Vec<Wanted> {
    let leads_here = |to: SystemId| to == system || site.systems[to].members.contains(&system);
    let mut all: BTreeMap<(Transport, u16, u16), Part> = BTreeMap::new();
    for flow in plan.flows.iter().filter(|flow| is_tried(flow)) {
        let Target::System(to) = flow.to else {
            continue;
        };
        if !leads_here(to) {
            continue;
        }
        let part = part(flow);
        let port = match part {
            Part::Dynamic => flow.port,
            Part::Plain | Part::Mapper => {
                Ports::one(site.own_port(flow.start(site), to, flow.port.low))
            }
        };
        let place = (flow.transport, port.low, port.high);
        let known = all.entry(place).or_insert(part);
        *known = (*known).max(part);
    }
    all.into_iter()
        .map(|((transport, low, high), part)| Wanted {
            transport,
            port: Ports { low, high },
            part,
        })
        .collect()
}

/// Whether `check` aims at it and needs it: no program without privileges takes ESP from its system.
fn is_tried(flow: &Flow) -> bool {
    flow.need != Need::Forbidden && flow.transport != Transport::Esp
}

fn part(flow: &Flow) -> Part {
    let is_range = flow.port.low != flow.port.high;
    match (flow.transport, flow.protocol) {
        _ if is_range => Part::Dynamic,
        (Transport::Tcp, Protocol::Rpc) => Part::Mapper,
        _ => Part::Plain,
    }
}

/// A handful of ports of a range, its ends among them; each with the neighbours that may take its place.
pub(super) fn handful(range: Ports) -> Vec<Vec<u16>> {
    let span = range.high - range.low;
    let steps = (OF_A_RANGE - 1).min(span);
    let place = |step: u16| {
        let along = u32::from(span) * u32::from(step) / u32::from(steps.max(1));
        range
            .low
            .saturating_add(u16::try_from(along).unwrap_or(span))
    };
    (0..=steps)
        .map(|step| match place(step) {
            port if port == range.high => (range.low..=port)
                .rev()
                .take(usize::from(NEIGHBOURS))
                .collect(),
            port => (port..=range.high).take(usize::from(NEIGHBOURS)).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::plan;
    use crate::product::{self, Catalogue};

    fn of_example(name: &str) -> Vec<Wanted> {
        of_site(include_str!("../../probes.yaml"), name)
    }

    fn of_site(text: &str, name: &str) -> Vec<Wanted> {
        let catalogue = Catalogue::parse(product::CONFIGMGR_2007).expect("the catalogue");
        let (config, mut problems) = config::read(text.as_bytes());
        let site = Site::new(&config.expect("a file"), &catalogue, &mut problems).expect("a site");
        let system = site.systems.iter().position(|system| system.name == name);
        let plan = plan::derive(&site, &catalogue);
        wanted(&site, &plan, system.expect("a system"))
    }

    #[test]
    fn the_example_has_web_ports_smb_and_a_mapper_with_its_range() {
        let all = of_example("ibs01");
        let part = |low: u16| {
            let found = all.iter().find(|it| it.port.low == low);
            found.map(|it| (it.transport, it.part))
        };
        assert_eq!(part(443), Some((Transport::Tcp, Part::Plain)));
        assert_eq!(part(445), Some((Transport::Tcp, Part::Plain)));
        assert_eq!(part(135), Some((Transport::Tcp, Part::Mapper)));
        assert_eq!(part(49_152), Some((Transport::Tcp, Part::Dynamic)));
        assert_eq!(part(8_444), None, "a retired port is forbidden");
        assert!(all.is_sorted(), "each once, in order");
    }

    #[test]
    fn where_a_firewall_leads_to_another_port_that_one_is_listened_on() {
        let text = include_str!("../../probes.yaml").replace(
            "    initiated_by_site_server: true\n  ibs02:",
            "    initiated_by_site_server: true\n    ports: { internet: { 443: 4443 } }\n  ibs02:",
        );
        let lows: Vec<u16> = of_site(&text, "ibs01")
            .iter()
            .map(|it| it.port.low)
            .collect();
        assert!(lows.contains(&4_443) && lows.contains(&8_443), "{lows:?}");
        assert!(!lows.contains(&443), "{lows:?}");
    }

    #[test]
    fn a_member_stands_in_for_its_virtual_name() {
        let text = "
site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: {}, perimeter: {} }
firewalls: { wall: { between: [internet, perimeter] } }
clients: [internet]
systems:
  mpnlb: { zone: perimeter, names: { default: mp.example.com }, roles: [management-point], serves: [internet], members: [ibs02] }
  ibs02: { zone: perimeter, names: { default: ibs02.example.com }, roles: [console] }
";
        let all = of_site(text, "ibs02");
        assert!(all.iter().any(|it| it.port.low == 443), "{all:?}");
    }

    #[test]
    fn a_handful_has_the_ends_of_its_range_and_neighbours_within_it() {
        let first = |low, high| {
            let all = handful(Ports { low, high });
            all.iter().map(|ports| ports[0]).collect::<Vec<_>>()
        };
        assert_eq!(first(49_152, 65_535), [49_152, 54_613, 60_074, 65_535]);
        assert_eq!(first(5_000, 5_001), [5_000, 5_001]);
        assert_eq!(first(5_000, 5_000), [5_000]);
        for ports in handful(Ports {
            low: 65_530,
            high: 65_535,
        }) {
            assert!(ports.iter().all(|port| (65_530..=65_535).contains(port)));
            assert!(ports.len() > 1);
        }
    }
}
