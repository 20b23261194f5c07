//! `portproof init` as a user runs it: with options, without a terminal, and on one.

use std::fs;

use crate::support::files::{Bed, printed, said};

/// An answer to each question that has to be answered, and to those about servers.
const ANSWERS: [&str; 14] = [
    "--code",
    "pri",
    "--product",
    "configmgr-2007",
    "--intranet",
    "10.0.0.0/8",
    "--perimeter",
    "192.0.2.0/24",
    "--site-server",
    "cm01.corp.example.com 10.0.0.5 SQL MP DP SUP",
    "--internet-server",
    "ibs01.example.com ibs01.corp.example.com 203.0.113.10 192.0.2.10 MP DP SUP FSP",
    "--crl-url",
    "http://pki.example.com/ca.crl",
];

fn init(file: &[&'static str]) -> Vec<&'static str> {
    [&["init"], file, &ANSWERS].concat()
}

#[test]
fn options_alone_make_a_file_that_has_a_plan_without_findings() {
    let bed = Bed::new();
    let ended = bed.run(&init(&["mine.yaml"]));
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert_eq!(printed(&ended), "");
    assert!(
        said(&ended).starts_with("mine.yaml is written. "),
        "{}",
        said(&ended)
    );
    let plan = bed.run(&["plan", "--verbose", "mine.yaml"]);
    assert_eq!((plan.status.code(), said(&plan).as_str()), (Some(0), ""));
    for id in [
        "internet>ibs01:443/tcp",
        "cm01>ibs01:445/tcp",
        "internet>crl.pki.example.com:80/tcp",
    ] {
        assert!(printed(&plan).contains(id), "{id}");
    }
    let document: serde_json::Value = serde_yaml::from_str(&bed.text("mine.yaml")).expect("YAML");
    crate::support::schemas::assert_valid("config", &document);
}

#[test]
fn without_a_terminal_the_options_that_are_missing_are_named() {
    let bed = Bed::new();
    let ended = bed.run(&["init", "mine.yaml", "--code", "PRI"]);
    assert_eq!(ended.status.code(), Some(2));
    let says = said(&ended);
    for option in ["--product \"", "--intranet \"", "--site-server \"cm01."] {
        assert!(says.contains(option), "{says}");
    }
    for option in ["--code \"", "--perimeter \"", "--server \"", "--crl-url \""] {
        assert!(!says.contains(option), "{says}");
    }
    assert!(!bed.path("mine.yaml").exists());
}

#[test]
fn an_answer_that_cannot_be_is_refused_and_no_file_is_written() {
    let bed = Bed::new();
    let more = ["--server", "dc01.corp.example.com 10.0.0.5 DC"];
    let ended = bed.run(&[&init(&["mine.yaml"])[..], &more].concat());
    assert_eq!(ended.status.code(), Some(2));
    let says = said(&ended);
    assert!(
        says.starts_with("portproof: --server `dc01.corp.example.com 10.0.0.5 DC`: "),
        "{says}"
    );
    assert!(!bed.path("mine.yaml").exists());
}

#[test]
fn a_file_that_is_there_is_replaced_only_where_that_is_asked_for() {
    let bed = Bed::new();
    fs::write(bed.path("mine.yaml"), "mine").expect("written");
    for refused in [
        init(&["mine.yaml"]),
        vec!["example", "--output", "mine.yaml"],
    ] {
        let ended = bed.run(&refused);
        assert_eq!(ended.status.code(), Some(2));
        assert!(said(&ended).contains("add --overwrite"), "{}", said(&ended));
        assert_eq!(bed.text("mine.yaml"), "mine");
        let ended = bed.run(&[&refused[..], &["--overwrite"]].concat());
        assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
        assert!(bed.text("mine.yaml").contains("\nsystems:\n"));
        fs::write(bed.path("mine.yaml"), "mine").expect("written");
    }
    assert!(bed.names(".portproof").is_empty());
}

#[test]
fn the_file_goes_to_standard_output_where_it_is_asked_for() {
    let bed = Bed::new();
    let ended = bed.run(&init(&["-"]));
    assert_eq!((ended.status.code(), said(&ended).as_str()), (Some(0), ""));
    fs::write(bed.path("mine.yaml"), printed(&ended)).expect("written");
    assert_eq!(
        bed.run(&["plan", "--verbose", "mine.yaml"]).status.code(),
        Some(0)
    );
}

/// `script` of util-linux gives the program a terminal of its own, and types what it reads.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_only_what_no_option_answers_is_asked() {
    let bed = Bed::new();
    let typed = r"10.0.0.1/8\n10.0.0.0/8\n\ncm01.corp.example.com 10.0.0.5 SQL MP\n\n\nnone\n\n";
    let command = "$P init mine.yaml --code PRI --product configmgr-2007";
    let ended = bed.shell(
        &[],
        &format!("printf '{typed}' | script -qec \"{command}\" /dev/null"),
    );
    let shown = printed(&ended);
    assert_eq!(ended.status.code(), Some(0), "{shown}");
    assert!(
        shown.contains("3 of 8. ") && !shown.contains("1 of 8. "),
        "{shown}"
    );
    assert!(shown.contains("did you mean `10.0.0.0/8`?"), "{shown}");
    assert!(shown.contains("mine.yaml is written."), "{shown}");
    assert!(
        bed.text("mine.yaml").contains("crl_check: false"),
        "{shown}"
    );
    assert_eq!(
        bed.run(&["plan", "--verbose", "mine.yaml"]).status.code(),
        Some(0)
    );
}
