//! The dialects, and a device with its permits, as every dialect writes them.

use super::Rules;
use super::escape::{LINE, ascii, plain};
use super::object::Objects;
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

    /// Whether its firewalls look up names themselves.
    pub fn knows_names(self) -> bool {
        match self {
            Self::Asa | Self::Panos => true,
            Self::Nftables | Self::Iptables | Self::Windows | Self::Netsh => false,
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
