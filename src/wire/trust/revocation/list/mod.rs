//! Reading a revocation list, and what it is worth for a certificate.
//!
//! A list may hold hundreds of thousands of entries, so none is kept. The `frame` is read, the entries are walked over
//! once, and only the certificate's own is looked into. Every fault comes back at once, the worst first; no fault: a
//! client may rely on it. A list of what changed since another one is held against that other list by `delta`.

pub(crate) mod delta;
mod frame;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::{
    DistributionPointName, GeneralName, IssuingDistributionPoint, ParsedExtension,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::revocation_list::RevokedCertificate;

use super::der::timestamp;
use super::pointers::Pointer;
use super::{LARGEST_LIST, reason};
use crate::wire::trust::certificate::{Signature, signed, text};
use delta::Scope;
use frame::{DELTA_INDICATOR, List, Number, der, read};

/// The largest entry that is looked into.
const LARGEST_ENTRY: usize = 64 << 10;
/// The reason of an entry that takes a revocation back: `removeFromCRL`.
const TAKEN_BACK: u8 = 8;

/// What a list is worth for one certificate at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// What stands in it; `None` when it is no list.
    pub(crate) facts: Option<ListFacts>,
    /// Every fault, the worst first.
    pub(crate) faults: Vec<Fault>,
    /// Whether it takes an earlier revocation of the certificate back (`removeFromCRL`).
    pub(crate) takes_back: bool,
}

/// What stands in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListFacts {
    /// Who issued it.
    pub(crate) issuer: String,
    /// When it was issued.
    pub(crate) this_update: Option<Timestamp>,
    /// When the next is due.
    pub(crate) next_update: Option<Timestamp>,
    /// How many certificates it revokes.
    pub(crate) entries: usize,
    /// Its size in bytes, as DER.
    pub(crate) bytes: usize,
    /// Its number among those of its authority.
    pub(crate) number: Option<Number>,
    /// Whether it holds only what changed since another list.
    pub(crate) delta: bool,
    /// The number of that other list.
    pub(crate) base_number: Option<Number>,
    /// Of which certificates it speaks.
    pub(crate) scope: Scope,
    /// Where lists of what changed since are to be had.
    pub(crate) deltas: Vec<Pointer>,
    /// Whether it came as PEM; clients want DER (RFC 5280 section 4.2.1.13).
    pub(crate) pem: bool,
}

/// One fault of a list. The order of the variants is that of their weight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is no list, or a damaged one.
    NotAList,
    /// It is larger than any client would read.
    TooLarge,
    /// Another authority issued it.
    WrongIssuer {
        /// Who did.
        issuer: String,
    },
    /// The authority's key did not sign it.
    BadSignature,
    /// It revokes the certificate.
    Revoked {
        /// Since when.
        since: Option<Timestamp>,
        /// Why, as in `key-compromise`.
        reason: Option<&'static str>,
    },
    /// The next was due and has not come: clients refuse every certificate of the authority.
    Expired {
        /// When it was due.
        since: Timestamp,
    },
    /// It is from the future, or a clock is wrong.
    NotYetValid {
        /// From when.
        from: Timestamp,
    },
    /// It does not speak of such certificates.
    OutOfScope,
    /// It is of another distribution point than those that the certificate names.
    AnotherPoint,
    /// It speaks of some reasons only: who is not in it may be revoked for another.
    SomeReasons,
    /// It holds only what changed since another list, which a client needs first.
    DeltaOnly,
    /// It demands something that is not known here: a critical extension, by its object identifier.
    Unknown {
        /// Which.
        extension: String,
    },
    /// Its authority has several keys, and the one that signed it is not at hand.
    AnotherKey,
    /// Whether the authority signed it cannot be computed here.
    Undecided,
    /// The authority's certificate is not at hand, so that nobody knows who signed it.
    Unverified,
    /// It never says when the next is due.
    NoNextUpdate,
}

/// Reads a list, for a certificate, with the certificates of authorities that are trusted: the roots, and those on the
/// certificate's way to them.
pub(crate) fn check(
    bytes: &[u8],
    certificate: &[u8],
    authorities: &[CertificateDer<'_>],
    now: Timestamp,
) -> Checked {
    if bytes.len() > LARGEST_LIST {
        return useless(Fault::TooLarge);
    }
    let (der, pem) = der(bytes);
    let (Some(list), Ok((_, certificate))) = (read(&der), X509Certificate::from_der(certificate))
    else {
        return useless(Fault::NotAList);
    };
    let Some(walked) = list.walk(certificate.raw_serial()) else {
        return useless(Fault::NotAList);
    };
    let mut faults = of_extensions(&list, &certificate);
    faults.extend(of_time(&list, now));
    faults.extend(of_issuer(&list, &certificate, authorities));
    let own = walked.own.map(entry);
    let takes_back = own == Some(Entry::TakenBack);
    if let Some(Entry::Revoked(fault)) = own {
        faults.push(fault);
    }
    faults.sort();
    faults.dedup();
    Checked {
        facts: Some(facts(&list, walked.count, der.len(), pem)),
        faults,
        takes_back,
    }
}

/// Reads a list without any certificate that it is of: whether it is one, and of now.
pub(crate) fn by_itself(bytes: &[u8], now: Timestamp) -> Checked {
    if bytes.len() > LARGEST_LIST {
        return useless(Fault::TooLarge);
    }
    let (der, pem) = der(bytes);
    let Some((list, walked)) = read(&der).and_then(|list| {
        let walked = list.walk(&[])?;
        Some((list, walked))
    }) else {
        return useless(Fault::NotAList);
    };
    Checked {
        facts: Some(facts(&list, walked.count, der.len(), pem)),
        faults: of_time(&list, now).into_iter().collect(),
        takes_back: false,
    }
}

fn facts(list: &List<'_>, entries: usize, bytes: usize, pem: bool) -> ListFacts {
    ListFacts {
        issuer: text(&list.issuer),
        this_update: timestamp(list.this_update),
        next_update: list.next_update.and_then(timestamp),
        entries,
        bytes,
        number: list.number(),
        delta: list.is_delta(),
        base_number: list.base_number(),
        scope: Scope::of(&list.extensions),
        deltas: list.deltas(),
        pem,
    }
}

fn useless(fault: Fault) -> Checked {
    Checked {
        facts: None,
        faults: vec![fault],
        takes_back: false,
    }
}

/// What the entry of a certificate says.
#[derive(PartialEq, Eq)]
enum Entry {
    Revoked(Fault),
    TakenBack,
}

fn entry(bytes: &[u8]) -> Entry {
    let parsed = match bytes.len() <= LARGEST_ENTRY {
        true => RevokedCertificate::from_der(bytes).ok(),
        false => None,
    };
    let Some((_, entry)) = parsed else {
        return Entry::Revoked(Fault::Revoked {
            since: None,
            reason: None,
        });
    };
    let code = entry.reason_code().map(|(_, code)| code.0);
    if code == Some(TAKEN_BACK) {
        return Entry::TakenBack;
    }
    Entry::Revoked(Fault::Revoked {
        since: timestamp(entry.revocation_date),
        reason: code.and_then(reason),
    })
}

/// What the extensions demand (RFC 5280 section 5.2).
fn of_extensions(list: &List<'_>, certificate: &X509Certificate<'_>) -> Vec<Fault> {
    let faults = list.extensions.iter().filter_map(|extension| {
        let known = match extension.parsed_extension() {
            ParsedExtension::IssuingDistributionPoint(point) => {
                return of_scope(point, certificate);
            }
            ParsedExtension::AuthorityKeyIdentifier(_) | ParsedExtension::CRLNumber(_) => true,
            _ => false,
        };
        let identifier = extension.oid.to_id_string();
        if identifier == DELTA_INDICATOR {
            return Some(Fault::DeltaOnly);
        }
        (extension.critical && !known).then(|| Fault::Unknown {
            extension: identifier.chars().take(100).collect(),
        })
    });
    faults.collect()
}

/// Whether a list is one for a certificate (RFC 5280 section 6.3.3, step b).
fn of_scope(
    point: &IssuingDistributionPoint<'_>,
    certificate: &X509Certificate<'_>,
) -> Option<Fault> {
    if out_of_scope(point, certificate) {
        Some(Fault::OutOfScope)
    } else if is_of_another_point(point, certificate) {
        Some(Fault::AnotherPoint)
    } else {
        point
            .only_some_reasons
            .is_some()
            .then_some(Fault::SomeReasons)
    }
}

/// Whether the addresses in a list are none of those that a certificate names. A certificate that names none is no
/// ground: the list is then one that the site file names.
fn is_of_another_point(
    point: &IssuingDistributionPoint<'_>,
    certificate: &X509Certificate<'_>,
) -> bool {
    let own = match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => addresses(names),
        // A name relative to the authority's is rare, and not compared.
        Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => return false,
    };
    let mut named = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() else {
            continue;
        };
        for point in points.iter() {
            match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => named.extend(addresses(names)),
                Some(DistributionPointName::NameRelativeToCRLIssuer(_)) => return false,
                None => {}
            }
        }
    }
    !own.is_empty() && !named.is_empty() && own.iter().all(|address| !named.contains(address))
}

/// Addresses as they are compared: letter case of scheme and host does not count.
pub(super) fn addresses(names: &[GeneralName<'_>]) -> Vec<String> {
    let addresses = names.iter().filter_map(|name| match name {
        GeneralName::URI(url) => {
            Some(url::Url::parse(url).map_or_else(|_| (*url).to_string(), |url| url.to_string()))
        }
        _ => None,
    });
    addresses.collect()
}

fn out_of_scope(point: &IssuingDistributionPoint<'_>, certificate: &X509Certificate<'_>) -> bool {
    point.only_contains_attribute_certs
        || point.indirect_crl
        || (point.only_contains_ca_certs && !certificate.is_ca())
        || (point.only_contains_user_certs && certificate.is_ca())
}

fn of_time(list: &List<'_>, now: Timestamp) -> Option<Fault> {
    let from = timestamp(list.this_update).filter(|from| *from > now);
    match (from, list.next_update.map(timestamp)) {
        (Some(from), _) => Some(Fault::NotYetValid { from }),
        (None, Some(Some(since))) if since < now => Some(Fault::Expired { since }),
        (None, Some(_)) => None,
        (None, None) => Some(Fault::NoNextUpdate),
    }
}

/// Whether the certificate's own authority issued and signed the list.
fn of_issuer(
    list: &List<'_>,
    certificate: &X509Certificate<'_>,
    authorities: &[CertificateDer<'_>],
) -> Option<Fault> {
    if list.issuer.as_raw() != certificate.issuer().as_raw() {
        return Some(Fault::WrongIssuer {
            issuer: text(&list.issuer),
        });
    }
    let mut known = Vec::new();
    for der in authorities {
        if let Ok((_, authority)) = X509Certificate::from_der(der)
            && authority.subject().as_raw() == list.issuer.as_raw()
        {
            known.push(authority);
        }
    }
    let signatures: Vec<Signature> = known
        .iter()
        .map(|authority| {
            let key = authority.public_key();
            signed(key, &list.algorithm, &list.signature, list.tbs)
        })
        .collect();
    if signatures.contains(&Signature::Good) {
        None
    } else if signatures.is_empty() {
        Some(Fault::Unverified)
    } else if signatures.contains(&Signature::Undecided) {
        Some(Fault::Undecided)
    } else if names_another_key(list, &known) {
        Some(Fault::AnotherKey)
    } else {
        Some(Fault::BadSignature)
    }
}

/// Whether the list says that it was signed by a key that none of the authority's known certificates holds. After a
/// renewal an authority has several.
fn names_another_key(list: &List<'_>, known: &[X509Certificate<'_>]) -> bool {
    let named = list
        .extensions
        .iter()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(key) => key.key_identifier.as_ref(),
            _ => None,
        });
    let Some(named) = named else { return false };
    known
        .iter()
        .flat_map(|authority| authority.extensions())
        .all(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(own) => own != named,
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::X509Extension;

    use super::*;
    use crate::wire::trust::certificate::sample;

    #[test]
    fn a_list_of_some_reasons_only_proves_nothing() {
        let root = sample::root("Site Root");
        // issuingDistributionPoint, critical, with onlySomeReasons: keyCompromise.
        let extension = b"\x30\x10\x06\x03\x55\x1d\x1c\x01\x01\xff\x04\x06\x30\x04\x83\x02\x06\x40";
        let (_, extension) = X509Extension::from_der(extension).expect("an extension");
        let ParsedExtension::IssuingDistributionPoint(point) = extension.parsed_extension() else {
            panic!("{extension:?}");
        };
        let leaf = sample::leaf(&root, &["ibs01.example.com"]);
        let (_, leaf) = X509Certificate::from_der(&leaf).expect("a certificate");
        assert_eq!(of_scope(point, &leaf), Some(Fault::SomeReasons));
    }
}
