//! A cause: what it means, how it was known, who has to act, what to do.

use super::document::CauseExplained;
use crate::report::ReportDocument;
use crate::verdict::{Cause, said_of};

pub(super) fn cause(cause: Cause, report: Option<&ReportDocument>) -> CauseExplained {
    let said = said_of(cause);
    let flows = report.map(|report| report.flows.as_slice());
    let flows = flows.unwrap_or_default().iter();
    CauseExplained {
        cause,
        meaning: said.meaning.clone(),
        known_by: said.known_by.clone(),
        owners: said.owners.clone(),
        to_do: said.to_do.clone(),
        seen_at: flows
            .filter(|flow| flow.cause == cause)
            .map(|flow| flow.flow.id.clone())
            .collect(),
    }
}
