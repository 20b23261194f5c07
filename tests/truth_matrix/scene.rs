//! What stands in one bed and what each part does, as plain data. `draw` makes a scene of a seed, `ground` lays it,
//! `rules` writes its firewalls, `truth` knows what may be said of it.

use std::net::IpAddr;

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
    pub(crate) hosts: Vec<Host>,
}

impl Scene {
    /// Every flow with its host, in the order of the site file.
    pub(crate) fn flows(&self) -> impl Iterator<Item = (&Host, &Flow)> {
        self.hosts
            .iter()
            .flat_map(|host| host.flows.iter().map(move |flow| (host, flow)))
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
            Kind::Dead => "dead host".to_string(),
            Kind::Shut(..) => "shut host".to_string(),
            Kind::Painted { alive: true, .. } => "device answers for all: host alive".to_string(),
            Kind::Painted { alive: false, .. } => "device answers for all: host dead".to_string(),
        },
        Action::NobodyListens if host.kind == Kind::Stealth => {
            "closed: the host hides it".to_string()
        }
        Action::NobodyListens => "closed: nobody listens".to_string(),
        Action::Listens(manner) => match (manner, flow.protocol) {
            (Manner::Http, _) => "open: HTTP".to_string(),
            (Manner::Resets, _) => "open: accepts and resets".to_string(),
            (Manner::Drips, _) => "open: drips".to_string(),
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
    }
}

fn behind_name(behind: Behind) -> &'static str {
    match behind {
        Behind::Open => "open port behind",
        Behind::Closed => "closed port behind",
        Behind::Dead => "dead host behind",
    }
}
