//! `portproof serve` as a service manager runs it: against a port of this host, with a receiver of messages.
#![cfg(unix)]

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use percent_encoding::NON_ALPHANUMERIC;
use serde_json::Value;

use crate::alerts::{Request, answer, receiver};
use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::{ports, schemas};

/// A site with one port of this host, the file of the daemon, and its history.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    port: u16,
    /// Where its runs are kept.
    kept: String,
}

impl Place {
    pub(crate) fn new(checks: &str, channels: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = folder.path().join("runs").display().to_string();
        Self::made(folder, ("history: runs", &runs), checks, channels)
    }

    /// The same, with its history in a database of a server.
    fn on(server: &Postgres, checks: &str, channels: &str) -> Self {
        let kept = server.near(&server.database());
        let folder = tempfile::tempdir().expect("a folder");
        let home = format!("database: \"{kept}\"");
        Self::made(folder, (&home, &kept), checks, channels)
    }

    fn made(
        folder: tempfile::TempDir,
        (home, kept): (&str, &str),
        checks: &str,
        channels: &str,
    ) -> Self {
        let port = ports::free(Ipv4Addr::LOCALHOST).port();
        let kept = kept.to_string();
        let place = Self { folder, port, kept };
        place.write("probes.yaml", &place.site());
        place.write(
            "serve.yaml",
            &format!("{home}\nchecks: {{ pri: {{ site: probes.yaml, from: here, jitter: 1ms, {checks} }} }}\n{channels}"),
        );
        place
    }

    pub(crate) fn site(&self) -> String {
        format!(
            "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
systems: {{ web: {{ zone: there, addresses: {{ default: 127.0.0.1 }}, roles: [console] }} }}
flows: [{{ from: here, to: web, port: {}, need: required }}]
probing: {{ second_look: off, timeout: 1s, rate: max, dns: off, sweep: none }}
",
            self.port
        )
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file in its place as a whole: whoever reads it meanwhile sees no half of it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let new = self.file("new");
        fs::write(&new, text).expect("written");
        fs::rename(new, self.file(name)).expect("in its place");
    }

    /// Somebody listens on the port.
    pub(crate) fn listens(&self) -> TcpListener {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)) {
                Ok(listener) => return listener,
                Err(why) => assert!(Instant::now() < deadline, "{why}"),
            }
            sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn serves(&self) -> Daemon {
        let said = fs::File::options()
            .create(true)
            .append(true)
            .open(self.file("said"))
            .expect("a file");
        let process = Command::new(env!("CARGO_BIN_EXE_portproof"))
            .args([Path::new("serve"), &self.file("serve.yaml")])
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .expect("it begins");
        Daemon(process)
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.file("said")).expect("text")
    }

    pub(crate) fn until_said(&self, words: &str, times: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.said().matches(words).count() < times {
            assert!(Instant::now() < deadline, "{words}: {}", self.said());
            sleep(Duration::from_millis(20));
        }
    }

    fn history(&self) -> Vec<Value> {
        let listed = Command::new(env!("CARGO_BIN_EXE_portproof"))
            .args(["history", "--format", "json", "--last", "100000", "--keep"])
            .arg(&self.kept)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&listed.stderr);
        let list: Value =
            serde_json::from_slice(&listed.stdout).unwrap_or_else(|_| panic!("{said}"));
        list["runs"].as_array().expect("runs").clone()
    }
}

/// A daemon that ends with its test.
pub(crate) struct Daemon(pub(crate) Child);

impl Daemon {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id() as i32), signal).expect("it lives");
    }

    /// How long it took to stop.
    pub(crate) fn stops(mut self) -> Duration {
        let asked = Instant::now();
        self.signal(Signal::SIGTERM);
        let status = self.0.wait().expect("it ends");
        assert_eq!(status.code(), Some(0));
        asked.elapsed()
    }

    fn ends_by_force(mut self) {
        self.signal(Signal::SIGKILL);
        self.0.wait().expect("it ends");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn next(requests: &Receiver<Request>) -> Value {
    let request = requests.recv_timeout(Duration::from_secs(60));
    request.expect("a message").json()
}

fn channel(at: std::net::SocketAddr) -> String {
    format!("alerts: [{{ name: team, webhook: {{ url: \"http://{at}/\" }} }}]")
}

#[test]
fn a_fault_is_told_once_and_once_that_it_is_mended() {
    let (at, requests) = receiver(&answer("204 No Content"));
    let place = Place::new("every: 1s, after: 2", &channel(at));
    let server = place.listens();
    let daemon = place.serves();
    place.until_said("run 2: 1 ok", 1);
    drop(server);
    let worse = next(&requests);
    assert_eq!(worse["raised"][0]["verdict"], "down", "{worse}");
    assert_eq!(worse["cleared"].as_array().map(Vec::len), Some(0));
    place.until_said(": 1 down", 4);
    let _server = place.listens();
    let better = next(&requests);
    assert_eq!(
        better["cleared"][0]["flow"], worse["raised"][0]["flow"],
        "{better}"
    );
    place.until_said(": 1 ok", 7);
    assert!(requests.try_recv().is_err(), "one message for each change");
    daemon.stops();
    let changes = place
        .history()
        .iter()
        .filter(|run| run["changed"]["worse"] == 1)
        .count();
    assert_eq!(changes, 1);
}

#[test]
fn a_message_outlives_a_receiver_in_trouble_and_a_killed_daemon_and_so_does_the_count_of_runs() {
    let (silent, _requests) = receiver(&answer("503 Service Unavailable"));
    let place = Place::new("every: 4s, after: 3", &channel(silent));
    let daemon = place.serves();
    place.until_said("run 2: 1 down", 1);
    daemon.ends_by_force();
    assert!(!place.said().contains("was not told"), "{}", place.said());
    let daemon = place.serves();
    place.until_said("team was not told, next try in 5 s", 1);
    daemon.ends_by_force();
    // The receiver has moved.
    let (at, requests) = receiver(&answer("204 No Content"));
    let file = fs::read_to_string(place.file("serve.yaml")).expect("text");
    let moved = file.replace(&silent.to_string(), &at.to_string());
    place.write("serve.yaml", &moved);
    let daemon = place.serves();
    let told = next(&requests);
    assert_eq!(told["run"], 3, "{told}");
    place.until_said(": 1 down", 6);
    assert!(requests.try_recv().is_err(), "it is told once");
    daemon.stops();
}

#[test]
fn what_a_check_had_told_is_cleared_when_the_check_is_removed_and_what_waits_is_told_before() {
    let (silent, _requests) = receiver(&answer("503 Service Unavailable"));
    let place = Place::new("every: 1s, after: 1", &channel(silent));
    let daemon = place.serves();
    place.until_said("team was not told", 1);
    daemon.ends_by_force();
    let (at, requests) = receiver(&answer("204 No Content"));
    let file = fs::read_to_string(place.file("serve.yaml")).expect("text");
    let other = file.replace("{ pri: {", "{ other: {");
    place.write(
        "serve.yaml",
        &other.replace(&silent.to_string(), &at.to_string()),
    );
    let daemon = place.serves();
    let [raised, cleared, anew] = [(); 3].map(|()| next(&requests));
    assert_eq!(raised["raised"][0]["verdict"], "down", "{raised}");
    assert_eq!(cleared["cleared_others"][0], raised["raised"][0]["flow"]);
    let headline = cleared["headline"].as_str().expect("a line");
    assert!(headline.contains("the check was removed"), "{headline}");
    for key in ["site", "place"] {
        assert_eq!(
            cleared[key], raised[key],
            "a receiver finds what this clears"
        );
    }
    assert_eq!(anew["place"], "here (check other)", "{anew}");
    // When later runs are kept, the message before it is out of the queue.
    place.until_said("told team", 3);
    let next_runs = |place: &Place| {
        let runs = place.said().matches(": 1 down").count();
        place.until_said(": 1 down", runs + 2);
    };
    next_runs(&place);
    daemon.stops();
    let daemon = place.serves();
    next_runs(&place);
    daemon.stops();
    assert!(requests.try_recv().is_err(), "each is told once");
}

#[test]
fn a_site_file_that_is_refused_is_said_and_the_one_before_is_used_until_it_is_mended() {
    let place = Place::new("every: 1s", "");
    let _server = place.listens();
    let daemon = place.serves();
    place.until_said("run 1: 1 ok", 1);
    let good = place.site();
    place.write("probes.yaml", "site: {");
    place.until_said("it goes on with the one before: ", 1);
    place.until_said("unclosed bracket", 1);
    let runs = place.said().matches(": 1 ok").count();
    place.until_said(": 1 ok", runs + 2);
    place.write("probes.yaml", &good);
    daemon.signal(Signal::SIGHUP);
    place.until_said("its site file is again what it goes on with", 1);
    let more = good.replace(
        "need: required }",
        "need: required }, { from: here, to: web, port: 9, need: optional }",
    );
    place.write("probes.yaml", &more);
    daemon.signal(Signal::SIGHUP);
    place.until_said("its site file has changed", 1);
    place.until_said(": 2 ok", 1);
    assert_eq!(
        place.said().matches("goes on with the one before").count(),
        1
    );
    daemon.stops();
}

#[test]
fn a_check_whose_site_file_was_never_good_is_told_and_kept_as_failed() {
    let (at, requests) = receiver(&answer("204 No Content"));
    let place = Place::new("every: 1s, after: 2", &channel(at));
    place.write("probes.yaml", "site: {");
    let daemon = place.serves();
    let failed = next(&requests);
    assert!(
        failed["failure"]
            .as_str()
            .is_some_and(|why| why.contains("probes.yaml")),
        "{failed}"
    );
    let _server = place.listens();
    place.write("probes.yaml", &place.site());
    let again = next(&requests);
    assert_eq!(again["recovered"], true, "{again}");
    daemon.stops();
    let runs = place.history();
    let failures = runs.iter().filter(|run| !run["failure"].is_null()).count();
    assert!(failures >= 2 && failures < runs.len(), "{runs:?}");
}

#[test]
fn what_must_not_pass_is_tried_at_first_and_then_only_when_it_is_due() {
    let place = Place::new("every: 1s, sweep_every: 1h, after: 1", "");
    let site = place.site().replace(
        "need: required }",
        "need: required }, { from: here, to: web, port: 9, need: forbidden }",
    );
    place.write("probes.yaml", &site);
    let _server = place.listens();
    let daemon = place.serves();
    place.until_said("run 3: ", 1);
    daemon.stops();
    let said = place.said();
    assert!(said.contains("run 1: 1 exposed, 1 ok"), "{said}");
    assert!(
        said.contains("run 2: 1 ok") && said.contains("run 3: 1 ok"),
        "{said}"
    );
    let runs = place.history();
    let kept = |number: i64| runs.iter().find(|run| run["id"] == number).expect("kept");
    let nothing = serde_json::json!({ "worse": 0, "better": 0, "other": 0 });
    assert_eq!(
        kept(2)["changed"],
        nothing,
        "what was not tried is not gone"
    );
    // After a new start, too.
    let daemon = place.serves();
    place.until_said("run 4: 1 ok", 1);
    daemon.stops();
}

#[test]
fn what_was_to_be_made_sure_of_is_made_sure_of_after_a_kill_too() {
    let (at, requests) = receiver(&answer("204 No Content"));
    let place = Place::new("every: 1s, sweep_every: 1h, after: 3", &channel(at));
    let site = place.site().replace(
        "need: required }",
        "need: required }, { from: here, to: web, port: 9, need: forbidden }",
    );
    place.write("probes.yaml", &site);
    let _server = place.listens();
    let daemon = place.serves();
    place.until_said("run 1: 1 exposed, 1 ok", 1);
    daemon.ends_by_force();
    let daemon = place.serves();
    let told = next(&requests);
    assert_eq!(told["run"], 3, "{told}");
    assert_eq!(told["raised"][0]["verdict"], "exposed", "{told}");
    // From then on it is sure.
    place.until_said(": 1 ok", 1);
    daemon.stops();
    assert_eq!(place.said().matches(": 1 exposed, 1 ok").count(), 3);
}

#[test]
fn a_run_that_takes_longer_than_the_time_to_the_next_leaves_that_one_out_and_stops_at_once() {
    let place = Place::new("every: 1s", "");
    // Whoever never accepts: the kernel answers, and then nobody speaks.
    let site = place
        .site()
        .replace("need: required }", "need: required, protocol: http }");
    place.write("probes.yaml", &site.replace("timeout: 1s", "timeout: 3s"));
    let _server = place.listens();
    let daemon = place.serves();
    place.until_said("took longer than from one run to the next: ", 1);
    let before = place.history().len();
    // The next run begins with a second, and takes three.
    sleep(Duration::from_millis(1_500));
    let took = daemon.stops();
    assert!(took < Duration::from_secs(1), "{took:?}");
    let runs = place.history();
    assert_eq!(runs.len(), before + 1, "what it saw until then is kept");
    assert_eq!(runs[0]["failure"], "it was stopped before its end");
    assert_eq!(runs[0]["has_report"], true);
}

#[test]
fn a_test_goes_to_each_channel_and_says_what_came_of_it() {
    let (at, requests) = receiver(&answer("204 No Content"));
    let place = Place::new(
        "every: 1s",
        &format!(
            "alerts:\n  - {{ name: team, webhook: {{ url: \"http://{at}/\" }} }}\n  - {{ name: pager, command: [/bin/false] }}"
        ),
    );
    let tested = Command::new(env!("CARGO_BIN_EXE_portproof"))
        .args(["serve", "--test-alert"])
        .arg(place.file("serve.yaml"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&tested.stderr);
    assert!(said.contains("team: took the test\n"), "{said}");
    assert!(said.contains("pager: did not take it: "), "{said}");
    assert_eq!(tested.status.code(), Some(1));
    assert_eq!(next(&requests)["test"], true);
    assert!(!place.file("runs").exists(), "nothing was kept");
}

/// A daemon that is killed at any moment of a run, and of the time between two, loses no run that it has told of.
fn is_whole_after_kills(place: &Place) {
    let _server = place.listens();
    let mut finished = 0;
    for round in 0..20 {
        let daemon = place.serves();
        place.until_said("runs are kept in", round + 1);
        sleep(Duration::from_millis(round as u64 * 379 % 2_500));
        daemon.ends_by_force();
        let said = place.said().matches(": 1 ok").count();
        let kept = place.history();
        assert!(kept.len() >= said.max(finished), "a finished run is lost");
        finished = kept.len();
    }
    assert!(finished > 2, "{finished}");
}

#[test]
fn a_history_in_a_folder_is_whole_after_each_of_many_kills() {
    is_whole_after_kills(&Place::new("every: 1s, sweep_every: never", ""));
}

#[test]
fn a_history_in_a_database_is_whole_after_each_of_many_kills() {
    let server = Postgres::shared();
    is_whole_after_kills(&Place::on(server, "every: 1s, sweep_every: never", ""));
}

#[test]
fn runs_wait_while_the_database_is_away_and_none_is_lost_when_it_comes_back() {
    let (at, requests) = receiver(&answer("204 No Content"));
    let mut server = Postgres::new(&[], &[]);
    let place = Place::on(&server, "every: 1s, after: 2", &channel(at));
    let listens = place.listens();
    let daemon = place.serves();
    place.until_said("run 2: 1 ok", 1);
    server.ends_by_force();
    place.until_said("its run is not in the history: ", 1);
    drop(listens);
    place.until_said("its run is not in the history, nor are 2 before it: ", 1);
    server.start();
    place.until_said(": 1 down", 4);
    let told = next(&requests);
    assert_eq!(told["raised"][0]["verdict"], "down", "{told}");
    let mut runs = place.history();
    runs.reverse();
    let time = |run: &Value| -> jiff::Timestamp {
        run["finished"]
            .as_str()
            .and_then(|it| it.parse().ok())
            .expect("a time")
    };
    for two in runs.windows(2) {
        let between = time(&two[1]).duration_since(time(&two[0]));
        assert!(
            !between.is_negative() && between.as_secs_f64() < 2.9,
            "{between:?}: {}",
            place.said()
        );
    }
    // The end is not held up by a server that is away.
    server.ends_by_force();
    place.until_said("its run is not in the history: ", 2);
    let took = daemon.stops();
    assert!(took < Duration::from_secs(3), "{took:?}");
    place.until_said("could not be kept before the end", 1);
}

#[test]
fn a_daemon_whose_database_is_away_or_shut_says_so_and_ends() {
    let server = Postgres::shared();
    let place = Place::new("every: 1s", "");
    let port = ports::free(Ipv4Addr::LOCALHOST).port();
    let file = fs::read_to_string(place.file("serve.yaml")).expect("text");
    let far = server.far(&server.database());
    place.write("wrong", "wr0ng\n");
    place.write("right", PASSWORD);
    for (home, says) in [
        (
            format!("database: postgres://u@127.0.0.1:{port}/p"),
            "refused",
        ),
        (
            format!("database: {far}\ndatabase_password_file: wrong"),
            "password authentication failed",
        ),
        (
            format!("database: {far}\ndatabase_password_file: nowhere"),
            "nowhere",
        ),
        (
            format!("database: {}?x=1", far.replace('@', ":s3cret@")),
            "has a key other than",
        ),
    ] {
        place.write("serve.yaml", &file.replace("history: runs", &home));
        let mut daemon = place.serves();
        let ended = daemon.0.wait().expect("it ends");
        let said = place.said();
        assert_eq!(ended.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
        assert!(
            !said.contains("wr0ng") && !said.contains("s3cret"),
            "{said}"
        );
    }
    let home = format!("database: {far}\ndatabase_password_file: right");
    place.write("serve.yaml", &file.replace("history: runs", &home));
    let daemon = place.serves();
    place.until_said("run 1: ", 1);
    daemon.stops();
}

/// What a server of this host answers: the status line and the headers, then the body.
pub(crate) fn asked(at: &str, path: &str, host: &str) -> (String, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(at).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_lowercase(), body.to_string())
}

#[test]
fn the_page_the_api_and_the_metrics_say_how_each_check_stands_to_this_host_alone() {
    let place = Place::new("every: 1s", "");
    let at = format!("127.0.0.1:{}", ports::free(Ipv4Addr::LOCALHOST).port());
    let file = fs::read_to_string(place.file("serve.yaml")).expect("text");
    place.write("serve.yaml", &format!("{file}\npage: {at}\n"));
    let daemon = place.serves();
    place.until_said("shows the checks", 1);
    let get = |path: &str| asked(&at, path, &at);
    assert_eq!(get("/healthz").1, "it lives\n");
    place.until_said("run 1: 1 down", 1);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !get("/readyz").0.starts_with("http/1.1 200") {
        assert!(Instant::now() < deadline, "{:?}", get("/readyz"));
    }
    let (head, page) = get("/");
    assert!(
        head.contains("content-security-policy: default-src 'none'"),
        "{head}"
    );
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    assert!(
        page.contains("href=\"/checks/pri\"") && page.contains("1 down"),
        "{page}"
    );
    let (_, report) = get("/checks/pri");
    assert!(report.contains("nobody-listens"), "{report}");
    let checks: Value = serde_json::from_str(&get("/api/v1/checks").1).expect("JSON");
    assert_eq!(checks["checks"][0]["summary"]["down"], 1, "{checks}");
    let report: Value = serde_json::from_str(&get("/api/v1/checks/pri").1).expect("JSON");
    schemas::assert_valid("report", &report);
    assert!(get("/api/v1/checks/other").0.starts_with("http/1.1 404"));
    let (_, metrics) = get("/metrics");
    assert!(
        metrics.contains("portproof_flow_verdict{check=\"pri\",site=\"PRI\",flow=\"here>web:"),
        "{metrics}"
    );
    assert!(
        metrics.contains("portproof_check_failed{check=\"pri\"} 0"),
        "{metrics}"
    );
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is needed, scripts/test installs it");
    std::io::Write::write_all(
        &mut promtool.stdin.take().expect("a pipe"),
        metrics.as_bytes(),
    )
    .expect("sent");
    let judged = promtool.wait_with_output().expect("it ends");
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stderr)
    );
    // A page of a stranger, whose name leads here.
    let (head, _) = asked(&at, "/api/v1/checks", "evil.example:8642");
    assert!(head.starts_with("http/1.1 421"), "{head}");
    daemon.stops();
    // What was found is there again at once after a new start.
    place.write("probes.yaml", "site: {");
    let daemon = place.serves();
    place.until_said("shows the checks", 2);
    place.until_said("it cannot run", 1);
    let (_, page) = get("/");
    assert!(
        page.contains("1 down") && page.contains("Its files cannot be used as they stand"),
        "{page}"
    );
    daemon.stops();
}

#[test]
fn a_port_that_must_be_closed_and_opens_is_told_when_enough_runs_saw_it_and_gone_when_it_closes() {
    let (at, requests) = receiver(&answer("204 No Content"));
    let place = Place::new("every: 1s, sweep_every: 1m, after: 2", &channel(at));
    let other = ports::free(Ipv4Addr::LOCALHOST).port();
    let forbidden =
        format!("need: required }}, {{ from: here, to: web, port: {other}, need: forbidden }}");
    place.write(
        "probes.yaml",
        &place.site().replace("need: required }", &forbidden),
    );
    let _server = place.listens();
    let daemon = place.serves();
    // Refused by the host itself: the wall lets it through.
    let told = next(&requests);
    assert_eq!(told["raised"][0]["verdict"], "exposed", "{told}");
    assert_eq!(
        told["run"], 2,
        "the run after the first one tries it again: {told}"
    );
    // The file asks for it no more.
    place.write("probes.yaml", &place.site());
    let gone = next(&requests);
    let headline = gone["headline"].as_str().unwrap_or_default();
    assert!(
        headline.ends_with("is gone: closed, or no longer asked for"),
        "{gone}"
    );
    daemon.stops();
}

#[test]
fn a_second_daemon_on_one_history_is_refused() {
    for place in [
        Place::new("every: 1s", ""),
        Place::on(Postgres::shared(), "every: 1s", ""),
    ] {
        let daemon = place.serves();
        place.until_said("run 1: ", 1);
        let mut second = place.serves();
        let ended = second.0.wait().expect("it ends");
        assert_eq!(ended.code(), Some(2));
        assert!(
            place
                .said()
                .contains("another `portproof serve` uses the history"),
            "{}",
            place.said()
        );
        daemon.stops();
    }
}

#[test]
fn a_real_prometheus_scrapes_the_metrics_and_our_rules_raise_what_is_wrong() {
    let place = Place::new("every: 1s", "");
    let [at, its] = [0; 2].map(|_| {
        let port = ports::free(Ipv4Addr::LOCALHOST).port();
        format!("127.0.0.1:{port}")
    });
    let file = fs::read_to_string(place.file("serve.yaml")).expect("text");
    place.write("serve.yaml", &format!("{file}\npage: {at}\n"));
    let rules =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/prometheus/portproof.rules.yml");
    place.write(
        "prometheus.yml",
        &format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [\"{}\"]
scrape_configs: [{{ job_name: portproof, static_configs: [{{ targets: [\"{at}\"] }}] }}]
",
            rules.display()
        ),
    );
    let daemon = place.serves();
    place.until_said("run 1: 1 down", 1);
    let prometheus = Command::new("prometheus")
        .arg(format!(
            "--config.file={}",
            place.file("prometheus.yml").display()
        ))
        .arg(format!(
            "--storage.tsdb.path={}",
            place.file("tsdb").display()
        ))
        .arg(format!("--web.listen-address={its}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus is needed, scripts/test installs it");
    let _prometheus = Daemon(prometheus);
    let deadline = Instant::now() + Duration::from_secs(60);
    let until = |path: &str, words: &str| {
        loop {
            let answer = std::net::TcpStream::connect(&its).map(|_| asked(&its, path, &its).1);
            if answer.as_ref().is_ok_and(|it| it.contains(words)) {
                return;
            }
            assert!(Instant::now() < deadline, "{path}: {words}: {answer:?}");
            sleep(Duration::from_millis(100));
        }
    };
    until(
        "/api/v1/query?query=portproof_check_failed",
        "\"check\":\"pri\"",
    );
    until(
        "/api/v1/query?query=portproof_flow_verdict",
        "\"verdict\":\"down\"",
    );
    until("/api/v1/query?query=up", "\"1\"]");
    // It waits for 15 minutes, as the rule says.
    until("/api/v1/alerts", "\"alertname\":\"PortproofFlowWrong\"");
    for question in questions_of_the_dashboard() {
        let query = percent_encoding::utf8_percent_encode(&question, NON_ALPHANUMERIC);
        let (_, answer) = asked(&its, &format!("/api/v1/query?query={query}"), &its);
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["status"], "success", "{question}: {answer}");
        // This site has no server with a certificate, and none that takes a connection.
        let has_none = ["certificate", "connect_seconds"];
        let is_empty = answer["data"]["result"]
            .as_array()
            .is_none_or(Vec::is_empty);
        assert_eq!(
            is_empty,
            has_none.iter().any(|it| question.contains(it)),
            "{question}: {answer}"
        );
    }
    daemon.stops();
}

/// What the dashboard of `contrib` asks Prometheus, of all checks.
fn questions_of_the_dashboard() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/grafana/portproof.json");
    let text = fs::read_to_string(file).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let asked = panels.iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().expect("what it asks");
        assert!(!targets.is_empty(), "{panel}");
        targets.iter()
    });
    asked
        .map(|it| {
            it["expr"]
                .as_str()
                .expect("a question")
                .replace("$check", ".*")
        })
        .collect()
}

#[test]
fn the_rules_for_prometheus_raise_what_they_say() {
    let tested = Command::new("promtool")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/prometheus"))
        .args(["test", "rules", "portproof.rules.test.yml"])
        .output()
        .expect("promtool is needed, scripts/test installs it");
    let said = String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{said}");
}
