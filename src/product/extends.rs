//! A catalogue that says only what differs from another product's: `extends` names that product, and what holds of it.
//!
//! Ports are always taken over; one of the same name goes before them. Of the rest only what `takes` names is there, without
//! the entries that `without` names. An end that `without_ends` names stands in no rule that is taken; a rule that
//! loses all ends of a side is not taken. The catalogue's own entries stand after those that it takes.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::format::{LISTS, example};
use super::{Catalogue, Confidence, End, Rule, find};
use crate::diagnostic::{Place, Problem, choices};
use crate::yaml::{self, Node};

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
    /// Roles and services that the product does not have.
    #[serde(default)]
    without_ends: Vec<End>,
    /// How sure what is taken is of this product, where it is less than of the other; `None`: as sure.
    #[serde(default)]
    confidence: Option<Confidence>,
}

impl Extends {
    /// How sure an entry is of this product.
    fn sure(&self, of_other: Confidence) -> Confidence {
        match (of_other, self.confidence) {
            (Confidence::Unconfirmed, _) | (_, None) => of_other,
            (_, Some(confidence)) => confidence,
        }
    }
}

/// What is taken from another product's catalogue; `None`: the finding is reported.
pub(super) fn taken(node: &Node, problems: &mut Vec<Problem>) -> Option<Catalogue> {
    let extends: Extends = yaml::typed(node, "`extends`", example, problems)?;
    let Some(bytes) = find(&extends.product) else {
        let text = format!(
            "`extends` names `{}`, a product without rules here",
            extends.product
        );
        let known = choices(&extends.product, super::all());
        problems.push(Problem::error("unknown-product", node.at, text).hint(known));
        return None;
    };
    let parts = || LISTS.into_iter().chain(["watchlist", "port_change"]);
    for part in &extends.takes {
        if !parts().any(|known| known == part) {
            let text = format!("`takes` names `{part}`, which is no part of a catalogue");
            problems
                .push(Problem::error("unknown-word", node.at, text).hint(choices(part, parts())));
        }
    }
    // A catalogue that is embedded has no findings.
    let mut base = Catalogue::parse(bytes).ok()?;
    let ids: BTreeSet<&str> = base.lists().into_iter().flatten().collect();
    let named = extends.without.iter().chain(&extends.rules);
    problems.extend(named.filter(|id| !ids.contains(id.as_str())).map(|id| {
        let text = format!(
            "`extends` names `{id}`, and `{}` has no such entry",
            extends.product
        );
        Problem::error("unknown-word", node.at, text)
    }));
    base.keep(&extends);
    Some(base)
}

impl Catalogue {
    /// The ids of all entries, list by list.
    fn lists(&self) -> [Vec<&str>; 9] {
        fn all<T>(entries: &[T], id: impl Fn(&T) -> &str) -> Vec<&str> {
            entries.iter().map(id).collect()
        }
        [
            all(&self.services, |it| it.id.name()),
            all(&self.unplanned, |it| &it.id),
            all(&self.rules, |it| &it.id),
            all(&self.passes, |it| &it.id),
            all(&self.fingerprints, |it| &it.id),
            all(&self.client_errors, |it| &it.id),
            all(&self.client_order, |it| &it.id),
            all(&self.topics, |it| &it.id),
            all(&self.port_change.steps, |it| &it.id),
        ]
    }

    /// Reports the ids that stand in what a catalogue takes and among its own entries.
    pub(super) fn report_twice(&self, own: &Self, at: Place, problems: &mut Vec<Problem>) {
        for (taken, own) in self.lists().iter().zip(own.lists()) {
            let twice = own.into_iter().filter(|id| taken.contains(id));
            problems.extend(twice.map(|id| {
                let text = format!(
                    "`{id}` is taken from `{}`, and is here as well",
                    self.product
                );
                Problem::error("duplicate-key", at, text)
                    .hint("give it another id, or name it under `without`")
            }));
        }
    }

    /// Keeps what is taken.
    fn keep(&mut self, extends: &Extends) {
        let takes = |part: &str| extends.takes.iter().any(|taken| taken == part);
        let kept = |part: &str, id: &str| takes(part) && !extends.without.iter().any(|it| it == id);
        self.services.retain(|it| kept("services", it.id.name()));
        self.unplanned.retain(|it| kept("unplanned", &it.id));
        self.rules
            .retain(|it| kept("rules", &it.id) || extends.rules.contains(&it.id));
        for rule in &mut self.rules {
            rule.lose(&extends.without_ends);
            rule.confidence = extends.sure(rule.confidence);
        }
        self.rules
            .retain(|it| !it.from.is_empty() && !it.to.is_empty());
        self.services
            .retain(|it| !extends.without_ends.contains(&End::Service(it.id)));
        self.passes.retain(|it| kept("passes", &it.id));
        self.fingerprints.retain(|it| kept("fingerprints", &it.id));
        self.client_errors
            .retain(|it| kept("client_errors", &it.id));
        self.client_order.retain(|it| kept("client_order", &it.id));
        self.topics.retain(|it| kept("topics", &it.id));
        let change = &mut self.port_change;
        change.steps.retain(|it| kept("port_change", &it.id));
        if !takes("port_change") {
            change.cannot_learn.clear();
            change.properties.clear();
        }
        if !takes("watchlist") {
            self.watchlist.clear();
        }
    }

    /// Adds what a catalogue says itself to what it takes from another. Its ports are complete: its entries name them.
    pub(super) fn after(mut self, base: Self) -> Self {
        fn join<T>(own: &mut Vec<T>, base: Vec<T>) {
            own.splice(0..0, base);
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

impl Rule {
    /// Takes ends out on both sides.
    fn lose(&mut self, ends: &[End]) {
        self.from.retain(|end| !ends.contains(end));
        self.to.retain(|end| !ends.contains(end));
    }
}
