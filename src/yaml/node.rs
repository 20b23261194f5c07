//! YAML as a tree with positions, so that our own pass can report every fault of a file at once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;
use serde_yaml::budget::BudgetBreach;

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

/// What stands in the place of a value that nobody has given yet.
const OPEN: &str = "?";

impl Node {
    /// Whether this is an open value: `"?"`, or the empty key that YAML makes of a `?` without quotes in brackets.
    pub(crate) fn is_open(&self) -> bool {
        match &self.value {
            Value::Text(text) => text == OPEN,
            Value::Map(pairs) => match &pairs[..] {
                [(key, value)] => {
                    matches!((&key.value, &value.value), (Value::Null, Value::Null))
                }
                _ => false,
            },
            Value::List(_) | Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float => {
                false
            }
        }
    }

    /// Whether a value is open in here.
    pub(crate) fn is_open_somewhere(&self) -> bool {
        self.is_open()
            || match &self.value {
                Value::List(items) => items.iter().any(Self::is_open_somewhere),
                Value::Map(pairs) => pairs.iter().any(|(_, value)| value.is_open_somewhere()),
                _ => false,
            }
    }
}

/// The most bytes of a site file or catalogue. A system takes some 200 bytes to 1 KiB.
pub(crate) const LARGEST_FILE: usize = 16 << 20;

/// How deep keys and lists may stand in each other. The keys of a site file go down to six.
const DEEPEST: usize = 64;

/// How much the aliases of a small file may repeat.
const REPEATED_AT_LEAST: usize = 50_000;

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
                "the file has {} bytes; the limit for a site file and a catalogue is {} MiB",
                bytes.len(),
                LARGEST_FILE >> 20
            ),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(Problem::error("empty-file", None, "the file is empty")
            .hint("`portproof init` asks a few questions and writes one; `portproof example` prints an example"));
    }
    serde_yaml::from_str_with_options(text, options(text.len())).map_err(|error| {
        let problem = syntax(&error, text.len());
        left_open(text, &problem).unwrap_or(problem)
    })
}

/// A `?` without quotes is no value to YAML, but whoever wrote it means an open answer.
fn left_open(text: &str, problem: &Problem) -> Option<Problem> {
    let at = problem.at.filter(|_| problem.code == "not-yaml")?;
    let line = text.lines().nth(at.line.checked_sub(1)?)?;
    let line = line.split(" #").next().unwrap_or_default();
    let is_edge = |c: char| c.is_whitespace() || "[]{},".contains(c);
    let is_open = line.split(is_edge).any(|word| word == OPEN);
    is_open.then(|| {
        Problem::question(
            "unanswered",
            at,
            "what is to stand in the place of this `?`?",
        )
        .hint(
            "write the answer there; a `?` that is to stay until later needs quotes, as in \
             zone: \"?\"",
        )
    })
}

/// How many values, keys and lists the aliases of a file may repeat in all: one for each byte.
fn most_repeated(bytes: usize) -> usize {
    bytes.max(REPEATED_AT_LEAST)
}

/// How long all texts of a file may be, with those that aliases repeat.
fn longest_text(bytes: usize) -> usize {
    8 * most_repeated(bytes)
}

/// What a file is read into follows its size. What it writes out takes a byte or more for each value, and a byte or
/// more for each list that is opened or closed. Only aliases make more of it.
fn options(bytes: usize) -> serde_yaml::Options {
    let repeated = most_repeated(bytes);
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 4 * bytes + repeated,
            max_depth: DEEPEST,
            max_nodes: 2 * bytes + repeated,
            max_aliases: bytes,
            max_anchors: bytes,
            max_merge_keys: bytes,
            max_recorded_anchor_events: repeated,
            max_recorded_anchor_bytes: longest_text(bytes),
            max_total_scalar_bytes: longest_text(bytes),
            // What aliases repeat is counted, however few anchors it comes from.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: repeated },
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
    .hint(
        "save it as UTF-8 (in Notepad: Save As, Encoding: UTF-8); `>` of Windows PowerShell writes \
         UTF-16, `--output FILE` does not",
    )
}

fn syntax(error: &serde_yaml::Error, bytes: usize) -> Problem {
    let at = error.location().map(place);
    let error = innermost(error);
    match error {
        serde_yaml::Error::MultipleDocuments { .. } => Problem::error(
            "two-documents",
            at,
            "the file holds more than one YAML document",
        )
        .hint("keep one document; take the `---` lines out"),
        serde_yaml::Error::Budget {
            breach: BudgetBreach::Depth { .. },
            ..
        } => too_deep(at),
        serde_yaml::Error::Budget {
            breach: BudgetBreach::ScalarBytes { .. } | BudgetBreach::RecordedAnchorBytes { .. },
            ..
        } => too_much(at, bytes, &format!("{} bytes of text", longest_text(bytes))),
        serde_yaml::Error::Budget { .. }
        | serde_yaml::Error::AliasReplayLimitExceeded { .. }
        | serde_yaml::Error::AliasReplayStackDepthExceeded { .. }
        | serde_yaml::Error::AliasExpansionLimitExceeded { .. } => {
            too_much(at, bytes, &format!("{} values", most_repeated(bytes)))
        }
        _ => {
            let text = error.render_with_formatter(&serde_yaml::DefaultMessageFormatter);
            let first = text.lines().next().unwrap_or_default();
            let cut = first.split(" at line ").next().unwrap_or(first);
            if cut.contains("recursion") || cut.contains("depth") || cut.contains("nest") {
                return too_deep(at);
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

fn too_deep(at: Option<Place>) -> Problem {
    Problem::error(
        "too-complex",
        at,
        format!("keys and lists stand in each other more than {DEEPEST} deep here, the limit"),
    )
    .hint("a site file needs no nesting beyond the keys of the documentation")
}

fn too_much(at: Option<Place>, bytes: usize, limit: &str) -> Problem {
    Problem::error(
        "too-complex",
        at,
        format!(
            "the aliases of the file repeat too much: the limit is {limit} for its \
             {bytes} bytes"
        ),
    )
    .hint(
        "the aliases of a file may repeat one value for each of its bytes; of a small file, 50000 \
         in all",
    )
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

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read: Spanned<Read> = Spanned::deserialize(deserializer)?;
        Ok(Self {
            at: place(read.referenced),
            value: read.value.0,
        })
    }
}

/// A value, before the parser has said where it stands.
struct Read(Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor)
    }
}

struct ReadVisitor;

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Read;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Read, E> {
        Ok(Read(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Read, E> {
        Ok(Read(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read, D::Error> {
        Read::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Read, E> {
        Ok(Read(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Read, E> {
        Ok(Read(Value::Integer(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Read, E> {
        Ok(Read(Value::Integer(value.into())))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Read, E> {
        Ok(Read(Value::Integer(value)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Read, E> {
        Ok(Read(Value::Float))
    }

    fn visit_str<E>(self, value: &str) -> Result<Read, E> {
        Ok(Read(Value::Text(value.to_string())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Read, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Read(Value::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Read(Value::Map(entries)))
    }
}
