//! Certificates made for the tests of this folder and its neighbours.

use std::path::Path;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

pub(crate) type Issuer = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn copy(key: &KeyPair) -> KeyPair {
    KeyPair::try_from(key.serialize_der()).expect("the same key")
}

pub(crate) fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

pub(crate) fn root(name: &str) -> Issuer {
    CertifiedIssuer::self_signed(authority(name), key()).expect("a root")
}

pub(crate) fn intermediate(issuer: &Issuer, name: &str) -> Issuer {
    intermediate_with(issuer, name, &key())
}

pub(crate) fn intermediate_with(issuer: &Issuer, name: &str, key: &KeyPair) -> Issuer {
    CertifiedIssuer::signed_by(authority(name), copy(key), issuer).expect("an intermediate")
}

/// What a server's certificate has by default: the names, the first also as common name, and server authentication.
pub(crate) fn server(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names.clone()).expect("names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(first) = names.first() {
        params.distinguished_name.push(DnType::CommonName, first);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2036, 1, 1);
    params
}

/// Names addresses of the issuer's certificate.
pub(crate) fn access(params: &mut CertificateParams, urls: &[&str]) {
    let element = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).expect("a short element");
        let prefix = match length {
            ..0x80 => vec![tag, length],
            _ => vec![tag, 0x81, length],
        };
        [prefix.as_slice(), content].concat()
    };
    let issuers = element(6, b"\x2b\x06\x01\x05\x05\x07\x30\x02");
    let all: Vec<Vec<u8>> = urls
        .iter()
        .map(|url| {
            element(
                0x30,
                &[issuers.as_slice(), &element(0x86, url.as_bytes())].concat(),
            )
        })
        .collect();
    let content = element(0x30, &all.concat());
    let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content);
    params.custom_extensions.push(extension);
}

pub(crate) fn signed(params: &CertificateParams, issuer: &Issuer) -> CertificateDer<'static> {
    let signed = params.signed_by(&key(), issuer).expect("signed");
    signed.der().clone()
}

pub(crate) fn leaf(issuer: &Issuer, names: &[&str]) -> CertificateDer<'static> {
    signed(&server(names), issuer)
}

/// Runs openssl in a folder, with words parted by blanks.
pub(crate) fn openssl(folder: &Path, words: &str) {
    let output = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is needed: scripts/test installs it (apt-get install openssl)");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {words}: {said}");
}

fn written(folder: &Path, file: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(folder.join(file)).expect("a certificate")
}

/// A root `root.pem` with its key `root.key`, of an age that rcgen does not make any more.
pub(crate) fn openssl_root(
    folder: &Path,
    name: &str,
    bits: usize,
    digest: &str,
) -> CertificateDer<'static> {
    openssl_root_by(folder, name, &format!("-newkey rsa:{bits} -{digest}"))
}

/// The same, with the words that say which key and which digest.
pub(crate) fn openssl_root_by(folder: &Path, name: &str, words: &str) -> CertificateDer<'static> {
    std::fs::write(
        folder.join("root.cnf"),
        format!(
            "[req]\ndistinguished_name = dn\nprompt = \
             no\nx509_extensions = ca\n[dn]\nCN = {name}\n[ca]\nbasicConstraints = \
             critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\n"
        ),
    )
    .expect("written");
    openssl(
        folder,
        &format!(
            "req -x509 -config root.cnf {words} -nodes -keyout root.key -out root.pem -days 3650"
        ),
    );
    written(folder, "root.pem")
}

/// A server's certificate `leaf.pem` by that root, with its key `leaf.key`.
pub(crate) fn openssl_leaf(
    folder: &Path,
    name: &str,
    bits: usize,
    digest: &str,
) -> CertificateDer<'static> {
    openssl_leaf_by(
        folder,
        name,
        bits,
        &format!("-{digest} -extfile leaf.cnf -extensions server"),
    )
}

/// The same, with the words that say how it is signed and what it carries.
pub(crate) fn openssl_leaf_by(
    folder: &Path,
    name: &str,
    bits: usize,
    words: &str,
) -> CertificateDer<'static> {
    openssl_leaf_with(folder, name, &format!("rsa:{bits}"), words)
}

/// The same, with the words that say which key it has.
pub(crate) fn openssl_leaf_with(
    folder: &Path,
    name: &str,
    key: &str,
    words: &str,
) -> CertificateDer<'static> {
    std::fs::write(
        folder.join("leaf.cnf"),
        format!(
            "[req]\ndistinguished_name = dn\nprompt = \
             no\n[dn]\nCN = {name}\n[server]\nsubjectAltName = DNS:{name}\nextendedKeyUsage = \
             serverAuth\n"
        ),
    )
    .expect("written");
    openssl(
        folder,
        &format!("req -new -config leaf.cnf -newkey {key} -nodes -keyout leaf.key -out leaf.csr"),
    );
    openssl(
        folder,
        &format!(
            "x509 -req -in leaf.csr -CA root.pem -CAkey root.key -set_serial 2 {words} -days 3650 \
             -out leaf.pem"
        ),
    );
    written(folder, "leaf.pem")
}
