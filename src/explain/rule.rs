//! A rule: of the catalogue, or one of the few that stand in none.

use super::document::{EditionExplained, Known, RuleExplained};
use super::{cited, sure};
use crate::plan;
use crate::product::{Catalogue, Confidence, Edition, End, PortName, Rule};
use crate::site::SWEPT;

/// A rule by its id; `None` where there is none.
pub(super) fn rule(catalogue: &Catalogue, id: &str) -> Option<RuleExplained> {
    let mut rules = catalogue.rules.iter();
    match rules.find(|rule| rule.id == id) {
        Some(rule) => Some(of_catalogue(catalogue, rule)),
        None => beside_the_catalogue(id),
    }
}

/// The ids of all rules, those that stand in no catalogue last.
pub(super) fn ids(catalogue: &Catalogue) -> Vec<&str> {
    let rules = catalogue.rules.iter().map(|rule| rule.id.as_str());
    rules.chain(BESIDE.iter().map(|(id, ..)| *id)).collect()
}

fn of_catalogue(catalogue: &Catalogue, rule: &Rule) -> RuleExplained {
    let topics = catalogue.topics_of(std::slice::from_ref(&rule.id));
    let ends = |ends: &[End]| ends.iter().map(|end| end.name().to_string()).collect();
    RuleExplained {
        rule: rule.id.clone(),
        from: ends(&rule.from),
        to: ends(&rule.to),
        ports: rule
            .ports
            .iter()
            .filter_map(|name| Some(port(name, catalogue.ports.get(name)?)))
            .collect(),
        transport: Some(rule.transport.to_string()),
        protocol: Some(rule.protocol.to_string()),
        when: rule.when.iter().map(ToString::to_string).collect(),
        need: Some(rule.planned_need().to_string()),
        why: rule.why.clone(),
        breaks: rule.breaks.clone(),
        known: Known {
            confidence: rule.confidence,
            sure: sure(rule.confidence).to_string(),
            source: cited(&rule.source),
        },
        editions: rule.editions.iter().map(edition).collect(),
        topics: topics.iter().map(|topic| topic.id.clone()).collect(),
        flows: Vec::new(),
    }
}

fn edition(edition: &Edition) -> EditionExplained {
    EditionExplained {
        page: edition.source.clone(),
        says: edition.says.clone(),
    }
}

/// A named port: what sets it, and its number where nothing does.
fn port(name: &str, port: &PortName) -> String {
    let numbers: Vec<String> = port.default.iter().map(ToString::to_string).collect();
    let numbers = numbers.join(", ");
    match (port.setting, numbers.is_empty()) {
        (None, _) => format!("{name}: {numbers}"),
        (Some(setting), true) => format!("{name}: by the site file ({setting})"),
        (Some(setting), false) => {
            format!("{name}: by the site file ({setting}), else {numbers}")
        }
    }
}

/// Rules that the program itself makes: id, what it is for, what an open port exposes or what fails.
const BESIDE: [(&str, &str, &str); 4] = [
    (
        plan::WATCHLIST,
        "Ports of the watchlist, those that the site file configures or retires, and the defaults \
         of the web are forbidden between zones unless a rule or the file's `flows` need or allow \
         them.",
        "An open port that nobody needs can be attacked from the other zone.",
    ),
    (
        plan::OWN,
        "The site file asks for the flow under `flows`.",
        "What the site file asks for does not hold.",
    ),
    (
        plan::LIST,
        "A certificate that was seen names a revocation list or OCSP responder on that host.",
        "Clients that check revocation refuse the certificates of the authority.",
    ),
    (
        SWEPT,
        "A sweep (`probing.sweep`) tried ports that nothing in the site file needs.",
        "An open port that nobody needs can be attacked.",
    ),
];

fn beside_the_catalogue(id: &str) -> Option<RuleExplained> {
    let (id, why, breaks) = BESIDE.iter().find(|(known, ..)| *known == id)?;
    Some(RuleExplained {
        rule: (*id).to_string(),
        from: Vec::new(),
        to: Vec::new(),
        ports: Vec::new(),
        transport: None,
        protocol: None,
        when: Vec::new(),
        need: None,
        why: (*why).to_string(),
        breaks: (*breaks).to_string(),
        known: Known {
            confidence: Confidence::Derived,
            sure: "portproof's own, from the site file and the certificates that it sees"
                .to_string(),
            source: None,
        },
        editions: Vec::new(),
        topics: Vec::new(),
        flows: Vec::new(),
    })
}
