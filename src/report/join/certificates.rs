//! Whether one service shows different certificates to different vantages, at the same name and port.
//!
//! What a run could tell of its own (a pin, an authority that the site file names) stands. Where it could not, another
//! vantage's certificate is something to compare with, and a claim is no larger than what it rests on:
//!
//! 1. The same certificate was shown elsewhere: it is the service's own, as far as no device stands before both.
//! 2. Elsewhere the service showed one that is proved to be its own. This one has another issuer and leads to no
//!    authority at all: it is intercepted, by that issuer.
//! 3. Elsewhere it showed one by another issuer, without such proof, or this one leads to an authority of the system's:
//!    suspected, no more. Hosts may share a name.
//! 4. The same issuer's other certificate: several hosts behind one name, or a renewal. A note.
//!
//! Certificates that were seen more than a day apart are not compared: between two days they are renewed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::rejudge::{place, rejudge};
use super::together::FAR;
use crate::observation::{Intercepted, Interception, Service, State, TlsSeen};
use crate::product::Need;
use crate::report::document::{Devices, Note, ReportFlow};
use crate::report::whole::ReportDocument;
use crate::verdict::{Cause, Verdict};

/// System, name that was asked for, port and transport.
type Key = (String, Option<String>, String);

/// What one vantage was shown.
#[derive(Clone)]
struct Shown {
    vantage: usize,
    started: Option<Timestamp>,
    from: String,
    sha256: String,
    issuer: String,
    /// Whether the run itself proved that it is the service's own.
    own: bool,
}

/// Compares certificates; flows that are intercepted are judged again.
pub(super) fn compare(reports: &mut [ReportDocument]) -> Vec<Note> {
    let all = shown(reports);
    for (number, report) in reports.iter_mut().enumerate() {
        let started = report.vantages[0].started.parse().ok();
        for flow in &mut report.flows {
            if let Some(others) = key(flow).and_then(|key| all.get(&key)) {
                let elsewhere: Vec<&Shown> = others
                    .iter()
                    .filter(|other| other.vantage != number && is_same_day(started, other.started))
                    .collect();
                look_at(flow, &elsewhere, &report.devices);
            }
        }
    }
    let sorted: BTreeMap<_, _> = all.iter().collect();
    sorted
        .into_iter()
        .filter_map(|(key, shown)| several(key, shown))
        .collect()
}

fn shown(reports: &[ReportDocument]) -> HashMap<Key, Vec<Shown>> {
    let mut all: HashMap<Key, Vec<Shown>> = HashMap::new();
    for (number, report) in reports.iter().enumerate() {
        let vantage = &report.vantages[0];
        for flow in &report.flows {
            let (Some(key), Some(tls)) = (key(flow), &flow.evidence.seen.tls) else {
                continue;
            };
            let Some(leaf) = tls.chain.first() else {
                continue;
            };
            all.entry(key).or_default().push(Shown {
                vantage: number,
                started: vantage.started.parse().ok(),
                from: place(vantage),
                sha256: leaf.sha256.clone(),
                issuer: leaf.issuer.clone(),
                own: is(tls) == Some(Intercepted::No),
            });
        }
    }
    all
}

fn key(flow: &ReportFlow) -> Option<Key> {
    let tls = flow.evidence.seen.tls.as_ref()?;
    tls.chain.first()?;
    Some((
        flow.flow.to.system.clone(),
        tls.asked_for.clone(),
        flow.flow.service(),
    ))
}

fn is(tls: &TlsSeen) -> Option<Intercepted> {
    tls.interception.as_ref().map(|it| it.is)
}

fn is_same_day(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.duration_since(b).abs() <= FAR,
        _ => false,
    }
}

/// Writes down what the others' certificates say of this flow's.
fn look_at(flow: &mut ReportFlow, elsewhere: &[&Shown], devices: &Devices) {
    let Some(tls) = flow.evidence.seen.tls.as_mut() else {
        return;
    };
    let Some(leaf) = tls.chain.first() else {
        return;
    };
    if elsewhere.is_empty() || matches!(is(tls), Some(Intercepted::No | Intercepted::Proved)) {
        return;
    }
    let of_another = |shown: &&&Shown| shown.issuer != leaf.issuer;
    let same = elsewhere.iter().find(|shown| shown.sha256 == leaf.sha256);
    let own = elsewhere.iter().filter(|shown| shown.own).find(of_another);
    let one_issuer = elsewhere.iter().find(|shown| shown.issuer == leaf.issuer);
    let found = match (same, own, one_issuer, elsewhere.iter().find(of_another)) {
        (Some(same), _, _, _) => found(
            Intercepted::No,
            None,
            format!("{} was shown the same certificate", same.from),
        ),
        (None, Some(own), _, _) if tls.root.is_none() => found(
            Intercepted::Proved,
            Some(&leaf.issuer),
            format!(
                "{} was shown the service's own certificate, by {}; this one leads to no authority \
                 that is known",
                own.from, own.issuer
            ),
        ),
        // What the run suspected by itself says more.
        _ if is(tls) == Some(Intercepted::Suspected) => return,
        (None, Some(other), _, _) | (None, None, None, Some(other)) => found(
            Intercepted::Suspected,
            Some(&leaf.issuer),
            format!("{} was shown a certificate by {}", other.from, other.issuer),
        ),
        (None, None, Some(other), _) => found(
            Intercepted::Undecided,
            None,
            format!(
                "{} was shown another certificate of the same issuer",
                other.from
            ),
        ),
        (None, None, None, None) => return,
    };
    let proved = found.is == Intercepted::Proved;
    tls.interception = Some(found);
    if proved && tls.ends.is_none() {
        judge_as_intercepted(flow, devices);
    }
}

fn found(is: Intercepted, by: Option<&String>, because: String) -> Interception {
    Interception {
        is,
        by: by.cloned(),
        because: because.into(),
    }
}

/// What is worse than an intercepted service, such as one that some source ports do not reach, stays.
fn judge_as_intercepted(flow: &mut ReportFlow, devices: &Devices) {
    let answers = [Verdict::Ok, Verdict::Wrong];
    let is_needed = flow.flow.need != Need::Forbidden;
    let is_open = flow.evidence.seen.state == State::Open;
    if is_open && is_needed && answers.contains(&flow.verdict) {
        // The service itself said what it said, and so it stays in the evidence.
        let said = flow.evidence.seen.service.clone();
        rejudge(flow, devices, |evidence| {
            evidence.seen.service = Some(Service::Intercepted)
        });
        flow.evidence.seen.service = said;
    }
}

/// A note where vantages were shown several certificates of one issuer.
fn several((system, name, service): &Key, shown: &[Shown]) -> Option<Note> {
    let mut by_issuer: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for it in shown {
        let leaves = by_issuer.entry(&it.issuer).or_default();
        leaves.entry(&it.sha256).or_default().insert(&it.from);
    }
    let (issuer, leaves) = by_issuer.into_iter().find(|(_, leaves)| leaves.len() > 1)?;
    let seen: Vec<String> = leaves
        .iter()
        .map(|(sha256, from)| {
            let short: String = sha256.chars().take(16).collect();
            let from: Vec<&str> = from.iter().copied().collect();
            format!("{short}... from {}", from.join(", "))
        })
        .collect();
    Some(Note {
        cause: Cause::CertificatesDiffer,
        system: system.clone(),
        text: format!(
            "{system} shows several certificates of one issuer ({issuer}) on {service} for {}: {}. \
             Several hosts behind one name do that, and a renewal does.",
            name.as_deref().unwrap_or("no name"),
            seen.join("; ")
        ),
    })
}
