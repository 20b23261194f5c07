//! What sources say of one thing, and where each says it.

use std::fmt::{self, Display};

use super::object::{Export, Object};

/// Where something was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    place: String,
    is_untested: bool,
}

impl Source {
    /// A property or member of an object of a file.
    pub(super) fn of(export: &Export, object: &Object, property: &str) -> Self {
        Self {
            place: format!("{}, {}, {property}", export.name, object.title()),
            is_untested: object.is_untested,
        }
    }

    /// A property or member that all objects of a class have.
    pub(super) fn of_class(export: &Export, object: &Object, property: &str) -> Self {
        Self {
            place: format!("{}, {}, {property}", export.name, object.class),
            is_untested: object.is_untested,
        }
    }

    /// A whole file.
    pub(super) fn file(export: &Export, what: &str) -> Self {
        Self {
            place: format!("{}, {what}", export.name),
            is_untested: false,
        }
    }

    /// An option of the command line.
    pub(super) fn option(name: &str) -> Self {
        Self {
            place: name.to_string(),
            is_untested: false,
        }
    }
}

impl Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place)?;
        match self.is_untested {
            true => formatter.write_str(" (untested: no public sample)"),
            false => Ok(()),
        }
    }
}

/// What is said of one thing: each value once, with its first source.
#[derive(Clone, Debug)]
pub(super) struct Fact<T>(Vec<(T, Source)>);

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What comes of a fact.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a, T> {
    /// No source says it.
    Nothing,
    /// All sources say this; the first of them.
    One(&'a T, &'a Source),
    /// Sources say different things: all, as the end of a sentence.
    Differently(String),
}

impl<T: PartialEq + Display> Fact<T> {
    pub(super) fn tell(&mut self, value: T, source: Source) {
        if !self.0.iter().any(|(known, _)| *known == value) {
            self.0.push((value, source));
        }
    }

    /// Takes over what another says.
    pub(super) fn join(&mut self, other: Self) {
        for (value, source) in other.0 {
            self.tell(value, source);
        }
    }

    pub(super) fn said(&self) -> Said<'_, T> {
        match &self.0[..] {
            [] => Said::Nothing,
            [(value, source)] => Said::One(value, source),
            several => {
                let all = several.iter().take(4);
                let all = all.map(|(value, source)| format!("{value} by {source}"));
                Said::Differently(all.collect::<Vec<_>>().join("; "))
            }
        }
    }

    /// The value, where no source says another.
    pub(super) fn one(&self) -> Option<&T> {
        match self.said() {
            Said::One(value, _) => Some(value),
            Said::Nothing | Said::Differently(_) => None,
        }
    }

    pub(super) fn is_said(&self) -> bool {
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_agree_are_one_and_others_are_all_named() {
        let mut fact = Fact::default();
        assert_eq!(fact.said(), Said::Nothing);
        fact.tell(80, Source::option("a"));
        fact.tell(80, Source::option("b"));
        assert_eq!(fact.said(), Said::One(&80, &Source::option("a")));
        fact.tell(8080, Source::option("c"));
        let differently = "80 by a; 8080 by c".to_string();
        assert_eq!(fact.said(), Said::Differently(differently));
        assert_eq!((fact.one(), fact.is_said()), (None, true));
    }
}
