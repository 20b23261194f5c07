//! The tables of the page, as the test reads them. A table that nobody would hold against the bed is refused.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The page, and the heads of its tables.
pub(crate) const PAGE: &str = "docs/on-the-wire.md";
const ROWS: &str = "where|what stands there|family|connect|error queue|from|when|portproof reads";
const PLACES: &str = "where|family|from|connect fails|portproof hears|reset|drop";
const CODES: &str = "rule|family|connect|error queue|portproof reads";
const LIMITS: &str = "where|what stands there|family|of 20 at once|then|then of 3, one every 2.1 s";

const COUNTED: &str = "where|what stands there|family|TCPRetransFail";

/// Stands in a cell for what is not there.
pub(crate) const NONE: &str = "none";
/// The rules of every place other than those that reject with a code.
const RESET: &str = "`reject with tcp reset`";
const DROP: &str = "`drop`";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// The networks of the bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// That of the prober; packets take time there.
    Here,
    /// Another between prober and router, where packets take no time.
    Near,
    /// That of the host, behind the router.
    Behind,
    /// One that the router has no route to.
    Nowhere,
}

impl Family {
    /// An address of a network.
    pub(crate) fn address(self, network: Network, last: u8) -> IpAddr {
        match self {
            Self::V4 => {
                let [a, b, c] = match network {
                    Network::Here => [198, 51, 100],
                    Network::Near => [100, 64, 0],
                    Network::Behind => [192, 0, 2],
                    Network::Nowhere => [203, 0, 113],
                };
                Ipv4Addr::new(a, b, c, last).into()
            }
            Self::V6 => {
                let net = match network {
                    Network::Here => 1,
                    Network::Behind => 2,
                    Network::Nowhere => 3,
                    Network::Near => 4,
                };
                Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, last.into()).into()
            }
        }
    }
}

/// What stands somewhere on the way, and what is met there over one family.
#[derive(Clone, Debug)]
pub(crate) struct Row<T> {
    pub(crate) place: String,
    pub(crate) what: String,
    pub(crate) family: Family,
    pub(crate) expected: T,
}

/// What a socket meets, in the words of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How `connect` ends.
    pub(crate) connect: String,
    /// Type and code of the ICMP message in the error queue.
    pub(crate) queue: String,
    /// Its sender.
    pub(crate) from: String,
    /// When `connect` ends.
    pub(crate) when: String,
    /// What portproof's own socket reads.
    pub(crate) reads: String,
    /// When it does.
    pub(crate) heard: String,
}

/// How many of the packets to one place are answered, in the words of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    /// Of 20 at once.
    pub(crate) at_once: String,
    /// Of those that follow, one every 40 ms.
    pub(crate) then: String,
    /// Of a few with long pauses.
    pub(crate) later: String,
}

/// Whether this system's counter of packets that could not be sent again grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grows(pub(crate) bool);

pub(crate) struct Page {
    pub(crate) rows: Vec<Row<Seen>>,
    pub(crate) limits: Vec<Row<Answered>>,
    pub(crate) counted: Vec<Row<Grows>>,
}

impl Page {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(PAGE).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
        let tables = tables(&text);
        let of = |head: &str| -> Vec<&Vec<String>> {
            let such = tables.iter().filter(|table| table.head == head);
            such.flat_map(|table| &table.lines).collect()
        };
        for table in &tables {
            let known = [ROWS, PLACES, CODES, LIMITS, COUNTED].contains(&table.head.as_str());
            assert!(known, "no test holds the table {:?} of {PAGE}", table.head);
        }
        let mut rows: Vec<Row<Seen>> = of(ROWS).into_iter().flat_map(|line| row(line)).collect();
        for place in of(PLACES) {
            rows.extend(reset_and_drop(place));
            for code in of(CODES) {
                rows.extend(rejected(place, code));
            }
        }
        let limits = of(LIMITS).into_iter().flat_map(|line| limit(line));
        let counted = of(COUNTED).into_iter().flat_map(|line| grows(line));
        Self {
            rows,
            limits: limits.collect(),
            counted: counted.collect(),
        }
    }
}

struct Table {
    head: String,
    lines: Vec<Vec<String>>,
}

/// All tables; an empty cell of the first two columns stands for the one above it.
fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let Some(cells) = line.strip_prefix('|') else {
            inside = false;
            continue;
        };
        let cells = cells.trim_end().trim_end_matches('|');
        let mut cells: Vec<String> = cells.split('|').map(|cell| cell.trim().into()).collect();
        let Some(table) = tables.last_mut().filter(|_| inside) else {
            inside = true;
            tables.push(Table {
                head: cells.join("|"),
                lines: Vec::new(),
            });
            continue;
        };
        if cells.iter().all(|cell| cell.chars().all(|it| it == '-')) {
            continue;
        }
        let columns = table.head.split('|').count();
        assert_eq!(cells.len(), columns, "{PAGE}: cells of {line}");
        for column in 0..2 {
            if cells[column].is_empty() {
                let above = table.lines.last().expect("a line above");
                cells[column].clone_from(&above[column]);
            }
        }
        table.lines.push(cells);
    }
    tables
}

fn families(cell: &str) -> &'static [Family] {
    match cell {
        "IPv4" => &[Family::V4],
        "IPv6" => &[Family::V6],
        "both" => &[Family::V4, Family::V6],
        _ => panic!("{PAGE}: a family is IPv4, IPv6 or both, not {cell:?}"),
    }
}

fn row(cells: &[String]) -> impl Iterator<Item = Row<Seen>> {
    let (reads, heard) = cells[7].split_once(", ").unwrap_or((&cells[7], &cells[6]));
    let expected = Seen {
        connect: cells[3].clone(),
        queue: cells[4].clone(),
        from: cells[5].clone(),
        when: cells[6].clone(),
        reads: reads.into(),
        heard: heard.into(),
    };
    families(&cells[2]).iter().map(move |family| Row {
        place: cells[0].clone(),
        what: cells[1].clone(),
        family: *family,
        expected: expected.clone(),
    })
}

/// What a reset and a drop look like from a place.
fn reset_and_drop(place: &[String]) -> Vec<Row<Seen>> {
    let plain = |cell: &str, reads: &str| {
        let (connect, when) = cell.split_once(", ").expect("an end, and when");
        Seen {
            connect: connect.into(),
            queue: NONE.into(),
            from: NONE.into(),
            when: when.into(),
            reads: reads.into(),
            heard: when.into(),
        }
    };
    let both = families(&place[1]).iter().flat_map(|family| {
        [
            (RESET, plain(&place[5], "reset")),
            (DROP, plain(&place[6], "silent")),
        ]
        .map(|(rule, expected)| Row {
            place: place[0].clone(),
            what: rule.into(),
            family: *family,
            expected,
        })
    });
    both.collect()
}

/// What a code looks like from a place: the code says what, the place who and when.
fn rejected(place: &[String], code: &[String]) -> Vec<Row<Seen>> {
    let common = families(&place[1])
        .iter()
        .filter(|family| families(&code[1]).contains(family));
    let row = |family: &Family| Row {
        place: place[0].clone(),
        what: code[0].clone(),
        family: *family,
        expected: Seen {
            connect: code[2].clone(),
            queue: code[3].clone(),
            from: place[2].clone(),
            when: place[3].clone(),
            reads: code[4].clone(),
            heard: place[4].clone(),
        },
    };
    common.map(row).collect()
}

fn limit(cells: &[String]) -> impl Iterator<Item = Row<Answered>> {
    families(&cells[2]).iter().map(|family| Row {
        place: cells[0].clone(),
        what: cells[1].clone(),
        family: *family,
        expected: Answered {
            at_once: cells[3].clone(),
            then: cells[4].clone(),
            later: cells[5].clone(),
        },
    })
}

fn grows(cells: &[String]) -> impl Iterator<Item = Row<Grows>> {
    let expected = match cells[3].as_str() {
        "grows" => Grows(true),
        "stays" => Grows(false),
        other => panic!("{PAGE}: a counter grows or stays, not {other:?}"),
    };
    families(&cells[2]).iter().map(move |family| Row {
        place: cells[0].clone(),
        what: cells[1].clone(),
        family: *family,
        expected,
    })
}
