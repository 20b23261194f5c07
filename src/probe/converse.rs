//! The conversation on a port that has opened, as far as the question's ladder goes.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::knock::Places;
use super::{Ladder, Prober, Question, Turn};
use crate::conversation::{http, tls};
use crate::observation::{Depth, Observation, Service, State};

/// How long a server may take to refuse for want of a client certificate in TLS 1.3, where that comes on the first read.
const LATE_ALERT: Duration = Duration::from_millis(300);
/// How long a port of which nothing is asked is watched for a reset: a device that accepts for a host behind it may
/// learn only then that nobody listens there.
const SECOND_THOUGHTS: Duration = Duration::from_millis(400);

/// Whether a ladder ends with the connection.
pub(super) fn asks_nothing(ladder: Ladder) -> bool {
    match ladder {
        Ladder::None | Ladder::Tcp | Ladder::TcpOnly | Ladder::Datagram => true,
        Ladder::Tls | Ladder::Http | Ladder::Https => false,
    }
}

pub(super) async fn converse(
    prober: &Prober,
    question: &Question,
    mut stream: TcpStream,
    places: Option<Places>,
    seen: &mut Observation,
) {
    let host = question
        .name
        .clone()
        .or_else(|| seen.address.map(|address| address.to_string()))
        .unwrap_or_default();
    let mut stop = prober.stop.clone();
    let mut interrupted = false;
    let limit = prober.limits.timeout;
    let talk = async {
        match question.ladder {
            Ladder::None | Ladder::Tcp | Ladder::Datagram => {
                seen.service = Some(watch(prober, &stream, places, Service::NotAsked).await);
            }
            Ladder::TcpOnly => {
                seen.service = Some(watch(prober, &stream, places, Service::NotSpoken).await);
            }
            Ladder::Http => {
                seen.depth = Some(Depth::Http);
                let (service, http) =
                    http::exchange(&mut stream, &host, question.port, limit).await;
                seen.service = Some(service);
                seen.http = http;
            }
            Ladder::Tls | Ladder::Https => over_tls(prober, question, stream, &host, seen).await,
        }
    };
    tokio::select! {
        () = talk => {}
        _ = stop.wait_for(|stop| *stop) => interrupted = true,
    }
    // That a forbidden port is open is news whatever it would have said; a needed one had no time to speak.
    if interrupted && question.turn == Turn::Needed {
        seen.state = State::Silent;
    }
}

/// Watches a connection of which nothing is asked; the places of the knock are for others meanwhile.
async fn watch(
    prober: &Prober,
    stream: &TcpStream,
    places: Option<Places>,
    nothing_came: Service,
) -> Service {
    drop(places);
    let _waiting = prober.waiting.acquire().await;
    let time = stream.peer_addr().map_or(SECOND_THOUGHTS, |remote| {
        prober.learnt().wait(remote.ip()).max(SECOND_THOUGHTS)
    });
    let limit = time.min(prober.limits.timeout);
    match tokio::time::timeout(limit, stream.peek(&mut [0_u8; 1])).await {
        Err(_) | Ok(Ok(1..)) => nothing_came,
        Ok(Ok(0)) => Service::HungUp,
        Ok(Err(_)) => Service::ResetAtOnce,
    }
}

async fn over_tls(
    prober: &Prober,
    question: &Question,
    stream: TcpStream,
    host: &str,
    seen: &mut Observation,
) {
    seen.depth = Some(Depth::Tls);
    let limit = prober.limits.timeout;
    let handshake = tls::shake(stream, host, &prober.trust, limit).await;
    let asked = handshake.seen.client_certificate_asked;
    seen.tls = Some(handshake.seen);
    let Some(mut stream) = handshake.stream else {
        seen.service = handshake.fault;
        return;
    };
    let mut service = Service::Spoke;
    if question.ladder == Ladder::Https {
        seen.depth = Some(Depth::Http);
        let (said, http) = http::exchange(&mut stream, host, question.port, limit).await;
        seen.http = http;
        // A server that asked for a client certificate and closes without one has proved that it serves.
        service = if asked && said == Service::HungUp {
            Service::Spoke
        } else {
            said
        };
    } else {
        let mut byte = [0_u8; 1];
        let _ = tokio::time::timeout(LATE_ALERT, stream.read(&mut byte)).await;
    }
    seen.service = Some(handshake.fault.unwrap_or(service));
}
