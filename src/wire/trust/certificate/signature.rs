//! Whether one key signed some bytes: a certificate or a revocation list.
//!
//! ring does the arithmetic, most of it by way of x509-parser. It takes RSA with SHA-1, SHA-256 and SHA-512 from 1,024
//! bits on. It takes RSA with SHA-384 and RSASSA-PSS from 2,048 bits on. It takes ECDSA on P-256 and P-384 with SHA-256
//! and SHA-384, and Ed25519. What it cannot compute stays undecided: a signature is never called bad for want of an
//! algorithm.

use ring::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RsaParameters, UnparsedPublicKey,
};
use x509_parser::asn1_rs::BitString;
use x509_parser::error::X509Error;
use x509_parser::oid_registry::OID_PKCS1_RSASSAPSS;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::verify::verify_signature;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::read::{self, Digest, Key, digest};

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// This key made it.
    Good,
    /// This key did not make it.
    Bad,
    /// The algorithm, or the length of the key, is none that can be computed here.
    Undecided,
}

/// Whether `key` signed `bytes`.
pub(crate) fn signed(
    key: &SubjectPublicKeyInfo<'_>,
    algorithm: &AlgorithmIdentifier<'_>,
    value: &BitString<'_>,
    bytes: &[u8],
) -> Signature {
    if let Some(short) = short(key, algorithm) {
        let key = UnparsedPublicKey::new(short, &key.subject_public_key.data);
        return match key.verify(bytes, &value.data) {
            Ok(()) => Signature::Good,
            Err(_) => Signature::Bad,
        };
    }
    if !within_reach(key, algorithm) {
        return Signature::Undecided;
    }
    match verify_signature(key, algorithm, value, bytes) {
        Ok(()) => Signature::Good,
        Err(X509Error::SignatureVerificationError) => Signature::Bad,
        Err(_) => Signature::Undecided,
    }
}

/// What verifies by an RSA key from 1,024 to 2,047 bits, of which old authorities have one.
fn short(
    key: &SubjectPublicKeyInfo<'_>,
    algorithm: &AlgorithmIdentifier<'_>,
) -> Option<&'static RsaParameters> {
    let Key::Rsa {
        bits: 1_024..2_048, ..
    } = read::key(key)
    else {
        return None;
    };
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.11" => Some(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        "1.2.840.113549.1.1.13" => Some(&RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        _ => None,
    }
}

/// ring says the same of a short key as of a bad signature, so short keys are kept from it. So are salts of RSASSA-PSS
/// that are not as long as the digest. OpenSSL makes those where it is not told otherwise.
fn within_reach(key: &SubjectPublicKeyInfo<'_>, algorithm: &AlgorithmIdentifier<'_>) -> bool {
    if algorithm.algorithm == OID_PKCS1_RSASSAPSS && !is_usual_pss(algorithm) {
        return false;
    }
    let Key::Rsa { bits } = read::key(key) else {
        return true;
    };
    let least = match digest(algorithm) {
        Digest::Sha1 => 1_024,
        Digest::Md(_) | Digest::Sound | Digest::Unknown(_) => 2_048,
    };
    (least..=8_192).contains(&bits)
}

fn is_usual_pss(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(algorithm)
    else {
        return false;
    };
    let digest = parameters.hash_algorithm_oid();
    let length = match digest.to_id_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => 32,
        "2.16.840.1.101.3.4.2.2" => 48,
        "2.16.840.1.101.3.4.2.3" => 64,
        _ => return false,
    };
    let mask = parameters.mask_gen_algorithm();
    parameters.salt_length() == length && mask.is_ok_and(|mask| mask.hash == *digest)
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer, X509Certificate};

    use super::*;
    use crate::wire::trust::certificate::signature_of;

    #[test]
    fn a_salt_of_unusual_length_leaves_the_signature_undecided() {
        for (chain, expected) in [
            ("openssl-rsa-pss", Signature::Good),
            ("openssl-rsa-pss-long-salt", Signature::Undecided),
        ] {
            let chain = std::fs::read(format!("fuzz/seeds/certificate_chain/{chain}"));
            let chain = chain.expect("a chain");
            let (issuer, leaf) = X509Certificate::from_der(&chain).expect("a certificate");
            let (_, issuer) = X509Certificate::from_der(issuer).expect("its issuer");
            assert_eq!(signature_of(&leaf, &issuer), expected);
        }
    }
}
