//! Asking an OCSP responder for one certificate, and reading what it says (RFC 6960).
//!
//! The question goes into the address of a GET request, as Windows clients send it, so `fetch` carries it like any
//! list. The answer is read far enough to know whether it is signed by whom it must be, speaks of this certificate, and
//! is of now; every fault comes back at once, the worst first.

use base64ct::{Base64, Encoding as _};
use jiff::Timestamp;
use sha1::{Digest as _, Sha1};
use url::Url;
use x509_parser::asn1_rs::BitString;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;
use x509_parser::x509::AlgorithmIdentifier;

use super::der::{
    BIT_STRING, CONTEXT_0, CONTEXT_1, CONTEXT_2, ENUMERATED, GENERALIZED_TIME, INTEGER,
    OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, element, encode, timestamp,
};
use super::reason;
use crate::probe::certificate::{Signature, signature_of, signed};

/// The most bytes of an answer. Real ones stay below 4 KiB.
pub(crate) const LARGEST_ANSWER: usize = 64 << 10;
/// The most certificates of an answer that are looked at.
const MOST_CERTIFICATES: usize = 4;
/// `AlgorithmIdentifier` of SHA-1: the digest that every responder understands names the authority.
const SHA1: &[u8] = b"\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00";
/// The content of the object identifier of a basic answer, 1.3.6.1.5.5.7.48.1.1.
const BASIC: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
/// `good` and `unknown` are primitive.
const GOOD: u8 = 0x80;
const UNKNOWN: u8 = 0x82;

/// What a responder's answer is worth for one certificate at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// When the responder learnt it, and when it will know more; `None` when it says nothing of the certificate.
    pub(crate) updates: Option<Updates>,
    /// Every fault, the worst first.
    pub(crate) faults: Vec<Fault>,
}

/// The times of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Updates {
    /// When it was so.
    pub(crate) this: Timestamp,
    /// When more will be known.
    pub(crate) next: Option<Timestamp>,
}

/// One fault of an answer. The order of the variants is that of their weight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is no answer, or a damaged one.
    NotAnAnswer,
    /// The responder refuses, with this word of the protocol, as in `unauthorized`.
    Refused(&'static str),
    /// It does not speak of this certificate.
    AnotherCertificate,
    /// Whoever signed it is neither the authority nor appointed by it.
    BadSignature,
    /// The certificate is revoked.
    Revoked {
        /// Since when.
        since: Option<Timestamp>,
        /// Why, as in `key-compromise`.
        reason: Option<&'static str>,
    },
    /// The responder does not know the certificate.
    Unknown,
    /// More was due to be known, and has not come.
    Expired {
        /// When it was due.
        since: Timestamp,
    },
    /// It is from the future, or a clock is wrong.
    NotYetValid {
        /// From when.
        from: Timestamp,
    },
    /// Whether it is signed as it must be cannot be computed here.
    Undecided,
}

/// The question for a certificate by its issuer; `None` when one of them is no certificate.
pub(crate) fn question(certificate: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
    let subject = Subject::of(certificate, issuer)?;
    let name = encode(OCTET_STRING, &subject.name);
    let key = encode(OCTET_STRING, &subject.key);
    let serial = encode(INTEGER, &subject.serial);
    let subject = encode(SEQUENCE, &[SHA1, &name, &key, &serial].concat());
    // OCSPRequest, its TBSRequest, the list of requests, the one request.
    Some((0..4).fold(subject, |inner, _| encode(SEQUENCE, &inner)))
}

/// The address of a question (RFC 6960 appendix A.1).
pub(crate) fn address(responder: &Url, question: &[u8]) -> Url {
    let mut address = responder.clone();
    let text = Base64::encode_string(question)
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let path = responder.path().trim_end_matches('/');
    address.set_path(&format!("{path}/{text}"));
    address
}

/// Reads an answer for a certificate by its issuer.
pub(crate) fn check(answer: &[u8], certificate: &[u8], issuer: &[u8], now: Timestamp) -> Checked {
    let useless = |fault| Checked {
        updates: None,
        faults: vec![fault],
    };
    let parsed = X509Certificate::from_der(issuer);
    let (Some(subject), Ok((_, issuer))) = (Subject::of(certificate, issuer), parsed) else {
        return useless(Fault::NotAnAnswer);
    };
    let basic = match read(answer) {
        Some(Ok(basic)) => basic,
        Some(Err(refused)) => return useless(Fault::Refused(refused)),
        None => return useless(Fault::NotAnAnswer),
    };
    let Some(of_this) = basic.find(&subject) else {
        return useless(Fault::NotAnAnswer);
    };
    let mut faults = Vec::new();
    faults.extend(basic.of_signer(&issuer, now));
    let updates = match of_this {
        None => {
            faults.push(Fault::AnotherCertificate);
            None
        }
        Some(single) => {
            faults.extend(of_time(single.updates, now));
            faults.extend(single.fault);
            Some(single.updates)
        }
    };
    faults.sort();
    Checked { updates, faults }
}

/// What a question names: the authority by digests of its name and key, the certificate by its number.
struct Subject {
    name: [u8; 20],
    key: [u8; 20],
    serial: Vec<u8>,
}

impl Subject {
    fn of(certificate: &[u8], issuer: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let (_, issuer) = X509Certificate::from_der(issuer).ok()?;
        Some(Self {
            name: Sha1::digest(certificate.issuer().as_raw()).into(),
            key: Sha1::digest(&issuer.public_key().subject_public_key.data).into(),
            serial: certificate.raw_serial().to_vec(),
        })
    }
}

/// A basic answer (RFC 6960 section 4.2.1).
struct Basic<'a> {
    responses: &'a [u8],
    tbs: &'a [u8],
    algorithm: AlgorithmIdentifier<'a>,
    signature: BitString<'a>,
    certificates: &'a [u8],
}

/// What is said of one certificate.
struct Single {
    fault: Option<Fault>,
    updates: Updates,
}

/// Reads the frame of an answer, or the word with which it refuses.
fn read(answer: &[u8]) -> Option<Result<Basic<'_>, &'static str>> {
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
    fn find(&self, subject: &Subject) -> Option<Option<Single>> {
        let mut rest = self.responses;
        while !rest.is_empty() {
            let (after, single) = element(rest, SEQUENCE)?;
            let (status, named) = element(single, SEQUENCE)?;
            if names(named, subject)? {
                return self::single(status).map(Some);
            }
            rest = after;
        }
        Some(None)
    }

    /// Whether the authority signed, or one whom it appointed (RFC 6960 section 4.2.2.2).
    fn of_signer(&self, issuer: &X509Certificate<'_>, now: Timestamp) -> Option<Fault> {
        let mut signatures = vec![self.signed_by(issuer)];
        let mut rest = self.certificates;
        while let Ok((after, appointed)) = X509Certificate::from_der(rest)
            && signatures.len() <= MOST_CERTIFICATES
        {
            rest = after;
            if may_sign(&appointed, now) {
                signatures.push(match signature_of(&appointed, issuer) {
                    Signature::Good => self.signed_by(&appointed),
                    other => other,
                });
            }
        }
        if signatures.contains(&Signature::Good) {
            None
        } else if signatures.contains(&Signature::Undecided) {
            Some(Fault::Undecided)
        } else {
            Some(Fault::BadSignature)
        }
    }

    fn signed_by(&self, signer: &X509Certificate<'_>) -> Signature {
        let key = signer.public_key();
        signed(key, &self.algorithm, &self.signature, self.tbs)
    }
}

/// Whether a certificate is for signing answers, and its time is now.
fn may_sign(certificate: &X509Certificate<'_>, now: Timestamp) -> bool {
    let usage = certificate.extended_key_usage();
    let appointed = matches!(usage, Ok(Some(usage)) if usage.value.ocsp_signing);
    let now = ASN1Time::from_timestamp(now.as_second());
    appointed && now.is_ok_and(|now| certificate.validity().is_valid_at(now))
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

fn of_time(updates: Updates, now: Timestamp) -> Option<Fault> {
    match (updates.this, updates.next) {
        (from, _) if from > now => Some(Fault::NotYetValid { from }),
        (_, Some(since)) if since < now => Some(Fault::Expired { since }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
