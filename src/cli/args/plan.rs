//! What `portproof plan` takes.

use std::path::PathBuf;

use clap::Args;

use super::Shared;

/// `portproof plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof plan
  portproof plan site.yaml --format json | jq -r '.flows[].id'
  portproof plan new.yaml --against old.yaml    what a change opens, closes and strands, in which order to go")]
pub(in crate::cli) struct Plan {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(in crate::cli) file: PathBuf,
    /// The site file as it is today: shows what the change from it to FILE asks for.
    #[arg(long, value_name = "OLD")]
    pub(in crate::cli) against: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared,
}
