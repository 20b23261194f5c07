//! From observations to the evidence of a report: what the site file says is written beside them.

use std::net::IpAddr;

use super::document::{Evidence, Names};
use crate::attribution::{self, Translating};
use crate::observation::{Before, HopAnswer, Observation, Path, Rejection, ResetBy, State};
use crate::plan::{Flow, Target};
use crate::site::{Site, Translator};
use crate::verdict::{Context, Judged};

/// The most tries at one address in a report: the first and the last of them.
const MOST_ATTEMPTS: usize = 64;

pub(super) fn evidence(
    site: &Site,
    flow: &Flow,
    crosses: &[String],
    observations: &[Observation],
    judged: &Judged,
) -> Evidence {
    let of_one = |(seen, context): (&Observation, &Context)| Evidence {
        seen: shortened(seen),
        context: *context,
        names: names(site, flow, crosses, seen).boxed(),
        ..Evidence::default()
    };
    let all = observations.iter().zip(&judged.contexts);
    let mut all: Vec<Evidence> = all.map(of_one).collect();
    if judged.observation >= all.len() {
        return Evidence::default();
    }
    let decided = all.remove(judged.observation);
    Evidence {
        others: all,
        ..decided
    }
}

/// An observation as a report has it.
fn shortened(seen: &Observation) -> Observation {
    let mut seen = seen.clone();
    let half = MOST_ATTEMPTS / 2;
    if seen.attempts.len() > MOST_ATTEMPTS {
        seen.attempts.drain(half..seen.attempts.len() - half);
    }
    // Never certain: what is left of doubt is below what is shown.
    let shown = |confidence: f64| ((confidence * 1e6).floor() / 1e6).min(0.999_999);
    seen.confidence = seen.confidence.map(shown);
    seen
}

fn names(site: &Site, flow: &Flow, crosses: &[String], seen: &Observation) -> Names {
    let translator = seen
        .address
        .and_then(|address| flow.translator(site, address));
    let translating = translator
        .zip(seen.translated_at)
        .map(|(device, hop)| Translating { device, hop });
    let rejection = match &seen.state {
        State::Rejected(rejection) => Some(rejection),
        _ => None,
    };
    let rejecting_host = rejection.is_some_and(|it| is_the_hosts(site, &flow.to, seen, it));
    let rejecting = rejection.filter(|_| !rejecting_host).and_then(|rejection| {
        let named = translator.filter(|it| is_its_own(it, crosses, seen, rejection));
        site.firewall_speaking(rejection.by?, named)
    });
    let path = seen.path.as_deref();
    let place = path.and_then(|path| Some((path, path.dropped?)));
    let firewall = |by| Some((by, site.firewall_speaking(by, None)?.to_string()));
    Names {
        firewalls: path
            .into_iter()
            .flat_map(speakers)
            .filter_map(firewall)
            .collect(),
        translator: translating.map(|it| it.device.firewall.to_string()),
        rejecting: rejecting.map(str::to_string),
        rejecting_host,
        several_hosts: flow.to.system().is_some_and(|system| {
            let system = &site.systems[system];
            !system.members.is_empty() || !system.publishes.is_empty()
        }),
        suspects: place
            .map(|(path, place)| attribution::suspects(site, crosses, path, &place, translating)),
    }
}

/// The addresses that spoke on the way.
fn speakers(path: &Path) -> impl Iterator<Item = IpAddr> {
    let hops = path.hops.iter().filter_map(|hop| match &hop.answer {
        HopAnswer::Expired(by) => Some(*by),
        HopAnswer::Rejected(rejection) => rejection.by,
        HopAnswer::Open | HopAnswer::Reset | HopAnswer::Silent => None,
    });
    let bounds = path.dropped.into_iter().flat_map(|place| {
        let before = match place.before {
            Before::Router(_, by) => Some(by),
            Before::Host(_) => None,
        };
        [place.after.map(|(_, by)| by), before]
    });
    let working = path.working.iter().map(|(_, by)| *by);
    hops.chain(working).chain(bounds.flatten())
}

/// Whether the host itself sent a rejection, by the addresses that the site file gives it.
fn is_the_hosts(site: &Site, to: &Target, seen: &Observation, rejection: &Rejection) -> bool {
    let system = to.system().map(|it| &site.systems[it]);
    let speaks = |by| system.is_some_and(|it| it.speaks_from(by));
    let is_its_own = rejection.by.is_some_and(speaks);
    is_its_own && !matches!(seen.rejected_by, Some(ResetBy::Device | ResetBy::Either))
}

/// Whether who translates sent a rejection that bears the address asked: those behind it have it written into theirs, too.
/// Where the file has a firewall behind it, the message must have come from its hop, and no packet have gone beyond.
fn is_its_own(
    translator: &Translator<'_>,
    crosses: &[String],
    seen: &Observation,
    rejection: &Rejection,
) -> bool {
    let is_last = crosses.last().is_some_and(|it| it == translator.firewall);
    let routers = rejection.ttl.map(attribution::routers_behind);
    let from_its_hop = |at: u8| {
        let mut beyond = seen.path.iter().flat_map(|path| path.expired());
        routers == at.checked_sub(1) && !beyond.any(|(hop, _)| hop > at)
    };
    is_last || seen.translated_at.is_some_and(from_its_hop)
}
