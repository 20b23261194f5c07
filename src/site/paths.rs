//! The ways through the firewalls: a breadth-first search over zones, once for each zone that something starts in.

use std::collections::VecDeque;
use std::sync::OnceLock;

use super::{Firewall, ZoneId};

/// The firewalls of a site by the zones beside them, and the ways that were asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    /// By zone: the zones beside it, each with the firewall between, in the order of the file.
    beside: Vec<Vec<(ZoneId, usize)>>,
    /// By zone: how each other zone is reached from it.
    from: Vec<OnceLock<CameBy>>,
}

/// By zone: the zone before it on the way, and the firewall between the two.
type CameBy = Vec<Option<(ZoneId, usize)>>;

impl Ways {
    pub(super) fn new(firewalls: &[Firewall], zones: usize) -> Self {
        let mut beside = vec![Vec::new(); zones];
        for (number, firewall) in firewalls.iter().enumerate() {
            let (a, b) = firewall.between;
            beside[a].push((b, number));
            beside[b].push((a, number));
        }
        Self {
            beside,
            from: vec![OnceLock::new(); zones],
        }
    }

    /// The shortest chain of firewalls from one zone to another; `None` when no chain connects them.
    pub(super) fn firewalls(&self, from: ZoneId, to: ZoneId) -> Option<Vec<usize>> {
        let came_by = self.from[from].get_or_init(|| self.search(from));
        let mut chain = Vec::new();
        let mut zone = to;
        while zone != from {
            let (before, firewall) = came_by[zone]?;
            chain.push(firewall);
            zone = before;
        }
        chain.reverse();
        Some(chain)
    }

    fn search(&self, from: ZoneId) -> CameBy {
        let mut came_by = vec![None; self.beside.len()];
        let mut queue = VecDeque::from([from]);
        while let Some(zone) = queue.pop_front() {
            for (next, firewall) in &self.beside[zone] {
                if *next != from && came_by[*next].is_none() {
                    came_by[*next] = Some((zone, *firewall));
                    queue.push_back(*next);
                }
            }
        }
        came_by
    }
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
        let ways = Ways::new(&all, 3);
        assert_eq!(ways.firewalls(0, 2), Some(vec![1, 0]));
        assert_eq!(ways.firewalls(2, 0), Some(vec![0, 1]));
        assert_eq!(ways.firewalls(1, 1), Some(vec![]));
        assert_eq!(Ways::new(&all[..1], 3).firewalls(0, 2), None);
    }
}
