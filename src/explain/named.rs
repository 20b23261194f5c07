//! What the site file names: a system or a firewall, with the flows that it is about.

use super::Given;
use super::document::{About, FirewallExplained, KnownAs, SystemExplained};
use crate::plan::{Declared, Flow, Forbidden, Target};
use crate::product::{Need, Role};
use crate::site::{Origin, Site, SystemId, ZoneId};

/// The system or firewall with this name; `None` where the file has none.
pub fn named(given: Given<'_>, name: &str) -> Option<About> {
    let site = given.site;
    if let Some(system) = site.systems.iter().position(|it| it.name == name) {
        return Some(About::System(Box::new(system_of(given, system))));
    }
    let firewall = site.firewalls.iter().position(|it| it.name == name)?;
    Some(About::Firewall(firewall_of(given, firewall)))
}

/// The systems of the file that have a role, by the names that it gives them.
pub fn with_role(site: &Site, role: Role) -> Vec<String> {
    let systems = site.systems.iter();
    let have =
        systems.filter(|it| it.client_roles.contains(&role) || it.server_roles.contains(&role));
    have.map(|it| it.name.clone()).collect()
}

/// The names of the file that can be explained.
pub fn names(site: &Site) -> impl Iterator<Item = &str> {
    let systems = site.systems.iter().map(|it| it.name.as_str());
    systems.chain(site.firewalls.iter().map(|it| it.name.as_str()))
}

fn system_of(given: Given<'_>, id: SystemId) -> SystemExplained {
    let site = given.site;
    let system = &site.systems[id];
    let zone_of = |zone: &ZoneId| site.zones[*zone].name.clone();
    let needed = |is_it: &dyn Fn(&Flow) -> bool| {
        let flows = given.plan.flows.iter();
        let flows = flows.filter(|flow| flow.need != Need::Forbidden && is_it(flow));
        flows.map(|flow| given.trying(flow)).collect()
    };
    let forbidden = given.plan.forbidden.iter();
    let forbidden = forbidden.filter(|it| it.to == Target::System(id));
    SystemExplained {
        system: system.name.clone(),
        zone: zone_of(&system.zone),
        declared: Declared {
            file: given.file.to_string(),
            line: system.declared.line,
            column: system.declared.column,
        },
        known_as: known_as(site, id),
        roles: system
            .client_roles
            .union(&system.server_roles)
            .map(|role| role.name().to_string())
            .collect(),
        serves: system
            .serves
            .as_ref()
            .map(|zones| zones.iter().map(zone_of).collect()),
        flows_to: needed(&|flow| flow.to == Target::System(id)),
        flows_from: needed(&|flow| flow.from == Origin::System(id)),
        forbidden: forbidden.map(ports).sum(),
    }
}

fn known_as(site: &Site, id: SystemId) -> Vec<KnownAs> {
    let system = &site.systems[id];
    let mut all: Vec<KnownAs> = Vec::new();
    let names = system.names.iter().map(|(zone, name)| (zone, name.clone()));
    let addresses = system.addresses.iter();
    let addresses =
        addresses.flat_map(|(zone, all)| all.iter().map(move |it| (zone, it.to_string())));
    for (zone, by) in names.chain(addresses) {
        let zone = zone.map(|zone| site.zones[zone].name.clone());
        match all.iter_mut().find(|it| it.zone == zone) {
            Some(known) => known.by.push(by),
            None => all.push(KnownAs { zone, by: vec![by] }),
        }
    }
    all
}

fn ports(forbidden: &Forbidden) -> usize {
    forbidden.ports.len()
}

fn firewall_of(given: Given<'_>, id: usize) -> FirewallExplained {
    let site = given.site;
    let firewall = &site.firewalls[id];
    let crosses = |from: ZoneId, to: Option<ZoneId>| {
        let way = to.map(|to| site.way(from, to));
        way.is_some_and(|way| way.iter().any(|crossing| crossing.firewall == id))
    };
    let flows = given.plan.flows.iter();
    let flows = flows.filter(|flow| flow.need != Need::Forbidden);
    let flows = flows.filter(|flow| crosses(flow.start(site), flow.end(site)));
    let forbidden = given.plan.forbidden.iter();
    let forbidden = forbidden.filter(|it| crosses(it.start(site), it.end(site)));
    let (one, other) = firewall.between;
    FirewallExplained {
        firewall: firewall.name.clone(),
        between: [one, other]
            .map(|zone| site.zones[zone].name.clone())
            .to_vec(),
        addresses: firewall.addresses.iter().map(ToString::to_string).collect(),
        device: firewall.device.clone(),
        flows: flows.map(|flow| given.trying(flow)).collect(),
        forbidden: forbidden.map(ports).sum(),
    }
}
