//! A catalogue that says only what differs from another product's: `extends` names that product, and what holds of it.
//!
//! Ports are always taken over; one of the same name goes before them. Of the rest only what `takes` names is there, without
//! the entries that `without` names. The catalogue's own entries stand after those that it takes.

use serde::Deserialize;

use super::{Catalogue, find};
use crate::diagnostic::{Problem, choices};
use crate::yaml::{self, Node};

/// What may be taken from another catalogue.
const PARTS: [&str; 10] = [
    "watchlist",
    "services",
    "rules",
    "unplanned",
    "passes",
    "fingerprints",
    "client_errors",
    "client_order",
    "topics",
    "port_change",
];

/// The key `extends`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extends {
    product: String,
    #[serde(default)]
    takes: Vec<String>,
    /// Rules that are taken one by one.
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
}

/// What is taken from another product's catalogue; `None`: the finding is reported.
pub(super) fn taken(node: &Node, problems: &mut Vec<Problem>) -> Option<Catalogue> {
    let extends: Extends = yaml::typed(node, "`extends`", super::examples::example, problems)?;
    let Some(bytes) = find(&extends.product) else {
        let text = format!(
            "`extends` names `{}`, a product without rules here",
            extends.product
        );
        let known = choices(&extends.product, super::all());
        problems.push(Problem::error("unknown-product", node.at, text).hint(known));
        return None;
    };
    let is_none = |part: &&String| !PARTS.contains(&part.as_str());
    for part in extends.takes.iter().filter(is_none) {
        let text = format!("`takes` names `{part}`, which is no part of a catalogue");
        let known = choices(part, PARTS);
        problems.push(Problem::error("unknown-word", node.at, text).hint(known));
    }
    // A catalogue that is embedded has no findings.
    let mut base = Catalogue::parse(bytes).ok()?;
    let named = extends.without.iter().chain(&extends.rules);
    problems.extend(named.filter(|id| !has(&base, id)).map(|id| {
        let text = format!(
            "`extends` names `{id}`, and `{}` has no such entry",
            extends.product
        );
        Problem::error("unknown-word", node.at, text)
    }));
    let takes = |part: &str| extends.takes.iter().any(|taken| taken == part);
    let mut rules = base.rules.clone();
    rules.retain(|rule| extends.rules.contains(&rule.id));
    base.keep(takes, |id| !extends.without.iter().any(|it| it == id));
    base.rules.extend(rules);
    Some(base)
}

fn has(catalogue: &Catalogue, id: &str) -> bool {
    let mut found = false;
    let mut all = catalogue.clone();
    all.keep(
        |_| true,
        |known| {
            found |= known == id;
            true
        },
    );
    found
}

impl Catalogue {
    /// Keeps the parts that are taken, and of these the entries that are kept.
    fn keep(&mut self, takes: impl Fn(&str) -> bool, mut kept: impl FnMut(&str) -> bool) {
        if !takes("watchlist") {
            self.watchlist.clear();
        }
        self.services
            .retain(|it| takes("services") && kept(it.id.name()));
        self.rules.retain(|it| takes("rules") && kept(&it.id));
        self.unplanned
            .retain(|it| takes("unplanned") && kept(&it.id));
        self.passes.retain(|it| takes("passes") && kept(&it.id));
        self.fingerprints
            .retain(|it| takes("fingerprints") && kept(&it.id));
        self.client_errors
            .retain(|it| takes("client_errors") && kept(&it.id));
        self.client_order
            .retain(|it| takes("client_order") && kept(&it.id));
        self.topics.retain(|it| takes("topics") && kept(&it.id));
        let change = &mut self.port_change;
        change
            .steps
            .retain(|it| takes("port_change") && kept(&it.id));
        if !takes("port_change") {
            change.cannot_learn.clear();
            change.properties.clear();
        }
    }

    /// Adds what a catalogue says itself to what it takes from another.
    pub(super) fn after(mut self, base: Self) -> Self {
        fn join<T>(own: &mut Vec<T>, base: Vec<T>) {
            own.splice(0..0, base);
        }
        for (name, port) in base.ports {
            self.ports.entry(name).or_insert(port);
        }
        if self.watchlist.is_empty() {
            self.watchlist = base.watchlist;
        }
        join(&mut self.services, base.services);
        join(&mut self.rules, base.rules);
        join(&mut self.unplanned, base.unplanned);
        join(&mut self.passes, base.passes);
        join(&mut self.fingerprints, base.fingerprints);
        join(&mut self.client_errors, base.client_errors);
        join(&mut self.client_order, base.client_order);
        join(&mut self.topics, base.topics);
        join(&mut self.port_change.steps, base.port_change.steps);
        self.port_change.steps.sort_by_key(|step| step.stage);
        join(
            &mut self.port_change.cannot_learn,
            base.port_change.cannot_learn,
        );
        join(
            &mut self.port_change.properties,
            base.port_change.properties,
        );
        self
    }
}
