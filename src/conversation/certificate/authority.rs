//! Whether a certificate may be the issuer of another: what Windows and OpenSSL both ask of an authority.

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{X509Certificate, X509Version};

/// Why a certificate may not issue others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unfit {
    /// Its basic constraints do not say that it is an authority's.
    NotAuthority,
    /// Its key usage leaves out the signing of certificates.
    NoCertificateSigning,
}

/// What speaks against a certificate as an issuer; a root that is trusted needs no basic constraints.
pub(super) fn unfit(issuer: &X509Certificate<'_>, is_root: bool) -> Option<Unfit> {
    let mut is_authority = is_root && !has_basic_constraints(issuer);
    for extension in issuer.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => is_authority = constraints.ca,
            ParsedExtension::KeyUsage(usage) if !usage.key_cert_sign() => {
                return Some(Unfit::NoCertificateSigning);
            }
            _ => {}
        }
    }
    (!is_authority).then_some(Unfit::NotAuthority)
}

fn has_basic_constraints(certificate: &X509Certificate<'_>) -> bool {
    certificate.version() == X509Version::V3
        && certificate
            .extensions()
            .iter()
            .any(|extension| extension.oid.to_id_string() == "2.5.29.19")
}

/// How many authorities may follow below this one, where it limits them.
pub(super) fn path_length(issuer: &X509Certificate<'_>) -> Option<u32> {
    issuer
        .extensions()
        .iter()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) if constraints.ca => {
                constraints.path_len_constraint
            }
            _ => None,
        })
}
