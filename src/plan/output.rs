//! Flows in words: their ids, and the JSON of a plan.
//!
//! The JSON is written flow by flow ([`Written`]), so that a large plan is never held as text. What must not pass stays one
//! entry for each pair of ends. Entries name their ports and their reason, which stand once at the head of the document.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use super::ids::destination;
use super::lines::Lines;
use super::{Flow, Forbidden, Plan, Reason, Target, id, is_inside_ipsec};
use crate::diagnostic::Place;
use crate::product::{Confidence, Need, Protocol, Transport};
use crate::site::{Exception, Origin, Site};
use crate::yaml::Ports;

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
    pub why: Arc<str>,
    /// What fails without it; of a forbidden flow, what an open port exposes.
    pub breaks: Arc<str>,
    /// Where it is documented; `null` where nothing can be cited.
    pub source: Option<Arc<str>>,
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

/// A zone, or a system in it: `perimeter as ibs01`.
pub fn place(zone: &str, system: Option<&str>) -> String {
    match system {
        Some(system) => format!("{zone} as {system}"),
        None => zone.to_string(),
    }
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

/// The plan as JSON, schema `portproof.plan/2`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDocument {
    /// `portproof.plan/2`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// Which site it is of.
    pub site: SiteName,
    /// The box of each firewall that is a leg of one, by the firewall's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub devices: BTreeMap<String, String>,
    /// The sets of ports of `forbidden`, by the names that it uses: numbers, and ranges as text.
    pub port_sets: BTreeMap<String, Vec<Port>>,
    /// The reasons of `forbidden`, by the names that it uses.
    pub reasons: BTreeMap<String, ReasonEntry>,
    /// What must or may pass, ordered by id.
    pub flows: Vec<FlowEntry>,
    /// What must not pass, ordered by its ends.
    pub forbidden: Vec<ForbiddenEntry>,
    /// Deviations that the site file accepts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exceptions: Vec<ExceptionEntry>,
}

/// Forbidden flows that are alike in everything but the port: one for each port of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForbiddenEntry {
    /// Where they would start.
    pub from: Source,
    /// Where they would lead.
    pub to: Destination,
    /// What would carry them.
    pub transport: Transport,
    /// The name of their ports in `port_sets`. The id of each flow is `FROM>TO:PORT/TRANSPORT`, where `FROM` is the system of
    /// `from`, else its zone, and `TO` the system of `to`.
    pub ports: String,
    /// Where address and port translation leads elsewhere: by port, the one at which the system itself listens.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub own_ports: BTreeMap<u16, u16>,
    /// Whether they would travel inside IPsec.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub ipsec: bool,
    /// What would be spoken.
    pub protocol: Protocol,
    /// The name of their reason in `reasons`.
    pub reason: String,
    /// Where the site file says so.
    pub declared: Declared,
    /// The firewalls they would cross, in order.
    pub crosses: Vec<String>,
}

/// Why something is forbidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonEntry {
    /// Ids of the catalogue's rules; `own-flow` and `watchlist` beside.
    pub rules: Vec<String>,
    /// Why it must not pass.
    pub why: String,
    /// What an open port exposes.
    pub breaks: String,
    /// Where it is documented; `null` where nothing can be cited.
    pub source: Option<String>,
    /// How sure that is.
    pub confidence: Confidence,
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

/// A flow in words.
pub fn entry(site: &Site, file: &str, flow: &Flow) -> FlowEntry {
    let reason = &flow.reason;
    FlowEntry {
        id: id(site, flow),
        from: from_entry(site, flow.from, &flow.to),
        to: to_entry(site, flow.from, &flow.to),
        transport: flow.transport,
        port: port(flow.port, flow.transport),
        own_port: own_port(site, flow.from, &flow.to, flow.port),
        ipsec: is_inside_ipsec(site, flow.transport, flow.from, &flow.to),
        protocol: flow.protocol,
        need: flow.need,
        rules: reason.rules.clone(),
        why: reason.why.clone(),
        breaks: reason.breaks.clone(),
        source: (!reason.source.is_empty()).then(|| reason.source.clone()),
        confidence: reason.confidence,
        declared: declared(file, flow.declared),
        crosses: crossed(site, flow.from, &flow.to),
    }
}

fn declared(file: &str, at: Place) -> Declared {
    Declared {
        file: file.to_string(),
        line: at.line,
        column: at.column,
    }
}

fn from_entry(site: &Site, from: Origin, to: &Target) -> Source {
    Source {
        zone: site.zones[to.start(site, from)].name.clone(),
        system: match from {
            Origin::Zone(_) => None,
            Origin::System(system) => Some(site.systems[system].name.clone()),
        },
    }
}

fn to_entry(site: &Site, from: Origin, to: &Target) -> Destination {
    let zone = to.start(site, from);
    let system = destination(site, to);
    let end = to.end(site, from).map(|end| site.zones[end].name.clone());
    match to {
        &Target::System(number) => {
            let host = &site.systems[number];
            Destination {
                system,
                zone: end,
                name: host.name_for(zone).map(str::to_string),
                addresses: host
                    .addresses_for(zone)
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            }
        }
        Target::Host(name) => outside(system, Some(name.to_string())),
        Target::Service(it) => Destination {
            zone: end,
            ..outside(system, Some(it.name.clone()))
        },
        Target::Clients(_) => Destination {
            zone: end,
            ..outside(system, None)
        },
    }
}

/// A destination in no zone of the file.
fn outside(system: String, name: Option<String>) -> Destination {
    Destination {
        system,
        zone: None,
        name,
        addresses: Vec::new(),
    }
}

fn port(port: Ports, transport: Transport) -> Port {
    if !transport.has_ports() {
        Port::None
    } else if port.low == port.high {
        Port::One(port.low)
    } else {
        Port::Range(port.to_string())
    }
}

fn own_port(site: &Site, from: Origin, to: &Target, port: Ports) -> Option<u16> {
    let (&Target::System(system), true) = (to, port.low == port.high) else {
        return None;
    };
    let own = site.own_port(to.start(site, from), system, port.low);
    (own != port.low).then_some(own)
}

pub(super) fn crossed(site: &Site, from: Origin, to: &Target) -> Vec<String> {
    let crossed = to
        .end(site, from)
        .map(|end| site.crosses(to.start(site, from), end));
    let crossed = crossed.unwrap_or_default().into_iter();
    crossed.map(str::to_string).collect()
}

/// The plan as a document, [`PlanDocument`]; its entries are made as they are written.
pub fn document<'a>(site: &'a Site, file: &'a str, plan: &'a Plan) -> impl Serialize + 'a {
    Written {
        site,
        file,
        plan,
        port_sets: Numbered::new(plan.forbidden.iter().map(|it| &it.ports)),
        reasons: Numbered::new(plan.forbidden.iter().map(|it| &it.reason)),
    }
}

/// Writes the document, with a line for each flow.
///
/// # Errors
/// When it cannot be written.
pub fn write_json(
    site: &Site,
    file: &str,
    plan: &Plan,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::default());
    document(site, file, plan).serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// What is written in the place of a [`PlanDocument`].
struct Written<'a> {
    site: &'a Site,
    file: &'a str,
    plan: &'a Plan,
    port_sets: Numbered<'a, [Ports]>,
    reasons: Numbered<'a, Reason>,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            site, file, plan, ..
        } = *self;
        let devices = site.devices();
        let port_sets = self.port_sets.all.iter().enumerate();
        let port_sets = port_sets.map(|(number, set)| (set_name(number), ports(set)));
        let reasons = self.reasons.all.iter().enumerate();
        let reasons = reasons.map(|(number, it)| (reason_name(number), reason_entry(it)));
        let exceptions = site.exceptions.iter();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", "portproof.plan/2")?;
        map.serialize_entry("tool", &ToolName::this())?;
        map.serialize_entry("site", &SiteName::of(site))?;
        if !devices.is_empty() {
            map.serialize_entry("devices", &devices)?;
        }
        map.serialize_entry("port_sets", &Table(port_sets))?;
        map.serialize_entry("reasons", &Table(reasons))?;
        map.serialize_entry(
            "flows",
            &Each(plan.flows.iter().map(|it| entry(site, file, it))),
        )?;
        map.serialize_entry(
            "forbidden",
            &Each(plan.forbidden.iter().map(|it| self.forbidden(it))),
        )?;
        if !site.exceptions.is_empty() {
            map.serialize_entry(
                "exceptions",
                &Each(exceptions.map(|it| exception_entry(file, it))),
            )?;
        }
        map.end()
    }
}

impl Written<'_> {
    fn forbidden(&self, it: &Forbidden) -> ForbiddenEntry {
        let own = |port: &Ports| {
            let own = own_port(self.site, it.from, &it.to, *port)?;
            Some((port.low, own))
        };
        ForbiddenEntry {
            from: from_entry(self.site, it.from, &it.to),
            to: to_entry(self.site, it.from, &it.to),
            transport: it.transport,
            ports: set_name(self.port_sets.number(&it.ports)),
            own_ports: it.ports.iter().filter_map(own).collect(),
            ipsec: is_inside_ipsec(self.site, it.transport, it.from, &it.to),
            protocol: it.protocol,
            reason: reason_name(self.reasons.number(&it.reason)),
            declared: declared(self.file, it.declared),
            crosses: crossed(self.site, it.from, &it.to),
        }
    }
}

fn set_name(number: usize) -> String {
    format!("ports-{}", number + 1)
}

fn reason_name(number: usize) -> String {
    format!("reason-{}", number + 1)
}

fn ports(set: &[Ports]) -> Vec<Port> {
    let ports = set.iter().map(|it| match *it == Ports::NONE {
        true => Port::None,
        false => port(*it, Transport::Tcp),
    });
    ports.collect()
}

fn reason_entry(reason: &Reason) -> ReasonEntry {
    ReasonEntry {
        rules: reason.rules.clone(),
        why: reason.why.to_string(),
        breaks: reason.breaks.to_string(),
        source: (!reason.source.is_empty()).then(|| reason.source.to_string()),
        confidence: reason.confidence,
    }
}

/// Values that are shared, in the order in which they first come.
struct Numbered<'a, T: ?Sized> {
    all: Vec<&'a T>,
    numbers: HashMap<*const T, usize>,
}

impl<'a, T: ?Sized> Numbered<'a, T> {
    fn new(shared: impl Iterator<Item = &'a Arc<T>>) -> Self {
        let (mut all, mut numbers) = (Vec::new(), HashMap::new());
        for one in shared {
            numbers.entry(Arc::as_ptr(one)).or_insert_with(|| {
                all.push(&**one);
                all.len() - 1
            });
        }
        Self { all, numbers }
    }

    fn number(&self, one: &Arc<T>) -> usize {
        self.numbers
            .get(&Arc::as_ptr(one))
            .copied()
            .unwrap_or_default()
    }
}

/// A list whose items are made one after the other.
struct Each<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Each<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// Names with their values, made one after the other.
struct Table<I>(I);

impl<V: Serialize, I: Iterator<Item = (String, V)> + Clone> Serialize for Table<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.clone())
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
