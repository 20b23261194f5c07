//! The file of one device: what every dialect says at its head, then the rules.

use super::dialect::{Dialect, Kind, Sheet};
use super::heading::{Heading, translations, unplanned, unwritten};
use super::{Rules, asa, iptables, netsh, nftables, panos, windows};
use crate::site::Site;

/// The rules of one device in a dialect: a file that can be loaded as it is.
pub fn write(
    dialect: Dialect,
    site: &Site,
    heading: &Heading,
    device: &str,
    rules: &Rules,
) -> String {
    let sheet = Sheet {
        dialect,
        site,
        device,
        kind: match heading.missing_by.is_empty() {
            true => Kind::Whole,
            false => Kind::Added,
        },
        rules: rules.of(device),
    };
    let mut head = vec![title(&sheet)];
    head.extend(heading.lines(site));
    head.extend(
        assumptions(dialect, sheet.kind)
            .iter()
            .map(ToString::to_string),
    );
    let mut permits = sheet.rules.permits.iter();
    if permits.any(|permit| permit.destination.host.is_some()) {
        head.extend(names_need(dialect).map(str::to_string));
    }
    head.extend(translations(&sheet.rules));
    head.extend(unwritten(&sheet.rules));
    // What a host itself starts, its own rules do not hold up.
    if !dialect.is_of_hosts() {
        head.extend(unplanned(heading));
    }
    let head = sheet.comments(&head);
    match dialect {
        Dialect::Nftables => nftables::text(&sheet, &head),
        Dialect::Iptables => iptables::text(&sheet, &head),
        Dialect::Windows => windows::text(&sheet, &head),
        Dialect::Netsh => netsh::text(&sheet, &head),
        Dialect::Asa => asa::text(&sheet, &head),
        Dialect::Panos => panos::text(&sheet, &head),
    }
}

/// What the dialect takes for granted, of a whole set or of rules that are added to one.
fn assumptions(dialect: Dialect, kind: Kind) -> &'static [&'static str] {
    match (dialect, kind) {
        (Dialect::Nftables, Kind::Whole) => nftables::ASSUMPTIONS,
        (Dialect::Nftables, Kind::Added) => nftables::ADDING,
        (Dialect::Iptables, Kind::Whole) => iptables::ASSUMPTIONS,
        (Dialect::Iptables, Kind::Added) => iptables::ADDING,
        (Dialect::Windows, Kind::Whole) => windows::ASSUMPTIONS,
        (Dialect::Windows, Kind::Added) => windows::ADDING,
        (Dialect::Netsh, Kind::Whole) => netsh::ASSUMPTIONS,
        (Dialect::Netsh, Kind::Added) => netsh::ADDING,
        (Dialect::Asa, Kind::Whole) => asa::ASSUMPTIONS,
        (Dialect::Asa, Kind::Added) => asa::ADDING,
        (Dialect::Panos, Kind::Whole) => panos::ASSUMPTIONS,
        (Dialect::Panos, Kind::Added) => panos::ADDING,
    }
}

/// What a device needs to look up names itself; `None`: it knows none.
fn names_need(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Asa => Some(asa::NAMES_NEED),
        Dialect::Panos => Some(panos::NAMES_NEED),
        Dialect::Nftables | Dialect::Iptables | Dialect::Windows | Dialect::Netsh => None,
    }
}

fn title(sheet: &Sheet<'_>) -> String {
    let sides: Vec<&str> = sheet.sides().into_iter().map(|it| sheet.zone(it)).collect();
    let more = match sheet.kind {
        Kind::Whole => "",
        Kind::Added => " as well",
    };
    match sides.as_slice() {
        [all @ .., last] if !sheet.dialect.is_of_hosts() => format!(
            "What {} has to let through{more}, between {} and {last}.",
            sheet.device,
            all.join(", ")
        ),
        _ => format!(
            "What the firewall of {} itself has to let in{more}.",
            sheet.device
        ),
    }
}
