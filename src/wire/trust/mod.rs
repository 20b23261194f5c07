//! What a run's TLS goes by: the roots that certificates must lead to, and the certificate that this host shows.

pub(crate) mod certificate;
pub(crate) mod revocation;

use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

use crate::observation::Shown;
use crate::wire::tls::client_certificate::ClientCertificate;
use certificate::Roots;

/// The verifier of a run, the roots it leads to, the cryptography it uses, and what this host shows of itself.
#[derive(Clone, Debug)]
pub struct Trust {
    pub(crate) provider: Arc<CryptoProvider>,
    /// `None` when there is not one root.
    pub(crate) verifier: Option<Arc<WebPkiServerVerifier>>,
    /// The same roots, for whoever describes a chain.
    pub(crate) roots: Arc<Roots>,
    /// The client certificate that is presented when a server asks.
    pub(crate) own: Option<ClientCertificate>,
    /// Intermediates that servers did not send; none until they were looked for.
    fetched: Arc<OnceLock<Vec<Fetched>>>,
}

/// An intermediate that a server did not send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// Where it was fetched: a certificate below it names the address.
    pub(crate) url: String,
    /// The certificate.
    pub(crate) der: CertificateDer<'static>,
}

impl Trust {
    /// Trusts these roots, and the system's where asked; roots that cannot be read are left out.
    pub fn new(roots: Vec<CertificateDer<'static>>, with_system: bool) -> Self {
        let system = match with_system {
            true => rustls_native_certs::load_native_certs().certs,
            false => Vec::new(),
        };
        Self::of(&roots, &system)
    }

    /// Trusts the roots that the site file names, and the system's.
    pub(crate) fn of(
        named: &[CertificateDer<'static>],
        system: &[CertificateDer<'static>],
    ) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(named.iter().chain(system).cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
                .build()
                .ok();
        Self {
            provider,
            verifier,
            roots: Arc::new(Roots::new(named, system)),
            own: None,
            fetched: Arc::default(),
        }
    }

    /// The client certificate that is presented, in words.
    pub(crate) fn shown(&self) -> Option<Shown> {
        let own = self.own.as_ref()?;
        let sent = own.key.cert.iter().filter_map(|der| certificate::read(der));
        Some(Shown {
            subject: own.facts.subject.clone(),
            issuers: sent.map(|facts| facts.issuer).collect(),
        })
    }

    /// Presents this client certificate, where a server asks for one.
    pub(crate) fn presenting(self, own: Option<ClientCertificate>) -> Self {
        Self { own, ..self }
    }

    /// The intermediates that servers did not send, and that were fetched.
    pub(crate) fn fetched(&self) -> &[Fetched] {
        self.fetched.get().map_or(&[], Vec::as_slice)
    }

    /// Judges chains from now on with these intermediates too. What they prove is proved by signatures, so that a false
    /// one does no harm.
    pub(crate) fn know(&self, fetched: Vec<Fetched>) {
        // A run looks for them once.
        let _ = self.fetched.set(fetched);
    }
}
