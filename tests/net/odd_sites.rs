//! Sites that are laid out oddly, tried by the real program through real firewalls in network namespaces.
//!
//! Needs root, `ip` and `nft`; without them the tests fail and say so. The namespaces are their own and are removed.

use std::fs;

use crate::support::row::{Row, check_as_nobody, copy_for_nobody, ip};
use crate::support::running::Running;
use serde_json::Value;

/// Listeners that accept TCP in the server's namespace.
fn listen(row: &Row, addresses: &[(&str, u16)]) -> Running {
    let all: String = addresses
        .iter()
        .map(|(address, port)| format!("('{address}',{port}),"))
        .collect();
    let listen = format!(
        "import socket,time\nall=[socket.create_server(it) for it in \
         [{all}]]\nprint('ready',flush=True)\ntime.sleep(300)"
    );
    Running::python(&row.names[2], &listen, &[])
}

/// Runs the program in the client's namespace on a site, behind these rules.
fn check(row: &Row, rules: &str, site: &str, place: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let (rules_file, site_file) = (
        folder.path().join("rules.nft"),
        folder.path().join("site.yaml"),
    );
    fs::write(&rules_file, rules).expect("written");
    fs::write(&site_file, site).expect("written");
    row.inside(1, &["nft", "flush", "ruleset"]);
    row.inside(1, &["nft", "-f", &rules_file.display().to_string()]);
    let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
    check_as_nobody(row, &program, &site_file, place).1
}

fn find<'a>(report: &'a Value, id: &str) -> Option<&'a Value> {
    let mut flows = report["flows"].as_array().expect("flows").iter();
    flows.find(|flow| flow["id"] == id)
}

fn assert_verdict(report: &Value, id: &str, verdict: &str, cause: &str) {
    let flow = find(report, id).unwrap_or_else(|| panic!("{id} is not in {report:#}"));
    assert_eq!(
        (flow["verdict"].as_str(), flow["cause"].as_str()),
        (Some(verdict), Some(cause)),
        "{id}: {flow:#}"
    );
}

/// One public address: 443 leads to 8443 of the first system, 8080 to 8081 of the second, 9000 to a host that is off.
const TRANSLATING: &str = "table ip public {
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    ip daddr 203.0.113.10 tcp dport 443 dnat to 192.0.2.10:8443
    ip daddr 203.0.113.10 tcp dport 8080 dnat to 192.0.2.11:8081
    ip daddr 203.0.113.10 tcp dport 9000 dnat to 192.0.2.12:9001
  }
  chain untranslated {
    type filter hook prerouting priority 0; policy accept;
    ip daddr 203.0.113.10 drop
  }
}
";

const ONE_ADDRESS: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"198.51.100.0/24\"] }
  perimeter: { networks: [\"192.0.2.0/24\"] }
firewalls: { front-end: { between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.254] } }
systems:
  first: { zone: perimeter, addresses: { internet: 203.0.113.10, default: 192.0.2.10 }, ports: { internet: { 443: 8443 } }, roles: [console] }
  second: { zone: perimeter, addresses: { internet: 203.0.113.10, default: 192.0.2.11 }, ports: { internet: { 8080: 8081 } }, roles: [console] }
  off: { zone: perimeter, addresses: { internet: 203.0.113.10, default: 192.0.2.12 }, ports: { internet: { 9000: 9001 } }, roles: [console] }
probing: { second_look: off, timeout: 4s, rate: max, sweep: none }
flows:
  - { from: internet, to: first, port: 8443, need: required }
  - { from: internet, to: second, port: 8081, need: required }
  - { from: internet, to: off, port: 9001, need: required }
  - { from: internet, to: first, port: 1000, need: forbidden }
  - { from: internet, to: second, port: 443, need: forbidden }
";

#[test]
fn one_public_address_serves_several_systems_each_at_the_ports_that_are_translated_to_it() {
    let row = Row::new();
    ip(&[
        "-n",
        &row.names[2],
        "addr",
        "add",
        "192.0.2.11/24",
        "dev",
        "s0",
    ]);
    let _listening = listen(&row, &[("192.0.2.10", 8443), ("192.0.2.11", 8081)]);
    let report = check(&row, TRANSLATING, ONE_ADDRESS, &["--from", "internet"]);
    assert_verdict(&report, "internet>first:443/tcp", "ok", "answered");
    assert_verdict(&report, "internet>second:8080/tcp", "ok", "answered");
    let first = find(&report, "internet>first:443/tcp").expect("planned");
    assert_eq!(first["own_port"], 8443);
    assert_eq!(
        first["evidence"]["attempts"][0]["remote"],
        "203.0.113.10:443"
    );
    // That the two others answer at this address is no sign of life of a third, for which the router looks in vain.
    assert_verdict(&report, "internet>off:9000/tcp", "down", "host-dead");
    assert_verdict(&report, "internet>first:1000/tcp", "ok", "kept-closed");
    // The first one's door is not the second one's.
    assert!(find(&report, "internet>second:443/tcp").is_none());
}

/// A proxy that listens at 443 and asks what it publishes at 8443.
const PROXY: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"INTERNET\"] }
  perimeter: { networks: [\"PERIMETER\"] }
  intranet: { networks: [\"INTRANET\"] }
firewalls:
  front-end: { between: [internet, perimeter] }
  back-end: { between: [perimeter, intranet] }
systems:
  isa01: { zone: perimeter, addresses: { default: ISA01 }, roles: [web-proxy], publishes: { systems: [cm01], ports: { 443: 8443 } } }
  cm01: { zone: intranet, addresses: { default: CM01 }, roles: [console] }
probing: { second_look: off, timeout: 4s, rate: max, sweep: none }
flows:
  - { from: internet, to: isa01, port: 8443, need: required }
  - { from: isa01, to: cm01, port: 443, need: required }
";

fn proxy_site(values: [(&str, &str); 5]) -> String {
    let fill = |text: String, (word, value): (&str, &str)| text.replace(word, value);
    values.into_iter().fold(PROXY.to_string(), fill)
}

#[test]
fn a_proxy_is_asked_at_its_own_numbers_and_asks_at_those_of_its_target() {
    let row = Row::new();
    let _listening = listen(&row, &[("192.0.2.10", 443), ("192.0.2.10", 8443)]);
    let outside = proxy_site([
        ("INTERNET", "198.51.100.0/24"),
        ("PERIMETER", "192.0.2.0/24"),
        ("INTRANET", "10.0.0.0/8"),
        ("ISA01", "192.0.2.10"),
        ("CM01", "10.0.0.10"),
    ]);
    let only = |port: u16| {
        format!(
            "table ip wall {{\n chain forward {{\n type filter hook forward priority 0; policy drop;\n ct state established accept\n tcp dport {port} accept\n }}\n}}\n"
        )
    };
    let report = check(&row, &only(443), &outside, &["--from", "internet"]);
    assert_verdict(&report, "internet>isa01:443/tcp", "ok", "answered");
    let inside = proxy_site([
        ("INTERNET", "203.0.113.0/24"),
        ("PERIMETER", "198.51.100.0/24"),
        ("INTRANET", "192.0.2.0/24"),
        ("ISA01", "198.51.100.10"),
        ("CM01", "192.0.2.10"),
    ]);
    let report = check(
        &row,
        &only(8443),
        &inside,
        &["--as", "isa01", "--no-gentle"],
    );
    assert_verdict(&report, "isa01>cm01:8443/tcp", "ok", "answered");
}

/// The client's namespace is a host with a leg in the perimeter, behind the firewall, and one in the intranet.
const DUAL_HOMED: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"192.0.2.0/24\"] }
  perimeter: { networks: [\"198.51.100.0/24\"] }
  intranet: { networks: [\"10.0.0.0/24\"] }
firewalls:
  front-end: { between: [internet, perimeter] }
  back-end: { between: [perimeter, intranet] }
systems:
  dual01: { zone: perimeter, also_in: [intranet], addresses: { perimeter: 198.51.100.10, intranet: 10.0.0.10 }, roles: [console] }
  cm01: { zone: intranet, addresses: { intranet: 10.0.0.1, default: 192.0.2.11 }, roles: [console] }
  web01: { zone: internet, addresses: { default: 192.0.2.10 }, roles: [console] }
probing: { second_look: off, timeout: 4s, rate: max, sweep: none }
flows:
  - { from: dual01, to: cm01, port: 1000, need: required }
  - { from: intranet, to: cm01, port: 1000, need: required }
  - { from: perimeter, to: cm01, port: 1000, need: forbidden }
  - { from: perimeter, to: web01, port: 1001, need: required }
  - { from: intranet, to: web01, port: 1001, need: required }
  - { from: dual01, to: web01, port: 1001, need: required }
";

#[test]
fn a_host_with_two_legs_tries_each_flow_by_the_leg_that_crosses_the_fewest_firewalls() {
    let row = Row::new();
    let [client, _, server] = &row.names;
    ip(&[
        "link", "add", "c1", "netns", client, "type", "veth", "peer", "name", "s1", "netns", server,
    ]);
    for (name, link, address) in [
        (client, "c1", "10.0.0.10/24"),
        (server, "s1", "10.0.0.1/24"),
    ] {
        ip(&["-n", name, "addr", "add", address, "dev", link]);
        ip(&["-n", name, "link", "set", link, "up"]);
    }
    let _listening = listen(&row, &[("10.0.0.1", 1000), ("192.0.2.10", 1001)]);
    let nothing = "table ip wall {\n}\n";
    let report = check(&row, nothing, DUAL_HOMED, &[]);
    let vantage = &report["vantages"][0];
    assert_eq!(
        (&vantage["zone"], &vantage["also_in"], &vantage["system"]),
        (
            &Value::from("perimeter"),
            &Value::from(vec!["intranet"]),
            &Value::from("dual01")
        )
    );
    assert_verdict(&report, "dual01>cm01:1000/tcp", "ok", "answered");
    assert_verdict(&report, "intranet>cm01:1000/tcp", "ok", "answered");
    assert_verdict(&report, "perimeter>web01:1001/tcp", "ok", "answered");
    assert_verdict(&report, "dual01>web01:1001/tcp", "ok", "answered");
    let own = find(&report, "dual01>cm01:1000/tcp").expect("tried");
    assert_eq!(own["evidence"]["attempts"][0]["remote"], "10.0.0.1:1000");
    assert_eq!(own["crosses"], Value::from(Vec::<String>::new()));
    // This host would go around the firewall that these two have to cross.
    assert!(find(&report, "perimeter>cm01:1000/tcp").is_none());
    assert!(find(&report, "intranet>web01:1001/tcp").is_none());
    let from_one = check(&row, nothing, DUAL_HOMED, &["--from", "intranet"]);
    assert_verdict(&from_one, "intranet>cm01:1000/tcp", "ok", "answered");
    assert!(find(&from_one, "perimeter>web01:1001/tcp").is_none());
    assert!(find(&from_one, "dual01>web01:1001/tcp").is_none());
}

/// The client's namespace is `ibs01`, which speaks with `cm01` inside IPsec; `web01` is another host of its zone.
const IPSEC: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  perimeter: { networks: [\"198.51.100.0/24\"] }
  intranet: { networks: [\"192.0.2.0/24\"] }
firewalls: { back-end: { between: [perimeter, intranet] } }
systems:
  ibs01: { zone: perimeter, addresses: { default: 198.51.100.10 }, roles: [console], ipsec_with: [cm01] }
  web01: { zone: perimeter, addresses: { default: 198.51.100.11 }, roles: [console] }
  cm01: { zone: intranet, addresses: { default: 192.0.2.10 }, roles: [console] }
probing: { second_look: off, timeout: 4s, rate: max, sweep: none }
flows:
  - { from: ibs01, to: cm01, port: 1000, need: required }
  - { from: ibs01, to: cm01, port: 1001, need: required }
  - { from: web01, to: cm01, port: 1000, need: required }
";

#[test]
fn what_travels_inside_ipsec_is_judged_only_on_its_own_end() {
    let row = Row::new();
    let _listening = listen(&row, &[("192.0.2.10", 1000)]);
    let dropping = "table ip wall {\n chain forward {\n type filter hook forward priority 0; policy accept;\n tcp dport 1001 drop\n }\n}\n";
    let own = check(&row, dropping, IPSEC, &["--as", "ibs01", "--no-gentle"]);
    assert_verdict(&own, "ibs01>cm01:1000/tcp", "ok", "answered");
    assert_verdict(&own, "ibs01>cm01:1001/tcp", "blocked", "no-answer");
    assert_verdict(&own, "ibs01>cm01:esp", "unknown", "not-tried");
    assert_verdict(&own, "web01>cm01:1000/tcp", "unknown", "in-stead");
    let esp = find(&own, "ibs01>cm01:esp").expect("planned");
    assert_eq!(
        (&esp["port"], &esp["level"]),
        (&Value::Null, &Value::from("note"))
    );
    let blocked = find(&own, "ibs01>cm01:1001/tcp").expect("planned");
    let advice = blocked["advice"].as_str().unwrap_or_default();
    assert!(advice.contains("ESP"), "{advice}");
    let other = check(
        &row,
        dropping,
        IPSEC,
        &["--as", "web01", "--force-vantage", "--no-gentle"],
    );
    assert_verdict(&other, "web01>cm01:1000/tcp", "ok", "answered");
    assert_verdict(&other, "ibs01>cm01:1000/tcp", "unknown", "ipsec-required");
    let seen = find(&other, "ibs01>cm01:1000/tcp").expect("planned");
    assert_eq!(
        (&seen["state"], &seen["level"]),
        (&Value::from("open"), &Value::from("note"))
    );
}
