//! The dialects, and what their files have in common.

use super::heading::{Heading, translations, unwritten};
use super::object::Objects;
use super::plain::{LINE, ascii, plain};
use super::{Rules, asa, iptables, netsh, nftables, panos, windows};
use crate::site::{Site, ZoneId};
use crate::words::words;

words! {
    /// What a device's rules are written in.
    Dialect {
        /// A file for `nft -f`.
        Nftables = "nftables",
        /// A file for `iptables-restore` and `ip6tables-restore`.
        Iptables = "iptables",
        /// A PowerShell script for one host's own firewall.
        Windows = "windows",
        /// A batch file for one host's own firewall, where PowerShell has no cmdlets for it.
        Netsh = "netsh",
        /// Cisco ASA, 8.3 and later.
        Asa = "asa",
        /// PAN-OS set commands.
        Panos = "panos",
    }
}

impl Dialect {
    /// The usual ending of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Nftables => "nft",
            Self::Iptables => "rules",
            Self::Windows => "ps1",
            Self::Netsh => "cmd",
            Self::Asa => "asa",
            Self::Panos => "set",
        }
    }

    /// What begins a comment line.
    fn comment(self) -> &'static str {
        match self {
            Self::Nftables | Self::Iptables | Self::Windows | Self::Panos => "#",
            Self::Netsh => "rem",
            Self::Asa => "!",
        }
    }

    /// Text of others inside a comment or string.
    pub(super) fn plain(self, text: &str, most: usize) -> String {
        match self {
            Self::Nftables | Self::Iptables => plain(text, most),
            Self::Windows | Self::Asa | Self::Panos => ascii(text, most),
            // What a batch file would take for a variable, a pipe or a redirection. `>` stands in every flow's id.
            Self::Netsh => {
                let safe = text.replace('>', " to ");
                ascii(&safe.replace(['%', '^', '&', '|', '<'], "_"), most)
            }
        }
    }

    /// What the dialect takes for granted, of a whole set or of rules that are added to one.
    fn assumptions(self, kind: Kind) -> &'static [&'static str] {
        match (self, kind) {
            (Self::Nftables, Kind::Whole) => nftables::ASSUMPTIONS,
            (Self::Nftables, Kind::Added) => nftables::ADDING,
            (Self::Iptables, Kind::Whole) => iptables::ASSUMPTIONS,
            (Self::Iptables, Kind::Added) => iptables::ADDING,
            (Self::Windows, Kind::Whole) => windows::ASSUMPTIONS,
            (Self::Windows, Kind::Added) => windows::ADDING,
            (Self::Netsh, Kind::Whole) => netsh::ASSUMPTIONS,
            (Self::Netsh, Kind::Added) => netsh::ADDING,
            (Self::Asa, Kind::Whole) => asa::ASSUMPTIONS,
            (Self::Asa, Kind::Added) => asa::ADDING,
            (Self::Panos, Kind::Whole) => panos::ASSUMPTIONS,
            (Self::Panos, Kind::Added) => panos::ADDING,
        }
    }

    /// Whether its rules stand on the hosts themselves, not on firewalls on the way.
    pub fn is_of_hosts(self) -> bool {
        match self {
            Self::Windows | Self::Netsh => true,
            Self::Nftables | Self::Iptables | Self::Asa | Self::Panos => false,
        }
    }
}

/// Whether a file holds all that a device has to let through, or only what is added to the rules that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// All of it: it replaces what an earlier file of this program brought.
    Whole,
    /// What a report shows as missing: it removes and replaces nothing.
    Added,
}

/// A device with its permits.
pub(super) struct Sheet<'a> {
    pub(super) dialect: Dialect,
    pub(super) site: &'a Site,
    pub(super) device: &'a str,
    pub(super) kind: Kind,
    pub(super) rules: Rules,
}

impl Sheet<'_> {
    /// Names of address sets, of at most so many characters.
    pub(super) fn objects(&self, longest: usize) -> Objects {
        match self.kind {
            Kind::Whole => Objects::new(longest),
            Kind::Added => Objects::added(longest),
        }
    }

    /// Comment lines.
    pub(super) fn comments(&self, lines: &[String]) -> String {
        let mark = self.dialect.comment();
        let line = |text: &String| {
            let indent = if text.starts_with(' ') { "  " } else { "" };
            format!("{mark} {indent}{}\n", self.dialect.plain(text, LINE))
        };
        lines.iter().map(line).collect()
    }

    pub(super) fn zone(&self, zone: ZoneId) -> &str {
        &self.site.zones[zone].name
    }

    /// The zones on the sides of a firewall, or of the box that it is a leg of; none of a host.
    pub(super) fn sides(&self) -> Vec<ZoneId> {
        let firewalls = self.site.firewalls.iter();
        let legs = firewalls.filter(|it| it.device() == self.device);
        let mut sides: Vec<ZoneId> = Vec::new();
        for zone in legs.flat_map(|it| [it.between.0, it.between.1]) {
            if !sides.contains(&zone) {
                sides.push(zone);
            }
        }
        sides
    }
}

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
        dialect
            .assumptions(sheet.kind)
            .iter()
            .map(ToString::to_string),
    );
    head.extend(translations(&sheet.rules));
    head.extend(unwritten(&sheet.rules));
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
