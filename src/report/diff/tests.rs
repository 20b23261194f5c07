use super::*;
use crate::paragraph::Width;
use crate::report::sample;
use proptest::prelude::*;

const ID: &str = "internet>ibs01:443/tcp";

fn report(words: Option<[&str; 5]>) -> ReportDocument {
    let flows = words.map(|words| sample::judged(ID, words));
    sample::with("internet", "probe7", flows.into_iter().collect())
}

const OK: [&str; 5] = ["required", "open", "ok", "answered", "note"];
const SOON: [&str; 5] = ["required", "open", "ok", "expires-soon", "warning"];
const LOST: [&str; 5] = ["required", "silent", "unknown", "not-proved", "error"];
const IN_STEAD: [&str; 5] = ["required", "open", "unknown", "in-stead", "note"];
const WEAK: [&str; 5] = ["required", "open", "wrong", "certificate-weak", "warning"];
const DOWN: [&str; 5] = ["required", "closed", "down", "nobody-listens", "error"];
const SILENT: [&str; 5] = ["required", "filtered", "blocked", "no-answer", "error"];
const RESET: [&str; 5] = ["required", "closed", "blocked", "reset", "error"];
const ALL: [[&str; 5]; 8] = [OK, SOON, LOST, IN_STEAD, WEAK, DOWN, SILENT, RESET];

fn of(old: Option<[&str; 5]>, new: Option<[&str; 5]>) -> DiffDocument {
    diff(&report(old), &report(new)).expect("of one site")
}

fn turned(old: [&str; 5], new: [&str; 5]) -> &'static str {
    let it = of(Some(old), Some(new));
    match (
        it.worse.len(),
        it.better.len(),
        it.changed.len(),
        it.unchanged,
    ) {
        (1, 0, 0, 0) => "worse",
        (0, 1, 0, 0) => "better",
        (0, 0, 1, 0) => "changed",
        (0, 0, 0, 1) => "unchanged",
        _ => panic!("{it:?}"),
    }
}

#[test]
fn a_flow_is_worse_better_changed_or_as_before() {
    for (old, new, expected) in [
        (OK, OK, "unchanged"),
        (OK, SILENT, "worse"),
        (OK, LOST, "worse"),
        (OK, WEAK, "worse"),
        (OK, SOON, "changed"),
        (OK, IN_STEAD, "changed"),
        (LOST, OK, "better"),
        (LOST, SILENT, "worse"),
        (SILENT, OK, "better"),
        (SILENT, LOST, "changed"),
        (SILENT, IN_STEAD, "changed"),
        (IN_STEAD, SILENT, "worse"),
        (SILENT, RESET, "changed"),
        (SILENT, DOWN, "better"),
        (DOWN, SILENT, "worse"),
        (WEAK, DOWN, "worse"),
        (DOWN, WEAK, "better"),
    ] {
        assert_eq!(turned(old, new), expected, "{old:?} {new:?}");
    }
}

#[test]
fn a_new_flow_counts_when_it_is_wrong_and_a_gone_one_never_does() {
    assert!(of(None, Some(SILENT)).is_worse());
    assert!(!of(None, Some(OK)).is_worse());
    assert!(!of(None, Some(LOST)).is_worse());
    let gone = of(Some(SILENT), None);
    assert!(!gone.is_worse() && gone.gone.len() == 1);
}

#[test]
fn what_makes_the_two_hard_to_compare_is_said() {
    let old = report(Some(OK));
    let mut new = sample::with("perimeter", "ibs01", Vec::new());
    new.vantages[0].config_sha256 = "bb".repeat(32);
    new.vantages[0].started = "2026-11-23T06:00:00Z".to_string();
    let notes = diff(&old, &new).expect("of one site").notes.join("\n");
    for said in ["site file changed", "not made from internet", "swapped"] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    assert!(of(Some(OK), Some(OK)).notes.is_empty());
    new.site.code = "SEC".to_string();
    let error = diff(&old, &new).expect_err("refused");
    assert!(error.contains("PRI") && error.contains("SEC"), "{error}");
}

#[test]
fn the_text_names_what_is_worse_first_and_what_to_do() {
    let mut new = report(Some(SILENT));
    new.flows[0].advice = "Let it through.".to_string();
    let document = diff(&report(Some(OK)), &new).expect("of one site");
    let text = anstream::adapter::strip_str(&diff_text(&document, Width::UNKNOWN)).to_string();
    let expected = "Worse\n  ok answered (note) -> blocked no-answer (error)\n    \
        internet>ibs01:443/tcp\n    do: Let it through.\n\n1 worse, 0 better";
    assert!(text.contains(expected), "{text}");
}

fn words() -> impl Strategy<Value = [&'static str; 5]> {
    (0..ALL.len()).prop_map(|number| ALL[number])
}

proptest! {
    #[test]
    fn what_is_worse_one_way_is_better_the_other_unless_proof_was_lost(a in words(), b in words()) {
        let lost = |old: [&str; 5], new: [&str; 5]| old[2] != "ok" && old[2] != "unknown" && new[2] == "unknown";
        match turned(a, b) {
            "worse" if lost(b, a) => prop_assert_eq!(turned(b, a), "changed"),
            "worse" => prop_assert_eq!(turned(b, a), "better"),
            "better" => prop_assert_eq!(turned(b, a), "worse"),
            "changed" if lost(a, b) => prop_assert_eq!(turned(b, a), "worse"),
            same => prop_assert_eq!(turned(b, a), same),
        }
    }
}

#[test]
fn what_is_accepted_turns_worse_when_it_lapses_and_is_no_better_for_it() {
    let accepted = || {
        let mut report = report(Some(DOWN));
        report.flows[0].accepted = Some(crate::report::Accepted {
            until: "2027-03-31".to_string(),
            why: "change 4711".to_string(),
            days_left: 30,
        });
        report
    };
    let turned = |old: &ReportDocument, new: &ReportDocument| {
        let it = diff(old, new).expect("of one site");
        [
            it.worse.len(),
            it.better.len(),
            it.changed.len(),
            it.unchanged,
        ]
    };
    let (fails, good) = (report(Some(DOWN)), report(Some(OK)));
    assert_eq!(turned(&accepted(), &fails), [1, 0, 0, 0]);
    assert_eq!(turned(&fails, &accepted()), [0, 0, 1, 0]);
    assert_eq!(turned(&good, &accepted()), [0, 0, 1, 0]);
    assert_eq!(turned(&accepted(), &accepted()), [0, 0, 0, 1]);
    let text = diff_text(
        &diff(&fails, &accepted()).expect("of one site"),
        Width::UNKNOWN,
    );
    assert!(text.contains("down nobody-listens (error) -> down nobody-listens (error, accepted)"));
}
