//! The frame of a revocation list (RFC 5280 section 5.1): all but its entries, which stay as they came.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use x509_parser::asn1_rs::BitString;
use x509_parser::prelude::{FromDer, X509Extension};
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AlgorithmIdentifier, X509Name};

use crate::wire::trust::revocation::der::{BIT_STRING, CONTEXT_0, INTEGER, SEQUENCE, element};
use crate::wire::trust::revocation::pointers::{Pointer, freshest};

/// The largest issuer name that is read.
const LARGEST_NAME: usize = 64 << 10;
/// The most extensions of a list.
const MOST_EXTENSIONS: usize = 32;
/// The extension of a list that holds only changes (RFC 5280 section 5.2.4).
pub(super) const DELTA_INDICATOR: &str = "2.5.29.27";
/// The extension with the number of a list (RFC 5280 section 5.2.3).
const NUMBER: &str = "2.5.29.20";
/// The most bytes of a number that is read; twenty are allowed.
const LONGEST_NUMBER: usize = 64;

/// The list in DER, and whether it had to be taken out of PEM.
pub(super) fn der(bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
    use rustls::pki_types::CertificateRevocationListDer;
    use rustls::pki_types::pem::PemObject as _;
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN ")
        && let Ok(list) = CertificateRevocationListDer::from_pem_slice(bytes)
    {
        return (Cow::Owned(list.as_ref().to_vec()), true);
    }
    (Cow::Borrowed(bytes), false)
}

/// The frame of a list: all but its entries, which stay as they came.
pub(super) struct List<'a> {
    pub(super) issuer: X509Name<'a>,
    pub(super) this_update: ASN1Time,
    pub(super) next_update: Option<ASN1Time>,
    entries: &'a [u8],
    pub(super) extensions: Vec<X509Extension<'a>>,
    /// What is signed.
    pub(super) tbs: &'a [u8],
    pub(super) algorithm: AlgorithmIdentifier<'a>,
    pub(super) signature: BitString<'a>,
}

/// Reads the frame.
pub(super) fn read(der: &[u8]) -> Option<List<'_>> {
    let (nothing, whole) = element(der, SEQUENCE)?;
    let (after, tbs) = element(whole, SEQUENCE)?;
    let signed_bytes = &whole[..whole.len() - after.len()];
    let (rest, algorithm) = AlgorithmIdentifier::from_der(after).ok()?;
    let outside = &after[..after.len() - rest.len()];
    element(rest, BIT_STRING)?;
    let (none, signature) = BitString::from_der(rest).ok()?;
    // The version is left out by version 1.
    let rest = element(tbs, INTEGER).map_or(tbs, |(rest, _)| rest);
    // What is not signed must say nothing of its own (RFC 5280 section 5.1.1.2).
    let rest = rest.strip_prefix(outside)?;
    if !nothing.is_empty() || !none.is_empty() || signature.unused_bits > 0 {
        return None;
    }
    let (after, name) = element(rest, SEQUENCE)?;
    let (_, issuer) = match name.len() <= LARGEST_NAME {
        true => X509Name::from_der(rest).ok()?,
        false => return None,
    };
    let (rest, this_update) = ASN1Time::from_der(after).ok()?;
    let (rest, next_update) = match ASN1Time::from_der(rest) {
        Ok((after, time)) => (after, Some(time)),
        Err(_) => (rest, None),
    };
    let (rest, entries) = element(rest, SEQUENCE).unwrap_or((rest, &[]));
    Some(List {
        issuer,
        this_update,
        next_update,
        entries,
        extensions: extensions(rest)?,
        tbs: signed_bytes,
        algorithm,
        signature,
    })
}

fn extensions(bytes: &[u8]) -> Option<Vec<X509Extension<'_>>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (nothing, tagged) = element(bytes, CONTEXT_0)?;
    let (none, mut rest) = element(tagged, SEQUENCE)?;
    if !nothing.is_empty() || !none.is_empty() {
        return None;
    }
    let mut found = Vec::new();
    while !rest.is_empty() && found.len() < MOST_EXTENSIONS {
        let (after, extension) = X509Extension::from_der(rest).ok()?;
        found.push(extension);
        rest = after;
    }
    rest.is_empty().then_some(found)
}

/// The number of a list: what is larger is newer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number(Vec<u8>);

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.cmp(&other.0))
    }
}

impl fmt::Display for Number {
    /// Short ones as they are counted, long ones as `openssl crl` shows them.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= 8 {
            let number = self
                .0
                .iter()
                .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
            return write!(out, "{number}");
        }
        out.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// What walking over the entries found.
pub(super) struct Walked<'a> {
    /// How many entries there are.
    pub(super) count: usize,
    /// That of the certificate: the last, where there are several.
    pub(super) own: Option<&'a [u8]>,
}

impl<'a> List<'a> {
    /// Walks over the entries, looking for a serial number; `None` when one of them is damaged.
    pub(super) fn walk(&self, serial: &[u8]) -> Option<Walked<'a>> {
        let serial = without_zeros(serial);
        let mut rest = self.entries;
        let mut walked = Walked {
            count: 0,
            own: None,
        };
        while !rest.is_empty() {
            let (after, entry) = element(rest, SEQUENCE)?;
            let (_, number) = element(entry, INTEGER)?;
            if without_zeros(number) == serial {
                walked.own = Some(&rest[..rest.len() - after.len()]);
            }
            walked.count += 1;
            rest = after;
        }
        Some(walked)
    }

    /// Whether it holds only what changed since another list.
    pub(super) fn is_delta(&self) -> bool {
        self.extensions
            .iter()
            .any(|extension| extension.oid.to_id_string() == DELTA_INDICATOR)
    }

    /// Its number among the lists of its authority.
    pub(super) fn number(&self) -> Option<Number> {
        self.numbered(NUMBER)
    }

    /// The number of the list since which it holds the changes.
    pub(super) fn base_number(&self) -> Option<Number> {
        self.numbered(DELTA_INDICATOR)
    }

    fn numbered(&self, identifier: &str) -> Option<Number> {
        let mut extensions = self.extensions.iter();
        let found = extensions.find(|extension| extension.oid.to_id_string() == identifier)?;
        let (rest, digits) = element(found.value, INTEGER)?;
        let is_negative = digits.first().is_none_or(|first| *first >= 0x80);
        let fits = rest.is_empty() && digits.len() <= LONGEST_NUMBER && !is_negative;
        fits.then(|| Number(without_zeros(digits).to_vec()))
    }

    /// Where lists of what changed since are to be had.
    pub(super) fn deltas(&self) -> Vec<Pointer> {
        let mut deltas = Vec::new();
        for extension in &self.extensions {
            freshest(extension, &mut deltas);
        }
        deltas
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let number = |bytes: &[u8]| Number(without_zeros(bytes).to_vec());
        assert!(number(&[9]) < number(&[1, 0]));
        assert!(number(&[0, 0, 9]) == number(&[9]));
        assert!(number(&[]) < number(&[1]));
        assert_eq!(number(&[1, 0]).to_string(), "256");
        assert_eq!(number(&[]).to_string(), "0");
        assert_eq!(number(&[1; 9]).to_string(), "0x010101010101010101");
    }
}
