//! When a flow is told: after so many runs in a row saw it so, and never after one alone.
//!
//! A run that tried a flow counts for it once. A flow that is wrong so many times in a row is told as wrong. It is
//! told as mended after it was well as often. One that is wrong in another way as often, so that another team has to act,
//! is told anew. A run in which it was not tried counts for nothing. Neither does `unknown` for a flow that was told as wrong in
//! another way: nobody knows whether it was mended.

use serde::{Deserialize, Serialize};

use crate::verdict::{Level, Owner, Verdict};

/// In which way a flow is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wrong {
    pub(super) verdict: Verdict,
    pub(super) owner: Option<Owner>,
    pub(super) level: Level,
}

/// How a run saw a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Seen {
    Well,
    Wrong(Wrong),
}

/// What is to be told of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Raised,
    Cleared,
}

/// How the last runs saw a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Streak {
    /// What was told of it, and still holds.
    pub(super) told: Option<Wrong>,
    /// What the last runs saw instead, and how many of them in a row.
    instead: Option<(Seen, u32)>,
}

impl Streak {
    /// Whether nothing has to be remembered of the flow.
    pub(super) fn is_over(&self) -> bool {
        *self == Self::default()
    }

    /// How many more runs that see the same change what is told; `None`: what was told holds.
    pub(super) fn left(&self, after: u32) -> Option<u32> {
        let (_, runs) = self.instead?;
        Some(after.saturating_sub(runs).max(1))
    }

    /// Counts one run. After so many in a row, what is to be told.
    pub(super) fn count(&mut self, seen: Seen, after: u32) -> Option<Turn> {
        match (self.told, seen) {
            (Some(told), Seen::Wrong(wrong)) if told == wrong => {
                self.instead = None;
                return None;
            }
            (Some(_), Seen::Wrong(wrong)) if wrong.verdict == Verdict::Unknown => return None,
            (None, Seen::Well) => {
                self.instead = None;
                return None;
            }
            _ => {}
        }
        let runs = match self.instead {
            Some((before, runs)) if self.goes_on(before, seen) => runs.saturating_add(1),
            _ => 1,
        };
        if runs < after {
            self.instead = Some((seen, runs));
            return None;
        }
        self.instead = None;
        match seen {
            Seen::Well => {
                self.told = None;
                Some(Turn::Cleared)
            }
            Seen::Wrong(wrong) => {
                self.told = Some(wrong);
                Some(Turn::Raised)
            }
        }
    }

    /// Whether what was seen is of one row with what was seen before. Until something was told, every fault is.
    fn goes_on(&self, before: Seen, seen: Seen) -> bool {
        match (before, seen) {
            (Seen::Well, Seen::Well) => true,
            (Seen::Wrong(one), Seen::Wrong(other)) => self.told.is_none() || one == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BLOCKED: Seen = Seen::Wrong(Wrong {
        verdict: Verdict::Blocked,
        owner: Some(Owner::Firewall),
        level: Level::Error,
    });
    const DOWN: Seen = Seen::Wrong(Wrong {
        verdict: Verdict::Down,
        owner: Some(Owner::Server),
        level: Level::Error,
    });
    const UNKNOWN: Seen = Seen::Wrong(Wrong {
        verdict: Verdict::Unknown,
        owner: None,
        level: Level::Error,
    });

    /// What is told after each of these runs.
    fn told(runs: &[Seen]) -> String {
        let mut streak = Streak::default();
        let letter = |seen: &Seen| match streak.count(*seen, 3) {
            None => '.',
            Some(Turn::Raised) => 'R',
            Some(Turn::Cleared) => 'C',
        };
        runs.iter().map(letter).collect()
    }

    #[test]
    fn three_runs_in_a_row_raise_and_three_clear() {
        use Seen::Well;
        assert_eq!(told(&[BLOCKED, BLOCKED, BLOCKED, BLOCKED]), "..R.");
        assert_eq!(told(&[BLOCKED, BLOCKED, Well, BLOCKED, BLOCKED]), ".....");
        assert_eq!(
            told(&[BLOCKED, BLOCKED, BLOCKED, Well, Well, Well, Well]),
            "..R..C."
        );
        assert_eq!(
            told(&[
                BLOCKED, BLOCKED, BLOCKED, Well, Well, BLOCKED, Well, Well, Well
            ]),
            "..R.....C"
        );
    }

    #[test]
    fn another_fault_is_told_anew_and_one_that_changes_its_face_is_one() {
        assert_eq!(told(&[BLOCKED, DOWN, BLOCKED]), "..R");
        assert_eq!(
            told(&[BLOCKED, BLOCKED, BLOCKED, DOWN, DOWN, DOWN]),
            "..R..R"
        );
        assert_eq!(
            told(&[BLOCKED, BLOCKED, BLOCKED, DOWN, BLOCKED, DOWN, DOWN]),
            "..R...."
        );
    }

    #[test]
    fn a_proof_that_is_lost_is_told_and_what_is_not_known_clears_nothing() {
        use Seen::Well;
        assert_eq!(told(&[UNKNOWN, UNKNOWN, UNKNOWN]), "..R");
        // One that is unknown now and then is not mended.
        let flaps = [
            UNKNOWN, UNKNOWN, UNKNOWN, Well, UNKNOWN, Well, UNKNOWN, Well,
        ];
        assert_eq!(told(&flaps), "..R.....");
        assert_eq!(
            told(&[
                BLOCKED, BLOCKED, BLOCKED, UNKNOWN, UNKNOWN, UNKNOWN, Well, Well, Well
            ]),
            "..R.....C"
        );
    }

    #[test]
    fn what_is_not_sure_yet_says_how_many_runs_are_left() {
        let mut streak = Streak::default();
        let left = |seen| {
            streak.count(seen, 3);
            streak.left(3)
        };
        let seen = [BLOCKED, BLOCKED, BLOCKED, Seen::Well];
        assert_eq!(seen.map(left), [Some(2), Some(1), None, Some(2)]);
        // Fewer are asked for than were counted by then.
        assert_eq!(streak.left(1), Some(1));
    }

    proptest! {
        #[test]
        fn raised_and_cleared_come_by_turns_unless_the_fault_is_another(runs: Vec<bool>, after in 1_u32..5) {
            let mut streak = Streak::default();
            let mut is_raised = false;
            for well in runs {
                let seen = if well { Seen::Well } else { BLOCKED };
                match streak.count(seen, after) {
                    Some(Turn::Raised) => { prop_assert!(!is_raised); is_raised = true; }
                    Some(Turn::Cleared) => { prop_assert!(is_raised); is_raised = false; }
                    None => {}
                }
            }
        }
    }
}
