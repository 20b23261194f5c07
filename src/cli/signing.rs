//! Signing what is written, and verifying what is read: keys and signatures in files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::files;
use crate::report::{SignatureFault, SigningKey, VerifyingKey};

/// Where the signature of a file is: `FILE.sig`.
fn signature_of(file: &Path) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// Reads the key that signs, before anything is tried, so that a wrong one costs no run.
pub(super) fn key(path: &Path) -> anyhow::Result<SigningKey> {
    let bytes = files::read(path, files::LARGEST_KEY)
        .with_context(|| format!("reading the key {}", path.display()))?;
    let key = SigningKey::read(&bytes)
        .map_err(|why| anyhow::anyhow!("the key {} {why}", path.display()))?;
    if others_may_read(path) {
        eprintln!(
            "warning: others on this host may read the key {}: whoever has it can sign in its name (chmod 600 {})",
            path.display(),
            path.display()
        );
    }
    Ok(key)
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    const GROUP_AND_OTHERS: u32 = 0o044;
    std::fs::metadata(path).is_ok_and(|it| it.permissions().mode() & GROUP_AND_OTHERS != 0)
}

/// Permissions elsewhere are lists of their own, which are not read here.
#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
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
            let bytes = files::read(path, files::LARGEST_KEY)
                .with_context(|| format!("reading the key {}", path.display()))?;
            VerifyingKey::read(&bytes)
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
        let signature = files::read(&beside, files::LARGEST_KEY).with_context(|| {
            format!(
                "{} is not signed: reading {}",
                path.display(),
                beside.display()
            )
        })?;
        let mut last = SignatureFault::Wrong;
        for key in &self.0 {
            match key.verify(bytes, &signature) {
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
