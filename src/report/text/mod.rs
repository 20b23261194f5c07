//! The report as text, for people. First stands who has to act, then a table for each firewall, then the evidence. The
//! end has the counts, what is not sure in them, what was sent, and how long it took.
//!
//! Lines are broken at the width that comes in. A row of a table and an id are never torn apart.

mod ending;
mod everything;

use owo_colors::{OwoColorize, Style};

use super::Detail;
use super::document::ReportFlow;
use super::findings::{Finding, Findings, Part, Table, seen};
use super::join::text::joined;
use super::lines::{self, Acting};
use super::whole::ReportDocument;
use crate::diagnostic::visible;
use crate::paragraph::{Page, Width};
use crate::verdict::{Level, Verdict};

/// The report as text with colours; the caller strips them where they are not wanted.
pub fn text(report: &ReportDocument, detail: Detail, width: Width) -> String {
    let findings = Findings::of(report);
    let mut page = Page::new(width);
    head(&mut page, report);
    for words in &findings.without_answers {
        page.gap();
        page.block(words.bold());
    }
    if let Some(change) = &report.change {
        page.gap();
        page.block(visible(&change.paragraph));
    }
    if let Some(client) = &report.client {
        super::client::text(&mut page, client);
    }
    if let Some(required) = lines::required(findings.required) {
        page.gap();
        page.paragraph(0, required);
    }
    who_has_to_act(&mut page, &findings);
    proved(&mut page, &findings);
    for it in &findings.tables {
        table(&mut page, it);
    }
    joined(&mut page, report, detail);
    for it in &findings.all {
        finding(&mut page, it);
    }
    accepted(&mut page, report);
    notes(&mut page, report);
    if detail == Detail::Everything {
        everything::everything(&mut page, report);
    }
    ending::ending(&mut page, report, detail);
    page.into_text()
}

fn head(page: &mut Page, report: &ReportDocument) {
    for vantage in &report.vantages {
        page.paragraph(0, visible(&lines::seen_from(report, vantage)));
        if let Some(found) = &vantage.forced {
            page.paragraph(0, visible(&lines::forced(found)).bold());
        }
    }
    if let Some(authorised) = &report.authorised {
        page.paragraph(0, format!("Sweep authorised: {}", visible(authorised)));
    }
    own_clock(page, report);
}

/// What is said of this host's own clock.
fn own_clock(page: &mut Page, report: &ReportDocument) {
    let notes = report.notes.iter();
    for note in notes.filter(|it| lines::is_of_own_clock(it)) {
        page.gap();
        page.block(format!("{} [{}]", visible(&note.text).bold(), note.cause));
    }
}

fn who_has_to_act(page: &mut Page, findings: &Findings<'_>) {
    page.gap();
    match lines::acting(findings) {
        Acting::Teams(teams) => page.paragraph(0, format!("Who has to act: {}", teams.bold())),
        Acting::Unproved(words) => page.block(words),
        Acting::Nobody(words) => page.line(words.green()),
    }
}

/// Where nothing is wrong: what was proved, and how.
fn proved(page: &mut Page, findings: &Findings<'_>) {
    if findings.proved.is_empty() {
        return;
    }
    let rows = findings.proved.iter();
    let rows: Vec<Vec<String>> = rows
        .map(|it| vec![it.flows.clone(), it.how.clone()])
        .collect();
    page.gap();
    page.table(&["proved", "how"], &rows);
}

fn table(page: &mut Page, table: &Table) {
    page.gap();
    page.line(format!("For {}", visible(&table.device)));
    page.table(&table.head, &table.rows);
}

fn finding(page: &mut Page, finding: &Finding<'_>) {
    let flow = finding.flow;
    let team = finding.team.map(|team| format!("  ({team})"));
    page.gap();
    let heading = format!(
        "{} {}  {}{}",
        flow.verdict.name().to_uppercase().style(style(flow)),
        visible(&flow.flow.id).bold(),
        flow.cause,
        team.unwrap_or_default()
    );
    page.paragraph(0, heading);
    for Part { name, words } in &finding.parts {
        page.paragraph(2, format!("{name}: {}", visible(words)));
    }
}

fn style(flow: &ReportFlow) -> Style {
    match (flow.verdict, flow.level) {
        (Verdict::Ok, _) => Style::new().green(),
        (Verdict::Unknown, _) | (_, Level::Note | Level::Warning) => Style::new().yellow(),
        (_, Level::Error) => Style::new().red().bold(),
    }
}

/// What is not as it must be, and accepted for a time.
fn accepted(page: &mut Page, report: &ReportDocument) {
    let mut is_first = true;
    for flow in &report.flows {
        let Some(accepted) = &flow.accepted else {
            continue;
        };
        if is_first {
            page.gap();
            page.line(lines::ACCEPTED);
            is_first = false;
        }
        page.paragraph(
            2,
            format!(
                "{} {}  {}  until {}: {}",
                flow.verdict.name().to_uppercase(),
                visible(&flow.flow.id),
                flow.cause,
                visible(&accepted.until),
                visible(&accepted.why)
            ),
        );
        page.paragraph(4, format!("seen: {}", visible(&seen(flow))));
    }
}

fn notes(page: &mut Page, report: &ReportDocument) {
    let notes = report.notes.iter();
    for note in notes.filter(|note| !lines::is_of_own_clock(note)) {
        let word = lines::weight_of(note);
        page.gap();
        page.paragraph(
            0,
            format!("{word}: {} [{}]", visible(&note.text), note.cause),
        );
    }
}

#[cfg(test)]
mod tests;
