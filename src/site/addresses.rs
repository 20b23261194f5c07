//! Addresses that several systems have.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{System, SystemId};
use crate::config::{self, Config};
use crate::diagnostic::{Place, Problem};

/// Two systems must not share an address, except a proxy and what it publishes.
pub(super) fn shared_addresses(
    config: &Config,
    systems: &[System],
    zones: usize,
    problems: &mut Vec<Problem>,
) {
    let mut reported = BTreeSet::new();
    for zone in 0..zones.max(1) {
        let mut owners: BTreeMap<IpAddr, SystemId> = BTreeMap::new();
        for (number, system) in systems.iter().enumerate() {
            for address in system.addresses_for(zone) {
                let Some(other) = owners.insert(*address, number) else {
                    continue;
                };
                let published =
                    system.publishes.contains(&other) || systems[other].publishes.contains(&number);
                if published || !reported.insert((other, number, *address)) {
                    continue;
                }
                problems.push(
                    Problem::error("shared-address", place_of(&config.systems[number], *address), format!("systems `{}` and `{}` have one address, {address}", systems[other].name, system.name))
                        .hint("give each system its own address; a proxy and what it publishes may share one"),
                );
            }
        }
    }
}

fn place_of(system: &config::System, address: IpAddr) -> Place {
    let mut all = system.addresses.iter().flat_map(|(_, list)| list);
    all.find(|at| at.value == address)
        .map_or(system.name.at, |at| at.at)
}
