//! Two vantages of one site, with a real firewall between them: what one proves for the other, and what contradicts.
//!
//! Needs root, `ip` and `nft`; without them the test fails and says so. The namespaces are its own and are removed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::row::Row;
use crate::support::running::Running;
use serde_json::Value;

const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"198.51.100.0/24\"] }
  perimeter: { networks: [\"192.0.2.0/24\"] }
firewalls: { front-end: { between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.254] } }
systems:
  web: { zone: perimeter, addresses: { default: 192.0.2.10 }, roles: [console] }
  gate: { zone: internet, addresses: { default: 198.51.100.1 }, roles: [console] }
probing: { second_look: off, timeout: 1s, rate: max, sweep: none }
flows:
  - { from: internet, to: web, port: 1000, need: required }
  - { from: internet, to: web, port: 1009, need: forbidden }
  - { from: internet, to: gate, port: 1000, need: optional }
  - { from: perimeter, to: web, port: 1000, need: required }
  - { from: web, to: gate, port: 1001, need: optional }
";

/// Drops what the client sends to these ports of the server.
fn rules(ports: &str) -> String {
    format!(
        "table inet wall {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
    ip daddr 192.0.2.10 tcp dport {{ {ports} }} drop
  }}
}}
"
    )
}

/// What listens in the server's namespace, until it is dropped.
struct Listener(Child);

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn listen(bed: &Row) -> Running {
    let script = "import \
        socket,time\ns=socket.create_server(('192.0.2.10',1000))\nprint('ready',flush=True)\ntime.sleep(300)";
    Running::python(&bed.names[2], script, &[])
}

/// Runs `check` in a namespace and keeps its report under a name.
fn check(bed: &Row, place: usize, folder: &Path, name: &str, zone: &str) -> Value {
    let output = Command::new("ip")
        .args(["netns", "exec", &bed.names[place]])
        .arg(assert_cmd::cargo::cargo_bin("portproof"))
        .args([
            "check",
            "site.yaml",
            "--from",
            zone,
            "--no-path",
            "--no-gentle",
        ])
        .args(["--format", "json"])
        .current_dir(folder)
        .output()
        .expect("it runs");
    fs::write(folder.join(name), &output.stdout).expect("written");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn report(folder: &Path, files: &[&str]) -> (i32, Value) {
    let output = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(["report", "--site", "site.yaml", "--format", "json"])
        .args(files)
        .current_dir(folder)
        .output()
        .expect("it runs");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("a status"), report)
}

fn flow<'a>(report: &'a Value, id: &str) -> &'a Value {
    let mut flows = report["flows"].as_array().expect("flows").iter();
    let found = flows.find(|flow| flow["id"] == id);
    found.unwrap_or_else(|| panic!("{id}"))
}

fn judged(report: &Value, id: &str) -> String {
    let flow = flow(report, id);
    let word = |key: &str| flow[key].as_str().unwrap_or_default().to_string();
    format!("{} {}", word("verdict"), word("cause"))
}

#[test]
fn a_dead_end_is_proved_by_another_vantage_and_a_changed_firewall_contradicts_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("site.yaml"), SITE).expect("written");
    let bed = Row::new();
    let _listener = listen(&bed);
    let wall = |ports: &str| {
        let file = folder.join("rules.nft");
        fs::write(&file, rules(ports)).expect("written");
        bed.inside(1, &["nft", "flush", "ruleset"]);
        bed.inside(1, &["nft", "-f", &file.display().to_string()]);
    };
    let (needed, closed) = ("internet>web:1000/tcp", "internet>web:1009/tcp");

    wall("1009");
    let open = check(&bed, 0, folder, "open.json", "internet");
    assert_eq!(judged(&open, needed), "ok answered");
    assert_eq!(judged(&open, closed), "ok kept-closed");

    wall("1-65535");
    let dead = check(&bed, 0, folder, "dead.json", "internet");
    assert_eq!(judged(&dead, needed), "blocked host-silent");
    assert_eq!(judged(&dead, closed), "unknown no-control");
    let inside = check(&bed, 1, folder, "inside.json", "perimeter");
    assert_eq!(judged(&inside, "perimeter>web:1000/tcp"), "ok answered");

    let (status, joined) = report(folder, &["dead.json", "inside.json"]);
    assert_eq!(status, 1);
    assert_eq!(judged(&joined, closed), "ok kept-closed");
    let evidence = &flow(&joined, closed)["evidence"];
    assert_eq!(evidence["control"], "joined");
    assert_eq!(evidence["joined"]["address"], "192.0.2.10");
    assert_eq!(joined["vantages"][1]["zone"], "perimeter");
    assert_eq!(evidence["joined"]["vantage"], 1);
    assert_eq!(judged(&joined, needed), "blocked host-silent");
    assert_eq!(joined["contradictions"], Value::Null);
    // Only the system itself may start it, and it was not there.
    let coverage = &joined["coverage"];
    assert_eq!(coverage["untried"], 1, "{coverage:#}");
    assert_eq!(coverage["starts"][0]["ids"][0], "web>gate:1001/tcp");
    assert_eq!(coverage["starts"][0]["why"], "in-stead");

    // Of the same vantage the later report counts, in whichever order they are given.
    let (status, later) = report(folder, &["dead.json", "open.json"]);
    assert_eq!(status, 1);
    assert_eq!(judged(&later, needed), "blocked host-silent");
    assert_eq!(later["contradictions"], Value::Null);
    assert_eq!(
        later["notes"][0]["cause"], "earlier-report",
        "{}",
        later["notes"]
    );

    // Two hosts that saw the firewall before and after contradict each other.
    let mut elsewhere = open;
    elsewhere["vantages"][0]["host"] = "another".into();
    fs::write(folder.join("elsewhere.json"), elsewhere.to_string()).expect("written");
    let (status, changed) = report(folder, &["dead.json", "elsewhere.json"]);
    assert_eq!(status, 1);
    assert_eq!(judged(&changed, needed), "blocked host-silent");
    let contradictions = changed["contradictions"].as_array().expect("some");
    assert_eq!(contradictions.len(), 1, "{contradictions:#?}");
    assert_eq!(contradictions[0]["flow"], needed);
    let answers = contradictions[0]["answers"].as_array().expect("answers");
    let said: Vec<&Value> = answers.iter().map(|answer| &answer["verdict"]).collect();
    assert_eq!(said, ["blocked", "ok"]);

    let diff = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(["diff", "open.json", "dead.json"])
        .current_dir(folder)
        .output()
        .expect("it runs");
    assert_eq!(diff.status.code(), Some(1));
    let text = String::from_utf8_lossy(&diff.stdout);
    // All that was proved closed is no longer proved, by one reason.
    let lost = "ok kept-closed (note) -> unknown no-control (error)\n    internet>web:1009/tcp\n";
    let blocked =
        "ok answered (note) -> blocked host-silent (error)\n    internet>web:1000/tcp\n    do: ";
    assert!(text.contains(lost) && text.contains(blocked), "{text}");
}

#[test]
fn a_firewall_that_drops_only_the_answer_is_told_by_what_the_listener_saw() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("site.yaml"), SITE).expect("written");
    fs::write(folder.join("token"), "a-token-for-this-test-alone\n").expect("written");
    let bed = Row::new();
    let started = Command::new("ip")
        .args(["netns", "exec", &bed.names[2]])
        .arg(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["listen", "site.yaml", "--as", "web", "--log", "log.json"])
        .args(["--token-file", "token", "--for", "5m"])
        .current_dir(folder)
        .stderr(Stdio::piped())
        .spawn();
    let mut listener = Listener(started.expect("it runs"));
    let said = BufReader::new(listener.0.stderr.take().expect("its words"));
    let mut lines = said.lines();
    let stands_in = |line: std::io::Result<String>| line.expect("a line").contains("standing in");
    assert!(lines.any(stands_in), "the listener does not listen");
    let file = folder.join("rules.nft");
    let rule = "ip saddr 192.0.2.10 tcp sport 1000 drop";
    let text = rules("1009").replace("ip daddr 192.0.2.10 tcp dport { 1009 } drop", rule);
    assert!(text.contains(rule));
    fs::write(&file, text).expect("written");
    bed.inside(1, &["nft", "-f", &file.display().to_string()]);

    let needed = "internet>web:1000/tcp";
    let alone = check(&bed, 0, folder, "alone.json", "internet");
    assert_eq!(judged(&alone, needed), "blocked no-answer");
    let id = listener.0.id().to_string();
    let asked = Command::new("kill").args(["-INT", &id]).status();
    assert!(asked.expect("kill").success());
    assert!(listener.0.wait().expect("an end").success());
    drop(lines);

    let (status, joined) = report(folder, &["alone.json", "log.json"]);
    assert_eq!(status, 1);
    assert_eq!(judged(&joined, needed), "blocked answer-lost");
    let arrived = &flow(&joined, needed)["evidence"]["arrived"];
    assert_eq!(arrived["what"], "request");
    let first = &arrived["seen"][0];
    assert_eq!(first["by"], "source", "{arrived:#}");
    let from = first["remote"].as_str().expect("an address");
    assert!(from.starts_with("198.51.100.10:"), "{from}");
}
