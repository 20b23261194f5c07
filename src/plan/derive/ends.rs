//! The systems and zones that an end of a rule means on this site.

use super::known::{Known, has_end};
use crate::product::{Condition, End, Rule};
use crate::site::{Origin, Site, SystemId, ZoneId};

/// Servers reach the members of a virtual name, clients and proxies the name.
pub(super) fn leads_to(site: &Site, rule: &Rule, end: End, to: SystemId) -> bool {
    let system = &site.systems[to];
    let from_servers = rule.from.iter().all(|end| end.is_system())
        && !rule.when.contains(&Condition::PublishedBySource);
    let roles = if from_servers {
        &system.server_roles
    } else {
        &system.client_roles
    };
    has_end(site, end, to, roles)
}

/// The systems and zones that may start a flow of a rule toward a system.
pub(super) fn origins(site: &Site, known: &Known<'_>, rule: &Rule, to: SystemId) -> Vec<Origin> {
    let ends = rule.from.iter();
    ends.flat_map(|end| match end.is_system() {
        true => {
            let systems = known.starts(rule, *end, to).into_iter();
            systems.map(Origin::System).collect()
        }
        false => zones(site, *end, to),
    })
    .collect()
}

/// The systems and zones that may start a flow of a rule toward what is no system of the file.
pub(super) fn origins_outward(site: &Site, known: &Known<'_>, rule: &Rule) -> Vec<Origin> {
    let ends = rule.from.iter();
    ends.flat_map(|end| match end.is_system() {
        true => known
            .of_end(*end)
            .iter()
            .copied()
            .map(Origin::System)
            .collect(),
        false => clients(site, *end).map(Origin::Zone).collect::<Vec<_>>(),
    })
    .collect()
}

/// The client zones that an end of a rule means.
pub(super) fn clients(site: &Site, end: End) -> impl Iterator<Item = ZoneId> {
    let is_meant = move |zone: &ZoneId| match end {
        End::Clients => true,
        End::InternetClients => Some(*zone) == site.internet,
        End::IntranetClients => Some(*zone) != site.internet,
        _ => false,
    };
    site.clients.iter().copied().filter(is_meant)
}

/// The zones that an end of a rule means.
fn zones(site: &Site, end: End, to: SystemId) -> Vec<Origin> {
    let to_zone = site.systems[to].zone;
    let beyond = |zone: &ZoneId| !site.systems[to].is_in(*zone);
    let served = |zone: &ZoneId| site.serves(to, *zone) && site.proxy_for(*zone, to).is_none();
    let zones: Vec<ZoneId> = match end {
        End::Clients | End::InternetClients | End::IntranetClients => {
            clients(site, end).filter(served).collect()
        }
        End::Internet => site.internet.into_iter().filter(beyond).collect(),
        End::LessTrustedZones => (0..to_zone)
            .filter(|zone| Some(*zone) != site.internet)
            .filter(beyond)
            .collect(),
        End::MoreTrustedZones => (to_zone + 1..site.zones.len()).filter(beyond).collect(),
        End::Role(_)
        | End::Service(_)
        | End::ActiveSoftwareUpdatePoint
        | End::InternetSoftwareUpdatePoint
        | End::AnySystem => Vec::new(),
    };
    zones.into_iter().map(Origin::Zone).collect()
}
