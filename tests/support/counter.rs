//! Counts what leaves the client of a row, and the sockets that it has.

use std::collections::BTreeMap;

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
            by_port: by_port(&told),
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
    /// SYNs to each port that had one.
    pub(crate) by_port: BTreeMap<u16, u64>,
}

fn by_port(told: &Value) -> BTreeMap<u16, u64> {
    let all = told["by_port"].as_object().expect("ports");
    let one = |(port, syns): (&String, &Value)| {
        let syns = syns.as_u64().expect("a count");
        (port.parse().expect("a port"), syns)
    };
    all.iter().map(one).collect()
}
