//! What a run tells while it lasts, off a terminal: one line every ten seconds, of what is done, left and expected.
//!
//! Needs root, `ip`, `nft` and Python; without them the test fails and says so. The namespaces end with the test.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::row::{Row, SITE_OF_A_ROW};
use crate::support::web::web;

/// The rest of the site file: a required port that is silent, so that a second look is taken after twenty seconds, and forbidden ones.
const REST: &str =
    "  web: { zone: outside, addresses: { default: 192.0.2.10 }, roles: [crl-distribution-point] }
flows:
  - { from: inside, to: web, port: 1000, protocol: http, need: required, why: served }
  - { from: inside, to: web, port: 1001, need: required, why: \"shut by mistake\" }
probing: { sweep: \"3000-3019\", second_look: 22s }
";

const DROPS: &str = "table inet wall {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    tcp dport 1000 accept
  }
}
";

/// The seconds that a line tells: those that have passed, those that are left, and all of them.
fn told(line: &str) -> [u64; 3] {
    let numbers: Vec<u64> = line
        .split(|it: char| !it.is_ascii_digit())
        .filter_map(|it| it.parse().ok())
        .collect();
    let [done, passed, left, whole] = numbers[..] else {
        panic!("{line}")
    };
    assert!((1..100).contains(&done), "{line}");
    [passed, left, whole]
}

#[test]
fn off_a_terminal_a_line_every_ten_seconds_says_what_is_left_and_is_about_right() {
    let (row, folder) = (Row::new(), tempfile::tempdir().expect("a folder"));
    let _web = web(&row);
    fs::write(folder.path().join("rules.nft"), DROPS).expect("written");
    let rules = folder.path().join("rules.nft").display().to_string();
    row.inside(1, &["nft", "-f", &rules]);
    fs::write(
        folder.path().join("site.yaml"),
        format!("{SITE_OF_A_ROW}{REST}"),
    )
    .expect("written");
    let began = Instant::now();
    let mut run = Command::new("ip")
        .args(["netns", "exec", &row.names[0]])
        .arg(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["check", "site.yaml", "--from", "inside"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let lines = BufReader::new(run.stderr.take().expect("standard error")).lines();
    let lines: Vec<(Duration, String)> = lines
        .map(|line| (began.elapsed(), line.expect("text")))
        .filter(|(_, line)| line.starts_with("progress: "))
        .collect();
    let mut out = String::new();
    let mut result = run.stdout.take().expect("standard output");
    result.read_to_string(&mut out).expect("text");
    run.wait().expect("it ends");
    let whole = began.elapsed();
    assert!(!out.contains("progress:"), "{out}");
    assert!(lines.len() >= 2, "{lines:?}");
    // The program counts from its own start, which comes later on a busy host.
    let counted = whole.saturating_sub(lines[0].0) + Duration::from_secs(10);
    assert_eq!(lines.len() as u64, counted.as_secs() / 10, "{lines:?}");
    for (number, (at, line)) in lines.iter().enumerate() {
        let due = Duration::from_secs(10 * (number as u64 + 1));
        assert!(at.abs_diff(due) < Duration::from_secs(5), "{lines:?}");
        let [passed, left, in_all] = told(line);
        assert_eq!(passed, due.as_secs(), "{line}");
        assert!(left >= 1 && in_all.abs_diff(passed + left) <= 1, "{line}");
        // Until all ports were asked nobody could know that one which has to pass is silent.
        if number == 0 {
            continue;
        }
        let really = whole.saturating_sub(*at).as_secs();
        assert!(
            left <= 2 * really + 5 && really <= 2 * left + 5,
            "{line}; {really} s were left"
        );
    }
}
