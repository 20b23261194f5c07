//! One table of keys: each key of the site file is declared once, as one entry of a `keys!` section.
//!
//! ```text
//! keys! {
//!     /// How flows are tried.
//!     section Probing {
//!         /// The longest time for one step of one attempt, `50ms` to `60s`.
//!         timeout: Duration = span("50ms", "60s"), default("3s");
//!     }
//! }
//! ```
//!
//! An entry has the words of the page, the key and the type of its value. Then come its kind (`kinds`: how it is
//! written) and what holds without it. From the entry come:
//!
//! - the field of the struct and its documentation,
//! - the reader ([`Section::read`]), and the keys that "did you mean" knows,
//! - the JSON Schema, which `portproof schema config` prints,
//! - the row of the table in `docs/site-file.md`, which a test compares and can write,
//! - in a section that is `compared`, its value as text, in which two site files may differ ([`told`](super::told)).
//!
//! What holds without the key is one of:
//!
//! - `default("3s")`: this value, as the file would write it.
//! - `optional("the product's")`: no value; the text says what that means.
//! - `required("code: PRI")`: a finding, with this example. A `section` is then read on, so that its other faults are
//!   found too. An `item`, which is one of many, is left out.
//!
//! Where not every product has the key, the entry ends with what it is of the product. A product that does not name it
//! among the `keys` of its catalogue refuses it:
//!
//! - `choice`: a word. The resolved site has it in its settings, where conditions ask for it by its type. So a section has
//!   one such key for each set of words.
//! - `setting`: anything else, which `site` reads.

use std::fmt;
use std::ops::Deref;

use serde_json::{Map, Value as Json, json};

use crate::diagnostic::{Place, Problem};
use crate::words::Word;
use crate::yaml::{self, At, Fields, Node, Value};

/// Declares a section of the site file: see the head of this module.
macro_rules! keys {
    ($(#[$doc:meta])* $head:ident $section:ident $(checked by $check:ident)? $(, $compared:ident)? { $(
        $(#[doc = $about:literal])+
        $key:ident: $value:ty = $kind:expr, $without:ident($text:literal) $(, $of:ident)?;
    )+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $section { $($(#[doc = $about])+ pub $key: $value),+ }

        impl $crate::config::keys::Section for $section {
            const NAMES: &'static [&'static str] = &[$(stringify!($key)),+];

            fn keys() -> Vec<$crate::config::keys::Key> {
                use $crate::config::keys::{Key, Without};
                vec![$(Key {
                    name: stringify!($key),
                    about: concat!($($about),+),
                    without: Without::$without($text),
                    schema: $kind.schema(),
                    is_of_product: !<[&str]>::is_empty(&[$(stringify!($of))?]),
                }),+]
            }

            fn choices(&self) -> Vec<$crate::config::keys::Choice> {
                let all: Vec<Option<$crate::config::keys::Choice>> =
                    vec![$($($crate::config::keys::chosen::$of(stringify!($key), &self.$key),)?)+];
                all.into_iter().flatten().collect()
            }

            fn read(
                entries: &$crate::config::keys::Entries<'_>,
                problems: &mut Vec<$crate::diagnostic::Problem>,
            ) -> Option<Self> {
                use $crate::config::keys::$head;
                $(let $key = $head::$without(entries, stringify!($key), &$kind, $text, problems);)+
                $($check(entries, problems);)?
                Some(Self { $($key: $key?),+ })
            }
        }

        $crate::config::keys::keys!(@ $head $section);
        $crate::config::keys::keys!(@ told $($compared)? $section: $($key)+);
    };
    (@ told compared $section:ident: $($key:ident)+) => {
        impl $crate::config::told::Told for $section {
            fn tell(&self, key: &str, all: &mut $crate::config::told::Values) {
                use $crate::config::told::below;
                $(self.$key.tell(&below(key, stringify!($key)), all);)+
            }
        }
    };
    (@ told $section:ident: $($key:ident)+) => {};
    (@ section $section:ident) => {
        impl Default for $section {
            fn default() -> Self {
                $crate::config::keys::silent()
            }
        }
    };
    (@ item $section:ident) => {};
}

pub(crate) use keys;

/// A key, as schema and page tell of it.
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) about: &'static str,
    /// What holds without it.
    pub(crate) without: Without,
    /// The JSON Schema of its values.
    pub(crate) schema: Json,
    /// Whether only some products have it.
    pub(crate) is_of_product: bool,
}

/// The word that a key has, one of a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The key.
    pub(crate) key: &'static str,
    /// The name of the set.
    pub(crate) set: &'static str,
    /// The word.
    pub(crate) word: &'static str,
}

/// What a key of the product leaves in the settings of a site or system.
pub(crate) mod chosen {
    use super::{Choice, MayBeWord};

    pub(crate) fn choice<T: MayBeWord>(key: &'static str, value: &T) -> Option<Choice> {
        let (set, word) = (T::set(), value.word()?);
        Some(Choice { key, set, word })
    }

    pub(crate) fn setting<T>(_: &'static str, _: &T) -> Option<Choice> {
        None
    }
}

/// A value that is a word of a closed set, where it is there.
pub(crate) trait MayBeWord {
    /// The name of the set.
    fn set() -> &'static str;

    /// The word.
    fn word(&self) -> Option<&'static str>;
}

impl<W: Word> MayBeWord for W {
    fn set() -> &'static str {
        W::SET
    }

    fn word(&self) -> Option<&'static str> {
        Some(Word::word(*self))
    }
}

impl<W: Word> MayBeWord for At<W> {
    fn set() -> &'static str {
        W::SET
    }

    fn word(&self) -> Option<&'static str> {
        Some(self.value.word())
    }
}

impl<W: Word> MayBeWord for Option<W> {
    fn set() -> &'static str {
        W::SET
    }

    fn word(&self) -> Option<&'static str> {
        self.map(Word::word)
    }
}

/// What holds where the file lacks a key.
#[derive(Clone, Copy)]
pub(crate) enum Without {
    /// A value, as the file would write it.
    Default(&'static str),
    /// No value: what that means.
    Optional(&'static str),
    /// The file is refused: an example.
    Required(&'static str),
}

impl Without {
    pub(crate) fn default(yaml: &'static str) -> Self {
        Self::Default(yaml)
    }

    pub(crate) fn optional(means: &'static str) -> Self {
        Self::Optional(means)
    }

    pub(crate) fn required(example: &'static str) -> Self {
        Self::Required(example)
    }
}

/// A mapping whose keys are declared by `keys!`.
pub(crate) trait Section: Sized {
    /// The names of its keys.
    const NAMES: &'static [&'static str];

    /// Its keys.
    fn keys() -> Vec<Key>;

    /// The words that its keys of the product have.
    fn choices(&self) -> Vec<Choice>;

    /// Its values; `None` when it is left out.
    fn read(entries: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<Self>;
}

/// What a section holds in the file, and what findings call it.
pub(crate) struct Entries<'a> {
    pub(crate) fields: Fields<'a>,
    pub(crate) what: What,
}

impl Entries<'_> {
    fn value<T>(&self, key: &str, kind: &Kind<T>, problems: &mut Vec<Problem>) -> Option<T> {
        let node = self.fields.get(key)?;
        kind.read(node, &self.what.key(key), problems)
    }
}

/// What findings call a value: the way to its key, and whose it is, as in "`publishes.tls` of system `isa01`".
#[derive(Clone)]
pub(crate) struct What {
    keys: String,
    owner: String,
}

impl What {
    /// Something that is no value of a key, such as "system `isa01`".
    pub(crate) fn owner(owner: impl Into<String>) -> Self {
        Self {
            keys: String::new(),
            owner: owner.into(),
        }
    }

    /// A key of it.
    pub(crate) fn key(&self, key: &str) -> Self {
        let owner = self.owner.clone();
        match self.keys.as_str() {
            "" => Self {
                keys: key.to_string(),
                owner,
            },
            keys => Self {
                keys: format!("{keys}.{key}"),
                owner,
            },
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.keys.as_str(), self.owner.as_str()) {
            ("", "") => formatter.write_str("the file"),
            ("", owner) => formatter.write_str(owner),
            (keys, "") => write!(formatter, "`{keys}`"),
            (keys, owner) => write!(formatter, "`{keys}` of {owner}"),
        }
    }
}

/// How the keys of a section are read.
pub(crate) mod section {
    use super::{Entries, Kind, Problem, needed};
    pub(crate) use super::{default, optional};

    pub(crate) fn required<T, V: From<T> + Default>(
        entries: &Entries<'_>,
        key: &str,
        kind: &Kind<T>,
        example: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<V> {
        let value = needed(entries, key, kind, example, problems);
        Some(value.map(V::from).unwrap_or_default())
    }
}

/// How the keys of an item are read.
pub(crate) mod item {
    use super::{Entries, Kind, Problem, needed};
    pub(crate) use super::{default, optional};

    pub(crate) fn required<T, V: From<T>>(
        entries: &Entries<'_>,
        key: &str,
        kind: &Kind<T>,
        example: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<V> {
        needed(entries, key, kind, example, problems).map(V::from)
    }
}

fn needed<T>(
    entries: &Entries<'_>,
    key: &str,
    kind: &Kind<T>,
    example: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    entries.fields.need(key, example, problems)?;
    entries.value(key, kind, problems)
}

pub(crate) fn optional<T, V: From<T> + Default>(
    entries: &Entries<'_>,
    key: &str,
    kind: &Kind<T>,
    _: &str,
    problems: &mut Vec<Problem>,
) -> Option<V> {
    let value = entries.value(key, kind, problems);
    Some(value.map(V::from).unwrap_or_default())
}

pub(crate) fn default<T, V: From<T>>(
    entries: &Entries<'_>,
    key: &str,
    kind: &Kind<T>,
    yaml: &str,
    problems: &mut Vec<Problem>,
) -> Option<V> {
    let usual = || {
        let node = yaml::parse(yaml.as_bytes()).expect("a default is YAML");
        kind.read(&node, &entries.what.key(key), &mut Vec::new())
    };
    let value = entries.value(key, kind, problems).or_else(usual);
    Some(value.expect("a default is of its kind").into())
}

/// How a value is written.
pub(crate) struct Kind<T> {
    pub(crate) read: Box<Read<T>>,
    pub(crate) schema: Box<dyn Fn() -> Json>,
}

pub(crate) type Read<T> = dyn Fn(&Node, &What, &mut Vec<Problem>) -> Option<T>;

impl<T> Kind<T> {
    /// From how it is read and its JSON Schema.
    pub(crate) fn new(
        read: impl Fn(&Node, &What, &mut Vec<Problem>) -> Option<T> + 'static,
        schema: impl Fn() -> Json + 'static,
    ) -> Self {
        Self {
            read: Box::new(read),
            schema: Box::new(schema),
        }
    }

    /// Reads a value; what is wrong is added to the findings.
    pub(crate) fn read(&self, node: &Node, what: &What, problems: &mut Vec<Problem>) -> Option<T> {
        (self.read)(node, what, problems)
    }

    /// Its JSON Schema.
    pub(crate) fn schema(&self) -> Json {
        (self.schema)()
    }
}

/// A section, whose keys `keys!` declares.
pub(crate) fn section<S: Section>() -> Kind<S> {
    let read = |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let fields = Fields::of(node, what.to_string(), S::NAMES, problems)?;
        let what = what.clone();
        S::read(&Entries { fields, what }, problems)
    };
    Kind::new(read, || schema(&S::keys()))
}

/// Reads a file whose keys are those of one section; `None` when it cannot be read at all. With errors among the findings it
/// is not to be used.
pub(crate) fn file<S: Section + 'static>(bytes: &[u8]) -> (Option<S>, Vec<Problem>) {
    let mut problems = Vec::new();
    let file = match yaml::parse(bytes) {
        Ok(node) => section::<S>().read(&node, &What::owner(""), &mut problems),
        Err(problem) => return (None, vec![problem]),
    };
    problems.sort_by_key(|problem| problem.at.unwrap_or_default());
    (file, problems)
}

/// A section that has keys of the product, with those that the file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfProduct<S> {
    section: S,
    /// The keys of the product that the file gives, each with its place.
    pub(crate) given: Vec<At<&'static str>>,
    /// The words of its keys, those that hold without the key among them.
    pub(crate) choices: Vec<Choice>,
}

impl<S: Section + Default> Default for OfProduct<S> {
    fn default() -> Self {
        of(S::default(), Vec::new())
    }
}

fn of<S: Section>(section: S, given: Vec<At<&'static str>>) -> OfProduct<S> {
    let choices = section.choices();
    OfProduct {
        section,
        given,
        choices,
    }
}

impl<S> Deref for OfProduct<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.section
    }
}

/// A section some of whose keys only some products have.
pub(crate) fn of_product<S: Section + 'static>() -> Kind<OfProduct<S>> {
    let Kind { read, schema } = section::<S>();
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let section = read(node, what, problems)?;
        Some(of(section, given::<S>(node)))
    };
    Kind::new(read, schema)
}

fn given<S: Section>(node: &Node) -> Vec<At<&'static str>> {
    let Value::Map(pairs) = &node.value else {
        return Vec::new();
    };
    let keys = S::keys();
    let given = pairs.iter().filter_map(|(key, _)| {
        let mut of_product = keys.iter().filter(|it| it.is_of_product);
        let known = of_product.find(|it| key.text() == Some(it.name))?;
        Some(At {
            value: known.name,
            at: key.at,
        })
    });
    given.collect()
}

/// A section of which the file says nothing.
pub(crate) fn silent<S: Section>() -> S {
    let nothing = Node {
        at: Place::default(),
        value: Value::Map(Vec::new()),
    };
    let mut ignored = Vec::new();
    section()
        .read(&nothing, &What::owner(""), &mut ignored)
        .expect("a section is read without its keys")
}

/// The JSON Schema of a section.
pub(crate) fn schema(keys: &[Key]) -> Json {
    let properties: Map<String, Json> = keys
        .iter()
        .map(|key| (key.name.to_string(), key.described()))
        .collect();
    let required = keys
        .iter()
        .filter(|key| matches!(key.without, Without::Required(_)));
    let required: Vec<&str> = required.map(|key| key.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

impl Key {
    /// The schema of its values, with what it is and what holds without it: editors show both.
    fn described(&self) -> Json {
        let mut schema = self.schema.clone();
        let about = without_targets(self.about.trim());
        schema["description"] = match self.without {
            Without::Default(yaml) => {
                schema["default"] = serde_yaml::from_str(yaml).expect("a default is YAML");
                about
            }
            Without::Optional(means) => format!("{about} Without it: {means}."),
            Without::Required(example) => format!("{about} It must be there, as in `{example}`."),
        }
        .into();
        schema
    }

    /// Its row of the page.
    fn row(&self) -> String {
        let without = match self.without {
            Without::Default(yaml) => format!("`{yaml}`"),
            Without::Optional(means) => means.to_string(),
            Without::Required(example) => format!("must be there, as in `{example}`"),
        };
        format!("| `{}` | {} | {without} |\n", self.name, self.about.trim())
    }
}

/// Text of the page without the targets of its links, which lead nowhere in an editor.
fn without_targets(text: &str) -> String {
    let mut parts = text.split("](");
    let mut kept = parts.next().unwrap_or_default().to_string();
    for part in parts {
        kept += part.split_once(')').map_or(part, |(_, rest)| rest);
    }
    kept.replace("See [", "See ").replace("see [", "see ")
}

/// The table of a section, as the page has it.
pub(crate) fn table(keys: &[Key]) -> String {
    let rows: String = keys.iter().map(Key::row).collect();
    format!("| key | is | default |\n|---|---|---|\n{rows}")
}
