//! The daemon while a firewall's rule is removed and put back: one message each, and the metric moves.
//!
//! Needs root, `ip`, `nft` and Python; without them the tests fail and say so. The namespaces end with the test.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::ends::EndsWithTest;
use crate::support::row::{Row, SITE_OF_A_ROW};
use crate::support::running::Running;
use crate::support::web::web;

/// Takes what is posted to port 2000 of loopback. When its input ends, it prints all of it.
const RECEIVE: &str = "import http.server, json, sys, threading
taken = []
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        taken.append(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *words): pass
server = http.server.HTTPServer(('127.0.0.1', 2000), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
print('ready', flush=True)
sys.stdin.read()
print(json.dumps(taken))
";

/// Asks the daemon's page and prints the answer.
const ASK: &str = "import sys, urllib.request
print(urllib.request.urlopen('http://127.0.0.1:2001' + sys.argv[1], timeout=20).read().decode())
";

/// Lets port 1000 through by a rule of its own, and drops the ports beside it. What answers behind it shows that the host is
/// there, so that silence is soon proved.
const WITH_THE_RULE: &str = "table inet wall
delete table inet wall
table inet wall {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    meta l4proto icmp accept
    tcp dport != 1000-1009 accept
    tcp dport 1000 accept
  }
}
";

const SERVE: &str = "history: runs
page: 127.0.0.1:2001
checks: { site: { site: site.yaml, from: inside, every: 2s, jitter: 1ms, after: 2, sweep_every: never } }
alerts: [{ name: team, webhook: { url: \"http://127.0.0.1:2000/\" } }]
";

struct Daemon<'a> {
    row: &'a Row,
    folder: &'a Path,
    _process: EndsWithTest,
}

impl<'a> Daemon<'a> {
    fn begins(row: &'a Row, folder: &'a Path) -> Self {
        let said = fs::File::create(folder.join("said")).expect("a file");
        let process = Command::new("ip")
            .args(["netns", "exec", &row.names[0]])
            .arg(assert_cmd::cargo::cargo_bin("portproof"))
            .args(["serve", "serve.yaml"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .expect("it begins");
        Self {
            row,
            folder,
            _process: EndsWithTest(process),
        }
    }

    fn until_said(&self, words: &str, times: usize) {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let said = fs::read_to_string(self.folder.join("said")).expect("text");
            if said.matches(words).count() >= times {
                return;
            }
            assert!(Instant::now() < deadline, "{words}: {said}");
            sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self, path: &str) -> String {
        let output = Command::new("ip")
            .args(["netns", "exec", &self.row.names[0]])
            .args(["/usr/bin/python3", "-c", ASK, path])
            .output()
            .expect("Python is needed");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The verdict of the flow through the firewall, by the metrics.
    fn verdict_by_the_metrics(&self) -> String {
        let metrics = self.answers("/metrics");
        let of_flow = metrics.lines().find(|line| {
            line.starts_with("portproof_flow_verdict{") && line.contains("flow=\"inside>web:")
        });
        let line = of_flow.unwrap_or_else(|| panic!("{metrics}"));
        let verdict = line.split("verdict=\"").nth(1).expect("a verdict");
        verdict.split('"').next().expect("its end").to_string()
    }
}

fn load(row: &Row, folder: &Path, rules: &str) {
    fs::write(folder.join("rules.nft"), rules).expect("written");
    let file = folder.join("rules.nft").display().to_string();
    row.inside(1, &["nft", "-f", &file]);
}

#[test]
fn a_rule_that_is_removed_and_put_back_is_one_alert_and_one_clearing() {
    let (row, folder) = (Row::new(), tempfile::tempdir().expect("a folder"));
    let folder = folder.path();
    let _web = web(&row);
    let receiver = Running::python(&row.names[0], RECEIVE, &[]);
    let site = format!(
        "{SITE_OF_A_ROW}  web: {{ zone: outside, addresses: {{ default: 192.0.2.10 }}, roles: [crl-distribution-point] }}
flows: [{{ from: inside, to: web, port: 1000, protocol: http, need: required, why: \"served\" }}]
probing: {{ sweep: none, second_look: off, dns: off, rate: max, timeout: 1s }}
"
    );
    fs::write(folder.join("site.yaml"), site).expect("written");
    fs::write(folder.join("serve.yaml"), SERVE).expect("written");
    load(&row, folder, WITH_THE_RULE);

    let daemon = Daemon::begins(&row, folder);
    daemon.until_said("run 2: ", 1);
    assert_eq!(daemon.verdict_by_the_metrics(), "ok");

    let without = WITH_THE_RULE.replace("    tcp dport 1000 accept\n", "");
    load(&row, folder, &without);
    daemon.until_said("told team: ", 1);
    assert_eq!(daemon.verdict_by_the_metrics(), "blocked");

    load(&row, folder, WITH_THE_RULE);
    daemon.until_said("told team: ", 2);
    assert_eq!(daemon.verdict_by_the_metrics(), "ok");
    let last: Value = serde_json::from_str(&daemon.answers("/api/v1/checks")).expect("JSON");
    let last = last["checks"][0]["run"].as_i64().expect("a run");
    // Nothing more is told by the runs after it.
    daemon.until_said(&format!("run {}: ", last + 3), 1);
    drop(daemon);

    let told: Value = serde_json::from_str(&receiver.rest()).expect("JSON");
    let told = told.as_array().expect("messages");
    assert_eq!(told.len(), 2, "{told:#?}");
    let [raised, cleared] = [&told[0]["raised"], &told[1]["cleared"]];
    assert_eq!(raised[0]["verdict"], "blocked", "{raised}");
    assert_eq!(raised[0]["flow"], cleared[0]["flow"]);
    let both = [raised, cleared].map(|it| it.as_array().map(Vec::len));
    assert_eq!(both, [Some(1), Some(1)]);
}
