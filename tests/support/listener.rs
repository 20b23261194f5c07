//! `portproof listen` and `check` as a user runs them, perhaps inside a network namespace.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The token of the tests.
pub(crate) const TOKEN: &str = "5d0c1a7e93f24b68a1cc70e2";

/// The program, without a token of the environment of the tests.
fn program() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("portproof"));
    command.env_remove("PORTPROOF_TOKEN");
    command
}

/// Runs the program to its end.
pub(crate) fn portproof(arguments: &[&str], token: Option<&str>) -> (Option<i32>, String, String) {
    let mut command = program();
    command.args(arguments);
    if let Some(token) = token {
        command.env("PORTPROOF_TOKEN", token);
    }
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A flow of a report.
pub(crate) fn by_id<'a>(report: &'a Value, id: &str) -> &'a Value {
    let flows = report["flows"].as_array().expect("flows");
    let found = flows.iter().find(|flow| flow["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not in the report"))
}

/// Asserts that a document fits the schema that the program prints.
pub(crate) fn assert_valid(schema: &str, document: &Value) {
    let (_, schema, _) = portproof(&["schema", schema], None);
    let schema: Value = serde_json::from_str(&schema).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a good schema");
    let errors = validator.iter_errors(document);
    let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// A folder with a site file, a token and logs.
pub(crate) struct Bed {
    folder: TempDir,
}

impl Bed {
    /// Writes the files.
    pub(crate) fn new(site: &str, token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("site.yaml"), site).expect("written");
        fs::write(folder.path().join("token"), token).expect("written");
        Self { folder }
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The site file.
    pub(crate) fn site_file(&self) -> String {
        self.path("site.yaml").display().to_string()
    }

    /// The file with the token.
    pub(crate) fn token_file(&self) -> String {
        self.path("token").display().to_string()
    }

    fn command(&self, place: &[&str], arguments: &[&str], token: Option<&str>) -> Command {
        let mut command = match place.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program().get_program());
                command.env_remove("PORTPROOF_TOKEN");
                command
            }
            None => program(),
        };
        command.args(arguments);
        if let Some(token) = token {
            command.env("PORTPROOF_TOKEN", token);
        }
        command
    }

    /// Starts a listener with the token of the file, by the words that put a command into a place, with a log of its
    /// own. It listens when this returns.
    pub(crate) fn listen_in(&self, place: &[&str], log: &str, arguments: &[&str]) -> Listening {
        let (site, token, log) = (self.site_file(), self.token_file(), self.path(log));
        let log = log.display().to_string();
        let mut all = vec!["listen", &site, "--token-file", &token, "--log", &log];
        all.extend(["--for", "10m"]);
        all.extend(arguments);
        let child = self
            .command(place, &all, None)
            .stderr(Stdio::piped())
            .spawn();
        Listening::new(child.expect("it starts"))
    }

    /// What a log says, after it was held against its schema.
    pub(crate) fn log_of(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path(name)).expect("a log");
        let log = serde_json::from_str(&text).expect("JSON");
        assert_valid("arrivals", &log);
        log
    }

    /// Runs `check`, by the words that put a command into a place; the report comes back, after it was held against its
    /// schema.
    pub(crate) fn check_in(
        &self,
        place: &[&str],
        arguments: &[&str],
        token: Option<&str>,
    ) -> Value {
        let site = self.site_file();
        let mut all = vec!["check", &site, "--format", "json"];
        all.extend(arguments);
        let output = self.command(place, &all, token).output().expect("it runs");
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        assert_valid("report", &report);
        report
    }
}

/// A running listener; it ends with the test.
pub(crate) struct Listening {
    child: Child,
    output: BufReader<ChildStderr>,
    said: String,
}

impl Listening {
    fn new(mut child: Child) -> Self {
        let output = child.stderr.take().expect("its messages");
        let mut listening = Self {
            child,
            output: BufReader::new(output),
            said: String::new(),
        };
        while !listening.said.contains("Ctrl-C ends it") {
            let read = listening.output.read_line(&mut listening.said);
            assert!(
                read.is_ok_and(|length| length > 0),
                "it does not listen: {}",
                listening.said
            );
        }
        listening
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Asks it to end; its status, and all that it said.
    pub(crate) fn stop(&mut self) -> (Option<i32>, String) {
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(asked.is_ok_and(|status| status.success()), "it is running");
        while self
            .output
            .read_line(&mut self.said)
            .is_ok_and(|length| length > 0)
        {}
        let status = self.child.wait().expect("it ends");
        (status.code(), self.said.clone())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether two ends that a listener's proof names have different addresses; one that is not known differs from none.
pub(crate) fn is_translated(listener: &Value, [sent, came]: [&str; 2]) -> bool {
    let host = |end: &str| {
        let end = listener[end].as_str()?;
        Some(
            end.rsplit_once(':')
                .map_or(end, |(host, _)| host)
                .to_string(),
        )
    };
    let (sent, came) = (host(sent), host(came));
    sent.is_some() && sent != came
}

/// This host's end, and where the listener saw the challenge come from.
pub(crate) const SOURCE: [&str; 2] = ["sent_from", "seen_from"];
