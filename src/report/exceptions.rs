//! Accepted deviations, put beside the flows that they are for once these are judged. Nothing of a verdict changes. A
//! flow whose exception holds is marked and counts apart; one whose exception has lapsed is marked and counts as
//! before.

use jiff::civil::Date;

use super::document::{Accepted, Lapsed, Note, ReportFlow};
use crate::site::{Exception, Site};
use crate::verdict::{Cause, Verdict};

/// Marks the flows of a report that have an exception, and says what of the exceptions is worth a word on this day.
pub(super) fn apply(site: &Site, flows: &mut [ReportFlow], today: Date) -> Vec<Note> {
    let mut notes = Vec::new();
    if site.exceptions.is_empty() {
        return notes;
    }
    for flow in flows {
        let Some(exception) = site.exception_for(&flow.flow.id) else {
            continue;
        };
        notes.extend(mark(flow, exception, today));
    }
    notes
}

fn mark(flow: &mut ReportFlow, exception: &Exception, today: Date) -> Option<Note> {
    let Exception {
        flow: id,
        until,
        why,
        ..
    } = exception;
    let days_left = exception.days_left(today);
    let system = flow.flow.to.system.clone();
    let note = |cause: Cause, text: String| {
        Some(Note {
            cause,
            system,
            text,
        })
    };
    if flow.verdict == Verdict::Ok {
        let text =
            format!("the exception for {id} ({why}) is not needed: the flow is as it must be");
        return note(Cause::ExceptionNotNeeded, text);
    }
    if days_left < 0 {
        flow.lapsed = Some(Lapsed {
            until: until.to_string(),
            why: why.clone(),
        });
        let text =
            format!("the exception for {id} ({why}) lapsed after {until}; the flow counts again");
        return note(Cause::ExceptionLapsed, text);
    }
    let accepted = Accepted {
        until: until.to_string(),
        why: why.clone(),
        days_left,
    };
    let ends_soon = accepted.ends_soon();
    flow.accepted = Some(accepted);
    let when = match days_left {
        0 => "today".to_string(),
        1 => format!("on {until}, tomorrow"),
        days => format!("on {until}, in {days} days"),
    };
    let text = format!("the exception for {id} ({why}) ends {when}");
    ends_soon.then(|| note(Cause::ExceptionEndsSoon, text))?
}
