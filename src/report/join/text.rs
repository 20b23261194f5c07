//! What a joined report has beside one vantage's, as text: matrix, coverage, contradictions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use owo_colors::OwoColorize;

use super::rejudge::place;
use crate::diagnostic::{some_of, visible};
use crate::paragraph::{Page, Width};
use crate::plan::Source;
use crate::report::Detail;
use crate::report::joined::{Answer, Coverage, Untried, WhyUntried};
use crate::report::whole::ReportDocument;

/// The widest name in it.
const NAME: usize = 28;
/// How many ids stand behind a start that is not shown in full.
const SOME_IDS: usize = 3;

/// What stands above the flows of which two vantages say different things.
pub(in crate::report) const CONTRADICTIONS: &str =
    "Contradictions: one flow, two answers, each with proof; the first counts";

/// All of it; nothing for a report that was not joined.
pub(in crate::report) fn joined(page: &mut Page, report: &ReportDocument, detail: Detail) {
    for line in matrix(report, page.width()).lines() {
        page.line(line);
    }
    if let Some(it) = &report.coverage {
        coverage(page, it, detail);
    }
    contradictions(page, report);
}

/// The words of a vantage of a joined report, by its place.
pub(in crate::report) fn vantage(report: &ReportDocument, number: usize) -> String {
    let known = report.vantages.get(number);
    known.map_or_else(|| "nobody".to_string(), |it| visible(&place(it)))
}

/// ` from VANTAGE` where a report has several, and else nothing.
pub(in crate::report) fn of_several(report: &ReportDocument, number: usize) -> String {
    match report.vantages.len() {
        0 | 1 => String::new(),
        _ => format!(" from {}", vantage(report, number)),
    }
}

/// Zone, and system where only it may start the flows.
pub(in crate::report) type Start<'a> = (&'a str, Option<&'a str>);

/// A table of starts by systems, in as many parts as the width of a terminal asks for.
fn matrix(report: &ReportDocument, width_of_page: Width) -> String {
    let mut columns: BTreeMap<&str, Column<'_>> = BTreeMap::new();
    for cell in &report.matrix {
        let column = columns
            .entry(&cell.to)
            .or_insert_with(|| Column::new(&cell.to));
        column.add(start(&cell.from), cell.flows.counted(cell.untried));
    }
    if columns.is_empty() {
        return String::new();
    }
    let starts: BTreeSet<Start<'_>> = report.matrix.iter().map(|it| start(&it.from)).collect();
    let labels = starts.iter().map(|start| width(&name(&words(*start))));
    let label_width = labels.max().unwrap_or(0);
    let columns: Vec<Column<'_>> = columns.into_values().collect();
    let mut out = format!("\n{}\n", "From, and to".bold());
    let mut rest = &columns[..];
    while !rest.is_empty() {
        let mut used = 2 + label_width;
        let fits = |column: &&Column<'_>| {
            used += 2 + column.width;
            used <= width_of_page.columns()
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (part, after) = rest.split_at(count);
        out += &part_of_matrix(label_width, part);
        rest = after;
        if !rest.is_empty() {
            out += "\n";
        }
    }
    out
}

/// A system, and what leads to it from the starts from which anything does: one line for each verdict.
struct Column<'a> {
    head: String,
    cells: BTreeMap<Start<'a>, Vec<String>>,
    width: usize,
}

impl<'a> Column<'a> {
    fn new(system: &str) -> Self {
        let head = name(system);
        Self {
            width: width(&head),
            cells: BTreeMap::new(),
            head,
        }
    }

    fn add(&mut self, start: Start<'a>, lines: Vec<String>) {
        let widest = lines.iter().map(|line| width(line)).max();
        self.width = self.width.max(widest.unwrap_or(0));
        self.cells.insert(start, lines);
    }

    fn lines(&self, start: Start<'a>) -> &[String] {
        self.cells.get(&start).map_or(&[], Vec::as_slice)
    }
}

/// Some columns, with the starts from which anything leads there.
fn part_of_matrix(label_width: usize, columns: &[Column<'_>]) -> String {
    let heads = columns.iter().map(|column| column.head.as_str());
    let mut out = line("", label_width, heads, columns);
    let starts: BTreeSet<Start<'_>> = columns
        .iter()
        .flat_map(|column| column.cells.keys().copied())
        .collect();
    for start in starts {
        let heights = columns.iter().map(|column| column.lines(start).len());
        let label = name(&words(start));
        for at in 0..heights.max().unwrap_or(0) {
            let label = if at == 0 { label.as_str() } else { "" };
            let cells = columns
                .iter()
                .map(|column| match column.lines(start).get(at) {
                    Some(cell) => cell.as_str(),
                    None if at == 0 => "-",
                    None => "",
                });
            out += &line(label, label_width, cells, columns);
        }
    }
    out
}

fn line<'a>(
    label: &str,
    label_width: usize,
    cells: impl Iterator<Item = &'a str>,
    columns: &[Column<'_>],
) -> String {
    let mut out = format!("  {label:<label_width$}");
    for (cell, column) in cells.zip(columns) {
        let _ = write!(out, "  {cell:<width$}", width = column.width);
    }
    out.trim_end().to_string() + "\n"
}

pub(in crate::report) fn start(from: &Source) -> Start<'_> {
    (&from.zone, from.system.as_deref())
}

pub(in crate::report) fn words((zone, system): Start<'_>) -> String {
    match system {
        Some(system) => format!("{zone}, {system}"),
        None => zone.to_string(),
    }
}

/// A name that can be printed, and does not tear the table.
fn name(text: &str) -> String {
    let shown = visible(text);
    match width(&shown) {
        0..=NAME => shown,
        _ => shown.chars().take(NAME - 3).collect::<String>() + "...",
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn coverage(page: &mut Page, coverage: &Coverage, detail: Detail) {
    page.gap();
    page.paragraph(0, coverage_heading(coverage).bold());
    for start in &coverage.starts {
        untried(page, start, detail);
    }
}

/// How much was tried, in a line.
pub(in crate::report) fn coverage_heading(coverage: &Coverage) -> String {
    match (coverage.untried, &coverage.config_sha256) {
        (0, Some(_)) => format!("Coverage: all {} flows were tried", coverage.tried),
        (0, None) => format!(
            "Coverage: {} flows were tried; the reports know of no others (--site FILE asks the \
             site file)",
            coverage.tried
        ),
        (untried, Some(_)) => format!(
            "Coverage: {} flows were tried, {untried} were not by anybody who may start them",
            coverage.tried
        ),
        (untried, None) => format!(
            "Coverage: {} flows were tried, at least {untried} were not by anybody who may start \
             them (--site FILE names them)",
            coverage.tried
        ),
    }
}

/// Where untried flows start, how many, and why; with names as they came.
pub(in crate::report) fn untried_from(it: &Untried) -> String {
    let from = match &it.zone {
        Some(zone) => words((zone, it.system.as_deref())),
        None => "zones that the reports do not name".to_string(),
    };
    let why = match it.why {
        WhyUntried::NoReport => "there is no report from there",
        WhyUntried::LeftOut => "the reports from there leave them out",
        WhyUntried::InStead => "only others tried them, in its stead",
        WhyUntried::NotTried => "skipped",
    };
    format!("from {from}: {} ({why})", it.flows)
}

fn untried(page: &mut Page, it: &Untried, detail: Detail) {
    page.paragraph(2, visible(&untried_from(it)));
    match detail {
        Detail::Everything => it
            .ids
            .iter()
            .for_each(|id| page.line(format!("    {}", visible(id)))),
        Detail::Findings if !it.ids.is_empty() => {
            page.paragraph(4, visible(&some_of(&it.ids, SOME_IDS)));
        }
        Detail::Findings => {}
    }
}

fn contradictions(page: &mut Page, report: &ReportDocument) {
    if report.contradictions.is_empty() {
        return;
    }
    page.gap();
    page.paragraph(0, CONTRADICTIONS.bold());
    for contradiction in &report.contradictions {
        page.line(format!("  {}", visible(&contradiction.flow)));
        for answer in &contradiction.answers {
            page.paragraph(4, visible(&answer_words(report, answer)));
        }
    }
}

/// What a vantage says of a flow: `blocked no-answer from internet (host laptop7), 2026-11-29T08:57:19Z`.
pub(in crate::report) fn answer_words(report: &ReportDocument, answer: &Answer) -> String {
    format!(
        "{} {} from {}, {}",
        answer.verdict,
        answer.cause,
        vantage(report, answer.vantage),
        answer.at.as_deref().unwrap_or("never tried")
    )
}
