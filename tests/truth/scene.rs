//! What stands in one bed and what each part does, as plain data. `draw` makes a scene of a seed, `ground` lays it,
//! `rules` writes its firewalls, `truth` knows what may be said of it.

use std::net::{IpAddr, Ipv4Addr};

use crate::trouble::{Lost, Trouble};

/// What a packet meets, in the order in which it meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Device {
    /// Between the outer zone and the perimeter; with two paths, both of its nodes.
    FrontEnd,
    /// Between the perimeter and the intranet.
    BackEnd,
    /// The host itself.
    Host,
}

/// Where a firewall rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// In prerouting: the packet's TTL has not been looked at.
    BeforeTtl,
    /// In the forward hook: a packet whose TTL ran out never comes here.
    AfterTtl,
}

/// What an ICMP rejection says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icmp {
    AdminProhibited,
    /// Host-prohibited on IPv4, failed policy on IPv6.
    HostProhibited,
    PortUnreachable,
    HostUnreachable,
    NetUnreachable,
    /// Protocol-unreachable on IPv4, reject-route on IPv6.
    Other,
}

/// How a listener treats what it accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Keeps the connection and says nothing.
    Holds,
    /// Answers a request with 200.
    Http,
    /// Resets at once.
    Resets,
    /// A byte now and then, without end.
    Drips,
    /// Closes at once.
    Closes,
    /// Answers with more than a packet holds.
    Long,
    /// Answers as `Http` does, and only after seconds for who asks first.
    Starts,
}

/// What is amiss with one of three servers behind one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ill {
    /// Nobody listens there.
    Refuses,
    /// It answers requests with 503.
    Unavailable,
}

/// Which way of a connection packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    There,
    Back,
}

/// What a firewall drops of a connection that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drops {
    /// Packets of full size, and nobody is told.
    Large,
    /// All data.
    Data,
}

/// What really is behind a device that answers in a host's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Open,
    Closed,
    Dead,
}

/// What happens to a connection to one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing of its own: the port shares the fate of its host.
    AsHost,
    /// The network lets it through and the host listens.
    Listens(Manner),
    /// The network lets it through and nobody listens.
    NobodyListens,
    /// A drop rule; at the host, its own firewall's.
    Drop(Device, Hook),
    /// A `reject with tcp reset` rule.
    Reset(Device, Hook),
    /// A `reject with icmp` rule.
    Reject(Device, Hook, Icmp),
    /// A SYN proxy.
    Synproxy(Device, Behind),
    /// Sent to a listener on the firewall, which holds it; nobody listens behind.
    Redirect(Device),
    /// Sent to an HTTP proxy on the firewall, which connects on.
    HttpProxy(Device, Behind),
    /// One of two front-end nodes drops it, the other lets it through to a listener.
    OneNodeDrops(Hook),
    /// Three servers in turn, of which one is unwell.
    Members(Ill),
    /// A firewall lets the connection open and then drops packets of it.
    Hole(Device, Way, Drops),
}

/// What a flow asks of its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Forbidden,
}

/// What a flow's site file entry says of its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Http,
}

/// One flow.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) port: u16,
    pub(crate) need: Need,
    pub(crate) protocol: Protocol,
    pub(crate) action: Action,
}

/// How a device gets hold of connections to another's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    Redirect,
    Tproxy,
}

/// What a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Resets what nobody listens on.
    Alive,
    /// Its own firewall drops what nobody listens on.
    Stealth,
    /// Nobody has the address.
    Dead,
    /// A firewall drops everything to it.
    Shut(Device, Hook),
    /// A firewall answers for every port of it.
    Painted {
        at: Device,
        capture: Capture,
        manner: Manner,
        alive: bool,
    },
}

/// One host.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) zone: Zone,
    pub(crate) address: IpAddr,
    pub(crate) kind: Kind,
    pub(crate) flows: Vec<Flow>,
}

impl Host {
    /// Its number in the scene.
    pub(crate) fn number(&self) -> u8 {
        self.name[1..].parse().expect("hosts are h0, h1 and so on")
    }
}

/// Where a host or the prober stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    Outer,
    Perimeter,
    Intranet,
}

/// Which ICMP errors a firewall keeps to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// Its own.
    Own(Device),
    /// Its own and those that pass through it.
    Passing(Device),
}

/// The ways between the outer zone and the perimeter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    /// One front-end node.
    One,
    /// What comes back takes the second node.
    BackElsewhere,
    /// Both nodes carry what goes in, by a hash of addresses and ports.
    Two,
    /// What comes back from the intranet leaves out the back-end.
    BackShorter,
}

/// Everything of one bed.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Where the prober stands: `Outer` or `Perimeter`.
    pub(crate) vantage: Zone,
    /// What the site file calls the outer zone. `internet` makes the catalogue forbid ports of its own.
    pub(crate) outer: &'static str,
    /// Lost tries in a hundred, both directions together.
    pub(crate) loss: u8,
    /// Whether routers and hosts limit their ICMP errors, as they do by default.
    pub(crate) limited: bool,
    pub(crate) hidden: Option<Hidden>,
    pub(crate) paths: Paths,
    /// Whether the site file knows the firewalls' addresses.
    pub(crate) addresses_given: bool,
    /// The front-end node drops everything and says nothing.
    pub(crate) void: bool,
    pub(crate) trouble: Trouble,
    /// Whether portproof looks again at what fails, as it does by default.
    pub(crate) patient: bool,
    pub(crate) hosts: Vec<Host>,
}

impl Scene {
    /// Every flow with its host, in the order of the site file.
    pub(crate) fn flows(&self) -> impl Iterator<Item = (&Host, &Flow)> {
        self.hosts
            .iter()
            .flat_map(|host| host.flows.iter().map(move |flow| (host, flow)))
    }

    /// The address of a host for the prober.
    pub(crate) fn asked_at(&self, host: &Host) -> IpAddr {
        match self.trouble {
            Trouble::Translation => Ipv4Addr::new(203, 0, 113, 10 + host.number()).into(),
            _ => host.address,
        }
    }

    /// Whether a second node stands beside the front-end's first.
    pub(crate) fn has_second_node(&self) -> bool {
        matches!(self.paths, Paths::Two | Paths::BackElsewhere)
    }

    /// What stands between the prober and a host, with the host last: hop by hop.
    pub(crate) fn way_to(&self, host: &Host) -> &'static [Device] {
        match (self.vantage, host.zone) {
            (Zone::Outer, Zone::Intranet) => &[Device::FrontEnd, Device::BackEnd, Device::Host],
            (Zone::Outer, _) => &[Device::FrontEnd, Device::Host],
            (_, Zone::Intranet) => &[Device::BackEnd, Device::Host],
            _ => &[Device::Host],
        }
    }

    /// The firewall before a host.
    pub(crate) fn last_router(&self, host: &Host) -> Device {
        match host.zone {
            Zone::Intranet => Device::BackEnd,
            Zone::Outer | Zone::Perimeter => Device::FrontEnd,
        }
    }

    /// Whether an ICMP error about a host comes back from a device on the way to it.
    pub(crate) fn is_heard(&self, speaker: Device, host: &Host) -> bool {
        match self.hidden {
            None => true,
            Some(Hidden::Own(at)) => at != speaker,
            Some(Hidden::Passing(at)) => at > speaker || !self.way_to(host).contains(&at),
        }
    }

    /// A plain network: no loss, no limits, nothing hidden, one path, and something answers.
    pub(crate) fn is_plain(&self) -> bool {
        self.loss == 0
            && !self.limited
            && self.hidden.is_none()
            && self.paths == Paths::One
            && self.trouble == Trouble::None
            && !self.void
    }

    /// The name of the vantage's zone in the site file.
    pub(crate) fn vantage_name(&self) -> &'static str {
        zone_name(self, self.vantage)
    }
}

/// The name of a zone in the site file.
pub(crate) fn zone_name(scene: &Scene, zone: Zone) -> &'static str {
    match zone {
        Zone::Outer => scene.outer,
        Zone::Perimeter => "perimeter",
        Zone::Intranet => "intranet",
    }
}

/// The name of a firewall in the site file; the host is none.
pub(crate) fn firewall_name(device: Device) -> Option<&'static str> {
    match device {
        Device::FrontEnd => Some("front-end"),
        Device::BackEnd => Some("back-end"),
        Device::Host => None,
    }
}

/// The addresses of a firewall: of both nodes, where it has two.
pub(crate) fn firewall_addresses(device: Device) -> &'static [&'static str] {
    match device {
        Device::FrontEnd => &[
            "198.51.100.1",
            "198.51.100.2",
            "192.0.2.1",
            "192.0.2.2",
            "2001:db8:1::1",
            "2001:db8:1::2",
            "2001:db8:2::1",
            "2001:db8:2::2",
        ],
        Device::BackEnd => &[
            "192.0.2.254",
            "10.0.0.254",
            "2001:db8:2::254",
            "2001:db8:3::254",
        ],
        Device::Host => &[],
    }
}

/// What a flow is counted under in the table.
pub(crate) fn category(scene: &Scene, host: &Host, flow: &Flow) -> String {
    if scene.void {
        return "nothing answers".to_string();
    }
    let hook = |hook| match hook {
        Hook::BeforeTtl => "before the TTL check",
        Hook::AfterTtl => "after it",
    };
    match flow.action {
        Action::AsHost => match host.kind {
            Kind::Alive => "closed: nobody listens".to_string(),
            Kind::Stealth => "closed: the host hides it".to_string(),
            Kind::Dead if flow.need == Need::Forbidden => "dead host: forbidden".to_string(),
            Kind::Dead => "dead host: required".to_string(),
            Kind::Shut(..) => "shut host".to_string(),
            Kind::Painted { alive: true, .. } => "device answers for all: host alive".to_string(),
            Kind::Painted { alive: false, .. } => "device answers for all: host dead".to_string(),
        },
        Action::NobodyListens if host.kind == Kind::Stealth => {
            "closed: the host hides it".to_string()
        }
        Action::NobodyListens => "closed: nobody listens".to_string(),
        Action::Listens(manner) => match (manner, flow.protocol) {
            (Manner::Http | Manner::Long, _) => "open: HTTP".to_string(),
            (Manner::Resets, _) => "open: accepts and resets".to_string(),
            (Manner::Drips, _) => "open: drips".to_string(),
            (Manner::Starts, _) => "open: starts slowly".to_string(),
            (Manner::Closes, _) => "open: accepts and closes".to_string(),
            (Manner::Holds, Protocol::Http) => "open: mute where HTTP is asked".to_string(),
            (Manner::Holds, Protocol::Tcp) => "open".to_string(),
        },
        Action::Drop(Device::Host, _) => "drop: the host's own firewall".to_string(),
        Action::Drop(_, at) => format!("drop: {}", hook(at)),
        Action::Reset(Device::Host, _) => "reset: the host's own firewall".to_string(),
        Action::Reset(_, at) => format!("reset: {}", hook(at)),
        Action::Reject(Device::Host, ..) => "reject: the host's own firewall".to_string(),
        Action::Reject(_, Hook::BeforeTtl, _) => "reject: before the TTL check".to_string(),
        Action::Reject(_, Hook::AfterTtl, icmp) => match icmp {
            Icmp::AdminProhibited => "reject: admin-prohibited",
            Icmp::HostProhibited => "reject: host-prohibited",
            Icmp::PortUnreachable => "reject: port-unreachable",
            Icmp::HostUnreachable => "reject: host-unreachable",
            Icmp::NetUnreachable => "reject: net-unreachable",
            Icmp::Other => "reject: another code",
        }
        .to_string(),
        Action::Synproxy(_, behind) => format!("SYN proxy: {}", behind_name(behind)),
        Action::Redirect(_) => "redirect to the firewall".to_string(),
        Action::HttpProxy(_, behind) => format!("HTTP proxy: {}", behind_name(behind)),
        Action::OneNodeDrops(_) => "one of two paths drops".to_string(),
        Action::Hole(_, way, drops) => hole_name(way, drops).to_string(),
        Action::Members(Ill::Refuses) => "one of three members refuses".to_string(),
        Action::Members(Ill::Unavailable) => "one of three members answers 503".to_string(),
    }
}

fn hole_name(way: Way, drops: Drops) -> &'static str {
    match (drops, way) {
        (Drops::Data, Way::There) => "data dropped: toward the host",
        (Drops::Data, Way::Back) => "data dropped: from the host",
        (Drops::Large, Way::There) => "MTU hole: toward the host, requests are small",
        (Drops::Large, Way::Back) => "MTU hole: from the host",
    }
}

fn behind_name(behind: Behind) -> &'static str {
    match behind {
        Behind::Open => "open port behind",
        Behind::Closed => "closed port behind",
        Behind::Dead => "dead host behind",
    }
}

/// What a bed is counted under in the table.
pub(crate) fn bed_name(scene: &Scene, host: &Host) -> String {
    let routers = match scene.way_to(host).len() {
        2 => "one router",
        _ => "two routers",
    };
    let limits = if scene.limited {
        "ICMP limits of the kernel"
    } else {
        "no ICMP limits"
    };
    match (scene.trouble, scene.paths) {
        (Trouble::None, Paths::BackShorter) => {
            format!("answers leave out the back-end: {limits}")
        }
        (Trouble::None, _) if scene.patient => "few ICMP errors".to_string(),
        (Trouble::None, _) => format!("ordinary: {limits}"),
        (Trouble::Holes, _) => "packets of open connections dropped".to_string(),
        (Trouble::Unequal, _) => "unequal servers".to_string(),
        (Trouble::Translation, _) => format!("address translation: {routers}, {limits}"),
        (Trouble::SetTtl(_), _) => format!("a firewall sets the TTL: {limits}"),
        (Trouble::ProxyArp, _) => format!("proxy ARP: {limits}"),
        (Trouble::Outage(outage), _) => match outage.lost {
            Lost::Path => "outage of the path",
            Lost::Host(_) => "outage of a host",
            Lost::Rule(..) => "outage of a rule",
        }
        .to_string(),
        (Trouble::Limit(limit), _) if limit.resets => "limit on new connections: reset".to_string(),
        (Trouble::Limit(_), _) => "limit on new connections: drop".to_string(),
    }
}
