//! Signatures of reports, so that what a host in a perimeter network saw can travel by mail.
//!
//! It is Ed25519 over the bytes of the file as they stand there, 64 bytes in a file next to it. The keys are those that
//! OpenSSL makes and reads. Whoever has no portproof verifies with `openssl pkeyutl -verify -rawin`. `ring`, which does
//! TLS here, does the arithmetic. What a signature proves is that the file is the one that the key's owner signed, and
//! no more. When it was seen stands in the report.

use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

/// The length of a signature in bytes.
pub const SIGNATURE_LENGTH: usize = 64;
/// A public Ed25519 key in DER: this, and its 32 bytes (RFC 8410 section 4).
const PUBLIC: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A key that signs.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

/// A key that verifies.
#[derive(Clone, Debug)]
pub struct VerifyingKey(UnparsedPublicKey<Vec<u8>>);

/// Why a file cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// It is no Ed25519 signature at all: its length is another.
    Malformed,
    /// It is another key's, or another file's, or one of them was changed.
    Wrong,
}

impl SignatureFault {
    /// In words, as the rest of a sentence that begins with the signature's file.
    pub fn says(self) -> &'static str {
        match self {
            Self::Malformed => "is no Ed25519 signature: it has not 64 bytes",
            Self::Wrong => {
                "does not fit: the file was changed after it was signed, or another key signed it"
            }
        }
    }
}

impl SigningKey {
    /// Reads a private key in PEM, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// In words, as the rest of a sentence that begins with the file's name; nothing of the key stands in them.
    pub fn read(pem: &[u8]) -> Result<Self, String> {
        const RIGHT: &str = "`openssl genpkey -algorithm ed25519 -out sign.key` makes one";
        if holds(pem, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            return Err(format!(
                "is encrypted, and no password is asked for here; {RIGHT} that is not"
            ));
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem)
            .map_err(|error| format!("holds no private key ({}); {RIGHT}", fault(&error)))?;
        // OpenSSL writes the private key alone, and ring derives the public one.
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|_| format!("holds a private key that is not Ed25519; {RIGHT}"))?;
        Ok(Self(key))
    }

    /// Signs.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).as_ref().to_vec()
    }
}

impl VerifyingKey {
    /// Reads a public key in PEM, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// In words, as the rest of a sentence that begins with the file's name.
    pub fn read(pem: &[u8]) -> Result<Self, String> {
        const RIGHT: &str = "`openssl pkey -in sign.key -pubout -out sign.pub` makes one";
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|error| {
            let secret = match holds(pem, b"PRIVATE KEY-----") {
                true => "holds a private key, and wants the public one",
                false => "holds no public key",
            };
            format!("{secret} ({}); {RIGHT}", fault(&error))
        })?;
        match der.strip_prefix(&PUBLIC) {
            Some(key) if key.len() == 32 => {
                Ok(Self(UnparsedPublicKey::new(&ED25519, key.to_vec())))
            }
            _ => Err(format!("holds a public key that is not Ed25519; {RIGHT}")),
        }
    }

    /// Verifies.
    ///
    /// # Errors
    /// Why the bytes cannot be believed.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<(), SignatureFault> {
        if signature.len() != SIGNATURE_LENGTH {
            return Err(SignatureFault::Malformed);
        }
        self.0
            .verify(bytes, signature)
            .map_err(|_| SignatureFault::Wrong)
    }
}

fn holds(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// What is wrong in a PEM file, without a word of the file.
fn fault(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::NoItemsFound => "there is no such section in it",
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section begins as none may",
        pem::Error::Base64Decode(_) => "a section is no Base64",
        _ => "it cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A private and a public key in PEM.
    fn pair() -> (String, String) {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        (pair.serialize_pem(), pair.public_key_pem())
    }

    #[test]
    fn what_was_signed_is_believed_and_nothing_else() {
        let (secret, public) = pair();
        let key = SigningKey::read(secret.as_bytes()).expect("a key");
        let another = VerifyingKey::read(pair().1.as_bytes()).expect("a key");
        let public = VerifyingKey::read(public.as_bytes()).expect("a key");
        let signature = key.sign(b"the report");
        assert_eq!(public.verify(b"the report", &signature), Ok(()));
        assert_eq!(
            another.verify(b"the report", &signature),
            Err(SignatureFault::Wrong)
        );
        assert_eq!(
            public.verify(b"the report.", &signature),
            Err(SignatureFault::Wrong)
        );
        assert_eq!(
            public.verify(b"the report", &signature[..63]),
            Err(SignatureFault::Malformed)
        );
        for byte in 0..SIGNATURE_LENGTH {
            let mut changed = signature.clone();
            changed[byte] ^= 1;
            assert_eq!(
                public.verify(b"the report", &changed),
                Err(SignatureFault::Wrong)
            );
        }
    }

    #[test]
    fn each_wrong_key_is_named_and_no_word_of_it_is_told() {
        let (secret, public) = pair();
        let private_as_public = VerifyingKey::read(secret.as_bytes()).expect_err("refused");
        assert!(
            private_as_public.contains("holds a private key"),
            "{private_as_public}"
        );
        let public_as_private = SigningKey::read(public.as_bytes()).expect_err("refused");
        assert!(
            public_as_private.contains("no private key"),
            "{public_as_private}"
        );
        let rsa = rcgen::KeyPair::generate().expect("a key").serialize_pem();
        let other = SigningKey::read(rsa.as_bytes()).expect_err("refused");
        assert!(other.contains("is not Ed25519"), "{other}");
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n";
        let encrypted = SigningKey::read(encrypted.as_bytes()).expect_err("refused");
        assert!(encrypted.contains("is encrypted"), "{encrypted}");
        for error in [private_as_public, public_as_private, other] {
            let part = &secret.lines().nth(1).expect("a line")[24..40];
            assert!(!error.contains(part), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_keys_without_panic(bytes: Vec<u8>) {
            prop_assert!(SigningKey::read(&bytes).is_err());
            prop_assert!(VerifyingKey::read(&bytes).is_err());
        }
    }
}
