//! A message for Alertmanager, as its API v2 takes it at `/api/v2/alerts`.
//!
//! Each flow is one alert, because Alertmanager groups, silences and clears by itself. Its labels are the site, the place
//! and the flow: what is raised and what is cleared have the same. Verdict, cause and owner may change meanwhile, so they
//! are annotations. Alertmanager takes an alert that nobody repeats for over after 5 minutes. So one that is raised says
//! that it ends in a year, and the message that clears it says that it ended now.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Message;
use super::message::Entry;
use super::words;

/// How long an alert lasts that nobody clears.
const LASTS: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How long a test lasts.
const TEST_LASTS: SignedDuration = SignedDuration::from_mins(5);

/// One alert.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Timestamp>,
    ends_at: Timestamp,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

/// The alerts of a message; empty where it has nothing to say.
pub(super) fn alerts(message: &Message) -> Vec<Alert> {
    let mut all = Vec::new();
    all.extend(message.raised.iter().map(|it| raised(message, it)));
    let others = message.raised_others.iter();
    all.extend(others.map(|id| of_flow(message, id, Turn::Raised(LASTS))));
    let cleared = message.cleared.iter().map(|it| &it.flow);
    let cleared = cleared.chain(&message.cleared_others);
    let cleared = cleared.chain(&message.accepted_others);
    all.extend(cleared.map(|id| of_flow(message, id, Turn::Cleared)));
    let of_run = |turn| with(message, labels(message, "PortproofCheck"), turn);
    if message.failure.is_some() {
        all.push(of_run(Turn::Raised(LASTS)));
    }
    if message.recovered {
        all.push(of_run(Turn::Cleared));
    }
    if message.test {
        let labels = labels(message, "PortproofTest");
        all.push(with(message, labels, Turn::Raised(TEST_LASTS)));
    }
    all
}

/// What becomes of an alert.
#[derive(Clone, Copy)]
enum Turn {
    /// It holds, and for how long when nobody clears it.
    Raised(SignedDuration),
    /// It ended.
    Cleared,
}

fn raised(message: &Message, entry: &Entry) -> Alert {
    let mut alert = of_flow(message, &entry.flow, Turn::Raised(LASTS));
    let owner = entry.owner.map(|it| it.to_string());
    let words = [
        ("summary", Some(words::title(entry))),
        ("verdict", Some(entry.verdict.to_string())),
        ("cause", Some(entry.cause.to_string())),
        ("owner", owner),
        ("firewall", entry.firewall.clone()),
        ("seen", Some(entry.evidence.clone())),
        ("advice", Some(entry.advice.clone())),
    ];
    let words = words.into_iter().filter_map(|(key, it)| Some((key, it?)));
    alert.annotations.extend(words);
    alert
}

fn of_flow(message: &Message, id: &str, turn: Turn) -> Alert {
    let mut labels = labels(message, "PortproofFlow");
    labels.insert("flow", id.to_string());
    with(message, labels, turn)
}

fn labels(message: &Message, name: &str) -> BTreeMap<&'static str, String> {
    let about = &message.about;
    BTreeMap::from([
        ("alertname", name.to_string()),
        ("site", about.site.clone()),
        ("place", about.place.clone()),
    ])
}

fn with(message: &Message, labels: BTreeMap<&'static str, String>, turn: Turn) -> Alert {
    let now = message.about.time;
    let (starts_at, ends_at) = match turn {
        Turn::Raised(lasts) => (
            Some(now),
            now.saturating_add(lasts).unwrap_or(Timestamp::MAX),
        ),
        Turn::Cleared => (None, now),
    };
    Alert {
        labels,
        annotations: BTreeMap::from([("headline", message.headline.clone())]),
        starts_at,
        ends_at,
        generator_url: message.about.url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::alert::message::sample_about;
    use crate::report::sample::{flow, judged};

    fn json(message: &Message) -> Value {
        serde_json::to_value(alerts(message)).expect("JSON")
    }

    #[test]
    fn what_is_raised_and_what_clears_it_have_the_same_labels() {
        let id = "internet>ibs01:443/tcp";
        let wrong = judged(
            id,
            ["required", "filtered", "blocked", "no-answer", "error"],
        );
        let raised = json(&Message::of(sample_about(), &[&wrong], &[]));
        let cleared = json(&Message::of(sample_about(), &[], &[&flow(id)]));
        let labels =
            json!({ "alertname": "PortproofFlow", "site": "PRI", "place": "internet", "flow": id });
        assert_eq!(raised[0]["labels"], labels);
        assert_eq!(cleared[0]["labels"], labels);
        assert_eq!(raised[0]["startsAt"], "2026-11-29T08:57:19Z");
        assert_eq!(raised[0]["endsAt"], "2027-11-29T08:57:19Z");
        assert_eq!(cleared[0]["endsAt"], "2026-11-29T08:57:19Z");
        assert_eq!(cleared[0].get("startsAt"), None);
    }

    #[test]
    fn every_flow_of_a_large_change_can_be_cleared() {
        let flows: Vec<_> = (1..=120)
            .map(|port| flow(&format!("internet>ibs01:{port}/tcp")))
            .collect();
        let flows: Vec<_> = flows.iter().collect();
        let raised = alerts(&Message::of(sample_about(), &flows, &[]));
        let cleared = alerts(&Message::of(sample_about(), &[], &flows));
        let labels = |all: &[Alert]| all.iter().map(|it| it.labels.clone()).collect::<Vec<_>>();
        assert_eq!(raised.len(), 120);
        assert_eq!(labels(&raised), labels(&cleared));
    }

    #[test]
    fn a_check_without_a_report_is_an_alert_until_there_is_one() {
        let failed = json(&Message::failed(sample_about(), "no site file"));
        let recovered = json(&Message::recovered(sample_about()));
        assert_eq!(failed[0]["labels"]["alertname"], "PortproofCheck");
        assert_eq!(failed[0]["labels"], recovered[0]["labels"]);
        assert_eq!(
            failed[0]["annotations"]["headline"],
            "the check has no report: no site file"
        );
        let test = json(&Message::test(sample_about()));
        assert_eq!(test[0]["labels"]["alertname"], "PortproofTest");
        assert_eq!(test[0]["endsAt"], "2026-11-29T09:02:19Z");
    }
}
