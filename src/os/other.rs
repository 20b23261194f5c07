//! Windows and other systems: the error number of `connect` is all there is, so a rejection has neither code nor sender.
//!
//! A socket is connected without waiting, its local end noted, and the number that it ends with is read by
//! `error_number`.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::error_number::{self, Ended};
use super::{Connection, Datagram, LARGEST_DATAGRAM, Manner};
use crate::observation::Counted;

/// Whether this system tells who sent an ICMP message, so that paths can be walked.
pub const TELLS_SENDERS: bool = false;

/// Whether this system can leave out answers by their TTL, so that distances can be told.
pub const TELLS_DISTANCE: bool = false;

/// Windows fails where a datagram does not fit, and other systems cut it off: no datagram is larger than this.
const ANY_DATAGRAM: usize = 64 << 10;

/// Another hold on a connection, of which this system's counts could be read: they are not.
#[derive(Debug)]
pub enum Hold {}

impl Hold {
    /// None is to be had.
    pub fn on(_stream: &TcpStream) -> Option<Self> {
        None
    }

    /// What has been counted so far.
    pub fn counted(&self) -> Option<Counted> {
        match *self {}
    }
}

/// One connection attempt on a new socket. It has no time limit: drop it to give up.
///
/// `began` is told the local end as soon as there is one, for the evidence of silence. Hops are not limited: nothing
/// would tell whose answer came.
pub async fn connect(
    remote: SocketAddr,
    manner: Manner,
    began: impl FnOnce(SocketAddr),
) -> Connection {
    let mut local = None;
    let note = |address| {
        local = Some(address);
        began(address);
    };
    match attempt(remote, manner, note).await {
        Ok(stream) => Connection::Open(stream),
        Err(error) => match error_number::of_connect(&error, super::has_source(remote)) {
            Ended::Reset => Connection::Reset { local },
            Ended::ResetAfterAccept => Connection::ResetAfterAccept { local },
            Ended::Rejected(rejection) => Connection::Rejected { rejection, local },
            Ended::Trouble(trouble) => Connection::Trouble(trouble),
            // The system gave up before the caller did: that is silence.
            Ended::GaveUp => std::future::pending().await,
        },
    }
}

async fn attempt(
    remote: SocketAddr,
    manner: Manner,
    began: impl FnOnce(SocketAddr),
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(remote), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    if let Some(port) = manner.local_port {
        socket.bind(&SocketAddr::new(super::unspecified(remote), port).into())?;
    }
    match socket.connect(&remote.into()) {
        Err(error) if !is_under_way(&error) => return Err(error),
        Err(_) | Ok(()) => {}
    }
    if let Some(local) = local_end(&socket, remote) {
        began(local);
    }
    let stream = TcpStream::from_std(socket.into())?;
    stream.writable().await?;
    match stream.take_error()? {
        Some(error) => Err(error),
        None => stream.peer_addr().map(|_| stream),
    }
}

#[cfg(windows)]
fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(not(windows))]
fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::EINPROGRESS)
}

/// This end of a connection that is under way. Windows tells the port at once, the address only when it is connected.
fn local_end(socket: &Socket, remote: SocketAddr) -> Option<SocketAddr> {
    let local = socket.local_addr().ok()?.as_socket()?;
    if !local.ip().is_unspecified() {
        return Some(local);
    }
    let source = StdUdpSocket::bind((super::unspecified(remote), 0)).ok()?;
    source.connect(remote).ok()?;
    Some(SocketAddr::new(
        source.local_addr().ok()?.ip(),
        local.port(),
    ))
}

/// Sends one datagram from a new socket and waits for what comes back. It has no time limit: drop it to give up.
///
/// `began` is told the local end as soon as there is one, for the evidence of silence.
pub async fn ask_datagram(
    remote: SocketAddr,
    payload: &[u8],
    began: impl FnOnce(SocketAddr),
) -> Datagram {
    let mut bytes = vec![0_u8; ANY_DATAGRAM];
    match exchange(remote, payload, &mut bytes, began).await {
        Ok(length) => {
            bytes.truncate(length.min(LARGEST_DATAGRAM));
            Datagram::Answer(bytes)
        }
        Err(error) => match error_number::of_datagram(&error) {
            Ok(rejection) => Datagram::Rejected(rejection),
            Err(trouble) => Datagram::Trouble(trouble),
        },
    }
}

async fn exchange(
    remote: SocketAddr,
    payload: &[u8],
    bytes: &mut [u8],
    began: impl FnOnce(SocketAddr),
) -> io::Result<usize> {
    let socket = UdpSocket::bind((super::unspecified(remote), 0)).await?;
    socket.connect(remote).await?;
    if let Ok(local) = socket.local_addr() {
        began(local);
    }
    socket.send(payload).await?;
    socket.recv(bytes).await
}

/// Listens for connections; a port in use is left to its owner. It has to be called within a runtime.
///
/// Windows lets a second program listen at one address where another listens at all: whether anybody does is seen first.
///
/// # Errors
/// What the system says.
pub fn listen_on(local: SocketAddr) -> io::Result<TcpListener> {
    drop(std::net::TcpListener::bind((
        super::unspecified(local),
        local.port(),
    ))?);
    let socket = std::net::TcpListener::bind(local)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

/// Receives datagrams; a port in use is left to its owner. It has to be called within a runtime.
///
/// # Errors
/// What the system says.
pub fn receive_on(local: SocketAddr) -> io::Result<UdpSocket> {
    drop(std::net::UdpSocket::bind((
        super::unspecified(local),
        local.port(),
    ))?);
    let socket = std::net::UdpSocket::bind(local)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Half-open connections: these systems do not show them without privileges.
pub fn half_open() -> Option<Vec<(SocketAddr, SocketAddr)>> {
    None
}

/// Addresses on this host's own networks with their hardware addresses: not asked of these systems.
pub fn neighbours() -> Vec<(IpAddr, String)> {
    Vec::new()
}

/// How many packets have come over loopback: not asked of these systems.
pub fn loopback_packets() -> Option<u64> {
    None
}

/// How many repeats of packets of TCP did not leave this host: not asked of these systems.
pub fn repeats_kept_here() -> Option<u64> {
    None
}

/// Not to be had on these systems: where the queue of a listener is full, Windows resets what comes then.
#[derive(Debug)]
pub struct SilentListener {
    /// Where it would not answer.
    pub address: SocketAddr,
}

/// Opens a silent listener; `None` where the platform cannot do it.
///
/// # Errors
/// Never on these systems.
pub fn silent_listener() -> io::Result<Option<SilentListener>> {
    Ok(None)
}
