//! The port numbers that a name of the catalogue stands for on this site.

use crate::product::{Catalogue, PortName, Role, Setting};
use crate::site::{Origin, Site, System, SystemId};
use crate::yaml::Ports;

/// The default number, while another is active, when no client uses it any more.
pub(super) fn is_dispensable(
    site: &Site,
    catalogue: &Catalogue,
    name: &PortName,
    port: Ports,
) -> bool {
    let Some(setting) = name
        .setting
        .filter(|setting| matches!(setting, Setting::ClientHttp | Setting::ClientHttps))
    else {
        return false;
    };
    !site.default_port_clients
        && site.settings.ports(setting).len() > 1
        && catalogue.default_ports(setting).contains(&port)
}

pub(super) fn ports(
    site: &Site,
    watchlist: &[Ports],
    name: &PortName,
    from: Origin,
    to: SystemId,
) -> Vec<Ports> {
    let destination = &site.systems[to];
    match name.setting {
        None => fixed(name),
        Some(
            setting @ (Setting::ClientHttp
            | Setting::ClientHttps
            | Setting::RetiredHttp
            | Setting::RetiredHttps
            | Setting::Sql
            | Setting::ServiceBroker
            | Setting::ClientNotification
            | Setting::ExpressUpdates
            | Setting::CmgChannels),
        ) => site.settings.ports(setting).to_vec(),
        Some(setting @ (Setting::SoftwareUpdateHttp | Setting::SoftwareUpdateHttps)) => {
            let points = update_points(site, from, to).into_iter();
            let ports = points.flat_map(|point| point.settings.ports(setting));
            ports.copied().collect()
        }
        Some(setting @ (Setting::RpcDynamic | Setting::Multicast)) => {
            destination.settings.ports(setting).to_vec()
        }
        Some(Setting::Crl) => {
            let own: Vec<Ports> = site
                .crls
                .iter()
                .filter(|crl| crl.system == Some(to))
                .map(|crl| Ports::one(crl.port))
                .collect();
            if own.is_empty() {
                name.default.clone()
            } else {
                own
            }
        }
        Some(Setting::Watchlist) => watchlist.to_vec(),
    }
}

/// The numbers toward what is no system of the file.
pub(super) fn of_site(site: &Site, name: &PortName) -> Vec<Ports> {
    match name.setting {
        None => fixed(name),
        Some(setting) => match site.settings.ports(setting) {
            [] => name.default.clone(),
            ports => ports.to_vec(),
        },
    }
}

/// A fixed name with a few numbers means each of them; one wide range stays a range.
fn fixed(name: &PortName) -> Vec<Ports> {
    const FEW: u16 = 16;
    name.default
        .iter()
        .flat_map(|range| {
            if range.high - range.low < FEW {
                (range.low..=range.high).map(Ports::one).collect()
            } else {
                vec![*range]
            }
        })
        .collect()
}

/// The update points that a flow reaches: the destination, or those that it publishes.
fn update_points(site: &Site, from: Origin, to: SystemId) -> Vec<&System> {
    let proxy = &site.systems[to];
    if proxy.publishes.is_empty() || !matches!(from, Origin::Zone(_)) {
        return vec![proxy];
    }
    let published = proxy.publishes.iter().map(|system| &site.systems[*system]);
    published
        .filter(|system| system.client_roles.contains(&Role::SoftwareUpdatePoint))
        .collect()
}
