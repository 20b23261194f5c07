//! Opening the ports of a system that are free; what is in use stays with its owner.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};

use super::listened;
use super::ports::{Part, Wanted, handful};
use crate::os;
use crate::product::Transport;
use crate::report::{ListenedPort, Listening};

/// What was opened, and what became of every port.
#[derive(Debug, Default)]
pub struct Opened {
    pub(super) streams: Vec<Stream>,
    pub(super) datagrams: Vec<(SocketAddr, UdpSocket)>,
    /// Every port that was to be opened.
    pub ports: Vec<ListenedPort>,
}

/// A TCP port that is listened on.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) local: SocketAddr,
    pub(super) socket: TcpListener,
    /// The dynamic ports to name, on the port of a mapper.
    pub(super) named: Option<Arc<[u16]>>,
}

impl Opened {
    /// How many ports are listened on.
    pub fn listening(&self) -> usize {
        self.streams.len() + self.datagrams.len()
    }

    /// How many ports this host refused.
    pub fn refused(&self) -> usize {
        let refused = self
            .ports
            .iter()
            .filter(|port| port.state == Listening::Refused);
        refused.count()
    }

    /// Every port that is listened on.
    pub(super) fn all(&self) -> impl Iterator<Item = (Transport, SocketAddr)> {
        let streams = self.streams.iter().map(|it| (Transport::Tcp, it.local));
        let datagrams = self
            .datagrams
            .iter()
            .map(|(local, _)| (Transport::Udp, *local));
        streams.chain(datagrams)
    }

    fn note(&mut self, transport: Transport, local: SocketAddr, opened: Result<(), &io::Error>) {
        let (state, why) = match opened {
            Ok(()) => (Listening::Yes, None),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => (
                Listening::InUse,
                Some("in use: left to its owner".to_string()),
            ),
            Err(error) => (Listening::Refused, Some(refusal(local, error))),
        };
        self.ports
            .push(listened(transport, local, state, why.as_deref()));
    }

    fn stream(&mut self, local: SocketAddr, named: Option<Arc<[u16]>>) {
        let socket = os::listen_on(local);
        self.note(Transport::Tcp, local, socket.as_ref().map(drop));
        if let Ok(socket) = socket {
            self.streams.push(Stream {
                local,
                socket,
                named,
            });
        }
    }

    fn datagrams(&mut self, local: SocketAddr) {
        let socket = os::receive_on(local);
        self.note(Transport::Udp, local, socket.as_ref().map(drop));
        self.datagrams
            .extend(socket.ok().map(|socket| (local, socket)));
    }

    /// Opens one of these ports: the first that is free. Its number, where there is one.
    fn one_of(&mut self, address: IpAddr, ports: &[u16]) -> Option<u16> {
        let at = |port: u16| SocketAddr::new(address, port);
        for port in ports {
            if let Ok(socket) = os::listen_on(at(*port)) {
                self.note(Transport::Tcp, at(*port), Ok(()));
                self.streams.push(Stream {
                    local: at(*port),
                    socket,
                    named: None,
                });
                return Some(*port);
            }
        }
        // None is free: the first says why.
        self.stream(at(*ports.first()?), None);
        None
    }
}

/// Opens the ports at each of the addresses. It has to be called within a runtime.
pub fn open(addresses: &[IpAddr], wanted: &[Wanted]) -> Opened {
    let mut opened = Opened::default();
    for address in addresses {
        // The dynamic ports come first: the mapper names those that were opened.
        let mut named = Vec::new();
        let dynamic = wanted.iter().filter(|it| it.part == Part::Dynamic);
        for range in dynamic.filter(|it| it.transport == Transport::Tcp) {
            for ports in handful(range.port) {
                named.extend(opened.one_of(*address, &ports));
            }
        }
        let named: Arc<[u16]> = named.into();
        for one in wanted {
            let local = SocketAddr::new(*address, one.port.low);
            match (one.transport, one.part) {
                // No program without privileges takes ESP from its system.
                (_, Part::Dynamic) | (Transport::Esp, _) => {}
                (Transport::Tcp, Part::Mapper) => opened.stream(local, Some(Arc::clone(&named))),
                (Transport::Tcp, Part::Plain) => opened.stream(local, None),
                (Transport::Udp, Part::Mapper | Part::Plain) => opened.datagrams(local),
            }
        }
    }
    opened.ports.sort_by_cached_key(|port| {
        let local: Option<SocketAddr> = port.local.parse().ok();
        (port.transport, local)
    });
    opened
}

fn refusal(local: SocketAddr, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::PermissionDenied && local.port() < 1_024 {
        return "this host lets only privileged programs listen below 1024".to_string();
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Ports;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn plain(transport: Transport, port: u16) -> Wanted {
        Wanted {
            transport,
            port: Ports::one(port),
            part: Part::Plain,
        }
    }

    #[tokio::test]
    async fn a_port_in_use_is_left_to_its_owner() {
        let owner = std::net::TcpListener::bind((HERE, 0)).expect("loopback");
        let taken = owner.local_addr().expect("an address").port();
        let of_datagrams = std::net::UdpSocket::bind((HERE, 0)).expect("loopback");
        let also = of_datagrams.local_addr().expect("an address").port();
        let opened = open(
            &[HERE],
            &[plain(Transport::Tcp, taken), plain(Transport::Udp, also)],
        );
        assert_eq!(opened.listening(), 0);
        let states: Vec<Listening> = opened.ports.iter().map(|it| it.state).collect();
        assert_eq!(states, ["in-use", "in-use"]);
    }

    #[tokio::test]
    async fn the_mapper_names_the_dynamic_ports_that_were_opened() {
        // A neighbour takes the place of a port in use.
        let owner = std::net::TcpListener::bind((HERE, 0)).expect("loopback");
        let low = owner.local_addr().expect("an address").port();
        let range = Wanted {
            transport: Transport::Tcp,
            port: Ports {
                low,
                high: low.saturating_add(20),
            },
            part: Part::Dynamic,
        };
        let mapper = Wanted {
            part: Part::Mapper,
            ..plain(Transport::Tcp, 0)
        };
        let opened = open(&[HERE], &[mapper, range]);
        let named = opened.streams.iter().find_map(|it| it.named.clone());
        let others = opened.streams.iter().filter(|it| it.named.is_none());
        let dynamic: Vec<u16> = others.map(|it| it.local.port()).collect();
        assert_eq!(named.expect("a mapper").to_vec(), dynamic);
        assert!(!dynamic.contains(&low) && !dynamic.is_empty());
    }
}
