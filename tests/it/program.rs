//! The program as a user runs it: the lab, exit statuses, schemas, the README's commands.

use std::collections::BTreeMap;
use std::fs;

use crate::support::program::run as portproof;
use crate::support::schemas;
use serde_json::Value;

fn valid(schema: &str, document: &str) -> Value {
    let document: Value = serde_json::from_str(document).expect("JSON");
    schemas::assert_valid(schema, &document);
    document
}

#[test]
fn the_lab_names_each_planted_fault_and_nothing_else() {
    let (status, out, err) = portproof(&["check", "--lab", "--format", "json"]);
    assert_eq!(status, 1, "{err}");
    let report = valid("report", &out);
    let faults: BTreeMap<String, String> = report["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .filter(|flow| flow["verdict"] != "ok")
        .map(|flow| {
            (
                flow["id"].as_str().unwrap_or_default().to_string(),
                format!(
                    "{} {}",
                    flow["verdict"].as_str().unwrap_or_default(),
                    flow["cause"].as_str().unwrap_or_default()
                ),
            )
        })
        .collect();
    let expected = [
        ("internet>ibs01:3389/tcp", "exposed open"),
        ("internet>ibs01:80/tcp", "wrong not-http"),
        ("internet>ibs01:8443/tcp", "blocked no-answer"),
        ("internet>ibs01:8531/tcp", "down nobody-listens"),
        ("internet>ibs02:443/tcp", "wrong certificate-name"),
    ];
    assert_eq!(
        faults,
        expected
            .map(|(id, verdict)| (id.to_string(), verdict.to_string()))
            .into()
    );
}

#[test]
fn a_healthy_lab_has_nothing_to_report() {
    let (status, out, err) = portproof(&["check", "--lab", "--healthy"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.contains("Nothing has to be done."));
    assert!(out.contains(" 0 blocked, 0 down, 0 wrong, 0 exposed, 0 unknown"));
}

/// A site of the current branch whose servers have names alone, pins, and a sweep.
const OWN: &str = r#"
site: { code: PRI, product: configmgr-current-branch, version: 2603, crl_urls: ["http://pki.example.com/ca.crl"] }
zones: { internet: { networks: ["0.0.0.0/0"] }, perimeter: { networks: [192.0.2.0/24] }, intranet: { networks: [10.0.0.0/8] } }
firewalls: { front-end: { between: [internet, perimeter] }, back-end: { between: [perimeter, intranet] } }
clients: [internet, intranet]
probing: { sweep: "1-1000" }
systems:
  cm01: { zone: intranet, addresses: { default: 10.0.0.5 }, roles: [site-server] }
  mp01: { zone: intranet, addresses: { default: 10.0.0.7 }, roles: [management-point, distribution-point], serves: [intranet], client_connections: enhanced-http }
  dc01: { zone: intranet, addresses: { default: 10.0.0.8 }, roles: [domain-controller] }
  ibs01:
    zone: perimeter
    names: { default: ibs01.example.com }
    roles: [management-point, software-update-point, fallback-status-point, crl-distribution-point]
    serves: [internet]
    client_connections: https
    pin: "PIN"
"#;

/// A run on the lab of this site: its status, and the flows by verdict and cause.
fn own_lab(more: &[&str]) -> (i32, BTreeMap<String, Vec<String>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("own.yaml");
    fs::write(&file, OWN.replace("PIN", &"ab".repeat(32))).expect("written");
    let file = file.display().to_string();
    let arguments = [&["check", &file, "--lab", "--format", "json"], more].concat();
    let (status, out, err) = portproof(&arguments);
    assert!(out.starts_with('{'), "{err}");
    let report = valid("report", &out);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for flow in report["flows"].as_array().expect("flows") {
        let word = |key: &str| flow[key].as_str().unwrap_or_default().to_string();
        let seen = format!("{} {}", word("verdict"), word("cause"));
        found.entry(seen).or_default().push(word("id"));
    }
    (status, found)
}

#[test]
fn the_lab_of_a_site_behind_a_gateway_stands_where_its_systems_serve_clients() {
    let site = "examples/cloud-management-gateway/probes.yaml";
    let (status, out, err) = portproof(&["check", site, "--lab", "--healthy"]);
    assert!(err.contains("vantage: zone intranet (the lab)"), "{err}");
    assert_eq!(status, 0, "{out}");
    assert!(out.contains("intranet>dp01:80/tcp"), "{out}");
}

#[test]
fn the_lab_of_a_users_own_file_is_healthy_from_each_zone_of_clients() {
    let (status, found) = own_lab(&["--healthy"]);
    assert_eq!(status, 0, "{found:#?}");
    assert!(found["ok answered"].contains(&"internet>ibs01:443/tcp".to_string()));
    let (status, found) = own_lab(&["--healthy", "--from", "intranet"]);
    assert!(found["ok answered"].contains(&"intranet>mp01:80/tcp".to_string()));
    // Nobody stands in for a domain controller.
    let untried = &found["unknown not-tried"];
    assert!(untried.contains(&"intranet>dc01:3268/tcp".to_string()));
    // Of a server in the perimeter nothing answers here: its silence is no proof, in a lab as elsewhere.
    assert_eq!(status, 3, "{found:#?}");
    let mut others = found.keys().filter(|it| !it.starts_with("ok "));
    assert!(
        others.all(|it| it == "unknown not-tried" || it == "unknown no-control"),
        "{found:#?}"
    );
}

#[test]
fn the_lab_of_a_users_own_file_has_planted_faults_too() {
    let (status, found) = own_lab(&[]);
    assert_eq!(status, 1, "{found:#?}");
    assert_eq!(found["exposed open"].len(), 1, "{found:#?}");
}

#[test]
fn the_plan_of_the_example_lists_the_seeds_flows_with_why_and_source() {
    let (status, out, _) = portproof(&["plan", "probes.yaml", "--format", "json"]);
    assert_eq!(status, 0);
    let plan = valid("plan", &out);
    let flows = plan["flows"].as_array().expect("flows");
    for id in [
        "internet>ibs01:443/tcp",
        "internet>ibs01:80/tcp",
        "internet>ibs01:8531/tcp",
        "cm01>ibs01:135/tcp",
        "cm01>ibs01:445/tcp",
        "ibs01>cm01:8531/tcp",
        "cm01>sqlrep01:1433/tcp",
        "internet>pki01:80/tcp",
    ] {
        let flow = flows
            .iter()
            .find(|flow| flow["id"] == id)
            .unwrap_or_else(|| panic!("{id}"));
        assert_eq!(flow["need"], "required", "{id}");
        assert!(
            flow["why"].as_str().is_some_and(|why| why.len() > 20),
            "{id}"
        );
        assert!(
            flow["source"]
                .as_str()
                .is_some_and(|source| !source.is_empty()),
            "{id}"
        );
    }
    let ids: Vec<&str> = flows
        .iter()
        .filter_map(|flow| flow["id"].as_str())
        .collect();
    assert!(ids.is_sorted(), "flows are ordered by id");
}

#[test]
fn unconfirmed_rules_are_optional_and_cite_nothing() {
    let (_, out, _) = portproof(&["plan", "probes.yaml", "--format", "json"]);
    let plan: Value = serde_json::from_str(&out).expect("JSON");
    for flow in plan["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .filter(|flow| flow["confidence"] == "unconfirmed")
    {
        assert_ne!(flow["need"], "required");
        assert_eq!(flow["source"], Value::Null);
    }
}

#[test]
fn the_example_file_is_valid_against_the_published_schema() {
    let text = fs::read_to_string("probes.yaml").expect("the example");
    let document: Value = serde_yaml::from_str(&text).expect("YAML");
    valid("config", &document.to_string());
}

#[test]
fn every_good_site_and_its_plan_are_valid_against_the_published_schemas() {
    let mut tried = 0;
    for file in fs::read_dir("tests/sites/good").expect("the folder") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a site");
        let document: Value = serde_yaml::from_str(&text).expect("YAML");
        valid("config", &document.to_string());
        let path = path.display().to_string();
        let product = text
            .lines()
            .find_map(|line| line.strip_prefix("# product: "));
        let catalogue = product.map(|name| format!("tests/sites/products/{name}.yaml"));
        let mut arguments = vec!["plan", &path, "--format", "json"];
        arguments.extend(catalogue.iter().flat_map(|file| ["--catalogue", file]));
        let (status, plan, err) = portproof(&arguments);
        assert_eq!(status, 0, "{path}: {err}");
        valid("plan", &plan);
        tried += 1;
    }
    assert!(tried > 5);
}

#[test]
fn a_wrong_file_is_refused_with_every_finding_and_status_2() {
    let (status, out, err) = portproof(&[
        "check",
        "tests/sites/bad/several-at-once.yaml",
        "--from",
        "internet",
    ]);
    assert_eq!((status, out.as_str()), (2, ""));
    for first_line in [
        "several-at-once.yaml:10:11: error[unknown-zone]",
        "several-at-once.yaml:15:1: error[unknown-key]",
        "several-at-once.yaml:16:21: error[bad-duration]",
    ] {
        assert!(err.contains(first_line), "{err}");
    }
    assert!(err.contains("did you mean `perimeter`?"), "{err}");
    assert!(!err.contains("about to try"), "nothing may be sent");
}

#[test]
fn a_missing_file_and_a_wrong_zone_say_what_would_be_right() {
    let (status, _, err) = portproof(&["check", "nowhere.yaml"]);
    assert_eq!(status, 2);
    assert!(err.contains("reading the site file nowhere.yaml"), "{err}");
    assert!(err.contains("portproof init makes one"), "{err}");
    let (status, _, err) = portproof(&["check", "--from", "perimetr"]);
    assert_eq!(status, 2);
    assert!(err.contains("did you mean `perimeter`?"), "{err}");
    let (status, _, err) = portproof(&["check", "--from", "internet", "--as", "cm01"]);
    assert_eq!(status, 2);
    assert!(
        err.contains("is in zone `intranet`, not in `internet`"),
        "{err}"
    );
}

#[test]
fn a_closed_pipe_is_no_failure_and_files_carry_no_colours() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.txt");
    let (status, out, _) = portproof(&["check", "--lab", "--output", &file.display().to_string()]);
    assert_eq!((status, out.as_str()), (1, ""));
    let text = fs::read_to_string(file).expect("the report");
    assert!(text.contains("Who has to act: firewall team: 2 rules") && !text.contains('\u{1b}'));
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    assert!(portproof(&["completions", "bash"]).1.contains("portproof"));
    assert!(portproof(&["man"]).1.contains(".TH portproof"));
}

/// Every `$ portproof ...` and `$ cargo run ... -- ...` line of the README, run with the program under test.
#[test]
fn the_readmes_commands_work() {
    let readme = fs::read_to_string("README.md").expect("the README");
    let mut ran = 0;
    for line in readme.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let arguments = match line.strip_prefix("cargo run --locked -- ") {
            Some(rest) => rest,
            None => match line.strip_prefix("portproof ") {
                Some(rest) => rest,
                None => continue,
            },
        };
        let words: Vec<&str> = arguments
            .split(' ')
            .map(|word| word.trim_matches('\''))
            .collect();
        let (status, out, err) = portproof(&words);
        let expected = i32::from(words == ["check", "--lab"]);
        assert_eq!(status, expected, "{line}: {err}");
        assert!(!out.is_empty(), "{line}");
        ran += 1;
    }
    assert!(ran >= 5, "only {ran} commands were found");
}

/// The picture may leave lines out, and shortens one with `...`; the first line has a host and a time of its own.
#[test]
fn the_readmes_report_is_the_labs_within_its_first_20_lines() {
    let readme = fs::read_to_string("README.md").expect("the README");
    let (_, out, _) = portproof(&["check", "--lab"]);
    let picture: Vec<&str> = readme
        .lines()
        .take(20)
        .skip_while(|line| *line != "```text")
        .skip(1)
        .take_while(|line| *line != "```")
        .collect();
    assert!(picture.len() > 8, "{picture:?}");
    let mut lines = out.lines();
    for shown in &picture {
        let start = shown
            .strip_suffix("...")
            .or(shown.split_once(" (host ").map(|(start, _)| start))
            .unwrap_or(shown);
        let whole = start.len() == shown.len();
        let is_it = |line: &str| line == start || (!whole && line.starts_with(start));
        assert!(
            lines.any(is_it),
            "not in the lab's report, or out of order: {shown}"
        );
    }
}

#[test]
fn files_for_agents_are_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let fleet = folder.path().join("fleet").display().to_string();
    let write = |agents: &[&str]| {
        let words = [
            "agent",
            "--write-server-config",
            &fleet,
            "--server",
            "nats.example",
        ];
        portproof(&[&words, agents].concat())
    };
    for (agents, says) in [
        (["--agent=a.b=internet", "--agent=b=dmz"], "write NAME=ZONE"),
        (
            ["--agent=a=internet", "--agent=a=dmz"],
            "two agents are called `a`",
        ),
    ] {
        let (status, _, err) = write(&agents);
        assert!(status == 2 && err.contains(says), "{err}");
        assert!(!folder.path().join("fleet").exists(), "{says}");
    }
    let (status, _, err) = write(&["--agent=a=internet", "--agent=b=dmz"]);
    assert_eq!(status, 0, "{err}");
    assert!(folder.path().join("fleet/agent-b/agent.yaml").exists());
}
