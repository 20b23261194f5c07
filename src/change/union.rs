//! One site for a run of both files: the new one, with the systems that only the old one has.
//!
//! A system that both files have counts as one only when the vantage's zone sees it alike in both. Else the old one is
//! another system of the same name.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::config::ProxyTls;
use crate::product::Role;
use crate::site::{Site, System, SystemId, ZoneId};

/// Both sites in one.
#[derive(Clone, Debug)]
pub struct Union {
    /// The new site, with systems of the old one behind its own.
    pub site: Site,
    /// How many systems the new site has itself.
    pub own: usize,
    /// The number that each system of the old site has in it; `None`: its zone is gone, so it is not tried.
    pub systems: Vec<Option<SystemId>>,
}

/// Joins two sites, as a zone of the new one sees them.
pub fn union(new: &Site, old: &Site, zone: ZoneId) -> Union {
    let mut site = new.clone();
    let zone = &new.zones[zone].name;
    let mut systems = Vec::new();
    for system in &old.systems {
        let same = new
            .systems
            .iter()
            .position(|other| view(new, other, zone) == view(old, system, zone));
        systems.push(same.or_else(|| {
            let moved = renumbered(old, new, system)?;
            site.systems.push(moved);
            Some(site.systems.len() - 1)
        }));
    }
    // What an old proxy publishes is numbered anew when all systems are.
    for (number, system) in old.systems.iter().enumerate() {
        if let Some(place) = systems[number].filter(|place| *place >= new.systems.len()) {
            let published = system.publishes.iter();
            site.systems[place].publishes = published.filter_map(|it| systems[*it]).collect();
        }
    }
    site.look_up();
    Union {
        site,
        own: new.systems.len(),
        systems,
    }
}

/// What a zone sees of a system, in names.
#[derive(PartialEq)]
struct View<'a> {
    name: &'a str,
    zone: &'a str,
    host: Option<&'a str>,
    addresses: &'a [IpAddr],
    roles: &'a BTreeSet<Role>,
    publishes: Vec<&'a str>,
    tls: ProxyTls,
}

fn view<'a>(site: &'a Site, system: &'a System, zone: &str) -> View<'a> {
    // A zone that a site does not have sees what all others see.
    let from = site.zones.iter().position(|it| it.name == *zone);
    let from = from.unwrap_or(usize::MAX);
    View {
        name: &system.name,
        zone: &site.zones[system.zone].name,
        host: system.name_for(from),
        addresses: system.addresses_for(from),
        roles: &system.client_roles,
        publishes: system
            .publishes
            .iter()
            .map(|it| site.systems[*it].name.as_str())
            .collect(),
        tls: system.proxy_tls,
    }
}

/// A system of the old site with the zones of the new one; what points to other systems is left out.
fn renumbered(old: &Site, new: &Site, system: &System) -> Option<System> {
    let zone = |number: ZoneId| {
        let name = &old.zones[number].name;
        new.zones.iter().position(|it| it.name == *name)
    };
    // An entry for a zone that is gone is of no use.
    let asking = |from: Option<ZoneId>| match from {
        None => Some(None),
        Some(from) => zone(from).map(Some),
    };
    let names = system.names.iter();
    let addresses = system.addresses.iter();
    let serves = |zones: &Vec<ZoneId>| zones.iter().filter_map(|it| zone(*it)).collect();
    Some(System {
        zone: zone(system.zone)?,
        names: names
            .filter_map(|(from, name)| Some((asking(*from)?, name.clone())))
            .collect(),
        addresses: addresses
            .filter_map(|(from, all)| Some((asking(*from)?, all.clone())))
            .collect(),
        serves: system.serves.as_ref().map(serves),
        database: None,
        publishes: Vec::new(),
        ..system.clone()
    })
}
