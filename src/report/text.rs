//! The report as text: who has to act, then a table for each firewall, then the evidence, then the counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use owo_colors::{OwoColorize, Style};

use super::document::{
    Evidence, Hop, Listener, Path, Proxy, Rejected, ReportDocument, ReportFlow, Spoken, Tls,
};
use super::join::text::{joined, vantage};
use crate::catalogue::Need;
use crate::diagnostic::visible;
use crate::observation::{FlowState, HopResult, HttpSeen, ResetBy, RoleProof, Weight};
use crate::verdict::{Cause, Level, Owner, Remedy, Verdict};

/// How much to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What is wrong, and counts.
    Findings,
    /// Every flow.
    Everything,
}

/// The report as text with colours; the caller strips them where they are not wanted.
pub fn text(report: &ReportDocument, detail: Detail) -> String {
    let mut out = head(report);
    let findings: Vec<&ReportFlow> = report
        .flows
        .iter()
        .filter(|flow| is_finding(flow))
        .collect();
    if let Some(change) = &report.change {
        let _ = writeln!(out, "\n{}", visible(&change.paragraph));
    }
    if let Some(client) = &report.client {
        out += &super::client::text(client);
    }
    out += &proved(report);
    out += &who_has_to_act(report, &findings);
    out += &tables(report, &findings);
    out += &joined(report, detail);
    out += &evidence(report, &findings);
    out += &accepted(report);
    out += &notes(report);
    if detail == Detail::Everything {
        out += &everything(report);
    }
    out += &counts(report, detail);
    out
}

/// Whether a flow belongs above the counts: all that is wrong, and what is unknown and matters.
fn is_finding(flow: &ReportFlow) -> bool {
    match flow.verdict {
        _ if flow.accepted.is_some() => false,
        Verdict::Ok => flow.level == Level::Warning,
        Verdict::Unknown => flow.level != Level::Note,
        Verdict::Blocked | Verdict::Down | Verdict::Wrong | Verdict::Exposed => true,
    }
}

fn head(report: &ReportDocument) -> String {
    let mut out = String::new();
    for vantage in &report.vantages {
        let system = vantage
            .system
            .as_ref()
            .map(|system| format!(" as {system}"))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "Site {} seen from {}{} (host {}, {})",
            visible(&report.site.code),
            visible(
                &[&[vantage.zone.clone()][..], &vantage.also_in]
                    .concat()
                    .join(" and ")
            ),
            visible(&system),
            visible(&vantage.host),
            visible(&vantage.started)
        );
        if let Some(found) = &vantage.forced {
            let words = format!("The vantage was forced, although {}.", visible(found));
            let _ = writeln!(out, "{}", words.bold());
        }
    }
    if let Some(authorised) = &report.authorised {
        let _ = writeln!(out, "Sweep authorised: {}", visible(authorised));
    }
    out + &own_clock(report) + &without_answers(report)
}

/// What is said of this host's own clock: it comes first, because all that hangs on dates depends on it.
fn own_clock(report: &ReportDocument) -> String {
    let notes = report
        .notes
        .iter()
        .filter(|note| is_of_own_clock(note.cause));
    let line = |note: &super::Note| format!("\n{} [{}]\n", visible(&note.text).bold(), note.cause);
    notes.map(line).collect()
}

fn is_of_own_clock(cause: Cause) -> bool {
    matches!(cause, Cause::ClockOff | Cause::ClocksDiffer)
}

/// Vantages that nothing answered.
fn without_answers(report: &ReportDocument) -> String {
    let seen_by = |number: usize| -> Vec<&ReportFlow> {
        let flows = report.flows.iter();
        flows
            .filter(|flow| flow.vantage.unwrap_or(0) == number)
            .collect()
    };
    let silent = (0..report.vantages.len()).filter(|number| nothing_answered(&seen_by(*number)));
    let mut out = String::new();
    for number in silent {
        let words = match report.vantages.len() {
            1 => "Nothing answered from here; the network of this host may be down. Nothing below is proof of anything.".to_string(),
            _ => format!("Nothing answered {}; the network of that host may be down. Nothing that it saw is proof of anything.", vantage(report, number)),
        };
        let _ = writeln!(out, "\n{}", words.bold());
    }
    out
}

/// Whether nothing at all answered: by its cause, or because no packet could leave this host.
fn nothing_answered(flows: &[&ReportFlow]) -> bool {
    let has = |causes: &[Cause]| flows.iter().any(|flow| causes.contains(&flow.cause));
    let met = |flow: &ReportFlow| {
        use FlowState::{Closed, Filtered, Open, Rejected};
        matches!(flow.state, Open | Closed | Rejected | Filtered)
    };
    has(&[Cause::NothingAnswered])
        || (has(&[Cause::NoRoute, Cause::GatewaySilent]) && !flows.iter().any(|flow| met(flow)))
}

/// How many of the required flows are wrong, how many nothing proves, and how many are proved.
fn proved(report: &ReportDocument) -> String {
    let required = Required::of(report);
    match required {
        Required {
            wrong: 0,
            unproved: 0,
            proved: 0,
        } => String::new(),
        Required {
            wrong,
            unproved,
            proved,
        } => format!("\nRequired flows: {wrong} wrong, {unproved} not proved, {proved} proved\n"),
    }
}

/// The required flows of a report, but for those that an exception accepts.
struct Required {
    wrong: usize,
    unproved: usize,
    proved: usize,
}

impl Required {
    fn of(report: &ReportDocument) -> Self {
        let count = |wanted: fn(Verdict) -> bool| {
            let required = report
                .flows
                .iter()
                .filter(|flow| flow.flow.need == Need::Required && flow.accepted.is_none());
            required.filter(|flow| wanted(flow.verdict)).count()
        };
        Self {
            wrong: count(Verdict::fails),
            unproved: count(|it| it == Verdict::Unknown),
            proved: count(|it| it == Verdict::Ok),
        }
    }
}

/// `firewall team: 2 rules, server team: 1 host`.
fn who_has_to_act(report: &ReportDocument, findings: &[&ReportFlow]) -> String {
    if findings.is_empty() {
        return match Required::of(report).unproved {
            0 => format!("\n{}\n", "Nothing has to be done.".green()),
            some => format!(
                "\nNothing is known to be wrong, and {some} required {} not proved from here (--verbose names {}).\n",
                if some == 1 { "flow is" } else { "flows are" },
                if some == 1 { "it" } else { "them" },
            ),
        };
    }
    let mut parts = Vec::new();
    for owner in Owner::ALL {
        let theirs: Vec<&&ReportFlow> = findings
            .iter()
            .filter(|flow| flow.owner == Some(*owner))
            .collect();
        if theirs.is_empty() {
            continue;
        }
        let hosts: BTreeSet<&str> = theirs
            .iter()
            .map(|flow| flow.flow.to.system.as_str())
            .collect();
        let (count, one) = match owner {
            Owner::Firewall => (theirs.len(), "rule"),
            Owner::Server | Owner::ServerThenFirewall | Owner::Prober => (hosts.len(), "host"),
            Owner::Certificate => (hosts.len(), "certificate"),
            Owner::Dns => (hosts.len(), "name"),
            Owner::Proxy => (theirs.len(), "flow"),
        };
        parts.push(format!(
            "{}: {count} {one}{}",
            team(*owner),
            if count == 1 { "" } else { "s" }
        ));
    }
    format!("\nWho has to act: {}\n", parts.join(", ").bold())
}

fn team(owner: Owner) -> &'static str {
    match owner {
        Owner::Firewall => "firewall team",
        Owner::Server => "server team",
        Owner::ServerThenFirewall => "server team, then firewall team",
        Owner::Certificate => "certificate team",
        Owner::Dns => "DNS team",
        Owner::Proxy => "proxy team",
        Owner::Prober => "whoever runs portproof",
    }
}

/// For each firewall a table to copy; the legs of one box have one together.
fn tables(report: &ReportDocument, findings: &[&ReportFlow]) -> String {
    let mut by_box: BTreeMap<String, Vec<(&ReportFlow, Vec<String>)>> = BTreeMap::new();
    for flow in findings.iter().filter(|flow| flow.remedy().is_some()) {
        let mut legs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for firewall in to_change(flow) {
            let device = report.devices.get(&firewall).unwrap_or(&firewall).clone();
            legs.entry(device).or_default().push(firewall);
        }
        for (device, legs) in legs {
            by_box.entry(device).or_default().push((flow, legs));
        }
    }
    let mut out = String::new();
    for (device, flows) in by_box {
        let mut head = HEAD.map(str::to_string).to_vec();
        let mut rows: Vec<Vec<String>> = flows.iter().map(|(flow, _)| row(flow).to_vec()).collect();
        if report.devices.values().any(|it| *it == device) {
            head.push("legs".to_string());
            for (row, (_, legs)) in rows.iter_mut().zip(&flows) {
                row.push(visible(&legs.join(", ")));
            }
        }
        let _ = write!(out, "\nFor {}\n{}", visible(&device), table(&head, &rows));
    }
    out
}

/// The columns of a firewall's table.
const HEAD: [&str; 5] = ["source", "destination", "service", "wanted", "flow"];

/// The firewalls whose rules are to be looked at: those that the evidence names, else all that the flow crosses.
fn to_change(flow: &ReportFlow) -> Vec<String> {
    let accused = flow.evidence.accused();
    if accused.is_empty() {
        flow.flow.crosses.clone()
    } else {
        accused
    }
}

fn row(flow: &ReportFlow) -> [String; 5] {
    let entry = &flow.flow;
    let source = entry
        .from
        .system
        .clone()
        .unwrap_or_else(|| entry.from.zone.clone());
    let destination = if entry.to.addresses.is_empty() {
        entry.to.system.clone()
    } else {
        format!("{} ({})", entry.to.addresses.join(", "), entry.to.system)
    };
    let wanted = flow.remedy().map_or("", Remedy::name);
    [
        visible(&source),
        visible(&destination),
        visible(&service(flow)),
        wanted.to_string(),
        visible(&entry.id),
    ]
}

/// The ports that a rule is wanted for: those of the flow, or those that an endpoint mapper named beside them.
fn service(flow: &ReportFlow) -> String {
    let named = flow.ports_named_outside();
    if named.is_empty() {
        return flow.flow.service();
    }
    let named: Vec<String> = named.iter().map(u16::to_string).collect();
    format!("{}/{}", named.join(","), flow.flow.transport)
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .chain([head[column].len()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("  {}\n", padded.join("  ").trim_end())
    };
    let mut out = line(head);
    for row in rows {
        out += &line(row);
    }
    out
}

fn evidence(report: &ReportDocument, findings: &[&ReportFlow]) -> String {
    let mut sorted = findings.to_vec();
    let rank = |flow: &ReportFlow| (flow.verdict == Verdict::Unknown, flow.level != Level::Error);
    sorted.sort_by_key(|flow| rank(flow));
    let mut shown: Vec<(&ReportFlow, Vec<&str>)> = Vec::new();
    for flow in sorted {
        match shown.iter_mut().find(|(first, _)| are_alike(first, flow)) {
            Some((_, likewise)) => likewise.push(&flow.flow.id),
            None => shown.push((flow, Vec::new())),
        }
    }
    shown
        .iter()
        .map(|(flow, likewise)| finding(report, flow, likewise))
        .collect()
}

/// How many silent tries count, because something on the same way answered shortly before and after them.
fn witnessed(evidence: &super::document::Evidence) -> String {
    let tries = evidence
        .witnessed
        .map(|tries| format!(", {tries} of them between answers on the same way"));
    tries.unwrap_or_default()
}

/// Whether two findings say the same of two ports, so that one of them may stand for both.
fn are_alike(a: &ReportFlow, b: &ReportFlow) -> bool {
    let is = |cause: Cause| a.cause == cause;
    let repeats = a.verdict == Verdict::Unknown
        || is(Cause::ClosedButReachable)
        || is(Cause::AddressSilent)
        || is(Cause::NothingPasses);
    // A firewall that passes nothing is one finding, whatever the hosts beyond it.
    let ends = |flow: &ReportFlow| match is(Cause::NothingPasses) {
        true => (flow.flow.from.zone.clone(), None, flow.flow.to.zone.clone()),
        false => (
            flow.flow.from.zone.clone(),
            flow.flow.from.system.clone(),
            Some(flow.flow.to.system.clone()),
        ),
    };
    repeats
        && a.verdict == b.verdict
        && a.cause == b.cause
        && a.flow.need == b.flow.need
        && a.lapsed == b.lapsed
        && a.vantage == b.vantage
        && ends(a) == ends(b)
}

fn finding(report: &ReportDocument, flow: &ReportFlow, likewise: &[&str]) -> String {
    let mut out = String::new();
    let heading = flow.verdict.name().to_uppercase();
    let _ = writeln!(
        out,
        "\n{} {}  {}",
        heading.style(style(flow)),
        visible(&flow.flow.id).bold(),
        flow.cause
    );
    if !likewise.is_empty() {
        let _ = writeln!(out, "  likewise: {}", visible(&likewise.join(", ")));
    }
    if let (Some(number), true) = (flow.vantage, report.vantages.len() > 1) {
        let _ = writeln!(out, "  from: {}", vantage(report, number));
    }
    let _ = writeln!(
        out,
        "  need: {}. {}",
        flow.flow.need,
        visible(&flow.flow.why)
    );
    let _ = writeln!(out, "  seen: {}", visible(&seen(flow)));
    if let Some(lapsed) = &flow.lapsed {
        let _ = writeln!(
            out,
            "  lapsed: accepted until {} ({}); it counts again",
            lapsed.until,
            visible(&lapsed.why)
        );
    }
    if !flow.flow.breaks.is_empty() {
        let _ = writeln!(out, "  effect: {}", visible(&flow.flow.breaks));
    }
    for words in client_words(flow) {
        let _ = writeln!(out, "  client: {}", visible(words));
    }
    if !flow.advice.is_empty() {
        let _ = writeln!(out, "  do: {}", visible(&flow.advice));
    }
    out
}

/// What clients log, each sentence once: one entry stands for each log.
fn client_words(flow: &ReportFlow) -> Vec<&str> {
    let mut words: Vec<&str> = flow.logged.iter().map(|it| it.words.as_str()).collect();
    words.dedup();
    words
}

fn style(flow: &ReportFlow) -> Style {
    match (flow.verdict, flow.level) {
        (Verdict::Ok, _) => Style::new().green(),
        (Verdict::Unknown, _) | (_, Level::Note | Level::Warning) => Style::new().yellow(),
        (_, Level::Error) => Style::new().red().bold(),
    }
}

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
            "silence after {tries} tries{to}{}, sure to {:.4} %",
            witnessed(evidence),
            evidence.confidence.unwrap_or(0.0) * 100.0
        ),
        FlowState::Silent if evidence.held_back => format!(
            "silence after {tries} tries{to}; a router on the way rejects other ports with few words, so this may be one \
             that it held back"
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
            "; so on {} of {} connections: several servers may share the address, and not all are alike",
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
        let is = match interception.is.as_str() {
            "proved" => "intercepted",
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

/// Who sent a reset, and what shows it.
fn reset(evidence: &Evidence, to: &str) -> String {
    let mut text = format!("reset by {}{to}", who(evidence.reset_by));
    for more in evidence.distance.iter().chain(&evidence.likely) {
        text += &format!("; {more}");
    }
    text
}

fn who(reset_by: Option<ResetBy>) -> &'static str {
    match reset_by {
        Some(ResetBy::Host) => "the host itself",
        Some(ResetBy::Device) => "a device on the way",
        Some(ResetBy::Either) | None => "the host or a device on the way",
    }
}

fn rejected(flow: &ReportFlow) -> String {
    let Some(rejected) = &flow.evidence.rejected else {
        return "rejected".to_string();
    };
    let firewall = rejected
        .firewall
        .as_ref()
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    if let Some(words) = in_its_name(flow, rejected) {
        return words;
    }
    match &rejected.by {
        Some(by) if rejected.by_the_host => format!(
            "{by}, {} itself, said {}",
            flow.flow.to.system, rejected.says
        ),
        Some(by) => format!(
            "{by}{firewall}, which is not {}, said {}",
            flow.flow.to.system, rejected.says
        ),
        None => format!(
            "something on the way said {} (this system tells neither code nor sender)",
            rejected.says
        ),
    }
}

/// A rejection that bears the address of the system and is not, or not surely, its own.
fn in_its_name(flow: &ReportFlow, rejected: &Rejected) -> Option<String> {
    let (system, says) = (&flow.flow.to.system, &rejected.says);
    let by = rejected.by.as_deref()?;
    let device = translator_words(flow);
    match rejected.sender? {
        ResetBy::Device => Some(format!("{device}, said {says} in the name of {by}")),
        ResetBy::Either => Some(format!("{system} itself, or {device}, said {says} as {by}")),
        ResetBy::Host => None,
    }
}

/// The device that translates for the system of a flow. It writes its address into the words of the devices behind it, so
/// where there are any, only a named sender is surely the translating one.
fn translator_words(flow: &ReportFlow) -> String {
    let (evidence, system) = (&flow.evidence, &flow.flow.to.system);
    let Some(translated) = &evidence.translated else {
        return format!("a device that translates for {system}");
    };
    let name = translated.firewall.as_deref().unwrap_or("the device");
    let is_named = evidence.rejected.iter().any(|it| it.firewall.is_some());
    let behind = match is_named || flow.flow.crosses.len() <= 1 {
        true => "",
        false => ", or a device behind it",
    };
    format!(
        "{name} at hop {}, which translates for {system}{behind}",
        translated.hop
    )
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

/// Where silent packets are dropped, or at which hop an answer came.
fn path_words(path: &Path, system: &str) -> String {
    let Some(dropped) = &path.dropped else {
        return answered_after(path);
    };
    let after = match (&dropped.after, &dropped.before) {
        (Some(hop), _) => format!(
            "dropped at or after {}, the last to answer",
            hop_words(hop, system)
        ),
        (None, Some(_)) => "dropped before any hop answers".to_string(),
        (None, None) => "no hop on the way answers, so the place is not known".to_string(),
    };
    let before = match (&dropped.before, dropped.distance) {
        (Some(hop), _) => format!(
            ", and no later than {}, which answers a flow that works",
            hop_words(hop, system)
        ),
        (None, Some(distance)) => format!(", before {system} (hop {distance})"),
        (None, None) => String::new(),
    };
    let own = dropped
        .host
        .then(|| format!("{system}'s own firewall"))
        .into_iter();
    // TCP is not told what this host's own firewall drops on the way out.
    let leaves = dropped.after.is_some() || dropped.before.as_ref().is_none_or(|hop| hop.hop > 1);
    let here = (!leaves).then(|| "this host's own firewall".to_string());
    let suspects: Vec<String> = dropped.by.iter().cloned().chain(own).chain(here).collect();
    let by = if dropped.by.is_empty() {
        String::new()
    } else {
        format!(": by {}", suspects.join(" or "))
    };
    format!("; {after}{before}{by}")
}

fn hop_words(hop: &Hop, system: &str) -> String {
    if hop.translates {
        let name = hop.firewall.as_deref().unwrap_or("a device");
        return format!("hop {}, {name}, which translates for {system}", hop.hop);
    }
    let by = hop.by.as_deref().unwrap_or("a silent device");
    match &hop.firewall {
        Some(firewall) => format!("{by} (hop {}, {firewall})", hop.hop),
        None => format!("{by} (hop {})", hop.hop),
    }
}

fn answered_after(path: &Path) -> String {
    let silent = path
        .hops
        .iter()
        .filter(|hop| hop.result == HopResult::Silent)
        .count();
    let hidden = if silent > 0 {
        format!(", {silent} of them unknown")
    } else {
        String::new()
    };
    match path.hops.last() {
        Some(hop) if matches!(hop.result, HopResult::Open | HopResult::Reset) => {
            format!("; answered after {} hops{hidden}", hop.hop)
        }
        _ => String::new(),
    }
}

/// What is not as it must be, and accepted for a time.
fn accepted(report: &ReportDocument) -> String {
    let mut out = String::new();
    for flow in &report.flows {
        let Some(accepted) = &flow.accepted else {
            continue;
        };
        if out.is_empty() {
            out += "\nAccepted by exceptions of the site file, and counted apart\n";
        }
        let _ = writeln!(
            out,
            "  {} {}  {}  until {}: {}",
            flow.verdict.name().to_uppercase(),
            visible(&flow.flow.id),
            flow.cause,
            visible(&accepted.until),
            visible(&accepted.why)
        );
        let _ = writeln!(out, "    seen: {}", visible(&seen(flow)));
    }
    out
}

fn notes(report: &ReportDocument) -> String {
    let mut out = String::new();
    let others = report
        .notes
        .iter()
        .filter(|note| !is_of_own_clock(note.cause));
    for note in others {
        let word = match note.cause {
            Cause::ExceptionEndsSoon | Cause::ExceptionLapsed => "warning",
            _ => "note",
        };
        let _ = writeln!(out, "\n{word}: {} [{}]", visible(&note.text), note.cause);
    }
    out
}

fn everything(report: &ReportDocument) -> String {
    let mut out = "\nEvery flow\n".to_string();
    for flow in &report.flows {
        let _ = writeln!(
            out,
            "  {:<8} {:<9} {}  {} ({}; {}){}",
            flow.verdict.style(style(flow)),
            flow.flow.need,
            visible(&flow.flow.id),
            flow.cause,
            flow.state,
            visible(&flow.flow.rules.join(", ")),
            if flow.accepted.is_some() {
                " accepted"
            } else {
                ""
            }
        );
    }
    for sweep in &report.sweeps {
        for (state, ports) in &sweep.states {
            let swept = format!(
                "swept {}>{}: {state} {ports}",
                sweep.from.zone, sweep.to.system
            );
            let _ = writeln!(out, "  {}", visible(&swept));
        }
    }
    out
}

fn counts(report: &ReportDocument, detail: Detail) -> String {
    let it = &report.summary;
    let mut out = format!(
        "\n{} ok, {} blocked, {} down, {} wrong, {} exposed, {} unknown",
        it.ok, it.blocked, it.down, it.wrong, it.exposed, it.unknown
    );
    if it.accepted > 0 {
        let _ = write!(out, ", {} accepted", it.accepted);
    }
    if report.flows_elsewhere > 0 {
        let _ = write!(
            out,
            "; {} flows start in other zones and were not tried here",
            report.flows_elsewhere
        );
    }
    out += "\n";
    if detail == Detail::Findings {
        out += "Every flow with its evidence: --verbose, or --format json\n";
    }
    out
}
