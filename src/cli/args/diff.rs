//! What `portproof diff` takes.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// `portproof diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof diff yesterday.json today.json
  portproof diff before.json after.json --format json | jq '.worse'
Exit status: 0 nothing is worse, 1 something is (a new flow that is wrong counts), 2 a file is wrong.")]
pub(in crate::cli) struct Diff {
    /// The report of before.
    pub(in crate::cli) old: PathBuf,
    /// The report of after.
    pub(in crate::cli) new: PathBuf,
    /// Refuse both reports unless each has a signature by this public key (PEM, Ed25519) in FILE.sig. May be given several
    /// times: any of the keys will do.
    #[arg(long, value_name = "PUBLIC-KEY")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
    /// Write the result to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}
