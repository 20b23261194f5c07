//! A system with an IPv4 and an IPv6 address of which one family is broken, behind a real firewall.
//!
//! Needs root, `ip`, `nft` and Python; without them the test fails and says so. The namespaces are its own and are removed.

use std::fs;

use crate::support::row::{Row, check_as_nobody, copy_for_nobody};
use crate::support::running::Running;
use serde_json::Value;

const LISTEN: &str = "import select, socket
all = [socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True) for port in (1000, 1001, 1002)]
print('ready', flush=True)
held = []
while True:
    for server in select.select(all, [], [])[0]:
        held.append(server.accept())
";

const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"198.51.100.0/24\", \"2001:db8:1::/64\"] }
  perimeter: { networks: [\"192.0.2.0/24\", \"2001:db8:2::/64\"] }
firewalls: { front-end: { between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.254, \"2001:db8:1::1\", \"2001:db8:2::1\"] } }
systems:
  web: { zone: perimeter, addresses: { default: [192.0.2.10, \"2001:db8:2::10\"] }, roles: [console] }
probing: { timeout: 2s, second_look: off, rate: max, sweep: none }
flows:
  - { from: internet, to: web, port: 1000, need: required }
  - { from: internet, to: web, port: 1001, need: required }
  - { from: internet, to: web, port: 1002, need: required }
  - { from: internet, to: web, port: 1009, need: forbidden }
";

/// Whether the server has its second address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Second {
    Has,
    Lacks,
}

/// The report from behind a firewall with these rules.
fn check(rules: &str, second: Second) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let row = Row::new();
    for (place, link, address) in [
        (0, "c0", "2001:db8:1::10/64"),
        (1, "w0", "2001:db8:1::1/64"),
        (1, "w1", "2001:db8:2::1/64"),
        (2, "s0", "2001:db8:2::10/64"),
    ] {
        row.inside(place, &["ip", "addr", "add", address, "dev", link, "nodad"]);
    }
    for (place, gateway) in [(0, "2001:db8:1::1"), (2, "2001:db8:2::1")] {
        row.inside(
            place,
            &["ip", "-6", "route", "add", "default", "via", gateway],
        );
    }
    row.inside(1, &["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"]);
    if second == Second::Lacks {
        let address = ["ip", "addr", "del", "2001:db8:2::10/64", "dev", "s0"];
        row.inside(2, &address);
    }
    let file = folder.path().join("rules.nft");
    let table = format!("table inet wall {{\n{rules}\n}}\n");
    fs::write(&file, table).expect("written");
    row.inside(1, &["nft", "-f", &file.display().to_string()]);
    let _server = Running::python(&row.names[2], LISTEN, &[]);
    let site = folder.path().join("site.yaml");
    fs::write(&site, SITE).expect("written");
    let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
    check_as_nobody(&row, &program, &site, &["--from", "internet"]).1
}

fn flow<'a>(report: &'a Value, id: &str) -> &'a Value {
    let flows = report["flows"].as_array().expect("flows");
    let found = flows.iter().find(|flow| flow["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not in the report"))
}

fn judged(report: &Value, port: u16) -> [Option<&str>; 3] {
    let flow = flow(report, &format!("internet>web:{port}/tcp"));
    ["verdict", "cause", "owner"].map(|key| flow[key].as_str())
}

#[test]
fn a_family_that_the_firewall_drops_reads_as_that_and_not_as_a_silent_host() {
    let report = check(
        "chain forward { type filter hook forward priority 0; meta nfproto ipv6 meta l4proto tcp drop; tcp dport 1009 drop; }",
        Second::Has,
    );
    for port in [1000, 1001, 1002] {
        let [verdict, cause, _] = judged(&report, port);
        assert_eq!((verdict, cause), (Some("blocked"), Some("address-silent")));
        let flow = flow(&report, &format!("internet>web:{port}/tcp"));
        let advice = flow["advice"].as_str().expect("advice");
        let begin = "IPv6 to web does not work, and IPv4 does: nothing at 2001:db8:2::10 answered, \
            and 192.0.2.10 did.";
        assert!(advice.starts_with(begin), "{advice}");
    }
}

#[test]
fn both_families_pass_and_one_that_is_rejected_is_the_firewalls() {
    let report = check("chain none { }", Second::Has);
    assert_eq!(judged(&report, 1000)[0], Some("ok"));
    let rejects = "chain forward { type filter hook forward priority 0; meta nfproto ipv6 reject with icmpv6 admin-prohibited; }";
    let report = check(rejects, Second::Has);
    let expected = [Some("blocked"), Some("admin-prohibited"), Some("firewall")];
    assert_eq!(judged(&report, 1000), expected);
    let flow = flow(&report, "internet>web:1000/tcp");
    let advice = flow["advice"].as_str().expect("advice");
    let end = "This is about IPv6 (2001:db8:2::10): over IPv4 (192.0.2.10) the port is open.";
    assert!(advice.contains(end), "{advice}");
}

#[test]
fn an_address_that_the_last_router_cannot_find_is_the_servers() {
    let report = check("chain none { }", Second::Lacks);
    let expected = [Some("down"), Some("address-silent"), Some("server")];
    assert_eq!(judged(&report, 1000), expected);
}

#[test]
fn a_family_over_which_nothing_at_all_comes_back_proves_nothing() {
    let report = check(
        "chain in { type filter hook prerouting priority 0; iifname w0 meta l4proto tcp meta nfproto ipv6 drop; }",
        Second::Has,
    );
    for port in [1000, 1009] {
        let expected = [Some("unknown"), Some("family-unanswered"), Some("prober")];
        assert_eq!(judged(&report, port), expected, "{port}");
    }
}
