//! Flows in words: their ids, the JSON of a plan, and its text for a firewall team.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::devices::firewalls_in_words;
use super::{Flow, Plan, Target};
use crate::diagnostic::{Place, visible};
use crate::product::{Confidence, Need, Protocol, Transport};
use crate::site::{Exception, Origin, Site};

/// A flow in a report or plan, as far as it is known before any packet is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowEntry {
    /// `FROM>TO:PORT/TRANSPORT`, or `FROM>TO:TRANSPORT` where the transport has no ports; depends on neither vantage nor
    /// address.
    pub id: String,
    /// Where it starts.
    pub from: Source,
    /// Where it leads.
    pub to: Destination,
    /// What carries it.
    pub transport: Transport,
    /// A number, or a range as text: what the start asks for; `null` where the transport has no ports.
    pub port: Port,
    /// Where address and port translation leads elsewhere: the port at which the system itself listens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub own_port: Option<u16>,
    /// Whether it travels inside IPsec: firewalls on the way see key exchange and ESP in its place.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub ipsec: bool,
    /// What is spoken.
    pub protocol: Protocol,
    /// Whether it must, may or must not pass.
    pub need: Need,
    /// Ids of the catalogue's rules, or `own-flow` or `watchlist`.
    pub rules: Vec<String>,
    /// What it is for.
    pub why: String,
    /// What fails without it; of a forbidden flow, what an open port exposes.
    pub breaks: String,
    /// Where it is documented; `null` where nothing can be cited.
    pub source: Option<String>,
    /// How sure that is.
    pub confidence: Confidence,
    /// Where the site file says so.
    pub declared: Declared,
    /// The firewalls it crosses, in order.
    pub crosses: Vec<String>,
}

/// Where a flow starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Zone.
    pub zone: String,
    /// System, when only it may start the flow.
    pub system: Option<String>,
}

/// Where a flow leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Destination {
    /// System of the file, or `crl.HOST`.
    pub system: String,
    /// Zone; `null` for a host that is no system of the file.
    pub zone: Option<String>,
    /// Name by which the start's zone sees it.
    pub name: Option<String>,
    /// Addresses by which the start's zone sees it, as the file or the resolver gives them.
    pub addresses: Vec<String>,
}

/// A port number, or a range such as `49152-65535`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Port {
    /// One port.
    One(u16),
    /// A range.
    Range(String),
    /// The transport has none.
    None,
}

impl FlowEntry {
    /// Port and transport, as in `443/tcp`.
    pub fn service(&self) -> String {
        match &self.port {
            Port::One(port) => format!("{port}/{}", self.transport),
            Port::Range(range) => format!("{range}/{}", self.transport),
            Port::None => self.transport.to_string(),
        }
    }
}

/// A place in the site file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Declared {
    /// File.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// The plan as JSON, schema `portproof.plan/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDocument {
    /// `portproof.plan/1`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// Which site it is of.
    pub site: SiteName,
    /// The box of each firewall that is a leg of one, by the firewall's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub devices: BTreeMap<String, String>,
    /// The flows, ordered by id.
    pub flows: Vec<FlowEntry>,
    /// Deviations that the site file accepts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exceptions: Vec<ExceptionEntry>,
}

/// An accepted deviation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExceptionEntry {
    /// The id of the flow; that of a sweep's finding is no flow of the plan.
    pub flow: String,
    /// The last day on which it holds, as in `2027-03-31`; it ends with that day, UTC.
    pub until: String,
    /// Why it is accepted.
    pub why: String,
    /// Where the site file says so.
    pub declared: Declared,
}

/// The program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolName {
    /// `portproof`.
    pub name: String,
    /// Version.
    pub version: String,
}

impl ToolName {
    /// This program.
    pub fn this() -> Self {
        Self {
            name: "portproof".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
        }
    }
}

/// The site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SiteName {
    /// Site code.
    pub code: String,
    /// Product.
    pub product: String,
}

impl SiteName {
    /// The name of a site.
    pub fn of(site: &Site) -> Self {
        Self {
            code: site.code.clone(),
            product: site.product.clone(),
        }
    }
}

/// The id of a flow.
pub fn id(site: &Site, flow: &Flow) -> String {
    let service = match flow.transport.has_ports() {
        true => format!("{}/{}", flow.port, flow.transport),
        false => flow.transport.to_string(),
    };
    let ends = (site.origin_name(flow.from), destination(site, &flow.to));
    format!("{}>{}:{service}", ends.0, ends.1)
}

fn destination(site: &Site, to: &Target) -> String {
    match to {
        Target::System(system) => site.systems[*system].name.clone(),
        Target::Host(name) => format!("crl.{name}"),
    }
}

/// A flow in words.
pub fn entry(site: &Site, file: &str, flow: &Flow) -> FlowEntry {
    let reason = &flow.reason;
    let zone = flow.start(site);
    FlowEntry {
        id: id(site, flow),
        from: Source {
            zone: site.zones[zone].name.clone(),
            system: match flow.from {
                Origin::Zone(_) => None,
                Origin::System(system) => Some(site.systems[system].name.clone()),
            },
        },
        to: to_entry(site, flow),
        transport: flow.transport,
        port: port(flow),
        own_port: own_port(site, flow),
        ipsec: flow.is_inside_ipsec(site),
        protocol: flow.protocol,
        need: flow.need,
        rules: reason.rules.clone(),
        why: reason.why.clone(),
        breaks: reason.breaks.clone(),
        source: (!reason.source.is_empty()).then(|| reason.source.clone()),
        confidence: reason.confidence,
        declared: declared(file, reason.declared),
        crosses: crossed(site, flow),
    }
}

fn declared(file: &str, at: Place) -> Declared {
    Declared {
        file: file.to_string(),
        line: at.line,
        column: at.column,
    }
}

fn to_entry(site: &Site, flow: &Flow) -> Destination {
    let zone = flow.start(site);
    let system = destination(site, &flow.to);
    match &flow.to {
        &Target::System(number) => {
            let host = &site.systems[number];
            Destination {
                system,
                zone: flow.end(site).map(|end| site.zones[end].name.clone()),
                name: host.name_for(zone).map(str::to_string),
                addresses: host
                    .addresses_for(zone)
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            }
        }
        Target::Host(name) => Destination {
            system,
            zone: None,
            name: Some(name.to_string()),
            addresses: Vec::new(),
        },
    }
}

fn port(flow: &Flow) -> Port {
    if !flow.transport.has_ports() {
        Port::None
    } else if flow.port.low == flow.port.high {
        Port::One(flow.port.low)
    } else {
        Port::Range(flow.port.to_string())
    }
}

fn own_port(site: &Site, flow: &Flow) -> Option<u16> {
    let (&Target::System(system), true) = (&flow.to, flow.port.low == flow.port.high) else {
        return None;
    };
    let own = site.own_port(flow.start(site), system, flow.port.low);
    (own != flow.port.low).then_some(own)
}

fn crossed(site: &Site, flow: &Flow) -> Vec<String> {
    let crossed = flow
        .end(site)
        .map(|end| site.crosses(flow.start(site), end));
    let crossed = crossed.unwrap_or_default().into_iter();
    crossed.map(str::to_string).collect()
}

/// The plan as a document.
pub fn document(site: &Site, file: &str, plan: &Plan) -> PlanDocument {
    PlanDocument {
        schema: "portproof.plan/1".to_string(),
        tool: ToolName::this(),
        site: SiteName::of(site),
        devices: site.devices(),
        flows: plan
            .flows
            .iter()
            .map(|flow| entry(site, file, flow))
            .collect(),
        exceptions: site
            .exceptions
            .iter()
            .map(|exception| exception_entry(file, exception))
            .collect(),
    }
}

/// An exception in words.
pub fn exception_entry(file: &str, exception: &Exception) -> ExceptionEntry {
    ExceptionEntry {
        flow: exception.flow.clone(),
        until: exception.until.to_string(),
        why: exception.why.clone(),
        declared: declared(file, exception.declared),
    }
}

/// The plan as text: by the firewall that a flow crosses first, then what stays inside a zone.
pub fn text(site: &Site, plan: &Plan) -> String {
    let mut groups: BTreeMap<(usize, String), Vec<&Flow>> = BTreeMap::new();
    for flow in &plan.flows {
        groups.entry(group(site, flow)).or_default().push(flow);
    }
    let counts = |need: Need| plan.flows.iter().filter(|flow| flow.need == need).count();
    let mut out = format!(
        "Site {} ({}): {} required, {} optional, {} forbidden flows. No packet was sent.\n",
        visible(&site.code),
        site.product,
        counts(Need::Required),
        counts(Need::Optional),
        counts(Need::Forbidden)
    );
    let planned: BTreeSet<String> = plan.flows.iter().map(|flow| id(site, flow)).collect();
    for ((_, title), flows) in groups {
        let _ = write!(out, "\n{title}\n{}\n", "=".repeat(title.len()));
        for need in [Need::Required, Need::Optional] {
            for flow in flows.iter().filter(|flow| flow.need == need) {
                out += &needed(site, flow);
            }
        }
        out += &forbidden(site, &flows);
    }
    out += &of_sweeps(site, &planned);
    out
}

/// The exceptions that belong to no flow of the plan: for what a sweep may find, or for nothing.
fn of_sweeps(site: &Site, planned: &BTreeSet<String>) -> String {
    let all = site.exceptions.iter();
    let mut out = String::new();
    for exception in all.filter(|exception| !planned.contains(&exception.flow)) {
        if out.is_empty() {
            out += "\nAccepted beside the plan\n";
        }
        let _ = writeln!(
            out,
            "  {} {}",
            visible(&exception.flow),
            accepted(exception)
        );
    }
    out
}

fn accepted(exception: &Exception) -> String {
    format!(
        "exception through {}: {}",
        exception.until,
        visible(&exception.why)
    )
}

fn group(site: &Site, flow: &Flow) -> (usize, String) {
    let zone = |zone: usize| site.zones[zone].name.clone();
    let from = flow.start(site);
    match (flow.end(site), crossed(site, flow)) {
        (None, _) => (
            3,
            "To hosts outside the site file (certificate revocation lists)".to_string(),
        ),
        (Some(to), names) if !names.is_empty() => (
            1,
            format!(
                "Through {}: {} to {}",
                firewalls_in_words(&names, |name| site.device_of(name), ", then "),
                zone(from),
                zone(to)
            ),
        ),
        (Some(to), _) if to != from => (1, format!("From {} to {}", zone(from), zone(to))),
        (Some(_), _) => (2, format!("Inside {} (crosses no firewall)", zone(from))),
    }
}

fn needed(site: &Site, flow: &Flow) -> String {
    let entry = entry(site, "", flow);
    let seen = entry.to.addresses.join(", ");
    let name = entry.to.name.unwrap_or_default();
    let place = [name, seen]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let mut out = format!("\n  {:<9} {}  ({})\n", entry.need, entry.id, entry.protocol);
    if !place.is_empty() {
        let _ = writeln!(out, "            at {}", visible(&place));
    }
    if let Some(own) = entry.own_port {
        let _ = writeln!(
            out,
            "            translated to port {own} of {}",
            visible(&entry.to.system)
        );
    }
    if entry.ipsec {
        out += "            inside IPsec: firewalls on the way see key exchange and ESP, not this \
            port\n";
    }
    let _ = writeln!(out, "            why: {}", visible(&entry.why));
    let _ = writeln!(out, "            without it: {}", visible(&entry.breaks));
    let source = match flow.reason.confidence {
        Confidence::Unconfirmed => {
            "not confirmed by any document; optional unless your own flows ask for it".to_string()
        }
        Confidence::Documented => reason_source(flow),
        Confidence::LaterVersion => {
            format!("{} (documented for later versions)", reason_source(flow))
        }
        Confidence::Derived => format!("follows from: {}", reason_source(flow)),
    };
    let _ = writeln!(
        out,
        "            source: {} [{}]",
        visible(&source),
        entry.rules.join(", ")
    );
    if let Some(exception) = site.exception_for(&entry.id) {
        let _ = writeln!(out, "            {}", accepted(exception));
    }
    out
}

fn reason_source(flow: &Flow) -> String {
    flow.reason.source.clone()
}

/// Forbidden ports, one line for each pair of ends: a firewall team reads them as a list.
fn forbidden(site: &Site, flows: &[&Flow]) -> String {
    let mut pairs: BTreeMap<(String, Vec<String>), Vec<String>> = BTreeMap::new();
    let mut exceptions: BTreeMap<_, Vec<(String, &Exception)>> = BTreeMap::new();
    for flow in flows.iter().filter(|flow| flow.need == Need::Forbidden) {
        let ends = format!(
            "{}>{}",
            site.origin_name(flow.from),
            destination(site, &flow.to)
        );
        let port = if flow.transport == crate::product::Transport::Tcp {
            flow.port.to_string()
        } else {
            format!("{}/{}", flow.port, flow.transport)
        };
        let pair = (ends, flow.reason.rules.clone());
        if let Some(exception) = site.exception_for(&id(site, flow)) {
            let exceptions = exceptions.entry(pair.clone()).or_default();
            exceptions.push((port.clone(), exception));
        }
        pairs.entry(pair).or_default().push(port);
    }
    let mut out = String::new();
    for ((ends, rules), mut ports) in pairs {
        ports.sort_by_key(|port| {
            port.split(['-', '/'])
                .next()
                .and_then(|low| low.parse::<u32>().ok())
        });
        let _ = writeln!(
            out,
            "\n  forbidden {ends}: {}\n            [{}]",
            ports.join(", "),
            rules.join(", ")
        );
        for (port, exception) in exceptions.get(&(ends, rules)).into_iter().flatten() {
            let _ = writeln!(out, "            {port} {}", accepted(exception));
        }
    }
    out
}
