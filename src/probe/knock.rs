//! Knocking at one port: tries on new sockets until something answers or silence is proof; then the conversation.
//!
//! Earlier sockets stay open while later tries run, so that an answer which comes late still counts. The waits begin
//! at the round-trip time of the host (or of another host that answered) and grow, with jitter, because losses come in
//! bursts.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Ladder, Landing, Prober, Question, Turn, http, tls};
use crate::observation::{
    Attempt, AttemptResult, Depth, NotTried, Observation, ResetBy, Service, State, Trouble,
};
use crate::os::{self, Connection};

/// The shortest wait between two tries.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// The first wait while no host has answered.
const BLIND_WAIT: Duration = Duration::from_millis(500);
/// The least time that a host which never answered is given: the last router needs about three seconds to find that
/// nobody answers its ARP or neighbour discovery, and only then says that the host is unreachable.
const LEAST_WINDOW: Duration = Duration::from_millis(3_500);
/// How long a server may take to refuse for want of a client certificate in TLS 1.3, where that comes on the first read.
const LATE_ALERT: Duration = Duration::from_millis(300);

/// What ended the knocking.
enum End {
    Answer(usize, Connection),
    Silence { proof: bool, confidence: f64 },
    Stopped,
}

pub(super) async fn knock(prober: &Prober, question: &Question, address: IpAddr) -> Observation {
    let remote = SocketAddr::new(address, question.port);
    let mut attempts = Vec::new();
    let end = tries(prober, question, remote, &mut attempts).await;
    let mut seen = Observation::without_packets(Some(address), State::Silent);
    seen.on_link = prober.is_on_link(address) || matches!(question.landing, Landing::At(_));
    seen.depth = (!attempts.is_empty()).then_some(Depth::Tcp);
    seen.attempts = attempts;
    match end {
        End::Silence { proof, confidence } => {
            seen.state = if proof {
                State::Filtered
            } else {
                State::Silent
            };
            seen.confidence = Some(confidence);
        }
        End::Stopped if seen.attempts.is_empty() => {
            seen.state = State::NotTried(NotTried::Interrupted)
        }
        End::Stopped => {}
        End::Answer(number, connection) => {
            answered(prober, question, number, connection, &mut seen).await
        }
    }
    seen
}

async fn tries(
    prober: &Prober,
    question: &Question,
    remote: SocketAddr,
    attempts: &mut Vec<Attempt>,
) -> End {
    let mut running: JoinSet<(usize, Duration, Connection)> = JoinSet::new();
    let locals: Locals = Arc::default();
    let end = until_an_end(prober, question, remote, attempts, &mut running, &locals).await;
    let locals = locals.lock().unwrap_or_else(PoisonError::into_inner);
    for (number, local) in locals.iter() {
        attempts[*number].local = Some(*local);
    }
    end
}

/// The local ends of the tries, by their numbers: silence has evidence too.
type Locals = Arc<Mutex<Vec<(usize, SocketAddr)>>>;

async fn until_an_end(
    prober: &Prober,
    question: &Question,
    remote: SocketAddr,
    attempts: &mut Vec<Attempt>,
    running: &mut JoinSet<(usize, Duration, Connection)>,
    locals: &Locals,
) -> End {
    let mut stop = prober.stop.clone();
    let begun = Instant::now();
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return End::Stopped,
            () = prober.pace.turn() => {}
        }
        let number = attempts.len();
        let landing = question.landing;
        let started = Instant::now();
        attempts.push(Attempt {
            at: Timestamp::now(),
            local: None,
            remote,
            took_ms: 0.0,
            result: AttemptResult::Silent,
        });
        let locals = Arc::clone(locals);
        let note = move |local| {
            let mut locals = locals.lock().unwrap_or_else(PoisonError::into_inner);
            locals.push((number, local));
        };
        running.spawn(async move {
            let connection = match landing {
                Landing::Itself => os::connect(remote, note).await,
                Landing::At(stand_in) => os::connect(stand_in, note).await,
                Landing::Void => std::future::pending().await,
            };
            (number, started.elapsed(), connection)
        });
        let (enough, wait) = plan_next(prober, remote.ip(), attempts.len(), begun.elapsed());
        let result = tokio::select! {
            Some(Ok(result)) = running.join_next() => Some(result),
            () = sleep(wait) => None,
            _ = stop.wait_for(|stop| *stop) => return End::Stopped,
        };
        if let Some(attempt) = attempts.last_mut() {
            attempt.took_ms = millis(started.elapsed());
        }
        if let Some((number, took, connection)) = result {
            learn(prober, remote.ip(), number, took, &connection);
            return End::Answer(number, connection);
        }
        if enough {
            let tries = u8::try_from(attempts.len()).unwrap_or(u8::MAX);
            let learnt = prober.learnt();
            let loss = learnt.loss_on_the_way_to(remote.ip());
            let (confidence, proof) = loss.confidence(tries, learnt.asked);
            return End::Silence { proof, confidence };
        }
    }
}

/// Whether this try is the last, and how long to wait for its answer.
fn plan_next(
    prober: &Prober,
    address: IpAddr,
    tries: usize,
    elapsed: Duration,
) -> (bool, Duration) {
    let learnt = prober.learnt();
    let known = learnt.hosts.get(&address).and_then(|host| host.round_trip);
    let first = match (known, learnt.slowest) {
        (Some(round_trip), _) => (round_trip * 4).max(SHORTEST_WAIT),
        (None, Some(slowest)) => (slowest * 8).max(SHORTEST_WAIT * 2),
        (None, None) => BLIND_WAIT,
    };
    let wanted = prober
        .limits
        .attempts
        .unwrap_or_else(|| learnt.loss_on_the_way_to(address).tries(learnt.asked));
    let enough = tries >= usize::from(wanted);
    let growth = 1.3_f64.powi(i32::try_from(tries.min(12)).unwrap_or(12) - 1);
    let mut wait = first.mul_f64(growth * jitter()).min(prober.limits.timeout);
    if enough && known.is_none() {
        // One that never answered may be slow: it gets at least the time that the user gives to a step.
        let least = LEAST_WINDOW.max(prober.limits.timeout);
        let window = learnt
            .slowest
            .map_or(least, |slowest| (slowest * 8).max(least));
        wait = wait.max(window.saturating_sub(elapsed));
    }
    (enough, wait)
}

/// A factor from 0.9 to 1.1, so that tries do not beat in time with a burst of losses.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    0.9 + 0.2 * (random % 1_000) as f64 / 1_000.0
}

/// Takes in an answer to try `number`: earlier tries were lost, and the time is a round trip.
fn learn(prober: &Prober, address: IpAddr, number: usize, took: Duration, connection: &Connection) {
    // A device on the way answers for its part of the way only, and a router may ask its network for seconds before it
    // says that a host is unreachable: that is neither loss nor distance.
    if matches!(
        connection,
        Connection::Trouble(_) | Connection::Rejected { .. }
    ) {
        return;
    }
    let mut learnt = prober.learnt();
    let lost = u32::try_from(number).unwrap_or(u32::MAX);
    learnt.loss.add(lost);
    if let Some(host) = learnt.hosts.get_mut(&address) {
        host.loss.add(lost);
        // The quickest: a slower one may hide a retransmission.
        host.round_trip = Some(host.round_trip.map_or(took, |known| known.min(took)));
    }
    learnt.slowest = learnt
        .hosts
        .values()
        .filter_map(|host| host.round_trip)
        .max();
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

async fn answered(
    prober: &Prober,
    question: &Question,
    number: usize,
    connection: Connection,
    seen: &mut Observation,
) {
    let (result, local) = match &connection {
        Connection::Open(stream) => (AttemptResult::Open, stream.local_addr().ok()),
        Connection::Reset { local } => (AttemptResult::Reset, *local),
        Connection::Rejected { rejection, local } => {
            (AttemptResult::Rejected(rejection.clone()), *local)
        }
        Connection::Trouble(trouble) => (AttemptResult::Trouble(*trouble), None),
    };
    if let Some(attempt) = seen.attempts.get_mut(number) {
        attempt.result = result;
        attempt.local = local.or(attempt.local);
    }
    match connection {
        Connection::Open(stream) if stream.local_addr().ok() == stream.peer_addr().ok() => {
            // Both ends chose the same port: nobody listens there.
            seen.state = State::Closed {
                reset_by: ResetBy::Host,
            };
            seen.service = Some(Service::ConnectedToItself);
        }
        Connection::Open(stream) => {
            seen.state = State::Open;
            converse(prober, question, stream, seen).await;
        }
        Connection::Reset { .. } => {
            seen.state = State::Closed {
                reset_by: if seen.on_link {
                    ResetBy::Host
                } else {
                    ResetBy::Either
                },
            }
        }
        Connection::Rejected { rejection, .. } => seen.state = State::Rejected(rejection),
        Connection::Trouble(trouble) => {
            seen.state = State::Unreachable(trouble);
            if trouble == Trouble::NoDescriptors {
                tracing::warn!("out of descriptors or ports; lower probing.in_flight");
            }
        }
    }
}

async fn converse(
    prober: &Prober,
    question: &Question,
    mut stream: TcpStream,
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
            Ladder::None | Ladder::Tcp => seen.service = Some(Service::NotAsked),
            Ladder::TcpOnly => seen.service = Some(Service::NotSpoken),
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
