//! A sweep that is interrupted and gone on with: what is tried again, what is not, and what the report says in the end.
//!
//! Needs root, `ip`, `nft` and Python 3; without them the test fails and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::counter::Counter;
use crate::sweeps::{AT, Bed, States, states, wall};

/// Packets that began a connection to each port.
type Tried = BTreeMap<u16, u64>;

/// The state of each finished port.
type Finished = BTreeMap<u16, &'static str>;

const STATES: [&str; 6] = [
    "open",
    "closed",
    "rejected",
    "filtered",
    "silent",
    "not-tried",
];

/// Checks, and ends the run with Ctrl-C as soon as the firewall has counted so many packets more.
fn interrupted(bed: &Bed, mut command: Command, packets: u64) -> Value {
    let at = bed.counted() + packets;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = command.spawn().expect("it runs");
    let begun = Instant::now();
    while bed.counted() < at {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "it never sweeps"
        );
        sleep(Duration::from_millis(20));
    }
    let pid = running.id().to_string();
    let status = Command::new("kill").args(["-INT", &pid]).status();
    assert!(status.expect("kill runs").success());
    let output = running.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    let how = "--resume with this report goes on with it";
    assert!(told.contains(how), "{told}");
    report(&output)
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// What goes on with a report.
fn resumed(bed: &Bed, probing: &str, earlier: &Value) -> Command {
    let file: PathBuf = bed.folder.path().join("r.json");
    fs::write(&file, earlier.to_string()).expect("written");
    let mut command = bed.command(&[AT], probing);
    command.arg("--resume").arg(file);
    command
}

fn checked(mut command: Command) -> Value {
    report(&command.output().expect("it runs"))
}

/// Ports that the interrupted run had finished, by state.
fn finished(report: &Value) -> States {
    let at = &report["sweeps"][0]["interrupted"][0];
    assert_eq!(at["address"], AT, "{}", report["sweeps"]);
    States::at(&at["states"])
}

/// The state of each port of a range; a port has one.
fn each(states: &States, of: &BTreeSet<u16>) -> Finished {
    let mut each = BTreeMap::new();
    for state in STATES {
        for port in states.of(state).intersection(of) {
            assert_eq!(each.insert(*port, state), None, "{port}");
        }
    }
    each
}

/// What a report says of swept ports of a range as flows of their own.
fn findings(report: &Value, of: &BTreeSet<u16>) -> Vec<[String; 4]> {
    let flows = report["flows"].as_array().expect("flows").iter();
    let of_sweep = flows.filter(|flow| flow["rules"][0] == "sweep");
    let of_it = of_sweep.filter(|flow| {
        let port = flow["port"].as_u64().and_then(|it| u16::try_from(it).ok());
        port.is_some_and(|port| of.contains(&port))
    });
    let text = |flow: &Value, key: &str| flow[key].as_str().expect("a word").to_string();
    of_it
        .map(|flow| ["id", "verdict", "cause", "level"].map(|key| text(flow, key)))
        .collect()
}

#[test]
fn a_resumed_sweep_tries_what_is_left_and_says_what_one_whole_run_says() {
    let mut bed = Bed::new();
    bed.listen(&BTreeSet::from([2_100, 4_100]));
    bed.rules(
        1,
        &wall(
            "tcp dport 2000-5999 tcp flags & (syn | ack) == syn counter
             tcp dport { 2500-2509, 4500-4509 } drop
             tcp dport { 3000, 5000 } reject with icmp type admin-prohibited",
        ),
    );
    let probing = "rate: 800/s, sweep: \"2000-5999\", in_flight: 200, per_host: 200";
    let swept: BTreeSet<u16> = (2_000..=5_999).collect();
    let whole = checked(bed.command(&[AT], probing));
    assert_eq!(whole["sweeps"][0]["interrupted"], Value::Null);

    let counter = Counter::start(&bed.row, 2_000);
    let first = interrupted(&bed, bed.command(&[AT], probing), 1_500);
    let in_first = counter.counted().by_port;
    let by_first = each(&finished(&first), &swept);
    assert!(
        (1_000..2_500).contains(&by_first.len()),
        "{}",
        by_first.len()
    );
    assert_eq!(by_first.get(&2_100), Some(&"open"));
    assert_eq!(by_first.get(&3_000), Some(&"rejected"));

    let counter = Counter::start(&bed.row, 2_000);
    let second = interrupted(&bed, resumed(&bed, probing, &first), 1_000);
    let in_second = counter.counted().by_port;
    let by_second = each(&finished(&second), &swept);
    assert!(by_second.len() > by_first.len() + 500);

    let counter = Counter::start(&bed.row, 2_000);
    let output = resumed(&bed, probing, &second).output().expect("it runs");
    let in_third = counter.counted().by_port;

    let tried_again = |now: &Tried, done: &Finished| -> Vec<u16> {
        let again = now.keys().filter(|port| done.contains_key(port));
        again.copied().collect()
    };
    assert_eq!(tried_again(&in_second, &by_first), [0; 0]);
    assert_eq!(tried_again(&in_third, &by_second), [0; 0]);
    for (tried, done) in [(&in_first, &by_first), (&in_second, &by_second)] {
        // A port that opened is asked again, to show that the path works while others are silent.
        let answered = |port: &u16| ["closed", "rejected"].contains(done.get(port).unwrap_or(&""));
        let more = tried.iter().filter(|it| answered(it.0) && *it.1 > 1);
        assert_eq!(more.count(), 0, "ports that answered are tried once");
    }
    let all = [in_first, in_second, in_third].into_iter().flatten();
    let tried: BTreeSet<u16> = all.map(|(port, _)| port).collect();
    let left_out: BTreeSet<_> = swept.difference(&tried).collect();
    assert!(left_out.is_empty(), "{left_out:?}");

    let told = String::from_utf8_lossy(&output.stderr);
    let how_many = format!("{} ports are finished", by_second.len());
    assert!(told.contains(&how_many), "{told}");
    let report = report(&output);
    assert_eq!(
        each(&states(&report)[0], &swept),
        each(&states(&whole)[0], &swept)
    );
    assert_eq!(findings(&report, &swept), findings(&whole, &swept));
    assert_eq!(findings(&report, &swept).len(), 2, "two ports are open");
    for (run, earlier) in [&first, &second].into_iter().enumerate() {
        let said = &report["sweeps"][0]["earlier"][run];
        for time in ["started", "finished"] {
            assert_eq!(said[time], earlier["vantages"][0][time]);
        }
    }
    let notes = report["notes"].to_string();
    assert!(notes.contains("swept-earlier"), "{notes}");
    assert_eq!(report["sweeps"][0]["interrupted"], Value::Null);

    // It is whole now, and says so.
    let output = resumed(&bed, probing, &report).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("nothing is left to go on with"), "{told}");
}

#[test]
fn silence_of_what_is_left_needs_an_answer_of_its_own_time() {
    let mut bed = Bed::new();
    bed.listen(&BTreeSet::from([443]));
    // No flow of the plan is answered.
    let rules = "tcp dport 20000-20999 tcp flags & (syn | ack) == syn counter
                 iifname \"w0\" tcp dport != 20000-20299 drop";
    bed.rules(1, &wall(rules));
    let probing = "rate: 400/s, sweep: \"20000-20999\", in_flight: 200, per_host: 200";
    let earlier = interrupted(&bed, bed.command(&[AT], probing), 450);
    let finished = finished(&earlier);
    let closed: BTreeSet<u16> = (20_000..=20_299).collect();
    assert_eq!(finished.of("closed"), closed);
    let left: BTreeSet<u16> = (20_300..=20_999)
        .filter(|port| !finished.of("filtered").contains(port))
        .collect();
    assert!(left.len() > 400, "{}", left.len());

    let counter = Counter::start(&bed.row, 2_000);
    let report_now = checked(resumed(&bed, probing, &earlier));
    let again = counter.counted().by_port;
    let again = again.keys().filter(|port| closed.contains(port)).count();
    assert!(
        (1..=2).contains(&again),
        "{again} ports show that the host is there"
    );
    let proved = states(&report_now)[0].of("filtered");
    let not_proved: BTreeSet<_> = left.difference(&proved).collect();
    assert!(not_proved.is_empty(), "{not_proved:?}");

    // Now the host has gone, or shut this one out.
    bed.row.inside(1, &["nft", "flush", "ruleset"]);
    bed.rules(1, &wall("counter drop"));
    let report_now = checked(resumed(&bed, probing, &earlier));
    let states = &states(&report_now)[0];
    let silent = states.of("silent");
    assert!(silent.is_superset(&left), "{:?}", left.difference(&silent));
    assert!(states.of("filtered").is_disjoint(&left));
    assert_eq!(states.of("closed"), closed);
}

#[test]
fn silence_of_a_host_that_was_down_is_tried_again_once_it_is_up() {
    let mut bed = Bed::new();
    bed.listen(&BTreeSet::from([20_050]));
    bed.rules(1, &wall("tcp dport 20000-20299 counter\n    drop"));
    let probing = "rate: 400/s, sweep: \"20000-20299\", in_flight: 200, per_host: 200";
    let mut earlier = interrupted(&bed, bed.command(&[AT], probing), 150);
    // The silence of these was proved before the end.
    earlier["sweeps"][0]["interrupted"][0]["states"] = json!({"filtered": "20000-20199"});
    let done: BTreeSet<u16> = (20_000..=20_199).collect();

    let counter = Counter::start(&bed.row, 2_000);
    let report = checked(resumed(&bed, probing, &earlier));
    let again = counter.counted().by_port;
    assert!(again.keys().all(|port| !done.contains(port)), "{again:?}");
    assert!(states(&report)[0].of("filtered").is_superset(&done));

    bed.row.inside(1, &["nft", "flush", "ruleset"]);
    let report = checked(resumed(&bed, probing, &earlier));
    let states = &states(&report)[0];
    assert_eq!(states.of("open"), BTreeSet::from([20_050]));
    assert!(states.of("filtered").is_disjoint(&done));
    assert_eq!(report["sweeps"][0]["earlier"], Value::Null);
}
