//! Ports that must be closed between zones unless something needs them.

use std::sync::Arc;

use crate::plan::{Flow, Reason, Target, WATCHLIST};
use crate::product::{Catalogue, Confidence, Need, Protocol, Role, Setting, Transport};
use crate::site::{Origin, Site};
use crate::yaml::Ports;

/// The watchlist: the catalogue's, every number that the site configures or retires, and the product's defaults.
pub(in crate::plan) fn watchlist(site: &Site, catalogue: &Catalogue) -> Vec<u16> {
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
    ports
}

/// Every port of the watchlist between zones: forbidden unless something needs it.
pub(in crate::plan) fn from_watchlist(site: &Site, watchlist: &[u16]) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (to, system) in site.systems.iter().enumerate() {
        let why = Arc::new(Reason {
            rules: vec![WATCHLIST.to_string()],
            why: "Nothing that the site file describes needs this port between zones.".to_string(),
            breaks: "An open port that nobody needs can be attacked from the other zone."
                .to_string(),
            source: "follows from the site file".to_string(),
            confidence: Confidence::Derived,
            declared: system.declared,
            only_watched: true,
        });
        for zone in (0..site.zones.len()).filter(|zone| !system.is_in(*zone)) {
            flows.extend(watchlist.iter().map(|port| Flow {
                from: Origin::Zone(zone),
                to: Target::System(to),
                transport: Transport::Tcp,
                port: Ports::one(*port),
                protocol: Protocol::Tcp,
                need: Need::Forbidden,
                reason: Arc::clone(&why),
            }));
        }
    }
    flows
}
