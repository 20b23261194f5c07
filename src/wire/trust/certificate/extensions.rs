//! Extensions by which a client may refuse a certificate. It has to understand some (RFC 5280 section 4.2, `critical`).
//! It goes by others, and cannot read them.

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{X509Certificate, X509Extension};

/// What clients make of an extension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extension {
    /// It is critical, and nobody knows it: clients have to refuse.
    Unknown(String),
    /// It is critical, and RFC 5280 does not let it be: what Windows makes of that is not known here.
    Odd(String),
    /// Clients go by it, and it cannot be read: what Windows makes of that is not known here.
    Unreadable(String),
    /// It is critical. Windows understands it, and libraries that know only web servers refuse it.
    OfWindows(&'static str),
}

/// The alternative name of the subject.
const ALTERNATIVE_NAME: &str = "2.5.29.17";
/// What clients go by whether or not it is critical: key usage, alternative name, basic constraints, name constraints,
/// extended key usage.
const ALWAYS_READ: [&str; 5] = [
    "2.5.29.15",
    ALTERNATIVE_NAME,
    "2.5.29.19",
    "2.5.29.30",
    "2.5.29.37",
];

/// What is to be said of the extensions of a certificate, each once.
pub(super) fn told(certificate: &X509Certificate<'_>) -> Vec<Extension> {
    let extensions = certificate.extensions().iter();
    let mut found: Vec<Extension> = extensions
        .filter_map(|extension| {
            let identifier = extension.oid.to_id_string();
            let name = || identifier.chars().take(100).collect();
            match is_unreadable(extension) {
                true if ALWAYS_READ.contains(&identifier.as_str()) => {
                    Some(Extension::Unreadable(name()))
                }
                unreadable => {
                    let critical = extension
                        .critical
                        .then(|| critical(&identifier, !unreadable));
                    critical.flatten()
                }
            }
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Whether a certificate has alternative names that cannot be read: nobody can tell then what it is for.
pub(super) fn has_unreadable_names(certificate: &X509Certificate<'_>) -> bool {
    let mut extensions = certificate.extensions().iter();
    extensions.any(|it| it.oid.to_id_string() == ALTERNATIVE_NAME && is_unreadable(it))
}

fn is_unreadable(extension: &X509Extension<'_>) -> bool {
    matches!(
        extension.parsed_extension(),
        ParsedExtension::ParseError { .. }
    )
}

/// What clients make of a critical extension.
fn critical(identifier: &str, readable: bool) -> Option<Extension> {
    let name = identifier.chars().take(100).collect();
    match identifier {
        it if ALWAYS_READ.contains(&it) => None,
        // Policies.
        "2.5.29.32" => (!readable).then_some(Extension::Unreadable(name)),
        "2.5.29.33" => Some(Extension::OfWindows("policy mappings")),
        "2.5.29.36" => Some(Extension::OfWindows("policy constraints")),
        "2.5.29.54" => Some(Extension::OfWindows("inhibit any policy")),
        "1.3.6.1.4.1.311.21.10" => Some(Extension::OfWindows("Application Policies of AD CS")),
        "1.3.6.1.4.1.311.21.11" => {
            Some(Extension::OfWindows("Application Policy Mappings of AD CS"))
        }
        "1.3.6.1.4.1.311.21.12" => Some(Extension::OfWindows(
            "Application Policy Constraints of AD CS",
        )),
        // Key identifiers, issuer alternative name, distribution points, freshest list, where to learn more.
        "2.5.29.14" | "2.5.29.35" | "2.5.29.18" | "2.5.29.31" | "2.5.29.46"
        | "1.3.6.1.5.5.7.1.1" | "1.3.6.1.5.5.7.1.11" => Some(Extension::Odd(name)),
        _ => Some(Extension::Unknown(name)),
    }
}

/// Whether a certificate has the same extension twice: no client says which counts.
pub(super) fn has_doubles(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions_map().is_err()
}
