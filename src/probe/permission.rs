//! Where packets of a run may go: anywhere, to what the file of an agent allows, or nowhere at all.

use std::net::IpAddr;

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
    use super::*;

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
}
