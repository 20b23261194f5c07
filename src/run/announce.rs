//! Telling beforehand what is about to be sent, to whom, and how fast.

use std::collections::HashSet;
use std::time::Duration;

use super::Run;
use super::event::{AboutToTry, Event, Leaving};
use super::ways::Ways;
use crate::config::Sweep;
use crate::probe::{Ladder, Limits, Question, SOURCE_PORTS, SPACING, Target, Turn};

/// Tells what is about to leave, before anything does.
pub(super) fn announce(run: &Run, questions: &[Question], limits: &Limits) -> AboutToTry {
    let asked: Vec<&Question> = questions
        .iter()
        .filter(|question| {
            !matches!(question.ladder, Ladder::None | Ladder::RpcRange(_))
                && !matches!(question.target, Target::Nowhere(_))
        })
        .collect();
    // A proxy that is told names is told each once.
    let host = |question: &&Question| (question.target, by_name(question).cloned());
    let hosts: HashSet<(Target, Option<String>)> = asked.iter().map(host).collect();
    let needs = questions.iter().filter_map(|it| it.web.as_ref());
    let web_requests = needs.map(|needs| needs.most_requests()).max();
    let about = AboutToTry {
        ports: asked.len(),
        addresses: hosts.len(),
        rate: limits.rate,
        swept: swept(run, limits),
        leaving: leaving(run),
        walks: limits.walks,
        gentle: limits.gentle,
        takes: takes(&asked, limits),
        listeners: run.challenger.is_some(),
        web_requests,
    };
    (run.tell)(Event::AboutToTry(about.clone()));
    about
}

/// How long it takes to begin the connections, when every port answers at once.
fn takes(asked: &[&Question], limits: &Limits) -> Option<Duration> {
    let of_one = |question: &&&Question| match question.spread {
        true => SOURCE_PORTS,
        false => 1,
    };
    let connections: usize = asked.iter().map(|question| of_one(&question)).sum();
    let forbidden = asked.iter().filter(|it| it.turn == Turn::Forbidden).count();
    let by_rate = limits
        .rate
        .map(|rate| Duration::from_secs_f64(connections as f64 / f64::from(rate)));
    let spaced = u32::try_from(forbidden).map_or(Duration::MAX, |all| SPACING.saturating_mul(all));
    match limits.gentle {
        true => Some(spaced.saturating_add(by_rate.unwrap_or_default())),
        false => by_rate,
    }
}

fn by_name(question: &Question) -> Option<&String> {
    let is_told = question.target == Target::ByName;
    question.name.as_ref().filter(|_| is_told)
}

fn swept(run: &Run, limits: &Limits) -> Option<usize> {
    let ranges = match &run.file.site.probing.sweep.value {
        Sweep::Ports(ranges) if !limits.gentle && !run.ways.are_all_by_proxy() => ranges,
        Sweep::Ports(_) | Sweep::None | Sweep::Watchlist => return None,
    };
    let ports = ranges.iter().map(|it| usize::from(it.high - it.low) + 1);
    Some(ports.sum())
}

fn leaving(run: &Run) -> Leaving {
    match &run.ways {
        Ways::Lab(_) => Leaving::ToTheLab,
        Ways::Direct => Leaving::Directly,
        Ways::Proxy(gateway) => Leaving::ByProxy {
            url: gateway.url().to_string(),
            sweep: matches!(run.file.site.probing.sweep.value, Sweep::Ports(_)),
        },
        Ways::ProxyOfRoles(gateway, roles) => Leaving::PartlyByProxy {
            url: gateway.url().to_string(),
            roles: roles.iter().map(|role| role.name()).collect(),
        },
    }
}
