//! `portproof licences`: on which terms portproof and what is linked into it may be used.

use super::streams;

const OWN: &str = include_str!("../../LICENSE-MIT");
/// Made by `scripts/licences`; a test compares it with `Cargo.lock`.
const OTHERS: &str = include_str!("../../THIRD-PARTY-NOTICES.txt");

pub(super) fn run() -> anyhow::Result<u8> {
    let own =
        "portproof is licensed under MIT or Apache-2.0, as you like. MIT's text, for portproof:";
    streams::print(&format!("{own}\n\n{OWN}\n{OTHERS}"))?;
    Ok(0)
}
