//! Flows to what is no system of the file: services of others, by their names, and clients.

use std::sync::Arc;

use super::Applied;
use super::ends::clients;
use super::ports;
use crate::diagnostic::Place;
use crate::plan::settle::{Proposal, ReasonId};
use crate::plan::{ServiceName, Target};
use crate::product::{ANY, CMG, Need, PREFIX, Rule, Service, ServiceHost};
use crate::site::{Origin, Site};
use crate::yaml::Ports;

impl Applied<'_> {
    /// What the rules propose toward services and clients.
    pub(super) fn outward(&self) -> Vec<Proposal> {
        let mut all = Vec::new();
        for (rule, reason) in self.catalogue.rules.iter().zip(&self.reasons) {
            let targets = self.targets(rule);
            if targets.is_empty() {
                continue;
            }
            for (from, need) in self.origins_outward(rule) {
                let toward = targets.iter().filter(|to| !is_within(self.site, from, to));
                all.extend(toward.map(|to| self.proposal(rule, *reason, from, to, need)));
            }
        }
        all
    }

    /// What the ends of a rule mean that are no systems.
    fn targets(&self, rule: &Rule) -> Vec<Target> {
        let ends = rule.to.iter();
        ends.flat_map(|end| match end.service() {
            Some(service) => self.names(service),
            None => clients(self.site, *end).map(Target::Clients).collect(),
        })
        .collect()
    }

    /// The names of a service on this site.
    fn names(&self, service: Service) -> Vec<Target> {
        let services = self.catalogue.services.iter();
        let hosts = services
            .filter(|it| it.id == service)
            .flat_map(|it| &it.hosts);
        hosts
            .filter(|host| host.cloud.is_none_or(|cloud| self.site.settings.is(cloud)))
            .filter_map(|host| name(self.site, service, host))
            .map(|name| Target::Service(Arc::new(name)))
            .collect()
    }

    fn proposal(
        &self,
        rule: &Rule,
        reason: ReasonId,
        from: Origin,
        to: &Target,
        need: Need,
    ) -> Proposal {
        let names = rule.ports.iter();
        let names = names.filter_map(|name| self.catalogue.ports.get(name));
        let ports: Vec<Ports> = match rule.transport.has_ports() {
            true => names
                .flat_map(|name| ports::of_site(self.site, name))
                .collect(),
            false => vec![Ports::NONE],
        };
        Proposal {
            from,
            to: to.clone(),
            transport: rule.transport,
            ports: ports.into(),
            protocol: rule.protocol,
            need,
            reason,
            declared: declared(self.site, from),
        }
    }
}

/// Where the file declares who starts a flow.
fn declared(site: &Site, from: Origin) -> Place {
    match from {
        Origin::System(system) => site.systems[system].declared,
        Origin::Zone(zone) => site.zones[zone].declared,
    }
}

/// Whether both ends are in one zone, between which no firewall of the file stands.
fn is_within(site: &Site, from: Origin, to: &Target) -> bool {
    matches!(to, Target::Clients(zone) if site.zone_of(from) == *zone)
}

/// A name as it is on this site; `None`: the site has no CMG that it is a part of.
fn name(site: &Site, service: Service, host: &ServiceHost) -> Option<ServiceName> {
    let is_of_cmg = host.name.contains(CMG) || host.name.contains(PREFIX);
    let cmg = site.cmg.as_ref().map(|cmg| cmg.name.as_str());
    let filled = match (is_of_cmg, cmg) {
        (false, _) => host.name.clone(),
        (true, Some(cmg)) => {
            let prefix = cmg.split('.').next().unwrap_or(cmg);
            host.name.replace(CMG, cmg).replace(PREFIX, prefix)
        }
        (true, None) => return None,
    };
    let itself = (!filled.starts_with(ANY)).then(|| filled.clone());
    Some(ServiceName {
        service,
        tries: itself.or_else(|| host.tries.clone()),
        name: filled,
    })
}
