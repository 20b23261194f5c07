//! The report as one HTML file: a picture of the site, who has to act, tables, and findings with their evidence.
//!
//! The file needs no other, no network and no script, and a policy in its head forbids all of them. The template escapes
//! whatever it is filled with. What would make the file large has bounds: findings beyond them stand in the table of every
//! flow alone.

mod evidence;
mod layers;
mod look;
mod picture;
mod strips;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::diagnostic::{tallied, visible};
use crate::report::document::{Note, ReportFlow};
use crate::report::findings::{Finding, Findings, Table, seen};
use crate::report::join::text::{
    CONTRADICTIONS, answer_words, coverage_heading, untried_from, words,
};
use crate::report::joined::MatrixCell;
use crate::report::lines::{self, Acting};
use crate::report::whole::ReportDocument;
pub use look::Look;
use picture::Picture;
use strips::Drawn;
pub use strips::{Cell, Strip, Strips};

/// The style sheet. It stands in the file, and the policy names its hash.
pub const STYLE: &str = include_str!("../../../../templates/report.css");
/// The most findings with all that is said of them.
const MOST_FINDINGS: usize = 400;
/// The most ids of flows that nobody tried, of each start.
const MOST_IDS: usize = 200;

/// The policy of a page with that style sheet: no script, no other file, and no other style is followed.
fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
        )
    });
    &POLICY
}

/// The policy of a page of a server: its own script is followed, too, and may ask the server.
pub fn live_policy() -> &'static str {
    static POLICY: LazyLock<String> =
        LazyLock::new(|| format!("{}; script-src 'self'; connect-src 'self'", policy()));
    &POLICY
}

/// The report as HTML.
///
/// # Errors
/// Only if memory cannot be written to.
pub fn html(report: &ReportDocument) -> Result<String, askama::Error> {
    shown_so(report, None)
}

/// The same as a page of a server, with the name of its check and the strips of its flows. It follows what changes, by the server's own script.
///
/// # Errors
/// Only if memory cannot be written to.
pub fn html_served(
    report: &ReportDocument,
    check: &str,
    strips: &Strips,
) -> Result<String, askama::Error> {
    shown_so(report, Some((check, strips)))
}

fn shown_so(
    report: &ReportDocument,
    served: Option<(&str, &Strips)>,
) -> Result<String, askama::Error> {
    let findings = Findings::of(report);
    let acting = lines::acting(&findings);
    let page = Page {
        style: STYLE,
        policy: if served.is_some() {
            live_policy()
        } else {
            policy()
        },
        is_live: served.is_some(),
        strips: served.map(|(_, it)| (strips::drawn(it), it.more, it.unchanged)),
        title: match served {
            Some((check, _)) => text(&format!(
                "Check {check}: firewalls of site {}",
                report.site.code
            )),
            None => text(&format!("Firewalls of site {}", report.site.code)),
        },
        summary: summary(report),
        vantages: report
            .vantages
            .iter()
            .map(|it| text(&lines::seen_from(report, it)))
            .collect(),
        warnings: warnings(report, &findings),
        change: report.change.as_ref().map(|it| text(&it.paragraph)),
        client: report.client.as_ref().map(crate::report::client::alone),
        authorised: report.authorised.as_deref().map(text),
        required: lines::required(findings.required),
        acting: match &acting {
            Acting::Teams(teams) => format!("Who has to act: {teams}"),
            Acting::Unproved(words) => words.clone(),
            Acting::Nobody(words) => (*words).to_string(),
        },
        picture: picture::picture(report),
        looks: Look::ALL,
        tables: &findings.tables,
        matrix: matrix(&report.matrix),
        coverage: report.coverage.as_ref().map(coverage_heading),
        untried: untried(report),
        contradictions: contradictions(report),
        findings: findings
            .all
            .iter()
            .take(MOST_FINDINGS)
            .map(|it| shown(report, it))
            .collect(),
        more: findings.all.len().saturating_sub(MOST_FINDINGS),
        accepted: accepted(report),
        notes: report
            .notes
            .iter()
            .filter(|it| !lines::is_of_own_clock(it))
            .map(note)
            .collect(),
        groups: groups(report),
        swept: report
            .sweeps
            .iter()
            .flat_map(lines::swept)
            .map(|it| text(&it))
            .collect(),
        counts: lines::counts(report),
        sent: crate::report::sent::lines(report).collect(),
        tool: text(&format!("{} {}", report.tool.name, report.tool.version)),
    };
    Ok(page.render()? + "\n")
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: &'static str,
    policy: &'static str,
    is_live: bool,
    /// That of the runs, those of flows, how many have none, and how many flows did not change.
    strips: Option<((Drawn, Vec<Drawn>), usize, usize)>,
    title: String,
    summary: Vec<(Look, usize)>,
    vantages: Vec<String>,
    warnings: Vec<String>,
    change: Option<String>,
    client: Option<String>,
    authorised: Option<String>,
    required: Option<String>,
    acting: String,
    picture: Option<Picture>,
    looks: [Look; 7],
    tables: &'a [Table],
    matrix: Matrix,
    coverage: Option<String>,
    untried: Vec<(String, Vec<String>, usize)>,
    contradictions: Vec<(String, Vec<String>)>,
    findings: Vec<Shown>,
    more: usize,
    accepted: Vec<Accepted>,
    notes: Vec<String>,
    groups: Vec<Group>,
    swept: Vec<String>,
    counts: String,
    sent: Vec<String>,
    tool: String,
}

/// A finding, in words.
struct Shown {
    look: Look,
    id: String,
    cause: String,
    level: String,
    parts: Vec<(&'static str, String)>,
    evidence: Vec<(&'static str, Vec<String>)>,
}

/// A flow that an exception accepts.
struct Accepted {
    id: String,
    cause: String,
    until: String,
    why: String,
    seen: String,
}

/// The flows of one start to one system.
struct Group {
    name: String,
    look: Look,
    counts: String,
    rows: Vec<Row>,
}

struct Row {
    look: Look,
    service: String,
    need: String,
    cause: String,
    seen: String,
}

/// Starts by systems; each cell says how many flows have which verdict.
#[derive(Default)]
struct Matrix {
    head: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

/// Text that may stand in a page; the template escapes what means something there.
fn text(text: &str) -> String {
    visible(text)
}

fn summary(report: &ReportDocument) -> Vec<(Look, usize)> {
    let it = &report.summary;
    let count = |look| match look {
        Look::Ok => it.ok,
        Look::Accepted => it.accepted,
        Look::Unknown => it.unknown,
        Look::Exposed => it.exposed,
        Look::Down => it.down,
        Look::Wrong => it.wrong,
        Look::Blocked => it.blocked,
    };
    Look::ALL.map(|look| (look, count(look))).to_vec()
}

/// What is to be read before all else.
fn warnings(report: &ReportDocument, findings: &Findings<'_>) -> Vec<String> {
    let forced = report.vantages.iter().filter_map(|it| it.forced.as_deref());
    let forced = forced.map(lines::forced);
    let clock = report.notes.iter().filter(|it| lines::is_of_own_clock(it));
    let clock = clock.map(|it| it.text.clone());
    let all = forced
        .chain(clock)
        .chain(findings.without_answers.iter().cloned());
    all.map(|it| text(&it)).collect()
}

fn matrix(cells: &[MatrixCell]) -> Matrix {
    let mut systems: BTreeMap<&str, usize> = cells.iter().map(|it| (&*it.to, 0)).collect();
    for (place, number) in systems.values_mut().enumerate() {
        *number = place;
    }
    let mut rows: BTreeMap<(&str, Option<&str>), Vec<String>> = BTreeMap::new();
    for it in cells {
        let start = (&*it.from.zone, it.from.system.as_deref());
        let row = rows
            .entry(start)
            .or_insert_with(|| vec![String::new(); systems.len()]);
        row[systems[&*it.to]] = it.flows.counted(it.untried).join(", ");
    }
    Matrix {
        head: systems.keys().map(|it| text(it)).collect(),
        rows: rows
            .into_iter()
            .map(|(start, row)| (text(&words(start)), row))
            .collect(),
    }
}

fn untried(report: &ReportDocument) -> Vec<(String, Vec<String>, usize)> {
    let starts = report.coverage.iter().flat_map(|it| &it.starts);
    let start = |it: &crate::report::Untried| {
        let ids = it.ids.iter().take(MOST_IDS).map(|id| text(id)).collect();
        (
            text(&untried_from(it)),
            ids,
            it.ids.len().saturating_sub(MOST_IDS),
        )
    };
    starts.map(start).collect()
}

fn contradictions(report: &ReportDocument) -> Vec<(String, Vec<String>)> {
    let answers = |it: &crate::report::Contradiction| {
        let answers = it.answers.iter();
        answers
            .map(|answer| text(&answer_words(report, answer)))
            .collect()
    };
    let all = report.contradictions.iter();
    all.map(|it| (text(&it.flow), answers(it))).collect()
}

fn shown(report: &ReportDocument, finding: &Finding<'_>) -> Shown {
    let flow = finding.flow;
    let parts = finding.parts.iter();
    Shown {
        look: Look::of(flow),
        id: text(&flow.flow.id),
        cause: flow.cause.to_string(),
        level: flow.level.to_string(),
        parts: parts.map(|it| (it.name, text(&it.words))).collect(),
        evidence: evidence::evidence(report, flow),
    }
}

fn accepted(report: &ReportDocument) -> Vec<Accepted> {
    let flow = |it: &ReportFlow| {
        let accepted = it.accepted.as_ref()?;
        Some(Accepted {
            id: text(&it.flow.id),
            cause: format!("{}, {}", it.verdict, it.cause),
            until: text(&accepted.until),
            why: text(&accepted.why),
            seen: text(&seen(it)),
        })
    };
    report.flows.iter().filter_map(flow).collect()
}

fn note(note: &Note) -> String {
    text(&format!(
        "{}: {} [{}]",
        lines::weight_of(note),
        note.text,
        note.cause
    ))
}

/// Every flow, by start and system; where something is wrong first.
fn groups(report: &ReportDocument) -> Vec<Group> {
    let mut all: BTreeMap<String, Vec<&ReportFlow>> = BTreeMap::new();
    for it in &report.flows {
        let (from, to) = (&it.flow.from, &it.flow.to);
        let start = words((&from.zone, from.system.as_deref()));
        all.entry(format!("{start} to {}", to.system))
            .or_default()
            .push(it);
    }
    let group = |(name, mut flows): (String, Vec<&ReportFlow>)| {
        flows.sort_by_key(|it| std::cmp::Reverse(Look::of(it)));
        let count = |look: &Look| flows.iter().filter(|it| Look::of(it) == *look).count();
        let counts = Look::ALL.iter().map(|look| (count(look), look.word()));
        Group {
            name: text(&name),
            look: flows.first().map_or(Look::Ok, |it| Look::of(it)),
            counts: tallied(counts).join(", "),
            rows: flows.iter().map(|it| row(it)).collect(),
        }
    };
    let mut groups: Vec<Group> = all.into_iter().map(group).collect();
    groups.sort_by_key(|it| std::cmp::Reverse(it.look));
    groups
}

fn row(flow: &ReportFlow) -> Row {
    Row {
        look: Look::of(flow),
        service: text(&flow.flow.service()),
        need: flow.flow.need.to_string(),
        cause: flow.cause.to_string(),
        seen: text(&seen(flow)),
    }
}

/// A place in the picture, with one digit behind the point.
fn rounded(place: &f64) -> String {
    format!("{place:.1}")
}
