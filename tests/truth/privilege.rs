//! Who this process is, who portproof is run as, and the tests as they run where nobody is root.

use std::fs;
use std::process::Command;

use crate::program::{Program, open_folder};
use crate::support::executable;

/// Says that this process stands in a user namespace made for it.
const INSIDE: &str = "PORTPROOF_MATRIX_INSIDE";

/// Whether this process was started again in a user namespace.
pub(crate) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// The words that take every privilege from a command.
///
/// In a user namespace there is no other user to become, so its root loses what a root may ever have.
pub(crate) fn none() -> Vec<&'static str> {
    if in_user_namespace() {
        vec!["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    } else {
        vec![
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
        ]
    }
}

/// Whether this process is root of a user namespace only: not every user exists there.
fn in_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").expect("Linux");
    map.split_whitespace().nth(2) != Some("4294967295")
}

/// Whether commands run here may make network namespaces.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// Runs one test of this binary again as root of a user namespace of its own; as nobody, where we are root.
pub(crate) fn again_in_user_namespace(test: &str, as_nobody: bool) {
    let program = Program::copy();
    let folder = open_folder();
    let here = std::env::current_exe().expect("this program has a path");
    let copy = folder.path().join("truth");
    executable::copy(here, &copy);
    let mut command = if as_nobody && is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            "unshare",
        ]);
        command
    } else {
        Command::new("unshare")
    };
    let output = command
        .args([
            "-Urnm",
            "sh",
            "-ec",
            "mount -t tmpfs none /run; exec \"$@\"",
            "sh",
        ])
        .arg(&copy)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .env("PORTPROOF_MATRIX_PROGRAM", program.path())
        .current_dir("/")
        .output()
        .expect("setpriv and unshare of util-linux are needed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "neither root nor a user namespace, or wrong in it:\n{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
