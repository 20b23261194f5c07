//! Accepted deviations from file to exit status, on a site of loopback addresses: what is accepted counts apart, what has
//! lapsed counts again.

use std::fs;
use std::net::TcpListener;

use crate::support::schemas;
use crate::support::unbroken::unbroken;
use assert_cmd::Command;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

/// Ports of one loopback address that nobody listens on.
const CLOSED: &str = "127.0.77.1";

struct Run {
    status: i32,
    out: String,
    err: String,
}

impl Run {
    fn json(&self) -> Value {
        let document: Value = serde_json::from_str(&self.out).expect("JSON");
        schemas::assert_valid("report", &document);
        document
    }
}

fn portproof(arguments: &[&str]) -> Run {
    let output = Command::cargo_bin("portproof")
        .expect("the program")
        .args(arguments)
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        status: output.status.code().expect("a status"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// The day so many days from today, UTC.
fn day(days: i64) -> Date {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    today.checked_add(days.days()).expect("a day")
}

/// One system in the prober's own zone, the file's own flows to it, and exceptions `(flow, days from today)`.
fn site(flows: &[(u16, &str)], exceptions: &[(&str, i64)]) -> String {
    let mut text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ lab: {{ networks: [\"127.0.0.0/8\"] }} }}
systems: {{ web: {{ zone: lab, addresses: {{ default: {CLOSED} }}, roles: [console] }} }}
probing: {{ second_look: off, timeout: 1s, rate: max, sweep: none }}
flows:\n"
    );
    for (port, need) in flows {
        text += &format!("  - {{ from: lab, to: web, port: {port}, need: {need} }}\n");
    }
    text + &listed(exceptions)
}

fn listed(exceptions: &[(&str, i64)]) -> String {
    let lines = exceptions.iter().map(|(flow, days)| {
        let until = day(*days);
        format!("  - {{ flow: \"{flow}\", until: {until}, why: \"change 4711\" }}\n")
    });
    format!("exceptions:\n{}", lines.collect::<String>())
}

fn check(site: &str, from: &str, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    fs::write(&file, site).expect("written");
    let file = file.display().to_string();
    let arguments = [&["check", &file, "--from", from], more].concat();
    portproof(&arguments)
}

fn json(site: &str) -> Run {
    check(site, "lab", &["--format", "json"])
}

fn flow<'a>(report: &'a Value, id: &str) -> &'a Value {
    let mut flows = report["flows"].as_array().expect("flows").iter();
    flows
        .find(|flow| flow["id"] == id)
        .unwrap_or_else(|| panic!("{id}"))
}

fn noted(report: &Value) -> Vec<(&str, &str)> {
    let notes = report["notes"].as_array().expect("notes").iter();
    notes
        .filter_map(|note| Some((note["cause"].as_str()?, note["text"].as_str()?)))
        .collect()
}

#[test]
fn what_is_accepted_keeps_its_verdict_and_counts_apart() {
    let site = site(&[(1, "required")], &[("lab>web:1/tcp", 30)]);
    let run = json(&site);
    assert_eq!(run.status, 0, "{}", run.err);
    let report = run.json();
    let accepted = flow(&report, "lab>web:1/tcp");
    assert_eq!(accepted["verdict"], "down");
    assert_eq!(accepted["cause"], "nobody-listens");
    assert_eq!(accepted["level"], "error");
    assert_eq!(accepted["owner"], "server");
    assert_eq!(accepted["accepted"]["until"], day(30).to_string());
    assert_eq!(accepted["accepted"]["why"], "change 4711");
    assert_eq!(accepted["accepted"]["days_left"], 30);
    assert_eq!(report["summary"]["down"], 0);
    assert_eq!(report["summary"]["accepted"], 1);
    assert_eq!(noted(&report), []);
    assert!(!run.err.contains("warning[exception"), "{}", run.err);
}

#[test]
fn the_text_has_what_is_accepted_under_a_heading_of_its_own() {
    let site = site(
        &[(1, "required"), (2, "required")],
        &[("lab>web:1/tcp", 30)],
    );
    let run = check(&site, "lab", &[]);
    assert_eq!(run.status, 1, "the other flow counts: {}", run.out);
    let act = "Who has to act: server team: 1 host";
    assert!(run.out.contains(act), "{}", run.out);
    let (findings, accepted) = run.out.split_once("\nAccepted by").expect("a heading");
    assert!(findings.contains("DOWN lab>web:2/tcp") && !findings.contains("web:1/tcp"));
    let line = format!(
        "DOWN lab>web:1/tcp  nobody-listens  until {}: change 4711",
        day(30)
    );
    assert!(accepted.contains(&line), "{accepted}");
    assert!(accepted.contains("1 down, 0 wrong, 0 exposed, 0 unknown, 1 accepted"));
}

#[test]
fn an_end_within_14_days_is_a_warning_that_counts_with_strict() {
    for (days, ends) in [(14, "in 14 days"), (1, "tomorrow"), (0, "ends today")] {
        let site = site(&[(1, "required")], &[("lab>web:1/tcp", days)]);
        let run = json(&site);
        assert_eq!(run.status, 0, "{}", run.err);
        let report = run.json();
        let notes = noted(&report);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!(notes[0].0, "exception-ends-soon");
        assert!(
            notes[0].1.contains("lab>web:1/tcp (change 4711)"),
            "{notes:?}"
        );
        assert!(notes[0].1.contains(ends), "{notes:?}");
    }
    let site_ending = |days| site(&[(1, "required")], &[("lab>web:1/tcp", days)]);
    let strict = check(&site_ending(14), "lab", &["--strict"]);
    assert_eq!(strict.status, 1, "{}", strict.out);
    assert!(
        strict
            .out
            .contains("\nwarning: the exception for lab>web:1/tcp")
    );
    let later = check(&site_ending(15), "lab", &["--strict"]);
    assert_eq!(later.status, 0, "{}", later.out);
    assert!(!later.out.contains("warning"), "{}", later.out);
}

#[test]
fn what_has_lapsed_counts_again_and_says_since_when() {
    let site = site(&[(1, "required")], &[("lab>web:1/tcp", -1)]);
    let run = json(&site);
    assert_eq!(run.status, 1, "{}", run.err);
    assert!(
        run.err
            .contains("site.yaml:8:13: warning[exception-lapsed]"),
        "{}",
        run.err
    );
    let report = run.json();
    let lapsed = flow(&report, "lab>web:1/tcp");
    assert_eq!(lapsed["lapsed"]["until"], day(-1).to_string());
    assert_eq!(lapsed["accepted"], Value::Null);
    assert_eq!(report["summary"]["down"], 1);
    assert_eq!(report["summary"]["accepted"], 0);
    assert_eq!(noted(&report)[0].0, "exception-lapsed");
    let text = check(&site, "lab", &[]).out;
    let line = format!(
        "  lapsed: accepted until {} (change 4711); it counts again",
        day(-1)
    );
    assert!(text.contains(&line), "{text}");
}

#[test]
fn an_exception_that_nothing_needs_any_more_is_noted() {
    let listener = TcpListener::bind((CLOSED, 0)).expect("loopback");
    let port = listener.local_addr().expect("an address").port();
    let id = format!("lab>web:{port}/tcp");
    let run = json(&site(&[(port, "required")], &[(&id, 30)]));
    assert_eq!(run.status, 0, "{}", run.err);
    let report = run.json();
    assert_eq!(flow(&report, &id)["accepted"], Value::Null);
    assert_eq!(noted(&report)[0].0, "exception-not-needed");
}

#[test]
fn what_a_sweep_finds_can_be_accepted_too() {
    let listener = TcpListener::bind((CLOSED, 0)).expect("loopback");
    let port = listener.local_addr().expect("an address").port();
    let ids = [
        format!("here>web:{port}/tcp"),
        "here>web:sweep/tcp".to_string(),
    ];
    let site = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{ networks: [\"0.0.0.0/0\"] }}, there: {{ networks: [\"127.0.0.0/8\"] }} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
systems: {{ web: {{ zone: there, addresses: {{ default: {CLOSED} }}, roles: [console] }} }}
probing: {{ second_look: off, timeout: 1s, rate: max, sweep: \"9,{port}\" }}
"
    );
    let refused = check(&site, "here", &["--format", "json"]);
    assert_eq!(refused.status, 1, "{}", refused.err);
    let site = site + &listed(&[(&ids[0], 30), (&ids[1], 30)]);
    let run = check(&site, "here", &["--format", "json"]);
    assert_eq!(run.status, 0, "{}{}", run.err, run.out);
    assert!(!run.err.contains("exception-without-flow"), "{}", run.err);
    let report = run.json();
    assert_eq!(flow(&report, &ids[0])["cause"], "open");
    assert_eq!(flow(&report, &ids[1])["cause"], "closed-but-reachable");
    assert_eq!(report["summary"]["accepted"], 2);
}

#[test]
fn the_plan_shows_exceptions_beside_their_flows() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    let exceptions = [
        ("internet>ibs01:80/tcp", 30),
        ("internet>ibs01:3389/tcp", 30),
        ("internet>ibs01:sweep/tcp", 30),
    ];
    let text = fs::read_to_string("probes.yaml").expect("the example") + &listed(&exceptions);
    fs::write(&file, text).expect("written");
    let file = file.display().to_string();
    let plan = portproof(&["plan", "--verbose", &file]);
    assert_eq!(plan.status, 0, "{}", plan.err);
    assert!(
        plan.err.contains("warning[exception-without-flow]"),
        "nothing is swept"
    );
    let accepted = format!("exception through {}: change 4711", day(30));
    let needed = plan
        .out
        .split("internet>ibs01:80/tcp")
        .nth(1)
        .expect("the flow");
    let needed = needed.split("\n\n").next().expect("its lines");
    assert!(unbroken(needed).contains(&accepted), "{needed}");
    assert!(
        unbroken(&plan.out).contains(&format!(" 3389 {accepted}")),
        "{}",
        plan.out
    );
    let beside = plan
        .out
        .split("Accepted beside the plan")
        .nth(1)
        .expect("a heading");
    assert!(beside.contains("internet>ibs01:sweep/tcp"), "{beside}");
    let json = portproof(&["plan", &file, "--format", "json"]).out;
    let plan: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(plan["exceptions"][0]["flow"], "internet>ibs01:80/tcp");
    assert_eq!(plan["exceptions"][0]["until"], day(30).to_string());
    assert_eq!(plan["exceptions"].as_array().map(Vec::len), Some(3));
}
