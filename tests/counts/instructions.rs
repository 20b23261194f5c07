//! Instructions from a site file to its written plan, as valgrind counts them.
//!
//! Needs `valgrind`; without it the test fails and says so.

use std::fs;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::large_site::large_site;
use crate::{alone, each, grows_with_its_size};

/// Systems of a site, each twice as many as the one before.
const SIZES: [usize; 3] = [20, 40, 80];
const ZONES: usize = 10;

/// Begins to plan a site of so many systems.
fn planning(folder: &TempDir, systems: usize) -> Child {
    let file = folder.path().join(format!("{systems}.yaml"));
    fs::write(&file, large_site(systems, ZONES)).expect("written");
    Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env!("CARGO_BIN_EXE_portproof"))
        .args(["plan", "--format", "json"])
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind is needed: scripts/test installs it")
}

/// What it says at its end.
fn instructions(planning: Child) -> u64 {
    let output = planning.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let counted = said.split("Collected : ").nth(1);
    let number = counted.and_then(|it| it.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn planning_twice_the_systems_takes_twice_the_instructions() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let begun = SIZES.map(|systems| planning(&folder, systems));
    let costs = begun.map(instructions);
    grows_with_its_size("planning", costs);
    let [_, one, two] = costs;
    let each = each((SIZES[1] as u64, one), (SIZES[2] as u64, two));
    assert!(
        each <= 11_300_000.0,
        "{each} instructions for each system, {costs:?}"
    );
}
