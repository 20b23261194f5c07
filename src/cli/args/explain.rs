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
  portproof explain client-ports                      where the console shows the numbers
  portproof explain 0x80072EE2                        a code of a client's log, as number or name
  portproof explain ibs01                             a system or firewall of probes.yaml
  portproof explain --log CcmMessaging.log            the codes of a log, and the flows that they are about")]
pub(in crate::cli) struct Explain {
    /// A flow by its id, a cause, a verdict, a rule, a topic, a role, or the code of a finding. Or a code of a client's log
    /// as number or name, or a line of such a log. Or a system or firewall of the site file. Without it, portproof lists
    /// what it can explain. With --log this is the site file.
    #[arg(allow_negative_numbers = true)]
    pub(in crate::cli) what: Option<String>,
    /// The site file, for what it names and for the flows of a log [default: probes.yaml]. For words of its own, portproof
    /// reads it only when you name it.
    pub(in crate::cli) file: Option<PathBuf>,
    /// A log of a client: CcmMessaging.log, LocationServices.log, WindowsUpdate.log and the like.
    #[arg(long, value_name = "LOG", conflicts_with_all = ["file", "report"])]
    pub(in crate::cli) log: Option<PathBuf>,
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
