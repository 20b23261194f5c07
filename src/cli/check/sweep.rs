//! Ports beside the plan, tried for being unexpectedly open, and the doors that were tried to unmask devices.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use super::Bench;
use crate::attribution;
use crate::catalogue::Transport;
use crate::config::Sweep;
use crate::observation::{Observation, State};
use crate::plan::Target;
use crate::probe::{self, Ladder, Landing, Question, Turn};
use crate::report::SweptSystem;
use crate::site::SystemId;
use crate::verdict::Seen;

/// Ports of a sweep that are asked in one go, so that memory stays bounded.
const SWEEP_PORTION: usize = 4_096;

/// Ports that nobody is known to use and what they did, by address.
pub(super) type Doors = HashMap<IpAddr, Vec<(u16, Observation)>>;

/// What was tried beside the plan, system by system: the ports of `probing.sweep`, in portions, and doors.
pub(super) async fn sweep(bench: &Bench, seen: &[Seen], doors: &mut Doors) -> Vec<SweptSystem> {
    let site = &bench.loaded.site;
    let mut all = Vec::new();
    // Beside the plan nothing goes through a proxy, and nothing past it.
    if bench.via.is_some() {
        return all;
    }
    for (system, host) in site.systems.iter().enumerate() {
        if bench.place.system == Some(system) {
            continue;
        }
        let mut swept = SweptSystem::new(system, host.zone != bench.place.zone);
        let tried = tried(seen, system);
        let ports: Vec<u16> = wanted(&site.probing.sweep)
            .into_iter()
            .filter(|port| !tried.contains(port))
            .collect();
        let given = host.addresses_for(bench.place.zone);
        for address in addresses(bench, seen, system) {
            // What a name leads to may be shared with another system: only the file's own addresses are swept.
            let ports = if given.contains(&address) {
                &ports[..]
            } else {
                &[]
            };
            sweep_address(bench, &mut swept, address, ports, doors).await;
        }
        all.push(swept);
    }
    all
}

fn wanted(sweep: &Sweep) -> BTreeSet<u16> {
    match sweep {
        Sweep::Ports(ranges) => ranges
            .iter()
            .flat_map(|range| range.low..=range.high)
            .collect(),
        Sweep::None | Sweep::Watchlist => BTreeSet::new(),
    }
}

/// Ports of a system that the plan has tried.
fn tried(seen: &[Seen], system: SystemId) -> HashSet<u16> {
    seen.iter()
        .filter(|seen| {
            seen.flow.to == Target::System(system)
                && seen.flow.transport == Transport::Tcp
                && seen.flow.port.low == seen.flow.port.high
        })
        .map(|seen| seen.flow.port.low)
        .collect()
}

/// The addresses of the site file, and those that were tried because the name led there.
fn addresses(bench: &Bench, seen: &[Seen], system: SystemId) -> BTreeSet<IpAddr> {
    let host = &bench.loaded.site.systems[system];
    let of_the_plan = seen
        .iter()
        .filter(|seen| seen.flow.to == Target::System(system))
        .flat_map(|seen| &seen.observations)
        .filter_map(|observation| observation.address);
    host.addresses_for(bench.place.zone)
        .iter()
        .copied()
        .chain(of_the_plan)
        .collect()
}

async fn sweep_address(
    bench: &Bench,
    swept: &mut SweptSystem,
    address: IpAddr,
    ports: &[u16],
    doors: &mut Doors,
) {
    let mut seen: Vec<(u16, Observation)> = Vec::new();
    for portion in ports.chunks(SWEEP_PORTION) {
        let questions: Vec<Question> = portion
            .iter()
            .map(|port| question(bench, swept.system, address, *port))
            .collect();
        let mut answers = bench.prober.ask_all(questions.clone(), || {}).await;
        bench.prober.prove_silence(&questions, &mut answers).await;
        seen.extend(portion.iter().copied().zip(answers));
    }
    let opened = seen.iter().any(|(_, seen)| seen.state == State::Open);
    if opened && bench.lab.is_none() && !doors.contains_key(&address) {
        let known = ports.iter().copied().collect();
        doors.insert(address, bench.prober.try_doors(address, &known).await);
    }
    let of_address = doors.get(&address).map_or(&[][..], Vec::as_slice);
    swept.note_doors(of_address);
    let painted = attribution::is_every_port_open(of_address);
    for (port, seen) in seen {
        swept.add(port, seen, painted);
    }
}

fn question(bench: &Bench, system: SystemId, address: IpAddr, port: u16) -> Question {
    Question {
        target: probe::Target::Address(address),
        port,
        name: None,
        ladder: Ladder::Tcp,
        turn: Turn::Forbidden,
        spread: false,
        landing: bench.lab.as_ref().map_or(Landing::Itself, |lab| {
            lab.landing(Target::System(system), port)
        }),
        web: None,
        via: None,
    }
}
