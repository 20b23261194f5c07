//! The report as text: who has to act, then a table for each firewall, then the evidence, then the counts.

use std::fmt::Write as _;

use owo_colors::{OwoColorize, Style};

use super::Detail;
use super::document::ReportFlow;
use super::findings::{Finding, Findings, Part, Required, Table, Team, seen};
use super::join::text::joined;
use super::whole::ReportDocument;
use crate::diagnostic::visible;
use crate::verdict::{Cause, Level, Verdict};

/// The report as text with colours; the caller strips them where they are not wanted.
pub fn text(report: &ReportDocument, detail: Detail) -> String {
    let findings = Findings::of(report);
    let mut out = head(report);
    for words in &findings.without_answers {
        let _ = writeln!(out, "\n{}", words.bold());
    }
    if let Some(change) = &report.change {
        let _ = writeln!(out, "\n{}", visible(&change.paragraph));
    }
    if let Some(client) = &report.client {
        out += &super::client::text(client);
    }
    out += &proved(findings.required);
    out += &who_has_to_act(&findings);
    out.extend(findings.tables.iter().map(table));
    out += &joined(report, detail);
    out.extend(findings.all.iter().map(finding));
    out += &accepted(report);
    out += &notes(report);
    if detail == Detail::Everything {
        out += &everything(report);
    }
    out += &counts(report, detail);
    out
}

fn head(report: &ReportDocument) -> String {
    let mut out = String::new();
    for vantage in &report.vantages {
        let system = vantage
            .system
            .as_ref()
            .map(|system| format!(" as {system}"))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "Site {} seen from {}{} (host {}, {})",
            visible(&report.site.code),
            visible(
                &[&[vantage.zone.clone()][..], &vantage.also_in]
                    .concat()
                    .join(" and ")
            ),
            visible(&system),
            visible(&vantage.host),
            visible(&vantage.started)
        );
        if let Some(found) = &vantage.forced {
            let words = format!("The vantage was forced, although {}.", visible(found));
            let _ = writeln!(out, "{}", words.bold());
        }
    }
    if let Some(authorised) = &report.authorised {
        let _ = writeln!(out, "Sweep authorised: {}", visible(authorised));
    }
    out + &own_clock(report)
}

/// What is said of this host's own clock: it comes first, because all that hangs on dates depends on it.
fn own_clock(report: &ReportDocument) -> String {
    let notes = report
        .notes
        .iter()
        .filter(|note| is_of_own_clock(note.cause));
    let line = |note: &super::Note| format!("\n{} [{}]\n", visible(&note.text).bold(), note.cause);
    notes.map(line).collect()
}

fn is_of_own_clock(cause: Cause) -> bool {
    matches!(cause, Cause::ClockOff | Cause::ClocksDiffer)
}

/// How many of the required flows are wrong, how many nothing proves, and how many are proved.
fn proved(required: Required) -> String {
    let Required {
        wrong,
        unproved,
        proved,
    } = required;
    match wrong + unproved + proved {
        0 => String::new(),
        _ => format!("\nRequired flows: {wrong} wrong, {unproved} not proved, {proved} proved\n"),
    }
}

/// `firewall team: 2 rules, server team: 1 host`.
fn who_has_to_act(findings: &Findings<'_>) -> String {
    if findings.all.is_empty() {
        return match findings.required.unproved {
            0 => format!("\n{}\n", "Nothing has to be done.".green()),
            some => format!(
                "\nNothing is known to be wrong, and {some} required {} not proved from here \
                 (--verbose names {}).\n",
                if some == 1 { "flow is" } else { "flows are" },
                if some == 1 { "it" } else { "them" },
            ),
        };
    }
    let plural = |count| if count == 1 { "" } else { "s" };
    let part =
        |Team { name, count, what }: &Team| format!("{name}: {count} {what}{}", plural(*count));
    let parts: Vec<String> = findings.teams.iter().map(part).collect();
    format!("\nWho has to act: {}\n", parts.join(", ").bold())
}

fn table(table: &Table) -> String {
    let escaped = |row: &Vec<String>| row.iter().map(|cell| visible(cell)).collect();
    let rows: Vec<Vec<String>> = table.rows.iter().map(escaped).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .chain([table.head[column].len()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    let line = |cells: &[&str]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("  {}\n", padded.join("  ").trim_end())
    };
    let mut out = format!("\nFor {}\n{}", visible(&table.device), line(&table.head));
    for row in &rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        out += &line(&cells);
    }
    out
}

fn finding(finding: &Finding<'_>) -> String {
    let flow = finding.flow;
    let mut out = format!(
        "\n{} {}  {}\n",
        flow.verdict.name().to_uppercase().style(style(flow)),
        visible(&flow.flow.id).bold(),
        flow.cause
    );
    for Part { name, words } in &finding.parts {
        let _ = writeln!(out, "  {name}: {}", visible(words));
    }
    out
}

fn style(flow: &ReportFlow) -> Style {
    match (flow.verdict, flow.level) {
        (Verdict::Ok, _) => Style::new().green(),
        (Verdict::Unknown, _) | (_, Level::Note | Level::Warning) => Style::new().yellow(),
        (_, Level::Error) => Style::new().red().bold(),
    }
}

/// What is not as it must be, and accepted for a time.
fn accepted(report: &ReportDocument) -> String {
    let mut out = String::new();
    for flow in &report.flows {
        let Some(accepted) = &flow.accepted else {
            continue;
        };
        if out.is_empty() {
            out += "\nAccepted by exceptions of the site file, and counted apart\n";
        }
        let _ = writeln!(
            out,
            "  {} {}  {}  until {}: {}",
            flow.verdict.name().to_uppercase(),
            visible(&flow.flow.id),
            flow.cause,
            visible(&accepted.until),
            visible(&accepted.why)
        );
        let _ = writeln!(out, "    seen: {}", visible(&seen(flow)));
    }
    out
}

fn notes(report: &ReportDocument) -> String {
    let mut out = String::new();
    let others = report
        .notes
        .iter()
        .filter(|note| !is_of_own_clock(note.cause));
    for note in others {
        let word = match note.cause {
            Cause::ExceptionEndsSoon | Cause::ExceptionLapsed => "warning",
            _ => "note",
        };
        let _ = writeln!(out, "\n{word}: {} [{}]", visible(&note.text), note.cause);
    }
    out
}

fn everything(report: &ReportDocument) -> String {
    let mut out = "\nEvery flow\n".to_string();
    for flow in &report.flows {
        let _ = writeln!(
            out,
            "  {:<8} {:<9} {}  {} ({}; {}){}",
            flow.verdict.style(style(flow)),
            flow.flow.need,
            visible(&flow.flow.id),
            flow.cause,
            flow.state,
            visible(&flow.flow.rules.join(", ")),
            if flow.accepted.is_some() {
                " accepted"
            } else {
                ""
            }
        );
    }
    for sweep in &report.sweeps {
        for (state, ports) in &sweep.states {
            let swept = format!(
                "swept {}>{}: {state} {ports}",
                sweep.from.zone, sweep.to.system
            );
            let _ = writeln!(out, "  {}", visible(&swept));
        }
        for run in &sweep.earlier {
            let swept = format!(
                "swept {}>{} by an earlier run, between {} and {}: {}",
                sweep.from.zone, sweep.to.system, run.started, run.finished, run.ports
            );
            let _ = writeln!(out, "  {}", visible(&swept));
        }
    }
    out
}

fn counts(report: &ReportDocument, detail: Detail) -> String {
    let it = &report.summary;
    let mut out = format!(
        "\n{} ok, {} blocked, {} down, {} wrong, {} exposed, {} unknown",
        it.ok, it.blocked, it.down, it.wrong, it.exposed, it.unknown
    );
    if it.accepted > 0 {
        let _ = write!(out, ", {} accepted", it.accepted);
    }
    if report.flows_elsewhere > 0 {
        let _ = write!(
            out,
            "; {} flows start in other zones and were not tried here",
            report.flows_elsewhere
        );
    }
    out += "\n";
    out += &super::sent::lines(report);
    if detail == Detail::Findings {
        out += "Every flow with its evidence: --verbose, or --format json\n";
    }
    out
}
