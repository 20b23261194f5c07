//! Every fault of a chain at once, the worst first: what a Windows client makes of it.
//!
//! The chain is judged as Windows judges it (`docs/certificates.md` has the table, `table.rs` holds it). All ways to a
//! trusted root are weighed, and the best one counts, as Windows chooses. rustls' verifier is stricter. Its words are
//! kept as well. Where it refuses what nothing here explains, the question stays open.

#[cfg(test)]
mod case;
mod fault;
#[cfg(test)]
mod limbo;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
mod way;

use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::extensions::has_unreadable_names;
use super::path::ways;
use super::{Facts, LONGEST_CHAIN, MOST_SENT, Path, Purpose, reached, read};
use crate::wire::trust::Trust;

pub(crate) use fault::{Fault, Odd, Weight};

/// The most faults that are told, the worst: a hostile chain may have any number.
const MOST_FAULTS: usize = 64;
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
    /// To which root the chain leads, and how. Places beyond the chain as sent are those of fetched certificates.
    pub(crate) path: Path,
    /// Every fault, the worst first.
    pub(crate) faults: Vec<Fault>,
    /// What rustls' verifier said, when it was not satisfied.
    pub(crate) verifier: Option<String>,
}

/// Where the name that was asked for stands in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameFound {
    /// In the subject alternative name.
    Alternative,
    /// Only in the common name, and there are no alternative names that would take its place (RFC 2818 section 3.1).
    CommonName,
    /// The same, and there are alternative names, none of which is that of a host.
    CommonNameBesideOthers,
    /// It is an address, and stands in an entry for DNS names.
    AddressAsName,
    /// An entry covers it whose `*` stands for a part of a label: clients differ.
    InPart,
    /// It cannot be told: the alternative names cannot be read.
    Unreadable,
    /// In one entry with others, joined by `&`: that is how names are typed for several, not how they are issued.
    Joined,
    /// Nowhere.
    Nowhere,
}

/// Looks at a chain as it was sent, for the name that was asked.
pub(crate) fn check(
    sent: &[CertificateDer<'_>],
    name: &str,
    trust: &Trust,
    now: Timestamp,
) -> Checked {
    let fetched = reached(&sent[..sent.len().min(MOST_SENT)], trust.fetched());
    let all: Vec<CertificateDer<'_>> = sent
        .iter()
        .take(MOST_SENT)
        .cloned()
        .chain(fetched.iter().map(|one| one.der.clone()))
        .collect();
    let facts: Vec<Option<Facts>> = all.iter().map(|der| read(der)).collect();
    let leaf = facts.first().and_then(Option::as_ref);
    let verifier = verify(&all, name, trust, now);
    let name = leaf.map_or(NameFound::Nowhere, |leaf| find(name, leaf, &all[0]));
    let of_leaf: Vec<Fault> = leaf.map_or_else(
        || vec![Fault::Unreadable],
        |leaf| {
            of_name(name, leaf)
                .into_iter()
                .chain(of_purpose(leaf))
                .collect()
        },
    );
    let weighed = ways(&all, &trust.roots).into_iter().map(|path| {
        let mut faults = of_leaf.clone();
        faults.extend(way::faults(&path, &all, &facts, now));
        let beyond = path.steps.iter().filter_map(|step| {
            let one = fetched.get(step.checked_sub(sent.len().min(MOST_SENT))?)?;
            let subject = facts[*step].as_ref()?.subject.clone();
            let url = one.url.clone();
            path.end
                .is_root()
                .then_some(Fault::Fetched { subject, url })
        });
        faults.extend(beyond);
        let own = path.steps.iter().copied().filter(|step| *step < sent.len());
        if own.enumerate().any(|(place, step)| place != step) {
            faults.push(Fault::Disordered);
        }
        doubt(verifier.as_deref(), &mut faults);
        faults.sort();
        faults.dedup();
        (path, faults)
    });
    let (path, mut faults) = best(weighed);
    faults.truncate(MOST_FAULTS);
    let own = facts.into_iter().take(sent.len().min(LONGEST_CHAIN));
    let chain: Vec<Facts> = own.flatten().collect();
    Checked {
        days_left: chain.first().and_then(|leaf| leaf.days_left(now)),
        chain,
        name,
        path,
        faults,
        verifier,
    }
}

/// The way whose worst fault is the lightest; of several the longest, of those the first.
fn best(ways: impl Iterator<Item = (Path, Vec<Fault>)>) -> (Path, Vec<Fault>) {
    let rank = |(path, faults): &(Path, Vec<Fault>)| {
        // No fault is lighter than any.
        let worst = faults
            .first()
            .map(Fault::weight)
            .map_or(u8::MAX, |it| it as u8);
        (worst, faults.first().cloned(), path.steps.len())
    };
    let better = |one: (Path, Vec<Fault>), other: (Path, Vec<Fault>)| {
        if rank(&other) > rank(&one) {
            other
        } else {
            one
        }
    };
    ways.reduce(better).unwrap_or_else(|| {
        let path = Path {
            steps: Vec::new(),
            end: super::End::Unreadable,
        };
        (path, vec![Fault::Unreadable])
    })
}

/// Where rustls' verifier refuses what nothing here explains, whether Windows takes it is not known.
fn doubt(verifier: Option<&str>, faults: &mut Vec<Fault>) {
    if verifier.is_some() && !faults.iter().any(Fault::explains_refusal) {
        faults.push(Fault::Doubted);
    }
}

/// What rustls' verifier says against a chain.
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
    let (_, certificate) = X509Certificate::from_der(leaf).ok().unzip();
    let alternative = certificate.as_ref().map(|it| it.subject_alternative_name());
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    if verified {
        NameFound::Alternative
    } else if certificate.as_ref().is_some_and(has_unreadable_names) {
        NameFound::Unreadable
    } else if is_address && facts.names.iter().any(|entry| entry == name) {
        NameFound::AddressAsName
    } else if facts.names.is_empty() && facts.common_names.iter().any(|cn| covers(cn, name)) {
        match alternative {
            Some(Ok(Some(_))) => NameFound::CommonNameBesideOthers,
            _ => NameFound::CommonName,
        }
    } else if facts.names.iter().any(|entry| covers_in_part(entry, name)) {
        NameFound::InPart
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

/// Whether a name covers a host's by a `*` that stands for a part of its first label.
fn covers_in_part(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    let parts = pattern.split_once('.').zip(name.split_once('.'));
    parts.is_some_and(|((first, above), (label, parent))| {
        let ends = first.split_once('*');
        above == parent
            && ends.is_some_and(|(begin, end)| {
                let rest = label.strip_prefix(begin);
                first.len() > 1 && rest.is_some_and(|rest| rest.ends_with(end))
            })
    })
}

fn of_name(name: NameFound, leaf: &Facts) -> Option<Fault> {
    let unsure = |what| {
        let subject = leaf.subject.clone();
        Some(Fault::Unsure { subject, what })
    };
    match name {
        // What cannot be read is told of the way.
        NameFound::Alternative | NameFound::Unreadable => None,
        NameFound::CommonName => Some(Fault::CommonNameOnly),
        NameFound::CommonNameBesideOthers => unsure(Odd::OtherNames),
        NameFound::InPart => unsure(Odd::PartOfLabel),
        NameFound::AddressAsName => Some(Fault::AddressAsName),
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
