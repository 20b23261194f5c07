//! TLS of the page: its certificate, and whose certificates are let in.

use std::sync::Arc;

use anyhow::Context as _;
use rustls::crypto::ring::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::serve::page::PageFiles;

/// Takes handshakes; `None`: the page has no certificate.
///
/// # Errors
/// When certificate and key do not belong together, or an authority is none.
pub(super) fn acceptor(files: &PageFiles) -> anyhow::Result<Option<TlsAcceptor>> {
    let Some(key) = &files.key else {
        return Ok(None);
    };
    let provider = Arc::new(default_provider());
    let begun = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let begun = begun.with_safe_default_protocol_versions()?;
    let begun = match files.client_roots.as_slice() {
        [] => begun.with_no_client_auth(),
        roots => {
            let mut known = RootCertStore::empty();
            for root in roots {
                let root = known.add(root.clone());
                root.context("an authority of `page.tls.client_roots`")?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(known), provider);
            // Who has a token needs no certificate.
            let verifier = match files.token {
                Some(_) => verifier.allow_unauthenticated(),
                None => verifier,
            };
            begun.with_client_cert_verifier(verifier.build()?)
        }
    };
    let made = begun.with_single_cert(files.certificates.clone(), key.clone_key());
    let mut config = made.context("the certificate and the key of `page.tls`")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
