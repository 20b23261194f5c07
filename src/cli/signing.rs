//! Signing what is written, and verifying what is read: keys and signatures in files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::files;
use super::named::{self, Kind};
use crate::report::{SignatureFault, SigningKey, VerifyingKey};

/// Where the signature of a file is: `FILE.sig`.
fn signature_of(file: &Path) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// Reads the key that signs, before anything is tried, so that a wrong one costs no run.
pub(super) fn key(path: &Path) -> anyhow::Result<SigningKey> {
    let content = named::read(path, Kind::SigningKey)
        .with_context(|| format!("reading the key {}", path.display()))?;
    let key = SigningKey::read(&content.bytes)
        .map_err(|why| anyhow::anyhow!("the key {} {why}", path.display()))?;
    files::warn_if_open(path, Kind::SigningKey, &content);
    Ok(key)
}

/// Writes a result, and its signature beside it. What is signed is what stands in the file.
pub(super) fn write_out(
    output: Option<&Path>,
    text: &str,
    key: Option<&SigningKey>,
) -> anyhow::Result<()> {
    let (Some(output), Some(key)) = (output, key) else {
        return super::write_out(output, text);
    };
    super::write_out(Some(output), text)?;
    let written = std::fs::read(output)
        .with_context(|| format!("reading {} back to sign it", output.display()))?;
    let beside = signature_of(output);
    std::fs::write(&beside, key.sign(&written))
        .with_context(|| format!("writing {}", beside.display()))
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

    /// Refuses a file that none of the keys has signed as it is.
    pub(super) fn verify(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let beside = signature_of(path);
        let signature = named::read(&beside, Kind::Signature).with_context(|| {
            format!(
                "{} is not signed: reading {}",
                path.display(),
                beside.display()
            )
        })?;
        let mut last = SignatureFault::Wrong;
        for key in &self.0 {
            match key.verify(bytes, &signature.bytes) {
                Ok(()) => return Ok(()),
                Err(fault) => last = fault,
            }
        }
        anyhow::bail!(
            "{} is not to be believed: {} {}",
            path.display(),
            beside.display(),
            last.says()
        )
    }
}
