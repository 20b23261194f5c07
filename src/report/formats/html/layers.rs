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

    /// The wall that stops a blocked flow: the one that the evidence names, else the only one on its way. `None` where
    /// nobody knows which it is, so that no picture accuses one of several.
    pub(super) fn stop(&self, flow: &ReportFlow) -> Option<isize> {
        let row = |zone: &str| self.of_zone.get(zone).copied();
        let (from, to) = (row(&flow.flow.from.zone)?, row(end(flow))?);
        let on_the_way = from.min(to)..from.max(to);
        let named = flow.firewall()?;
        let mut walls = self.walls.range(on_the_way);
        let found = walls.find(|(_, names)| names.contains(named.as_str()));
        found.map(|(row, _)| *row)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    /// A flow from a zone to another, across these firewalls.
    fn flow(from: &str, to: &str, crosses: &[&str]) -> ReportFlow {
        let mut flow = sample::flow("internet>ibs01:443/tcp");
        flow.flow_mut().from.zone = from.to_string();
        flow.flow_mut().to.zone = Some(to.to_string());
        flow.flow_mut().crosses = crosses.iter().map(|it| (*it).to_string()).collect();
        flow
    }

    /// Zones and walls as they stand below each other, in one line.
    fn drawn(flows: &[ReportFlow]) -> String {
        let layers = Layers::of(flows).expect("few zones");
        let joined = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join("+");
        let rows = layers
            .rows
            .iter()
            .map(|(row, names)| (*row, 0, joined(names)));
        let walls = layers
            .walls
            .iter()
            .map(|(row, names)| (*row, 1, joined(names)));
        let mut all: Vec<_> = rows.chain(walls).collect();
        all.sort();
        let names: Vec<String> = all.into_iter().map(|(.., names)| names).collect();
        names.join(" ")
    }

    #[test]
    fn a_zone_on_the_way_stands_between_the_walls_that_a_longer_flow_crosses() {
        let far = flow("internet", "intranet", &["front-end", "back-end"]);
        let near = flow("internet", "perimeter", &["front-end"]);
        let back = flow("intranet", "perimeter", &["back-end"]);
        let expected = "internet front-end perimeter back-end intranet";
        assert_eq!(drawn(&[near.clone(), far.clone()]), expected);
        assert_eq!(drawn(&[back.clone(), near, far]), expected);
    }

    #[test]
    fn from_the_middle_and_from_inside_the_internet_still_comes_first() {
        let inwards = flow("perimeter", "intranet", &["back-end"]);
        let outwards = flow("perimeter", "internet", &["front-end"]);
        let expected = "internet front-end perimeter back-end intranet";
        assert_eq!(drawn(&[inwards, outwards.clone()]), expected);
        let through = flow("intranet", "internet", &["back-end", "front-end"]);
        assert_eq!(drawn(&[through, outwards]), expected);
    }

    #[test]
    fn zones_with_the_same_walls_stand_beside_each_other_and_strangers_too() {
        let one = flow("internet", "perimeter", &["wall"]);
        let other = flow("internet", "partners", &["wall"]);
        assert_eq!(
            drawn(&[one.clone(), other]),
            "internet wall partners+perimeter"
        );
        let apart = flow("lab", "test", &["third"]);
        assert_eq!(drawn(&[one, apart]), "internet+lab+test wall perimeter");
    }

    #[test]
    fn what_blocks_is_the_wall_that_the_evidence_names_or_the_only_one() {
        let mut far = flow("internet", "intranet", &["front-end", "back-end"]);
        let layers =
            |it: &ReportFlow| Layers::of(std::slice::from_ref(it)).and_then(|all| all.stop(it));
        assert_eq!(layers(&far), None, "it may be either");
        far.evidence.names.get_or_insert_default().rejecting = Some("back-end".to_string());
        assert_eq!(layers(&far), Some(1));
        far.evidence.names.get_or_insert_default().rejecting = Some("another".to_string());
        assert_eq!(layers(&far), None, "it is not in the picture");
        let near = flow("internet", "perimeter", &["front-end"]);
        assert_eq!(layers(&near), Some(0), "there is no other");
    }

    #[test]
    fn more_zones_than_a_picture_holds_are_not_drawn() {
        let zones: Vec<ReportFlow> = (0..40)
            .map(|it| flow("internet", &format!("z{it}"), &["wall"]))
            .collect();
        assert!(Layers::of(&zones).is_none());
        assert!(Layers::of(&[]).is_none());
        let walls = ["wall"; 40];
        assert!(Layers::of(&[flow("internet", "z", &walls)]).is_none());
    }
}
