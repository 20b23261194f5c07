//! Through a proxy: a knock at it, a tunnel to the server, then the ordinary conversation inside.
//!
//! Plain HTTP goes through an HTTP proxy as clients send it: in requests that the proxy passes on, without a tunnel.
//! What the proxy refuses is told from what it says of the server. A tunnel that opened proves the proxy alone: some
//! open one before they have reached anybody. A proxy that cannot be reached is knocked at for one flow, not for each.
//! The credentials are tried once, and after a refusal never again in the run.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use url::Url;

use super::try_once::Places;
use super::try_once::{Once, in_place};
use super::{Ladder, Prober, Question, Target, converse, fetch, millis};
use crate::config::Via;
use crate::observation::{
    Attempt, AttemptResult, Depth, NotTried, Observation, State, Stop, Stopped, Unresolved,
};
use crate::os::{Connection, Manner};
use crate::wire::trust::revocation::fetch::{Fetched, NotConnected, NotFetched, Way, fetch as get};
use crate::wire::web::http::answer::Answer;
use crate::wire::web::http::authority::{Authority, Authorization};
use crate::wire::web::proxy::credentials::Credentials;
use crate::wire::web::proxy::forward;
use crate::wire::web::proxy::through::through;
use crate::wire::web::proxy::{Kind, Offered, Passage, Refused, Unreached};

/// Knocks at each address of the proxy before it counts as out of reach.
const KNOCKS: usize = 3;
/// The least time that a proxy has for its answer. A host that is off shows after three seconds, when the proxy's own
/// system has looked for it in vain. Squid, Apache and dante then say so.
const LEAST_WAIT: Duration = Duration::from_secs(5);

/// The proxy that a run goes through.
#[derive(Debug)]
pub struct Gateway {
    kind: Kind,
    url: String,
    at: Vec<SocketAddr>,
    credentials: Option<Credentials>,
    /// Whether everything that the run asks goes through it.
    for_all: bool,
    /// Why it is out of reach, once that is known.
    lost: Mutex<Option<Stop>>,
    /// What it says of a host that does not exist, once that was asked; `None`: nothing.
    voice: OnceCell<Option<Answer>>,
}

/// What came of fetching through a proxy.
#[derive(Debug)]
pub(crate) struct ByProxy {
    /// What stands at the address, or what kept it from coming.
    pub(crate) came: Result<Fetched, NotByProxy>,
    /// The tries to reach the proxy.
    pub(crate) attempts: Vec<Attempt>,
}

/// Why nothing was fetched through a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotByProxy {
    /// The proxy, or the way to it.
    Stopped(Stop),
    /// The server.
    NotFetched(NotFetched),
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
            for_all: true,
            lost: Mutex::default(),
            voice: OnceCell::new(),
        })
    }

    /// The same where other questions of the run go direct.
    #[must_use]
    pub fn beside_direct_ways(self) -> Self {
        Self {
            for_all: false,
            ..self
        }
    }

    /// Its URL, without the user.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An address whose places are taken while it is used.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.at.first().map(SocketAddr::ip)
    }

    /// Whether it passes such requests on itself, as it does for clients: there is no tunnel then.
    pub(crate) fn passes_on(&self, ladder: Ladder) -> bool {
        self.kind == Kind::HttpConnect && ladder == Ladder::Http
    }

    /// What it is told of who asks, once it has taken that.
    pub(super) fn authorization(&self) -> Option<Authorization> {
        self.credentials.as_ref()?.once_taken()
    }

    /// Another way to the server like the first.
    pub(super) async fn another(&self, prober: &Prober, question: &Question) -> Option<TcpStream> {
        let attempts = &mut Vec::new();
        match question.is_passed_on() {
            true => self.knock(prober, attempts).await.ok(),
            false => self.tunnel(prober, question, attempts).await.ok(),
        }
    }

    /// A connection on which requests are passed on, once the proxy has shown with the root page that it does.
    async fn forward(
        &self,
        prober: &Prober,
        question: &Question,
        attempts: &mut Vec<Attempt>,
    ) -> Result<TcpStream, Kept> {
        let target = authority(question).ok_or(Kept::Nameless)?;
        self.leads_to(prober, &target, attempts).await?;
        self.knock(prober, attempts).await
    }

    /// Whether the server can be asked for by its name too, as clients do: the proxy may know no address for it.
    async fn knows_the_name(&self, prober: &Prober, question: &Question) -> bool {
        let Some(name) = &question.name else {
            return false;
        };
        let by_name = Authority::new(name, question.port);
        match (question.target, by_name) {
            (Target::ByName, _) => true,
            (Target::Address(_), Some(target)) => {
                let led = self.leads_to(prober, &target, &mut Vec::new()).await;
                led.is_ok()
            }
            (Target::Address(_), None) | (Target::Nowhere(_), _) => false,
        }
    }

    /// Asks for the root page; whether a server answered.
    async fn leads_to(
        &self,
        prober: &Prober,
        target: &Authority,
        attempts: &mut Vec<Attempt>,
    ) -> Result<(), Kept> {
        let answer = self.root_page(prober, target, attempts).await?;
        if forward::may_be_its_own(&answer)
            && let Some(voice) = self.voice(prober).await
            && let Some(refused) = forward::in_its_voice(&answer, voice)
        {
            return Err(Kept::Stopped(stopped(&refused)));
        }
        Ok(())
    }

    async fn root_page(
        &self,
        prober: &Prober,
        target: &Authority,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Answer, Kept> {
        let stream = self.knock(prober, attempts).await?;
        let credentials = self.credentials.as_ref();
        let asking = forward::root_page(stream, target, credentials, wait(prober));
        let answer = unless_stopped(prober, asking).await?;
        answer.map_err(|refused| Kept::Stopped(stopped(&refused)))
    }

    /// What it says of a host that does not exist, as long as it does not mark that as its own word. A proxy that marks
    /// it marks all.
    async fn voice(&self, prober: &Prober) -> Option<&Answer> {
        let asked = self.voice.get_or_init(|| async {
            let nobody = Authority::new(forward::NOBODY, 80)?;
            self.root_page(prober, &nobody, &mut Vec::new()).await.ok()
        });
        asked.await.as_ref()
    }

    async fn tunnel(
        &self,
        prober: &Prober,
        question: &Question,
        attempts: &mut Vec<Attempt>,
    ) -> Result<TcpStream, Kept> {
        let target = authority(question).ok_or(Kept::Nameless)?;
        self.tunnel_to(prober, &target, attempts).await
    }

    async fn tunnel_to(
        &self,
        prober: &Prober,
        target: &Authority,
        attempts: &mut Vec<Attempt>,
    ) -> Result<TcpStream, Kept> {
        let stream = self.knock(prober, attempts).await?;
        let credentials = self.credentials.as_ref();
        let asking = through(stream, self.kind, target, credentials, wait(prober));
        match unless_stopped(prober, asking).await? {
            Passage::Tunnel(stream) => Ok(stream),
            Passage::Refused(refused) => Err(Kept::Stopped(stopped(&refused))),
        }
    }

    /// Fetches a list as clients do: an HTTP proxy passes the request on, SOCKS leads to the server. Redirects lead only
    /// where `allows` lets them. `None` when the run was stopped.
    pub(crate) async fn fetch(
        &self,
        prober: &Prober,
        url: &Url,
        most: usize,
        allows: impl Fn(&str, u16) -> bool,
    ) -> Option<ByProxy> {
        let attempts = Mutex::new(Vec::new());
        let kept = Mutex::new(None);
        let connect = async |host: String, port: u16| {
            let mut tries = Vec::new();
            let way = match self.kind {
                Kind::HttpConnect => self.knock(prober, &mut tries).await,
                Kind::Socks5 => match Authority::new(&host, port) {
                    Some(target) => self.tunnel_to(prober, &target, &mut tries).await,
                    None => Err(Kept::Nameless),
                },
            };
            held(&attempts).extend(tries);
            way.map_err(|why| {
                *held(&kept) = Some(why);
                NotConnected::OwnTrouble
            })
        };
        let fetching = async {
            match self.kind {
                Kind::HttpConnect => {
                    let credentials = self.credentials.as_ref();
                    let limit = fetch::LONGEST;
                    forward::fetch(url, most, credentials, connect, allows, limit).await
                }
                Kind::Socks5 => {
                    let limit = fetch::LONGEST;
                    Ok(get(url, most, &Way::Straight, connect, allows, limit).await)
                }
            }
        };
        let came = unless_stopped(prober, fetching).await.ok()?;
        let kept = held(&kept).take();
        let came = match (kept, came) {
            (Some(Kept::Stopped(stop)), _) => Err(NotByProxy::Stopped(stop)),
            (Some(Kept::Interrupted), _) => return None,
            (Some(Kept::Nameless), _) => Err(NotByProxy::NotFetched(NotFetched::Unfit {
                url: url.to_string(),
            })),
            (None, Err(refused)) => Err(NotByProxy::Stopped(stopped(&refused))),
            (None, Ok(Err(why))) => Err(self.not_fetched(prober, why).await),
            (None, Ok(Ok(fetched))) => Ok(fetched),
        };
        let attempts = held(&attempts).drain(..).collect();
        Some(ByProxy { came, attempts })
    }

    /// Whether the proxy or the server said no.
    async fn not_fetched(&self, prober: &Prober, why: NotFetched) -> NotByProxy {
        if let NotFetched::Passed(head) = &why {
            let answer = Answer::of_head((**head).clone());
            if forward::may_be_its_own(&answer)
                && let Some(voice) = self.voice(prober).await
                && let Some(refused) = forward::in_its_voice(&answer, voice)
            {
                return NotByProxy::Stopped(stopped(&refused));
            }
        }
        NotByProxy::NotFetched(why)
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

    fn lost(&self) -> MutexGuard<'_, Option<Stop>> {
        held(&self.lost)
    }
}

fn held<T>(all: &Mutex<T>) -> MutexGuard<'_, T> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks one question through a proxy.
pub(super) async fn ask(
    prober: &Prober,
    question: &Question,
    gateway: &Gateway,
    places: Places,
) -> Observation {
    let mut seen = Observation::without_packets(question.address(), State::Silent);
    seen.via = Some(gateway.url.clone());
    let mut attempts = Vec::new();
    let way = match question.is_passed_on() {
        true => gateway.forward(prober, question, &mut attempts).await,
        false => gateway.tunnel(prober, question, &mut attempts).await,
    };
    seen.depth = (!attempts.is_empty()).then_some(Depth::Tcp);
    seen.attempts = attempts;
    match way {
        Ok(stream) => {
            seen.state = State::Open;
            let mut question = question.clone();
            if question.is_passed_on() && !gateway.knows_the_name(prober, &question).await {
                question.name = None;
            }
            converse::converse(prober, &question, stream, Some(places), &mut seen).await;
        }
        Err(Kept::Stopped(stop)) => seen.state = State::Stopped(stop),
        Err(Kept::Interrupted) => seen.state = State::NotTried(NotTried::Interrupted),
        Err(Kept::Nameless) => seen.state = State::Unresolved(Unresolved::NoNameHere),
    }
    if !gateway.for_all {
        // What the proxy met at an address says nothing of this host's own way there.
        seen.address = None;
    }
    seen
}

/// What comes of asking a proxy, as long as the run goes on.
async fn unless_stopped<T>(prober: &Prober, asking: impl Future<Output = T>) -> Result<T, Kept> {
    let mut stop = prober.stop.clone();
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => Err(Kept::Interrupted),
        came = asking => Ok(came),
    }
}

fn wait(prober: &Prober) -> Duration {
    prober.limits.timeout.max(LEAST_WAIT)
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
            Stopped::HungUp,
            "took the request and closed the connection without a word".to_string(),
        ),
        Refused::Reset => (
            Stopped::HungUp,
            "took the request and reset the connection".to_string(),
        ),
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
