//! What was seen of a flow, in one sentence.

use super::delivery;
use super::said::{painted, said};
use super::way::{path_words, rejected, reset, translator_words};
use crate::observation::{
    Certificate, FlowState, HttpSeen, Intercepted, Listener, Observation, Presented, RoleProof,
    Spoken, State, TlsSeen, Weight,
};
use crate::product::Need;
use crate::report::document::ReportFlow;

/// What was seen of a flow, in one sentence; with whatever the wire said, so not yet fit for a terminal.
pub fn seen(flow: &ReportFlow) -> String {
    let seen = &flow.evidence.seen;
    if let (State::Stopped(stop), Some(url)) = (&seen.state, &seen.via) {
        return format!("the proxy {url} {}", stop.said);
    }
    let tries = seen.attempts.len();
    let first = seen.attempts.first();
    let to = first.map_or_else(String::new, |first| format!(" ({})", first.remote));
    let mut text = match flow.state {
        FlowState::Filtered => format!(
            "silence after {tries} tries{to}{}, {:.4} % confidence",
            witnessed(seen),
            seen.confidence.unwrap_or(0.0) * 100.0
        ),
        FlowState::Silent if seen.held_back => format!(
            "silence after {tries} tries{to}; a router on the way rejects other ports with few \
             words, so this may be one that it held back"
        ),
        FlowState::Silent => format!(
            "silence after {tries} tries{to}{}, which is not yet proof",
            witnessed(seen)
        ),
        FlowState::Closed => reset(seen, &to),
        FlowState::Open => format!("open{to}"),
        FlowState::Rejected => rejected(flow),
        other => format!("{other}{to}"),
    };
    if let Some(url) = &seen.via {
        text += &format!(" through the proxy {url}");
    }
    for words in beyond_the_state(flow) {
        text += &format!("; {words}");
    }
    text
}

/// What else is told of a flow, part by part.
fn beyond_the_state(flow: &ReportFlow) -> Vec<String> {
    let (evidence, seen) = (&flow.evidence, &flow.evidence.seen);
    let mut parts = Vec::new();
    match &evidence.earlier {
        Some(words) => parts.extend(words.iter().cloned()),
        None => {
            parts.extend(said(seen).map(|said| format!("it {said}")));
            let lost = seen.delivery.as_deref().filter(|it| it.lost.is_some());
            parts.extend(lost.map(delivery::words));
            parts.extend(seen.painted.map(painted));
        }
    }
    parts.extend(seen.listener.as_deref().map(listener_words));
    parts.extend(seen.spoken.as_deref().map(spoken_words));
    if let Some(all) = seen.conversations {
        parts.push(format!(
            "so on {} of {} connections: several servers may share the address, and not all are \
             alike",
            all.failed, all.held
        ));
    }
    if let Some(ports) = seen.source_ports.filter(|ports| ports.blocked > 0) {
        parts.push(format!(
            "of {} source ports {} pass and {} do not",
            ports.tried, ports.open, ports.blocked
        ));
    }
    if let Some(router) = seen.dead_by {
        // A device that translates writes the address that it looked for into its message.
        let router = match evidence.is_translating(router) {
            true => translator_words(flow),
            false => router.to_string(),
        };
        let system = &flow.flow.to.system;
        parts.push(format!("{router}, looked for {system} and did not find it"));
    }
    parts.extend(path_words(evidence, &flow.flow.to.system));
    if let Some(tls) = &seen.tls {
        parts.extend(tls.chain.first().map(|leaf| leaf_words(leaf, tls)));
        parts.extend(tls_words(tls));
    }
    let faulty = seen.lists.iter().filter(|list| !list.faults.is_empty());
    parts.extend(faulty.map(|list| format!("{}: {}", list.url, list.faults.join(", "))));
    if let Some(http) = &seen.http {
        parts.push(format!("{} {} {}", http.version, http.status, http.reason));
        parts.extend(http_words(http));
    }
    if let Some(control) = evidence.context.control
        && flow.flow.need == Need::Forbidden
    {
        let alive = evidence.joined.as_ref();
        let alive = alive.map(|alive| format!(" ({}, {})", alive.words, alive.at));
        parts.push(format!("control: {control}{}", alive.unwrap_or_default()));
    }
    if let Some(alive) = evidence
        .joined
        .as_ref()
        .filter(|_| flow.flow.need != Need::Forbidden)
    {
        parts.push(alive.words.clone());
    }
    parts.extend(evidence.arrived.iter().map(|arrived| arrived.words.clone()));
    parts
}

fn leaf_words(leaf: &Certificate, tls: &TlsSeen) -> String {
    let until = leaf.not_after.map(|end| format!(", valid until {end}"));
    format!(
        "certificate for {}, asked for {}{}",
        leaf.names.join(", "),
        tls.asked_for.as_deref().unwrap_or("no name"),
        until.unwrap_or_default()
    )
}

/// What TLS showed beside the certificate: age, further faults, whoever intercepts, and client certificates.
fn tls_words(tls: &TlsSeen) -> Vec<String> {
    let mut parts = Vec::new();
    let session = [tls.version.as_deref(), tls.cipher.as_deref()];
    let session: Vec<&str> = session.into_iter().flatten().collect();
    let session = session.join(" ");
    if !session.is_empty() && !tls.key_proven {
        parts.push(format!("{session}, the chain is presented, not proven"));
    } else if !session.is_empty() && tls.by_old_client {
        parts.push(format!("by {session} (TLS of the past)"));
    }
    parts.extend(tls.refused_clients.clone().or(tls.refused_1_2.clone()));
    let faults = tls
        .faults
        .iter()
        .filter(|fault| fault.weight != Weight::Note);
    let faults: Vec<&str> = faults.map(|fault| fault.words.as_str()).collect();
    if !faults.is_empty() {
        parts.push(format!("the certificate: {}", faults.join("; ")));
    }
    if let Some(interception) = &tls.interception
        && let Some(by) = &interception.by
    {
        let is = match interception.is {
            Intercepted::Proved => "intercepted",
            _ => "perhaps intercepted",
        };
        parts.push(format!("{is} by {by}: {}", interception.because));
    }
    parts.extend(
        tls.ends
            .as_ref()
            .map(|end| format!("TLS ends at {}", end.at)),
    );
    let ours = match &tls.presented {
        Presented::NotAsked => return parts,
        Presented::None => "none",
        Presented::Sent => "sent",
        Presented::Taken => "taken",
        Presented::Refused(alert) => &format!("refused: {alert}"),
        Presented::HungUp => "hung-up",
    };
    parts.push(format!("a client certificate was asked for, ours: {ours}"));
    parts
}

/// What a web server showed beyond its root page.
fn http_words(http: &HttpSeen) -> Vec<String> {
    let mut parts = Vec::new();
    for role in &http.roles {
        let proof = match role.proof {
            RoleProof::Proved => "is there",
            RoleProof::Reached => "answers",
            RoleProof::Missing => "is not there",
            RoleProof::ServerError | RoleProof::PartlyServerError => "fails",
            RoleProof::Redirected => "sends elsewhere",
            RoleProof::Unproved | RoleProof::Forbidden | RoleProof::CertificateWanted => {
                "is not proved"
            }
        };
        parts.push(format!("the {} {proof}: {}", role.role, role.words));
        if !role.other_names.is_empty() {
            let names = role.other_names.join(", ");
            parts.push(format!("its list of management points names {names}"));
        }
        let differs = role.differs.iter();
        parts.extend(
            differs.map(|it| format!("its list says {}, the site file says {}", it.site, it.file)),
        );
    }
    let findings = http.meddling.iter();
    parts.extend(findings.map(|it| it.words.trim_end_matches('.').to_string()));
    parts
}

/// What a service said of itself, and which of the dynamic ports that were named do not answer.
fn spoken_words(spoken: &Spoken) -> String {
    let facts = spoken.facts.iter();
    let facts: Vec<String> = facts
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let mut text = spoken.protocol.to_string();
    if !facts.is_empty() {
        text += &format!(": {}", facts.join(", "));
    }
    let silent: Vec<String> = spoken
        .ports
        .iter()
        .filter(|port| port.seen.state != State::Open || said(&port.seen).is_some())
        .map(|port| format!("{} {}", port.port, port.seen.word()))
        .collect();
    let tried = spoken.ports.len();
    match (tried, silent.is_empty()) {
        (0, _) => {}
        (_, true) => text += &format!("; all {tried} dynamic ports speak"),
        (_, false) => {
            text += &format!(
                "; of {tried} dynamic ports these do not: {}",
                silent.join(", ")
            );
        }
    }
    text
}

/// What a listener proved, and what the network did to the addresses on the way.
fn listener_words(listener: &Listener) -> String {
    let mut text = format!(
        "the listener of {} got it at {} from {}",
        listener.system, listener.accepted_at, listener.seen_from
    );
    let changed = [
        (listener.has_other_source(), "source address"),
        (listener.has_other_source_port(), "source port"),
        (listener.has_other_destination(), "destination address"),
        (listener.has_other_port(), "destination port"),
    ];
    let changed: Vec<&str> = changed
        .into_iter()
        .filter_map(|(is, what)| is.then_some(what))
        .collect();
    if !changed.is_empty() {
        text += &format!(" (translated on the way: {})", changed.join(", "));
    }
    text
}

/// How many silent tries count, because something on the same way answered shortly before and after them.
fn witnessed(seen: &Observation) -> String {
    let tries = seen
        .witnessed
        .map(|tries| format!(", {tries} of them between answers on the same way"));
    tries.unwrap_or_default()
}
