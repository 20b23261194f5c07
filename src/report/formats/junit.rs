//! The report as JUnit XML, which build servers read: a test case for each flow, a suite for each vantage, start and
//! system.
//!
//! It says what the exit status says. What makes the status 1 is a failure. What makes it 3 is an error: a proof that is
//! missing must not look like one that was given. What is unknown and does not matter is skipped, and so is what an
//! exception accepts or nobody tried. A finding that does not count without `--strict` passes, with its words.
//!
//! The schema is that of Jenkins (`junit-10.xsd`).

use std::collections::BTreeMap;

use askama::Template;

use crate::diagnostic::visible;
use crate::report::document::{ReportFlow, Vantage};
use crate::report::findings::{Finding, Findings, seen};
use crate::report::join::text::{untried_from, vantage, words};
use crate::report::joined::Untried;
use crate::report::lines;
use crate::report::whole::ReportDocument;
use crate::report::{Weighs, weighs};
use crate::verdict::{Cause, Level, Verdict};

/// The report as JUnit XML. With `strict`, faults of level `warning` are failures, too.
///
/// # Errors
/// Only if memory cannot be written to.
pub fn junit(report: &ReportDocument, strict: bool) -> Result<String, askama::Error> {
    let mut suites = suites(report, strict);
    let untried = report.coverage.iter().flat_map(|it| &it.starts);
    suites.extend(untried.map(|it| untried_suite(report, it)));
    suites.extend(remarks(report));
    let mut counts = Counts::default();
    for suite in &suites {
        counts.add(&suite.counts);
    }
    let document = Document {
        name: text(&format!("portproof {}", report.site.code)),
        counts,
        suites,
    };
    Ok(document.render()? + "\n")
}

#[derive(Template)]
#[template(path = "junit.xml")]
struct Document<'a> {
    name: String,
    counts: Counts,
    suites: Vec<Suite<'a>>,
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    ms: f64,
}

struct Suite<'a> {
    name: String,
    vantage: Option<&'a Vantage>,
    seen_from: String,
    counts: Counts,
    cases: Vec<Case>,
    said: String,
}

struct Case {
    name: String,
    class: String,
    ms: f64,
    ending: Ending,
}

enum Ending {
    Passed(Option<String>),
    Failed(Why),
    Error(Why),
    Skipped(String),
}

struct Why {
    cause: Cause,
    message: String,
    words: String,
}

impl Counts {
    fn of(cases: &[Case]) -> Self {
        let count = |wanted: fn(&Ending) -> bool| {
            let cases = cases.iter().filter(|it| wanted(&it.ending));
            cases.count()
        };
        Self {
            tests: cases.len(),
            failures: count(|it| matches!(it, Ending::Failed(_))),
            errors: count(|it| matches!(it, Ending::Error(_))),
            skipped: count(|it| matches!(it, Ending::Skipped(_))),
            ms: cases.iter().map(|it| it.ms).sum(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.ms += other.ms;
    }
}

/// A suite for each vantage, start and system, in this order.
fn suites(report: &ReportDocument, strict: bool) -> Vec<Suite<'_>> {
    type Key<'a> = (usize, &'a str, Option<&'a str>, &'a str);
    let mut by: BTreeMap<Key<'_>, Vec<&ReportFlow>> = BTreeMap::new();
    for flow in &report.flows {
        let (from, to) = (&flow.flow.from, &flow.flow.to);
        let number = flow.vantage.unwrap_or(0);
        let key = (number, &*from.zone, from.system.as_deref(), &*to.system);
        by.entry(key).or_default().push(flow);
    }
    let suite = |((number, zone, system, to), flows): (Key<'_>, Vec<&ReportFlow>)| {
        let start = words((zone, system));
        let class = class(&[&report.site.code, &start, to]);
        let case = |flow: &&ReportFlow| Case {
            name: text(&flow.flow.id),
            class: class.clone(),
            ms: took(flow),
            ending: ending(report, flow, strict),
        };
        let cases: Vec<Case> = flows.iter().map(case).collect();
        let seen_from = vantage(report, number);
        let seen_by = match report.vantages.len() {
            0 | 1 => String::new(),
            _ => format!(", seen from {seen_from}"),
        };
        Suite {
            name: text(&format!("{start} to {to}{seen_by}")),
            vantage: report.vantages.get(number),
            seen_from: text(&seen_from),
            counts: Counts::of(&cases),
            cases,
            said: String::new(),
        }
    };
    by.into_iter().map(suite).collect()
}

/// Parts of a name between dots, of which build servers make folders.
fn class(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|it| it.replace('.', "_")).collect();
    text(&parts.join("."))
}

/// The time that the tries of a flow took, in milliseconds.
fn took(flow: &ReportFlow) -> f64 {
    const MOST: f64 = 1e9;
    let took: f64 = flow.evidence.attempts().map(|it| it.took_ms).sum();
    took.clamp(0.0, MOST)
}

fn ending(report: &ReportDocument, flow: &ReportFlow, strict: bool) -> Ending {
    let why = || why(report, flow);
    match (weighs(flow, strict), &flow.accepted, flow.verdict) {
        (Weighs::Failure, _, _) => Ending::Failed(why()),
        (Weighs::Question, _, _) => Ending::Error(why()),
        (Weighs::Nothing, Some(it), _) => {
            let words = format!("accepted until {}: {}; {}", it.until, it.why, seen(flow));
            Ending::Skipped(text(&words))
        }
        (Weighs::Nothing, None, Verdict::Unknown) => {
            Ending::Skipped(text(&format!("unknown, {}: {}", flow.cause, seen(flow))))
        }
        (Weighs::Nothing, None, verdict) => {
            let is_worth_words = verdict.fails() || flow.level != Level::Note;
            Ending::Passed(is_worth_words.then(|| why().words))
        }
    }
}

fn why(report: &ReportDocument, flow: &ReportFlow) -> Why {
    let parts = Finding::of(report, flow).parts;
    let line = |it: &crate::report::Part| text(&format!("{}: {}", it.name, it.words));
    let words: Vec<String> = parts.iter().map(line).collect();
    Why {
        cause: flow.cause,
        message: text(&format!("{}, {}: {}", flow.verdict, flow.cause, seen(flow))),
        words: words.join("\n"),
    }
}

/// Flows that nobody tried who may start them.
fn untried_suite<'a>(report: &ReportDocument, it: &Untried) -> Suite<'a> {
    let why = format!("not tried {}", untried_from(it));
    let names = match it.ids.is_empty() {
        true => vec![format!("{} flows without ids", it.flows)],
        false => it.ids.clone(),
    };
    let case = |name: &String| Case {
        name: text(name),
        class: class(&[&report.site.code, "not tried"]),
        ms: 0.0,
        ending: Ending::Skipped(text(&why)),
    };
    let cases: Vec<Case> = names.iter().map(case).collect();
    Suite {
        name: text(&why),
        vantage: None,
        seen_from: String::new(),
        counts: Counts::of(&cases),
        cases,
        said: String::new(),
    }
}

/// What is said of no flow: a suite without cases.
fn remarks<'a>(report: &ReportDocument) -> Option<Suite<'a>> {
    let mut said = Findings::of(report).without_answers;
    let note =
        |it: &crate::report::Note| format!("{}: {} [{}]", lines::weight_of(it), it.text, it.cause);
    said.extend(report.notes.iter().map(note));
    said.extend(report.sweeps.iter().flat_map(lines::swept));
    let said: Vec<String> = said.iter().map(|it| text(it)).collect();
    (!said.is_empty()).then(|| Suite {
        name: "remarks".to_string(),
        vantage: None,
        seen_from: String::new(),
        counts: Counts::default(),
        cases: Vec::new(),
        said: said.join("\n"),
    })
}

/// Text that XML can hold; the template escapes what means something in it.
fn text(text: &str) -> String {
    visible(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// Seconds with three digits behind the point.
fn seconds(ms: &f64) -> String {
    format!("{:.3}", ms / 1000.0)
}
