//! Which flows of the site no one has tried who may start them.
//!
//! With the site file every flow is known, and those in no report are named. Without it, each report says how many
//! flows start where it could not try them. A zone from which there is no report has none of its own in any.

use std::collections::{BTreeMap, BTreeSet};

use super::Planned;
use super::rejudge::is_in_stead;
use crate::observation::FlowState;
use crate::plan::Source;
use crate::report::document::ReportFlow;
use crate::report::joined::{Coverage, Elsewhere, Untried, WhyUntried};
use crate::report::whole::ReportDocument;

/// Start and reason; the ids that belong to them.
type ByStart = BTreeMap<(String, Option<String>, WhyUntried), Vec<String>>;

/// What was tried, and what was not.
pub(super) fn coverage(
    flows: &[ReportFlow],
    reports: &[ReportDocument],
    plan: Option<&Planned>,
) -> Coverage {
    let zones: BTreeSet<&str> = reports.iter().flat_map(zones).collect();
    let mut by_start = ByStart::new();
    for flow in flows {
        if let Some(why) = why_untried(flow) {
            note(&mut by_start, &flow.flow.from, why, &flow.flow.id);
        }
    }
    let tried = flows.len() - by_start.values().map(Vec::len).sum::<usize>();
    if let Some(plan) = plan {
        let known: BTreeSet<&str> = flows.iter().map(|flow| flow.flow.id.as_str()).collect();
        let missing = plan
            .flows
            .iter()
            .filter(|it| !known.contains(it.id.as_str()));
        for entry in missing {
            let why = match zones.contains(entry.from.zone.as_str()) {
                true => WhyUntried::LeftOut,
                false => WhyUntried::NoReport,
            };
            note(&mut by_start, &entry.from, why, &entry.id);
        }
    }
    let mut starts: Vec<Untried> = by_start.into_iter().map(untried).collect();
    if plan.is_none() {
        starts.extend(by_count(flows, reports, &zones));
        starts.sort_by(|a, b| (&a.zone, &a.system, a.why).cmp(&(&b.zone, &b.system, b.why)));
    }
    Coverage {
        config_sha256: plan.map(|plan| plan.config_sha256.clone()),
        tried,
        untried: starts.iter().map(|start| start.flows).sum(),
        starts,
    }
}

/// The zones that a report was made from: a system with several legs is in several.
fn zones(report: &ReportDocument) -> impl Iterator<Item = &str> {
    let vantage = &report.vantages[0];
    let all = std::iter::once(&vantage.zone).chain(&vantage.also_in);
    all.map(String::as_str)
}

fn why_untried(flow: &ReportFlow) -> Option<WhyUntried> {
    match flow.state {
        _ if is_in_stead(flow) => Some(WhyUntried::InStead),
        FlowState::NotTried => Some(WhyUntried::NotTried),
        _ => None,
    }
}

fn note(by_start: &mut ByStart, from: &Source, why: WhyUntried, id: &str) {
    by_start
        .entry((from.zone.clone(), from.system.clone(), why))
        .or_default()
        .push(id.to_string());
}

fn untried(
    ((zone, system, why), ids): ((String, Option<String>, WhyUntried), Vec<String>),
) -> Untried {
    Untried {
        zone: Some(zone),
        system,
        why,
        flows: ids.len(),
        ids,
    }
}

/// Without the site file: the starts that reports name in zones from which there is none.
fn by_count(
    flows: &[ReportFlow],
    reports: &[ReportDocument],
    zones: &BTreeSet<&str>,
) -> Vec<Untried> {
    let mut counts: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    let named = reports.iter().flat_map(|report| &report.elsewhere);
    for start in named.filter(|start| !zones.contains(start.zone.as_str())) {
        let count = counts
            .entry((&start.zone, start.system.as_deref()))
            .or_default();
        *count = (*count).max(start.flows);
    }
    let at = |((zone, system), flows): ((&str, Option<&str>), usize)| Untried {
        zone: Some(zone.to_string()),
        system: system.map(str::to_string),
        why: WhyUntried::NoReport,
        flows,
        ids: Vec::new(),
    };
    let mut all: Vec<Untried> = counts.into_iter().map(at).collect();
    let unnamed = reports
        .iter()
        .filter(|report| report.elsewhere.is_empty())
        .map(|report| {
            let own: BTreeSet<&str> = self::zones(report).collect();
            let others = flows
                .iter()
                .filter(|flow| !own.contains(flow.flow.from.zone.as_str()));
            report.flows_elsewhere.saturating_sub(others.count())
        })
        .max()
        .filter(|flows| *flows > 0);
    all.extend(unnamed.map(|flows| Untried {
        zone: None,
        system: None,
        why: WhyUntried::NoReport,
        flows,
        ids: Vec::new(),
    }));
    all
}

/// How many flows start where nothing was run.
pub(super) fn elsewhere(coverage: &Coverage) -> usize {
    let starts = coverage.starts.iter();
    starts
        .filter(|start| start.why == WhyUntried::NoReport)
        .map(|start| start.flows)
        .sum()
}

/// The starts where nothing was run.
pub(super) fn starts_elsewhere(coverage: &Coverage) -> Vec<Elsewhere> {
    let starts = coverage.starts.iter();
    starts
        .filter(|start| start.why == WhyUntried::NoReport)
        .filter_map(|start| {
            Some(Elsewhere {
                zone: start.zone.clone()?,
                system: start.system.clone(),
                flows: start.flows,
            })
        })
        .collect()
}
