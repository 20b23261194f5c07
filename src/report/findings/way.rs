//! What the way shows, in words: who sent a reset or a rejection, and where silent packets are dropped.

use std::net::IpAddr;

use crate::observation::{
    Before, Distance, Farness, HopAnswer, Likely, Observation, Path, Rejection, ResetBy, State,
    Untold,
};
use crate::report::document::{Evidence, ReportFlow};

/// Who sent a reset, and what shows it.
pub(super) fn reset(seen: &Observation, to: &str) -> String {
    let who = match seen.state {
        State::Closed {
            reset_by: ResetBy::Host,
        } => "the host itself",
        State::Closed {
            reset_by: ResetBy::Device,
        } => "a device on the way",
        _ => "the host or a device on the way",
    };
    let mut text = format!("reset by {who}{to}");
    let distance = seen.distance.map(distance).or_else(|| on_segment(seen));
    for more in distance.into_iter().chain(seen.likely.map(likely)) {
        text += &format!("; {more}");
    }
    text
}

/// How far away the sender of a reset is, in words.
fn distance(distance: Distance) -> String {
    let port = distance.port;
    let why = match distance.sender {
        Farness::Same => {
            return format!(
                "the reset came from the same distance as the machine that answers on {port}: from \
                 it, or from something on its own segment"
            );
        }
        Farness::Nearer(routers) => {
            let routers = match routers {
                1 => "1 router".to_string(),
                more => format!("{more} routers"),
            };
            return format!(
                "the reset came from something nearer than the machine that answers on {port}, by \
                 at least {routers}"
            );
        }
        Farness::Untold(why) => why,
    };
    let why = match why {
        Untold::Uneven => format!("the TTL of answers on {port} does not fit the number of hops"),
        Untold::Unsteady => "the TTL of the answers is not always the same".to_string(),
        Untold::Farther => {
            format!("another port of this address is answered from farther away than {port}")
        }
        Untold::OtherBeginning => {
            format!("the resets begin with another TTL than the answers on {port}")
        }
        Untold::Unspoken => {
            format!("it came from as far as an answer on {port}, whose service has not spoken")
        }
    };
    format!("the distance does not tell who sent the reset: {why}")
}

/// What shows that a neighbour itself sent a reset, in words.
fn on_segment(seen: &Observation) -> Option<String> {
    let by_host = State::Closed {
        reset_by: ResetBy::Host,
    };
    let shown = seen.on_link && seen.path.is_some() && seen.state == by_host;
    shown.then(|| {
        "the reset came from a neighbour with a hardware address of its own, or from something on \
         the same segment"
            .to_string()
    })
}

/// Who likely sent a reset, in words.
fn likely(likely: Likely) -> String {
    let Likely {
        by,
        refused,
        by_reset,
    } = likely;
    match by {
        ResetBy::Host => format!(
            "likely the host itself: {refused} other ports of it are refused without a reset"
        ),
        ResetBy::Device | ResetBy::Either => format!(
            "likely a device: it resets {by_reset} of the {refused} other ports of this host that \
             it refuses"
        ),
    }
}

pub(super) fn rejected(flow: &ReportFlow) -> String {
    let State::Rejected(rejection) = &flow.evidence.seen.state else {
        return "rejected".to_string();
    };
    let (names, system) = (flow.evidence.names(), &flow.flow.to.system);
    let firewall = names.rejecting.as_ref().map(|name| format!(" ({name})"));
    if let Some(words) = in_its_name(flow, rejection) {
        return words;
    }
    let says = rejection.says;
    match &rejection.by {
        Some(by) if names.rejecting_host => format!("{by}, {system} itself, said {says}"),
        Some(by) => format!(
            "{by}{}, which is not {system}, said {says}",
            firewall.unwrap_or_default()
        ),
        None => {
            format!("something on the way said {says} (this system tells neither code nor sender)")
        }
    }
}

/// A rejection that bears the address of the system and is not, or not surely, its own.
fn in_its_name(flow: &ReportFlow, rejection: &Rejection) -> Option<String> {
    let (system, says) = (&flow.flow.to.system, rejection.says);
    let by = rejection.by?;
    let device = translator_words(flow);
    match flow.evidence.seen.rejected_by? {
        ResetBy::Device => Some(format!("{device}, said {says} in the name of {by}")),
        ResetBy::Either => Some(format!("{system} itself, or {device}, said {says} as {by}")),
        ResetBy::Host => None,
    }
}

/// The device that translates for the system of a flow. It writes its address into the words of the devices behind it.
/// So where there are any, only a named sender is surely the translating one.
pub(super) fn translator_words(flow: &ReportFlow) -> String {
    let (names, system) = (flow.evidence.names(), &flow.flow.to.system);
    let Some(hop) = flow.evidence.seen.translated_at else {
        return format!("a device that translates for {system}");
    };
    let name = names.translator.as_deref().unwrap_or("the device");
    let behind = match names.rejecting.is_some() || flow.flow.crosses.len() <= 1 {
        true => "",
        false => ", or a device behind it",
    };
    format!("{name} at hop {hop}, which translates for {system}{behind}")
}

/// Where silent packets are dropped, or at which hop an answer came.
pub(super) fn path_words(evidence: &Evidence, system: &str) -> Option<String> {
    let path = evidence.seen.path.as_ref()?;
    let Some(dropped) = path.dropped else {
        return answered_after(path);
    };
    let after = match (dropped.after, dropped.before) {
        (Some(hop), _) => format!(
            "dropped at or after {}, the last to answer",
            hop_words(evidence, hop, system)
        ),
        (None, Before::Router(..)) => "dropped before any hop answers".to_string(),
        (None, Before::Host(_)) => {
            "no hop on the way answers, so the place is not known".to_string()
        }
    };
    let before = match dropped.before {
        Before::Router(hop, by) => format!(
            ", and no later than {}, which answers a flow that works",
            hop_words(evidence, (hop, by), system)
        ),
        Before::Host(Some(distance)) => format!(", before {system} (hop {distance})"),
        Before::Host(None) => String::new(),
    };
    let suspects = evidence.names().suspects.as_ref();
    let firewalls = suspects.map_or(&[][..], |it| it.firewalls.as_slice());
    let own = suspects
        .is_some_and(|it| it.host)
        .then(|| format!("{system}'s own firewall"));
    // TCP is not told what this host's own firewall drops on the way out.
    let leaves = dropped.after.is_some() || !matches!(dropped.before, Before::Router(..=1, _));
    let here = (!leaves).then(|| "this host's own firewall".to_string());
    let all: Vec<String> = firewalls.iter().cloned().chain(own).chain(here).collect();
    let by = match firewalls.is_empty() {
        true => String::new(),
        false => format!(": by {}", all.join(" or ")),
    };
    Some(format!("{after}{before}{by}"))
}

fn hop_words(evidence: &Evidence, (hop, by): (u8, IpAddr), system: &str) -> String {
    let firewall = evidence.firewall_at(hop, by);
    if evidence.is_translating(by) {
        let name = firewall.unwrap_or("a device");
        return format!("hop {hop}, {name}, which translates for {system}");
    }
    match firewall {
        Some(firewall) => format!("{by} (hop {hop}, {firewall})"),
        None => format!("{by} (hop {hop})"),
    }
}

fn answered_after(path: &Path) -> Option<String> {
    let is_silent = |answer: &HopAnswer| *answer == HopAnswer::Silent;
    let silent = path
        .hops
        .iter()
        .filter(|hop| is_silent(&hop.answer))
        .count();
    let hidden = match silent {
        0 => String::new(),
        silent => format!(", {silent} of them unknown"),
    };
    let last = path.hops.last()?;
    matches!(last.answer, HopAnswer::Open | HopAnswer::Reset)
        .then(|| format!("answered after {} hops{hidden}", last.number))
}
