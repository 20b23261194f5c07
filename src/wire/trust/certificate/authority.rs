//! Whether a certificate may be the issuer of another: what Windows and OpenSSL both ask of an authority.

use x509_parser::extensions::{AuthorityKeyIdentifier, GeneralName, ParsedExtension};
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

/// Whether a certificate names another issuer than this one, which signed it (RFC 5280 section 4.2.1.1). Windows looks for
/// issuers by what stands there: by name and number where both do, else by the key.
pub(super) fn names_another(
    certificate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> bool {
    let Some(named) = certificate
        .extensions()
        .iter()
        .find_map(|it| match it.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(named) => Some(named),
            _ => None,
        })
    else {
        return false;
    };
    if let Some((name, number)) = name_and_number(named) {
        return name != issuer.issuer().as_raw() || number != issuer.raw_serial();
    }
    let own = issuer
        .extensions()
        .iter()
        .find_map(|it| match it.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(key) => Some(key),
            _ => None,
        });
    named
        .key_identifier
        .as_ref()
        .zip(own)
        .is_some_and(|(named, own)| named != own)
}

/// The name of the issuer's own issuer and the issuer's serial number.
fn name_and_number<'a>(named: &'a AuthorityKeyIdentifier<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let mut names = named.authority_cert_issuer.iter().flatten();
    let name = names.find_map(|name| match name {
        GeneralName::DirectoryName(name) => Some(name.as_raw()),
        _ => None,
    })?;
    Some((name, named.authority_cert_serial?))
}
