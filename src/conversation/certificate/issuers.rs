//! Where a certificate says that the certificate of its issuer can be had (RFC 5280 section 4.2.2.1, `caIssuers`).

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::X509Certificate;

/// The most addresses of one certificate that are kept.
const MOST_ADDRESSES: usize = 8;
/// The most characters of an address that are kept; a longer one is left out, because half an address is none.
const LONGEST_URL: usize = 2_048;

/// The addresses in a certificate, in its order, each once.
pub(super) fn of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else {
            continue;
        };
        for one in access.iter() {
            let is_issuer = one.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2";
            let GeneralName::URI(url) = one.access_location else {
                continue;
            };
            let fits = url.len() <= LONGEST_URL && found.len() < MOST_ADDRESSES;
            if is_issuer && fits && !found.iter().any(|known| known == url) {
                found.push(url.to_string());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::FromDer as _;

    use super::*;
    use crate::conversation::certificate::made;

    #[test]
    fn only_issuers_are_read_in_order_and_each_once() {
        let mut params = made::server(&["ibs01.example.com"]);
        let urls = ["http://a/i.crt", "ldap:///CN=i", "http://a/i.crt"];
        made::access(&mut params, &urls);
        let leaf = made::signed(&params, &made::root("Site Root"));
        let (_, leaf) = X509Certificate::from_der(&leaf).expect("a certificate");
        assert_eq!(of(&leaf), ["http://a/i.crt", "ldap:///CN=i"]);
    }
}
