//! What `portproof plan` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Shared, name};

/// `portproof plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof plan
  portproof plan --verbose                      each flow with where it leads, what fails without it, who says so
  portproof plan site.yaml --format json | jq -r '.flows[].id'    what must or may pass
  portproof plan new.yaml --against old.yaml    what a change opens and closes, and in which order
  portproof plan --against ticket.csv           what a ticket asks for, and what the site needs
  portproof plan --format csv --output rules.csv
  portproof plan --format nftables --firewall front-end --output front-end.nft
  portproof plan --format asa --output rules/            a file for each firewall
  portproof plan --format nftables --firewall back-end --missing report.json
A file of rules is for one device. With several devices, name one by --firewall, or a folder by --output.
docs/plan.md explains the JSON, docs/firewall-rules.md shows an example of each other format.")]
pub(in crate::cli) struct Plan {
    /// The site file.
    #[arg(default_value = "probes.yaml")]
    pub(in crate::cli) file: PathBuf,
    /// The site file as it is today: the plan then shows the steps that lead from it to FILE. Or a ticket, a table that ends in `.csv`: then it shows what was asked for against what is needed.
    #[arg(long, value_name = "OLD")]
    pub(in crate::cli) against: Option<PathBuf>,
    /// Say of each flow where it leads, what fails without it and who says so, not only what it is for.
    #[arg(long, short)]
    pub(in crate::cli) verbose: bool,
    /// Write the rules of this firewall only. With --format windows or netsh, name a system.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(in crate::cli) firewall: Option<String>,
    /// Write rules for optional flows too, not only for required ones.
    #[arg(long)]
    pub(in crate::cli) optional: bool,
    /// Write rules only for flows that this report of `check` shows as blocked.
    #[arg(long, value_name = "REPORT.json")]
    pub(in crate::cli) missing: Option<PathBuf>,
    /// Refuse a report of --missing that none of these public keys (PEM, Ed25519) has signed. The signature is in REPORT.json.sig. The option
    /// may be given several times; one key that fits is enough.
    #[arg(long, value_name = "PUBLIC-KEY", requires = "missing")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared<PlanFormat>,
}

/// How to show a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PlanFormat {
    /// Tables by firewall, for people. With --verbose, every flow with its reason and source.
    Text,
    /// The same for programs; `portproof schema plan` prints its schema.
    Json,
    /// The flows that each firewall has to let through, as a table for spreadsheets.
    Csv,
    /// The same as a table for each firewall, for tickets and pages.
    Markdown,
    /// Rules of a firewall for `nft -f`.
    Nftables,
    /// Rules of a firewall for `iptables-restore` and `ip6tables-restore`.
    Iptables,
    /// Inbound rules of a host's own firewall, as a PowerShell script.
    Windows,
    /// The same as a batch file of netsh commands, for Windows Server 2008 and 2008 R2.
    Netsh,
    /// Rules of a firewall for Cisco ASA.
    Asa,
    /// Rules of a firewall as PAN-OS set commands.
    Panos,
}
