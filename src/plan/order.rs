//! The order of flows: that of their ids, without a text for each.

use std::collections::HashMap;

use super::ids::{destination, service};
use super::{Flow, Forbidden, Target};
use crate::site::{Origin, Site};

/// The places of starts and ends among all of them, by their names as ids have them.
pub(super) struct Order {
    zones: Vec<usize>,
    systems: Vec<usize>,
    /// Of systems, as ends.
    ends: Vec<usize>,
    /// Of ends that are no system of the file.
    others: HashMap<Target, usize>,
}

impl Order {
    /// The order of a site's flows, with these among their ends.
    pub(super) fn new<'a>(site: &Site, targets: impl Iterator<Item = &'a Target>) -> Self {
        let zones = site.zones.iter().map(|it| format!("{}>", it.name));
        let systems = site.systems.iter().map(|it| format!("{}>", it.name));
        let mut starts = places(zones.chain(systems));
        let is_other = |to: &&Target| !matches!(to, Target::System(_));
        let others: Vec<Target> = targets.filter(is_other).cloned().collect();
        let named = others.iter().map(|it| destination(site, it) + ":");
        let ends = site.systems.iter().map(|it| format!("{}:", it.name));
        let mut ends = places(ends.chain(named));
        let of_others = ends.split_off(site.systems.len());
        Self {
            systems: starts.split_off(site.zones.len()),
            zones: starts,
            others: others.into_iter().zip(of_others).collect(),
            ends,
        }
    }

    /// Puts flows in the order of their ids.
    pub(super) fn sort(&self, flows: &mut [Flow]) {
        flows.sort_by_cached_key(|it| {
            let (from, to) = self.place(it.from, &it.to);
            (from, to, service(it.port, it.transport))
        });
    }

    /// Puts what is forbidden in the order of its ends, then of its lowest port.
    pub(super) fn sort_forbidden(&self, all: &mut [Forbidden]) {
        all.sort_by_cached_key(|it| {
            let (from, to) = self.place(it.from, &it.to);
            (from, to, it.transport, it.ports.first().copied())
        });
    }

    fn place(&self, from: Origin, to: &Target) -> (usize, usize) {
        let from = match from {
            Origin::Zone(zone) => self.zones[zone],
            Origin::System(system) => self.systems[system],
        };
        let to = match to {
            Target::System(system) => self.ends[*system],
            other => self.others.get(other).copied().unwrap_or(usize::MAX),
        };
        (from, to)
    }
}

/// The place of each text among all when they are sorted; equal ones have equal places.
fn places(texts: impl Iterator<Item = String>) -> Vec<usize> {
    let texts: Vec<String> = texts.collect();
    let mut sorted: Vec<&String> = texts.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let place = |text: &String| sorted.binary_search(&text).unwrap_or(sorted.len());
    texts.iter().map(place).collect()
}
