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
Exit status: 0 nothing is worse, 1 something is worse or a new flow is wrong, 2 a file is wrong.")]
pub(in crate::cli) struct Diff {
    /// The earlier report.
    pub(in crate::cli) old: PathBuf,
    /// The later report.
    pub(in crate::cli) new: PathBuf,
    /// Refuse a report that none of these public keys (PEM, Ed25519) has signed. The signature is in FILE.sig. The option
    /// may be given several times; one key that fits is enough.
    #[arg(long, value_name = "PUBLIC-KEY")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
    /// Write the result to this file; `-` is standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}
