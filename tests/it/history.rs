//! Runs that are kept: what changed is told once, a run that failed is told too, and no finished run is lost.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::schemas;

/// An address of loopback that no other test uses.
const ADDRESS: &str = "127.0.91.1";

/// One system on loopback with a required port.
struct Site {
    folder: TempDir,
    port: u16,
}

impl Site {
    fn new() -> Self {
        let held = TcpListener::bind((ADDRESS, 0)).expect("loopback");
        let port = held.local_addr().expect("an address").port();
        let folder = tempfile::tempdir().expect("a folder");
        let site = format!(
            "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ lab: {{ networks: [\"127.0.0.0/8\"] }} }}
systems: {{ web: {{ zone: lab, addresses: {{ default: {ADDRESS} }}, roles: [console] }} }}
probing: {{ second_look: off, timeout: 1s, rate: max, sweep: none }}
flows: [{{ from: lab, to: web, port: {port}, need: required }}]\n"
        );
        fs::write(folder.path().join("probes.yaml"), site).expect("a site file");
        Self { folder, port }
    }

    fn serve(&self) -> TcpListener {
        TcpListener::bind((ADDRESS, self.port)).expect("nobody else has it")
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("portproof"));
        command.args(words).args(["--keep", &self.path("kept")]);
        command
    }

    fn check(&self, more: &[&str]) -> (i32, String) {
        let site = self.path("probes.yaml");
        let words = [&["check", &site, "--from", "lab", "--no-path"][..], more].concat();
        said(self.command(&words).output().expect("it runs"))
    }

    fn history(&self, words: &[&str]) -> (i32, String) {
        let words = [&["history"][..], words].concat();
        said(self.command(&words).output().expect("it runs"))
    }

    fn runs(&self) -> Vec<Value> {
        let (status, text) = self.history(&["--format", "json", "--last", "1000"]);
        assert_eq!(status, 0, "{text}");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        schemas::assert_valid("history", &document);
        document["runs"].as_array().expect("runs").clone()
    }
}

/// The status and the text; of a command that failed, what it said of that.
fn said(output: Output) -> (i32, String) {
    let status = output.status.code().expect("a status");
    let bytes = match status {
        2 => output.stderr,
        _ => output.stdout,
    };
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[test]
fn a_change_is_told_once_and_its_end_too() {
    let site = Site::new();
    let notify = ["--notify-on", "change"];
    let served = site.serve();
    let (status, text) = site.check(&notify);
    assert_eq!(
        status, 0,
        "all is well, and there was no run before: {text}"
    );
    drop(served);
    let (status, text) = site.check(&notify);
    assert_eq!(status, 4, "{text}");
    assert!(
        text.contains("Worse") && text.contains("Who has to act"),
        "{text}"
    );
    let (status, text) = site.check(&notify);
    assert_eq!(status, 0, "{text}");
    assert!(
        text.starts_with("Nothing has changed since run 2: "),
        "{text}"
    );
    let _served = site.serve();
    let (status, text) = site.check(&notify);
    assert_eq!(status, 4, "{text}");
    assert!(text.contains("Better"), "{text}");
    let changed: Vec<Value> = site
        .runs()
        .iter()
        .map(|run| run["changed"]["worse"].clone())
        .collect();
    assert_eq!(
        changed,
        [Value::from(0), Value::from(0), Value::from(1), Value::Null]
    );
}

#[test]
fn without_a_wish_for_changes_a_kept_run_says_what_every_run_says() {
    let site = Site::new();
    let (status, text) = site.check(&[]);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("Who has to act"), "{text}");
    let (status, shown) = site.history(&["show", "1"]);
    assert_eq!(
        (status, shown),
        (1, text),
        "the same report, and its status"
    );
    let (status, _) = site.check(&[]);
    assert_eq!(status, 1);
    let (status, text) = site.history(&["diff"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("0 worse, 0 better"), "{text}");
    assert_eq!(site.history(&["diff", "1", "2"]), (status, text));
}

#[test]
fn a_run_that_failed_is_kept_with_its_reason_and_the_next_one_that_works_is_told() {
    let site = Site::new();
    let _served = site.serve();
    let file = site.path("probes.yaml");
    let good = fs::read_to_string(&file).expect("the site file");
    for (written, why) in [("site: {}", "the site file is refused"), ("", "")] {
        match written {
            "" => fs::remove_file(&file).expect("it is removed"),
            bad => fs::write(&file, bad).expect("it is written"),
        }
        let (status, text) = site.check(&["--notify-on", "change"]);
        assert_eq!(status, 2, "{text}");
        let last = site.runs()[0].clone();
        assert_eq!(last["exit_status"], 2);
        let kept = last["failure"].as_str().expect("a reason").to_string();
        assert!(kept.contains(why), "{kept}");
    }
    fs::write(&file, good).expect("it is written");
    let (status, text) = site.check(&["--notify-on", "change"]);
    assert_eq!(status, 4, "{text}");
    assert!(
        text.starts_with("The run before this one had no report."),
        "{text}"
    );
    let (status, text) = site.history(&[]);
    assert_eq!(status, 0);
    assert!(
        text.contains("no report: the site file is refused"),
        "{text}"
    );
    let (status, text) = site.history(&["show", "1"]);
    assert_eq!(status, 2);
    assert!(
        text.contains("run 1 of ") && text.contains("has no report"),
        "{text}"
    );
}

#[test]
fn what_is_not_there_is_said_before_a_packet_leaves() {
    let site = Site::new();
    let (status, text) = site.history(&[]);
    assert_eq!(status, 2);
    assert!(text.contains("there is no history in"), "{text}");
    fs::write(site.path("kept"), "a file").expect("it is written");
    let (status, text) = site.check(&[]);
    assert_eq!(status, 2);
    assert!(text.contains("kept cannot be made"), "{text}");
    fs::remove_file(site.path("kept")).expect("it is removed");
    let _ = site.check(&[]);
    let (status, text) = site.history(&["show", "7"]);
    assert_eq!(status, 2);
    assert!(text.contains("there is no run 7 here"), "{text}");
    let (status, text) = site.history(&["diff"]);
    assert_eq!(status, 2);
    assert!(text.contains("no two reports"), "{text}");
}

#[test]
fn where_nagios_reads_the_status_is_its_own_and_news_have_none() {
    let site = Site::new();
    let (status, text) = site.check(&["--format", "nagios"]);
    assert_eq!(status, 2, "something is wrong: critical: {text}");
    let (status, _) = site.history(&["show", "1", "--format", "nagios"]);
    assert_eq!(status, 2);
    let (status, text) = site.history(&["show", "7", "--format", "nagios"]);
    assert_eq!(status, 3);
    assert!(
        text.starts_with("PORTPROOF UNKNOWN - there is no run 7"),
        "{text}"
    );
    let (status, text) = site.check(&["--format", "nagios", "--notify-on", "change"]);
    assert_eq!(status, 3);
    assert!(text.contains("leave one out"), "{text}");
}

#[test]
fn checks_that_end_at_the_same_time_are_all_kept() {
    let site = Site::new();
    let _served = site.serve();
    let file = site.path("probes.yaml");
    let begin = |_| {
        let mut check = site.command(&["check", &file, "--from", "lab", "--no-path"]);
        check.stdout(Stdio::null()).stderr(Stdio::null());
        check.spawn().expect("it runs")
    };
    let mut checks: Vec<_> = (0..6).map(begin).collect();
    assert!(
        checks
            .iter_mut()
            .all(|it| it.wait().expect("it ends").success())
    );
    assert_eq!(site.runs().len(), 6);
}

/// Runs that are ended by force at any moment. What ended by itself is there, and what is there can be read.
#[test]
fn a_run_that_is_killed_leaves_the_history_whole() {
    let site = Site::new();
    let _served = site.serve();
    let file = site.path("probes.yaml");
    let words = ["check", &file, "--from", "lab", "--no-path"];
    let (_, text) = site.check(&[]);
    let mut finished = 1;
    for number in 0..40 {
        let mut run = site
            .command(&words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        sleep(Duration::from_millis(25 * (number % 20)));
        run.kill().expect("it is ended");
        finished += usize::from(run.wait().expect("it ends").success());
        assert!(Path::new(&site.path("kept")).is_dir());
        let kept = site.runs();
        assert!(
            kept.len() >= finished,
            "{} of {finished}: {text}",
            kept.len()
        );
        let last = kept[0]["id"].to_string();
        assert_eq!(
            site.history(&["show", &last]).0,
            0,
            "the last one can be read"
        );
    }
}
