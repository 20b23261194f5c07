//! The report as SARIF 2.1.0, for code scanning: results are the findings, at the line of the site file that asks for the
//! flow. Rules are the causes.
//!
//! A flow that an exception accepts is a result with a suppression. Notes are notifications of the run. The structs hold
//! only what is written; their names are those of the standard.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::diagnostic::visible;
use crate::report::document::{Note, ReportFlow, Vantage};
use crate::report::findings::{Finding, Findings};
use crate::report::join::text::vantage;
use crate::report::whole::ReportDocument;
use crate::verdict::{Cause, Level, said_of};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What stands in the path of a URI as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The report as SARIF.
///
/// # Errors
/// Only if memory cannot be written to.
pub fn sarif(report: &ReportDocument) -> serde_json::Result<String> {
    let accepted = report.flows.iter().filter(|it| it.accepted.is_some());
    let accepted = accepted.map(|flow| Finding::of(report, flow));
    let findings: Vec<Finding<'_>> = Findings::of(report)
        .all
        .into_iter()
        .chain(accepted)
        .collect();
    let rules = Rules::of(&findings, &report.notes);
    let results = findings.iter().map(|it| result(it, &rules)).collect();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: text(&report.tool.name),
                    version: text(&report.tool.version),
                    rules: rules.descriptors(),
                },
            },
            invocations: invocations(report, &rules),
            automation_details: Id {
                id: text(&format!("portproof/{}/", report.site.code)),
            },
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: Vec<Invocation>,
    automation_details: Id,
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: String,
    version: String,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
struct Id {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: Cause,
    short_description: Message,
    full_description: Message,
    help: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time_utc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time_utc: Option<String>,
    execution_successful: bool,
    machine: String,
    properties: Seen,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

/// From where the run saw the site.
#[derive(Serialize)]
struct Seen {
    vantage: String,
    config_sha256: String,
}

#[derive(Serialize)]
struct Notification {
    descriptor: Reference,
    level: Level,
    message: Message,
}

#[derive(Serialize)]
struct Reference {
    id: Cause,
    index: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: Cause,
    rule_index: usize,
    level: Level,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    suppressions: Vec<Suppression>,
    properties: Properties,
}

/// The words of the report on a flow.
#[derive(Serialize)]
struct Properties {
    verdict: String,
    need: String,
    state: String,
    owner: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    logical_locations: Vec<LogicalLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

/// The causes that a report has, each with its place.
struct Rules(BTreeMap<Cause, usize>);

impl Rules {
    fn of(findings: &[Finding<'_>], notes: &[Note]) -> Self {
        let causes = findings.iter().map(|it| it.flow.cause);
        let all: BTreeMap<Cause, usize> = causes
            .chain(notes.iter().map(|it| it.cause))
            .map(|cause| (cause, 0))
            .collect();
        let all = all.into_keys().enumerate();
        Self(all.map(|(place, cause)| (cause, place)).collect())
    }

    fn place(&self, cause: Cause) -> usize {
        self.0.get(&cause).copied().unwrap_or_default()
    }

    fn descriptors(&self) -> Vec<Descriptor> {
        self.0.keys().map(|cause| descriptor(*cause)).collect()
    }
}

fn descriptor(cause: Cause) -> Descriptor {
    let said = said_of(cause);
    let message = |words: &str| Message { text: text(words) };
    Descriptor {
        id: cause,
        short_description: message(&said.meaning),
        full_description: message(&format!("{} {}", said.meaning, said.known_by)),
        help: message(&format!("{} docs/verdicts.md#{cause}", said.to_do)),
    }
}

fn result(finding: &Finding<'_>, rules: &Rules) -> SarifResult {
    let flow = finding.flow;
    let parts = finding.parts.iter();
    let parts: Vec<String> = parts
        .map(|it| format!("{}: {}", it.name, text(&it.words)))
        .collect();
    let title = format!("{} {}: {}", flow.verdict, flow.flow.id, flow.cause);
    let accepted = flow.accepted.iter().map(|it| Suppression {
        kind: "external",
        status: "accepted",
        justification: plain(&format!("until {}: {}", it.until, it.why)),
    });
    SarifResult {
        rule_id: flow.cause,
        rule_index: rules.place(flow.cause),
        level: flow.level,
        message: Message {
            text: format!("{}\n{}", text(&title), parts.join("\n")),
        },
        locations: [location(finding)],
        partial_fingerprints: BTreeMap::from([(
            "portproofFlow/v1",
            plain(&format!("{} {}", flow.flow.id, flow.cause)),
        )]),
        suppressions: accepted.collect(),
        properties: Properties {
            verdict: flow.verdict.to_string(),
            need: flow.flow.need.to_string(),
            state: flow.state.to_string(),
            owner: flow.owner.map(|it| it.to_string()),
        },
    }
}

fn location(finding: &Finding<'_>) -> Location {
    let ReportFlow { flow, .. } = finding.flow;
    let ids = std::iter::once(flow.id.as_str()).chain(finding.likewise.iter().copied());
    let logical = ids.map(|id| LogicalLocation {
        fully_qualified_name: plain(id),
        kind: "resource",
    });
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: uri(&flow.declared.file),
            },
            region: Region {
                start_line: flow.declared.line.max(1),
                start_column: flow.declared.column.max(1),
            },
        },
        logical_locations: logical.collect(),
    }
}

fn invocations(report: &ReportDocument, rules: &Rules) -> Vec<Invocation> {
    let invocation = |(number, it): (usize, &Vantage)| Invocation {
        start_time_utc: time(&it.started),
        end_time_utc: time(&it.finished),
        execution_successful: true,
        machine: plain(&it.host),
        properties: Seen {
            vantage: vantage(report, number),
            config_sha256: plain(&it.config_sha256),
        },
        // Notes tell of no vantage: they stand with the first.
        tool_execution_notifications: match number {
            0 => report
                .notes
                .iter()
                .map(|it| notification(it, rules))
                .collect(),
            _ => Vec::new(),
        },
    };
    report.vantages.iter().enumerate().map(invocation).collect()
}

fn notification(note: &Note, rules: &Rules) -> Notification {
    Notification {
        descriptor: Reference {
            id: note.cause,
            index: rules.place(note.cause),
        },
        level: match crate::report::lines::weight_of(note) {
            "warning" => Level::Warning,
            _ => Level::Note,
        },
        message: Message {
            text: text(&note.text),
        },
    }
}

/// A time of a report, if it is one.
fn time(text: &str) -> Option<String> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.to_string())
}

/// A file as a URI: relative to the folder of the run, or with its whole path.
fn uri(file: &str) -> String {
    let path = file.replace('\\', "/");
    let encoded = utf8_percent_encode(&path, PATH).to_string();
    let has_drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes().get(2) == Some(&b'/');
    if path.starts_with('/') {
        format!("file://{encoded}")
    } else if has_drive {
        format!("file:///{encoded}")
    } else {
        encoded
    }
}

/// Text that is no message.
fn plain(text: &str) -> String {
    visible(text)
}

/// Text in a message: brackets would make a link of it, and braces a blank to be filled in (sections 3.11.5 and 3.11.6).
fn text(text: &str) -> String {
    let mut escaped = String::new();
    for c in visible(text).chars() {
        match c {
            '[' | ']' => escaped.extend(['\\', c]),
            '{' | '}' => escaped.extend([c, c]),
            c => escaped.push(c),
        }
    }
    escaped
}
