//! What `portproof check` takes.

use std::path::PathBuf;

use clap::Args;

use super::Shared;

/// `portproof check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof check --lab
  portproof check --from internet
  portproof check site.yaml --from perimeter --as ibs01 --format json --output ibs01.json --sign dmz.key")]
pub(in crate::cli) struct Check {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(in crate::cli) file: PathBuf,
    /// The zone that this host is in; without it, found from this host's addresses.
    #[arg(long, value_name = "ZONE")]
    pub(in crate::cli) from: Option<String>,
    /// The system of the site file that this host is.
    #[arg(long = "as", value_name = "SYSTEM")]
    pub(in crate::cli) system: Option<String>,
    /// Try a stand-in site on loopback with planted faults instead.
    #[arg(long, conflicts_with_all = ["from", "system", "file"])]
    pub(in crate::cli) lab: bool,
    /// The lab without faults.
    #[arg(long, requires = "lab")]
    pub(in crate::cli) healthy: bool,
    /// Do not walk paths: not where packets are dropped is asked, nor which device sent a reset.
    #[arg(long)]
    pub(in crate::cli) no_path: bool,
    /// Let findings of level `warning` change the exit status too.
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    /// Sign the report with this private key (PEM, Ed25519): writes OUTPUT.sig.
    #[arg(long, value_name = "KEY", requires = "output")]
    pub(in crate::cli) sign: Option<PathBuf>,
    /// Show every flow, not only what is wrong.
    #[arg(long, short)]
    pub(in crate::cli) verbose: bool,
    /// Look for listeners of `portproof listen` with the token in this file; without it, with that of PORTPROOF_TOKEN.
    #[arg(long, value_name = "FILE", conflicts_with = "lab")]
    pub(in crate::cli) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared,
}
