//! What rules ask of all systems again and again, found once. So the work grows with the flows, not with the square of
//! the systems.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use crate::product::{Catalogue, Condition, End, Role, Rule};
use crate::site::{Site, System, SystemId, ZoneId};

/// The systems of a site by what rules ask for.
pub(super) struct Known<'a> {
    site: &'a Site,
    /// By zone: the systems with a leg there.
    pub(super) in_zone: Vec<Vec<SystemId>>,
    /// By zone: whether a site server has a leg there.
    pub(super) has_site_server: Vec<bool>,
    /// By zone: whether a system that publishes others has a leg there.
    pub(super) has_proxy: Vec<bool>,
    /// The forests with a site server.
    pub(super) site_server_forests: BTreeSet<Option<&'a str>>,
    /// Whether a site stands above this one.
    pub(super) has_parent: bool,
    /// Whether nothing in the first zone starts connections toward the second, as far as it was asked.
    pub(super) passive: RefCell<HashMap<(ZoneId, ZoneId), bool>>,
    in_forest: HashMap<Option<&'a str>, Vec<SystemId>>,
    /// The systems whose management point uses a database.
    using: HashMap<SystemId, Vec<SystemId>>,
    ipsec: HashMap<SystemId, Vec<SystemId>>,
    /// By end of a rule.
    by_end: Vec<(End, Vec<SystemId>)>,
}

impl<'a> Known<'a> {
    pub(super) fn new(site: &'a Site, catalogue: &Catalogue) -> Self {
        let mut known = Self {
            site,
            in_zone: vec![Vec::new(); site.zones.len()],
            has_site_server: vec![false; site.zones.len()],
            has_proxy: vec![false; site.zones.len()],
            site_server_forests: BTreeSet::new(),
            has_parent: site.systems.iter().any(is_of_parent),
            passive: RefCell::default(),
            in_forest: HashMap::new(),
            using: HashMap::new(),
            ipsec: HashMap::new(),
            by_end: Vec::new(),
        };
        for number in 0..site.systems.len() {
            known.add(number);
        }
        let ends = catalogue.rules.iter().flat_map(|rule| &rule.from);
        ends.for_each(|end| known.add_end(*end));
        known
    }

    fn add_end(&mut self, end: End) {
        if self.by_end.iter().any(|(known, _)| *known == end) {
            return;
        }
        let all = 0..self.site.systems.len();
        let meant = all.filter(|system| is_server_end(self.site, end, *system));
        self.by_end.push((end, meant.collect()));
    }

    fn add(&mut self, number: SystemId) {
        let system = &self.site.systems[number];
        for zone in system.zones() {
            self.in_zone[zone].push(number);
            self.has_site_server[zone] |= system.server_roles.contains(&Role::SiteServer);
            self.has_proxy[zone] |= !system.publishes.is_empty();
        }
        let forest = system.forest.as_deref();
        self.in_forest.entry(forest).or_default().push(number);
        if system.server_roles.contains(&Role::SiteServer) {
            self.site_server_forests.insert(forest);
        }
        if let Some(database) = system.database {
            self.using.entry(database).or_default().push(number);
        }
        for peer in &system.ipsec_with {
            self.ipsec.entry(*peer).or_default().push(number);
            self.ipsec.entry(number).or_default().push(*peer);
        }
    }

    /// The systems that a rule may let start a flow toward a system; what else the rule asks of them is not looked at.
    pub(super) fn starts(&self, rule: &Rule, end: End, to: SystemId) -> Vec<SystemId> {
        let of_end = self.of_end(end);
        let few = rule.when.iter().filter_map(|it| self.few(*it, to));
        match few.min_by_key(|systems| systems.len()) {
            Some(few) if few.len() < of_end.len() => few
                .iter()
                .copied()
                .filter(|system| is_server_end(self.site, end, *system))
                .collect(),
            _ => of_end.to_vec(),
        }
    }

    /// The systems that an end of a rule names.
    pub(super) fn of_end(&self, end: End) -> &[SystemId] {
        let found = self.by_end.iter().find(|(known, _)| *known == end);
        found.map_or(&[], |(_, systems)| systems)
    }

    /// The only systems for which a condition may hold, where these can be few.
    fn few(&self, condition: Condition, to: SystemId) -> Option<&[SystemId]> {
        let found = match condition {
            Condition::IpsecBetween => self.ipsec.get(&to),
            Condition::UsesThisDatabase => self.using.get(&to),
            Condition::SameForest => {
                let forest = self.site.systems[to].forest.as_deref();
                self.in_forest.get(&forest)
            }
            Condition::PublishedBySource => return Some(self.site.publishers(to)),
            _ => return None,
        };
        Some(found.map_or(&[], Vec::as_slice))
    }
}

fn is_of_parent(system: &System) -> bool {
    let of_parent = [Role::ParentSiteServer, Role::ParentSoftwareUpdatePoint];
    of_parent
        .iter()
        .any(|role| system.server_roles.contains(role))
}

/// Whether a system is what an end of a rule means, as servers reach it.
pub(super) fn is_server_end(site: &Site, end: End, system: SystemId) -> bool {
    has_end(site, end, system, &site.systems[system].server_roles)
}

/// Whether a system with these roles is what an end of a rule means.
pub(super) fn has_end(site: &Site, end: End, system: SystemId, roles: &BTreeSet<Role>) -> bool {
    match end {
        End::Role(role) => roles.contains(&role),
        End::ActiveSoftwareUpdatePoint => {
            roles.contains(&Role::SoftwareUpdatePoint) && !site.is_internet_update_point(system)
        }
        End::InternetSoftwareUpdatePoint => {
            roles.contains(&Role::SoftwareUpdatePoint) && site.is_internet_update_point(system)
        }
        End::AnySystem => true,
        End::Service(_)
        | End::InternetClients
        | End::IntranetClients
        | End::Clients
        | End::Internet
        | End::LessTrustedZones
        | End::MoreTrustedZones => false,
    }
}
