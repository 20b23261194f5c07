//! Reading keys and scalars of a tree: what is wrong is collected, never returned early.

use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::Deref;
use std::time::Duration;

use super::{Node, Value};
use crate::diagnostic::{Place, Problem, choices};

/// A value and where it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Place,
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl At<&str> {
    /// The same, with text of its own.
    pub(crate) fn owned(self) -> At<String> {
        At {
            value: self.value.to_string(),
            at: self.at,
        }
    }
}

/// One port or a range of ports, both ends included; never 0, but for [`PortRange::NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    /// The lowest port.
    pub low: u16,
    /// The highest port.
    pub high: u16,
}

impl PortRange {
    /// In place of a port, where the transport has none.
    pub const NONE: Self = Self { low: 0, high: 0 };

    /// A single port.
    pub fn one(port: u16) -> Self {
        Self {
            low: port,
            high: port,
        }
    }
}

impl std::fmt::Display for PortRange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.low == self.high {
            write!(formatter, "{}", self.low)
        } else {
            write!(formatter, "{}-{}", self.low, self.high)
        }
    }
}

/// The keys of one mapping, checked against the known ones.
pub(crate) struct Fields<'a> {
    owner: String,
    at: Place,
    entries: Vec<(At<&'a str>, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// Reads the keys of a mapping whose keys are given; reports unknown and repeated ones.
    pub(crate) fn of(
        node: &'a Node,
        owner: impl Into<String>,
        known: &[&'static str],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let fields = Self::named(node, owner, problems)?;
        for (key, _) in fields
            .all()
            .iter()
            .filter(|(key, _)| !known.contains(&key.value))
        {
            problems.push(
                Problem::error(
                    "unknown-key",
                    key.at,
                    format!("{} has no key `{}`", fields.owner, key.value),
                )
                .hint(choices(key.value, known.iter().copied())),
            );
        }
        Some(fields)
    }

    /// Reads the keys of a mapping whose keys are the user's own names; reports repeated ones.
    pub(crate) fn named(
        node: &'a Node,
        owner: impl Into<String>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let owner = owner.into();
        let Value::Map(pairs) = &node.value else {
            problems.push(wrong_type(node, &owner, "keys and values"));
            return None;
        };
        let mut entries: Vec<(At<&str>, &Node)> = Vec::new();
        let mut known = HashSet::new();
        for (key, value) in pairs {
            let Value::Text(name) = &key.value else {
                problems.push(
                    Problem::error(
                        "wrong-type",
                        key.at,
                        format!("a key of {owner} is {}, not text", key.value.kind()),
                    )
                    .hint("put the key in quotes"),
                );
                continue;
            };
            if !known.insert(name.as_str()) {
                problems.push(
                    Problem::error(
                        "duplicate-key",
                        key.at,
                        format!("{owner} has the key `{name}` twice"),
                    )
                    .hint("keep one of the two; lists hold several values"),
                );
                continue;
            }
            entries.push((
                At {
                    value: name.as_str(),
                    at: key.at,
                },
                value,
            ));
        }
        Some(Self {
            owner,
            at: node.at,
            entries,
        })
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries
            .iter()
            .find(|(name, _)| name.value == key)
            .map(|(_, value)| *value)
    }

    /// The value of a key that must be there.
    pub(crate) fn need(
        &self,
        key: &str,
        example: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            problems.push(
                Problem::error(
                    "missing-key",
                    self.at,
                    format!("{} lacks the key `{key}`", self.owner),
                )
                .hint(format!("for example: {example}")),
            );
        }
        found
    }

    /// Where the mapping stands.
    pub(crate) fn place(&self) -> Place {
        self.at
    }

    /// All keys with their values, in the order of the file.
    pub(crate) fn all(&self) -> &[(At<&'a str>, &'a Node)] {
        &self.entries
    }
}

/// That a value is of another kind than is wanted.
pub(crate) fn wrong_type(node: &Node, what: &str, wanted: &str) -> Problem {
    Problem::error(
        "wrong-type",
        node.at,
        format!("{what} is {}; it must be {wanted}", node.value.kind()),
    )
}

/// Text, or a number taken as text.
pub(crate) fn text(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<At<String>> {
    let value = match &node.value {
        Value::Text(value) if !value.is_empty() => value.clone(),
        Value::Integer(value) => value.to_string(),
        _ => {
            problems.push(wrong_type(node, what, "text"));
            return None;
        }
    };
    Some(At { value, at: node.at })
}

/// One word of a closed list.
pub(crate) fn word<T: Copy>(
    node: &Node,
    what: &str,
    code: &'static str,
    known: &[(&'static str, T)],
    problems: &mut Vec<Problem>,
) -> Option<At<T>> {
    let found = text(node, what, problems)?;
    match known.iter().find(|(name, _)| *name == found.value) {
        Some((_, value)) => Some(At {
            value: *value,
            at: node.at,
        }),
        None => {
            problems.push(
                Problem::error(
                    code,
                    node.at,
                    format!("{what} is `{}`, which is not known", found.value),
                )
                .hint(choices(&found.value, known.iter().map(|(name, _)| *name))),
            );
            None
        }
    }
}

/// `true` or `false`.
pub(crate) fn boolean(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<bool> {
    if let Value::Bool(value) = node.value {
        return Some(value);
    }
    problems.push(wrong_type(node, what, "`true` or `false`"));
    None
}

/// Letters of drives, in capitals, each once.
pub(crate) fn drives(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Vec<char> {
    let mut all = Vec::new();
    for item in one_or_list(node) {
        let Some(text) = text(item, &format!("an item of {what}"), problems) else {
            continue;
        };
        let mut letters = text.value.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if letter.is_ascii_alphabetic() => {
                let letter = letter.to_ascii_uppercase();
                if !all.contains(&letter) {
                    all.push(letter);
                }
            }
            _ => problems.push(
                Problem::error(
                    "bad-drive",
                    text.at,
                    format!("`{}` is no drive", text.value),
                )
                .hint("a drive is one letter, as in [F]"),
            ),
        }
    }
    all
}

/// One port number from 1 to 65535.
pub(crate) fn port(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<At<u16>> {
    let Value::Integer(number) = node.value else {
        problems.push(wrong_type(node, what, "a port number"));
        return None;
    };
    match u16::try_from(number) {
        Ok(value) if value != 0 => Some(At { value, at: node.at }),
        _ => {
            problems.push(
                Problem::error(
                    "bad-port",
                    node.at,
                    format!("{what} is {number}, which is no port"),
                )
                .hint("ports are 1 to 65535"),
            );
            None
        }
    }
}

/// A port, a range as in `49152-65535`, or several of both with commas between.
pub(crate) fn ports(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Vec<At<PortRange>> {
    if let Value::Integer(_) = node.value {
        return port(node, what, problems)
            .map(|one| At {
                value: PortRange::one(one.value),
                at: one.at,
            })
            .into_iter()
            .collect();
    }
    let Some(text) = text(node, what, problems) else {
        return Vec::new();
    };
    let mut ranges = Vec::new();
    for part in text.value.split(',') {
        match range(part.trim()) {
            Some(value) => ranges.push(At { value, at: node.at }),
            None => problems.push(
                Problem::error(
                    "bad-port",
                    node.at,
                    format!(
                        "{what} has `{}`, which is no port and no range",
                        part.trim()
                    ),
                )
                .hint("ports are 1 to 65535; a range is written 49152-65535"),
            ),
        }
    }
    ranges
}

fn range(text: &str) -> Option<PortRange> {
    let number = |part: &str| part.trim().parse::<u16>().ok().filter(|port| *port != 0);
    let (low, high) = match text.split_once('-') {
        Some((low, high)) => (number(low)?, number(high)?),
        None => (number(text)?, number(text)?),
    };
    (low <= high).then_some(PortRange { low, high })
}

/// Pairs of ports, as in `{ 443: 8443 }`; a number stands once at the left.
pub(crate) fn port_pairs(
    node: &Node,
    what: &str,
    problems: &mut Vec<Problem>,
) -> Vec<(At<u16>, At<u16>)> {
    let Value::Map(entries) = &node.value else {
        problems.push(wrong_type(node, what, "pairs of ports").hint(
            "write the number that is asked and the one that it leads to, as in { 443: 8443 }",
        ));
        return Vec::new();
    };
    if entries.is_empty() {
        problems.push(
            Problem::error("missing-key", node.at, format!("{what} names no port"))
                .hint("leave the key out where nothing is translated"),
        );
    }
    let mut pairs: Vec<(At<u16>, At<u16>)> = Vec::new();
    for (asked, own) in entries {
        let (Some(asked), Some(own)) = (port(asked, what, problems), port(own, what, problems))
        else {
            continue;
        };
        if pairs.iter().any(|(known, _)| known.value == asked.value) {
            problems.push(
                Problem::error(
                    "duplicate-key",
                    asked.at,
                    format!("{what} has the port {} twice", asked.value),
                )
                .hint("a number that is asked leads to one port"),
            );
            continue;
        }
        pairs.push((asked, own));
    }
    pairs
}

/// A time span as in `3s`, `500ms`, `2m`, `30d`; from 1 ms to 10 years.
pub(crate) fn duration(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<Duration> {
    let found = text(node, what, problems)?;
    let span = time_span(&found.value);
    if span.is_none() {
        problems.push(
            Problem::error(
                "bad-duration",
                node.at,
                format!("{what} is `{}`, which is no time span", found.value),
            )
            .hint("write a number with ms, s, m, h or d, as in `3s`"),
        );
    }
    span
}

/// Reads such a time span.
pub(crate) fn time_span(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 5] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    UNITS
        .iter()
        .find(|(name, _)| *name == unit.trim())
        .and_then(|(_, factor)| number.parse::<u64>().ok()?.checked_mul(*factor))
        .filter(|millis| (1..=315_360_000_000).contains(millis))
        .map(Duration::from_millis)
}

/// Why no host has an address for itself: what is sent there reaches many, or nobody in particular.
pub(crate) fn of_no_host(address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    match address {
        _ if address.is_unspecified() => Some("which is every address and none"),
        _ if address.is_multicast() => Some("which is a multicast address"),
        IpAddr::V4(v4) if v4.is_broadcast() => Some("which is the broadcast address"),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

/// An IP address.
pub(crate) fn address(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<At<IpAddr>> {
    let found = text(node, what, problems)?;
    match found.value.parse() {
        Ok(value) => match of_no_host(value) {
            None => Some(At { value, at: node.at }),
            Some(why) => {
                problems.push(
                    Problem::error(
                        "bad-address",
                        node.at,
                        format!("{what} is `{}`, {why}", found.value),
                    )
                    .hint("write an address that one host has, as in 192.0.2.10 or 2001:db8::10"),
                );
                None
            }
        },
        Err(_) => {
            problems.push(
                Problem::error(
                    "bad-address",
                    node.at,
                    format!("{what} is `{}`, which is no IP address", found.value),
                )
                .hint("write an address as in 192.0.2.10 or 2001:db8::10; names go under `names`"),
            );
            None
        }
    }
}

/// The items of a list.
pub(crate) fn list<'a>(node: &'a Node, what: &str, problems: &mut Vec<Problem>) -> &'a [Node] {
    match &node.value {
        Value::List(items) => items,
        _ => {
            problems.push(
                wrong_type(node, what, "a list").hint("write a list in brackets, as in [a, b]"),
            );
            &[]
        }
    }
}

/// The items of a list, or the one value that stands in its place.
pub(crate) fn one_or_list(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}
