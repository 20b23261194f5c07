//! The flows of a plan by their ids, and what is forbidden flow by flow.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use super::ids::ends;
use super::{Flow, Forbidden, Order, Plan, id};
use crate::diagnostic::nearest_few;
use crate::site::Site;
use crate::yaml::Ports;

/// How many pairs of ends are looked at for the ids that are nearest to one that is not planned.
const NEAR_ENDS: usize = 8;

impl Plan {
    /// Every flow, one by one: first those that must or may pass, then those that must not.
    pub fn all(&self) -> impl Iterator<Item = Cow<'_, Flow>> {
        let forbidden = self.forbidden.iter().flat_map(Forbidden::flows);
        let flows = self.flows.iter().map(Cow::Borrowed);
        flows.chain(forbidden.map(Cow::Owned))
    }

    /// The port or range of each entry, as often as it stands there.
    pub fn ports(&self) -> impl Iterator<Item = Ports> {
        let forbidden = self
            .forbidden
            .iter()
            .flat_map(|it| it.ports.iter().copied());
        self.flows.iter().map(|flow| flow.port).chain(forbidden)
    }

    /// Turns entries of `forbidden` into flows, one for each port, in their places among the others.
    pub fn spread(&mut self, site: &Site, wanted: impl Fn(&Forbidden) -> bool) {
        let (spread, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.forbidden)
            .into_iter()
            .partition(wanted);
        self.forbidden = kept;
        self.flows.extend(spread.iter().flat_map(Forbidden::flows));
        Order::new(site, self.flows.iter().map(|it| &it.to)).sort(&mut self.flows);
    }

    /// The flow with an id.
    pub fn find(&self, site: &Site, id: &str) -> Option<Flow> {
        let mut found = self.named(site, [id].into());
        found.next().map(|(_, flow)| flow.into_owned())
    }

    /// Those of some ids that are flows of the plan.
    pub fn known(&self, site: &Site, ids: BTreeSet<&str>) -> BTreeSet<String> {
        self.named(site, ids).map(|(id, _)| id).collect()
    }

    /// The flows with some ids. Only what lies between the same ends is looked at port by port.
    pub fn named<'a>(
        &'a self,
        site: &'a Site,
        ids: BTreeSet<&'a str>,
    ) -> impl Iterator<Item = (String, Cow<'a, Flow>)> {
        let between: HashSet<&str> = ids.iter().map(|id| ends_of(id)).collect();
        let is_between = move |it: &&Forbidden| between.contains(it.ends(site).as_str());
        let none = ids.is_empty();
        let flows = self.flows.iter().filter(move |_| !none).map(Cow::Borrowed);
        let forbidden = self.forbidden.iter().filter(move |_| !none);
        let forbidden = forbidden.filter(is_between).flat_map(Forbidden::flows);
        flows
            .chain(forbidden.map(Cow::Owned))
            .map(|flow| (id(site, &flow), flow))
            .filter(move |(id, _)| ids.contains(id.as_str()))
    }

    /// The ids that are nearest to one that is none: those of the ends nearest to its own.
    pub fn nearest(&self, site: &Site, wanted: &str, most: usize) -> Vec<String> {
        let of_flows = self.flows.iter().map(|it| ends(site, it.from, &it.to));
        let of_forbidden = self.forbidden.iter().map(|it| it.ends(site));
        let all: BTreeSet<String> = of_flows.chain(of_forbidden).collect();
        let all = all.iter().map(String::as_str);
        let near: HashSet<&str> = nearest_few(ends_of(wanted), all, NEAR_ENDS)
            .into_iter()
            .collect();
        let flows = self.flows.iter();
        let flows = flows.filter(|it| near.contains(ends(site, it.from, &it.to).as_str()));
        let forbidden = self.forbidden.iter();
        let forbidden = forbidden.filter(|it| near.contains(it.ends(site).as_str()));
        let ids: Vec<String> = flows
            .map(|flow| id(site, flow))
            .chain(
                forbidden
                    .flat_map(Forbidden::flows)
                    .map(|flow| id(site, &flow)),
            )
            .collect();
        let nearest = nearest_few(wanted, ids.iter().map(String::as_str), most);
        nearest.into_iter().map(str::to_string).collect()
    }
}

/// The part of an id that says whence and whither.
fn ends_of(id: &str) -> &str {
    id.rsplit_once(':').map_or(id, |(ends, _)| ends)
}
