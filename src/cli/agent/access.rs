//! What both sides need to connect: certificates and credentials, from the files that their own file names.

use std::path::Path;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::cli::named::{self, Kind};
use crate::cli::secrets;
use crate::fleet::link::Access;
use crate::report::VerifyingKey;

/// Reads them; paths are taken from a folder.
pub(in crate::cli) fn access(
    folder: &Path,
    server: &str,
    ca: Option<&str>,
    credentials: &str,
    proxy: Option<String>,
    name: &str,
    inbox: &str,
) -> anyhow::Result<Access> {
    let roots = match ca {
        None => Vec::new(),
        Some(file) => roots(&folder.join(file))?,
    };
    let path = folder.join(credentials);
    let reading = || format!("reading the NATS credentials {}", path.display());
    let content = named::read(&path, Kind::NatsCredentials).with_context(reading)?;
    secrets::warn_if_open(&path, Kind::NatsCredentials, &content);
    let credentials = content.text().with_context(reading)?.to_string();
    Ok(Access {
        server: server.to_string(),
        roots,
        credentials,
        proxy,
        name: name.to_string(),
        inbox: inbox.to_string(),
    })
}

fn roots(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let reading = || format!("reading the authority {}", path.display());
    let content = named::read(path, Kind::Roots).with_context(reading)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content.bytes).collect();
    let all = all.with_context(reading)?;
    anyhow::ensure!(
        !all.is_empty(),
        "{} holds no certificate in PEM",
        path.display()
    );
    Ok(all)
}

/// The public key of the other side.
pub(in crate::cli) fn verifying_key(folder: &Path, file: &str) -> anyhow::Result<VerifyingKey> {
    let path = folder.join(file);
    let content = named::read(&path, Kind::PublicKey)
        .with_context(|| format!("reading the key {}", path.display()))?;
    VerifyingKey::read(&content.bytes)
        .map_err(|why| anyhow::anyhow!("the key {} {why}", path.display()))
}
