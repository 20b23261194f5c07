//! Counts what leaves the client of a row, and the sockets that it has.

use serde_json::Value;

use super::row::Row;
use super::running::Running;

const COUNT: &str = include_str!("count.py");

/// Counts as long as it lives.
pub(crate) struct Counter(Running);

impl Counter {
    /// Begins. Sockets to lower ports than `least` are not counted.
    pub(crate) fn start(row: &Row, least: u16) -> Self {
        let least = least.to_string();
        let arguments = ["c0", "198.51.100.10", &least];
        Self(Running::python(&row.names[0], COUNT, &arguments))
    }

    /// What it counted.
    pub(crate) fn counted(self) -> Counted {
        let text = self.0.rest();
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        let number = |key: &str| {
            told[key]
                .as_u64()
                .unwrap_or_else(|| panic!("{key}: {told}"))
        };
        assert_eq!(number("missed"), 0, "the counter missed packets");
        Counted {
            syns: number("syns"),
            most_syns_a_second: number("most_syns_a_second"),
            most_of_a_port: number("most_of_a_port"),
            most_sockets_of_a_host: number("most_sockets_of_a_host"),
        }
    }
}

/// What left, and how much of it at once.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) syns: u64,
    pub(crate) most_syns_a_second: u64,
    pub(crate) most_of_a_port: u64,
    pub(crate) most_sockets_of_a_host: u64,
}
