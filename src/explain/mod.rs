//! What a flow, a cause, a rule, a code or a log is about, in words. Pure: a word becomes a document, and that a text.
//!
//! A flow is explained by the plan and the catalogue (`flow`), with a report also by what was seen (`seen`). A cause is
//! explained by what is said of it in `verdict/causes.yaml`, from which `docs/verdicts.md` is written, too. A rule and
//! a topic are explained by the catalogue (`rule`, `topic`), a verdict and a role by their words (`word`). A finding has
//! the words of its page (`finding`). A code is explained by the table of codes (`code`), a log by the codes and hosts in
//! it (`log`). What the site file names is explained by the plan (`named`). A word that is none of these leads to the
//! nearest that are (`index`).

mod cause;
mod code;
mod document;
mod finding;
mod flow;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod index;
mod log;
mod named;
mod rule;
mod seen;
mod sheet;
mod text;
mod text_held;
mod topic;
mod tries;
mod word;

pub use document::{
    About, CauseExplained, ClientLogs, CodeExplained, CodeSeen, ExplainDocument, FindingExplained,
    FirewallExplained, FlowExplained, FlowToTry, Index, Known, KnownAs, LogExplained, PlaceSeen,
    PointsTo, RoleExplained, RuleExplained, SeenFlow, SystemExplained, TimesSeen, TopicExplained,
    UnknownCode, VerdictExplained,
};
pub use flow::{flow, flow_of_report};
pub use index::{index, suggestions, word};
pub use log::{Given, line, log};
pub use named::{named, names, with_role};
pub use seen::seen;
pub use text::text;

use crate::product::{Confidence, Outcome};

/// How sure something is, in words.
fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Documented => "documented for the product",
        Confidence::LaterVersion => {
            "documented for later versions, or seen in published code; expected to hold"
        }
        Confidence::Derived => "follows from what is documented",
        Confidence::Unconfirmed => {
            "expected, and confirmed by no document; never more than optional unless the site file \
             asks for it"
        }
    }
}

/// A source that may be cited: none where there is none.
fn cited(source: &str) -> Option<String> {
    (!source.is_empty()).then(|| source.to_string())
}

/// What goes wrong, as the beginning of a sentence.
fn when(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Silence => "when packets are dropped",
        Outcome::Reset => "when the connection is refused",
        Outcome::NoSuchName => "when the name has no address",
        Outcome::Aborted => "when the connection opens and is then broken off",
        Outcome::ClientCertificateWanted => "when the server wants a client certificate",
        Outcome::CertificateName => "when the certificate is for another name",
        Outcome::CertificateDate => "when the certificate has ended, or has not begun",
        Outcome::CertificateUntrusted => "when the certificate's issuer is not trusted",
        Outcome::RevocationUnreachable => "when the revocation list cannot be had",
        Outcome::TlsFailed => "when TLS fails in another way",
        Outcome::HttpUnauthorized => "when HTTP is answered with 401",
        Outcome::HttpForbidden => "when HTTP is answered with 403",
        Outcome::HttpError => "when HTTP is answered with an error",
    }
}
