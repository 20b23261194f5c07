//! Certificates in what a web server serves under an address of an issuer. It is one in DER, as AD CS publishes them,
//! or PEM. Or it is a `.p7c` (RFC 5280 section 4.2.2.1), a PKCS #7 message that holds nothing but certificates.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::asn1_rs::Any;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The most certificates of one answer that are kept.
const MOST_CERTIFICATES: usize = 16;
/// `signedData` (RFC 5652 section 5.1), encoded.
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// The certificates in an answer, in its order; none where it holds none that can be read.
pub(crate) fn bundle(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
        let read = CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok);
        return read.take(MOST_CERTIFICATES).filter(is_one).collect();
    }
    let whole = CertificateDer::from(bytes.to_vec());
    match is_one(&whole) {
        true => vec![whole],
        false => signed_data(bytes).unwrap_or_default(),
    }
}

fn is_one(der: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(rest, _)| rest.is_empty())
}

/// The certificates of a PKCS #7 message: the element with tag 0 behind version, digests and content.
fn signed_data(bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let (_, message) = Any::from_der(bytes).ok()?;
    let (rest, kind) = Any::from_der(message.data).ok()?;
    if kind.data != SIGNED_DATA {
        return None;
    }
    let (_, explicit) = Any::from_der(rest).ok()?;
    let (_, signed) = Any::from_der(explicit.data).ok()?;
    let mut rest = signed.data;
    for _ in 0..3 {
        (rest, _) = Any::from_der(rest).ok()?;
    }
    if rest.first() != Some(&0xa0) {
        return None;
    }
    let (_, set) = Any::from_der(rest).ok()?;
    let mut rest = set.data;
    let mut found = Vec::new();
    while !rest.is_empty() && found.len() < MOST_CERTIFICATES {
        let (after, _) = Any::from_der(rest).ok()?;
        let der = CertificateDer::from(rest[..rest.len() - after.len()].to_vec());
        found.extend(Some(der).filter(is_one));
        rest = after;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::trust::certificate::sample;

    #[test]
    fn der_pem_and_pkcs7_hold_the_same() {
        let root = sample::root("Site Root");
        let middle = sample::intermediate(&root, "Issuing 1");
        assert_eq!(bundle(middle.der()), [middle.der().clone()]);
        let both = root.pem() + &middle.pem();
        let expected = [root.der().clone(), middle.der().clone()];
        assert_eq!(bundle(both.as_bytes()), expected);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("both.pem"), both).expect("written");
        let words = "crl2pkcs7 -nocrl -certfile both.pem -outform DER -out both.p7c";
        sample::openssl(folder.path(), words);
        let message = std::fs::read(folder.path().join("both.p7c")).expect("a message");
        assert_eq!(bundle(&message), expected);
        assert!(bundle(b"<html>not found</html>").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = bundle(&bytes);
        }
    }
}
