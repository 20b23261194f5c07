//! Signing what is written, and verifying what is read: keys and signatures in files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::named::{self, Kind, Unread};
use super::secrets;
use crate::report::{SignatureFault, SigningKey, VerifyingKey};

/// Where the signature of a file is: `FILE.sig`.
pub(super) fn signature_of(file: &Path) -> PathBuf {
    beside(file, ".sig")
}

/// Where a signature waits while the file that it is for is put in its place (the module `output` says why).
pub(super) fn next_signature_of(file: &Path) -> PathBuf {
    beside(file, ".sig.next")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Reads the key that signs, before anything is tried, so that a wrong one costs no run.
pub(super) fn key(path: &Path) -> anyhow::Result<SigningKey> {
    let content = named::read(path, Kind::SigningKey)
        .with_context(|| format!("reading the key {}", path.display()))?;
    let key = SigningKey::read(&content.bytes)
        .map_err(|why| anyhow::anyhow!("the key {} {why}", path.display()))?;
    secrets::warn_if_open(path, Kind::SigningKey, &content);
    Ok(key)
}

/// The keys of which one must have signed each file; none: nothing is verified.
pub(super) struct Verifier(Vec<VerifyingKey>);

impl Verifier {
    pub(super) fn new(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let read = |path: &PathBuf| {
            let content = named::read(path, Kind::PublicKey)
                .with_context(|| format!("reading the key {}", path.display()))?;
            VerifyingKey::read(&content.bytes)
                .map_err(|why| anyhow::anyhow!("the key {} {why}", path.display()))
        };
        Ok(Self(paths.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// Reads a file, and refuses one that none of the keys has signed as it is.
    ///
    /// A run may be replacing it meanwhile. So the signature is looked at before the file is read and after. An earlier
    /// file fits the first. A new file fits the one that waits, or the one that has taken its place.
    pub(super) fn read(
        &self,
        path: &Path,
        read: impl FnOnce() -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Vec<u8>> {
        if self.0.is_empty() {
            return read();
        }
        let beside = signature_of(path);
        let before = read_signature(&beside);
        let bytes = read()?;
        let next = read_signature(&next_signature_of(path));
        let after = read_signature(&beside);
        let missing = after.as_ref().err().map(ToString::to_string);
        let mut last = None;
        for signature in [before, next, after].into_iter().flatten() {
            last = self.fault(&bytes, &signature);
            if last.is_none() {
                return Ok(bytes);
            }
        }
        let (file, beside) = (path.display(), beside.display());
        match last {
            Some(fault) => anyhow::bail!("{file} is not to be believed: {beside} {}", fault.says()),
            None => anyhow::bail!(
                "{file} is not signed: reading {beside}: {}",
                missing.unwrap_or_default()
            ),
        }
    }

    /// Why none of the keys has signed these bytes so; `None`: one has.
    fn fault(&self, bytes: &[u8], signature: &[u8]) -> Option<SignatureFault> {
        let mut last = None;
        for key in &self.0 {
            last = Some(key.verify(bytes, signature).err()?);
        }
        last
    }
}

fn read_signature(path: &Path) -> Result<Vec<u8>, Unread> {
    named::read(path, Kind::Signature).map(|content| content.bytes)
}
