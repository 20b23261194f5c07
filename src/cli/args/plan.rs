//! What `portproof plan` takes.

use std::path::PathBuf;

use clap::Args;

use super::Shared;

/// `portproof plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof plan
  portproof plan site.yaml --format json | jq -r '.flows[].id'")]
pub(in crate::cli) struct Plan {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(in crate::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared,
}
