//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Proves that the firewalls around a Configuration Manager site let through what the site needs, and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "portproof",
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  portproof check --lab                        see a report at once; nothing to install or configure
  portproof plan probes.yaml                   the flows of your site; no packet is sent
  portproof check probes.yaml --from internet  try them from here
Exit status: 0 nothing wrong, 1 something is, 2 the command or a file is wrong, 3 something is unknown."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Try the flows that start here, judge them and report.
    Check(Check),
    /// List the flows of the site, with why and source; no packet is sent.
    Plan(Plan),
    /// Print a JSON Schema.
    Schema {
        /// Of what.
        of: Schema,
    },
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// `portproof check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof check --lab
  portproof check --from internet
  portproof check site.yaml --from perimeter --as ibs01 --format json --output ibs01.json")]
pub(super) struct Check {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(super) file: PathBuf,
    /// The zone that this host is in; without it, found from this host's addresses.
    #[arg(long, value_name = "ZONE")]
    pub(super) from: Option<String>,
    /// The system of the site file that this host is.
    #[arg(long = "as", value_name = "SYSTEM")]
    pub(super) system: Option<String>,
    /// Try a stand-in site on loopback with planted faults instead.
    #[arg(long, conflicts_with_all = ["from", "system", "file"])]
    pub(super) lab: bool,
    /// The lab without faults.
    #[arg(long, requires = "lab")]
    pub(super) healthy: bool,
    /// Do not walk paths: not where packets are dropped is asked, nor which device sent a reset.
    #[arg(long)]
    pub(super) no_path: bool,
    /// Let findings of level `warning` change the exit status too.
    #[arg(long)]
    pub(super) strict: bool,
    /// Show every flow, not only what is wrong.
    #[arg(long, short)]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) shared: Shared,
}

/// `portproof plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof plan
  portproof plan site.yaml --format json | jq -r '.flows[].id'")]
pub(super) struct Plan {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) shared: Shared,
}

/// What commands with a result share.
#[derive(Debug, Args)]
pub(super) struct Shared {
    /// Rules to use in place of the embedded ones.
    #[arg(long, value_name = "FILE")]
    pub(super) catalogue: Option<PathBuf>,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Write the result to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// How to show a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs; `portproof schema` prints its schema.
    Json,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Schema {
    /// The site file.
    Config,
    /// The report of `check`.
    Report,
    /// The result of `plan`.
    Plan,
}
