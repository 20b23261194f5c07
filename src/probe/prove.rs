//! Making silence proof, or saying that it is none, by what the whole run has measured of losses.
//!
//! The first pass makes as many tries as the losses known by then ask for. At its end more is known, and a host whose
//! ports are silent has its losses measured at a port that answers. Then every silent question gets the tries it still
//! lacks. They are made at another time than the first ones, which also parts them from a burst of losses. Tries that
//! no witness covers (`witness`) do not count: they are made again, once something on the way answers again. At the end
//! of the run every silent question is tried once more (`try_at_the_end`).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use tracing::{Instrument as _, debug_span};

use super::spread::PORTS;
use super::try_once::once;
use super::{Ladder, Prober, Question, Turn, unanswered};
use crate::observation::{Observation, Service, State};
use crate::os::{Connection, Manner};

/// Tries whose fate is known before a host's losses count as measured.
pub const SAMPLES: u32 = 40;
/// Tries under way at once while losses are measured.
const AT_ONCE: usize = 4;
/// Passes in which silent questions get more tries; each may show new losses.
pub(super) const PASSES: usize = 6;

impl Prober {
    /// Tries after which silence of an address is left alone: those that the user asks for, else those that prove it. Where
    /// nothing has answered anywhere, silence of what is forbidden proves nothing, and has the tries that are said for that.
    pub(super) fn tries_of_silence(&self, turn: Turn, address: IpAddr, where_deaf: u8) -> u8 {
        let measured = self.measured();
        let of_no_use = measured.is_of_no_use(turn);
        self.limits
            .attempts
            .or(of_no_use.then_some(where_deaf))
            .unwrap_or_else(|| measured.tries(address))
    }

    /// Gives silent questions the tries that they still lack, and sets their state by what is known then.
    pub async fn prove_silence(&self, questions: &[Question], answers: &mut [Observation]) {
        self.settle().await;
        if self.limits.attempts.is_none() {
            self.measure_losses(answers).await;
            for _ in 0..PASSES {
                let lacking = self.lacking(questions, answers, None);
                if lacking.is_empty() || *self.stop.borrow() {
                    break;
                }
                self.ask_again(questions, &lacking, answers).await;
                self.settle().await;
            }
        }
        self.judge(answers);
    }

    /// Tries the wanted silent questions once more at the end of the run, so that there are tries at both of its ends.
    /// So what was shut only for a while is seen, as by a rule that is being changed.
    pub async fn try_at_the_end(
        &self,
        wanted: &[usize],
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        if self.limits.attempts.is_some() {
            return;
        }
        let end = Timestamp::now();
        for _ in 0..PASSES {
            let mut lacking = self.lacking(questions, answers, Some(end));
            lacking.retain(|number| wanted.binary_search(number).is_ok());
            if lacking.is_empty() || *self.stop.borrow() {
                break;
            }
            self.ask_again(questions, &lacking, answers).await;
            self.settle().await;
        }
        self.judge(answers);
    }

    fn judge(&self, answers: &mut [Observation]) {
        for seen in answers.iter_mut().filter(|seen| is_silent_tcp(seen)) {
            unanswered::judge_silence(self, seen, 0);
        }
    }

    /// Packets were seen to take different ways: silent questions get so many tries, from as many source ports, that each
    /// way is surely among them.
    pub async fn try_every_way(&self, questions: &[Question], answers: &mut [Observation]) {
        self.measured().fewest = PORTS as u8;
        self.prove_silence(questions, answers).await;
    }

    /// Silent questions with fewer tries than proof asks for, and those without any since a moment.
    fn lacking(
        &self,
        questions: &[Question],
        answers: &[Observation],
        since: Option<Timestamp>,
    ) -> Vec<usize> {
        let measured = self.measured();
        let lacks = |number: &usize| {
            let (question, seen) = (&questions[*number], &answers[*number]);
            let (Some(address), true) = (seen.address, is_silent_tcp(seen)) else {
                return false;
            };
            let is_knocked_at =
                !matches!(question.ladder, Ladder::Datagram(_) | Ladder::RpcRange(_));
            let is_late = |since| {
                question.way.is_direct()
                    && match measured.book.count(address, &seen.attempts, Some(since)) {
                        Some(counted) => counted.tries == 0,
                        None => seen.attempts.iter().all(|attempt| attempt.at < since),
                    }
            };
            is_knocked_at
                && !measured.is_of_no_use(question.turn)
                && (measured.lacks(address, &seen.attempts) > 0 || since.is_some_and(is_late))
        };
        (0..answers.len()).filter(lacks).collect()
    }

    /// How many tries silence still lacks, by what is known now.
    pub fn lacking_tries(&self, questions: &[Question], answers: &[Observation]) -> usize {
        if self.limits.attempts.is_some() {
            return 0;
        }
        let lacking = self.lacking(questions, answers, None);
        let measured = self.measured();
        let of_one = |seen: &Observation| {
            let address = seen.address?;
            Some(measured.lacks(address, &seen.attempts))
        };
        lacking
            .iter()
            .filter_map(|number| of_one(&answers[*number]))
            .sum()
    }

    /// As if so many tries had been made, so that those are made which are lacking, and one at the least.
    fn earlier(&self, seen: &Observation) -> usize {
        let Some(address) = seen.address else {
            return 0;
        };
        let measured = self.measured();
        let wanted = usize::from(measured.tries(address));
        wanted.saturating_sub(measured.lacks(address, &seen.attempts).max(1))
    }

    pub(super) async fn ask_again(
        &self,
        questions: &[Question],
        lacking: &[usize],
        answers: &mut [Observation],
    ) {
        let asked = stream::iter(lacking.iter().copied())
            .map(|number| {
                let earlier = self.earlier(&answers[number]);
                let asked = self.ask(questions[number].clone(), earlier);
                async move { (number, asked.await) }
            })
            .buffer_unordered(self.limits.in_flight)
            .collect::<Vec<_>>();
        for (number, again) in self.watching(asked).await {
            join(&mut answers[number], again);
        }
    }

    /// Tries a port that answers, on each host with silent ones, until enough is known of the losses on the way there.
    async fn measure_losses(&self, answers: &[Observation]) {
        let mut by_host: HashMap<IpAddr, (bool, Option<u16>)> = HashMap::new();
        for seen in answers.iter().filter(|seen| !seen.on_link) {
            let Some(address) = seen.address else {
                continue;
            };
            let (silent, port) = by_host.entry(address).or_default();
            *silent |= is_silent_tcp(seen);
            if answers_knocks(seen) {
                *port = port.or(seen.attempts.first().map(|attempt| attempt.remote.port()));
            }
        }
        let ports = by_host.into_iter().filter_map(|(address, (silent, port))| {
            Some(SocketAddr::new(address, port.filter(|_| silent)?))
        });
        self.measure_all(ports).await;
    }

    /// Tries ports that answer until enough is known of the losses on the way to each.
    pub(super) async fn measure_all(&self, ports: impl IntoIterator<Item = SocketAddr>) {
        stream::iter(ports)
            .for_each_concurrent(None, |remote| self.measure(remote))
            .await;
    }

    async fn measure(&self, remote: SocketAddr) {
        let span = debug_span!("losses", to = %remote);
        self.sample(remote).instrument(span).await;
    }

    async fn sample(&self, remote: SocketAddr) {
        let known = self.measured().samples(remote.ip());
        stream::iter(known..SAMPLES)
            .for_each_concurrent(AT_ONCE, |_| async move {
                let wait = self.measured().wait(remote.ip()).min(self.limits.timeout);
                let Some(seen) = once(self, remote, Manner::default(), wait).await else {
                    return;
                };
                match seen.came {
                    Some(
                        Connection::Open(_)
                        | Connection::ResetAfterAccept { .. }
                        | Connection::Reset { .. },
                    ) => {
                        self.measured().answered(remote.ip(), 0, seen.took);
                    }
                    Some(Connection::Rejected { .. } | Connection::Trouble(_)) => {}
                    None => self.measured().lost(remote.ip()),
                }
            })
            .await;
    }
}

pub(super) fn is_silent_tcp(seen: &Observation) -> bool {
    seen.is_silence() && seen.confidence.is_some()
}

fn answers_knocks(seen: &Observation) -> bool {
    matches!(seen.state, State::Open | State::Closed { .. })
        && seen.service != Some(Service::ConnectedToItself)
}

/// Joins a second knock to the first: an answer beats silence, and the tries of both are evidence. What was found out
/// about the host and its way meanwhile stays.
pub(super) fn join(seen: &mut Observation, mut again: Observation) {
    let mut attempts = std::mem::take(&mut seen.attempts);
    attempts.append(&mut again.attempts);
    if again.is_silence() || matches!(again.state, State::NotTried(_) | State::Unreachable(_)) {
        seen.state = State::Silent;
    } else {
        again.dead_by = seen.dead_by;
        again.translated_at = seen.translated_at;
        *seen = again;
    }
    seen.attempts = attempts;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{NotTried, ResetBy};

    fn silent() -> Observation {
        Observation {
            confidence: Some(0.99),
            ..Observation::without_packets(None, State::Filtered)
        }
    }

    #[test]
    fn an_answer_that_comes_at_last_beats_silence() {
        let mut seen = silent();
        let reset = State::Closed {
            reset_by: ResetBy::Either,
        };
        join(&mut seen, Observation::without_packets(None, reset.clone()));
        assert_eq!(seen.state, reset);
    }

    #[test]
    fn silence_that_lasts_keeps_what_was_found_out_about_it() {
        let router = Some(std::net::IpAddr::from([192, 0, 2, 1]));
        let mut seen = Observation {
            dead_by: router,
            path: Some(Box::default()),
            ..silent()
        };
        join(&mut seen, silent());
        assert_eq!((seen.dead_by, seen.path.is_some()), (router, true));
    }

    #[test]
    fn an_interrupted_second_knock_leaves_silence() {
        let mut seen = silent();
        let stopped = State::NotTried(NotTried::Interrupted);
        join(&mut seen, Observation::without_packets(None, stopped));
        assert_eq!((seen.state, seen.confidence), (State::Silent, Some(0.99)));
    }
}
