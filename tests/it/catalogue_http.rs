//! What a catalogue says of HTTP: bad data is refused where it stands, good data is typed.

use portproof::product::{Catalogue, Confidence, Meaning, Need, Outcome, Role, Verb};

const START: &str = "schema: portproof.catalogue/1
product: test
sources: { DOC: \"A document\" }
ports: { smb: { default: 445 } }
watchlist: [smb]
rules: []
";

/// The codes of the findings, with their lines below the start.
fn findings(section: &str) -> Vec<(&'static str, usize)> {
    let text = format!("{START}{section}");
    let problems = Catalogue::parse(text.as_bytes()).expect_err(section);
    let start = START.lines().count();
    problems
        .iter()
        .map(|problem| (problem.code, problem.at.expect("a place").line - start))
        .collect()
}

#[test]
fn what_a_file_may_leave_out_is_empty() {
    let catalogue = Catalogue::parse(START.as_bytes()).expect("no findings");
    assert!(catalogue.passes.is_empty());
    assert!(catalogue.fingerprints.is_empty());
    assert!(catalogue.client_errors.is_empty());
}

#[test]
fn good_data_is_typed() {
    let section = "passes:
  - { id: a, role: management-point, verbs: [CCM_POST], headers: [{ name: X, length: 3 }], need: required, confidence: documented, source: DOC }
fingerprints:
  - { id: a, role: management-point, verb: HEAD, path: \"/a?b\", answers: [{ status: [401, 403], body: x, means: exists }], confidence: unconfirmed }
";
    // The unconfirmed one must not prove: that is the only finding.
    assert_eq!(findings(section), [("unconfirmed-proof", 4)]);
    let section = section.replace("means: exists", "means: alive");
    let catalogue = Catalogue::parse(format!("{START}{section}").as_bytes()).expect("none");
    let passes = &catalogue.passes[0];
    assert_eq!(
        (passes.role, passes.need),
        (Role::ManagementPoint, Need::Required)
    );
    assert_eq!(
        (&passes.verbs[..], passes.source.as_str()),
        (&[Verb::CcmPost][..], "A document")
    );
    assert_eq!(passes.headers[0].value, "000");
    let fingerprint = &catalogue.fingerprints[0];
    assert_eq!(
        (fingerprint.verb, fingerprint.path.as_str()),
        (Verb::Head, "/a?b")
    );
    assert_eq!(fingerprint.answers[0].means, Meaning::Alive);
    assert_eq!(fingerprint.confidence, Confidence::Unconfirmed);
}

#[test]
fn every_fault_is_found_where_it_stands() {
    let fingerprint = |rest: &str| {
        format!(
            "fingerprints:\n  - {{ id: a, role: management-point, {rest}, confidence: documented, source: DOC }}\n"
        )
    };
    let answers = "answers: [{ status: 200, means: proves }]";
    for (section, codes) in [
        (fingerprint(&format!("verb: POST, path: /a, {answers}")), &["unknown-word"][..]),
        (fingerprint(&format!("verb: GET, path: a, {answers}")), &["bad-path"]),
        (fingerprint(&format!("verb: GET, path: \"/a b\", {answers}")), &["bad-path"]),
        (fingerprint(&format!("verb: GET, path: \"/a{{drive}}\", {answers}")), &["bad-path"]),
        (fingerprint(&format!("verb: GET, path: /a, drives: [C], {answers}")), &["bad-path"]),
        (fingerprint(&format!("verb: GET, path: \"/a{{drive}}\", drives: [CD, E], {answers}")), &["bad-drive"]),
        (fingerprint(&format!("verb: GET, path: \"/a\\r\\nX: y\", {answers}")), &["bad-path"]),
        (fingerprint("verb: GET, path: /a, answers: [{ status: 99, means: alive }]"), &["bad-status"]),
        (
            fingerprint("verb: GET, path: /a, answers: [{ status: x, means: sure }, { means: alive, when: now }]"),
            &["wrong-type", "unknown-word", "missing-key", "unknown-key"],
        ),
        (
            "passes:\n  - { id: a, role: x, verbs: [DELETE], need: required, confidence: documented, source: NO }\n"
                .to_string(),
            &["unknown-word", "unknown-word", "unknown-source"],
        ),
        (
            "passes:\n  - { id: a, role: distribution-point, headers: [{ name: \"a b\", value: x }, { name: a }, { name: a, length: 9999 }], need: required, confidence: unconfirmed }\n"
                .to_string(),
            &["bad-header", "bad-header", "bad-header"],
        ),
        (
            "passes:\n  - { id: a, role: distribution-point, need: required, confidence: unconfirmed }\n"
                .to_string(),
            &["missing-key"],
        ),
        (
            "client_errors:\n  - { id: a, after: boredom, shows: x, says: y, confidence: documented }\n"
                .to_string(),
            &["unknown-word", "confidence-without-source"],
        ),
    ] {
        let expected: Vec<_> = codes.iter().map(|code| (*code, 2)).collect();
        assert_eq!(findings(&section), expected, "{section}");
    }
}

#[test]
fn a_finding_says_what_is_wrong_and_what_would_be_right() {
    let section = "client_errors:
  - { id: a, after: boredom, shows: [x], sais: y, confidence: unconfirmed }
  - { id: b, after: silence, says: y, confidence: unconfirmed, logs: [{ file: f, confidence: sure }] }
";
    let problems = Catalogue::parse(format!("{START}{section}").as_bytes()).expect_err("three");
    let said: Vec<(&str, &str)> = problems
        .iter()
        .map(|it| (it.message.as_str(), it.hint.as_deref().unwrap_or_default()))
        .collect();
    let outcomes: Vec<String> = Outcome::ALL.iter().map(|it| format!("`{it}`")).collect();
    let outcomes = format!("known: {}", outcomes.join(", "));
    let keys = "known: `id`, `after`, `roles`, `shows`, `says`, `logs`, `confidence`, `source`; \
        did you mean `says`?";
    let confidences = "known: `documented`, `later-version`, `derived`, `unconfirmed`";
    assert_eq!(
        said,
        [
            ("`after` is `boredom`, which is not known", &*outcomes),
            ("`shows` is a list; it must be text", ""),
            ("a client error has no key `sais`", keys),
            (
                "a client error lacks the key `shows`",
                "for example: \"0x80072EE2 (12002)\""
            ),
            ("`confidence` is `sure`, which is not known", confidences),
        ]
    );
}

#[test]
fn a_path_that_bears_a_drive_is_asked_on_the_drives_that_are_named_or_else_on_the_catalogues() {
    let section = "fingerprints:
  - { id: a, role: distribution-point, verb: HEAD, path: \"/p{drive}$/\", drives: [c, D, C], answers: [], confidence: unconfirmed }
  - { id: b, role: distribution-point, verb: HEAD, path: /p, answers: [], confidence: unconfirmed }
";
    let catalogue = Catalogue::parse(format!("{START}{section}").as_bytes()).expect("none");
    let paths = |named: &[char]| -> Vec<String> {
        let known = catalogue.fingerprints.iter();
        let asked = known.flat_map(|it| it.on_drives(named));
        asked.map(|it| format!("{} {}", it.id, it.path)).collect()
    };
    assert_eq!(paths(&[]), ["a-c /pC$/", "a-d /pD$/", "b /p"]);
    assert_eq!(paths(&['F']), ["a-f /pF$/", "b /p"]);
}

#[test]
fn an_unconfirmed_entry_cannot_be_cited() {
    let section = "client_errors:\n  - { id: a, after: silence, shows: x, says: y, confidence: unconfirmed, source: DOC }\n";
    assert_eq!(findings(section), [("confidence-without-source", 2)]);
}

#[test]
fn ids_are_unique_in_their_list_and_fingerprints_few() {
    let entry = |id: usize| {
        format!(
            "  - {{ id: f{id}, role: dns, verb: GET, path: /a, answers: [], confidence: documented, source: DOC }}\n"
        )
    };
    let twice = format!("fingerprints:\n{}{}", entry(1), entry(1));
    assert_eq!(findings(&twice), [("duplicate-key", 3)]);
    let nine: String = (0..9).map(entry).collect();
    assert_eq!(
        findings(&format!("fingerprints:\n{nine}")),
        [("too-many-fingerprints", 10)]
    );
}

proptest::proptest! {
    #[test]
    fn any_text_in_a_section_is_read_without_panic(text in "[ -~\n]{0,200}") {
        for section in ["passes", "fingerprints", "client_errors"] {
            let _ = Catalogue::parse(format!("{START}{section}:\n  - {text}\n").as_bytes());
        }
    }
}
