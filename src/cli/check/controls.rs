//! Whether hosts that answered still do: a host that has gone silent meanwhile proves nothing from its last answer on.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;

use super::Bench;
use crate::observation::{Observation, State};
use crate::probe::{Ladder, Question, Turn};

/// Hosts that answered at first and no longer do, with the time of their last answer: one answered question of each is
/// asked again.
pub(super) async fn gone(
    bench: &Bench,
    questions: &[Question],
    answers: &[Observation],
) -> HashMap<IpAddr, Timestamp> {
    if *bench.stop.borrow() {
        return HashMap::new();
    }
    let mut controls: BTreeMap<IpAddr, (Question, Timestamp)> = BTreeMap::new();
    for (question, answer) in questions.iter().zip(answers) {
        let (Some(address), State::Open | State::Closed { .. }) = (answer.address, &answer.state)
        else {
            continue;
        };
        let Some(last) = bench.prober.last_answer(address) else {
            continue;
        };
        let again = Question {
            ladder: Ladder::Tcp,
            turn: Turn::Needed,
            spread: false,
            ..question.clone()
        };
        if !matches!(question.ladder, Ladder::Datagram(_) | Ladder::RpcRange(_)) {
            controls.entry(address).or_insert((again, last));
        }
    }
    let questions: Vec<Question> = controls.values().map(|(again, _)| again.clone()).collect();
    let mut again = bench.prober.ask_all(questions.clone(), || {}).await;
    bench.prober.prove_silence(&questions, &mut again).await;
    let silent = again.iter().filter(|answer| answer.is_silence());
    silent
        .filter_map(|answer| {
            let address = answer.address?;
            Some((address, controls.get(&address)?.1))
        })
        .collect()
}
