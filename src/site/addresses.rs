//! Addresses that several systems have.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{System, SystemId, ZoneId};
use crate::config::{self, Config};
use crate::diagnostic::{Place, Problem};

/// Two systems must not share an address, except a proxy and what it publishes. Systems may share one too when each
/// says by its `ports` for the asking zone at which numbers of the address it is reached.
pub(super) fn shared_addresses(
    config: &Config,
    systems: &[System],
    zones: usize,
    problems: &mut Vec<Problem>,
) {
    let mut reported = BTreeSet::new();
    for zone in 0..zones.max(1) {
        let mut owners: BTreeMap<IpAddr, Vec<SystemId>> = BTreeMap::new();
        for (number, system) in systems.iter().enumerate() {
            for address in system.addresses_for(zone) {
                let sharing = owners.entry(*address).or_default();
                for other in sharing.iter().copied() {
                    if !publishes(systems, number, other)
                        && !is_told_apart(config, systems, zone, (other, number), problems)
                        && reported.insert((other, number, *address))
                    {
                        problems.push(shared(config, (other, number), *address));
                    }
                }
                sharing.push(number);
            }
        }
    }
}

fn publishes(systems: &[System], one: SystemId, other: SystemId) -> bool {
    systems[one].publishes.contains(&other) || systems[other].publishes.contains(&one)
}

fn shared(config: &Config, (one, other): (SystemId, SystemId), address: IpAddr) -> Problem {
    let system = |number: SystemId| &config.systems[number];
    Problem::error(
        "shared-address",
        place_of(system(other), address),
        format!(
            "systems `{}` and `{}` have one address, {address}",
            system(one).name.value,
            system(other).name.value
        ),
    )
    .hint(
        "give each system its own address; a proxy and what it publishes may share one, and so \
         may systems that all have `ports` for the zone that asks",
    )
}

/// Whether both have `ports` for a zone. A number that both name is a finding of its own.
fn is_told_apart(
    config: &Config,
    systems: &[System],
    zone: ZoneId,
    (one, other): (SystemId, SystemId),
    problems: &mut Vec<Problem>,
) -> bool {
    let (Some(theirs), Some(_)) = (
        systems[one].translation(zone),
        systems[other].translation(zone),
    ) else {
        return false;
    };
    let of_zone = config.systems[other].ports.iter();
    let of_zone = of_zone.filter(|(name, _)| config.zones[zone].name.value == name.value);
    for (asked, _) in of_zone.flat_map(|(_, pairs)| pairs) {
        let is_known =
            |problem: &Problem| problem.code == "shared-port" && problem.at == Some(asked.at);
        if theirs.names(asked.value) && !problems.iter().any(is_known) {
            problems.push(
                Problem::error(
                    "shared-port",
                    asked.at,
                    format!(
                        "systems `{}` and `{}` have one address, and are both asked at its port {}",
                        systems[one].name, systems[other].name, asked.value
                    ),
                )
                .hint("a port of an address leads to one system"),
            );
        }
    }
    true
}

fn place_of(system: &config::System, address: IpAddr) -> Place {
    let mut all = system.addresses.iter().flat_map(|(_, list)| list);
    all.find(|at| at.value == address)
        .map_or(system.name.at, |at| at.at)
}
