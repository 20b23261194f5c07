//! What `portproof serve` takes.

use std::path::PathBuf;

use clap::Args;

use super::AsService;

/// `portproof serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof serve /etc/portproof/serve.yaml                go on until it is stopped
  portproof serve serve.yaml --log serve.log               the same, with its words in a file
  portproof serve /etc/portproof/serve.yaml --test-alert   send a test to each channel, and end
Exit status: 0 it was stopped, or every channel took the test. 1 a channel did not.
2 the command or a file is wrong.")]
pub(in crate::cli) struct Serve {
    /// The file that says which sites are checked, how often, and who is told.
    #[arg(default_value = "serve.yaml")]
    pub(in crate::cli) file: PathBuf,
    /// Send a test message to each channel, say what came of it, and end.
    #[arg(long)]
    #[cfg_attr(windows, arg(conflicts_with = "service"))]
    pub(in crate::cli) test_alert: bool,
    #[command(flatten)]
    pub(in crate::cli) how: AsService,
}
