//! The report for Nagios, Icinga and their like: a status line with numbers, then long text; and statuses of their own.
//!
//! Programs of that kind put the text into shells, pages and mails, each with more or less care. So what has a meaning
//! there is replaced by a sign that looks alike, wherever it comes from. A vertical bar would begin numbers.

use crate::diagnostic::{cut, visible};
use crate::report::findings::{Finding, Findings};
use crate::report::lines::{self, Acting};
use crate::report::whole::ReportDocument;
use crate::report::{Weighs, document::ReportFlow, weighs};
use crate::verdict::Level;

/// The longest status line, in bytes: some programs read no more of it.
const LINE: usize = 400;
/// The longest line of the long text, in bytes.
const LONG_LINE: usize = 1_000;
/// The longest text as a whole, in bytes. Nagios reads 8 KiB.
const WHOLE: usize = 8_000;

/// What a check says to such a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All is as it must be.
    Ok,
    /// Something is not proved, or nothing could be tried.
    Unknown,
    /// Something is wrong that does not count without `--strict`, or will be soon.
    Warning,
    /// Something is wrong.
    Critical,
}

impl Status {
    /// The worst that a flow of the report asks for.
    pub fn of(report: &ReportDocument, strict: bool) -> Self {
        let all = report.flows.iter().map(|flow| Self::of_flow(flow, strict));
        all.max().unwrap_or(Self::Unknown)
    }

    fn of_flow(flow: &ReportFlow, strict: bool) -> Self {
        let warns = match &flow.accepted {
            Some(accepted) => accepted.ends_soon(),
            None => flow.level == Level::Warning,
        };
        match weighs(flow, strict) {
            Weighs::Failure => Self::Critical,
            Weighs::Question => Self::Unknown,
            Weighs::Nothing if warns => Self::Warning,
            Weighs::Nothing => Self::Ok,
        }
    }

    /// The exit status: 0, 1, 2 or 3.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The report for Nagios. With `strict`, faults of level `warning` are critical.
pub fn nagios(report: &ReportDocument, strict: bool) -> String {
    let findings = Findings::of(report);
    let mut out = format!(
        "PORTPROOF {} - {} | {}\n",
        Status::of(report, strict).word(),
        cut(&plain(&line(report, &findings)), LINE),
        numbers(report, &findings)
    );
    let lines = long_text(report, &findings);
    for (number, text) in lines.iter().enumerate() {
        let line = cut(&plain(text), LONG_LINE) + "\n";
        if out.len() + line.len() > WHOLE {
            out += &format!(
                "{} lines more: --format text has them\n",
                lines.len() - number
            );
            break;
        }
        out += &line;
    }
    out
}

/// That there is no report.
pub fn failed(why: &str) -> String {
    format!(
        "PORTPROOF {} - {}\n",
        Status::Unknown.word(),
        cut(&plain(why), LINE)
    )
}

/// The site, and who has to act or that nobody has.
fn line(report: &ReportDocument, findings: &Findings<'_>) -> String {
    let acting = match lines::acting(findings) {
        Acting::Teams(teams) => teams,
        Acting::Unproved(words) => words,
        Acting::Nobody(words) => words.to_string(),
    };
    let required = lines::required(findings.required).unwrap_or_default();
    let from: Vec<&str> = report.vantages.iter().map(|it| it.zone.as_str()).collect();
    let parts = [
        format!("site {} from {}", report.site.code, from.join(", ")),
        required,
        acting,
    ];
    let parts = parts.into_iter().filter(|it| !it.is_empty());
    parts.collect::<Vec<_>>().join("; ")
}

/// Numbers that such programs draw.
fn numbers(report: &ReportDocument, findings: &Findings<'_>) -> String {
    let it = &report.summary;
    let counts = [
        ("required_wrong", findings.required.wrong),
        ("required_unproved", findings.required.unproved),
        ("required_proved", findings.required.proved),
        ("ok", it.ok),
        ("blocked", it.blocked),
        ("down", it.down),
        ("wrong", it.wrong),
        ("exposed", it.exposed),
        ("unknown", it.unknown),
        ("accepted", it.accepted),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{name}={count};;;0"))
        .collect();
    let leaves = report.flows.iter().filter_map(|it| it.evidence.leaf());
    let days = leaves.filter_map(|leaf| leaf.days_left).min();
    parts.extend(days.map(|days| format!("certificate_days={days}")));
    parts.join(" ")
}

/// A line for each vantage and each finding.
fn long_text(report: &ReportDocument, findings: &Findings<'_>) -> Vec<String> {
    let vantages = report.vantages.iter();
    let mut lines: Vec<String> = vantages.map(|it| lines::seen_from(report, it)).collect();
    lines.extend(findings.without_answers.iter().cloned());
    lines.extend(findings.all.iter().map(finding));
    lines.extend(report.notes.iter().map(|note| {
        let weight = lines::weight_of(note);
        format!("{weight}: {} [{}]", note.text, note.cause)
    }));
    lines
}

fn finding(finding: &Finding<'_>) -> String {
    let flow = finding.flow;
    let more = match finding.likewise.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let words = finding.parts.iter();
    let words = words.filter(|part| ["seen", "do"].contains(&part.name));
    let words: Vec<String> = words
        .map(|it| format!("{}: {}", it.name, it.words))
        .collect();
    format!(
        "{} {}{more} {} - {}",
        flow.verdict.name().to_uppercase(),
        flow.flow.id,
        flow.cause,
        words.join(" - ")
    )
}

/// Text on one line, without signs that mean something to a shell, a page or the program that reads it.
fn plain(text: &str) -> String {
    let alike = |c: char| match c {
        '|' => '\u{a6}',
        '\'' => '\u{2019}',
        '"' => '\u{201d}',
        '`' => '\u{2018}',
        '<' => '\u{2039}',
        '&' => '+',
        '$' => '\u{a4}',
        c => c,
    };
    visible(text).chars().map(alike).collect()
}
