//! Every fault of a chain at once, the worst first.
//!
//! rustls' verifier decides whether a modern client takes the chain, and its words are kept. It stops at the first
//! fault and knows nothing of what old clients take, so the rest is read here: from the certificates themselves and from
//! the way they lead. A chain that satisfies the verifier is never said to lead nowhere.

mod fault;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

use super::{Digest, End, Facts, Key, LONGEST_CHAIN, Path, Purpose, leads_to, read};
use crate::conversation::trust::Trust;

pub(crate) use fault::{Fault, Weight};

/// RSA keys below this are refused by every Windows since 2012 (KB2661254).
const LEAST_BITS: usize = 1_024;
/// RSA keys below this are weak, and refused by modern TLS libraries.
const SOUND_BITS: usize = 2_048;
/// The most characters of the verifier's words.
const LONGEST_WORDS: usize = 400;

/// What a chain is worth for one name at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// What stands in the certificates that can be read, in the order in which they were sent.
    pub(crate) chain: Vec<Facts>,
    /// Where the name that was asked for stands.
    pub(crate) name: NameFound,
    /// Whole days until the leaf ends; negative once it has ended.
    pub(crate) days_left: Option<i64>,
    /// To which root the chain leads, and how.
    pub(crate) path: Path,
    /// Every fault, the worst first.
    pub(crate) faults: Vec<Fault>,
    /// What the verifier said, when it was not satisfied.
    pub(crate) verifier: Option<String>,
}

/// Where the name that was asked for stands in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameFound {
    /// In the subject alternative name.
    Alternative,
    /// Only in the common name, and there are no alternative names that would take its place (RFC 2818 section 3.1).
    CommonName,
    /// In one entry with others, joined by `&`: that is how names are typed for several, not how they are issued.
    Joined,
    /// Nowhere.
    Nowhere,
}

/// Looks at a chain as it was sent, for the name that was asked.
pub(crate) fn check(
    chain: &[CertificateDer<'_>],
    name: &str,
    trust: &Trust,
    now: Timestamp,
) -> Checked {
    let facts: Vec<Option<Facts>> = chain
        .iter()
        .take(LONGEST_CHAIN)
        .map(|der| read(der))
        .collect();
    let path = leads_to(chain, &trust.roots);
    let verifier = verify(chain, name, trust, now);
    let leaf = facts.first().and_then(Option::as_ref);
    let name = leaf.map_or(NameFound::Nowhere, |leaf| find(name, leaf, &chain[0]));
    let mut faults = Vec::new();
    match leaf {
        None => faults.push(Fault::Unreadable),
        Some(leaf) => {
            // The verifier follows longer chains than the description does.
            if verifier.is_some() {
                faults.extend(of_path(&path));
            }
            faults.extend(of_name(name));
            faults.extend(of_purpose(leaf));
            let on_path = path.steps.iter().filter_map(|step| facts[*step].as_ref());
            faults.extend(on_path.flat_map(|facts| of_one(facts, now)));
            faults.extend(of_root(&path, now));
            if path.steps.iter().copied().ne(0..path.steps.len()) {
                faults.push(Fault::Disordered);
            }
        }
    }
    if let Some(words) = &verifier
        && faults.iter().all(|fault| fault.weight() == Weight::Note)
    {
        faults.push(Fault::Refused(words.clone()));
    }
    faults.sort();
    faults.dedup();
    Checked {
        days_left: leaf.and_then(|leaf| leaf.days_left(now)),
        chain: facts.into_iter().flatten().collect(),
        name,
        path,
        faults,
        verifier,
    }
}

/// What the verifier says against a chain.
fn verify(
    chain: &[CertificateDer<'_>],
    name: &str,
    trust: &Trust,
    now: Timestamp,
) -> Option<String> {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return Some("there is no certificate".to_string());
    };
    let Some(verifier) = &trust.verifier else {
        return Some("there is no root to lead to".to_string());
    };
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let Ok(name) = ServerName::try_from(name.trim_end_matches('.')) else {
        return Some(format!("`{name}` is no name that a certificate can carry"));
    };
    let verdict = verifier.verify_server_cert(leaf, intermediates, &name, &[], now);
    verdict
        .err()
        .map(|error| error.to_string().chars().take(LONGEST_WORDS).collect())
}

/// Where a name stands in a certificate.
fn find(name: &str, facts: &Facts, leaf: &CertificateDer<'_>) -> NameFound {
    let name = name.trim_end_matches('.');
    let verified = match (
        ParsedCertificate::try_from(leaf),
        ServerName::try_from(name),
    ) {
        (Ok(parsed), Ok(name)) => verify_server_name(&parsed, &name).is_ok(),
        // rustls reads neither certificates of version 1 nor critical extensions that it does not know.
        (Err(_), _) | (_, Err(_)) => facts.names.iter().any(|entry| covers(entry, name)),
    };
    let joined = facts.names.iter().chain(&facts.common_names);
    let joined = joined
        .filter(|entry| entry.contains('&'))
        .flat_map(|entry| entry.split('&'));
    if verified {
        NameFound::Alternative
    } else if facts.names.is_empty() && facts.common_names.iter().any(|cn| covers(cn, name)) {
        NameFound::CommonName
    } else if joined.into_iter().any(|part| covers(part.trim(), name)) {
        NameFound::Joined
    } else {
        NameFound::Nowhere
    }
}

/// Whether a name in a certificate covers a host's: letter case aside, and a `*` stands for one label.
fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => name
            .split_once('.')
            .is_some_and(|(first, parent)| !first.is_empty() && parent.eq_ignore_ascii_case(rest)),
        None => pattern.eq_ignore_ascii_case(name),
    }
}

fn of_path(path: &Path) -> Option<Fault> {
    match &path.end {
        End::Root { .. } | End::Unreadable => None,
        End::UnknownRoot { .. } if path.steps.len() == 1 => Some(Fault::SelfSigned),
        End::UnknownRoot { subject } => Some(Fault::UnknownRoot {
            subject: subject.clone(),
        }),
        End::NoIssuer { issuer } => Some(Fault::NoIssuer {
            issuer: issuer.clone(),
        }),
        End::Forged { issuer } => Some(Fault::Forged {
            issuer: issuer.clone(),
        }),
        End::Undecided { issuer } => Some(Fault::Undecided {
            issuer: issuer.clone(),
        }),
    }
}

/// That a root has ended. Verifiers take roots as they are; Windows refuses what leads to one that has ended.
fn of_root(path: &Path, now: Timestamp) -> Option<Fault> {
    let End::Root { subject, until, .. } = &path.end else {
        return None;
    };
    let since = until.filter(|end| *end < now)?;
    let subject = subject.clone();
    Some(Fault::Expired { subject, since })
}

fn of_name(name: NameFound) -> Option<Fault> {
    match name {
        NameFound::Alternative => None,
        NameFound::CommonName => Some(Fault::CommonNameOnly),
        NameFound::Joined => Some(Fault::NamesJoined),
        NameFound::Nowhere => Some(Fault::Name),
    }
}

fn of_purpose(leaf: &Facts) -> Vec<Fault> {
    let purpose = match leaf.for_servers {
        Purpose::Named => None,
        Purpose::Unlimited => Some(Fault::PurposeUnlimited),
        Purpose::Any => Some(Fault::PurposeAny),
        Purpose::Others => Some(Fault::Purpose),
    };
    let authority = leaf.authority.then_some(Fault::LeafIsAuthority);
    purpose.into_iter().chain(authority).collect()
}

/// The faults of one certificate by itself.
fn of_one(facts: &Facts, now: Timestamp) -> Vec<Fault> {
    let subject = || facts.subject.clone();
    let mut faults = Vec::new();
    if let Some(since) = facts.not_after.filter(|end| *end < now) {
        let subject = subject();
        faults.push(Fault::Expired { subject, since });
    }
    if let Some(from) = facts.not_before.filter(|begin| *begin > now) {
        let subject = subject();
        faults.push(Fault::NotYetValid { subject, from });
    }
    match facts.key {
        Key::Rsa { bits } if bits < LEAST_BITS => {
            let subject = subject();
            faults.push(Fault::KeyRefused { subject, bits });
        }
        Key::Rsa { bits } if bits < SOUND_BITS => {
            let subject = subject();
            faults.push(Fault::WeakKey { subject, bits });
        }
        Key::Rsa { .. } | Key::Elliptic { .. } | Key::Other(_) => {}
    }
    // Nobody has to trust the signature that a root puts under itself.
    if matches!(facts.digest, Digest::Md(_) | Digest::Sha1) && !facts.self_issued {
        faults.push(Fault::WeakSignature {
            subject: subject(),
            digest: facts.digest.clone(),
        });
    }
    faults
}
