//! Cisco ASA: object groups, and one access list for each zone that packets come from.

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use std::net::IpAddr;

use super::dialect::{Kind, Sheet};
use super::heading::{label, reasons};
use super::object::{Host, Hosts, Objects, fitting};
use super::{Family, Permit, Range};
use crate::yaml::Ports;

pub(super) const ASSUMPTIONS: &[&str] = &[
    "Destinations are matched behind translation, as ASA 8.3 and later does: where own addresses \
     are routed to a side, a translated port's own number passes there too.",
    "For ASA 8.3 and later (IPv6 beside IPv4: 9.0): access lists match the real, own addresses and \
     ports of destinations.",
    "Each zone has an access list for the interface that faces it, for an interface without one \
     lets through what goes to a",
    "lower security level. Applying one replaces what stood on that interface, and what no line \
     permits is denied; so the",
    "commands that apply them are comments: put your interfaces in, and take the ! away.",
    "Entering this again adds nothing twice, and removes nothing: clear the lists first (clear \
     configure access-list LIST).",
    "ICMP errors of a connection (path MTU) pass where the inspection policy has: inspect icmp \
     error.",
];

pub(super) const ADDING: &[&str] = &[
    "Destinations are matched behind translation, as ASA 8.3 and later does: where own addresses \
     are routed to a side, a translated port's own number passes there too.",
    "For ASA 8.3 and later (IPv6 beside IPv4: 9.0): access lists match the real, own addresses and \
     ports of destinations.",
    "It adds lines at the end of the access lists of the whole file and removes nothing. Entering \
     it again adds nothing twice.",
    "Where the interface has another list, put its name into each line; where that list ends with \
     a deny, give the lines a number before it.",
];

pub(super) const NAMES_NEED: &str = "Names (fqdn) are looked up by the device, of 8.4(2) and \
    later: it needs dns domain-lookup and a name server that answers as the sources' does.";

/// The longest remark.
const LONGEST_REMARK: usize = 100;
/// The longest name of an object group.
const LONGEST_NAME: usize = 64;

pub(super) fn text(sheet: &Sheet<'_>, head: &str) -> String {
    let mut groups = sheet.objects(LONGEST_NAME);
    let mut hosts = Hosts::new(LONGEST_NAME);
    let lists: Vec<(String, String)> = sheet
        .sides()
        .into_iter()
        .map(|zone| {
            let name = format!("portproof-{}-from-{}", sheet.device, sheet.zone(zone));
            let name = fitting(&name, LONGEST_NAME);
            let permits = sheet.rules.permits.iter().filter(|it| it.from == zone);
            let lines: String = permits
                .map(|permit| permit_lines(sheet, (&mut groups, &mut hosts), &name, permit))
                .collect();
            // A zone that may start nothing gets a list that denies all; a list that is there already has its end.
            let all = match (lines.is_empty(), sheet.kind) {
                (true, Kind::Whole) => format!("access-list {name} extended deny ip any any\n"),
                (_, Kind::Whole | Kind::Added) => lines,
            };
            (name, all)
        })
        .collect();
    let groups: String = groups
        .all
        .iter()
        .map(|(name, ranges)| group(name, ranges))
        .collect();
    let hosts: String = hosts.all.iter().map(host).collect();
    let apply: String = match sheet.kind {
        Kind::Added => String::new(),
        Kind::Whole => lists
            .iter()
            .map(|(list, _)| format!("! access-group {list} in interface INTERFACE\n"))
            .collect(),
    };
    let lists: String = lists.into_iter().map(|(_, lines)| lines).collect();
    format!("{head}!\n{groups}{hosts}!\n{lists}!\n{apply}")
}

fn permit_lines(
    sheet: &Sheet<'_>,
    (groups, hosts): (&mut Objects, &mut Hosts),
    list: &str,
    permit: &Permit,
) -> String {
    let remarks: String = reasons(permit)
        .iter()
        .map(|reason| {
            let remark = sheet.dialect.plain(reason, LONGEST_REMARK);
            format!("access-list {list} remark {remark}\n")
        })
        .collect();
    let group = |groups: &mut Objects, name: &str, ranges: &[Range]| {
        groups.name(
            &format!("portproof-{}", label(name, permit.family())),
            ranges,
        )
    };
    let behind = permit.destination.behind.iter();
    let behind: Vec<Range> = behind.map(|address| Range::one(*address)).collect();
    let source = group(groups, &permit.source.name, &permit.source.ranges);
    let destination = match &permit.destination.host {
        Some(host) => format!("object {}", hosts.name(host, permit.family())),
        None => {
            let group = group(groups, &permit.destination.name, &behind);
            format!("object-group {group}")
        }
    };
    let port = match permit.has_ports() {
        true => format!(" {}", port(permit.port_behind)),
        false => String::new(),
    };
    format!(
        "{remarks}access-list {list} extended permit {} object-group {source} {destination}{port}\n",
        permit.transport
    )
}

/// A name that the device looks up.
fn host(host: &Host) -> String {
    let family = match host.family {
        Family::V4 => "v4",
        Family::V6 => "v6",
    };
    format!(
        "object network {}\n fqdn {family} {}\n",
        host.object, host.name
    )
}

fn port(port: Ports) -> String {
    if port.low == port.high {
        format!("eq {}", port.low)
    } else {
        format!("range {} {}", port.low, port.high)
    }
}

fn group(name: &str, ranges: &[Range]) -> String {
    let members: String = ranges.iter().flat_map(networks).map(member).collect();
    format!("object-group network {name}\n{members}")
}

/// A range as networks: object groups hold networks and hosts.
fn networks(range: &Range) -> Vec<IpNet> {
    match (range.first(), range.last()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Vec::new(),
    }
}

fn member(network: IpNet) -> String {
    let is_host = network.prefix_len() == network.max_prefix_len();
    match (is_host, network, Family::of(network.addr())) {
        (true, _, _) => format!(" network-object host {}\n", network.addr()),
        (false, IpNet::V4(network), _) => {
            format!(" network-object {} {}\n", network.addr(), network.netmask())
        }
        (false, IpNet::V6(_), _) => format!(" network-object {network}\n"),
    }
}
