//! x509-limbo's cases: what each server case comes to here, held against `tests/limbo.txt`.
//!
//! x509-limbo (https://github.com/C2SP/x509-limbo) makes chains of certificates that libraries treat differently. It
//! judges by the rules for public web servers. The clients here are Windows, so each row of the table says what Windows
//! does, as `docs/certificates.md` does. The chains themselves are not kept here: `scripts/limbo` reads them from a
//! file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;

use super::case::Case;
use super::*;

/// What every case came to.
const TABLE: &str = include_str!("../../../../../tests/limbo.txt");

/// A file of x509-limbo.
#[derive(Deserialize)]
struct Limbo {
    testcases: Vec<Testcase>,
}

#[derive(Deserialize)]
struct Testcase {
    id: String,
    validation_kind: String,
    trusted_certs: Vec<String>,
    untrusted_intermediates: Vec<String>,
    peer_certificate: String,
    validation_time: Option<Timestamp>,
    expected_result: String,
    expected_peer_name: Option<Name>,
    #[serde(default)]
    crls: Vec<String>,
}

#[derive(Deserialize)]
struct Name {
    value: String,
}

/// A row of the table.
#[derive(Clone, PartialEq, Eq)]
struct Row {
    /// The name of the case.
    id: String,
    /// What x509-limbo expects of a library for public web servers: `SUCCESS` or `FAILURE`.
    limbo: String,
    /// What it comes to here: `ok`, `warning`, `open` or `refused`.
    here: String,
    /// What rustls' verifier does: `takes` or `refuses`.
    rustls: String,
    /// What OpenSSL does.
    openssl: String,
    /// What Windows does: `takes`, `refuses` or `open`, and `unconfirmed` where no source says it.
    windows: String,
    /// Why.
    source: String,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            limbo,
            here,
            rustls,
            openssl,
            windows,
            source,
        } = self;
        write!(
            f,
            "{id} | {limbo} | {here} | {rustls} | {openssl} | {windows} | {source}"
        )
    }
}

/// The rows of the table.
fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.filter(|line| !line.is_empty()).map(|line| {
        let cells: Vec<String> = line
            .split('|')
            .map(|cell| cell.trim().to_string())
            .collect();
        let [id, limbo, here, rustls, openssl, windows, source] =
            <[String; 7]>::try_from(cells).unwrap_or_else(|cells| panic!("seven cells: {cells:?}"));
        Row {
            id,
            limbo,
            here,
            rustls,
            openssl,
            windows,
            source,
        }
    });
    rows.collect()
}

/// The cases of a file that can be judged here, as rows without what Windows does; and how many are left out.
fn judged(limbo: Limbo) -> (Vec<Row>, usize) {
    let all = limbo.testcases.into_iter();
    let of_servers = all.filter(|case| case.validation_kind == "SERVER");
    let (with_lists, alone): (Vec<_>, Vec<_>) = of_servers.partition(|case| !case.crls.is_empty());
    let rows = alone.into_iter().map(|testcase| {
        let (id, limbo) = (testcase.id.clone(), testcase.expected_result.clone());
        let case = case(testcase);
        let (here, rustls) = case.here();
        Row {
            id,
            limbo,
            here: here.to_string(),
            rustls: rustls.to_string(),
            openssl: case.openssl().to_string(),
            windows: String::new(),
            source: String::new(),
        }
    });
    (rows.collect(), with_lists.len())
}

fn case(testcase: Testcase) -> Case {
    let der = |pem: &String| {
        CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate in PEM")
    };
    let leaf = der(&testcase.peer_certificate);
    let above = testcase.untrusted_intermediates.iter().map(der);
    let name = match testcase.expected_peer_name {
        Some(name) => name.value,
        None => own_name(&leaf),
    };
    Case {
        sent: [leaf].into_iter().chain(above).collect(),
        roots: testcase.trusted_certs.iter().map(der).collect(),
        fetched: Vec::new(),
        name,
        now: testcase.validation_time.unwrap_or_else(Timestamp::now),
    }
}

/// A name that a certificate is for: cases that ask for none are about other things.
fn own_name(leaf: &CertificateDer<'_>) -> String {
    let facts = read(leaf);
    let names = facts.map_or_else(Vec::new, |it| [it.names, it.common_names].concat());
    let mut names = names.iter().map(|name| name.replace('*', "any"));
    let usable = |name: &String| ServerName::try_from(name.as_str()).is_ok();
    names
        .find(usable)
        .unwrap_or_else(|| "example.com".to_string())
}

/// How often each pair of expected and seen outcomes occurs.
fn counted<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in rows {
        *counts.entry((&row.limbo, &row.here)).or_default() += 1;
    }
    let counts = counts
        .iter()
        .map(|((limbo, here), count)| format!("{limbo} {here}: {count}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// Cases that the table does not know, by the group that their names begin with.
fn unknown_groups(unknown: &[Row]) -> Vec<String> {
    let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in unknown {
        let group = row.id.rsplit_once("::").map_or("", |(group, _)| group);
        groups.entry(group).or_default().push(row);
    }
    let groups = groups.into_iter().map(|(group, rows)| {
        let counts = counted(rows.iter().copied());
        format!("{group}: {} cases ({counts})", rows.len())
    });
    groups.collect()
}

/// What the cases of a file came to, compared with the table: for a reader, and what is not as it stands there.
fn compared(seen: Vec<Row>) -> (Vec<String>, Vec<String>) {
    let known: BTreeMap<String, Row> = rows()
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let (of_table, unknown): (Vec<Row>, Vec<Row>) = seen
        .into_iter()
        .partition(|row| known.contains_key(&row.id));
    let names: BTreeSet<&str> = of_table.iter().map(|row| row.id.as_str()).collect();
    let lacking = known.keys().filter(|id| !names.contains(id.as_str()));
    let lacking = lacking.map(|id| format!("in tests/limbo.txt, not in this file: {id}"));
    let groups = unknown_groups(&unknown);
    let groups = groups
        .iter()
        .map(|group| format!("not in tests/limbo.txt: {group}"));
    let mut said: Vec<String> = lacking.chain(groups).collect();
    // A suite of thousands is told by its groups only.
    if unknown.len() <= 300 {
        said.extend(unknown.iter().map(|row| format!("new row: {row}")));
    }
    let mut wrong = Vec::new();
    for seen in of_table {
        let row = &known[&seen.id];
        let now = Row {
            windows: row.windows.clone(),
            source: row.source.clone(),
            ..seen
        };
        if now != *row {
            said.push(format!("was: {row}\nnow: {now}"));
        }
        if now.here != row.here {
            wrong.push(format!("{}: {}, not {}", now.id, now.here, row.here));
        }
    }
    (said, wrong)
}

#[test]
#[ignore = "needs a limbo.json: scripts/limbo FILE runs it and says how to get one"]
#[expect(clippy::print_stdout, reason = "scripts/limbo shows it")]
fn each_case_comes_to_what_the_table_says() {
    let file = std::env::var_os("PORTPROOF_LIMBO").expect(
        "PORTPROOF_LIMBO names no file: scripts/limbo FILE sets it and says how to get one",
    );
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let limbo: Limbo = serde_json::from_slice(&text)
        .unwrap_or_else(|error| panic!("{} is no limbo.json: {error}", file.display()));
    let (seen, with_lists) = judged(limbo);
    println!("{} server cases: {}", seen.len(), counted(seen.iter()));
    println!("{with_lists} more have revocation lists and are left out: only chains are judged");
    let (said, wrong) = compared(seen);
    for line in said {
        println!("{line}");
    }
    assert!(wrong.is_empty(), "not as in tests/limbo.txt: {wrong:#?}");
}

#[test]
fn no_case_that_windows_takes_is_refused_and_none_that_it_refuses_is_ok() {
    let rows = rows();
    assert!(!rows.is_empty());
    for row in rows {
        let fits = match row.windows.split(',').next().unwrap_or_default() {
            "takes" => row.here != "refused",
            "refuses" => row.here == "refused",
            "open" => row.here == "open",
            other => panic!("{}: {other} is no word for what Windows does", row.id),
        };
        assert!(fits, "{row}");
        // What every library refuses is taken here only where a source says that Windows takes it.
        let all_refuse = row.rustls == "refuses" && row.openssl == "refuses";
        let taken = ["ok", "warning"].contains(&row.here.as_str());
        assert!(!(all_refuse && taken) || row.windows == "takes", "{row}");
        assert!(!row.source.is_empty(), "{row}");
    }
}

#[test]
fn the_table_names_each_case_once_in_order() {
    let names: Vec<String> = rows().into_iter().map(|row| row.id).collect();
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(names, sorted);
}

#[test]
fn the_page_counts_what_the_table_holds() {
    let page = include_str!("../../../../../docs/certificates.md");
    let rows = rows();
    for (word, limbo) in [("success", "SUCCESS"), ("failure", "FAILURE")] {
        let of: Vec<&Row> = rows.iter().filter(|row| row.limbo == limbo).collect();
        let [ok, warning, open, refused] = ["ok", "warning", "open", "refused"]
            .map(|here| of.iter().filter(|row| row.here == here).count());
        let all = of.len();
        let line = format!("| {word} ({all} cases) | {ok} | {warning} | {open} | {refused} |");
        assert!(page.contains(&line), "{line}");
    }
}
