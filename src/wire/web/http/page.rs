//! What two pages have in common, where one sends to, and what stands in one: words only, no markup is understood.

use super::answer::{Answer, Reading};
use super::request::{NOWHERE, NOWHERE_ELSE};

/// The most characters of a target in a sentence.
const LONGEST_TARGET: usize = 200;

/// Whether a status sends elsewhere.
pub(super) fn redirects(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Where an answer sends to, where it does.
pub(super) fn target(answer: &Answer) -> Option<String> {
    if !redirects(answer.head.status) {
        return None;
    }
    let target = answer.head.header("location").unwrap_or("nowhere");
    Some(target.chars().take(LONGEST_TARGET).collect())
}

/// The pages of paths that name nothing: what the page of a path is held against.
#[derive(Clone, Debug)]
pub(crate) struct Nowhere {
    /// What [`NOWHERE`] has.
    pub(crate) page: Reading,
    /// What [`NOWHERE_ELSE`] has, where it was asked.
    pub(crate) other: Option<Reading>,
}

impl Nowhere {
    /// Whether a path has the page that nowhere has: a good answer to either, and one body. Of HEAD, which has none,
    /// length and kind of the page have to be said, and to be the same.
    pub(super) fn has(&self, reading: &Reading, path: &str) -> bool {
        both_good(&self.page, reading)
            .is_some_and(|(nowhere, here)| compared((nowhere, NOWHERE), (here, path)) == Some(true))
    }

    /// Whether a path has a page, and it is surely another than that of nowhere: pages that differ with every request or
    /// path tell nothing.
    pub(super) fn differs_from(&self, reading: &Reading, path: &str) -> bool {
        let other = both_good(&self.page, reading).is_some_and(|(nowhere, here)| {
            compared((nowhere, NOWHERE), (here, path)) == Some(false)
        });
        let steady = || {
            self.other
                .as_ref()
                .is_some_and(|it| self.has(it, NOWHERE_ELSE))
        };
        other && steady()
    }

    /// Whether the page of [`NOWHERE_ELSE`] is needed to tell what the page of a path is worth.
    pub(super) fn leaves_in_doubt(&self, reading: &Reading, path: &str) -> bool {
        both_good(&self.page, reading).is_some() && !self.has(reading, path)
    }
}

fn both_good<'a>(one: &'a Reading, other: &'a Reading) -> Option<(&'a Answer, &'a Answer)> {
    let good = |reading: &'a Reading| reading.answer().filter(|it| it.head.status == 200);
    Some((good(one)?, good(other)?))
}

/// Whether two pages are one; `None` where nothing tells. Pages that repeat the path that was asked for are compared
/// without it.
fn compared(nowhere: (&Answer, &str), here: (&Answer, &str)) -> Option<bool> {
    if here.0.body.is_empty() && !nowhere.0.body.is_empty() {
        let said = |name| Some((nowhere.0.head.header(name)?, here.0.head.header(name)?));
        let (length, kind) = (said("content-length")?, said("content-type")?);
        return Some(length.0 == length.1 && kind.0 == kind.1);
    }
    let page = |(answer, path): (&Answer, &str)| without(&answer.body, path);
    Some(page(nowhere) == page(here))
}

/// A page without a path, and without the part of it that comes before the question mark.
fn without(body: &[u8], path: &str) -> String {
    let bare = path.split('?').next().unwrap_or(path);
    let text = String::from_utf8_lossy(body);
    text.replace(path, "").replace(bare, "")
}

/// Whether a page asks for a password.
pub(super) fn is_login(reading: &Reading) -> bool {
    let field = |answer: &Answer| {
        let body = answer.body.to_ascii_lowercase();
        ["type=\"password\"", "type='password'", "type=password"]
            .iter()
            .any(|field| holds(&body, field))
    };
    reading.answer().is_some_and(field)
}

/// Whether a text stands in bytes.
pub(super) fn holds(bytes: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    !text.is_empty() && bytes.windows(text.len()).any(|window| window == text)
}
