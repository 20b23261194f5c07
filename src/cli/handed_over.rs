//! Secrets that a service manager hands over: systemd's `LoadCredential=` puts them into a folder of their own.

use std::path::{Path, PathBuf};

/// Names that folder.
const FOLDER: &str = "CREDENTIALS_DIRECTORY";

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty())?;
    Some(PathBuf::from(folder))
}

/// The file with this secret, where one was handed over.
pub(super) fn handed_over(name: &str) -> Option<PathBuf> {
    let file = folder()?.join(name);
    file.exists().then_some(file)
}

/// Whether the service manager guards this file.
pub(super) fn is_handed_over(file: &Path) -> bool {
    folder().is_some_and(|folder| file.starts_with(folder))
}
