//! The report as comma-separated values, for spreadsheets and databases: one line for each flow.

use ::csv::{Error, Writer};

use crate::cells::of_csv;
use crate::plan::Port;
use crate::report::document::ReportFlow;
use crate::report::findings::seen;
use crate::report::join::text::vantage;
use crate::report::whole::ReportDocument;
use crate::verdict::Remedy;

/// The columns. Programs read them by these names: a new one goes to the end.
const COLUMNS: [&str; 36] = [
    "id",
    "from_zone",
    "from_system",
    "to_system",
    "to_zone",
    "to_name",
    "to_addresses",
    "tried_address",
    "port",
    "own_port",
    "transport",
    "protocol",
    "need",
    "state",
    "verdict",
    "cause",
    "level",
    "owner",
    "firewalls",
    "wanted",
    "accepted_until",
    "accepted_why",
    "lapsed_since",
    "rules",
    "why",
    "effect",
    "seen",
    "advice",
    "confidence",
    "source",
    "tries",
    "first_try",
    "vantage",
    "file",
    "line",
    "column",
];

/// The report as comma-separated values.
///
/// # Errors
/// Only if memory cannot be written to.
pub fn csv(report: &ReportDocument) -> Result<String, Error> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for flow in &report.flows {
        writer.write_record(row(report, flow).map(|cell| of_csv(&cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn row(report: &ReportDocument, flow: &ReportFlow) -> [String; 36] {
    let entry = &flow.flow;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let observation = &flow.evidence.seen;
    let address = observation.address.map(|it| it.to_string());
    let first = observation.attempts.first();
    let accepted = flow.accepted.as_ref();
    let port = match &entry.port {
        Port::One(port) => port.to_string(),
        Port::Range(range) => range.clone(),
        Port::None => String::new(),
    };
    [
        entry.id.clone(),
        entry.from.zone.clone(),
        text(&entry.from.system),
        entry.to.system.clone(),
        text(&entry.to.zone),
        text(&entry.to.name),
        entry.to.addresses.join(" "),
        address.unwrap_or_default(),
        port,
        entry.own_port.map_or_else(String::new, |it| it.to_string()),
        entry.transport.to_string(),
        entry.protocol.to_string(),
        entry.need.to_string(),
        flow.state.to_string(),
        flow.verdict.to_string(),
        flow.cause.to_string(),
        flow.level.to_string(),
        flow.owner.map_or_else(String::new, |it| it.to_string()),
        entry.crosses.join(" "),
        flow.remedy().map_or("", Remedy::name).to_string(),
        accepted.map_or_else(String::new, |it| it.until.clone()),
        accepted.map_or_else(String::new, |it| it.why.clone()),
        flow.lapsed
            .as_ref()
            .map_or_else(String::new, |it| it.until.clone()),
        entry.rules.join(" "),
        entry.why.to_string(),
        entry.breaks.to_string(),
        seen(flow),
        flow.advice.clone(),
        entry.confidence.to_string(),
        entry.source.as_deref().unwrap_or_default().to_string(),
        flow.evidence.attempts().count().to_string(),
        first.map_or_else(String::new, |it| it.at.to_string()),
        vantage(report, flow.vantage.unwrap_or(0)),
        entry.declared.file.clone(),
        entry.declared.line.to_string(),
        entry.declared.column.to_string(),
    ]
}
