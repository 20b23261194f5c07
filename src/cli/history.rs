//! `portproof history`: the runs that `check --keep` has kept.

use anyhow::{Context as _, bail};

use super::args::{Format, History, HistoryCommand, ReportFormat};
use super::location;
use super::output::Output;
use super::shown::Showing;
use crate::diagnostic::visible;
use crate::history::{self, HistoryDocument, Store};
use crate::report::ReportDocument;

pub(super) fn run(arguments: &History) -> anyhow::Result<u8> {
    match &arguments.command {
        None => list(arguments),
        Some(HistoryCommand::Show {
            run,
            verbose,
            format,
        }) => {
            let showing = Showing {
                format: *format,
                verbose: *verbose,
                strict: false,
            };
            showing.ended(show(arguments, *run, showing).map(Some))
        }
        Some(HistoryCommand::Diff { old, new, format }) => {
            diff(arguments, (*old).zip(*new), *format)
        }
    }
}

fn opened(arguments: &History) -> anyhow::Result<Store> {
    Ok(Store::open(&location::of_option(&arguments.keep)?)?)
}

fn list(arguments: &History) -> anyhow::Result<u8> {
    let output = Output::open(arguments.output.as_deref())?;
    let mut store = opened(arguments)?;
    let history = HistoryDocument::new(store.latest(arguments.last)?);
    let text = match arguments.format {
        Format::Text => history::text(&history, output.width()),
        Format::Json => serde_json::to_string_pretty(&history)? + "\n",
    };
    output.write(&text)?;
    Ok(0)
}

/// The status is the run's own, but for a format that has statuses of its own.
fn show(arguments: &History, run: i64, showing: Showing) -> anyhow::Result<u8> {
    let output = Output::open(arguments.output.as_deref())?;
    let (report, status) = report_of(&mut opened(arguments)?, run)?;
    let text = showing.text(&report, output.width())?;
    output.write(&text)?;
    Ok(match showing.format {
        ReportFormat::Nagios => showing.status(&report),
        _ => status,
    })
}

/// What changed between two runs; without numbers, between the last two from one place.
fn diff(arguments: &History, runs: Option<(i64, i64)>, format: Format) -> anyhow::Result<u8> {
    let output = Output::open(arguments.output.as_deref())?;
    let mut store = opened(arguments)?;
    let (old, new) = match runs {
        Some(runs) => runs,
        None => store
            .last_two()?
            .context("there are no two reports from one place to compare yet")?,
    };
    let [(old, _), (new, _)] = [report_of(&mut store, old)?, report_of(&mut store, new)?];
    super::diff::write(&old, &new, format, output)
}

/// The report of a run and what it said to the shell, or why there is none.
fn report_of(store: &mut Store, run: i64) -> anyhow::Result<(ReportDocument, u8)> {
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
