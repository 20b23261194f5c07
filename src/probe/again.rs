//! A second, slow look at what would be reported as failing: later, apart in time, one question of a host at a time.
//!
//! 1. Silence of needed ports is tried again until the tries lie further apart than what ends by itself takes. That may
//!    be a restart, or a change of rules or routes. Ports of a host that never answered are so tried at both ends of the
//!    run.
//! 2. A port that was refused is knocked at again. A service that said nothing in time, or hung up, is spoken to again,
//!    with the patience that a web worker needs which starts slowly.
//! 3. A port of which some connections passed and others did not is knocked at alone, with pauses. What opens alone and
//!    fails in company is limited by the number of connections of one source. What fails alone too is split.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::members::may_do_better;
use super::prove::is_silent_tcp;
use super::{Prober, Question, members, spread};
use crate::observation::{Attempt, Observation, SourcePorts, State};

/// The tries of the second look at silence.
const LOOKS: u32 = 3;
/// Knocks at ports that were refused, the pause before each, and the one between two ports of a host.
const KNOCKS: usize = 3;
const BETWEEN: Duration = Duration::from_millis(50);
const PAUSE: Duration = Duration::from_secs(1);
/// How long a service may take for one step when it is spoken to again.
const STEP: Duration = Duration::from_secs(30);
/// How long one question is looked at.
const LONGEST: Duration = Duration::from_secs(60);
/// How long the second look at all that failed by a word, not by silence, goes on beginning.
const ALTOGETHER: Duration = Duration::from_secs(120);
/// Hosts that are looked at at once.
const HOSTS: usize = 4;

impl Prober {
    /// Looks again at the wanted questions that failed.
    pub async fn look_again(
        &self,
        wanted: &BTreeSet<usize>,
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        if self.limits.second_look.is_zero() {
            return;
        }
        let wanted: BTreeSet<usize> = wanted
            .iter()
            .copied()
            .filter(|number| questions[*number].way.is_direct())
            .collect();
        if self.limits.attempts.is_none() {
            self.look_at_silence(&wanted, questions, answers).await;
        }
        self.look_at_failures(&wanted, questions, answers).await;
    }

    /// Tries silent questions again, until their tries are as far apart as outages are long.
    async fn look_at_silence(
        &self,
        wanted: &BTreeSet<usize>,
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        for looks in (1..=LOOKS).rev() {
            let silent = |number: &usize| is_silent_tcp(&answers[*number]);
            let silent: Vec<usize> = wanted.iter().copied().filter(silent).collect();
            let Some(left) = self.left(silent.iter().map(|number| &answers[*number])) else {
                break;
            };
            if !self.pause(left / looks).await {
                break;
            }
            self.ask_again(questions, &silent, answers).await;
        }
        self.prove_silence(questions, answers).await;
    }

    /// Where a wanted question failed, tries every silent or refused port of those hosts once more. It comes so late
    /// that what was shut only for a while is seen open. Forbidden ports too: their silence is no proof of a rule while
    /// a rule may just be changing. Where all that is wanted passes, nothing is waited for.
    pub async fn look_at_the_end(
        &self,
        wanted: &BTreeSet<usize>,
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        if self.limits.second_look.is_zero() {
            return;
        }
        let failed = |number: &usize| {
            let seen = &answers[*number];
            questions[*number].way.is_direct() && (is_silent_tcp(seen) || is_refused(seen))
        };
        let failed: Vec<usize> = (0..answers.len()).filter(failed).collect();
        let hosts: BTreeSet<Option<IpAddr>> = failed
            .iter()
            .filter(|number| wanted.contains(number))
            .map(|number| answers[*number].address)
            .collect();
        let failed: Vec<usize> = failed
            .into_iter()
            .filter(|number| hosts.contains(&answers[*number].address))
            .collect();
        let Some(left) = self.left(failed.iter().map(|number| &answers[*number])) else {
            return;
        };
        if !self.pause(left).await {
            return;
        }
        if self.limits.attempts.is_none() {
            self.try_at_the_end(&failed, questions, answers).await;
        }
        self.knock_at_refused(&failed, questions, answers).await;
    }

    /// How long it is until what was tried is as far from its first try as outages are long; `None`: nothing was.
    fn left<'a>(&self, tried: impl Iterator<Item = &'a Observation>) -> Option<Duration> {
        let now = Timestamp::now();
        tried
            .filter_map(|seen| left(&seen.attempts, now, self.limits.second_look))
            .max()
    }

    /// Looks at what was refused, said nothing or passed in part: one question of a host at a time.
    async fn look_at_failures(
        &self,
        wanted: &BTreeSet<usize>,
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        for _ in 0..KNOCKS {
            let refused: Vec<usize> = wanted
                .iter()
                .copied()
                .filter(|number| is_refused(&answers[*number]))
                .collect();
            if refused.is_empty() || !self.pause(PAUSE).await {
                break;
            }
            self.knock_at_refused(&refused, questions, answers).await;
        }
        let until = Instant::now() + ALTOGETHER;
        let looks = by_host(wanted.iter().copied(), answers, is_unsure)
            .into_iter()
            .map(|numbers| {
                let of_host: Vec<Failed<'_>> = numbers
                    .into_iter()
                    .map(|number| (number, &questions[number], answers[number].clone()))
                    .collect();
                self.look_at_host(of_host, until)
            });
        let looked: Vec<Vec<(usize, Observation)>> =
            stream::iter(looks).buffer_unordered(HOSTS).collect().await;
        for (number, seen) in looked.into_iter().flatten() {
            answers[number] = seen;
        }
    }

    async fn look_at_host(
        &self,
        of_host: Vec<Failed<'_>>,
        until: Instant,
    ) -> Vec<(usize, Observation)> {
        let mut looked = Vec::new();
        for (number, question, mut seen) in of_host {
            if Instant::now() >= until || *self.stop.borrow() {
                break;
            }
            if may_do_better(&seen) {
                self.speak_again(question, &mut seen).await;
            }
            let remote = seen.attempts.first().map(|attempt| attempt.remote);
            if let (Some(remote), Some(ports)) = (remote, parted(&mut seen)) {
                spread::alone(self, remote, ports).await;
            }
            looked.push((number, seen));
        }
        looked
    }

    /// Knocks once more at ports that were refused, one at a time on each host, and goes on where one opens.
    async fn knock_at_refused(
        &self,
        refused: &[usize],
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        let hosts = by_host(refused.iter().copied(), answers, is_refused);
        let knocks = hosts.into_iter().map(async |numbers| {
            let mut opened = Vec::new();
            for number in numbers {
                if !self.pause(BETWEEN).await {
                    break;
                }
                let again = self.ask(questions[number].clone(), 0).await;
                if again.state == State::Open {
                    opened.push((number, again));
                }
            }
            opened
        });
        let opened: Vec<Vec<(usize, Observation)>> =
            stream::iter(knocks).buffer_unordered(HOSTS).collect().await;
        for (number, again) in opened.into_iter().flatten() {
            let seen = &mut answers[number];
            seen.replace(again);
            let ports = seen.source_ports.get_or_insert_with(|| SourcePorts {
                tried: 1,
                open: 1,
                ..SourcePorts::default()
            });
            ports.refused_first += 1;
            ports.reset += 1;
        }
    }

    /// Speaks again to a service that said nothing in time, or hung up; what it says then counts.
    async fn speak_again(&self, question: &Question, seen: &mut Observation) {
        if !self.pause(PAUSE).await {
            return;
        }
        let patient = self.patient(STEP);
        let question = Question {
            spread: false,
            ..question.clone()
        };
        let asked = patient.ask(question.clone(), 0);
        let Ok(again) = tokio::time::timeout(LONGEST, asked).await else {
            return;
        };
        if again.state != State::Open || may_do_better(&again) || again.service.is_none() {
            return;
        }
        // One that had words for some is spoken to as often as before: it may be one of several servers.
        let mut others = Vec::new();
        for _ in 1..seen.conversations.map_or(1, |all| all.held) {
            let asked = patient.ask(question.clone(), 0);
            let Ok(other) = tokio::time::timeout(LONGEST, asked).await else {
                return;
            };
            others.push(other);
        }
        seen.replace(again);
        members::take_in(seen, others);
    }
}

/// A question that failed, with its number.
type Failed<'a> = (usize, &'a Question, Observation);

/// Numbers of those that are wanted, host by host.
fn by_host(
    numbers: impl Iterator<Item = usize>,
    answers: &[Observation],
    is_wanted: fn(&Observation) -> bool,
) -> Vec<Vec<usize>> {
    let mut hosts: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
    for number in numbers.filter(|number| is_wanted(&answers[*number])) {
        if let Some(address) = answers[number].address {
            hosts.entry(address).or_default().push(number);
        }
    }
    hosts.into_values().collect()
}

fn is_refused(seen: &Observation) -> bool {
    matches!(seen.state, State::Closed { .. })
}

/// Whether a port opened, and a second look may tell more of it.
fn is_unsure(seen: &Observation) -> bool {
    may_do_better(seen) || seen.source_ports.is_some_and(|ports| ports.are_parted())
}

/// The source ports of a port that let some connections pass and others not.
fn parted(seen: &mut Observation) -> Option<&mut SourcePorts> {
    let ports = seen.source_ports.as_mut()?;
    (seen.state == State::Open && ports.are_parted()).then_some(ports)
}

/// How long it is until tries that began with these are far enough apart; `None`: they are.
fn left(attempts: &[Attempt], now: Timestamp, apart: Duration) -> Option<Duration> {
    let apart = SignedDuration::try_from(apart).ok()?;
    let first = attempts.iter().map(|attempt| attempt.at).min()?;
    let last = attempts.iter().map(|attempt| attempt.at).max()?;
    if last.duration_since(first) >= apart {
        return None;
    }
    let left = apart - now.duration_since(first);
    Some(Duration::try_from(left).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::observation::AttemptResult;
    use crate::observation::Service;

    fn tried(seconds: i64) -> Attempt {
        Attempt {
            at: Timestamp::from_second(seconds).expect("a moment"),
            local: None,
            remote: SocketAddr::from(([192, 0, 2, 10], 443)),
            took_ms: 0.0,
            result: AttemptResult::Silent,
        }
    }

    #[test]
    fn silence_is_looked_at_again_until_its_tries_are_far_apart() {
        let now = Timestamp::from_second(5).expect("a moment");
        let left = |tries: &[Attempt]| left(tries, now, Duration::from_secs(20));
        assert_eq!(left(&[tried(0), tried(1)]), Some(Duration::from_secs(15)));
        assert_eq!(left(&[tried(-30), tried(0)]), None);
        let now = Some(Duration::ZERO);
        assert_eq!(left(&[tried(-30)]), now, "it has to be tried now");
        assert_eq!(left(&[]), None);
    }

    #[test]
    fn a_refusal_that_opens_later_is_looked_at_alone() {
        let mut seen = Observation::without_packets(None, State::Open);
        assert!(!is_unsure(&seen));
        seen.source_ports = Some(SourcePorts {
            tried: 1,
            open: 1,
            refused_first: 1,
            ..SourcePorts::default()
        });
        assert!(is_unsure(&seen) && parted(&mut seen).is_some());
    }

    #[test]
    fn a_second_answer_keeps_the_tries_of_the_first() {
        let mut seen = Observation {
            attempts: vec![tried(0)],
            service: Some(Service::Mute),
            ..Observation::without_packets(None, State::Open)
        };
        let again = Observation {
            attempts: vec![tried(9)],
            service: Some(Service::Spoke),
            ..Observation::without_packets(None, State::Open)
        };
        assert!(is_unsure(&seen) && !is_unsure(&again));
        seen.replace(again);
        assert_eq!(
            (seen.service, seen.attempts.len()),
            (Some(Service::Spoke), 2)
        );
    }
}
