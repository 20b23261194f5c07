//! Ports that must be closed between zones unless something needs them.

use std::sync::Arc;

use crate::plan::settle::{Proposal, ReasonId};
use crate::plan::{Reason, Target, WATCHLIST};
use crate::product::{Catalogue, Confidence, Need, Protocol, Role, Setting, Transport};
use crate::site::{Origin, Site, SystemId};
use crate::yaml::Ports;

/// The watchlist: the catalogue's, every number that the site configures or retires, and the product's defaults.
pub(super) fn watchlist(site: &Site, catalogue: &Catalogue) -> Arc<[Ports]> {
    let mut ports: Vec<u16> = Vec::new();
    let named = catalogue
        .watchlist
        .iter()
        .filter_map(|name| catalogue.ports.get(name))
        .flat_map(|port| port.default.iter());
    let defaults =
        [Setting::ClientHttp, Setting::ClientHttps].map(|setting| catalogue.default_ports(setting));
    ports.extend(
        named
            .chain(defaults.iter().flatten())
            .flat_map(|range| range.low..=range.high),
    );
    ports.extend(site.settings.all_numbers());
    for system in &site.systems {
        ports.extend(system.published_ports.numbers());
        ports.extend(system.ports.iter().flat_map(|(_, it)| it.numbers()));
    }
    for system in site
        .systems
        .iter()
        .filter(|system| system.client_roles.contains(&Role::SoftwareUpdatePoint))
    {
        ports.extend(system.update_ports());
    }
    ports.sort_unstable();
    ports.dedup();
    ports.into_iter().map(Ports::one).collect()
}

/// Why the watchlist forbids a port.
pub(super) fn reason() -> Reason {
    Reason {
        rules: vec![WATCHLIST.to_string()],
        why: "Nothing that the site file describes needs this port between zones.".into(),
        breaks: "An open port that nobody needs can be attacked from the other zone.".into(),
        source: "follows from the site file".into(),
        confidence: Confidence::Derived,
        only_watched: true,
    }
}

/// Every port of the watchlist from other zones: forbidden unless something needs it.
pub(super) fn toward<'a>(
    site: &'a Site,
    watchlist: &'a Arc<[Ports]>,
    reason: ReasonId,
    to: SystemId,
) -> impl Iterator<Item = Proposal> + 'a {
    let system = &site.systems[to];
    let zones = (0..site.zones.len()).filter(|zone| !system.is_in(*zone));
    zones.map(move |zone| Proposal {
        from: Origin::Zone(zone),
        to: Target::System(to),
        transport: Transport::Tcp,
        ports: Arc::clone(watchlist),
        protocol: Protocol::Tcp,
        need: Need::Forbidden,
        reason,
        declared: system.declared,
    })
}
