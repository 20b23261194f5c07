//! What a run may set off: rates counted on the wire, and a firewall that shuts out whoever has ports refused too often.
//!
//! Needs root, `ip`, `nft` and Python; without them the tests fail and say so. The namespaces end with the test.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::counter::{Counted, Counter};
use crate::support::row::{Row, SITE_OF_A_ROW, ip};
use crate::support::web::web;

/// The file of a site: the prober is a site server, the web server of the row is at port 1000.
fn site(forbidden: std::ops::Range<u16>, probing: &str) -> String {
    let ports = forbidden.map(|port| {
        format!(
            "  - {{ from: inside, to: web, port: {port}, need: forbidden, why: \"not needed\" }}\n"
        )
    });
    format!(
        "{SITE_OF_A_ROW}  cm01: {{ zone: inside, addresses: {{ default: 198.51.100.10 }}, roles: [site-server] }}
  web: {{ zone: outside, addresses: {{ default: 192.0.2.10 }}, roles: [crl-distribution-point] }}
flows:
  - {{ from: inside, to: web, port: 1000, protocol: http, need: required, why: \"served\" }}
{}probing: {{ sweep: none, second_look: off, {probing} }}
",
        ports.collect::<String>()
    )
}

/// Refuses all ports but 1000, and shuts a source out for a minute once it was refused so often in a minute.
fn watchful(refusals: u16) -> String {
    format!(
        "table inet watchful {{
  set refused {{
    type ipv4_addr
    flags dynamic, timeout
    timeout 60s
  }}
  set shut_out {{
    type ipv4_addr
    flags dynamic, timeout
    timeout 60s
  }}
  counter shut {{
  }}
  chain forward {{
    type filter hook forward priority 0; policy accept;
    ip saddr @shut_out counter name shut drop
    ct state established,related accept
    tcp dport 1000 accept
    ip saddr 198.51.100.10 tcp flags syn update @refused {{ ip saddr limit rate over {refusals}/minute burst {refusals} packets }} \
         add @shut_out {{ ip saddr }}
    ip saddr 198.51.100.10 tcp flags syn reject with tcp reset
  }}
}}
"
    )
}

/// Runs the program on a site as its site server, in the client's namespace.
fn check(row: &Row, folder: &Path, site: &str, more: &[&str]) -> Value {
    run(row, folder, site, &[&["--as", "cm01"], more].concat())
}

/// Runs the program on a site, in the client's namespace.
fn run(row: &Row, folder: &Path, site: &str, more: &[&str]) -> Value {
    fs::write(folder.join("site.yaml"), site).expect("written");
    let output = Command::new("ip")
        .args(["netns", "exec", &row.names[0]])
        .arg(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["check", "site.yaml", "--from", "inside"])
        .args(["--format", "json"])
        .args(more)
        .current_dir(folder)
        .output()
        .expect("it runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn load(row: &Row, folder: &Path, rules: &str) {
    let file = folder.join("rules.nft");
    fs::write(&file, rules).expect("written");
    row.inside(1, &["nft", "-f", &file.display().to_string()]);
}

/// How many packets the firewall dropped of a source that it had shut out.
fn shut(row: &Row) -> u64 {
    let output = Command::new("ip")
        .args(["netns", "exec", &row.names[1], "nft", "-j", "list"])
        .args(["counter", "inet", "watchful", "shut"])
        .output()
        .expect("nft is needed");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let counters = told["nftables"].as_array().expect("a list").iter();
    let packets = counters.filter_map(|it| it["counter"]["packets"].as_u64());
    packets.sum()
}

fn verdicts(report: &Value) -> Vec<(String, String)> {
    let word = |flow: &Value, key: &str| flow[key].as_str().unwrap_or_default().to_string();
    let flows = report["flows"].as_array().expect("flows").iter();
    let tried = flows.filter(|flow| {
        let id = flow["id"].as_str().unwrap_or_default();
        id.starts_with("inside>web:")
    });
    tried
        .map(|flow| (word(flow, "verdict"), word(flow, "cause")))
        .collect()
}

#[test]
fn on_a_system_that_serves_a_firewall_that_watches_for_scans_is_not_set_off() {
    let (row, folder) = (Row::new(), tempfile::tempdir().expect("a folder"));
    let _web = web(&row);
    load(&row, folder.path(), &watchful(10));
    let gentle = check(&row, folder.path(), &site(2_000..2_012, "rate: max"), &[]);
    assert_eq!(shut(&row), 0, "it was set off");
    let seen = verdicts(&gentle);
    assert_eq!(seen.len(), 13);
    assert!(seen.iter().all(|(verdict, _)| verdict == "ok"), "{seen:?}");
}

#[test]
fn at_full_speed_it_is_set_off_and_its_silence_proves_nothing() {
    let (row, folder) = (Row::new(), tempfile::tempdir().expect("a folder"));
    let _web = web(&row);
    load(&row, folder.path(), &watchful(10));
    let brisk = ["--no-gentle"];
    let report = check(
        &row,
        folder.path(),
        &site(2_000..2_040, "rate: max"),
        &brisk,
    );
    assert!(shut(&row) > 0, "the firewall watches for nothing");
    let seen = verdicts(&report);
    let unproved = |(verdict, cause): &&(String, String)| {
        verdict == "unknown" && ["cut-off", "not-proved"].contains(&cause.as_str())
    };
    assert!(seen.iter().filter(unproved).count() > 10, "{seen:?}");
    assert!(
        seen.iter().all(|(_, cause)| cause != "kept-closed"),
        "{seen:?}"
    );
}

#[test]
fn the_first_sign_that_a_device_shuts_this_host_out_ends_the_knocking() {
    let (row, folder) = (Row::new(), tempfile::tempdir().expect("a folder"));
    let _web = web(&row);
    load(&row, folder.path(), &watchful(1));
    let report = check(&row, folder.path(), &site(2_000..2_008, "rate: max"), &[]);
    let tried = report["flows"].as_array().expect("flows").iter();
    let tried = tried.filter(|flow| {
        let attempts = flow["evidence"]["attempts"].as_array();
        flow["need"] == "forbidden" && attempts.is_some_and(|all| !all.is_empty())
    });
    assert!(tried.count() <= 3, "{report:#}");
    let cut_off = verdicts(&report);
    let cut_off = cut_off.iter().filter(|(_, cause)| cause == "cut-off");
    assert!(cut_off.count() >= 5, "{report:#}");
}

/// A site of so many web servers at further addresses of the server.
fn many(row: &Row, systems: usize) -> String {
    let address = |number: usize| format!("192.0.2.{}", 20 + number);
    for number in 0..systems {
        let address = format!("{}/24", address(number));
        ip(&["-n", &row.names[2], "addr", "add", &address, "dev", "s0"]);
    }
    let all: String = (0..systems)
        .map(|number| {
            format!(
                "  web{number}: {{ zone: outside, addresses: {{ default: {} }}, roles: [crl-distribution-point] }}\n",
                address(number)
            )
        })
        .collect();
    let flows: String = (0..systems)
        .map(|number| {
            format!("  - {{ from: inside, to: web{number}, port: 1000, protocol: http, need: required, why: served }}\n")
        })
        .collect();
    format!(
        "{SITE_OF_A_ROW}{all}flows:
{flows}probing: {{ rate: 50/s, per_host: 4, second_look: 1s }}
"
    )
}

#[test]
fn more_silent_ports_than_places_are_all_tried_to_the_end() {
    let (row, folder) = (Row::new(), tempfile::tempdir().expect("a folder"));
    let _web = web(&row);
    load(&row, folder.path(), DROPS);
    let file = site(3_000..3_012, "rate: max, per_host: 2").replace(
        "need: forbidden, why: \"not needed\"",
        "need: required, why: \"needed\"",
    );
    let report = check(&row, folder.path(), &file, &["--no-gentle"]);
    let seen = verdicts(&report);
    let blocked = seen.iter().filter(|(verdict, _)| verdict == "blocked");
    assert_eq!(blocked.count(), 12, "{seen:?}");
}

const DROPS: &str = "table inet wall {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    tcp dport 1000 accept
  }
}
";

#[test]
fn no_second_has_more_packets_than_the_rate_and_no_host_more_sockets_than_it_may() {
    for (systems, silent) in [(1, false), (2, false), (12, false), (2, true), (12, true)] {
        let (row, folder) = (Row::new(), tempfile::tempdir().expect("a folder"));
        let _web = web(&row);
        let rules = match silent {
            true => DROPS.replace("tcp dport 1000 accept", ""),
            false => DROPS.to_string(),
        };
        load(&row, folder.path(), &rules);
        let file = many(&row, systems);
        let counter = Counter::start(&row, 0);
        let report = run(&row, folder.path(), &file, &[]);
        let counted = counter.counted();
        assert!(counted.syns > 20, "{counted:?}");
        assert!(
            counted.most_syns_a_second <= 50 && counted.most_sockets_of_a_host <= 4,
            "{systems} systems, silent: {silent}: {counted:?}"
        );
        tells_what_it_sent(&report, &counted);
    }
}

/// Compares what a report says was sent with what was counted on the wire.
fn tells_what_it_sent(report: &Value, counted: &Counted) {
    let sent = &report["vantages"][0]["sent"];
    let number = |key: &str| {
        sent[key]
            .as_u64()
            .unwrap_or_else(|| panic!("{key}: {sent}"))
    };
    let told = || format!("{sent}, {counted:?}");
    // A repeat is counted by the clock, and the kernel sends it a moment later: a try may end between the two.
    let most = counted.syns + number("repeats");
    assert!(
        (counted.syns..=most).contains(&number("syns")),
        "{}",
        told()
    );
    let parts = sent["syns_for"].as_object().expect("parts");
    let in_parts: u64 = parts.values().filter_map(Value::as_u64).sum();
    assert_eq!(in_parts + number("repeats"), number("syns"), "{}", told());
    for part in ["needed", "closer-looks"] {
        assert!(parts.contains_key(part), "{}", told());
    }
    // The ends of its second are moments of a clock of its own.
    let (busiest, counted_busiest) = (number("most_in_a_second"), counted.most_syns_a_second);
    assert!(
        busiest.abs_diff(counted_busiest) <= 3 && busiest <= 50,
        "{}",
        told()
    );
    let places = number("most_sockets_at_an_address");
    assert!(
        (counted.most_sockets_of_a_host..=4).contains(&places),
        "{}",
        told()
    );
    assert_eq!(
        (&sent["announced"]["rate"], &sent["announced"]["per_host"]),
        (&Value::from(50), &Value::from(4))
    );
}
