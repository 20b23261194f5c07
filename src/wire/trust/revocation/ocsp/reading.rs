//! Reading a responder's answer (RFC 6960 section 4.2.1).

use jiff::Timestamp;
use x509_parser::asn1_rs::BitString;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::AlgorithmIdentifier;

use super::{Fault, Subject, Updates};
use crate::wire::trust::revocation::der::{
    BIT_STRING, CONTEXT_0, CONTEXT_1, CONTEXT_2, ENUMERATED, GENERALIZED_TIME, INTEGER,
    OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, element, timestamp,
};
use crate::wire::trust::revocation::reason;

/// The content of the object identifier of a basic answer, 1.3.6.1.5.5.7.48.1.1.
const BASIC: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
/// `good` and `unknown` are primitive.
const GOOD: u8 = 0x80;
const UNKNOWN: u8 = 0x82;

/// A basic answer.
pub(super) struct Basic<'a> {
    responses: &'a [u8],
    pub(super) tbs: &'a [u8],
    pub(super) algorithm: AlgorithmIdentifier<'a>,
    pub(super) signature: BitString<'a>,
    pub(super) certificates: &'a [u8],
}

/// What is said of one certificate.
pub(super) struct Single {
    pub(super) fault: Option<Fault>,
    pub(super) updates: Updates,
}

/// Reads the frame of an answer, or the word with which it refuses.
pub(super) fn read(answer: &[u8]) -> Option<Result<Basic<'_>, &'static str>> {
    let (_, whole) = element(answer, SEQUENCE)?;
    let (rest, status) = element(whole, ENUMERATED)?;
    let refused = match status {
        [0] => None,
        [1] => Some("malformed-request"),
        [2] => Some("internal-error"),
        [3] => Some("try-later"),
        [5] => Some("sig-required"),
        [6] => Some("unauthorized"),
        _ => return None,
    };
    match refused {
        Some(word) => Some(Err(word)),
        None => basic(rest).map(Ok),
    }
}

fn basic(bytes: &[u8]) -> Option<Basic<'_>> {
    let (_, bytes) = element(bytes, CONTEXT_0)?;
    let (_, bytes) = element(bytes, SEQUENCE)?;
    let (rest, kind) = element(bytes, OBJECT_IDENTIFIER)?;
    let (_, bytes) = element(rest, OCTET_STRING).filter(|_| kind == BASIC)?;
    let (_, bytes) = element(bytes, SEQUENCE)?;
    let (after, tbs) = element(bytes, SEQUENCE)?;
    let signed_bytes = &bytes[..bytes.len() - after.len()];
    let (after, algorithm) = AlgorithmIdentifier::from_der(after).ok()?;
    element(after, BIT_STRING)?;
    let (after, signature) = BitString::from_der(after).ok()?;
    let certificates = element(after, CONTEXT_0).and_then(|(_, list)| element(list, SEQUENCE));
    // The version is left out where it is 1; then come the responder's name or key, and the time.
    let rest = element(tbs, CONTEXT_0).map_or(tbs, |(rest, _)| rest);
    let (rest, _) = element(rest, CONTEXT_1).or_else(|| element(rest, CONTEXT_2))?;
    let (rest, _) = element(rest, GENERALIZED_TIME)?;
    let (_, responses) = element(rest, SEQUENCE)?;
    Some(Basic {
        responses,
        tbs: signed_bytes,
        algorithm,
        signature,
        certificates: certificates.map_or(&[], |(_, list)| list),
    })
}

impl Basic<'_> {
    /// What is said of a certificate, if anything; `None` when the answer is damaged.
    pub(super) fn find(&self, subject: &Subject) -> Option<Option<Single>> {
        let mut rest = self.responses;
        while !rest.is_empty() {
            let (after, one) = element(rest, SEQUENCE)?;
            let (status, named) = element(one, SEQUENCE)?;
            if names(named, subject)? {
                return single(status).map(Some);
            }
            rest = after;
        }
        Some(None)
    }
}

/// Whether an answer's `CertID` names what was asked.
fn names(named: &[u8], subject: &Subject) -> Option<bool> {
    let (rest, _) = element(named, SEQUENCE)?;
    let (rest, name) = element(rest, OCTET_STRING)?;
    let (rest, key) = element(rest, OCTET_STRING)?;
    let (_, serial) = element(rest, INTEGER)?;
    Some(name == subject.name && key == subject.key && serial == subject.serial)
}

/// Reads the status of a certificate and its times.
fn single(bytes: &[u8]) -> Option<Single> {
    let (rest, fault) = if let Some((rest, _)) = element(bytes, GOOD) {
        (rest, None)
    } else if let Some((rest, _)) = element(bytes, UNKNOWN) {
        (rest, Some(Fault::Unknown))
    } else {
        let (rest, revoked) = element(bytes, CONTEXT_1)?;
        let (after, _) = element(revoked, GENERALIZED_TIME)?;
        let code = element(after, CONTEXT_0).and_then(|(_, code)| element(code, ENUMERATED));
        let fault = Fault::Revoked {
            since: time(revoked),
            reason: code.and_then(|(_, code)| reason(*code.first()?)),
        };
        (rest, Some(fault))
    };
    let (after, _) = element(rest, GENERALIZED_TIME)?;
    let this = time(rest)?;
    let next = element(after, CONTEXT_0).and_then(|(_, next)| time(next));
    let updates = Updates { this, next };
    Some(Single { fault, updates })
}

fn time(bytes: &[u8]) -> Option<Timestamp> {
    let (_, time) = ASN1Time::from_der(bytes).ok()?;
    timestamp(time)
}
