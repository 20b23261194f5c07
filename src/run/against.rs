//! The older site file beside: its systems join those of the new one, and what clients of either file use is asked too.

use std::collections::BTreeMap;

use crate::change::{self, ClientDoor, Side};
use crate::observation::{Observation, State, Trouble};
use crate::plan::{self, Chosen, Owner, Plan, Target};
use crate::product::Stage;
use crate::report::Against;
use crate::site::Site;
use crate::vantage::Place;
use crate::verdict::{Judged, Seen};

use super::request::SiteFile;

/// The older site file, as far as a run needs it.
pub(super) struct Old {
    file: String,
    sha256: String,
    /// How many systems the new file has itself.
    pub(super) own_systems: usize,
    /// What clients here use: the last flows of the plan.
    pub(super) used: Vec<ClientDoor>,
    first: usize,
    client_zones: Vec<String>,
    lost: Vec<String>,
    closing: BTreeMap<String, usize>,
}

/// Joins the systems of both files, and puts what clients of either use behind the flows of the plan.
pub(super) fn join(new: &mut SiteFile, plan: &mut Plan, old: SiteFile, place: &Place) -> Old {
    let before = plan::derive(&old.site, &old.catalogue);
    let union = change::union(&new.site, &old.site, place.zone);
    let old_side = Side {
        site: &old.site,
        plan: &before,
        file: &old.name,
    };
    let new_side = Side {
        site: &new.site,
        plan,
        file: &new.name,
    };
    let steps = change::compare(&old_side, &new_side, &new.catalogue).steps;
    let mut used = change::client_doors(&old_side, &new_side, &new.catalogue, &union, place.zone);
    let here = place.system.map(Target::System);
    used.retain(|used| here.as_ref() != Some(&used.flow.to));
    let client_zones = new.site.clients.iter();
    let client_zones = client_zones.map(|zone| new.site.zones[*zone].name.clone());
    let joined = Old {
        own_systems: union.own,
        first: plan.flows.len(),
        client_zones: client_zones.collect(),
        lost: lost(&old.site, &union),
        closing: closing(&steps),
        file: old.name,
        sha256: old.sha256,
        used,
    };
    let flows = joined.used.iter().map(|used| used.flow.clone());
    plan.flows.extend(flows);
    new.site = union.site;
    joined
}

/// The step that closes each flow.
fn closing(steps: &[change::Step]) -> BTreeMap<String, usize> {
    let closing = steps.iter().filter(|it| it.stage == Stage::Close);
    let pairs = closing.flat_map(|it| it.flows.iter().map(|flow| (flow.clone(), it.number)));
    // Of several firewalls the first to be closed is where it begins.
    let mut first = BTreeMap::new();
    for (flow, number) in pairs {
        first.entry(flow).or_insert(number);
    }
    first
}

fn lost(old: &Site, union: &change::Union) -> Vec<String> {
    let systems = old.systems.iter().zip(&union.systems);
    systems
        .filter(|(system, place)| place.is_none() && !system.client_roles.is_empty())
        .map(|(system, _)| system.name.clone())
        .collect()
}

impl Old {
    /// Whether a flow of the plan is asked for the sake of clients only.
    pub(super) fn asks(&self, flow: usize) -> bool {
        flow >= self.first
    }

    /// What is asked for the sake of clients.
    pub(super) fn chosen(&self) -> impl Iterator<Item = Chosen> {
        (self.first..self.first + self.used.len()).map(|flow| Chosen {
            flow,
            owner: Owner::Vantage,
        })
    }

    /// What was seen of it, address by address: one good address is enough for a client.
    pub(super) fn by_address(&self, seen: Vec<Seen>) -> (Vec<ClientDoor>, Vec<Seen>) {
        let pairs = self.used.iter().zip(seen);
        pairs
            .flat_map(|(used, seen)| {
                let each = addresses(seen).into_iter();
                each.map(|seen| (used.clone(), seen))
            })
            .unzip()
    }

    /// The same, judged, for the report.
    pub(super) fn seen(
        &self,
        used: Vec<ClientDoor>,
        seen: Vec<Seen>,
        judged: Vec<Judged>,
    ) -> Against<'_> {
        let all = used.into_iter().zip(seen).zip(judged);
        Against {
            file: &self.file,
            sha256: &self.sha256,
            client_zones: self.client_zones.clone(),
            used: all
                .map(|((used, seen), judged)| (used, seen, judged))
                .collect(),
            lost: self.lost.clone(),
            closing: self.closing.clone(),
        }
    }
}

/// One flow for each address; those of a family without a route from here are left out beside others.
fn addresses(seen: Seen) -> Vec<Seen> {
    let has_route = |it: &&Observation| it.state != State::Unreachable(Trouble::NoRoute);
    let mut kept: Vec<&Observation> = seen.observations.iter().filter(has_route).collect();
    if kept.is_empty() {
        kept = seen.observations.iter().collect();
    }
    let one = |it: &Observation| Seen {
        flow: seen.flow.clone(),
        owner: seen.owner,
        observations: vec![it.clone()],
    };
    kept.into_iter().map(one).collect()
}
