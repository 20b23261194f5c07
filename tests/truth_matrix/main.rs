//! The truth matrix: beds of real firewalls, in which what portproof says is held against what is true.
//!
//! A seed makes a `scene` (`draw`): hosts, firewalls with rules for each port, losses, limits, hidden errors, paths.
//! `ground` lays it in network namespaces (`bed`, `rules`), `program` runs portproof there without any privilege, and
//! `naive` reads the same ports as everybody does. `truth` knows from the scene alone what may be said of each flow,
//! `claims` holds the evidence against it, and `tally` counts.
//!
//! `PORTPROOF_MATRIX_ONLY=SEED` runs one bed and prints all of it; `PORTPROOF_MATRIX_CASES=5000` runs beds from
//! `PORTPROOF_MATRIX_SEED` on until so many flows were compared and prints the tables of `docs/matrix.md`;
//! `PORTPROOF_MATRIX_BEDS` says how many beds stand at once.
//!
//! It needs root, or a user who may make user namespaces, and `ip`, `nft`, `setpriv`, `unshare` and Python; without
//! them it fails and says so.

mod bed;
mod chance;
mod claims;
mod draw;
mod ground;
mod naive;
mod program;
mod rules;
mod scene;
mod staged;
mod tally;
mod truth;

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use program::Program;
use tally::{Case, Outcome};

/// The beds of an ordinary run: together they have every category, and every loss.
const FIXED: [u64; 11] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12];
/// The beds of the run without root.
const FIXED_AS_NOBODY: [u64; 2] = [5, 10];

/// Says that this process stands in a user namespace made for it.
const INSIDE: &str = "PORTPROOF_MATRIX_INSIDE";
const TABLE_BEGINS: &str = "<!-- matrix: begin -->";
const TABLE_ENDS: &str = "<!-- matrix: end -->";

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")),
    )
}

#[test]
fn what_is_said_is_true() {
    if !program::is_root() {
        in_user_namespace("what_is_said_is_true", false);
        return;
    }
    let program = Program::copy();
    if let Some(seed) = number("PORTPROOF_MATRIX_ONLY") {
        let cases = run(&program, seed);
        let lines: Vec<String> = cases.iter().map(tally::line).collect();
        println!("{:#?}\n{}", draw::scene(seed), lines.join("\n"));
        assert_nothing_is_wrong(&cases);
        return;
    }
    if let Some(wanted) = number("PORTPROOF_MATRIX_CASES") {
        let first = number("PORTPROOF_MATRIX_SEED").unwrap_or(1_000);
        let (cases, beds) = many(&program, first, wanted as usize);
        println!(
            "{TABLE_BEGINS}\n{}{TABLE_ENDS}",
            tally::markdown(&cases, beds)
        );
        assert_nothing_is_wrong(&cases);
        return;
    }
    let cases = each(&program, &FIXED);
    println!("{}", tally::markdown(&cases, FIXED.len()));
    assert_nothing_is_wrong(&cases);
    assert_every_category(&cases);
    assert_plain_ones_are_decided(&cases);
}

#[test]
fn what_is_said_is_true_where_nobody_is_root() {
    if std::env::var_os(INSIDE).is_none() {
        in_user_namespace("what_is_said_is_true_where_nobody_is_root", true);
        return;
    }
    let cases = each(&Program::copy(), &FIXED_AS_NOBODY);
    assert_nothing_is_wrong(&cases);
}

#[test]
fn forged_errors_change_no_verdict() {
    staged(
        "forged_errors_change_no_verdict",
        staged::forged_errors_change_no_verdict,
    );
}

#[test]
fn silence_after_a_shun_proves_nothing() {
    staged(
        "silence_after_a_shun_proves_nothing",
        staged::silence_after_a_shun_proves_nothing,
    );
}

#[test]
fn a_device_that_answers_for_every_port_proves_nothing() {
    staged(
        "a_device_that_answers_for_every_port_proves_nothing",
        staged::a_device_that_answers_for_every_port_proves_nothing,
    );
}

#[test]
fn a_long_way_tells_who_resets() {
    staged(
        "a_long_way_tells_who_resets",
        staged::a_long_way_tells_who_resets,
    );
}

#[test]
fn a_late_answer_is_an_answer() {
    staged(
        "a_late_answer_is_an_answer",
        staged::a_late_answer_is_an_answer,
    );
}

/// Runs a staged bed here, or in a user namespace where we are not root.
fn staged(test: &str, bed: fn()) {
    if program::is_root() {
        bed();
    } else {
        in_user_namespace(test, false);
    }
}

/// Runs one test of this binary again as root of a user namespace of its own; as nobody, where we are root.
fn in_user_namespace(test: &str, as_nobody: bool) {
    let program = Program::copy();
    let folder = program::open_folder();
    let here = std::env::current_exe().expect("this program has a path");
    let copy = folder.path().join("truth_matrix");
    std::fs::copy(here, &copy).expect("a copy of this program");
    let mut command = if as_nobody && program::is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            "unshare",
        ]);
        command
    } else {
        Command::new("unshare")
    };
    let output = command
        .args([
            "-Urnm",
            "sh",
            "-ec",
            "mount -t tmpfs none /run; exec \"$@\"",
            "sh",
        ])
        .arg(&copy)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .env("PORTPROOF_MATRIX_PROGRAM", program.path())
        .current_dir("/")
        .output()
        .expect("setpriv and unshare of util-linux are needed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "neither root nor a user namespace, or wrong in it:\n{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Compares the beds of these seeds, several at a time.
fn each(program: &Program, seeds: &[u64]) -> Vec<Case> {
    let next = AtomicU64::new(0);
    let cases = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..bed::beds_at_once().min(seeds.len()) {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let some = run(program, *seed);
                    cases.lock().expect("no panic").extend(some);
                }
            });
        }
    });
    cases.into_inner().expect("no panic")
}

/// Compares beds from a seed on until there are so many flows; the number of beds beside.
fn many(program: &Program, first: u64, wanted: usize) -> (Vec<Case>, usize) {
    let (mut cases, mut beds) = (Vec::new(), 0);
    while cases.len() < wanted {
        let portion = bed::beds_at_once() * 4;
        let seeds: Vec<u64> = (0..portion)
            .map(|more| first + (beds + more) as u64)
            .collect();
        cases.extend(each(program, &seeds));
        beds += portion;
        eprintln!("{} of {wanted} flows", cases.len());
    }
    (cases, beds)
}

/// Lays the bed of a seed, runs portproof and the naive reading in it, and compares every flow.
fn run(program: &Program, seed: u64) -> Vec<Case> {
    let scene = draw::scene(seed);
    let bed = ground::lay(&scene);
    let run = program.check(&bed, &scene, &program::site(&scene));
    let words = naive::read(&bed, &scene, "1");
    if scene.loss == 0 {
        check_bed(&bed, seed, &scene, &words);
    }
    let cases = tally::hold(seed, &scene, &run, Some(&words));
    let status = program::status_of(&run.report);
    assert_eq!(
        run.status,
        Some(status),
        "seed {seed}: exit status and verdicts"
    );
    if scene.void && cases.iter().all(|case| case.outcome == Outcome::Unknown) {
        assert_eq!(run.status, Some(3), "seed {seed}: nothing answers");
    }
    cases
}

/// A bed must do what its scene says; under load a second, slower look decides.
fn check_bed(bed: &bed::Bed, seed: u64, scene: &scene::Scene, words: &[naive::Word]) {
    if !impossible(scene, words).is_empty() {
        let again = impossible(scene, &naive::read(bed, scene, "4"));
        assert!(
            again.is_empty(),
            "seed {seed}: the bed does not do what its scene says:\n{}",
            again.join("\n")
        );
    }
}

/// What the wire showed and cannot have shown.
fn impossible(scene: &scene::Scene, words: &[naive::Word]) -> Vec<String> {
    let flows = scene.flows().zip(words);
    let odd = |((host, flow), word): ((&scene::Host, &scene::Flow), &naive::Word)| {
        let truth = truth::of(scene, host, flow);
        let id = program::id_of(scene, host, flow);
        (!naive::is_possible(&truth, *word))
            .then(|| format!("{id}: {:?}, and {word:?}", truth.fate))
    };
    flows.filter_map(odd).collect()
}

fn assert_nothing_is_wrong(cases: &[Case]) {
    let wrong = tally::wrong_ones(cases);
    assert!(wrong.is_empty(), "wrong:\n{wrong}");
}

/// Every category that the first hundred seeds can make stands in the fixed set.
fn assert_every_category(cases: &[Case]) {
    let had = tally::count(cases, |case| case.category.clone());
    for seed in 0..100 {
        let scene = draw::scene(seed);
        for (host, flow) in scene.flows() {
            let category = scene::category(&scene, host, flow);
            assert!(
                had.contains_key(&category),
                "the fixed set lacks {category:?}"
            );
        }
    }
    let losses = tally::count(cases, |case| case.loss.to_string());
    assert_eq!(losses.len(), 5, "the fixed set lacks a loss");
    assert!(cases.len() >= 400, "only {} flows", cases.len());
}

/// Silence is no way never to be wrong: on a plain network what is clear is decided.
fn assert_plain_ones_are_decided(cases: &[Case]) {
    let plain = |case: &Case| {
        if case.plain {
            case.category.clone()
        } else {
            String::new()
        }
    };
    let counts = tally::count(cases, plain);
    for category in [
        "open",
        "open: HTTP",
        "closed: nobody listens",
        "drop: after it",
        "drop: before the TTL check",
        "reject: admin-prohibited",
    ] {
        let count = counts.get(category).copied().unwrap_or_default();
        assert!(count.cases > 0, "no {category:?} on a plain network");
        assert_eq!(
            count.unknown, 0,
            "{category:?} on a plain network is not decided"
        );
    }
}
