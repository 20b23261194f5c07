//! What is known of each check right now, for whoever looks: how its flows stand, when it ran, and when it runs next.
//!
//! Checks write here, readers copy. What takes long, such as a page of thousands of flows, is made from a copy.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;

use crate::report::{self, ReportDocument};

/// All checks by their names.
#[derive(Default)]
pub(super) struct Board(Mutex<BTreeMap<String, Row>>);

/// One check.
#[derive(Clone, Default)]
pub(super) struct Row {
    /// How its flows stand; `None`: no run had a report yet.
    pub(super) stands: Option<Arc<Standing>>,
    /// When the last run ended, and its number.
    pub(super) last: Option<Last>,
    /// When what must not pass was last tried.
    pub(super) last_whole: Option<Timestamp>,
    /// Since when a run is under way.
    pub(super) running_since: Option<Timestamp>,
    /// When the next run is due.
    pub(super) next: Option<Timestamp>,
    /// Why its site file is not used as it stands now.
    pub(super) refused: Option<String>,
    /// Why the last run is not in the history.
    pub(super) unkept: Option<String>,
    /// Runs that were left out, because the one before them took too long.
    pub(super) left_out: u64,
}

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Last {
    /// Its number in the history.
    pub(super) run: i64,
    /// When it ended.
    pub(super) ended: Timestamp,
    /// How long it took, in seconds.
    pub(super) seconds: i64,
    /// Why it has no report.
    pub(super) failure: Option<String>,
}

/// How the flows of a check stand: those of the last run, and what must not pass of the last whole one.
pub(super) struct Standing {
    pub(super) report: ReportDocument,
    page: OnceLock<Arc<str>>,
}

impl Standing {
    pub(super) fn new(report: ReportDocument) -> Self {
        let page = OnceLock::new();
        Self { report, page }
    }

    /// The report as a page. It is made once.
    pub(super) fn page(&self) -> Arc<str> {
        let made = self.page.get_or_init(|| {
            let page = report::html(&self.report);
            page.unwrap_or_else(|fault| fault.to_string()).into()
        });
        Arc::clone(made)
    }
}

impl Board {
    /// Writes something down of a check.
    pub(super) fn note(&self, check: &str, write: impl FnOnce(&mut Row)) {
        write(self.rows().entry(check.to_string()).or_default());
    }

    /// How the flows of a check stand after a run: with what must not pass as it was last seen.
    pub(super) fn stands(&self, check: &str, report: ReportDocument) {
        let before = self.row(check).and_then(|row| row.stands);
        let whole = before.filter(|it| report.is_needed_only() && it.report.is_from_where(&report));
        let report = match whole {
            Some(whole) => ReportDocument::after(whole.report.clone(), report),
            None => report,
        };
        let stands = Some(Arc::new(Standing::new(report)));
        self.note(check, |row| row.stands = stands);
    }

    /// A copy of all.
    pub(super) fn all(&self) -> BTreeMap<String, Row> {
        self.rows().clone()
    }

    /// A copy of one.
    pub(super) fn row(&self, check: &str) -> Option<Row> {
        self.rows().get(check).cloned()
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<String, Row>> {
        // A writer that failed has left a row as it was before, or after.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::verdict::Verdict;

    #[test]
    fn what_must_not_pass_stands_as_it_was_last_seen_and_counts() {
        let board = Board::default();
        let exposed = ["forbidden", "open", "exposed", "open", "error"];
        let flows = vec![
            sample::judged("internet>ibs01:445/tcp", exposed),
            sample::flow("internet>ibs01:443/tcp"),
        ];
        board.stands("internet", sample::with("internet", "probe7", flows));
        let mut needed = sample::with(
            "internet",
            "probe7",
            vec![sample::flow("internet>ibs01:443/tcp")],
        );
        needed.vantages[0].needed_only = true;
        board.stands("internet", needed);
        let stands = board.row("internet").and_then(|row| row.stands);
        let stands = stands.expect("a report");
        let verdicts: Vec<Verdict> = stands.report.flows.iter().map(|it| it.verdict).collect();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Exposed]);
        let summary = stands.report.summary;
        assert_eq!((summary.ok, summary.exposed), (1, 1));
        assert!(stands.page().contains("ibs01:445/tcp"));
    }
}
