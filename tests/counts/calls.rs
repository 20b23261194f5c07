//! Packets and calls of the kernel for each port of a sweep, as `strace` and the namespace's own counters have them.
//!
//! Needs root, `ip` and `strace`; without them the test fails and says so.

use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::row::Row;
use crate::{alone, each};

/// What a sweep cost.
struct Cost {
    /// Connections begun, and repeats of what began them.
    syns: u64,
    calls: u64,
}

/// Sweeps so many ports of a server that resets.
fn swept(row: &Row, ports: u64) -> Cost {
    let folder = tempfile::tempdir().expect("a folder");
    let last = 20_000 + ports - 1;
    let site = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ perimeter: {{ networks: [\"192.0.2.0/24\"] }}, intranet: {{ networks: [\"198.51.100.0/24\"] }} }}
firewalls: {{ back-end: {{ between: [perimeter, intranet] }} }}
systems: {{ h0: {{ zone: perimeter, names: {{ default: h0.example.com }}, addresses: {{ default: 192.0.2.10 }}, roles: [console] }} }}
probing: {{ second_look: off, dns: off, rate: max, authorised: \"a test\", sweep: \"20000-{last}\", per_host: 256 }}
"
    );
    fs::write(folder.path().join("probes.yaml"), site).expect("written");
    let before = syns(row);
    let status = Command::new("ip")
        .args(["netns", "exec", &row.names[0]])
        .args(["strace", "-f", "-c", "-U", "calls,name", "-o", "calls"])
        .arg(env!("CARGO_BIN_EXE_portproof"))
        .args(["check", "--from", "intranet", "--no-path"])
        .args(["--format", "json", "--output", "report.json"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("strace runs").code().is_some());
    let report = fs::read_to_string(folder.path().join("report.json"));
    let report = report.expect("a report: strace is needed, and scripts/test installs it");
    assert!(report.contains(&format!("20000-{last}")), "{report}");
    Cost {
        syns: syns(row) - before,
        calls: calls(&folder),
    }
}

/// The last line of the summary: all calls.
fn calls(folder: &TempDir) -> u64 {
    let text = fs::read_to_string(folder.path().join("calls")).expect("a summary");
    let total = text.lines().find(|line| line.ends_with("total"));
    let number = total.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("{text}"))
}

/// SYNs that left the client's namespace so far.
fn syns(row: &Row) -> u64 {
    let output = Command::new("ip")
        .args(["netns", "exec", &row.names[0], "cat", "/proc/net/snmp"])
        .output()
        .expect("ip runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let pairs = names.split_whitespace().zip(values.split_whitespace());
    pairs
        .filter(|(name, _)| ["ActiveOpens", "RetransSegs"].contains(name))
        .map(|(_, value)| value.parse::<u64>().expect("a number"))
        .sum()
}

#[test]
fn a_swept_port_that_resets_costs_one_packet_and_at_most_four_calls_of_the_kernel() {
    let _alone = alone();
    let row = Row::new();
    let (few, many) = (swept(&row, 1_000), swept(&row, 4_000));
    let syns = each((1_000, few.syns), (4_000, many.syns));
    assert!(
        (0.99..=1.01).contains(&syns),
        "{syns} packets for each port"
    );
    let calls = each((1_000, few.calls), (4_000, many.calls));
    assert!(calls <= 4.0, "{calls} calls for each port");
}
