//! A cause: what it means, how it was known, who has to act, what to do.

use super::document::CauseExplained;
use super::page;
use crate::report::ReportDocument;
use crate::verdict::Cause;

pub(super) fn cause(cause: Cause, report: Option<&ReportDocument>) -> Option<CauseExplained> {
    let words = page::words(cause)?;
    let flows = report.map(|report| report.flows.as_slice());
    Some(CauseExplained {
        cause,
        meaning: words.meaning,
        known_by: words.known_by,
        owners: page::owners(cause)
            .into_iter()
            .map(str::to_string)
            .collect(),
        to_do: words.to_do,
        seen_at: flows
            .unwrap_or_default()
            .iter()
            .filter(|flow| flow.cause == cause)
            .map(|flow| flow.flow.id.clone())
            .collect(),
    })
}
