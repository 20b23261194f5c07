//! All verdicts of a run, and how they are shown: pure, from judged flows to a document, from the document to text.

mod advice;
mod arrivals;
mod assemble;
mod diff;
mod client;
mod count;
mod document;
mod earlier;
mod evidence;
mod findings;
mod folded;
mod formats;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod exceptions;
mod join;
mod joined;
mod lines;
mod logged;
mod on_roles;
#[cfg(test)]
pub(crate) mod sample;
mod ranges;
mod reach;
mod read;
mod resume;
mod sent;
mod signature;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod whole;

pub use arrivals::{
    Arrival, ArrivalKind, ArrivalsDocument, ListenedPort, Listening, SCHEMA as ARRIVALS_SCHEMA,
};
pub use assemble::{Outcome, SweptSystem, assemble};
pub use client::{ClientNumber, ClientRun, ClientView, ClientViewStep, NameAnswer, resolver_words};
pub use diff::{Change, DiffDocument, diff, diff_text};
pub(crate) use diff::{stands_well, worst_by_id};
pub use document::{
    Accepted, AgentName, Evidence, Finished, Lapsed, Note, ReportFlow, Sweep, SweptEarlier, Vantage,
};
pub use findings::{Finding, Findings, Part, Proved, Required, Table, Team, seen};
pub(crate) use findings::{rank, team};
pub use formats::{
    Cell, Look, Metrics, STYLE, Status, Strip, Strips, csv, html, html_served, junit, live_policy,
    markdown, nagios, nagios_failed, prometheus, sarif, since_1970,
};
pub use join::{Mixed, Named, Parts, Planned, join};
pub use joined::{
    Alive, Answer, Arrived, Contradiction, Coverage, Elsewhere, KnownBy, MatrixCell, Saw,
    SeenArriving, Untried, WhyUntried, elsewhere,
};
pub use lines::counts;
pub use logged::may_log;
pub use reach::{Against, Reach, Reached, ReachedBy, ReachedNumber, ReachedSystem};
pub use read::{Joinable, read, read_arrivals, read_joinable};
pub use resume::{Here, Kept, Resumed, resume};
pub use signature::{SIGNATURE_LENGTH, SignatureFault, SigningKey, VerifyingKey};
pub use summary::Summary;
pub use text::text;
pub use whole::ReportDocument;

use crate::verdict::{Level, Verdict};

/// How much to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What is wrong, and counts.
    Findings,
    /// Every flow.
    Everything,
}

/// What a report says to the shell: 0 nothing wrong, 1 something is, 3 nothing is but something is unknown.
pub fn exit_status(report: &ReportDocument, strict: bool) -> u8 {
    let any = |weight| report.flows.iter().any(|it| weighs(it, strict) == weight);
    match (any(Weighs::Failure), any(Weighs::Question)) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }
}

/// What a flow adds to the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weighs {
    /// Nothing.
    Nothing,
    /// Something is unknown that matters.
    Question,
    /// Something is wrong.
    Failure,
}

/// What is accepted says nothing, but that an exception ends soon is worth a warning.
fn weighs(flow: &ReportFlow, strict: bool) -> Weighs {
    let warns_of_exception = flow
        .accepted
        .as_ref()
        .is_some_and(|it| strict && it.ends_soon());
    let level = match (&flow.accepted, flow.level) {
        (Some(_), _) if warns_of_exception => Level::Error,
        (Some(_), _) => Level::Note,
        (None, level) => level,
    };
    match (flow.verdict.fails(), level) {
        (true, Level::Error) => Weighs::Failure,
        (true, Level::Warning) if strict => Weighs::Failure,
        (false, Level::Error | Level::Warning) if flow.verdict == Verdict::Unknown => {
            Weighs::Question
        }
        (_, Level::Error | Level::Warning | Level::Note) => Weighs::Nothing,
    }
}
