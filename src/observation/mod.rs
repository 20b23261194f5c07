//! What came back when a flow was tried: states on the wire and what the service said, with their evidence.
//!
//! A closed door is news, not an error. Every outcome that the network, the resolver or this machine can produce has a
//! variant here. So probing returns no `Err`, and the verdict table can be exhaustive. The types are plain data: no
//! sockets, no clocks.

mod advertised;
mod brief;
mod clock;
mod delivery;
mod distance;
#[cfg(test)]
pub(crate) mod each;
mod few;
mod listener;
mod millis;
mod spoken;
mod revocation;
mod sent;
mod tls;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::product::{Role, Verb};
use crate::words::words;
pub use advertised::{Advertised, Differs, ListedPoint, PublishedPoint};
pub(crate) use brief::Brief;
pub use clock::ServerClock;
pub use delivery::{Counted, Delivery, Lost, Met, Missing, Repeat, Way};
pub use distance::{Distance, Farness, Likely, Untold};
pub(crate) use few::few;
pub(crate) use listener::LONGEST_NAME;
pub use listener::Listener;
pub use revocation::{DeltaFault, ListContent, ListFault, ListSeen};
pub use sent::{Announced, Sent, SentFor};
pub use spoken::{RpcPort, RpcRange, Spoken};
pub use tls::{
    Certificate, CertificateFault, ChainFault, Intercepted, Interception, MissingIssuer, Presented,
    Purpose, Shown, TlsEnd, TlsSeen, Weight,
};

/// Everything that was seen of one flow at one address. What is large and seldom there is in a box: there are a hundred
/// thousand of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// The address that was tried; `None` where there was none to try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// What the wire said.
    pub state: State,
    /// What an open port said when it was spoken to; `None` unless the state is [`State::Open`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// The deepest step of the ladder that was reached; `None` when no packet was sent.
    pub depth: Option<Depth>,
    /// The tries, in the order in which they were made.
    pub attempts: Vec<Attempt>,
    /// How sure silence is, from 0 to 1: only with [`State::Filtered`] and [`State::Silent`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Of the silent tries, those shortly before and after which a port on the same way answered; `None`: nothing on the way
    /// ever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<u16>,
    /// Whether silence may be a rejection that a limit on error messages held back: a router on the way rejects other ports.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub held_back: bool,
    /// How long the first answer of a web server took.
    #[serde(
        rename = "first_answer_ms",
        with = "millis",
        skip_serializing_if = "Option::is_none",
        default
    )]
    #[schemars(with = "Option<f64>")]
    pub first_answer: Option<Duration>,
    /// On how many connections a service was spoken to, where not all were alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversations: Option<Conversations>,
    /// When the port last answered, where it no longer did at the end of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub went_silent: Option<Timestamp>,
    /// Whether the address lies in a network that this host is itself in, or is this host's own.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub on_link: bool,
    /// What TLS showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Box<TlsSeen>>,
    /// The revocation lists that were fetched here.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lists: Vec<ListSeen>,
    /// What HTTP showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Box<HttpSeen>>,
    /// What the port speaks in place of the protocol that is needed, where that was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaks: Option<Speaks>,
    /// What a service that is no web server said of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoken: Option<Box<Spoken>>,
    /// What is known of a range of dynamic ports, where the flow is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_range: Option<RpcRange>,
    /// What other source ports met, where several were tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ports: Option<SourcePorts>,
    /// The way there, where it was walked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Box<Path>>,
    /// How far away the sender of the reset is, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<Distance>,
    /// Who likely sent the reset, by what became of other ports of the host; never more than a hint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likely: Option<Likely>,
    /// Who sent an ICMP message that bears the address that was asked: a device that translates the address writes it
    /// into its own messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_by: Option<ResetBy>,
    /// After how many hops a device speaks in the name of this address: it translates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translated_at: Option<u8>,
    /// What shows that a device answered in the host's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub painted: Option<Painted>,
    /// The router that looked for the host and did not find it: the host is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_by: Option<IpAddr>,
    /// Whether a router needed so long to say that the host cannot be reached that it may have looked for it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub slow_rejection: bool,
    /// The proxy that it was tried through, as a URL; `None`: it was tried directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The listener of this program that proved that it was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<Box<Listener>>,
    /// What became of the data, where the port opened and its service said nothing, or not enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Box<Delivery>>,
}

impl Observation {
    /// Takes a second answer in the place of the first; the tries of both are evidence, and so are the source ports.
    pub fn replace(&mut self, again: Self) {
        let mut attempts = std::mem::take(&mut self.attempts);
        let ports = self.source_ports;
        *self = again;
        attempts.append(&mut self.attempts);
        self.attempts = attempts;
        self.source_ports = self.source_ports.or(ports);
    }

    /// An observation without any packet: the reason is in the state.
    pub fn without_packets(address: Option<IpAddr>, state: State) -> Self {
        Self {
            address,
            state,
            ..Self::default()
        }
    }

    /// The word of what was seen. Silence that a limit on error messages explains does not show that packets are dropped.
    pub fn word(&self) -> FlowState {
        match &self.state {
            State::Open => FlowState::Open,
            State::Closed { .. } => FlowState::Closed,
            State::Rejected(_) => FlowState::Rejected,
            State::Filtered if !self.held_back => FlowState::Filtered,
            State::Filtered | State::Silent => FlowState::Silent,
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

    /// Whether silence is all that came.
    pub fn is_silence(&self) -> bool {
        matches!(self.state, State::Filtered | State::Silent)
    }

    /// What is lost of the data, once the connection is open.
    pub fn lost(&self) -> Option<Lost> {
        self.delivery.as_ref()?.lost
    }

    /// Whether a port opened and its service said nothing, or not enough, though it was spoken to.
    pub fn is_wordless(&self) -> bool {
        let service = self.service.as_ref();
        self.state == State::Open && service.is_some_and(Service::is_wordless)
    }

    /// Whether some source ports were let through and others were not.
    pub fn is_split(&self) -> bool {
        self.source_ports.is_some_and(|ports| ports.are_split())
    }

    /// Whether something at or on the way to this address answered this host at all.
    pub fn answered(&self) -> bool {
        matches!(
            self.state,
            State::Open | State::Closed { .. } | State::Rejected(_)
        )
    }
}

/// The state of one port, as the wire showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The connection was accepted.
    Open,
    /// A reset came back.
    Closed {
        /// Who is known to have sent it.
        reset_by: ResetBy,
    },
    /// A device on the way, or the host itself, said no with an ICMP message.
    Rejected(Rejection),
    /// Silence, after as many tries as make it proof.
    Filtered,
    /// Silence that is not proof: out of tries or interrupted.
    Silent,
    /// No address could be found for the name.
    Unresolved(Unresolved),
    /// This machine's own trouble: no packet left it.
    Unreachable(Trouble),
    /// The proxy that the flow leaves through did not lead to the server.
    Stopped(Stop),
    /// Not tried.
    NotTried(NotTried),
}

/// Nothing yet.
impl Default for State {
    fn default() -> Self {
        Self::NotTried(NotTried::Interrupted)
    }
}

/// Why a proxy did not lead to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stop {
    /// Why.
    pub why: Stopped,
    /// What the proxy said, or did, as the rest of a sentence that begins with it.
    pub said: String,
}

words! {
    /// Who or what stopped a flow that leaves through a proxy.
    Stopped {
        /// The proxy's own rules.
        Rule = "rule",
        /// The proxy wants to know who asks, or does not like the answer.
        Login = "login",
        /// The proxy cannot be reached, or is none.
        NoProxy = "no-proxy",
        /// The proxy closed or reset the connection in place of an answer.
        HungUp = "hung-up",
        /// The proxy took the request and said nothing in time: it may still be trying to reach the server.
        Waiting = "waiting",
        /// The proxy says that it did not reach the server.
        Server = "server",
        /// The proxy says that the name of the server has no address.
        Name = "name",
    }
}

words! {
    /// Who sent a reset.
    ResetBy {
        /// The host that was asked: it is on this host's own network, is this host, or other evidence says so.
        Host = "host",
        /// A device on the way.
        Device = "device",
        /// Nothing tells the two apart.
        Either = "either",
    }
}

/// An ICMP message that answered a connection attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Rejection {
    /// What it says.
    pub says: Prohibition,
    /// ICMP type, as sent (ICMPv6 types differ from ICMPv4 ones); `None` where only an error number is known.
    pub icmp_type: Option<u8>,
    /// ICMP code.
    pub icmp_code: Option<u8>,
    /// The address of the sender; `None` where the operating system does not tell.
    pub by: Option<IpAddr>,
    /// The TTL with which it arrived, where the operating system tells.
    pub ttl: Option<u8>,
}

impl Rejection {
    /// Whether it speaks of the host, not of the port: a router says the same of a dead host.
    pub fn is_about_the_host(&self) -> bool {
        matches!(
            self.says,
            Prohibition::HostUnreachable | Prohibition::NetUnreachable
        )
    }

    /// Whether this host's own system may have made it up, having looked for the host or a router in vain. No message
    /// was seen then, only an error number which says that the host is out of reach.
    pub fn may_be_our_own(&self) -> bool {
        self.icmp_type.is_none() && self.is_about_the_host()
    }
}

words! {
    /// What an ICMP unreachable message says, over both families (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 section 3.1).
    Prohibition {
        /// A filter forbids it (ICMPv4 3/9, 3/10, 3/13; ICMPv6 1/1, 1/5).
        AdminProhibited = "administratively prohibited",
        /// Nothing listens, or a firewall pretends so (3/3; 1/4).
        PortUnreachable = "port unreachable",
        /// The last router cannot find the host (3/1; 1/3).
        HostUnreachable = "host unreachable",
        /// A router has no way there (3/0; 1/0).
        NetUnreachable = "network unreachable",
        /// A router has a route there that rejects (ICMPv6 1/6).
        RouteRejects = "reject route to destination",
        /// The packet had used up its hops (11/0; 3/0): what a walk of the path asks for, and otherwise a routing loop.
        TimeExceeded = "time exceeded (a routing loop)",
        /// Any other code.
        Other = "unreachable",
    }
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unresolved {
    /// The resolver says that the name does not exist.
    NoSuchName,
    /// The resolver did not answer in time.
    ResolverSilent,
    /// The resolver answered, and gave an error in place of addresses.
    ResolverError(ResolverError),
    /// This host had no thread to ask the resolver with.
    NotAsked,
    /// The site file gives neither name nor address for this zone.
    NoNameHere,
}

words! {
    /// What a resolver gave in place of addresses. It says nothing of whether the name exists.
    ResolverError {
        /// It does not serve this host (REFUSED).
        Refused = "refused",
        /// It could not find out (SERVFAIL), or could not do what was asked.
        Failed = "failed",
        /// At its address nobody answers questions: an ICMP message said so.
        Absent = "absent",
    }
}

words! {
    /// Trouble of this machine itself.
    Trouble {
        /// No route to the address.
        NoRoute = "no-route",
        /// The next router does not answer this host's own ARP or neighbour discovery.
        GatewaySilent = "gateway-silent",
        /// No descriptors, ports or memory left.
        NoDescriptors = "no-descriptors",
        /// The operating system refused the connection (a local firewall or policy).
        Refused = "refused",
    }
}

words! {
    /// Why a flow was not tried.
    NotTried {
        /// This version does not try such flows: UDP, and ranges of dynamic ports.
        Unsupported = "unsupported",
        /// The run was interrupted before its turn.
        Interrupted = "interrupted",
        /// A device had begun to shut this host out, so that nothing forbidden was tried any more.
        ShutOut = "shut-out",
        /// The file of the agent that should have tried it does not allow it.
        NotAllowed = "not-allowed",
        /// The agent that should have tried it was lost.
        AgentLost = "agent-lost",
    }
}

/// What an open port said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Nothing more was asked of it: an open port is all that the flow needs.
    NotAsked,
    /// It spoke the protocol, and all is as a client needs it.
    Spoke,
    /// A listener of this program stands in for it, and proved that it was reached.
    Listener,
    /// It accepted and then said nothing, or not enough, within the time.
    Mute,
    /// It accepted and closed or reset before it said a word.
    HungUp,
    /// Nothing was asked of it, and it reset the connection at once after accepting it.
    ResetAtOnce,
    /// It closed or reset in the middle of the TLS handshake.
    HungUpInHandshake,
    /// It answered, but not in TLS.
    NotTls,
    /// It refused the handshake with a TLS alert, named here.
    TlsAlert(String),
    /// It speaks only TLS versions or ciphers older than this program does.
    TlsTooOld,
    /// It shakes hands only with whoever asks for no name (SNI).
    TlsOnlyWithoutName,
    /// It speaks TLS, and its certificate would make a client refuse.
    Certificate(CertificateFault),
    /// It answered, but not in the protocol that is needed.
    Foreign,
    /// Its certificate is another than the pinned one, by an authority that is not the site's.
    Intercepted,
    /// It serves a revocation list that is of no use to clients.
    List(ListFault),
    /// It answered, but not in HTTP.
    NotHttp,
    /// It answered in HTTP with interim statuses (1xx) only: a final one never came.
    InterimOnly,
    /// It answered with an HTTP status from 500 on.
    ServerError(u16),
    /// It asked for a client certificate and ended the connection before anything could be said of its role.
    WantsCertificate,
    /// The connection went from this host to itself: local and remote address are the same.
    ConnectedToItself,
}

impl Service {
    /// Whether it was spoken to, and said nothing or not enough.
    pub fn is_wordless(&self) -> bool {
        matches!(self, Self::Mute | Self::HungUp | Self::HungUpInHandshake)
    }
}

words! {
    /// The other one of the two protocols of the web.
    Speaks {
        /// TLS, where plain HTTP is needed.
        Tls = "tls",
        /// Plain HTTP, where TLS is needed.
        Http = "http",
    }
}

words! {
    /// How deep the proof of a flow is.
    Depth {
        /// A TCP connection was tried.
        Tcp = "tcp",
        /// A datagram was sent.
        Udp = "udp",
        /// A TLS handshake was tried.
        Tls = "tls",
        /// An HTTP exchange was tried.
        Http = "http",
        /// Another protocol was spoken, that of the flow.
        Protocol = "protocol",
        /// A listener at the other end proved that it was reached.
        EndToEnd = "end-to-end",
    }
}

words! {
    /// The state of a flow in a report.
    FlowState {
        /// Refused with a TCP reset.
        Closed = "closed",
        /// Silent, and that is proved.
        Filtered = "filtered",
        /// Nothing was sent.
        NotTried = "not-tried",
        /// A TCP connection or a datagram was answered.
        Open = "open",
        /// Refused with ICMP, or by the proxy on the way.
        Rejected = "rejected",
        /// Silent, without proof.
        Silent = "silent",
        /// Nothing left this host.
        Unreachable = "unreachable",
        /// The name has no address.
        Unresolved = "unresolved",
    }
}

/// One try: one connection attempt, or one later step of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// When it began.
    #[serde(serialize_with = "in_full")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The local end, when known.
    pub local: Option<SocketAddr>,
    /// The remote end.
    pub remote: SocketAddr,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What it ended with.
    pub result: AttemptResult,
}

/// A time with all its digits, so that times sort as text, too.
fn in_full<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{at:.9}"))
}

/// The end of one try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptResult {
    /// Connected.
    Open,
    /// Reset.
    Reset,
    /// Rejected by an ICMP message.
    Rejected(Rejection),
    /// Nothing came.
    Silent,
    /// This machine's own trouble.
    Trouble(Trouble),
}

/// What knocks from several source ports met. Networks spread connections over paths, cluster nodes and pairs of
/// firewalls by source ports, and one of them may lack a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourcePorts {
    /// Source ports that were tried and whose result is known.
    pub tried: u16,
    /// Those that were let through.
    pub open: u16,
    /// Those on which silence is proof, or which were refused again and again.
    pub blocked: u16,
    /// Those that stayed silent however often they were tried, and yet without proof.
    #[serde(default)]
    pub undecided: u16,
    /// Those that were let through only after a rest: they were refused before.
    #[serde(default)]
    pub rested: u16,
    /// Those of which a connection was reset: a server's refusal looks so, as well as a firewall's.
    #[serde(default)]
    pub reset: u16,
    /// Refusals of the port before it opened for the first time.
    #[serde(default)]
    pub refused_first: u16,
    /// The quickest answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quickest_ms: Option<f64>,
    /// Connections that were made alone later, because some in company were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alone: Option<Alone>,
}

/// What connections met that were made one at a time, with pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alone {
    /// Those that opened.
    pub open: u16,
    /// Those that were refused or proved silent.
    pub refused: u16,
    /// The most connection attempts to the host within one second before, for comparison.
    pub busiest: u16,
}

impl SourcePorts {
    /// Connections in company that failed though others opened.
    pub fn failed_in_company(&self) -> u16 {
        self.blocked + self.undecided + self.rested
    }

    /// Whether some connections passed and others did not, and it is not known yet whether they do alone.
    pub fn are_parted(&self) -> bool {
        let failed = self.failed_in_company() + self.refused_first > 0;
        self.alone.is_none() && self.open > 0 && failed
    }

    /// Whether the port opens alone and fails in company: something limits the connections of one source.
    pub fn are_limited(&self) -> bool {
        let alone = self
            .alone
            .is_some_and(|alone| alone.open > 0 && alone.refused == 0);
        alone && self.failed_in_company() > 0
    }

    /// Whether some connections pass and others do not, whatever their number.
    pub fn are_split(&self) -> bool {
        let failed_alone = self.alone.is_some_and(|alone| alone.refused > 0);
        self.open > 0 && (failed_alone || self.blocked > 0 && !self.are_limited())
    }
}

/// Connections on which a service was spoken to: one address may stand for several servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conversations {
    /// All of them.
    pub held: usize,
    /// Those that failed.
    pub failed: usize,
}

/// What shows that a device answered in the host's place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Painted {
    /// Ports that nobody listens on opened too.
    EveryPort {
        /// How many of them were tried.
        tried: u8,
        /// How many opened.
        opened: u8,
    },
    /// The answer came from this hop, while other packets to the same address were forwarded beyond it.
    BeforeHost {
        /// The number of hops after which the answer came.
        hop: u8,
        /// The hop that forwarded other packets to this address, or let them expire.
        beyond: u8,
    },
    /// The answer came sooner than a packet can go to the host and back.
    TooQuick {
        /// How long it took, in milliseconds.
        took_ms: f64,
        /// How long the quickest answer of the host itself took.
        host_ms: f64,
    },
    /// A router looked for the host and did not find it.
    HostIsDead,
    /// The port accepted and reset the connection before a word was said.
    ResetAfterAccept,
    /// It is one of many ports that were swept: ports that nobody uses opened too, or they were reset at once.
    Swept,
}

/// The way of a flow's packets, as tries with a limited number of hops showed it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Path {
    /// The hops that were asked, from the nearest on.
    pub hops: Vec<Hop>,
    /// Of a silent flow: the hops of a flow to the same host that works.
    pub working: Vec<(u8, IpAddr)>,
    /// Whether its answer came from nearer than another flow's in every one of many rounds. It serves where packets
    /// take different ways, so that single walks cannot be compared.
    pub nearer: bool,
    /// Tries after which the silence of a hop is proof, by the losses on the way.
    pub enough: u8,
    /// Where silent packets are dropped.
    pub dropped: Option<Dropped>,
}

impl Path {
    /// The farthest hop that forwards this flow's packets. It said so, or it was asked often enough and left unanswered
    /// what one hop more gets answered.
    pub fn reached_beyond(&self) -> Option<u8> {
        let expired = self.last_expired().map(|(hop, _)| hop);
        let before_answer = self.first_answered().and_then(|first| {
            let number = first.number.checked_sub(1)?;
            let hop = self.hops.iter().find(|hop| hop.number == number)?;
            let proved = hop.answer == HopAnswer::Silent && hop.tries >= self.enough;
            (proved && self.enough > 0).then_some(number)
        });
        expired.max(before_answer)
    }

    /// The last hop that said that a packet of this flow had used up its hops there: the packet came that far.
    pub fn last_expired(&self) -> Option<(u8, IpAddr)> {
        self.expired().last()
    }

    /// The fewest hops after which the flow itself was answered; what a router says of it on the way is no answer.
    pub fn first_answered(&self) -> Option<&Hop> {
        self.hops
            .iter()
            .find(|hop| matches!(hop.answer, HopAnswer::Open | HopAnswer::Reset))
    }

    /// Every hop that let packets expire.
    pub fn expired(&self) -> impl Iterator<Item = (u8, IpAddr)> {
        self.hops
            .iter()
            .filter_map(|hop| Some((hop.number, hop.expired_at()?)))
    }

    /// What a device on the way said against the packets.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.hops.iter().find_map(|hop| match &hop.answer {
            HopAnswer::Rejected(rejection) => Some(rejection),
            HopAnswer::Expired(_) | HopAnswer::Open | HopAnswer::Reset | HopAnswer::Silent => None,
        })
    }

    /// The address that let packets expire at a hop.
    pub fn expired_at(&self, number: u8) -> Option<IpAddr> {
        self.expired()
            .find_map(|(hop, by)| (hop == number).then_some(by))
    }
}

/// What came back for a packet that was allowed so many hops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// How many hops.
    pub number: u8,
    /// What came back.
    pub answer: HopAnswer,
    /// How many tries were made.
    pub tries: u8,
    /// How long the answer took, in milliseconds.
    pub took_ms: Option<f64>,
}

impl Hop {
    fn expired_at(&self) -> Option<IpAddr> {
        match self.answer {
            HopAnswer::Expired(by) => Some(by),
            HopAnswer::Open | HopAnswer::Reset | HopAnswer::Rejected(_) | HopAnswer::Silent => None,
        }
    }

    /// Whether it is the flow's own answer, not a word of the path.
    pub fn is_answer(&self) -> bool {
        matches!(
            self.answer,
            HopAnswer::Open | HopAnswer::Reset | HopAnswer::Rejected(_)
        )
    }
}

/// What came back for a packet with a limited number of hops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HopAnswer {
    /// A device said that the packet had used up its hops there.
    Expired(IpAddr),
    /// The connection was accepted.
    Open,
    /// A reset.
    Reset,
    /// Another ICMP message.
    Rejected(Rejection),
    /// Nothing: this hop does not answer, or the packet did not reach it.
    Silent,
}

/// Where silent packets are dropped: at or after `after`, and at or before `before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// The last hop that answered this flow; `None`: no hop did.
    pub after: Option<(u8, IpAddr)>,
    /// What bounds the place from the other side.
    pub before: Before,
}

/// The far bound of the place where packets are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// A hop that answers a working flow to the same host, and, asked in turn, not this one.
    Router(u8, IpAddr),
    /// The host itself, and the number of hops to it, when known.
    Host(Option<u8>),
}

/// What HTTP showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpSeen {
    /// Version, as in `HTTP/1.1`.
    pub version: String,
    /// Status code.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// `Server` header.
    pub server: Option<String>,
    /// `Via` header: a proxy that says so.
    pub via: Option<String>,
    /// What its `Date` says the time is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ServerClock>,
    /// How the verbs of the roles came through, where they were asked: each with a word or two.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub verbs: BTreeMap<Verb, String>,
    /// What is done to requests, on the way or by the server.
    #[serde(rename = "findings", skip_serializing_if = "Vec::is_empty", default)]
    pub meddling: Vec<Meddling>,
    /// What was seen of each role that has to be there.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub roles: Vec<RoleFound>,
}

/// One thing that is done to requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Meddling {
    /// What.
    pub what: Meddled,
    /// The verb that is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// Who may have done it.
    pub by: Meddler,
    /// What a client gets in place of its answer; `null`: the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// What was seen, in one or two sentences.
    pub words: String,
}

words! {
    /// What is done to requests.
    Meddled {
        /// A verb is refused.
        Verb = "verb-blocked",
        /// Requests with a header are refused.
        Header = "header-blocked",
        /// Parts of pages cannot be asked for.
        Range = "range-lost",
        /// Answers come in an older version of HTTP.
        Downgraded = "http-downgraded",
        /// A proxy says that it is there.
        Announced = "proxy-announced",
        /// No verb could be compared with another.
        NotCompared = "verbs-not-compared",
        /// Later requests had no answer.
        CutOff = "cut-off",
    }
}

words! {
    /// Who may have done something to a request.
    Meddler {
        /// A device on the way: the answer shows another speaker.
        Device = "device",
        /// Likely a device.
        DeviceLikely = "device-likely",
        /// The server or a device.
        Either = "either",
    }
}

/// How a request ended that had no good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// With this HTTP status.
    Status(u16),
    /// The connection was broken off.
    BrokenOff,
    /// In silence.
    Silent,
}

/// What was seen of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleFound {
    /// The role.
    pub role: Role,
    /// What is known of it.
    pub proof: RoleProof,
    /// The answer or answers that say so, in words.
    pub words: String,
    /// Of a management point: those that its list names, itself among them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub listed: Vec<ListedPoint>,
    /// The names of these, where the zone that asks knows none of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_names: Vec<String>,
    /// In what else the list contradicts the site file.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub differs: Vec<Differs>,
}

words! {
    /// What is known of a role.
    RoleProof {
        /// It is there.
        Proved = "proved",
        /// A web server answers as one with the role would. No confirmed path of the role tells more: this is as deep as a
        /// proof of it goes.
        Reached = "reached",
        /// A web server is there; nothing says that it has the role, nor that it has not.
        Unproved = "unproved",
        /// The server forbids, or asks for credentials, whatever the path.
        Forbidden = "forbidden",
        /// The server wants a client certificate, or ends connections as one that wants it: a sign of life, and no more.
        CertificateWanted = "certificate-wanted",
        /// A web server is there, without the role.
        Missing = "missing",
        /// Every path of the role is answered with an error of the server.
        ServerError = "server-error",
        /// A server error is the answer to some paths that the role must have. It is not known that clients cannot do
        /// without them.
        PartlyServerError = "partly-server-error",
        /// A path that clients cannot do without sends elsewhere, or every path of the role does.
        Redirected = "redirected",
    }
}

/// What DNS said of a name whose address the site file gives; it never changes the verdict on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsNote {
    /// The name leads elsewhere.
    Differs {
        /// What DNS said.
        said: Vec<IpAddr>,
    },
    /// The name does not exist.
    NoSuchName,
    /// No answer in time.
    NoAnswer,
    /// An error in place of an answer.
    Error(ResolverError),
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
        assert_eq!(silent(false).word(), FlowState::Filtered);
        assert_eq!(silent(true).word(), FlowState::Silent);
    }

    fn in_company(alone: Option<Alone>) -> SourcePorts {
        SourcePorts {
            tried: 16,
            open: 13,
            blocked: 3,
            alone,
            ..SourcePorts::default()
        }
    }

    fn alone(open: u16, refused: u16) -> Option<Alone> {
        Some(Alone {
            open,
            refused,
            busiest: 60,
        })
    }

    #[test]
    fn a_port_that_opens_alone_and_fails_in_company_is_limited_and_not_split() {
        let ports = in_company(alone(12, 0));
        assert!(ports.are_limited() && !ports.are_split() && !ports.are_parted());
    }

    #[test]
    fn a_port_that_is_refused_alone_too_is_split() {
        let ports = in_company(alone(8, 4));
        assert!(ports.are_split() && !ports.are_limited());
    }

    #[test]
    fn a_port_that_was_refused_only_before_it_first_opened_is_neither() {
        let late = SourcePorts {
            tried: 1,
            open: 1,
            refused_first: 1,
            ..SourcePorts::default()
        };
        assert!(late.are_parted(), "it is to be looked at");
        let late = SourcePorts {
            alone: alone(12, 0),
            ..late
        };
        assert!(!late.are_limited() && !late.are_split());
    }
}
