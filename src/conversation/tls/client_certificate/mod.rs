//! The client certificate that the site file names: a PEM file with chain and key, or a PFX file.
//!
//! `load` reads the file and the password; `read` makes of the bytes what rustls can present, pure: keys and
//! certificates are taken out (`pem`, `pfx`), the certificate that belongs to a key is found by that key, and its
//! issuers are put behind it. Neither password nor key stands in any text that this module makes.

mod fault;
mod pem;
mod pfx;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::conversation::certificate::{self, Facts, LONGEST_CHAIN};

pub(crate) use fault::{Fault, Unusable};

/// The largest file that is read.
const LARGEST_FILE: u64 = 1 << 20;

/// A certificate with its key and its issuers, ready to be presented.
#[derive(Clone)]
pub(crate) struct ClientCertificate {
    /// What rustls presents.
    pub(in crate::conversation) key: Arc<CertifiedKey>,
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

/// Where the password stands. It never stands in the site file or on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PasswordFrom {
    /// There is none.
    Nowhere,
    /// In this environment variable.
    Environment(String),
    /// In the first line of this file.
    File(PathBuf),
}

/// Reads a file, with the password from where it stands.
///
/// # Errors
/// Which file is wrong, what is wrong with it and what would be right.
pub(crate) fn load(
    file: &Path,
    password: &PasswordFrom,
    provider: &CryptoProvider,
) -> Result<ClientCertificate, Unusable> {
    let unusable = |fault| Unusable {
        file: file.to_path_buf(),
        fault,
    };
    let password = match password {
        PasswordFrom::Nowhere => None,
        PasswordFrom::Environment(name) => {
            let value = std::env::var(name);
            Some(value.map_err(|_| unusable(Fault::NoVariable(name.clone())))?)
        }
        PasswordFrom::File(path) => Some(first_line(path)?),
    };
    let bytes = content(file)?;
    read(&bytes, password.map(Password::new).as_ref(), provider).map_err(unusable)
}

/// The first line of a password file, without its end.
fn first_line(path: &Path) -> Result<String, Unusable> {
    let bytes = content(path)?;
    let text = String::from_utf8(bytes).map_err(|_| Unusable {
        file: path.to_path_buf(),
        fault: Fault::Damaged("the password is not in UTF-8".to_string()),
    })?;
    Ok(text.lines().next().unwrap_or_default().to_string())
}

fn content(path: &Path) -> Result<Vec<u8>, Unusable> {
    let unusable = |fault| Unusable {
        file: path.to_path_buf(),
        fault,
    };
    let file = fs::File::open(path).map_err(|error| unusable(Fault::Unreadable(error)))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unusable(Fault::Unreadable(error)))?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= LARGEST_FILE => Ok(bytes),
        _ => Err(unusable(Fault::TooLarge)),
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
    let usable: Vec<Arc<dyn SigningKey>> = keys
        .into_iter()
        .filter_map(|key| provider.key_provider.load_private_key(key).ok())
        .collect();
    if usable.is_empty() {
        return Err(Fault::UnusableKey);
    }
    for key in usable {
        let leaf = certificates.iter().find(|der| belongs(der, key.as_ref()));
        if let Some((leaf, facts)) = leaf.and_then(|leaf| Some((leaf, certificate::read(leaf)?))) {
            let chain = with_issuers(leaf, &certificates);
            let key = Arc::new(CertifiedKey::new(chain, key));
            return Ok(ClientCertificate { key, facts });
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
