//! What `portproof history` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, ReportFormat};

/// `portproof history`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof history --keep /var/lib/portproof           the latest runs
  portproof history --keep /var/lib/portproof show 12   the report of run 12
  portproof history --keep /var/lib/portproof diff      what changed between the last two runs from one place
  portproof history --keep postgres://portproof@db.corp.example/portproof
Exit status: 0, or 2 when the history or a run cannot be read. `show` ends with the status of the run. `diff` ends with 1
when something is worse.")]
pub(in crate::cli) struct History {
    /// The folder or the database that `check --keep` names.
    #[arg(long, value_name = "FOLDER|URL", default_value = ".", global = true)]
    pub(in crate::cli) keep: PathBuf,
    /// How many runs are listed.
    #[arg(long, value_name = "RUNS", default_value_t = 30)]
    pub(in crate::cli) last: usize,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
    /// Write the result to this file; `-` is standard output.
    #[arg(long, short, value_name = "FILE", global = true)]
    pub(in crate::cli) output: Option<PathBuf>,
    #[command(subcommand)]
    pub(in crate::cli) command: Option<HistoryCommand>,
}

/// What is shown of a history, instead of the list.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HistoryCommand {
    /// Show the report of a run.
    Show {
        /// The run's number, as the list has it.
        run: i64,
        /// Show every flow, not only what is wrong.
        #[arg(long, short)]
        verbose: bool,
        /// How to show the report.
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// Say what changed between two runs. Without numbers: the last two from the place of the last one.
    Diff {
        /// The earlier run.
        #[arg(requires = "new")]
        old: Option<i64>,
        /// The later run.
        new: Option<i64>,
        /// How to show what changed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}
