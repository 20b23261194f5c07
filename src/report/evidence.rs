//! From observations to the evidence of a report.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::certificates::tls;
use super::delivery::delivery;
use super::document::{
    Attempt, Dropped, Evidence, Hop, Listener, Path, Proxy, Rejected, RpcPort, Spoken, Translated,
};
use crate::attribution::{self, Translating};
use crate::observation::{
    self, AttemptResult, Before, CertificateFault, DeltaFault, Distance, Farness, FlowState,
    HopAnswer, HopResult, Likely, ListFault, Observation, Painted, ResetBy, Service, Speaks, State,
    Stopped, TryResult, Untold,
};
use crate::plan::{Flow, Target};
use crate::site::{Site, Translator};
use crate::verdict::Judged;

/// The most tries of one flow in a report.
const MOST_ATTEMPTS: usize = 64;

/// The word of what was seen. Silence that a limit on error messages explains does not show that packets are dropped.
pub(super) fn state_seen(seen: &Observation) -> FlowState {
    match (&seen.state, seen.held_back) {
        (State::Filtered, true) => FlowState::Silent,
        (other, _) => state(other),
    }
}

/// The word of a state.
pub(super) fn state(state: &State) -> FlowState {
    match state {
        State::Open => FlowState::Open,
        State::Closed { .. } => FlowState::Closed,
        State::Rejected(_) => FlowState::Rejected,
        State::Filtered => FlowState::Filtered,
        State::Silent => FlowState::Silent,
        State::Unresolved(_) => FlowState::Unresolved,
        State::Unreachable(_) => FlowState::Unreachable,
        State::Stopped(stop) => match stop.why {
            Stopped::Rule | Stopped::Server | Stopped::Name => FlowState::Rejected,
            Stopped::Login | Stopped::NoProxy | Stopped::HungUp | Stopped::Waiting => {
                FlowState::Unreachable
            }
        },
        State::NotTried(_) => FlowState::NotTried,
    }
}

pub(super) fn evidence(
    site: &Site,
    flow: &Flow,
    crosses: &[String],
    observations: &[Observation],
    judged: &Judged,
) -> Evidence {
    let Some(decided) = observations.get(judged.observation) else {
        return Evidence::default();
    };
    let translator = decided
        .address
        .and_then(|address| flow.translator(site, address));
    let translating = translator
        .zip(decided.translated_at)
        .map(|(device, hop)| Translating { device, hop });
    let several = observations.len() > 1;
    let others = observations
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != judged.observation)
        .map(|(_, observation)| observation);
    let addresses = observations
        .iter()
        .filter_map(|it| Some((it.address?.to_string(), state_seen(it))));
    Evidence {
        depth: decided.depth,
        control: judged.control,
        joined: None,
        arrived: None,
        reset_by: match decided.state {
            State::Closed { reset_by } => Some(reset_by),
            _ => None,
        },
        rejected: match &decided.state {
            State::Rejected(rejection) => {
                let named = translator.filter(|it| is_its_own(it, crosses, decided, rejection));
                Some(rejected(site, &flow.to, named, decided, rejection))
            }
            _ => None,
        },
        spoken: decided.spoken.as_ref().map(spoken),
        ports: decided.source_ports,
        distance: decided
            .distance
            .map(distance)
            .or_else(|| on_segment(decided)),
        likely: decided.likely.map(likely),
        translated: decided.translated_at.map(|hop| Translated {
            hop,
            firewall: translator.map(|it| it.firewall.to_string()),
        }),
        path: decided
            .path
            .as_ref()
            .map(|it| path(site, crosses, translating, decided.address, it)),
        painted: decided.painted.map(painted),
        dead_by: decided.dead_by.map(|by| by.to_string()),
        said: match decided.speaks {
            Some(Speaks::Tls) => Some("speaks TLS, and plain HTTP is needed".to_string()),
            Some(Speaks::Http) => Some("speaks plain HTTP, and TLS is needed".to_string()),
            None => decided.service.as_ref().and_then(said),
        },
        speaks: decided.speaks,
        delivery: decided.delivery.as_ref().map(delivery),
        attempts: std::iter::once(decided)
            .chain(others)
            .flat_map(|it| &it.attempts)
            .take(MOST_ATTEMPTS)
            .map(attempt)
            .collect(),
        held_back: decided.held_back && decided.is_silence(),
        confidence: decided
            .confidence
            .filter(|_| !decided.held_back)
            // Never certain: what is left of doubt is below what is shown.
            .map(|confidence| ((confidence * 1e6).floor() / 1e6).min(0.999_999)),
        witnessed: decided.witnessed.filter(|_| decided.is_silence()),
        conversations: decided.conversations,
        went_silent: decided.went_silent.map(|at| format!("{at:.0}")),
        tls: decided.tls.as_ref().map(tls),
        lists: decided.lists.clone(),
        http: decided.http.clone(),
        proxy: proxy(decided),
        answered_by: decided.listener.as_ref().map(|_| "listener".to_string()),
        listener: decided.listener.as_ref().map(listener),
        addresses: if several {
            addresses.collect()
        } else {
            BTreeMap::new()
        },
    }
}

fn proxy(seen: &Observation) -> Option<Proxy> {
    let said = match &seen.state {
        State::Stopped(stop) => Some(stop.said.clone()),
        _ => None,
    };
    Some(Proxy {
        url: seen.via.clone()?,
        said,
    })
}

fn listener(seen: &observation::Listener) -> Listener {
    Listener {
        system: seen.system.clone(),
        run: seen.run.clone(),
        sent_from: seen.sent_from.map(|local| local.to_string()),
        seen_from: seen.seen_from.to_string(),
        accepted_at: seen.accepted_at.to_string(),
        source_nat: seen.has_other_source(),
        source_port_translated: seen.has_other_source_port(),
        destination_nat: seen.has_other_destination(),
        port_translated: seen.has_other_port(),
    }
}

fn rejected(
    site: &Site,
    to: &Target,
    translator: Option<Translator<'_>>,
    seen: &Observation,
    rejection: &observation::Rejection,
) -> Rejected {
    let is_its_own = rejection.by.is_some_and(|by| match to {
        Target::System(system) => site.systems[*system].speaks_from(by),
        Target::Host(_) => false,
    });
    let by_the_host =
        is_its_own && !matches!(seen.rejected_by, Some(ResetBy::Device | ResetBy::Either));
    Rejected {
        says: rejection.says,
        icmp_type: rejection.icmp_type,
        icmp_code: rejection.icmp_code,
        by: rejection.by.map(|by| by.to_string()),
        ttl: rejection.ttl,
        by_the_host,
        firewall: rejection
            .by
            .filter(|_| !by_the_host)
            .and_then(|by| site.firewall_speaking(by, translator))
            .map(str::to_string),
        sender: seen.rejected_by,
    }
}

/// Whether who translates sent a rejection that bears the address asked: those behind it have it written into theirs, too.
/// Where the file has a firewall behind it, the message must have come from its hop, and no packet have gone beyond.
fn is_its_own(
    translator: &Translator<'_>,
    crosses: &[String],
    seen: &Observation,
    rejection: &observation::Rejection,
) -> bool {
    let is_last = crosses.last().is_some_and(|it| it == translator.firewall);
    let routers = rejection.ttl.map(attribution::routers_behind);
    let from_its_hop = |at: u8| {
        let mut beyond = seen.path.iter().flat_map(|path| path.expired());
        routers == at.checked_sub(1) && !beyond.any(|(hop, _)| hop > at)
    };
    is_last || seen.translated_at.is_some_and(from_its_hop)
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

fn spoken(spoken: &observation::Spoken) -> Spoken {
    let port = |it: &observation::RpcPort| RpcPort {
        port: it.port,
        services: it.services.clone(),
        state: state(&it.seen.state),
        said: it.seen.service.as_ref().and_then(said),
        attempts: it
            .seen
            .attempts
            .iter()
            .take(MOST_ATTEMPTS)
            .map(attempt)
            .collect(),
    };
    Spoken {
        protocol: spoken.protocol.to_string(),
        facts: spoken
            .facts
            .iter()
            .map(|(name, value)| ((*name).to_string(), value.clone()))
            .collect(),
        ports: spoken.ports.iter().map(port).collect(),
    }
}

fn path(
    site: &Site,
    crosses: &[String],
    translator: Option<Translating<'_>>,
    asked: Option<IpAddr>,
    path: &observation::Path,
) -> Path {
    let named = |hop, by| site.firewall_speaking(by, translator.and_then(|it| it.at(hop)));
    let hop = |number, answer: &HopAnswer| {
        let (by, result) = match answer {
            HopAnswer::Expired(by) => (Some(*by), HopResult::Expired),
            HopAnswer::Rejected(rejection) => (rejection.by, HopResult::Rejected),
            HopAnswer::Open => (None, HopResult::Open),
            HopAnswer::Reset => (None, HopResult::Reset),
            HopAnswer::Silent => (None, HopResult::Silent),
        };
        let translates = by.is_some() && by == asked && result == HopResult::Expired;
        Hop {
            hop: number,
            by: by.map(|by| by.to_string()),
            firewall: by
                .filter(|by| translates || Some(*by) != asked)
                .and_then(|by| named(number, by))
                .map(str::to_string),
            translates,
            result,
        }
    };
    let expired = |(number, by)| hop(number, &HopAnswer::Expired(by));
    let dropped = path.dropped.map(|place| {
        let suspects = attribution::suspects(site, crosses, path, &place, translator);
        Dropped {
            after: place.after.map(expired),
            before: match place.before {
                Before::Router(number, by) => Some(expired((number, by))),
                Before::Host(_) => None,
            },
            distance: match place.before {
                Before::Router(..) => None,
                Before::Host(distance) => distance,
            },
            by: suspects.firewalls,
            host: suspects.host,
        }
    });
    Path {
        hops: path
            .hops
            .iter()
            .map(|it| hop(it.number, &it.answer))
            .collect(),
        working: path.working.iter().copied().map(expired).collect(),
        dropped,
    }
}

fn painted(painted: Painted) -> String {
    match painted {
        Painted::EveryPort { tried, opened } => {
            format!("{opened} of {tried} ports that nobody uses opened too")
        }
        Painted::BeforeHost { hop, beyond } => format!(
            "it answered after {hop} hops, while other packets to this address went beyond hop \
             {beyond}"
        ),
        Painted::TooQuick { took_ms, host_ms } => format!(
            "it answered after {took_ms} ms, and the host itself takes {host_ms} ms at the least"
        ),
        Painted::HostIsDead => {
            "a router looked for this host and did not find it, and yet the port opened".to_string()
        }
        Painted::ResetAfterAccept => {
            "the connection was accepted and reset before a word was said".to_string()
        }
    }
}

fn said(service: &Service) -> Option<String> {
    let text = match service {
        Service::NotAsked | Service::Spoke | Service::Listener => return None,
        Service::Mute => "accepted the connection and said nothing, or not enough, in time",
        Service::HungUp => "accepted the connection and closed it without a word",
        Service::ResetAtOnce => "accepted the connection and reset it at once",
        Service::HungUpInHandshake => "closed the connection in the middle of the TLS handshake",
        Service::NotTls => "answered, but not in TLS",
        Service::TlsAlert(alert) => {
            return Some(format!("refused the TLS handshake with the alert {alert}"));
        }
        Service::TlsTooOld => "speaks TLS in which no handshake of this program with it came about",
        Service::Foreign => "answered, but not in the protocol that is needed",
        Service::TlsOnlyWithoutName => {
            "shakes hands only with whoever asks for no name (SNI), and refuses the name"
        }
        Service::Certificate(fault) => certificate(fault),
        Service::Intercepted => "showed another certificate than the pinned one",
        Service::List(fault) => return Some(served(fault)),
        Service::NotHttp => "answered, but not in HTTP",
        Service::InterimOnly => "answered with an interim HTTP status (1xx), and no final one came",
        Service::ServerError(status) => return Some(format!("answered with HTTP status {status}")),
        Service::WantsCertificate => {
            "asked for a client certificate and ended the connection before it said what it has"
        }
        Service::ConnectedToItself => "the connection went from this host to itself",
    };
    Some(text.to_string())
}

fn certificate(fault: &CertificateFault) -> &'static str {
    match fault {
        CertificateFault::Name
        | CertificateFault::Expired
        | CertificateFault::RootExpired
        | CertificateFault::NotYetValid
        | CertificateFault::Untrusted
        | CertificateFault::Purpose
        | CertificateFault::Other(_) => "showed a certificate that a client refuses",
        CertificateFault::NoIssuer | CertificateFault::Incomplete => {
            "showed a certificate without that of its issuer"
        }
        CertificateFault::Weak => {
            "showed a certificate that Windows clients take and modern libraries refuse"
        }
        CertificateFault::Undecided => {
            "showed a certificate of which it is not known here whether Windows clients take it"
        }
        CertificateFault::TooLarge => {
            "sent a message of the TLS handshake that is larger than Windows clients read, as a \
             rule too many certificates"
        }
        CertificateFault::Revoked => "showed a certificate that its revocation list names",
        CertificateFault::ListByLdapOnly => {
            "showed a certificate whose revocation list is to be had by LDAP only"
        }
        CertificateFault::ListByHttpsOnly => {
            "showed a certificate whose revocation list is not to be had by plain HTTP"
        }
    }
}

fn served(fault: &ListFault) -> String {
    match fault {
        ListFault::Invalid => "served what is no revocation list of the authority".to_string(),
        ListFault::TooLarge => "served a revocation list that is too large".to_string(),
        ListFault::Expired => "served a revocation list that is out of date".to_string(),
        ListFault::NotYetValid => "served a revocation list from the future".to_string(),
        ListFault::Redirected => "sent elsewhere for the revocation list".to_string(),
        ListFault::Missing(status) => {
            format!("answered with HTTP status {status} in place of the revocation list")
        }
        ListFault::Delta(DeltaFault::Invalid) => {
            "served a delta list that does not go with its base list".to_string()
        }
        ListFault::Delta(DeltaFault::Expired) => {
            "served a delta list that is out of date".to_string()
        }
        ListFault::Delta(DeltaFault::Missing) => {
            "did not serve the delta list that another list or a certificate names".to_string()
        }
    }
}

fn attempt(attempt: &observation::Attempt) -> Attempt {
    let result = match attempt.result {
        AttemptResult::Open => TryResult::Open,
        AttemptResult::Reset => TryResult::Reset,
        AttemptResult::Rejected(_) => TryResult::Rejected,
        AttemptResult::Silent => TryResult::Silent,
        AttemptResult::Trouble(_) => TryResult::Trouble,
    };
    Attempt {
        at: format!("{:.3}", attempt.at),
        local: attempt.local.map(|local| local.to_string()),
        remote: attempt.remote.to_string(),
        took_ms: attempt.took_ms,
        result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_that_may_be_a_rejection_held_back_is_not_called_filtered() {
        let silent = |held_back| Observation {
            held_back,
            ..Observation::without_packets(None, State::Filtered)
        };
        assert_eq!(state_seen(&silent(false)), FlowState::Filtered);
        assert_eq!(state_seen(&silent(true)), FlowState::Silent);
    }
}
