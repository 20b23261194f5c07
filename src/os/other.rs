//! Windows and other systems: the error number of `connect` is all there is, so a rejection has neither code nor sender.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

use super::{Connection, Datagram, LARGEST_DATAGRAM, Manner, local_trouble};
use crate::observation::{Prohibition, Rejection, Trouble};

/// Whether this system tells who sent an ICMP message, so that paths can be walked.
pub const TELLS_SENDERS: bool = false;

/// One connection attempt on a new socket. It has no time limit: drop it to give up.
///
/// `began` would be told the local end early; here it is known only at the end. Hops cannot be limited: nothing would
/// tell whose answer came.
pub async fn connect(
    remote: SocketAddr,
    manner: Manner,
    _began: impl FnOnce(SocketAddr),
) -> Connection {
    match open(remote, manner).await {
        Ok(stream) => Connection::Open(stream),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Connection::Reset { local: None }
        }
        // Only an accepted connection is reset; a reset that answers the first packet refuses.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            Connection::ResetAfterAccept { local: None }
        }
        // The system gave up before the caller did: that is silence.
        Err(error) if error.kind() == io::ErrorKind::TimedOut => std::future::pending().await,
        Err(_) if !super::has_source(remote) => Connection::Trouble(Trouble::NoRoute),
        Err(error) => match rejection(&error) {
            Some(rejection) => Connection::Rejected {
                rejection,
                local: None,
            },
            None => Connection::Trouble(local_trouble(&error).unwrap_or(Trouble::NoRoute)),
        },
    }
}

async fn open(remote: SocketAddr, manner: Manner) -> io::Result<TcpStream> {
    let Some(port) = manner.local_port else {
        return TcpStream::connect(remote).await;
    };
    let socket = match remote {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(super::unspecified(remote), port))?;
    socket.connect(remote).await
}

/// What an error number says of an ICMP message: weaker than the message, for it names neither code nor sender.
fn rejection(error: &io::Error) -> Option<Rejection> {
    let says = match error.kind() {
        io::ErrorKind::HostUnreachable => Prohibition::HostUnreachable,
        io::ErrorKind::NetworkUnreachable => Prohibition::NetUnreachable,
        _ => return None,
    };
    Some(Rejection {
        says,
        icmp_type: None,
        icmp_code: None,
        by: None,
    })
}

/// Sends one datagram from a new socket and waits for what comes back. It has no time limit: drop it to give up.
///
/// `began` is told the local end as soon as there is one, for the evidence of silence.
pub async fn ask_datagram(
    remote: SocketAddr,
    payload: &[u8],
    began: impl FnOnce(SocketAddr),
) -> Datagram {
    let mut bytes = vec![0_u8; LARGEST_DATAGRAM];
    match exchange(remote, payload, &mut bytes, began).await {
        Ok(length) => {
            bytes.truncate(length);
            Datagram::Answer(bytes)
        }
        // A port-unreachable message resets a connected datagram socket.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
            ) =>
        {
            Datagram::Rejected(Rejection {
                says: Prohibition::PortUnreachable,
                icmp_type: None,
                icmp_code: None,
                by: None,
            })
        }
        Err(error) => Datagram::Trouble(local_trouble(&error).unwrap_or(Trouble::NoRoute)),
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

/// The number of descriptors that may be open: these systems have no small limit.
pub fn raise_descriptor_limit() -> usize {
    16_384
}

/// Not to be had on this platform.
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
