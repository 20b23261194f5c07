//! Which hosts may be asked for a list. Hosts that the site file names may; whoever can have a certificate signed can
//! name any other, so those stand before this gate.
//!
//! It is asked twice. [`Gate::host`] looks at host and port, before a name is resolved. [`Gate::address`] looks at each
//! address that the name has: what counts is where a packet would go, not how the address is written. A redirect leads
//! only to a host that has passed both, at the addresses that passed ([`super::fetch`]). Where a proxy resolves the
//! names, packets from here go to the proxy alone. Where it leads is its own rules' matter, so the first look is all.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::config::CrlHosts;
use crate::site::Site;

/// The port of plain HTTP, at which every host may be asked.
const HTTP: u16 = 80;

/// What decides who passes.
pub(crate) struct Gate<'a> {
    /// The site as the file describes it.
    pub(crate) site: &'a Site,
    /// The addresses of this host, with their networks.
    pub(crate) own: &'a [IpNet],
}

/// Why a host is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The site file does not name it, and `crl_hosts` leaves out all others.
    NotNamed,
    /// The port is neither 80 nor one of the site file.
    Port(u16),
    /// It has an address to which no certificate may lead.
    Address {
        /// The address.
        address: IpAddr,
        /// The address that a packet would reach by it, where that is another.
        reaches: Option<Ipv4Addr>,
        /// What is wrong with it.
        kind: Kind,
    },
}

/// Kinds of addresses to which no certificate may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 127.0.0.0/8 and ::1.
    Loopback,
    /// 0.0.0.0/8 and ::. Linux takes 0.0.0.0 and :: for this host itself.
    Unspecified,
    /// 169.254.0.0/16 and fe80::/10; at 169.254.169.254 clouds hand out credentials.
    LinkLocal,
    /// 224.0.0.0/4 and ff00::/8.
    Multicast,
    /// 255.255.255.255, and the last address of a network that this host is in.
    Broadcast,
    /// An address of this host: a packet to it never leaves.
    Own,
}

impl Gate<'_> {
    /// Whether a host may be asked at a port, by what is known before its name is resolved.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn host(&self, host: &str, port: u16) -> Result<(), Refused> {
        let named = self.is_named(host);
        if !named && self.site.crl_hosts != CrlHosts::Certificates {
            return Err(Refused::NotNamed);
        }
        if port != HTTP && !self.site.list_ports.contains(&port) && !self.has_flow(host, port) {
            return Err(Refused::Port(port));
        }
        // Every resolver gives it this host's own address, that of a proxy its own (RFC 6761 section 6.3).
        if !named && is_localhost(host) {
            let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            return self.address(host, address);
        }
        // An address needs no resolver.
        let literal = host.parse::<IpAddr>();
        literal.map_or(Ok(()), |address| self.address(host, address))
    }

    /// Whether a host may be asked at one of its addresses.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn address(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let of_a_system = |address: &IpAddr| {
            let mut systems = self.site.systems.iter();
            systems.any(|system| system.has_address(*address))
        };
        if self.is_named(host) || of_a_system(&address) || of_a_system(&address.to_canonical()) {
            return Ok(());
        }
        if let Some(kind) = kind(address, self.own) {
            return Err(Refused::Address {
                address,
                reaches: None,
                kind,
            });
        }
        let Some(reached) = carried(address) else {
            return Ok(());
        };
        match kind(IpAddr::V4(reached), self.own) {
            None => Ok(()),
            Some(kind) => Err(Refused::Address {
                address,
                reaches: Some(reached),
                kind,
            }),
        }
    }

    /// Whether the site file names a host: in `crl_urls`, or as a name or an address of a system.
    pub(crate) fn is_named(&self, host: &str) -> bool {
        let bare = host.trim_end_matches('.');
        let mut lists = self.site.crls.iter();
        lists.any(|crl| crl.host.trim_end_matches('.').eq_ignore_ascii_case(bare))
            || self.site.system_at(host).is_some()
    }

    /// Whether a flow of the user's own leads there.
    fn has_flow(&self, host: &str, port: u16) -> bool {
        let system = self.site.system_at(host);
        let leads = |flow: &crate::site::OwnFlow| {
            Some(flow.to) == system && flow.port == port && flow.asks_of_tcp()
        };
        self.site.flows.iter().any(leads)
    }
}

fn is_localhost(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next();
    last.is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
}

fn kind(address: IpAddr, own: &[IpNet]) -> Option<Kind> {
    let of_family = match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => kind_v6(v6),
    };
    let ends = |network: &&IpNet| matches!(network, IpNet::V4(v4) if v4.prefix_len() < 31 && IpAddr::V4(v4.broadcast()) == address);
    of_family
        .or_else(|| {
            own.iter()
                .any(|it| it.addr() == address)
                .then_some(Kind::Own)
        })
        .or_else(|| own.iter().find(ends).map(|_| Kind::Broadcast))
}

fn kind_v4(address: Ipv4Addr) -> Option<Kind> {
    match address.octets() {
        [0, ..] => Some(Kind::Unspecified),
        [127, ..] => Some(Kind::Loopback),
        [169, 254, ..] => Some(Kind::LinkLocal),
        [224..=239, ..] => Some(Kind::Multicast),
        [255, 255, 255, 255] => Some(Kind::Broadcast),
        _ => None,
    }
}

fn kind_v6(address: Ipv6Addr) -> Option<Kind> {
    match address {
        Ipv6Addr::UNSPECIFIED => Some(Kind::Unspecified),
        Ipv6Addr::LOCALHOST => Some(Kind::Loopback),
        _ if address.is_unicast_link_local() => Some(Kind::LinkLocal),
        _ if address.is_multicast() => Some(Kind::Multicast),
        _ => None,
    }
}

/// The IPv4 address that a packet to an IPv6 address reaches in the end.
///
/// 1. `::ffff:0:0/96`: the operating system itself connects over IPv4.
/// 2. `::/96`, `2002::/16`: tunnels of this host carry it there (RFC 4213, RFC 3056).
/// 3. `64:ff9b::/96`, `64:ff9b:1::/48`: a translator of this network (RFC 6052, RFC 8215).
fn carried(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let at = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..] => Some(at(high, low)),
        _ => None,
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNamed => out.write_str(
                "the site file does not name it, and `site.crl_hosts` leaves out all others",
            ),
            Self::Port(port) => write!(
                out,
                "port {port} is neither 80 nor one that the site file names for lists"
            ),
            Self::Address {
                address,
                reaches,
                kind,
            } => {
                write!(out, "{address} ")?;
                if let Some(reached) = reaches {
                    write!(out, "leads to {reached}, which ")?;
                }
                out.write_str(kind.words())
            }
        }
    }
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Loopback => "is this host itself (loopback)",
            Self::Unspecified => {
                "is the address of no host (unspecified), and this host may answer for it"
            }
            Self::LinkLocal => "is a link-local address, which means another host on every network",
            Self::Multicast => "is a multicast address, not that of one host",
            Self::Broadcast => "is a broadcast address, not that of one host",
            Self::Own => "is an address of this host itself",
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::product::{CONFIGMGR_2007, Catalogue};
    use crate::wire::trust::revocation::fetch::destination;

    fn site(keys: &str) -> Site {
        let text = format!(
            "site: {{ code: PRI, product: configmgr-2007{keys} }}
zones: {{ internet: {{}}, perimeter: {{}} }}
firewalls: {{ wall: {{ between: [internet, perimeter] }} }}
clients: [internet]
systems:
  web: {{ zone: perimeter, names: {{ default: web.example.com }}, addresses: {{ default: 127.0.0.9 }}, roles: [console] }}
  own: {{ zone: perimeter, names: {{ default: own.example.com }}, roles: [console] }}
flows:
  - {{ from: internet, to: web, port: 8088, need: optional }}
  - {{ from: internet, to: web, port: 8089, need: forbidden }}
  - {{ from: internet, to: web, port: 8090, transport: udp, need: optional }}
"
        );
        let (config, mut problems) = crate::config::read(text.as_bytes());
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
        let config = config.expect("a file");
        Site::new(&config, &catalogue, &mut problems).unwrap_or_else(|| panic!("{problems:?}"))
    }

    fn own() -> Vec<IpNet> {
        ["198.51.100.10/24", "2001:db8::10/64", "203.0.113.4/31"]
            .map(|text| text.parse().expect("a network"))
            .to_vec()
    }

    fn refused(site: &Site, host: &str, address: &str) -> Option<Kind> {
        let own = own();
        let gate = Gate { site, own: &own };
        let address = address.parse().expect("an address");
        match gate.address(host, address) {
            Ok(()) => None,
            Err(Refused::Address { kind, .. }) => Some(kind),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_strangers_address_passes_by_where_a_packet_would_go() {
        let site = site("");
        for (address, expected) in [
            ("127.0.0.1", Some(Kind::Loopback)),
            ("127.255.255.254", Some(Kind::Loopback)),
            ("0.0.0.0", Some(Kind::Unspecified)),
            ("0.1.2.3", Some(Kind::Unspecified)),
            ("169.254.169.254", Some(Kind::LinkLocal)),
            ("169.253.255.255", None),
            ("169.255.0.0", None),
            ("224.0.0.1", Some(Kind::Multicast)),
            ("239.255.255.255", Some(Kind::Multicast)),
            ("223.255.255.255", None),
            ("255.255.255.255", Some(Kind::Broadcast)),
            ("198.51.100.255", Some(Kind::Broadcast)),
            ("198.51.101.255", None),
            ("198.51.100.10", Some(Kind::Own)),
            ("198.51.100.11", None),
            // A network of two hosts has no broadcast address.
            ("203.0.113.5", None),
            ("203.0.113.4", Some(Kind::Own)),
            ("10.0.0.1", None),
            ("192.0.2.1", None),
            ("::", Some(Kind::Unspecified)),
            ("::1", Some(Kind::Loopback)),
            ("fe80::1", Some(Kind::LinkLocal)),
            ("febf::1", Some(Kind::LinkLocal)),
            ("fec0::1", None),
            ("ff02::1", Some(Kind::Multicast)),
            ("2001:db8::10", Some(Kind::Own)),
            ("2001:db8::11", None),
            ("fd00::1", None),
            ("::ffff:127.0.0.1", Some(Kind::Loopback)),
            ("::ffff:0.0.0.0", Some(Kind::Unspecified)),
            ("::ffff:169.254.169.254", Some(Kind::LinkLocal)),
            ("::ffff:224.0.0.1", Some(Kind::Multicast)),
            ("::ffff:255.255.255.255", Some(Kind::Broadcast)),
            ("::ffff:198.51.100.10", Some(Kind::Own)),
            ("::ffff:192.0.2.1", None),
            ("::127.0.0.1", Some(Kind::Loopback)),
            ("2002:7f00:1::1", Some(Kind::Loopback)),
            ("2002:a9fe:a9fe::", Some(Kind::LinkLocal)),
            ("2002:c000:201::1", None),
            ("64:ff9b::a9fe:a9fe", Some(Kind::LinkLocal)),
            ("64:ff9b:1:ffff::7f00:1", Some(Kind::Loopback)),
            ("64:ff9b::c000:201", None),
        ] {
            assert_eq!(
                refused(&site, "pki.example.net", address),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn what_the_file_names_is_asked_wherever_it_is() {
        let site =
            site(", crl_urls: [\"http://pki.example.com:8081/ca.crl\", \"http://[::1]/ca.crl\"]");
        for (host, address) in [
            ("pki.example.com", "127.0.0.1"),
            ("PKI.example.com.", "198.51.100.10"),
            ("::1", "::1"),
            ("own.example.com", "169.254.1.1"),
            ("127.0.0.9", "127.0.0.9"),
            // A stranger's name for a system of the file.
            ("pki.example.net", "127.0.0.9"),
            ("pki.example.net", "::ffff:127.0.0.9"),
        ] {
            assert_eq!(refused(&site, host, address), None, "{host}");
        }
        let stranger = refused(&site, "pki.example.net", "::1");
        assert_eq!(stranger, Some(Kind::Loopback));
    }

    #[test]
    fn only_port_80_and_ports_of_the_file_are_asked() {
        let keys =
            ", crl_urls: [\"http://pki.example.com:8081/ca.crl\"], client_ports: { http: [8082] }";
        let site = site(keys);
        let own = own();
        let gate = Gate {
            site: &site,
            own: &own,
        };
        for (host, port, passes) in [
            ("pki.example.net", 80, true),
            ("pki.example.net", 8081, true),
            ("pki.example.net", 8082, true),
            ("pki.example.net", 8080, false),
            ("pki.example.net", 22, false),
            ("pki.example.net", 443, false),
            ("pki.example.com", 8080, false),
            ("192.0.2.1", 80, true),
            // The user's own flows name ports of the system that they lead to, unless they forbid it.
            ("web.example.com", 8088, true),
            ("127.0.0.9", 8088, true),
            ("web.example.com", 8089, false),
            ("web.example.com", 8090, false),
            ("own.example.com", 8088, false),
            ("pki.example.net", 8088, false),
        ] {
            let expected = if passes {
                Ok(())
            } else {
                Err(Refused::Port(port))
            };
            assert_eq!(gate.host(host, port), expected, "{host}:{port}");
        }
    }

    #[test]
    fn the_name_of_this_host_itself_is_not_asked_whoever_resolves_it() {
        let site = site(", crl_urls: [\"http://named.localhost/ca.crl\"]");
        let own = own();
        let gate = Gate {
            site: &site,
            own: &own,
        };
        for host in ["localhost", "LOCALHOST.", "pki.localhost"] {
            assert!(gate.host(host, 80).is_err(), "{host}");
        }
        assert_eq!(gate.host("named.localhost", 80), Ok(()));
        assert_eq!(gate.host("localhost.example.net", 80), Ok(()));
    }

    #[test]
    fn with_named_only_hosts_of_the_file_are_asked() {
        let site = site(", crl_hosts: named, crl_urls: [\"http://pki.example.com/ca.crl\"]");
        let own = own();
        let gate = Gate {
            site: &site,
            own: &own,
        };
        let loopback = gate.host("127.0.0.1", 80).expect_err("refused");
        assert_eq!(loopback, Refused::NotNamed);
        for host in ["pki.example.com", "web.example.com", "127.0.0.9"] {
            assert_eq!(gate.host(host, 80), Ok(()), "{host}");
        }
        assert_eq!(gate.host("pki.example.net", 80), Err(Refused::NotNamed));
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let site = site("");
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://0177.0.0.01/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://１２７。０。０。１/",
            "http://user:word@127.0.0.1/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:ffff:127.0.0.1]/",
        ] {
            let parsed = Url::parse(url).expect("an address");
            let (host, port) = destination(&parsed).expect("a host");
            assert_eq!(port, 80);
            assert_eq!(refused(&site, &host, &host), Some(Kind::Loopback), "{url}");
        }
        // A zone of this host's own, as in fe80::1%eth0, has no place in a URL.
        for url in ["http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/"] {
            assert!(Url::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let site = site("");
        let own = own();
        let gate = Gate {
            site: &site,
            own: &own,
        };
        let mapped = "::ffff:169.254.169.254".parse().expect("an address");
        let why = gate.address("h", mapped).expect_err("refused").to_string();
        let words =
            "::ffff:169.254.169.254 leads to 169.254.169.254, which is a link-local address";
        assert!(why.starts_with(words), "{why}");
        let literal = gate.host("::1", 80).expect_err("refused").to_string();
        assert_eq!(literal, "::1 is this host itself (loopback)");
        let port = gate.host("h", 22).expect_err("refused").to_string();
        assert!(port.starts_with("port 22 is neither 80"), "{port}");
    }
}
