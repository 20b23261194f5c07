//! What a report finds, in the order and the words in which every format prints it. It says who has to act, has a table
//! for each firewall, and each finding with its parts.
//!
//! `text` is the first format that prints them. Words of others stand in here as they came: each format escapes them.

mod delivery;
mod proved;
mod said;
mod seen;
mod tables;
mod way;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::document::ReportFlow;
use super::folded::folded;
use super::join::text::vantage;
use super::whole::ReportDocument;
use crate::observation::FlowState;
use crate::product::Need;
use crate::verdict::{Cause, Level, Owner, Verdict};

pub use proved::Proved;
pub use seen::seen;
pub use tables::Table;

/// What a report finds.
pub struct Findings<'a> {
    /// Words on vantages that nothing answered: nothing that they saw is proof.
    pub without_answers: Vec<String>,
    /// The required flows, counted.
    pub required: Required,
    /// Who has to act.
    pub teams: Vec<Team>,
    /// For each firewall what is to be changed there.
    pub tables: Vec<Table>,
    /// Each finding: what is surely wrong first, of that what is required first, then by who has to act.
    pub all: Vec<Finding<'a>>,
    /// Where there is no finding: the required flows that were proved, and how.
    pub proved: Vec<Proved>,
}

/// The required flows of a report, but for those that an exception accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Required {
    /// Not as they must be.
    pub wrong: usize,
    /// Without proof either way.
    pub unproved: usize,
    /// As they must be.
    pub proved: usize,
}

/// Somebody who has to act, and on how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Who, as in `firewall team`.
    pub name: &'static str,
    /// On how many.
    pub count: usize,
    /// Of what, in the singular, as in `rule`.
    pub what: &'static str,
}

/// One finding.
pub struct Finding<'a> {
    /// The flow, the first of those that it is about.
    pub flow: &'a ReportFlow,
    /// Who has to act, as in `firewall team`; `None` where nobody has.
    pub team: Option<&'static str>,
    /// The ids of other flows of which the same is said.
    pub likewise: Vec<&'a str>,
    /// What is said of it, in its order.
    pub parts: Vec<Part>,
}

/// One thing that is said of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is: `likewise`, `from`, `need`, `seen`, `lapsed`, `effect`, `client` or `do`.
    pub name: &'static str,
    /// In words.
    pub words: String,
}

impl<'a> Findings<'a> {
    /// The findings of a report.
    pub fn of(report: &'a ReportDocument) -> Self {
        let mut flows: Vec<&ReportFlow> = report.flows.iter().filter(|it| is_finding(it)).collect();
        flows.sort_by_key(|flow| rank(flow));
        let proved = match flows.is_empty() {
            true => proved::proved(report),
            false => Vec::new(),
        };
        Self {
            proved,
            without_answers: without_answers(report),
            required: Required::of(report),
            teams: teams(&flows),
            tables: tables::tables(report, &flows),
            all: all(report, flows),
        }
    }
}

impl<'a> Finding<'a> {
    /// What is said of one flow by itself, whether it is a finding or not.
    pub fn of(report: &ReportDocument, flow: &'a ReportFlow) -> Self {
        Self {
            flow,
            team: flow.owner.map(team),
            likewise: Vec::new(),
            parts: parts(report, flow, &[]),
        }
    }
}

/// Whether a flow belongs above the counts: all that is wrong, and what is unknown and matters.
fn is_finding(flow: &ReportFlow) -> bool {
    match flow.verdict {
        _ if flow.accepted.is_some() => false,
        Verdict::Ok => flow.level == Level::Warning,
        Verdict::Unknown => flow.level != Level::Note,
        Verdict::Blocked | Verdict::Down | Verdict::Wrong | Verdict::Exposed => true,
    }
}

/// Where a finding stands: doubt last, then by the need, then by who has to act, what counts most first.
pub(crate) fn rank(flow: &ReportFlow) -> (bool, Need, bool, Option<Owner>, Reverse<Level>) {
    (
        flow.verdict == Verdict::Unknown,
        flow.flow.need,
        flow.owner.is_none(),
        flow.owner,
        Reverse(flow.level),
    )
}

/// Words on vantages that nothing answered.
fn without_answers(report: &ReportDocument) -> Vec<String> {
    let seen_by = |number: usize| -> Vec<&ReportFlow> {
        let flows = report.flows.iter();
        flows
            .filter(|flow| flow.vantage.unwrap_or(0) == number)
            .collect()
    };
    let silent = (0..report.vantages.len()).filter(|number| nothing_answered(&seen_by(*number)));
    let words = |number| {
        match report.vantages.len() {
        1 => "Nothing answered from here; the network of this host may be down. Nothing below is proof of \
              anything."
            .to_string(),
        _ => format!(
            "Nothing answered {}; the network of that host may be down. Nothing that it saw is \
             proof of anything.",
            vantage(report, number)
        ),
    }
    };
    silent.map(words).collect()
}

/// Whether nothing at all answered: by its cause, or because no packet could leave this host.
fn nothing_answered(flows: &[&ReportFlow]) -> bool {
    let has = |causes: &[Cause]| flows.iter().any(|flow| causes.contains(&flow.cause));
    let met = |flow: &ReportFlow| {
        use FlowState::{Closed, Filtered, Open, Rejected};
        matches!(flow.state, Open | Closed | Rejected | Filtered)
    };
    has(&[Cause::NothingAnswered])
        || (has(&[Cause::NoRoute, Cause::GatewaySilent]) && !flows.iter().any(|flow| met(flow)))
}

impl Required {
    fn of(report: &ReportDocument) -> Self {
        let count = |wanted: fn(Verdict) -> bool| {
            let required = report
                .flows
                .iter()
                .filter(|flow| flow.flow.need == Need::Required && flow.accepted.is_none());
            required.filter(|flow| wanted(flow.verdict)).count()
        };
        Self {
            wrong: count(Verdict::fails),
            unproved: count(|it| it == Verdict::Unknown),
            proved: count(|it| it == Verdict::Ok),
        }
    }
}

/// Who has to act, as in `firewall team`.
pub(crate) fn team(owner: Owner) -> &'static str {
    match owner {
        Owner::Firewall => "firewall team",
        Owner::Server => "server team",
        Owner::ServerThenFirewall => "server team, then firewall team",
        Owner::Certificate => "certificate team",
        Owner::Dns => "DNS team",
        Owner::Proxy => "proxy team",
        Owner::Prober => "whoever runs portproof",
    }
}

fn teams(findings: &[&ReportFlow]) -> Vec<Team> {
    let of = |owner: &Owner| {
        let theirs = findings.iter().filter(|flow| flow.owner == Some(*owner));
        let hosts: BTreeSet<&str> = theirs
            .clone()
            .map(|flow| flow.flow.to.system.as_str())
            .collect();
        let flows = theirs.clone().count();
        let (count, what) = match owner {
            Owner::Firewall => (tables::count_rules(theirs.copied()), "rule"),
            Owner::Server | Owner::ServerThenFirewall | Owner::Prober => (hosts.len(), "host"),
            Owner::Certificate => (hosts.len(), "certificate"),
            Owner::Dns => (hosts.len(), "name"),
            Owner::Proxy => (flows, "flow"),
        };
        let name = team(*owner);
        (flows > 0).then_some(Team { name, count, what })
    };
    Owner::ALL.iter().filter_map(of).collect()
}

/// Each finding; those that say the same of two ports stand together.
fn all<'a>(report: &ReportDocument, flows: Vec<&'a ReportFlow>) -> Vec<Finding<'a>> {
    let mut shown: Vec<(&ReportFlow, Vec<&'a str>)> = Vec::new();
    let mut places = HashMap::new();
    for flow in flows {
        let first = common(flow).map(|common| *places.entry(common).or_insert(shown.len()));
        match first.and_then(|place| shown.get_mut(place)) {
            Some((_, likewise)) => likewise.push(&flow.flow.id),
            None => shown.push((flow, Vec::new())),
        }
    }
    let finding = |(flow, likewise): (&'a ReportFlow, Vec<&'a str>)| Finding {
        flow,
        team: flow.owner.map(team),
        parts: parts(report, flow, &likewise),
        likewise,
    };
    shown.into_iter().map(finding).collect()
}

/// What findings have in common that say the same of several ports, so that one of them may stand for all. `None`: it
/// stands for itself.
fn common(flow: &ReportFlow) -> Option<impl Eq + Hash + '_> {
    let is = |cause: Cause| flow.cause == cause;
    let repeats = matches!(flow.verdict, Verdict::Unknown | Verdict::Exposed)
        || is(Cause::AddressSilent)
        || is(Cause::NothingPasses);
    let (from, to) = (&flow.flow.from, &flow.flow.to);
    // A firewall that passes nothing is one finding, whatever the hosts beyond it; and so is trouble of this host's own.
    let ends = match flow.cause {
        Cause::NothingPasses => (&from.zone, None, to.zone.as_ref()),
        Cause::NoRoute
        | Cause::GatewaySilent
        | Cause::NothingAnswered
        | Cause::Interrupted
        | Cause::AgentLost => (&from.zone, None, None),
        _ => (&from.zone, from.system.as_ref(), Some(&to.system)),
    };
    let lapsed = flow.lapsed.as_ref().map(|it| (&it.until, &it.why));
    let judged = (flow.verdict, flow.cause, flow.level, flow.flow.need);
    // What an open port exposes differs from one service to the next.
    let opened = is(Cause::Open).then_some((&flow.flow.why, &flow.flow.breaks));
    repeats.then_some((judged, opened, lapsed, flow.vantage, ends))
}

fn parts(report: &ReportDocument, flow: &ReportFlow, likewise: &[&str]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut say = |name, words: String| parts.push(Part { name, words });
    if !likewise.is_empty() {
        say("likewise", folded(likewise.iter().copied()).join(", "));
    }
    if let (Some(number), true) = (flow.vantage, report.vantages.len() > 1) {
        say("from", vantage(report, number));
    }
    say("need", format!("{}. {}", flow.flow.need, flow.flow.why));
    say("seen", seen(flow));
    if let Some(lapsed) = &flow.lapsed {
        let words = format!(
            "accepted until {} ({}); it counts again",
            lapsed.until, lapsed.why
        );
        say("lapsed", words);
    }
    if !flow.flow.breaks.is_empty() {
        say("effect", flow.flow.breaks.to_string());
    }
    for words in client_words(flow) {
        say("client", words.to_string());
    }
    if !flow.advice.is_empty() {
        say("do", flow.advice.clone());
    }
    parts
}

/// What clients log, each sentence once: one entry stands for each log.
fn client_words(flow: &ReportFlow) -> Vec<&str> {
    let mut words: Vec<&str> = flow.logged.iter().map(|it| it.words.as_str()).collect();
    words.dedup();
    words
}
