//! Counting flows by verdict.

use super::document::ReportFlow;
use super::summary::Summary;
use crate::verdict::Verdict;

/// Counts flows.
pub(super) fn summary<'a>(flows: impl IntoIterator<Item = &'a ReportFlow>) -> Summary {
    let mut summary = Summary::default();
    for flow in flows {
        let count = match (&flow.accepted, flow.verdict) {
            (Some(_), _) => &mut summary.accepted,
            (None, Verdict::Ok) => &mut summary.ok,
            (None, Verdict::Blocked) => &mut summary.blocked,
            (None, Verdict::Down) => &mut summary.down,
            (None, Verdict::Wrong) => &mut summary.wrong,
            (None, Verdict::Exposed) => &mut summary.exposed,
            (None, Verdict::Unknown) => &mut summary.unknown,
        };
        *count += 1;
    }
    summary
}
