//! What came back when a flow was tried: states on the wire and what the service said, with their evidence.
//!
//! A closed door is news, not an error: every outcome that the network, the resolver or this machine can produce
//! has a variant here, so probing returns no `Err` and the verdict table can be exhaustive. The types are plain data:
//! no sockets, no clocks.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

/// Everything that was seen of one flow at one address.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The address that was tried; `None` where there was none to try.
    pub address: Option<IpAddr>,
    /// What the wire said.
    pub state: State,
    /// What an open port said when it was spoken to; `None` unless the state is [`State::Open`].
    pub service: Option<Service>,
    /// The deepest step of the ladder that was reached; `None` when no packet was sent.
    pub depth: Option<Depth>,
    /// The tries, in the order in which they were made.
    pub attempts: Vec<Attempt>,
    /// How sure silence is, from 0 to 1: only with [`State::Filtered`] and [`State::Silent`].
    pub confidence: Option<f64>,
    /// Whether the address lies in a network that this host is itself in, or is this host's own.
    pub on_link: bool,
    /// What TLS showed.
    pub tls: Option<TlsSeen>,
    /// What HTTP showed.
    pub http: Option<HttpSeen>,
}

impl Observation {
    /// An observation without any packet: the reason is in the state.
    pub fn without_packets(address: Option<IpAddr>, state: State) -> Self {
        Self {
            address,
            state,
            service: None,
            depth: None,
            attempts: Vec::new(),
            confidence: None,
            on_link: false,
            tls: None,
            http: None,
        }
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Not tried.
    NotTried(NotTried),
}

/// Who sent a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetBy {
    /// The host that was asked: it is on this host's own network, is this host, or other evidence says so.
    Host,
    /// A device on the way.
    Device,
    /// Nothing tells the two apart.
    Either,
}

/// An ICMP message that answered a connection attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What it says.
    pub says: Prohibition,
    /// ICMP type, as sent (ICMPv6 types differ from ICMPv4 ones); `None` where only an error number is known.
    pub icmp_type: Option<u8>,
    /// ICMP code.
    pub icmp_code: Option<u8>,
    /// The address of the sender; `None` where the operating system does not tell.
    pub by: Option<IpAddr>,
}

impl Rejection {
    /// Whether it speaks of the host, not of the port: a router says the same of a dead host.
    pub fn is_about_the_host(&self) -> bool {
        matches!(
            self.says,
            Prohibition::HostUnreachable | Prohibition::NetUnreachable
        )
    }
}

/// What an ICMP unreachable message says, over both families (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prohibition {
    /// A filter forbids it (ICMPv4 3/9, 3/10, 3/13; ICMPv6 1/1, 1/5).
    AdminProhibited,
    /// Nothing listens, or a firewall pretends so (3/3; 1/4).
    PortUnreachable,
    /// The last router cannot find the host (3/1; 1/3).
    HostUnreachable,
    /// A router has no way there (3/0; 1/0).
    NetUnreachable,
    /// Any other code.
    Other,
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// The resolver says that the name does not exist.
    NoSuchName,
    /// The resolver did not answer in time, or failed.
    ResolverSilent,
    /// The site file gives neither name nor address for this zone.
    NoNameHere,
}

/// Trouble of this machine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No route to the address.
    NoRoute,
    /// No descriptors, ports or memory left.
    NoDescriptors,
    /// The operating system refused the connection (a local firewall or policy).
    Refused,
}

/// Why a flow was not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTried {
    /// This version does not try such flows: UDP, and ranges of dynamic ports.
    Unsupported,
    /// The run was interrupted before its turn.
    Interrupted,
}

/// What an open port said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Nothing more was asked of it: an open port is all that the flow needs.
    NotAsked,
    /// The protocol the flow needs is not spoken by this version.
    NotSpoken,
    /// It spoke the protocol, and all is as a client needs it.
    Spoke,
    /// It accepted and then said nothing, or not enough, within the time.
    Mute,
    /// It accepted and closed or reset before it said a word.
    HungUp,
    /// It closed or reset in the middle of the TLS handshake.
    HungUpInHandshake,
    /// It answered, but not in TLS.
    NotTls,
    /// It refused the handshake with a TLS alert, named here.
    TlsAlert(String),
    /// It speaks only TLS versions or ciphers older than this program does.
    TlsTooOld,
    /// It speaks TLS, and its certificate would make a client refuse.
    Certificate(CertificateFault),
    /// It answered, but not in HTTP.
    NotHttp,
    /// It answered with an HTTP status from 500 on.
    ServerError(u16),
    /// The connection went from this host to itself: local and remote address are the same.
    ConnectedToItself,
}

/// Why a client would refuse a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// Made for other names than the one asked for.
    Name,
    /// No longer valid.
    Expired,
    /// Not yet valid.
    NotYetValid,
    /// No chain to a root this host or the site file trusts.
    Untrusted,
    /// Not for server authentication.
    Purpose,
    /// Revoked, malformed, or signed wrongly, in the verifier's words.
    Other(String),
}

/// How deep the proof of a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// A TCP connection was tried.
    Tcp,
    /// A TLS handshake was tried.
    Tls,
    /// An HTTP exchange was tried.
    Http,
}

/// One try: one connection attempt, or one later step of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// When it began.
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

/// The end of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What TLS showed, whether or not it would satisfy a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSeen {
    /// Protocol version, as in `TLSv1.3`.
    pub version: Option<String>,
    /// Cipher suite.
    pub cipher: Option<String>,
    /// The name that was asked for.
    pub asked_for: Option<String>,
    /// The chain as it was sent, leaf first.
    pub chain: Vec<Certificate>,
    /// Whether the server asked for a client certificate in the first handshake.
    pub client_certificate_asked: bool,
    /// What the verifier said, when it was not satisfied.
    pub verifier: Option<String>,
}

/// The parts of a certificate that matter to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Subject.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// DNS names and addresses of the subject alternative name.
    pub names: Vec<String>,
    /// Start of validity.
    pub not_before: Option<Timestamp>,
    /// End of validity.
    pub not_after: Option<Timestamp>,
    /// SHA-256 of the DER bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// What HTTP showed.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}
