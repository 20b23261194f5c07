//! The way through the firewalls: a breadth-first search over zones.

use std::collections::VecDeque;

use super::{Firewall, ZoneId};

/// The shortest chain of firewalls from one zone to another; `None` when no chain connects them.
pub(super) fn firewalls(
    all: &[Firewall],
    zones: usize,
    from: ZoneId,
    to: ZoneId,
) -> Option<Vec<usize>> {
    let mut came_by: Vec<Option<(ZoneId, usize)>> = vec![None; zones];
    let mut queue = VecDeque::from([from]);
    while let Some(zone) = queue.pop_front() {
        if zone == to {
            return Some(walk_back(&came_by, from, to));
        }
        for (index, firewall) in all.iter().enumerate() {
            let (a, b) = firewall.between;
            let next = if a == zone {
                b
            } else if b == zone {
                a
            } else {
                continue;
            };
            if next != from && came_by[next].is_none() {
                came_by[next] = Some((zone, index));
                queue.push_back(next);
            }
        }
    }
    None
}

fn walk_back(came_by: &[Option<(ZoneId, usize)>], from: ZoneId, to: ZoneId) -> Vec<usize> {
    let mut chain = Vec::new();
    let mut zone = to;
    while zone != from
        && let Some((before, index)) = came_by[zone]
    {
        chain.push(index);
        zone = before;
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firewall(name: &str, between: (ZoneId, ZoneId)) -> Firewall {
        Firewall {
            name: name.to_string(),
            between,
            addresses: Vec::new(),
            device: None,
        }
    }

    #[test]
    fn a_packet_from_the_internet_to_the_intranet_meets_both_firewalls_in_order() {
        let all = [firewall("back-end", (1, 2)), firewall("front-end", (0, 1))];
        assert_eq!(firewalls(&all, 3, 0, 2), Some(vec![1, 0]));
        assert_eq!(firewalls(&all, 3, 2, 0), Some(vec![0, 1]));
        assert_eq!(firewalls(&all, 3, 1, 1), Some(vec![]));
        assert_eq!(firewalls(&all[..1], 3, 0, 2), None);
    }
}
