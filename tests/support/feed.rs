//! Commands that lay out namespaces and rules, which read what to do from their input.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Runs a command with `input` to its end, which must be a good one.
pub(crate) fn feed(command: &mut Command, input: &str) -> Output {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.expect("iproute2 and nftables are needed: scripts/test installs them");
    let mut stdin = child.stdin.take().expect("its input");
    // A command that ends early says why on its standard error.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "{command:?} failed; this test needs root, and network namespaces: {}\nIt was \
         given:\n{input}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
