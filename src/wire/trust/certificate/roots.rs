//! The roots that certificates may lead to, found by their names.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The roots of a run: the site file's first, then the system's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots(Vec<Root>);

/// One root.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// Its subject, as it stands in the certificate.
    subject: Vec<u8>,
    /// Who names it.
    pub(crate) kind: Kind,
    /// The certificate.
    pub(crate) der: CertificateDer<'static>,
}

/// Who names a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The site file.
    Named,
    /// The system's own store.
    System,
}

impl Roots {
    /// Roots that cannot be read are left out.
    pub(crate) fn new(
        named: &[CertificateDer<'static>],
        system: &[CertificateDer<'static>],
    ) -> Self {
        let named = named.iter().map(|der| (Kind::Named, der));
        let system = system.iter().map(|der| (Kind::System, der));
        let roots = named.chain(system).filter_map(|(kind, der)| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            Some(Root {
                subject: certificate.subject().as_raw().to_vec(),
                kind,
                der: der.clone(),
            })
        });
        Self(roots.collect())
    }

    /// The roots of one subject.
    pub(crate) fn of(&self, subject: &[u8]) -> impl Iterator<Item = &Root> {
        self.numbered(subject).map(|(_, root)| root)
    }

    /// The same, each with its place among all.
    pub(super) fn numbered(&self, subject: &[u8]) -> impl Iterator<Item = (usize, &Root)> {
        let all = self.0.iter().enumerate();
        all.filter(move |(_, root)| root.subject == subject)
    }

    /// Whether the site file names any.
    pub(crate) fn any_named(&self) -> bool {
        self.0.iter().any(|root| root.kind == Kind::Named)
    }
}
