//! What a reader of the text sees.

use super::*;
use crate::report::sample;
use crate::verdict::Owner;

const CLOSED: [&str; 5] = [
    "forbidden",
    "closed",
    "exposed",
    "closed-but-reachable",
    "warning",
];
const OPEN: [&str; 5] = ["forbidden", "open", "exposed", "open", "error"];
const SILENT: [&str; 5] = ["required", "filtered", "blocked", "no-answer", "error"];
const DOWN: [&str; 5] = ["required", "closed", "down", "nobody-listens", "error"];
const NO_ROUTE: [&str; 5] = ["required", "unreachable", "unknown", "no-route", "error"];

fn shown(flows: Vec<ReportFlow>, detail: Detail, columns: u16) -> String {
    let report = sample::with("internet", "probe7", flows);
    let text = text(&report, detail, Width::of_terminal(columns));
    anstream::adapter::strip_str(&text).to_string()
}

fn findings(flows: Vec<ReportFlow>) -> String {
    shown(flows, Detail::Findings, 80)
}

fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("{from}: {text}"));
    rest.split(to).next().unwrap_or_default()
}

#[test]
fn sixty_three_ports_to_close_are_one_row_and_one_finding() {
    let flows =
        (1_000..1_063).map(|port| sample::judged(&format!("internet>ibs01:{port}/tcp"), CLOSED));
    let text = findings(flows.collect());
    assert_eq!(
        part(&text, "For front-end\n", "\n\n"),
        "  source    destination         service        wanted  flow\n  \
         internet  192.0.2.10 (ibs01)  1000-1062/tcp  deny    internet>ibs01:{63 ports}/tcp"
    );
    assert!(
        text.contains("Who has to act: firewall team: 1 rule\n"),
        "{text}"
    );
    assert_eq!(text.matches("EXPOSED").count(), 1, "{text}");
    assert!(
        text.contains("\n  likewise: internet>ibs01:{1001-1062}/tcp\n"),
        "{text}"
    );
}

#[test]
fn few_ports_stand_in_the_id_of_their_row() {
    let flows = [80, 443].map(|port| sample::judged(&format!("internet>ibs01:{port}/tcp"), SILENT));
    let text = shown(flows.to_vec(), Detail::Findings, 120);
    let row = "80, 443/tcp  permit  internet>ibs01:{80,443}/tcp\n";
    assert!(text.contains(row), "{text}");
    assert_eq!(
        text.matches("BLOCKED").count(),
        2,
        "each says what it is for: {text}"
    );
}

#[test]
fn what_is_required_comes_first_then_who_has_to_act_decides() {
    let mut of_certificates = sample::judged("internet>ibs01:1/tcp", DOWN);
    of_certificates.owner = Some(Owner::Certificate);
    let mut of_the_server = sample::judged("internet>ibs01:2/tcp", DOWN);
    of_the_server.owner = Some(Owner::Server);
    let flows = vec![
        sample::judged("internet>ibs01:0/tcp", NO_ROUTE),
        of_certificates,
        of_the_server,
        sample::judged("internet>ibs01:3/tcp", OPEN),
        sample::judged("internet>ibs01:4/tcp", SILENT),
    ];
    let text = findings(flows);
    let heads: Vec<&str> = text.lines().filter(|it| it.contains("/tcp  ")).collect();
    assert_eq!(
        heads[2..],
        [
            "BLOCKED internet>ibs01:4/tcp  no-answer  (firewall team)",
            "DOWN internet>ibs01:2/tcp  nobody-listens  (server team)",
            "DOWN internet>ibs01:1/tcp  nobody-listens  (certificate team)",
            "EXPOSED internet>ibs01:3/tcp  open  (firewall team)",
            "UNKNOWN internet>ibs01:0/tcp  no-route  (whoever runs portproof)",
        ],
        "{text}"
    );
    assert!(
        heads[0].contains("permit") && heads[1].contains("deny"),
        "{text}"
    );
}

#[test]
fn trouble_of_this_host_is_one_finding_for_all_hosts() {
    let to = |system: &str| sample::judged(&format!("internet>{system}:443/tcp"), NO_ROUTE);
    let text = findings(vec![to("ibs01"), to("ibs02")]);
    assert_eq!(text.matches("UNKNOWN").count(), 1, "{text}");
    assert!(text.contains("likewise: internet>ibs02:443/tcp"), "{text}");
}

#[test]
fn when_all_is_well_the_proved_flows_stand_in_a_table_and_else_not() {
    let proved = |port: u16| sample::flow(&format!("internet>ibs01:{port}/tcp"));
    let text = findings(vec![proved(80), proved(443)]);
    assert_eq!(
        part(&text, "Nothing has to be done.\n\n", "\n\n"),
        "  proved                        how\n  internet>ibs01:{80, 443}/tcp  the port is open"
    );
    let text = findings(vec![
        proved(80),
        sample::judged("internet>ibs01:1/tcp", DOWN),
    ]);
    assert!(!text.contains("the port is open"), "{text}");
}

#[test]
fn verbose_shows_every_flow_with_what_was_seen_of_it() {
    let flows = || {
        vec![
            sample::flow("internet>ibs01:443/tcp"),
            sample::judged(
                "internet>ibs01:1433/tcp",
                ["forbidden", "filtered", "ok", "kept-closed", "note"],
            ),
        ]
    };
    let text = shown(flows(), Detail::Everything, 80);
    let every = part(&text, "Every flow\n", "\n\n");
    for said in [
        "  ok       required  internet>ibs01:443/tcp  answered (open; rule)\n    seen: open (192.0.2.10:443)\n",
        "  ok       forbidden internet>ibs01:1433/tcp  kept-closed (filtered; rule)\n    seen: silence after 1 tries",
    ] {
        assert!(every.contains(said), "{said}: {every}");
    }
    assert!(!findings(flows()).contains("seen: "));
}

#[test]
fn no_line_is_wider_than_the_page_but_rows_and_ids_which_stay_whole() {
    const LONG: &str = "internet>a-rather-long-name-of-a-system:443/tcp";
    let mut flows: Vec<_> = (1..400)
        .step_by(2)
        .map(|port| sample::judged(&format!("internet>ibs01:{port}/tcp"), CLOSED))
        .collect();
    flows.push(sample::judged(LONG, SILENT));
    for columns in [40, 80, 120] {
        let text = shown(flows.clone(), Detail::Everything, columns);
        let (before, rest) = text.split_once("For front-end\n").expect("a table");
        let (table, after) = rest.split_once("\n\n").expect("its end");
        for line in before.lines().chain(after.lines()) {
            let is_one_id = line.trim() == LONG || line.trim() == format!("BLOCKED {LONG}");
            let fits = line.chars().count() <= usize::from(columns);
            assert!(
                fits || is_one_id || line.contains(LONG),
                "{columns}: {line}"
            );
        }
        assert_eq!(text.matches(LONG).count(), 3, "{text}");
        let rows = table
            .lines()
            .filter(|line| line.contains("deny") || line.contains("permit"));
        assert_eq!(rows.count(), 2, "{table}");
        assert!(table.lines().count() < 60, "{table}");
    }
}
