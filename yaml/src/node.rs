//! The tree.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands.
    pub at: Place,
    /// The value.
    pub value: Value,
}

/// A YAML value.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction.
    Float,
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in the order of the file; a key may stand twice.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, in a reader's words.
    pub fn kind(&self) -> &'static str {
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

impl Node {
    /// What stands in the place of a value that nobody has given yet.
    pub const OPEN: &str = "?";

    /// Whether this is an open value: `"?"`, or the empty key that YAML makes of a `?` without quotes in brackets.
    pub fn is_open(&self) -> bool {
        match &self.value {
            Value::Text(text) => text == Self::OPEN,
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
    pub fn is_open_somewhere(&self) -> bool {
        self.is_open()
            || match &self.value {
                Value::List(items) => items.iter().any(Self::is_open_somewhere),
                Value::Map(pairs) => pairs.iter().any(|(_, value)| value.is_open_somewhere()),
                _ => false,
            }
    }

    /// The value of a key, where this is a mapping that has it.
    pub fn child(&self, key: &str) -> Option<&Self> {
        let Value::Map(pairs) = &self.value else {
            return None;
        };
        let found = pairs.iter().find(|(name, _)| name.text() == Some(key));
        found.map(|(_, value)| value)
    }

    /// The text that this is.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Removes the item of a list, or the key with its value, that stands at a place. Gives the place of what it was taken
    /// from, and the key.
    pub fn take_out(&mut self, at: Place) -> Option<(Place, String)> {
        match &mut self.value {
            Value::List(items) => match items.iter().position(|item| item.at == at) {
                Some(index) => {
                    items.remove(index);
                    Some((self.at, String::new()))
                }
                None => items.iter_mut().find_map(|item| item.take_out(at)),
            },
            Value::Map(pairs) => {
                let is_at = |(key, value): &(Self, Self)| key.at == at || value.at == at;
                match pairs.iter().position(is_at) {
                    Some(index) => {
                        let (key, _) = pairs.remove(index);
                        Some((self.at, key.text().unwrap_or_default().to_string()))
                    }
                    None => pairs.iter_mut().find_map(|(_, value)| value.take_out(at)),
                }
            }
            _ => None,
        }
    }
}

pub(crate) fn place(location: Location) -> Place {
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
