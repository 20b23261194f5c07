//! Ranges of dynamic RPC ports: what the host's endpoint mapper named decides.
//!
//! 1. The mapper named ports: those within the range have been tried beside it; when one does not answer, the range is
//!    half open. Named ports outside every range of the site file are a finding of their own.
//! 2. It named none, or did not answer: a few ports of the range are tried. One that speaks RPC shows that the range
//!    passes; a device that rejects shows that it does not. Silence and resets show nothing, for who knows which ports
//!    are in use.

use std::net::IpAddr;
use std::sync::Arc;

use tracing::debug_span;

use super::{Ladder, Prober, Question};
use crate::observation::{NotTried, Observation, ResetBy, RpcPort, RpcRange, Service, State};
use crate::yaml::Ports;

/// How many ports of a range are tried where nobody tells which are in use.
const MOST_GUESSES: u16 = 8;

impl Prober {
    /// Gives every range of dynamic ports its observation, from those of the mappers.
    pub async fn settle_ranges(
        self: &Arc<Self>,
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        for number in 0..questions.len() {
            let question = &questions[number];
            let (Ladder::RpcRange(high), Some(address)) =
                (question.ladder, answers[number].address)
            else {
                continue;
            };
            let range = Ports {
                low: question.port,
                high,
            };
            let named = named(questions, answers, address);
            answers[number] = if named.is_empty() {
                self.guess(question, range).await
            } else {
                let all = ranges_of(questions, answers, address);
                of_named(range, &all, &named)
            };
        }
    }

    async fn guess(self: &Arc<Self>, question: &Question, range: Ports) -> Observation {
        let questions: Vec<Question> = guesses(range)
            .into_iter()
            .map(|port| Question {
                port,
                ladder: Ladder::RpcPort,
                spread: false,
                span: debug_span!(parent: &question.span, "guess", port),
                ..question.clone()
            })
            .collect();
        let mut answers = self.ask_all(questions.clone(), || {}).await;
        self.prove_silence(&questions, &mut answers).await;
        of_guesses(answers)
    }
}

/// The ports that the mapper of an address named.
fn named(questions: &[Question], answers: &[Observation], address: IpAddr) -> Vec<RpcPort> {
    let mappers = questions.iter().zip(answers).filter(|(question, seen)| {
        question.ladder == Ladder::RpcMapper && seen.address == Some(address)
    });
    mappers
        .filter_map(|(_, seen)| seen.spoken.as_ref())
        .flat_map(|spoken| spoken.ports.iter().cloned())
        .collect()
}

/// Every range of the site file for an address.
fn ranges_of(questions: &[Question], answers: &[Observation], address: IpAddr) -> Vec<Ports> {
    let of_address = questions
        .iter()
        .zip(answers)
        .filter(|(_, seen)| seen.address == Some(address));
    of_address
        .filter_map(|(question, _)| match question.ladder {
            Ladder::RpcRange(high) => Some(Ports {
                low: question.port,
                high,
            }),
            _ => None,
        })
        .collect()
}

fn holds(range: &Ports, port: u16) -> bool {
    (range.low..=range.high).contains(&port)
}

fn speaks(seen: &Observation) -> bool {
    seen.state == State::Open && matches!(seen.service, Some(Service::Spoke | Service::Listener))
}

/// Whether something on the way keeps a port from answering.
fn is_blocked(seen: &Observation) -> bool {
    matches!(
        seen.state,
        State::Filtered
            | State::Rejected(_)
            | State::Closed {
                reset_by: ResetBy::Device | ResetBy::Either
            }
    )
}

/// What named ports say of a range.
fn of_named(range: Ports, all: &[Ports], named: &[RpcPort]) -> Observation {
    let inside: Vec<&RpcPort> = named.iter().filter(|it| holds(&range, it.port)).collect();
    let outside: Vec<&RpcPort> = named
        .iter()
        .filter(|it| !all.iter().any(|range| holds(range, it.port)))
        .collect();
    let failing = |ports: &[&RpcPort]| {
        ports
            .iter()
            .find(|it| !speaks(&it.seen))
            .map(|it| it.seen.clone())
    };
    let (kind, mut seen) = if let Some(seen) = failing(&inside) {
        // What no firewall need have done is judged for what it is: no proof, nobody listening, not RPC.
        (is_blocked(&seen).then_some(RpcRange::HalfOpen), seen)
    } else if let Some(seen) = failing(&outside) {
        (is_blocked(&seen).then_some(RpcRange::OutsideBlocked), seen)
    } else if let Some(outside) = outside.first() {
        (Some(RpcRange::OutsideOpen), outside.seen.clone())
    } else if let Some(inside) = inside.first() {
        (Some(RpcRange::Passes), inside.seen.clone())
    } else {
        let address = named.first().and_then(|it| it.seen.address);
        let untried = State::NotTried(NotTried::Unsupported);
        let seen = Observation::without_packets(address, untried);
        (Some(RpcRange::Unused), seen)
    };
    let shown = if matches!(kind, Some(RpcRange::OutsideBlocked | RpcRange::OutsideOpen)) {
        outside
    } else {
        inside
    };
    let spoken = seen.spoken.get_or_insert_default();
    spoken.protocol = "rpc".into();
    spoken.ports = shown.into_iter().cloned().collect();
    seen.rpc_range = kind;
    seen
}

/// What guessed ports say of a range.
fn of_guesses(answers: Vec<Observation>) -> Observation {
    let rank = |seen: &&Observation| match &seen.state {
        State::Open if speaks(seen) => 0,
        State::Rejected(_) => 1,
        State::Closed {
            reset_by: ResetBy::Device,
        } => 1,
        _ => 2,
    };
    let Some(mut seen) = answers.iter().min_by_key(rank).cloned() else {
        return Observation::without_packets(None, State::Silent);
    };
    if rank(&&seen) == 2 {
        seen.rpc_range = Some(RpcRange::NotLearnt);
    }
    let tried = answers.into_iter().filter_map(|seen| {
        let port = seen.attempts.first()?.remote.port();
        Some(RpcPort {
            port,
            services: Vec::new(),
            seen,
        })
    });
    let spoken = seen.spoken.get_or_insert_default();
    spoken.protocol = "rpc".into();
    spoken.ports = tried.collect();
    seen
}

/// The first ports of a range, which servers take first, and others spread over the rest.
fn guesses(range: Ports) -> Vec<u16> {
    let span = range.high - range.low;
    let first = range.low
        ..=range
            .low
            .saturating_add(MOST_GUESSES / 2 - 1)
            .min(range.high);
    let step = (span / MOST_GUESSES).max(1);
    let spread = (1..=MOST_GUESSES / 2).map(|number| range.low.saturating_add(2 * number * step));
    let mut ports: Vec<u16> = first
        .chain(spread.filter(|port| *port <= range.high))
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: Ports = Ports {
        low: 49_152,
        high: 65_535,
    };

    fn port(port: u16, open: bool) -> RpcPort {
        let state = if open { State::Open } else { State::Filtered };
        let mut seen = Observation::without_packets(None, state);
        seen.service = open.then_some(Service::Spoke);
        RpcPort {
            port,
            services: Vec::new(),
            seen,
        }
    }

    fn kind(named: &[RpcPort]) -> Option<RpcRange> {
        of_named(RANGE, &[RANGE], named).rpc_range
    }

    #[test]
    fn a_mapper_whose_ports_do_not_answer_is_half_open() {
        assert_eq!(
            kind(&[port(49_155, true), port(49_160, true)]),
            Some(RpcRange::Passes)
        );
        assert_eq!(
            kind(&[port(49_155, true), port(49_160, false)]),
            Some(RpcRange::HalfOpen)
        );
    }

    #[test]
    fn ports_outside_the_ranges_of_the_file_are_told_apart() {
        assert_eq!(
            kind(&[port(49_155, true), port(1_025, true)]),
            Some(RpcRange::OutsideOpen)
        );
        assert_eq!(
            kind(&[port(49_155, true), port(1_025, false)]),
            Some(RpcRange::OutsideBlocked)
        );
    }

    #[test]
    fn what_no_firewall_need_have_done_is_judged_for_what_it_is() {
        let with = |state| {
            let mut port = port(49_155, true);
            port.seen.state = state;
            kind(&[port])
        };
        assert_eq!(with(State::Silent), None, "no proof");
        let nobody = State::Closed {
            reset_by: ResetBy::Host,
        };
        assert_eq!(with(nobody), None, "nobody listens");
        assert_eq!(kind(&[port(1_025, true)]), Some(RpcRange::OutsideOpen));
        let two = [
            RANGE,
            Ports {
                low: 5_000,
                high: 5_100,
            },
        ];
        let other = of_named(two[1], &two, &[port(49_155, true)]);
        assert_eq!(other.rpc_range, Some(RpcRange::Unused));
    }

    #[test]
    fn silence_of_guessed_ports_says_nothing_and_a_word_of_rpc_much() {
        let silent = || Observation::without_packets(None, State::Filtered);
        let kind = |answers| of_guesses(answers).rpc_range;
        assert_eq!(kind(vec![silent(), silent()]), Some(RpcRange::NotLearnt));
        assert_eq!(kind(vec![silent(), port(49_155, true).seen]), None);
    }

    #[test]
    fn guesses_are_few_and_within_the_range() {
        let ports = guesses(RANGE);
        assert_eq!(ports.len(), usize::from(MOST_GUESSES));
        assert!(ports.iter().all(|port| holds(&RANGE, *port)));
        assert_eq!(
            guesses(Ports {
                low: 5_000,
                high: 5_001
            }),
            [5_000, 5_001]
        );
        assert!(
            !guesses(Ports {
                low: 65_530,
                high: 65_535
            })
            .is_empty()
        );
    }
}
