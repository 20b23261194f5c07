//! Old numbers that clients still use: they are closed, but later.

use std::collections::BTreeMap;

use super::{Reach, Reached};
use crate::change::Of;
use crate::product::Need;
use crate::report::document::ReportFlow;
use crate::verdict::{Cause, Level, Verdict};

/// What the new file forbids and clients with the old number still reach has to stay open until they have moved. To
/// close it now would strand them.
///
/// `steps` has the number of the step that closes a flow, by its id.
pub(in crate::report) fn close_later(
    change: &mut Reach,
    steps: &BTreeMap<String, usize>,
    flows: &mut [ReportFlow],
) {
    let is_used = |flow: &ReportFlow| {
        change
            .systems
            .iter()
            .any(|it| it.flow == flow.flow.id && it.of == Of::Old && it.reached == Reached::Yes)
    };
    let mut later = Vec::new();
    let open = |flow: &&mut ReportFlow| {
        flow.flow.need == Need::Forbidden && flow.cause == Cause::Open && is_used(flow)
    };
    for flow in flows.iter_mut().filter(open) {
        flow.verdict = Verdict::Ok;
        flow.cause = Cause::ClosingLater;
        flow.level = Level::Note;
        flow.owner = None;
        flow.logged = Vec::new();
        let step = step(steps.get(&flow.flow.id));
        flow.advice = advice(&step, &change.against);
        later.push(format!(
            " Leave {} of {} open until every client has the new number; it closes in {step} of \
             the change.",
            flow.flow.service(),
            flow.flow.to.system
        ));
    }
    change.paragraph += &later.concat();
}

fn step(number: Option<&usize>) -> String {
    match number {
        Some(number) => format!("step {number}"),
        None => "the last steps".to_string(),
    }
}

fn advice(step: &str, against: &str) -> String {
    format!(
        "Leave it open now: clients with the old number are still reached here. Close it in \
         {step} of `portproof plan` with `--against {against}`, once every client has the new \
         number."
    )
}
