//! YAML as a tree with positions, so that our own pass can report every fault of a file at once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use crate::diagnostic::{Place, Problem};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) value: Value,
}

/// A YAML value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float,
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; a key may stand twice.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, in a reader's words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) => "a number",
            Value::Float => "a number with a fraction",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "keys and values",
        }
    }
}

/// The most bytes of a site file or catalogue.
pub(crate) const LARGEST_FILE: usize = 8 << 20;

/// Reads one YAML document.
///
/// # Errors
/// One finding: bytes that are not UTF-8, or text that is not one bounded YAML document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Node, Problem> {
    if bytes.len() > LARGEST_FILE {
        return Err(Problem::error(
            "too-large",
            None,
            format!(
                "the file is larger than {} MiB, the limit for a site file and a catalogue",
                LARGEST_FILE >> 20
            ),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(Problem::error("empty-file", None, "the file is empty"));
    }
    let raw: Spanned<Raw> =
        serde_yaml::from_str_with_options(text, options()).map_err(|error| syntax(&error))?;
    Ok(node(raw))
}

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 200_000,
            max_depth: 64,
            max_nodes: 100_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
        },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: 50_000 },
        duplicate_keys: serde_yaml::DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    }
}

fn not_utf8(bytes: &[u8], valid: usize) -> Problem {
    let before = String::from_utf8_lossy(&bytes[..valid]).into_owned();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    Problem::error(
        "not-utf8",
        Place {
            line,
            column,
            start: valid,
            end: valid + 1,
        },
        "the file is not UTF-8 text",
    )
    .hint("save it as UTF-8 (in Notepad: Save As, Encoding: UTF-8)")
}

fn syntax(error: &serde_yaml::Error) -> Problem {
    let at = error.location().map(place);
    let error = innermost(error);
    match error {
        serde_yaml::Error::MultipleDocuments { .. } => Problem::error(
            "two-documents",
            at,
            "the file holds more than one YAML document",
        )
        .hint("keep one document; take the `---` lines out"),
        serde_yaml::Error::Budget { .. }
        | serde_yaml::Error::AliasReplayLimitExceeded { .. }
        | serde_yaml::Error::AliasReplayStackDepthExceeded { .. }
        | serde_yaml::Error::AliasExpansionLimitExceeded { .. } => Problem::error(
            "too-complex",
            at,
            "the file is nested too deeply, too large, or its aliases expand to too much",
        )
        .hint("a site file needs no nesting beyond the keys of the documentation"),
        _ => {
            let text = error.render_with_formatter(&serde_yaml::DefaultMessageFormatter);
            let first = text.lines().next().unwrap_or_default();
            let cut = first.split(" at line ").next().unwrap_or(first);
            if cut.contains("recursion") || cut.contains("depth") || cut.contains("nest") {
                return Problem::error("too-complex", at, "the file is nested too deeply");
            }
            Problem::error(
                "not-yaml",
                at,
                cut.trim_start_matches("error: ").to_string(),
            )
            .hint(
                "check the indentation, quotes, brackets and colons of this line and the one \
                 before",
            )
        }
    }
}

/// The error itself, without the wrappings that say where an alias led.
fn innermost(error: &serde_yaml::Error) -> &serde_yaml::Error {
    match error.without_snippet() {
        serde_yaml::Error::AliasError { error, .. } => innermost(error),
        error => error,
    }
}

fn place(location: serde_yaml::Location) -> Place {
    let span = location.span();
    let start = span.byte_offset().unwrap_or(0) as usize;
    let length = span.byte_len().unwrap_or(0) as usize;
    Place {
        line: location.line() as usize,
        column: location.column() as usize,
        start,
        end: start + length,
    }
}

fn node(raw: Spanned<Raw>) -> Node {
    let at = place(raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Integer(value) => Value::Integer(value),
        Raw::Float => Value::Float,
        Raw::Text(value) => Value::Text(value),
        Raw::List(list) => Value::List(list.into_iter().map(node).collect()),
        Raw::Map(map) => Value::Map(
            map.into_iter()
                .map(|(key, value)| (node(key), node(value)))
                .collect(),
        ),
    };
    Node { at, value }
}

/// What the parser hands over, before positions are turned into ours.
enum Raw {
    Null,
    Bool(bool),
    Integer(i128),
    Float,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Integer(value))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Float)
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
