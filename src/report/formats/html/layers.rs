//! How zones and firewalls lie behind each other, as the flows of a report tell.
//!
//! A flow names the firewalls that it crosses, in order. The flow that crosses most lays the first row of them. Each other
//! zone is put as many walls from a known one as the flows between the two cross. It lies on the side of their first wall.
//! The zone `internet` comes first where it lies at an end.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::report::document::ReportFlow;

/// The most zones that are drawn, and the most walls that a flow may cross.
const MOST: usize = 24;

/// Zones by row, and walls by the row before them.
pub(super) struct Layers<'a> {
    pub(super) rows: BTreeMap<isize, BTreeSet<&'a str>>,
    pub(super) walls: BTreeMap<isize, BTreeSet<&'a str>>,
    of_zone: BTreeMap<&'a str, isize>,
}

/// Which firewalls lead from a zone to another.
type Ways<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a str>>;

/// The zone that a flow leads to; a host that is no system of the site file has none.
pub(super) fn end(flow: &ReportFlow) -> &str {
    flow.flow.to.zone.as_deref().unwrap_or("elsewhere")
}

impl<'a> Layers<'a> {
    /// The layers of some flows; `None` where there are none, or too many to be drawn.
    pub(super) fn of(flows: &'a [ReportFlow]) -> Option<Self> {
        let ways = ways(flows)?;
        let mut ordered: Vec<_> = ways
            .iter()
            .map(|((from, to), crosses)| (*from, *to, &crosses[..]))
            .collect();
        ordered.sort_by_key(|(.., crosses)| Reverse(crosses.len()));
        let mut layers = Self {
            rows: BTreeMap::new(),
            walls: BTreeMap::new(),
            of_zone: BTreeMap::from([(ordered.first()?.0, 0)]),
        };
        while ordered
            .iter()
            .any(|(from, to, crosses)| layers.lay(from, to, crosses))
        {}
        for (from, to, _) in ordered {
            // What no flow connects with the rest stands beside it.
            layers.of_zone.entry(from).or_insert(0);
            layers.of_zone.entry(to).or_insert(0);
        }
        Some(layers.finished())
    }

    /// Puts a zone behind a known one; whether that was new.
    fn lay(&mut self, from: &'a str, to: &'a str, crosses: &[&'a str]) -> bool {
        let Some(&row) = self.of_zone.get(from) else {
            return false;
        };
        if self.of_zone.contains_key(to) {
            return false;
        }
        let is_here = |wall: isize| {
            let names = self.walls.get(&wall);
            names.is_some_and(|names| crosses.first().is_some_and(|first| names.contains(first)))
        };
        let goes_on = is_here(row) || (!is_here(row - 1) && !self.walls.contains_key(&row));
        let step = if goes_on { 1 } else { -1 };
        let mut at = row;
        for name in crosses {
            let wall = if goes_on { at } else { at - 1 };
            self.walls.entry(wall).or_default().insert(name);
            at += step;
        }
        self.of_zone.insert(to, at);
        true
    }

    fn finished(mut self) -> Self {
        let rows = self.of_zone.values().copied();
        let (first, last) = (rows.clone().min().unwrap_or(0), rows.max().unwrap_or(0));
        let is_upside_down = first < last && self.of_zone.get("internet") == Some(&last);
        if is_upside_down {
            self.of_zone.values_mut().for_each(|row| *row = -*row);
            let walls = std::mem::take(&mut self.walls);
            self.walls = walls
                .into_iter()
                .map(|(row, names)| (-row - 1, names))
                .collect();
        }
        for (zone, row) in &self.of_zone {
            self.rows.entry(*row).or_default().insert(zone);
        }
        self
    }

    /// The wall that stops a blocked flow: the one that the evidence names, else the first; `None` where the picture has
    /// none on its way.
    pub(super) fn stop(&self, flow: &ReportFlow) -> Option<isize> {
        let row = |zone: &str| self.of_zone.get(zone).copied();
        let (from, to) = (row(&flow.flow.from.zone)?, row(end(flow))?);
        let on_the_way = from.min(to)..from.max(to);
        let accused = flow.evidence.accused();
        let named = accused.iter().chain(&flow.flow.crosses);
        let place = |name: &String| {
            let mut walls = self.walls.range(on_the_way.clone());
            let found = walls.find(|(_, names)| names.contains(name.as_str()));
            found.map(|(row, _)| *row)
        };
        named.filter_map(place).next()
    }
}

fn ways(flows: &[ReportFlow]) -> Option<Ways<'_>> {
    let mut ways = Ways::new();
    let mut zones = BTreeSet::new();
    for flow in flows {
        let (from, to) = (&*flow.flow.from.zone, end(flow));
        zones.extend([from, to]);
        if zones.len() > MOST || flow.flow.crosses.len() > MOST {
            return None;
        }
        let crosses = flow.flow.crosses.iter().map(String::as_str);
        ways.entry((from, to))
            .or_insert_with(|| crosses.clone().collect());
        ways.entry((to, from))
            .or_insert_with(|| crosses.rev().collect());
    }
    Some(ways)
}
