//! `portproof explain` with what an administrator holds: codes, lines, whole logs, words, names of the site file.
//!
//! The logs are written for these tests, by the grammar that the page on `explain` describes.
//! `PORTPROOF_GOLDEN=write cargo test --test it client_logs::` writes the example of that page anew.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::program::run_in;
use crate::support::schemas;
use crate::support::unbroken::unbroken;

const CLIENT_LOG: &str = "tests/it/logs/CcmMessaging.log";
const AGENT_LOG: &str = "tests/it/logs/WindowsUpdate.log";

fn run(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    run_in(folder, &[&["explain"], arguments].concat())
}

fn here(arguments: &[&str]) -> String {
    let (status, out, err) = run(arguments, Path::new("."));
    assert_eq!(status, 0, "{arguments:?}: {err}");
    out
}

fn document(arguments: &[&str]) -> Value {
    let out = here(&[arguments, &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&out).expect("JSON");
    schemas::assert_valid("explain", &document);
    document
}

fn code<'a>(log: &'a Value, code: &str) -> &'a Value {
    let codes = log["codes"].as_array().expect("codes");
    let found = codes.iter().find(|it| it["code"] == code);
    found.unwrap_or_else(|| panic!("{code} in {log:#}"))
}

fn ids(flows: &Value) -> Vec<&str> {
    let flows = flows.as_array().expect("flows").iter();
    flows.filter_map(|flow| flow["id"].as_str()).collect()
}

#[test]
fn a_code_is_explained_in_every_writing_alike() {
    let expected = document(&["0x80072EE2"]);
    assert_eq!(expected["kind"], "code");
    assert_eq!(
        expected["numbers"],
        json!(["0x80072EE2", "-2147012894", "12002"])
    );
    assert_eq!(expected["known"]["confidence"], "documented");
    let causes = &expected["points_to"][0]["causes"];
    assert!(
        causes
            .as_array()
            .is_some_and(|all| all.contains(&json!("no-answer")))
    );
    for word in [
        "80072ee2",
        "-2147012894",
        "2147954402",
        "12002",
        "ERROR_WINHTTP_TIMEOUT",
    ] {
        assert_eq!(document(&[word]), expected, "{word}");
    }
    let text = unbroken(&here(&["-2147012894"]));
    for says in [
        "also written: -2147012894, 12002",
        "when packets are dropped: a check says no-answer, host-silent",
        "source: Error Messages (Winhttp.h)",
        "logged: Clients of later versions log 0x80072EE2 (12002)",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[test]
fn a_code_that_no_table_has_is_named_by_its_number_and_not_guessed() {
    let unknown = document(&["0x87D00999"]);
    assert_eq!(unknown["means"], Value::Null);
    assert_eq!(unknown["known"], Value::Null);
    assert_eq!(unknown["points_to"], json!([]));
    assert_eq!(
        unknown["facility"],
        "2000, the client of Configuration Manager"
    );
    assert!(here(&["0x87D00999"]).contains("means: not known here"));
}

#[test]
fn a_log_leads_to_the_flows_of_the_site_file_and_to_what_proves_them() {
    let log = document(&["--log", CLIENT_LOG]);
    assert_eq!(log["kind"], "log");
    assert_eq!(log["about"], json!(["management-point"]));
    assert_eq!(log["entries"]["count"], 7);
    assert_eq!(log["entries"]["first"], "2026-11-23 06:01:10");
    assert_eq!(log["entries"]["last"], "2026-11-23 09:45:02");
    let timeout = code(&log, "0x80072EE2");
    assert_eq!(
        timeout["seen"],
        json!({ "count": 2, "first": "2026-11-23 06:01:31", "last": "2026-11-23 07:14:02" })
    );
    let place = &timeout["places"][0];
    assert_eq!(place["system"], "ibs01");
    assert_eq!(ids(&place["flows"]), ["internet>ibs01:8443/tcp"]);
    assert_eq!(
        place["flows"][0]["check"],
        "portproof check probes.yaml --from internet"
    );
    assert_eq!(timeout["may_be"], json!([]), "a host was named");
}

#[test]
fn what_the_client_asks_for_and_the_file_does_not_have_is_said() {
    let log = document(&["--log", CLIENT_LOG]);
    let port = &code(&log, "0x80072EFD")["places"][0];
    assert_eq!(port["system"], "ibs01");
    assert_eq!(port["flows"], json!([]));
    let note = port["note"].as_str().expect("a note");
    assert!(
        note.contains("no needed flow to this host at port 9443"),
        "{note}"
    );
    assert!(note.contains("443") && note.contains("8443"), "{note}");
    let name = &code(&log, "0x80072EE7")["places"][0];
    assert_eq!(name["host"], "oldmp.example.com");
    assert_eq!(name["system"], Value::Null);
    let note = name["note"].as_str().expect("a note");
    assert!(note.contains("no system with this name"), "{note}");
    assert_eq!(log["unknown"][0]["numbers"][0], "0x87D00999");
    assert_eq!(log["unknown"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_code_without_a_host_names_the_flows_that_the_log_is_about() {
    let log = document(&["--log", AGENT_LOG]);
    let timeout = code(&log, "0x80072EE2");
    assert_eq!(timeout["places"], json!([]));
    let flows = ids(&timeout["may_be"]);
    assert!(flows.contains(&"internet>ibs01:8531/tcp"), "{flows:?}");
    assert!(!flows.contains(&"internet>ibs01:8443/tcp"), "{flows:?}");
    let refused = &code(&log, "0x80072EFD")["places"][0];
    assert_eq!(ids(&refused["flows"]), ["internet>ibs01:8531/tcp"]);
    assert_eq!(code(&log, "HTTP 403")["seen"]["count"], 1);
    assert_eq!(
        code(&log, "0x80244018")["seen"]["first"],
        "2026-11-23 09:10:00"
    );
}

#[test]
fn without_a_site_file_the_codes_are_explained_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("CcmMessaging-20261123-120000.log");
    fs::copy(CLIENT_LOG, &copy).expect("copied");
    let name = copy.display().to_string();
    let (status, out, err) = run(&["--log", &name, "--format", "json"], folder.path());
    assert_eq!(status, 0, "{err}");
    let log: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(log["site_file"], Value::Null);
    assert_eq!(log["about"], json!(["management-point"]));
    assert_eq!(code(&log, "0x80072EE2")["places"][0]["flows"], json!([]));
    let (status, _, err) = run(&["--log", &name, "nowhere.yaml"], folder.path());
    assert_eq!(status, 2);
    assert!(err.contains("nowhere.yaml"), "{err}");
    let (status, _, err) = run(&["--log", "nowhere.log"], folder.path());
    assert_eq!(status, 2);
    assert!(err.contains("reading the log nowhere.log"), "{err}");
}

#[test]
fn a_line_is_read_as_a_log_of_one_entry() {
    let text = fs::read_to_string(CLIENT_LOG).expect("the log");
    let line = text.lines().nth(1).expect("a line");
    for line in [
        line,
        "Code=12002 URL=https://ibs01.example.com:8443/ccm_system/request",
    ] {
        let log = document(&[line]);
        assert_eq!(log["kind"], "log");
        assert_eq!(log["entries"]["count"], 1);
        let place = &code(&log, "0x80072EE2")["places"][0];
        assert_eq!(ids(&place["flows"]), ["internet>ibs01:8443/tcp"]);
    }
    let (status, out, err) = run(&["all is well here"], Path::new("."));
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.contains("no code of a client's log"), "{err}");
}

#[test]
fn a_hostile_log_reaches_no_terminal_and_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("\u{1b}[31m.log");
    let hostile = "0x80072ee2 URL=https://\u{1b}]0;owned\u{7}\u{202e}.example/ Host=\u{9b}31m\n"
        .repeat(2_000)
        + &"<![LOG[".repeat(100_000)
        + &"http://".repeat(100_000)
        + "]LOG]!><time=\"\u{1b}[2J\" date=\"\u{7}\">";
    fs::write(&file, hostile).expect("written");
    let name = file.display().to_string();
    let out = here(&["--log", &name]);
    assert!(out.contains("0x80072EE2"), "{out}");
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    assert!(!out.contains('\u{202e}'));
    let out = here(&["0x80072ee2 \u{1b}[31m Host=a\u{9b}.example"]);
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
}

#[test]
fn words_of_a_report_and_of_a_finding_are_explained() {
    let blocked = document(&["blocked"]);
    assert_eq!(blocked["kind"], "verdict");
    assert_eq!(blocked["meaning"], "A firewall stops what must pass.");
    let finding = document(&["bad-address"]);
    assert_eq!(finding["kind"], "finding");
    let says = finding["says"][0].as_str().expect("words");
    assert!(says.starts_with("This is no IP address"), "{says}");
    let role = document(&["management-point"]);
    assert_eq!(role["kind"], "role");
    assert!(
        role["rules_to"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
    assert_eq!(role["systems"], json!([]));
    let role = document(&["management-point", "probes.yaml"]);
    assert_eq!(role["systems"], json!(["cm01", "ibs01"]));
}

#[test]
fn what_the_site_file_names_is_explained_with_its_flows() {
    let system = document(&["ibs01"]);
    assert_eq!(system["kind"], "system");
    assert_eq!(system["zone"], "perimeter");
    assert_eq!(system["serves"], json!(["internet"]));
    assert!(ids(&system["flows_to"]).contains(&"internet>ibs01:8443/tcp"));
    let known = &system["known_as"][0];
    assert_eq!(known["zone"], "internet");
    assert_eq!(known["by"], json!(["ibs01.example.com", "203.0.113.10"]));
    let firewall = document(&["back-end", "probes.yaml"]);
    assert_eq!(firewall["kind"], "firewall");
    assert_eq!(firewall["between"], json!(["perimeter", "intranet"]));
    let flows = ids(&firewall["flows"]);
    assert!(
        flows.iter().any(|id| id.starts_with("cm01>ibs01:")),
        "{flows:?}"
    );
    assert!(
        !flows.contains(&"internet>ibs01:8443/tcp"),
        "it crosses the other one"
    );
    let text = unbroken(&here(&["ibs01"]));
    assert!(
        text.contains("known to internet as: ibs01.example.com, 203.0.113.10"),
        "{text}"
    );
    let (status, _, err) = run(&["ibs1"], Path::new("."));
    assert_eq!(status, 2);
    assert!(err.contains("`ibs01`"), "{err}");
}

/// `PORTPROOF_GOLDEN=write` writes the part of the page anew.
#[test]
fn the_page_shows_what_a_log_is_explained_with() {
    let page = fs::read_to_string("docs/explain.md").expect("the page");
    let begin = format!("$ portproof explain --log {CLIENT_LOG}\n");
    let (before, rest) = page.split_once(&begin).expect("the example");
    let (_, after) = rest.split_once("```\n").expect("its end");
    let shown = here(&["--log", CLIENT_LOG]);
    let written = format!("{before}{begin}{shown}```\n{after}");
    if std::env::var_os("PORTPROOF_GOLDEN").is_some_and(|what| what == "write") {
        fs::write("docs/explain.md", written).expect("written");
    } else {
        assert!(
            page == written,
            "the head of this file says how to write it anew:\n{shown}"
        );
    }
}
