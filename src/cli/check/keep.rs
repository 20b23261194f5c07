//! `--keep` and `--notify-on`: a run goes into a history, and says what changed since the one before it.
//!
//! The history is opened before the first packet, so that a wrong place is refused at once.

use jiff::Timestamp;

use crate::cli::WRONG;
use crate::cli::args::{Check, ReportFormat};
use crate::cli::location;
use crate::cli::streams::say;
use crate::history::{Added, Counts, Kept, Retention, Store};
use crate::paragraph::Width;
use crate::report::{self, ReportDocument};

/// The exit status when something changed.
pub(super) const CHANGED: u8 = 4;

/// The history that a run is kept in.
pub(super) struct Keep {
    store: Store,
    retention: Retention,
    began: Timestamp,
    is_there: bool,
}

impl Keep {
    /// Opens the history, where the run is kept in one.
    pub(super) fn open(arguments: &Check) -> anyhow::Result<Option<Self>> {
        let Some(written) = &arguments.keep else {
            return Ok(None);
        };
        anyhow::ensure!(
            arguments.notify_on.is_none() || arguments.shared.format != ReportFormat::Nagios,
            "--notify-on and --format nagios each have an exit status of their own: leave one out"
        );
        Ok(Some(Self {
            store: Store::open_or_make(&location::of_option(written)?)?,
            retention: Retention::new(arguments.keep_days, arguments.keep_size),
            began: Timestamp::now(),
            is_there: false,
        }))
    }

    /// Keeps a report.
    pub(super) fn report(&mut self, report: &ReportDocument, status: u8) -> anyhow::Result<Added> {
        self.add(&Kept::Report(report, status))
    }

    /// Keeps the fact that there is no report, unless there was one after all.
    pub(super) fn failure(&mut self, why: &str) {
        if self.is_there {
            return;
        }
        let failure = Kept::Failure {
            started: self.began,
            why: why.to_string(),
            exit_status: WRONG,
        };
        if let Err(fault) = self.add(&failure) {
            say!("this run is not in the history: {fault:#}");
        }
    }

    fn add(&mut self, kept: &Kept<'_>) -> anyhow::Result<Added> {
        let now = Timestamp::now();
        let added = self.store.add(kept, now)?;
        self.is_there = true;
        self.store.retain(self.retention, now)?;
        Ok(added)
    }
}

/// What is to be told of a run that is kept.
pub(super) enum News {
    /// Something changed; in words.
    Changed(String),
    /// Nothing did; in words.
    Unchanged(String),
}

impl News {
    /// What is written in place of a report: for people what changed goes before it, and alone where nothing did. What
    /// programs read stays as it is.
    pub(super) fn before(&self, report: String, format: ReportFormat) -> String {
        match (self, format) {
            (Self::Changed(words), ReportFormat::Text) => format!("{words}\n{report}"),
            (Self::Unchanged(words), ReportFormat::Text) => words.clone(),
            _ => report,
        }
    }

    /// What it says to the shell.
    pub(super) fn status(&self) -> u8 {
        match self {
            Self::Changed(_) => CHANGED,
            Self::Unchanged(_) => 0,
        }
    }
}

/// What changed since the run before. With none before it, what is wrong or unknown counts as changed.
pub(super) fn news(added: &Added, report: &ReportDocument, status: u8, width: Width) -> News {
    let mut words = String::new();
    if added.after_a_failure {
        words += "The run before this one had no report.\n";
    }
    match &added.since {
        Some((_, diff)) if !Counts::of(diff).are_none() => {
            words += &report::diff_text(diff, width);
        }
        None if status != 0 => words += "This is the first report from here that is kept.\n",
        _ => {}
    }
    match words.is_empty() {
        true => News::Unchanged(unchanged(added, report)),
        false => News::Changed(words),
    }
}

/// That nothing changed, and how things stand.
fn unchanged(added: &Added, report: &ReportDocument) -> String {
    let since = match &added.since {
        Some((run, _)) => format!("Nothing has changed since run {run}"),
        None => "Nothing is wrong, and no earlier run is kept".to_string(),
    };
    format!(
        "{since}: {}. This is run {}.\n",
        report::counts(report),
        added.id
    )
}
