//! The program as a user runs it.

use std::path::Path;

/// Runs it in the folder of the project: status, standard output and standard error.
pub(crate) fn run(arguments: &[&str]) -> (i32, String, String) {
    run_in(Path::new("."), arguments)
}

/// The same in another folder.
pub(crate) fn run_in(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().expect("a status"),
        text(&output.stdout),
        text(&output.stderr),
    )
}
