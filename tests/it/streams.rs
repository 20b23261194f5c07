//! Every command with standard output and standard error that are closed, full or read by nobody. None ends in a panic,
//! none loses its exit status.
#![cfg(unix)]

use std::fs;
use std::io::pipe;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use crate::support::executable;
use crate::support::files::{Bed, printed, said};

/// Every command, as words with a space between, and its exit status when nothing is in its way.
const COMMANDS: [(&str, i32); 46] = [
    ("agent nowhere.yaml", 2),
    ("check --lab", 1),
    ("check --lab --healthy --format json", 0),
    ("check nowhere.yaml", 2),
    ("plan", 0),
    ("plan --format json", 0),
    ("plan --format csv", 0),
    ("plan --format markdown", 0),
    ("plan --format nftables --firewall front-end", 0),
    ("plan --format iptables --firewall front-end", 0),
    ("plan --format windows --firewall ibs01", 0),
    ("plan --format asa --firewall front-end", 0),
    ("plan --format panos --firewall front-end", 0),
    ("plan --format asa --output rules/", 0),
    ("plan --against probes.yaml", 0),
    ("init", 2),
    (
        "init - --code PRI --product configmgr-2007 --intranet 10.0.0.0/8 --site-server cm01.corp.example,10.0.0.5,SQL,MP",
        0,
    ),
    ("import export.json -o -", 0),
    ("import bad.json", 2),
    ("example", 0),
    ("example nothing-of-the-kind", 2),
    ("explain", 0),
    ("explain no-answer --format json", 0),
    ("explain nothing-of-the-kind", 2),
    ("report bad.json", 1),
    ("report good.json --format json", 0),
    ("report good.json bad.json", 1),
    ("diff good.json bad.json", 1),
    ("diff bad.json good.json --format json", 0),
    ("history", 2),
    ("serve nowhere.yaml", 2),
    ("schema serve", 0),
    ("schema job", 0),
    ("schema config", 0),
    ("schema report", 0),
    ("schema plan", 0),
    ("schema change", 0),
    ("completions bash", 0),
    ("completions zsh", 0),
    ("licences", 0),
    ("man", 0),
    ("--version", 0),
    ("help", 0),
    ("check --help", 0),
    ("check --nonsense", 2),
    (
        "listen --as ibs01 --address 192.0.2.77 --for 1s --token-file token",
        2,
    ),
];

fn bed() -> Bed {
    let bed = Bed::new();
    fs::write(bed.path("token"), "0123456789abcdef0123456789abcdef").expect("written");
    let export = "fuzz/seeds/site_export/list.json";
    fs::copy(export, bed.path("export.json")).expect("copied");
    // Of another host: of one vantage only the later report would count.
    let text = fs::read_to_string(bed.path("bad.json")).expect("a report");
    let mut bad: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    bad["vantages"][0]["host"] = "another".into();
    fs::write(bed.path("bad.json"), bad.to_string()).expect("written");
    bed
}

/// Runs a command with streams of a shell, such as `2>&-`.
fn with(bed: &Bed, command: &str, streams: &str) -> Output {
    bed.shell(&[], &format!("exec $P {command} {streams}"))
}

/// A pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn no_command_is_left_out() {
    let help = printed(&Bed::new().run(&["help"]));
    let listed = help.split("\nCommands:\n").nth(1).expect("commands");
    let listed = listed.split("\n\n").next().expect("commands").lines();
    let names: Vec<&str> = listed
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        let is_there = COMMANDS
            .iter()
            .any(|(command, _)| command.split(' ').next() == Some(name));
        assert!(is_there, "`{name}` is to be tried with odd streams too");
    }
}

#[test]
fn standard_error_that_cannot_be_written_changes_nothing() {
    let bed = bed();
    for (command, status) in COMMANDS {
        for streams in ["2>/dev/full", "2>&-"] {
            let ended = with(&bed, command, streams);
            assert_eq!(ended.status.code(), Some(status), "{command} {streams}");
            assert_eq!(
                printed(&ended).is_empty(),
                status == 2 || command.contains("--output"),
                "{command} {streams}"
            );
        }
        let words: Vec<&str> = command.split(' ').collect();
        let ended = bed
            .command(&words)
            .stderr(unread())
            .output()
            .expect("it runs");
        assert!(bed.names(".portproof").is_empty(), "{command}");
        assert_eq!(
            ended.status.code(),
            Some(status),
            "{command} into a closed pipe"
        );
    }
}

#[test]
fn a_closed_standard_output_keeps_the_exit_status() {
    let bed = bed();
    for (command, status) in COMMANDS {
        let words: Vec<&str> = command.split(' ').collect();
        let ended = bed
            .command(&words)
            .stdout(unread())
            .stderr(Stdio::piped())
            .output();
        let ended = ended.expect("it runs");
        assert_eq!(
            ended.status.code(),
            Some(status),
            "{command} into a closed pipe: {}",
            said(&ended)
        );
        let ended = bed
            .command(&words)
            .stdout(unread())
            .stderr(unread())
            .status();
        assert_eq!(
            ended.expect("it runs").code(),
            Some(status),
            "{command} into closed pipes"
        );
        let ended = with(&bed, command, ">&- 2>&-");
        assert_eq!(ended.status.code(), Some(status), "{command} >&- 2>&-");
    }
}

#[test]
fn a_full_standard_output_is_a_failure_in_one_line() {
    let bed = bed();
    for (command, status) in COMMANDS {
        let prints = status != 2 && !command.contains("--output");
        let ended = with(&bed, command, ">/dev/full");
        let expected = if prints { 2 } else { status };
        assert_eq!(
            ended.status.code(),
            Some(expected),
            "{command}: {}",
            said(&ended)
        );
        let ended_in = said(&ended);
        let failures = ended_in
            .lines()
            .filter(|line| line.starts_with("portproof: "));
        let failures: Vec<&str> = failures.collect();
        if prints {
            assert_eq!(
                failures,
                ["portproof: writing to standard output: No space left on device (os error 28)"]
            );
        }
        assert!(!ended_in.contains("panicked"), "{command}: {ended_in}");
        let ended = with(&bed, command, ">/dev/full 2>/dev/full");
        assert_eq!(
            ended.status.code(),
            Some(expected),
            "{command} with both full"
        );
    }
}

#[test]
fn a_listener_goes_on_without_standard_error() {
    let bed = bed();
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let port = free.expect("loopback").port();
    let site = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ internet: {{ networks: [\"127.0.0.0/8\"] }}, perimeter: {{ networks: [\"192.0.2.0/24\"] }} }}
firewalls: {{ front-end: {{ between: [internet, perimeter] }} }}
systems: {{ web: {{ zone: perimeter, addresses: {{ default: 127.0.0.1 }}, roles: [console] }} }}
probing: {{ second_look: off, sweep: none }}
flows: [{{ from: internet, to: web, port: {port}, need: required }}]
"
    );
    fs::write(bed.path("site.yaml"), site).expect("written");
    for streams in ["2>/dev/full", "2>&-", ">/dev/full 2>/dev/full"] {
        let command = "listen site.yaml --as web --for 1s --token-file token --log arrivals.json";
        let ended = with(&bed, command, streams);
        assert_eq!(ended.status.code(), Some(0), "{streams}");
        let log: serde_json::Value =
            serde_json::from_str(&bed.text("arrivals.json")).expect("a log");
        assert_eq!(log["ports"][0]["state"], "listening", "{streams}");
        fs::remove_file(bed.path("arrivals.json")).expect("removed");
    }
}

#[test]
fn a_log_of_what_the_program_does_is_lost_without_a_fault() {
    let bed = bed();
    for streams in ["2>/dev/full", "2>&-"] {
        let ended = bed.shell(
            &[],
            &format!("PORTPROOF_LOG=trace exec $P check --lab {streams}"),
        );
        assert_eq!(ended.status.code(), Some(1), "{streams}");
        assert!(printed(&ended).contains("Who has to act"), "{streams}");
    }
}

/// Runs a command as a user of its own who may have so many threads.
fn with_threads(bed: &Bed, threads: usize, command: &str) -> Output {
    let limit = format!("--nproc={threads}:{threads}");
    let mut words = vec![];
    // Root has no limit.
    if nix::unistd::geteuid().is_root() {
        words.extend([
            "setpriv",
            "--reuid=54321",
            "--regid=54321",
            "--clear-groups",
        ]);
    }
    words.extend(["prlimit", &limit, "./portproof"]);
    words.extend(command.split(' '));
    let mut run = Command::new(words[0]);
    run.args(&words[1..])
        .current_dir(bed.root())
        .stdin(Stdio::null());
    run.output()
        .expect("setpriv and prlimit are needed: scripts/test installs them")
}

#[test]
fn threads_that_cannot_be_had_are_said_in_one_line() {
    let bed = bed();
    executable::copy(env!("CARGO_BIN_EXE_portproof"), bed.path("portproof"));
    for name in [".", "portproof"] {
        let permissions = fs::Permissions::from_mode(0o755);
        fs::set_permissions(bed.path(name), permissions).expect("set");
    }
    let listen = "listen --as ibs01 --address 127.0.0.1 --for 1s --token-file token";
    for command in ["check --lab", listen] {
        for threads in 1..=4 {
            let ended = with_threads(&bed, threads, command);
            let said = said(&ended);
            assert_eq!(ended.status.code(), Some(2), "{threads}, {command}: {said}");
            let failures = said
                .lines()
                .filter(|line| line.starts_with("portproof: "))
                .count();
            assert!(
                failures == 1 && said.contains("threads"),
                "{threads}, {command}: {said}"
            );
            assert!(!said.contains("panicked"), "{threads}, {command}: {said}");
            assert_eq!(printed(&ended), "");
        }
    }
    let enough = with_threads(&bed, 5, "check --lab");
    assert_eq!(enough.status.code(), Some(1), "{}", said(&enough));
    for command in ["plan", "report bad.json", "schema plan"] {
        let ended = with_threads(&bed, 1, command);
        assert!(
            ended.status.code().is_some_and(|it| it < 2),
            "{command}: {}",
            said(&ended)
        );
    }
}
