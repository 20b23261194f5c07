//! All checks as metrics.

use std::collections::BTreeMap;

use crate::report::{Metrics, since_1970};
use crate::serve::board::Row;
use crate::serve::fleet::Member;

/// What Prometheus is told that it is.
pub(super) const CONTENT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn text(rows: &BTreeMap<String, Row>) -> String {
    let mut metrics = Metrics::default();
    for (name, row) in rows {
        metrics.of(("check", name.clone()));
        of_check(&mut metrics, row);
        of_agents(&mut metrics, row);
        if let Some(stands) = &row.stands {
            metrics.report(&stands.report, false);
        }
    }
    metrics.into_open_metrics()
}

fn of_check(metrics: &mut Metrics, row: &Row) {
    let mut gauge = |name: &str, help: &str, value: Option<f64>| {
        metrics.gauge(name, help, value.map(|value| (Vec::new(), value)));
    };
    let whether = |it: bool| Some(f64::from(it));
    gauge(
        "check_running",
        "Whether a run is under way.",
        whether(row.running_since.is_some()),
    );
    gauge(
        "check_failed",
        "Whether the last run has no report.",
        row.last
            .as_ref()
            .and_then(|it| whether(it.failure.is_some())),
    );
    gauge(
        "check_site_file_refused",
        "Whether the site file is not used as it stands now.",
        whether(row.refused.is_some()),
    );
    gauge(
        "check_unkept",
        "Whether the last run is not in the history.",
        whether(row.unkept.is_some()),
    );
    gauge(
        "check_last_run_timestamp_seconds",
        "When the last run ended, in seconds since 1970.",
        row.last.as_ref().map(|it| since_1970(it.ended)),
    );
    gauge(
        "check_duration_seconds",
        "How long the last run took.",
        row.last.as_ref().map(|it| whole(it.seconds)),
    );
    gauge(
        "check_next_run_timestamp_seconds",
        "When the next run is due, in seconds since 1970.",
        row.next.map(since_1970),
    );
}

fn of_agents(metrics: &mut Metrics, row: &Row) {
    let mut gauge = |name: &str, help: &str, value: fn(&Member) -> Option<f64>| {
        let of = |(agent, member): (&String, &Member)| {
            let labels = vec![("agent", agent.clone()), ("place", member.place.clone())];
            Some((labels, value(member)?))
        };
        metrics.gauge(name, help, row.fleet.iter().filter_map(of));
    };
    gauge(
        "agent_lost",
        "Whether the last run had no report of the agent.",
        |it| Some(f64::from(it.is_lost)),
    );
    gauge(
        "agent_last_report_timestamp_seconds",
        "When the last report of the agent ended, in seconds since 1970.",
        |it| it.heard.map(since_1970),
    );
}

#[expect(clippy::cast_precision_loss, reason = "seconds of millennia are exact")]
fn whole(seconds: i64) -> f64 {
    seconds as f64
}
