//! The command line of OpenSSL, which makes the certificates of a test.

use std::path::Path;
use std::process::Command;

/// Runs `openssl` with these arguments, parted by blanks, in a folder.
pub(crate) fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is needed: scripts/test installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {said}");
}
