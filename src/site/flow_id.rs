//! The id of a flow, `FROM>TO:PORT/TRANSPORT`, taken apart. Whether its ends exist is not asked here.

use crate::product::{Service, Transport};
use crate::yaml::Ports;

/// In the place of the port: those of a sweep that the firewalls let through to nobody, all in one finding.
pub const SWEPT: &str = "sweep";
/// In the place of the port: those of a sweep that a device opened, all in one finding.
pub const SWEPT_ANSWERED: &str = "sweep-answered";

/// The parts of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowId<'a> {
    /// A zone or system.
    pub from: &'a str,
    /// A system; or `crl.HOST`, `clients.ZONE`, or a service with a name.
    pub to: &'a str,
    /// What stands in the place of the port.
    pub port: IdPort,
    /// Transport.
    pub transport: Transport,
}

/// What stands in the place of the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdPort {
    /// A port or a range.
    Ports(Ports),
    /// Many ports of a sweep, as one finding.
    Swept,
}

impl<'a> FlowId<'a> {
    /// Takes an id apart; `None` where it is not written as ids are, and so can be that of no flow.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (from, rest) = text.split_once('>')?;
        let (rest, transport) = rest.rsplit_once('/')?;
        let (to, port) = rest.rsplit_once(':')?;
        let transport = Transport::ALL
            .iter()
            .copied()
            .find(|known| known.name() == transport)?;
        let port = match port {
            SWEPT | SWEPT_ANSWERED if transport == Transport::Tcp => IdPort::Swept,
            _ => IdPort::Ports(ports(port)?),
        };
        (!from.is_empty() && !to.is_empty() && to != "crl.").then_some(Self {
            from,
            to,
            port,
            transport,
        })
    }

    /// Whether it leads to something that is no system of the file.
    pub fn is_outside(&self) -> bool {
        let kind = self.to.split_once('.').map(|(kind, _)| kind);
        self.is_to_list()
            || kind.is_some_and(|kind| kind == "clients" || Service::named(kind).is_some())
    }

    /// Whether it leads to the host of a revocation list that is no system of the file.
    pub fn is_to_list(&self) -> bool {
        self.to.starts_with("crl.")
    }
}

/// A port or range, as ids show it: without leading zeros, and a range of one as its port.
fn ports(text: &str) -> Option<Ports> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let ports = Ports {
        low: low.parse().ok()?,
        high: high.parse().ok()?,
    };
    let as_shown = ports.to_string() == text;
    (as_shown && 0 < ports.low && ports.low <= ports.high).then_some(ports)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_taken_apart() {
        let id = FlowId::parse("cm01>ibs01:49152-65535/tcp").expect("an id");
        assert_eq!((id.from, id.to), ("cm01", "ibs01"));
        let range = Ports {
            low: 49_152,
            high: 65_535,
        };
        assert_eq!(id.port, IdPort::Ports(range));
        let id = FlowId::parse("internet>crl.[2001:db8::1]:80/tcp").expect("an id");
        assert!(id.is_to_list());
        assert_eq!(id.to, "crl.[2001:db8::1]");
        let id = FlowId::parse("internet>ibs01:sweep/tcp").expect("an id");
        assert_eq!(id.port, IdPort::Swept);
    }

    #[test]
    fn what_no_flow_can_be_called_is_no_id() {
        for text in [
            "",
            "internet",
            "internet>ibs01",
            "internet>ibs01:80",
            "internet>ibs01:80/icmp",
            "internet>ibs01:0/tcp",
            "internet>ibs01:080/tcp",
            "internet>ibs01:+80/tcp",
            "internet>ibs01:80-80/tcp",
            "internet>ibs01:90-80/tcp",
            "internet>ibs01:70000/tcp",
            "internet>ibs01:sweep/udp",
            ">ibs01:80/tcp",
            "internet>:80/tcp",
            "internet>crl.:80/tcp",
        ] {
            assert_eq!(FlowId::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_or_not(text in ".{0,40}") {
            let _ = FlowId::parse(&text);
        }
    }
}
