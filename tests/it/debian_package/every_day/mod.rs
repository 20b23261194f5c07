//! The daily check under a booted systemd: each message is about its own run, or says that there is no report.
//!
//! `around` boots this system's own files in a container; `trial` is what is done in it. Needs root.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::{package, run, words};

/// The highest exposure that `systemd-analyze security` may find.
const EXPOSURE: f64 = 2.5;
const HEALTHY: &str = "Nothing has to be done.";

/// What the trial said: what stands before the first heading, and the text below each.
fn trial() -> (String, BTreeMap<String, String>) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/debian_package/every_day");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut around = Command::new("unshare");
    around
        .args(["--mount", "--cgroup", "--propagation", "private", "bash"])
        .arg(here.join("around"))
        .args([package(), &here.join("trial"), folder.path()]);
    let output = run(around, "unshare");
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    let mut parts = said.split("===== ");
    let before = parts.next().unwrap_or_default().to_string();
    let named = parts.map(|part| {
        let (name, text) = part.split_once('\n').expect("a heading");
        let name = name.split_once(':').map_or(name, |(name, _)| name);
        (
            name.to_string(),
            part[part.len() - text.len()..].to_string(),
        )
    });
    (before, named.collect())
}

#[test]
fn each_message_is_about_its_own_run() {
    let (before, runs) = trial();
    assert!(before.contains("verified: \n"), "{before}");
    let exposure = before
        .split("Overall exposure level for portproof.service: ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse::<f64>().ok())
        .unwrap_or_else(|| panic!("no exposure: {before}"));
    assert!(exposure < EXPOSURE, "{exposure}");

    assert_eq!(runs["healthy"], "", "a healthy run sends no message");
    let expected = [
        (
            "broken",
            "no report: the command or a file is wrong, or portproof failed (exit status 2)",
            "probes.yaml:",
        ),
        (
            "down",
            "something is wrong (exit status 1)",
            "Who has to act: ",
        ),
        (
            "token",
            "no report: the command or a file is wrong, or portproof failed (exit status 2)",
            "the token of /run/credentials/portproof.service/portproof.token has fewer",
        ),
        (
            "unstartable",
            "no report: the check did not run to its end (exit status 203)",
            "Permission denied",
        ),
    ];
    for (name, found, shows) in expected {
        let message = &runs[name];
        assert!(
            message.starts_with("To: firewalls@example.com\n"),
            "{message}"
        );
        for part in [found, shows] {
            assert!(message.contains(part), "{name}: {part}: {message}");
        }
        assert!(!message.contains(HEALTHY), "{name}: {message}");
        for (other, _, others) in expected.iter().filter(|(other, ..)| *other != name) {
            assert!(!message.contains(others), "{name} has {other}'s: {message}");
        }
    }

    let journal = &runs["journal"];
    assert_eq!(journal.matches(HEALTHY).count(), 1, "{journal}");
    assert!(journal.contains("Who has to act: "), "{journal}");
    assert!(!journal.contains("S3cret"), "{journal}");
}
