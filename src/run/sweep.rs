//! Ports beside the plan, tried for being unexpectedly open, and the doors that were tried to unmask devices.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use tracing::debug_span;

use super::controls::{self, Controls};
use super::look::{Doors, known_ports};
use super::{Run, targets};
use crate::attribution;
use crate::config::Sweep;
use crate::observation::{Observation, State};
use crate::plan::Target;
use crate::probe::{self, Question, Turn};
use crate::product::{Need, Transport};
use crate::report::SweptSystem;
use crate::site::SystemId;
use crate::verdict::Seen;

/// Ports of a sweep that are asked in one go, so that memory stays bounded.
const SWEEP_PORTION: usize = 4_096;

/// What was tried beside the plan, system by system: the ports of `probing.sweep`, in portions, and doors.
pub(super) async fn sweep(
    run: &Run,
    seen: &[Seen],
    controls: &Controls,
    doors: &mut Doors,
) -> Vec<SweptSystem> {
    let site = &run.file.site;
    let mut all = Vec::new();
    // Beside the plan nothing goes through a proxy, and nothing past it. A client tries what it uses.
    if run.ways.are_all_by_proxy() || run.client.is_some() {
        return all;
    }
    let own = run.against.as_ref().map(|old| old.own_systems);
    for system in 0..own.unwrap_or(site.systems.len()) {
        if run.place.system == Some(system) {
            continue;
        }
        let mut swept = SweptSystem::new(system, served(run, system));
        let tried = tried(seen, system);
        let ports: Vec<u16> = wanted(&site.probing.sweep)
            .into_iter()
            .filter(|port| !tried.contains(port))
            .collect();
        for address in addresses(run, seen, system) {
            // What a name leads to may be shared with another system: only the file's own addresses are swept.
            let is_its = |port: &u16| {
                targets::own_addresses(site, run.place.toward(site, system), system, *port)
                    .contains(&address)
            };
            let ports: Vec<u16> = ports.iter().copied().filter(is_its).collect();
            run.prober.expect(ports.len());
            sweep_address(run, &mut swept, address, &ports, controls, doors).await;
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

/// The ports at which a system has to serve, to whatever zone.
fn served(run: &Run, system: SystemId) -> HashSet<u16> {
    let site = &run.file.site;
    let flows = run.plan.flows.iter().filter(|flow| {
        flow.to == Target::System(system)
            && flow.transport == Transport::Tcp
            && flow.need != Need::Forbidden
    });
    flows
        .flat_map(|flow| {
            let zone = flow.start(site);
            (flow.port.low..=flow.port.high).map(move |port| site.own_port(zone, system, port))
        })
        .collect()
}

/// Ports of a system that the plan has tried, and those in ranges that it needs.
fn tried(seen: &[Seen], system: SystemId) -> HashSet<u16> {
    let of_it = seen.iter().map(|seen| &seen.flow).filter(|flow| {
        let is_one = flow.port.low == flow.port.high;
        flow.to == Target::System(system)
            && flow.transport == Transport::Tcp
            && (is_one || flow.need != Need::Forbidden)
    });
    of_it
        .flat_map(|flow| flow.port.low..=flow.port.high)
        .collect()
}

/// The addresses of the site file, and those that were tried because the name led there.
fn addresses(run: &Run, seen: &[Seen], system: SystemId) -> BTreeSet<IpAddr> {
    let host = &run.file.site.systems[system];
    let of_the_plan = seen
        .iter()
        .filter(|seen| seen.flow.to == Target::System(system))
        .flat_map(|seen| &seen.observations)
        .filter_map(|observation| observation.address);
    host.addresses_for(run.place.toward(&run.file.site, system))
        .iter()
        .copied()
        .chain(of_the_plan)
        .collect()
}

async fn sweep_address(
    run: &Run,
    swept: &mut SweptSystem,
    address: IpAddr,
    ports: &[u16],
    controls: &Controls,
    doors: &mut Doors,
) {
    let mut silent: Vec<(u16, Observation)> = Vec::new();
    let mut opened = false;
    for portion in ports.chunks(SWEEP_PORTION) {
        let questions: Vec<Question> = portion
            .iter()
            .map(|port| question(run, swept.system, address, *port))
            .collect();
        let mut answers = run.prober.ask_all(questions.clone(), || {}).await;
        run.prober.prove_silence(&questions, &mut answers).await;
        let is_new = !opened && answers.iter().any(|seen| seen.state == State::Open);
        opened |= is_new;
        if is_new && !run.ways.are_of_the_lab() && !doors.contains_key(&address) {
            let known = known_ports(run).chain(ports.iter().copied());
            let tried = run.prober.try_doors(address, &known.collect()).await;
            doors.insert(address, tried);
        }
        let painted = doors
            .get(&address)
            .is_some_and(|doors| attribution::is_every_port_open(doors));
        for (port, mut seen) in portion.iter().copied().zip(answers) {
            if seen.state == State::Filtered {
                // Only when the last of them left is of use below.
                seen.attempts.drain(..seen.attempts.len().saturating_sub(1));
                silent.push((port, seen));
            } else {
                swept.add(port, seen, painted);
            }
        }
    }
    let of_address: Controls = controls
        .get(&address)
        .map(|of_host| (address, of_host.clone()))
        .into_iter()
        .collect();
    let gone = match silent.is_empty() {
        true => None,
        false => controls::lost(run, &of_address)
            .await
            .hosts
            .remove(&address),
    };
    for (port, mut seen) in silent {
        // A device that has shut this host out is silent too: from the last answer on that is no proof.
        let last_try = seen.attempts.last().map(|attempt| attempt.at);
        if gone.is_some_and(|last| last_try.is_none_or(|at| at > last)) {
            seen.state = State::Silent;
        }
        swept.add(port, seen, false);
    }
    swept.note_doors(doors.get(&address).map_or(&[][..], Vec::as_slice));
}

fn question(run: &Run, system: SystemId, address: IpAddr, port: u16) -> Question {
    let span = debug_span!("sweep", system = run.file.site.systems[system].name, %address, port);
    let way = run.ways.beside_the_plan(&Target::System(system), port);
    let target = probe::Target::Address(address);
    Question::knock(target, port, Turn::Forbidden, way, span)
}
