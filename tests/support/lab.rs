//! The lab's two reports, which many tests read: each is made once for all tests of an executable.

use std::process::Command;
use std::sync::OnceLock;

/// The report of the lab with its planted faults, as JSON, for `probes.yaml`.
pub(crate) fn report() -> &'static [u8] {
    static REPORT: OnceLock<Vec<u8>> = OnceLock::new();
    REPORT.get_or_init(|| made(&[], 1))
}

/// The report of the lab without faults.
pub(crate) fn healthy() -> &'static [u8] {
    static REPORT: OnceLock<Vec<u8>> = OnceLock::new();
    REPORT.get_or_init(|| made(&["--healthy"], 0))
}

fn made(faults: &[&str], status: i32) -> Vec<u8> {
    let ended = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["check", "--lab", "--format", "json"])
        .args(faults)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(status), "{said}");
    ended.stdout
}
