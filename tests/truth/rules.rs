//! The nftables rules of a scene, and who listens where: pure text, one rule a line (nft 1.0.6 wants it so).

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::scene::{
    Action, Behind, Capture, Device, Drops, Flow, Hidden, Hook, Host, Icmp, Ill, Kind, Manner,
    Protocol, Scene, Way, Zone,
};
use crate::trouble::{Limit, Lost, Trouble};

/// The mark and routing table with which TPROXY keeps a packet on the firewall.
pub(crate) const KEPT: u8 = 100;
/// Where a firewall listens for ports that it answers in a host's place, and for whole hosts.
const FIRST_OWN_PORT: usize = 20_000;
const FIRST_PAINTED_PORT: usize = 30_000;
/// Where the servers behind one port of a host listen.
const FIRST_MEMBER_PORT: u16 = 40_000;

/// The chains of one firewall, in the order in which a packet meets them.
#[derive(Default)]
struct Chains {
    sets: Vec<String>,
    lossy_in: Vec<String>,
    untracked: Vec<String>,
    before: Vec<String>,
    captured: Vec<String>,
    after: Vec<String>,
    own: Vec<String>,
    shaped: Vec<String>,
    lossy_out: Vec<String>,
}

impl Chains {
    fn at(&mut self, hook: Hook) -> &mut Vec<String> {
        match hook {
            Hook::BeforeTtl => &mut self.before,
            Hook::AfterTtl => &mut self.after,
        }
    }

    fn text(&self) -> String {
        let chains = [
            (
                "lossy_in",
                "filter hook prerouting priority -310",
                &self.lossy_in,
            ),
            (
                "untracked",
                "filter hook prerouting priority -300",
                &self.untracked,
            ),
            (
                "before",
                "filter hook prerouting priority -150",
                &self.before,
            ),
            (
                "captured",
                "nat hook prerouting priority -100",
                &self.captured,
            ),
            ("after", "filter hook forward priority 0", &self.after),
            ("own", "filter hook output priority 0", &self.own),
            (
                "shaped",
                "filter hook postrouting priority 300",
                &self.shaped,
            ),
            (
                "lossy_out",
                "filter hook postrouting priority 310",
                &self.lossy_out,
            ),
        ];
        let mut text = "table inet wall {\n".to_string();
        for set in &self.sets {
            text += &format!(" {set}\n");
        }
        for (name, place, rules) in chains {
            if rules.is_empty() {
                continue;
            }
            text += &format!(" chain {name} {{\n  type {place}; policy accept;\n");
            for rule in rules {
                text += &format!("  {rule}\n");
            }
            text += " }\n";
        }
        text + "}\n"
    }
}

/// The rules of one firewall; `node` counts the nodes of the front-end from 1.
pub(crate) fn of_firewall(scene: &Scene, device: Device, node: usize) -> String {
    let mut chains = Chains::default();
    let nearest = match scene.vantage {
        Zone::Perimeter => Device::BackEnd,
        Zone::Outer | Zone::Intranet => Device::FrontEnd,
    };
    if device == nearest && scene.loss > 0 {
        lose(&mut chains, scene.loss);
    }
    hide(&mut chains, scene.hidden, device);
    if scene.void && device == Device::FrontEnd {
        chains.before.push("iifname \"out\" drop".to_string());
    }
    for (number, host) in scene.hosts.iter().enumerate() {
        of_whole_host(&mut chains, device, host, number);
        for (index, flow) in host.flows.iter().enumerate() {
            of_port(
                &mut chains,
                (device, node),
                host,
                flow,
                own_port(number, index),
            );
        }
    }
    trouble(&mut chains, scene, device);
    chains.text()
}

/// What sets the bed apart, after the rules for each port.
fn trouble(chains: &mut Chains, scene: &Scene, device: Device) {
    match scene.trouble {
        Trouble::Translation if device == Device::FrontEnd => {
            for host in &scene.hosts {
                let (asked, real) = (scene.asked_at(host), host.address);
                let rule = format!("{} dnat ip to {real}", to(asked));
                chains.captured.push(rule);
            }
        }
        Trouble::SetTtl(at) if at == device => chains.shaped.extend(
            [
                "oifname \"out\" ip ttl set 64",
                // Neighbour discovery keeps its own.
                "oifname \"out\" meta l4proto tcp ip6 hoplimit set 64",
            ]
            .map(str::to_string),
        ),
        Trouble::Limit(limit) if device == Device::FrontEnd => limited(chains, limit),
        _ => {}
    }
}

fn limited(chains: &mut Chains, limit: Limit) {
    let refuses = if limit.resets {
        "reject with tcp reset"
    } else {
        "drop"
    };
    let rate = limit.a_second;
    for (set, kind, source) in [
        ("sources", "ipv4_addr", "ip saddr"),
        ("sources6", "ipv6_addr", "ip6 saddr"),
    ] {
        chains.sets.push(format!(
            "set {set} {{ type {kind}; flags dynamic; size 99; }}"
        ));
        chains.after.push(format!(
            "iifname \"out\" tcp flags & (syn | ack) == syn add @{set} {{ {source} limit rate over {rate}/second burst {rate} packets }} \
             {refuses}"
        ));
    }
}

/// A table of its own, for what an outage takes away.
pub(crate) fn of_outage(scene: &Scene, lost: Lost) -> String {
    let what = match lost {
        Lost::Path => "iifname \"out\"".to_string(),
        Lost::Host(number) => to_host(&scene.hosts[number]),
        Lost::Rule(number, port) => {
            format!("{} tcp dport {port}", to_host(&scene.hosts[number]))
        }
    };
    // Neighbours are found all the while.
    let neighbours = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept";
    format!(
        "table inet outage {{\n chain lost {{\n  type filter hook prerouting priority -400; policy accept;\n  {neighbours}\n  {what} drop\n }}\n}}\n"
    )
}

/// Loses SYNs on the way in and answers on the way out, so that about `loss` of a hundred tries fail.
fn lose(chains: &mut Chains, loss: u8) {
    let each = ((1.0 - (1.0 - f64::from(loss) / 100.0).sqrt()) * 1_000.0).round();
    let lost = format!("numgen random mod 1000 < {each} drop");
    chains.lossy_in.push(format!(
        "iifname \"out\" tcp flags & (syn | ack) == syn {lost}"
    ));
    chains.lossy_out.push(format!(
        "oifname \"out\" tcp flags & (syn | ack) == (syn | ack) {lost}"
    ));
    chains
        .lossy_out
        .push(format!("oifname \"out\" tcp flags & rst == rst {lost}"));
}

fn hide(chains: &mut Chains, hidden: Option<Hidden>, device: Device) {
    let errors = [
        "icmp type { destination-unreachable, time-exceeded } drop",
        "icmpv6 type { destination-unreachable, time-exceeded } drop",
    ]
    .map(str::to_string);
    match hidden {
        Some(Hidden::Own(at)) if at == device => chains.own.extend(errors),
        Some(Hidden::Passing(at)) if at == device => {
            chains.own.extend(errors.clone());
            chains.after.extend(errors);
        }
        _ => {}
    }
}

fn of_whole_host(chains: &mut Chains, device: Device, host: &Host, number: usize) {
    let to = to_host(host);
    match host.kind {
        Kind::Shut(at, hook) if at == device => chains.at(hook).push(format!("{to} drop")),
        Kind::Painted { at, capture, .. } if at == device => {
            let port = FIRST_PAINTED_PORT + number;
            match (capture, host.address) {
                (Capture::Redirect, _) => chains
                    .captured
                    .push(format!("{to} tcp dport 1-65535 redirect to :{port}")),
                (Capture::Tproxy, IpAddr::V4(_)) => chains.before.push(format!(
                    "{to} meta l4proto tcp tproxy ip to 127.0.0.1:{port} meta mark set {KEPT} accept"
                )),
                (Capture::Tproxy, IpAddr::V6(_)) => chains.before.push(format!(
                    "{to} meta l4proto tcp tproxy ip6 to [::1]:{port} meta mark set {KEPT} accept"
                )),
            }
        }
        _ => {}
    }
}

fn of_port(
    chains: &mut Chains,
    (device, node): (Device, usize),
    host: &Host,
    flow: &Flow,
    own: usize,
) {
    let to = format!("{} tcp dport {}", to_host(host), flow.port);
    match flow.action {
        Action::Hole(at, way, drops) if at == device => {
            chains.after.push(hole(host, flow, way, drops));
        }
        Action::Drop(at, hook) if at == device => chains.at(hook).push(format!("{to} drop")),
        Action::OneNodeDrops(hook) if device == Device::FrontEnd && node == 2 => {
            chains.at(hook).push(format!("{to} drop"));
        }
        Action::Reset(at, hook) if at == device => {
            chains.at(hook).push(format!("{to} reject with tcp reset"));
        }
        Action::Reject(at, hook, icmp) if at == device => {
            let says = rejection(host.address, icmp);
            chains.at(hook).push(format!("{to} reject with {says}"));
        }
        Action::Synproxy(at, _) if at == device => {
            chains.untracked.push(format!("{to} tcp flags syn notrack"));
            chains.after.push(format!(
                "{to} ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm"
            ));
            chains.after.push(format!("{to} ct state invalid drop"));
        }
        Action::Redirect(at) | Action::HttpProxy(at, _) if at == device => {
            chains.captured.push(format!("{to} redirect to :{own}"));
        }
        _ => {}
    }
}

/// Packets that only acknowledge have at most 100 bytes.
fn hole(host: &Host, flow: &Flow, way: Way, drops: Drops) -> String {
    let (host, port) = (to_host(host), flow.port);
    let connection = match way {
        Way::There => format!("{host} tcp dport {port}"),
        Way::Back => format!("{} tcp sport {port}", host.replace("daddr", "saddr")),
    };
    let size = match drops {
        Drops::Large => 1_300,
        Drops::Data => 100,
    };
    format!("{connection} meta length > {size} drop")
}

/// The rules of a host's own firewall; `None` where it has none.
pub(crate) fn of_host(host: &Host) -> Option<String> {
    let mut rules = Vec::new();
    for flow in &host.flows {
        let port = format!("tcp dport {}", flow.port);
        match flow.action {
            Action::Drop(Device::Host, _) => rules.push(format!("{port} drop")),
            Action::Reset(Device::Host, _) => rules.push(format!("{port} reject with tcp reset")),
            Action::Reject(Device::Host, _, icmp) => {
                rules.push(format!(
                    "{port} reject with {}",
                    rejection(host.address, icmp)
                ));
            }
            _ => {}
        }
    }
    let members: Vec<String> = host.flows.iter().filter_map(balanced).collect();
    if host.kind == Kind::Stealth {
        for flow in host.flows.iter().filter(|flow| is_let_in(flow)) {
            rules.push(format!("tcp dport {} accept", flow.port));
        }
        rules.push("tcp flags & (syn | ack) == syn drop".to_string());
    }
    if rules.is_empty() && members.is_empty() {
        return None;
    }
    let (rules, members) = (rules.join("\n  "), members.join("\n  "));
    Some(format!(
        "table inet host {{\n chain balanced {{\n  type nat hook prerouting priority -100; policy accept;\n  {members}\n }}\n\
         \x20chain in {{\n  type filter hook input priority 0; policy accept;\n  {rules}\n }}\n}}\n"
    ))
}

/// Sends the connections of a port to its three members in turn.
fn balanced(flow: &Flow) -> Option<String> {
    let Action::Members(_) = flow.action else {
        return None;
    };
    let [one, two, three] = member_ports(flow);
    Some(format!(
        "tcp dport {} redirect to :numgen inc mod 3 map {{ 0 : {one}, 1 : {two}, 2 : {three} }}",
        flow.port
    ))
}

fn member_ports(flow: &Flow) -> [u16; 3] {
    [0, 1, 2].map(|member| FIRST_MEMBER_PORT + 10 * (flow.port % 1_000) + member)
}

fn to_host(host: &Host) -> String {
    to(host.address)
}

fn to(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("ip daddr {address}"),
        IpAddr::V6(address) => format!("ip6 daddr {address}"),
    }
}

fn rejection(address: IpAddr, icmp: Icmp) -> &'static str {
    match (address, icmp) {
        (IpAddr::V4(_), Icmp::AdminProhibited) => "icmp type admin-prohibited",
        (IpAddr::V4(_), Icmp::HostProhibited) => "icmp type host-prohibited",
        (IpAddr::V4(_), Icmp::PortUnreachable) => "icmp type port-unreachable",
        (IpAddr::V4(_), Icmp::HostUnreachable) => "icmp type host-unreachable",
        (IpAddr::V4(_), Icmp::NetUnreachable) => "icmp type net-unreachable",
        (IpAddr::V4(_), Icmp::Other) => "icmp type prot-unreachable",
        (IpAddr::V6(_), Icmp::AdminProhibited) => "icmpv6 type admin-prohibited",
        (IpAddr::V6(_), Icmp::HostProhibited) => "icmpv6 type policy-fail",
        (IpAddr::V6(_), Icmp::PortUnreachable) => "icmpv6 type port-unreachable",
        (IpAddr::V6(_), Icmp::HostUnreachable) => "icmpv6 type addr-unreachable",
        (IpAddr::V6(_), Icmp::NetUnreachable) => "icmpv6 type no-route",
        (IpAddr::V6(_), Icmp::Other) => "icmpv6 type reject-route",
    }
}

fn own_port(host: usize, flow: usize) -> usize {
    FIRST_OWN_PORT + host * 100 + flow
}

/// The listener of a port at its host. Behind every rule that blocks stands a service: nothing else stops the client.
fn service(flow: &Flow) -> Option<Manner> {
    let plain = match flow.protocol {
        Protocol::Tcp => Manner::Holds,
        Protocol::Http => Manner::Http,
    };
    match flow.action {
        Action::Listens(manner) => Some(manner),
        Action::HttpProxy(_, Behind::Open) => Some(Manner::Http),
        Action::Hole(..) => Some(Manner::Long),
        Action::Drop(..)
        | Action::Reset(..)
        | Action::Reject(..)
        | Action::Synproxy(_, Behind::Open)
        | Action::OneNodeDrops(_)
        | Action::AsHost => Some(plain),
        Action::NobodyListens
        | Action::Members(_)
        | Action::Redirect(_)
        | Action::Synproxy(_, Behind::Closed | Behind::Dead)
        | Action::HttpProxy(_, Behind::Closed | Behind::Dead) => None,
    }
}

/// Whether a host that hides its unused ports lets connections to this one come in.
fn is_let_in(flow: &Flow) -> bool {
    service(flow).is_some()
        || matches!(
            flow.action,
            Action::Synproxy(_, Behind::Closed) | Action::HttpProxy(_, Behind::Closed)
        )
}

fn manner_name(manner: Manner) -> &'static str {
    match manner {
        Manner::Holds => "holds",
        Manner::Http => "http",
        Manner::Resets => "resets",
        Manner::Drips => "drips",
        Manner::Closes => "closes",
        Manner::Starts => "starts",
        Manner::Long => "long",
    }
}

/// Who listens on a host.
pub(crate) fn listeners_of_host(host: &Host) -> Vec<Value> {
    let one = |flow: &Flow| {
        let manner = manner_name(service(flow)?);
        Some(json!({"address": host.address, "port": flow.port, "manner": manner}))
    };
    let members = host.flows.iter().flat_map(|flow| members(host, flow));
    host.flows.iter().filter_map(one).chain(members).collect()
}

/// The listeners of the members of a port: two are well, of the third it depends.
fn members(host: &Host, flow: &Flow) -> Vec<Value> {
    let Action::Members(ill) = flow.action else {
        return Vec::new();
    };
    let well = match flow.protocol {
        Protocol::Tcp => "holds",
        Protocol::Http => "http",
    };
    let third = match ill {
        Ill::Refuses => None,
        Ill::Unavailable => Some("unavailable"),
    };
    let manners = [Some(well), Some(well), third];
    let listen = |(port, manner): (u16, Option<&str>)| {
        Some(json!({"address": host.address, "port": port, "manner": manner?}))
    };
    let ports = member_ports(flow).into_iter().zip(manners);
    ports.filter_map(listen).collect()
}

/// Who listens on a firewall, in the place of hosts.
pub(crate) fn listeners_of_firewall(scene: &Scene, device: Device) -> Vec<Value> {
    let mut all = Vec::new();
    for (number, host) in scene.hosts.iter().enumerate() {
        if let Kind::Painted {
            at,
            capture,
            manner,
            ..
        } = host.kind
            && at == device
        {
            let (address, transparent) = match (capture, host.address) {
                (Capture::Redirect, _) => ("::", false),
                (Capture::Tproxy, IpAddr::V4(_)) => ("127.0.0.1", true),
                (Capture::Tproxy, IpAddr::V6(_)) => ("::1", true),
            };
            all.push(json!({
                "address": address, "port": FIRST_PAINTED_PORT + number,
                "manner": manner_name(manner), "transparent": transparent,
            }));
        }
        for (index, flow) in host.flows.iter().enumerate() {
            let port = own_port(number, index);
            match flow.action {
                Action::Redirect(at) if at == device => {
                    all.push(json!({"address": "::", "port": port, "manner": "holds"}));
                }
                Action::HttpProxy(at, _) if at == device => all.push(json!({
                    "address": "::", "port": port, "manner": "proxies",
                    "target": [host.address, flow.port],
                })),
                _ => {}
            }
        }
    }
    all
}
