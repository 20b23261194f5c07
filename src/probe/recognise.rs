//! Whether a listener of this program stands behind a port: a challenge, on a connection or from a socket of its own.
//!
//! It comes before the protocol is spoken: what a listener says is proof whatever stands on the way, and all that would
//! be said to it in HTTP or TLS could only be refused. The connection of the knock waits meanwhile, so that a service
//! meets the protocol on a connection that has heard nothing else. Over RPC the protocol follows all the same, because
//! firewalls open dynamic ports by what they hear there.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use super::once::again;
use super::{Challenger, Prober, Question};
use crate::catalogue::Transport;
use crate::conversation::challenge::{self, Aim, Proof};
use crate::observation::{Attempt, AttemptResult, Depth, Listener, Observation, Service};
use crate::os::{self, Datagram};

/// How often a connection for the challenge is begun.
const CONNECTIONS: usize = 2;

/// Looks for a listener behind a TCP port that has opened, and writes down what it proves; whether there is one.
pub(super) async fn stream(prober: &Prober, question: &Question, seen: &mut Observation) -> bool {
    let Some(challenger) = &question.challenger else {
        return false;
    };
    let mut stream = None;
    for _ in 0..CONNECTIONS {
        if stream.is_none() {
            stream = again(prober, question, seen.address).await;
        }
    }
    let Some(mut stream) = stream else {
        return false;
    };
    let challenge = challenger.challenge(aim(Transport::Tcp, question, seen.address));
    let limit = prober.limits.timeout;
    let Some(proof) = challenge::exchange(&mut stream, &challenge, limit).await else {
        return false;
    };
    let direct = question.via.is_none();
    let local = stream.local_addr().ok().filter(|_| direct);
    note(
        seen,
        listener(challenger, question, proof, local, seen.address),
    );
    true
}

/// Looks for a listener behind a UDP port with one datagram. It ends only when a listener has proved itself.
pub(super) async fn datagram(
    prober: &Prober,
    question: &Question,
    remote: SocketAddr,
) -> (Attempt, Listener) {
    let Some(challenger) = &question.challenger else {
        return std::future::pending().await;
    };
    prober.pace.turn().await;
    let address = Some(remote.ip());
    let challenge = challenger.challenge(aim(Transport::Udp, question, address));
    let local = Mutex::new(None);
    let began = |at| *local.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    let (at, started) = (Timestamp::now(), Instant::now());
    let bytes = challenge.bytes();
    let asked = os::ask_datagram(remote, &bytes, began);
    let came = timeout(prober.limits.timeout, asked).await;
    let proof = match &came {
        Ok(Datagram::Answer(bytes)) => challenge.read(bytes),
        Ok(Datagram::Rejected(_) | Datagram::Trouble(_)) | Err(_) => None,
    };
    let Some(proof) = proof else {
        return std::future::pending().await;
    };
    let local = *local.lock().unwrap_or_else(PoisonError::into_inner);
    let attempt = Attempt {
        at,
        local,
        remote,
        took_ms: super::millis(started.elapsed()),
        result: AttemptResult::Open,
    };
    let listener = listener(challenger, question, proof, local, address);
    (attempt, listener)
}

/// Writes down that a listener proved itself.
pub(super) fn note(seen: &mut Observation, listener: Listener) {
    seen.service = Some(Service::Listener);
    seen.depth = Some(Depth::EndToEnd);
    seen.listener = Some(listener);
}

fn aim(transport: Transport, question: &Question, address: Option<IpAddr>) -> Aim {
    Aim {
        transport,
        address: address.unwrap_or(Ipv6Addr::UNSPECIFIED.into()),
        port: question.port,
    }
}

fn listener(
    challenger: &Challenger,
    question: &Question,
    proof: Proof,
    local: Option<SocketAddr>,
    address: Option<IpAddr>,
) -> Listener {
    Listener {
        system: proof.system,
        seen_from: proof.seen_from,
        accepted_at: proof.accepted_at,
        sent_from: local,
        aimed_at: address,
        port: question.port,
        run: challenger.run(),
    }
}
