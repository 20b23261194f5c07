//! YAML as a tree with positions, so that the reader of a file can report every fault of it at once.
//!
//! It is a crate of its own so that it is optimised in development too: every command reads a catalogue, and so does every
//! test.

mod fault;
mod node;

use serde_yaml::{DuplicateKeyPolicy, Options};

pub use fault::{Fault, What};
pub use node::{Node, Place, Value};

/// How deep keys and lists may stand in each other. The keys of a site file go down to six.
pub const DEEPEST: usize = 64;

/// How much the aliases of a small file may repeat.
const REPEATED_AT_LEAST: usize = 50_000;

/// Reads one document.
///
/// # Errors
/// What stands there is not one bounded YAML document.
pub fn read(text: &str) -> Result<Node, Fault> {
    serde_yaml::from_str_with_options(text, options(text.len()))
        .map_err(|error| Fault::of(&error, text.len()))
}

/// How many values, keys and lists the aliases of a file may repeat in all: one for each byte.
fn most_repeated(bytes: usize) -> usize {
    bytes.max(REPEATED_AT_LEAST)
}

/// How long all texts of a file may be, with those that aliases repeat.
fn longest_text(bytes: usize) -> usize {
    8 * most_repeated(bytes)
}

/// What a file is read into follows its size. What it writes out takes a byte or more for each value, and a byte or
/// more for each list that is opened or closed. Only aliases make more of it.
fn options(bytes: usize) -> Options {
    let repeated = most_repeated(bytes);
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 4 * bytes + repeated,
            max_depth: DEEPEST,
            max_nodes: 2 * bytes + repeated,
            max_aliases: bytes,
            max_anchors: bytes,
            max_merge_keys: bytes,
            max_recorded_anchor_events: repeated,
            max_recorded_anchor_bytes: longest_text(bytes),
            max_total_scalar_bytes: longest_text(bytes),
            // What aliases repeat is counted, however few anchors it comes from.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: repeated },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    }
}
