//! From flows to permits.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::closed::Closed;
use super::range::{Family, Range};
use super::source::Sources;
use super::view::{Headers, on_the_way, own_port, zone_of_target};
use super::{Choice, Destination, Permit, Permitted, Rules, Source, Unwritten};
use crate::plan::{Flow, Plan, Target, entry};
use crate::product::{ANY, Need, Transport};
use crate::site::{Crossing, Site, ZoneId};
use crate::yaml::Ports;

/// What each firewall of the file has to let through; the legs of one box as one device. What travels inside IPsec is to
/// a firewall only that.
pub fn of_firewalls(site: &Site, plan: &Plan, choice: Choice<'_>) -> Rules {
    let mut rules = Gathered::default();
    let closed = Closed::new(plan);
    let sources = Sources::new(site, &closed);
    for flow in plan.flows.iter().filter(|flow| !flow.is_inside_ipsec(site)) {
        let Some(permitted) = wanted(site, flow, choice) else {
            continue;
        };
        let way = site.way(flow.start(site), zone_of_target(site, flow));
        let names = way_names(site, &way);
        for passage in passages(site, &way) {
            let last = names[passage.behind - 1];
            let passed = |missing: &super::Missing| missing.passed(&permitted.id, &names, last);
            if choice.missing.is_some_and(passed) {
                continue;
            }
            let asked = Asked {
                site,
                sources: &sources,
                by_name: choice.by_name,
                flow,
                device: passage.device,
                from: way[passage.before].from,
                to: way[passage.behind - 1].to,
            };
            for port in ports(&closed, flow, choice, &permitted.id) {
                let headers = on_the_way(site, flow, port, &way);
                let (before, behind) = (&headers[passage.before], &headers[passage.behind]);
                rules.add(&asked, before, behind, &permitted);
            }
        }
    }
    rules.rules
}

/// One box on the way of a packet, which passes its legs in a row at once.
struct Passage<'a> {
    device: &'a str,
    /// The place on the way of its first leg.
    before: usize,
    /// The place behind its last leg.
    behind: usize,
}

fn passages<'a>(site: &'a Site, way: &[Crossing]) -> Vec<Passage<'a>> {
    let mut all: Vec<Passage<'_>> = Vec::new();
    for (place, crossing) in way.iter().enumerate() {
        let device = site.firewalls[crossing.firewall].device();
        match all.last_mut() {
            Some(last) if last.device == device => last.behind = place + 1,
            _ => all.push(Passage {
                device,
                before: place,
                behind: place + 1,
            }),
        }
    }
    all
}

/// What the own firewall of each host has to let in; what leaves a host is not in question.
pub fn of_hosts(site: &Site, plan: &Plan, choice: Choice<'_>) -> Rules {
    let mut rules = Gathered::default();
    let closed = Closed::new(plan);
    let sources = Sources::new(site, &closed);
    for flow in &plan.flows {
        let (&Target::System(system), Some(permitted)) = (&flow.to, wanted(site, flow, choice))
        else {
            continue;
        };
        let from = flow.start(site);
        let to = zone_of_target(site, flow);
        let way = site.way(from, to);
        let members = &site.systems[system].members;
        let hosts = if members.is_empty() {
            std::slice::from_ref(&system)
        } else {
            members
        };
        for host in hosts {
            let asked = Asked {
                site,
                sources: &sources,
                by_name: false,
                flow,
                device: &site.systems[*host].name,
                from: to,
                to,
            };
            for port in ports(&closed, flow, choice, &permitted.id) {
                let Some(last) = on_the_way(site, flow, port, &way).pop() else {
                    continue;
                };
                let own = Headers {
                    port: own_port(site, flow, port),
                    ..last
                };
                rules.add_inbound(&asked, &own, &permitted);
            }
        }
    }
    rules.rules
}

fn way_names<'a>(site: &'a Site, way: &[Crossing]) -> Vec<&'a str> {
    let name = |crossing: &Crossing| site.firewalls[crossing.firewall].name.as_str();
    way.iter().map(name).collect()
}

/// A flow that a permit is wanted for.
fn wanted(site: &Site, flow: &Flow, choice: Choice<'_>) -> Option<Permitted> {
    let by_need = match flow.need {
        Need::Required => true,
        Need::Optional => choice.optional,
        Need::Forbidden => false,
    };
    if !by_need {
        return None;
    }
    let entry = entry(site, "", flow);
    let seen = match choice.missing {
        Some(missing) => Some(missing.words(&entry.id)?),
        None => None,
    };
    Some(Permitted {
        id: entry.id,
        need: flow.need,
        why: entry.why.to_string(),
        seen,
    })
}

/// The ports to let through: those that an endpoint mapper named in a report, else those of the flow.
fn ports(closed: &Closed<'_>, flow: &Flow, choice: Choice<'_>, id: &str) -> Vec<Ports> {
    let named = choice.missing.map_or(&[][..], |missing| missing.ports(id));
    match named.is_empty() {
        true => closed.parts(flow),
        false => named.iter().map(|port| Ports::one(*port)).collect(),
    }
}

/// A flow at a device.
struct Asked<'a> {
    site: &'a Site,
    sources: &'a Sources<'a>,
    /// Whether the device looks names up itself.
    by_name: bool,
    flow: &'a Flow,
    device: &'a str,
    from: ZoneId,
    to: ZoneId,
}

impl Asked<'_> {
    fn source(&self, family: Family) -> Source {
        Source {
            name: self.site.origin_name(self.flow.from).to_string(),
            ranges: self.sources.of(self.flow, self.from, family),
        }
    }

    fn target_name(&self) -> String {
        entry(self.site, "", self.flow).to.system
    }

    /// The name that a device can look up itself where no address is known, or where addresses change.
    fn host(&self) -> Option<&str> {
        let name = match &self.flow.to {
            Target::Service(it) => it.name.as_str(),
            Target::Host(name) if name.parse::<IpAddr>().is_err() => name,
            _ => return None,
        };
        // One that stands for many can be looked up by nobody.
        (self.by_name && !name.starts_with(ANY)).then_some(name)
    }

    fn lacks_target(&self) -> String {
        let entry = entry(self.site, "", self.flow).to;
        let called = entry.system;
        match &self.flow.to {
            Target::System(_) => format!(
                "no address is known for {called} at this port; give its `addresses` in the site \
                 file"
            ),
            Target::Host(_) => format!(
                "no address is known for {called}, which is no system of the site file; make it \
                 one, with its `addresses`"
            ),
            Target::Service(it) if !it.name.starts_with(ANY) => format!(
                "{} has addresses that change; let the firewall permit it by its name",
                it.name
            ),
            Target::Service(it) => format!(
                "{} stands for many names, whose addresses change; let the firewall permit it by a \
                 list of URLs, or by what it recognises",
                it.name
            ),
            Target::Clients(zone) => format!(
                "the destination is every client of zone {}; permit its networks as far as you \
                 want to",
                self.site.zones[*zone].name
            ),
        }
    }

    fn lacks_source(&self) -> String {
        let name = self.site.origin_name(self.flow.from);
        match self.flow.from {
            crate::site::Origin::Zone(_) => {
                format!(
                    "zone {name} has no networks of the destination's family; give them in the \
                     site file"
                )
            }
            crate::site::Origin::System(_) => {
                format!(
                    "no address of the destination's family is known for {name}; give its \
                     `addresses` in the site file"
                )
            }
        }
    }
}

/// Permits as they are found; equal ones become one.
#[derive(Default)]
struct Gathered {
    rules: Rules,
    /// The numbers of permits by what they let through, whatever flows need it.
    numbers: HashMap<Passing, usize>,
    unwritten: HashSet<Unwritten>,
}

/// What a permit lets through: device, zones, source, destination before and behind or by name, transport, ports before and
/// behind.
type Passing = (
    String,
    (ZoneId, ZoneId),
    Vec<Range>,
    (Vec<IpAddr>, Vec<IpAddr>, Option<String>),
    Transport,
    (Ports, Ports),
);

impl Gathered {
    fn add(&mut self, asked: &Asked<'_>, before: &Headers, behind: &Headers, flow: &Permitted) {
        if behind.addresses.is_empty() {
            return match asked.host() {
                Some(host) => self.add_by_name(asked, host, (before.port, behind.port), flow),
                None => self.lacks(asked, asked.lacks_target(), flow),
            };
        }
        let mut written = false;
        for family in Family::ALL {
            let of = |addresses: &[IpAddr]| -> Vec<IpAddr> {
                let mut own = addresses.to_vec();
                own.retain(|address| Family::of(*address) == family);
                own
            };
            let destination = Destination {
                name: asked.target_name(),
                before: of(&before.addresses),
                behind: of(&behind.addresses),
                host: None,
            };
            if destination.before.is_empty() || destination.behind.is_empty() {
                continue;
            }
            written |= self.permit(asked, family, destination, (before.port, behind.port), flow);
        }
        if !written {
            self.lacks(asked, asked.lacks_source(), flow);
        }
    }

    /// The device looks up the name, in each family that sources have.
    fn add_by_name(
        &mut self,
        asked: &Asked<'_>,
        host: &str,
        ports: (Ports, Ports),
        flow: &Permitted,
    ) {
        let mut written = false;
        for family in Family::ALL {
            let destination = Destination {
                name: asked.target_name(),
                before: Vec::new(),
                behind: Vec::new(),
                host: Some(host.to_string()),
            };
            written |= self.permit(asked, family, destination, ports, flow);
        }
        if !written {
            self.lacks(asked, asked.lacks_source(), flow);
        }
    }

    /// At the host itself the destination is the host, whatever its addresses.
    fn add_inbound(&mut self, asked: &Asked<'_>, own: &Headers, flow: &Permitted) {
        let mut written = false;
        for family in Family::ALL {
            let known = || own.addresses.iter();
            if known().next().is_some() && !known().any(|it| Family::of(*it) == family) {
                continue;
            }
            let destination = Destination {
                name: asked.device.to_string(),
                before: Vec::new(),
                behind: Vec::new(),
                host: None,
            };
            written |= self.permit(asked, family, destination, (own.port, own.port), flow);
        }
        if !written {
            self.lacks(asked, asked.lacks_source(), flow);
        }
    }

    /// Adds a permit; `false` where nothing may start it in this family.
    fn permit(
        &mut self,
        asked: &Asked<'_>,
        family: Family,
        destination: Destination,
        (port_before, port_behind): (Ports, Ports),
        flow: &Permitted,
    ) -> bool {
        let permit = Permit {
            device: asked.device.to_string(),
            from: asked.from,
            to: asked.to,
            source: asked.source(family),
            destination,
            transport: asked.flow.transport,
            port_before,
            port_behind,
            flows: vec![flow.clone()],
        };
        if permit.source.ranges.is_empty() {
            return false;
        }
        let permits = &mut self.rules.permits;
        match self.numbers.entry(passing(&permit)) {
            Entry::Occupied(same) => permits[*same.get()].flows.extend(permit.flows),
            Entry::Vacant(new) => {
                new.insert(permits.len());
                permits.push(permit);
            }
        }
        true
    }

    fn lacks(&mut self, asked: &Asked<'_>, lacks: String, flow: &Permitted) {
        let unwritten = Unwritten {
            device: asked.device.to_string(),
            id: flow.id.clone(),
            lacks,
        };
        if self.unwritten.insert(unwritten.clone()) {
            self.rules.unwritten.push(unwritten);
        }
    }
}

fn passing(permit: &Permit) -> Passing {
    (
        permit.device.clone(),
        (permit.from, permit.to),
        permit.source.ranges.clone(),
        (
            permit.destination.before.clone(),
            permit.destination.behind.clone(),
            permit.destination.host.clone(),
        ),
        permit.transport,
        (permit.port_before, permit.port_behind),
    )
}
