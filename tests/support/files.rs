//! A folder with a site file, two reports and keys, and the program run there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::lab;

/// The folder.
pub(crate) struct Bed {
    folder: tempfile::TempDir,
}

impl Bed {
    /// Makes it: `probes.yaml`, `bad.json` and `good.json` of the lab with and without faults, `dmz.key` and `dmz.pub`.
    pub(crate) fn new() -> Self {
        let bed = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        fs::copy("probes.yaml", bed.path("probes.yaml")).expect("copied");
        for (name, report) in [("bad.json", lab::report()), ("good.json", lab::healthy())] {
            fs::write(bed.path(name), report).expect("written");
        }
        for arguments in [
            "genpkey -algorithm ed25519 -out dmz.key",
            "pkey -in dmz.key -pubout -out dmz.pub",
        ] {
            let mut openssl = Command::new("openssl");
            openssl.args(arguments.split(' ')).current_dir(bed.root());
            let status = openssl.stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(
                status
                    .expect("openssl is needed: scripts/test installs it")
                    .success()
            );
        }
        bed
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The text of a file of the folder.
    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    /// The program, about to be run in the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portproof"));
        command
            .args(arguments)
            .current_dir(self.root())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    /// Runs lines of a shell in the folder; `$P` is the program.
    pub(crate) fn shell(&self, wrapper: &[&str], lines: &str) -> Output {
        let words = [wrapper, &["bash", "-c", lines]].concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(self.root())
            .stdin(Stdio::null());
        command.env("P", env!("CARGO_BIN_EXE_portproof"));
        command.output().expect("it runs")
    }

    /// The names in the folder that begin with a word.
    pub(crate) fn names(&self, start: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root()).expect("a folder").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(start)).collect();
        names.sort();
        names
    }
}

/// What a program said on standard error.
pub(crate) fn said(ended: &Output) -> String {
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

/// What a program printed.
pub(crate) fn printed(ended: &Output) -> String {
    String::from_utf8_lossy(&ended.stdout).into_owned()
}
