//! The runs of a scheduled check, kept for months: when each was, what it came to, and what had changed.
//!
//! The database is SQLite in a folder, or PostgreSQL of a server (`location`). `database` is the one interface to both. A
//! run goes in as a `Kept` (`adding`): a report, or the reason why there is none. It is compared with the last report that was
//! made from the same place (`report::diff`), and summary, changes and report are written in one transaction. So whatever
//! ends the process, a run is there as a whole or not at all. `store` reads runs, and `packed` their reports.
//!
//! What goes on for months (`serve`) keeps more in the same transaction (`follow`). It counts for each flow how many runs in
//! a row saw it so, and keeps messages that are not taken yet (`queue`).
//!
//! Summaries and changes are kept for long, and are small. Reports are large: `retain` says which of them go first when
//! the database is larger than it may be. `past` reads back what changed with the runs of a check. `text` shows the list of
//! runs.

mod adding;
mod database;
mod fault;
mod follow;
mod location;
mod packed;
mod past;
mod queue;
mod retain;
mod store;
#[cfg(test)]
pub(crate) mod tests;
mod text;

pub use adding::Added;
pub use database::FILE;
pub use fault::Fault;
pub use follow::{Follow, Followed, Queued, Removed, Waiting};
pub use location::{Address, EXAMPLE, Location, is_address};
pub use past::{Past, PastChange, PastRun, Stood, Tried};
pub use retain::Retention;
pub use store::Store;
pub use text::text;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{Change, DiffDocument, ReportDocument, Summary};

/// The schema of the list of runs.
pub const SCHEMA: &str = "portproof.history/1";

/// The list of runs, the latest first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct HistoryDocument {
    /// `portproof.history/1`.
    pub schema: String,
    /// The runs.
    pub runs: Vec<RunEntry>,
}

impl HistoryDocument {
    /// A list of these runs.
    pub fn new(runs: Vec<RunEntry>) -> Self {
        let schema = SCHEMA.to_string();
        Self { schema, runs }
    }
}

/// One run, as the list has it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunEntry {
    /// Its number: each is given once.
    pub id: i64,
    /// Start, RFC 3339.
    pub started: String,
    /// End, RFC 3339.
    pub finished: String,
    /// The site's code; `null` where the file could not be read.
    pub site: Option<String>,
    /// Where it was made: a zone, or a system in it; `null` where that was not found out.
    pub place: Option<String>,
    /// What it said to the shell.
    pub exit_status: u8,
    /// Why there is no report; `null`: there is one.
    pub failure: Option<String>,
    /// Flows by verdict; `null` where there is no report.
    pub summary: Option<Summary>,
    /// What had changed since the run before it from the same place; `null` where there was none.
    pub changed: Option<Counts>,
    /// Whether its report is still kept.
    pub has_report: bool,
}

/// How many flows changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// That stand worse, and new ones that are wrong.
    pub worse: usize,
    /// That stand better.
    pub better: usize,
    /// All others: with another cause, new, or gone.
    pub other: usize,
}

impl Counts {
    /// Of what changed between two reports.
    pub fn of(diff: &DiffDocument) -> Self {
        let new_and_wrong = diff.added.iter().filter(|it| it.worse).count();
        let others = diff.changed.len() + diff.added.len() + diff.gone.len();
        Self {
            worse: diff.worse.len() + new_and_wrong,
            better: diff.better.len(),
            other: others - new_and_wrong,
        }
    }

    /// Whether nothing changed.
    pub fn are_none(self) -> bool {
        self == Self::default()
    }
}

/// What a run came to.
pub enum Kept<'a> {
    /// It has a report, which says so much to the shell.
    Report(&'a ReportDocument, u8),
    /// It has none, for this reason.
    Failure {
        /// When it began.
        started: Timestamp,
        /// In words.
        why: String,
        /// What it says to the shell.
        exit_status: u8,
    },
    /// It was stopped before its end, and has a report of what it saw until then. Nothing is compared with that.
    Part(&'a ReportDocument, u8),
}

/// Each flow that changed, with the word for how.
fn changes(diff: &DiffDocument) -> impl Iterator<Item = (&'static str, &Change)> {
    let parts = [
        ("worse", &diff.worse),
        ("better", &diff.better),
        ("changed", &diff.changed),
        ("added", &diff.added),
        ("gone", &diff.gone),
    ];
    let of_part = |(word, all): (&'static str, _)| std::iter::repeat(word).zip(all);
    parts.into_iter().flat_map(of_part)
}
