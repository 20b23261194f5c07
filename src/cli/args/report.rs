//! What `portproof report` takes.

use std::path::PathBuf;

use clap::Args;

use super::Shared;

/// `portproof report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof report ibs01.json
  portproof report internet.json perimeter.json intranet.json --site probes.yaml
  portproof report internet.json ibs01.json arrivals.json
  portproof report --verify dmz.pub ibs01.json ibs02.json --format json --output site.json
Exit status: as of check.")]
pub(in crate::cli) struct Report {
    /// Reports that `check --format json` wrote, and what `listen --log` wrote; they are told apart by what they hold.
    #[arg(required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// The site file: then every flow is known, and those that no one has tried are named.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) site: Option<PathBuf>,
    /// Join reports of different site files too, with a warning.
    #[arg(long)]
    pub(in crate::cli) mixed_files: bool,
    /// Refuse every file that has no signature by this public key (PEM, Ed25519) in FILE.sig. May be given several times:
    /// any of the keys will do.
    #[arg(long, value_name = "PUBLIC-KEY")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    /// Sign the result with this private key (PEM, Ed25519): writes OUTPUT.sig.
    #[arg(long, value_name = "KEY", requires = "output")]
    pub(in crate::cli) sign: Option<PathBuf>,
    /// Let findings of level `warning` change the exit status too.
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    /// Show every flow, not only what is wrong.
    #[arg(long, short)]
    pub(in crate::cli) verbose: bool,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared,
}
