//! What `portproof listen` takes.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// `portproof listen`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  openssl rand -hex 32 > token; chmod 600 token
  portproof listen --as ibs01 --token-file token
  portproof listen site.yaml --as ibs01 --token-file token --for 30m --log ibs01.arrivals.json
  portproof check site.yaml --from internet --token-file token        (on the other side)
Exit status: 0 every port was listened on, or is in use and left to its owner; 1 this host refused some; 2 it refused
all, nothing was left to listen on, or the command or a file is wrong.")]
pub(in crate::cli) struct Listen {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(in crate::cli) file: PathBuf,
    /// The system of the site file to stand in for; without it, found from this host's addresses.
    #[arg(long = "as", value_name = "SYSTEM")]
    pub(in crate::cli) system: Option<String>,
    /// The token that `check` shares; without a file, that of PORTPROOF_TOKEN.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) token_file: Option<PathBuf>,
    /// An address of this host to listen on, once or several times; without it, those that the site file gives the system.
    #[arg(long, value_name = "ADDR", conflicts_with = "any_address")]
    pub(in crate::cli) address: Vec<IpAddr>,
    /// Listen on every address that this host has, loopback aside.
    #[arg(long)]
    pub(in crate::cli) any_address: bool,
    /// How long, as in `30m` or `2h`.
    #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = time)]
    pub(in crate::cli) time: Duration,
    /// Write what arrives to a file, every few seconds and at the end; `portproof report` joins it.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) log: Option<PathBuf>,
    /// Rules to use in place of the embedded ones.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) catalogue: Option<PathBuf>,
}

fn time(text: &str) -> Result<Duration, String> {
    crate::yaml::time_span(text)
        .ok_or_else(|| "write a number with ms, s, m, h or d, as in `2h`".to_string())
}
