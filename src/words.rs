//! Declares closed sets of words: each is an enum in the program, a word in files and reports, and a list in their schemas.

use std::fmt;

use serde::de::{Deserializer, EnumAccess, VariantAccess, Visitor};

/// A word of a closed set.
pub(crate) trait Word: Copy + Sized + 'static {
    /// The name of the set.
    const SET: &'static str;

    /// The word in files and reports.
    fn word(self) -> &'static str;

    /// What a word of a file or report stands for.
    fn of(word: &str) -> Option<Self>;
}

/// Declares an enum whose variants are words of a file or report, with the list of all and the word of each. Behind a word
/// may stand those that earlier versions had in its place: they are read, and never written.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident {
        $($(#[doc = $said:literal])* $variant:ident = $word:literal $(| $earlier:literal)*),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $said])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Words of earlier versions, each with what it stands for.
            const EARLIER: &'static [(&'static str, Self)] = &[$($(($earlier, Self::$variant),)*)+];

            /// The word in files and reports.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What a word of a file or report stands for.
            pub fn named(word: &str) -> Option<Self> {
                let now = Self::ALL.iter().copied().find(|it| it.name() == word);
                let mut earlier = Self::EARLIER.iter();
                now.or_else(|| earlier.find(|(earlier, _)| *earlier == word).map(|(_, it)| *it))
            }

            /// What it is, in a sentence.
            pub fn said(self) -> &'static str {
                match self { $(Self::$variant => concat!($($said),*)),+ }.trim_start()
            }
        }

        impl $crate::words::Word for $name {
            const SET: &'static str = stringify!($name);

            fn word(self) -> &'static str {
                self.name()
            }

            fn of(word: &str) -> Option<Self> {
                Self::named(word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.name())
            }
        }

        /// Tests read like the reports that they are about.
        #[cfg(test)]
        impl PartialEq<&str> for $name {
            fn eq(&self, word: &&str) -> bool {
                self.name() == *word
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                const WORDS: &[&str] = &[$($word),+];
                $crate::words::read(from, stringify!($name), WORDS, Self::named)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let words: Vec<&str> = Self::ALL.iter().map(|it| it.name()).collect();
                schemars::json_schema!({ "type": "string", "enum": words })
            }
        }
    };
}

/// Reads a word as what it is: one of a closed set, which the reader of the file may want to list.
pub(crate) fn read<'de, D: Deserializer<'de>, T>(
    from: D,
    set: &'static str,
    words: &'static [&'static str],
    named: fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    from.deserialize_enum(set, words, Reader { set, named })
}

struct Reader<T> {
    set: &'static str,
    named: fn(&str) -> Option<T>,
}

impl<'de, T> Visitor<'de> for Reader<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a word")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, word: A) -> Result<T, A::Error> {
        let (word, nothing): (String, _) = word.variant()?;
        nothing.unit_variant()?;
        (self.named)(&word).ok_or_else(|| unknown(self.set, &word))
    }
}

/// That a file has a word which does not belong to a closed set.
fn unknown<E: serde::de::Error>(set: &str, word: &str) -> E {
    const LONGEST: usize = 80;
    let short: String = word.chars().take(LONGEST).collect();
    let dots = if short.len() < word.len() { "..." } else { "" };
    let short = crate::diagnostic::visible(&short);
    let parted = set
        .chars()
        .flat_map(|c| [c.is_uppercase().then_some(' '), Some(c)]);
    let set: String = parted.flatten().collect();
    let set = set.trim_start().to_lowercase();
    E::custom(format!(
        "the {set} `{short}{dots}` is none that this version knows"
    ))
}

pub(crate) use words;
