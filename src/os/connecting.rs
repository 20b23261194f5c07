//! Linux: many sockets that connect, watched together by one epoll(7) instance.
//!
//! Each attempt has a place, and a place keeps its socket. After a refusal the second `connect` on a socket reads the
//! result and makes the socket as good as new. So the next attempt at this place costs no new one. (`SO_ERROR` reads it
//! as well and leaves a socket whose next `connect` fails.) A socket that is given up is closed: its first packet stays
//! the only one where that happens within a second (tcp(7), `tcp_syn_retries`).

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::libc;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Connection;
use super::linux::{accepted, ask_for_senders, local_address, rejection, trouble};
use crate::observation::Trouble;

/// What is read of the ends of attempts in one go.
const EVENTS: usize = 256;

/// Connection attempts that are under way, each at its place. It lives within a runtime.
#[derive(Debug)]
pub(crate) struct Connecting {
    epoll: Epoll,
    ready: AsyncFd<OwnedFd>,
    places: Vec<Place>,
    events: Vec<EpollEvent>,
}

#[derive(Debug)]
struct Place {
    socket: Option<Socket>,
    /// Where the socket connects to, or did last.
    remote: SocketAddr,
    /// Whether the socket is watched.
    watched: bool,
    /// Whether an attempt is under way.
    waits: bool,
}

impl Connecting {
    /// Room for so many attempts at once. Sockets are opened when they are needed.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub(crate) fn new(places: usize) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let ready = watched(epoll.0.try_clone()?)?;
        let place = || Place {
            socket: None,
            remote: SocketAddr::from(([0, 0, 0, 0], 0)),
            watched: false,
            waits: false,
        };
        Ok(Self {
            epoll,
            ready,
            places: (0..places).map(|_| place()).collect(),
            events: vec![EpollEvent::empty(); EVENTS],
        })
    }

    /// Begins an attempt at a free place; `None`: it is under way.
    pub(crate) fn begin(&mut self, number: usize, remote: SocketAddr) -> Option<Connection> {
        let place = self.places.get_mut(number)?;
        if place.remote.is_ipv4() != remote.is_ipv4() {
            place.close();
        }
        place.remote = remote;
        let socket = match place.socket.take().map_or_else(|| fresh(remote), Ok) {
            Ok(socket) => place.socket.insert(socket),
            Err(error) => return Some(Connection::Trouble(trouble(&error))),
        };
        // The route of IPv6 is chosen before `connect` chooses a port, so that all attempts would take one of several paths.
        if remote.is_ipv6() {
            let any = SocketAddr::new(super::unspecified(remote), 0);
            if let Err(error) = socket.bind(&any.into()) {
                return Some(Connection::Trouble(trouble(&error)));
            }
        }
        let begun = socket.connect(&remote.into());
        if !begun.as_ref().is_err_and(is_under_way) {
            return Some(self.met(number, begun));
        }
        if !place.watched {
            let event = EpollEvent::new(EpollFlags::EPOLLOUT | EpollFlags::EPOLLET, number as u64);
            if let Err(error) = self.epoll.add(&*socket, event) {
                place.close();
                return Some(Connection::Trouble(trouble(&error.into())));
            }
            place.watched = true;
        }
        place.waits = true;
        None
    }

    /// Gives an attempt up: its socket is closed.
    pub(crate) fn give_up(&mut self, number: usize) {
        if let Some(place) = self.places.get_mut(number) {
            place.close();
        }
    }

    /// Waits until an attempt may have ended.
    pub(crate) async fn wait(&mut self) {
        match self.ready.readable().await {
            // First, so that what ends from now on wakes again.
            Ok(mut ready) => ready.clear_ready(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Takes what has ended, by the numbers of the places, which are free again.
    pub(crate) fn take(&mut self, ended: &mut Vec<(usize, Connection)>) {
        loop {
            let mut events = std::mem::take(&mut self.events);
            let count = self.epoll.wait(&mut events, EpollTimeout::ZERO);
            let count = count.unwrap_or(0);
            for event in events.iter().take(count) {
                let number = usize::try_from(event.data()).unwrap_or(usize::MAX);
                ended.extend(self.end(number).map(|met| (number, met)));
            }
            self.events = events;
            if count < EVENTS {
                return;
            }
        }
    }

    /// The end of the attempt at a place; `None`: it is still under way.
    fn end(&mut self, number: usize) -> Option<Connection> {
        let place = self.places.get_mut(number).filter(|place| place.waits)?;
        let socket = place.socket.as_ref()?;
        // A router that says "port unreachable" makes the same error as a reset, and `connect` empties the queue that tells
        // them apart.
        if let Some(rejection) = rejection(socket.as_raw_fd(), place.remote.is_ipv4()) {
            let local = local_address(socket);
            place.close();
            return Some(Connection::Rejected { rejection, local });
        }
        let result = socket.connect(&place.remote.into());
        if result.as_ref().is_err_and(is_under_way) {
            return None;
        }
        place.waits = false;
        Some(self.met(number, result))
    }

    /// What a `connect` that is over has met. Only a refused socket is kept.
    fn met(&mut self, number: usize, result: io::Result<()>) -> Connection {
        let place = &mut self.places[number];
        let Some(socket) = place.socket.take() else {
            return Connection::Trouble(Trouble::NoRoute);
        };
        let error = match result {
            Err(error) if error.raw_os_error() != Some(libc::EISCONN) => error,
            Ok(()) | Err(_) => {
                if place.watched {
                    let _ = self.epoll.delete(&socket);
                }
                place.watched = false;
                return accepted(socket);
            }
        };
        match error.raw_os_error() {
            Some(libc::ECONNREFUSED) => {
                place.socket = Some(socket);
                Connection::Reset { local: None }
            }
            other => {
                let local = local_address(&socket);
                place.watched = false;
                match other {
                    // Accepted, and reset before the result was read (tcp(7)); EPIPE: after its end was sent.
                    Some(libc::ECONNRESET | libc::EPIPE) => Connection::ResetAfterAccept { local },
                    Some(libc::EADDRNOTAVAIL) if !super::has_source(place.remote) => {
                        Connection::Trouble(Trouble::NoRoute)
                    }
                    _ => Connection::Trouble(trouble(&error)),
                }
            }
        }
    }
}

impl Place {
    fn close(&mut self) {
        self.socket = None;
        self.watched = false;
        self.waits = false;
    }
}

/// Whether an attempt goes on. The system's own end of patience is none: that is silence.
fn is_under_way(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINPROGRESS | libc::EALREADY | libc::ETIMEDOUT)
    )
}

fn fresh(remote: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(remote),
        Type::STREAM.nonblocking(),
        None,
    )?;
    ask_for_senders(&socket, remote)?;
    Ok(socket)
}

/// Registers an epoll instance with the runtime, which has one of its own.
#[expect(
    deprecated,
    reason = "the replacement is unsafe; a descriptor that is owned stays open as long as it is \
        registered"
)]
fn watched(epoll: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(epoll, Interest::READABLE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn one(connecting: &mut Connecting, remote: SocketAddr) -> Option<Connection> {
        if let Some(met) = connecting.begin(0, remote) {
            return Some(met);
        }
        let mut ended = Vec::new();
        while ended.is_empty() {
            let wait = tokio::time::timeout(Duration::from_millis(300), connecting.wait());
            if wait.await.is_err() {
                connecting.give_up(0);
                return None;
            }
            connecting.take(&mut ended);
        }
        ended.pop().map(|(_, met)| met)
    }

    fn descriptor(connecting: &Connecting) -> Option<i32> {
        connecting.places[0]
            .socket
            .as_ref()
            .map(|it| it.as_raw_fd())
    }

    #[tokio::test]
    async fn a_refused_socket_is_used_again_and_an_open_one_is_handed_over() {
        for loopback in ["127.0.0.1:0", "[::1]:0"] {
            let listener = tokio::net::TcpListener::bind(loopback)
                .await
                .expect("loopback");
            let open = listener.local_addr().expect("an address");
            let shut = tokio::net::TcpListener::bind(loopback)
                .await
                .expect("loopback");
            let closed = shut.local_addr().expect("an address");
            drop(shut);
            let mut connecting = Connecting::new(1).expect("a descriptor");
            let mut kept = None;
            for _ in 0..3 {
                let met = one(&mut connecting, closed).await;
                assert!(matches!(met, Some(Connection::Reset { .. })), "{met:?}");
                let now = descriptor(&connecting);
                assert!(now.is_some() && (kept.is_none() || kept == now));
                kept = now;
            }
            let met = one(&mut connecting, open).await;
            let Some(Connection::Open(stream)) = met else {
                panic!("{met:?}")
            };
            assert_eq!(stream.peer_addr().expect("the other end"), open);
            assert_eq!(descriptor(&connecting), None);
            let met = one(&mut connecting, closed).await;
            assert!(matches!(met, Some(Connection::Reset { .. })), "{met:?}");
        }
    }

    #[tokio::test]
    async fn a_silent_attempt_is_given_up_and_its_place_is_free() {
        let silent = super::super::silent_listener()
            .expect("loopback")
            .expect("linux");
        let mut connecting = Connecting::new(1).expect("a descriptor");
        assert!(one(&mut connecting, silent.address).await.is_none());
        assert_eq!(descriptor(&connecting), None);
    }

    #[tokio::test]
    async fn an_address_without_a_route_is_this_hosts_trouble() {
        let mut connecting = Connecting::new(1).expect("a descriptor");
        let met = one(
            &mut connecting,
            "[2001:db8::1]:80".parse().expect("an address"),
        );
        let met = met.await;
        assert!(
            !matches!(met, Some(Connection::Open(_) | Connection::Reset { .. })),
            "{met:?}"
        );
    }
}
