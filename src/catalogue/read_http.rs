//! From the tree to what a site asks of HTTP.

use std::collections::BTreeMap;

use super::http::{DRIVE, Expected, Fingerprint, Header, Meaning, Passes};
use super::read::{citation, one, pairs, words};
use super::{Confidence, Need, Role, Verb};
use crate::diagnostic::Problem;
use crate::yaml::{self, Fields, Node, Value};

/// The most paths of one role: what is asked of a server to prove it.
const MOST_FINGERPRINTS: usize = 8;
/// The most characters of a path, or of a header's value.
const LONGEST: usize = 4_096;

pub(super) fn passes(
    node: &Node,
    sources: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Option<Passes> {
    const KEYS: &[&str] = &[
        "id",
        "role",
        "verbs",
        "headers",
        "need",
        "confidence",
        "source",
    ];
    let fields = Fields::of(node, "an entry of `passes`", KEYS, problems)?;
    let id = fields
        .need("id", "pass-verbs-mp", problems)
        .and_then(|node| yaml::text(node, "`id`", problems));
    let role = role(&fields, problems);
    let verbs = words(
        fields.get("verbs"),
        "verbs",
        &pairs(Verb::ALL, Verb::name),
        problems,
    );
    let headers: Vec<Header> = fields
        .get("headers")
        .map(|node| yaml::list(node, "`headers`", problems))
        .unwrap_or_default()
        .iter()
        .filter_map(|node| header(node, problems))
        .collect();
    if fields.get("verbs").is_none() && fields.get("headers").is_none() {
        problems.push(Problem::error(
            "missing-key",
            node.at,
            "an entry of `passes` has neither `verbs` nor `headers`",
        ));
    }
    let need = one(
        fields.need("need", "required", problems),
        "need",
        &pairs(Need::ALL, Need::name),
        problems,
    );
    let (confidence, source) = citation(&fields, sources, problems)?;
    Some(Passes {
        id: id?.value,
        role: role?,
        verbs,
        headers,
        need: need?,
        confidence,
        source,
    })
}

pub(super) fn fingerprints(
    nodes: &[Node],
    sources: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Vec<Fingerprint> {
    let mut all: Vec<Fingerprint> = Vec::new();
    for node in nodes {
        let Some(next) = fingerprint(node, sources, problems) else {
            continue;
        };
        let of_role = all.iter().filter(|known| known.role == next.role).count();
        if of_role == MOST_FINGERPRINTS {
            problems.push(Problem::error(
                "too-many-fingerprints",
                node.at,
                format!(
                    "`{}` has more than {MOST_FINGERPRINTS} fingerprints",
                    next.role
                ),
            ));
        }
        all.push(next);
    }
    all
}

fn fingerprint(
    node: &Node,
    sources: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Option<Fingerprint> {
    const KEYS: &[&str] = &[
        "id",
        "role",
        "verb",
        "path",
        "drives",
        "answers",
        "confidence",
        "source",
    ];
    let fields = Fields::of(node, "a fingerprint", KEYS, problems)?;
    let id = fields
        .need("id", "fp-mp-mplist", problems)
        .and_then(|node| yaml::text(node, "`id`", problems));
    let role = role(&fields, problems);
    // A role is proved by reading alone.
    let reading = [
        (Verb::Get.name(), Verb::Get),
        (Verb::Head.name(), Verb::Head),
    ];
    let verb = one(
        fields.need("verb", "GET", problems),
        "verb",
        &reading,
        problems,
    );
    let path = fields
        .need("path", "\"/SMS_MP/.sms_aut?MPLIST\"", problems)
        .and_then(|node| path(node, problems));
    let drives = fields
        .get("drives")
        .map(|node| yaml::drives(node, "`drives`", problems))
        .unwrap_or_default();
    if let Some(path) = &path
        && path.contains(DRIVE) == drives.is_empty()
    {
        problems.push(
            Problem::error(
                "bad-path",
                node.at,
                format!("`{path}` and `drives` do not fit"),
            )
            .hint("a path with `{drive}` has `drives: [C, D]` beside it, and no other has"),
        );
    }
    let answers: Vec<Expected> = fields
        .need("answers", "[{ status: 200, means: exists }]", problems)
        .map(|node| yaml::list(node, "`answers`", problems))
        .unwrap_or_default()
        .iter()
        .filter_map(|node| expected(node, problems))
        .collect();
    let (confidence, source) = citation(&fields, sources, problems)?;
    let fingerprint = Fingerprint {
        id: id?.value,
        role: role?,
        verb: verb?,
        path: path?,
        drives,
        answers,
        confidence,
        source,
    };
    if confidence == Confidence::Unconfirmed {
        only_alive(&fingerprint, node, problems);
    }
    Some(fingerprint)
}

/// An unconfirmed path can show that something is there, and no more.
fn only_alive(fingerprint: &Fingerprint, node: &Node, problems: &mut Vec<Problem>) {
    let more = fingerprint
        .answers
        .iter()
        .any(|answer| answer.means != Meaning::Alive);
    if more {
        problems.push(
            Problem::error(
                "unconfirmed-proof",
                node.at,
                format!(
                    "`{}` is unconfirmed and claims to prove something",
                    fingerprint.id
                ),
            )
            .hint("its answers can mean `alive` only"),
        );
    }
}

fn role(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Option<Role> {
    one(
        fields.need("role", "management-point", problems),
        "role",
        &pairs(Role::ALL, Role::name),
        problems,
    )
}

fn path(node: &Node, problems: &mut Vec<Problem>) -> Option<String> {
    let path = yaml::text(node, "`path`", problems)?;
    let plain = |c: char| c.is_ascii_graphic() && c != '#';
    if path.starts_with('/') && path.chars().all(plain) && path.len() <= LONGEST {
        return Some(path.value);
    }
    problems.push(
        Problem::error("bad-path", path.at, format!("`{}` is no path", path.value))
            .hint("a path begins with `/` and has neither spaces nor `#`; write others as in %20"),
    );
    None
}

fn expected(node: &Node, problems: &mut Vec<Problem>) -> Option<Expected> {
    let fields = Fields::of(node, "an answer", &["status", "body", "means"], problems)?;
    let status = fields.need("status", "200", problems)?;
    let status = yaml::one_or_list(status)
        .iter()
        .filter_map(|node| status_code(node, problems))
        .collect();
    let body = fields
        .get("body")
        .and_then(|node| yaml::text(node, "`body`", problems))
        .map(|text| text.value);
    let means = one(
        fields.need("means", "exists", problems),
        "means",
        &pairs(Meaning::ALL, Meaning::name),
        problems,
    )?;
    Some(Expected {
        status,
        body,
        means,
    })
}

fn status_code(node: &Node, problems: &mut Vec<Problem>) -> Option<u16> {
    if let Value::Integer(number @ 200..=599) = node.value {
        return u16::try_from(number).ok();
    }
    problems.push(Problem::error(
        "bad-status",
        node.at,
        format!(
            "a status is a number from 200 to 599; this is {}",
            node.value.kind()
        ),
    ));
    None
}

fn header(node: &Node, problems: &mut Vec<Problem>) -> Option<Header> {
    let fields = Fields::of(node, "a header", &["name", "value", "length"], problems)?;
    let name = fields
        .need("name", "Range", problems)
        .and_then(|node| yaml::text(node, "`name`", problems))?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let value = match (fields.get("value"), fields.get("length")) {
        (Some(node), None) => yaml::text(node, "`value`", problems)?.value,
        // Signatures are long: devices limit the size of headers.
        (None, Some(node)) => match node.value {
            Value::Integer(length @ 1..=4_096) => "0".repeat(usize::try_from(length).ok()?),
            _ => String::new(),
        },
        _ => String::new(),
    };
    let plain = value.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if name.chars().all(is_token) && plain && (1..=LONGEST).contains(&value.len()) {
        return Some(Header {
            name: name.value,
            value,
        });
    }
    problems.push(
        Problem::error("bad-header", node.at, format!("`{}` is no header to try", name.value))
            .hint("give a name of letters, digits and hyphens, and a `value` of plain characters or a `length` up to 4096"),
    );
    None
}
