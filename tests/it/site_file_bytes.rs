//! Bytes that are no site file: one finding each, quickly, and nothing crashes.

use std::time::{Duration, Instant};

use portproof::config;
use proptest::prelude::*;

fn code(bytes: &[u8]) -> &'static str {
    let started = Instant::now();
    let (config, problems) = config::read(bytes);
    assert!(started.elapsed() < Duration::from_secs(5), "slow");
    assert!(config.is_none() || !problems.is_empty());
    problems[0].code
}

#[test]
fn nothing_is_an_empty_file() {
    assert_eq!(code(b""), "empty-file");
    assert_eq!(code(b"\xef\xbb\xbf\n"), "empty-file");
}

#[test]
fn latin_1_is_not_utf_8_and_the_place_is_right() {
    let (_, problems) = config::read(b"site:\n  code: \xe4\n");
    assert_eq!(problems[0].code, "not-utf8");
    let at = problems[0].at.expect("a place");
    assert_eq!((at.line, at.column), (2, 9));
}

#[test]
fn a_hundred_thousand_brackets_are_refused() {
    assert_eq!(code("[".repeat(100_000).as_bytes()), "too-complex");
    assert_eq!(
        code(format!("a: {}{}", "[".repeat(5_000), "]".repeat(5_000)).as_bytes()),
        "too-complex"
    );
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_string();
    for level in 1..12 {
        let before = format!("*a{},", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{before}]\n");
    }
    assert_eq!(code(text.as_bytes()), "too-complex");
}

#[test]
fn aliases_of_a_long_text_are_refused_as_well() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(10_000), "*a,".repeat(100));
    let (_, problems) = config::read(text.as_bytes());
    assert_eq!(problems[0].code, "too-complex");
    assert!(
        problems[0].message.contains("400000 bytes of text"),
        "{problems:?}"
    );
}

#[test]
fn what_aliases_may_repeat_grows_with_the_file_and_the_limit_is_said() {
    // Ten values, repeated for each ten bytes or for each two.
    let uses = |one: &str| {
        let list = one.repeat(14_000);
        format!("a: &a [x,x,x,x,x,x,x,x]\nb: [{list}]\n")
    };
    let (generous, mean) = (uses("*a,       "), uses("*a, "));
    assert_eq!(code(generous.as_bytes()), "unknown-key");
    let (_, problems) = config::read(mean.as_bytes());
    assert_eq!(problems[0].code, "too-complex");
    let bytes = mean.len();
    assert!(
        problems[0]
            .message
            .contains(&format!("{bytes} values for its {bytes} bytes")),
        "{problems:?}"
    );
}

#[test]
fn a_file_of_many_values_is_read_whatever_their_number() {
    let text = format!("a: [{}]\n", "x,".repeat(120_000));
    let (_, problems) = config::read(text.as_bytes());
    assert_eq!(problems[0].code, "unknown-key");
}

#[test]
fn a_byte_order_mark_is_read_over() {
    let text =
        "\u{feff}site: { code: PRI, product: configmgr-2007 }\nzones: {}\nsystems: {}\nwrong: 1\n";
    let (_, problems) = config::read(text.as_bytes());
    let unknown = problems
        .iter()
        .find(|problem| problem.code == "unknown-key")
        .expect("the unknown key");
    assert_eq!(unknown.at.map(|at| (at.line, at.column)), Some((4, 1)));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let _ = config::read(&bytes);
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[ a-z:\\-\\[\\]{}&*!|>'\"\n#0-9]{0,200}") {
        let _ = config::read(text.as_bytes());
    }
}
