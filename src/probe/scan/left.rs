//! What a sweep still has to send, as far as it is known. The workers add up what changed a few times a second.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Prober;

/// What a sweep has tried and has still to try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepLeft {
    /// Ports that were not tried at all.
    pub untried: u64,
    /// Tries that silent ports are still to have; below 0 while one worker has told of more than the others.
    pub owed: i64,
    /// Ports that were tried.
    pub tried: u64,
    /// Those of them that did not answer at once.
    pub silent: u64,
}

/// The same for all workers.
#[derive(Default)]
pub(in crate::probe) struct Left(Mutex<SweepLeft>);

impl Left {
    fn now(&self) -> MutexGuard<'_, SweepLeft> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many ports are about to be tried, and silent ones so often again.
    pub(super) fn expect(&self, untried: usize, owed: usize) {
        let mut left = self.now();
        left.untried = untried as u64;
        left.owed = i64::try_from(owed).unwrap_or(i64::MAX);
    }

    /// Takes in what changed.
    pub(super) fn change(&self, change: Change) {
        let mut left = self.now();
        left.untried = left.untried.saturating_sub(change.tried);
        left.tried += change.tried;
        left.silent += change.silent;
        left.owed = left.owed.saturating_add(change.owed);
    }
}

/// What one worker did since it last told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Ports whose first try ended.
    tried: u64,
    /// Those of them that were silent.
    silent: u64,
    /// How many more tries silent ports are to have.
    owed: i64,
}

impl Change {
    /// A try has ended, which so many silent ones of the port came before. `wanted`: the tries that its silence needs.
    pub(super) fn ended(&mut self, tries: u8, wanted: u8, is_silent: bool) {
        let owed = i64::from(wanted.saturating_sub(tries));
        match (tries, is_silent) {
            (0, false) => self.tried += 1,
            (0, true) => {
                self.tried += 1;
                self.silent += 1;
                self.owed += owed - 1;
            }
            (_, false) => self.owed -= owed,
            (_, true) => self.owed -= 1,
        }
    }
}

impl Prober {
    /// What the sweep that is under way still has to send; nothing before the first.
    pub fn sweep_left(&self) -> SweepLeft {
        *self.sweep_left.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_port_owes_what_its_silence_needs_and_one_that_answers_nothing() {
        let mut change = Change::default();
        change.ended(0, 6, false);
        assert_eq!((change.tried, change.silent, change.owed), (1, 0, 0));
        change.ended(0, 6, true);
        assert_eq!((change.tried, change.silent, change.owed), (2, 1, 5));
        for tries in 1..6 {
            change.ended(tries, 6, true);
        }
        assert_eq!(change.owed, 0, "it had all its tries");
        change.ended(0, 6, true);
        change.ended(1, 6, true);
        change.ended(2, 6, false);
        assert_eq!(change.owed, 0, "it answered at last");
    }
}
