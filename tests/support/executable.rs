//! Copies of executables that a test is about to run.

use std::path::Path;
use std::process::Command;

/// Copies an executable by a process of its own. A child that another thread starts while this process writes the copy
/// would hold it open for writing. The kernel runs no such file (ETXTBSY).
pub(crate) fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let copied = Command::new("cp")
        .args([from.as_ref(), to.as_ref()])
        .status()
        .expect("cp");
    assert!(copied.success(), "{}", from.as_ref().display());
}
