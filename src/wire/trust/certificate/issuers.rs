//! Where a certificate says that the certificate of its issuer can be had (RFC 5280 section 4.2.2.1, `caIssuers`).

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{End, Roots, leads_to, text};
use crate::wire::trust::Fetched;

/// The most addresses of one certificate that are kept.
const MOST_ADDRESSES: usize = 8;
/// The most characters of an address that are kept; a longer one is left out, because half an address leads nowhere.
const LONGEST_URL: usize = 2_048;

/// The certificate that a chain lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// The subject of the certificate that is lacking.
    pub(crate) issuer: String,
    /// Where the certificate below says that it can be had.
    pub(crate) addresses: Vec<String>,
    /// The certificates of the chain that lead to it, by their places, leaf first.
    steps: Vec<usize>,
}

impl Lacking {
    /// The subjects of the certificates on the way to it that a server did not send. The chain begins with those that
    /// it sent.
    pub(crate) fn unsent(&self, chain: &[CertificateDer<'_>], sent: usize) -> Vec<String> {
        let beyond = self.steps.iter().filter(|step| **step >= sent);
        let subject = |step: &usize| {
            let (_, certificate) = X509Certificate::from_der(chain.get(*step)?).ok()?;
            Some(text(certificate.subject()))
        };
        beyond.filter_map(subject).collect()
    }
}

/// The certificate that a chain lacks on its way to a root; `None` where it lacks none, or nothing says where to get it.
pub(crate) fn lacking(chain: &[CertificateDer<'_>], roots: &Roots) -> Option<Lacking> {
    let path = leads_to(chain, roots);
    let End::NoIssuer { issuer } = path.end else {
        return None;
    };
    let last = chain.get(*path.steps.last()?)?;
    let (_, last) = X509Certificate::from_der(last).ok()?;
    let addresses = of(&last);
    let steps = path.steps;
    (!addresses.is_empty()).then_some(Lacking {
        issuer,
        addresses,
        steps,
    })
}

/// The fetched certificates that a client of this chain alone would fetch. The chain names their address, or a
/// certificate that was fetched so names it.
pub(crate) fn reached<'a>(
    chain: &[CertificateDer<'_>],
    fetched: &'a [Fetched],
) -> Vec<&'a Fetched> {
    let addresses = |der: &[u8]| {
        let read = X509Certificate::from_der(der);
        read.map_or_else(|_| Vec::new(), |(_, certificate)| of(&certificate))
    };
    if fetched.is_empty() {
        return Vec::new();
    }
    let mut named: Vec<String> = chain.iter().flat_map(|der| addresses(der)).collect();
    let mut found: Vec<&Fetched> = Vec::new();
    while let Some(next) = fetched
        .iter()
        .find(|one| named.contains(&one.url) && !found.contains(one))
    {
        named.extend(addresses(&next.der));
        found.push(next);
    }
    found
}

/// Whether a certificate bears a name.
pub(crate) fn is_of(der: &[u8], subject: &str) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, it)| text(it.subject()) == subject)
}

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
    use super::*;
    use crate::wire::trust::certificate::sample;

    #[test]
    fn only_issuers_are_read_in_order_and_each_once() {
        let mut params = sample::server(&["ibs01.example.com"]);
        let urls = ["http://a/i.crt", "ldap:///CN=i", "http://a/i.crt"];
        sample::access(&mut params, &urls);
        let leaf = sample::signed(&params, &sample::root("Site Root"));
        let chain = [leaf.clone()];
        let found = lacking(&chain, &Roots::default()).expect("it lacks its issuer");
        assert_eq!(
            (found.issuer.as_str(), found.addresses.len()),
            ("CN=Site Root", 2)
        );
        let (_, leaf) = X509Certificate::from_der(&leaf).expect("a certificate");
        assert_eq!(of(&leaf), ["http://a/i.crt", "ldap:///CN=i"]);
    }
}
