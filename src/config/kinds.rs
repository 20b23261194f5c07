//! The kinds of values that keys have: how each is read, and how the JSON Schema describes it.
//!
//! A kind is made where `keys!` names it, from other kinds where it holds such. Those of one section alone stand with that
//! section.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::time::Duration;

use serde_json::{Value as Json, json};

pub(crate) use super::keys::{Kind, of_product, section};
use super::keys::{Section, What};
use crate::diagnostic::{Place, Problem};
use crate::yaml::{self, At, Fields, Node, Value};

/// A kind that holds no other.
pub(crate) fn plain<T: 'static>(
    read: fn(&Node, &str, &mut Vec<Problem>) -> Option<T>,
    schema: fn() -> Json,
) -> Kind<T> {
    Kind::new(
        move |node, what, problems| read(node, &what.to_string(), problems),
        schema,
    )
}

/// Text; a number is taken as text.
pub(crate) fn text() -> Kind<At<String>> {
    plain(
        yaml::text,
        || json!({ "type": ["string", "integer"], "minLength": 1 }),
    )
}

/// Text in which capitals are the same as small letters.
pub(crate) fn caseless() -> Kind<At<String>> {
    let Kind { read, schema } = text();
    Kind::new(
        move |node, what, problems| read(node, what, problems).map(folded),
        schema,
    )
}

/// The name of a zone or system, which is looked up later. Capitals are the same as small letters.
pub(crate) fn name() -> Kind<At<String>> {
    plain(
        |node, what, problems| yaml::text(node, what, problems).map(folded),
        name_schema,
    )
}

fn folded(mut name: At<String>) -> At<String> {
    name.value.make_ascii_lowercase();
    name
}

/// A name that the file gives to something.
pub(crate) fn new_name() -> Kind<At<String>> {
    let read = |node: &Node, what: &str, problems: &mut Vec<Problem>| {
        let name = yaml::text(node, what, problems)?;
        check_name(&name.value, name.at, problems);
        Some(folded(name))
    };
    plain(read, name_schema)
}

fn name_schema() -> Json {
    json!({ "type": ["string", "integer"], "pattern": "^[A-Za-z0-9][A-Za-z0-9-]*$" })
}

fn check_name(name: &str, at: Place, problems: &mut Vec<Problem>) {
    let is_plain = |c: char| c.is_ascii_alphanumeric();
    if !name.starts_with(is_plain) || !name.chars().all(|c| is_plain(c) || c == '-') {
        let says = format!("`{name}` cannot be a name");
        problems.push(
            Problem::error("bad-name", at, says)
                .hint("names are letters, digits and hyphens, and begin with a letter or digit"),
        );
    }
}

/// `true` or `false`.
pub(crate) fn boolean() -> Kind<bool> {
    plain(yaml::boolean, || json!({ "type": "boolean" }))
}

/// A port number.
pub(crate) fn port() -> Kind<At<u16>> {
    plain(yaml::port, port_schema)
}

fn port_schema() -> Json {
    json!({ "type": "integer", "minimum": 1, "maximum": u16::MAX })
}

/// Pairs of ports: each that is asked, with the one that it leads to.
pub(crate) fn port_pairs() -> Kind<Vec<(At<u16>, At<u16>)>> {
    let schema = || {
        json!({
            "type": "object",
            "propertyNames": { "pattern": "^[1-9][0-9]{0,4}$" },
            "additionalProperties": port_schema(),
            "minProperties": 1
        })
    };
    plain(
        |node, what, problems| Some(yaml::port_pairs(node, what, problems)),
        schema,
    )
}

/// An address that one host has.
pub(crate) fn address() -> Kind<At<IpAddr>> {
    plain(yaml::address, || json!({ "type": "string" }))
}

/// A time span between two others.
pub(crate) fn span(low: &'static str, high: &'static str) -> Kind<Duration> {
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let range = format!("{low} to {high}");
        let before = problems.len();
        let span = yaml::duration(node, &what.to_string(), problems);
        let hints = problems[before..]
            .iter_mut()
            .filter_map(|it| it.hint.as_mut());
        hints.for_each(|hint| *hint += &format!("; {range}"));
        let bounds = yaml::time_span(low)..=yaml::time_span(high);
        if span.is_some() && !bounds.contains(&span) {
            problems.push(out_of_range(node, what).hint(range));
        }
        span
    };
    Kind::new(
        read,
        || json!({ "type": "string", "pattern": "^[0-9]+ *(ms|s|m|h|d)$" }),
    )
}

fn out_of_range(node: &Node, what: &What) -> Problem {
    Problem::error("out-of-range", node.at, format!("{what} is out of range"))
}

/// A whole number between two others.
pub(crate) fn number<T: TryFrom<i128>>(low: i64, high: i64) -> Kind<T> {
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let problem = match node.value {
            Value::Integer(number) if (low.into()..=high.into()).contains(&number) => {
                return T::try_from(number).ok();
            }
            Value::Integer(_) => out_of_range(node, what),
            _ => yaml::wrong_type(node, &what.to_string(), "a number"),
        };
        problems.push(problem.hint(format!("{low} to {high}")));
        None
    };
    Kind::new(
        read,
        move || json!({ "type": "integer", "minimum": low, "maximum": high }),
    )
}

/// A word of a closed list, as `words!` declares it.
pub(crate) fn word<T: Copy>(all: &'static [T], name: fn(T) -> &'static str) -> Kind<T> {
    word_or("unknown-word", all, name)
}

/// The same, with the finding when it is another word.
pub(crate) fn word_or<T: Copy>(
    code: &'static str,
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> Kind<T> {
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let known: Vec<_> = all.iter().map(|word| (name(*word), *word)).collect();
        Some(yaml::word(node, &what.to_string(), code, &known, problems)?.value)
    };
    let words = move || all.iter().map(|word| name(*word)).collect::<Vec<_>>();
    Kind::new(read, move || json!({ "enum": words() }))
}

/// The same, with where it stands.
pub(crate) fn at<T: 'static>(kind: Kind<T>) -> Kind<At<T>> {
    let Kind { read, schema } = kind;
    Kind::new(
        move |node, what, problems| {
            let value = read(node, what, problems)?;
            Some(At { value, at: node.at })
        },
        schema,
    )
}

/// A word that stands for a value, or else a value of a kind. Where the word is `off`, so is `false`.
pub(crate) fn or<T, V>(word: &'static str, value: V, kind: Kind<T>) -> Kind<V>
where
    T: 'static,
    V: From<T> + Clone + 'static,
{
    let Kind { read, schema } = kind;
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let is_word = match &node.value {
            Value::Text(text) => text == word,
            value => word == "off" && matches!(value, Value::Bool(false)),
        };
        if is_word {
            return Some(value.clone());
        }
        let before = problems.len();
        let other = read(node, what, problems);
        for problem in &mut problems[before..] {
            problem.hint = Some(match problem.hint.take() {
                Some(hint) => format!("{hint}, or `{word}`"),
                None => format!("`{word}` would do, too"),
            });
        }
        other.map(V::from)
    };
    let words = match word {
        "off" => json!(["off", false]),
        word => json!([word]),
    };
    Kind::new(
        read,
        move || json!({ "anyOf": [{ "enum": words }, schema()] }),
    )
}

/// A list, or the one value that stands in its place.
pub(crate) fn list<T: 'static>(item: Kind<T>) -> Kind<Vec<T>> {
    let Kind { read, schema } = item;
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| match &node.value {
        Value::List(nodes) => {
            let item = What::owner(format!("an item of {what}"));
            let values = nodes.iter();
            let values = values.filter_map(|node| read(node, &item, problems));
            Some(values.collect())
        }
        _ => Some(read(node, what, problems).into_iter().collect()),
    };
    let schema = move || json!({ "anyOf": [schema(), { "type": "array", "items": schema() }] });
    Kind::new(read, schema)
}

/// A list that is one even of a single item. Findings call each item so.
pub(crate) fn list_of<T: 'static>(called: &'static str, item: Kind<T>) -> Kind<Vec<T>> {
    let Kind { read, schema } = item;
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let nodes = yaml::list(node, &what.to_string(), problems).iter();
        let item = What::owner(called);
        let values = nodes.filter_map(|node| read(node, &item, problems));
        Some(values.collect())
    };
    Kind::new(read, move || json!({ "type": "array", "items": schema() }))
}

/// A list or mapping in which something must stand; the finding otherwise, and what would be right.
pub(crate) fn filled<T: 'static>(code: &'static str, hint: &'static str, kind: Kind<T>) -> Kind<T> {
    let Kind { read, schema } = kind;
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let before = problems.len();
        let value = read(node, what, problems);
        let is_empty = match &node.value {
            Value::List(items) => items.is_empty(),
            Value::Map(pairs) => pairs.is_empty(),
            _ => false,
        };
        if is_empty && problems.len() == before {
            let says = format!("{what} is empty");
            problems.push(Problem::error(code, node.at, says).hint(hint));
        }
        value
    };
    let schema = move || {
        let mut schema = schema();
        schema["minItems"] = 1.into();
        schema["minProperties"] = 1.into();
        schema
    };
    Kind::new(read, schema)
}

/// Something that the console shows: findings say where, by a topic of `portproof explain`.
pub(crate) fn explained<T: 'static>(topic: &'static str, kind: Kind<T>) -> Kind<T> {
    let Kind { read, schema } = kind;
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let before = problems.len();
        let value = read(node, what, problems);
        for problem in &mut problems[before..] {
            let hint = problem.hint.take().map(|hint| format!("{hint}; "));
            problem.hint = Some(format!(
                "{}portproof explain {topic} says where the console shows the numbers",
                hint.unwrap_or_default()
            ));
        }
        value
    };
    Kind::new(read, schema)
}

/// A section that may be left blank.
pub(crate) fn section_or_blank<S: Section + Default + 'static>() -> Kind<S> {
    let Kind { read, schema } = section::<S>();
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| match node.value {
        Value::Null => Some(S::default()),
        _ => read(node, what, problems),
    };
    Kind::new(
        read,
        move || json!({ "anyOf": [schema(), { "type": "null" }] }),
    )
}

/// One value for each zone that asks.
pub(crate) fn by_zone<T: 'static>(kind: Kind<T>) -> Kind<Vec<(At<String>, T)>> {
    let Kind { read, schema } = kind;
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let pairs = names(node, what, problems)?.into_iter();
        let pairs = pairs.filter_map(|(zone, node)| {
            let value = read(node, &what.key(&zone.value), problems)?;
            Some((zone, value))
        });
        Some(pairs.collect())
    };
    Kind::new(read, move || map_schema(schema()))
}

/// The names that a mapping has as keys, each with its value. Two that differ only in capitals are one name.
fn names<'a>(
    node: &'a Node,
    what: &What,
    problems: &mut Vec<Problem>,
) -> Option<Vec<(At<String>, &'a Node)>> {
    let fields = Fields::named(node, what.to_string(), problems)?;
    let mut known: HashMap<String, At<&str>> = HashMap::new();
    let mut names = Vec::new();
    for (written, node) in fields.all() {
        let name = folded(written.owned());
        match known.get(&name.value) {
            Some(first) => problems.push(twice(what, &name.value, *first, *written)),
            None => {
                known.insert(name.value.clone(), *written);
                names.push((name, *node));
            }
        }
    }
    Some(names)
}

fn twice(what: &What, name: &str, first: At<&str>, second: At<&str>) -> Problem {
    let says = format!(
        "{what} has the name `{name}` twice: `{}` in line {} and `{}` in line {}",
        first.value, first.at.line, second.value, second.at.line
    );
    Problem::error("duplicate-key", second.at, says)
        .hint("capitals are the same as small letters in names: rename one of the two")
}

fn map_schema(values: Json) -> Json {
    json!({ "type": "object", "propertyNames": name_schema(), "additionalProperties": values })
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

/// What the file gives names of its own, and what findings call it.
pub(crate) fn named<T: 'static>(called: &'static str, kind: Kind<T>) -> Kind<Vec<Named<T>>> {
    let Kind { read, schema } = kind;
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let all = names(node, what, problems)?.into_iter();
        let all = all.filter_map(|(name, node)| {
            check_name(&name.value, name.at, problems);
            let what = What::owner(format!("{called} `{}`", name.value));
            let value = read(node, &what, problems)?;
            Some(Named { name, value })
        });
        Some(all.collect())
    };
    Kind::new(read, move || map_schema(schema()))
}
