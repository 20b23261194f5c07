//! Drafts that take every answer make files that pass, with what was answered in them.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::config;
use crate::diagnostic::Severity;
use crate::plan;
use crate::product::{self, Need, Setting};
use crate::site::Site;

/// A draft of these answers.
fn draft(lines: &[(Question, &str)]) -> Draft {
    let mut draft = Draft::default();
    for (question, line) in lines {
        let taken = draft.take(*question, line);
        assert_eq!(taken, Ok(()), "{question} {line}");
    }
    draft
}

/// The answers that every file has to have.
fn needed(product: &str) -> Vec<(Question, &str)> {
    let all = Question::ALL.iter().filter(|it| it.is_needed());
    all.map(|question| match question {
        Question::Product => (*question, product),
        other => (*other, other.example()),
    })
    .collect()
}

/// The ids of what is required, and the codes of all findings.
fn planned(draft: &Draft) -> (Vec<String>, Vec<&'static str>) {
    let answers = draft.answers().expect("all answers");
    let text = text(&answers);
    let (config, mut problems) = config::read(text.as_bytes());
    let config = config.expect("YAML");
    let site = Site::new(&config, &answers.catalogue, &mut problems);
    let site = site.unwrap_or_else(|| panic!("{problems:?}\n{text}"));
    let plan = plan::derive(&site, &answers.catalogue);
    let required = plan.flows.iter().filter(|flow| flow.need == Need::Required);
    let ids = required.map(|flow| plan::id(&site, flow)).collect();
    (ids, problems.into_iter().map(|it| it.code).collect())
}

#[test]
fn of_each_product_the_examples_of_the_questions_make_a_file_without_findings() {
    for product in product::all() {
        let all = Question::ALL.iter();
        let all: Vec<_> = all
            .map(|question| match question {
                Question::Product => (*question, product),
                other => (*other, other.example()),
            })
            .collect();
        let draft = draft(&all);
        let (required, findings) = planned(&draft);
        assert!(findings.is_empty(), "{product}: {findings:?}");
        for id in ["internet>ibs01:443/tcp", "cm01>ibs01:445/tcp"] {
            assert!(
                required.iter().any(|it| it == id),
                "{product}: {id} {required:?}"
            );
        }
        let text = text(&draft.answers().expect("all"));
        // The numbers of the product stand there as a comment, where it has the key.
        let has_ports = text.contains("\n  # client_ports: { http: ");
        let catalogue = draft.answers().expect("all").catalogue;
        assert_eq!(has_ports, catalogue.has(Setting::ClientHttps), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn the_keys_that_stand_there_as_comments_pass_when_they_are_put_in() {
    for product in product::all() {
        let mut lines = needed(product);
        lines.push((Question::InternetServer, "ibs01.example.com MP"));
        let answers = draft(&lines).answers().expect("all");
        let commented = text(&answers);
        let keys = [
            "client_ports",
            "software_update_ports",
            "crl_urls",
            "initiated_by_site_server",
            "addresses",
        ];
        let mut text = commented.clone();
        for key in keys {
            text = text.replace(&format!("# {key}: "), &format!("{key}: "));
        }
        assert_ne!(text, commented);
        // Two systems would have the address of the comment.
        let text = text.replacen("addresses: { default: 192.0.2.10", "#", 1);
        let (config, mut problems) = config::read(text.as_bytes());
        Site::new(&config.expect("YAML"), &answers.catalogue, &mut problems);
        assert!(problems.is_empty(), "{problems:?}\n{text}");
    }
}

#[test]
fn a_site_without_perimeter_has_one_firewall_and_its_servers_in_the_intranet() {
    let mut lines = needed("configmgr-2007");
    lines.push((
        Question::InternetServer,
        "mp.example.com 203.0.113.9 10.0.0.9 MP DP",
    ));
    lines.push((Question::CrlUrl, "none"));
    let draft = draft(&lines);
    let (required, findings) = planned(&draft);
    assert!(findings.is_empty(), "{findings:?}");
    assert!(
        required.contains(&"internet>mp:443/tcp".to_string()),
        "{required:?}"
    );
    let text = text(&draft.answers().expect("all"));
    assert!(
        text.contains("front-end: { between: [internet, intranet] }"),
        "{text}"
    );
    assert!(text.contains("crl_check: false"), "{text}");
    assert!(!text.contains("perimeter"), "{text}");
}

#[test]
fn a_server_stands_in_the_zone_of_its_own_address() {
    let mut lines = needed("1");
    lines.push((Question::Perimeter, "10.9.0.0/16 192.0.2.0/24"));
    lines.push((Question::Server, "dc09.example.com 10.9.0.2 DC"));
    lines.sort_by_key(|(question, _)| *question);
    let text = text(&draft(&lines).answers().expect("all"));
    assert!(text.contains("  dc09:\n    zone: perimeter\n"), "{text}");
    assert!(text.contains("  cm01:\n    zone: intranet\n"), "{text}");
}

#[test]
fn what_cannot_be_is_refused_and_the_draft_goes_on_as_it_was() {
    let mut draft = draft(&needed("configmgr-2007"));
    for (question, line, says) in [
        (Question::Code, "PRIM", "3 letters or digits"),
        (Question::Product, "sccm", "configmgr-2007"),
        (Question::Product, "0", "configmgr-2007"),
        (Question::Perimeter, "10.0.0.0/8", "of the intranet already"),
        (
            Question::SiteServer,
            "cm01.example 192.0.2.5",
            "lies in none of the networks",
        ),
        (
            Question::Server,
            "cm01.corp.example.com DC",
            "was named before",
        ),
        (
            Question::Server,
            "dc01.corp.example.com",
            "no role; end with what the server does",
        ),
        (
            Question::Server,
            "dc01.corp.example.com 10.0.0.5 DC",
            "10.0.0.5",
        ),
        (
            Question::Server,
            "isa01.example.com web-proxy",
            "none of the roles that are asked for",
        ),
        (
            Question::InternetServer,
            "a.example 10.0.0.7 203.0.113.7 MP",
            "write the public address first",
        ),
        (
            Question::CrlUrl,
            "https://pki.example/ca.crl",
            "http://HOST/PATH",
        ),
    ] {
        let before = text(&draft.answers().expect("all"));
        let why = draft.take(question, line).expect_err(line);
        assert!(why.contains(says), "{line}: {why}");
        assert_eq!(text(&draft.answers().expect("all")), before);
    }
    draft
        .take(Question::CrlUrl, "http://a.example/x.crl")
        .expect("a list");
    let why = draft.take(Question::CrlUrl, "none").expect_err("both");
    assert!(why.contains("stands alone"), "{why}");
}

#[test]
fn what_is_missing_is_known_by_name() {
    let mut draft = Draft::default();
    let needed: Vec<Question> = Question::ALL
        .iter()
        .copied()
        .filter(|it| it.is_needed())
        .collect();
    assert_eq!(draft.missing(), needed);
    draft.take(Question::Code, "pri").expect("a code");
    assert_eq!(draft.missing(), &needed[1..]);
    assert!(draft.answers().is_none());
}

/// The answers before those about servers. To read a catalogue takes long.
static SITE: LazyLock<Draft> = LazyLock::new(|| {
    draft(&[
        (Question::Product, "1"),
        (Question::Intranet, "10.0.0.0/8"),
        (Question::Perimeter, "192.0.2.0/24"),
    ])
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is answered: either it is refused, or the file passes.
    #[test]
    fn a_draft_that_took_an_answer_makes_a_file_that_passes(
        lines in proptest::collection::vec((4_usize..8, "[a-z0-9_-]{1,6}\\.(example|[a-z0-9]{1,3})( 10\\.0\\.0\\.[1-9]| 192\\.0\\.2\\.[1-9]| ::1){0,2}( MP| DP| SUP| SQL| FSP| dc){0,3}"), 1..6),
        code in "[A-Z0-9]{3}",
    ) {
        let mut draft = SITE.clone();
        prop_assert_eq!(draft.take(Question::Code, &code), Ok(()));
        draft.take(Question::SiteServer, "cm01.example 10.0.0.200").expect("a site server");
        for (index, line) in lines {
            let _ = draft.take(Question::ALL[index], &line);
        }
        let answers = draft.answers().expect("all answers");
        let text = text(&answers);
        let (config, mut problems) = config::read(text.as_bytes());
        Site::new(&config.expect("YAML"), &answers.catalogue, &mut problems);
        let errors = problems.iter().filter(|it| it.severity == Severity::Error);
        prop_assert_eq!(errors.count(), 0, "{:?}\n{}", problems, text);
        prop_assert!(text.contains(answers.code.as_str()));
    }
}
