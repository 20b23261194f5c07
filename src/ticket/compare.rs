//! Each row against the flows of the plan, and each flow against the rows.

use super::ends::End;
use super::read::{Row, Service};
use crate::plan::{Flow, Forbidden, Plan};
use crate::product::{Need, Transport};
use crate::site::{Origin, Site, SystemId};
use crate::yaml::Ports;

/// What the site says to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is required, and nothing of it must be closed.
    Needed,
    /// Something of it is needed, and something must be closed.
    TooWide,
    /// It may be open.
    Optional,
    /// It must be closed.
    Forbidden,
    /// Nothing of the plan asks for it, and nothing forbids it.
    NotNeeded,
}

/// A row with what the plan says to it.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The row.
    pub row: &'a Row,
    /// What the site says to it.
    pub standing: Standing,
    /// The flows that it is for, at least in part.
    pub needed: Vec<&'a Flow>,
    /// What it would open and must be closed: the ports of each entry.
    pub forbidden: Vec<(&'a Forbidden, Vec<Ports>)>,
}

/// A ticket against a plan.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// The rows, in their order.
    pub rows: Vec<Judged<'a>>,
    /// Required flows from zone to zone that no row asks for, or not in full.
    pub missing: Vec<&'a Flow>,
    /// The same of optional ones.
    pub optional: Vec<&'a Flow>,
}

/// Compares a ticket with what a site needs.
pub fn compare<'a>(site: &'a Site, plan: &'a Plan, rows: &'a [Row]) -> Comparison<'a> {
    let asked: Vec<Asked<'a>> = rows.iter().map(|row| Asked::of(site, row)).collect();
    let missing = plan.flows.iter().filter(|flow| {
        flow.need != Need::Forbidden
            && Some(flow.start(site)) != flow.end(site)
            && !is_asked_for(site, flow, &asked)
    });
    let (missing, optional) = missing.partition(|flow| flow.need == Need::Required);
    Comparison {
        rows: asked.iter().map(|row| row.judged(site, plan)).collect(),
        missing,
        optional,
    }
}

/// A row with what its cells mean.
struct Asked<'a> {
    row: &'a Row,
    sources: Vec<End>,
    destinations: Vec<End>,
}

impl<'a> Asked<'a> {
    fn of(site: &Site, row: &'a Row) -> Self {
        let ends = |cells: &[String]| cells.iter().map(|cell| End::of(site, cell)).collect();
        Self {
            row,
            sources: ends(&row.sources),
            destinations: ends(&row.destinations),
        }
    }

    fn judged(&self, site: &Site, plan: &'a Plan) -> Judged<'a> {
        let needed = plan.flows.iter().filter(|flow| self.is_for(site, flow));
        let needed: Vec<&Flow> = needed.collect();
        let forbidden = plan.forbidden.iter();
        let forbidden: Vec<(&Forbidden, Vec<Ports>)> = forbidden
            .filter_map(|entry| {
                let ports = self.opens(site, entry, &needed);
                (!ports.is_empty()).then_some((entry, ports))
            })
            .collect();
        let is_required = needed.iter().any(|flow| flow.need == Need::Required);
        let standing = match (needed.is_empty(), forbidden.is_empty()) {
            (false, true) if is_required => Standing::Needed,
            (false, true) => Standing::Optional,
            (false, false) => Standing::TooWide,
            (true, false) => Standing::Forbidden,
            (true, true) => Standing::NotNeeded,
        };
        Judged {
            row: self.row,
            standing,
            needed,
            forbidden,
        }
    }

    /// Whether something of a needed flow is asked for.
    fn is_for(&self, site: &Site, flow: &Flow) -> bool {
        let start = flow.start(site);
        flow.need != Need::Forbidden
            && self.asks(flow.transport, flow.port)
            && self
                .sources
                .iter()
                .any(|it| it.touches_origin(site, flow.from))
            && self
                .destinations
                .iter()
                .any(|it| it.touches_target(site, &flow.to, start))
    }

    /// The ports of a forbidden entry that this row would open to somebody without a need of its own.
    fn opens(&self, site: &Site, entry: &Forbidden, needed: &[&Flow]) -> Vec<Ports> {
        let start = entry.start(site);
        let mut destinations = self.destinations.iter();
        if !destinations.any(|it| it.touches_target(site, &entry.to, start)) {
            return Vec::new();
        }
        let touching = self
            .sources
            .iter()
            .filter(|it| it.touches_origin(site, entry.from));
        let touching: Vec<&End> = touching.collect();
        let may = |system: SystemId, port: Ports| {
            needed.iter().any(|flow| {
                flow.from == Origin::System(system)
                    && flow.to == entry.to
                    && (flow.transport, flow.port) == (entry.transport, port)
            })
        };
        let opened_by = |end: &End, port: Ports| match (end, entry.from) {
            // A system's own need goes before what is forbidden to its zone.
            (End::Systems(all), Origin::Zone(zone)) => all
                .iter()
                .any(|system| site.systems[*system].is_in(zone) && !may(*system, port)),
            _ => true,
        };
        let ports = entry.ports.iter().copied();
        ports
            .filter(|port| {
                self.asks(entry.transport, *port)
                    && touching.iter().any(|end| opened_by(end, *port))
            })
            .collect()
    }

    fn asks(&self, transport: Transport, ports: Ports) -> bool {
        let meets = |it: &Service| it.ports.low <= ports.high && ports.low <= it.ports.high;
        let mut services = self.row.services.iter();
        services.any(|it| it.transport == transport && meets(it))
    }
}

/// Whether the rows that hold both ends of a flow ask for all its ports.
fn is_asked_for(site: &Site, flow: &Flow, rows: &[Asked<'_>]) -> bool {
    let start = flow.start(site);
    let whole = rows.iter().filter(|row| {
        row.sources
            .iter()
            .any(|it| it.holds_origin(site, flow.from))
            && row
                .destinations
                .iter()
                .any(|it| it.holds_target(site, &flow.to, start))
    });
    let services = whole.flat_map(|row| &row.row.services);
    let ports = services.filter(|it| it.transport == flow.transport);
    let mut ports: Vec<Ports> = ports.map(|it| it.ports).collect();
    ports.sort_unstable();
    // The lowest port that no row asks for; beyond all ports at the end.
    let mut open = u32::from(flow.port.low);
    for range in ports {
        if u32::from(range.low) <= open {
            open = open.max(u32::from(range.high) + 1);
        }
    }
    open > u32::from(flow.port.high)
}
