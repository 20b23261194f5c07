//! `portproof history`: the runs that `check --keep` has kept.

use anyhow::{Context as _, bail};

use super::args::{Format, History, HistoryCommand};
use super::output::Output;
use super::shown::Showing;
use crate::diagnostic::visible;
use crate::history::{self, HistoryDocument, Store};
use crate::report::{self, DiffDocument, ReportDocument};

pub(super) fn run(arguments: &History) -> anyhow::Result<u8> {
    let output = Output::open(arguments.output.as_deref())?;
    let store = Store::open(&arguments.keep)?;
    let (text, status) = match &arguments.command {
        None => (list(arguments, &store)?, 0),
        Some(HistoryCommand::Show {
            run,
            verbose,
            format,
        }) => {
            let (report, status) = report_of(&store, *run)?;
            let showing = Showing {
                format: *format,
                verbose: *verbose,
                strict: false,
            };
            (showing.text(&report, output.width())?, status)
        }
        Some(HistoryCommand::Diff { old, new, format }) => {
            let diff = diff(&store, (*old).zip(*new))?;
            let text = match format {
                Format::Text => report::diff_text(&diff, output.width()),
                Format::Json => serde_json::to_string_pretty(&diff)? + "\n",
            };
            (text, super::diff::status(&diff))
        }
    };
    output.write(&text)?;
    Ok(status)
}

fn list(arguments: &History, store: &Store) -> anyhow::Result<String> {
    let history = HistoryDocument::new(store.latest(arguments.last)?);
    Ok(match arguments.format {
        Format::Text => history::text(&history),
        Format::Json => serde_json::to_string_pretty(&history)? + "\n",
    })
}

/// What changed between two runs; without numbers, between the last two from one place.
fn diff(store: &Store, runs: Option<(i64, i64)>) -> anyhow::Result<DiffDocument> {
    let (old, new) = match runs {
        Some(runs) => runs,
        None => store
            .last_two()?
            .context("there are no two reports from one place to compare yet")?,
    };
    let [(old, _), (new, _)] = [report_of(store, old)?, report_of(store, new)?];
    report::diff(&old, &new).map_err(anyhow::Error::msg)
}

/// The report of a run and what it said to the shell, or why there is none.
fn report_of(store: &Store, run: i64) -> anyhow::Result<(ReportDocument, u8)> {
    let Some(entry) = store.run(run)? else {
        bail!("there is no run {run} here; `portproof history` lists those that are kept");
    };
    if let Some(why) = &entry.failure {
        bail!(
            "run {run} of {} has no report: {}",
            entry.finished,
            visible(why)
        );
    }
    let report = store.report(run)?.with_context(|| {
        format!(
            "the report of run {run} of {} is no longer kept, to save room; only its line in \
             `portproof history` is",
            entry.finished
        )
    })?;
    Ok((report, entry.exit_status))
}
