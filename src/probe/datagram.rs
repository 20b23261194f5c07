//! UDP: one datagram at a time, and what comes back.
//!
//! An answer shows a service, and one in its protocol proves it; an ICMP message shows who refused. Where no protocol
//! is known the datagram is empty, so that no service acts on it. Its silence shows nothing: most services do not
//! answer what they do not understand. Beside each datagram leaves a challenge, where a listener of this program may
//! stand there: its answer decides.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::converse::facts;
use super::try_once::{Places, ask_datagram};
use super::{Datagram as Asked, Prober, Question, recognise, story};
use crate::observation::{
    Attempt, AttemptResult, Depth, NotTried, Observation, Prohibition, Rejection, ResetBy, Service,
    Spoken, State,
};
use crate::os::Datagram;
use crate::wire::{Fault, dns, message, windows::kerberos, windows::rpc::datagram as rpc};

/// How many datagrams are sent while nothing comes back.
const TRIES: usize = 3;

pub(super) async fn ask(
    prober: &Prober,
    question: &Question,
    asked: Asked,
    address: IpAddr,
    places: Places,
) -> Observation {
    let mut request = Request::new(question, asked);
    let remote = SocketAddr::new(address, question.port);
    let mut seen = Observation::without_packets(Some(address), State::Silent);
    seen.on_link = prober.is_on_link(address);
    if !question.way.is_direct() {
        // The lab has no stand-ins for datagrams.
        seen.state = State::NotTried(NotTried::Unsupported);
        return seen;
    }
    for number in 1..=TRIES {
        if number == TRIES {
            request = request.at_last();
        }
        let mut stop = prober.stop.clone();
        let (attempt, came) = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            proved = recognise::datagram(prober, question, remote) => {
                let (attempt, listener) = proved;
                seen.attempts.push(attempt);
                seen.state = State::Open;
                recognise::note(&mut seen, listener);
                break;
            }
            tried = one(prober, remote, &request) => tried,
        };
        seen.attempts.push(attempt);
        if let Some(came) = came {
            prober.measured().heard |= !matches!(came, Datagram::Trouble(_));
            take_in(prober, question, &request, &mut seen, came);
            break;
        }
    }
    drop(places);
    if seen.attempts.is_empty() {
        seen.state = State::NotTried(NotTried::Interrupted);
    } else if seen.spoken.is_none() && seen.listener.is_none() {
        seen.depth = Some(Depth::Udp);
    }
    seen
}

/// One empty datagram, that nothing repeats, and what came of it within a time. Where none may go, none is sent.
pub(super) async fn single(
    prober: &Prober,
    remote: SocketAddr,
    limit: Duration,
) -> (Duration, Option<Datagram>) {
    if !prober.permission.lets(remote) {
        return (Duration::ZERO, None);
    }
    prober.pace.turn().await;
    let started = Instant::now();
    let came = tokio::time::timeout(limit, ask_datagram(&prober.pace, remote, &[], |_| {})).await;
    let took = started.elapsed();
    story::datagram(remote, took, came.as_ref().ok());
    (took, came.ok())
}

async fn one(
    prober: &Prober,
    remote: SocketAddr,
    request: &Request,
) -> (Attempt, Option<Datagram>) {
    prober.pace.turn().await;
    let local = Mutex::new(None);
    let began = |address| *local.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    let at = Timestamp::now();
    let started = Instant::now();
    let limit: Duration = prober.limits.timeout;
    let bytes = request.bytes();
    message::sent(request.kind(), bytes.len());
    let came = tokio::time::timeout(limit, ask_datagram(&prober.pace, remote, &bytes, began))
        .await
        .ok();
    story::datagram(remote, started.elapsed(), came.as_ref());
    if let Some(Datagram::Answer(bytes)) = &came {
        message::came("answer to a datagram", bytes.len());
    }
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

/// What is asked of a service, built once: the answer has to fit it.
enum Request {
    Empty,
    Dns(dns::Query),
    /// What a name server answers by itself, after questions for which it may have to ask others.
    DnsOfItself(dns::Query),
    Kerberos,
    Rpc(rpc::Question),
}

impl Request {
    fn new(question: &Question, asked: Asked) -> Self {
        match asked {
            Asked::Empty => Self::Empty,
            Asked::Dns => facts::query(question).map_or(Self::Empty, Self::Dns),
            Asked::Kerberos => Self::Kerberos,
            Asked::Rpc => Self::Rpc(rpc::Question::new()),
        }
    }

    /// What the last datagram asks, where nothing came back so far.
    fn at_last(self) -> Self {
        match self {
            Self::Dns(_) => Self::DnsOfItself(dns::Query::of_itself()),
            other => other,
        }
    }

    /// What the log calls it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty datagram",
            Self::Dns(_) | Self::DnsOfItself(_) => "DNS query",
            Self::Kerberos => "Kerberos request",
            Self::Rpc(_) => "RPC call",
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Dns(query) | Self::DnsOfItself(query) => query.bytes(),
            Self::Kerberos => kerberos::request(),
            Self::Rpc(question) => question.bytes(),
        }
    }

    /// What an answer says; `None`: nothing was asked.
    fn read(&self, question: &Question, bytes: &[u8]) -> Option<Result<Spoken, Fault>> {
        match self {
            Self::Empty => None,
            Self::Dns(query) => Some(query.read(bytes).map(|said| facts::of_dns(question, &said))),
            Self::DnsOfItself(query) => {
                let said = query.read(bytes);
                Some(said.map(|said| facts::of_waiting_dns(question, &said)))
            }
            Self::Kerberos => Some(kerberos::read(bytes).map(facts::of_kerberos)),
            Self::Rpc(asked) => {
                Some(asked.read(bytes).map(|said| {
                    Spoken::of("rpc", [("answer", format!("{said:?}").to_lowercase())])
                }))
            }
        }
    }
}

fn take_in(
    prober: &Prober,
    question: &Question,
    request: &Request,
    seen: &mut Observation,
    came: Datagram,
) {
    match came {
        Datagram::Answer(bytes) => {
            seen.state = State::Open;
            match request.read(question, &bytes) {
                None => seen.service = Some(Service::NotAsked),
                Some(said) => facts::note(seen, said),
            }
        }
        Datagram::Rejected(rejection) if is_the_hosts(&rejection, seen.address) => {
            seen.state = State::Closed {
                reset_by: ResetBy::Host,
            };
        }
        Datagram::Rejected(rejection) => {
            seen.state = match prober.own_trouble(&rejection, seen) {
                Some(trouble) => State::Unreachable(trouble),
                None => State::Rejected(rejection),
            }
        }
        Datagram::Trouble(trouble) => seen.state = State::Unreachable(trouble),
    }
}

/// The host itself says that nobody listens, which for UDP is what a reset is for TCP (RFC 1122 section 4.1.3.1).
fn is_the_hosts(rejection: &Rejection, address: Option<IpAddr>) -> bool {
    rejection.says == Prohibition::PortUnreachable
        && rejection.by.is_some()
        && rejection.by == address
}
