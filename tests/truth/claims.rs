//! What the evidence claims besides the verdict: who reset, who rejected, how far packets came, who drops them. Each
//! claim is held against the scene; what is not said cannot be false.

use std::net::IpAddr;

use crate::program::{Dropped, Edge, Hop, Ports, Rejected, Said, Walk};
use crate::scene::{
    Action, Behind, Device, Flow, Hook, Host, Icmp, Ill, Kind, Manner, Paths, Scene,
    firewall_addresses, firewall_name,
};
use crate::team;
use crate::trouble::Trouble;
use crate::truth::{Fate, Front, Truth};

/// The false claims of a flow's evidence, in words.
pub(crate) fn false_ones(
    scene: &Scene,
    (host, flow): (&Host, &Flow),
    truth: &Truth,
    said: &Said,
) -> Vec<String> {
    let mut all = Vec::new();
    if said.evidence.control.as_deref() == Some("host") && !truth.speaks {
        all.push("the host as a control, and it never answers".to_string());
    }
    if let Some(by) = &said.evidence.reset_by {
        all.extend(reset(truth, by));
    }
    if let Some(rejected) = &said.evidence.rejected {
        all.extend(rejection(scene, host, truth, rejected));
    }
    if let Some(path) = &said.evidence.path {
        all.extend(hops(scene, host, path));
        all.extend(early(first_answer(scene, host, flow), path));
        if let Some(dropped) = &path.dropped {
            all.extend(drop_place(scene, host, truth, dropped));
        }
    }
    all.extend(team::false_one(truth, said));
    if said.cause == "intermittent" && !said.evidence.ports.as_ref().is_some_and(passes_in_part) {
        all.push("intermittent without ports that opened and ports that did not".to_string());
    }
    all
}

/// Whether some connections passed and others did not: of those made alone, where there are any.
fn passes_in_part(ports: &Ports) -> bool {
    match &ports.alone {
        Some(alone) => alone.open > 0 && alone.refused > 0,
        None => ports.open > 0 && ports.blocked > 0 && ports.open + ports.blocked <= ports.tried,
    }
}

fn reset(truth: &Truth, by: &str) -> Option<String> {
    let by_host = matches!(
        truth.fate,
        Fate::Closed
            | Fate::Serves(Manner::Resets)
            | Fate::Members(Ill::Refuses)
            | Fate::Fronted(_, Behind::Closed, Front::Synproxy)
    );
    let by_device = matches!(truth.fate, Fate::Reset(_) | Fate::Fronted(..));
    let holds = match by {
        "either" => true,
        "host" => by_host,
        "device" => by_device,
        _ => false,
    };
    (!holds).then(|| format!("reset_by {by}"))
}

/// Who really says no with ICMP on a flow.
fn speaker(scene: &Scene, host: &Host, truth: &Truth) -> Option<Device> {
    match truth.fate {
        Fate::Rejected(by, _) => Some(by),
        Fate::Dead { told: true } | Fate::Fronted(_, Behind::Dead, Front::Synproxy) => {
            Some(scene.last_router(host))
        }
        _ => None,
    }
}

fn rejection(scene: &Scene, host: &Host, truth: &Truth, said: &Rejected) -> Vec<String> {
    let mut all = Vec::new();
    // This host's own word: with its cable unplugged it finds no router, and says so.
    if truth.fate == Fate::Void && said.by.as_deref().is_some_and(is_the_probers) {
        return all;
    }
    let Some(speaker) = speaker(scene, host, truth) else {
        return vec![format!("a rejection by {:?}, and nobody rejects", said.by)];
    };
    if let Some(by) = &said.by
        && !may_be_anybodys(scene, host, by)
        && owner(scene, host, by) != Some(speaker)
    {
        all.push(format!("rejected by {by}, and it is {speaker:?}"));
    }
    if let Some(name) = &said.firewall
        && firewall_name(speaker) != Some(name)
    {
        all.push(format!(
            "rejected by the firewall {name}, and it is {speaker:?}"
        ));
    }
    let wire = match truth.fate {
        Fate::Rejected(_, icmp) => numbers(host.address, icmp),
        _ => numbers(host.address, Icmp::HostUnreachable),
    };
    if (said.icmp_type, said.icmp_code) != (Some(wire.0), Some(wire.1)) {
        all.push(format!(
            "ICMP {:?}/{:?}, and it is {wire:?}",
            said.icmp_type, said.icmp_code
        ));
    }
    all
}

fn is_the_probers(address: &str) -> bool {
    ["198.51.100.10", "2001:db8:1::10"].contains(&address)
}

/// Type and code on the wire.
fn numbers(address: IpAddr, icmp: Icmp) -> (u8, u8) {
    match (address, icmp) {
        (IpAddr::V4(_), Icmp::AdminProhibited) => (3, 13),
        (IpAddr::V4(_), Icmp::HostProhibited) => (3, 10),
        (IpAddr::V4(_), Icmp::PortUnreachable) => (3, 3),
        (IpAddr::V4(_), Icmp::HostUnreachable) => (3, 1),
        (IpAddr::V4(_), Icmp::NetUnreachable) => (3, 0),
        (IpAddr::V4(_), Icmp::Other) => (3, 2),
        (IpAddr::V6(_), Icmp::AdminProhibited) => (1, 1),
        (IpAddr::V6(_), Icmp::HostProhibited) => (1, 5),
        (IpAddr::V6(_), Icmp::PortUnreachable) => (1, 4),
        (IpAddr::V6(_), Icmp::HostUnreachable) => (1, 3),
        (IpAddr::V6(_), Icmp::NetUnreachable) => (1, 0),
        (IpAddr::V6(_), Icmp::Other) => (1, 6),
    }
}

/// Whose an address is, as far as it concerns this host.
fn owner(scene: &Scene, host: &Host, address: &str) -> Option<Device> {
    if address.parse() == Ok(host.address) {
        return Some(Device::Host);
    }
    let second = [
        "198.51.100.2",
        "192.0.2.2",
        "2001:db8:1::2",
        "2001:db8:2::2",
    ];
    // Where one node only carries what goes in, the other has nothing to say.
    if second.contains(&address) && scene.paths != Paths::Two {
        return None;
    }
    [Device::FrontEnd, Device::BackEnd]
        .into_iter()
        .find(|device| firewall_addresses(*device).contains(&address))
}

/// Who translates a host's address writes it into every error about the host, whoever sent it.
fn may_be_anybodys(scene: &Scene, host: &Host, address: &str) -> bool {
    scene.trouble == Trouble::Translation && address.parse() == Ok(scene.asked_at(host))
}

fn hops(scene: &Scene, host: &Host, path: &Walk) -> Vec<String> {
    let mut all = Vec::new();
    for hop in &path.hops {
        let real = scene.way_to(host).get(hop.hop.wrapping_sub(1)).copied();
        if let Some(by) = hop.by.as_deref().filter(|_| hop.result == "expired")
            && !may_be_anybodys(scene, host, by)
            && owner(scene, host, by) != real
        {
            all.push(format!("hop {} is {by}, and it is {real:?}", hop.hop));
        }
        // Whoever rejects a packet names itself, and not the place that the packet came to.
        if let Some(name) = hop.firewall.as_ref().filter(|_| hop.result == "expired")
            && real.and_then(firewall_name) != Some(name)
        {
            all.push(format!(
                "hop {} is the firewall {name}, and it is {real:?}",
                hop.hop
            ));
        }
    }
    all
}

/// The hop at which a port first answers with a handshake or a reset: nothing of it can be heard at a nearer one.
fn first_answer(scene: &Scene, host: &Host, flow: &Flow) -> usize {
    let way = scene.way_to(host);
    let hop = |device| {
        way.iter()
            .position(|it| *it == device)
            .map_or(0, |at| at + 1)
    };
    match (flow.action, host.kind) {
        (Action::AsHost, Kind::Painted { at, .. })
        | (Action::Redirect(at) | Action::HttpProxy(at, _), _)
        | (Action::Reset(at, Hook::BeforeTtl), _) => hop(at),
        // After the TTL check: a packet that ends at this device never comes to the rule.
        (Action::Synproxy(at, _) | Action::Reset(at, Hook::AfterTtl), _) => {
            (hop(at) + 1).min(way.len())
        }
        _ => way.len(),
    }
}

fn early(first: usize, path: &Walk) -> Option<String> {
    let answers = |hop: &&Hop| ["open", "reset"].contains(&hop.result.as_str());
    let hop = path.hops.iter().filter(answers).map(|hop| hop.hop).min()?;
    (hop < first).then(|| format!("an answer at hop {hop}, and the first can come at {first}"))
}

/// Who really swallows the packets of a flow: a dead host's are lost where the host should be.
fn swallower(truth: &Truth) -> Option<Device> {
    match truth.fate {
        Fate::Dropped(at) => Some(at),
        Fate::Rejected(at, _) => Some(at),
        Fate::HiddenByHost | Fate::Dead { .. } => Some(Device::Host),
        Fate::Split | Fate::Void => Some(Device::FrontEnd),
        Fate::Serves(_)
        | Fate::Closed
        | Fate::Reset(_)
        | Fate::Members(_)
        | Fate::Hole(..)
        | Fate::Fronted(..) => None,
    }
}

fn drop_place(scene: &Scene, host: &Host, truth: &Truth, said: &Dropped) -> Vec<String> {
    let Some(real) = swallower(truth) else {
        return vec!["packets dropped, and nothing drops them".to_string()];
    };
    let mut all = Vec::new();
    let place = |edge: &Edge| place_of(scene, host, edge);
    match said.after.as_ref().map(place) {
        Some(Err(words)) => all.push(words),
        Some(Ok(after)) if after > Some(real) => {
            all.push(format!("dropped after {after:?}, and it is {real:?}"));
        }
        _ => {}
    }
    match said.before.as_ref().map(place) {
        Some(Err(words)) => all.push(words),
        Some(Ok(before)) if before.is_some_and(|before| before < real) => {
            all.push(format!("dropped before {before:?}, and it is {real:?}"));
        }
        _ => {}
    }
    let named = match firewall_name(real) {
        Some(name) => said.by.iter().any(|by| by == name),
        None => said.host,
    };
    // Where the file gives no addresses, the device at a hop may have to stay without a name.
    let nameless = said.by.is_empty() && !scene.addresses_given && real != Device::Host;
    if (!said.by.is_empty() || !said.host) && !named && !nameless {
        let host = if said.host { " or the host" } else { "" };
        all.push(format!(
            "dropped by {:?}{host}, and it is {real:?}",
            said.by
        ));
    }
    all
}

/// The device at an edge; `None` is a place before all of them, or beyond.
fn place_of(scene: &Scene, host: &Host, edge: &Edge) -> Result<Option<Device>, String> {
    let by_hop = scene.way_to(host).get(edge.hop.wrapping_sub(1)).copied();
    let named = edge.firewall.as_ref().map(|name| {
        [Device::FrontEnd, Device::BackEnd]
            .into_iter()
            .find(|device| firewall_name(*device) == Some(name))
    });
    if let Some(named) = named
        && named != by_hop
    {
        return Err(format!(
            "hop {} is said to be {named:?}, and it is {by_hop:?}",
            edge.hop
        ));
    }
    if let Some(by) = &edge.by
        && !may_be_anybodys(scene, host, by)
        && owner(scene, host, by) != by_hop
    {
        return Err(format!(
            "hop {} is said to be {by}, and it is {by_hop:?}",
            edge.hop
        ));
    }
    // A hop beyond the host does not exist; nothing drops there.
    Ok(by_hop.or((edge.hop > 0).then_some(Device::Host)))
}
