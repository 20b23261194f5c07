//! Text whose lines are broken to fit, as one line: what it says can be looked for wherever its lines end.

/// The words of a text, with one space between them.
pub(crate) fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
