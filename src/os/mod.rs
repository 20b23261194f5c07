//! Everything that depends on the operating system. Connections: one or many at once, the evidence that the system keeps,
//! what TCP counted, a listener that is silent. This host: its own addresses and name, its descriptor limit, how a run is
//! interrupted. Files: opening those that may be anything, and those that take their place whole.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use ipnet::IpNet;
use tokio::net::TcpStream;

use crate::observation::{Rejection, Trouble};

#[cfg(target_os = "linux")]
mod connecting;
#[cfg(any(test, not(target_os = "linux")))]
mod connecting_each;
#[cfg(target_os = "linux")]
mod counted;
#[cfg(target_os = "linux")]
mod half_open;
#[cfg(target_os = "linux")]
mod interfaces;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod sockopt;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(any(test, not(target_os = "linux")))]
mod error_number;
mod child;
mod file;
mod interrupt;
mod name_servers;
mod part;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
use other as platform;

pub(crate) use child::{end_with_its_group, in_a_group_of_its_own};
#[cfg(target_os = "linux")]
pub(crate) use connecting::Connecting;
#[cfg(not(target_os = "linux"))]
pub(crate) use connecting_each::Connecting;
pub(crate) use file::{open, other_than_regular, others_may_read};
pub use interrupt::{ReloadAsked, interrupted, reload_asked};
pub use name_servers::name_servers;
pub use part::{Make, Part, made};
pub use platform::{
    Hold, SilentListener, TELLS_DISTANCE, TELLS_SENDERS, ask_datagram, connect, half_open,
    listen_on, loopback_packets, neighbours, receive_on, repeats_kept_here, silent_listener,
};

/// How a connection attempt leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// How many hops its packets may go; `None`: as many as the system allows.
    pub hops: Option<u8>,
    /// The source port; `None`: the system chooses one.
    pub local_port: Option<u16>,
    /// The least TTL of an answer that counts; `None`: any. ICMP messages are lost by it: never where one is wanted.
    pub least_ttl: Option<u8>,
    /// The most bytes of data in one segment, either way; `None`: as many as the two ends agree on.
    pub segment: Option<u16>,
}

/// How a datagram was answered. Silence is no end: the caller gives up.
#[derive(Debug)]
pub enum Datagram {
    /// A datagram came back, cut off at the size that is read.
    Answer(Vec<u8>),
    /// An ICMP message came.
    Rejected(Rejection),
    /// This machine's own trouble.
    Trouble(Trouble),
}

/// The most bytes of a datagram that are read.
pub(crate) const LARGEST_DATAGRAM: usize = 8 << 10;

/// How one connection attempt ended. Silence is no end: the caller drops the attempt.
#[derive(Debug)]
pub enum Connection {
    /// Accepted.
    Open(TcpStream),
    /// Accepted, and reset before this host could say a word.
    ResetAfterAccept {
        /// This end.
        local: Option<SocketAddr>,
    },
    /// Reset in place of an acceptance.
    Reset {
        /// This end.
        local: Option<SocketAddr>,
    },
    /// An ICMP message came.
    Rejected {
        /// What it says, and who sent it.
        rejection: Rejection,
        /// This end.
        local: Option<SocketAddr>,
    },
    /// This machine's own trouble.
    Trouble(Trouble),
}

/// This host's addresses, each with the prefix of its network.
///
/// # Errors
/// When the system does not tell its interfaces.
pub fn own_addresses() -> io::Result<Vec<IpNet>> {
    let network = |interface: if_addrs::Interface| match interface.addr {
        if_addrs::IfAddr::V4(v4) => IpNet::new(IpAddr::V4(v4.ip), v4.prefixlen).ok(),
        if_addrs::IfAddr::V6(v6) => IpNet::new(IpAddr::V6(v6.ip), v6.prefixlen).ok(),
    };
    Ok(if_addrs::get_if_addrs()?
        .into_iter()
        .filter_map(network)
        .collect())
}

/// This host's name, for the report.
pub fn host_name() -> String {
    dns_lookup::get_hostname()
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_string())
}

/// Raises the limit of open descriptors as far as the system allows, and says how many may be open.
#[cfg(unix)]
pub fn raise_descriptor_limit() -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    const ASSUMED: usize = 1_024;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return ASSUMED;
    };
    let raised = soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    usize::try_from(if raised { hard } else { soft }).unwrap_or(usize::MAX)
}

/// How many sockets there may be: Windows has no limit for a process, but no more dynamic ports than these.
#[cfg(windows)]
pub fn raise_descriptor_limit() -> usize {
    16_384
}

/// Whether this host has an address to reach `remote` from; connecting a UDP socket sends nothing.
fn has_source(remote: SocketAddr) -> bool {
    UdpSocket::bind((unspecified(remote), 0))
        .and_then(|socket| socket.connect(remote))
        .is_ok()
}

/// The address of any interface, in the family of `remote`.
fn unspecified(remote: SocketAddr) -> IpAddr {
    match remote {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Error numbers that mean the same everywhere.
fn local_trouble(error: &io::Error) -> Option<Trouble> {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::AddrInUse
        | io::ErrorKind::OutOfMemory
        | io::ErrorKind::QuotaExceeded => Some(Trouble::NoDescriptors),
        io::ErrorKind::PermissionDenied => Some(Trouble::Refused),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            Some(Trouble::NoRoute)
        }
        _ => None,
    }
}
