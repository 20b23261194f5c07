//! What `portproof explain` takes.

use std::path::PathBuf;

use clap::Args;

use super::Shared;

/// `portproof explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof explain                                   what can be explained
  portproof explain \"internet>ibs01:443/tcp\"          a flow, in quotes because of its `>`
  portproof explain \"internet>ibs01:443/tcp\" --report report.json
  portproof explain no-answer                         a cause
  portproof explain client-mp-https site.yaml         a rule, with the flows that it makes
  portproof explain client-ports                      where the console shows the numbers")]
pub(in crate::cli) struct Explain {
    /// The id of a flow, a cause, the id of a rule, or a topic. Without it, portproof lists what it can explain.
    pub(in crate::cli) what: Option<String>,
    /// The site file, for flows [default: probes.yaml]. For a rule, portproof reads it only when you name it.
    pub(in crate::cli) file: Option<PathBuf>,
    /// A report. The explanation then also has what was seen of the flow, or the flows that have the cause.
    #[arg(long, value_name = "REPORT", requires = "what")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// Refuse a report that none of these public keys (PEM, Ed25519) has signed. The signature is in REPORT.sig. The option
    /// may be given several times; one key that fits is enough.
    #[arg(long, value_name = "PUBLIC-KEY", requires = "report")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared,
}
