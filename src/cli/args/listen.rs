//! What `portproof listen` takes.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::name;

/// `portproof listen`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  openssl rand -hex 32 > token; chmod 600 token
  portproof listen --as ibs01 --token-file token
  portproof listen site.yaml --as ibs01 --token-file token --for 30m --log ibs01.arrivals.json
  portproof check site.yaml --from internet --token-file token        (on the other side)
Exit status: 0 every port was opened, or was already in use.
1 this host refused some ports. 2 no port was opened, or the command or a file is wrong.")]
pub(in crate::cli) struct Listen {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(in crate::cli) file: PathBuf,
    /// The system of the site file to stand in for. Without it, portproof finds the system by this host's addresses.
    #[arg(long = "as", value_name = "SYSTEM", value_parser = name)]
    pub(in crate::cli) system: Option<String>,
    /// A file with the token that `check` uses too. The token may also stand in the environment variable PORTPROOF_TOKEN.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) token_file: Option<PathBuf>,
    /// An address of this host to listen on. The option may be given several times. Without it, the site file's addresses
    /// of the system are used.
    #[arg(long, value_name = "ADDR", conflicts_with = "any_address")]
    pub(in crate::cli) address: Vec<IpAddr>,
    /// Listen on every address of this host, apart from loopback.
    #[arg(long)]
    pub(in crate::cli) any_address: bool,
    /// How long to listen, as in `30m` or `2h`.
    #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = time)]
    pub(in crate::cli) time: Duration,
    /// Write what arrives to a file, every few seconds and at the end. `portproof report` takes this file too.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) log: Option<PathBuf>,
    /// A catalogue of rules to use instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) catalogue: Option<PathBuf>,
}

fn time(text: &str) -> Result<Duration, String> {
    crate::yaml::time_span(text)
        .ok_or_else(|| "write a number with ms, s, m, h or d, as in `2h`".to_string())
}
