//! The plan as text, for a firewall team. It is written line by line, so that a large plan is never held as text.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{self, Display, Formatter};

use super::devices::firewalls_in_words;
use super::ids::service;
use super::{Flow, Forbidden, Plan, entry, id};
use crate::diagnostic::visible;
use crate::product::{Confidence, Need, Transport};
use crate::site::{Exception, Site, ZoneId};
use crate::yaml::Ports;

/// The plan as text: by the firewall that a flow crosses first, then what stays inside a zone.
pub fn text<'a>(site: &'a Site, plan: &'a Plan) -> impl Display + 'a {
    let exceptions = site.exceptions.iter();
    Text {
        site,
        plan,
        exceptions: exceptions.map(|it| (it.flow.as_str(), it)).collect(),
    }
}

struct Text<'a> {
    site: &'a Site,
    plan: &'a Plan,
    /// By the id of the flow.
    exceptions: HashMap<&'a str, &'a Exception>,
}

/// What stands under one title, in the order of the plan.
#[derive(Default)]
struct Group<'a> {
    flows: Vec<&'a Flow>,
    forbidden: Vec<&'a Forbidden>,
}

/// The place of a group among all, and its title.
type Title = (usize, String);
/// The zones in which something starts and arrives.
type Zones = (ZoneId, Option<ZoneId>);

impl Display for Text<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let counts = |need: Need| self.plan.flows.iter().filter(|it| it.need == need).count();
        let forbidden: usize = self.plan.forbidden.iter().map(|it| it.ports.len()).sum();
        writeln!(
            out,
            "Site {} ({}): {} required, {} optional, {} forbidden flows. No packet was sent.",
            visible(&self.site.code),
            self.site.product,
            counts(Need::Required),
            counts(Need::Optional),
            forbidden + counts(Need::Forbidden)
        )?;
        for ((_, title), group) in self.groups() {
            write!(out, "\n{title}\n{}\n", "=".repeat(title.len()))?;
            for need in [Need::Required, Need::Optional, Need::Forbidden] {
                for flow in group.flows.iter().filter(|flow| flow.need == need) {
                    self.flow(out, flow)?;
                }
            }
            for forbidden in group.forbidden {
                self.forbidden(out, forbidden)?;
            }
        }
        self.beside(out)
    }
}

impl<'a> Text<'a> {
    /// The groups in the order of their titles.
    fn groups(&self) -> BTreeMap<Title, Group<'a>> {
        let mut by_zones: HashMap<Zones, Group<'a>> = HashMap::new();
        for flow in &self.plan.flows {
            let zones = (flow.start(self.site), flow.end(self.site));
            by_zones.entry(zones).or_default().flows.push(flow);
        }
        for it in &self.plan.forbidden {
            let zones = (it.start(self.site), it.end(self.site));
            by_zones.entry(zones).or_default().forbidden.push(it);
        }
        let mut zones: Vec<Zones> = by_zones.keys().copied().collect();
        zones.sort_unstable();
        let mut groups: BTreeMap<Title, Group<'a>> = BTreeMap::new();
        for zones in zones {
            let group = groups.entry(title(self.site, zones)).or_default();
            let of_zones = by_zones.remove(&zones).unwrap_or_default();
            group.flows.extend(of_zones.flows);
            group.forbidden.extend(of_zones.forbidden);
        }
        groups
    }

    fn flow(&self, out: &mut Formatter<'_>, flow: &Flow) -> fmt::Result {
        let entry = entry(self.site, "", flow);
        let seen = entry.to.addresses.join(", ");
        let name = entry.to.name.unwrap_or_default();
        let place = [name, seen]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        writeln!(
            out,
            "\n  {:<9} {}  ({})",
            entry.need, entry.id, entry.protocol
        )?;
        if !place.is_empty() {
            writeln!(out, "            at {}", visible(&place))?;
        }
        if let Some(own) = entry.own_port {
            writeln!(
                out,
                "            translated to port {own} of {}",
                visible(&entry.to.system)
            )?;
        }
        if entry.ipsec {
            out.write_str(
                "            inside IPsec: firewalls on the way see key exchange and ESP, not this \
                 port\n",
            )?;
        }
        writeln!(out, "            why: {}", visible(&entry.why))?;
        writeln!(out, "            without it: {}", visible(&entry.breaks))?;
        writeln!(
            out,
            "            source: {} [{}]",
            visible(&source(flow)),
            entry.rules.join(", ")
        )?;
        if let Some(exception) = self.exceptions.get(entry.id.as_str()) {
            writeln!(out, "            {}", accepted(exception))?;
        }
        Ok(())
    }

    /// Forbidden ports, one line for each pair of ends: a firewall team reads them as a list.
    fn forbidden(&self, out: &mut Formatter<'_>, it: &Forbidden) -> fmt::Result {
        let ports: Vec<String> = it.ports.iter().map(|port| named(it, *port)).collect();
        writeln!(
            out,
            "\n  forbidden {}: {}\n            [{}]",
            it.ends(self.site),
            ports.join(", "),
            it.reason.rules.join(", ")
        )?;
        if self.exceptions.is_empty() {
            return Ok(());
        }
        for flow in it.flows() {
            if let Some(exception) = self.exceptions.get(id(self.site, &flow).as_str()) {
                writeln!(
                    out,
                    "            {} {}",
                    named(it, flow.port),
                    accepted(exception)
                )?;
            }
        }
        Ok(())
    }

    /// The exceptions that stand beside no flow of the plan: for what a sweep may find, or for nothing.
    fn beside(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let ids: BTreeSet<&str> = self.exceptions.keys().copied().collect();
        let planned = self.plan.known(self.site, ids);
        let all = self.site.exceptions.iter();
        let mut beside = all.filter(|it| !planned.contains(&it.flow)).peekable();
        if beside.peek().is_some() {
            out.write_str("\nAccepted beside the plan\n")?;
        }
        for exception in beside {
            let flow = visible(&exception.flow);
            writeln!(out, "  {flow} {}", accepted(exception))?;
        }
        Ok(())
    }
}

/// A port of TCP as its number; others with their transport.
fn named(it: &Forbidden, port: Ports) -> String {
    match it.transport {
        Transport::Tcp => port.to_string(),
        Transport::Udp | Transport::Esp => service(port, it.transport),
    }
}

fn accepted(exception: &Exception) -> String {
    format!(
        "exception through {}: {}",
        exception.until,
        visible(&exception.why)
    )
}

fn title(site: &Site, (from, to): Zones) -> Title {
    let zone = |zone: usize| site.zones[zone].name.clone();
    let crossed: Vec<String> = to
        .map(|to| site.crosses(from, to))
        .unwrap_or_default()
        .into_iter()
        .map(str::to_string)
        .collect();
    match to {
        None => (
            3,
            "To hosts outside the site file (certificate revocation lists)".to_string(),
        ),
        Some(to) if !crossed.is_empty() => (
            1,
            format!(
                "Through {}: {} to {}",
                firewalls_in_words(&crossed, |name| site.device_of(name), ", then "),
                zone(from),
                zone(to)
            ),
        ),
        Some(to) if to != from => (1, format!("From {} to {}", zone(from), zone(to))),
        Some(_) => (2, format!("Inside {} (crosses no firewall)", zone(from))),
    }
}

fn source(flow: &Flow) -> String {
    let source = &flow.reason.source;
    match flow.reason.confidence {
        Confidence::Unconfirmed => {
            "not confirmed by any document; optional unless your own flows ask for it".to_string()
        }
        Confidence::Documented => source.clone(),
        Confidence::LaterVersion => format!("{source} (documented for later versions)"),
        Confidence::Derived => format!("follows from: {source}"),
    }
}
