//! What fuzzing finds out at length, in short: every real answer is recognised, and nothing made of one breaks a bound.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// How many inputs are made of each target's real answers, the same in every run.
const MADE: u64 = 400;

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new("fuzz/seeds").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{}", folder.display()));
    let seeds = files.map(|file| {
        let path = file.expect("a file").path();
        let bytes = fs::read(&path).expect("a seed");
        (path.display().to_string(), bytes)
    });
    let mut seeds: Vec<_> = seeds.collect();
    seeds.sort();
    seeds
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Two places in a text of this length, in their order.
    fn span(&mut self, length: usize) -> std::ops::Range<usize> {
        let (one, other) = (self.below(length + 1), self.below(length + 1));
        one.min(other)..one.max(other)
    }

    /// One of the real answers, changed in a few ways that fuzzers know. A byte, a bit or a length is changed. A part
    /// is cut out, doubled, or taken from another answer.
    fn changed(&mut self, seeds: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].1.clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let span = self.span(bytes.len());
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                2 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                3 => drop(bytes.drain(span)),
                4 => {
                    let part = bytes[span].to_vec();
                    bytes.splice(at..at, part);
                }
                _ => {
                    let other = &seeds[self.below(seeds.len())].1;
                    let part = other[self.span(other.len())].to_vec();
                    bytes.splice(span, part);
                }
            }
        }
        bytes
    }
}

#[test]
fn every_real_answer_is_recognised() {
    for (target, recognised) in targets() {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{target}");
        for (name, bytes) in seeds {
            assert!(recognised(&bytes), "{name}");
        }
    }
}

#[test]
fn every_target_has_its_file() {
    let files = fs::read_dir("fuzz/fuzz_targets").expect("the targets");
    let files = files.map(|file| file.expect("a file").path().with_extension(""));
    let stems = files.filter_map(|path| Some(path.file_name()?.to_str()?.to_string()));
    let names = targets().map(|(name, _)| name.to_string());
    assert_eq!(stems.collect::<BTreeSet<_>>(), names.collect());
}

#[test]
fn every_target_stands_in_the_table_of_its_page() {
    let page = fs::read_to_string("docs/fuzzing.md").expect("the page");
    for (target, _) in targets() {
        let rows = page.matches(&format!("\n| `{target}` |")).count();
        assert_eq!(rows, 2, "{target}: its bounds, and what was measured");
    }
}

#[test]
fn what_is_made_of_real_answers_breaks_no_bound() {
    for (target, recognised) in targets() {
        let seeds = seeds(target);
        for number in 0..MADE {
            let bytes = Numbers(number).changed(&seeds);
            let read = catch_unwind(|| recognised(&bytes));
            assert!(read.is_ok(), "{target}, {number}: {bytes:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        for (_, recognised) in targets() {
            recognised(&bytes);
        }
    }
}
