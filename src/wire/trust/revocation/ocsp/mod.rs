//! Asking an OCSP responder for one certificate, and reading what it says (RFC 6960).
//!
//! The question goes into the address of a GET request, as Windows clients send it, so `fetch` carries it like any
//! list. The answer is read far enough to know whether it is signed by whom it must be, speaks of this certificate, and
//! is of now. Every fault comes back at once, the worst first.

mod reading;
#[cfg(test)]
mod tests;

use base64ct::{Base64, Encoding as _};
use jiff::Timestamp;
use sha1::{Digest as _, Sha1};
use url::Url;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use super::der::{INTEGER, OCTET_STRING, SEQUENCE, encode};
use crate::wire::trust::certificate::{Signature, signature_of, signed};
use reading::{Basic, read};

/// The most bytes of an answer. Real ones stay below 4 KiB.
pub(crate) const LARGEST_ANSWER: usize = 64 << 10;
/// The most certificates of an answer that are looked at.
const MOST_CERTIFICATES: usize = 4;
/// The most bytes of a serial number that is asked for: real ones have 20 (RFC 5280 section 4.1.2.2).
const LONGEST_SERIAL: usize = 32;
/// `AlgorithmIdentifier` of SHA-1: the digest that every responder understands names the authority.
const SHA1: &[u8] = b"\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00";

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

/// The question for a certificate by its issuer; `None` when one of them is no certificate, or has a serial number
/// beyond all bounds.
pub(crate) fn question(certificate: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
    let subject = Subject::of(certificate, issuer)?;
    if subject.serial.len() > LONGEST_SERIAL {
        return None;
    }
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
    faults.extend(of_signer(&basic, &issuer, now));
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

/// Whether the authority signed, or one whom it appointed (RFC 6960 section 4.2.2.2).
fn of_signer(basic: &Basic<'_>, issuer: &X509Certificate<'_>, now: Timestamp) -> Option<Fault> {
    let mut signatures = vec![signed_by(basic, issuer)];
    let mut rest = basic.certificates;
    while let Ok((after, appointed)) = X509Certificate::from_der(rest)
        && signatures.len() <= MOST_CERTIFICATES
    {
        rest = after;
        if may_sign(&appointed, now) {
            signatures.push(match signature_of(&appointed, issuer) {
                Signature::Good => signed_by(basic, &appointed),
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

fn signed_by(basic: &Basic<'_>, signer: &X509Certificate<'_>) -> Signature {
    let key = signer.public_key();
    signed(key, &basic.algorithm, &basic.signature, basic.tbs)
}

/// Whether a certificate is for signing answers, and its time is now.
fn may_sign(certificate: &X509Certificate<'_>, now: Timestamp) -> bool {
    let usage = certificate.extended_key_usage();
    let appointed = matches!(usage, Ok(Some(usage)) if usage.value.ocsp_signing);
    let now = ASN1Time::from_timestamp(now.as_second());
    appointed && now.is_ok_and(|now| certificate.validity().is_valid_at(now))
}

fn of_time(updates: Updates, now: Timestamp) -> Option<Fault> {
    match (updates.this, updates.next) {
        (from, _) if from > now => Some(Fault::NotYetValid { from }),
        (_, Some(since)) if since < now => Some(Fault::Expired { since }),
        _ => None,
    }
}
