//! Windows: a PowerShell script for one host, because rules of the host's own firewall stand on the host.

use super::dialect::{Kind, Sheet};
use super::escape::LINE;
use super::heading::{joined, reasons};
use super::{Family, Permit};
use crate::product::Transport;

pub(super) const ASSUMPTIONS: &[&str] = &[
    "These are inbound rules of the host itself, not of a firewall on the way. Run it there as \
     administrator (Windows Server 2012 and later).",
    "It replaces the rules of the group portproof; running it twice is running it once. Other \
     rules of the host are left as they are.",
    "Only what the host blocks by default is held back: that inbound connections without a rule \
     are blocked is the default of each profile.",
];

pub(super) const ADDING: &[&str] = &[
    "These are inbound rules of the host itself, not of a firewall on the way. Run it there as \
     administrator (Windows Server 2012 and later).",
    "It adds rules and removes none. Running it twice adds them twice.",
];

pub(super) fn text(sheet: &Sheet<'_>, head: &str) -> String {
    let rules: String = sheet
        .rules
        .permits
        .iter()
        .map(|permit| rule(sheet, permit))
        .collect();
    let remove = match sheet.kind {
        Kind::Whole => "Remove-NetFirewallRule -Group 'portproof' -ErrorAction SilentlyContinue\n",
        Kind::Added => "",
    };
    format!("{head}\n{remove}{rules}")
}

fn rule(sheet: &Sheet<'_>, permit: &Permit) -> String {
    let reasons = reasons(permit);
    let ids: Vec<&str> = permit.flows.iter().map(|flow| flow.id.as_str()).collect();
    let family = match permit.family() {
        Family::V4 => "",
        Family::V6 => " (IPv6)",
    };
    let quoted = |text: &str| format!("'{}'", sheet.dialect.plain(text, LINE).replace('\'', "''"));
    let remote: Vec<String> = permit
        .source
        .ranges
        .iter()
        .map(|range| format!("'{range}'"))
        .collect();
    let protocol = match permit.transport {
        Transport::Tcp => format!("TCP -LocalPort {}", permit.port_behind),
        Transport::Udp => format!("UDP -LocalPort {}", permit.port_behind),
        // By its number in IP; it has no ports.
        Transport::Esp => "50".to_string(),
    };
    format!(
        "\n{}New-NetFirewallRule -Group 'portproof' -DisplayName {} -Description {} -Direction Inbound -Action Allow \
         -Protocol {protocol} -RemoteAddress {}\n",
        sheet.comments(&reasons),
        quoted(&format!("portproof {}{family}", ids.join(", "))),
        quoted(&reasons.join(" ")),
        joined(&remote, ", ")
    )
}
