//! Revocation: fetching a list, reading it, and what a responder says.

use url::Url;

use super::certificates::now;
use super::{LIMIT, at_most, peer, pieces, wait_for};
use crate::wire::trust::revocation::answer::{Answer, Broken, Head};
use crate::wire::trust::revocation::fetch::{NotFetched, Way, fetch};
use crate::wire::trust::revocation::{list, ocsp};

/// Less than the largest list, so that small inputs go beyond it.
const LARGEST_LIST: usize = 2_048;
/// No line of a chunk may be longer when it comes in pieces.
const LONGEST_CHUNK_LINE: usize = 1 << 10;

/// The answer of a server of lists, given again to whatever it redirects to.
pub fn revocation_fetch(bytes: &[u8]) -> bool {
    let whole = read(bytes, bytes.len());
    let pieces = read(bytes, 67);
    assert!(bytes.len() >= LONGEST_CHUNK_LINE || whole == pieces);
    let Ok(url) = Url::parse("http://pki.example.com/ca.crl") else {
        return false;
    };
    let connect = async |_, _| Ok(peer(bytes));
    match wait_for(fetch(
        &url,
        LARGEST_LIST,
        &Way::Straight,
        connect,
        |_, _| true,
        LIMIT,
    )) {
        Ok(fetched) => {
            assert!(fetched.body.len() <= LARGEST_LIST);
            assert!(fetched.asked.len() <= 4);
            assert!(fetched.content_type.is_none_or(|kind| kind.len() <= 2_048));
            true
        }
        Err(NotFetched::Elsewhere { to }) => {
            at_most(&to, 8 << 10);
            true
        }
        Err(fault) => matches!(fault, NotFetched::Status(_) | NotFetched::TooManyRedirects),
    }
}

/// A revocation list behind a certificate and the certificate of its authority.
pub fn revocation_list(bytes: &[u8]) -> bool {
    let [certificate, authority, bytes] = pieces(bytes, 2)[..] else {
        return false;
    };
    let checked = list::check(bytes, certificate, &[authority.into()], now());
    assert!(checked.faults.len() <= 40 && checked.faults.is_sorted());
    let Some(facts) = checked.facts else {
        return false;
    };
    at_most(&facts.issuer, 400);
    assert!(facts.bytes <= bytes.len());
    // An entry has a number and a date: at least seven bytes with their frames.
    assert!(facts.entries * 5 <= facts.bytes);
    assert!(facts.deltas.len() <= 16);
    assert!(
        facts
            .deltas
            .iter()
            .all(|pointer| pointer.url.len() <= 2_048)
    );
    true
}

/// A responder's answer behind a certificate and the certificate of its authority.
pub fn ocsp(bytes: &[u8]) -> bool {
    let [certificate, authority, bytes] = pieces(bytes, 2)[..] else {
        return false;
    };
    let question = ocsp::question(certificate, authority);
    assert!(question.is_none_or(|question| question.len() <= 128));
    let checked = ocsp::check(bytes, certificate, authority, now());
    assert!(checked.faults.len() <= 4 && checked.faults.is_sorted());
    let refused = matches!(checked.faults[..], [ocsp::Fault::Refused(_)]);
    checked.updates.is_some() || refused
}

/// What an answer comes to: its head and body, or what is wrong with it.
fn read(bytes: &[u8], piece: usize) -> Result<(Option<Head>, Vec<u8>), Broken> {
    let mut answer = Answer::new(LARGEST_LIST);
    for part in bytes.chunks(piece.max(1)) {
        if answer.take(part)? {
            return Ok(content(answer));
        }
    }
    answer.closed()?;
    Ok(content(answer))
}

fn content(answer: Answer) -> (Option<Head>, Vec<u8>) {
    let head = answer.head().cloned();
    let body = answer.into_body();
    assert!(body.len() <= LARGEST_LIST);
    (head, body)
}
