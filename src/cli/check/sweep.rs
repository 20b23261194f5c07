//! Ports beside the plan, tried for being unexpectedly open.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

use super::Bench;
use crate::catalogue::Transport;
use crate::config::Sweep;
use crate::plan::Target;
use crate::probe::{self, Ladder, Landing, Question, Turn};
use crate::report::SweptSystem;
use crate::site::SystemId;
use crate::verdict::Seen;

/// Ports of a sweep that are asked in one go, so that memory stays bounded.
const SWEEP_PORTION: usize = 4_096;

/// Ports of `probing.sweep` that the plan has not tried, system by system and in portions.
pub(super) async fn sweep(bench: &Bench, seen: &[Seen]) -> Vec<SweptSystem> {
    let site = &bench.loaded.site;
    let Sweep::Ports(ranges) = &site.probing.sweep else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (system, host) in site.systems.iter().enumerate() {
        if bench.place.system == Some(system) {
            continue;
        }
        let tried: HashSet<u16> = seen
            .iter()
            .filter(|seen| {
                seen.flow.to == Target::System(system)
                    && seen.flow.transport == Transport::Tcp
                    && seen.flow.port.low == seen.flow.port.high
            })
            .map(|seen| seen.flow.port.low)
            .collect();
        let wanted: BTreeSet<u16> = ranges
            .iter()
            .flat_map(|range| range.low..=range.high)
            .filter(|port| !tried.contains(port))
            .collect();
        let ports: Vec<u16> = wanted.into_iter().collect();
        let mut swept = SweptSystem {
            system,
            states: BTreeMap::new(),
            let_through: Vec::new(),
            open: Vec::new(),
        };
        for address in host.addresses_for(bench.place.zone) {
            sweep_address(
                bench,
                &mut swept,
                *address,
                &ports,
                host.zone != bench.place.zone,
            )
            .await;
        }
        all.push(swept);
    }
    all
}

async fn sweep_address(
    bench: &Bench,
    swept: &mut SweptSystem,
    address: IpAddr,
    ports: &[u16],
    between_zones: bool,
) {
    let system: SystemId = swept.system;
    for portion in ports.chunks(SWEEP_PORTION) {
        let question = |port: &u16| Question {
            target: probe::Target::Address(address),
            port: *port,
            name: None,
            ladder: Ladder::Tcp,
            turn: Turn::Forbidden,
            spread: false,
            landing: bench.lab.as_ref().map_or(Landing::Itself, |lab| {
                lab.landing(Target::System(system), *port)
            }),
        };
        let questions: Vec<Question> = portion.iter().map(question).collect();
        let mut answers = bench.prober.ask_all(questions.clone(), || {}).await;
        bench.prober.prove_silence(&questions, &mut answers).await;
        for (port, answer) in portion.iter().zip(answers) {
            swept.add(*port, answer, between_zones);
        }
    }
}
