//! Name constraints (RFC 5280 section 4.2.1.10): the names that an authority may issue certificates for.
//!
//! Windows and OpenSSL judge DNS names, addresses and directory names alike; those are judged here. Of other forms only
//! that they apply is told. A constraint that cannot be read, and a form that nobody knows, stay open.

use x509_parser::extensions::{GeneralName, GeneralSubtree, NameConstraints, ParsedExtension};
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::{RelativeDistinguishedName, X509Name};

/// What an authority's constraints say of a certificate below it. The order is that of the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ruling {
    /// A name lies outside.
    Outside,
    /// What clients make of it is not known here.
    Open,
}

/// Applies the constraints of an authority to a certificate below it; `None`: all names are within.
pub(super) fn ruling(
    authority: &X509Certificate<'_>,
    certificate: &X509Certificate<'_>,
) -> Option<Ruling> {
    let mut found = None;
    for extension in authority.extensions() {
        let ruling = match extension.parsed_extension() {
            ParsedExtension::NameConstraints(constraints) => apply(constraints, certificate),
            _ if extension.oid.to_id_string() == "2.5.29.30" => Some(Ruling::Open),
            _ => None,
        };
        found = worse(found, ruling);
    }
    found
}

/// Whether an authority has constraints on directory names, which some libraries refuse altogether.
pub(super) fn on_directory_names(authority: &X509Certificate<'_>) -> bool {
    let is_directory =
        |subtree: &GeneralSubtree<'_>| matches!(subtree.base, GeneralName::DirectoryName(_));
    authority.extensions().iter().any(|extension| {
        let ParsedExtension::NameConstraints(constraints) = extension.parsed_extension() else {
            return false;
        };
        permitted(constraints)
            .iter()
            .chain(excluded(constraints))
            .any(is_directory)
    })
}

fn permitted<'a, 'b>(constraints: &'b NameConstraints<'a>) -> &'b [GeneralSubtree<'a>] {
    constraints.permitted_subtrees.as_deref().unwrap_or(&[])
}

fn excluded<'a, 'b>(constraints: &'b NameConstraints<'a>) -> &'b [GeneralSubtree<'a>] {
    constraints.excluded_subtrees.as_deref().unwrap_or(&[])
}

fn worse(one: Option<Ruling>, other: Option<Ruling>) -> Option<Ruling> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The most comparisons of a name with a subtree for one authority and one certificate; rustls' verifier gives up there too.
/// What goes beyond stays open: a hostile chain may have thousands of both.
const MOST_COMPARISONS: usize = 250_000;

fn apply(constraints: &NameConstraints<'_>, certificate: &X509Certificate<'_>) -> Option<Ruling> {
    let subject = GeneralName::DirectoryName(certificate.subject().clone());
    let mut names = vec![&subject];
    let alternative = certificate.subject_alternative_name();
    if let Ok(Some(alternative)) = &alternative {
        names.extend(&alternative.value.general_names);
    }
    // An empty subject is no name.
    if certificate.subject().iter_rdn().next().is_none() {
        names.remove(0);
    }
    let subtrees = permitted(constraints).len() + excluded(constraints).len();
    // Clients that know addresses of mail in a subject compare each part of it.
    let parts = names.len() + certificate.subject().iter_attributes().count();
    if parts.saturating_mul(subtrees) > MOST_COMPARISONS {
        return Some(Ruling::Open);
    }
    let mut found = alternative.is_err().then_some(Ruling::Open);
    for name in &names {
        found = worse(found, of_name(constraints, name));
    }
    // Where no alternative name is a host's, clients take the common name for one. Whether constraints hold for it then
    // is not known of all of them.
    let is_host = |name: &&&GeneralName<'_>| {
        matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_))
    };
    if names.iter().find(is_host).is_none() {
        for common in certificate.subject().iter_common_name() {
            let name = common.as_str().unwrap_or_default();
            let as_host = of_name(constraints, &GeneralName::DNSName(name));
            found = worse(found, as_host.map(|_| Ruling::Open));
        }
    }
    found
}

/// One name: it must lie in one of the permitted subtrees of its form, where there are any, and in no excluded one.
fn of_name(constraints: &NameConstraints<'_>, name: &GeneralName<'_>) -> Option<Ruling> {
    let of_form = |subtree: &&GeneralSubtree<'_>| {
        std::mem::discriminant(&subtree.base) == std::mem::discriminant(name)
    };
    let permitted: Vec<&GeneralSubtree<'_>> =
        permitted(constraints).iter().filter(of_form).collect();
    let excluded: Vec<&GeneralSubtree<'_>> = excluded(constraints).iter().filter(of_form).collect();
    let within = |subtrees: &[&GeneralSubtree<'_>]| {
        let all: Option<Vec<bool>> = subtrees
            .iter()
            .map(|subtree| contains(&subtree.base, name))
            .collect();
        all.map(|all| all.contains(&true))
    };
    let may_reach = excluded
        .iter()
        .any(|subtree| may_reach(&subtree.base, name));
    match (permitted.is_empty(), within(&permitted), within(&excluded)) {
        (_, _, Some(true)) | (false, Some(false), _) => Some(Ruling::Outside),
        (_, None, _) | (_, _, None) => Some(Ruling::Open),
        (_, Some(_), Some(false)) if may_reach => Some(Ruling::Open),
        (_, Some(_), Some(false)) => None,
    }
}

/// Whether a name lies in a subtree of its form; `None`: such forms are not judged here.
fn contains(base: &GeneralName<'_>, name: &GeneralName<'_>) -> Option<bool> {
    match (base, name) {
        (GeneralName::DNSName(base), GeneralName::DNSName(name)) => Some(host_lies_in(base, name)),
        (GeneralName::IPAddress(base), GeneralName::IPAddress(name)) => address_lies_in(base, name),
        (GeneralName::DirectoryName(base), GeneralName::DirectoryName(name)) => {
            directory_lies_in(base, name)
        }
        _ => None,
    }
}

/// A host lies in a domain when labels stand before it, or none. A leading dot asks for one label at least: RFC 5280 does
/// not know it for DNS names, and authorities write it all the same.
fn host_lies_in(base: &str, name: &str) -> bool {
    let (base, name) = (base.to_ascii_lowercase(), name.to_ascii_lowercase());
    name.strip_suffix(base.as_str()).is_some_and(|labels| {
        base.is_empty() || labels.is_empty() || labels.ends_with('.') || base.starts_with('.')
    })
}

/// Whether a name with a `*` covers a host that lies in a subtree, though it does not lie there itself.
fn may_reach(base: &GeneralName<'_>, name: &GeneralName<'_>) -> bool {
    let (GeneralName::DNSName(base), GeneralName::DNSName(name)) = (base, name) else {
        return false;
    };
    let parent = name.strip_prefix("*.");
    let above = base.split_once('.').map(|(_, above)| above);
    parent
        .zip(above)
        .is_some_and(|(parent, above)| parent.eq_ignore_ascii_case(above))
}

/// A network is an address and a mask of the same length.
fn address_lies_in(base: &[u8], name: &[u8]) -> Option<bool> {
    if !matches!(base.len(), 8 | 32) {
        return None;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    let same = |((network, mask), byte): ((&u8, &u8), &u8)| network & mask == byte & mask;
    Some(network.len() == name.len() && network.iter().zip(mask).zip(name).all(same))
}

/// A directory name lies in another when it begins with all parts of that one. Values are compared as text without
/// letter case; where only their encodings differ in more than that, the question stays open.
fn directory_lies_in(base: &X509Name<'_>, name: &X509Name<'_>) -> Option<bool> {
    let mut parts = name.iter_rdn();
    for wanted in base.iter_rdn() {
        match parts.next().map(|part| same_part(wanted, part)) {
            Some(Some(true)) => {}
            None | Some(Some(false)) => return Some(false),
            Some(None) => return None,
        }
    }
    Some(true)
}

fn same_part(
    one: &RelativeDistinguishedName<'_>,
    other: &RelativeDistinguishedName<'_>,
) -> Option<bool> {
    let (one, other): (Vec<_>, Vec<_>) = (one.iter().collect(), other.iter().collect());
    let ([one], [other]) = (&one[..], &other[..]) else {
        // Parts with several values are rare, and sorted in more than one way.
        return None;
    };
    if one.attr_type() != other.attr_type() {
        return Some(false);
    }
    match (one.as_str(), other.as_str()) {
        (Ok(one), Ok(other)) => Some(squeezed(one) == squeezed(other)),
        _ if one.as_slice() == other.as_slice() => Some(true),
        _ => None,
    }
}

/// Letter case and the number of blanks do not count (RFC 5280 section 7.1).
fn squeezed(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_lies_in_its_domain() {
        for (base, name, within) in [
            ("example.com", "example.com", true),
            ("example.com", "A.Example.COM", true),
            ("example.com", "*.example.com", true),
            ("example.com", "badexample.com", false),
            (".example.com", "a.example.com", true),
            (".example.com", "example.com", false),
            (".example.com", "*.example.com", true),
            ("a.example.com", "example.com", false),
            ("", "anything", true),
        ] {
            assert_eq!(host_lies_in(base, name), within, "{name} in {base}");
        }
    }

    #[test]
    fn an_address_lies_in_its_network() {
        let network = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(address_lies_in(&network, &[192, 0, 2, 9]), Some(true));
        assert_eq!(address_lies_in(&network, &[192, 0, 3, 9]), Some(false));
        assert_eq!(address_lies_in(&network, &[0; 16]), Some(false));
        assert_eq!(address_lies_in(&network[..7], &[192, 0, 2, 9]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_names_are_compared_without_panic(base: String, name: String, network: Vec<u8>, address: Vec<u8>) {
            let _ = host_lies_in(&base, &name);
            let _ = address_lies_in(&network, &address);
        }
    }
}
