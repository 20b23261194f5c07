//! What stands in a certificate.

use jiff::Timestamp;
use x509_parser::asn1_rs::{Sequence, Tag};
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName};
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::{sha256, text};

/// The most names of a certificate that are kept.
const MOST_NAMES: usize = 100;
/// The most characters of a name that are kept: no DNS name is longer.
const LONGEST_DNS_NAME: usize = 253;

/// The parts of a certificate that matter to a client or a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Subject.
    pub(crate) subject: String,
    /// Common names of the subject: certificates of the 2007 era may name their host only here.
    pub(crate) common_names: Vec<String>,
    /// DNS names and addresses of the subject alternative name.
    pub(crate) names: Vec<String>,
    /// Issuer.
    pub(crate) issuer: String,
    /// Serial number, in lower-case hexadecimal.
    pub(crate) serial: String,
    /// Start of validity.
    pub(crate) not_before: Option<Timestamp>,
    /// End of validity.
    pub(crate) not_after: Option<Timestamp>,
    /// Whether it is for server authentication.
    pub(crate) for_servers: Purpose,
    /// Whether it is for client authentication.
    pub(crate) for_clients: Purpose,
    /// Its public key.
    pub(crate) key: Key,
    /// The digest its issuer signed.
    pub(crate) digest: Digest,
    /// Whether it is a certification authority's.
    pub(crate) authority: bool,
    /// Whether subject and issuer are the same.
    pub(crate) self_issued: bool,
    /// SHA-256 of the DER bytes, in lower-case hexadecimal.
    pub(crate) sha256: String,
}

impl Facts {
    /// Whole days until it ends; negative once it has ended.
    pub(crate) fn days_left(&self, now: Timestamp) -> Option<i64> {
        let seconds = self.not_after?.as_second() - now.as_second();
        Some(seconds.div_euclid(24 * 60 * 60))
    }
}

/// What the extended key usage says of one purpose: server authentication is 1.3.6.1.5.5.7.3.1, client authentication
/// 1.3.6.1.5.5.7.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It names the purpose.
    Named,
    /// There is no extended key usage: every purpose is allowed.
    Unlimited,
    /// Only `anyExtendedKeyUsage`: Windows takes it, others refuse it.
    Any,
    /// It names other purposes only.
    Others,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// RSA.
    Rsa {
        /// Length of the modulus.
        bits: usize,
    },
    /// A key on an elliptic curve.
    Elliptic {
        /// The name of the curve, or its object identifier.
        curve: String,
    },
    /// Any other, by name or object identifier.
    Other(String),
}

/// The digest under a signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Digest {
    /// MD2, MD4 or MD5: a certificate can be forged.
    Md(&'static str),
    /// SHA-1: a certificate can be forged at some expense.
    Sha1,
    /// SHA-2, or a scheme with a digest of its own.
    Sound,
    /// Not known here, by object identifier.
    Unknown(String),
}

/// Reads one certificate; `None` when it is none.
pub(crate) fn read(der: &[u8]) -> Option<Facts> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let time = |seconds: i64| Timestamp::from_second(seconds).ok();
    Some(Facts {
        subject: text(certificate.subject()),
        common_names: common_names(&certificate),
        names: names(&certificate),
        issuer: text(certificate.issuer()),
        serial: serial(certificate.raw_serial()),
        not_before: time(certificate.validity().not_before.timestamp()),
        not_after: time(certificate.validity().not_after.timestamp()),
        for_servers: purpose(&certificate, &FOR_SERVERS, |usage| usage.server_auth),
        for_clients: purpose(&certificate, &FOR_CLIENTS, |usage| usage.client_auth),
        key: key(certificate.public_key()),
        digest: digest(&certificate.signature_algorithm),
        authority: certificate.is_ca(),
        self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        sha256: sha256(der),
    })
}

/// A serial number has at most 20 bytes (RFC 5280 section 4.1.2.2); a longer one is cut.
fn serial(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(20)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn common_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let values = certificate.subject().iter_common_name();
    let texts = values.filter_map(|value| value.as_str().ok());
    texts.take(MOST_NAMES).map(bounded).collect()
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = extension.value.general_names.iter();
    names.take(MOST_NAMES).filter_map(general_name).collect()
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(bounded(name)),
        GeneralName::IPAddress([a, b, c, d]) => {
            Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string())
        }
        GeneralName::IPAddress(bytes) => <[u8; 16]>::try_from(*bytes)
            .ok()
            .map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        _ => None,
    }
}

fn bounded(name: &str) -> String {
    name.chars().take(LONGEST_DNS_NAME).collect()
}

/// Server authentication, and what Microsoft and Netscape had before it for strong ciphers (SGC): clients take either.
const FOR_SERVERS: [&str; 3] = [
    "1.3.6.1.5.5.7.3.1",
    "1.3.6.1.4.1.311.10.3.3",
    "2.16.840.1.113730.4.1",
];
/// Client authentication.
const FOR_CLIENTS: [&str; 1] = ["1.3.6.1.5.5.7.3.2"];

/// What a certificate says of a purpose. Windows goes by the Application Policies of AD CS where there are any, and passes
/// over the extended key usage then.
fn purpose(
    certificate: &X509Certificate<'_>,
    wanted: &[&str],
    names: impl Fn(&ExtendedKeyUsage<'_>) -> bool,
) -> Purpose {
    if let Some(policies) = application_policies(certificate) {
        let any = |those: &[&str]| policies.iter().any(|it| those.contains(&it.as_str()));
        return match (any(wanted), any(&ANY_PURPOSE)) {
            (true, _) => Purpose::Named,
            (false, true) => Purpose::Any,
            (false, false) => Purpose::Others,
        };
    }
    let names = |usage: &ExtendedKeyUsage<'_>| {
        let mut others = usage.other.iter();
        names(usage) || others.any(|it| wanted.contains(&it.to_id_string().as_str()))
    };
    match certificate.extended_key_usage() {
        Ok(None) => Purpose::Unlimited,
        Ok(Some(usage)) if names(usage.value) => Purpose::Named,
        Ok(Some(usage)) if usage.value.any => Purpose::Any,
        // Twice the same extension: no verifier takes that for a permission.
        Ok(Some(_)) | Err(_) => Purpose::Others,
    }
}

/// A public key, as a reader knows it.
pub(super) fn key(info: &SubjectPublicKeyInfo<'_>) -> Key {
    let algorithm = &info.algorithm.algorithm;
    match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => Key::Rsa {
            bits: modulus_bits(rsa.modulus),
        },
        Ok(PublicKey::EC(_)) => {
            let parameters = info.algorithm.parameters.as_ref();
            let parameters = parameters.filter(|it| it.tag() == Tag::Oid);
            let curve = parameters.and_then(|parameters| parameters.as_oid().ok());
            Key::Elliptic {
                curve: curve.map_or_else(|| "unnamed".to_string(), |curve| named(&curve)),
            }
        }
        _ => Key::Other(named(algorithm)),
    }
}

/// Any purpose, as RFC 5280 and Microsoft name it.
const ANY_PURPOSE: [&str; 2] = ["2.5.29.37.0", "1.3.6.1.4.1.311.10.12.1"];

/// The purposes that AD CS writes as policies; `None` where there are none, or none that can be read.
fn application_policies(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let mut extensions = certificate.extensions().iter();
    let found = extensions.find(|it| it.oid.to_id_string() == "1.3.6.1.4.1.311.21.10")?;
    let (_, policies) = Sequence::from_der(found.value).ok()?;
    let mut rest: &[u8] = &policies.content;
    let mut names = Vec::new();
    while !rest.is_empty() && names.len() < MOST_NAMES {
        let (after, policy) = Sequence::from_der(rest).ok()?;
        let (_, name) = Oid::from_der(&policy.content).ok()?;
        names.push(name.to_id_string());
        rest = after;
    }
    Some(names)
}

/// The length of a number, leading zeros aside: keys of 1,023 bits exist.
fn modulus_bits(modulus: &[u8]) -> usize {
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros).map_or(0, |byte| byte.leading_zeros());
    (modulus.len() - zeros) * 8 - first as usize
}

/// The short name of an object identifier, or its numbers.
fn named(identifier: &Oid<'_>) -> String {
    match oid2sn(identifier, oid_registry()) {
        Ok(name) => name.to_string(),
        Err(_) => identifier.to_id_string().chars().take(100).collect(),
    }
}

/// The digest of a signature algorithm.
pub(super) fn digest(algorithm: &AlgorithmIdentifier<'_>) -> Digest {
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.2" => Digest::Md("MD2"),
        "1.2.840.113549.1.1.3" => Digest::Md("MD4"),
        // With RSA as PKCS #1 names it, and as OIW did.
        "1.2.840.113549.1.1.4" | "1.3.14.3.2.25" => Digest::Md("MD5"),
        // With RSA, the same by OIW's name (makecert wrote it), with DSA, with ECDSA.
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10040.4.3" | "1.2.840.10045.4.1" => {
            Digest::Sha1
        }
        // RSA with SHA-224, 256, 384 and 512.
        "1.2.840.113549.1.1.14"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.113549.1.1.12"
        | "1.2.840.113549.1.1.13" => Digest::Sound,
        // ECDSA with the same.
        "1.2.840.10045.4.3.1"
        | "1.2.840.10045.4.3.2"
        | "1.2.840.10045.4.3.3"
        | "1.2.840.10045.4.3.4" => Digest::Sound,
        // Ed25519 and Ed448.
        "1.3.101.112" | "1.3.101.113" => Digest::Sound,
        "1.2.840.113549.1.1.10" => pss_digest(algorithm),
        _ => Digest::Unknown(named(&algorithm.algorithm)),
    }
}

/// RSASSA-PSS names its digest in its parameters; SHA-1 where it names none (RFC 4055 section 3.1).
fn pss_digest(algorithm: &AlgorithmIdentifier<'_>) -> Digest {
    match SignatureAlgorithm::try_from(algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(parameters))
            if parameters.hash_algorithm_oid().to_id_string() == "1.3.14.3.2.26" =>
        {
            Digest::Sha1
        }
        Ok(SignatureAlgorithm::RSASSA_PSS(_)) => Digest::Sound,
        _ => Digest::Unknown("RSASSA-PSS".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::trust::certificate::sample;

    #[test]
    fn names_purpose_key_and_dates_are_read() {
        let root = sample::root("Site Root");
        let leaf = sample::leaf(&root, &["ibs01.example.com", "192.0.2.10", "2001:db8::10"]);
        let facts = read(&leaf).expect("a certificate");
        assert_eq!(
            facts.names,
            ["ibs01.example.com", "192.0.2.10", "2001:db8::10"]
        );
        assert_eq!(facts.common_names, ["ibs01.example.com"]);
        assert_eq!(facts.issuer, "CN=Site Root");
        assert_eq!(facts.for_servers, Purpose::Named);
        assert_eq!(facts.for_clients, Purpose::Others);
        assert_eq!(facts.digest, Digest::Sound);
        assert_eq!(
            facts.key,
            Key::Elliptic {
                curve: "prime256v1".to_string()
            }
        );
        assert!(!facts.authority && !facts.self_issued);
    }

    #[test]
    fn days_left_are_whole_days_and_negative_afterwards() {
        let root = sample::root("Site Root");
        let facts = read(&sample::leaf(&root, &["a.example"])).expect("a certificate");
        let end = facts.not_after.expect("an end").as_second();
        let left = |now: i64| facts.days_left(Timestamp::from_second(now).expect("a time"));
        assert_eq!(left(end - 86_400), Some(1));
        assert_eq!(left(end - 86_399), Some(0));
        assert_eq!(left(end + 1), Some(-1));
    }

    #[test]
    fn a_modulus_has_as_many_bits_as_its_first_one_says() {
        assert_eq!(modulus_bits(&[0, 0x80, 0]), 16);
        assert_eq!(modulus_bits(&[0x01, 0]), 9);
        assert_eq!(modulus_bits(&[0, 0]), 0);
        assert_eq!(modulus_bits(&[]), 0);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_damaged_certificate_is_read_without_panic(at: proptest::sample::Index, with: u8) {
            let mut der = sample::leaf(&sample::root("Site Root"), &["ibs01.example.com"]).to_vec();
            let at = at.index(der.len());
            der[at] = with;
            let _ = read(&der);
        }
    }
}
