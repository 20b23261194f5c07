//! Through a proxy: a knock at it, a tunnel to the server, then the ordinary conversation inside.
//!
//! What the proxy refuses is told from what it says of the server, and a tunnel that opened proves the proxy alone:
//! some open one before they have reached anybody. A proxy that cannot be reached is knocked at for one flow, not for
//! each; the credentials are tried once, and after a refusal never again in the run.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::net::TcpStream;

use super::knock::Places;
use super::once::{Once, in_place};
use super::{Prober, Question, Target, converse, millis};
use crate::config::Via;
use crate::conversation::http::authority::Authority;
use crate::conversation::proxy::credentials::Credentials;
use crate::conversation::proxy::through::through;
use crate::conversation::proxy::{Kind, Offered, Passage, Refused, Unreached};
use crate::observation::{
    Attempt, AttemptResult, Depth, NotTried, Observation, State, Stop, Stopped, Unresolved,
};
use crate::os::{Connection, Manner};

/// Knocks at each address of the proxy before it counts as out of reach.
const KNOCKS: usize = 3;

/// The proxy that a run goes through.
#[derive(Debug)]
pub struct Gateway {
    kind: Kind,
    url: String,
    at: Vec<SocketAddr>,
    credentials: Option<Credentials>,
    /// Why it is out of reach, once that is known.
    lost: Mutex<Option<Stop>>,
}

/// What keeps a question from its server.
enum Kept {
    /// The proxy, or the way to it.
    Stopped(Stop),
    /// The run was stopped.
    Interrupted,
    /// It has no name that a proxy could be told.
    Nameless,
}

impl Gateway {
    /// A proxy at these addresses; `None` where it could not be told the user and password.
    pub fn new(via: &Via, addresses: &[IpAddr], password: Option<&str>) -> Option<Self> {
        let credentials = match (&via.user, password) {
            (Some(user), Some(password)) => Some(Credentials::new(user, password)?),
            (Some(_), None) => return None,
            (None, _) => None,
        };
        Some(Self {
            kind: via.kind,
            url: via.to_string(),
            at: addresses
                .iter()
                .map(|address| SocketAddr::new(*address, via.port))
                .collect(),
            credentials,
            lost: Mutex::default(),
        })
    }

    /// Its URL, without the user.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An address whose places are taken while it is used.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.at.first().map(SocketAddr::ip)
    }

    /// Another tunnel like the first.
    pub(super) async fn another(&self, prober: &Prober, question: &Question) -> Option<TcpStream> {
        self.tunnel(prober, question, &mut Vec::new()).await.ok()
    }

    async fn tunnel(
        &self,
        prober: &Prober,
        question: &Question,
        attempts: &mut Vec<Attempt>,
    ) -> Result<TcpStream, Kept> {
        let target = authority(question).ok_or(Kept::Nameless)?;
        let stream = self.knock(prober, attempts).await?;
        let limit = prober.limits.timeout;
        let credentials = self.credentials.as_ref();
        let mut stop = prober.stop.clone();
        let passage = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Err(Kept::Interrupted),
            passage = through(stream, self.kind, &target, credentials, limit) => passage,
        };
        match passage {
            Passage::Tunnel(stream) => Ok(stream),
            Passage::Refused(refused) => Err(Kept::Stopped(stopped(&refused))),
        }
    }

    /// A connection to the proxy itself.
    async fn knock(&self, prober: &Prober, attempts: &mut Vec<Attempt>) -> Result<TcpStream, Kept> {
        if let Some(stop) = self.lost().clone() {
            return Err(Kept::Stopped(stop));
        }
        let mut said = "has no address".to_string();
        for remote in self.at.iter().flat_map(|at| [*at; KNOCKS]) {
            let at = Timestamp::now();
            let limit = prober.limits.timeout;
            let once = in_place(prober, remote, Manner::default(), limit).await;
            let once = once.ok_or(Kept::Interrupted)?;
            attempts.push(attempt(at, remote, &once));
            said = match once.came {
                Some(Connection::Open(stream)) => return Ok(stream),
                None => "does not answer".to_string(),
                Some(Connection::Reset { .. }) => "resets connections".to_string(),
                Some(Connection::ResetAfterAccept { .. }) => {
                    "resets connections that it has accepted".to_string()
                }
                Some(Connection::Rejected { .. }) => {
                    "is out of reach: a device on the way rejects connections to it".to_string()
                }
                Some(Connection::Trouble(_)) => "is out of reach from this host".to_string(),
            };
        }
        let stop = Stop {
            why: Stopped::NoProxy,
            said,
        };
        *self.lost() = Some(stop.clone());
        Err(Kept::Stopped(stop))
    }

    fn lost(&self) -> std::sync::MutexGuard<'_, Option<Stop>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks one question through a proxy.
pub(super) async fn ask(
    prober: &Prober,
    question: &Question,
    gateway: &Gateway,
    places: Places,
) -> Observation {
    let address = match question.target {
        Target::Address(address) => Some(address),
        Target::ByName | Target::Nowhere(_) => None,
    };
    let mut seen = Observation::without_packets(address, State::Silent);
    seen.via = Some(gateway.url.clone());
    let mut attempts = Vec::new();
    let tunnel = gateway.tunnel(prober, question, &mut attempts).await;
    seen.depth = (!attempts.is_empty()).then_some(Depth::Tcp);
    seen.attempts = attempts;
    match tunnel {
        Ok(stream) => {
            seen.state = State::Open;
            converse::converse(prober, question, stream, Some(places), &mut seen).await;
        }
        Err(Kept::Stopped(stop)) => seen.state = State::Stopped(stop),
        Err(Kept::Interrupted) => seen.state = State::NotTried(NotTried::Interrupted),
        Err(Kept::Nameless) => seen.state = State::Unresolved(Unresolved::NoNameHere),
    }
    seen
}

/// What the proxy is told: the address where there is one, else the name, which it resolves.
fn authority(question: &Question) -> Option<Authority> {
    match question.target {
        Target::Address(address) => Authority::new(&address.to_string(), question.port),
        Target::ByName => Authority::new(question.name.as_deref()?, question.port),
        Target::Nowhere(_) => None,
    }
}

fn attempt(at: Timestamp, remote: SocketAddr, once: &Once) -> Attempt {
    let result = match &once.came {
        None => AttemptResult::Silent,
        Some(Connection::Open(_) | Connection::ResetAfterAccept { .. }) => AttemptResult::Open,
        Some(Connection::Reset { .. }) => AttemptResult::Reset,
        Some(Connection::Rejected { rejection, .. }) => AttemptResult::Rejected(rejection.clone()),
        Some(Connection::Trouble(trouble)) => AttemptResult::Trouble(*trouble),
    };
    Attempt {
        at,
        local: once.local,
        remote,
        took_ms: millis(once.took),
        result,
    }
}

/// What a refusal is worth.
fn stopped(refused: &Refused) -> Stop {
    let (why, said) = match refused {
        Refused::Authentication {
            schemes,
            credentials,
        } => (Stopped::Login, login(schemes, *credentials)),
        Refused::Forbidden { said } => (Stopped::Rule, format!("refuses: {said}")),
        Refused::Unreached { why, said } => (
            if *why == Unreached::NoSuchName {
                Stopped::Name
            } else {
                Stopped::Server
            },
            format!(
                "says that it did not reach the server: {} ({said})",
                unreached(*why)
            ),
        ),
        Refused::NotProxy { said } => (
            Stopped::NoProxy,
            format!("does not answer as such a proxy does: {said}"),
        ),
        Refused::Silent => (
            Stopped::Waiting,
            "took the request and said nothing in time; it may still be trying to reach the server"
                .to_string(),
        ),
        Refused::Closed => (
            Stopped::NoProxy,
            "closed the connection without a word".to_string(),
        ),
        Refused::Reset => (Stopped::NoProxy, "reset the connection".to_string()),
    };
    Stop { why, said }
}

fn login(schemes: &[String], offered: Offered) -> String {
    let ways = if schemes.is_empty() {
        String::new()
    } else {
        format!(" ({})", schemes.join(", "))
    };
    match offered {
        Offered::None => format!("wants to know who asks{ways}, and the site file names no user"),
        Offered::NotTaken => format!("takes no user name and password{ways}"),
        Offered::Refused => {
            format!("refused the user name and password{ways}; they are not sent again in this run")
        }
        Offered::Withheld => {
            "refused the user name and password earlier in this run, so they were not sent again"
                .to_string()
        }
    }
}

fn unreached(why: Unreached) -> &'static str {
    match why {
        Unreached::NoSuchName => "the name has no address for it",
        Unreached::Refused => "the connection was refused",
        Unreached::TimedOut => "nothing came back",
        Unreached::HostUnreachable => "no way to the host",
        Unreached::NetworkUnreachable => "no way to its network",
        Unreached::Unsaid => "it does not say why",
    }
}
