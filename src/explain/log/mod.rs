//! A log of a client: which codes stand in it, when, about which hosts, and which flows of the site file these are.
//!
//! Bytes become text (`charset`), and text becomes entries with their times (`entries`). In each entry codes (`codes`) and
//! hosts (`places`) are looked for. `tally` counts them, within bounds. `flows` finds the flows that lead to the hosts,
//! and `explained` puts it all together. A line that somebody copied out of a log goes the same way.

mod codes;
mod entries;
mod explained;
mod flows;
mod places;
mod tally;

pub use explained::{line, log};
pub use flows::Given;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use tally::{MOST_CODES, MOST_PLACES};

/// The beginning of a text, at most so many bytes, and whole characters.
fn up_to(most: usize, text: &str) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
