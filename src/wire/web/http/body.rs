//! Where the body of an answer ends (RFC 9112 section 6.3), and its first bytes.

use super::chunked::{Chunked, Step};
use super::head::Head;
use crate::product::Verb;

/// The most bytes of a body that are read: enough for what proves a role.
const LARGEST_BODY: usize = 64 << 10;

/// A body under way.
#[derive(Clone, Debug)]
pub(super) struct Body {
    left: Left,
    kept: Vec<u8>,
}

/// What is still to come.
#[derive(Clone, Debug)]
enum Left {
    /// This many bytes.
    Bytes(u64),
    /// Chunks.
    Chunks(Chunked),
    /// All until the peer closes.
    UntilClose,
    /// Lengths that contradict each other: nothing can be believed.
    Contradiction,
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// Where the head said it would.
    Whole,
    /// The peer closed, or time ran out, before that.
    Cut,
    /// After as much as is read of any body.
    TooLong,
    /// Its length or coding is wrong.
    Broken,
}

/// What some bytes were to a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// Part of it, all of them.
    More,
    /// Its end, after this many of them.
    End(usize, BodyEnd),
}

impl Body {
    /// The body that follows a head in answer to a verb.
    pub(super) fn after(verb: Verb, head: &Head) -> Self {
        Self {
            left: left(verb, head),
            kept: Vec::new(),
        }
    }

    /// Takes in bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Fed {
        let room = LARGEST_BODY - self.kept.len();
        match &mut self.left {
            Left::Contradiction => Fed::End(0, BodyEnd::Broken),
            Left::Bytes(left) => {
                let here = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                self.kept.extend_from_slice(&bytes[..here.min(room)]);
                *left -= here as u64;
                match (here > room, *left) {
                    (true, _) => Fed::End(here, BodyEnd::TooLong),
                    (false, 0) => Fed::End(here, BodyEnd::Whole),
                    (false, _) => Fed::More,
                }
            }
            Left::UntilClose => {
                self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
                if bytes.len() > room {
                    Fed::End(bytes.len(), BodyEnd::TooLong)
                } else {
                    Fed::More
                }
            }
            Left::Chunks(coding) => match coding.feed(bytes, &mut self.kept, LARGEST_BODY) {
                (_, Step::More) => Fed::More,
                (used, Step::End) => Fed::End(used, BodyEnd::Whole),
                (used, Step::Full) => Fed::End(used, BodyEnd::TooLong),
                (used, Step::Bad) => Fed::End(used, BodyEnd::Broken),
            },
        }
    }

    /// How it ended when the peer closed now.
    pub(super) fn closed(&self) -> BodyEnd {
        match self.left {
            Left::UntilClose => BodyEnd::Whole,
            Left::Bytes(_) | Left::Chunks(_) | Left::Contradiction => BodyEnd::Cut,
        }
    }

    /// Its first bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.kept
    }
}

fn left(verb: Verb, head: &Head) -> Left {
    if verb == Verb::Head || matches!(head.status, 100..=199 | 204 | 304) {
        return Left::Bytes(0);
    }
    if head.all("transfer-encoding").next().is_some() {
        // Only as the last coding does `chunked` say where the body ends.
        let last = head.all("transfer-encoding").last().unwrap_or_default();
        let last = last.rsplit(',').next().unwrap_or_default().trim();
        return if last.eq_ignore_ascii_case("chunked") {
            Left::Chunks(Chunked::default())
        } else {
            Left::UntilClose
        };
    }
    let mut lengths = head
        .all("content-length")
        .flat_map(|value| value.split(','))
        .map(length);
    match lengths.next() {
        None => Left::UntilClose,
        Some(Some(first)) if lengths.all(|other| other == Some(first)) => Left::Bytes(first),
        Some(_) => Left::Contradiction,
    }
}

/// Digits alone: `u64::from_str` would take a plus sign too.
fn length(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(verb: Verb, status: u16, headers: &[(&str, &str)], bytes: &[u8]) -> (Fed, Vec<u8>) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_string(), (*value).to_string());
        let head = Head {
            minor: 1,
            status,
            reason: String::new(),
            headers: headers.iter().map(owned).collect(),
        };
        let mut body = Body::after(verb, &head);
        (body.feed(bytes), body.into_bytes())
    }

    #[test]
    fn the_verb_the_status_and_the_headers_say_where_a_body_ends() {
        let length = [("Content-Length", "4")];
        let whole = |used| Fed::End(used, BodyEnd::Whole);
        type Headers<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(Verb, u16, Headers<'_>, Fed)] = &[
            (Verb::Get, 200, &length, whole(4)),
            (Verb::Head, 200, &length, whole(0)),
            (Verb::Get, 204, &length, whole(0)),
            (Verb::Get, 304, &length, whole(0)),
            (Verb::Get, 200, &[], Fed::More),
            (Verb::Get, 200, &[("Content-Length", "4, 4")], whole(4)),
            (
                Verb::Get,
                200,
                &[("Content-Length", "4"), ("Content-Length", "5")],
                Fed::End(0, BodyEnd::Broken),
            ),
            (
                Verb::Get,
                200,
                &[("Content-Length", "+4")],
                Fed::End(0, BodyEnd::Broken),
            ),
            (
                Verb::Get,
                200,
                &[("Content-Length", "99999999999999999999")],
                Fed::End(0, BodyEnd::Broken),
            ),
            (
                Verb::Get,
                200,
                &[("Content-Length", "18446744073709551615")],
                Fed::More,
            ),
            (
                Verb::Get,
                200,
                &[
                    ("Content-Length", "4"),
                    ("Transfer-Encoding", "gzip, chunked"),
                ],
                Fed::End(1, BodyEnd::Broken),
            ),
            (Verb::Get, 200, &[("Transfer-Encoding", "gzip")], Fed::More),
        ];
        for (verb, status, headers, expected) in cases {
            let (fed, _) = body(*verb, *status, headers, b"wxyz and more");
            assert_eq!(fed, *expected, "{verb} {status} {headers:?}");
        }
    }

    #[test]
    fn a_body_is_kept_up_to_its_bound_however_it_is_framed() {
        let long = vec![b'x'; LARGEST_BODY + 1];
        let chunk = [format!("{:x}\r\n", long.len()).into_bytes(), long.clone()].concat();
        for (headers, bytes) in [
            (&[][..], &long),
            (&[("Content-Length", "100000")], &long),
            (&[("Transfer-Encoding", "chunked")], &chunk),
        ] {
            let (fed, kept) = body(Verb::Get, 200, headers, bytes);
            assert!(matches!(fed, Fed::End(_, BodyEnd::TooLong)), "{headers:?}");
            assert_eq!(kept.len(), LARGEST_BODY);
        }
    }
}
