//! The faults of one way from a leaf to its end: dates, keys, purposes and constraints of all that stand on it.

use std::borrow::Cow;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use super::{Fault, Odd};
use crate::wire::trust::certificate::authority::{names_another, path_length};
use crate::wire::trust::certificate::constraints::{self, Ruling};
use crate::wire::trust::certificate::extensions::{Extension, has_doubles, told};
use crate::wire::trust::certificate::issuers;
use crate::wire::trust::certificate::{Digest, End, Facts, Key, Path, Purpose, read};

/// RSA keys below this are refused by every Windows since 2012 (KB2661254).
const LEAST_BITS: usize = 1_024;
/// RSA keys below this are weak, and refused by modern TLS libraries.
const SOUND_BITS: usize = 2_048;
/// The curves that Windows clients offer by default, so that a server may show a key on one of them: P-256 and P-384.
const CURVES_OF_TLS: [&str; 2] = ["prime256v1", "secp384r1"];
/// The curves of authorities that every Windows since Vista computes: these and P-521.
const CURVES: [&str; 3] = ["prime256v1", "secp384r1", "secp521r1"];
/// The most intermediates that rustls' verifier follows.
const LONGEST_PATH: usize = 6;

/// What stands on a way.
struct Element<'a> {
    certificate: X509Certificate<'a>,
    facts: Cow<'a, Facts>,
    /// Whether it is the trusted root.
    is_root: bool,
}

impl Element<'_> {
    fn subject(&self) -> String {
        self.facts.subject.clone()
    }
}

/// The faults of a way.
pub(super) fn faults(
    path: &Path,
    all: &[CertificateDer<'_>],
    facts: &[Option<Facts>],
    now: Timestamp,
) -> Vec<Fault> {
    let elements = elements(path, all, facts);
    let mut faults: Vec<Fault> = of_end(path, &elements).into_iter().collect();
    for (place, element) in elements.iter().enumerate() {
        faults.extend(of_dates(element, place, now));
        faults.extend(of_key(element, place));
        faults.extend(of_purpose(element));
        faults.extend(of_extensions(element));
        let issuer = elements.get(place + 1);
        if issuer.is_some_and(|it| names_another(&element.certificate, &it.certificate)) {
            faults.push(Fault::Unsure {
                subject: element.subject(),
                what: Odd::OtherIssuer,
            });
        }
        faults.extend(match place {
            0 => of_leaf(element),
            _ => of_authority(&elements, place),
        });
    }
    if !path.end.is_root() {
        return faults;
    }
    let intermediates = elements.iter().skip(1).filter(|it| !it.is_root);
    if intermediates.clone().count() > LONGEST_PATH {
        faults.push(Fault::LongPath);
    }
    if intermediates.clone().any(|it| it.facts.self_issued) {
        faults.push(Fault::SelfIssued);
    }
    faults
}

/// The certificates on a way, the root last where it leads to one.
fn elements<'a>(
    path: &'a Path,
    all: &'a [CertificateDer<'_>],
    facts: &'a [Option<Facts>],
) -> Vec<Element<'a>> {
    let above = match &path.end {
        End::Root { above, .. } => above.as_ref(),
        _ => None,
    };
    let last_is_root = path.end.is_root() && above.is_none();
    let sent = path.steps.iter().enumerate().filter_map(|(place, step)| {
        let (_, certificate) = X509Certificate::from_der(all.get(*step)?).ok()?;
        Some(Element {
            certificate,
            facts: Cow::Borrowed(facts.get(*step)?.as_ref()?),
            is_root: last_is_root && place + 1 == path.steps.len(),
        })
    });
    let mut elements: Vec<Element<'_>> = sent.collect();
    let root = above.and_then(|der| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Element {
            certificate,
            facts: Cow::Owned(read(der)?),
            is_root: true,
        })
    });
    if let Some(root) = root {
        // Another certificate of the root was sent, such as one by a second authority: the trusted one counts.
        elements.pop_if(|last| {
            last.certificate.subject().as_raw() == root.certificate.subject().as_raw()
                && last.certificate.public_key().raw == root.certificate.public_key().raw
        });
        elements.push(root);
    }
    elements
}

fn of_end(path: &Path, elements: &[Element<'_>]) -> Option<Fault> {
    match path.end.clone() {
        End::Root { .. } | End::Unreadable => None,
        End::UnknownRoot { .. } if path.steps.len() == 1 => Some(Fault::SelfSigned),
        End::UnknownRoot { subject } => Some(Fault::UnknownRoot { subject }),
        End::NoIssuer { issuer } => {
            let last = elements.last();
            let is_named = last.is_some_and(|it| !issuers::of(&it.certificate).is_empty());
            Some(Fault::NoIssuer { issuer, is_named })
        }
        End::Forged { issuer } => Some(Fault::Forged { issuer }),
        End::UnfitIssuer { issuer, why } => Some(Fault::UnfitIssuer { issuer, why }),
        End::Undecided { issuer } => Some(Fault::Undecided { issuer }),
        End::TooMuch => Some(Fault::TooMuch),
    }
}

fn of_dates(element: &Element<'_>, place: usize, now: Timestamp) -> Option<Fault> {
    let subject = element.subject();
    let facts = &element.facts;
    // Certificates know whole seconds, and their last one counts.
    if let Some(since) = facts
        .not_after
        .filter(|end| end.as_second() < now.as_second())
    {
        return Some(match element.is_root && place > 0 {
            true => Fault::RootExpired { subject, since },
            false => Fault::Expired { subject, since },
        });
    }
    let from = facts.not_before.filter(|begin| *begin > now)?;
    Some(Fault::NotYetValid { subject, from })
}

fn of_key(element: &Element<'_>, place: usize) -> Vec<Fault> {
    let subject = element.subject();
    let curves: &[&str] = match place {
        0 => &CURVES_OF_TLS,
        _ => &CURVES,
    };
    let mut faults = Vec::new();
    match &element.facts.key {
        Key::Rsa { bits } if *bits < LEAST_BITS => faults.push(Fault::KeyRefused {
            subject: subject.clone(),
            bits: *bits,
        }),
        Key::Rsa { bits } if *bits < SOUND_BITS => faults.push(Fault::WeakKey {
            subject: subject.clone(),
            bits: *bits,
        }),
        Key::Rsa { .. } => {}
        Key::Elliptic { curve } if curves.contains(&curve.as_str()) => {}
        Key::Elliptic { curve: name } | Key::Other(name) => faults.push(Fault::Unsure {
            subject: subject.clone(),
            what: Odd::Key(name.clone()),
        }),
    }
    let digest = &element.facts.digest;
    // Nobody has to trust the signature that a certificate puts under itself.
    let counts = !element.is_root && !element.facts.self_issued;
    if counts && matches!(digest, Digest::Md(_) | Digest::Sha1) {
        let digest = digest.clone();
        faults.push(Fault::WeakSignature { subject, digest });
    }
    faults
}

/// That server authentication is named in a way that only Windows reads.
fn of_purpose(element: &Element<'_>) -> Option<Fault> {
    let named = element.facts.for_servers == Purpose::Named;
    let usage = element.certificate.extended_key_usage().ok().flatten()?;
    let otherwise = named && !usage.value.server_auth;
    otherwise.then(|| Fault::PurposeOtherwise {
        subject: element.subject(),
    })
}

fn of_extensions(element: &Element<'_>) -> Vec<Fault> {
    let subject = || element.subject();
    let mut faults: Vec<Fault> = told(&element.certificate)
        .into_iter()
        .map(|found| match found {
            Extension::Unknown(extension) => Fault::CriticalExtension {
                subject: subject(),
                extension,
            },
            Extension::Odd(extension) => Fault::Unsure {
                subject: subject(),
                what: Odd::Extension(extension),
            },
            Extension::Unreadable(extension) => Fault::Unsure {
                subject: subject(),
                what: Odd::Unreadable(extension),
            },
            Extension::OfWindows(extension) => Fault::OfWindows { extension },
        })
        .collect();
    if has_doubles(&element.certificate) {
        faults.push(Fault::Unsure {
            subject: subject(),
            what: Odd::Doubles,
        });
    }
    faults
}

fn of_leaf(leaf: &Element<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if leaf.certificate.version() != X509Version::V3 {
        faults.push(Fault::OldVersion);
    }
    if leaf.is_root {
        faults.push(Fault::OwnRoot);
    }
    if let Ok(Some(usage)) = leaf.certificate.key_usage() {
        let usage = usage.value;
        if !(usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()) {
            faults.push(Fault::Unsure {
                subject: leaf.subject(),
                what: Odd::KeyUsage,
            });
        }
    }
    faults
}

/// What an authority on the way says of those below it.
fn of_authority(elements: &[Element<'_>], place: usize) -> Vec<Fault> {
    let authority = &elements[place];
    let subject = || authority.subject();
    let mut faults = Vec::new();
    match (authority.facts.for_servers, authority.is_root) {
        (Purpose::Named | Purpose::Unlimited | Purpose::Any, _) => {}
        (Purpose::Others, false) => faults.push(Fault::IssuerPurpose { subject: subject() }),
        (Purpose::Others, true) => faults.push(Fault::Unsure {
            subject: subject(),
            what: Odd::RootPurpose,
        }),
    }
    // RFC 5280 section 6.1.4 (l): an authority's own certificates under another key do not count.
    let below = elements[1..place].iter();
    let (all, counted) = (
        below.len(),
        below.filter(|it| !it.facts.self_issued).count(),
    );
    match path_length(&authority.certificate).map(|allowed| allowed as usize) {
        Some(allowed) if counted > allowed => {
            faults.push(Fault::PathLength { subject: subject() });
        }
        Some(allowed) if all > allowed => faults.push(Fault::Unsure {
            subject: subject(),
            what: Odd::PathLength,
        }),
        Some(_) | None => {}
    }
    let bound = elements[..place].iter().enumerate();
    let bound = bound.filter(|(place, it)| *place == 0 || !it.facts.self_issued);
    let rulings =
        bound.filter_map(|(_, it)| constraints::ruling(&authority.certificate, &it.certificate));
    match rulings.min() {
        None => {}
        Some(Ruling::Outside) => faults.push(Fault::NameConstraint { subject: subject() }),
        Some(Ruling::Open) => faults.push(Fault::Unsure {
            subject: subject(),
            what: Odd::NameConstraint,
        }),
    }
    if constraints::on_directory_names(&authority.certificate) {
        faults.push(Fault::DirectoryNames);
    }
    faults
}
