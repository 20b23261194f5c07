//! The plan as rules of firewalls: golden files of an example site. The tools they are for read them where these can be
//! had. Else parsers do that others wrote (a grammar of PowerShell; FWShift for Cisco ASA and PAN-OS).
//!
//! `PORTPROOF_GOLDEN=write cargo test --test it golden` writes the golden files in `tests/it/rules/` anew; look
//! at what `git diff` then shows. Needs root, `nft`, `iptables-restore` and `target/fwshift`, as `scripts/test` makes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use portproof::product::{CONFIGMGR_2007, Catalogue};
use portproof::rules::{self, Choice, Dialect, Heading};
use portproof::{config, plan, site::Site};
use proptest::prelude::*;

use crate::support::program::run_in;
use serde_json::{Value, json};

const GOLDEN: &str = "tests/it/rules";
const DIALECTS: [&str; 6] = ["nftables", "iptables", "windows", "netsh", "asa", "panos"];

/// Runs `portproof plan site.yaml` in the folder of the golden files.
fn plan_of_example(arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["plan", "site.yaml"])
        .args(arguments)
        .current_dir(GOLDEN)
        .output()
        .expect("it runs")
}

fn text_of(output: Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The rules of a dialect, by the name of their file.
fn files(dialect: &str, more: &[&str]) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().display().to_string();
    let mut arguments = vec!["--format", dialect, "--output", &output];
    arguments.extend(more);
    text_of(plan_of_example(&arguments));
    let entries = fs::read_dir(folder.path()).expect("the folder");
    entries
        .map(|entry| entry.expect("an entry"))
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = fs::read_to_string(entry.path()).expect("text");
            (name, text)
        })
        .collect()
}

fn compare(name: &str, text: &str) {
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let path = Path::new(GOLDEN).join(name);
    if std::env::var_os("PORTPROOF_GOLDEN").is_some_and(|what| what == "write") {
        fs::write(&path, &text).expect("written");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == golden,
        "{} is another; the head of this file says how to write it anew:\n{text}",
        path.display()
    );
}

#[test]
fn golden_files_of_every_dialect() {
    for dialect in DIALECTS {
        for (name, text) in files(dialect, &[]) {
            compare(&name, &text);
        }
    }
}

#[test]
fn golden_tables() {
    compare(
        "rules.csv",
        &text_of(plan_of_example(&["--format", "csv", "--optional"])),
    );
    compare(
        "rules.md",
        &text_of(plan_of_example(&["--format", "markdown"])),
    );
}

/// A report in which the flows given are blocked, with its site file's hash.
fn report(folder: &Path, blocked: &[(&str, &str, Value)], sha256: &str) -> String {
    let plan = text_of(plan_of_example(&["--format", "json"]));
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    let mut flows = Vec::new();
    for flow in plan["flows"].as_array().expect("flows") {
        let mut flow = flow.clone();
        let found = blocked.iter().find(|(id, ..)| flow["id"] == *id);
        let (verdict, cause, evidence) = match found {
            Some((_, cause, evidence)) => ("blocked", *cause, evidence.clone()),
            None => (
                "ok",
                "answered",
                json!({"state": "filtered", "depth": "tcp", "control": null, "attempts": []}),
            ),
        };
        let seen = json!({"state": "filtered", "verdict": verdict, "cause": cause, "level": "error", "owner": "firewall",
            "evidence": evidence, "advice": ""});
        let members = flow.as_object_mut().expect("an object");
        members.extend(seen.as_object().expect("an object").clone());
        flows.push(flow);
    }
    let report = json!({"schema": "portproof.report/2", "tool": plan["tool"], "site": plan["site"],
        "vantages": [{"zone": "internet", "system": null, "host": "probe7\nrule", "addresses": [], "started": "2026-11-24T06:00:00Z",
            "finished": "2026-11-24T06:00:04Z", "config_sha256": sha256}],
        "flows": flows.clone(), "flows_elsewhere": 0, "sweeps": [], "notes": [],
        "summary": {"ok": flows.len() - blocked.len(), "blocked": blocked.len(), "down": 0, "wrong": 0, "exposed": 0, "unknown": 0}});
    let path = folder.join("report.json");
    fs::write(&path, report.to_string()).expect("written");
    path.display().to_string()
}

fn silence(names: Value) -> Value {
    json!({"state": "filtered", "depth": null, "control": null, "attempts": [], "names": names})
}

fn dropped_by(firewalls: &[&str]) -> Value {
    silence(json!({"suspects": {"firewalls": firewalls, "host": false, "behind_all": false}}))
}

#[test]
fn only_what_a_report_shows_as_blocked_is_written_with_what_was_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let hash = text_of(plan_of_example(&["--format", "markdown"]));
    let hash = hash.split("sha256 ").nth(1).expect("a hash")[..64].to_string();
    let blocked = [
        ("internet>nlb:443/tcp", "host-silent", silence(json!({}))),
        ("cm01>ibs01:445/tcp", "no-answer", silence(json!({}))),
        ("cm01>ibs02:445/tcp", "no-answer", silence(json!({}))),
        ("internet>nlb:8443/tcp", "no-answer", silence(json!({}))),
    ];
    let report = report(folder.path(), &blocked, &hash);
    let text = fs::read_to_string(&report).expect("the report");
    let mut text: Value =
        serde_json::from_str(&text.replace("cm01>ibs02:445", "cm01>gone:445")).expect("JSON");
    for flow in text["flows"]
        .as_array_mut()
        .expect("flows")
        .iter_mut()
        .filter(|flow| flow["id"] == "internet>nlb:8443/tcp")
    {
        flow["accepted"] = json!({"until": "2027-03-31", "why": "change 4711", "days_left": 99});
    }
    text["summary"]["blocked"] = json!(3);
    text["summary"]["accepted"] = json!(1);
    fs::write(&report, text.to_string()).expect("written");
    let output = plan_of_example(&[
        "--format",
        "nftables",
        "--firewall",
        "front-end",
        "--missing",
        &report,
    ]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "warning: blocked in the report, and not required by site.yaml: cm01>gone:445/tcp\n"
    );
    let text = text_of(output);
    let accepted: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(" accept comment "))
        .collect();
    assert_eq!(accepted.len(), 1, "{text}");
    assert!(
        accepted[0].contains("ip daddr 192.0.2.30 tcp dport 443 accept"),
        "{text}"
    );
    assert!(
        text.contains("# internet>nlb:443/tcp (required) [blocked, host-silent]: "),
        "{text}"
    );
    assert!(
        text.contains(
            "# The report was made from internet (host probe7 rule, 2026-11-24T06:00:00Z, "
        ),
        "{text}"
    );
    assert!(!text.contains("WARNING"), "{text}");
}

#[test]
fn a_firewall_that_let_a_flow_through_gets_no_rule_and_another_site_file_is_warned_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = "internet>cm01:7443/tcp";
    let of = |dropped: Value| {
        let site = fs::read_to_string(Path::new(GOLDEN).join("site.yaml")).expect("the site");
        let site = site.replace("port: 7443, need: optional", "port: 7443, need: required");
        let file = folder.path().join("site.yaml");
        fs::write(&file, site).expect("written");
        let report = report(folder.path(), &[(id, "no-answer", dropped)], "0");
        let text = fs::read_to_string(&report).expect("the report");
        fs::write(
            &report,
            text.replace("\"need\":\"optional\"", "\"need\":\"required\""),
        )
        .expect("written");
        let output = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
            .args([
                "plan",
                &file.display().to_string(),
                "--format",
                "csv",
                "--missing",
                &report,
            ])
            .output()
            .expect("it runs");
        let warned = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(warned.contains("made with another site file"), "{warned}");
        let text = text_of(output);
        let lines = text.lines().skip(1);
        lines
            .map(|line| line.split(',').next().unwrap_or_default().to_string())
            .collect::<Vec<_>>()
    };
    let (front, back) = ("front-end".to_string(), "back-end".to_string());
    // Each family of the destination has a line.
    let both = [&front, &back, &front, &back].map(String::clone);
    let mut nowhere = of(silence(json!({})));
    nowhere.sort();
    let mut all = both.to_vec();
    all.sort();
    assert_eq!(nowhere, all, "nothing says where it stopped");
    let mut first = of(dropped_by(&["front-end"]));
    first.sort();
    assert_eq!(first, all, "what is behind the first was never reached");
    assert_eq!(
        of(dropped_by(&["back-end"])),
        [back.clone(), back],
        "the first let it through"
    );
}

#[test]
fn a_file_is_for_one_device() {
    let output = plan_of_example(&["--format", "asa"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("--firewall front-end|back-end"), "{said}");
    let output = plan_of_example(&["--format", "asa", "--firewall", "frontend"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("did you mean `front-end`?"), "{said}");
    let output = plan_of_example(&["--optional"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--optional is for rules"), "{said}");
}

/// Runs a shell script in a network namespace of its own, in a folder that has the files given.
fn alone(files: &BTreeMap<String, String>, script: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let output = Command::new("unshare")
        .args(["-n", "sh", "-euc", script])
        .current_dir(folder.path())
        .output()
        .expect("util-linux is needed: scripts/test installs it");
    assert!(
        output.status.success(),
        "{} (this test needs root)",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// How many permits by addresses a firewall has, by the lines of the table.
fn permits(more: &[&str]) -> BTreeMap<String, usize> {
    let mut arguments = vec!["--format", "csv"];
    arguments.extend(more);
    let table = text_of(plan_of_example(&arguments));
    let mut counts = BTreeMap::new();
    for line in table
        .lines()
        .skip(1)
        .filter(|line| !line.contains("no rule: ") && !line.contains(",by name: "))
    {
        let device = line.split(',').next().unwrap_or_default();
        *counts.entry(device.to_string()).or_default() += 1;
    }
    counts
}

#[test]
fn nftables_takes_every_file_and_twice_is_once() {
    for more in [&[][..], &["--optional"]] {
        let files = files("nftables", more);
        let counts = permits(more);
        assert_eq!(files.len(), 2);
        for name in files.keys() {
            let script = format!(
                "nft -c -f {name}; nft -f {name}; nft list ruleset > once; nft -f {name}; nft list \
                 ruleset > twice; cmp once twice; cat twice"
            );
            let rules = alone(&files, &script);
            let accepted = rules.matches(" accept comment ").count();
            assert_eq!(accepted, counts[name.trim_end_matches(".nft")], "{rules}");
            assert_eq!(rules.matches("policy drop").count(), 1, "{rules}");
        }
    }
}

/// A site of the current branch, one firewall before the Internet: what leads to the cloud has names alone.
const IN_THE_CLOUD: &str = r#"
site: { code: PRI, product: configmgr-current-branch, version: 2603, crl_check: false, cmg: { name: cmg.example.net, instances: 2 } }
zones: { internet: { networks: ["0.0.0.0/0", "::/0"] }, intranet: { networks: [10.0.0.0/8, "2001:db8:3::/64"] } }
firewalls: { edge: { between: [internet, intranet] } }
clients: [intranet]
systems:
  cm01: { zone: intranet, addresses: { default: 10.0.0.5 }, roles: [site-server, service-connection-point, cmg-connection-point] }
"#;

/// Its rules in a dialect, with what was said of them.
fn to_the_cloud(format: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("site.yaml"), IN_THE_CLOUD).expect("written");
    let arguments = ["plan", "site.yaml", "--format", format, "--optional"];
    let (status, text, said) = run_in(folder.path(), &arguments);
    assert_eq!(status, 0, "{said}");
    (text, said)
}

#[test]
fn a_service_is_permitted_by_its_name_where_the_device_looks_names_up() {
    let (asa, said) = to_the_cloud("asa");
    let object = "portproof.name.login.microsoftonline.com-v4";
    for line in [
        format!("object network {object}\n fqdn v4 login.microsoftonline.com\n"),
        format!("extended permit tcp object-group portproof-cm01-v4 object {object} eq 443\n"),
        "dns domain-lookup and a name server".to_string(),
    ] {
        assert!(asa.contains(&line), "{line}\n{asa}");
    }
    // No name stands for many, and no address of the other family is asked for.
    for absent in ["fqdn v4 *", "fqdn v6", "no address is known"] {
        assert!(!asa.contains(absent), "{asa}");
    }
    let many = "*.manage.microsoft.com stands for many names, whose addresses change";
    assert!(asa.contains(&format!("{many}; let the firewall")), "{asa}");
    assert!(said.contains(many), "{said}");
    assert!(!said.contains("login.microsoftonline.com"), "{said}");
    let (panos, _) = to_the_cloud("panos");
    for line in [
        format!("set address {object} fqdn login.microsoftonline.com\n"),
        format!("source portproof-cm01-v4 destination {object} application any"),
    ] {
        assert!(panos.contains(&line), "{line}\n{panos}");
    }
    let (table, _) = to_the_cloud("csv");
    assert!(table.contains(",by name: login.microsoftonline.com,tcp,443,"));
}

#[test]
fn rules_of_addresses_say_that_a_service_has_names_alone() {
    let (nftables, said) = to_the_cloud("nftables");
    let says = "login.microsoftonline.com has addresses that change; let the firewall permit it";
    assert!(nftables.contains(says) && said.contains(says), "{said}");
    assert!(!nftables.contains("daddr"), "{nftables}");
}

/// The names to which an independent parser finds rules, one for each rule.
fn names_found(format: &str, file: &str) -> Vec<String> {
    let read = text_of(shift(&[
        "convert", "--from", format, "--to", "json", "-q", file,
    ]));
    let read: Value = serde_json::from_str(&read).expect("JSON");
    let rules = read["rules"].as_array().expect("rules").iter();
    let destinations = rules.flat_map(|rule| rule["destinations"].as_array().expect("a list"));
    let host = |name: &Value| {
        let object = &read["addresses"][name.as_str()?];
        (object["kind"] == "fqdn").then(|| object["value"].as_str().map(str::to_string))?
    };
    let mut all: Vec<String> = destinations.filter_map(host).collect();
    all.sort_unstable();
    all
}

#[test]
fn independent_parsers_find_a_rule_to_each_name() {
    let (table, _) = to_the_cloud("csv");
    let rows = table
        .lines()
        .filter_map(|line| line.split(",by name: ").nth(1));
    let mut names: Vec<&str> = rows.filter_map(|row| row.split(',').next()).collect();
    names.sort_unstable();
    assert!(names.len() > 5, "{table}");
    let folder = tempfile::tempdir().expect("a folder");
    let interfaces = [
        ("internet", "198.51.100.1 255.255.255.0", "2001:db8:1::1/64"),
        ("intranet", "10.0.0.1 255.0.0.0", "2001:db8:3::1/64"),
    ];
    for format in ["asa", "panos"] {
        let text = match (format, to_the_cloud(format).0) {
            ("asa", rules) => on_an_asa(&rules, &interfaces),
            (_, rules) => rules,
        };
        let file = folder.path().join(format);
        fs::write(&file, text).expect("written");
        assert_eq!(
            names_found(format, &file.display().to_string()),
            names,
            "{format}"
        );
    }
}

/// Rules without those by name, which no parser can compare.
fn of_addresses(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.contains("portproof.name.") && !line.starts_with(" fqdn "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// A file without its last rule, and a file that adds the rules of the flows given, as `--missing` writes it.
fn without_one_and_added(dialect: &str) -> (BTreeMap<String, String>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let hash = text_of(plan_of_example(&["--format", "markdown"]));
    let hash = hash.split("sha256 ").nth(1).expect("a hash")[..64].to_string();
    let id = "internet>nlb:443/tcp";
    let report = report(
        folder.path(),
        &[(id, "no-answer", silence(json!({})))],
        &hash,
    );
    let arguments = ["--format", dialect, "--firewall", "front-end"];
    let whole = text_of(plan_of_example(&arguments));
    let added = text_of(plan_of_example(
        &[&arguments[..], &["--missing", &report]].concat(),
    ));
    let of_it = |line: &&str| line.contains(id) && !line.trim_start().starts_with('#');
    let lacking: Vec<&str> = whole.lines().filter(|line| !of_it(line)).collect();
    assert!(lacking.len() < whole.lines().count(), "{whole}");
    let files = [
        ("whole".to_string(), whole.clone()),
        ("lacking".to_string(), lacking.join("\n") + "\n"),
        ("added".to_string(), added.clone()),
    ];
    (files.into(), added)
}

#[test]
fn what_is_missing_is_added_and_nothing_is_removed() {
    let (files, _) = without_one_and_added("nftables");
    // Order aside, the rules are then those of the whole file.
    let rules = "nft list ruleset | grep ' accept comment ' | sort";
    let script = format!(
        "nft -f whole; {rules} > whole.rules; nft -f lacking; {rules} > lacking.rules; ! cmp -s \
         whole.rules lacking.rules; nft -f added; {rules} > after.rules; cmp whole.rules \
         after.rules; nft list ruleset"
    );
    let after = alone(&files, &script);
    assert_eq!(after.matches("policy drop").count(), 1, "{after}");
    let (files, added) = without_one_and_added("iptables");
    assert!(!added.contains("-F ") && !added.contains("\n:"), "{added}");
    for tool in ["iptables", "ip6tables"] {
        let saved = format!("{tool}-save -t filter | grep -v '^#'");
        let load = |name: &str| format!("{tool}-restore --noflush {name}");
        let script = format!(
            "{}; {saved} > lacking.rules; {}; {saved} > after.rules; grep -Fxvf after.rules \
             lacking.rules > lost || true; cat lost",
            load("lacking"),
            load("added")
        );
        let lost = alone(&files, &script);
        assert_eq!(lost.trim(), "", "{tool} lost rules");
    }
}

#[test]
fn a_file_that_adds_clears_no_object_and_widens_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = "internet>nlb:443/tcp";
    let report = report(folder.path(), &[(id, "no-answer", silence(json!({})))], "0");
    for dialect in ["asa", "panos"] {
        let arguments = ["--format", dialect, "--firewall", "front-end"];
        let whole = text_of(plan_of_example(&arguments));
        let added = text_of(plan_of_example(
            &[&arguments[..], &["--missing", &report]].concat(),
        ));
        let names = |text: &str| -> Vec<String> {
            let starts = [
                "object-group network ",
                "set address-group ",
                "set rulebase security rules ",
            ];
            let of = |line: &str| {
                let rest = starts.iter().find_map(|start| line.strip_prefix(start))?;
                rest.split(' ').next().map(str::to_string)
            };
            text.lines().filter_map(of).collect()
        };
        let (there, new) = (names(&whole), names(&added));
        assert!(!new.is_empty(), "{added}");
        assert!(
            new.iter().all(|name| !there.contains(name)),
            "{new:?} {there:?}"
        );
        assert!(
            !added.contains("deny") || added.contains("ends with a deny"),
            "{added}"
        );
        assert!(!added.contains("access-group"), "{added}");
    }
    let windows = ["--firewall", "ibs02", "--missing", &report];
    let script = text_of(plan_of_example(
        &[&["--format", "windows"], &windows[..]].concat(),
    ));
    assert!(
        script.contains("New-NetFirewallRule") && !script.contains("Remove-"),
        "{script}"
    );
    let batch = text_of(plan_of_example(
        &[&["--format", "netsh"], &windows[..]].concat(),
    ));
    assert!(
        batch.contains(" add rule ") && !batch.contains(" delete "),
        "{batch}"
    );
}

#[test]
fn iptables_and_ip6tables_take_one_file_and_twice_is_once() {
    let files = files("iptables", &["--optional"]);
    assert_eq!(files.len(), 2);
    for (name, text) in &files {
        let mut accepted = 0;
        for tool in ["iptables", "ip6tables"] {
            let load = format!("{tool}-restore --noflush {name}");
            let saved = format!("{tool}-save -t filter | grep -v '^#'");
            let script = format!(
                "{tool} -A INPUT -j ACCEPT; {tool}-restore --test --noflush {name}; {load}; \
                 {saved} > once; {load}; {saved} > twice; cmp once twice; cat twice"
            );
            let rules = alone(&files, &script);
            assert!(rules.contains(":FORWARD DROP"), "{rules}");
            assert!(rules.contains("-A INPUT -j ACCEPT"), "{rules}");
            accepted += rules.matches(" --comment ").count();
        }
        assert_eq!(accepted, text.matches(" --comment ").count(), "{text}");
    }
}

/// The scripts of hosts as a grammar of PowerShell reads them: the words of each command.
fn commands(script: &str) -> Vec<Vec<String>> {
    let mut parser = tree_sitter::Parser::new();
    let language = tree_sitter_powershell::LANGUAGE.into();
    parser.set_language(&language).expect("the grammar");
    let tree = parser.parse(script, None).expect("a tree");
    assert!(!tree.root_node().has_error(), "{script}");
    let mut found = Vec::new();
    let mut nodes = vec![tree.root_node()];
    while let Some(node) = nodes.pop() {
        assert!(
            !["sub_expression", "variable", "invokation_expression"].contains(&node.kind()),
            "{} in {script}",
            node.kind()
        );
        let mut walk = node.walk();
        let children: Vec<_> = node.children(&mut walk).collect();
        if node.kind() == "command" {
            let word = |node: &tree_sitter::Node| script[node.byte_range()].to_string();
            found.push(children.iter().map(word).collect());
        }
        nodes.extend(children);
    }
    found
}

#[test]
fn a_parser_of_powershell_reads_each_script_as_its_rules_and_nothing_else() {
    let files = files("windows", &["--optional"]);
    assert!(files.contains_key("ibs01.ps1"), "{:?}", files.keys());
    for (name, script) in &files {
        let commands = commands(script);
        let rules = script
            .lines()
            .filter(|line| line.starts_with("New-NetFirewallRule "))
            .count();
        let named = |name: &str| commands.iter().filter(|words| words[0] == name).count();
        assert_eq!(named("New-NetFirewallRule"), rules, "{name}");
        assert_eq!(named("Remove-NetFirewallRule"), 1, "{name}");
        assert_eq!(commands.len(), rules + 1, "{name}");
    }
}

/// FWShift, which reads and compares rules of many firewalls.
fn shift(arguments: &[&str]) -> Output {
    let program = PathBuf::from("target/fwshift/bin/fwshift");
    assert!(
        program.exists(),
        "target/fwshift is needed: scripts/test makes it"
    );
    Command::new(program)
        .args(arguments)
        .output()
        .expect("it runs")
}

/// An access list of the example on an ASA that has the example's interfaces, applied as its comments say.
fn on_an_asa(rules: &str, interfaces: &[(&str, &str, &str)]) -> String {
    let mut text = "ASA Version 9.16(1)\n".to_string();
    for (number, (zone, address, v6)) in interfaces.iter().enumerate() {
        text += &format!(
            "!\ninterface GigabitEthernet0/{number}\n nameif {zone}\n security-level {number}\n ip \
             address {address}\n ipv6 address {v6}\n"
        );
    }
    if interfaces.iter().any(|(zone, ..)| *zone == "internet") {
        text += "!\nroute internet 0.0.0.0 0.0.0.0 198.51.100.254\nroute perimeter 10.0.0.0 \
            255.0.0.0 192.0.2.254\n";
    }
    text += "!\n";
    for line in rules.lines() {
        let zone = interfaces
            .iter()
            .find(|(zone, ..)| line.ends_with(&format!("-from-{zone} in interface INTERFACE")));
        match (line.strip_prefix("! access-group "), zone) {
            (Some(applied), Some((zone, ..))) => {
                text += &format!("access-group {}\n", applied.replace("INTERFACE", zone))
            }
            _ => text += &format!("{line}\n"),
        }
    }
    text
}

#[test]
fn independent_parsers_of_asa_and_pan_os_read_every_rule_and_find_both_let_the_same_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let (asa, panos, counts) = (
        files("asa", &["--optional"]),
        files("panos", &["--optional"]),
        permits(&["--optional"]),
    );
    let of = [
        (
            "front-end",
            [
                ("internet", "198.51.100.1 255.255.255.0", "2001:db8:1::1/64"),
                ("perimeter", "192.0.2.1 255.255.255.0", "2001:db8:2::1/64"),
            ],
        ),
        (
            "back-end",
            [
                (
                    "perimeter",
                    "192.0.2.254 255.255.255.0",
                    "2001:db8:2::254/64",
                ),
                ("intranet", "10.0.0.1 255.0.0.0", "2001:db8:3::1/64"),
            ],
        ),
    ];
    for (firewall, interfaces) in of {
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            path.display().to_string()
        };
        let on_asa = write(
            "asa.cfg",
            &of_addresses(&on_an_asa(&asa[&format!("{firewall}.asa")], &interfaces)),
        );
        let panos = of_addresses(&panos[&format!("{firewall}.set")]);
        let on_panos = write("panos.set", &panos);
        for (format, file) in [("asa", &on_asa), ("panos", &on_panos)] {
            let read = text_of(shift(&["inspect", "--from", format, file]));
            // Where nothing may start from a side, the ASA has a line that says so.
            let denied = fs::read_to_string(file)
                .expect("text")
                .matches(" extended deny ")
                .count();
            let rules = format!(
                "security rules:  {} (0 disabled)\n",
                counts[firewall] + denied
            );
            assert!(read.contains(&rules), "{firewall}, {rules}{read}");
            let findings = read
                .lines()
                .filter_map(|line| line.strip_prefix("  ")?.split(':').next());
            // A list of rules by name alone is missing without them.
            let usual = [
                "ZONE_NETWORKS",
                "EGRESS_BY_ROUTE",
                "PANOS_SET_FORMAT",
                "ACL_MISSING",
            ];
            let other: Vec<&str> = findings.filter(|code| !usual.contains(code)).collect();
            assert!(other.is_empty(), "{firewall}, {format}: {read}");
        }
        // The front end translates: there the two match different addresses, as they must.
        if firewall == "back-end" {
            assert_eq!(differences(&on_asa, &on_panos), Vec::<Value>::new());
            let fewer = panos.replace(
                "destination portproof-sqlrep01-v4",
                "destination portproof-ibs01-v4",
            );
            assert_eq!(
                differences(&on_asa, &write("fewer.set", &fewer)).len(),
                2,
                "the comparison sees what is missing and what is new"
            );
        }
    }
}

/// What one of the two lets through from zone to zone and the other does not. Inside a zone PAN-OS lets all through.
fn differences(on_asa: &str, on_panos: &str) -> Vec<Value> {
    let ways = [
        "compare",
        "--from",
        "asa",
        "--from-second",
        "panos",
        "--json",
        "--fail-on",
        "none",
        on_asa,
        on_panos,
    ];
    let compared: Value = serde_json::from_str(&text_of(shift(&ways))).expect("JSON");
    let all = compared["differences"].as_array().expect("differences");
    all.iter()
        .filter(|it| it["inside_the_zone"] != true)
        .cloned()
        .collect()
}

/// The example with a reason and names from somebody else, in every form.
struct Shown {
    dialects: Vec<(Dialect, String)>,
    csv: String,
    markdown: String,
}

fn shown(why: &str) -> Shown {
    static CATALOGUE: LazyLock<Catalogue> =
        LazyLock::new(|| Catalogue::parse(CONFIGMGR_2007).expect("the catalogue"));
    let text = fs::read_to_string(Path::new(GOLDEN).join("site.yaml")).expect("the site");
    let quoted: String = why
        .chars()
        .map(|c| format!("\\U{:08x}", u32::from(c)))
        .collect();
    let flow = format!(
        "  - {{ from: intranet, to: ibs01, port: 4000, need: required, why: \"x{quoted}\" }}\n"
    );
    let (config, mut problems) = config::read((text + &flow).as_bytes());
    let site = Site::new(&config.expect("a file"), &CATALOGUE, &mut problems);
    let site = site.unwrap_or_else(|| panic!("{problems:?}"));
    let plan = plan::derive(&site, &CATALOGUE);
    let whole = Heading {
        file: format!("{why}.yaml"),
        sha256: why.to_string(),
        ..Heading::default()
    };
    let added = Heading {
        missing_by: vec![why.to_string()],
        ..whole.clone()
    };
    let of_hosts = rules::of_hosts(&site, &plan, Choice::default());
    let of_firewalls = rules::of_firewalls(&site, &plan, Choice::default());
    let written = |dialect: Dialect, heading: &Heading| {
        let (device, rules) = match dialect.is_of_hosts() {
            true => ("ibs01", &of_hosts),
            false => ("back-end", &of_firewalls),
        };
        (
            dialect,
            rules::write(dialect, &site, heading, device, rules),
        )
    };
    let dialects = Dialect::ALL
        .iter()
        .flat_map(|dialect| [&whole, &added].map(|heading| written(*dialect, heading)));
    Shown {
        dialects: dialects.collect(),
        csv: rules::csv(&site, &of_firewalls).expect("a table"),
        markdown: rules::markdown(&site, &added, &of_firewalls),
    }
}

/// The lines of a file without its comments and without what its strings say.
fn bare(dialect: Dialect, text: &str) -> Vec<String> {
    let quote = if dialect == Dialect::Windows {
        '\''
    } else {
        '"'
    };
    let comments = match dialect {
        Dialect::Asa => "!",
        Dialect::Netsh => "rem ",
        _ => "#",
    };
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(comments))
        .map(|line| match line.split_once(" remark ") {
            Some((start, _)) => start.to_string(),
            None => line.split(quote).step_by(2).collect(),
        })
        .collect()
}

/// What people have put into files to break out of them, and any text.
fn hostile_text() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "\n",
        "\r",
        "\r\n",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\u{b}",
        "\u{c}",
        "\0",
        "\u{1b}[2J",
        "\"",
        "'",
        "\u{2018}",
        "\u{2019}",
        "\u{201b}",
        "`",
        "\\",
        "\\\n",
        "$(reboot)",
        "`n",
        "#",
        "!",
        "?",
        ";",
        "|",
        "{",
        "}",
        "accept",
        " permit ip any any",
        "COMMIT",
        "\u{411}\u{412}",
        "\u{202e}",
        "exit",
        "<#",
        "#>",
        "@\"",
        "-j ACCEPT",
        "'; Remove-Item x #",
        "\" accept #",
    ]);
    let word = prop_oneof![3 => parts.prop_map(str::to_string), 1 => "[^\u{0}]{0,80}"];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_reason_and_no_name_breaks_out_of_a_comment(why in hostile_text()) {
        static HARMLESS: LazyLock<Shown> = LazyLock::new(|| shown("x"));
        let hostile = shown(&why);
        for ((dialect, text), (_, harmless)) in hostile.dialects.iter().zip(&HARMLESS.dialects) {
            prop_assert_eq!(bare(*dialect, text), bare(*dialect, harmless), "{}", dialect);
            prop_assert!(text.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()));
            prop_assert!(text.lines().all(|line| line.len() < 4000));
            if *dialect == Dialect::Netsh {
                let of_the_shell = ['%', '^', '&', '|', '<'];
                prop_assert!(text.is_ascii() && !text.contains(of_the_shell));
            }
            if *dialect == Dialect::Windows {
                prop_assert!(text.is_ascii());
                prop_assert_eq!(commands(text).len(), commands(harmless).len());
            }
        }
        prop_assert_eq!(hostile.csv.lines().count(), HARMLESS.csv.lines().count());
        prop_assert_eq!(hostile.markdown.lines().count(), HARMLESS.markdown.lines().count());
    }
}
