//! Where a certificate says that its revocation can be learnt.

use x509_parser::extensions::{
    CRLDistributionPoint, CRLDistributionPoints, DistributionPointName, GeneralName,
    ParsedExtension,
};
use x509_parser::oid_registry::{OID_PKIX_ACCESS_DESCRIPTOR_OCSP, OID_X509_EXT_FRESHEST_CRL};
use x509_parser::prelude::{FromDer, X509Certificate, X509Extension};

/// The most addresses of one kind that are kept.
const MOST_POINTERS: usize = 16;
/// The most characters of an address that are kept; a longer one is left out, because half an address leads nowhere.
const LONGEST_URL: usize = 2_048;

/// Where a certificate says that its revocation can be learnt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pointers {
    /// Of revocation lists: the distribution points.
    pub(crate) lists: Vec<Pointer>,
    /// Of lists of what changed since: the freshest list.
    pub(crate) deltas: Vec<Pointer>,
    /// Of OCSP responders.
    pub(crate) responders: Vec<Pointer>,
    /// How many more there were that could not be kept.
    pub(crate) more: usize,
}

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    /// The address as it stands in the certificate.
    pub(crate) url: String,
    /// How it is reached.
    pub(crate) scheme: Scheme,
}

/// How an address is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// HTTP with a host: every client can use it where the network lets it.
    Http,
    /// HTTPS: clients do not follow it, because its certificate would have to be checked first.
    Https,
    /// LDAP: for members of the domain, inside.
    Ldap,
    /// `file:` or any other, or HTTP without a host.
    Other,
}

/// From where a client looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// From where the domain's directory cannot be asked.
    Internet,
    /// From where it can.
    Intranet,
}

/// Why clients cannot learn of revocation from where they are, or only in part. The order is that of the weight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unfit {
    /// There is no address of a list.
    NoPointer,
    /// There are addresses, and all of them are LDAP, which is not answered on the Internet.
    LdapOnly,
    /// There are addresses, and none that a client on the Internet can use.
    NoHttp,
    /// An address is HTTPS: that works for nobody.
    Https {
        /// The address.
        url: String,
    },
}

/// Reads the addresses out of a certificate; `None` when it is no certificate.
pub(crate) fn pointers(certificate: &[u8]) -> Option<Pointers> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let mut found = Pointers::default();
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::CRLDistributionPoints(points) => {
                found.more += add(&mut found.lists, points.points.iter().flat_map(full_names));
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                let ocsp = access
                    .iter()
                    .filter(|access| access.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP)
                    .map(|access| &access.access_location);
                found.more += add(&mut found.responders, ocsp);
            }
            _ => found.more += freshest(extension, &mut found.deltas),
        }
    }
    Some(found)
}

/// Takes the addresses out of a freshest-list extension (RFC 5280 sections 4.2.1.15 and 5.2.6), if it is one.
pub(super) fn freshest(extension: &X509Extension<'_>, deltas: &mut Vec<Pointer>) -> usize {
    if extension.oid != OID_X509_EXT_FRESHEST_CRL {
        return 0;
    }
    match CRLDistributionPoints::from_der(extension.value) {
        Ok((_, points)) => add(deltas, points.points.iter().flat_map(full_names)),
        Err(_) => 1,
    }
}

/// What the addresses of a certificate are worth to a client. The worst comes first; nothing: it can use one.
pub(crate) fn unfit(pointers: &Pointers, reach: Reach) -> Vec<Unfit> {
    let lists = &pointers.lists;
    let any = |scheme| lists.iter().any(|list| list.scheme == scheme);
    let all = |scheme| lists.iter().all(|list| list.scheme == scheme);
    let usable = match reach {
        Reach::Internet => any(Scheme::Http),
        Reach::Intranet => any(Scheme::Http) || any(Scheme::Ldap),
    };
    let mut found = Vec::new();
    if lists.is_empty() {
        found.push(Unfit::NoPointer);
    } else if !usable && all(Scheme::Ldap) {
        found.push(Unfit::LdapOnly);
    } else if !usable {
        found.push(Unfit::NoHttp);
    }
    let https = lists.iter().filter(|list| list.scheme == Scheme::Https);
    found.extend(https.map(|list| Unfit::Https {
        url: list.url.clone(),
    }));
    found.sort();
    found
}

/// Whether the directory stands before an address that serves: a client on the Internet first waits for it in vain.
pub(crate) fn is_ldap_first(pointers: &Pointers) -> bool {
    let first = pointers.lists.first().map(|list| list.scheme);
    let any = |scheme| pointers.lists.iter().any(|list| list.scheme == scheme);
    first == Some(Scheme::Ldap) && any(Scheme::Http)
}

fn full_names<'a>(point: &'a CRLDistributionPoint<'a>) -> &'a [GeneralName<'a>] {
    match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => names,
        Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => &[],
    }
}

/// Adds what can be kept, each once, and says how many could not.
fn add<'a>(
    pointers: &mut Vec<Pointer>,
    names: impl IntoIterator<Item = &'a GeneralName<'a>>,
) -> usize {
    let mut more = 0;
    for name in names {
        let GeneralName::URI(url) = name else {
            more += 1;
            continue;
        };
        let known = pointers.iter().any(|pointer| pointer.url == *url);
        if url.len() > LONGEST_URL || (pointers.len() >= MOST_POINTERS && !known) {
            more += 1;
        } else if !known {
            pointers.push(Pointer {
                url: (*url).to_string(),
                scheme: scheme(url),
            });
        }
    }
    more
}

fn scheme(text: &str) -> Scheme {
    let Ok(url) = url::Url::parse(text) else {
        return Scheme::Other;
    };
    // The reader of addresses takes a path for the host where there is none.
    let after = text.split_once("://").map_or("", |(_, after)| after);
    let has_host = !after.is_empty() && !after.starts_with(['/', '?', '#']);
    match url.scheme() {
        "http" if has_host => Scheme::Http,
        "https" => Scheme::Https,
        "ldap" | "ldaps" => Scheme::Ldap,
        _ => Scheme::Other,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CrlDistributionPoint, CustomExtension};

    use super::*;
    use crate::wire::trust::certificate::sample;

    fn with(urls: &[&str]) -> Pointers {
        let mut params = sample::server(&["ibs01.example.com"]);
        let uris = urls.iter().map(ToString::to_string).collect();
        if !urls.is_empty() {
            params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
        }
        pointers(&sample::signed(&params, &sample::root("Site Root"))).expect("a certificate")
    }

    const HTTP: &str = "http://pki.example.com/ca.crl";
    const LDAP: &str = "ldap:///CN=ca,CN=CDP,DC=corp,DC=example?certificateRevocationList?base";

    #[test]
    fn addresses_are_read_in_order_and_each_once() {
        let found = with(&[LDAP, HTTP, HTTP, "file://server/share/ca.crl"]);
        let schemes: Vec<Scheme> = found.lists.iter().map(|list| list.scheme).collect();
        assert_eq!(schemes, [Scheme::Ldap, Scheme::Http, Scheme::Other]);
        assert_eq!(found.lists[1].url, HTTP);
        assert_eq!(found.more, 0);
    }

    #[test]
    fn ldap_alone_is_a_fault_on_the_internet_and_not_inside() {
        let ldap = with(&[LDAP]);
        assert_eq!(unfit(&ldap, Reach::Internet), [Unfit::LdapOnly]);
        assert_eq!(unfit(&ldap, Reach::Intranet), []);
        let both = with(&[LDAP, HTTP]);
        assert_eq!(unfit(&both, Reach::Internet), []);
        assert!(is_ldap_first(&both) && !is_ldap_first(&ldap));
        assert!(!is_ldap_first(&with(&[HTTP, LDAP])));
    }

    #[test]
    fn https_is_a_fault_everywhere_and_no_address_too() {
        let url = "https://pki.example.com/ca.crl".to_string();
        let https = with(&[&url]);
        for reach in [Reach::Internet, Reach::Intranet] {
            let url = url.clone();
            assert_eq!(unfit(&https, reach), [Unfit::NoHttp, Unfit::Https { url }]);
            assert_eq!(unfit(&with(&[]), reach), [Unfit::NoPointer]);
        }
        let beside = with(&[HTTP, &url]);
        assert_eq!(unfit(&beside, Reach::Internet), [Unfit::Https { url }]);
        let share = with(&["file://server/ca.crl", "http:///ca.crl"]);
        assert_eq!(unfit(&share, Reach::Internet), [Unfit::NoHttp]);
    }

    #[test]
    fn too_many_and_too_long_addresses_are_counted() {
        let many: Vec<String> = (0..20).map(|number| format!("http://h/{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let found = with(&many);
        assert_eq!((found.lists.len(), found.more), (MOST_POINTERS, 4));
        let long = format!("http://h/{}", "a".repeat(LONGEST_URL));
        let found = with(&[&long, HTTP]);
        assert_eq!((found.lists.len(), found.more), (1, 1));
    }

    #[test]
    fn responders_and_deltas_are_read() {
        // AuthorityInfoAccess with OCSP at http://o, and a freshest list at http://d.
        let ocsp = b"\x30\x16\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x08http://o";
        let delta = b"\x30\x10\x30\x0e\xa0\x0c\xa0\x0a\x86\x08http://d";
        let mut params = sample::server(&["ibs01.example.com"]);
        params.custom_extensions = vec![
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], ocsp.to_vec()),
            CustomExtension::from_oid_content(&[2, 5, 29, 46], delta.to_vec()),
        ];
        let der = sample::signed(&params, &sample::root("Site Root"));
        let found = pointers(&der).expect("a certificate");
        let urls = |pointers: &[Pointer]| -> Vec<String> {
            pointers.iter().map(|pointer| pointer.url.clone()).collect()
        };
        assert_eq!(urls(&found.responders), ["http://o"]);
        assert_eq!(urls(&found.deltas), ["http://d"]);
        assert_eq!(found.lists, []);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = pointers(&bytes);
        }

        #[test]
        fn any_address_has_a_scheme(url: String) {
            let _ = scheme(&url);
        }

        #[test]
        fn a_damaged_certificate_is_read_without_panic(at: proptest::sample::Index, to: u8) {
            let mut params = sample::server(&["ibs01.example.com"]);
            let uris = vec![HTTP.to_string(), LDAP.to_string()];
            params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
            let mut der = sample::signed(&params, &sample::root("Site Root")).to_vec();
            let at = at.index(der.len());
            der[at] = to;
            let _ = pointers(&der);
        }
    }
}
