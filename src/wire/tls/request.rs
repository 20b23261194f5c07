//! A server's wish for a client certificate: by which authorities.

use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::wire::trust::certificate::text;

/// The most authorities that are kept. IIS lists every root of its store: a hundred and more.
const MOST_AUTHORITIES: usize = 100;

/// The server asked for a client certificate in the first handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientCertificateRequest {
    /// The authorities whose certificates it takes, as distinguished names; none: it says nothing about that.
    pub(crate) authorities: Vec<String>,
    /// How many more there were, unreadable ones included.
    pub(crate) more: usize,
}

impl ClientCertificateRequest {
    /// Reads the authorities, each a distinguished name in DER.
    pub(super) fn of(names: &[&[u8]]) -> Self {
        let authorities: Vec<String> = names
            .iter()
            .take(MOST_AUTHORITIES)
            .filter_map(|der| Some(text(&X509Name::from_der(der).ok()?.1)))
            .collect();
        Self {
            more: names.len() - authorities.len(),
            authorities,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CN=A.
    const A: &[u8] = &[48, 12, 49, 10, 48, 8, 6, 3, 85, 4, 3, 12, 1, 65];

    #[test]
    fn authorities_are_named_and_bounded() {
        let asked = ClientCertificateRequest::of(&[A, b"rubbish"]);
        assert_eq!(asked.authorities, ["CN=A"]);
        assert_eq!(asked.more, 1);
        let many = ClientCertificateRequest::of(&[A; 150]);
        assert_eq!((many.authorities.len(), many.more), (MOST_AUTHORITIES, 50));
    }

    proptest::proptest! {
        #[test]
        fn any_names_are_read_without_panic(names: Vec<Vec<u8>>) {
            let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            let _ = ClientCertificateRequest::of(&names);
        }
    }
}
