//! What a row of the page puts where, and what is asked of it. Every row has addresses of its own, both as the asked
//! and as the asking. Routers count ICMP messages by their receiver, so no row spends what another needs.

use super::page::{Family, Network};

/// A service listens there on every address of the host.
pub(crate) const LISTENING: u16 = 1000;
/// Nobody listens there.
const CLOSED: u16 = 1001;
/// Its queue of accepted connections is full.
pub(crate) const FULL: u16 = 1002;

/// The router's end of the networks of the prober, and of that of the host.
pub(crate) const ROUTER: u8 = 1;
pub(crate) const ROUTER_BEHIND: u8 = 254;
/// An address of the prober's network that nobody has.
const NOBODY: u8 = 250;
/// The rows' numbers are the last parts of their addresses.
const NUMBERS: std::ops::RangeInclusive<u8> = 10..=240;

/// Where HOST stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// Behind the router, and alive.
    Alive,
    /// Behind the router, and off.
    Off,
    /// In a network that the router has no route to.
    Nowhere,
    /// In a network that this host has no route to.
    Unrouted,
    /// On the prober's own network, and off.
    Beside,
}

/// What goes before a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    Nothing,
    /// A connection of the same two ports that this end has forgotten.
    Forgotten,
    /// A connection of the same two ports that was left half open.
    HalfOpen,
    /// Packets that ran out of hops at the router.
    Expired,
}

/// What stands there for a row.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) number: u8,
    pub(crate) stands: Stands,
    /// Whether packets take no time to the router.
    pub(crate) near: bool,
    pub(crate) port: u16,
    pub(crate) hops: Option<u8>,
    pub(crate) before: Before,
    /// Commands for each family, with their namespaces.
    pub(crate) commands: Vec<(String, String)>,
    /// Rules for each family, with their namespaces and chains.
    pub(crate) rules: Vec<(String, String, String)>,
}

impl Setup {
    /// What a row of the page asks for.
    pub(crate) fn of(place: &str, what: &str, number: u8) -> Self {
        assert!(NUMBERS.contains(&number), "more rows than addresses");
        let mut setup = Self {
            number,
            stands: Stands::Alive,
            near: false,
            port: LISTENING,
            hops: None,
            before: Before::Nothing,
            commands: Vec::new(),
            rules: Vec::new(),
        };
        let code = what
            .strip_prefix('`')
            .and_then(|rest| rest.strip_suffix('`'));
        match (place.split_once(", "), code) {
            (Some((namespace, chain)), Some(rule)) => setup.rule(namespace, chain, rule),
            (None, Some(command)) => setup.commands.push((place.into(), command.into())),
            _ => setup.named(place, what),
        }
        setup
    }

    fn rule(&mut self, namespace: &str, chain: &str, rule: &str) {
        let rule = format!("DADDR HOST tcp dport {} {rule}", self.port);
        self.rules.push((namespace.into(), chain.into(), rule));
    }

    /// What the page says in words.
    fn named(&mut self, place: &str, what: &str) {
        match (place, what) {
            ("host", "a program listens") => {}
            ("host", "nobody listens") => self.port = CLOSED,
            ("host", "a full queue of connections to accept") => self.port = FULL,
            ("host", "an older connection between the same two ports") => {
                self.before = Before::Forgotten;
            }
            ("host", "half a connection between the same two ports") => {
                self.before = Before::HalfOpen;
            }
            ("here", "no route") => self.stands = Stands::Unrouted,
            ("here", "no such host on this network") => self.stands = Stands::Beside,
            ("router", "no route") => self.stands = Stands::Nowhere,
            ("router", "no such host on the host's network") => self.stands = Stands::Off,
            ("router", "the last hop that a packet may go") => self.hops = Some(1),
            ("router", "a SYN proxy before a host that listens") => self.syn_proxy(),
            ("router", "a SYN proxy before a host that is off") => {
                self.stands = Stands::Off;
                self.syn_proxy();
            }
            ("router", "a SYN proxy of nftables") => self.syn_proxy_of_nftables(),
            ("router", "a SYN proxy of nftables, no time away") => {
                self.near = true;
                self.syn_proxy_of_nftables();
            }
            ("router", "`reject with icmpx admin-prohibited` in forward, no time away") => {
                self.near = true;
                self.rule("router", "forward", "reject with icmpx admin-prohibited");
            }
            (
                "router",
                "`reject with icmpx admin-prohibited` in forward, after 20 packets that ran out of \
                 hops",
            ) => {
                self.before = Before::Expired;
                self.rule("router", "forward", "reject with icmpx admin-prohibited");
            }
            ("router", "translation to a host that is off") => self.translate(),
            ("router", "translation, then `reject with icmpx admin-prohibited` in forward") => {
                self.translate();
                let rule = "DADDR BEHIND reject with icmpx admin-prohibited";
                let place = ["router", "forward", rule].map(String::from);
                self.rules.push(place.into());
            }
            _ => panic!("no test knows how to set up {what:?} at {place:?}"),
        }
    }

    fn syn_proxy(&mut self) {
        for command in [
            "iptables -t raw -A PREROUTING -d HOST -p tcp --syn -j CT --notrack",
            "iptables -A FORWARD -d HOST -p tcp -m conntrack --ctstate INVALID,UNTRACKED \
             -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460",
        ] {
            self.commands.push(("router".into(), command.into()));
        }
    }

    fn syn_proxy_of_nftables(&mut self) {
        let to = format!("DADDR HOST tcp dport {}", self.port);
        for (chain, rule) in [
            ("untracked", "tcp flags syn notrack"),
            (
                "forward",
                "ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm",
            ),
            ("forward", "ct state invalid drop"),
        ] {
            let rule = format!("{to} {rule}");
            self.rules.push(("router".into(), chain.into(), rule));
        }
    }

    fn translate(&mut self) {
        self.stands = Stands::Nowhere;
        let rule = "DADDR HOST dnat NFPROTO to BEHIND";
        let place = ["router", "translation", rule].map(String::from);
        self.rules.push(place.into());
    }

    /// The network that HOST lies in.
    pub(crate) fn network(&self) -> Network {
        match self.stands {
            Stands::Alive | Stands::Off => Network::Behind,
            Stands::Nowhere | Stands::Unrouted => Network::Nowhere,
            Stands::Beside => Network::Here,
        }
    }

    /// The network that the prober asks from.
    pub(crate) fn own_network(&self) -> Network {
        match self.near {
            true => Network::Near,
            false => Network::Here,
        }
    }

    /// Whether the prober has a route of its own to HOST: not where the row is about another one.
    pub(crate) fn has_route(&self) -> bool {
        let is_route = |(namespace, command): &(String, String)| {
            namespace == "here" && command.starts_with("ip route")
        };
        let is_elsewhere = matches!(self.stands, Stands::Unrouted | Stands::Beside);
        !is_elsewhere && !self.commands.iter().any(is_route)
    }

    /// A command or rule with the addresses of a family.
    pub(crate) fn filled_in(&self, text: &str, family: Family) -> String {
        let (daddr, protocol) = match family {
            Family::V4 => ("ip daddr", "ip"),
            Family::V6 => ("ip6 daddr", "ip6"),
        };
        let at = |network, last| family.address(network, last).to_string();
        text.replace("DADDR", daddr)
            .replace("NFPROTO", protocol)
            .replace("BEHIND", &at(Network::Behind, self.number))
            .replace("HOST", &at(self.network(), self.number))
            .replace("NOBODY", &at(Network::Here, NOBODY))
    }
}
