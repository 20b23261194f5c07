//! Every fuzz target of the program, those of each stage together: the tests hold them against seeds, files and page.

#[cfg(test)]
mod tests;

use crate::{explain, import, report, wire};

/// A name, and the function of that name: were these bytes recognised?
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target.
pub fn targets() -> impl Iterator<Item = Target> {
    let of_stages = [
        wire::fuzz::TARGETS,
        report::fuzz::TARGETS,
        explain::fuzz::TARGETS,
        import::fuzz::TARGETS,
    ];
    of_stages.into_iter().flatten().copied()
}
