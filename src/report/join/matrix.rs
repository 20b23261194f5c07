//! The verdicts from each start to each system.

use std::collections::{BTreeMap, BTreeSet};

use super::Planned;
use crate::plan::{FlowEntry, Source};
use crate::report::document::ReportFlow;
use crate::report::joined::MatrixCell;
use crate::report::summary::Summary;
use crate::verdict::Verdict;

/// Zone, system where only it may start the flows, and the system that they lead to.
type Place = (String, Option<String>, String);

/// The cells in which there is a flow, by start and end.
pub(super) fn matrix(flows: &[ReportFlow], plan: Option<&Planned>) -> Vec<MatrixCell> {
    let mut cells: BTreeMap<Place, (Summary, usize)> = BTreeMap::new();
    for flow in flows {
        let (summary, _) = cells.entry(place(&flow.flow)).or_default();
        match flow.accepted {
            Some(_) => summary.accepted += 1,
            None => *count(summary, flow.verdict) += 1,
        }
    }
    let known: BTreeSet<&str> = flows.iter().map(|flow| flow.flow.id.as_str()).collect();
    let planned = plan.map_or(&[][..], |plan| &plan.flows);
    for entry in planned.iter().filter(|it| !known.contains(it.id.as_str())) {
        cells.entry(place(entry)).or_default().1 += 1;
    }
    cells
        .into_iter()
        .map(|((zone, system, to), (flows, untried))| MatrixCell {
            from: Source { zone, system },
            to,
            flows,
            untried,
        })
        .collect()
}

/// The cells after a run that tried only what is needed: those of all flows that are known by now. What nobody had tried
/// before is still untried.
pub(in crate::report) fn after(before: &[MatrixCell], flows: &[ReportFlow]) -> Vec<MatrixCell> {
    if before.is_empty() {
        return Vec::new();
    }
    let mut cells = matrix(flows, None);
    for old in before.iter().filter(|it| it.untried > 0) {
        let same = |it: &&mut MatrixCell| it.from == old.from && it.to == old.to;
        match cells.iter_mut().find(same) {
            Some(cell) => cell.untried = old.untried,
            None => cells.push(MatrixCell {
                flows: Summary::default(),
                ..old.clone()
            }),
        }
    }
    cells
}

fn place(entry: &FlowEntry) -> Place {
    (
        entry.from.zone.clone(),
        entry.from.system.clone(),
        entry.to.system.clone(),
    )
}

fn count(summary: &mut Summary, verdict: Verdict) -> &mut usize {
    match verdict {
        Verdict::Ok => &mut summary.ok,
        Verdict::Blocked => &mut summary.blocked,
        Verdict::Down => &mut summary.down,
        Verdict::Wrong => &mut summary.wrong,
        Verdict::Exposed => &mut summary.exposed,
        Verdict::Unknown => &mut summary.unknown,
    }
}
