//! The truth matrix: beds of real firewalls, in which what portproof says is held against what is true.
//!
//! A number makes a `scene`: hosts, firewalls with rules for each port, losses, limits, hidden errors, paths (`draw`).
//! Every other bed has one thing that sets it apart (`family`, `trouble`). `ground` lays it in network namespaces
//! (`bed`, `rules`), `program` runs portproof there without any privilege, and `naive` reads the same ports as
//! everybody does. `truth` knows from the scene alone what may be said of each flow, `claims` holds the evidence
//! against it, and `tally` counts.
//!
//! `PORTPROOF_MATRIX_ONLY=NUMBER` runs one bed and prints all of it. `PORTPROOF_MATRIX_CASES=5000` runs beds from
//! `PORTPROOF_MATRIX_SEED` on until so many flows were compared. It then prints the tables of `docs/matrix.md`.
//! `PORTPROOF_MATRIX_BEDS` says how many beds stand at once.
//!
//! It needs root, or a user who may make user namespaces, and `ip`, `nft`, `setpriv`, `unshare` and Python; without
//! them it fails and says so.

#[path = "../support"]
mod support {
    pub(crate) mod bed;
    pub(crate) mod executable;
    pub(crate) mod feed;
    #[expect(dead_code, reason = "tests of networks use the rest")]
    pub(crate) mod running;
}

mod chance;
mod claims;
mod deck;
mod draw;
mod family;
mod ground;
mod naive;
mod outage;
mod page;
mod privilege;
mod program;
mod rules;
mod scene;
mod series;
mod site;
mod staged;
mod tally;
mod team;
mod trouble;
mod truth;

use std::collections::BTreeSet;
use std::time::SystemTime;

use program::Program;
use scene::{Paths, Zone};
use series::{each, many, run};
use tally::{Case, Outcome};

/// The beds of an ordinary run: together they have every category, and every loss.
const FIXED: [u64; 11] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 50];
/// The beds of the run without root.
const FIXED_AS_NOBODY: [u64; 2] = [5, 10];

const TABLE_BEGINS: &str = "<!-- matrix: begin -->";
const TABLE_ENDS: &str = "<!-- matrix: end -->";

/// Shows what was measured; `cargo test` keeps it to itself unless a test fails or `--nocapture` is given.
#[expect(clippy::print_stdout, reason = "a test's own output")]
fn say(text: &str) {
    println!("{text}");
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")),
    )
}

#[test]
fn what_is_said_is_true() {
    if !privilege::is_root() {
        privilege::again_in_user_namespace("what_is_said_is_true", false);
        return;
    }
    let program = Program::copy();
    if let Some(seed) = number("PORTPROOF_MATRIX_ONLY") {
        let cases = run(&program, seed);
        let lines: Vec<String> = cases.iter().map(tally::line).collect();
        say(&format!("{:#?}\n{}", family::scene(seed), lines.join("\n")));
        assert_nothing_is_wrong(&cases);
        return;
    }
    if let Some(wanted) = number("PORTPROOF_MATRIX_CASES") {
        let first = number("PORTPROOF_MATRIX_SEED").unwrap_or(1_000);
        let (cases, beds) = many(&program, first, wanted as usize);
        say(&format!(
            "{TABLE_BEGINS}\n{}{TABLE_ENDS}",
            page::markdown(&cases, beds)
        ));
        assert_nothing_is_wrong(&cases);
        return;
    }
    let cases = each(&program, &FIXED);
    say(&page::markdown(&cases, FIXED.len()));
    assert_nothing_is_wrong(&cases);
    assert_plain_ones_are_decided(&cases);
}

#[test]
fn what_is_said_is_true_where_nobody_is_root() {
    if !privilege::is_inside() {
        privilege::again_in_user_namespace("what_is_said_is_true_where_nobody_is_root", true);
        return;
    }
    let cases = each(&Program::copy(), &FIXED_AS_NOBODY);
    assert_nothing_is_wrong(&cases);
}

/// The families other than the ordinary beds are too many for each run. Every day has two of them, with new seeds when
/// all had their turn.
#[test]
fn what_is_said_of_the_families_of_the_day_is_true() {
    staged("what_is_said_of_the_families_of_the_day_is_true", || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let day = since.expect("after 1970").as_secs() / (24 * 60 * 60);
        let beds = family::of_day(day);
        say(&format!("{beds:?}: {:?}", beds.map(family::of)));
        assert_nothing_is_wrong(&each(&Program::copy(), &beds));
    });
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
    if privilege::is_root() {
        bed();
    } else {
        privilege::again_in_user_namespace(test, false);
    }
}

fn assert_nothing_is_wrong(cases: &[Case]) {
    let wrong = tally::wrong_ones(cases);
    assert!(wrong.is_empty(), "wrong:\n{wrong}");
}

/// What is decided without any doubt where nothing is lost, limited or hidden and there is one path.
const CLEAR: [&str; 6] = [
    "open",
    "open: HTTP",
    "closed: nobody listens",
    "drop: after it",
    "drop: before the TTL check",
    "reject: admin-prohibited",
];

fn categories(seed: u64) -> impl Iterator<Item = String> {
    let scene = draw::scene(seed);
    let all: Vec<String> = scene
        .flows()
        .map(|(host, flow)| scene::category(&scene, host, flow))
        .collect();
    all.into_iter()
}

#[test]
fn the_fixed_set_has_every_category_loss_and_place() {
    let scenes = FIXED.map(draw::scene);
    let had: BTreeSet<String> = FIXED.into_iter().flat_map(categories).collect();
    let all: BTreeSet<String> = (0..200).flat_map(categories).collect();
    assert_eq!(
        all.difference(&had).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    let losses: BTreeSet<u8> = scenes.iter().map(|scene| scene.loss).collect();
    assert_eq!(losses, BTreeSet::from([0, 5, 10, 20, 30]));
    assert!(
        scenes
            .iter()
            .map(|scene| scene.flows().count())
            .sum::<usize>()
            >= 400
    );
    for paths in [Paths::One, Paths::Two, Paths::BackElsewhere] {
        assert!(scenes.iter().any(|scene| scene.paths == paths), "{paths:?}");
    }
    for vantage in [Zone::Outer, Zone::Perimeter] {
        assert!(
            scenes.iter().any(|scene| scene.vantage == vantage),
            "{vantage:?}"
        );
    }
    let plain: BTreeSet<String> = FIXED
        .into_iter()
        .filter(|seed| draw::scene(*seed).is_plain())
        .flat_map(categories)
        .collect();
    for category in CLEAR {
        assert!(
            plain.contains(category),
            "no {category:?} on a plain network"
        );
    }
}

/// Silence is no way never to be wrong: on a plain network what is clear is decided.
fn assert_plain_ones_are_decided(cases: &[Case]) {
    let open: Vec<String> = cases
        .iter()
        .filter(|case| case.plain && CLEAR.contains(&case.category.as_str()))
        .filter(|case| case.outcome == Outcome::Unknown)
        .map(tally::line)
        .collect();
    assert!(
        open.is_empty(),
        "clear, and not decided:\n{}",
        open.join("\n")
    );
}
