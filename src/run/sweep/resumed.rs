//! Going on with an interrupted sweep: what an earlier run finished comes among what this one sees.
//!
//! Finished ports are not tried again. They are put beside those that were before anybody looks at what opened. So doors,
//! services and verdicts are those of one whole sweep.
//!
//! Silence needs proof of its own time. A host may have answered the earlier run, while no flow of the plan has an
//! answer of it now. Ports of it that answered then are asked again. Where none of them does, silence of its other ports is no proof. And where
//! a host that gave no answer then has answered now, it may have been down: all of its ports are tried.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;

use super::{Part, question};
use crate::observation::{Observation, ResetBy, State};
use crate::probe::{Question, Scanned, Turn};
use crate::report::{Kept, SweptSystem};
use crate::run::Run;

/// Ports of a host that answered the earlier run, to be asked again.
const CONTROLS: usize = 2;

/// Takes finished ports out of what is to be tried.
pub(super) fn keep(run: &Run, all: &mut [SweptSystem], parts: &mut [Part]) {
    let Some(resumed) = &run.resumed else {
        return;
    };
    let site = &run.file.site;
    let mut taken: BTreeMap<usize, BTreeSet<u16>> = BTreeMap::new();
    for part in parts.iter_mut() {
        let name = &site.systems[all[part.of].system].name;
        let mut kept = resumed.kept(name, part.address);
        kept.retain(|port| part.has(port));
        let is_up_now = run.prober.last_answer(part.address).is_some();
        if is_up_now && !resumed.answered(name, part.address) {
            kept.forget_silence();
        }
        let finished = kept.ports();
        let is_left = |port: &&u16| finished.binary_search(port).is_err();
        let left = part.ports.iter().filter(is_left);
        part.left = Some(left.copied().collect());
        part.kept = kept;
        // Their silence counts toward the bound of the whole sweep.
        run.prober.expect(finished.len());
        taken.entry(part.of).or_default().extend(finished);
    }
    for (of, ports) in taken {
        let name = &site.systems[all[of].system].name;
        all[of].earlier = resumed.runs(name, ports);
    }
}

/// Asks hosts again that answered the earlier run, where nothing of them has answered this one.
pub(super) async fn ask_controls(run: &Run, parts: &[Part]) {
    let asked = parts.iter().filter(|part| !part.left().is_empty());
    let questions: Vec<Question> = asked
        .filter(|part| run.prober.last_answer(part.address).is_none())
        .flat_map(|part| {
            let ports = part.kept.answering(CONTROLS).into_iter();
            ports.map(|port| Question {
                turn: Turn::Needed,
                ..question(part.address, port)
            })
        })
        .collect();
    if questions.is_empty() {
        return;
    }
    let mut answers = run.prober.ask_all(questions.clone(), || {}).await;
    run.prober.prove_silence(&questions, &mut answers).await;
}

/// Hosts that answered the earlier run and have not answered this one, with the time since which they do not.
pub(super) fn no_longer_answering(run: &Run, parts: &[Part]) -> HashMap<IpAddr, Timestamp> {
    let Some(resumed) = &run.resumed else {
        return HashMap::new();
    };
    let answered = parts
        .iter()
        .filter(|part| !part.kept.answering(1).is_empty());
    answered
        .map(|part| part.address)
        .filter(|address| run.prober.last_answer(*address).is_none())
        .map(|address| (address, resumed.finished))
        .collect()
}

/// Puts finished ports beside those that this run has tried.
pub(super) fn put_back(run: &Run, parts: &mut [Part], scanned: &mut Vec<Scanned>) {
    if run.resumed.is_none() {
        return;
    }
    let places = scanned.iter().enumerate();
    let mut places: HashMap<IpAddr, usize> = places.map(|(at, it)| (it.address, at)).collect();
    for part in parts {
        let kept = std::mem::take(&mut part.kept);
        if kept == Kept::default() {
            continue;
        }
        let place = *places.entry(part.address).or_insert_with(|| {
            scanned.push(Scanned {
                address: part.address,
                open: Vec::new(),
                alike: Vec::new(),
                silent: Vec::new(),
            });
            scanned.len() - 1
        });
        scanned[place].open.extend(kept.open);
        let own = run.own.contains(&part.address);
        let alike = kept.alike.into_iter();
        scanned[place]
            .alike
            .extend(alike.map(|(seen, ports)| (reset_by_whom(seen, own), ports)));
    }
}

/// At an address of this host nobody but the host itself resets.
fn reset_by_whom(seen: Observation, own: bool) -> Observation {
    match seen.state {
        State::Closed { .. } if own => Observation {
            state: State::Closed {
                reset_by: ResetBy::Host,
            },
            ..seen
        },
        _ => seen,
    }
}
