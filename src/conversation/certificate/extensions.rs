//! Extensions that a client has to understand before it may take a certificate (RFC 5280 section 4.2, `critical`).

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::X509Certificate;

/// What clients make of a critical extension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Critical {
    /// Nobody knows it: clients have to refuse.
    Unknown(String),
    /// RFC 5280 does not let it be critical, or it cannot be read: what Windows makes of that is not known here.
    Odd(String),
    /// Windows understands it, and libraries that know only web servers refuse it.
    OfWindows(&'static str),
}

/// What is to be said of the critical extensions of a certificate, each once.
pub(super) fn critical(certificate: &X509Certificate<'_>) -> Vec<Critical> {
    let mut found: Vec<Critical> = certificate
        .extensions()
        .iter()
        .filter(|extension| extension.critical)
        .filter_map(|extension| {
            let readable = !matches!(
                extension.parsed_extension(),
                ParsedExtension::ParseError { .. }
            );
            kind(&extension.oid.to_id_string(), readable)
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn kind(identifier: &str, readable: bool) -> Option<Critical> {
    let name = identifier.chars().take(100).collect();
    match identifier {
        // Key usage, both alternative names' own, basic constraints, name constraints, policies, extended key usage.
        "2.5.29.15" | "2.5.29.17" | "2.5.29.19" | "2.5.29.30" | "2.5.29.32" | "2.5.29.37" => {
            (!readable).then_some(Critical::Odd(name))
        }
        "2.5.29.33" => Some(Critical::OfWindows("policy mappings")),
        "2.5.29.36" => Some(Critical::OfWindows("policy constraints")),
        "2.5.29.54" => Some(Critical::OfWindows("inhibit any policy")),
        "1.3.6.1.4.1.311.21.10" => Some(Critical::OfWindows("Application Policies of AD CS")),
        "1.3.6.1.4.1.311.21.11" => {
            Some(Critical::OfWindows("Application Policy Mappings of AD CS"))
        }
        "1.3.6.1.4.1.311.21.12" => Some(Critical::OfWindows(
            "Application Policy Constraints of AD CS",
        )),
        // Key identifiers, issuer alternative name, distribution points, freshest list, where to learn more.
        "2.5.29.14" | "2.5.29.35" | "2.5.29.18" | "2.5.29.31" | "2.5.29.46"
        | "1.3.6.1.5.5.7.1.1" | "1.3.6.1.5.5.7.1.11" => Some(Critical::Odd(name)),
        _ => Some(Critical::Unknown(name)),
    }
}

/// Whether a certificate has the same extension twice: no client says which counts.
pub(super) fn has_doubles(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions_map().is_err()
}
