//! The flows of the vantage as questions, one for each address; equal questions are asked once.

use std::collections::HashMap;

use super::Bench;
use super::aim::{Aim, Names, aim};
use crate::catalogue::{Need, Protocol, Transport};
use crate::observation::Unresolved;
use crate::plan::{Chosen, Flow, Target};
use crate::probe::{self, Ladder, Landing, Question, Turn};

/// Questions, and for each chosen flow the numbers of its questions; equal questions are asked once.
pub(super) fn questions(
    bench: &Bench,
    chosen: &[Chosen],
    names: &Names,
) -> (Vec<Question>, Vec<Vec<usize>>) {
    let mut all: Vec<Question> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut by_flow = Vec::new();
    for chosen in chosen {
        let flow = &bench.plan.flows[chosen.flow];
        let mut numbers = Vec::new();
        for question in of_flow(bench, flow, names) {
            let key = format!(
                "{:?} {} {:?} {:?}",
                question.target, question.port, question.ladder, question.name
            );
            let number = *known.entry(key).or_insert_with(|| {
                all.push(question.clone());
                all.len() - 1
            });
            all[number].turn = all[number].turn.min(question.turn);
            all[number].spread |= question.spread;
            numbers.push(number);
        }
        by_flow.push(numbers);
    }
    (all, by_flow)
}

fn of_flow(bench: &Bench, flow: &Flow, names: &Names) -> Vec<Question> {
    let (site, zone) = (&bench.loaded.site, bench.place.zone);
    let targets: Vec<probe::Target> = match aim(site, zone, flow) {
        Aim::Addresses(addresses) => addresses.into_iter().map(probe::Target::Address).collect(),
        Aim::Nowhere => vec![probe::Target::Nowhere(Unresolved::NoNameHere)],
        Aim::Name(name) => match names.get(&name) {
            Some(Ok(addresses)) => addresses
                .iter()
                .copied()
                .map(probe::Target::Address)
                .collect(),
            Some(Err(why)) => vec![probe::Target::Nowhere(*why)],
            None => vec![probe::Target::Nowhere(Unresolved::ResolverSilent)],
        },
    };
    let name = match flow.to {
        Target::System(system) => site.systems[system]
            .name_for(zone)
            .map(|name| name.trim_end_matches('.').to_string()),
        Target::Crl(number) => Some(site.crls[number].host.clone()),
    };
    let ladder = ladder(flow);
    let one = |target| Question {
        target,
        port: flow.port.low,
        name: if matches!(ladder, Ladder::Tls | Ladder::Http | Ladder::Https) {
            name.clone()
        } else {
            None
        },
        ladder,
        turn: if flow.need == Need::Forbidden {
            Turn::Forbidden
        } else {
            Turn::Needed
        },
        spread: flow.need == Need::Required && bench.lab.is_none(),
        landing: bench
            .lab
            .as_ref()
            .map_or(Landing::Itself, |lab| lab.landing(flow.to, flow.port.low)),
    };
    targets.into_iter().map(one).collect()
}

/// How far a flow is tried by this version.
fn ladder(flow: &Flow) -> Ladder {
    if flow.port.low != flow.port.high {
        return Ladder::None;
    }
    if flow.transport == Transport::Udp {
        return Ladder::Datagram;
    }
    // The list itself is fetched when all certificates have been seen.
    if matches!(flow.to, Target::Crl(_)) {
        return Ladder::Tcp;
    }
    match (flow.need, flow.protocol) {
        (Need::Forbidden, _) | (_, Protocol::Tcp) => Ladder::Tcp,
        (_, Protocol::Tls) => Ladder::Tls,
        (_, Protocol::Http) => Ladder::Http,
        (_, Protocol::Https) => Ladder::Https,
        (
            _,
            Protocol::Udp
            | Protocol::Rpc
            | Protocol::Smb
            | Protocol::Tds
            | Protocol::Ldap
            | Protocol::Dns
            | Protocol::Kerberos,
        ) => Ladder::TcpOnly,
    }
}
