//! Silent UDP ports about which the listener of their system can be asked: it proved itself on a TCP port beside.

use std::collections::BTreeMap;

use super::Run;
use crate::observation::{Observation, State};
use crate::plan::{Chosen, Target};
use crate::probe::{Beside, Ladder, Question};
use crate::site::SystemId;

/// Every silent UDP question, with those that a listener of the same system, at the same address, has answered.
pub(super) fn beside(
    run: &Run,
    chosen: &[Chosen],
    by_flow: &[Vec<usize>],
    questions: &[Question],
    answers: &[Observation],
) -> Vec<Beside> {
    let site = &run.file.site;
    let mut asked: BTreeMap<usize, SystemId> = BTreeMap::new();
    for (chosen, numbers) in chosen.iter().zip(by_flow) {
        if let Target::System(system) = run.plan.flows[chosen.flow].to {
            asked.extend(numbers.iter().map(|number| (*number, system)));
        }
    }
    let is_datagram = |number: usize| matches!(questions[number].ladder, Ladder::Datagram(_));
    let proves = |number: usize, system: SystemId| {
        let listener = answers[number].listener.as_ref();
        let is_one = !matches!(questions[number].ladder, Ladder::RpcRange(_));
        let name = &site.systems[system].name;
        is_one && !is_datagram(number) && listener.is_some_and(|it| it.stands_in_for(name))
    };
    let mut found = Vec::new();
    for (silent, system) in &asked {
        if !is_datagram(*silent) || answers[*silent].state != State::Silent {
            continue;
        }
        let beside = asked.iter().filter(|(number, of)| {
            *of == system
                && proves(**number, *system)
                && answers[**number].address == answers[*silent].address
        });
        found.push(Beside {
            silent: *silent,
            proved: beside.map(|(number, _)| *number).collect(),
            own_port: site.own_port(run.place.zone, *system, questions[*silent].port),
        });
    }
    found
}
