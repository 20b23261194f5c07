//! Sets of addresses as ranges: exact where "any but these networks" is meant, and every dialect can write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The version of IP that a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// That of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// `v4` or `v6`.
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V6 => "v6",
        }
    }
}

/// Addresses of one family, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    family: Family,
    first: u128,
    last: u128,
}

impl Range {
    /// One address.
    pub fn one(address: IpAddr) -> Self {
        let bits = bits(address);
        Self {
            family: Family::of(address),
            first: bits,
            last: bits,
        }
    }

    /// The family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The first address.
    pub fn first(&self) -> IpAddr {
        address(self.family, self.first)
    }

    /// The last address.
    pub fn last(&self) -> IpAddr {
        address(self.family, self.last)
    }

    /// Whether it is a single address.
    pub fn is_one(&self) -> bool {
        self.first == self.last
    }

    /// The network that it is, if it is one.
    pub fn network(&self) -> Option<IpNet> {
        let host = self.last - self.first;
        if host & host.wrapping_add(1) != 0 || self.first & host != 0 {
            return None;
        }
        let host_bits = u8::try_from(host.count_ones()).ok()?;
        match self.first() {
            IpAddr::V4(address) => Ipv4Net::new(address, 32 - host_bits).ok().map(IpNet::V4),
            IpAddr::V6(address) => Ipv6Net::new(address, 128 - host_bits).ok().map(IpNet::V6),
        }
    }

    /// What is left of it without another.
    fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let apart =
            self.family != other.family || other.last < self.first || self.last < other.first;
        let whole = apart.then_some(self);
        let below = (!apart && self.first < other.first).then(|| Self {
            last: other.first - 1,
            ..self
        });
        let above = (!apart && other.last < self.last).then(|| Self {
            first: other.last + 1,
            ..self
        });
        [whole, below, above].into_iter().flatten()
    }
}

impl From<IpNet> for Range {
    fn from(network: IpNet) -> Self {
        Self {
            family: Family::of(network.addr()),
            first: bits(network.network()),
            last: bits(network.broadcast()),
        }
    }
}

/// One address, a network, or the first and the last address with a hyphen.
impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network() {
            _ if self.is_one() => write!(formatter, "{}", self.first()),
            Some(network) => write!(formatter, "{network}"),
            None => write!(formatter, "{}-{}", self.first(), self.last()),
        }
    }
}

/// The addresses of both, in order, those that touch as one range.
pub(super) fn union(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut joined: Vec<Range> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(before)
                if before.family == range.family
                    && before.last.saturating_add(1) >= range.first =>
            {
                before.last = before.last.max(range.last);
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// The addresses of the first that the second has not.
pub(super) fn minus(ranges: &[Range], except: &[Range]) -> Vec<Range> {
    let mut left = ranges.to_vec();
    for other in except {
        left = left
            .into_iter()
            .flat_map(|range| range.without(*other))
            .collect();
    }
    left
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn address(family: Family, bits: u128) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))),
        Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Range {
        Range::from(text.parse::<IpNet>().expect("a network"))
    }

    fn shown(ranges: &[Range]) -> Vec<String> {
        ranges.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn any_but_two_networks_is_three_ranges() {
        let any = [network("0.0.0.0/0"), network("::/0")];
        let but = [
            network("10.0.0.0/8"),
            network("192.0.2.0/24"),
            network("2001:db8::/32"),
        ];
        assert_eq!(
            shown(&minus(&any, &but)),
            [
                "0.0.0.0-9.255.255.255",
                "11.0.0.0-192.0.1.255",
                "192.0.3.0-255.255.255.255",
                "::-2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:db9::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
            ]
        );
    }

    #[test]
    fn networks_that_touch_are_one_range() {
        let halves = vec![network("192.0.2.128/25"), network("192.0.2.0/25")];
        assert_eq!(shown(&union(halves)), ["192.0.2.0/24"]);
        assert_eq!(shown(&[network("::/0")]), ["::/0"]);
        assert_eq!(shown(&[network("192.0.2.7/32")]), ["192.0.2.7"]);
    }

    proptest! {
        #[test]
        fn an_address_is_left_when_the_first_has_it_and_the_second_has_not(
            all in proptest::collection::vec((any::<u8>(), 0_u8..=8), 0..4),
            except in proptest::collection::vec((any::<u8>(), 0_u8..=8), 0..4),
            probe in any::<u8>(),
        ) {
            let ranges = |list: &[(u8, u8)]| -> Vec<Range> {
                list.iter().map(|(low, bits)| network(&format!("192.0.2.{low}/{}", 32 - bits))).collect()
            };
            let (all, except) = (union(ranges(&all)), ranges(&except));
            let at = Range::one(format!("192.0.2.{probe}").parse().expect("an address"));
            let has = |list: &[Range]| list.iter().any(|range| range.first <= at.first && at.last <= range.last);
            prop_assert_eq!(has(&minus(&all, &except)), has(&all) && !has(&except));
        }
    }
}
