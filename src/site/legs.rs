//! Systems with legs in several zones: what starts or arrives there takes the way with the fewest firewalls.

use super::names::Names;
use super::paths::Ways;
use super::{Firewall, Origin, Site, System, SystemId, ZoneId};
use crate::config;
use crate::diagnostic::Problem;

impl System {
    /// The zones that it has a leg in, its own first.
    pub fn zones(&self) -> impl Iterator<Item = ZoneId> {
        std::iter::once(self.zone).chain(self.also_in.iter().copied())
    }

    /// Whether it has a leg in a zone.
    pub fn is_in(&self, zone: ZoneId) -> bool {
        self.zones().any(|own| own == zone)
    }
}

impl Site {
    /// The zone in which a flow starts and the one in which it arrives. They are the two legs with the fewest firewalls
    /// between, of all legs of both ends. Of equal ones they are those that the file names first.
    pub fn legs(&self, from: Origin, to: SystemId) -> (ZoneId, ZoneId) {
        let system = &self.systems[to];
        let own = self.zone_of(from);
        let further = match from {
            Origin::Zone(_) => &[][..],
            Origin::System(system) => &self.systems[system].also_in,
        };
        if further.is_empty() && system.also_in.is_empty() {
            return (own, system.zone);
        }
        let starts: Vec<ZoneId> = std::iter::once(own)
            .chain(further.iter().copied())
            .collect();
        let pairs = starts
            .iter()
            .flat_map(|start| system.zones().map(move |end| (*start, end)));
        let length = |(start, end): &(ZoneId, ZoneId)| {
            let way = self.lookup.ways.firewalls(*start, *end);
            way.map_or(usize::MAX, |all| all.len())
        };
        pairs.min_by_key(length).unwrap_or((own, system.zone))
    }
}

/// The further zones of a system.
pub(super) fn also_in(
    system: &config::System,
    zone: Option<ZoneId>,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<ZoneId> {
    let what = format!("system `{}` is also in", system.name.value);
    let mut found = Vec::new();
    for name in &system.also_in {
        match names.zone(name, &what, problems) {
            Some(also) if Some(also) == zone || found.contains(&also) => problems.push(
                Problem::error(
                    "also-in-twice",
                    name.at,
                    format!("{what} `{}`, and that is said already", name.value),
                )
                .hint("`also_in` lists the zones beside `zone` that it has a leg in, each once"),
            ),
            Some(also) => found.push(also),
            None => {}
        }
    }
    found
}

/// What has legs on both sides of a firewall is a way around it.
pub(super) fn bridged(
    config: &config::Config,
    systems: &[System],
    firewalls: &[Firewall],
    problems: &mut Vec<Problem>,
) {
    let zones = &config.zones;
    let ways = Ways::new(firewalls, zones.len());
    for (system, written) in systems.iter().zip(&config.systems) {
        for (also, name) in system.also_in.iter().zip(&written.also_in) {
            let between = ways.firewalls(system.zone, *also);
            let between: Vec<&str> = between
                .unwrap_or_default()
                .into_iter()
                .map(|number| firewalls[number].name.as_str())
                .collect();
            if between.is_empty() {
                continue;
            }
            problems.push(
                Problem::warning(
                    "bridges-boundary",
                    name.at,
                    format!(
                        "system `{}` bridges the boundary between `{}` and `{}`: whoever gets into \
                         it has got around {}",
                        system.name,
                        zones[system.zone].name.value,
                        name.value,
                        between.join(" and ")
                    ),
                )
                .hint(
                    "its own firewall is then the boundary; its certificate has to carry the \
                     names that both zones use",
                ),
            );
        }
    }
}
