//! A run that has ended, on its way into the history. Where that cannot be written now, runs wait here, and go there in
//! their order when it can be written again. To keep one a second time does no harm (`history`).

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use super::follow::Following;
use crate::alert::Channel;
use crate::history::{Added, Fault, Kept, Retention, Store, Tried};
use crate::report::{ReportDocument, exit_status};

/// Runs of a check that wait at the most: those of an hour, at one each five minutes.
const MOST: usize = 12;
/// What a run without a report says to the shell.
const FAILED: u8 = 2;

/// A run that has ended.
pub(super) struct Ended {
    pub(super) began: Timestamp,
    pub(super) at: Timestamp,
    /// Its report, or why it has none.
    pub(super) result: Result<ReportDocument, String>,
}

/// What came of keeping it.
pub(super) struct Came {
    pub(super) added: Added,
    /// How many more whole runs it takes until what it found is sure.
    pub(super) left: u32,
    /// Whether what is old has been removed.
    pub(super) retained: Result<(), Fault>,
}

impl Ended {
    /// What it tried.
    pub(super) fn tried(&self) -> Tried {
        match &self.result {
            Err(_) => Tried::Nothing,
            Ok(report) if report.is_needed_only() => Tried::Needed,
            Ok(_) => Tried::All,
        }
    }

    /// Keeps it, with all that it changes for a check.
    pub(super) fn keep(
        &self,
        store: &mut Store,
        check: &str,
        after: u32,
        channels: &[Channel],
        retention: Retention,
    ) -> Result<Came, Fault> {
        let following = Following {
            check,
            channels,
            after,
            now: self.at,
            left: Cell::new(0),
        };
        let kept = match &self.result {
            Ok(report) => Kept::Report(report, exit_status(report, false)),
            Err(why) => Kept::Failure {
                started: self.began,
                why: why.clone(),
                exit_status: FAILED,
            },
        };
        Ok(Came {
            added: store.add_followed(&kept, self.at, &following)?,
            left: following.left.get(),
            retained: store.retain(retention, self.at),
        })
    }
}

/// Runs that wait, the first one first.
#[derive(Default)]
pub(super) struct Unkept(VecDeque<Arc<Ended>>);

impl Unkept {
    /// Has another one wait. Where there are too many, the first one is lost, and comes back.
    pub(super) fn wait(&mut self, run: Ended) -> Option<Arc<Ended>> {
        let lost = match self.0.len() {
            MOST => self.0.pop_front(),
            _ => None,
        };
        self.0.push_back(Arc::new(run));
        lost
    }

    pub(super) fn first(&self) -> Option<Arc<Ended>> {
        self.0.front().cloned()
    }

    /// The first one is kept.
    pub(super) fn is_kept(&mut self) {
        self.0.pop_front();
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_runs_wait_and_the_first_ones_are_lost_beyond_that() {
        let mut unkept = Unkept::default();
        let run = |number| Ended {
            began: Timestamp::from_second(number).expect("a time"),
            at: Timestamp::from_second(number).expect("a time"),
            result: Err("away".to_string()),
        };
        let lost: Vec<i64> = (0..MOST as i64 + 2)
            .filter_map(|number| unkept.wait(run(number)))
            .map(|it| it.at.as_second())
            .collect();
        assert_eq!((lost, unkept.count()), (vec![0, 1], MOST));
        unkept.is_kept();
        assert_eq!(unkept.first().map(|it| it.at.as_second()), Some(3));
    }
}
