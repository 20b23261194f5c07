//! How long to wait before a message is sent again, and until when.

use std::time::Duration;

use crate::diagnostic::{cut, visible};

/// How long a message is kept: what is older is news to nobody.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The first wait.
const SHORTEST: Duration = Duration::from_secs(5);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// The most bytes of what a receiver said that are kept of a fault.
const SAID: usize = 400;

/// Why a message was not taken. The words hold no secret, and no control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The receiver understood and said no: somebody has to mend something.
    Refused(String),
    /// The receiver could not be reached, or is in trouble.
    Later(String),
}

impl Fault {
    /// A refusal in these words, which may be others'.
    pub(super) fn refused(words: impl AsRef<str>) -> Self {
        Self::Refused(said(words.as_ref()))
    }

    /// Trouble in these words, which may be others'.
    pub(super) fn later(words: impl AsRef<str>) -> Self {
        Self::Later(said(words.as_ref()))
    }

    /// In words.
    pub fn words(&self) -> &str {
        match self {
            Self::Refused(words) | Self::Later(words) => words,
        }
    }

    /// How long to wait before the next try, after so many tries of a message this old. `None`: it is given up.
    pub fn wait(&self, tries: u32, age: Duration) -> Option<Duration> {
        let wait = match self {
            Self::Refused(_) => LONGEST,
            Self::Later(_) => backoff(tries),
        };
        (age < KEPT).then_some(wait)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.words())
    }
}

impl std::error::Error for Fault {}

/// What others said, on one line that is not long.
pub(super) fn said(words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    cut(&visible(&words.join(" ")), SAID)
}

/// How long to wait after so many tries that failed: 5 seconds, doubling to 10 minutes.
pub fn backoff(tries: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
    SHORTEST.saturating_mul(doubled).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_from_5_seconds_to_10_minutes() {
        let seconds = (1..=9).map(|tries| backoff(tries).as_secs());
        assert_eq!(
            seconds.collect::<Vec<_>>(),
            [5, 10, 20, 40, 80, 160, 320, 600, 600]
        );
    }

    #[test]
    fn a_refusal_is_tried_again_slowly_and_nothing_after_a_week() {
        let (refused, later) = (Fault::refused("no"), Fault::later("busy"));
        assert_eq!(refused.wait(1, Duration::ZERO), Some(LONGEST));
        assert_eq!(later.wait(1, Duration::ZERO), Some(SHORTEST));
        assert_eq!(later.wait(1, KEPT), None);
        assert_eq!(refused.wait(900, KEPT), None);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_the_one_before_it_nor_out_of_bounds(tries: u32) {
            let wait = backoff(tries);
            prop_assert!((SHORTEST..=LONGEST).contains(&wait));
            prop_assert!(wait <= backoff(tries.saturating_add(1)));
            prop_assert!(backoff(tries.saturating_add(1)) <= wait * 2);
        }

        #[test]
        fn whatever_a_receiver_says_is_one_short_line(words: String) {
            let words = said(&words);
            prop_assert!(words.len() <= SAID);
            prop_assert_eq!(visible(&words), words);
        }

        #[test]
        fn a_message_is_tried_for_a_week_and_no_longer(tries: u32, seconds in 0_u64..2_000_000) {
            let age = Duration::from_secs(seconds);
            let kept = seconds < 604_800;
            prop_assert_eq!(Fault::later("").wait(tries, age).is_some(), kept);
            prop_assert_eq!(Fault::refused("").wait(tries, age).is_some(), kept);
        }
    }
}
