//! What was seen of a flow, in one sentence.

use super::way::{path_words, rejected, reset, translator_words};
use crate::observation::{FlowState, HttpSeen, Intercepted, RoleProof, Weight};
use crate::product::Need;
use crate::report::document::{Evidence, Listener, Proxy, ReportFlow, Spoken, Tls};

/// What was seen of a flow, in one sentence; with whatever the wire said, so not yet fit for a terminal.
pub fn seen(flow: &ReportFlow) -> String {
    let evidence = &flow.evidence;
    // Those of the address that decided stand first.
    let host = |remote: &str| remote.rsplit_once(':').map(|(host, _)| host.to_string());
    let decided = evidence
        .attempts
        .first()
        .and_then(|first| host(&first.remote));
    let tries = evidence
        .attempts
        .iter()
        .filter(|attempt| host(&attempt.remote) == decided)
        .count();
    let to = evidence
        .attempts
        .first()
        .map(|attempt| format!(" ({})", attempt.remote))
        .unwrap_or_default();
    if let Some(Proxy {
        url,
        said: Some(said),
    }) = &evidence.proxy
    {
        return format!("the proxy {url} {said}");
    }
    let mut text = match flow.state {
        FlowState::Filtered => format!(
            "silence after {tries} tries{to}{}, {:.4} % confidence",
            witnessed(evidence),
            evidence.confidence.unwrap_or(0.0) * 100.0
        ),
        FlowState::Silent if evidence.held_back => format!(
            "silence after {tries} tries{to}; a router on the way rejects other ports with few \
             words, so this may be one that it held back"
        ),
        FlowState::Silent => format!(
            "silence after {tries} tries{to}{}, which is not yet proof",
            witnessed(evidence)
        ),
        FlowState::Closed => reset(evidence, &to),
        FlowState::Open => format!("open{to}"),
        FlowState::Rejected => rejected(flow),
        other => format!("{other}{to}"),
    };
    if let Some(proxy) = &evidence.proxy {
        text += &format!(" through the proxy {}", proxy.url);
    }
    if let Some(said) = &evidence.said {
        text += &format!("; it {said}");
    }
    if let Some(delivery) = evidence.delivery.as_ref().filter(|it| it.lost.is_some()) {
        text += &format!("; {}", delivery.words);
    }
    if let Some(listener) = &evidence.listener {
        text += &listener_words(listener);
    }
    if let Some(spoken) = &evidence.spoken {
        text += &spoken_words(spoken);
    }
    if let Some(all) = evidence.conversations {
        text += &format!(
            "; so on {} of {} connections: several servers may share the address, and not all are \
             alike",
            all.failed, all.held
        );
    }
    if let Some(ports) = evidence.ports.filter(|ports| ports.blocked > 0) {
        text += &format!(
            "; of {} source ports {} pass and {} do not",
            ports.tried, ports.open, ports.blocked
        );
    }
    if let Some(painted) = &evidence.painted {
        text += &format!("; {painted}");
    }
    if let Some(router) = &evidence.dead_by {
        let system = &flow.flow.to.system;
        // A device that translates writes the address that it looked for into its message.
        let is_asked = decided
            .as_deref()
            .is_some_and(|asked| asked.trim_matches(['[', ']']) == router);
        let router = match is_asked {
            true => translator_words(flow),
            false => router.clone(),
        };
        text += &format!("; {router}, looked for {system} and did not find it");
    }
    if let Some(path) = &evidence.path {
        text += &path_words(path, &flow.flow.to.system);
    }
    if let Some(tls) = &evidence.tls {
        if let Some(leaf) = tls.chain.first() {
            text += &format!(
                "; certificate for {}, asked for {}",
                leaf.names.join(", "),
                tls.asked_for.as_deref().unwrap_or("no name")
            );
            text += &leaf
                .not_after
                .as_ref()
                .map(|end| format!(", valid until {end}"))
                .unwrap_or_default();
        }
        text += &tls_words(tls);
    }
    for list in evidence.lists.iter().filter(|list| !list.faults.is_empty()) {
        text += &format!("; {}: {}", list.url, list.faults.join(", "));
    }
    if let Some(http) = &evidence.http {
        text += &format!("; {} {} {}", http.version, http.status, http.reason);
        text += &http_words(http);
    }
    if let Some(control) = &evidence.control
        && flow.flow.need == Need::Forbidden
    {
        text += &format!("; control: {control}");
        if let Some(alive) = &evidence.joined {
            text += &format!(" ({}, {})", alive.words, alive.at);
        }
    }
    if let Some(arrived) = &evidence.arrived {
        text += &format!("; {}", arrived.words);
    }
    text
}

/// What TLS showed beside the certificate: age, further faults, whoever intercepts, and client certificates.
fn tls_words(tls: &Tls) -> String {
    let mut text = String::new();
    let session = [tls.version.as_deref(), tls.cipher.as_deref()];
    let session: Vec<&str> = session.into_iter().flatten().collect();
    if !session.is_empty() && tls.key != "proven" {
        text += &format!("; {}, the chain is {}", session.join(" "), tls.key);
    } else if !session.is_empty() && tls.by_old_client {
        text += &format!("; by {} (TLS of the past)", session.join(" "));
    }
    if let Some(refused) = tls.refused_clients.as_ref().or(tls.refused_1_2.as_ref()) {
        text += &format!("; {refused}");
    }
    let faults = tls
        .faults
        .iter()
        .filter(|fault| fault.weight != Weight::Note);
    let faults: Vec<&str> = faults.map(|fault| fault.words.as_str()).collect();
    if !faults.is_empty() {
        text += &format!("; the certificate: {}", faults.join("; "));
    }
    if let Some(interception) = &tls.interception
        && let Some(by) = &interception.by
    {
        let is = match interception.is {
            Intercepted::Proved => "intercepted",
            _ => "perhaps intercepted",
        };
        text += &format!("; {is} by {by}: {}", interception.because);
    }
    if let Some(at) = &tls.ends {
        text += &format!("; TLS ends at {at}");
    }
    if let Some(ours) = &tls.client_certificate.ours {
        text += &format!("; a client certificate was asked for, ours: {ours}");
    }
    text
}

/// What a web server showed beyond its root page.
fn http_words(http: &HttpSeen) -> String {
    let mut text = String::new();
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
        text += &format!("; the {} {proof}: {}", role.role, role.words);
        if !role.other_names.is_empty() {
            let names = role.other_names.join(", ");
            text += &format!("; its list of management points names {names}");
        }
    }
    for finding in &http.meddling {
        text += &format!("; {}", finding.words.trim_end_matches('.'));
    }
    text
}

/// What a service said of itself, and which of the dynamic ports that were named do not answer.
fn spoken_words(spoken: &Spoken) -> String {
    let facts: Vec<String> = spoken
        .facts
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let mut text = format!("; {}", spoken.protocol);
    if !facts.is_empty() {
        text += &format!(": {}", facts.join(", "));
    }
    let silent: Vec<String> = spoken
        .ports
        .iter()
        .filter(|port| port.state != FlowState::Open || port.said.is_some())
        .map(|port| format!("{} {}", port.port, port.state))
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
        "; the listener of {} got it at {} from {}",
        listener.system, listener.accepted_at, listener.seen_from
    );
    let changed = [
        (listener.source_nat, "source address"),
        (listener.source_port_translated, "source port"),
        (listener.destination_nat, "destination address"),
        (listener.port_translated, "destination port"),
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
fn witnessed(evidence: &Evidence) -> String {
    let tries = evidence
        .witnessed
        .map(|tries| format!(", {tries} of them between answers on the same way"));
    tries.unwrap_or_default()
}
