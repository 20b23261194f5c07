//! From the tree to how ports are changed, and to the order of a client's work.

use std::collections::BTreeMap;

use super::port_change::{
    Asks, At, ChangeStep, Changed, ClientStep, Deaf, Gives, PortChange, Property, Stage, Value,
};
use super::read::{citation, one, pairs, unique_ids, words};
use super::{Confidence, Role};
use crate::diagnostic::Problem;
use crate::yaml::{self, Fields, Node};

type Sources = BTreeMap<String, String>;

pub(super) fn port_change(
    node: &Node,
    sources: &Sources,
    problems: &mut Vec<Problem>,
) -> Option<PortChange> {
    const KEYS: &[&str] = &["steps", "cannot_learn", "properties"];
    let fields = Fields::of(node, "`port_change`", KEYS, problems)?;
    let entries = |key: &str, problems: &mut Vec<Problem>| {
        fields
            .get(key)
            .map(|node| yaml::list(node, &format!("`{key}`"), problems))
            .unwrap_or_default()
    };
    let mut steps: Vec<ChangeStep> = Vec::new();
    for node in entries("steps", problems) {
        let Some(step) = step(node, sources, problems) else {
            continue;
        };
        if steps.last().is_some_and(|last| last.stage > step.stage) {
            problems.push(
                Problem::error(
                    "step-out-of-order",
                    node.at,
                    format!("step `{}` stands after one of a later stage", step.id),
                )
                .hint("the steps of one stage stand together: open, listen, move, close"),
            );
        }
        steps.push(step);
    }
    for key in ["steps", "cannot_learn"] {
        unique_ids(entries(key, &mut Vec::new()), problems);
    }
    Some(PortChange {
        steps,
        cannot_learn: entries("cannot_learn", problems)
            .iter()
            .filter_map(|node| deaf(node, sources, problems))
            .collect(),
        properties: entries("properties", problems)
            .iter()
            .filter_map(|node| property(node, sources, problems))
            .collect(),
    })
}

fn text(
    fields: &Fields<'_>,
    key: &str,
    example: &str,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let node = fields.need(key, example, problems)?;
    yaml::text(node, &format!("`{key}`"), problems).map(|text| text.value)
}

fn step(node: &Node, sources: &Sources, problems: &mut Vec<Problem>) -> Option<ChangeStep> {
    const KEYS: &[&str] = &[
        "id",
        "of",
        "stage",
        "at",
        "do",
        "why",
        "confidence",
        "source",
    ];
    let fields = Fields::of(node, "a step", KEYS, problems)?;
    let id = text(&fields, "id", "client-ports-open", problems);
    let what = text(&fields, "do", "\"Permit {added}.\"", problems);
    let why = text(&fields, "why", "\"Clients need it.\"", problems);
    let of = words(
        fields.need("of", "client-https", problems),
        "of",
        &pairs(Changed::ALL, Changed::name),
        problems,
    );
    let stage = one(
        fields.need("stage", "open", problems),
        "stage",
        &pairs(Stage::ALL, Stage::name),
        problems,
    );
    let at = one(
        fields.need("at", "firewall", problems),
        "at",
        &pairs(At::ALL, At::name),
        problems,
    );
    let (confidence, source) = citation(&fields, sources, problems)?;
    let what = what?;
    for blank in blanks(&what).filter(|blank| !ChangeStep::BLANKS.contains(blank)) {
        problems.push(
            Problem::error(
                "unknown-word",
                node.at,
                format!("`do` has the blank `{blank}`"),
            )
            .hint(format!("one of {}", ChangeStep::BLANKS.join(", "))),
        );
    }
    careful(&what, confidence, node, problems);
    Some(ChangeStep {
        id: id?,
        of,
        stage: stage?,
        at: at?,
        text: what,
        why: why?,
        confidence,
        source,
    })
}

/// Everything in braces.
fn blanks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('{').filter_map(|(start, _)| {
        let end = text[start..].find('}')?;
        Some(&text[start..=start + end])
    })
}

/// What is unconfirmed says so in its own words, because no source stands beside it.
fn careful(text: &str, confidence: Confidence, node: &Node, problems: &mut Vec<Problem>) {
    let hedges = ["usually", "Usually", "expected"];
    if confidence == Confidence::Unconfirmed && !hedges.iter().any(|hedge| text.contains(hedge)) {
        problems.push(
            Problem::error(
                "too-sure",
                node.at,
                "an unconfirmed entry speaks as if it were known",
            )
            .hint("say that it is `usually` so, or `expected`"),
        );
    }
}

fn deaf(node: &Node, sources: &Sources, problems: &mut Vec<Problem>) -> Option<Deaf> {
    const KEYS: &[&str] = &["id", "who", "on_the_internet", "confidence", "source"];
    let fields = Fields::of(node, "an entry of `cannot_learn`", KEYS, problems)?;
    let id = text(&fields, "id", "workgroup", problems);
    let who = text(&fields, "who", "\"clients in a workgroup\"", problems);
    let on_the_internet = fields
        .get("on_the_internet")
        .and_then(|node| yaml::boolean(node, "`on_the_internet`", problems))
        .unwrap_or(false);
    let (confidence, source) = citation(&fields, sources, problems)?;
    Some(Deaf {
        id: id?,
        who: who?,
        on_the_internet,
        confidence,
        source,
    })
}

fn property(node: &Node, sources: &Sources, problems: &mut Vec<Problem>) -> Option<Property> {
    const KEYS: &[&str] = &["name", "gives", "values", "confidence", "source"];
    let fields = Fields::of(node, "a property", KEYS, problems)?;
    let name = text(&fields, "name", "CCMHTTPSPORT", problems);
    let gives = one(
        fields.need("gives", "https-port", problems),
        "gives",
        &pairs(Gives::ALL, Gives::name),
        problems,
    );
    let values = fields
        .get("values")
        .map(|node| values(node, problems))
        .unwrap_or_default();
    let (confidence, source) = citation(&fields, sources, problems)?;
    Some(Property {
        name: name?,
        gives: gives?,
        values,
        confidence,
        source,
    })
}

fn values(node: &Node, problems: &mut Vec<Problem>) -> Vec<(Value, String)> {
    let known: Vec<&str> = Value::ALL.iter().map(|value| value.name()).collect();
    let Some(fields) = Fields::of(node, "`values`", &known, problems) else {
        return Vec::new();
    };
    let given = Value::ALL.iter().filter_map(|value| {
        let node = fields.get(value.name())?;
        Some((*value, yaml::text(node, "a value", problems)?.value))
    });
    given.collect()
}

pub(super) fn client_step(
    node: &Node,
    sources: &Sources,
    problems: &mut Vec<Problem>,
) -> Option<ClientStep> {
    const KEYS: &[&str] = &["id", "does", "asks", "roles", "confidence", "source"];
    let fields = Fields::of(node, "a step of a client", KEYS, problems)?;
    let id = text(&fields, "id", "management-point", problems);
    let does = text(&fields, "does", "\"fetches its policy\"", problems);
    let roles = words(
        fields.get("roles"),
        "roles",
        &pairs(Role::ALL, Role::name),
        problems,
    );
    let asks = match fields.get("asks") {
        None => Asks::Systems,
        Some(node) => one(Some(node), "asks", &pairs(Asks::ALL, Asks::name), problems)?,
    };
    if asks == Asks::Systems && roles.is_empty() {
        problems.push(Problem::error(
            "missing-key",
            node.at,
            "a step of a client has neither `roles` nor `asks`",
        ));
    }
    let (confidence, source) = citation(&fields, sources, problems)?;
    let does = does?;
    careful(&does, confidence, node, problems);
    Some(ClientStep {
        id: id?,
        does,
        asks,
        roles,
        confidence,
        source,
    })
}
