//! What `portproof explain` takes.

use std::path::PathBuf;

use clap::Args;

use super::Shared;

/// `portproof explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof explain                                   what can be explained
  portproof explain \"internet>ibs01:443/tcp\"          a flow of probes.yaml; the quotes keep the shell from the `>`
  portproof explain \"internet>ibs01:443/tcp\" --report report.json
  portproof explain no-answer                         a cause
  portproof explain client-mp-https site.yaml         a rule, with the flows that it makes
  portproof explain client-ports                      where the console shows the numbers")]
pub(in crate::cli) struct Explain {
    /// The id of a flow, a cause, the id of a rule, or a topic; without it, what can be explained is listed.
    pub(in crate::cli) what: Option<String>,
    /// The site file, which is read for flows, and for rules when it is named [default: probes.yaml].
    pub(in crate::cli) file: Option<PathBuf>,
    /// A report: what was seen of the flow, or where the cause was seen.
    #[arg(long, value_name = "REPORT", requires = "what")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// Refuse the report unless it has a signature by this public key (PEM, Ed25519) in REPORT.sig. May be given several
    /// times: any of the keys will do.
    #[arg(long, value_name = "PUBLIC-KEY", requires = "report")]
    pub(in crate::cli) verify: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) shared: Shared,
}
