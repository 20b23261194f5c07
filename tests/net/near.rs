//! Things that answer in a real host's place, on this host's own networks or on this host itself. They are its own
//! firewall, a bridge, or a firewall that answers ARP for others.
//!
//! Needs root, `ip`, `nft` and Python; without them the test fails and says so. The namespaces are its own and are removed.

use std::fs;
use std::path::Path;

use crate::support::row::{Row, check_as_nobody, copy_for_nobody};
use crate::support::web::web;
use serde_json::Value;

fn load(row: &Row, place: usize, folder: &Path, rules: &str) {
    let file = folder.join("rules.nft");
    fs::write(&file, rules).expect("written");
    row.inside(place, &["nft", "-f", &file.display().to_string()]);
}

fn check(row: &Row, folder: &Path, site: &str, from: &str) -> Value {
    let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder);
    let file = folder.join("site.yaml");
    fs::write(&file, site).expect("written");
    check_as_nobody(row, &program, &file, &["--from", from]).1
}

fn flow<'a>(report: &'a Value, id: &str) -> &'a Value {
    let flows = report["flows"].as_array().expect("flows");
    let found = flows.iter().find(|flow| flow["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not among {:?}", ids(report)))
}

fn ids(report: &Value) -> Vec<&str> {
    let flows = report["flows"].as_array().expect("flows");
    flows
        .iter()
        .filter_map(|flow| flow["id"].as_str())
        .collect()
}

fn said(flow: &Value) -> [&str; 2] {
    ["verdict", "cause"].map(|key| flow[key].as_str().unwrap_or_default())
}

/// Flows to a system: 1000 speaks HTTP; of the others each with its need.
fn flows(from: &str, to: &str, others: &[(u16, &str)]) -> String {
    let mut text =
        format!("  - {{ from: {from}, to: {to}, port: 1000, need: required, protocol: http }}\n");
    for (port, need) in others {
        text += &format!("  - {{ from: {from}, to: {to}, port: {port}, need: {need} }}\n");
    }
    text
}

#[test]
fn what_this_hosts_own_firewall_refuses_is_nobody_elses() {
    let row = Row::new();
    let folder = tempfile::tempdir().expect("a folder");
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
    load(
        &row,
        0,
        folder.path(),
        "table inet own {
  chain o {
    type filter hook output priority 0; policy accept;
    tcp dport { 1003, 1008 } reject with tcp reset
    tcp dport 1010 drop
    ip daddr 192.0.2.10 tcp dport 1004 reject with icmp type host-unreachable
  }
}
",
    );
    load(
        &row,
        1,
        folder.path(),
        "table inet wall {
  chain f {
    type filter hook forward priority 0; policy accept;
    tcp dport 1011 drop
  }
}
",
    );
    let _web = web(&row);
    let others = [
        (1010, "required"),
        (1011, "required"),
        (1003, "required"),
        (1004, "required"),
        (1008, "forbidden"),
        (1009, "forbidden"),
    ];
    let site = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ internet: {{ networks: [\"0.0.0.0/0\", \"::/0\"] }}, perimeter: {{ networks: [\"192.0.2.0/24\", \"2001:db8:2::/64\"] }} }}
firewalls: {{ front-end: {{ between: [internet, perimeter] }} }}
systems:
  plain: {{ zone: perimeter, addresses: {{ default: 192.0.2.10 }}, roles: [console] }}
  six: {{ zone: perimeter, addresses: {{ default: \"2001:db8:2::10\" }}, roles: [console] }}
probing: {{ second_look: off, timeout: 1s, rate: max, sweep: none }}
flows:
{}{}",
        flows("internet", "plain", &others),
        flows("internet", "six", &[(1003, "required"), (1008, "forbidden"), (1009, "forbidden")]),
    );
    let report = check(&row, folder.path(), &site, "internet");
    for id in [
        "plain:1003",
        "plain:1004",
        "plain:1008",
        "plain:1010",
        "six:1003",
        "six:1008",
    ] {
        let flow = flow(&report, &format!("internet>{id}/tcp"));
        assert_eq!(said(flow), ["unknown", "refused-here"], "{id} {flow:#}");
    }
    let walls = flow(&report, "internet>plain:1011/tcp");
    assert_eq!(said(walls), ["blocked", "no-answer"], "the wall drops it");
    for system in ["plain", "six"] {
        assert_eq!(
            said(flow(&report, &format!("internet>{system}:1000/tcp"))),
            ["ok", "answered"]
        );
        let closed = flow(&report, &format!("internet>{system}:1009/tcp"));
        assert_eq!(
            said(closed),
            ["ok", "reset"],
            "the network's reset stays one"
        );
    }
}

/// One network, 192.0.2.0/24, with the client at .9 and the server at .10; the file has a border between, or not.
fn one_network(zone_of_client: &str, others: &[(u16, &str)]) -> String {
    let internet = match zone_of_client {
        "internet" => "192.0.2.8/31",
        _ => "203.0.113.0/24",
    };
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ internet: {{ networks: [\"{internet}\"] }}, perimeter: {{ networks: [\"192.0.2.0/24\"] }} }}
firewalls: {{ front-end: {{ between: [internet, perimeter] }} }}
systems:
  plain: {{ zone: perimeter, addresses: {{ default: 192.0.2.10 }}, roles: [console] }}
probing: {{ second_look: off, timeout: 1s, rate: max, sweep: none }}
flows:
{}",
        flows(zone_of_client, "plain", others)
    )
}

/// The wall becomes a bridge between client and server.
fn bridged() -> Row {
    let row = Row::new();
    row.inside(1, &["ip", "addr", "flush", "dev", "w0"]);
    row.inside(1, &["ip", "addr", "flush", "dev", "w1"]);
    row.inside(1, &["ip", "link", "add", "br0", "type", "bridge"]);
    for link in ["w0", "w1"] {
        row.inside(1, &["ip", "link", "set", link, "master", "br0"]);
    }
    row.inside(1, &["ip", "link", "set", "br0", "up"]);
    row.inside(0, &["ip", "addr", "flush", "dev", "c0"]);
    row.inside(0, &["ip", "addr", "add", "192.0.2.9/24", "dev", "c0"]);
    row
}

#[test]
fn behind_a_border_of_the_file_a_neighbour_is_not_taken_for_the_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = bridged();
    let _web = web(&row);
    // A firewall that is a bridge resets just as the host does: the file says that there is one.
    let others = [(1005, "required"), (1009, "forbidden")];
    let site = one_network("internet", &others);
    let report = check(&row, folder.path(), &site, "internet");
    let stopped = flow(&report, "internet>plain:1005/tcp");
    assert_eq!(said(stopped), ["blocked", "reset"], "{stopped:#}");
    assert_eq!(stopped["evidence"]["state"]["closed"]["reset_by"], "either");
    let closed = flow(&report, "internet>plain:1009/tcp");
    assert_eq!(said(closed), ["ok", "reset"], "{closed:#}");
    // Without a border in the file, what the neighbour does is its own doing.
    let inside = one_network("perimeter", &[(1005, "required")]);
    let report = check(&row, folder.path(), &inside, "perimeter");
    let stopped = flow(&report, "perimeter>plain:1005/tcp");
    assert_eq!(said(stopped), ["down", "nobody-listens"], "{stopped:#}");
}

#[test]
fn a_firewall_that_answers_arp_for_the_host_is_told_by_its_distance() {
    let row = Row::new();
    let folder = tempfile::tempdir().expect("a folder");
    row.inside(0, &["ip", "addr", "flush", "dev", "c0"]);
    row.inside(0, &["ip", "addr", "add", "192.0.2.9/24", "dev", "c0"]);
    row.inside(1, &["sysctl", "-qw", "net.ipv4.conf.all.proxy_arp=1"]);
    row.inside(1, &["ip", "route", "add", "192.0.2.9/32", "dev", "w0"]);
    load(
        &row,
        1,
        folder.path(),
        "table inet f {
  chain f {
    type filter hook forward priority 0; policy accept;
    tcp dport { 1003, 1008 } reject with tcp reset
  }
}
",
    );
    let _web = web(&row);
    let others = [(1003, "required"), (1005, "required"), (1008, "forbidden")];
    let report = check(
        &row,
        folder.path(),
        &one_network("internet", &others),
        "internet",
    );
    for (port, expected) in [
        (1000, ["ok", "answered"]),
        (1003, ["blocked", "reset-by-device"]),
        (1005, ["down", "nobody-listens"]),
        (1008, ["ok", "reset"]),
    ] {
        let flow = flow(&report, &format!("internet>plain:{port}/tcp"));
        assert_eq!(said(flow), expected, "{port} {flow:#}");
    }
}
