//! PAN-OS: set commands for addresses, services and security rules.

use super::dialect::{Kind, Sheet};
use super::heading::{joined, label, reasons};
use super::object::{Hosts, Objects, digest, fitting};
use super::{Permit, Range};

pub(super) const ASSUMPTIONS: &[&str] = &[
    "Enter it in configure mode, after: set cli scripting-mode on. Lines that begin with # are for \
     readers; leave them out.",
    "Rules match what PAN-OS matches: addresses and ports before translation, zones behind it.",
    "Zones are taken to have the names of the site file. New rules go to the end: move them above \
     any that denies.",
    "What no rule allows between zones, interzone-default denies; inside a zone, intrazone-default \
     allows it.",
    "Entering this again adds nothing twice, and removes nothing: delete the objects and rules \
     named portproof first.",
    "Applications are any, so that a port is a port; once all works, narrow them to what the \
     device recognises.",
];

pub(super) const ADDING: &[&str] = &[
    "Enter it in configure mode, after: set cli scripting-mode on. Lines that begin with # are for \
     readers; leave them out.",
    "Rules match what PAN-OS matches: addresses and ports before translation, zones behind it.",
    "Zones are taken to have the names of the site file. New rules go to the end: move them above \
     any that denies.",
    "It adds objects and rules under names of their own, and removes and changes none. Entering it \
     again adds nothing twice.",
];

pub(super) const NAMES_NEED: &str = "Names (fqdn) are looked up by the device: its name server has \
    to answer as the sources' does.";

/// The longest name of an object or rule (PAN-OS 9.0 and later).
const LONGEST_NAME: usize = 63;
/// The longest description of a rule.
const LONGEST_DESCRIPTION: usize = 255;

pub(super) fn text(sheet: &Sheet<'_>, head: &str) -> String {
    let mut sets = sheet.objects(LONGEST_NAME);
    let mut hosts = Hosts::new(LONGEST_NAME);
    let mut services: Vec<String> = Vec::new();
    let mut rules = String::new();
    let mut names: Vec<String> = Vec::new();
    for permit in &sheet.rules.permits {
        let service = format!(
            "set service {} protocol {} port {}\n",
            service(permit),
            permit.transport,
            permit.port_before
        );
        if permit.has_ports() && !services.contains(&service) {
            services.push(service);
        }
        rules += &rule(sheet, (&mut sets, &mut hosts), &mut names, permit);
    }
    let sets: String = sets
        .all
        .iter()
        .map(|(name, ranges)| group(name, ranges))
        .collect();
    let hosts = hosts.all.iter();
    let hosts: String = hosts
        .map(|host| format!("set address {} fqdn {}\n", host.object, host.name))
        .collect();
    format!("{head}{sets}{hosts}{}{rules}", services.concat())
}

fn service(permit: &Permit) -> String {
    format!("portproof-{}-{}", permit.transport, permit.port_before)
}

/// A name that no other rule has: a second command of one name would widen the first.
fn own_name(wanted: &str, taken: &mut Vec<String>) -> String {
    let mut name = fitting(wanted, LONGEST_NAME);
    for number in 2.. {
        if !taken.contains(&name) {
            break;
        }
        name = fitting(&format!("{wanted}.{number}"), LONGEST_NAME);
    }
    taken.push(name.clone());
    name
}

fn rule(
    sheet: &Sheet<'_>,
    (sets, hosts): (&mut Objects, &mut Hosts),
    names: &mut Vec<String>,
    permit: &Permit,
) -> String {
    let mut set = |name: &str, ranges: &[Range]| {
        let label = label(name, permit.family());
        sets.name(&format!("portproof-{label}"), ranges)
    };
    let before = permit.destination.before.iter();
    let before: Vec<Range> = before.map(|address| Range::one(*address)).collect();
    let source = set(&permit.source.name, &permit.source.ranges);
    let destination = match &permit.destination.host {
        Some(host) => hosts.name(host, permit.family()),
        None => set(&permit.destination.name, &before),
    };
    let ends = format!("{}-to-{}", permit.source.name, permit.destination.name);
    // A service has ports; a transport without is an application.
    let (what, allowed) = match permit.has_ports() {
        true => (
            format!("{}-{}", permit.transport, permit.port_before),
            format!("application any service {}", service(permit)),
        ),
        false => (
            permit.transport.to_string(),
            format!(
                "application ipsec-{} service application-default",
                permit.transport
            ),
        ),
    };
    // A rule of the whole set may have this name already: a second command of one name would widen it.
    let added = match sheet.kind {
        Kind::Whole => String::new(),
        Kind::Added => format!("-{}", digest(&format!("{source} {destination} {allowed}"))),
    };
    let name = label(&format!("portproof-{ends}-{what}{added}"), permit.family());
    let name = own_name(&name, names);
    let description = sheet
        .dialect
        .plain(&reasons(permit).join(" "), LONGEST_DESCRIPTION);
    format!(
        "set rulebase security rules {name} from {} to {} source {source} destination {destination} {allowed} \
         action allow description \"{description}\"\n",
        sheet.zone(permit.from),
        sheet.zone(permit.to),
    )
}

/// A set as address objects and a group of them.
fn group(name: &str, ranges: &[Range]) -> String {
    let mut text = String::new();
    let mut members = Vec::new();
    for (number, range) in ranges.iter().enumerate() {
        // No group is named so: addresses and groups share their names.
        let suffix = format!(".{}", number + 1);
        let member = fitting(name, LONGEST_NAME - suffix.len()) + &suffix;
        let value = match range.network() {
            Some(network) => format!("ip-netmask {network}"),
            None => format!("ip-range {}-{}", range.first(), range.last()),
        };
        text += &format!("set address {member} {value}\n");
        members.push(member);
    }
    text + &format!(
        "set address-group {name} static [ {} ]\n",
        joined(&members, " ")
    )
}
