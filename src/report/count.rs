//! Counting flows by verdict.

use super::document::ReportFlow;
use super::summary::Summary;
use crate::verdict::Verdict;

/// Counts flows.
pub(super) fn summary(flows: &[ReportFlow]) -> Summary {
    let count = |verdict: Verdict| {
        flows
            .iter()
            .filter(|flow| flow.accepted.is_none() && flow.verdict == verdict)
            .count()
    };
    Summary {
        ok: count(Verdict::Ok),
        blocked: count(Verdict::Blocked),
        down: count(Verdict::Down),
        wrong: count(Verdict::Wrong),
        exposed: count(Verdict::Exposed),
        unknown: count(Verdict::Unknown),
        accepted: flows.iter().filter(|flow| flow.accepted.is_some()).count(),
    }
}
