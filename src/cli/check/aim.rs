//! Where a flow is tried: at its addresses, else at what its name resolves to from here.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Bench;
use crate::catalogue::Need;
use crate::observation::Unresolved;
use crate::plan::{Chosen, Flow, Target};
use crate::probe;
use crate::site::{Site, ZoneId};

/// Where a flow is tried, before names are resolved.
pub(super) enum Aim {
    Addresses(Vec<IpAddr>),
    Name(String),
    Nowhere,
}

pub(super) fn aim(site: &Site, zone: ZoneId, flow: &Flow) -> Aim {
    let system = match flow.to {
        Target::Crl(number) => return Aim::Name(site.crls[number].host.clone()),
        Target::System(system) => system,
    };
    let host = &site.systems[system];
    let proxies = site
        .systems
        .iter()
        .filter(|proxy| proxy.publishes.contains(&system));
    let (mut shared_names, mut shared_addresses) = (Vec::new(), Vec::new());
    for proxy in proxies {
        shared_names.extend(proxy.name_for(zone));
        shared_addresses.extend(proxy.addresses_for(zone));
    }
    // A forbidden flow is tried only at the target's own address, never at one shared with its proxy.
    let own =
        |address: &&IpAddr| flow.need != Need::Forbidden || !shared_addresses.contains(*address);
    let addresses: Vec<IpAddr> = host
        .addresses_for(zone)
        .iter()
        .filter(own)
        .copied()
        .collect();
    if !addresses.is_empty() {
        return Aim::Addresses(addresses);
    }
    match host.name_for(zone) {
        Some(name) if flow.need != Need::Forbidden || !shared_names.contains(&name) => {
            Aim::Name(name.to_string())
        }
        _ => Aim::Nowhere,
    }
}

pub(super) type Names = HashMap<String, Result<Vec<IpAddr>, Unresolved>>;

/// Resolves every name that stands without an address, each once, all at the same time.
pub(super) async fn resolve(bench: &Bench, chosen: &[Chosen]) -> Names {
    // A proxy is told names, and resolves them.
    if bench.via.is_some() {
        return Names::new();
    }
    let site = &bench.loaded.site;
    let mut wanted = BTreeSet::new();
    for chosen in chosen {
        if let Aim::Name(name) = aim(site, bench.place.zone, &bench.plan.flows[chosen.flow]) {
            wanted.insert(name);
        }
    }
    if bench.lab.is_some() {
        return wanted
            .into_iter()
            .map(|name| (name, Err(Unresolved::ResolverSilent)))
            .collect();
    }
    look_up_all(wanted, bench.timeout, &bench.stop).await
}

async fn look_up_all(
    wanted: BTreeSet<String>,
    timeout: Duration,
    stop: &watch::Receiver<bool>,
) -> Names {
    let mut running = JoinSet::new();
    let mut found: Names = HashMap::new();
    for name in wanted {
        found.insert(name.clone(), Err(Unresolved::ResolverSilent));
        running.spawn(async move {
            let answer = probe::lookup(&name, timeout).await;
            (name, answer)
        });
    }
    let mut stop = stop.clone();
    loop {
        tokio::select! {
            joined = running.join_next() => match joined {
                Some(Ok((name, answer))) => { found.insert(name, answer); }
                Some(Err(_)) => {}
                None => return found,
            },
            _ = stop.wait_for(|stop| *stop) => return found,
        }
    }
}
