//! The checks as a page and as JSON.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::{counted, visible};
use crate::report::{ReportDocument, STYLE, Summary, live_policy};
use crate::serve::board::Row;
use crate::serve::fleet::Member;

/// The schema of the list of checks.
const SCHEMA: &str = "portproof.checks/1";

/// The checks, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct ChecksDocument {
    /// `portproof.checks/1`.
    schema: &'static str,
    /// Each check.
    checks: Vec<CheckEntry>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct CheckEntry {
    /// Its name.
    name: String,
    /// The site's code; `null`: no run had a report yet.
    site: Option<String>,
    /// From where it is made, as in `perimeter as ibs01`.
    place: Option<String>,
    /// How its flows stand, by verdict.
    summary: Option<Summary>,
    /// The number of the last run.
    run: Option<i64>,
    /// When it ended, RFC 3339.
    ended: Option<String>,
    /// How many seconds it took.
    seconds: Option<i64>,
    /// Why it has no report; `null`: it has one.
    failure: Option<String>,
    /// When what must not pass was last tried, RFC 3339.
    last_whole: Option<String>,
    /// Since when a run is under way, RFC 3339.
    running_since: Option<String>,
    /// When the next run is due, RFC 3339.
    next: Option<String>,
    /// Why the site file is not used as it stands now.
    refused: Option<String>,
    /// Why the last run is not in the history; `null`: it is.
    unkept: Option<String>,
    /// Runs that were left out since the start.
    left_out: u64,
    /// The agents that try for it; none: this host tries alone.
    agents: Vec<AgentEntry>,
}

/// An agent of a check.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct AgentEntry {
    /// Its name.
    name: String,
    /// Where it stands, as in `perimeter as ibs01`.
    place: String,
    /// The host that it told; empty: it was not heard yet.
    host: String,
    /// The version of portproof that it runs; `null`: it was not heard yet.
    version: Option<String>,
    /// When its last report ended, RFC 3339.
    heard: Option<String>,
    /// Whether the last run had no report of it.
    lost: bool,
    /// What it proved in its last report, by verdict.
    summary: Summary,
}

impl ChecksDocument {
    pub(super) fn of(rows: &BTreeMap<String, Row>) -> Self {
        let checks = rows.iter().map(|(name, row)| entry(name, row));
        Self {
            schema: SCHEMA,
            checks: checks.collect(),
        }
    }
}

fn entry(name: &str, row: &Row) -> CheckEntry {
    let report = row.stands.as_ref().map(|it| &it.report);
    let last = row.last.as_ref();
    CheckEntry {
        name: name.to_string(),
        site: report.map(|it| it.site.code.clone()),
        place: report.and_then(ReportDocument::place),
        summary: report.map(|it| it.summary),
        run: last.map(|it| it.run),
        ended: last.map(|it| time(it.ended)),
        seconds: last.map(|it| it.seconds),
        failure: last.and_then(|it| it.failure.clone()),
        last_whole: row.last_whole.map(time),
        running_since: row.running_since.map(time),
        next: row.next.map(time),
        refused: row.refused.clone(),
        unkept: row.unkept.clone(),
        left_out: row.left_out,
        agents: row.fleet.iter().map(agent).collect(),
    }
}

fn agent((name, member): (&String, &Member)) -> AgentEntry {
    AgentEntry {
        name: name.clone(),
        place: member.place.clone(),
        host: member.host.clone(),
        version: member.version.clone(),
        heard: member.heard.map(time),
        lost: member.is_lost,
        summary: member.proved,
    }
}

fn time(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// The page of all checks.
#[derive(Template)]
#[template(path = "checks.html")]
struct Page {
    style: &'static str,
    policy: &'static str,
    is_live: bool,
    title: &'static str,
    version: &'static str,
    rows: Vec<Shown>,
    agents: Vec<ShownAgent>,
}

/// An agent on the page.
struct ShownAgent {
    /// What tells it from all others: the check and its name.
    key: String,
    name: String,
    check: String,
    place: String,
    host: String,
    version: String,
    heard: String,
    is_lost: bool,
    proved: Vec<(&'static str, usize)>,
}

/// A row of the page.
struct Shown {
    name: String,
    has_report: bool,
    site: String,
    place: String,
    stands: Vec<(&'static str, usize)>,
    last: String,
    next: String,
    remarks: Vec<String>,
}

/// The page of all checks.
///
/// # Errors
/// Only if memory cannot be written to.
pub(super) fn page(rows: &BTreeMap<String, Row>) -> Result<String, askama::Error> {
    let page = Page {
        style: STYLE,
        policy: live_policy(),
        is_live: true,
        title: "Checks of portproof",
        version: env!("CARGO_PKG_VERSION"),
        rows: rows.iter().map(|(name, row)| shown(name, row)).collect(),
        agents: rows.iter().flat_map(shown_agents).collect(),
    };
    page.render()
}

fn shown(name: &str, row: &Row) -> Shown {
    let entry = entry(name, row);
    let agents = entry.agents.len();
    let last = match (&entry.ended, entry.seconds, entry.run) {
        (Some(ended), Some(seconds), Some(run)) => format!("run {run}, {ended}, {seconds} s"),
        _ => "none yet".to_string(),
    };
    let next = match (&entry.running_since, &entry.next) {
        (Some(since), _) => format!("running since {since}"),
        (None, Some(next)) => next.clone(),
        (None, None) => "-".to_string(),
    };
    Shown {
        name: name.to_string(),
        has_report: entry.summary.is_some(),
        stands: entry.summary.map(by_verdict).unwrap_or_default(),
        remarks: remarks(&entry),
        site: or_dash(entry.site),
        place: match agents {
            0 => or_dash(entry.place),
            some => counted(some, "agent"),
        },
        last,
        next,
    }
}

fn shown_agents((check, row): (&String, &Row)) -> impl Iterator<Item = ShownAgent> {
    row.fleet.iter().map(move |it| {
        let entry = agent(it);
        ShownAgent {
            key: format!("{check} {}", entry.name),
            check: check.clone(),
            place: visible(&entry.place),
            host: or_dash(Some(entry.host).filter(|it| !it.is_empty())),
            version: or_dash(entry.version),
            heard: or_dash(entry.heard),
            is_lost: entry.lost,
            proved: by_verdict(entry.summary),
            name: visible(&entry.name),
        }
    })
}

fn or_dash(text: Option<String>) -> String {
    text.map_or_else(|| "-".to_string(), |it| visible(&it))
}

/// The verdicts that some flow has, the worst first.
fn by_verdict(summary: Summary) -> Vec<(&'static str, usize)> {
    let all = [
        ("blocked", summary.blocked),
        ("wrong", summary.wrong),
        ("down", summary.down),
        ("exposed", summary.exposed),
        ("unknown", summary.unknown),
        ("accepted", summary.accepted),
        ("ok", summary.ok),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn remarks(entry: &CheckEntry) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(why) = &entry.failure {
        all.push(format!("The last run has no report: {}", visible(why)));
    }
    if let Some(why) = &entry.refused {
        let first = why.lines().next().unwrap_or_default();
        all.push(format!(
            "Its files cannot be used as they stand: {}",
            visible(first)
        ));
    }
    if let Some(why) = &entry.unkept {
        all.push(format!(
            "The last run is not in the history: {}",
            visible(why)
        ));
    }
    if entry.left_out > 0 {
        all.push(format!(
            "{} runs were left out: it takes longer than from one run to the next",
            entry.left_out
        ));
    }
    if let (Some(whole), Some(_)) = (&entry.last_whole, &entry.summary) {
        all.push(format!("What must not pass was last tried at {whole}"));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::sample;
    use crate::serve::board::{Last, Standing};

    #[test]
    fn what_others_wrote_is_text_on_the_page() {
        let mut report = sample::report("internet", "probe7");
        report.site.code = "<script>alert(1)</script>".to_string();
        report.vantages[0].zone = "\"><img src=x>".to_string();
        let row = Row {
            stands: Some(Arc::new(Standing::new(report))),
            last: Some(Last {
                run: 3,
                ended: Timestamp::UNIX_EPOCH,
                seconds: 2,
                failure: Some("<b>\u{1b}[2J".to_string()),
            }),
            refused: Some("probes.yaml:1:7: error: <i>\nmore".to_string()),
            ..Row::default()
        };
        let page = page(&BTreeMap::from([("dmz".to_string(), row)])).expect("a page");
        for mark in ["<script>", "<img", "<b>", "<i>", "\u{1b}"] {
            assert!(!page.contains(mark), "{mark}: {page}");
        }
        assert!(page.contains("href=\"/checks/dmz\""), "{page}");
        assert!(page.contains("run 3, 1970-01-01T00:00:00Z, 2 s"), "{page}");
    }

    #[test]
    fn each_agent_has_a_row_and_one_that_is_lost_says_so() {
        let member = |is_lost| Member {
            place: "perimeter as ibs01".to_string(),
            host: "<web7>".to_string(),
            version: Some("1.2.0".to_string()),
            heard: Some(Timestamp::UNIX_EPOCH),
            is_lost,
            proved: Summary {
                ok: 3,
                ..Summary::default()
            },
        };
        let of = |is_lost| {
            let fleet = BTreeMap::from([("dmz".to_string(), member(is_lost))]);
            let row = Row {
                fleet,
                ..Row::default()
            };
            page(&BTreeMap::from([("all".to_string(), row)])).expect("a page")
        };
        let page = of(false);
        for part in [
            "1 agent",
            "perimeter as ibs01",
            "1.2.0",
            "1970-01-01T00:00:00Z",
            "3 ok",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(
            !page.contains("<web7>") && !page.contains("did not answer"),
            "{page}"
        );
        assert!(of(true).contains("did not answer in the last run"));
    }

    #[test]
    fn a_check_without_a_run_has_no_link() {
        let rows = BTreeMap::from([("dmz".to_string(), Row::default())]);
        let page = page(&rows).expect("a page");
        assert!(!page.contains("href"), "{page}");
        assert!(page.contains("none yet"), "{page}");
    }
}
