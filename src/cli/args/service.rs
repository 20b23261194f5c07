//! What commands take that go on until they are stopped.

use std::path::PathBuf;

use clap::Args;

/// How such a command runs.
#[derive(Debug, Args)]
pub(in crate::cli) struct AsService {
    /// Append what is said to this file, instead of standard error.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) log: Option<PathBuf>,
    /// Run as a service, which the service manager of Windows starts and stops.
    #[cfg(windows)]
    #[arg(long, requires = "log")]
    pub(in crate::cli) service: bool,
}
