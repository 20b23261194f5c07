//! The plan as text, for a firewall team, in lines that fit. It is a table, or flow by flow all that is known of each. It is
//! written group by group, so that a large plan is never held as text.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{self, Display, Formatter};

use super::devices::firewalls_in_words;
use super::ids::service;
use super::table::{self, Widths};
use super::{Flow, Forbidden, Plan, entry, id};
use crate::diagnostic::visible;
use crate::paragraph::{Page, Width};
use crate::product::{Confidence, Need, Transport};
use crate::site::{Exception, Site, ZoneId};
use crate::yaml::Ports;

/// How far what is said of a flow stands behind the flow.
const DETAIL: usize = 12;

/// How much a plan says of each flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A row for each pair of ends, with what it is for.
    Table,
    /// Where it leads, what it is for, what fails without it, and who says so.
    All,
}

/// The plan as text: by the firewall that a flow crosses first, then what stays inside a zone.
pub fn text<'a>(site: &'a Site, plan: &'a Plan, detail: Detail, width: Width) -> impl Display + 'a {
    let exceptions = site.exceptions.iter();
    Text {
        site,
        plan,
        exceptions: exceptions.map(|it| (it.flow.as_str(), it)).collect(),
        detail,
        width,
    }
}

struct Text<'a> {
    site: &'a Site,
    plan: &'a Plan,
    /// By the id of the flow.
    exceptions: HashMap<&'a str, &'a Exception>,
    detail: Detail,
    width: Width,
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
        out.write_str(&self.head())?;
        for ((_, title), group) in self.groups() {
            out.write_str(&self.title(&title))?;
            match self.detail {
                Detail::Table => self.rows(&group.flows, out)?,
                Detail::All => self.flows(&group.flows, out)?,
            }
            for forbidden in group.forbidden {
                out.write_str(&self.forbidden(forbidden))?;
            }
        }
        out.write_str(&self.beside())?;
        out.write_str(&self.end())
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

    fn page(&self) -> Page {
        Page::new(self.width)
    }

    fn head(&self) -> String {
        let counts = |need: Need| self.plan.flows.iter().filter(|it| it.need == need).count();
        let forbidden: usize = self.plan.forbidden.iter().map(|it| it.ports.len()).sum();
        let mut page = self.page();
        page.paragraph(
            0,
            format!(
                "Site {} ({}): {} required, {} optional, {} forbidden flows. No packet was sent.",
                visible(&self.site.code),
                self.site.product,
                counts(Need::Required),
                counts(Need::Optional),
                forbidden + counts(Need::Forbidden)
            ),
        );
        page.into_text()
    }

    fn title(&self, title: &str) -> String {
        let mut page = self.page();
        page.gap();
        page.title(visible(title));
        page.into_text()
    }

    /// Each flow with all that is known of it.
    fn flows(&self, flows: &[&Flow], out: &mut Formatter<'_>) -> fmt::Result {
        for need in [Need::Required, Need::Optional, Need::Forbidden] {
            for flow in flows.iter().filter(|flow| flow.need == need) {
                out.write_str(&self.flow(flow))?;
            }
        }
        Ok(())
    }

    /// The flows as rows, the ports between two ends folded.
    fn rows(&self, flows: &[&Flow], out: &mut Formatter<'_>) -> fmt::Result {
        let rows = table::rows(flows);
        let widths = Widths::of(self.site, &rows);
        if !rows.is_empty() {
            let mut page = self.page();
            page.paragraph(2, widths.head());
            out.write_str(&page.into_text())?;
        }
        for row in &rows {
            let mut page = self.page();
            page.paragraph(2, visible(&row.text(self.site, widths)));
            let columns = self.width.columns().saturating_sub(DETAIL);
            page.line(format!("{:DETAIL$}{}", "", visible(&row.why(columns))));
            for flow in &row.flows {
                let id = id(self.site, flow);
                if let Some(exception) = self.exceptions.get(id.as_str()) {
                    page.paragraph(DETAIL, format!("{} {}", visible(&id), accepted(exception)));
                }
            }
            out.write_str(&page.into_text())?;
        }
        Ok(())
    }

    /// Where the rest is.
    fn end(&self) -> String {
        let mut page = self.page();
        if self.detail == Detail::Table {
            page.gap();
            page.block(
                "`portproof plan --verbose` says of each flow where it leads, what fails without it and who says so.",
            );
        }
        page.into_text()
    }

    fn flow(&self, flow: &Flow) -> String {
        let entry = entry(self.site, "", flow);
        let mut page = self.page();
        page.gap();
        let (need, id, protocol) = (entry.need, visible(&entry.id), entry.protocol);
        page.paragraph(2, format!("{need:<9} {id}  ({protocol})"));
        let name = entry.to.name.unwrap_or_default();
        let place = [name, entry.to.addresses.join(", ")];
        let place: Vec<String> = place.into_iter().filter(|it| !it.is_empty()).collect();
        if !place.is_empty() {
            page.paragraph(DETAIL, format!("at {}", visible(&place.join(", "))));
        }
        if let Some(own) = entry.own_port {
            let system = visible(&entry.to.system);
            page.paragraph(DETAIL, format!("translated to port {own} of {system}"));
        }
        if entry.ipsec {
            page.paragraph(
                DETAIL,
                "inside IPsec: firewalls on the way see key exchange and ESP, not this port",
            );
        }
        page.paragraph(DETAIL, format!("why: {}", visible(&entry.why)));
        page.paragraph(DETAIL, format!("without it: {}", visible(&entry.breaks)));
        let (source, rules) = (visible(&source(flow)), entry.rules.join(", "));
        page.paragraph(DETAIL, format!("source: {source} [{rules}]"));
        if let Some(exception) = self.exceptions.get(entry.id.as_str()) {
            page.paragraph(DETAIL, accepted(exception));
        }
        page.into_text()
    }

    /// Forbidden ports, one list for each pair of ends, as a firewall team reads them.
    fn forbidden(&self, it: &Forbidden) -> String {
        let ports: Vec<String> = it.ports.iter().map(|port| named(it, *port)).collect();
        let mut page = self.page();
        page.gap();
        let (ends, ports) = (it.ends(self.site), ports.join(", "));
        page.paragraph(2, format!("forbidden {ends}: {ports}"));
        page.paragraph(DETAIL, format!("[{}]", it.reason.rules.join(", ")));
        if self.exceptions.is_empty() {
            return page.into_text();
        }
        for flow in it.flows() {
            if let Some(exception) = self.exceptions.get(id(self.site, &flow).as_str()) {
                let port = named(it, flow.port);
                page.paragraph(DETAIL, format!("{port} {}", accepted(exception)));
            }
        }
        page.into_text()
    }

    /// The exceptions that stand beside no flow of the plan: for what a sweep may find, or for nothing.
    fn beside(&self) -> String {
        let ids: BTreeSet<&str> = self.exceptions.keys().copied().collect();
        let planned = self.plan.known(self.site, ids);
        let all = self.site.exceptions.iter();
        let mut beside = all.filter(|it| !planned.contains(&it.flow)).peekable();
        let mut page = self.page();
        if beside.peek().is_some() {
            page.gap();
            page.line("Accepted beside the plan");
        }
        for exception in beside {
            let flow = visible(&exception.flow);
            page.paragraph(2, format!("{flow} {}", accepted(exception)));
        }
        page.into_text()
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
        Confidence::Documented => source.to_string(),
        Confidence::LaterVersion => format!("{source} (documented for later versions)"),
        Confidence::Derived => format!("follows from: {source}"),
    }
}
