//! Whether one key signed some bytes: a certificate or a revocation list.
//!
//! ring does the arithmetic, by way of x509-parser: RSA with SHA-1 from 1,024 bits on; RSA and RSASSA-PSS with SHA-256,
//! SHA-384 and SHA-512 from 2,048 bits on; ECDSA on P-256 and P-384 with SHA-256 and SHA-384; Ed25519. What it cannot
//! compute stays undecided: a signature is never called bad for want of an algorithm.

use x509_parser::asn1_rs::BitString;
use x509_parser::error::X509Error;
use x509_parser::public_key::PublicKey;
use x509_parser::verify::verify_signature;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::read::{Digest, digest};

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
    if !within_reach(key, algorithm) {
        return Signature::Undecided;
    }
    match verify_signature(key, algorithm, value, bytes) {
        Ok(()) => Signature::Good,
        Err(X509Error::SignatureVerificationError) => Signature::Bad,
        Err(_) => Signature::Undecided,
    }
}

/// ring says the same of a short key as of a bad signature, so short keys are kept from it.
fn within_reach(key: &SubjectPublicKeyInfo<'_>, algorithm: &AlgorithmIdentifier<'_>) -> bool {
    let Ok(PublicKey::RSA(rsa)) = key.parsed() else {
        return true;
    };
    let least = match digest(algorithm) {
        Digest::Sha1 => 1_024,
        Digest::Md(_) | Digest::Sound | Digest::Unknown(_) => 2_048,
    };
    (least..=8_192).contains(&rsa.key_size())
}
