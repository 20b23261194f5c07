//! Who sent a reset of an address on this host's own networks.
//!
//! A firewall may stand within a network (a bridge), or answer ARP for addresses that it routes to. So:
//! 1. Where the site file puts a border of zones between and no router is, nothing shows that the firewall at that border
//!    did not answer.
//! 2. Where several addresses have one hardware address, a device may answer for them: only its distance tells.
//! 3. An address with a hardware address of its own that answers after one hop has answered itself.
//! 4. Otherwise only its distance tells.

use crate::observation::{Observation, ResetBy, State};

/// What the system's table of neighbours says of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Nothing.
    #[default]
    Unknown,
    /// It has a hardware address of its own.
    Alone,
    /// Another address has the same one.
    Shared,
}

impl Link {
    /// What a table says of an address.
    pub fn of(address: std::net::IpAddr, table: &[(std::net::IpAddr, String)]) -> Self {
        let own = table.iter().find(|(it, _)| *it == address);
        let Some((_, hardware)) = own else {
            return Self::Unknown;
        };
        let is_shared = table
            .iter()
            .any(|(it, other)| *it != address && other == hardware);
        if is_shared { Self::Shared } else { Self::Alone }
    }
}

/// Settles who sent a reset of an address on this host's own networks, after distances have been compared.
pub(super) fn settle(seen: &mut Observation, link: Link, crosses: bool) {
    if !seen.on_link {
        return;
    }
    let after = seen.path.as_ref().and_then(|path| path.first_answered());
    let at_once = after.is_some_and(|hop| hop.number == 1);
    let State::Closed { reset_by } = &mut seen.state else {
        return;
    };
    *reset_by = match *reset_by {
        ResetBy::Device => ResetBy::Device,
        ResetBy::Host | ResetBy::Either if crosses && at_once => ResetBy::Either,
        ResetBy::Host => ResetBy::Host,
        ResetBy::Either if link == Link::Alone && at_once => ResetBy::Host,
        ResetBy::Either => ResetBy::Either,
    };
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::observation::{Hop, HopAnswer, Path};

    fn settled(reset_by: ResetBy, link: Link, crosses: bool, hop: u8) -> ResetBy {
        let mut seen = Observation::without_packets(None, State::Closed { reset_by });
        seen.on_link = true;
        seen.path = Some(Box::new(Path {
            hops: vec![Hop {
                number: hop,
                answer: HopAnswer::Reset,
                tries: 1,
                took_ms: None,
            }],
            ..Path::default()
        }));
        settle(&mut seen, link, crosses);
        match seen.state {
            State::Closed { reset_by } => reset_by,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_neighbour_with_a_hardware_address_of_its_own_resets_itself() {
        use ResetBy::{Either, Host};
        assert_eq!(settled(Either, Link::Alone, false, 1), Host);
        assert_eq!(settled(Either, Link::Shared, false, 1), Either);
        assert_eq!(settled(Either, Link::Unknown, false, 1), Either);
        assert_eq!(
            settled(Either, Link::Alone, false, 2),
            Either,
            "a router is between"
        );
    }

    #[test]
    fn where_the_file_has_a_border_between_no_neighbour_is_proved() {
        use ResetBy::{Device, Either, Host};
        assert_eq!(settled(Either, Link::Alone, true, 1), Either);
        assert_eq!(settled(Host, Link::Alone, true, 1), Either);
        assert_eq!(settled(Device, Link::Alone, true, 1), Device);
        assert_eq!(
            settled(Host, Link::Shared, true, 2),
            Host,
            "its distance tells"
        );
    }

    #[test]
    fn a_table_tells_addresses_that_share_a_hardware_address() {
        let at = |last: u8| IpAddr::from([192, 0, 2, last]);
        let table =
            [(1, "aa"), (2, "aa"), (3, "bb")].map(|(last, mac)| (at(last), mac.to_string()));
        let of = |last| Link::of(at(last), &table);
        assert_eq!(
            [1, 2, 3, 4].map(of),
            [Link::Shared, Link::Shared, Link::Alone, Link::Unknown]
        );
    }
}
