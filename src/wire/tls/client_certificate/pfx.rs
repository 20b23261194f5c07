//! Certificates and keys in PFX (PKCS #12) files, as Windows exports them.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use x509_parser::der_parser::parse_der;

use super::{Content, Fault};

/// The content of scrypt's object identifier, 1.3.6.1.4.1.11591.4.11.
const SCRYPT: &[u8] = b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b";

/// Whether a whole file has no checksum: of its parts the version and the contents are there, and the third is not.
fn has_no_checksum(bytes: &[u8]) -> bool {
    let whole = parse_der(bytes).ok().map(|(_, whole)| whole);
    let parts = whole.and_then(|whole| whole.as_sequence().ok().map(|parts| parts.len()));
    parts == Some(2)
}

/// Takes certificates and keys out. A file without a password has an empty one.
pub(super) fn read(bytes: &[u8], password: Option<&str>) -> Result<Content, Fault> {
    // The reader panics where scrypt is to cost nothing; neither Windows nor OpenSSL uses it in these files.
    if bytes.windows(SCRYPT.len()).any(|window| window == SCRYPT) {
        return Err(Fault::Damaged("its key is derived by scrypt".to_string()));
    }
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.unwrap_or_default());
    let archive = archive.map_err(|error| match (error, password) {
        // A file without a checksum shows a wrong password as wrong padding.
        (Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError, None) => Fault::NoPassword,
        (Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError, Some(_)) => {
            Fault::WrongPassword
        }
        // One time in 256 the padding is right by chance, and what comes out is no key and no certificate.
        (_, Some(_)) if has_no_checksum(bytes) => Fault::WrongPassword,
        (error, _) => Fault::Damaged(error.to_string()),
    })?;
    let certificates = archive.certs.iter();
    let keys = archive.keys.iter();
    Ok(Content {
        certificates: certificates
            .map(|bag| CertificateDer::from(bag.cert.as_der().to_vec()))
            .collect(),
        keys: keys
            .map(|bag| PrivatePkcs8KeyDer::from(bag.key.as_der().to_vec()).into())
            .collect(),
    })
}
