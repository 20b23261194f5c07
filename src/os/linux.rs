//! Linux: the error queue tells who rejected a connection (`IP_RECVERR`, ip(7)); no privileges are needed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, RawFd};

use nix::libc;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, recvmsg, setsockopt, sockopt,
};
use socket2::{Domain, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

pub use super::counted::Hold;
pub use super::half_open::half_open;
pub use super::interfaces::{loopback_packets, neighbours, repeats_kept_here};
use super::sockopt::{MinHopCount, MinTtl};
use super::{Connection, Datagram, LARGEST_DATAGRAM, Manner, local_trouble};
use crate::observation::{Prohibition, Rejection, Trouble};

/// Whether this system tells who sent an ICMP message, so that paths can be walked.
pub const TELLS_SENDERS: bool = true;

/// Whether this system can leave out answers by their TTL, so that distances can be told.
pub const TELLS_DISTANCE: bool = true;

/// One connection attempt on a new socket. It has no time limit: drop it to give up.
///
/// `began` is told the local end as soon as there is one, for the evidence of silence.
pub async fn connect(
    remote: SocketAddr,
    manner: Manner,
    began: impl FnOnce(SocketAddr),
) -> Connection {
    let socket = match begin(remote, manner) {
        Ok(socket) => socket,
        // Either all ports are in use, or there is no address of this family to send from.
        Err(error)
            if error.kind() == io::ErrorKind::AddrNotAvailable && !super::has_source(remote) =>
        {
            return Connection::Trouble(Trouble::NoRoute);
        }
        Err(error) => return Connection::Trouble(trouble(&error)),
    };
    if let Some(local) = local_address(&socket) {
        began(local);
    }
    let socket = match watched(socket) {
        Ok(socket) => socket,
        Err(error) => return Connection::Trouble(trouble(&error)),
    };
    if let Err(error) = socket.writable().await {
        return Connection::Trouble(trouble(&error));
    }
    let local = local_address(socket.get_ref());
    // Reading the queue clears the pending error, so the queue comes first.
    let queued = rejection(socket.as_raw_fd(), remote.is_ipv4());
    if let Some(rejection) = queued {
        return Connection::Rejected { rejection, local };
    }
    match socket.get_ref().take_error() {
        Ok(None) => accepted(socket.into_inner()),
        Ok(Some(error)) | Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Connection::Reset { local }
        }
        // A reset that answers the first packet refuses; only an accepted connection is reset (tcp(7), ECONNRESET).
        Ok(Some(error)) | Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            Connection::ResetAfterAccept { local }
        }
        // The system gave up before the caller did: that is silence.
        Ok(Some(error)) | Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            std::future::pending().await
        }
        Ok(Some(error)) | Err(error) => Connection::Trouble(trouble(&error)),
    }
}

/// Registers a socket with the runtime.
#[expect(
    deprecated,
    reason = "the replacement is unsafe; a socket that this function owns keeps its descriptor for \
        as long as it is registered"
)]
fn watched(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    AsyncFd::new(socket)
}

fn begin(remote: SocketAddr, manner: Manner) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(remote), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    ask_for_senders(&socket, remote)?;
    if let Some(hops) = manner.hops {
        match remote {
            SocketAddr::V4(_) => socket.set_ttl_v4(u32::from(hops))?,
            SocketAddr::V6(_) => socket.set_unicast_hops_v6(u32::from(hops))?,
        }
    }
    if let Some(least) = manner.least_ttl {
        leave_out_below(&socket, remote, least)?;
    }
    if let Some(segment) = manner.segment {
        // It stands in the first packet too, so that the other end keeps to it.
        socket.set_tcp_mss(u32::from(segment))?;
    }
    // For IPv6 the route is chosen before `connect` has chosen a port, so all connections would take one of several
    // paths. For IPv4 it is looked up again.
    let early = remote.is_ipv6().then_some(0);
    // The port of an earlier try may be asked for again, and the system may have given it to a connection elsewhere
    // meanwhile. Only where all say so may it be shared.
    socket.set_reuse_address(true)?;
    if let Some(port) = manner.local_port.or(early) {
        socket.bind(&SocketAddr::new(super::unspecified(remote), port).into())?;
    }
    match socket.connect(&remote.into()) {
        Err(error)
            if error.raw_os_error() != Some(libc::EINPROGRESS)
                && error.kind() != io::ErrorKind::ConnectionRefused =>
        {
            Err(error)
        }
        // A refusal on loopback is instant; it is read again below, from the socket.
        Err(_) | Ok(()) => Ok(socket),
    }
}

/// Has the system drop answers with a lower TTL.
fn leave_out_below(socket: &Socket, remote: SocketAddr, least: u8) -> io::Result<()> {
    let least = i32::from(least);
    let set = if remote.is_ipv4() {
        setsockopt(socket, MinTtl, &least)
    } else {
        setsockopt(socket, MinHopCount, &least)
    };
    set.map_err(io::Error::from)
}

/// Asks for ICMP messages with their senders and their TTL.
pub(super) fn ask_for_senders(
    socket: &impl std::os::fd::AsFd,
    remote: SocketAddr,
) -> io::Result<()> {
    let asked = if remote.is_ipv4() {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)
            .and_then(|()| setsockopt(socket, sockopt::Ipv4RecvTtl, &true))
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)
            .and_then(|()| setsockopt(socket, sockopt::Ipv6RecvHopLimit, &true))
    };
    asked.map_err(io::Error::from)
}

/// Sends one datagram from a new socket and waits for what comes back. It has no time limit: drop it to give up.
///
/// `began` is told the local end as soon as there is one, for the evidence of silence.
pub async fn ask_datagram(
    remote: SocketAddr,
    payload: &[u8],
    began: impl FnOnce(SocketAddr),
) -> Datagram {
    let socket = match datagram_socket(remote).await {
        Ok(socket) => socket,
        Err(error) => return Datagram::Trouble(trouble(&error)),
    };
    if let Ok(local) = socket.local_addr() {
        began(local);
    }
    let mut bytes = vec![0_u8; LARGEST_DATAGRAM];
    let sent = socket.send(payload).await;
    let received = match sent {
        Ok(_) => socket.recv(&mut bytes).await,
        Err(error) => Err(error),
    };
    match received {
        Ok(length) => {
            bytes.truncate(length);
            Datagram::Answer(bytes)
        }
        Err(error) => match rejection(socket.as_raw_fd(), remote.is_ipv4()) {
            Some(rejection) => Datagram::Rejected(rejection),
            None => Datagram::Trouble(trouble(&error)),
        },
    }
}

async fn datagram_socket(remote: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((super::unspecified(remote), 0)).await?;
    ask_for_senders(&socket, remote)?;
    socket.connect(remote).await?;
    Ok(socket)
}

pub(super) fn accepted(socket: Socket) -> Connection {
    match TcpStream::from_std(socket.into()) {
        Ok(stream) if stream.peer_addr().is_ok() => Connection::Open(stream),
        // The refusal came at once and `connect` has already reported it.
        Ok(_) => Connection::Reset { local: None },
        Err(error) => Connection::Trouble(trouble(&error)),
    }
}

pub(super) fn local_address(socket: &Socket) -> Option<SocketAddr> {
    socket.local_addr().ok()?.as_socket()
}

pub(super) fn trouble(error: &io::Error) -> Trouble {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => Trouble::NoDescriptors,
        _ => local_trouble(error).unwrap_or(Trouble::NoRoute),
    }
}

/// The ICMP message that waits in the error queue of a socket.
pub(super) fn rejection(fd: RawFd, v4: bool) -> Option<Rejection> {
    let mut payload = [0_u8; 512];
    let mut iov = [io::IoSliceMut::new(&mut payload)];
    let mut control = nix::cmsg_space!([u8; 256]);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let entries: Vec<ControlMessageOwned> = if v4 {
        let message = recvmsg::<SockaddrIn>(fd, &mut iov, Some(&mut control), flags).ok()?;
        message.cmsgs().ok()?.collect()
    } else {
        let message = recvmsg::<SockaddrIn6>(fd, &mut iov, Some(&mut control), flags).ok()?;
        message.cmsgs().ok()?.collect()
    };
    let ttl = entries.iter().find_map(|entry| match entry {
        ControlMessageOwned::Ipv4Ttl(ttl) | ControlMessageOwned::Ipv6HopLimit(ttl) => {
            u8::try_from(*ttl).ok()
        }
        _ => None,
    });
    entries.iter().find_map(|entry| match entry {
        ControlMessageOwned::Ipv4RecvErr(error, offender) => {
            let by =
                offender.map(|it| IpAddr::from(u32::from_be(it.sin_addr.s_addr).to_be_bytes()));
            let says = says_v4(error.ee_type, error.ee_code);
            (error.ee_origin == libc::SO_EE_ORIGIN_ICMP).then(|| icmp(says, error, by, ttl))
        }
        ControlMessageOwned::Ipv6RecvErr(error, offender) => {
            let by = offender.map(|it| IpAddr::from(it.sin6_addr.s6_addr));
            let says = says_v6(error.ee_type, error.ee_code);
            (error.ee_origin == libc::SO_EE_ORIGIN_ICMP6).then(|| icmp(says, error, by, ttl))
        }
        _ => None,
    })
}

/// The message that a queue entry holds.
fn icmp(
    says: Prohibition,
    error: &libc::sock_extended_err,
    by: Option<IpAddr>,
    ttl: Option<u8>,
) -> Rejection {
    Rejection {
        says,
        icmp_type: Some(error.ee_type),
        icmp_code: Some(error.ee_code),
        by,
        ttl,
    }
}

/// RFC 792 and RFC 1812 section 5.2.7.1.
fn says_v4(icmp_type: u8, code: u8) -> Prohibition {
    match (icmp_type, code) {
        (3, 9 | 10 | 13) => Prohibition::AdminProhibited,
        (3, 3) => Prohibition::PortUnreachable,
        (3, 1) => Prohibition::HostUnreachable,
        (3, 0) => Prohibition::NetUnreachable,
        (11, 0) => Prohibition::TimeExceeded,
        _ => Prohibition::Other,
    }
}

/// RFC 4443 sections 3.1 and 3.3.
fn says_v6(icmp_type: u8, code: u8) -> Prohibition {
    match (icmp_type, code) {
        (1, 1 | 5) => Prohibition::AdminProhibited,
        (1, 4) => Prohibition::PortUnreachable,
        (1, 3) => Prohibition::HostUnreachable,
        (1, 0) => Prohibition::NetUnreachable,
        (1, 6) => Prohibition::RouteRejects,
        (3, 0) => Prohibition::TimeExceeded,
        _ => Prohibition::Other,
    }
}

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 256;

/// Listens for connections; a port in use is left to its owner. It has to be called within a runtime.
///
/// # Errors
/// What the system says.
pub fn listen_on(local: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(local), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    // What is left of connections of an earlier run does not hold the port; another listener does, all the same.
    socket.set_reuse_address(true)?;
    socket.bind(&local.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Receives datagrams; a port in use is left to its owner. It has to be called within a runtime.
///
/// # Errors
/// What the system says.
pub fn receive_on(local: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(local)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// A listener on loopback that answers nobody: its accept queue is full, and Linux drops what comes then.
#[derive(Debug)]
pub struct SilentListener {
    /// Where it does not answer.
    pub address: SocketAddr,
    _listener: Socket,
    _fillers: Vec<Socket>,
}

/// Opens a silent listener; `None` where the platform cannot do it.
///
/// # Errors
/// When loopback cannot be listened on.
pub fn silent_listener() -> io::Result<Option<SilentListener>> {
    // With a backlog of 0 the queue takes one connection; more are left in the kernel's hands, unanswered.
    const FILLERS: usize = 3;
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    listener.listen(0)?;
    let address = listener
        .local_addr()?
        .as_socket()
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut fillers = Vec::new();
    for _ in 0..FILLERS {
        let filler = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        filler.set_nonblocking(true)?;
        // In progress, or connected into the queue: both fill it.
        let _ = filler.connect(&address.into());
        fillers.push(filler);
    }
    Ok(Some(SilentListener {
        address,
        _listener: listener,
        _fillers: fillers,
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_silent_listener_answers_none_of_three_hundred() {
        let silent = silent_listener().expect("loopback").expect("linux");
        let all: Vec<_> = (0..300)
            .map(|_| {
                tokio::spawn(tokio::time::timeout(
                    Duration::from_secs(2),
                    connect(silent.address, Manner::default(), |_| {}),
                ))
            })
            .collect();
        for one in all {
            assert!(one.await.expect("no panic").is_err(), "something answered");
        }
    }

    #[tokio::test]
    async fn a_local_port_can_be_asked_for_though_a_connection_elsewhere_has_it() {
        let bind = || tokio::net::TcpListener::bind("127.0.0.1:0");
        let (one, other) = (
            bind().await.expect("loopback"),
            bind().await.expect("loopback"),
        );
        let to = |listener: &tokio::net::TcpListener| listener.local_addr().expect("an address");
        let Connection::Open(held) = connect(to(&one), Manner::default(), |_| {}).await else {
            panic!("no connection")
        };
        let local_port = Some(held.local_addr().expect("an address").port());
        let manner = Manner {
            local_port,
            ..Manner::default()
        };
        let second = connect(to(&other), manner, |_| {}).await;
        assert!(matches!(second, Connection::Open(_)), "{second:?}");
    }

    #[tokio::test]
    async fn a_closed_port_resets_and_an_open_one_accepts() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback");
        let address = listener.local_addr().expect("an address");
        assert!(matches!(
            connect(address, Manner::default(), |_| {}).await,
            Connection::Open(_)
        ));
        drop(listener);
        assert!(matches!(
            connect(address, Manner::default(), |_| {}).await,
            Connection::Reset { .. }
        ));
    }
}
