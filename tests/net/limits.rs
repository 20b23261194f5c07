//! Limits at the kernel's defaults and of firewalls: few error messages, few new connections, slow starts, unequal members.
//!
//! A real nftables router between two namespaces. It sends ICMP messages as Linux does out of the box: few at once and
//! then one a second. Needs root, `ip` and `nft`; without them the test fails and says so. The namespaces are its own
//! and are removed.

use std::fs;
use std::path::PathBuf;

use crate::support::row::{Row, check_as_nobody, copy_for_nobody, ip};
use crate::support::running::Running;
use serde_json::Value;

/// A web server that gives its first answer late, ports that are merely open, and three members of which one is shut.
const SERVER: &str = "import asyncio
kept=[]
async def web(r,w):
 try:
  await r.readuntil(b'\\r\\n\\r\\n'); await asyncio.sleep(5)
  w.write(b'HTTP/1.1 403 Forbidden\\r\\nContent-Length: 0\\r\\n\\r\\n'); await w.drain()
 except Exception: pass
 w.close()
async def say(r,w,s):
 try:
  await r.readuntil(b'\\r\\n\\r\\n'); w.write(b'HTTP/1.1 '+s+b'\\r\\nContent-Length: 0\\r\\n\\r\\n'); await w.drain()
 except Exception: pass
 w.close()
async def well(r,w): await say(r,w,b'403 Forbidden')
async def unwell(r,w): await say(r,w,b'503 Service Unavailable')
async def keep(r,w): kept.append(w)
async def main():
 for p in (1000,1001,1002,1003): await asyncio.start_server(keep,'192.0.2.10',p)
 for a in ('192.0.2.21','192.0.2.22'): await asyncio.start_server(keep,a,1000)
 await asyncio.start_server(web,'192.0.2.10',8000)
 for a,w in (('192.0.2.21',well),('192.0.2.22',well),('192.0.2.23',unwell)): await asyncio.start_server(w,a,8001)
 print('ready',flush=True); await asyncio.Event().wait()
asyncio.run(main())";

struct Bed {
    row: Row,
    _server: Running,
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Bed {
    /// Lays it out, with the router's messages limited as the kernel limits them by itself.
    fn new(rules: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let row = Row::new();
        row.inside(1, &["sysctl", "-qw", "net.ipv4.icmp_ratelimit=1000"]);
        for address in ["192.0.2.21/24", "192.0.2.22/24", "192.0.2.23/24"] {
            ip(&["-n", &row.names[2], "addr", "add", address, "dev", "s0"]);
        }
        let file = folder.path().join("rules.nft");
        fs::write(&file, rules).expect("written");
        row.inside(1, &["nft", "-f", &file.display().to_string()]);
        let server = Running::python(&row.names[2], SERVER, &[]);
        let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
        Self {
            row,
            _server: server,
            folder,
            program,
        }
    }

    fn check(&self, flows: &str) -> Value {
        let site = self.folder.path().join("site.yaml");
        let text = format!(
            "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones:
  internet: {{ networks: [\"198.51.100.0/24\"] }}
  perimeter: {{ networks: [\"192.0.2.0/24\"] }}
firewalls: {{ front-end: {{ between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.254] }} }}
systems:
  web: {{ zone: perimeter, addresses: {{ default: 192.0.2.10 }}, roles: [console] }}
  dead: {{ zone: perimeter, addresses: {{ default: 192.0.2.77 }}, roles: [console] }}
probing: {{ timeout: 2s, rate: max, sweep: none }}
flows:
{flows}"
        );
        fs::write(&site, text).expect("written");
        let place = ["--from", "internet"];
        check_as_nobody(&self.row, &self.program, &site, &place).1
    }
}

fn required(system: &str, ports: impl Iterator<Item = u16>) -> String {
    ports
        .map(|port| {
            format!("  - {{ from: internet, to: {system}, port: {port}, need: required }}\n")
        })
        .collect()
}

/// Verdict and cause of the flows of a system at these ports.
fn verdicts(report: &Value, system: &str, ports: impl Iterator<Item = u16>) -> Vec<[String; 2]> {
    let flows = report["flows"].as_array().expect("flows");
    ports
        .map(|port| {
            let id = format!("internet>{system}:{port}/tcp");
            let flow = flows.iter().find(|flow| flow["id"] == id);
            let flow = flow.unwrap_or_else(|| panic!("{id}"));
            ["verdict", "cause"].map(|key| flow[key].as_str().expect("a word").to_string())
        })
        .collect()
}

fn notes(report: &Value, cause: &str) -> usize {
    let notes = report["notes"].as_array().expect("notes");
    notes.iter().filter(|note| note["cause"] == cause).count()
}

const REJECTS: &str = "table inet wall {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip daddr 192.0.2.10 tcp dport 2000-2019 reject with icmpx type admin-prohibited
  }
}
";

#[test]
fn of_twenty_ports_that_one_rule_rejects_none_is_called_silent_though_the_router_may_say_little() {
    let bed = Bed::new(REJECTS);
    let ports = || 2_000..2_020;
    let flows = required("web", ports()) + &required("web", 1_000..1_001);
    // A second run finds the router's budget spent by the first.
    for run in 0..2 {
        let report = bed.check(&flows);
        for (port, seen) in ports().zip(verdicts(&report, "web", ports())) {
            assert_eq!(seen, ["blocked", "admin-prohibited"], "{port}, run {run}");
        }
    }
}

#[test]
fn a_firewall_that_says_host_unreachable_is_no_dead_host_and_a_dead_host_is_one() {
    let bed = Bed::new(
        "table inet wall {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip daddr 192.0.2.10 reject with icmp type host-unreachable
  }
}
",
    );
    let ports = || 1_000..1_010;
    let report = bed.check(&(required("web", ports()) + &required("dead", ports())));
    for seen in verdicts(&report, "web", ports()) {
        assert_eq!(seen, ["blocked", "host-unreachable"], "the firewall's word");
    }
    for seen in verdicts(&report, "dead", ports()) {
        assert_eq!(seen, ["down", "host-dead"], "nobody has the address");
    }
}

#[test]
fn a_limit_on_new_connections_is_named_and_its_ports_are_open() {
    for refuses in ["reject with tcp reset", "drop"] {
        let bed = Bed::new(&format!(
            "table inet wall {{
  set sources {{ type ipv4_addr; flags dynamic; size 99; }}
  chain forward {{
    type filter hook forward priority 0; policy accept;
    tcp flags syn tcp dport 1000-1003 add @sources {{ ip saddr limit rate over 20/second burst 20 packets }} {refuses}
  }}
}}
"
        ));
        let report = bed.check(&required("web", 1_000..1_004));
        for seen in verdicts(&report, "web", 1_000..1_004) {
            assert_eq!(seen, ["ok", "answered"], "{refuses}");
        }
        if refuses != "drop" {
            assert!(notes(&report, "rate-limited") > 0, "{report:#}");
        }
    }
}

#[test]
fn a_web_server_that_starts_slowly_has_answered_and_its_time_is_told() {
    let bed = Bed::new("table inet wall { }\n");
    let flow = "  - { from: internet, to: web, port: 8000, protocol: http, need: required }\n";
    let report = bed.check(flow);
    assert_eq!(verdicts(&report, "web", 8_000..8_001), [["ok", "answered"]]);
    assert_eq!(notes(&report, "slow-answer"), 1);
}

const THREE_MEMBERS: &str = "table ip wall {
  chain out {
    type nat hook prerouting priority -100; policy accept;
    ip daddr 192.0.2.10 tcp dport { 1000, 8001 } dnat to numgen inc mod 3 map { 0 : 192.0.2.21, 1 : 192.0.2.22, 2 : 192.0.2.23 }
  }
}
";

#[test]
fn one_of_three_members_that_is_unwell_makes_the_service_wrong_and_says_on_how_many_connections() {
    let bed = Bed::new(THREE_MEMBERS);
    let flow = "  - { from: internet, to: web, port: 8001, protocol: http, need: required }\n";
    let report = bed.check(flow);
    assert_eq!(
        verdicts(&report, "web", 8_001..8_002),
        [["wrong", "http-server-error"]]
    );
    let flows = report["flows"].as_array().expect("flows");
    let flow = flows
        .iter()
        .find(|flow| flow["id"] == "internet>web:8001/tcp");
    let all = &flow.expect("the flow")["evidence"]["conversations"];
    assert_eq!((&all["held"], &all["failed"]), (&6.into(), &2.into()));
}

#[test]
fn one_of_three_members_that_refuses_makes_the_port_intermittent() {
    let bed = Bed::new(THREE_MEMBERS);
    let report = bed.check(&required("web", 1_000..1_001));
    assert_eq!(
        verdicts(&report, "web", 1_000..1_001),
        [["blocked", "intermittent"]]
    );
}
