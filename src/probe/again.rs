//! A second, slow look at what would be reported as failing: later, apart in time, one question of a host at a time.
//!
//! Silence of needed ports is tried again until the tries lie further apart than what ends by itself takes: a restart, a
//! change of rules or routes. Needed ports of a host that never answered are so tried at both ends of the run.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::watch::PATIENCE;
use super::{Landing, Prober, Question};
use crate::observation::{Attempt, Observation};

/// The tries of the second look at silence.
const LOOKS: i32 = 3;

impl Prober {
    /// Tries silent questions again, until their tries are as far apart as outages are long.
    pub async fn look_again(
        &self,
        wanted: &BTreeSet<usize>,
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        if self.limits.attempts.is_some() {
            return;
        }
        for looks in (1..=LOOKS).rev() {
            let silent = |number: &usize| {
                let at_itself = questions[*number].landing == Landing::Itself;
                at_itself && super::prove::is_silent_tcp(&answers[*number])
            };
            let silent: Vec<usize> = wanted.iter().copied().filter(silent).collect();
            let left = silent
                .iter()
                .filter_map(|number| left(&answers[*number].attempts, Timestamp::now()));
            let Some(left) = left.max() else { break };
            if !self.pause(left / looks.unsigned_abs()).await {
                break;
            }
            self.ask_again(questions, &silent, answers).await;
        }
        self.prove_silence(questions, answers).await;
    }
}

/// How long it is until tries that began with these are far enough apart; `None`: they are.
fn left(attempts: &[Attempt], now: Timestamp) -> Option<Duration> {
    let first = attempts.iter().map(|attempt| attempt.at).min()?;
    let last = attempts.iter().map(|attempt| attempt.at).max()?;
    if last.duration_since(first) >= PATIENCE {
        return None;
    }
    let left = PATIENCE - now.duration_since(first);
    Some(Duration::try_from(left.max(SignedDuration::ZERO)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::observation::AttemptResult;

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
        let left = |tries: &[Attempt]| left(tries, now);
        assert_eq!(left(&[tried(0), tried(1)]), Some(Duration::from_secs(16)));
        assert_eq!(left(&[tried(-30), tried(0)]), None);
        assert_eq!(
            left(&[tried(-30)]),
            Some(Duration::ZERO),
            "it has to be tried now"
        );
        assert_eq!(left(&[]), None);
    }
}
