//! Routers have few error messages to spend: silence that their limit explains is asked again, alone.
//!
//! Linux, for one, sends a host six rejections at once and then one a second (IPv4; over IPv6 ten a second). For a
//! route that rejects it sends fewer. So of many ports that one rule rejects, some stay silent however often they are
//! tried together, and none of that silence means a drop. Where a router rejects something on the same way, needed
//! ports that are silent are tried one at a time, after a rest. Each gets one packet. What there is no time for is no
//! proof.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;

use super::prove::is_silent_tcp;
use super::search::{LONGEST_SEARCH, REST};
use super::try_once::once;
use super::{Prober, Question};
use crate::attribution::SHORTEST_SEARCH;
use crate::observation::{Attempt, AttemptResult, Observation, State};
use crate::os::{Connection, Manner};

/// Ports on one way that are tried alone.
const MOST: usize = 24;
/// Tries of each.
const TRIES: usize = 2;
/// The pause before each try: a router that sends one message a second has one for it.
const PAUSE: Duration = Duration::from_millis(1_050);
/// How long one try is listened to: the system repeats its packet after a second.
const WAIT: Duration = Duration::from_millis(950);
/// Ports of a host that never answered, for which a router may have to look: one word, or silence of so many, is enough.
const OF_A_SILENT_HOST: usize = 2;

impl Prober {
    /// Asks those of the wanted questions alone whose silence a limit on error messages explains.
    pub async fn ask_alone(
        &self,
        wanted: &BTreeSet<usize>,
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        if self.limits.second_look.is_zero() {
            return;
        }
        let ways = self.explained(wanted, questions, answers);
        for numbers in ways {
            if !self.pause(REST).await {
                return;
            }
            let mut searched: BTreeMap<IpAddr, usize> = BTreeMap::new();
            for (place, number) in numbers.into_iter().enumerate() {
                let seen = &mut answers[number];
                let Some(address) = seen.address else {
                    continue;
                };
                if place >= MOST || *self.stop.borrow() {
                    seen.state = State::Silent;
                } else if self.measured().round_trip(address).is_some() {
                    self.ask_one_alone(&questions[number], seen, WAIT).await;
                } else {
                    let searches = searched.entry(address).or_default();
                    if *searches == OF_A_SILENT_HOST {
                        continue;
                    }
                    *searches += 1;
                    self.ask_one_alone(&questions[number], seen, LONGEST_SEARCH)
                        .await;
                    if is_from_a_search(seen) {
                        *searches = OF_A_SILENT_HOST;
                    }
                }
            }
        }
    }

    /// Notes of the questions that were not asked alone which silence a limit explains: it does not show that packets are
    /// dropped.
    pub fn note_held_back(
        &self,
        asked_alone: &BTreeSet<usize>,
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        let others = (0..answers.len()).filter(|number| !asked_alone.contains(number));
        let ways = self.explained(&others.collect(), questions, answers);
        for number in ways.into_iter().flatten() {
            answers[number].held_back = true;
        }
    }

    /// Silent questions, way by way, where a router rejected something on the way.
    fn explained(
        &self,
        wanted: &BTreeSet<usize>,
        questions: &[Question],
        answers: &[Observation],
    ) -> Vec<Vec<usize>> {
        let measured = self.measured();
        let way = |address: IpAddr| {
            let behind = measured.book.behind(address);
            behind.map_or_else(|| address.to_string(), str::to_string)
        };
        let rejected: BTreeSet<String> = answers
            .iter()
            .filter(|seen| self.is_a_routers(seen))
            .filter_map(|seen| seen.address)
            .map(way)
            .collect();
        let mut ways: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for number in wanted {
            let seen = &answers[*number];
            let is_silent = is_silent_tcp(seen) && questions[*number].way.is_direct();
            let way = seen.address.filter(|_| is_silent).map(way);
            if let Some(way) = way.filter(|way| rejected.contains(way)) {
                ways.entry(way).or_default().push(*number);
            }
        }
        ways.into_values().collect()
    }

    /// Whether something on the way, not this host itself, rejected it.
    fn is_a_routers(&self, seen: &Observation) -> bool {
        matches!(&seen.state, State::Rejected(rejection)
            if !rejection.may_be_our_own() && !self.is_own(rejection.by))
    }

    async fn ask_one_alone(&self, question: &Question, seen: &mut Observation, wait: Duration) {
        let Some(address) = seen.address else { return };
        let remote = SocketAddr::new(address, question.port);
        for _ in 0..TRIES {
            if !self.pause(PAUSE).await {
                return;
            }
            let at = Timestamp::now();
            let Some(once) = once(self, remote, Manner::default(), wait).await else {
                return;
            };
            let mut attempt = Attempt {
                at,
                local: once.local,
                remote,
                took_ms: once.took_ms(),
                result: AttemptResult::Silent,
            };
            match once.came {
                None | Some(Connection::Trouble(_)) => seen.attempts.push(attempt),
                Some(Connection::Rejected { rejection, .. }) => {
                    attempt.result = AttemptResult::Rejected(rejection.clone());
                    seen.attempts.push(attempt);
                    seen.confidence = None;
                    seen.state = State::Rejected(rejection);
                    return;
                }
                Some(
                    Connection::Open(_)
                    | Connection::Reset { .. }
                    | Connection::ResetAfterAccept { .. },
                ) => {
                    let again = self.ask(question.clone(), 0).await;
                    if again.answered() {
                        seen.replace(again);
                    }
                    return;
                }
            }
        }
    }
}

/// Whether a router may have looked for the host before it said that it is unreachable: it speaks for all ports.
fn is_from_a_search(seen: &Observation) -> bool {
    let took = seen.attempts.last().map_or(0.0, |attempt| attempt.took_ms);
    matches!(seen.state, State::Rejected(_)) && took >= super::millis(SHORTEST_SEARCH)
}
