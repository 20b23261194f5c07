//! Where a flow is tried: at its addresses, else at what its name resolves to from here.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Run;
use crate::observation::Unresolved;
use crate::plan::{Chosen, Flow, Target};
use crate::probe;
use crate::product::Need;
use crate::site::{Site, System, SystemId, ZoneId};

/// Where a flow is tried, before names are resolved.
pub(super) enum Targets {
    Addresses(Vec<IpAddr>),
    Name(String),
    Nowhere,
    /// Many hosts, of which nobody names one: not tried.
    Many,
}

pub(super) fn targets(site: &Site, flow: &Flow) -> Targets {
    let zone = flow.start(site);
    let system = match &flow.to {
        Target::Host(name) => return Targets::Name(name.to_string()),
        Target::Service(it) => return it.tries.clone().map_or(Targets::Many, Targets::Name),
        Target::Clients(_) => return Targets::Many,
        Target::System(system) => *system,
    };
    let port = flow.port.low;
    let shared_names: Vec<&str> = proxies(site, system)
        .filter_map(|proxy| proxy.name_for(zone))
        .collect();
    // A forbidden flow is tried only at the target's own address, never at one shared with its proxy.
    let addresses = match flow.need {
        Need::Forbidden => own_addresses(site, zone, system, port),
        Need::Required | Need::Optional => site.addresses_at(zone, system, port),
    };
    if !addresses.is_empty() {
        return Targets::Addresses(addresses);
    }
    if site.is_anothers(zone, system, port) {
        return Targets::Nowhere;
    }
    match site.systems[system].name_for(zone) {
        Some(name) if flow.need != Need::Forbidden || !shared_names.contains(&name) => {
            Targets::Name(name.to_string())
        }
        _ => Targets::Nowhere,
    }
}

/// The addresses of a system that it does not share with a proxy which publishes it, nor, at this port, with another.
pub(super) fn own_addresses(site: &Site, zone: ZoneId, system: SystemId, port: u16) -> Vec<IpAddr> {
    let shared: Vec<&IpAddr> = proxies(site, system)
        .flat_map(|proxy| proxy.addresses_for(zone))
        .collect();
    let mut all = site.addresses_at(zone, system, port);
    all.retain(|address| !shared.contains(&address));
    all
}

fn proxies(site: &Site, system: SystemId) -> impl Iterator<Item = &System> {
    let publishers = site.publishers(system).iter();
    publishers.map(|proxy| &site.systems[*proxy])
}

pub(super) type Names = HashMap<String, Result<Vec<IpAddr>, Unresolved>>;

/// Resolves every name that stands without an address, each once, all at the same time.
pub(super) async fn resolve(run: &Run, chosen: &[Chosen]) -> Names {
    let site = &run.file.site;
    let mut wanted = BTreeSet::new();
    for chosen in chosen {
        let flow = &run.plan.flows[chosen.flow];
        // A proxy is told names, and resolves them.
        if let Targets::Name(name) = targets(site, flow)
            && run.ways.of(&run.file, flow).proxy().is_none()
        {
            wanted.insert(name);
        }
    }
    // Every name of the lab is that of a stand-in, whose own address no packet is sent to.
    if run.ways.are_of_the_lab() {
        let all = wanted.into_iter().zip(0_u32..);
        return all
            .map(|(name, number)| (name, Ok(vec![nobodys(number)])))
            .collect();
    }
    look_up_all(wanted, run.timeout, &run.stop).await
}

/// An address of the networks for benchmarks, which no host on the Internet has (RFC 2544).
fn nobodys(number: u32) -> IpAddr {
    let first = u32::from(Ipv4Addr::new(198, 18, 0, 1));
    IpAddr::from(Ipv4Addr::from(first + number % 0xFFFF))
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
