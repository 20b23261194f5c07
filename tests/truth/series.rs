//! Runs of many beds, several at a time, and the run of one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::naive::Word;
use crate::program::Program;
use crate::scene::{Flow, Host, Scene};
use crate::site::site;
use crate::support::bed::{self, Bed};
use crate::tally::Case;
use crate::trouble::Trouble;
use crate::{family, ground, naive, outage, program, say, tally, truth};

/// Compares the beds of these seeds, several at a time.
pub(crate) fn each(program: &Program, seeds: &[u64]) -> Vec<Case> {
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

/// Compares beds from a seed on until there are so many flows; gives the number of beds as well.
pub(crate) fn many(program: &Program, first: u64, wanted: usize) -> (Vec<Case>, usize) {
    let (mut cases, mut beds) = (Vec::new(), 0);
    let mut numbers = family::in_turn(first);
    while cases.len() < wanted {
        let portion = bed::beds_at_once() * 4;
        let seeds: Vec<u64> = numbers.by_ref().take(portion).collect();
        cases.extend(each(program, &seeds));
        beds += portion;
        say(&format!("{} of {wanted} flows", cases.len()));
    }
    (cases, beds)
}

/// Lays the bed of a seed, runs portproof and the naive reading in it, and compares every flow.
pub(crate) fn run(program: &Program, seed: u64) -> Vec<Case> {
    let begun = Instant::now();
    let scene = family::scene(seed);
    let bed = ground::lay(&scene);
    let laid = begun.elapsed();
    let run = outage::beside(&bed, &scene, || program.check(&bed, &scene, &site(&scene)));
    let checked = begun.elapsed() - laid;
    say(&format!(
        "bed {seed}: laid in {laid:.1?}, checked in {checked:.1?}"
    ));
    let words = naive::read(&bed, &scene, "1");
    // All at once is more than a limit on new connections lets through.
    if scene.loss == 0 && !matches!(scene.trouble, Trouble::Limit(_)) {
        check_bed(&bed, seed, &scene, &words);
    }
    let cases = tally::hold(seed, &scene, &run, Some(&words));
    let status = program::status_of(&run.report);
    assert_eq!(
        run.status,
        Some(status),
        "seed {seed}: exit status and verdicts"
    );
    if scene.void
        && cases
            .iter()
            .all(|case| case.outcome == tally::Outcome::Unknown)
    {
        assert_eq!(run.status, Some(3), "seed {seed}: nothing answers");
    }
    cases
}

/// A bed must do what its scene says; under load a second, slower look decides.
fn check_bed(bed: &Bed, seed: u64, scene: &Scene, words: &[Word]) {
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
fn impossible(scene: &Scene, words: &[Word]) -> Vec<String> {
    let flows = scene.flows().zip(words);
    let odd = |((host, flow), word): ((&Host, &Flow), &Word)| {
        let truth = truth::of(scene, host, flow);
        let id = program::id_of(scene, host, flow);
        (!naive::is_possible(&truth, *word))
            .then(|| format!("{id}: {:?}, and {word:?}", truth.fate))
    };
    flows.filter_map(odd).collect()
}
