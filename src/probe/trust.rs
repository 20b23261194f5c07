//! The roots that certificates must lead to.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

/// The verifier of a run, and the cryptography it uses.
#[derive(Clone, Debug)]
pub struct Trust {
    pub(super) provider: Arc<CryptoProvider>,
    /// `None` when there is not one root.
    pub(super) verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl Trust {
    /// Trusts these roots, and the system's where asked; roots that cannot be read are left out.
    pub fn new(roots: Vec<CertificateDer<'static>>, with_system: bool) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots);
        if with_system {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
                .build()
                .ok();
        Self { provider, verifier }
    }
}
