//! What `portproof plan` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Shared;

/// `portproof plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof plan
  portproof plan site.yaml --format json | jq -r '.flows[].id'
  portproof plan new.yaml --against old.yaml    what a change opens, closes and strands, in which order to go
  portproof plan --format csv --output rules.csv
  portproof plan --format nftables --firewall front-end --output front-end.nft
  portproof plan --format asa --output rules/            a file for each firewall
  portproof plan --format nftables --firewall back-end --missing report.json
A file of rules is for one device, so with several: --firewall, or a folder as --output. docs/firewall-rules.md has
each format with an example.")]
pub(in crate::cli) struct Plan {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(in crate::cli) file: PathBuf,
    /// The site file as it is today: shows what the change from it to FILE asks for.
    #[arg(long, value_name = "OLD")]
    pub(in crate::cli) against: Option<PathBuf>,
    /// Rules of this firewall only (of --format windows: of this system).
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) firewall: Option<String>,
    /// Rules for optional flows too; without it, for required ones only.
    #[arg(long)]
    pub(in crate::cli) optional: bool,
    /// Rules only for flows that this report of `check` shows as blocked.
    #[arg(long, value_name = "REPORT.json")]
    pub(in crate::cli) missing: Option<PathBuf>,
    /// Refuse the report of --missing unless it has a signature by this public key (PEM, Ed25519) in REPORT.json.sig. May
    /// be given several times: any of the keys will do.
    #[arg(long, value_name = "PUBLIC-KEY", requires = "missing")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared<PlanFormat>,
}

/// How to show a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PlanFormat {
    /// Every flow with why and source, for people.
    Text,
    /// The same for programs; `portproof schema plan` prints its schema.
    Json,
    /// What each firewall has to let through, as a table for spreadsheets.
    Csv,
    /// The same as a table for each firewall, for tickets and pages.
    Markdown,
    /// Rules of a firewall for `nft -f`.
    Nftables,
    /// Rules of a firewall for `iptables-restore` and `ip6tables-restore`.
    Iptables,
    /// Inbound rules of a host's own firewall, as a PowerShell script.
    Windows,
    /// Rules of a firewall for Cisco ASA.
    Asa,
    /// Rules of a firewall as PAN-OS set commands.
    Panos,
}
