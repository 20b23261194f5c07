//! The certificates whose revocation clients want to know: those on the way of a chain to a trusted root, without the
//! root itself. Only these may name hosts to ask.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::pointers::{Pointers, pointers};
use crate::wire::trust::certificate::{End, Roots, Signature, leads_to, read, signature_of};

/// A certificate on the way to a trusted root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certified {
    /// The certificate.
    pub(crate) der: CertificateDer<'static>,
    /// Its subject.
    pub(crate) subject: String,
    /// The certificate of the authority that signed it.
    pub(crate) issuer: CertificateDer<'static>,
    /// Further certificates that are trusted, for authorities with several keys.
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    /// Where it says that its revocation can be learnt.
    pub(crate) pointers: Pointers,
}

/// The certificates of a chain, leaf first; none where it leads to no trusted root.
pub(crate) fn certified(chain: &[Vec<u8>], roots: &Roots) -> Vec<Certified> {
    let chain: Vec<CertificateDer<'static>> = chain
        .iter()
        .map(|der| CertificateDer::from(der.clone()))
        .collect();
    let path = leads_to(&chain, roots);
    if !matches!(path.end, End::Root { .. }) {
        return Vec::new();
    }
    let steps: Vec<&CertificateDer<'static>> =
        path.steps.iter().map(|step| &chain[*step]).collect();
    steps
        .iter()
        .enumerate()
        .filter_map(|(place, der)| one(der, &steps[place + 1..], roots))
        .collect()
}

/// One certificate, with those on the way above it; `None` for a root, which nobody revokes.
fn one(
    der: &CertificateDer<'static>,
    above: &[&CertificateDer<'static>],
    roots: &Roots,
) -> Option<Certified> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    if parsed.subject().as_raw() == parsed.issuer().as_raw() {
        return None;
    }
    let of_roots = roots.of(parsed.issuer().as_raw()).map(|root| &root.der);
    let authorities: Vec<CertificateDer<'static>> =
        above.iter().copied().chain(of_roots).cloned().collect();
    let signed = |authority: &&CertificateDer<'static>| {
        X509Certificate::from_der(authority).is_ok_and(|(_, issuer)| {
            issuer.subject().as_raw() == parsed.issuer().as_raw()
                && signature_of(&parsed, &issuer) == Signature::Good
        })
    };
    Some(Certified {
        issuer: authorities.iter().find(signed)?.clone(),
        subject: read(der)?.subject,
        pointers: pointers(der)?,
        der: der.clone(),
        authorities,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::trust::certificate::sample;

    #[test]
    fn only_chains_to_a_trusted_root_are_followed_and_roots_are_left_out() {
        let root = sample::root("Site Root");
        let middle = sample::intermediate(&root, "Issuing 1");
        let leaf = sample::leaf(&middle, &["a.example"]);
        let chain = [leaf.to_vec(), middle.der().to_vec(), root.der().to_vec()];
        let found = certified(&chain, &Roots::new(&[root.der().clone()], &[]));
        let subjects: Vec<&str> = found.iter().map(|one| one.subject.as_str()).collect();
        assert_eq!(subjects, ["CN=a.example", "CN=Issuing 1"]);
        assert_eq!(&found[0].issuer, middle.der());
        assert_eq!(&found[1].issuer, root.der());
        let other = sample::root("Site Root");
        assert_eq!(
            certified(&chain, &Roots::new(&[other.der().clone()], &[])),
            []
        );
        assert_eq!(certified(&[], &Roots::default()), []);
    }

    proptest::proptest! {
        #[test]
        fn any_chain_is_read_without_panic(chain: Vec<Vec<u8>>) {
            let root = sample::root("Site Root");
            let _ = certified(&chain, &Roots::new(&[root.der().clone()], &[]));
        }
    }
}
