//! A flow: its need and reasons, how it is tried, what clients log, what was seen.

use super::document::{ClientLogs, FlowExplained};
use super::{rule, seen, sure, tries, when};
use crate::plan::{self, ExceptionEntry, Flow, FlowEntry, Target};
use crate::probe::Ladder;
use crate::product::{Catalogue, Role};
use crate::report::{self, ReportDocument};
use crate::site::Site;

/// Explains a flow of the plan; `ladder` is how far it is tried.
pub fn flow(
    site: &Site,
    catalogue: &Catalogue,
    file: &str,
    flow: &Flow,
    ladder: Ladder,
    report: Option<&ReportDocument>,
) -> FlowExplained {
    let roles = plan::roles(site, catalogue, flow);
    let to_list = matches!(flow.to, Target::Host(_)) || roles.contains(&Role::CrlDistributionPoint);
    let logs = report::may_log(site, catalogue, flow);
    let client_logs = logs.into_iter().map(|(outcome, words)| ClientLogs {
        when: when(outcome).to_string(),
        words,
    });
    let entry = plan::entry(site, file, flow);
    FlowExplained {
        client_logs: client_logs.collect(),
        exception: exception(site, file, &entry.id),
        ..of_entry(
            catalogue,
            entry,
            tries::tries(flow.need, ladder, to_list),
            report,
        )
    }
}

/// Explains a flow that the plan does not have and the report has: what a sweep found, or a list that a certificate named.
pub fn flow_of_report(
    site: &Site,
    catalogue: &Catalogue,
    file: &str,
    id: &str,
    report: &ReportDocument,
) -> Option<FlowExplained> {
    let mut flows = report.flows.iter();
    let entry = &flows.find(|flow| flow.flow.id == id)?.flow;
    let to_list = entry.to.system.starts_with("crl.");
    let tries = tries::tries(entry.need, Ladder::Tcp, to_list);
    Some(FlowExplained {
        exception: exception(site, file, id),
        ..of_entry(catalogue, FlowEntry::clone(entry), tries, Some(report))
    })
}

fn exception(site: &Site, file: &str, id: &str) -> Option<ExceptionEntry> {
    let found = site.exception_for(id);
    found.map(|exception| plan::exception_entry(file, exception))
}

fn of_entry(
    catalogue: &Catalogue,
    entry: FlowEntry,
    tries: tries::Tries,
    report: Option<&ReportDocument>,
) -> FlowExplained {
    let is_own = entry.rules.iter().all(|rule| rule == plan::OWN);
    let topics = catalogue.topics_of(&entry.rules);
    FlowExplained {
        sure: match is_own {
            true => "the site file asks for it".to_string(),
            false => sure(entry.confidence).to_string(),
        },
        reasons: entry
            .rules
            .iter()
            .filter_map(|id| rule::rule(catalogue, id))
            .collect(),
        tried: tries.tried,
        proof: tries.proof,
        client_logs: Vec::new(),
        exception: None,
        topics: topics.iter().map(|topic| topic.id.clone()).collect(),
        seen: report
            .map(|report| seen::seen(report, &entry.id))
            .unwrap_or_default(),
        flow: entry,
    }
}
