//! Looking closer. What this host's own firewall said is taken apart from what the network did. Then three things are
//! found out, host by host: who sent a reset, where packets are dropped, and which doors are painted on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::net::SocketAddr;

use super::{Run, story};
use crate::attribution::{self, Found, Inquiry};
use crate::observation::{Observation, State, Trouble};
use crate::probe::{Ladder, Question, Turn};
use crate::site::SystemId;

/// Ports that nobody is known to use and what they did, by address.
pub(super) type Doors = HashMap<IpAddr, Vec<(u16, Observation)>>;

/// Takes apart what this host's own firewall said from what the network did. `loopback`: what had come over loopback
/// before the questions were asked.
pub(super) async fn refused_here(
    run: &Run,
    questions: &[Question],
    answers: &mut [Observation],
    loopback: Option<u64>,
) {
    attribution::own_words(answers, &run.own);
    if !run.ways.reach_systems() || *run.stop.borrow() {
        return;
    }
    let tried = |number: usize| -> Option<(usize, SocketAddr)> {
        let (question, seen) = (&questions[number], &answers[number]);
        let is_direct = question.way.proxy().is_none();
        let is_tcp = !matches!(question.ladder, Ladder::Datagram(_));
        let first = seen.attempts.first().filter(|_| is_direct && is_tcp)?;
        Some((number, first.remote))
    };
    let reset = attribution::may_be_reset_here(answers, &run.own);
    let reset: Vec<_> = reset.into_iter().filter_map(tried).collect();
    let is_needed = |number: usize| questions[number].turn == Turn::Needed;
    let silent = (0..answers.len()).filter(|it| is_needed(*it) && answers[*it].is_silence());
    let silent: Vec<_> = silent.filter_map(tried).collect();
    let ports = |asked: &[(usize, SocketAddr)]| -> Vec<SocketAddr> {
        asked.iter().map(|(_, port)| *port).collect()
    };
    for place in run.prober.reset_here(&ports(&reset), loopback).await {
        answers[reset[place].0].state = State::Unreachable(Trouble::Refused);
    }
    for place in run.prober.dropped_here(&ports(&silent)).await {
        let seen = &mut answers[silent[place].0];
        seen.state = State::Unreachable(Trouble::Refused);
        seen.confidence = None;
    }
}

/// Carries out what attribution wants to know, host by host at once, and writes down what that proves. The doors that
/// were tried come back.
pub(super) async fn look_closer(
    run: &Run,
    questions: &[Question],
    answers: &mut [Observation],
    crossing: &HashSet<usize>,
) -> Doors {
    if !run.ways.reach_systems() || *run.stop.borrow() {
        return Doors::new();
    }
    let tried: Vec<attribution::Tried<'_>> = questions
        .iter()
        .zip(answers.iter())
        .enumerate()
        .filter(|(_, (question, _))| {
            question.way.proxy().is_none() && !matches!(question.ladder, Ladder::Datagram(_))
        })
        .filter_map(|(number, (question, seen))| {
            Some(attribution::Tried {
                number,
                address: seen.address?,
                // Of a range, the port that decided.
                port: seen
                    .attempts
                    .first()
                    .map_or(question.port, |attempt| attempt.remote.port()),
                needed: question.turn == Turn::Needed,
                crosses: crossing.contains(&number),
                seen,
            })
        })
        .collect();
    let inquiries = inquiries(run, &tried, questions, answers);
    let known: HashSet<u16> = known_ports(run).collect();
    let found = futures_util::future::join_all(
        inquiries
            .iter()
            .map(|inquiry| run.prober.inquire(inquiry, &known, answers)),
    )
    .await;
    let split = answers.iter().any(Observation::is_split);
    let differs = |found: &Found| {
        attribution::ways_differ(found) || attribution::passes_for_some(found, answers)
    };
    if split || found.iter().any(differs) {
        run.prober.try_every_way(questions, answers).await;
    }
    let counts = attribution::first_router_counts(&found);
    for (inquiry, found) in inquiries.iter().zip(&found) {
        story::found(questions, inquiry.address, found);
        attribution::attribute(answers, inquiry, found, counts);
    }
    let doors = inquiries
        .iter()
        .zip(found)
        .map(|(inquiry, found)| (inquiry.address, found.doors));
    doors.collect()
}

/// What is to be found out, host by host. An address that several systems share is several hosts, at different distances.
fn inquiries(
    run: &Run,
    tried: &[attribution::Tried<'_>],
    questions: &[Question],
    answers: &[Observation],
) -> Vec<Inquiry> {
    let owner = |address, port| {
        let zones = run.place.zones();
        let site = &run.file.site;
        zones
            .into_iter()
            .find_map(|zone| site.owner_of_address(zone, address, port))
    };
    let mut by_owner: BTreeMap<Option<SystemId>, Vec<attribution::Tried<'_>>> = BTreeMap::new();
    for one in tried {
        let of = by_owner.entry(owner(one.address, one.port)).or_default();
        of.push(*one);
    }
    let deaf = attribution::is_deaf(answers.iter());
    let mut all = Vec::new();
    for (host, tried) in by_owner {
        for mut inquiry in attribution::wanted(&tried, deaf) {
            let numbered = questions.iter().zip(answers).enumerate();
            let others = numbered.filter(|(_, (question, seen))| {
                seen.address == Some(inquiry.address)
                    && owner(inquiry.address, question.port) != host
            });
            inquiry.others = others.map(|(number, _)| number).collect();
            all.push(inquiry);
        }
    }
    all
}

/// Every port that the plan knows of, ranges and all.
pub(super) fn known_ports(run: &Run) -> impl Iterator<Item = u16> {
    let ports = run.plan.ports();
    ports.flat_map(|port| port.low..=port.high)
}
