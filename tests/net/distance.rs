//! How far away an answer came from, over real firewalls. It tells who sent a reset or a rejection, with and without
//! address translation, over IPv4 and IPv6, without privileges.
//!
//! Needs root, `ip`, `nft` and Python; without them the test fails and says so. The namespaces are its own and are removed.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use crate::support::row::{Row, check_as_nobody, copy_for_nobody};
use crate::support::running::Running;
use crate::support::web::web;
use serde_json::{Value, json};

/// The wall translates 203.0.113.20 and .21 to the server and to nobody; the server itself rejects 1007.
const WALL: &str = "table ip nat {
  chain p {
    type nat hook prerouting priority -100;
    ip daddr 203.0.113.20 dnat to 192.0.2.10
    ip daddr 203.0.113.21 dnat to 192.0.2.21
  }
}
table inet wall {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    tcp dport 1002 reject with icmpx type admin-prohibited
    tcp dport 1003 reject with tcp reset
    tcp dport { 1000, 1005, 1007 } accept
    meta l4proto { icmp, icmpv6 } accept
  }
}
";

const SERVER: &str = "table inet own {
  chain input {
    type filter hook input priority 0; policy accept;
    tcp dport 1007 reject with icmpx type admin-prohibited
  }
}
";

/// Answers come with a TTL that says nothing; neighbour discovery keeps its own.
const NORMALISER: &str = "table inet normal {
  chain post {
    type filter hook postrouting priority 0;
    oifname w0 ip ttl set 64
    oifname w0 meta l4proto tcp ip6 hoplimit set 64
  }
}
";

const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"0.0.0.0/0\", \"::/0\"] }
  perimeter: { networks: [\"192.0.2.0/24\", \"2001:db8:2::/64\"] }
firewalls: { front-end: { between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.254] } }
systems:
  plain: { zone: perimeter, addresses: { default: 192.0.2.10 }, roles: [console] }
  six: { zone: perimeter, addresses: { default: \"2001:db8:2::10\" }, roles: [console] }
  hidden: { zone: perimeter, addresses: { internet: 203.0.113.20, default: 192.0.2.20 }, roles: [console] }
  gone: { zone: perimeter, addresses: { internet: 203.0.113.21, default: 192.0.2.21 }, roles: [console] }
probing: { second_look: off, timeout: 1s, rate: max, sweep: none }
flows:
";

struct Bed {
    row: Row,
    _server: Running,
    folder: tempfile::TempDir,
    program: PathBuf,
    site: PathBuf,
}

impl Bed {
    fn new(flows: &[(&str, u16, &str)]) -> Self {
        let row = Row::new();
        for (place, link, address) in [
            (0, "c0", "2001:db8:1::10/64"),
            (1, "w0", "2001:db8:1::1/64"),
            (1, "w1", "2001:db8:2::fe/64"),
            (2, "s0", "2001:db8:2::10/64"),
        ] {
            row.inside(place, &["ip", "addr", "add", address, "dev", link, "nodad"]);
        }
        row.inside(1, &["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"]);
        let default = ["ip", "-6", "route", "add", "default", "via"];
        row.inside(0, &[&default[..], &["2001:db8:1::1"]].concat());
        row.inside(2, &[&default[..], &["2001:db8:2::fe"]].concat());
        let folder = tempfile::tempdir().expect("a folder");
        let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
        let site = folder.path().join("site.yaml");
        let mut text = SITE.to_string();
        for (to, port, protocol) in flows {
            text += &format!(
                "  - {{ from: internet, to: {to}, port: {port}, need: required, protocol: {protocol} }}\n"
            );
        }
        fs::write(&site, text).expect("written");
        let server = web(&row);
        let bed = Self {
            row,
            _server: server,
            folder,
            program,
            site,
        };
        bed.load(1, WALL);
        bed.load(2, SERVER);
        bed
    }

    fn load(&self, place: usize, rules: &str) {
        let file = self.folder.path().join("rules.nft");
        let mut open = fs::File::create(&file).expect("created");
        open.write_all(rules.as_bytes()).expect("written");
        self.row
            .inside(place, &["nft", "-f", &file.display().to_string()]);
    }

    fn check(&self) -> Value {
        check_as_nobody(
            &self.row,
            &self.program,
            &self.site,
            &["--from", "internet"],
        )
        .1
    }
}

fn flow<'a>(report: &'a Value, id: &str) -> &'a Value {
    let flows = report["flows"].as_array().expect("flows");
    let wanted = format!("internet>{id}/tcp");
    let found = flows.iter().find(|flow| flow["id"] == wanted.as_str());
    found.unwrap_or_else(|| panic!("{id}"))
}

fn said(flow: &Value) -> [&str; 3] {
    ["verdict", "cause", "owner"].map(|key| flow[key].as_str().unwrap_or_default())
}

#[test]
fn the_last_routers_refusals_are_told_from_the_hosts_own() {
    let mut flows = Vec::new();
    for system in ["plain", "six", "hidden"] {
        flows.push((system, 1000, "http"));
        flows.extend([1002, 1003, 1005, 1007].map(|port| (system, port, "tcp")));
    }
    flows.push(("gone", 1000, "tcp"));
    let bed = Bed::new(&flows);
    let report = bed.check();
    for system in ["plain", "six", "hidden"] {
        for (port, expected) in [
            (1002, ["blocked", "admin-prohibited", "firewall"]),
            (1003, ["blocked", "reset-by-device", "firewall"]),
            (1005, ["down", "nobody-listens", "server"]),
            (1007, ["blocked", "admin-prohibited", "server"]),
        ] {
            let flow = flow(&report, &format!("{system}:{port}"));
            assert_eq!(said(flow), expected, "{system}:{port} {flow:#}");
        }
    }
    let hidden = &flow(&report, "hidden:1002")["evidence"];
    assert_eq!(hidden["state"]["rejected"]["by"], "203.0.113.20");
    assert_eq!(hidden["names"]["rejecting"], "front-end");
    assert_eq!(hidden["translated_at"], 1);
    let distance = |id: &str| &flow(&report, id)["evidence"]["distance"];
    assert_eq!(distance("six:1003")["port"], 1000);
    assert!(distance("six:1003")["sender"]["nearer"].as_u64() > Some(0));
    assert_eq!(
        distance("plain:1005"),
        &json!({"port": 1000, "sender": "same"})
    );
    let gone = flow(&report, "gone:1000");
    assert_eq!(said(gone), ["down", "host-dead", "server"], "{gone:#}");
}

#[test]
fn where_a_device_sets_the_ttl_of_answers_nothing_tells_who_reset() {
    let mut flows = Vec::new();
    for system in ["plain", "six"] {
        flows.push((system, 1000, "http"));
        flows.extend([1003, 1005].map(|port| (system, port, "tcp")));
    }
    let bed = Bed::new(&flows);
    bed.load(1, NORMALISER);
    let report = bed.check();
    for id in ["plain:1003", "plain:1005", "six:1003", "six:1005"] {
        let flow = flow(&report, id);
        assert_eq!(
            flow["evidence"]["state"]["closed"]["reset_by"], "either",
            "{id} {flow:#}"
        );
        assert_eq!(flow["cause"], "reset", "{id}");
    }
}
