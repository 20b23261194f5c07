//! Reading a tree into types by serde. Every finding has its place, and one wrong value does not hide the next.
//!
//! serde stops at the first fault. So what is at fault is taken out of a copy of the tree, and the copy is read again,
//! until nothing more is found. A value that stands where a list may stand is read as a list of one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::SeqDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::read::wrong_type;
use super::{Node, Value, one_or_list, word};
use crate::diagnostic::{MOST_SHOWN, Place, Problem, choices};

/// What may stand under a key, as the file would have it.
pub(crate) type Example = fn(&str) -> &'static str;

/// Reads a file that is built in; `None`: it has a fault.
pub(crate) fn embedded<T: DeserializeOwned>(text: &str) -> Option<T> {
    let root = super::parse(text.as_bytes()).ok()?;
    typed(&root, "the file", |_| "", &mut Vec::new())
}

/// Reads one value; `what` it is in a sentence, and an example for each key that may be missing.
pub(crate) fn typed<T: DeserializeOwned>(
    node: &Node,
    what: &str,
    example: Example,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let mut left = Cow::Borrowed(node);
    let mut taken_out = BTreeSet::new();
    for _ in 0..MOST_SHOWN {
        let tree = Tree {
            node: &left,
            what,
            example,
        };
        let fault = match T::deserialize(tree) {
            Ok(value) => return taken_out.is_empty().then_some(value),
            Err(fault) => fault.of(tree, node.at),
        };
        let at = fault.problem.at.unwrap_or(node.at);
        // What was taken out before is missing by our own doing.
        if !fault
            .missing
            .is_some_and(|key| taken_out.contains(&(at, key.to_string())))
        {
            problems.push(*fault.problem);
        }
        if at == node.at {
            break;
        }
        taken_out.insert(left.to_mut().take_out(at)?);
    }
    None
}

/// A node, what it is in a sentence, and examples.
#[derive(Clone, Copy)]
struct Tree<'a> {
    node: &'a Node,
    what: &'a str,
    example: Example,
}

impl Tree<'_> {
    fn wrong(self, wanted: &str) -> Fault {
        wrong_type(self.node, self.what, wanted).into()
    }
}

/// A finding. As long as nobody said where, its text is the rest of a sentence.
#[derive(Debug)]
struct Fault {
    problem: Box<Problem>,
    missing: Option<&'static str>,
}

impl Fault {
    /// Says whom it is about and where, unless that is said already.
    fn of(mut self, tree: Tree<'_>, at: Place) -> Self {
        if self.problem.at.is_none() {
            self.problem.at = Some(at);
            self.problem.message = format!("{} {}", tree.what, self.problem.message);
            let example = self.missing.map(tree.example);
            let example = example.map(|example| format!("for example: {example}"));
            self.problem.hint = self.problem.hint.or(example);
        }
        self
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            missing: None,
        }
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem.message)
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Problem::error("wrong-type", None, format!("cannot be read: {text}")).into()
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Problem::error("unknown-key", None, format!("has no key `{key}`"))
            .hint(choices(key, known.iter().copied()))
            .into()
    }

    fn duplicate_field(key: &'static str) -> Self {
        Problem::error("duplicate-key", None, format!("has the key `{key}` twice"))
            .hint("keep one of the two; lists hold several values")
            .into()
    }

    fn missing_field(key: &'static str) -> Self {
        Self {
            problem: Box::new(Problem::error(
                "missing-key",
                None,
                format!("lacks the key `{key}`"),
            )),
            missing: Some(key),
        }
    }
}

impl IntoDeserializer<'_, Fault> for Tree<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

type Read<T> = Result<T, Fault>;

impl<'de> Deserializer<'de> for Tree<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match &self.node.value {
            Value::Map(_) => self.deserialize_map(visitor),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Bool(value) => visitor.visit_bool(*value),
            _ => self.deserialize_str(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match &self.node.value {
            Value::Text(text) if !text.is_empty() => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_string(number.to_string()),
            _ => Err(self.wrong("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.node.value {
            Value::Bool(value) => visitor.visit_bool(value),
            _ => Err(self.wrong("`true` or `false`")),
        }
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let number = match self.node.value {
            Value::Integer(number) => u16::try_from(number).ok(),
            _ => None,
        };
        match number {
            Some(number) => visitor.visit_u16(number),
            None => Err(self.wrong("a number up to 65535")),
        }
    }

    /// One word of a closed set.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        let mut problems = Vec::new();
        let pairs: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
        match word(self.node, self.what, "unknown-word", &pairs, &mut problems) {
            Some(word) => visitor.visit_enum(word.value.into_deserializer()),
            None => Err(problems.remove(0).into()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let items = one_or_list(self.node).iter();
        let items = items.map(|node| Tree { node, ..self });
        visitor.visit_seq(SeqDeserializer::new(items))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let Value::Map(pairs) = &self.node.value else {
            return Err(self.wrong("keys and values"));
        };
        let mut keys = Keys {
            tree: self,
            left: pairs.iter(),
            last: None,
        };
        let read = visitor.visit_map(&mut keys);
        read.map_err(|fault| match (fault.missing, keys.last) {
            (None, Some((key, _))) => fault.of(self, key.at),
            _ => fault.of(self, self.node.at),
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        self.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

/// The keys of a mapping with their values, one after the other.
struct Keys<'a> {
    tree: Tree<'a>,
    left: std::slice::Iter<'a, (Node, Node)>,
    last: Option<&'a (Node, Node)>,
}

impl<'de> MapAccess<'de> for Keys<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        self.last = self.left.next();
        let what = &format!("a key of {}", self.tree.what);
        let key = self.last.map(|(node, _)| {
            seed.deserialize(Tree {
                node,
                what,
                ..self.tree
            })
        });
        key.transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Read<V::Value> {
        let Some((key, node)) = self.last else {
            return Err(Fault::custom("a value without a key"));
        };
        let what = &format!("`{}`", key.text().unwrap_or_default());
        let tree = Tree {
            node,
            what,
            ..self.tree
        };
        seed.deserialize(tree)
            .map_err(|fault| fault.of(tree, node.at))
    }
}
