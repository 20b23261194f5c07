//! From the tree to topics.

use std::collections::BTreeMap;

use super::read::{citation, pairs, words};
use super::{Setting, Topic};
use crate::diagnostic::Problem;
use crate::yaml::{self, Fields, Node};

const KEYS: &[&str] = &[
    "id",
    "title",
    "settings",
    "steps",
    "then",
    "mind",
    "confidence",
    "source",
];

pub(super) fn topic(
    node: &Node,
    sources: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Option<Topic> {
    let fields = Fields::of(node, "a topic", KEYS, problems)?;
    let text = |key: &str, example: &str, problems: &mut Vec<Problem>| {
        fields
            .need(key, example, problems)
            .and_then(|node| yaml::text(node, &format!("`{key}`"), problems))
            .map(|text| text.value)
    };
    let id = text("id", "client-ports", problems);
    let title = text("title", "\"Where the console shows it\"", problems);
    let settings = words(
        fields.need("settings", "client-http", problems),
        "settings",
        &pairs(Setting::ALL, Setting::name),
        problems,
    );
    let steps = fields.need("steps", "[\"Open the console.\"]", problems);
    let steps = sentences(steps, "steps", problems);
    let then = sentences(fields.get("then"), "then", problems);
    let mind = sentences(fields.get("mind"), "mind", problems);
    let (confidence, source) = citation(&fields, sources, problems)?;
    Some(Topic {
        id: id?,
        title: title?,
        settings,
        steps,
        then,
        mind,
        confidence,
        source,
    })
}

fn sentences(node: Option<&Node>, key: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let what = format!("`{key}`");
    let list = node.map(|node| yaml::list(node, &what, problems));
    let list = list.unwrap_or_default().iter();
    list.filter_map(|item| yaml::text(item, &what, problems))
        .map(|text| text.value)
        .collect()
}
