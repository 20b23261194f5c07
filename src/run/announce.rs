//! Telling beforehand what is about to be sent, to whom, and how fast.

use std::collections::HashSet;

use super::Bench;
use super::event::{AboutToTry, Event, Way};
use crate::config::Sweep;
use crate::probe::{self, Ladder, Limits, Question};

/// Tells what is about to leave, before anything does.
pub(super) fn announce(bench: &Bench, questions: &[Question], limits: &Limits) {
    let asked: Vec<&Question> = questions
        .iter()
        .filter(|question| {
            !matches!(question.ladder, Ladder::None | Ladder::RpcRange(_))
                && !matches!(question.target, probe::Target::Nowhere(_))
        })
        .collect();
    let hosts: HashSet<String> = asked
        .iter()
        .map(|question| match question.target {
            probe::Target::ByName => question.name.clone().unwrap_or_default(),
            target => format!("{target:?}"),
        })
        .collect();
    let needs = questions.iter().filter_map(|it| it.web.as_ref());
    let web_requests = needs.map(|needs| needs.most_requests()).max();
    (bench.tell)(Event::AboutToTry(AboutToTry {
        ports: asked.len(),
        addresses: hosts.len(),
        rate: limits.rate,
        swept: swept(bench),
        way: way(bench),
        walks: limits.walks,
        listeners: bench.challenger.is_some(),
        web_requests,
    }));
}

fn swept(bench: &Bench) -> Option<usize> {
    let ranges = match &bench.file.site.probing.sweep {
        Sweep::Ports(ranges) if !bench.only_by_proxy() => ranges,
        Sweep::Ports(_) | Sweep::None | Sweep::Watchlist => return None,
    };
    let ports = ranges.iter().map(|it| usize::from(it.high - it.low) + 1);
    Some(ports.sum())
}

fn way(bench: &Bench) -> Way {
    let Some(leave) = &bench.via else {
        return match bench.lab {
            Some(_) => Way::Lab,
            None => Way::Direct,
        };
    };
    let url = leave.gateway.url().to_string();
    match &leave.roles {
        Some(roles) => Way::ProxyOfRoles {
            url,
            roles: roles.iter().map(|role| role.name()).collect(),
        },
        None => Way::Proxy {
            url,
            sweep: matches!(bench.file.site.probing.sweep, Sweep::Ports(_)),
        },
    }
}
