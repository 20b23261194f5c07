//! The report as metrics, for the textfile collector of Prometheus' node exporter.
//!
//! Labels are bounded. Words of the program come from closed sets. Ids of flows are cut, and only flows that are needed,
//! or not as they must be, have series of their own. The rest is counted. What servers say is no label.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::diagnostic::visible;
use crate::observation::AttemptResult;
use crate::product::Need;
use crate::report::document::{ReportFlow, Vantage};
use crate::report::exit_status;
use crate::report::whole::ReportDocument;
use crate::verdict::{Cause, Verdict};

/// The longest value of a label, in characters.
const LABEL: usize = 200;

/// The report as metrics. With `strict`, faults of level `warning` count in the exit status.
pub fn prometheus(report: &ReportDocument, strict: bool) -> String {
    let mut metrics = Metrics::default();
    metrics.report(report, strict);
    metrics.into_text()
}

/// Metrics in the exposition format: of one report, or of several that a label tells apart.
#[derive(Default)]
pub struct Metrics {
    families: Vec<Family>,
    /// What every series is given from now on.
    of: Option<(&'static str, String)>,
}

/// The series of one metric.
struct Family {
    name: String,
    help: String,
    series: Vec<String>,
}

type Labels = Vec<(&'static str, String)>;

impl Metrics {
    /// From now on every series has this label, too.
    pub fn of(&mut self, label: (&'static str, String)) {
        self.of = Some(label);
    }

    /// Adds a report.
    pub fn report(&mut self, report: &ReportDocument, strict: bool) {
        let site = vec![("site", report.site.code.clone())];
        let tool = vec![
            ("site", report.site.code.clone()),
            ("product", report.site.product.clone()),
            ("version", report.tool.version.clone()),
        ];
        self.gauge(
            "info",
            "The site and the program that checked it.",
            [(tool, 1.0)],
        );
        let status = f64::from(exit_status(report, strict));
        let help = "What check says to the shell: 0 nothing is wrong, 1 something is, 3 something is unknown.";
        self.gauge("exit_status", help, [(site, status)]);
        self.runs(report);
        self.counts(report);
        self.flows(report);
    }

    /// Adds the series of a metric, each with its labels.
    pub fn gauge(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let of = self.of.clone();
        let lines = series.into_iter().map(|(labels, value)| {
            let labels = of.iter().chain(&labels);
            let labels: Vec<String> = labels
                .map(|(name, value)| format!("{name}=\"{}\"", label(value)))
                .collect();
            match labels.is_empty() {
                true => format!("portproof_{name} {value}"),
                false => format!("portproof_{name}{{{}}} {value}", labels.join(",")),
            }
        });
        let mut lines: Vec<String> = lines.collect();
        match self.families.iter_mut().find(|it| it.name == name) {
            Some(family) => family.series.append(&mut lines),
            None if lines.is_empty() => {}
            None => self.families.push(Family {
                name: name.to_string(),
                help: help.to_string(),
                series: lines,
            }),
        }
    }

    /// All of it as text, metric by metric.
    pub fn into_text(self) -> String {
        let mut out = String::new();
        for family in self.families {
            let Family { name, help, series } = family;
            let _ = writeln!(out, "# HELP portproof_{name} {help}");
            let _ = writeln!(out, "# TYPE portproof_{name} gauge");
            for line in series {
                let _ = writeln!(out, "{line}");
            }
        }
        out
    }

    /// The same, with the end that OpenMetrics asks for.
    pub fn into_open_metrics(self) -> String {
        self.into_text() + "# EOF\n"
    }

    fn runs(&mut self, report: &ReportDocument) {
        let of = |time: fn(&Vantage) -> &str| {
            let vantages = report.vantages.iter();
            vantages.filter_map(move |it| Some((vantage_labels(report, it), seconds(time(it))?)))
        };
        let help = "When the run began, in seconds since 1970.";
        self.gauge("run_start_timestamp_seconds", help, of(|it| &it.started));
        let help = "When the run ended, in seconds since 1970.";
        self.gauge("run_end_timestamp_seconds", help, of(|it| &it.finished));
    }

    fn counts(&mut self, report: &ReportDocument) {
        let mut counts: BTreeMap<(Need, &str), usize> = BTreeMap::new();
        for need in [Need::Required, Need::Optional, Need::Forbidden] {
            let verdicts = Verdict::ALL.iter().map(|it| it.name());
            for verdict in verdicts.chain([ACCEPTED]) {
                counts.insert((need, verdict), 0);
            }
        }
        for flow in &report.flows {
            *counts.entry((flow.flow.need, verdict(flow))).or_default() += 1;
        }
        let site = &report.site.code;
        let series = counts.iter().map(|((need, verdict), count)| {
            let labels = vec![
                ("site", site.clone()),
                ("need", need.to_string()),
                ("verdict", verdict.to_string()),
            ];
            (labels, as_number(*count))
        });
        self.gauge("flows", "Flows by need and verdict.", series);
        let untried = report.coverage.as_ref().map(|it| it.untried);
        let untried = untried.unwrap_or(report.flows_elsewhere);
        let help = "Flows of the site that nobody tried who may start them.";
        let labels = vec![("site", site.clone())];
        self.gauge("flows_untried", help, [(labels, as_number(untried))]);
        let mut notes: BTreeMap<Cause, usize> = BTreeMap::new();
        for note in &report.notes {
            *notes.entry(note.cause).or_default() += 1;
        }
        let notes = notes.iter().map(|(cause, count)| {
            let labels = vec![("site", site.clone()), ("cause", cause.to_string())];
            (labels, as_number(*count))
        });
        self.gauge("notes", "Remarks that change no verdict, by cause.", notes);
    }

    fn flows(&mut self, report: &ReportDocument) {
        let mut seen = BTreeMap::new();
        for flow in report.flows.iter().filter(|it| has_series(it)) {
            seen.entry(label(&flow.flow.id)).or_insert(flow);
        }
        let site = &report.site.code;
        let labels = |flow: &ReportFlow| -> Labels {
            vec![("site", site.clone()), ("flow", flow.flow.id.clone())]
        };
        let verdicts = seen.values().map(|flow| {
            let words = [
                ("need", flow.flow.need.to_string()),
                ("state", flow.state.to_string()),
                ("verdict", verdict(flow).to_string()),
                ("cause", flow.cause.to_string()),
                ("level", flow.level.to_string()),
            ];
            ([labels(flow), words.to_vec()].concat(), 1.0)
        });
        let help = "1 for the verdict that a flow has. Forbidden flows that are ok are left out.";
        self.gauge("flow_verdict", help, verdicts);
        let tries = seen.values();
        let tries = tries.map(|it| (labels(it), as_number(it.evidence.attempts().count())));
        self.gauge("flow_tries", "How often a flow was tried.", tries);
        let opened = seen.values();
        let opened = opened.filter_map(|it| Some((labels(it), opened_in(it)?)));
        let help = "How long the first connection took that opened, in seconds.";
        self.gauge("flow_connect_seconds", help, opened);
        let ends = seen.values().filter_map(|flow| {
            let leaf = flow.evidence.leaf()?;
            Some((labels(flow), since_1970(leaf.not_after?)))
        });
        let help = "When the certificate ends that was shown, in seconds since 1970.";
        self.gauge("certificate_not_after_timestamp_seconds", help, ends);
    }
}

/// The word of a flow that an exception accepts.
const ACCEPTED: &str = "accepted";

fn verdict(flow: &ReportFlow) -> &'static str {
    match &flow.accepted {
        Some(_) => ACCEPTED,
        None => flow.verdict.name(),
    }
}

/// Whether a flow has series of its own.
fn has_series(flow: &ReportFlow) -> bool {
    flow.flow.need != Need::Forbidden || flow.verdict != Verdict::Ok
}

fn vantage_labels(report: &ReportDocument, vantage: &Vantage) -> Labels {
    let mut labels = vec![
        ("site", report.site.code.clone()),
        ("zone", vantage.zone.clone()),
        ("system", vantage.system.clone().unwrap_or_default()),
        ("host", vantage.host.clone()),
    ];
    // Two that did not answer have no host to be told apart by.
    if let Some(agent) = &vantage.agent {
        labels.push(("agent", agent.name.clone()));
    }
    labels
}

/// How long the first connection took that opened.
fn opened_in(flow: &ReportFlow) -> Option<f64> {
    let mut tries = flow.evidence.attempts();
    let opened = tries.find(|it| it.result == AttemptResult::Open)?;
    Some(opened.took_ms / 1000.0)
}

fn seconds(time: &str) -> Option<f64> {
    time.parse().ok().map(since_1970)
}

/// A time as metrics have it: seconds since 1970.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of millennia are exact"
)]
pub fn since_1970(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "nobody has so many flows")]
fn as_number(count: usize) -> f64 {
    count as f64
}

/// A value between the quotes of a label.
fn label(text: &str) -> String {
    let short: String = text.chars().take(LABEL).collect();
    visible(&short).replace('\\', "\\\\").replace('"', "\\\"")
}
