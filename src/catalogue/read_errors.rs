//! From the tree to what clients log.

use std::collections::BTreeMap;

use super::client_errors::{ClientError, Log, Outcome};
use super::read::{citation, one, pairs, words};
use super::{Confidence, Role};
use crate::diagnostic::Problem;
use crate::yaml::{self, Fields, Node};

pub(super) fn client_error(
    node: &Node,
    sources: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Option<ClientError> {
    const KEYS: &[&str] = &[
        "id",
        "after",
        "roles",
        "shows",
        "says",
        "logs",
        "confidence",
        "source",
    ];
    let fields = Fields::of(node, "a client error", KEYS, problems)?;
    let text = |key: &str, example: &str, problems: &mut Vec<Problem>| {
        fields
            .need(key, example, problems)
            .and_then(|node| yaml::text(node, &format!("`{key}`"), problems))
            .map(|text| text.value)
    };
    let id = text("id", "err-80072ee2", problems);
    let shows = text("shows", "\"0x80072EE2 (12002)\"", problems);
    let says = text("says", "\"the connection timed out\"", problems);
    let after = words(
        fields.need("after", "silence", problems),
        "after",
        &pairs(Outcome::ALL, Outcome::name),
        problems,
    );
    let roles = words(
        fields.get("roles"),
        "roles",
        &pairs(Role::ALL, Role::name),
        problems,
    );
    let logs = fields
        .get("logs")
        .map(|node| yaml::list(node, "`logs`", problems))
        .unwrap_or_default()
        .iter()
        .filter_map(|node| log(node, problems))
        .collect();
    let (confidence, source) = citation(&fields, sources, problems)?;
    Some(ClientError {
        id: id?,
        after,
        roles,
        shows: shows?,
        says: says?,
        logs,
        confidence,
        source,
    })
}

fn log(node: &Node, problems: &mut Vec<Problem>) -> Option<Log> {
    let fields = Fields::of(node, "a log", &["file", "confidence"], problems)?;
    let file = fields
        .need("file", "ccmexec.log", problems)
        .and_then(|node| yaml::text(node, "`file`", problems));
    let confidence = one(
        fields.need("confidence", "unconfirmed", problems),
        "confidence",
        &pairs(Confidence::ALL, Confidence::name),
        problems,
    );
    Some(Log {
        file: file?.value,
        confidence: confidence?,
    })
}
