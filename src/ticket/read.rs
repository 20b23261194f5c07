//! A ticket as it is written: comma-separated values below a row of names.

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::diagnostic::{Place, Problem, cut};
use crate::product::Transport;
use crate::yaml::Ports;

/// The most rows of a ticket.
const MOST_ROWS: usize = 2_000;
/// The most parts of a cell.
const MOST_PARTS: usize = 64;
/// The most bytes of a cell that a finding shows.
const SHOWN: usize = 80;

/// The names that a column may have: source, destination, port, protocol.
const COLUMNS: [&[&str]; 4] = [
    &["source", "from", "src"],
    &["destination", "to", "dst", "dest"],
    &["port", "ports", "service"],
    &["protocol", "transport", "proto"],
];

/// What one row asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line that it begins in.
    pub line: usize,
    /// Who may start, as it is written: each a name, an address, a network or `any`.
    pub sources: Vec<String>,
    /// Where it may lead, the same way.
    pub destinations: Vec<String>,
    /// The ports that are asked for.
    pub services: Vec<Service>,
}

/// Ports of one transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The transport.
    pub transport: Transport,
    /// Its ports; none where it has none.
    pub ports: Ports,
}

/// Reads a ticket.
///
/// # Errors
/// All findings: rows that cannot be read are none that may be left out.
pub fn read(text: &str) -> Result<Vec<Row>, Vec<Problem>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let columns = match reader.headers() {
        Ok(names) => columns(names).map_err(|problem| vec![problem])?,
        Err(_) => return Err(vec![unreadable(place(text, None))]),
    };
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let Ok(record) = record else {
            problems.push(unreadable(place(text, None)));
            break;
        };
        let at = place(text, record.position());
        if rows.len() + problems.len() >= MOST_ROWS {
            let text = format!("a ticket has at most {MOST_ROWS} rows");
            problems
                .push(Problem::error("bad-ticket", at, text).hint("compare it in several parts"));
            break;
        }
        match row(at, &record, columns) {
            Ok(row) => rows.push(row),
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(rows),
        false => Err(problems),
    }
}

/// What stands between the cells, as the names of the columns tell.
fn delimiter(text: &str) -> u8 {
    let names = text.lines().next().unwrap_or_default();
    let marks = [b';', b'\t'].into_iter();
    let mut other = marks.filter(|mark| names.as_bytes().contains(mark));
    match names.contains(',') {
        true => b',',
        false => other.next().unwrap_or(b','),
    }
}

/// The places of the columns; only that of the protocol may be missing.
fn columns(names: &StringRecord) -> Result<[Option<usize>; 4], Problem> {
    let place = |known: &[&str]| {
        let mut names = names.iter();
        names.position(|name| known.contains(&name.to_ascii_lowercase().as_str()))
    };
    let places = COLUMNS.map(place);
    let missing = COLUMNS[..3].iter().zip(&places);
    let mut missing = missing.filter(|(_, place)| place.is_none());
    match missing.next() {
        None => Ok(places),
        Some((known, _)) => Err(Problem::error(
            "bad-ticket",
            Place {
                line: 1,
                column: 1,
                ..Place::default()
            },
            format!("the ticket has no column `{}`", known[0]),
        )
        .hint("the first line names the columns: source,destination,port,protocol")),
    }
}

fn row(at: Place, record: &StringRecord, columns: [Option<usize>; 4]) -> Result<Row, Problem> {
    let cell = |column: usize| {
        let place = columns[column];
        place
            .and_then(|place| record.get(place))
            .unwrap_or_default()
    };
    let wrong = |cell: &str, what: &str| {
        let text = format!("`{}` is {what}", cut(cell, SHOWN));
        Problem::error("bad-ticket", at, text)
    };
    let all = |column: usize, what: &str| {
        let parts = parts(cell(column));
        match parts.len() {
            1..=MOST_PARTS => Ok(parts),
            _ => Err(wrong(cell(column), what)),
        }
    };
    let transports = transports(cell(3)).ok_or_else(|| {
        wrong(cell(3), "no protocol that is compared").hint(
            "write tcp, udp, tcp/udp or esp, or the name of a service over TCP such as https; \
             ICMP is no flow of a plan",
        )
    })?;
    let mut services = Vec::new();
    for part in all(2, "no port").or_else(|problem| match transports[..] {
        [transport] if !transport.has_ports() => Ok(vec![String::new()]),
        _ => Err(problem),
    })? {
        let found = service(&part, &transports).ok_or_else(|| {
            wrong(&part, "no port and no range of ports")
                .hint("ports are 1 to 65535, as in 443, 49152-65535, 443/tcp or any")
        })?;
        services.extend(found);
    }
    Ok(Row {
        line: at.line,
        sources: all(0, "no source")?,
        destinations: all(1, "no destination")?,
        services,
    })
}

/// The parts of a cell.
fn parts(cell: &str) -> Vec<String> {
    let parts = cell.split([',', ';', '\n', '\r', ' ']);
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.take(MOST_PARTS + 1).map(str::to_string).collect()
}

/// What a cell of protocols means; nothing said is TCP.
fn transports(cell: &str) -> Option<Vec<Transport>> {
    let words = cell.split(['/', ',', ';', ' ']);
    let words = words.map(str::trim).filter(|word| !word.is_empty());
    let found: Option<Vec<Transport>> = words.map(transport).collect();
    found.map(|mut all| {
        all.sort_unstable();
        all.dedup();
        match all.is_empty() {
            true => vec![Transport::Tcp],
            false => all,
        }
    })
}

fn transport(word: &str) -> Option<Transport> {
    match word.to_ascii_lowercase().as_str() {
        "tcp" | "http" | "https" | "tls" | "ssl" | "smb" | "rpc" | "tds" | "sql" | "ldap"
        | "ldaps" => Some(Transport::Tcp),
        "udp" => Some(Transport::Udp),
        "esp" => Some(Transport::Esp),
        _ => None,
    }
}

/// What a part of a cell of ports asks for: `443`, `49152-65535`, `443/tcp`, `tcp/443`, `any`.
fn service(part: &str, transports: &[Transport]) -> Option<Vec<Service>> {
    let (ports, own) = match part.split_once('/') {
        None => (part, None),
        Some((left, right)) => match (transport(left), transport(right)) {
            (Some(transport), None) => (right, Some(transport)),
            (None, Some(transport)) => (left, Some(transport)),
            _ => return None,
        },
    };
    let transports = own.map_or(transports.to_vec(), |own| vec![own]);
    let of = |transport: Transport| {
        let ports = match transport.has_ports() {
            true => range(ports)?,
            false => Ports::NONE,
        };
        Some(Service { transport, ports })
    };
    transports.into_iter().map(of).collect()
}

fn range(text: &str) -> Option<Ports> {
    if ["any", "*", "all"].contains(&text.to_ascii_lowercase().as_str()) {
        return Some(Ports {
            low: 1,
            high: u16::MAX,
        });
    }
    let number = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port != 0);
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (number(low)?, number(high)?);
    (low <= high).then_some(Ports { low, high })
}

/// Where a row begins: its first line.
fn place(text: &str, position: Option<&csv::Position>) -> Place {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let start = position.map_or(0, |it| number(it.byte()));
    let line = text.get(start..).and_then(|rest| rest.lines().next());
    Place {
        line: position.map_or(1, |it| number(it.line())),
        column: 1,
        start,
        end: start + line.map_or(0, str::len),
    }
}

fn unreadable(at: Place) -> Problem {
    Problem::error(
        "bad-ticket",
        at,
        "the ticket is no table of comma-separated values",
    )
    .hint("save it as CSV in UTF-8, with a first line: source,destination,port,protocol")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn services(port: &str, protocol: &str) -> Option<Vec<(u16, u16, Transport)>> {
        let text = format!("source,destination,port,protocol\na,b,\"{port}\",{protocol}\n");
        let rows = read(&text).ok()?;
        let all = rows[0].services.iter();
        Some(
            all.map(|it| (it.ports.low, it.ports.high, it.transport))
                .collect(),
        )
    }

    #[test]
    fn ports_are_numbers_ranges_and_lists_with_or_without_their_protocol() {
        use Transport::{Esp, Tcp, Udp};
        assert_eq!(services("443", ""), Some(vec![(443, 443, Tcp)]));
        assert_eq!(services("443/udp", "tcp"), Some(vec![(443, 443, Udp)]));
        assert_eq!(services("tcp/80", ""), Some(vec![(80, 80, Tcp)]));
        assert_eq!(
            services("53", "TCP/UDP"),
            Some(vec![(53, 53, Tcp), (53, 53, Udp)])
        );
        assert_eq!(
            services("80, 443;49152-65535", "https"),
            Some(vec![(80, 80, Tcp), (443, 443, Tcp), (49152, 65535, Tcp)])
        );
        assert_eq!(services("any", "udp"), Some(vec![(1, 65535, Udp)]));
        assert_eq!(services("", "esp"), Some(vec![(0, 0, Esp)]));
        for (port, protocol) in [
            ("", "tcp"),
            ("0", "tcp"),
            ("70000", ""),
            ("9-1", ""),
            ("1", "icmp"),
            ("1/2", ""),
        ] {
            assert_eq!(services(port, protocol), None, "{port} {protocol}");
        }
    }

    #[test]
    fn columns_are_found_by_their_names_whatever_stands_between_them() {
        for text in [
            "\u{feff}Source;Destination;Port;Protocol\n10.0.0.5;ibs01;445;tcp\n",
            "note,to,from,service\nx,ibs01,10.0.0.5,445/tcp\n",
            "src\tdst\tport\n10.0.0.5\tibs01\t445\n",
        ] {
            let rows = read(text).expect("a ticket");
            assert_eq!(rows[0].sources, ["10.0.0.5"], "{text}");
            assert_eq!(rows[0].destinations, ["ibs01"], "{text}");
            assert_eq!(
                (rows[0].line, rows[0].services[0].ports.low),
                (2, 445),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line_and_nothing_is_left_out() {
        let lines = |text: &str| -> Vec<usize> {
            let problems = read(text).expect_err("findings");
            let places = problems.iter().map(|it| it.at.expect("a place").line);
            places.collect()
        };
        assert_eq!(lines(""), [1]);
        assert_eq!(lines("source,port\n"), [1]);
        assert_eq!(
            lines("source,destination,port\na,b,1\na,b,x\n,b,1\n"),
            [3, 4]
        );
        let many = "a,b,1\n".repeat(MOST_ROWS + 1);
        assert_eq!(
            lines(&format!("source,destination,port\n{many}")),
            [MOST_ROWS + 2]
        );
    }

    proptest! {
        #[test]
        fn nothing_that_stands_in_a_ticket_stops_the_program(cells in "[a-z0-9,;:/\"\n\t. -]{0,200}", any in ".{0,100}") {
            let head = "source,destination,port,protocol\n";
            for text in [format!("{head}{cells}"), format!("{head}{any}"), cells, any] {
                let rows = read(&text).unwrap_or_default();
                prop_assert!(rows.iter().all(|row| !row.services.is_empty()));
            }
        }
    }
}
