//! A real nftables firewall between two namespaces: what it drops, rejects and resets, and who is named for it.
//!
//! Needs root, `ip` and `nft`; without them the test fails and says so. The namespaces are its own and are removed.

use std::fs;

use crate::support::row::{Row, check_as_nobody, copy_for_nobody};
use crate::support::running::Running;
use serde_json::Value;

const RULES: &str = "table inet wall {
  chain forward {
    type filter hook forward priority 0; policy accept;
    tcp dport 1001 drop
    tcp dport 1002 reject with icmpx type admin-prohibited
    tcp dport 1003 reject with tcp reset
    tcp dport 1004 reject with icmpx type port-unreachable
    udp dport 2001 drop
    udp dport 2002 reject with icmpx type admin-prohibited
    ip daddr 192.0.2.11 drop
  }
}
";

const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"198.51.100.0/24\"] }
  perimeter: { networks: [\"192.0.2.0/24\"] }
firewalls: { front-end: { between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.254] } }
systems:
  web: { zone: perimeter, addresses: { default: 192.0.2.10 }, roles: [console] }
  shut: { zone: perimeter, addresses: { default: 192.0.2.11 }, roles: [console] }
  dead: { zone: perimeter, addresses: { default: 192.0.2.12 }, roles: [console] }
probing: { second_look: off, timeout: 4s, rate: max, sweep: none }
flows:
  - { from: internet, to: web, port: 1000, need: required }
  - { from: internet, to: web, port: 1001, need: required }
  - { from: internet, to: web, port: 1002, need: required }
  - { from: internet, to: web, port: 1003, need: required }
  - { from: internet, to: web, port: 1004, need: required }
  - { from: internet, to: web, port: 2000, transport: udp, need: required }
  - { from: internet, to: web, port: 2001, transport: udp, need: required }
  - { from: internet, to: web, port: 2002, transport: udp, need: required }
  - { from: internet, to: web, port: 2003, transport: udp, need: required }
  - { from: internet, to: shut, port: 1000, need: required }
  - { from: internet, to: shut, port: 1009, need: forbidden }
  - { from: internet, to: dead, port: 1000, need: required }
";

#[test]
fn what_a_firewall_drops_rejects_and_resets_is_told_apart_and_its_sender_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rules, site) = (
        folder.path().join("rules.nft"),
        folder.path().join("site.yaml"),
    );
    fs::write(&rules, RULES).expect("written");
    fs::write(&site, SITE).expect("written");
    let bed = Row::new();
    bed.inside(1, &["nft", "-f", &rules.display().to_string()]);
    let listen = "import socket\nall=[socket.create_server(('192.0.2.10',p)) for p in \
        range(1000,1005)]\nu=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\nu.bind(('192.0.2.10',2000))\nprint('ready',flush=True)\nu.settimeout(120)\nwhile \
        True:\n u.sendto(b'answer',u.recvfrom(99)[1])";
    let server = Running::python(&bed.names[2], listen, &[]);
    let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
    let (status, report) = check_as_nobody(&bed, &program, &site, &["--from", "internet"]);
    fs::write(&site, silent_site()).expect("written");
    let (silent_status, silent) = check_as_nobody(&bed, &program, &site, &["--from", "internet"]);
    let unheard = ["--from", "internet", "--no-path"];
    let (unheard_status, unheard) = check_as_nobody(&bed, &program, &site, &unheard);
    drop(server);
    let flow = |id: &str| {
        report["flows"]
            .as_array()
            .expect("flows")
            .iter()
            .find(|flow| flow["id"] == format!("internet>{id}"))
            .unwrap_or_else(|| panic!("{id}"))
            .clone()
    };
    let expected = [
        ("web:1000/tcp", "ok", "answered"),
        ("web:1001/tcp", "blocked", "no-answer"),
        ("web:1002/tcp", "blocked", "admin-prohibited"),
        ("web:1003/tcp", "blocked", "reset-by-device"),
        ("web:1004/tcp", "blocked", "port-unreachable"),
        ("web:2000/udp", "ok", "answered"),
        ("web:2001/udp", "unknown", "udp-silent"),
        ("web:2002/udp", "blocked", "admin-prohibited"),
        ("web:2003/udp", "down", "nobody-listens"),
        ("shut:1000/tcp", "blocked", "host-silent"),
        ("shut:1009/tcp", "ok", "host-unproved"),
        ("dead:3389/tcp", "unknown", "host-dead"),
        ("dead:1000/tcp", "down", "host-dead"),
    ];
    for (id, verdict, cause) in expected {
        let flow = flow(id);
        assert_eq!(
            (flow["verdict"].as_str(), flow["cause"].as_str()),
            (Some(verdict), Some(cause)),
            "{id}: {flow:#}"
        );
    }
    assert_eq!(
        flow("web:1002/tcp")["evidence"]["state"]["rejected"]["by"],
        "198.51.100.1"
    );
    assert_eq!(
        flow("web:2002/udp")["evidence"]["state"]["rejected"]["by"],
        "198.51.100.1"
    );
    assert_eq!(
        flow("web:1003/tcp")["evidence"]["state"]["closed"]["reset_by"],
        "device"
    );
    let evidence = &flow("web:1001/tcp")["evidence"];
    let suspects = &evidence["names"]["suspects"];
    assert_eq!(
        (
            &evidence["path"]["dropped"]["after"][1],
            &suspects["firewalls"],
            &suspects["host"]
        ),
        (
            &Value::from("198.51.100.1"),
            &Value::from(vec!["front-end"]),
            &Value::from(true)
        )
    );
    assert!(
        flow("web:1001/tcp")["evidence"]["confidence"]
            .as_f64()
            .is_some_and(|confidence| confidence > 0.999)
    );
    assert_eq!(status, Some(1));
    // The firewall itself answered the walk, so this host's network works and the fault is there or behind it.
    let judged = |report: &Value| -> Vec<(String, String)> {
        let flows = report["flows"].as_array().expect("flows").iter();
        let mut all: Vec<(String, String)> = flows
            .map(|flow| (flow["verdict"].to_string(), flow["cause"].to_string()))
            .collect();
        all.sort();
        all.dedup();
        all
    };
    let pair = |verdict: &str, cause: &str| (format!("\"{verdict}\""), format!("\"{cause}\""));
    assert_eq!(
        judged(&silent),
        [
            pair("blocked", "nothing-passes"),
            pair("unknown", "no-control")
        ]
    );
    assert_eq!(silent_status, Some(1));
    // Without a walk no packet came back at all.
    assert_eq!(judged(&unheard), [pair("unknown", "nothing-answered")]);
    assert_eq!(unheard_status, Some(3));
}

/// The same site with only the flows that nothing answers.
fn silent_site() -> String {
    let shut = |line: &&str| !["web", "dead"].iter().any(|other| line.contains(other));
    SITE.lines()
        .filter(shut)
        .map(|line| format!("{line}\n"))
        .collect()
}
