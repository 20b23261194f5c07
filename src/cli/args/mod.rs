//! The command line; each command's arguments have a file of their own.

#[cfg(feature = "nats")]
mod agent;
mod check;
mod diff;
mod example;
mod explain;
mod history;
mod import;
mod init;
mod listen;
mod plan;
mod report;
mod serve;
mod service;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::wire::tls::old;

#[cfg(feature = "nats")]
pub(in crate::cli) use agent::Agent;
pub(in crate::cli) use check::{Check, NotifyOn};
pub(in crate::cli) use diff::Diff;
pub(in crate::cli) use example::{Example, Shape};
pub(in crate::cli) use explain::Explain;
pub(in crate::cli) use history::{History, HistoryCommand};
pub(in crate::cli) use import::Import;
pub(in crate::cli) use init::Init;
pub(in crate::cli) use listen::Listen;
pub(in crate::cli) use plan::{Plan, PlanFormat};
pub(in crate::cli) use report::Report;
pub(in crate::cli) use serve::Serve;
pub(in crate::cli) use service::AsService;

/// Proves that the firewalls around a Configuration Manager site let through what the site needs, and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "portproof",
    version,
    long_version = long_version(),
    arg_required_else_help = true,
    after_help = "\
Examples:
  portproof check --lab                        see a report at once; nothing to install or configure
  portproof init                               answer eight questions, and have a site file
  portproof import roles.json components.json  have one from exports of the site
  portproof plan probes.yaml                   the flows of your site; no packet is sent
  portproof check probes.yaml --from internet  try them from here
Exit status: 0 nothing is wrong, 1 something is wrong, 2 the command or a file is wrong,
3 something is unknown.
PORTPROOF_LOG=debug writes each step to standard error."
)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
}

/// The version, and the library that speaks TLS of the past, which needs updates of its own.
fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let library =
            old::library().unwrap_or("not spoken by this build, which is without `old-tls`");
        format!("{}\nTLS of the past: {library}", env!("CARGO_PKG_VERSION"))
    });
    &TEXT
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Ask eight questions about a site, and write a site file of the answers.
    Init(Init),
    /// Write a site file of exports of the site itself.
    Import(Import),
    /// Print a site file to start from.
    Example(Example),
    /// Try the flows that start here, judge them and report.
    Check(Check),
    /// Stand in for the services of a system before they exist, so that paths can be proved.
    Listen(Listen),
    /// List the flows of the site, each with its reason and source. No packet is sent.
    Plan(Plan),
    /// Explain a flow, a cause, a rule, a client's code or its log, and say what to do.
    Explain(Explain),
    /// Join the reports of several vantages into one, and show it.
    Report(Report),
    /// Say what changed between two reports.
    Diff(Diff),
    /// List the runs that `check --keep` has kept, show one, or compare two.
    History(History),
    /// Check sites on a schedule, keep the runs, and tell people what changed.
    Serve(Serve),
    /// Work for a hub in another zone: try flows and listen as its signed jobs say.
    #[cfg(feature = "nats")]
    Agent(Agent),
    /// Print a JSON Schema.
    Schema {
        /// What the schema describes.
        of: Schema,
    },
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the licences of portproof and of what is linked into it.
    #[command(alias = "licenses")]
    Licences,
    /// Print the manual page.
    #[command(after_help = "\
Examples:
  portproof man | man -l -               read the page
  portproof man --into /usr/share/man/man1
                                         install the pages, one for each command")]
    Man {
        /// Write this page, and one for each command, into this folder. The folder has to exist.
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
    },
}

/// A name of the site file: capitals are the same as small letters.
fn name(text: &str) -> Result<String, Infallible> {
    Ok(text.to_ascii_lowercase())
}

/// What commands with a result share.
#[derive(Debug, Args)]
pub(in crate::cli) struct Shared<F = Format>
where
    F: ValueEnum + Clone + Send + Sync + 'static,
{
    /// A catalogue of rules to use instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) catalogue: Option<PathBuf>,
    /// How to show the result.
    #[arg(long, value_enum, default_value = "text")]
    pub(in crate::cli) format: F,
    /// Write the result to this file; `-` is standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

/// How to show a report. `docs/formats.md` shows each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// For people at a terminal.
    Text,
    /// For programs, with everything; `portproof schema report` prints its schema.
    Json,
    /// One page with a picture of the site, for browsers and paper. It needs no other file, network or script.
    Html,
    /// For a ticket.
    Markdown,
    /// One line for each flow, for spreadsheets.
    Csv,
    /// A test case for each flow, for build servers.
    Junit,
    /// Findings at their lines of the site file, for code scanning.
    Sarif,
    /// Metrics for the textfile collector of Prometheus' node exporter.
    Prometheus,
    /// A status line with numbers, for Nagios and Icinga. The exit status is theirs: 0 OK, 1 WARNING, 2 CRITICAL,
    /// 3 UNKNOWN.
    Nagios,
}

/// How to show a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// For people.
    Text,
    /// For programs; `portproof schema` prints its schema.
    Json,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Schema {
    /// The site file.
    Config,
    /// The report of `check`, and of `report`.
    Report,
    /// The result of `diff`.
    Diff,
    /// The result of `plan`.
    Plan,
    /// The result of `explain`.
    Explain,
    /// The log of `listen`.
    Arrivals,
    /// The result of `plan --against`.
    Change,
    /// The list of `history`.
    History,
    /// The file of `serve`.
    Serve,
    /// What a channel of alerts is told.
    Alert,
    /// What the page of `serve` answers under `/api/v1`, as OpenAPI.
    Api,
    /// The file of an agent.
    #[cfg(feature = "nats")]
    Agent,
    /// The file of the hub, which `check --agents` reads.
    #[cfg(feature = "nats")]
    Agents,
    /// A job for an agent: the head of the message, and its body before it is packed.
    #[cfg(feature = "nats")]
    Job,
    /// What comes of a job, likewise.
    #[cfg(feature = "nats")]
    Result,
}
