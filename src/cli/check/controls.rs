//! Whether hosts that answered still do: a host that has gone silent meanwhile proves nothing from its last answer on.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;
use tracing::debug_span;

use super::Bench;
use crate::observation::{Observation, State};
use crate::probe::{Ladder, Question, Turn};

/// One answered question of each host, to be asked again.
pub(super) type Controls = BTreeMap<IpAddr, Question>;

/// The controls of what was answered.
pub(super) fn controls(questions: &[Question], answers: &[Observation]) -> Controls {
    let mut controls = Controls::new();
    for (question, answer) in questions.iter().zip(answers) {
        let (Some(address), State::Open | State::Closed { .. }) = (answer.address, &answer.state)
        else {
            continue;
        };
        if !matches!(question.ladder, Ladder::Datagram(_) | Ladder::RpcRange(_)) {
            controls.entry(address).or_insert_with(|| Question {
                ladder: Ladder::Tcp,
                turn: Turn::Needed,
                spread: false,
                challenger: None,
                span: debug_span!(parent: &question.span, "control"),
                ..question.clone()
            });
        }
    }
    controls
}

/// Hosts that no longer answer, with the time of their last answer.
pub(super) async fn gone(bench: &Bench, controls: &Controls) -> HashMap<IpAddr, Timestamp> {
    if *bench.stop.borrow() {
        return HashMap::new();
    }
    let last: HashMap<IpAddr, Timestamp> = controls
        .keys()
        .filter_map(|address| Some((*address, bench.prober.last_answer(*address)?)))
        .collect();
    let questions: Vec<Question> = controls.values().cloned().collect();
    let mut again = bench.prober.ask_all(questions.clone(), || {}).await;
    bench.prober.prove_silence(&questions, &mut again).await;
    let silent = again.iter().filter(|answer| answer.is_silence());
    silent
        .filter_map(|answer| {
            let address = answer.address?;
            Some((address, *last.get(&address)?))
        })
        .collect()
}
