//! netsh: a batch file for one host, where PowerShell has no cmdlets for its firewall (Windows Server 2008 and 2008 R2).

use super::dialect::{Kind, Sheet};
use super::heading::{joined, reasons};
use super::{Family, Permit};
use crate::product::Transport;

pub(super) const ASSUMPTIONS: &[&str] = &[
    "These are inbound rules of the host itself, not of a firewall on the way. Run it there as \
     administrator (Windows Server 2008 and later).",
    "It replaces rules of the same names; running it twice is running it once. Other rules of the \
     host are left as they are.",
    "Only what the host blocks by default is held back: that inbound connections without a rule \
     are blocked is the default of each profile.",
    "Where the system refuses a range of local ports, write RPC in its place: it stands for the \
     dynamic RPC ports.",
];

pub(super) const ADDING: &[&str] = &[
    "These are inbound rules of the host itself, not of a firewall on the way. Run it there as \
     administrator (Windows Server 2008 and later).",
    "It adds rules and removes none. Running it twice adds them twice.",
    "Where the system refuses a range of local ports, write RPC in its place: it stands for the \
     dynamic RPC ports.",
];

/// The longest name of a rule, in characters: the shell takes lines of 8,191.
const LONGEST_NAME: usize = 200;

pub(super) fn text(sheet: &Sheet<'_>, head: &str) -> String {
    let permits = &sheet.rules.permits;
    let names: Vec<String> = permits.iter().map(|permit| name(sheet, permit)).collect();
    let mut rules = String::new();
    if sheet.kind == Kind::Whole {
        let mut unique: Vec<&String> = names.iter().collect();
        unique.sort_unstable();
        unique.dedup();
        for name in unique {
            rules += &format!("netsh advfirewall firewall delete rule name=\"{name}\" >nul\n");
        }
    }
    for (permit, name) in permits.iter().zip(&names) {
        rules += &rule(sheet, permit, name);
    }
    format!("@echo off\n{head}\n{rules}")
}

/// A name that no other permit of the host has: two ranges of ports of one flow differ in the ports.
fn name(sheet: &Sheet<'_>, permit: &Permit) -> String {
    let ids: Vec<&str> = permit.flows.iter().map(|flow| flow.id.as_str()).collect();
    let family = match permit.family() {
        Family::V4 => "",
        Family::V6 => " IPv6",
    };
    let name = format!(
        "portproof {}{family} {}",
        permit.port_behind,
        ids.join(", ")
    );
    sheet.dialect.plain(&name, LONGEST_NAME)
}

fn rule(sheet: &Sheet<'_>, permit: &Permit, name: &str) -> String {
    let protocol = match permit.transport {
        Transport::Tcp => format!("TCP localport={}", permit.port_behind),
        Transport::Udp => format!("UDP localport={}", permit.port_behind),
        // By its number in IP; it has no ports.
        Transport::Esp => "50".to_string(),
    };
    format!(
        "\n{}netsh advfirewall firewall add rule name=\"{name}\" dir=in action=allow \
         protocol={protocol} remoteip={}\n",
        sheet.comments(&reasons(permit)),
        joined(&permit.source.ranges, ",")
    )
}
