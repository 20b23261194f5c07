//! Telling beforehand what is about to be sent, to whom, and how fast.

use std::collections::HashSet;

use super::Run;
use super::event::{AboutToTry, Event, Way};
use crate::config::Sweep;
use crate::probe::{self, Ladder, Limits, Question};

/// Tells what is about to leave, before anything does.
pub(super) fn announce(run: &Run, questions: &[Question], limits: &Limits) {
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
    (run.tell)(Event::AboutToTry(AboutToTry {
        ports: asked.len(),
        addresses: hosts.len(),
        rate: limits.rate,
        swept: swept(run),
        way: way(run),
        walks: limits.walks,
        listeners: run.challenger.is_some(),
        web_requests,
    }));
}

fn swept(run: &Run) -> Option<usize> {
    let ranges = match &run.file.site.probing.sweep {
        Sweep::Ports(ranges) if !run.only_by_proxy() => ranges,
        Sweep::Ports(_) | Sweep::None | Sweep::Watchlist => return None,
    };
    let ports = ranges.iter().map(|it| usize::from(it.high - it.low) + 1);
    Some(ports.sum())
}

fn way(run: &Run) -> Way {
    let Some(leave) = &run.via else {
        return match run.lab {
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
            sweep: matches!(run.file.site.probing.sweep, Sweep::Ports(_)),
        },
    }
}
