//! `portproof explain` as a user runs it: every kind of word, the lab's report, and what is wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::program::run as portproof;
use crate::support::unbroken::unbroken;
use crate::support::{lab, schemas};
use serde_json::{Value, json};

fn explained(arguments: &[&str]) -> String {
    let (status, out, err) = portproof(&[&["explain"], arguments].concat());
    assert_eq!(status, 0, "{arguments:?}: {err}");
    assert!(!out.contains('\u{1b}'), "no colours into a pipe: {out}");
    out
}

/// The same as one line, however it is broken.
fn said(arguments: &[&str]) -> String {
    unbroken(&explained(arguments))
}

/// As JSON, valid against its schema.
fn json(arguments: &[&str]) -> Value {
    let out = explained(&[arguments, &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&out).expect("JSON");
    schemas::assert_valid("explain", &document);
    assert_eq!(document["schema"], "portproof.explain/1");
    document
}

fn refused(arguments: &[&str]) -> String {
    let (status, out, err) = portproof(&[&["explain"], arguments].concat());
    assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {err}");
    err
}

/// The lab's report, for `probes.yaml`.
fn lab_report(folder: &Path) -> String {
    let file = folder.join("report.json").display().to_string();
    fs::write(&file, lab::report()).expect("written");
    file
}

#[test]
fn the_client_ports_are_read_in_the_console_by_the_procedure() {
    let topic = json(&["client-ports"]);
    assert_eq!(topic["kind"], "topic");
    let steps: Vec<&str> = topic["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for (step, says) in [
        (0, "Site Database > Site Management"),
        (1, "Properties"),
        (2, "Ports tab"),
        (3, "Client Requests-HTTP (TCP)"),
        (4, "Client Requests-HTTPS (TCP)"),
        (5, "OK"),
    ] {
        assert!(steps[step].contains(says), "{}", steps[step]);
    }
    let text = said(&["client-ports"]);
    for says in [
        "1. In the Configuration Manager console",
        "6. Leave the dialog",
        "both numbers through",
        "unable to reach its management point",
        "source: Determine the ports required for Internet-based client management (bb632723)",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[test]
fn the_update_ports_are_read_in_the_console_by_the_procedure() {
    let text = said(&["software-update-ports"]);
    for says in [
        "Site Settings > Component Configuration",
        "Software Update Point Component",
        "Internet-based tab",
        "Port number, which is for HTTP, and SSL port number, which is for HTTPS",
        "software_update_ports: { http: 8530, https: 8531 }",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[test]
fn a_cause_is_explained_by_the_words_of_its_page() {
    let cause = json(&["nobody-listens"]);
    assert_eq!(cause["kind"], "cause");
    assert_eq!(cause["owners"], serde_json::json!(["server"]));
    let page = fs::read_to_string("docs/verdicts.md").expect("the page");
    for part in ["meaning", "known_by", "to_do"] {
        let words = cause[part].as_str().expect(part);
        assert!(!words.is_empty() && page.contains(words), "{part}: {words}");
    }
}

#[test]
fn a_rule_is_explained_and_with_a_site_file_its_flows_are_named() {
    let rule = json(&["client-mp-https"]);
    assert_eq!(rule["kind"], "rule");
    assert_eq!(rule["need"], "required");
    assert_eq!(rule["topics"], serde_json::json!(["client-ports"]));
    assert_eq!(rule["flows"], serde_json::json!([]));
    let with_file = json(&["client-mp-https", "probes.yaml"]);
    let flows = with_file["flows"].as_array().expect("flows");
    assert!(
        flows.iter().any(|id| id == "internet>ibs01:8443/tcp"),
        "{flows:?}"
    );
    for beside in ["watchlist", "own-flow", "revocation-list", "sweep"] {
        assert_eq!(json(&[beside])["rule"], beside);
    }
}

#[test]
fn what_is_unconfirmed_is_never_cited() {
    let catalogue = fs::read_to_string("catalogue/configmgr-2007.yaml").expect("the catalogue");
    let rules = catalogue.split("\n  - id: ").skip(1);
    let unconfirmed = rules
        .filter(|rule| rule.contains("confidence: unconfirmed\n    why:"))
        .filter_map(|rule| rule.lines().next());
    let id = unconfirmed.last().expect("an unconfirmed rule");
    let rule = json(&[id]);
    assert_eq!(rule["source"], Value::Null, "{id}");
    let text = said(&[id]);
    assert!(
        text.contains("confirmed by no document") && !text.contains("source:"),
        "{text}"
    );
}

#[test]
fn a_flow_is_explained_from_need_to_client_logs() {
    let flow = json(&["internet>ibs01:8443/tcp"]);
    assert_eq!(flow["kind"], "flow");
    assert_eq!(flow["need"], "required");
    assert_eq!(flow["crosses"], serde_json::json!(["front-end"]));
    assert_eq!(flow["declared"]["file"], "probes.yaml");
    assert_eq!(flow["reasons"].as_array().map(Vec::len), Some(2));
    assert_eq!(flow["topics"], serde_json::json!(["client-ports"]));
    assert_eq!(flow["seen"], serde_json::json!([]));
    assert!(
        flow["tried"]
            .as_str()
            .is_some_and(|it| it.contains("TLS handshake"))
    );
    assert!(
        flow["proof"]
            .as_str()
            .is_some_and(|it| it.contains("certificate"))
    );
    let logs = flow["client_logs"].as_array().expect("logs");
    let dropped = logs
        .iter()
        .find(|it| it["when"] == "when packets are dropped");
    let words = dropped.expect("what silence is to a client")["words"].to_string();
    assert!(words.contains("0x80072EE2"), "{words}");

    let closed = json(&["internet>ibs01:3389/tcp"]);
    assert_eq!(closed["need"], "forbidden");
    assert_eq!(closed["client_logs"], serde_json::json!([]));
    assert!(
        closed["proof"]
            .as_str()
            .is_some_and(|it| it.contains("control"))
    );
    let range = said(&["cm01>ibs01:49152-65535/tcp"]);
    assert!(range.contains("endpoint mapper names"), "{range}");
    let list = said(&["internet>pki01:80/tcp"]);
    assert!(
        list.contains("CERT_REV_FAILED") && list.contains("the list itself"),
        "{list}"
    );
}

#[test]
fn every_flow_of_the_example_can_be_explained() {
    let (_, out, _) = portproof(&["plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&out).expect("JSON");
    let flows = plan["flows"].as_array().expect("flows");
    let by_protocol: std::collections::BTreeMap<String, &str> = flows
        .iter()
        .filter_map(|flow| {
            let kind = format!(
                "{} {} {}",
                flow["protocol"], flow["transport"], flow["need"]
            );
            Some((kind, flow["id"].as_str()?))
        })
        .collect();
    assert!(by_protocol.len() > 6, "{by_protocol:?}");
    for id in by_protocol.values() {
        assert_eq!(json(&[id])["id"], *id);
    }
}

#[test]
fn with_a_report_it_says_what_was_seen_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = lab_report(folder.path());
    let flow = json(&["internet>ibs01:8443/tcp", "--report", &report]);
    let seen = &flow["seen"][0];
    assert_eq!(seen["verdict"], "blocked");
    assert_eq!(seen["cause"], "no-answer");
    assert!(
        seen["evidence"]
            .as_str()
            .is_some_and(|it| it.contains("silence after"))
    );
    let advice = seen["advice"].as_str().expect("advice");
    assert!(advice.contains("front-end"), "{advice}");
    assert!(
        advice.ends_with("portproof explain client-ports."),
        "{advice}"
    );
    let text = said(&["internet>ibs01:8531/tcp", "--report", &report]);
    assert!(
        text.contains("DOWN: nobody-listens, state closed, level error"),
        "{text}"
    );
    assert!(
        text.contains("portproof explain software-update-ports"),
        "{text}"
    );
    let cause = json(&["no-answer", "--report", &report]);
    assert_eq!(
        cause["seen_at"],
        serde_json::json!(["internet>ibs01:8443/tcp"])
    );
    let elsewhere = json(&["cm01>ibs01:445/tcp", "--report", &report]);
    assert_eq!(
        elsewhere["seen"],
        serde_json::json!([]),
        "it starts in another zone"
    );
}

#[test]
fn whoever_the_labs_report_calls_is_called_by_its_causes() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = fs::read_to_string(lab_report(folder.path())).expect("the report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let mut called = 0;
    for flow in report["flows"].as_array().expect("flows") {
        if let (Some(cause), Some(owner)) = (flow["cause"].as_str(), flow["owner"].as_str()) {
            let owners = json(&[cause])["owners"].clone();
            assert!(
                owners
                    .as_array()
                    .is_some_and(|all| all.iter().any(|it| it == owner)),
                "{cause} {owner}"
            );
            called += 1;
        }
    }
    assert_eq!(called, 5);
}

#[test]
fn what_only_a_report_has_is_explained_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = lab_report(folder.path());
    let text = fs::read_to_string(&file).expect("the report");
    let changed = text.replace("internet>ibs01:3389/tcp", "internet>ibs01:sweep/tcp");
    assert_ne!(text, changed);
    fs::write(&file, changed).expect("written");
    let flow = json(&["internet>ibs01:sweep/tcp", "--report", &file]);
    assert_eq!(flow["seen"][0]["cause"], "open");
    let err = refused(&["internet>ibs01:sweep/tcp"]);
    assert!(
        err.contains("what only a report has needs --report"),
        "{err}"
    );
}

#[test]
fn a_report_of_another_site_is_refused_and_one_of_an_older_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = lab_report(folder.path());
    let file = folder.path().join("site.yaml");
    let text = fs::read_to_string("probes.yaml").expect("the example");
    let file_with = |text: String| {
        fs::write(&file, text).expect("written");
        file.display().to_string()
    };
    let newer = file_with(format!("{text}\n# changed\n"));
    let (status, _, err) = portproof(&[
        "explain",
        "internet>ibs01:80/tcp",
        &newer,
        "--report",
        &report,
    ]);
    assert_eq!(status, 0, "{err}");
    assert!(
        err.contains("note: the report is of another version of"),
        "{err}"
    );
    let other = file_with(text.replace("code: PRI", "code: SEC"));
    let err = refused(&["internet>ibs01:80/tcp", &other, "--report", &report]);
    assert!(err.contains("the report is of site PRI, and"), "{err}");
}

#[test]
fn nothing_of_a_hostile_report_or_word_reaches_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = lab_report(folder.path());
    let mut report: Value =
        serde_json::from_str(&fs::read_to_string(&file).expect("the report")).expect("JSON");
    for flow in report["flows"].as_array_mut().expect("flows") {
        flow["advice"] = "\u{1b}]0;owned\u{7}".into();
        flow["evidence"]["earlier"] = json!(["\u{9b}31m\u{202e}"]);
    }
    fs::write(&file, report.to_string()).expect("written");
    let text = explained(&["internet>ibs01:8531/tcp", "--report", &file]);
    assert!(text.contains("\\u{1b}]0;owned\\u{7}"), "{text}");
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text:?}"
    );
    report["flows"][0]["cause"] = "\u{1b}[2J".into();
    fs::write(&file, report.to_string()).expect("written");
    for arguments in [
        &["no\u{1b}[31m-answer"][..],
        &["internet>\u{1b}[31mibs01:80/tcp"],
        &["no-answer", "--report", &file],
    ] {
        let err = refused(arguments);
        assert!(err.chars().all(|c| c == '\n' || !c.is_control()), "{err:?}");
    }
}

#[test]
fn what_cannot_be_explained_leads_to_what_can() {
    let err = refused(&["no-anwser"]);
    assert!(
        err.contains("no topic, cause, rule, verdict") && err.contains("`no-answer`"),
        "{err}"
    );
    for word in ["443", "ibs01:443", "zzzzzzzz"] {
        let err = refused(&[word]);
        assert!(!err.contains("did you mean"), "nothing is near: {err}");
        assert!(
            err.contains("'internet>ibs01:443/tcp'"),
            "an example: {err}"
        );
    }
    let err = refused(&["internet>ibs01:444/tcp"]);
    assert!(err.contains("no flow of probes.yaml"), "{err}");
    assert!(err.contains("`internet>ibs01:443/tcp`"), "{err}");
    assert!(refused(&[""]).contains("no topic, cause, rule, verdict"));
    assert!(refused(&["internet>ibs01:80/tcp", "nowhere.yaml"]).contains("nowhere.yaml"));
    assert!(refused(&["no-answer", "--report", "nowhere.json"]).contains("nowhere.json"));
    assert!(refused(&["no-answer", "--report", "probes.yaml"]).contains("is not JSON"));
    assert!(refused(&["--report", "report.json"]).contains("required"));
    let bad = "tests/sites/bad/several-at-once.yaml";
    assert!(refused(&["internet>ibs01:80/tcp", bad]).contains("error[unknown-zone]"));
    assert!(refused(&["client-mp-https", bad]).contains("error[unknown-zone]"));
    assert!(refused(&["client-ports", "--catalogue", "probes.yaml"]).contains("error["));
}

#[test]
fn alone_it_lists_what_there_is() {
    let text = said(&[]);
    for says in [
        "client-ports: ",
        "software-update-ports: ",
        "no-answer: ",
        "portproof plan",
    ] {
        assert!(text.contains(says), "{says}");
    }
    let index = json(&[]);
    assert_eq!(index["kind"], "index");
    assert!(
        index["rules"]
            .as_array()
            .is_some_and(|rules| rules.len() > 100)
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
        .arg("explain")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn findings_about_ports_lead_to_the_console() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    let text = fs::read_to_string("probes.yaml").expect("the example");
    let text = text
        .replace("https: [443, 8443] ", "https: [443, 8443, 70000] ")
        .replace("{ http: 8530, https: 8531 }", "{ http: 8530, https: 0 }");
    fs::write(&file, text).expect("written");
    let file = file.display().to_string();
    let (status, _, err) = portproof(&["plan", &file]);
    assert_eq!(status, 2);
    for says in [
        "portproof explain client-ports",
        "portproof explain software-update-ports",
    ] {
        assert!(err.contains(says), "{err}");
    }
}
