//! The client certificate that the site file names: a PEM file with chain and key, or a PFX file.
//!
//! `read` makes of a file's bytes what rustls can present. Keys and certificates are taken out (`pem`, `pfx`). The
//! certificate that belongs to a key is found by that key, and its issuers are put behind it. Neither password nor key
//! stands in any text that this module makes.

mod fault;
mod pem;
mod pfx;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::wire::trust::certificate::{self, Facts, LONGEST_CHAIN};

pub(crate) use fault::Fault;

/// A certificate with its key and its issuers, ready to be presented.
#[derive(Clone)]
pub struct ClientCertificate {
    /// What rustls presents.
    pub(in crate::wire) key: Arc<CertifiedKey>,
    /// Its private key as the second client takes it.
    #[cfg(feature = "old-tls")]
    pub(in crate::wire) private: Arc<PrivateKeyDer<'static>>,
    /// What stands in the certificate.
    pub(crate) facts: Facts,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientCertificate")
            .field("subject", &self.facts.subject)
            .finish_non_exhaustive()
    }
}

/// A password. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    /// Keeps a password.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// What stands in a file, whichever its format.
struct Content {
    certificates: Vec<CertificateDer<'static>>,
    keys: Vec<PrivateKeyDer<'static>>,
}

/// Makes of a file's bytes what can be presented.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn read(
    bytes: &[u8],
    password: Option<&Password>,
    provider: &CryptoProvider,
) -> Result<ClientCertificate, Fault> {
    let password = password.map(|password| password.0.as_str());
    let content = if pem::is_pem(bytes) {
        pem::read(bytes, password)?
    } else if bytes.first() == Some(&0x30) {
        pfx::read(bytes, password)?
    } else {
        return Err(Fault::UnknownFormat);
    };
    assemble(content, provider)
}

/// Finds the certificate of a key, and puts its issuers behind it.
fn assemble(content: Content, provider: &CryptoProvider) -> Result<ClientCertificate, Fault> {
    let Content { certificates, keys } = content;
    if certificates.is_empty() {
        return Err(Fault::NoCertificate);
    }
    if keys.is_empty() {
        return Err(Fault::NoKey);
    }
    let usable: Vec<(Arc<dyn SigningKey>, PrivateKeyDer<'static>)> = keys
        .into_iter()
        .filter_map(|key| {
            let usable = provider.key_provider.load_private_key(key.clone_key());
            Some((usable.ok()?, key))
        })
        .collect();
    if usable.is_empty() {
        return Err(Fault::UnusableKey);
    }
    for (key, private) in usable {
        let leaf = certificates.iter().find(|der| belongs(der, key.as_ref()));
        if let Some((leaf, facts)) = leaf.and_then(|leaf| Some((leaf, certificate::read(leaf)?))) {
            let chain = with_issuers(leaf, &certificates);
            let key = Arc::new(CertifiedKey::new(chain, key));
            #[cfg(not(feature = "old-tls"))]
            drop(private);
            return Ok(ClientCertificate {
                key,
                #[cfg(feature = "old-tls")]
                private: Arc::new(private),
                facts,
            });
        }
    }
    Err(Fault::AnotherKey)
}

/// Whether a certificate is for a key. rustls does not read certificates of version 1, which are presented all the same.
fn belongs(certificate: &CertificateDer<'_>, key: &dyn SigningKey) -> bool {
    let parsed = X509Certificate::from_der(certificate);
    let public = key.public_key();
    parsed.is_ok_and(|(_, parsed)| {
        public.is_some_and(|public| public.as_ref() == parsed.public_key().raw)
    })
}

/// A certificate and its issuers from a heap, by their names, without the root: servers have that themselves.
fn with_issuers(
    leaf: &CertificateDer<'static>,
    heap: &[CertificateDer<'static>],
) -> Vec<CertificateDer<'static>> {
    let mut chain = vec![leaf.clone()];
    while let Some(last) = chain.last()
        && let Ok((_, at)) = X509Certificate::from_der(last)
        && chain.len() < LONGEST_CHAIN
    {
        let next = heap.iter().find(|der| {
            X509Certificate::from_der(der).is_ok_and(|(_, issuer)| {
                let names_it = issuer.subject().as_raw() == at.issuer().as_raw();
                let is_root = issuer.subject().as_raw() == issuer.issuer().as_raw();
                names_it && !is_root && !chain.contains(der)
            })
        });
        let Some(next) = next else { break };
        chain.push(next.clone());
    }
    chain
}
