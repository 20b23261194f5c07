//! The kinds of values that keys have: how each is read, and how the JSON Schema describes it.
//!
//! A kind is a value that `keys!` names. Those of one section alone stand with that section.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::Deref;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::keys::{self, Entries, Section, What};
use crate::diagnostic::{Place, Problem};
use crate::yaml::{self, At, Fields, Node, Value};

/// How a value is written.
pub(super) trait Kind {
    /// What it is read as.
    type Value;

    /// Reads it; what is wrong is added to the findings.
    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<Self::Value>;

    /// Its JSON Schema.
    fn schema(&self) -> Json;
}

/// A kind that is a pair of functions.
pub(super) struct Plain<T> {
    pub(super) read: fn(&Node, &str, &mut Vec<Problem>) -> Option<T>,
    pub(super) schema: fn() -> Json,
}

impl<T> Kind for Plain<T> {
    type Value = T;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<T> {
        (self.read)(node, &what.to_string(), problems)
    }

    fn schema(&self) -> Json {
        (self.schema)()
    }
}

/// Text; a number is taken as text.
pub(super) fn text() -> Plain<At<String>> {
    Plain {
        read: yaml::text,
        schema: || json!({ "type": ["string", "integer"], "minLength": 1 }),
    }
}

/// The name of a zone or system, which is looked up later.
pub(super) fn name() -> Plain<At<String>> {
    Plain {
        read: yaml::text,
        schema: name_schema,
    }
}

/// A name that the file gives to something.
pub(super) fn new_name() -> Plain<At<String>> {
    Plain {
        read: |node, what, problems| {
            let name = yaml::text(node, what, problems)?;
            check_name(&name.value, name.at, problems);
            Some(name)
        },
        schema: name_schema,
    }
}

fn name_schema() -> Json {
    json!({ "type": ["string", "integer"], "pattern": "^[a-z0-9][a-z0-9-]*$" })
}

fn check_name(name: &str, at: Place, problems: &mut Vec<Problem>) {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.starts_with(is_plain) || !name.chars().all(|c| is_plain(c) || c == '-') {
        problems.push(
            Problem::error("bad-name", at, format!("`{name}` cannot be a name")).hint(
                "names are lower-case letters, digits and hyphens, and begin with a letter or digit",
            ),
        );
    }
}

/// `true` or `false`.
pub(super) fn boolean() -> Plain<bool> {
    Plain {
        read: yaml::boolean,
        schema: || json!({ "type": "boolean" }),
    }
}

/// A port number.
pub(super) fn port() -> Plain<At<u16>> {
    Plain {
        read: yaml::port,
        schema: port_schema,
    }
}

fn port_schema() -> Json {
    json!({ "type": "integer", "minimum": 1, "maximum": u16::MAX })
}

/// Pairs of ports: each that is asked, with the one that it leads to.
pub(super) fn port_pairs() -> Plain<Vec<(At<u16>, At<u16>)>> {
    Plain {
        read: |node, what, problems| Some(yaml::port_pairs(node, what, problems)),
        schema: || {
            json!({
                "type": "object",
                "propertyNames": { "pattern": "^[1-9][0-9]{0,4}$" },
                "additionalProperties": port_schema(),
                "minProperties": 1
            })
        },
    }
}

/// An address that one host has.
pub(super) fn address() -> Plain<At<IpAddr>> {
    Plain {
        read: yaml::address,
        schema: || json!({ "type": "string" }),
    }
}

/// A time span between two others.
pub(super) fn span(low: &'static str, high: &'static str) -> Span {
    Span { low, high }
}

pub(super) struct Span {
    low: &'static str,
    high: &'static str,
}

impl Kind for Span {
    type Value = Duration;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<Duration> {
        let range = format!("{} to {}", self.low, self.high);
        let before = problems.len();
        let span = yaml::duration(node, &what.to_string(), problems);
        for hint in problems[before..]
            .iter_mut()
            .filter_map(|it| it.hint.as_mut())
        {
            *hint += &format!("; {range}");
        }
        let [low, high] = [self.low, self.high].map(yaml::time_span);
        if span.is_some() && (span < low || span > high) {
            problems.push(out_of_range(node, what).hint(range));
        }
        span
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+ *(ms|s|m|h|d)$" })
    }
}

fn out_of_range(node: &Node, what: &What) -> Problem {
    Problem::error("out-of-range", node.at, format!("{what} is out of range"))
}

/// A whole number between two others.
pub(super) fn number<T>(low: T, high: T) -> Number<T> {
    Number { low, high }
}

pub(super) struct Number<T> {
    low: T,
    high: T,
}

impl<T: Copy + Into<i128> + TryFrom<i128>> Kind for Number<T> {
    type Value = T;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<T> {
        let (low, high): (i128, i128) = (self.low.into(), self.high.into());
        let problem = match node.value {
            Value::Integer(number) if (low..=high).contains(&number) => {
                return T::try_from(number).ok();
            }
            Value::Integer(_) => out_of_range(node, what),
            _ => yaml::wrong_type(node, &what.to_string(), "a number"),
        };
        problems.push(problem.hint(format!("{low} to {high}")));
        None
    }

    fn schema(&self) -> Json {
        let (low, high): (i128, i128) = (self.low.into(), self.high.into());
        json!({ "type": "integer", "minimum": low as i64, "maximum": high as i64 })
    }
}

/// A word of a closed list, as `words!` declares it.
pub(super) fn word<T: Copy + 'static>(all: &'static [T], name: fn(T) -> &'static str) -> Word<T> {
    Word {
        all,
        name,
        code: "unknown-word",
    }
}

pub(super) struct Word<T: 'static> {
    all: &'static [T],
    name: fn(T) -> &'static str,
    code: &'static str,
}

impl<T> Word<T> {
    /// The finding when it is another word.
    pub(super) fn else_finding(self, code: &'static str) -> Self {
        Self { code, ..self }
    }
}

impl<T: Copy> Kind for Word<T> {
    type Value = T;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<T> {
        let known: Vec<(&'static str, T)> = self
            .all
            .iter()
            .map(|word| ((self.name)(*word), *word))
            .collect();
        let word = yaml::word(node, &what.to_string(), self.code, &known, problems)?;
        Some(word.value)
    }

    fn schema(&self) -> Json {
        let words: Vec<&str> = self.all.iter().map(|word| (self.name)(*word)).collect();
        json!({ "enum": words })
    }
}

/// The same, with where it stands.
pub(super) fn at<K: Kind>(kind: K) -> Placed<K> {
    Placed(kind)
}

pub(super) struct Placed<K>(K);

impl<K: Kind> Kind for Placed<K> {
    type Value = At<K::Value>;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<At<K::Value>> {
        let value = self.0.read(node, what, problems)?;
        Some(At { value, at: node.at })
    }

    fn schema(&self) -> Json {
        self.0.schema()
    }
}

/// A word that stands for a value, or else a value of a kind. Where the word is `off`, so is `false`.
pub(super) fn or<V, K: Kind>(word: &'static str, value: V, kind: K) -> Or<V, K> {
    Or { word, value, kind }
}

pub(super) struct Or<V, K> {
    word: &'static str,
    value: V,
    kind: K,
}

impl<V: From<K::Value> + Clone, K: Kind> Kind for Or<V, K> {
    type Value = V;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<V> {
        let is_word = match &node.value {
            Value::Text(text) => text == self.word,
            value => self.word == "off" && matches!(value, Value::Bool(false)),
        };
        if is_word {
            return Some(self.value.clone());
        }
        let before = problems.len();
        let value = self.kind.read(node, what, problems);
        for problem in &mut problems[before..] {
            let word = self.word;
            problem.hint = Some(match problem.hint.take() {
                Some(hint) => format!("{hint}, or `{word}`"),
                None => format!("`{word}` would do, too"),
            });
        }
        value.map(V::from)
    }

    fn schema(&self) -> Json {
        let word = match self.word {
            "off" => json!({ "enum": ["off", false] }),
            word => json!({ "const": word }),
        };
        json!({ "anyOf": [word, self.kind.schema()] })
    }
}

/// A list.
pub(super) fn list<K>(item: K) -> List<K> {
    List {
        item,
        one: false,
        called: None,
    }
}

/// A list, or the one value that stands in its place.
pub(super) fn one_or_list<K>(item: K) -> List<K> {
    List {
        item,
        one: true,
        called: None,
    }
}

pub(super) struct List<K> {
    item: K,
    one: bool,
    called: Option<&'static str>,
}

impl<K> List<K> {
    /// What findings call an item.
    pub(super) fn of(self, called: &'static str) -> Self {
        Self {
            called: Some(called),
            ..self
        }
    }
}

impl<K: Kind> Kind for List<K> {
    type Value = Vec<K::Value>;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<Self::Value> {
        if self.one && !matches!(node.value, Value::List(_)) {
            return Some(self.item.read(node, what, problems).into_iter().collect());
        }
        let item = match self.called {
            Some(called) => What::owner(called),
            None => What::owner(format!("an item of {what}")),
        };
        let nodes = yaml::list(node, &what.to_string(), problems).iter();
        let values = nodes.filter_map(|node| self.item.read(node, &item, problems));
        Some(values.collect())
    }

    fn schema(&self) -> Json {
        let list = json!({ "type": "array", "items": self.item.schema() });
        match self.one {
            true => json!({ "anyOf": [self.item.schema(), list] }),
            false => list,
        }
    }
}

/// A list or mapping in which something must stand; the finding otherwise, and what would be right.
pub(super) fn filled<K>(code: &'static str, hint: &'static str, kind: K) -> Filled<K> {
    Filled { code, hint, kind }
}

pub(super) struct Filled<K> {
    code: &'static str,
    hint: &'static str,
    kind: K,
}

impl<K: Kind> Kind for Filled<K> {
    type Value = K::Value;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<K::Value> {
        let before = problems.len();
        let value = self.kind.read(node, what, problems);
        let is_empty = match &node.value {
            Value::List(items) => items.is_empty(),
            Value::Map(pairs) => pairs.is_empty(),
            _ => false,
        };
        if is_empty && problems.len() == before {
            let says = format!("{what} is empty");
            problems.push(Problem::error(self.code, node.at, says).hint(self.hint));
        }
        value
    }

    fn schema(&self) -> Json {
        let mut schema = self.kind.schema();
        schema["minItems"] = 1.into();
        schema["minProperties"] = 1.into();
        schema
    }
}

/// Something that the console shows: findings say where, by a topic of `portproof explain`.
pub(super) fn explained<K>(topic: &'static str, kind: K) -> Explained<K> {
    Explained { topic, kind }
}

pub(super) struct Explained<K> {
    topic: &'static str,
    kind: K,
}

impl<K: Kind> Kind for Explained<K> {
    type Value = K::Value;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<K::Value> {
        let before = problems.len();
        let value = self.kind.read(node, what, problems);
        for problem in &mut problems[before..] {
            let hint = problem.hint.take().map(|hint| format!("{hint}; "));
            problem.hint = Some(format!(
                "{}portproof explain {} says where the console shows the numbers",
                hint.unwrap_or_default(),
                self.topic
            ));
        }
        value
    }

    fn schema(&self) -> Json {
        self.kind.schema()
    }
}

/// One value for each zone that asks.
pub(super) fn by_zone<K>(kind: K) -> ByZone<K> {
    ByZone(kind)
}

pub(super) struct ByZone<K>(K);

impl<K: Kind> Kind for ByZone<K> {
    type Value = Vec<(At<String>, K::Value)>;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<Self::Value> {
        let fields = Fields::named(node, what.to_string(), problems)?;
        let pairs = fields.all().iter().filter_map(|(zone, node)| {
            let value = self.0.read(node, &what.key(zone.value), problems)?;
            Some((zone.owned(), value))
        });
        Some(pairs.collect())
    }

    fn schema(&self) -> Json {
        json!({ "type": "object", "propertyNames": name_schema(), "additionalProperties": self.0.schema() })
    }
}

/// A section, whose keys `keys!` declares.
pub(super) fn section<S>() -> Whole<S> {
    Whole(PhantomData)
}

pub(super) struct Whole<S>(PhantomData<S>);

impl<S: Section> Kind for Whole<S> {
    type Value = S;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<S> {
        let fields = Fields::of(node, what.to_string(), S::NAMES, problems)?;
        let what = what.clone();
        S::read(&Entries { fields, what }, problems)
    }

    fn schema(&self) -> Json {
        keys::schema(&S::keys())
    }
}

/// What the file gives a name of its own, by these names.
pub(super) fn named<K>(called: &'static str, kind: K) -> Names<K> {
    Names { called, kind }
}

pub(super) struct Names<K> {
    called: &'static str,
    kind: K,
}

/// Something with the name that the file gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T> {
    /// Its name.
    pub name: At<String>,
    /// What it is.
    pub value: T,
}

impl<T> Deref for Named<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<K: Kind> Kind for Names<K> {
    type Value = Vec<Named<K::Value>>;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<Self::Value> {
        let fields = Fields::named(node, what.to_string(), problems)?;
        let all = fields.all().iter().filter_map(|(name, node)| {
            check_name(name.value, name.at, problems);
            let what = What::owner(format!("{} `{}`", self.called, name.value));
            let value = self.kind.read(node, &what, problems)?;
            Some(Named {
                name: name.owned(),
                value,
            })
        });
        Some(all.collect())
    }

    fn schema(&self) -> Json {
        json!({ "type": "object", "propertyNames": name_schema(), "additionalProperties": self.kind.schema() })
    }
}

/// A section that may be left blank.
pub(super) fn or_blank<K>(kind: K) -> OrBlank<K> {
    OrBlank(kind)
}

pub(super) struct OrBlank<K>(K);

impl<V: Default, K: Kind<Value = V>> Kind for OrBlank<K> {
    type Value = V;

    fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<V> {
        match node.value {
            Value::Null => Some(V::default()),
            _ => self.0.read(node, what, problems),
        }
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [self.0.schema(), { "type": "null" }] })
    }
}
