//! What the runs of a check saw within a time: when each was, and how flows changed with it.

use jiff::Timestamp;
use serde::Deserialize;

use super::database::{Error, Row};
use super::{Fault, Store};
use crate::product::Need;
use crate::verdict::Verdict;

/// The most changes that are read; of more, the latest.
const MOST_CHANGES: i64 = 200_000;
const RUNS: &str = "SELECT id, finished, failure, summary, needed_only FROM run
    WHERE of_check = ?1 AND finished >= ?2 ORDER BY id";
const CHANGES: &str = "SELECT change.run, change.flow, change.before, change.after FROM change
    JOIN run ON run.id = change.run
    WHERE run.of_check = ?1 AND run.finished >= ?2 ORDER BY change.run DESC LIMIT ?3";

/// What was seen within a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The runs, the first one first.
    pub runs: Vec<PastRun>,
    /// What changed with them, in the same order.
    pub changes: Vec<PastChange>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// Its number.
    pub id: i64,
    /// When it ended.
    pub ended: Timestamp,
    /// What it tried.
    pub tried: Tried,
}

/// What a run tried. The later, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tried {
    /// Nothing: it has no report.
    Nothing,
    /// What is needed.
    Needed,
    /// All.
    All,
}

/// A flow that changed with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastChange {
    /// The run.
    pub run: i64,
    /// The flow's id.
    pub flow: String,
    /// How it stood before; `None`: it was not there.
    pub before: Option<Stood>,
    /// How it stood from then on; `None`: it was gone.
    pub after: Option<Stood>,
}

/// How a flow stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Stood {
    /// What the site needed of it.
    pub need: Need,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether an exception accepted it.
    #[serde(default)]
    pub accepted: bool,
}

impl Store {
    /// What the runs of a check saw that ended since a time. Runs that were stopped are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn past(&mut self, check: &str, since: Timestamp) -> Result<Past, Fault> {
        let of = [check.into(), since.to_string().into(), MOST_CHANGES.into()];
        let runs = self.all(RUNS, &of[..2], run)?;
        let mut changes = self.all(CHANGES, &of, change)?;
        changes.reverse();
        Ok(Past {
            runs: runs.into_iter().flatten().collect(),
            changes,
        })
    }
}

/// A run; `None`: it was stopped, or its time cannot be read.
fn run(row: &Row) -> Result<Option<PastRun>, Error> {
    let finished: String = row.get(1)?;
    let [failure, summary]: [Option<String>; 2] = [row.get(2)?, row.get(3)?];
    let needed_only: i64 = row.get(4)?;
    let tried = match (failure.is_some(), summary.is_some(), needed_only) {
        // What was stopped has a report and a reason why that is not whole.
        (true, true, _) => return Ok(None),
        (true, false, _) => Tried::Nothing,
        (false, _, 0) => Tried::All,
        (false, ..) => Tried::Needed,
    };
    let id = row.get(0)?;
    let ended = finished.parse().ok();
    Ok(ended.map(|ended| PastRun { id, ended, tried }))
}

fn change(row: &Row) -> Result<PastChange, Error> {
    let stood = |place| -> Result<Option<Stood>, Error> {
        let text: Option<String> = row.get(place)?;
        // What another version wrote and this one cannot read says nothing.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    };
    Ok(PastChange {
        run: row.get(0)?,
        flow: row.get(1)?,
        before: stood(2)?,
        after: stood(3)?,
    })
}
