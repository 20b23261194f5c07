//! Sweeps of hosts behind a firewall: what is found, what is lost, and what leaves this host.
//!
//! Needs root, `ip`, `nft` and Python 3; without them the test fails and says so.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::counter::Counter;
use crate::support::row::{Row, ip};
use crate::support::running::Running;
use serde_json::Value;
use tempfile::TempDir;

/// Listens on ports and holds what it accepts: the ports as arguments.
const HOLDS: &str = r#"
import resource, selectors, socket, sys, threading, os
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
events = selectors.DefaultSelector()
for port in map(int, sys.argv[1].split(",")):
    server = socket.create_server(("0.0.0.0", port), backlog=1024)
    server.setblocking(False)
    events.register(server, selectors.EVENT_READ)
print("ready", flush=True)
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
held = []
while True:
    for key, _ in events.select():
        try:
            held.append(key.fileobj.accept()[0])
        except OSError:
            pass
        if len(held) > 4000:
            del held[:2000]
"#;

const NAME: &str = "ibs01.example.com";
pub(crate) const AT: &str = "192.0.2.10";

pub(crate) struct Bed {
    pub(crate) row: Row,
    pub(crate) folder: TempDir,
    running: Vec<Running>,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self {
            row: Row::new(),
            folder: tempfile::tempdir().expect("a folder"),
            running: Vec::new(),
        }
    }

    pub(crate) fn listen(&mut self, ports: &BTreeSet<u16>) {
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        let held = Running::python(&self.row.names[2], HOLDS, &[&ports.join(",")]);
        self.running.push(held);
    }

    pub(crate) fn rules(&self, place: usize, rules: &str) {
        let file = self.folder.path().join("rules");
        fs::write(&file, rules).expect("written");
        let file = file.to_str().expect("a path");
        self.row.inside(place, &["nft", "-f", file]);
    }

    /// Packets that the firewall's rule with a counter saw.
    pub(crate) fn counted(&self) -> u64 {
        let output = Command::new("ip")
            .args(["netns", "exec", &self.row.names[1]])
            .args(["nft", "list", "chain", "inet", "wall", "forward"])
            .output()
            .expect("nft runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let after = text.split("counter packets ").nth(1);
        let number = after.and_then(|it| it.split_whitespace().next());
        number.and_then(|it| it.parse().ok()).expect("a counter")
    }

    pub(crate) fn command(&self, systems: &[&str], probing: &str) -> Command {
        let mut site = String::from(
            "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { perimeter: { networks: [\"192.0.2.0/24\"] }, intranet: { networks: [\"198.51.100.0/24\"] } }
firewalls: { back-end: { between: [perimeter, intranet] } }
systems:
",
        );
        for (number, address) in systems.iter().enumerate() {
            site += &format!(
                "  h{number}: {{ zone: perimeter, names: {{ default: h{number}.{NAME} }}, addresses: \
                 {{ default: {address} }}, roles: [console] }}\n"
            );
        }
        site += &format!(
            "probing: {{ second_look: off, dns: off, authorised: \"a test\", {probing} }}\n"
        );
        let file = self.folder.path().join("probes.yaml");
        fs::write(&file, site).expect("written");
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.row.names[0]])
            .arg(env!("CARGO_BIN_EXE_portproof"))
            .args([
                "check",
                "--from",
                "intranet",
                "--no-path",
                "--format",
                "json",
            ])
            .arg(file)
            .stdin(Stdio::null());
        command
    }

    /// Checks; what became of the ports of each system, by state.
    fn swept(&self, systems: &[&str], probing: &str) -> Vec<States> {
        let output = self.command(systems, probing).output().expect("it runs");
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        states(&report)
    }
}

/// Ports of a system, by state.
pub(crate) struct States(Value);

impl States {
    pub(crate) fn at(states: &Value) -> Self {
        Self(states.clone())
    }

    pub(crate) fn of(&self, state: &str) -> BTreeSet<u16> {
        let text = self.0[state].as_str().unwrap_or("");
        let ranges = text.split(',').filter(|range| !range.is_empty());
        ranges
            .flat_map(|range| {
                let (low, high) = range.split_once('-').unwrap_or((range, range));
                let number = |text: &str| text.parse::<u16>().expect("a port");
                number(low)..=number(high)
            })
            .collect()
    }
}

pub(crate) fn states(report: &Value) -> Vec<States> {
    let sweeps = report["sweeps"].as_array().expect("sweeps");
    sweeps
        .iter()
        .map(|it| States(it["states"].clone()))
        .collect()
}

/// Rules of the firewall for what it forwards.
pub(crate) fn wall(rules: &str) -> String {
    format!(
        "table inet wall {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
    {rules}
  }}
}}
"
    )
}

/// Drops so many of a hundred packets each way.
fn losing(percent: u8) -> String {
    format!(
        "table inet loss {{
  chain there {{ type filter hook forward priority 0; policy accept;
    iifname \"w0\" meta l4proto tcp numgen random mod 100 < {percent} drop
    oifname \"w0\" meta l4proto tcp numgen random mod 100 < {percent} drop
  }}
}}
"
    )
}

#[test]
fn of_all_ports_of_a_host_exactly_the_open_ones_are_found_and_messages_are_no_resets() {
    let mut bed = Bed::new();
    let open: BTreeSet<u16> = (1..=320).map(|number| number * 203).collect();
    bed.listen(&open);
    bed.rules(
        1,
        &wall(
            "tcp flags & (syn | ack) == syn counter comment \"all\"
             tcp dport 30001-30100 reject with icmp type port-unreachable
             tcp dport 30201-30210 reject with icmp type admin-prohibited",
        ),
    );
    let probing = "rate: max, sweep: all, in_flight: 1000, per_host: 1000";
    let swept = bed.swept(&[AT], probing);
    let syns = bed.counted();
    assert!(
        (65_000..66_500).contains(&syns),
        "{syns} packets for 65,535 ports that answer"
    );
    let rejected: BTreeSet<u16> = (30_001..=30_100).chain(30_201..=30_210).collect();
    // What the plan itself tries is no part of the sweep.
    let tried: BTreeSet<u16> = ["open", "rejected", "closed", "filtered", "silent"]
        .iter()
        .flat_map(|state| swept[0].of(state))
        .collect();
    assert!(tried.len() > 65_000, "{}", tried.len());
    let of = |expected: &BTreeSet<u16>| -> BTreeSet<u16> {
        expected.intersection(&tried).copied().collect()
    };
    assert_eq!(swept[0].of("rejected"), of(&rejected));
    assert_eq!(
        swept[0].of("open"),
        of(&open.difference(&rejected).copied().collect())
    );
    assert_eq!(
        swept[0].of("filtered").len() + swept[0].of("silent").len(),
        0
    );
}

#[test]
fn where_packets_are_lost_every_open_port_is_found() {
    let mut bed = Bed::new();
    let open: BTreeSet<u16> = (10_001..=11_000).collect();
    bed.listen(&open);
    for percent in [10, 20] {
        bed.rules(1, &losing(percent));
        let probing = "rate: max, sweep: \"10001-11000\", in_flight: 1000, per_host: 1000";
        let swept = bed.swept(&[AT], probing);
        assert_eq!(
            swept[0].of("open").len(),
            1_000,
            "{percent} % are lost each way"
        );
        bed.row
            .inside(1, &["nft", "delete", "table", "inet", "loss"]);
    }
}

#[test]
fn silence_of_many_ports_is_proved_and_no_packet_is_repeated_by_the_system() {
    let mut bed = Bed::new();
    bed.listen(&BTreeSet::from([443]));
    bed.rules(
        1,
        &wall("ip daddr 192.0.2.10 tcp dport 2000-2499 drop\nip daddr 192.0.2.11 drop"),
    );
    ip(&[
        "-n",
        &bed.row.names[2],
        "addr",
        "add",
        "192.0.2.11/24",
        "dev",
        "s0",
    ]);
    let counter = Counter::start(&bed.row, 2_000);
    let probing = "rate: max, sweep: \"440-450,2000-2499\", in_flight: 2000, per_host: 1000";
    let begun = Instant::now();
    let swept = bed.swept(&[AT, "192.0.2.11"], probing);
    let took = begun.elapsed();
    let counted = counter.counted();
    let silent: BTreeSet<u16> = (2_000..=2_499).collect();
    assert_eq!(swept[0].of("filtered"), silent, "{:?}", swept[0].0);
    assert!(
        swept[1].of("filtered").is_superset(&silent),
        "{:?}",
        swept[1].0
    );
    assert!(took < Duration::from_secs(20), "{took:?}");
    // The most tries of a port at two addresses, and no repeat beside.
    assert!(counted.most_of_a_port < 60, "{counted:?}");
}

#[test]
fn a_sweep_keeps_to_its_rate_and_to_the_sockets_of_a_host() {
    let mut bed = Bed::new();
    bed.listen(&BTreeSet::from([443, 2_100]));
    bed.rules(1, &wall("tcp dport 2000-2099 drop"));
    let counter = Counter::start(&bed.row, 2_000);
    bed.swept(
        &[AT],
        "rate: 200/s, sweep: \"2000-2199\", in_flight: 100, per_host: 4",
    );
    let counted = counter.counted();
    assert!(counted.syns > 600, "{counted:?}");
    assert!(counted.most_syns_a_second <= 200, "{counted:?}");
    assert!(counted.most_sockets_of_a_host <= 4, "{counted:?}");
}

#[test]
fn a_sweep_of_silence_ends_within_a_second_when_it_is_interrupted() {
    let bed = Bed::new();
    bed.rules(1, &wall("drop"));
    // Nothing answers at all: of its own it would make few tries.
    let probing = "rate: max, sweep: all, in_flight: 10000, per_host: 10000, attempts: 9";
    let mut command = bed.command(&[AT], probing);
    let running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut running = running.expect("it runs");
    let mut told = BufReader::new(running.stderr.take().expect("what it tells"));
    let mut line = String::new();
    told.read_line(&mut line).expect("it tells what it does");
    // The flows of the plan are silent as well, and come first.
    let of_sweep = Instant::now();
    while under_way(&bed) < 9_000 {
        assert!(
            of_sweep.elapsed() < Duration::from_secs(120),
            "it never sweeps"
        );
        sleep(Duration::from_millis(50));
    }
    let pid = running.id().to_string();
    let stopped = Instant::now();
    let status = Command::new("kill").args(["-INT", &pid]).status();
    assert!(status.expect("kill runs").success());
    let output = running.wait_with_output().expect("it ends");
    let took = stopped.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let swept = &states(&report)[0];
    // Only what the plan itself had tried is proved.
    assert!(swept.of("filtered").len() < 100, "{:?}", swept.0);
    let said = swept.of("silent").len() + swept.of("not-tried").len();
    assert!(said > 65_000, "{said} ports are accounted for");
}

/// Connection attempts under way in the client's namespace.
fn under_way(bed: &Bed) -> usize {
    let output = Command::new("ip")
        .args([
            "netns",
            "exec",
            &bed.row.names[0],
            "cat",
            "/proc/net/sockstat",
        ])
        .output()
        .expect("ip runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let tcp = text.lines().find(|line| line.starts_with("TCP:"));
    let words: Vec<&str> = tcp.unwrap_or("").split_whitespace().collect();
    words
        .get(2)
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
