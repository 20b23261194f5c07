//! The report as Markdown, for a ticket: in the order of the text report.

use std::collections::BTreeSet;

use crate::cells::of_markdown as escaped;
use crate::plan::Source;
use crate::report::Detail;
use crate::report::document::ReportFlow;
use crate::report::findings::{Finding, Findings, Part, Table, seen};
use crate::report::join::text::{
    CONTRADICTIONS, answer_words, coverage_heading, start, untried_from, words,
};
use crate::report::joined::{Coverage, MatrixCell};
use crate::report::lines::{self, Acting};
use crate::report::whole::ReportDocument;

/// The report as Markdown.
pub fn markdown(report: &ReportDocument, detail: Detail) -> String {
    let findings = Findings::of(report);
    let mut out = head(report);
    for words in &findings.without_answers {
        out += &paragraph(&bold(words));
    }
    if let Some(change) = &report.change {
        out += &paragraph(&escaped(&change.paragraph));
    }
    if let Some(client) = &report.client {
        out += &heading(2, "The client's own view");
        out += &code(&crate::report::client::alone(client));
    }
    if let Some(required) = lines::required(findings.required) {
        out += &paragraph(&escaped(&required));
    }
    out += &paragraph(&match lines::acting(&findings) {
        Acting::Teams(teams) => format!("Who has to act: {}", bold(&teams)),
        Acting::Unproved(words) => escaped(&words),
        Acting::Nobody(words) => escaped(words),
    });
    out.extend(findings.tables.iter().map(table));
    out += &matrix(&report.matrix);
    out.extend(report.coverage.iter().map(|it| coverage(it, detail)));
    out += &contradictions(report);
    if !findings.all.is_empty() {
        out += &heading(2, "Findings");
        out.extend(findings.all.iter().map(finding));
    }
    out += &accepted(report);
    out += &notes(report);
    if detail == Detail::Everything {
        out += &everything(report);
    }
    out += &paragraph(&escaped(&lines::counts(report)));
    let sent = crate::report::sent::lines(report);
    out.extend(sent.map(|line| paragraph(&escaped(&line))));
    out
}

fn head(report: &ReportDocument) -> String {
    let mut out = format!("# Firewalls of site {}\n", escaped(&report.site.code));
    for vantage in &report.vantages {
        out += &paragraph(&escaped(&lines::seen_from(report, vantage)));
        if let Some(found) = &vantage.forced {
            out += &paragraph(&bold(&lines::forced(found)));
        }
    }
    if let Some(authorised) = &report.authorised {
        out += &paragraph(&format!("Sweep authorised: {}", escaped(authorised)));
    }
    let of_clock = report.notes.iter().filter(|it| lines::is_of_own_clock(it));
    out.extend(of_clock.map(|note| paragraph(&bold(&note.text))));
    out
}

fn heading(depth: usize, text: &str) -> String {
    format!("\n{} {}\n", "#".repeat(depth), escaped(text))
}

fn paragraph(text: &str) -> String {
    format!("\n{text}\n")
}

fn bold(text: &str) -> String {
    format!("**{}**", escaped(text))
}

/// Lines as they are. What they hold cannot end the block: its fence is longer than any in them.
fn code(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    format!("\n{fence}text\n{}\n{fence}\n", text.trim_matches('\n'))
}

/// A table of cells that are escaped already.
fn rows(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = format!(
        "\n| {} |\n|{}\n",
        head.join(" | "),
        "---|".repeat(head.len())
    );
    for row in rows {
        out += &format!("| {} |\n", row.join(" | "));
    }
    out
}

fn table(table: &Table) -> String {
    let cells = |row: &Vec<String>| row.iter().map(|cell| escaped(cell)).collect();
    heading(2, &format!("For {}", table.device)) + &rows(&table.head, table.rows.iter().map(cells))
}

fn finding(finding: &Finding<'_>) -> String {
    let flow = finding.flow;
    let title = format!("{} {} ({})", shout(flow), flow.flow.id, flow.cause);
    let mut out = heading(3, &title) + "\n";
    for Part { name, words } in &finding.parts {
        out += &format!("- **{name}:** {}\n", escaped(words));
    }
    out
}

fn shout(flow: &ReportFlow) -> String {
    flow.verdict.name().to_uppercase()
}

/// From where to what: a row for each start, a column for each system.
fn matrix(cells: &[MatrixCell]) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let systems: BTreeSet<&str> = cells.iter().map(|it| it.to.as_str()).collect();
    let starts: BTreeSet<_> = cells.iter().map(|it| start(&it.from)).collect();
    let mut head = vec!["from".to_string()];
    head.extend(systems.iter().map(|system| escaped(system)));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let is_at = |it: &&MatrixCell, from: &Source| it.from == *from;
    let row = |from: &Source| {
        let name = escaped(&words(start(from)));
        let cell = |system: &&str| {
            let mut here = cells.iter().filter(|it| is_at(it, from));
            let found = here.find(|it| it.to == **system);
            found.map_or_else(String::new, |it| it.flows.counted(it.untried).join(", "))
        };
        std::iter::once(name)
            .chain(systems.iter().map(cell))
            .collect()
    };
    let source = |(zone, system): (&str, Option<&str>)| Source {
        zone: zone.to_string(),
        system: system.map(str::to_string),
    };
    let starts = starts.into_iter().map(source);
    heading(2, "From, and to") + &rows(&head, starts.map(|from| row(&from)))
}

fn coverage(coverage: &Coverage, detail: Detail) -> String {
    let mut out = heading(2, &coverage_heading(coverage)) + "\n";
    for start in &coverage.starts {
        out += &format!("- {}\n", escaped(&untried_from(start)));
        if detail == Detail::Everything {
            let ids = start.ids.iter();
            out.extend(ids.map(|id| format!("  - {}\n", escaped(id))));
        }
    }
    out
}

fn contradictions(report: &ReportDocument) -> String {
    if report.contradictions.is_empty() {
        return String::new();
    }
    let mut out = heading(2, CONTRADICTIONS) + "\n";
    for it in &report.contradictions {
        out += &format!("- {}\n", escaped(&it.flow));
        for answer in &it.answers {
            out += &format!("  - {}\n", escaped(&answer_words(report, answer)));
        }
    }
    out
}

fn accepted(report: &ReportDocument) -> String {
    let mut out = String::new();
    for flow in &report.flows {
        let Some(accepted) = &flow.accepted else {
            continue;
        };
        if out.is_empty() {
            out += &(heading(2, lines::ACCEPTED) + "\n");
        }
        let (id, until, why) = (&flow.flow.id, &accepted.until, &accepted.why);
        let line = format!("{} {id} ({}) until {until}: {why}", shout(flow), flow.cause);
        out += &format!("- {}\n  - seen: {}\n", escaped(&line), escaped(&seen(flow)));
    }
    out
}

fn notes(report: &ReportDocument) -> String {
    let notes = report.notes.iter().filter(|it| !lines::is_of_own_clock(it));
    let mut items: Vec<String> = Vec::new();
    for note in notes {
        let text = escaped(&note.text);
        items.push(format!(
            "- {}: {text} ({})\n",
            lines::weight_of(note),
            note.cause
        ));
    }
    match items.is_empty() {
        true => String::new(),
        false => heading(2, "Notes") + "\n" + &items.concat(),
    }
}

fn everything(report: &ReportDocument) -> String {
    let row = |flow: &ReportFlow| {
        let verdict = match &flow.accepted {
            Some(_) => format!("{} (accepted)", flow.verdict),
            None => flow.verdict.to_string(),
        };
        let cells = [
            verdict,
            flow.flow.need.to_string(),
            escaped(&flow.flow.id),
            flow.cause.to_string(),
            flow.state.to_string(),
            escaped(&flow.flow.rules.join(", ")),
        ];
        cells.to_vec()
    };
    let head = ["verdict", "need", "flow", "cause", "state", "rules"];
    let mut out = heading(2, "Every flow") + &rows(&head, report.flows.iter().map(row));
    let swept: Vec<String> = report.sweeps.iter().flat_map(lines::swept).collect();
    if !swept.is_empty() {
        out += "\n";
        out.extend(swept.iter().map(|line| format!("- {}\n", escaped(line))));
    }
    out
}
