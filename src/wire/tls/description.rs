//! From a chain as it was sent to what stands in the evidence, and to the one fault that decides.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use crate::observation::{self, Certificate, CertificateFault, ChainFault, MissingIssuer, TlsSeen};
use crate::wire::trust::Trust;
use crate::wire::trust::certificate::check::{Checked, Fault, Odd, Weight, check};
use crate::wire::trust::certificate::{Digest, End, Facts, Key, LONGEST_CHAIN, Purpose, Unfit};

/// The most faults that stand in the evidence: a hostile chain may have many.
const MOST_FAULTS: usize = 30;

/// The most bytes that Windows clients read of one handshake message, unless `MessageLimitClient` says otherwise.
const LARGEST_MESSAGE: usize = 0x8000;

/// Writes down what a chain says and what is wrong with it; the worst fault comes back when it matters to a client.
pub(super) fn describe(
    seen: &mut TlsSeen,
    chain: &[CertificateDer<'_>],
    name: &str,
    trust: &Trust,
    now: Timestamp,
) -> Option<CertificateFault> {
    if chain.is_empty() {
        return None;
    }
    let checked = check(chain, name, trust, now);
    let described = chain.iter().take(LONGEST_CHAIN);
    seen.der = described.map(|der| der.to_vec()).collect();
    seen.chain = checked
        .chain
        .iter()
        .map(|facts| certificate(facts, now))
        .collect();
    seen.root = match &checked.path.end {
        End::Root { subject, .. } => Some(subject.clone()),
        _ => None,
    };
    seen.missing = missing(&checked.faults);
    seen.faults = checked.faults.iter().take(MOST_FAULTS).map(said).collect();
    let decides = worst(&checked);
    seen.verifier = checked.verifier;
    let Some(fault) = too_large(chain) else {
        return decides;
    };
    let refused = |known: &ChainFault| known.weight == observation::Weight::Refused;
    let place = seen.faults.partition_point(refused);
    seen.faults.insert(place, fault);
    Some(super::worse(decides, CertificateFault::TooLarge))
}

/// The certificate that is missing, where the chain wants nothing else to lead on.
fn missing(faults: &[Fault]) -> Option<MissingIssuer> {
    let mut fetched = faults.iter().filter_map(|fault| match fault {
        Fault::Fetched { subject, url } => Some((subject.clone(), url.clone())),
        _ => None,
    });
    let no_issuer = faults.iter().find_map(|fault| match fault {
        Fault::NoIssuer { issuer, .. } => Some((issuer.clone(), None)),
        _ => None,
    });
    let first = || fetched.next().map(|(name, url)| (name, Some(url)));
    let (name, at) = no_issuer.or_else(first)?;
    Some(MissingIssuer {
        name,
        fetched: at,
        not_fetched: None,
        also: fetched.map(|(name, _)| name).collect(),
    })
}

/// What is wrong with a chain that clients do not read to its end.
fn too_large(chain: &[CertificateDer<'_>]) -> Option<ChainFault> {
    // Each certificate has its length before it, and so has the list (RFC 5246 section 7.4.2); TLS 1.3 adds a little.
    let bytes = 3 + chain.iter().map(|der| 3 + der.len()).sum::<usize>();
    (bytes > LARGEST_MESSAGE).then(|| ChainFault {
        weight: observation::Weight::Refused,
        words: format!(
            "the server sends {} certificates in {bytes} bytes; Windows clients read at most \
             {LARGEST_MESSAGE} by default",
            chain.len()
        ),
    })
}

/// The fault that decides: the worst, unless clients take all of them.
fn worst(checked: &Checked) -> Option<CertificateFault> {
    let worst = checked.faults.first()?;
    Some(match worst {
        Fault::Name | Fault::NamesJoined => CertificateFault::Name,
        Fault::RootExpired { .. } => CertificateFault::RootExpired,
        Fault::Expired { .. } => CertificateFault::Expired,
        Fault::NotYetValid { .. } => CertificateFault::NotYetValid,
        Fault::NoIssuer { is_named: true, .. } => CertificateFault::NoIssuer,
        Fault::NoIssuer { .. }
        | Fault::Forged { .. }
        | Fault::SelfSigned
        | Fault::UnknownRoot { .. } => CertificateFault::Untrusted,
        Fault::Purpose => CertificateFault::Purpose,
        Fault::Unreadable
        | Fault::UnfitIssuer { .. }
        | Fault::IssuerPurpose { .. }
        | Fault::PathLength { .. }
        | Fault::NameConstraint { .. }
        | Fault::CriticalExtension { .. }
        | Fault::KeyRefused { .. } => CertificateFault::Other(said(worst).words),
        Fault::Undecided { .. } | Fault::TooMuch | Fault::Unsure { .. } | Fault::Doubted => {
            CertificateFault::Undecided
        }
        Fault::Fetched { .. } => CertificateFault::Incomplete,
        Fault::WeakKey { .. }
        | Fault::WeakSignature { .. }
        | Fault::CommonNameOnly
        | Fault::AddressAsName
        | Fault::PurposeAny => CertificateFault::Weak,
        Fault::PurposeUnlimited
        | Fault::PurposeOtherwise { .. }
        | Fault::LeafIsAuthority
        | Fault::OwnRoot
        | Fault::OldVersion
        | Fault::OfWindows { .. }
        | Fault::DirectoryNames
        | Fault::LongPath
        | Fault::SelfIssued
        | Fault::Disordered => return None,
    })
}

fn certificate(facts: &Facts, now: Timestamp) -> Certificate {
    let names = match facts.names.is_empty() {
        true => &facts.common_names,
        false => &facts.names,
    };
    Certificate {
        subject: facts.subject.clone(),
        issuer: facts.issuer.clone(),
        serial: facts.serial.clone(),
        names: names.clone(),
        not_before: facts.not_before,
        not_after: facts.not_after,
        days_left: facts.days_left(now),
        key: key(&facts.key),
        signature: digest(&facts.digest),
        server_authentication: match facts.for_servers {
            Purpose::Named => observation::Purpose::Named,
            Purpose::Unlimited => observation::Purpose::Unlimited,
            Purpose::Any => observation::Purpose::Any,
            Purpose::Others => observation::Purpose::Others,
        },
        sha256: facts.sha256.clone(),
    }
}

fn key(key: &Key) -> String {
    match key {
        Key::Rsa { bits } => format!("RSA, {bits} bits"),
        Key::Elliptic { curve } => format!("elliptic curve {curve}"),
        Key::Other(name) => name.clone(),
    }
}

fn digest(digest: &Digest) -> String {
    match digest {
        Digest::Md(name) => (*name).to_string(),
        Digest::Sha1 => "SHA-1".to_string(),
        Digest::Sound => "SHA-2 or as strong".to_string(),
        Digest::Unknown(name) => format!("unknown ({name})"),
    }
}

/// A fault in words.
fn said(fault: &Fault) -> ChainFault {
    let words = match fault {
        Fault::Unreadable => "the certificate cannot be read".to_string(),
        Fault::Forged { issuer } => format!("it names {issuer}, whose key did not sign it"),
        Fault::SelfSigned => "it signed itself, and nobody named it".to_string(),
        Fault::UnknownRoot { subject } => {
            format!("the chain ends at {subject}, which is no trusted root")
        }
        Fault::NoIssuer { issuer, .. } => format!(
            "{issuer} was not sent and is no trusted root: the server lacks an intermediate \
             certificate, or the root is not named"
        ),
        Fault::Name => "it is for other names".to_string(),
        Fault::NamesJoined => {
            "the name stands in one entry with others, joined by `&`, which clients read as one name".to_string()
        }
        Fault::UnfitIssuer { issuer, why } => match why {
            Unfit::NotAuthority => format!(
                "{issuer} issued it, and its certificate is not that of an authority (basic \
                 constraints)"
            ),
            Unfit::NoCertificateSigning => format!(
                "{issuer} issued it, and the key usage of its certificate leaves out signing \
                 certificates (keyCertSign)"
            ),
        },
        Fault::RootExpired { subject, since } => format!("the root {subject} ended at {since}"),
        Fault::Expired { subject, since } => format!("{subject} ended at {since}"),
        Fault::NotYetValid { subject, from } => format!("{subject} begins only at {from}"),
        Fault::Purpose => "it is not for server authentication".to_string(),
        Fault::IssuerPurpose { subject } => {
            format!("{subject}, which stands above it, is not for server authentication")
        }
        Fault::PathLength { subject } => {
            format!("more authorities stand below {subject} than its path length allows")
        }
        Fault::NameConstraint { subject } => {
            format!("a name lies outside of what {subject} may issue for (name constraints)")
        }
        Fault::CriticalExtension { subject, extension } => {
            format!("{subject} demands the extension {extension}, which clients do not know")
        }
        Fault::KeyRefused { subject, bits } => {
            format!("the RSA key of {subject} has {bits} bits, which Windows refuses since 2012")
        }
        Fault::LeafIsAuthority => {
            "it is a certification authority's own, which Windows takes and some libraries refuse".to_string()
        }
        Fault::OwnRoot => "it signed itself, and the site file or this system trusts it".to_string(),
        Fault::OldVersion => {
            "it is a certificate of version 1 or 2, which Windows takes and some libraries refuse".to_string()
        }
        Fault::OfWindows { extension } => {
            format!("{extension} are critical, which Windows understands and some libraries refuse")
        }
        Fault::DirectoryNames => {
            "an authority limits directory names, which Windows understands and some libraries \
             refuse".to_string()
        }
        Fault::LongPath => {
            "more than six intermediates stand between it and the root, which some libraries refuse".to_string()
        }
        Fault::SelfIssued => {
            "an authority stands above it under two keys, which some libraries refuse".to_string()
        }
        Fault::Fetched { subject, url } => format!(
            "the server does not send the intermediate {subject}; Windows clients that reach {url} \
             fetch it there and accept the chain, others refuse it"
        ),
        Fault::WeakKey { subject, bits } => format!(
            "the RSA key of {subject} has {bits} bits, which Windows takes and modern libraries \
             refuse"
        ),
        Fault::WeakSignature { subject, digest: of } => format!(
            "{subject} was signed with {}, which Windows takes of an authority that it trusts and \
             modern libraries refuse",
            digest(of)
        ),
        Fault::Undecided { issuer } => {
            format!("whether {issuer} signed it cannot be computed here")
        }
        Fault::TooMuch => "the chain has more certificates than are looked at here".to_string(),
        Fault::Unsure { subject, what } => odd(subject, what),
        Fault::Doubted => {
            "a modern library (rustls) refuses it for a reason that is not known here; whether \
             Windows does is open".to_string()
        }
        Fault::CommonNameOnly => {
            "the name stands in the common name only, which Windows takes and modern libraries \
             refuse".to_string()
        }
        Fault::AddressAsName => {
            "the address stands in an entry for DNS names, which Windows takes and others refuse".to_string()
        }
        Fault::PurposeAny => {
            "its purpose is `any` and no more, which Windows takes and others refuse".to_string()
        }
        Fault::PurposeUnlimited => {
            "it has no extended key usage; the site's certificates should name server authentication".to_string()
        }
        Fault::PurposeOtherwise { subject } => format!(
            "{subject} names server authentication in a way that Windows takes and others refuse"
        ),
        Fault::Disordered => "the chain was not sent from leaf to root".to_string(),
    };
    ChainFault {
        weight: match fault.weight() {
            Weight::Refused => observation::Weight::Refused,
            Weight::Undecided => observation::Weight::Undecided,
            Weight::Weak => observation::Weight::Weak,
            Weight::Note => observation::Weight::Note,
        },
        words,
    }
}

/// What is odd about a certificate, so that nobody here knows what Windows makes of it.
fn odd(subject: &str, what: &Odd) -> String {
    let what = match what {
        Odd::Extension(name) => {
            format!("demands the extension {name} in a way that the standard does not allow")
        }
        Odd::Unreadable(name) => format!("has the extension {name}, which cannot be read"),
        Odd::Key(name) => format!("has a key of a kind that clients seldom take ({name})"),
        Odd::OtherIssuer => {
            "names another key or certificate as its issuer's than the one that signed it \
             (authority key identifier)"
                .to_string()
        }
        Odd::PartOfLabel => "has the name with a `*` that stands for a part of a label".to_string(),
        Odd::OtherNames => {
            "has the name in its common name only, beside alternative names that are not those of \
             hosts"
                .to_string()
        }
        Odd::Doubles => "has the same extension twice".to_string(),
        Odd::KeyUsage => "has a key usage without what TLS needs".to_string(),
        Odd::NameConstraint => "has name constraints of a kind that is not judged here".to_string(),
        Odd::PathLength => {
            "allows fewer authorities below it than there are, where each counts that one issued \
             to itself"
                .to_string()
        }
        Odd::RootPurpose => "is a root for other purposes than server authentication".to_string(),
    };
    format!("{subject} {what}; what Windows makes of that is not known here")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::trust::certificate::sample;

    #[test]
    fn of_several_faults_the_worst_decides_and_all_are_told() {
        let root = sample::root("Site Root");
        let mut params = sample::server(&["other.example.com"]);
        params.not_after = rcgen::date_time_ymd(2026, 2, 1);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = sample::signed(&params, &root);
        let trust = Trust::of(&[root.der().clone()], &[]);
        let now = "2026-06-01T00:00:00Z".parse().expect("a time");
        let mut seen = TlsSeen::default();
        let decides = describe(&mut seen, &[leaf], "ibs01.example.com", &trust, now);
        assert_eq!(decides, Some(CertificateFault::Name));
        assert_eq!(seen.faults.len(), 3, "{:?}", seen.faults);
        assert_eq!(seen.root.as_deref(), Some("CN=Site Root"));
        assert_eq!(seen.chain[0].days_left, Some(-120));
        assert_eq!(
            seen.chain[0].server_authentication,
            observation::Purpose::Others
        );
    }

    #[test]
    fn what_clients_take_decides_nothing() {
        let root = sample::root("Site Root");
        let mut params = sample::server(&["ibs01.example.com"]);
        params.extended_key_usages = Vec::new();
        let leaf = sample::signed(&params, &root);
        let trust = Trust::of(&[root.der().clone()], &[]);
        let now = "2026-06-01T00:00:00Z".parse().expect("a time");
        let mut seen = TlsSeen::default();
        let decides = describe(&mut seen, &[leaf], "ibs01.example.com", &trust, now);
        assert_eq!(decides, None);
        assert_eq!(seen.faults[0].weight, observation::Weight::Note);
    }
}
