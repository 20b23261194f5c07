//! The notices of what is linked: those of exactly the crates that `Cargo.lock` gives the programs that are handed out.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

const NOTICES: &str = include_str!("../../THIRD-PARTY-NOTICES.txt");
/// Of the Debian package, the static executable, and the one for Windows.
const TARGETS: [&str; 3] = [
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "x86_64-pc-windows-gnu",
];

/// The lines of the notices' part on crates.
fn of_crates() -> impl Iterator<Item = &'static str> {
    let rule = "=".repeat(80);
    let mut parts = NOTICES.split(&rule).skip(1);
    assert_eq!(parts.next().map(str::trim), Some("Crates"));
    parts.next().expect("the crates").lines()
}

/// Name and version of each crate that has its notice.
fn listed() -> BTreeSet<String> {
    of_crates()
        .skip_while(|line| line.is_empty() || line.starts_with("Each crate"))
        .take_while(|line| !line.is_empty())
        .map(|line| line.split(": ").next().expect("a crate").to_string())
        .collect()
}

#[test]
fn each_linked_crate_has_its_notice_and_no_other() {
    let mut linked = BTreeSet::new();
    for target in TARGETS {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
            .args(["--format", "{p}", "--target", target])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo");
        let said = String::from_utf8_lossy(&tree.stdout).into_owned();
        assert!(
            tree.status.success(),
            "{}",
            String::from_utf8_lossy(&tree.stderr)
        );
        for line in said.lines().filter(|line| !line.starts_with("portproof")) {
            let mut words = line.split(' ');
            let (name, version) = (words.next(), words.next());
            let version = version.and_then(|version| version.strip_prefix('v'));
            linked.insert(format!(
                "{} {}",
                name.expect("a name"),
                version.expect("a version")
            ));
        }
    }
    assert!(linked.len() > 100, "{linked:?}");
    let listed = listed();
    let missing: Vec<_> = linked.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&linked).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "scripts/licences makes the notices anew. Missing: {missing:?}; no longer linked: {stale:?}"
    );
}

#[test]
fn each_crate_stands_above_a_text() {
    let lines: Vec<&str> = of_crates().collect();
    let mut named = BTreeSet::new();
    let rule = "-".repeat(80);
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| **line == rule) {
        let (_, names) = lines[at + 1]
            .split_once(", for ")
            .expect("whose text it is");
        named.extend(names.split(", ").map(str::to_string));
        let text = lines[at + 2..].iter().take_while(|line| **line != rule);
        let length: usize = text.map(|line| line.len()).sum();
        assert!(length > 400, "a text of {length} characters for {names}");
    }
    assert_eq!(named, listed());
}

#[test]
fn what_the_linker_adds_has_its_notice_too() {
    for part in [
        "OpenSSL, from the crate openssl-src 300.",
        "Rust's standard library, of rustc ",
        "musl and libunwind: the static executable for Linux only",
        "mingw-w64 and libgcc: the executable for Windows only",
        "Rich Felker",
        "GCC RUNTIME LIBRARY EXCEPTION",
        "LLVM Exceptions to the Apache 2.0 License",
    ] {
        assert!(NOTICES.contains(part), "{part}");
    }
}

#[test]
fn the_program_prints_them_whole_and_a_reader_may_leave() {
    for name in ["licences", "licenses"] {
        let printed = assert_cmd::Command::cargo_bin("portproof")
            .expect("the program")
            .arg(name)
            .assert()
            .success();
        let printed = String::from_utf8_lossy(&printed.get_output().stdout).into_owned();
        assert!(
            printed.contains(include_str!("../../LICENSE-MIT")),
            "{name}"
        );
        assert!(printed.ends_with(NOTICES), "{name}");
    }
    let mut left = Command::new(env!("CARGO_BIN_EXE_portproof"))
        .arg("licences")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    drop(left.stdout.take());
    let ended = left.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
