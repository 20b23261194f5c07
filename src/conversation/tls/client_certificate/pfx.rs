//! Certificates and keys in PFX (PKCS #12) files, as Windows exports them.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::{Content, Fault};

/// Takes certificates and keys out. A file without a password has an empty one.
pub(super) fn read(bytes: &[u8], password: Option<&str>) -> Result<Content, Fault> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.unwrap_or_default());
    let archive = archive.map_err(|error| match (error, password) {
        // A file without a checksum shows a wrong password as wrong padding.
        (Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError, None) => Fault::NoPassword,
        (Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError, Some(_)) => {
            Fault::WrongPassword
        }
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
