//! A report in the format that was asked for, and the exit status that goes with it.

use std::io::Write as _;

use super::args::ReportFormat;
use super::output::Output;
use super::streams::print;
use super::{NOT_READ, WRONG};
use crate::paragraph::Width;
use crate::report::{self, Detail, ReportDocument, exit_status};

/// How a report is to be shown.
#[derive(Clone, Copy)]
pub(super) struct Showing {
    /// The format.
    pub(super) format: ReportFormat,
    /// Whether every flow is shown where the format can leave some out.
    pub(super) verbose: bool,
    /// Whether faults of level `warning` count.
    pub(super) strict: bool,
}

impl Showing {
    /// Writes the report. Returns the exit status.
    ///
    /// # Errors
    /// When it does not stand where it was to stand.
    pub(super) fn write(self, report: &ReportDocument, output: Output) -> anyhow::Result<u8> {
        match self.format {
            // That of 100,000 flows would take 200 MB as a text.
            ReportFormat::Json if !output.is_signed() => {
                output.write_report_as_it_comes(&|into| {
                    serde_json::to_writer_pretty(&mut *into, report)?;
                    into.write_all(b"\n")
                })?
            }
            _ => {
                let text = self.text(report, output.width())?;
                output.write_report(&text)?;
            }
        }
        Ok(self.status(report))
    }

    /// What the report says to whoever asked for this format.
    pub(super) fn status(self, report: &ReportDocument) -> u8 {
        match self.format {
            ReportFormat::Nagios => report::Status::of(report, self.strict).code(),
            _ => exit_status(report, self.strict),
        }
    }

    /// The report in this format.
    ///
    /// # Errors
    /// When it cannot be written so.
    pub(super) fn text(self, report: &ReportDocument, width: Width) -> anyhow::Result<String> {
        let detail = match self.verbose {
            true => Detail::Everything,
            false => Detail::Findings,
        };
        Ok(match self.format {
            ReportFormat::Text => report::text(report, detail, width),
            ReportFormat::Json => serde_json::to_string_pretty(report)? + "\n",
            ReportFormat::Html => report::html(report)?,
            ReportFormat::Markdown => report::markdown(report, detail),
            ReportFormat::Csv => report::csv(report)?,
            ReportFormat::Junit => report::junit(report, self.strict)?,
            ReportFormat::Sarif => report::sarif(report)?,
            ReportFormat::Prometheus => report::prometheus(report, self.strict),
            ReportFormat::Nagios => report::nagios(report, self.strict),
        })
    }

    /// The end of a command that shows a report; `None`: findings in a file, already said, refuse it.
    ///
    /// Nagios has a status of its own for a check that could not be done, and reads why on standard output.
    ///
    /// # Errors
    /// What ended the command, for every other format.
    pub(super) fn ended(self, ended: anyhow::Result<Option<u8>>) -> anyhow::Result<u8> {
        match (self.format, ended) {
            (_, Ok(Some(status))) => Ok(status),
            (ReportFormat::Nagios, Ok(None)) => could_not_check(NOT_READ),
            (ReportFormat::Nagios, Err(error)) => could_not_check(&format!("{error:#}")),
            (_, Ok(None)) => Ok(WRONG),
            (_, Err(error)) => Err(error),
        }
    }
}

/// Says to Nagios that nothing was checked.
///
/// # Errors
/// When standard output takes it no more.
pub(super) fn could_not_check(why: &str) -> anyhow::Result<u8> {
    print(&report::nagios_failed(why))?;
    Ok(report::Status::Unknown.code())
}

/// Whether a command line asks for Nagios' format. It is asked before the command line is known to be right.
pub(super) fn is_for_nagios(arguments: impl Iterator<Item = String>) -> bool {
    let words: Vec<String> = arguments.collect();
    words.iter().any(|it| it == "--format=nagios")
        || words.windows(2).any(|it| it == ["--format", "nagios"])
}
