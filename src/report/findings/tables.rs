//! For each firewall a table to copy: what is to be passed or blocked there. Rules that differ only in the port are one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::plan::Port;
use crate::product::Transport;
use crate::report::document::ReportFlow;
use crate::report::folded::{folded, listed};
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

/// For each firewall a table to copy, in the order of the findings; the legs of one box have one together.
pub(super) fn tables(report: &ReportDocument, findings: &[&ReportFlow]) -> Vec<Table> {
    let mut by_box: BTreeMap<String, Rules<'_>> = BTreeMap::new();
    for flow in findings.iter().filter(|flow| flow.remedy().is_some()) {
        let mut legs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for firewall in to_change(flow) {
            let device = report.devices.get(&firewall).unwrap_or(&firewall).clone();
            legs.entry(device).or_default().push(firewall);
        }
        for (device, legs) in legs {
            by_box.entry(device).or_default().add(flow, legs);
        }
    }
    let table = |(device, rules): (String, Rules<'_>)| {
        let has_legs = report.devices.values().any(|it| *it == device);
        let mut head = HEAD.to_vec();
        head.extend(has_legs.then_some("legs"));
        let row = |rule: &Rule<'_>| {
            let mut row = rule.row().to_vec();
            row.extend(has_legs.then(|| rule.legs.join(", ")));
            row
        };
        let rows = rules.all.iter().map(row).collect();
        Table { device, head, rows }
    };
    by_box.into_iter().map(table).collect()
}

/// How many rules are asked for; those that differ only in the port are one.
pub(super) fn count_rules<'a>(flows: impl Iterator<Item = &'a ReportFlow>) -> usize {
    let mut rules = Rules::default();
    flows.for_each(|flow| rules.add(flow, Vec::new()));
    rules.all.len()
}

/// The columns of a firewall's table.
const HEAD: [&str; 5] = ["source", "destination", "service", "wanted", "flow"];

/// The most flows that the folded id of a row names port by port: the service has all ports.
const MOST_IN_ID: usize = 3;

/// The firewalls whose rules are to be looked at: those that the evidence names, else all that the flow crosses.
fn to_change(flow: &ReportFlow) -> Vec<String> {
    let accused = flow.evidence.accused();
    if accused.is_empty() {
        flow.flow.crosses.clone()
    } else {
        accused
    }
}

/// What one row asks for.
struct Rule<'a> {
    /// The first of its flows.
    flow: &'a ReportFlow,
    ids: Vec<&'a str>,
    ports: BTreeSet<u16>,
    ranges: BTreeSet<String>,
    legs: Vec<String>,
}

/// Rules in the order in which the first flow of each came.
#[derive(Default)]
struct Rules<'a> {
    all: Vec<Rule<'a>>,
    places: HashMap<Alike<'a>, usize>,
}

/// What flows have in common that one rule is for: start, end, transport, what is wanted, and the legs.
type Alike<'a> = (
    (&'a str, Option<&'a str>),
    (&'a str, &'a [String]),
    Transport,
    Option<&'static str>,
    Vec<String>,
);

impl<'a> Rules<'a> {
    fn add(&mut self, flow: &'a ReportFlow, legs: Vec<String>) {
        let (from, to) = (&flow.flow.from, &flow.flow.to);
        let alike = (
            (from.zone.as_str(), from.system.as_deref()),
            (to.system.as_str(), to.addresses.as_slice()),
            flow.flow.transport,
            flow.remedy().map(Remedy::name),
            legs.clone(),
        );
        let place = *self.places.entry(alike).or_insert(self.all.len());
        if place == self.all.len() {
            self.all.push(Rule {
                flow,
                ids: Vec::new(),
                ports: BTreeSet::new(),
                ranges: BTreeSet::new(),
                legs,
            });
        }
        self.all[place].take(flow);
    }
}

impl<'a> Rule<'a> {
    /// Takes another flow in. Its ports are those of the flow, or those that an endpoint mapper named beside them.
    fn take(&mut self, flow: &'a ReportFlow) {
        self.ids.push(&flow.flow.id);
        let named = flow.ports_named_outside();
        match &flow.flow.port {
            _ if !named.is_empty() => self.ports.extend(named),
            Port::One(port) => self.ports.extend([*port]),
            Port::Range(range) => self.ranges.extend([range.clone()]),
            Port::None => {}
        }
    }

    fn row(&self) -> [String; 5] {
        let entry = &self.flow.flow;
        let source = entry.from.system.as_ref().unwrap_or(&entry.from.zone);
        let destination = match entry.to.addresses.is_empty() {
            true => entry.to.system.clone(),
            false => format!("{} ({})", entry.to.addresses.join(", "), entry.to.system),
        };
        let wanted = self.flow.remedy().map_or("", Remedy::name);
        [
            source.clone(),
            destination,
            self.service(),
            wanted.to_string(),
            self.flows(),
        ]
    }

    fn service(&self) -> String {
        match listed(&self.ports, &self.ranges) {
            none if none.is_empty() => self.flow.flow.service(),
            ports => format!("{ports}/{}", self.flow.flow.transport),
        }
    }

    /// The ids in one. Many ports are only counted there, because the service has them.
    fn flows(&self) -> String {
        let first = &self.flow.flow;
        let many = self.ids.len();
        match first.id.rsplit_once(':') {
            Some((ends, _)) if many > MOST_IN_ID => {
                format!("{ends}:{{{many} ports}}/{}", first.transport)
            }
            // Without blanks the id stays in one line of its cell.
            _ => folded(self.ids.iter().copied())
                .join(" ")
                .replace(", ", ","),
        }
    }
}
