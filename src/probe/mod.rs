//! Trying flows over real sockets, many at once and within limits.
//!
//! A `Question` goes through a ladder. First comes the knock (`knock`): tries until an answer or until silence is
//! proof, by the bound of `silence`. Then comes the conversation (`converse`: TLS, HTTP), as far as its protocol asks.
//! UDP is one `datagram`. Where the run has a token, a port that opened is first asked for a listener of this program
//! (`recognise`). A required port that opened is knocked at from several source ports (`spread`), and `members` speaks
//! to several servers behind one address. While tries are silent, `watch` knocks at ports that answer, and `witness`
//! says which silence counts.
//!
//! `rounds` asks all questions, and gives silent forbidden ports their tries one at a time.
//! When all have been asked, `Prober::prove_silence` makes up for losses that were measured late and for times in which
//! nothing passed. `again` looks a second time at what failed. `budget` asks alone what a limit on error messages may
//! have swallowed, `search` finds out whether a host is dead. `delivery` has conversations again that ended without a
//! word. `inquire` finds out what an inquiry of `attribution` asks: doors that nobody uses, walks of paths (`walk`),
//! distances (`distance`), times. What this host itself resets or drops `here` finds out; where the instances of a SQL
//! Server listen that resets, `instances`. A sweep asks only whether ports answer at all: `scan` has an engine of its
//! own.
//!
//! `pace` spreads packets over time, `sent` counts them, `gentle` keeps a run from setting off devices that watch for
//! scans. `measured` keeps round trips and losses. `names` asks the resolver, and `resolver` asks its servers why it gave no
//! answer. `published` asks one of them where a service is, and `gateway` goes through a proxy. What the log says of all
//! this has its words in `story`. What comes back is
//! always an `Observation`, never an error. What is said on an open port is in `wire`.

mod again;
mod budget;
mod converse;
mod datagram;
mod delivery;
mod distance;
mod fetch;
mod gateway;
mod gentle;
mod here;
mod inquire;
mod instances;
mod knock;
mod measured;
mod members;
mod names;
mod try_once;
mod pace;
mod permission;
mod prove;
mod published;
mod ranges;
mod recognise;
mod resolver;
mod rounds;
mod scan;
mod search;
mod sent;
mod silence;
mod spread;
mod story;
mod unanswered;
mod walk;
mod watch;
mod witness;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{self, FutureExt as _};
use ipnet::IpNet;
use jiff::Timestamp;
use tokio::sync::watch::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument as _, Span, debug_span};

use crate::config::TlsVersion;
use crate::observation::{
    AttemptResult, NotTried, Observation, Prohibition, Rejection, State, Trouble, Unresolved,
};
use crate::os::Manner;
use gentle::Gentle;
use measured::Measured;
use try_once::Places;

pub use crate::wire::{Challenger, Token, Trust, WebNeeds};
pub use converse::MOST_RPC_PORTS;
pub use gateway::Gateway;
pub(crate) use gateway::NotByProxy;
pub use gentle::SPACING;
pub use names::lookup;
pub use permission::{Allowed, Permission};
pub use prove::SAMPLES as LOSS_SAMPLES;
pub use published::published;
pub use recognise::Beside;
pub use scan::{Range, Scanned, Silent, SweepLeft};
pub use silence::MOST as MOST_TRIES;
pub use spread::PORTS as SOURCE_PORTS;
pub use witness::Gap;

/// One flow at one address, as it is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where to.
    pub target: Target,
    /// Port.
    pub port: u16,
    /// Name for SNI, the certificate and the `Host` header.
    pub name: Option<String>,
    /// How far to go.
    pub ladder: Ladder,
    /// When its turn is.
    pub turn: Turn,
    /// Whether it is knocked at from several source ports when it opens.
    pub spread: bool,
    /// The tries after which its silence need be looked at no longer, though it is no proof; `None`: those that prove it.
    pub tries: Option<u8>,
    /// Which way it goes.
    pub way: Way,
    /// What a web server has to show beyond its root page; `None`: nothing.
    pub web: Option<Arc<WebNeeds>>,
    /// The most bytes of data in one segment, either way; `None`: as many as the two ends agree on.
    pub segment: Option<u16>,
    /// When the second TLS client may shake hands with it, which speaks TLS of the past.
    pub old_tls: OldTls,
    /// The newest version of TLS that clients speak, where the server is asked whether it would serve them; `None`: it is not.
    pub clients_speak: Option<TlsVersion>,
    /// The run that looks for a listener behind it; `None`: none is looked for.
    pub challenger: Option<Arc<Challenger>>,
    /// What the log says of it stands in this span, with its number and its flows; [`Span::none`] where nobody reads it.
    pub span: Span,
}

impl Question {
    /// A port that is asked for nothing but to open.
    pub fn knock(target: Target, port: u16, turn: Turn, way: Way, span: Span) -> Self {
        Self {
            target,
            port,
            name: None,
            ladder: Ladder::Tcp,
            turn,
            spread: false,
            tries: None,
            way,
            web: None,
            segment: None,
            old_tls: OldTls::Never,
            clients_speak: None,
            challenger: None,
            span,
        }
    }

    /// The address it leads to; `None`: it has a name alone, or leads nowhere.
    pub fn address(&self) -> Option<IpAddr> {
        match self.target {
            Target::Address(address) => Some(address),
            Target::ByName | Target::Nowhere(_) => None,
        }
    }

    /// Whether it goes in requests that a proxy passes on, without a way of its own to the server.
    fn is_passed_on(&self) -> bool {
        self.way
            .proxy()
            .is_some_and(|gateway| gateway.passes_on(self.ladder))
    }

    /// Whether a role has to be found at its end.
    fn wants_roles(&self) -> bool {
        self.web.as_ref().is_some_and(|web| !web.roles.is_empty())
    }

    /// How its connections leave.
    fn manner(&self) -> Manner {
        Manner {
            segment: self.segment,
            ..Manner::default()
        }
    }
}

/// Which tries of a question are made now.
#[derive(Clone, Copy)]
struct Tries {
    /// How many have been silent already.
    earlier: usize,
    /// The most that are made.
    most: usize,
}

impl Tries {
    /// All that are still to be made after so many.
    fn after(earlier: usize) -> Self {
        let most = usize::MAX;
        Self { earlier, most }
    }
}

/// When the second TLS client shakes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldTls {
    /// Never.
    Never,
    /// Where rustls cannot.
    Second,
    /// At once: rustls could not on another connection to the same port.
    First,
}

/// Where a question leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An address.
    Address(IpAddr),
    /// The question's name, which the proxy resolves.
    ByName,
    /// No address could be found.
    Nowhere(Unresolved),
}

/// How far a question goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ladder {
    /// No packets: this version cannot try such flows.
    None,
    /// An open port is all that is asked.
    Tcp,
    /// A datagram, and what comes back.
    Datagram(Datagram),
    /// A negotiation of SMB.
    Smb,
    /// A prelogin of SQL Server's protocol.
    Tds,
    /// An anonymous search of the root of a directory.
    Ldap,
    /// A question to a name server.
    Dns,
    /// A request that a key distribution centre has to refuse.
    Kerberos,
    /// The greeting of a NATS server.
    Nats,
    /// The list of an RPC endpoint mapper, and every port that it names.
    RpcMapper,
    /// Whether a port speaks RPC.
    RpcPort,
    /// A range of dynamic RPC ports up to this one: settled by what the host's mapper named.
    RpcRange(u16),
    /// A TLS handshake.
    Tls,
    /// An HTTP exchange.
    Http,
    /// An HTTP exchange over TLS.
    Https,
}

/// What a datagram asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Datagram {
    /// Nothing: it is empty.
    Empty,
    /// A name.
    Dns,
    /// A ticket that cannot be had.
    Kerberos,
    /// Whether an RPC server listens.
    Rpc,
}

/// Needed flows are tried first, forbidden ones last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// First.
    Needed,
    /// Last.
    Forbidden,
}

/// Which way a question goes.
#[derive(Clone, Debug)]
pub enum Way {
    /// To the target itself.
    Direct,
    /// To a stand-in of the lab.
    StandIn(SocketAddr),
    /// Nowhere: the lab's silence where the platform has no silent listener.
    Void,
    /// Through a proxy.
    Proxy(Arc<Gateway>),
}

impl Way {
    /// Whether it leads to the target itself.
    pub fn is_direct(&self) -> bool {
        matches!(self, Self::Direct)
    }

    /// The proxy on it.
    pub fn proxy(&self) -> Option<&Arc<Gateway>> {
        match self {
            Self::Proxy(gateway) => Some(gateway),
            Self::Direct | Self::StandIn(_) | Self::Void => None,
        }
    }
}

/// What a run may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bounds one step of one attempt.
    pub timeout: Duration,
    /// Tries for a silent port; `None`: until silence is proof.
    pub attempts: Option<u8>,
    /// How long after its first try what failed is tried again; zero: never.
    pub second_look: Duration,
    /// Questions at once.
    pub in_flight: usize,
    /// Questions at one address at once.
    pub per_host: usize,
    /// Connection attempts a second; `None`: no limit.
    pub rate: Option<u32>,
    /// Whether paths are walked.
    pub walks: bool,
    /// Whether no knock may set off a device that watches for scans.
    pub gentle: bool,
}

#[cfg(test)]
impl Limits {
    /// Those of a unit test: no rate, one question at a time, no second look.
    fn of_a_test() -> Self {
        Self {
            timeout: Duration::from_secs(1),
            attempts: None,
            second_look: Duration::ZERO,
            in_flight: 1,
            per_host: 1,
            gentle: false,
            rate: None,
            walks: false,
        }
    }
}

impl Limits {
    /// Sockets at one address at once, but for the witness's: it must not wait for those whose silence it is to cover.
    fn slots(&self) -> usize {
        self.per_host.saturating_sub(1).max(1)
    }
}

/// Hosts to which paths are walked at once.
pub const WALKS_AT_ONCE: usize = 16;
/// Dead hosts that are looked for at once, each with one connection at a time: a budget of error messages has room for them.
const SEARCHES_AT_ONCE: usize = 2;

/// What a run shares: its limits, and what it has measured of hosts and paths.
pub struct Prober {
    limits: Limits,
    trust: Trust,
    own: Vec<IpNet>,
    permission: Permission,
    pace: Arc<pace::Pace>,
    sweep_left: scan::Left,
    gentle: Option<Arc<Gentle>>,
    /// Hosts to which paths are walked at once: routers share their error messages out among all walks.
    walking: Semaphore,
    /// Hosts that routers are made to look for at once.
    searching: Semaphore,
    stop: Receiver<bool>,
    measured: Arc<Mutex<Measured>>,
}

impl Prober {
    /// A prober for one run; when `stop` turns true it gives up what is under way.
    pub fn new(limits: Limits, trust: Trust, own: Vec<IpNet>, stop: Receiver<bool>) -> Arc<Self> {
        Self::with(limits, trust, own, stop, Permission::default())
    }

    /// The same, and no packet goes where none is allowed.
    pub fn with(
        limits: Limits,
        trust: Trust,
        own: Vec<IpNet>,
        stop: Receiver<bool>,
        permission: Permission,
    ) -> Arc<Self> {
        let pace = Arc::new(pace::Pace::new(limits.rate));
        Arc::new(Self {
            limits,
            trust,
            own,
            permission,
            pace,
            sweep_left: scan::Left::default(),
            gentle: limits.gentle.then(|| Arc::new(Gentle::new())),
            walking: Semaphore::new(WALKS_AT_ONCE),
            searching: Semaphore::new(SEARCHES_AT_ONCE),
            stop,
            measured: Arc::new(Mutex::new(Measured::new(&limits))),
        })
    }

    /// A prober of a unit test, which stops when the sender says so.
    #[cfg(test)]
    fn of_a_test(limits: Limits) -> (tokio::sync::watch::Sender<bool>, Arc<Self>) {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let trust = Trust::new(Vec::new(), false);
        (stop, Self::new(limits, trust, Vec::new(), stopped))
    }

    /// A prober of the same run that gives each step more time, and makes one connection at a time.
    fn patient(&self, timeout: Duration) -> Self {
        Self {
            limits: Limits {
                timeout,
                in_flight: 1,
                ..self.limits
            },
            trust: self.trust.clone(),
            own: self.own.clone(),
            permission: self.permission.clone(),
            pace: Arc::clone(&self.pace),
            sweep_left: scan::Left::default(),
            gentle: self.gentle.clone(),
            walking: Semaphore::new(1),
            searching: Semaphore::new(1),
            stop: self.stop.clone(),
            measured: Arc::clone(&self.measured),
        }
    }

    /// Asks one question to its end; `earlier` tries of it have been silent already.
    async fn ask(&self, question: Question, earlier: usize) -> Observation {
        let span = question.span.clone();
        let seen = self.ask_some(question, Tries::after(earlier), None).await;
        span.in_scope(|| story::answer(&seen));
        seen
    }

    /// Makes some tries of a question. `place` is that of the question in the run.
    async fn ask_some(
        &self,
        question: Question,
        tries: Tries,
        place: Option<OwnedSemaphorePermit>,
    ) -> Observation {
        let span = question.span.clone();
        self.go_up(question, tries, place).instrument(span).await
    }

    /// Takes a question up its ladder.
    async fn go_up(
        &self,
        question: Question,
        tries: Tries,
        place: Option<OwnedSemaphorePermit>,
    ) -> Observation {
        if let Some(why) = self.permission.refuses(question.address(), question.port) {
            return Observation::without_packets(question.address(), State::NotTried(why));
        }
        let address = match question.target {
            Target::Nowhere(why) => {
                return Observation::without_packets(None, State::Unresolved(why));
            }
            Target::Address(address) => Some(address),
            Target::ByName => None,
        };
        if matches!(question.ladder, Ladder::None | Ladder::RpcRange(_)) {
            let untried = State::NotTried(NotTried::Unsupported);
            return Observation::without_packets(address, untried);
        }
        // Through a proxy it is the proxy's places that are taken.
        let proxy = question.way.proxy();
        let Some(host) = proxy.map_or(address, |gateway| gateway.address().or(address)) else {
            return Observation::without_packets(None, State::Unresolved(Unresolved::NoNameHere));
        };
        let is_forbidden = question.turn == Turn::Forbidden && proxy.is_none();
        if is_forbidden && let Err(why) = self.spaced().await {
            return Observation::without_packets(address, State::NotTried(why));
        }
        let interrupted =
            || Observation::without_packets(address, State::NotTried(NotTried::Interrupted));
        match (proxy, question.ladder) {
            (Some(gateway), _) => match self.places_at(host, place).await {
                Some(places) => gateway::ask(self, &question, gateway, places).await,
                None => interrupted(),
            },
            (None, Ladder::Datagram(asked)) => match self.places_at(host, place).await {
                Some(places) => datagram::ask(self, &question, asked, host, places).await,
                None => interrupted(),
            },
            (None, _) => {
                let seen = self.knock(&question, host, tries, place).await;
                if is_forbidden && seen.is_silence() {
                    self.look_for_a_shun(host).await;
                }
                seen
            }
        }
    }

    /// The places for sockets at an address.
    fn slots_at(&self, address: IpAddr) -> Arc<Semaphore> {
        self.measured().slots(address, self.limits.slots())
    }

    /// A place at an address; `None`: the run was stopped.
    async fn slot_at(&self, address: IpAddr) -> Option<OwnedSemaphorePermit> {
        let slots = self.slots_at(address);
        let mut stop = self.stop.clone();
        tokio::select! {
            // First: after a stop the places of those that gave up must not go to others.
            biased;
            _ = stop.wait_for(|stop| *stop) => None,
            slot = self.take_slot(slots) => slot,
        }
    }

    /// One of the places at an address, as soon as one is free.
    async fn take_slot(&self, slots: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let slot = Arc::clone(&slots).acquire_owned().await.ok();
        self.count_places(&slots, 0);
        slot
    }

    /// Takes in how many places at an address are taken now, with some beside them.
    fn count_places(&self, slots: &Semaphore, beside: usize) {
        let taken = self
            .limits
            .slots()
            .saturating_sub(slots.available_permits());
        self.pace.sent.sockets(taken + beside);
    }

    /// The places of a question, of which one at its address; `None`: the run was stopped.
    async fn places_at(
        &self,
        address: IpAddr,
        place: Option<OwnedSemaphorePermit>,
    ) -> Option<Places> {
        let slot = self.slot_at(address).await?;
        Some(Places {
            _of_the_run: place,
            _of_the_host: Some(slot),
        })
    }

    /// Knocks at a port over TCP; where it opens and has to, from several source ports.
    async fn knock(
        &self,
        question: &Question,
        host: IpAddr,
        tries: Tries,
        place: Option<OwnedSemaphorePermit>,
    ) -> Observation {
        let mut seen = knock::knock(self, question, host, tries, place).await;
        instances::note(self, question, &mut seen).await;
        if question.spread && seen.state == State::Open && !seen.on_link {
            self.spread(question, host, &mut seen).await;
        }
        seen
    }

    async fn spread(&self, question: &Question, host: IpAddr, seen: &mut Observation) {
        let opened = seen
            .attempts
            .iter()
            .find(|attempt| attempt.result == AttemptResult::Open);
        let took_ms = opened.map_or(0.0, |attempt| attempt.took_ms);
        let remote = SocketAddr::new(host, question.port);
        let others = members::Others::of(self, question, seen);
        let speak = |stream| match &others {
            Some(others) => others.speak(stream).boxed(),
            None => future::ready(()).boxed(),
        };
        let spread = spread::spread(self, remote, took_ms, &speak);
        let ports = spread.instrument(debug_span!("source_ports")).await;
        seen.source_ports = Some(ports);
        if let Some(others) = others {
            members::settle(self, question, others, seen).await;
        }
    }

    /// When an address last answered a connection attempt.
    pub fn last_answer(&self, address: IpAddr) -> Option<Timestamp> {
        self.measured().last_answer(address)
    }

    fn measured(&self) -> MutexGuard<'_, Measured> {
        // A panic of one probe must not end the run: what was measured stays usable.
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an ICMP message of this host's own system says, when it is one about another host. Either the router it
    /// sends to does not answer, or a rule of its own refused the packet. That a neighbour does not answer is the
    /// host's trouble, not ours.
    fn own_trouble(&self, rejection: &Rejection, seen: &Observation) -> Option<Trouble> {
        let by = rejection.by.filter(|by| Some(*by) != seen.address)?;
        if !self.own.iter().any(|net| net.addr() == by) {
            return None;
        }
        match rejection.says {
            Prohibition::HostUnreachable if seen.on_link => None,
            Prohibition::HostUnreachable => Some(Trouble::GatewaySilent),
            _ => Some(Trouble::Refused),
        }
    }

    /// Takes into account that so many more questions may end in silence.
    pub fn expect(&self, questions: usize) {
        self.measured().asked += questions;
    }

    /// Waits, or not so long when the run is stopped; false: it was.
    async fn pause(&self, time: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    /// Whether an address is this host's own.
    fn is_own(&self, address: Option<IpAddr>) -> bool {
        address.is_some_and(|address| {
            address.is_loopback() || self.own.iter().any(|net| net.addr() == address)
        })
    }

    /// Whether an address lies in a network of this host, or is its own.
    fn is_on_link(&self, address: IpAddr) -> bool {
        address.is_loopback()
            || self.own.iter().any(|net| {
                net.addr() == address
                    || (net.prefix_len() < net.max_prefix_len() && net.contains(&address))
            })
    }
}

/// Milliseconds, to a tenth.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}
