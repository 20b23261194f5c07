//! Where packets of a run may go: anywhere, to what the file of an agent allows, or nowhere at all.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::observation::NotTried;

/// Where packets may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// To these networks; none: to any.
    pub networks: Vec<IpNet>,
    /// To ports of these ranges, each with its last one; none: to any.
    pub ports: Vec<(u16, u16)>,
}

impl Allowed {
    /// Whether a packet may go there.
    pub fn lets(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        let to_network =
            self.networks.is_empty() || self.networks.iter().any(|it| it.contains(&address));
        to_network && self.lets_port(port)
    }

    /// Whether a port may be used, wherever it is.
    pub fn lets_port(&self, port: u16) -> bool {
        let in_range = |(low, high): &(u16, u16)| (*low..=*high).contains(&port);
        self.ports.is_empty() || self.ports.iter().any(in_range)
    }
}

/// What a run may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Send packets where they are allowed.
    Within(Allowed),
    /// Nothing: its report says of each flow why it was not tried.
    Nothing(NotTried),
}

impl Default for Permission {
    fn default() -> Self {
        Self::Within(Allowed::default())
    }
}

impl Permission {
    /// Whether a packet may go there.
    pub(super) fn lets(&self, remote: SocketAddr) -> bool {
        self.refuses(Some(remote.ip()), remote.port()).is_none()
    }

    /// Why nothing goes there; `None`: it may.
    pub(super) fn refuses(&self, address: Option<IpAddr>, port: u16) -> Option<NotTried> {
        match (self, address) {
            (Self::Nothing(why), _) => Some(*why),
            (Self::Within(allowed), Some(address)) if !allowed.lets(address, port) => {
                Some(NotTried::NotAllowed)
            }
            (Self::Within(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::watch;
    use tracing::Span;

    use super::*;
    use crate::observation::State;
    use crate::os::Manner;
    use crate::probe::{
        Limits, Prober, Question, Range, Target, Trust, Turn, Way, datagram, try_once,
    };

    #[test]
    fn networks_and_ports_must_both_hold() {
        let allowed = Allowed {
            networks: vec!["192.0.2.0/24".parse().expect("a network")],
            ports: vec![(443, 443), (8_530, 8_531)],
        };
        let lets = |address: &str, port| allowed.lets(address.parse().expect("an address"), port);
        assert!(
            lets("192.0.2.9", 443) && lets("192.0.2.9", 8_531) && lets("::ffff:192.0.2.9", 443)
        );
        assert!(!lets("192.0.2.9", 80) && !lets("192.0.3.9", 443) && !lets("2001:db8::1", 443));
        assert!(Allowed::default().lets("2001:db8::1".parse().expect("an address"), 1));
    }

    #[test]
    fn who_may_do_nothing_says_why() {
        let nothing = Permission::Nothing(NotTried::AgentLost);
        assert_eq!(nothing.refuses(None, 443), Some(NotTried::AgentLost));
        assert_eq!(Permission::default().refuses(None, 443), None);
    }

    #[tokio::test]
    async fn no_packet_leaves_for_where_none_may_go() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        server.set_nonblocking(true).expect("a socket");
        let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback");
        datagrams.set_nonblocking(true).expect("a socket");
        let remote = server.local_addr().expect("an address");
        let allowed = Allowed {
            ports: vec![(1, 1)],
            ..Allowed::default()
        };
        let (_stop, stopped) = watch::channel(false);
        let trust = Trust::new(Vec::new(), false);
        let permission = Permission::Within(allowed);
        let prober = Prober::with(Limits::of_a_test(), trust, Vec::new(), stopped, permission);
        let target = Target::Address(remote.ip());
        let question = Question::knock(
            target,
            remote.port(),
            Turn::Needed,
            Way::Direct,
            Span::none(),
        );
        let seen = prober.ask(question, 0).await;
        assert_eq!(seen.state, State::NotTried(NotTried::NotAllowed));
        let limit = Duration::from_millis(200);
        let tried = try_once::once(&prober, remote, Manner::default(), limit).await;
        assert!(tried.is_none());
        let to = datagrams.local_addr().expect("an address");
        assert!(datagram::single(&prober, to, limit).await.1.is_none());
        let range = Range {
            address: remote.ip(),
            ports: vec![remote.port()],
            painted: false,
            lab: None,
        };
        let swept = prober.scan(vec![range], 1).await;
        let (seen, ports) = &swept[0].alike[0];
        assert_eq!(seen.state, State::NotTried(NotTried::NotAllowed));
        assert_eq!(ports, &[remote.port()]);
        assert!(server.accept().is_err() && datagrams.recv(&mut [0]).is_err());
    }
}
