//! The sites of `examples` have no finding, their plans are as they say, and the page names each.
//!
//! `PORTPROOF_GOLDEN=write cargo test --test it examples::` writes the plans anew.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

/// The folders with a site, by name.
fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir("examples").expect("examples").flatten();
    let folders = entries.map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    assert_eq!(folders.len(), 4, "{folders:?}");
    folders
}

fn plan(folder: &Path) -> String {
    let output = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(["plan", "--verbose"])
        .arg(folder.join("probes.yaml"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.as_ref()), (Some(0), ""));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn each_example_has_no_finding_and_the_plan_beside_it() {
    for folder in folders() {
        let (made, file) = (plan(&folder), folder.join("plan.txt"));
        if std::env::var_os("PORTPROOF_GOLDEN").is_some_and(|what| what == "write") {
            fs::write(&file, made).expect("written");
        } else {
            let golden = fs::read_to_string(&file).expect("its plan");
            assert!(
                golden == made,
                "{} is another plan:\n{made}",
                file.display()
            );
        }
    }
}

#[test]
fn the_program_carries_each_example_and_names_them_all() {
    let example = |arguments: &[&str]| {
        let mut program = assert_cmd::Command::cargo_bin("portproof").expect("the program");
        program
            .arg("example")
            .args(arguments)
            .output()
            .expect("it runs")
    };
    let wrong = example(&["nothing-of-the-kind"]);
    let wrong = String::from_utf8_lossy(&wrong.stderr).into_owned();
    for folder in folders() {
        let name = folder.file_name().expect("a name").to_string_lossy();
        let file = fs::read(folder.join("probes.yaml")).expect("a site file");
        assert!(example(&[&name]).stdout == file, "{name}");
        assert!(wrong.contains(&*name), "{name}: {wrong}");
    }
    assert_eq!(
        example(&[]).stdout,
        example(&["roles-in-the-perimeter"]).stdout
    );
}

#[test]
fn each_shape_has_the_flows_that_make_it_one() {
    let has = |folder: &str, id: &str, need: &str| {
        let plan = plan(&Path::new("examples").join(folder));
        let mut lines = plan.lines();
        let line = lines.find(|line| line.contains(&format!(" {id}")));
        let line = line.unwrap_or_else(|| panic!("{folder}: no {id}"));
        assert_eq!(line.split_whitespace().next(), Some(need), "{line}");
    };
    let roles = "roles-in-the-perimeter";
    has(roles, "internet>ibs01:443/tcp", "required");
    has(roles, "cm01>ibs01:445/tcp", "required");
    has(roles, "ibs01>cm01: 445", "forbidden");
    let proxy = "published-by-a-proxy";
    has(proxy, "internet>isa01:443/tcp", "required");
    has(proxy, "isa01>mp01:443/tcp", "required");
    has(proxy, "perimeter>mp01: 445", "forbidden");
    let whole = "site-in-the-perimeter";
    has(whole, "int01>cen01:445/tcp", "required");
    has(whole, "ibs01>cen01:8531/tcp", "required");
    has(whole, "intranet>int01: 1433", "forbidden");
    let gateway = "cloud-management-gateway";
    has(
        gateway,
        "internet>cmg.gw-pri.example.com:443/tcp",
        "required",
    );
    has(gateway, "mp01>cmg.gw-pri.example.com:10125/tcp", "required");
    has(gateway, "intranet>dp01:80/tcp", "required");
    has(gateway, "internet>mp01: 80", "forbidden");
}

#[test]
fn names_and_addresses_are_nobodys() {
    let nobodys = [
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "10.0.0.0/8",
    ];
    let nobodys = nobodys.map(|net| net.parse::<IpNet>().expect("a network"));
    for folder in folders() {
        let text = fs::read_to_string(folder.join("probes.yaml")).expect("a site file");
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
        let (mut names, mut addresses) = (0, 0);
        for word in words {
            if let Ok(address) = word.parse::<IpAddr>() {
                let is_open = word == "0.0.0.0";
                addresses += 1;
                assert!(
                    is_open || nobodys.iter().any(|it| it.contains(&address)),
                    "{word}"
                );
            } else if word.ends_with(".com") {
                names += 1;
                assert!(word.ends_with(".example.com"), "{word}");
            }
        }
        assert!(names > 5 && addresses > 5, "{names} {addresses}");
    }
}

#[test]
fn the_page_of_the_examples_names_each_and_is_found_from_the_readme() {
    let page = fs::read_to_string("examples/README.md").expect("the page");
    for folder in folders() {
        let name = folder.file_name().expect("a name").to_string_lossy();
        assert!(page.contains(&format!("]({name}/probes.yaml)")), "{name}");
    }
    let readme = fs::read_to_string("README.md").expect("the README");
    assert!(readme.contains("](examples/README.md)"));
}
