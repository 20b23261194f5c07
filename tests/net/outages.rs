//! Faults that pass by themselves: what is silent only for a while is neither proved shut nor reported as failing.
//!
//! A real nftables router between two namespaces lets nothing through for a time, that begins at random. Needs root, `ip`
//! and `nft`; without them the test fails and says so. The namespaces are its own and are removed.

use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::support::row;
use crate::support::row::{Row, check_as_nobody, copy_for_nobody};
use crate::support::running::Running;
use serde_json::Value;

const RULES: &str = "table inet wall {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    meta l4proto icmp accept
    tcp dport { 1000, 1001, 135, 3389 } accept
  }
}
";

const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"198.51.100.0/24\"] }
  perimeter: { networks: [\"192.0.2.0/24\"] }
firewalls: { front-end: { between: [internet, perimeter] } }
systems:
  web: { zone: perimeter, addresses: { default: 192.0.2.10 }, roles: [console] }
  late: { zone: perimeter, addresses: { default: 192.0.2.11 }, roles: [console] }
flows:
  - { from: internet, to: web, port: 1000, need: required }
  - { from: internet, to: web, port: 1001, need: required }
  - { from: internet, to: late, port: 1000, need: required }
";

/// Forbidden ports that are open.
const OPEN: [&str; 4] = ["web:135", "web:3389", "late:135", "late:3389"];
/// Required ones.
const SERVED: [&str; 3] = ["web:1000", "web:1001", "late:1000"];

const SERVER: &str = "import socket,threading
kept=[]
def serve(s):
 while True: kept.append(s.accept())
for a in ('192.0.2.10','192.0.2.11'):
 for p in (1000,1001,135,3389): threading.Thread(target=serve,args=(socket.create_server((a,p)),)).start()
print('ready',flush=True)";

/// Two hosts behind a router.
struct Bed {
    row: Row,
    _server: Running,
    folder: tempfile::TempDir,
    program: PathBuf,
    site: PathBuf,
}

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let site = folder.path().join("site.yaml");
        fs::write(&site, SITE).expect("written");
        let row = Row::new();
        let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
        row::ip(&[
            "-n",
            &row.names[2],
            "addr",
            "add",
            "192.0.2.11/24",
            "dev",
            "s0",
        ]);
        let server = Running::python(&row.names[2], SERVER, &[]);
        let bed = Self {
            row,
            _server: server,
            folder,
            program,
            site,
        };
        bed.load(RULES);
        bed
    }

    fn load(&self, rules: &str) {
        let file = self.folder.path().join("rules.nft");
        fs::write(&file, rules).expect("written");
        self.row
            .inside(1, &["nft", "-f", &file.display().to_string()]);
    }

    /// Runs the check while packets that `what` matches are dropped for a time.
    fn check_during(&self, what: &str, begins: Duration, lasts: Duration) -> Value {
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(begins);
                self.load(&format!(
                    "table inet out {{\n chain f {{\n type filter hook forward priority -200;\n {what} drop\n }}\n}}\n"
                ));
                thread::sleep(lasts);
                self.row.inside(1, &["nft", "delete", "table", "inet", "out"]);
            });
            let place = ["--from", "internet", "--no-path"];
            check_as_nobody(&self.row, &self.program, &self.site, &place).1
        })
    }
}

fn verdict(report: &Value, end: &str) -> (String, String) {
    let id = format!("internet>{end}/tcp");
    let flow = report["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .find(|flow| flow["id"] == *id);
    let flow = flow.unwrap_or_else(|| panic!("{id}"));
    let word = |key: &str| flow[key].as_str().expect("a word").to_string();
    (word("verdict"), word("cause"))
}

/// A moment up to so many milliseconds.
fn up_to(millis: u64) -> Duration {
    Duration::from_millis(RandomState::new().build_hasher().finish() % millis)
}

fn says_nothing_false(report: &Value, what: &str) {
    for end in OPEN {
        let (verdict, cause) = verdict(report, end);
        assert!(
            ["exposed", "unknown"].contains(&verdict.as_str()),
            "{what}: {end} is open, and it is {verdict} {cause}"
        );
    }
    for end in SERVED {
        let (verdict, cause) = verdict(report, end);
        assert!(
            ["ok", "unknown"].contains(&verdict.as_str()),
            "{what}: {end} is served, and it is {verdict} {cause}"
        );
    }
}

#[test]
fn an_outage_that_begins_at_random_makes_no_false_word() {
    const RUNS: usize = 2;
    let bed = Bed::new();
    for what in ["ip daddr 192.0.2.0/24", "ip daddr 192.0.2.11"] {
        for _ in 0..RUNS {
            let (begins, lasts) = (up_to(8_000), Duration::from_secs(1) + up_to(7_000));
            let report = bed.check_during(what, begins, lasts);
            says_nothing_false(&report, &format!("{what} after {begins:?} for {lasts:?}"));
        }
    }
}

#[test]
fn a_host_that_comes_up_during_the_run_is_served_and_its_gap_is_told() {
    let bed = Bed::new();
    let report = bed.check_during(
        "ip daddr 192.0.2.11",
        Duration::ZERO,
        Duration::from_secs(5),
    );
    says_nothing_false(&report, "at the start");
    assert_eq!(
        verdict(&report, "late:1000"),
        ("ok".into(), "answered".into())
    );
    let notes = report["notes"].as_array().expect("notes");
    let is_told = |note: &Value| note["cause"] == "gap" && note["system"] == "late";
    assert!(notes.iter().any(is_told), "{notes:#?}");
}

#[test]
fn a_rule_that_lacks_for_a_while_is_no_missing_rule() {
    let bed = Bed::new();
    let what = "ip daddr 192.0.2.10 tcp dport 1001";
    let report = bed.check_during(what, Duration::ZERO, Duration::from_secs(8));
    says_nothing_false(&report, what);
}
