//! The flows of the site file that a host of a log stands for, and those that a code without a host may be about.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::places::Place;
use crate::explain::document::{FlowToTry, PlaceSeen};
use crate::plan::{self, Flow, Plan, Target};
use crate::product::{Catalogue, CodeMeaning, Need, Role};
use crate::report;
use crate::site::{Origin, Site};
use crate::yaml::Ports;

/// The most flows that are named for one place or code: a reader follows a few.
const MOST_FLOWS: usize = 12;

/// The site that a log is read for.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The site.
    pub site: &'a Site,
    /// Its catalogue.
    pub catalogue: &'a Catalogue,
    /// Its flows.
    pub plan: &'a Plan,
    /// The name of its file.
    pub file: &'a str,
}

impl Given<'_> {
    /// The flow, and the command that tries it.
    pub(in crate::explain) fn trying(&self, flow: &Flow) -> FlowToTry {
        let zone = &self.site.zones[flow.start(self.site)].name;
        let as_system = match flow.from {
            Origin::System(system) => format!(" --as {}", self.site.systems[system].name),
            Origin::Zone(_) => String::new(),
        };
        FlowToTry {
            id: plan::id(self.site, flow),
            need: flow.need,
            check: format!("portproof check {} --from {zone}{as_system}", self.file),
        }
    }

    fn some(&self, flows: &[&Flow]) -> (Vec<FlowToTry>, usize) {
        let named = flows.iter().take(MOST_FLOWS).map(|flow| self.trying(flow));
        (named.collect(), flows.len().saturating_sub(MOST_FLOWS))
    }

    /// What the file knows of a place.
    pub(super) fn place(&self, place: &Place, count: u64) -> PlaceSeen {
        let there: Vec<&Flow> = self
            .plan
            .flows
            .iter()
            .filter(|flow| flow.need != Need::Forbidden && self.leads_to(flow, &place.host))
            .collect();
        let is_at = |flow: &&&Flow| {
            let has = |port: u16| flow.port.low <= port && port <= flow.port.high;
            place.port.is_none_or(has)
        };
        let at_port: Vec<&Flow> = there.iter().filter(is_at).copied().collect();
        let system = self.site.system_at(&place.host);
        let (flows, flows_left_out) = self.some(&at_port);
        PlaceSeen {
            host: place.host.clone(),
            port: place.port,
            count,
            system: system.map(|system| self.site.systems[system].name.clone()),
            note: self.note(place, system.is_some(), &there, &at_port),
            flows,
            flows_left_out,
        }
    }

    fn note(&self, place: &Place, is_known: bool, there: &[&Flow], at_port: &[&Flow]) -> String {
        let file = self.file;
        match (place.port, at_port.is_empty()) {
            (_, false) => String::new(),
            (Some(port), true) if !there.is_empty() => {
                let known: BTreeSet<Ports> = there.iter().map(|it| it.port).collect();
                let known = known.iter().take(MOST_FLOWS).map(ToString::to_string);
                let known: Vec<String> = known.collect();
                format!(
                    "{file} has no needed flow to this host at port {port}; it has {}. Compare the \
                     port of the client with that of the site.",
                    known.join(", ")
                )
            }
            (_, true) if is_known || !there.is_empty() => {
                format!("{file} has no needed flow to this host by this name")
            }
            (_, true) => format!("{file} has no system with this name or address"),
        }
    }

    /// Whether the start of a flow knows its end by this name or address.
    fn leads_to(&self, flow: &Flow, host: &str) -> bool {
        let to = match &flow.to {
            Target::Host(name) => return name.eq_ignore_ascii_case(host),
            Target::Service(service) => return is_of_service(&service.name, host),
            Target::Clients(_) => return false,
            Target::System(to) => &self.site.systems[*to],
        };
        let zone = flow.start(self.site);
        let name = to.name_for(zone).map(|name| name.trim_end_matches('.'));
        let address: Option<IpAddr> = host.parse().ok();
        name.is_some_and(|name| name.eq_ignore_ascii_case(host))
            || address.is_some_and(|address| to.addresses_for(zone).contains(&address))
    }

    /// The flows of clients that may fail as the code says, where no host is named.
    pub(super) fn candidates(
        &self,
        meaning: &CodeMeaning,
        of_log: &[Role],
    ) -> (Vec<FlowToTry>, usize) {
        let may_be = |flow: &&Flow| {
            let logged = report::may_log(self.site, self.catalogue, flow);
            let mut outcomes = logged.iter().map(|(outcome, _)| outcome);
            let roles = plan::roles(self.site, self.catalogue, flow);
            let suits = |wanted: &[Role]| {
                wanted.is_empty() || wanted.iter().any(|role| roles.contains(role))
            };
            outcomes.any(|outcome| meaning.after.contains(outcome))
                && (roles.is_empty() || suits(&meaning.roles) && suits(of_log))
        };
        let flows: Vec<&Flow> = self.plan.flows.iter().filter(may_be).collect();
        self.some(&flows)
    }
}

/// Whether a host has the name of a service, which may begin with `*.`: any labels.
fn is_of_service(name: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    match name.to_ascii_lowercase().strip_prefix('*') {
        Some(end) => host.len() > end.len() && host.ends_with(end),
        None => host == name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_name_and_by_any_labels_before_it() {
        assert!(is_of_service("cmg.example.com", "CMG.example.com"));
        assert!(!is_of_service("cmg.example.com", "a.cmg.example.com"));
        assert!(is_of_service("*.blob.example", "a.b.blob.example"));
        for host in ["blob.example", ".blob.example", "ablob.example"] {
            assert!(!is_of_service("*.blob.example", host), "{host}");
        }
    }
}
