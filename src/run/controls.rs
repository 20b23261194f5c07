//! Whether ports that answered still do, at the very end of the run.
//!
//! Two ports of each host are asked again. A host of which neither answers has shut this host out, or has gone. What
//! was silent since its last answer proves nothing, unless a witness covered it (`probe`). A port that no longer
//! answers makes its own flow doubtful too. Before that is said, the host is waited for: what ends by itself is a gap,
//! and a note.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use tracing::debug_span;

use super::Run;
use crate::observation::{Observation, Prohibition, State};
use crate::probe::{Ladder, OldTls, Question, Turn};
use crate::verdict::Seen;

/// Ports of each host that are asked again.
const PORTS: usize = 2;

/// Answered questions of each host, to be asked again: open ports before closed ones.
pub(super) type Controls = BTreeMap<IpAddr, Vec<Question>>;

/// What no longer answers.
#[derive(Default)]
pub(super) struct Lost {
    /// Hosts of which no control answers, with the time of the last answer.
    pub(super) hosts: HashMap<IpAddr, Timestamp>,
    /// Every control that does not.
    pub(super) ports: HashMap<SocketAddr, Timestamp>,
}

/// The controls of what was answered.
pub(super) fn controls(questions: &[Question], answers: &[Observation]) -> Controls {
    let mut controls = Controls::new();
    let is_open = |seen: &Observation| seen.state == State::Open;
    let is_closed = |seen: &Observation| matches!(seen.state, State::Closed { .. });
    let wanted: [&dyn Fn(&Observation) -> bool; 2] = [&is_open, &is_closed];
    for is_wanted in wanted {
        for (question, answer) in questions.iter().zip(answers) {
            let (Some(address), true) = (answer.address, is_wanted(answer)) else {
                continue;
            };
            if matches!(question.ladder, Ladder::Datagram(_) | Ladder::RpcRange(_)) {
                continue;
            }
            let of_host = controls.entry(address).or_default();
            let is_known = of_host.iter().any(|known| known.port == question.port);
            if of_host.len() < PORTS && !is_known {
                of_host.push(Question {
                    ladder: Ladder::Tcp,
                    turn: Turn::Needed,
                    spread: false,
                    old_tls: OldTls::Never,
                    clients_speak: None,
                    challenger: None,
                    span: debug_span!(parent: &question.span, "control"),
                    ..question.clone()
                });
            }
        }
    }
    controls
}

/// Asks the controls again.
pub(super) async fn lost(run: &Run, controls: &Controls) -> Lost {
    if controls.is_empty() || *run.stop.borrow() {
        return Lost::default();
    }
    let last: HashMap<IpAddr, Timestamp> = controls
        .keys()
        .filter_map(|address| Some((*address, run.prober.last_answer(*address)?)))
        .collect();
    let questions: Vec<Question> = controls.values().flatten().cloned().collect();
    let mut again = run.prober.ask_all(questions.clone(), || {}).await;
    run.prober.prove_silence(&questions, &mut again).await;
    let both = questions.iter().zip(&again);
    let silent: HashSet<SocketAddr> = both
        .filter(|(_, seen)| no_longer_answers(seen))
        .filter_map(|(asked, seen)| Some(SocketAddr::new(seen.address?, asked.port)))
        .collect();
    let mut lost = Lost::default();
    for (address, of_host) in controls {
        let Some(last) = last.get(address) else {
            continue;
        };
        let is_silent = |asked: &&Question| silent.contains(&SocketAddr::new(*address, asked.port));
        let silent: Vec<&Question> = of_host.iter().filter(is_silent).collect();
        if silent.len() == of_host.len() {
            lost.hosts.insert(*address, *last);
        }
        let at_itself = silent.iter().filter(|it| it.way.is_direct());
        let ports = at_itself.map(|it| (SocketAddr::new(*address, it.port), *last));
        lost.ports.extend(ports);
    }
    lost
}

/// Whether nothing came, or a router said that the host is not there.
pub(super) fn no_longer_answers(seen: &Observation) -> bool {
    let is_lost = matches!(&seen.state, State::Rejected(rejection)
        if rejection.says == Prohibition::HostUnreachable);
    seen.is_silence() || is_lost
}

/// Writes down which ports no longer answered at the end.
pub(super) fn note(lost: &Lost, seen: &mut [Seen]) {
    for observation in seen.iter_mut().flat_map(|seen| &mut seen.observations) {
        let remote = observation.attempts.first().map(|attempt| attempt.remote);
        if observation.state == State::Open && observation.via.is_none() {
            observation.went_silent = remote.and_then(|remote| lost.ports.get(&remote).copied());
        }
    }
}
