//! Saying beforehand what is about to be sent, to whom, and how fast.

use std::collections::HashSet;

use super::Bench;
use super::gateway::Leave;
use crate::attribution;
use crate::cli::streams::say;
use crate::config::Sweep;
use crate::probe::{self, Ladder, Limits, Question};
use crate::site::Site;

/// How many packets to how many targets are about to leave.
pub(super) fn announce(bench: &Bench, questions: &[Question], limits: &Limits) {
    let site = &bench.loaded.site;
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
    let rate = limits.rate.map_or("no rate limit".to_string(), |rate| {
        format!("at most {rate} connection attempts a second")
    });
    say!(
        "about to try {} ports of {} addresses{}, {rate}\n  {}",
        asked.len(),
        hosts.len(),
        match &site.probing.sweep {
            _ if bench.only_by_proxy() => String::new(),
            Sweep::Ports(ranges) => {
                let ports: usize = ranges
                    .iter()
                    .map(|range| usize::from(range.high - range.low) + 1)
                    .sum();
                format!(", and then sweep up to {ports} ports of each system that has an address")
            }
            Sweep::None | Sweep::Watchlist => String::new(),
        },
        match (&bench.via, &bench.lab) {
            (Some(leave), _) => through(leave, site, limits),
            (None, Some(_)) => "nothing leaves this host".to_string(),
            (None, None) => extras(limits),
        } + listeners(bench)
            + &web(questions)
    );
}

/// How everything is sent, or what leads to some roles, that goes through a proxy.
fn through(leave: &Leave, site: &Site, limits: &Limits) -> String {
    let gateway = &leave.gateway;
    if let Some(roles) = &leave.roles {
        let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        return format!(
            "what leads to {} through the proxy {}, the rest direct: {}",
            roles.join(", "),
            gateway.url(),
            extras(limits)
        );
    }
    let swept = match site.probing.sweep {
        Sweep::Ports(_) => "; nothing is swept through a proxy",
        Sweep::None | Sweep::Watchlist => "",
    };
    format!(
        "all of it through the proxy {}, and nothing else to any of them{swept}",
        gateway.url()
    )
}

/// What is said to look for listeners.
fn listeners(bench: &Bench) -> &'static str {
    match bench.challenger {
        Some(_) => {
            "; each port that opens is asked for a listener of portproof, in 200 bytes on a connection of its own, each \
             UDP port in a datagram"
        }
        None => "",
    }
}

/// What web servers are asked beyond their root page.
fn web(questions: &[Question]) -> String {
    let needs = questions
        .iter()
        .filter_map(|question| question.web.as_ref());
    match needs.map(|needs| needs.most_requests()).max() {
        Some(most) => format!(
            "; a web server that the site needs is asked for its roles, and for verbs and headers, in at most {most} requests"
        ),
        None => String::new(),
    }
}

/// What is sent beside one try of each port.
fn extras(limits: &Limits) -> String {
    let walks = if limits.walks {
        "; up to 14 paths to each host are walked"
    } else {
        ""
    };
    format!(
        "a silent port up to {} times; a required one that opens from {} source ports; on a host that answers {} to {} \
         ports that nobody uses, and one port up to {} times to measure losses; up to {} ports that an RPC mapper names\
         {walks}",
        probe::MOST_TRIES,
        probe::SOURCE_PORTS,
        attribution::DOORS,
        2 * attribution::DOORS,
        probe::LOSS_SAMPLES,
        probe::MOST_RPC_PORTS,
    )
}
