//! For each firewall a table to copy: what is to be passed or blocked there.

use std::collections::BTreeMap;

use crate::report::document::ReportFlow;
use crate::report::whole::ReportDocument;
use crate::verdict::Remedy;

/// What is to be changed at one firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The firewall, or the box that it is a leg of.
    pub device: String,
    /// The names of the columns.
    pub head: Vec<&'static str>,
    /// One row for each rule, with a cell for each column.
    pub rows: Vec<Vec<String>>,
}

/// For each firewall a table to copy; the legs of one box have one together.
pub(super) fn tables(report: &ReportDocument, findings: &[&ReportFlow]) -> Vec<Table> {
    let mut by_box: BTreeMap<String, Vec<(&ReportFlow, Vec<String>)>> = BTreeMap::new();
    for flow in findings.iter().filter(|flow| flow.remedy().is_some()) {
        let mut legs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for firewall in to_change(flow) {
            let device = report.devices.get(&firewall).unwrap_or(&firewall).clone();
            legs.entry(device).or_default().push(firewall);
        }
        for (device, legs) in legs {
            by_box.entry(device).or_default().push((flow, legs));
        }
    }
    let table = |(device, flows): (String, Vec<(&ReportFlow, Vec<String>)>)| {
        let mut head = HEAD.to_vec();
        let mut rows: Vec<Vec<String>> = flows.iter().map(|(flow, _)| row(flow).to_vec()).collect();
        if report.devices.values().any(|it| *it == device) {
            head.push("legs");
            for (row, (_, legs)) in rows.iter_mut().zip(&flows) {
                row.push(legs.join(", "));
            }
        }
        Table { device, head, rows }
    };
    by_box.into_iter().map(table).collect()
}

/// The columns of a firewall's table.
const HEAD: [&str; 5] = ["source", "destination", "service", "wanted", "flow"];

/// The firewalls whose rules are to be looked at: those that the evidence names, else all that the flow crosses.
fn to_change(flow: &ReportFlow) -> Vec<String> {
    let accused = flow.evidence.accused();
    if accused.is_empty() {
        flow.flow.crosses.clone()
    } else {
        accused
    }
}

fn row(flow: &ReportFlow) -> [String; 5] {
    let entry = &flow.flow;
    let source = entry
        .from
        .system
        .clone()
        .unwrap_or_else(|| entry.from.zone.clone());
    let destination = if entry.to.addresses.is_empty() {
        entry.to.system.clone()
    } else {
        format!("{} ({})", entry.to.addresses.join(", "), entry.to.system)
    };
    let wanted = flow.remedy().map_or("", Remedy::name);
    [
        source,
        destination,
        service(flow),
        wanted.to_string(),
        entry.id.clone(),
    ]
}

/// The ports that a rule is wanted for: those of the flow, or those that an endpoint mapper named beside them.
fn service(flow: &ReportFlow) -> String {
    let named = flow.ports_named_outside();
    if named.is_empty() {
        return flow.flow.service();
    }
    let named: Vec<String> = named.iter().map(u16::to_string).collect();
    format!("{}/{}", named.join(","), flow.flow.transport)
}
