//! Messages are built and read apart from sockets: few files of the HTTP and proxy probes may touch one.

use std::collections::BTreeSet;
use std::fs;

/// The files of a folder whose code, tests aside, uses sockets or clocks.
fn impure(folder: &str) -> BTreeSet<String> {
    let files = fs::read_dir(folder).expect("a folder").flatten();
    let mut found = BTreeSet::new();
    let mut read = 0;
    for file in files {
        let text = fs::read_to_string(file.path()).expect("a source file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        read += 1;
        if [
            "tokio",
            "std::net::Tcp",
            "Instant::now",
            "Timestamp::now",
            "std::fs",
        ]
        .iter()
        .any(|word| code.contains(word))
        {
            found.insert(file.file_name().to_string_lossy().into_owned());
        }
    }
    assert!(read > 5, "only {read} files in {folder}");
    found
}

#[test]
fn http_touches_sockets_in_its_two_exchanges_alone() {
    let expected = ["conversation.rs", "root_page.rs"].map(str::to_string);
    assert_eq!(impure("src/wire/web/http"), expected.into());
}

#[test]
fn proxies_touch_sockets_in_the_tunnel_and_the_forwarded_request_alone() {
    // The credentials wait for one another; the tests are on the other end of a pipe.
    let expected = ["credentials.rs", "forward.rs", "tests.rs", "through.rs"].map(str::to_string);
    assert_eq!(impure("src/wire/web/proxy"), expected.into());
}
