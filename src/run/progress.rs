//! How far a run is: what each stage takes is foreseen from what was asked and seen so far, and told twice a second.
//!
//! Before anything was seen, forbidden ports are taken to be silent, as behind a firewall that drops. So what is left
//! falls where ports answer. At the beginning of each stage the rest is foreseen anew (`foresee`). Two stages are counted
//! as they go on. The first tries are counted by the questions that are answered and the packets that they took. The
//! other one is the sweep. `left` has the arithmetic.

use std::collections::{BTreeSet, HashSet};
use std::iter;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::event::{Event, Progress, Stage};
use super::left::{Shown, Span, left, speed, time};
use super::{Run, sweep};
use crate::observation::{Observation, State};
use crate::probe::{Ladder, Limits, Question, SOURCE_PORTS, SPACING, Target, Turn, WALKS_AT_ONCE};

/// How often it is told how far the run is.
const TICK: Duration = Duration::from_millis(500);
/// Packets of a silent port, until its silence is proof.
const OF_SILENCE: f64 = 7.0;
/// Packets of a needed port beside those of its source ports.
const OF_A_NEEDED_PORT: usize = 3;
/// Packets of a host that measure its losses, tell its distance and try its doors.
const TO_MEASURE: usize = 20;
const TO_LOOK_CLOSER: usize = 12;
/// How long walks to silent ports of a host take.
const WALK: Duration = Duration::from_secs(18);
/// How long what was refused is knocked at again, and how long lists are fetched.
const KNOCKS: Duration = Duration::from_secs(3);
const LISTS: Duration = Duration::from_secs(1);
/// Ports of a sweep that are taken to have answered as those of the plan did, before the first is tried.
const GUESSED: f64 = 5.0;

/// How far a run is.
pub(super) struct Course {
    began: Instant,
    limits: Limits,
    state: Mutex<Option<At>>,
}

/// Where a run is, since its first question.
struct At {
    stage: Stage,
    stage_began: Duration,
    /// What had been sent when the stage began, and when forbidden ports had their turn in it.
    sent_before: u64,
    sent_before_forbidden: Option<u64>,
    /// Forbidden ports that had answered when as many packets had left for them as there are: each took one.
    quick: Option<usize>,
    /// Answers since the stage began.
    answered: usize,
    known: Known,
    spans: [Span; Stage::ALL.len()],
    shown: Shown,
}

/// What the first tries have to do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Asked {
    needed: usize,
    forbidden: usize,
    /// Packets of all needed questions, where all of them open.
    of_needed: usize,
}

impl Asked {
    fn of(questions: &[Question]) -> Self {
        let mut asked = Self::default();
        for question in questions {
            let is_sent = !matches!(question.ladder, Ladder::None | Ladder::RpcRange(_))
                && !matches!(question.target, Target::Nowhere(_));
            match question.turn {
                Turn::Forbidden => asked.forbidden += 1,
                Turn::Needed => {
                    asked.needed += 1;
                    let spread = SOURCE_PORTS * usize::from(question.spread);
                    asked.of_needed += (OF_A_NEEDED_PORT + spread) * usize::from(is_sent);
                }
            }
        }
        asked
    }

    /// Questions of each turn that have no answer yet.
    fn unanswered(&self, answered: usize) -> (usize, usize) {
        let needed = self.needed.saturating_sub(answered);
        let of_forbidden = answered.saturating_sub(self.needed);
        (needed, self.forbidden.saturating_sub(of_forbidden))
    }

    /// Packets that the rest takes. `sent`: those for forbidden ports so far; `quick`: forbidden ports that need one only.
    fn packets(&self, answered: usize, sent: u64, quick: usize) -> f64 {
        let (needed, forbidden) = self.unanswered(answered);
        let of_one_needed = self.of_needed as f64 / self.needed.max(1) as f64;
        let silent = self.forbidden.saturating_sub(quick) as f64;
        let of_forbidden = quick as f64 + silent * OF_SILENCE - sent as f64;
        needed as f64 * of_one_needed + of_forbidden.max(forbidden as f64)
    }

    /// How long the rest takes in a gentle run, where forbidden ports are knocked at one by one.
    fn spaced(&self, answered: usize, limits: &Limits) -> Duration {
        let (_, forbidden) = self.unanswered(answered);
        let forbidden = u32::try_from(forbidden).unwrap_or(u32::MAX);
        match limits.gentle {
            true => SPACING.saturating_mul(forbidden),
            false => Duration::ZERO,
        }
    }
}

impl Course {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            began: Instant::now(),
            limits,
            state: Mutex::new(None),
        }
    }

    fn state(&self) -> MutexGuard<'_, Option<At>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One more question has its answer.
pub(super) fn answered(run: &Run) {
    let sent = run.prober.packets();
    if let Some(at) = run.course.state().as_mut() {
        at.answered += 1;
        at.note(sent);
    }
}

/// A stage begins: what is known now tells what it takes, and those behind it.
pub(super) fn begins(
    run: &Run,
    stage: Stage,
    required: &BTreeSet<usize>,
    questions: &[Question],
    answers: &[Observation],
) {
    let now = run.course.began.elapsed();
    let known = Known::of(run, stage, required, questions, answers);
    let spans = foresee(run, &known);
    let sent = run.prober.packets();
    let mut state = run.course.state();
    let shown = state.as_ref().map(|at| at.shown).unwrap_or_default();
    *state = Some(At {
        stage,
        stage_began: now,
        sent_before: sent,
        sent_before_forbidden: (known.asked.needed == 0).then_some(sent),
        quick: None,
        answered: 0,
        known,
        spans,
        shown,
    });
}

/// How far the run is now; `None`: nothing was asked yet.
fn look(run: &Run) -> Option<Progress> {
    let now = run.course.began.elapsed();
    let sent = run.prober.packets();
    let mut state = run.course.state();
    let at = state.as_mut()?;
    at.note(sent);
    let current = at.current(run, now, sent);
    let later = &at.spans[at.stage as usize + 1..];
    let left = match *run.stop.borrow() {
        true => Duration::ZERO,
        false => left(now, iter::once(current).chain(later.iter().copied())),
    };
    let (done, left) = at.shown.at(now, left);
    Some(Progress {
        stage: at.stage,
        done,
        took: now,
        left,
    })
}

impl At {
    /// Takes in how many packets have left so far.
    fn note(&mut self, sent: u64) {
        let asked = &self.known.asked;
        if self.answered < asked.needed {
            return;
        }
        let before = *self.sent_before_forbidden.get_or_insert(sent);
        if sent.saturating_sub(before) >= asked.forbidden as u64 {
            self.quick.get_or_insert(self.answered - asked.needed);
        }
    }

    /// What is left of the stage that is under way.
    fn current(&self, run: &Run, now: Duration, sent: u64) -> Span {
        let limits = &run.course.limits;
        let passed = now.saturating_sub(self.stage_began);
        let sent_now = sent.saturating_sub(self.sent_before);
        let speed = speed(limits.speed(), sent_now, passed);
        let takes = match self.stage {
            Stage::Asking => {
                let before = self.sent_before_forbidden;
                let of_forbidden = before.map_or(0, |before| sent.saturating_sub(before));
                let asked = &self.known.asked;
                let quick = self.answered.saturating_sub(asked.needed);
                let quick = self.quick.unwrap_or(quick);
                let packets = asked.packets(self.answered, of_forbidden, quick);
                time(packets, speed).max(asked.spaced(self.answered, limits))
            }
            Stage::Sweeping if sent_now > 0 => {
                let sweep = run.prober.sweep_left();
                let guessed = GUESSED * self.known.silence;
                let silence = (sweep.silent as f64 + guessed) / (sweep.tried as f64 + GUESSED);
                let packets = sweep.untried as f64 * of_a_port(silence) + sweep.owed.max(0) as f64;
                time(packets, speed)
            }
            _ => return self.spans[self.stage as usize].after(passed),
        };
        Span {
            takes: takes.max(TICK),
            until: Duration::ZERO,
        }
    }
}

/// Tells twice a second how far the run is, as long as its work is under way.
pub(super) async fn telling<T>(run: &Run, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => {
                if let Some(progress) = look(run) {
                    (run.tell)(Event::Progress(progress));
                }
            }
        }
    }
}

/// The whole time that is foreseen before the first packet leaves; `None`: nothing limits it.
pub(super) fn beforehand(run: &Run, questions: &[Question]) -> Option<Duration> {
    let limits = &run.course.limits;
    if limits.rate.is_none() && !limits.gentle {
        return None;
    }
    let known = Known::of(run, Stage::Asking, &BTreeSet::new(), questions, &[]);
    Some(left(Duration::ZERO, foresee(run, &known)))
}

/// What questions, and the answers that there are, tell of the rest.
struct Known {
    asked: Asked,
    hosts: usize,
    /// Hosts that have silent ports, and those of which a required one is.
    with_silence: usize,
    silent: usize,
    /// Hosts of which a required port is silent or refused, and all that is so at them.
    failing: usize,
    failed: usize,
    /// The moments before which what is required and silent, and what failed, is not tried for the last time.
    until_of_silent: Duration,
    until_of_failed: Duration,
    /// Tries that silence lacks.
    lacking: usize,
    /// The part of forbidden ports that are silent.
    silence: f64,
}

impl Known {
    /// Without answers every forbidden port is taken to be silent, and every needed one to open.
    fn of(
        run: &Run,
        stage: Stage,
        required: &BTreeSet<usize>,
        questions: &[Question],
        answers: &[Observation],
    ) -> Self {
        let now = run.course.began.elapsed();
        let hosts: HashSet<IpAddr> = questions.iter().filter_map(Question::address).collect();
        let wanted = required
            .iter()
            .filter_map(|number| answers.get(*number))
            .filter(|seen| seen.via.is_none());
        let of = |seen: &mut dyn Iterator<Item = &Observation>| -> HashSet<IpAddr> {
            seen.filter_map(|seen| seen.address).collect()
        };
        let is_silent = |seen: &&Observation| seen.is_silence();
        let failing = of(&mut wanted.clone().filter(|seen| is_failing(seen)));
        let is_at_failing =
            |seen: &Observation| seen.address.is_some_and(|it| failing.contains(&it));
        let failed = answers
            .iter()
            .filter(|seen| seen.via.is_none() && is_failing(seen) && is_at_failing(seen));
        let last = |seen: &Observation| {
            let first = now.saturating_sub(since(seen)?);
            Some(first + run.course.limits.second_look)
        };
        let until_of_silent = wanted.clone().filter(is_silent).filter_map(last).max();
        let until_of_failed = failed.clone().filter_map(last).max();
        let both = questions.iter().zip(answers);
        let forbidden = both.filter(|(question, _)| question.turn == Turn::Forbidden);
        let of_silent = forbidden.clone().filter(|(_, seen)| seen.is_silence());
        Self {
            asked: Asked::of(questions),
            hosts: hosts.len(),
            with_silence: match answers {
                [] => hosts.len(),
                _ => of(&mut answers.iter().filter(is_silent)).len(),
            },
            silent: of(&mut wanted.clone().filter(is_silent)).len(),
            failed: failed.count(),
            failing: failing.len(),
            until_of_silent: until_of_silent.unwrap_or_default(),
            until_of_failed: until_of_failed.unwrap_or_default(),
            lacking: match stage {
                Stage::ProvingSilence => run.prober.lacking_tries(questions, answers),
                _ => 0,
            },
            silence: match forbidden.count() {
                0 => 1.0,
                all => of_silent.count() as f64 / all as f64,
            },
        }
    }
}

fn is_failing(seen: &Observation) -> bool {
    seen.is_silence() || matches!(seen.state, State::Closed { .. })
}

/// What each stage takes, in their order.
fn foresee(run: &Run, known: &Known) -> [Span; Stage::ALL.len()] {
    let limits = &run.course.limits;
    let speed = speed(limits.speed(), 0, Duration::ZERO);
    let packets = |packets: usize| time(packets as f64, speed);
    let reach = run.ways.reach_systems();
    let looks_again = known.failing > 0 && !limits.second_look.is_zero();
    Stage::ALL.map(|stage| {
        let takes = match stage {
            Stage::Asking => {
                let asked = &known.asked;
                time(asked.packets(0, 0, 0), speed).max(asked.spaced(0, limits))
            }
            Stage::ProvingSilence if reach => {
                packets(known.lacking + known.with_silence * TO_MEASURE)
            }
            Stage::ProvingSilence => packets(known.lacking),
            Stage::LookingAgain if looks_again => KNOCKS,
            Stage::LookingCloser if reach => {
                let groups = known.silent.div_ceil(WALKS_AT_ONCE) * usize::from(limits.walks);
                let walks = WALK.saturating_mul(u32::try_from(groups).unwrap_or(u32::MAX));
                packets(known.hosts * TO_LOOK_CLOSER).saturating_add(walks)
            }
            Stage::TryingOnceMore if looks_again => packets(known.failed * 2),
            Stage::FetchingLists if reach && run.file.site.crl_check => LISTS,
            Stage::Sweeping => {
                let ports = sweep::most(run).unwrap_or(0) * known.hosts;
                time(ports as f64 * of_a_port(known.silence), speed)
            }
            Stage::AskingAgain => packets(known.with_silence * 2),
            Stage::LookingAgain
            | Stage::LookingCloser
            | Stage::TryingOnceMore
            | Stage::FetchingLists => Duration::ZERO,
        };
        let until = match stage {
            Stage::LookingAgain if looks_again => known.until_of_silent,
            Stage::TryingOnceMore if looks_again => known.until_of_failed,
            _ => Duration::ZERO,
        };
        Span { takes, until }
    })
}

/// Packets of a port that nothing is known of, where this part of ports is silent.
fn of_a_port(silence: f64) -> f64 {
    1.0 + silence * (OF_SILENCE - 1.0)
}

/// How long ago a port was tried first.
fn since(seen: &Observation) -> Option<Duration> {
    let first = seen.attempts.iter().map(|attempt| attempt.at).min()?;
    let since = jiff::Timestamp::now().duration_since(first);
    Duration::try_from(since).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_numbered_in_their_order() {
        let numbers = Stage::ALL.map(|stage| stage as usize);
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    const ASKED: Asked = Asked {
        needed: 10,
        forbidden: 20,
        of_needed: 190,
    };

    /// What is left of the first tries after so many answers of forbidden ports and packets for them.
    fn packets(answered: usize, sent: u64, quick: usize) -> f64 {
        ASKED.packets(10 + answered, sent, quick)
    }

    #[test]
    fn before_anything_is_known_forbidden_ports_are_silent_and_needed_ones_open() {
        assert_eq!(ASKED.packets(0, 0, 0), 190.0 + 20.0 * OF_SILENCE);
        assert_eq!(packets(0, 0, 0), 20.0 * OF_SILENCE);
    }

    #[test]
    fn what_is_left_of_the_first_tries_follows_what_forbidden_ports_took() {
        assert_eq!(packets(20, 20, 20), 0.0, "all answered at once");
        assert_eq!(packets(10, 20, 10), 10.0 * OF_SILENCE - 10.0);
        assert_eq!(packets(0, 60, 0), 20.0 * OF_SILENCE - 60.0);
        assert_eq!(packets(15, 500, 0), 5.0, "a packet for each at the least");
        assert_eq!(packets(20, 140, 0), 0.0);
    }
}
