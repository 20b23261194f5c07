//! What a listener of this program proved: that a challenge came to it, from where, and at which end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::net::{IpAddr, SocketAddr};

/// The longest system name that a listener says; of a longer one it says the beginning.
pub(crate) const LONGEST_NAME: usize = 63;

/// A listener that answered a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// The system that it stands in for.
    pub system: String,
    /// Where the challenge came from, as the listener saw it.
    pub seen_from: SocketAddr,
    /// The listener's own end.
    pub accepted_at: SocketAddr,
    /// This host's end; `None` where a proxy stands in between, or it is not known.
    pub sent_from: Option<SocketAddr>,
    /// The address that was aimed at; `None` where a proxy resolved the name.
    pub aimed_at: Option<IpAddr>,
    /// The port that was aimed at.
    pub port: u16,
    /// The run of `check`, in hexadecimal.
    pub run: String,
}

impl Listener {
    /// Whether it stands in for the system of this name.
    pub fn stands_in_for(&self, name: &str) -> bool {
        let is_cut = self.system.len() == LONGEST_NAME;
        name == self.system || (is_cut && name.starts_with(&self.system))
    }

    /// Whether something on the way put another source address in the place of this host's.
    pub fn has_other_source(&self) -> bool {
        self.sent_from
            .is_some_and(|local| local.ip() != self.seen_from.ip())
    }

    /// Whether something on the way put another source port in the place of this host's.
    pub fn has_other_source_port(&self) -> bool {
        self.sent_from
            .is_some_and(|local| local.port() != self.seen_from.port())
    }

    /// Whether something on the way put another destination address in the place of the one aimed at.
    pub fn has_other_destination(&self) -> bool {
        self.aimed_at
            .is_some_and(|aimed| aimed != self.accepted_at.ip())
    }

    /// Whether it came out at another port than the one aimed at.
    pub fn has_other_port(&self) -> bool {
        self.accepted_at.port() != self.port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_cut_name_stands_for_the_whole() {
        let named = |system: &str| Listener {
            system: system.to_string(),
            seen_from: at("198.51.100.10:4000"),
            accepted_at: at("192.0.2.10:443"),
            sent_from: None,
            aimed_at: None,
            port: 443,
            run: String::new(),
        };
        assert!(named("ibs01").stands_in_for("ibs01"));
        assert!(!named("ibs01").stands_in_for("ibs011"));
        let long = "n".repeat(LONGEST_NAME);
        assert!(named(&long).stands_in_for(&format!("{long}-and-more")));
    }

    #[test]
    fn each_translation_on_the_way_is_seen() {
        let plain = Listener {
            system: "ibs01".to_string(),
            seen_from: at("198.51.100.10:4000"),
            accepted_at: at("192.0.2.10:443"),
            sent_from: Some(at("198.51.100.10:4000")),
            aimed_at: Some(at("192.0.2.10:443").ip()),
            port: 443,
            run: String::new(),
        };
        let seen = |it: &Listener| {
            [
                it.has_other_source(),
                it.has_other_source_port(),
                it.has_other_destination(),
                it.has_other_port(),
            ]
        };
        assert_eq!(seen(&plain), [false; 4]);
        let masqueraded = Listener {
            seen_from: at("192.0.2.254:4000"),
            ..plain.clone()
        };
        assert_eq!(seen(&masqueraded), [true, false, false, false]);
        let published = Listener {
            seen_from: at("198.51.100.10:1024"),
            accepted_at: at("10.0.0.5:8443"),
            ..plain.clone()
        };
        assert_eq!(seen(&published), [false, true, true, true]);
        let through_a_proxy = Listener {
            seen_from: at("192.0.2.7:1"),
            sent_from: None,
            aimed_at: None,
            ..plain
        };
        assert_eq!(seen(&through_a_proxy), [false; 4]);
    }
}
