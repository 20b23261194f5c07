//! Whether a listener of this program stands behind a port: a challenge, on a connection or from a socket of its own.
//!
//! It comes before the protocol is spoken. What a listener says is proof whatever stands on the way. What would be said
//! to it in HTTP or TLS could only be refused. The connection of the knock waits meanwhile, so that a service meets the
//! protocol on a connection that has heard nothing else. Over RPC the protocol follows all the same, because firewalls
//! open dynamic ports by what they hear there.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::try_once::{again, ask_datagram, in_place};
use super::{Challenger, Prober, Question, Target, spread, story, unanswered};
use crate::observation::{Attempt, AttemptResult, Depth, Listener, Observation, Service, State};
use crate::os::{Connection, Datagram, Manner};
use crate::product::Transport;
use crate::wire::challenge::{self, Aim, Proof};
use crate::wire::message;

/// How often a connection for the challenge is begun, each from a port of its own: some source ports may be shut out.
const CONNECTIONS: usize = 6;

/// Looks for a listener behind a TCP port that has opened, and writes down what it proves; whether there is one.
pub(super) async fn stream(prober: &Prober, question: &Question, seen: &mut Observation) -> bool {
    let Some(challenger) = &question.challenger else {
        return false;
    };
    // The proxy itself would be challenged.
    if question.is_passed_on() {
        return false;
    }
    let Some(mut stream) = connection(prober, question, seen.address).await else {
        return false;
    };
    let challenge = challenger.challenge(aim(Transport::Tcp, question, seen.address));
    let limit = prober.limits.timeout;
    let came = challenge::exchange(&mut stream, &challenge, limit).await;
    let Some(proof) = came.and_then(|bytes| challenge.read(&bytes)) else {
        return false;
    };
    let direct = question.way.proxy().is_none();
    let local = stream.local_addr().ok().filter(|_| direct);
    note(
        seen,
        listener(challenger, question, proof, local, seen.address),
    );
    true
}

/// A connection for the challenge alone.
async fn connection(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
) -> Option<TcpStream> {
    let direct = address.filter(|_| question.way.proxy().is_none());
    let Some(address) = direct else {
        return again(prober, question, address).await;
    };
    let remote = SocketAddr::new(address, question.port);
    for silent in 0..CONNECTIONS {
        let wait = spread::wait(prober, remote, silent);
        let once = in_place(prober, remote, Manner::default(), wait).await?;
        if let Some(Connection::Open(stream)) = once.came {
            return Some(stream);
        }
    }
    None
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
    match datagram_once(prober, question, challenger, remote).await {
        (attempt, Some(listener)) => (attempt, listener),
        (_, None) => std::future::pending().await,
    }
}

/// Sends one challenge in a datagram; what came of it.
async fn datagram_once(
    prober: &Prober,
    question: &Question,
    challenger: &Challenger,
    remote: SocketAddr,
) -> (Attempt, Option<Listener>) {
    prober.pace.turn().await;
    let address = Some(remote.ip());
    let challenge = challenger.challenge(aim(Transport::Udp, question, address));
    let local = Mutex::new(None);
    let began = |at| *local.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    let (at, started) = (Timestamp::now(), Instant::now());
    let bytes = challenge.bytes();
    message::sent("challenge", bytes.len());
    let asked = ask_datagram(&prober.pace, remote, &bytes, began);
    let came = timeout(prober.limits.timeout, asked).await;
    story::datagram(remote, started.elapsed(), came.as_ref().ok());
    if let Ok(Datagram::Answer(bytes)) = &came {
        message::came("answer to a challenge", bytes.len());
    }
    let proof = match &came {
        Ok(Datagram::Answer(bytes)) => challenge.read(bytes),
        Ok(Datagram::Rejected(_) | Datagram::Trouble(_)) | Err(_) => None,
    };
    let local = *local.lock().unwrap_or_else(PoisonError::into_inner);
    let attempt = Attempt {
        at,
        local,
        remote,
        took_ms: super::millis(started.elapsed()),
        result: match proof {
            Some(_) => AttemptResult::Open,
            None => AttemptResult::Silent,
        },
    };
    let listener = proof.map(|proof| listener(challenger, question, proof, local, address));
    (attempt, listener)
}

/// A UDP question that nobody answered, and a TCP question that the listener of its system has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The number of the silent one.
    pub silent: usize,
    /// The numbers of the others: several listeners may stand at one address.
    pub proved: Vec<usize>,
    /// The port at which the system listens for the silent one.
    pub own_port: u16,
}

impl Prober {
    /// Makes the silence of UDP ports proof where a listener says that it listens on them, and proved itself on another
    /// port of the host. A challenge that came would have been answered.
    pub async fn prove_datagrams(
        &self,
        silent: &[Beside],
        questions: &[Question],
        answers: &mut [Observation],
    ) {
        self.expect(silent.len());
        for beside in silent {
            if !self.is_listened_on_by_any(beside, questions).await {
                continue;
            }
            let (question, seen) = (&questions[beside.silent], &mut answers[beside.silent]);
            self.challenge_again(question, seen).await;
        }
    }

    async fn is_listened_on_by_any(&self, beside: &Beside, questions: &[Question]) -> bool {
        for proved in &beside.proved {
            if *self.stop.borrow() {
                return false;
            }
            if self
                .is_listened_on(&questions[*proved], beside.own_port)
                .await
            {
                return true;
            }
        }
        false
    }

    /// Whether the listener behind a port says that it listens on a UDP port.
    async fn is_listened_on(&self, proved: &Question, own_port: u16) -> bool {
        let (Some(challenger), Target::Address(address)) = (&proved.challenger, proved.target)
        else {
            return false;
        };
        let asks = challenger.question(Aim {
            transport: Transport::Udp,
            address,
            port: own_port,
        });
        let Some(mut stream) = connection(self, proved, Some(address)).await else {
            return false;
        };
        let limit = self.limits.timeout;
        let came = challenge::exchange(&mut stream, &asks, limit).await;
        came.is_some_and(|bytes| asks.is_yes(&bytes))
    }

    /// Sends challenges until one is answered, or silence is proof.
    async fn challenge_again(&self, question: &Question, seen: &mut Observation) {
        let (Some(challenger), Some(address)) = (&question.challenger, seen.address) else {
            return;
        };
        let remote = SocketAddr::new(address, question.port);
        let wanted = self.measured().tries(address);
        while unanswered::silent(&seen.attempts) < usize::from(wanted) {
            let mut stop = self.stop.clone();
            let (attempt, listener) = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                once = datagram_once(self, question, challenger, remote) => once,
            };
            seen.attempts.push(attempt);
            if let Some(listener) = listener {
                seen.state = State::Open;
                note(seen, listener);
                return;
            }
        }
        unanswered::judge_datagrams(self, seen);
    }
}

/// Writes down that a listener proved itself.
pub(super) fn note(seen: &mut Observation, listener: Listener) {
    seen.service = Some(Service::Listener);
    seen.depth = Some(Depth::EndToEnd);
    seen.listener = Some(Box::new(listener));
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
