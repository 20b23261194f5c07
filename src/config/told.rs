//! The values of keys as text, key by key, for two files to be compared in. A section of the table of keys that is
//! `compared` tells all its keys.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::Pin;
use crate::words::Word;
use crate::yaml::{At, Ports};

/// Keys with their values as text, in the order of the table; a value that is not there is empty.
pub type Values = Vec<(String, String)>;

/// A value that is told under a key.
pub(super) trait Told {
    /// Tells it, and what it holds, under this key; below the file's own sections under keys such as `publishes.tls`.
    fn tell(&self, key: &str, all: &mut Values);
}

/// A key of a section that stands under a key itself; empty: under none.
pub(super) fn below(section: &str, key: &str) -> String {
    match section {
        "" => key.to_string(),
        section => format!("{section}.{key}"),
    }
}

/// The values of a list, each once and sorted: their order in the file says nothing.
pub(super) fn list<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    let texts: BTreeSet<String> = all.into_iter().map(|it| it.to_string()).collect();
    Vec::from_iter(texts).join(", ")
}

/// A value that is one text.
pub(super) trait Single {
    fn text(&self) -> String;
}

macro_rules! single {
    ($($value:ty),+) => {$(
        impl Single for $value {
            fn text(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

single!(String, bool, u16, char, IpAddr, IpNet, Ports, Pin);

impl<W: Word> Single for W {
    fn text(&self) -> String {
        self.word().to_string()
    }
}

impl<T: Single> Single for At<T> {
    fn text(&self) -> String {
        self.value.text()
    }
}

/// A port that is asked, with the one that it leads to.
impl Single for (At<u16>, At<u16>) {
    fn text(&self) -> String {
        format!("{} to {}", self.0.value, self.1.value)
    }
}

impl<T: Single> Told for T {
    fn tell(&self, key: &str, all: &mut Values) {
        all.push((key.to_string(), self.text()));
    }
}

impl<T: Single> Told for Vec<T> {
    fn tell(&self, key: &str, all: &mut Values) {
        all.push((key.to_string(), list(self.iter().map(Single::text))));
    }
}

impl<T: Told> Told for Option<T> {
    fn tell(&self, key: &str, all: &mut Values) {
        if let Some(value) = self {
            value.tell(key, all);
        }
    }
}

/// One value for each zone that asks.
impl<T: Told> Told for Vec<(At<String>, T)> {
    fn tell(&self, key: &str, all: &mut Values) {
        for (zone, value) in self {
            value.tell(&below(key, &zone.value), all);
        }
    }
}
