//! Runs that are kept: what changed is told once, a run that failed is told too, and no finished run is lost.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Instant;

use portproof::history::{Location, Store};
use serde_json::Value;
use tempfile::TempDir;

#[cfg(unix)]
use crate::support::ports;
#[cfg(unix)]
use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::schemas;

/// An address of loopback that no other test uses.
const ADDRESS: &str = "127.0.91.1";

/// One system on loopback with a required port.
struct Site {
    folder: TempDir,
    port: u16,
    /// Where its runs are kept.
    kept: String,
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
        let kept = folder.path().join("kept").display().to_string();
        Self { folder, port, kept }
    }

    /// The same, with its history in a database of a server.
    #[cfg(unix)]
    fn on(server: &Postgres) -> Self {
        let kept = server.near(&server.database());
        Self {
            kept,
            ..Self::new()
        }
    }

    /// One whose history is in a folder, and one whose history is in PostgreSQL.
    fn each() -> Vec<Self> {
        vec![
            Self::new(),
            #[cfg(unix)]
            Self::on(Postgres::shared()),
        ]
    }

    /// The history, as this process reads it.
    fn store(&self) -> Store {
        let at = Location::parse(Path::new(&self.kept)).expect("a place");
        Store::open(&at).expect("it opens")
    }

    fn serve(&self) -> TcpListener {
        TcpListener::bind((ADDRESS, self.port)).expect("nobody else has it")
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("portproof"));
        command.args(words).args(["--keep", &self.kept]);
        command.env_remove("PGPASSWORD");
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
    for site in Site::each() {
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
}

#[test]
fn without_a_wish_for_changes_a_kept_run_says_what_every_run_says() {
    for site in Site::each() {
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
}

#[test]
fn a_run_that_failed_is_kept_with_its_reason_and_the_next_one_that_works_is_told() {
    for site in Site::each() {
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
}

#[test]
fn what_is_not_there_is_said_before_a_packet_leaves() {
    for site in Site::each() {
        let (status, text) = site.history(&[]);
        assert_eq!(status, 2);
        assert!(text.contains("there is no history in"), "{text}");
        let _ = site.check(&[]);
        let (status, text) = site.history(&["show", "7"]);
        assert_eq!(status, 2);
        assert!(text.contains("there is no run 7 here"), "{text}");
        let (status, text) = site.history(&["diff"]);
        assert_eq!(status, 2);
        assert!(text.contains("no two reports"), "{text}");
    }
}

#[test]
fn a_file_where_the_folder_is_to_be_is_said_before_a_packet_leaves() {
    let site = Site::new();
    fs::write(site.path("kept"), "a file").expect("it is written");
    let (status, text) = site.check(&[]);
    assert_eq!(status, 2);
    assert!(text.contains("the folder cannot be made"), "{text}");
}

#[test]
fn where_nagios_reads_the_status_is_its_own_and_news_have_none() {
    for site in Site::each() {
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
}

#[test]
fn checks_that_end_at_the_same_time_are_all_kept() {
    for site in Site::each() {
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
}

/// Runs that are ended by force at any moment: what ended by itself is there, and what is there can be read. The tests of the
/// history kill a process that does nothing but write.
fn is_whole_after_kills(site: &Site) {
    let _served = site.serve();
    let file = site.path("probes.yaml");
    let words = ["check", &file, "--from", "lab", "--no-path"];
    let began = Instant::now();
    let (_, text) = site.check(&[]);
    let whole = began.elapsed();
    let mut finished = 1;
    for number in 0..KILLS {
        let said = site.path("said");
        let said_file = File::create(&said).expect("a file is made");
        let mut run = site
            .command(&words)
            .stdout(Stdio::null())
            .stderr(said_file)
            .spawn()
            .expect("it runs");
        // How long a run takes here is not known for the next one. So each fourth is left to its end, and the others are
        // killed at all moments of a run.
        let to_its_end = number % 4 == 3;
        if !to_its_end {
            sleep(whole * 5 * (number * 7 % KILLS) / (4 * KILLS));
            run.kill().expect("it is ended");
        }
        let ended_well = run.wait().expect("it ends").success();
        let words = fs::read_to_string(&said).expect("it is read");
        assert!(ended_well || !to_its_end, "run {number}: {words}");
        finished += usize::from(ended_well);
        let mut store = site.store();
        let kept = store.latest(usize::MAX).expect("it is read");
        assert!(
            kept.len() >= finished,
            "{} of {finished}: {text}",
            kept.len()
        );
        let last = store.report(kept[0].id).expect("it is read");
        assert!(last.is_some(), "the last one has a report: {:?}", kept[0]);
    }
}

/// How often a run is killed.
const KILLS: u32 = 20;

#[test]
fn a_run_that_is_killed_leaves_the_history_of_a_folder_whole() {
    is_whole_after_kills(&Site::new());
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_leaves_the_history_of_a_database_whole() {
    is_whole_after_kills(&Site::on(Postgres::shared()));
}

#[cfg(unix)]
#[test]
fn a_database_is_used_with_its_password_which_is_shown_nowhere() {
    let server = Postgres::shared();
    let name = server.database();
    let mut site = Site::new();
    let _served = site.serve();
    site.kept = server.far(&name);
    let file = site.path("probes.yaml");
    let words = ["check", &file, "--from", "lab", "--no-path"];
    for (password, status, says) in [
        (None, 2, "PGPASSWORD"),
        (Some("wr0ng"), 2, "password authentication failed"),
        (Some(PASSWORD), 0, ""),
    ] {
        let mut check = site.command(&words);
        check.envs(password.map(|it| ("PGPASSWORD", it)));
        let output = check.output().expect("it runs");
        let all = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{all}");
        assert!(all.contains(says) && !all.contains("wr0ng"), "{all}");
    }
    // In the address it works too, and is warned of.
    let written = "s3cret%20word";
    site.kept = site
        .kept
        .replace("portproof@", &format!("portproof:{written}@"));
    let output = site.command(&["history"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("others on this host see the password"),
        "{said}"
    );
    site.kept += "_not";
    let output = site.command(&["history"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("does not exist"), "{said}");
    assert!(
        !said.contains(written) && !said.contains(PASSWORD),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn a_database_that_is_away_is_said_before_a_packet_leaves() {
    let mut site = Site::new();
    let served = site.serve();
    served.set_nonblocking(true).expect("a socket");
    let port = ports::free(std::net::Ipv4Addr::LOCALHOST).port();
    site.kept = format!("postgres://portproof@127.0.0.1:{port}/portproof");
    let (status, text) = site.check(&[]);
    assert_eq!(status, 2);
    assert!(
        text.contains(&site.kept) && text.contains("refused"),
        "{text}"
    );
    assert!(served.accept().is_err(), "nothing was tried");
    site.kept = "postgres://portproof@127.0.0.1".to_string();
    let (status, text) = site.check(&[]);
    assert_eq!(status, 2);
    assert!(
        text.contains("the address of --keep names no database"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn a_database_far_away_is_spoken_to_over_tls_with_an_authority_that_is_trusted() {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let mut params = CertificateParams::new(Vec::new()).expect("an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let authority = authority.expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_string()]).expect("a name");
    let certificate = params.signed_by(&key, &authority).expect("signed");
    let files = [
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let settings = [
        "ssl=on",
        "ssl_cert_file=../server.pem",
        "ssl_key_file=../server.key",
        "log_connections=on",
    ];
    let server = Postgres::new(&files, &settings);
    let mut site = Site::new();
    let _served = site.serve();
    let ca = site.path("ca.pem");
    fs::write(&ca, authority.pem()).expect("written");
    let address = server.far(&server.database()) + "?sslmode=verify-full";
    for (address, status, says) in [
        (address.clone(), 2, "sslrootcert=ca.pem"),
        (format!("{address}&sslrootcert={ca}"), 0, ""),
        (
            format!("{address}&sslrootcert={ca}").replace("127.0.0.1", "localhost"),
            2,
            "certificate",
        ),
    ] {
        site.kept = address;
        let mut check = site.command(&["check", &site.path("probes.yaml"), "--from", "lab"]);
        let output = check.env("PGPASSWORD", PASSWORD).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains(says), "{said}");
    }
    assert!(
        server.log().contains("SSL enabled (protocol=TLSv1.3"),
        "{}",
        server.log()
    );
}
