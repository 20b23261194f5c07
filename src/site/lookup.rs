//! What is asked of a site for each of its flows, looked up once, so that a plan grows as its site does.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::paths::Ways;
use super::{Firewall, Site, System, SystemId, ZoneId, update_points};

/// The site by what it is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookup {
    pub(super) ways: Ways,
    /// The systems that publish a system.
    publishers: HashMap<SystemId, Vec<SystemId>>,
    /// By asking zone and address: the systems whose ports are translated for that zone.
    by_address: HashMap<(ZoneId, IpAddr), Vec<SystemId>>,
    /// The same by name, in lower case.
    by_name: HashMap<(ZoneId, String), Vec<SystemId>>,
    /// The software update points for Internet clients only, the site's active one aside.
    internet_update_points: BTreeSet<SystemId>,
}

impl Lookup {
    pub(super) fn new(
        systems: &[System],
        firewalls: &[Firewall],
        zones: usize,
        internet: Option<ZoneId>,
    ) -> Self {
        let mut found = Self {
            ways: Ways::new(firewalls, zones),
            internet_update_points: update_points::for_the_internet(systems, internet),
            ..Self::default()
        };
        for (number, system) in systems.iter().enumerate() {
            found.add(number, system);
        }
        found
    }

    fn add(&mut self, number: SystemId, system: &System) {
        for published in &system.publishes {
            let publishers = self.publishers.entry(*published).or_default();
            // A file may name a system twice.
            if publishers.last() != Some(&number) {
                publishers.push(number);
            }
        }
        for (zone, _) in &system.ports {
            for address in system.addresses_for(*zone) {
                let sharing = self.by_address.entry((*zone, *address)).or_default();
                sharing.push(number);
            }
            if let Some(name) = system.name_for(*zone) {
                let key = (*zone, name.to_ascii_lowercase());
                self.by_name.entry(key).or_default().push(number);
            }
        }
    }
}

impl Site {
    /// Looks everything up anew, after systems were added or changed.
    pub(crate) fn look_up(&mut self) {
        self.lookup = Lookup::new(
            &self.systems,
            &self.firewalls,
            self.zones.len(),
            self.internet,
        );
    }

    /// The systems that publish a system, in the order of the file.
    pub fn publishers(&self, system: SystemId) -> &[SystemId] {
        let found = self.lookup.publishers.get(&system);
        found.map_or(&[], Vec::as_slice)
    }

    /// Whether a system is the software update point for Internet clients beside the site's active one.
    pub fn is_internet_update_point(&self, system: SystemId) -> bool {
        self.lookup.internet_update_points.contains(&system)
    }

    /// The systems with translated ports that a zone sees at an address.
    pub(super) fn sharing_address(&self, zone: ZoneId, address: IpAddr) -> &[SystemId] {
        let found = self.lookup.by_address.get(&(zone, address));
        found.map_or(&[], Vec::as_slice)
    }

    /// The systems with translated ports that a zone knows by a name.
    pub(super) fn sharing_name(&self, zone: ZoneId, name: &str) -> &[SystemId] {
        if self.lookup.by_name.is_empty() {
            return &[];
        }
        let key = (zone, name.to_ascii_lowercase());
        self.lookup.by_name.get(&key).map_or(&[], Vec::as_slice)
    }
}
