//! The flows to hosts of revocation lists: those of the plan, and new ones to hosts that only certificates name.
//!
//! The port of a new one is tried like any other, but from one source port and without walks: its host may be a
//! stranger's. It is tried only at the addresses that the gate lets through.

use std::net::IpAddr;

use super::refusals::Refusals;
use super::{Run, story, targets};
use crate::diagnostic::Place;
use crate::observation::{Observation, State, Unresolved};
use crate::plan::{self, Flow, Owner, Target};
use crate::probe::{self, Question, Turn, Way};
use crate::product::Need;
use crate::site::Site;
use crate::verdict::Seen;
use crate::wire::trust::revocation::gate::Gate;

/// The most addresses of a stranger that are tried: a name may have any number.
const MOST_ADDRESSES: usize = 8;

/// A host of lists.
pub(super) struct Host {
    /// Its name, or its address.
    pub(super) name: String,
    pub(super) port: u16,
    /// Where the file names it, or whoever showed the certificate.
    pub(super) place: Place,
}

/// The flow to each host by its place among all; `None` for a host that must not be asked at any of its addresses. The
/// ports of flows that the plan did not have are tried, all at once.
pub(super) async fn flows(
    run: &Run,
    gate: &Gate<'_>,
    all: &mut Vec<Seen>,
    hosts: &[Host],
    refusals: &mut Refusals,
) -> Vec<Option<usize>> {
    let asked = hosts.iter().map(|host| {
        let known = tried(run, all, host);
        async move {
            match known {
                true => None,
                false => Some(resolve(run, host).await),
            }
        }
    });
    let found = futures_util::future::join_all(asked).await;
    let mut flows = Vec::new();
    let mut new = Vec::new();
    for (host, found) in hosts.iter().zip(found) {
        let targets = match found {
            None => Vec::new(),
            Some(Err(why)) => vec![probe::Target::Nowhere(why)],
            Some(Ok(addresses)) => let_through(gate, host, addresses, refusals),
        };
        if targets.is_empty() && !tried(run, all, host) {
            flows.push(None);
            continue;
        }
        let flow = flow_to(run, all, host);
        // A name and an address of one system lead to one flow.
        let again = new.iter().any(|(known, _)| *known == flow);
        if !targets.is_empty() && !again {
            new.push((flow, targets));
        }
        flows.push(Some(flow));
    }
    try_ports(run, all, new).await;
    flows
}

/// The flow to each host by its place among all, where a proxy leads there. A new one is not tried: what a client asks of
/// such a host is the list itself.
pub(super) fn by_proxy(
    run: &Run,
    all: &mut Vec<Seen>,
    hosts: &[Host],
    proxy: &str,
) -> Vec<Option<usize>> {
    let mut flows = Vec::new();
    for host in hosts {
        let flow = flow_to(run, all, host);
        let observations = &mut all[flow].observations;
        if observations.is_empty() {
            observations.push(Observation {
                via: Some(proxy.to_string()),
                ..Observation::without_packets(None, State::Silent)
            });
        }
        flows.push(Some(flow));
    }
    flows
}

/// The addresses of a host at which it may be asked.
fn let_through(
    gate: &Gate<'_>,
    host: &Host,
    addresses: Vec<IpAddr>,
    refusals: &mut Refusals,
) -> Vec<probe::Target> {
    let (name, port) = (&host.name, host.port);
    let mut refused = false;
    let mut targets = Vec::new();
    for address in addresses {
        match gate.address(name, address) {
            Ok(()) => targets.push(probe::Target::Address(address)),
            Err(why) => {
                refused = true;
                refusals.host(name, port, why);
            }
        }
    }
    if refused && !targets.is_empty() {
        refusals.partly(name, port);
    }
    if !gate.is_named(&host.name) {
        targets.truncate(MOST_ADDRESSES);
    }
    targets
}

/// What a host is in the site: a system, or a host beside it.
fn target(site: &Site, host: &Host) -> Target {
    let system = site.system_at(&host.name).map(Target::System);
    system.unwrap_or_else(|| Target::Host(host.name.as_str().into()))
}

fn new_flow(run: &Run, target: Target, host: &Host) -> Flow {
    let catalogue = &run.file.catalogue;
    plan::flow_to_list(catalogue, run.place.zone, target, host.port, host.place)
}

/// The place of a flow among all that leads where another does.
fn there(all: &[Seen], flow: &Flow) -> Option<usize> {
    all.iter().position(|seen| {
        (seen.flow.from, &seen.flow.to) == (flow.from, &flow.to)
            && (seen.flow.port, seen.flow.transport) == (flow.port, flow.transport)
    })
}

/// Whether the run has tried a flow to a host.
fn tried(run: &Run, all: &[Seen], host: &Host) -> bool {
    let flow = new_flow(run, target(&run.file.site, host), host);
    let there = there(all, &flow);
    there.is_some_and(|there| !all[there].observations.is_empty())
}

/// The flow that leads to a host from this zone, by its place among all. It is one of the plan, or a new one, which
/// nobody has tried yet.
fn flow_to(run: &Run, all: &mut Vec<Seen>, host: &Host) -> usize {
    let flow = new_flow(run, target(&run.file.site, host), host);
    if let Some(there) = there(all, &flow) {
        if all[there].flow.need != Need::Required {
            all[there].flow = flow;
        }
        return there;
    }
    all.push(Seen {
        flow,
        owner: Owner::Vantage,
        observations: Vec::new(),
    });
    all.len() - 1
}

/// The addresses of a host: those of the file where it is a system that has some, else what its name resolves to.
pub(super) async fn resolve(run: &Run, host: &Host) -> Result<Vec<IpAddr>, Unresolved> {
    let site = &run.file.site;
    let aimed = match site.system_at(&host.name) {
        Some(system) => targets::targets(site, &new_flow(run, Target::System(system), host)),
        None => targets::Targets::Name(host.name.clone()),
    };
    match aimed {
        targets::Targets::Addresses(addresses) => Ok(addresses),
        targets::Targets::Nowhere | targets::Targets::Many => Err(Unresolved::NoNameHere),
        targets::Targets::Name(name) => {
            let mut stop = run.stop.clone();
            tokio::select! {
                found = probe::lookup(&name, run.timeout) => found,
                _ = stop.wait_for(|stop| *stop) => Err(Unresolved::ResolverSilent),
            }
        }
    }
}

/// Tries the ports of new flows, each at its targets.
async fn try_ports(run: &Run, all: &mut [Seen], new: Vec<(usize, Vec<probe::Target>)>) {
    let mut questions = Vec::new();
    let mut of: Vec<usize> = Vec::new();
    for (number, targets) in new {
        for target in targets {
            of.push(number);
            let flow = &all[number].flow;
            let span = story::span(&run.file.site, questions.len(), std::iter::once(flow));
            let port = flow.port.low;
            questions.push(Question::knock(
                target,
                port,
                Turn::Needed,
                Way::Direct,
                span,
            ));
        }
    }
    let mut answers = run.prober.ask_all(questions.clone(), || {}).await;
    run.prober.prove_silence(&questions, &mut answers).await;
    for (number, answer) in of.into_iter().zip(answers) {
        all[number].observations.push(answer);
    }
}
