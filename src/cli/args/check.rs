//! What `portproof check` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ReportFormat, Shared, name};

/// `portproof check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof check --lab
  portproof check probes.yaml --lab --healthy                     what a report on that site looks like
  portproof check --from internet
  portproof check site.yaml --from perimeter --as ibs01 --format json --output ibs01.json --sign dmz.key
  portproof check --resume r.json --format json --output r.json   go on with a sweep that Ctrl-C ended
  portproof check --keep history --notify-on change               what changed since the run before
  portproof check new.yaml --against old.yaml --from internet     who reaches a management point while ports change
  portproof check --client --https-port 8443 --from internet      what a client with that number sees
  portproof check site.yaml --agents agents.yaml --listeners      every zone at once, by agents that stand there")]
pub(in crate::cli) struct Check {
    /// The site file. Without it, it is probes.yaml.
    pub(in crate::cli) file: Option<PathBuf>,
    /// The zone that this host is in. Without it, portproof finds the zone by this host's addresses.
    #[arg(long, value_name = "ZONE", value_parser = name)]
    pub(in crate::cli) from: Option<String>,
    /// The system of the site file that this host is. Without it, portproof finds the system by this host's addresses.
    #[arg(long = "as", value_name = "SYSTEM", value_parser = name)]
    pub(in crate::cli) system: Option<String>,
    /// Use --from and --as even though this host's addresses say otherwise. The report says so.
    #[arg(long, conflicts_with = "lab")]
    pub(in crate::cli) force_vantage: bool,
    /// Try a stand-in on loopback, with planted faults: of an example site, or of FILE. Nothing leaves this host.
    #[arg(long, conflicts_with = "system")]
    pub(in crate::cli) lab: bool,
    /// Leave the planted faults out of the lab.
    #[arg(long, requires = "lab")]
    pub(in crate::cli) healthy: bool,
    /// The site file from before a change of ports. The report then also says which clients reach a management point now.
    #[arg(long, value_name = "OLD", conflicts_with = "lab")]
    pub(in crate::cli) against: Option<PathBuf>,
    /// Try only the flows that a client in this zone uses. The report keeps the client's order.
    #[arg(long, conflicts_with_all = ["lab", "system"])]
    pub(in crate::cli) client: bool,
    /// The port number that the client uses for HTTP, if it is not that of the site.
    #[arg(long, value_name = "PORT", requires = "client", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) http_port: Option<u16>,
    /// The port number that the client uses for HTTPS, if it is not that of the site.
    #[arg(long, value_name = "PORT", requires = "client", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) https_port: Option<u16>,
    /// Go on with the sweep of a run that was interrupted, whose report in JSON this is. Flows of the plan are tried again,
    /// finished ports of the sweep are not. The run must have ended less than a day ago, here, with the same site file.
    #[arg(long, value_name = "REPORT", conflicts_with_all = ["lab", "client", "gentle"])]
    pub(in crate::cli) resume: Option<PathBuf>,
    /// Refuse REPORT unless one of these public keys (PEM, Ed25519) has signed it. The signature is in REPORT.sig.
    #[arg(long, value_name = "PUBLIC-KEY", requires = "resume")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    /// Do not trace paths. The report then cannot say where packets are dropped or which device sent a reset.
    #[arg(long)]
    pub(in crate::cli) no_path: bool,
    /// Disturb nothing: needed flows with two connections at once, one forbidden port every 8 seconds, no ports that nobody
    /// uses, no sweep. This is the default on a system of the file that serves others.
    #[arg(long, conflicts_with = "no_gentle")]
    pub(in crate::cli) gentle: bool,
    /// Try everything at the rate of the file, on a system that serves others too. A device that watches for scans may
    /// then shut that system out.
    #[arg(long)]
    pub(in crate::cli) no_gentle: bool,
    /// Exit with 1 for faults of level `warning` too, not only of level `error`.
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    /// Sign the report with this private key (PEM, Ed25519). The signature goes to OUTPUT.sig.
    #[arg(long, value_name = "KEY", requires = "output")]
    pub(in crate::cli) sign: Option<PathBuf>,
    /// Show every flow, not only what is wrong.
    #[arg(long, short)]
    pub(in crate::cli) verbose: bool,
    /// A file with the token of `portproof listen`. Each port that opens is then asked for such a listener. The token may
    /// also stand in the environment variable PORTPROOF_TOKEN.
    #[arg(long, value_name = "FILE", conflicts_with = "lab")]
    pub(in crate::cli) token_file: Option<PathBuf>,
    /// Keep this run in the history of this folder, which is made where it is missing (`portproof history`). Or in a
    /// PostgreSQL database: `postgres://user@host/database`. The password may stand in the environment variable PGPASSWORD.
    #[arg(long, value_name = "FOLDER|URL")]
    pub(in crate::cli) keep: Option<PathBuf>,
    /// Days that a run is kept; 400 unless you say otherwise.
    #[arg(long, value_name = "DAYS", requires = "keep", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(in crate::cli) keep_days: Option<u32>,
    /// The largest size of the history in megabytes; 200 unless you say otherwise. The oldest reports go first, and the
    /// last one of each place stays.
    #[arg(long, value_name = "MB", requires = "keep", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(in crate::cli) keep_size: Option<u32>,
    /// Say only what changed since the run before this one. The exit status is then 4 when something changed, 0 when
    /// nothing did, and 2 when the run failed.
    #[arg(long, value_name = "WHAT", requires = "keep")]
    pub(in crate::cli) notify_on: Option<NotifyOn>,
    /// Let the agents of this file try all of their zones at once, and join what they saw (`portproof agent`).
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lab", "from", "system", "force_vantage", "against", "client", "resume", "token_file", "catalogue"])]
    pub(in crate::cli) agents: Option<PathBuf>,
    /// Let agents stand in for their systems meanwhile, as `portproof listen` does.
    #[cfg(feature = "nats")]
    #[arg(long, requires = "agents")]
    pub(in crate::cli) listeners: bool,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared<ReportFormat>,
}

/// What a scheduled run tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum NotifyOn {
    /// What is better or worse than at the run before.
    Change,
}
