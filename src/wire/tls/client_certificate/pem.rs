//! Certificates and keys in PEM.

use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::pki_types::pem::{self, PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Content, Fault};

const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// How OpenSSL marked encrypted keys before PKCS #8.
const LEGACY_MARK: &str = "Proc-Type: 4,ENCRYPTED";
/// The most rounds of PBKDF2, as for PFX files.
const MOST_ROUNDS: u32 = 1_000_000;
/// The most memory that scrypt may take. OpenSSL itself stops at half of it.
const MOST_MEMORY: u64 = 64 << 20;

/// Whether bytes are PEM: text may stand before the first section.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    let mark = b"-----BEGIN ";
    bytes.windows(mark.len()).any(|window| window == mark)
}

/// Takes certificates and keys out.
pub(super) fn read(bytes: &[u8], password: Option<&str>) -> Result<Content, Fault> {
    let text = String::from_utf8_lossy(bytes);
    if text.contains(LEGACY_MARK) {
        return Err(Fault::LegacyKey);
    }
    let mut content = Content {
        certificates: Vec::new(),
        keys: Vec::new(),
    };
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
        let (kind, der) = section.map_err(|error| Fault::Damaged(words(&error).to_string()))?;
        match kind {
            SectionKind::Certificate => content.certificates.push(CertificateDer::from(der)),
            kind => content.keys.extend(PrivateKeyDer::from_pem(kind, der)),
        }
    }
    for section in encrypted(&text) {
        content.keys.push(decrypt(section, password)?);
    }
    Ok(content)
}

/// What is wrong with a section. The reader's own words quote the file, which may be a key, and have no bound.
fn words(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section has no proper beginning",
        pem::Error::Base64Decode(_) => "a section is not in Base64",
        _ => "its sections are damaged",
    }
}

/// The sections with encrypted keys, from first to last mark.
fn encrypted(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(ENCRYPTED_BEGIN)
        .filter_map(|(start, _)| {
            let section = &text[start..];
            let end = section.find(ENCRYPTED_END)? + ENCRYPTED_END.len();
            Some(&section[..end])
        })
}

fn decrypt(section: &str, password: Option<&str>) -> Result<PrivateKeyDer<'static>, Fault> {
    let password = password.ok_or(Fault::NoPassword)?;
    let damaged = |error: &dyn std::fmt::Display| Fault::Damaged(error.to_string());
    let (_, document) = SecretDocument::from_pem(section).map_err(|error| damaged(&error))?;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|error| damaged(&error))?;
    if !is_affordable(&info.encryption_algorithm) {
        return Err(damaged(&"opening its key would take too long"));
    }
    // A wrong password shows as wrong padding, or as what is no key.
    let key = info.decrypt(password).map_err(|_| Fault::WrongPassword)?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

/// Whether a key can be opened in bounded time and memory: a file may ask for billions of rounds.
fn is_affordable(scheme: &EncryptionScheme) -> bool {
    match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(kdf)) => kdf.iteration_count <= MOST_ROUNDS,
        Some(Kdf::Scrypt(kdf)) => {
            let block = 128 * u64::from(kdf.block_size);
            let memory = kdf.cost_parameter.checked_mul(block);
            // Memory for one lane after the other, so lanes cost time.
            let lanes = u64::from(kdf.parallelization);
            let all = memory.and_then(|memory| memory.checked_mul(lanes));
            // The reader of scrypt's parameters panics at a cost of zero.
            kdf.cost_parameter.is_power_of_two() && all.is_some_and(|all| all <= MOST_MEMORY)
        }
        // PBES1 has at most 65,535 rounds; others are not opened.
        Some(_) | None => true,
    }
}
