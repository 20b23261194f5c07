//! What the log tells of a flow, from its question to its verdict. Every line carries the flow's id.
//!
//! What stands between, packet by packet, is told by `probe`, in the span that a question is given here.

use std::fmt;
use std::net::IpAddr;

use tracing::field::{debug as debugged, display as shown};
use tracing::{Level, Span, debug, debug_span};

use super::targets::Names;
use crate::attribution::Found;
use crate::diagnostic::visible;
use crate::observation::{Brief, Path};
use crate::plan::{self, Flow};
use crate::probe::Question;
use crate::site::Site;
use crate::verdict::{Judged, Seen};

/// A flow's id as the log shows it: that of a revocation list's host holds what a certificate says.
fn id(site: &Site, flow: &Flow) -> String {
    visible(&plan::id(site, flow))
}

/// The span of a question that these flows ask.
pub(super) fn span<'a>(site: &Site, number: usize, flows: impl Iterator<Item = &'a Flow>) -> Span {
    if !tracing::enabled!(Level::DEBUG) {
        return Span::none();
    }
    let ids: Vec<String> = flows.map(|flow| id(site, flow)).collect();
    debug_span!("question", number, flow = %ids.join(","))
}

/// What the name of a flow's end was resolved to.
pub(super) fn resolved(site: &Site, flow: &Flow, name: &str, names: &Names) {
    debug!(flow = %id(site, flow), name, answer = names.get(name).map(debugged), "resolved");
}

/// What is about to be asked.
pub(super) fn asks(question: &Question) {
    question.span.in_scope(|| {
        debug!(
            to = ?question.target,
            port = question.port,
            name = question.name,
            ladder = ?question.ladder,
            turn = ?question.turn,
            "asks"
        );
    });
}

/// What a closer look at one host found.
pub(super) fn found(questions: &[Question], address: IpAddr, found: &Found) {
    for (number, path) in &found.paths {
        let Some(question) = questions.get(*number) else {
            continue;
        };
        let times = found.reset_times.get(number).map(debugged);
        question.span.in_scope(|| {
            debug!(hops = %Hops(path), dropped = path.dropped.map(debugged), reset_times = times, "path");
        });
    }
    let doors = found.doors.iter();
    let doors: Vec<_> = doors.map(|(port, seen)| (port, &seen.state)).collect();
    debug!(%address, ?doors, dead_by = found.dead_by.map(shown), "looked closer");
}

/// What a flow was judged to be, and by which answer. `question` is the number of the one that decided.
pub(super) fn decided(site: &Site, seen: &Seen, judged: &Judged, question: Option<usize>) {
    let judgement = judged.judgement;
    let evidence = seen.observations.get(judged.observation);
    debug!(
        flow = %id(site, &seen.flow),
        need = %seen.flow.need,
        verdict = %judgement.verdict,
        cause = %judgement.cause,
        level = %judgement.level,
        owner = judgement.owner.map(shown),
        control = judged.control().map(debugged),
        question,
        evidence = evidence.map(|seen| shown(Brief(seen))),
        "decided"
    );
}

/// The hops of a path.
struct Hops<'a>(&'a Path);

impl fmt::Display for Hops<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[")?;
        for (place, hop) in self.0.hops.iter().enumerate() {
            let gap = if place > 0 { ", " } else { "" };
            write!(formatter, "{gap}{} {:?}", hop.number, hop.answer)?;
        }
        formatter.write_str("]")
    }
}
