//! UDP: one datagram at a time, and what comes back.
//!
//! An answer shows a service; an ICMP message shows who refused. Silence shows nothing: most services do not answer
//! what they do not understand. The datagram is empty, so that no service acts on it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::knock::Places;
use super::{Landing, Prober, Question};
use crate::observation::{
    Attempt, AttemptResult, Depth, NotTried, Observation, Prohibition, Rejection, ResetBy, Service,
    State,
};
use crate::os::{self, Datagram};

/// How many datagrams are sent while nothing comes back.
const TRIES: usize = 3;

pub(super) async fn ask(
    prober: &Prober,
    question: &Question,
    address: IpAddr,
    places: Places,
) -> Observation {
    let remote = SocketAddr::new(address, question.port);
    let mut seen = Observation::without_packets(Some(address), State::Silent);
    seen.on_link = prober.is_on_link(address);
    if question.landing != Landing::Itself {
        // The lab has no stand-ins for datagrams.
        seen.state = State::NotTried(NotTried::Unsupported);
        return seen;
    }
    for _ in 0..TRIES {
        let mut stop = prober.stop.clone();
        let (attempt, came) = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            tried = one(prober, remote) => tried,
        };
        seen.attempts.push(attempt);
        if let Some(came) = came {
            take_in(&mut seen, came);
            break;
        }
    }
    drop(places);
    if seen.attempts.is_empty() {
        seen.state = State::NotTried(NotTried::Interrupted);
    } else {
        seen.depth = Some(Depth::Udp);
    }
    seen
}

async fn one(prober: &Prober, remote: SocketAddr) -> (Attempt, Option<Datagram>) {
    prober.pace.turn().await;
    let local = Mutex::new(None);
    let began = |address| *local.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    let at = Timestamp::now();
    let started = Instant::now();
    let limit: Duration = prober.limits.timeout;
    let came = tokio::time::timeout(limit, os::ask_datagram(remote, &[], began))
        .await
        .ok();
    let result = match &came {
        None => AttemptResult::Silent,
        Some(Datagram::Answer(_)) => AttemptResult::Open,
        Some(Datagram::Rejected(rejection)) => AttemptResult::Rejected(rejection.clone()),
        Some(Datagram::Trouble(trouble)) => AttemptResult::Trouble(*trouble),
    };
    let attempt = Attempt {
        at,
        local: *local.lock().unwrap_or_else(PoisonError::into_inner),
        remote,
        took_ms: super::millis(started.elapsed()),
        result,
    };
    (attempt, came)
}

fn take_in(seen: &mut Observation, came: Datagram) {
    match came {
        Datagram::Answer(_) => {
            seen.state = State::Open;
            seen.service = Some(Service::NotAsked);
        }
        Datagram::Rejected(rejection) if is_the_hosts(&rejection, seen.address) => {
            seen.state = State::Closed {
                reset_by: ResetBy::Host,
            };
        }
        Datagram::Rejected(rejection) => seen.state = State::Rejected(rejection),
        Datagram::Trouble(trouble) => seen.state = State::Unreachable(trouble),
    }
}

/// The host itself says that nobody listens, which for UDP is what a reset is for TCP (RFC 1122 section 4.1.3.1).
fn is_the_hosts(rejection: &Rejection, address: Option<IpAddr>) -> bool {
    rejection.says == Prohibition::PortUnreachable
        && rejection.by.is_some()
        && rejection.by == address
}
