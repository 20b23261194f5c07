//! What a report saw of a flow.

use super::document::SeenFlow;
use crate::report::{self, ReportDocument, ReportFlow};
use crate::verdict::said_of;

/// What a report saw of a flow; nothing where it was not tried.
pub fn seen(report: &ReportDocument, id: &str) -> Vec<SeenFlow> {
    let finished = report.vantages.first().map(|it| it.finished.clone());
    let flows = report.flows.iter().filter(|flow| flow.flow.id == id);
    flows.map(|flow| one(flow, finished.clone())).collect()
}

fn one(flow: &ReportFlow, finished: Option<String>) -> SeenFlow {
    let mut client_logs: Vec<String> = flow.logged.iter().map(|it| it.words.clone()).collect();
    client_logs.dedup();
    SeenFlow {
        finished,
        state: flow.state,
        verdict: flow.verdict,
        cause: flow.cause,
        level: flow.level,
        owner: flow.owner,
        evidence: report::seen(flow),
        meaning: Some(said_of(flow.cause).meaning.clone()),
        advice: flow.advice.clone(),
        client_logs,
        accepted: flow.accepted.clone(),
        lapsed: flow.lapsed.clone(),
    }
}
