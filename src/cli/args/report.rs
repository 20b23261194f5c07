//! What `portproof report` takes.

use std::path::PathBuf;

use clap::Args;

use super::{ReportFormat, Shared};

/// `portproof report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof report ibs01.json
  portproof report internet.json perimeter.json intranet.json --site probes.yaml
  portproof report internet.json ibs01.json arrivals.json
  portproof report internet.json --format markdown     for a ticket; docs/formats.md shows every format
  portproof report --verify dmz.pub ibs01.json ibs02.json --format json --output site.json
Exit status: the same as that of `portproof check`; --format nagios has its own.")]
pub(in crate::cli) struct Report {
    /// Reports of `check --format json` and logs of `listen --log`, in any order.
    #[arg(required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// The site file. The report then names the flows that nobody has tried.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) site: Option<PathBuf>,
    /// Join reports even when they were made with different site files. A warning says so.
    #[arg(long)]
    pub(in crate::cli) mixed_files: bool,
    /// Refuse every file that none of these public keys (PEM, Ed25519) has signed. The signature is in FILE.sig. The option
    /// may be given several times; one key that fits is enough.
    #[arg(long, value_name = "PUBLIC-KEY")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    /// Sign the result with this private key (PEM, Ed25519). The signature goes to OUTPUT.sig.
    #[arg(long, value_name = "KEY", requires = "output")]
    pub(in crate::cli) sign: Option<PathBuf>,
    /// Exit with 1 for faults of level `warning` too, not only of level `error`.
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    /// Show every flow, not only what is wrong.
    #[arg(long, short)]
    pub(in crate::cli) verbose: bool,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared<ReportFormat>,
}
