//! HTTP: answers as a client reads them, requests as a stand-in for a server reads them.

use super::at_most;
use crate::product::Verb;
use crate::wire::web::http::answer::{Answer, Ended, Reader, Reading};
use crate::wire::web::http::head::{Head, HeadReading};
use crate::wire::web::http::{echo, head, mplist, multipart};

/// Sizes of pieces that bytes come in: none divides the other.
const PIECES: [usize; 2] = [89, 4_096];
/// A head that is larger may be read whole when it comes at once, and not when it comes in pieces.
const LARGEST_HEAD: usize = 16 << 10;

/// The answer of a web server, to a GET and to a HEAD.
pub fn http_answer(bytes: &[u8]) -> bool {
    if let HeadReading::Whole(head, length) = head::read(bytes) {
        keeps_to_bounds(&head);
        assert!(bytes[..length].ends_with(b"\n"));
    }
    let [get, head] = [Verb::Get, Verb::Head].map(|verb| is_answer(verb, bytes));
    get || head
}

/// A request as it arrives: its head, and behind it a body of several parts.
pub fn http_request(bytes: &[u8]) -> bool {
    let Some(length) = echo::head_length(bytes) else {
        return false;
    };
    assert!(length <= 32 << 10);
    let (head, body) = bytes.split_at(length);
    assert_eq!(echo::head_length(head), Some(length));
    assert_eq!(echo::head_length(&head[..length - 1]), None);
    gives_back(head);
    body.is_empty() || are_parts(body)
}

fn is_answer(verb: Verb, bytes: &[u8]) -> bool {
    let whole = read(verb, bytes, bytes.len());
    for piece in PIECES {
        let pieces = read(verb, bytes, piece);
        assert!(bytes.len() >= LARGEST_HEAD || is_same(&whole, &pieces));
    }
    whole.answer().is_some()
}

fn read(verb: Verb, bytes: &[u8], piece: usize) -> Reading {
    let mut reader = Reader::new(verb);
    let mut parts = bytes.chunks(piece.max(1));
    let ended = parts.find_map(|part| reader.feed(part));
    let reading = ended.unwrap_or_else(|| reader.end(Ended::Closed));
    if let Some(answer) = reading.answer() {
        keeps_to_bounds(&answer.head);
        assert!(answer.body.len() <= bytes.len().min(64 << 10));
        assert!(answer.interim.len() <= 8);
        let points = mplist::points(&answer.body);
        assert!(points.len() <= 16);
        for point in &points {
            let names = [&point.name, &point.fqdn].into_iter().flatten();
            names.for_each(|name| at_most(name, 253));
            assert!(point.site_code.as_ref().is_none_or(|code| code.len() == 3));
        }
        assert!(echo::received(answer).is_none_or(|request| request.headers.len() <= 100));
    }
    reading
}

/// Whether two readings are the same, but for what came behind the answer: in pieces that is not seen.
fn is_same(one: &Reading, other: &Reading) -> bool {
    let (Some(one), Some(other)) = (one.answer(), other.answer()) else {
        return one == other;
    };
    let reusable = one.reusable;
    *one == Answer {
        reusable,
        ..other.clone()
    }
}

fn keeps_to_bounds(head: &Head) {
    at_most(&head.reason, 200);
    assert!(head.headers.len() <= 64);
    for (name, value) in &head.headers {
        at_most(name, 200);
        at_most(value, 400);
    }
}

/// What a stand-in answers to a head is read as that head.
fn gives_back(head: &[u8]) {
    let reading = read(Verb::Get, &echo::answer(head), PIECES[1]);
    let received = reading.answer().and_then(echo::received);
    assert!(received.is_some_and(|request| request.headers.len() <= 100));
}

fn are_parts(body: &[u8]) -> bool {
    let Some(parts) = multipart::parts(body) else {
        return false;
    };
    assert!(parts.iter().map(|part| part.bytes.len()).sum::<usize>() < body.len());
    // A part that begins like a boundary cannot be written as it was read.
    let plain = parts.iter().all(|part| !part.bytes.starts_with(b"--"));
    assert!(!plain || multipart::parts(&multipart::body(&parts)) == Some(parts));
    true
}
