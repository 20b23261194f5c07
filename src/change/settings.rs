//! The settings in which two site files differ: all those that flows come from, or that say where flows lead.

use std::collections::BTreeSet;

use super::Side;
use super::document::SettingChange;
use super::numbers::both;
use crate::config::{Mode, Replication, UpdateSync};
use crate::product::Setting;
use crate::site::{OwnFlow, Site, System, Translation};

/// Settings with their values, in the order in which they are shown; empty: nothing.
type Values = Vec<(String, String)>;

pub(super) fn settings(old: &Side<'_>, new: &Side<'_>) -> Vec<SettingChange> {
    let mut all = differ(None, of_site(old.site), of_site(new.site));
    all.extend(differ(None, of_network(old.site), of_network(new.site)));
    for (before, after) in both(old, new) {
        let mut values = of_system(old.site, before);
        values.extend(seen_as(old.site, before));
        let mut others = of_system(new.site, after);
        others.extend(seen_as(new.site, after));
        all.extend(differ(Some(&after.name), values, others));
    }
    all
}

/// What is said otherwise, and what only one of them says.
fn differ(system: Option<&str>, before: Values, after: Values) -> Vec<SettingChange> {
    let said = |values: &Values, setting: &str| {
        let found = values.iter().find(|(other, _)| other == setting);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let is_gone = |(setting, _): &&(String, String)| !after.iter().any(|(it, _)| it == setting);
    let all = after.iter().chain(before.iter().filter(is_gone));
    let changes = all.map(|(setting, _)| SettingChange {
        setting: setting.clone(),
        system: system.map(str::to_string),
        old: said(&before, setting),
        new: said(&after, setting),
    });
    changes.filter(|it| it.old != it.new).collect()
}

fn of_site(site: &Site) -> Values {
    let ports = |setting| list(site.client_ports(setting).iter().collect());
    named([
        ("site.code", site.code.clone()),
        (
            "site.mode",
            list(site.settings.chosen::<Mode>().into_iter().collect()),
        ),
        ("client_ports.http", ports(Setting::ClientHttp)),
        ("client_ports.https", ports(Setting::ClientHttps)),
        ("retired_client_ports.http", ports(Setting::RetiredHttp)),
        ("retired_client_ports.https", ports(Setting::RetiredHttps)),
        (
            "default_port_clients",
            site.default_port_clients.to_string(),
        ),
        (
            "update_sync",
            list(site.settings.chosen::<UpdateSync>().into_iter().collect()),
        ),
        ("crl_check", site.crl_check.to_string()),
        (
            "crl_urls",
            list(site.crls.iter().map(|crl| &crl.url).collect()),
        ),
        ("crl_hosts", site.crl_hosts.to_string()),
        (
            "clients_speak",
            list(site.clients_speak.into_iter().collect()),
        ),
        (
            "zones",
            list(site.zones.iter().map(|zone| &zone.name).collect()),
        ),
        (
            "clients",
            list(
                site.clients
                    .iter()
                    .map(|zone| &site.zones[*zone].name)
                    .collect(),
            ),
        ),
        (
            "systems",
            list(site.systems.iter().map(|system| &system.name).collect()),
        ),
        (
            "flows",
            list(site.flows.iter().map(|it| own_flow(site, it)).collect()),
        ),
    ])
}

fn own_flow(site: &Site, flow: &OwnFlow) -> String {
    let protocol = flow.protocol.map(|protocol| format!(" ({protocol})"));
    format!(
        "{} {}>{}:{}/{}{}",
        flow.need,
        site.origin_name(flow.from),
        site.systems[flow.to].name,
        flow.port,
        flow.transport,
        protocol.unwrap_or_default()
    )
}

/// The networks of the zones, and the firewalls between them.
fn of_network(site: &Site) -> Values {
    let zone = |zone: usize| &site.zones[zone].name;
    let networks = site.zones.iter().map(|it| {
        let networks = list(it.networks.iter().collect());
        (format!("zones.{}.networks", it.name), networks)
    });
    let firewalls = site.firewalls.iter().flat_map(|it| {
        let (one, other) = it.between;
        let between = list(BTreeSet::from([zone(one), zone(other)]));
        [
            ("between", between),
            ("addresses", list(it.addresses.iter().collect())),
            ("device", it.device.clone().unwrap_or_default()),
        ]
        .map(|(key, value)| (format!("firewalls.{}.{key}", it.name), value))
    });
    networks.chain(firewalls).collect()
}

/// What a system is and does.
fn of_system(site: &Site, system: &System) -> Values {
    let zones = |zones: &Vec<usize>| list(zones.iter().map(|it| &site.zones[*it].name).collect());
    let systems = |all: &[usize]| list(all.iter().map(|it| &site.systems[*it].name).collect());
    let roles = system.client_roles.union(&system.server_roles);
    named([
        ("zone", site.zones[system.zone].name.clone()),
        ("roles", list(roles.collect())),
        (
            "serves",
            system.serves.as_ref().map(zones).unwrap_or_default(),
        ),
        (
            "software_update_ports",
            match system
                .client_roles
                .contains(&crate::product::Role::SoftwareUpdatePoint)
            {
                true => texts(&system.update_ports())
                    .into_iter()
                    .collect::<Vec<_>>()
                    .join(" and "),
                false => String::new(),
            },
        ),
        (
            "initiated_by_site_server",
            system.initiated_by_site_server.to_string(),
        ),
        ("database", systems(system.database.as_slice())),
        (
            "rpc_ports",
            list(texts(system.settings.ports(Setting::RpcDynamic))),
        ),
        ("forest", system.forest.clone().unwrap_or_default()),
        (
            "replication",
            list(
                system
                    .settings
                    .chosen::<Replication>()
                    .into_iter()
                    .collect(),
            ),
        ),
        ("publishes.systems", systems(&system.publishes)),
        (
            "publishes.tls",
            match system.publishes.is_empty() {
                true => String::new(),
                false => system.proxy_tls.to_string(),
            },
        ),
        ("publishes.ports", translated(&system.published_ports)),
        ("members", systems(&system.members)),
        ("ipsec_with", systems(&system.ipsec_with)),
    ])
}

/// By which names, at which addresses and ports each zone sees a system.
fn seen_as(site: &Site, system: &System) -> Values {
    let asking = |zone: &Option<usize>| match zone {
        Some(zone) => site.zones[*zone].name.clone(),
        None => "default".to_string(),
    };
    let names = system.names.iter();
    let names = names.map(|(zone, name)| (format!("names.{}", asking(zone)), name.clone()));
    let addresses = system.addresses.iter().map(|(zone, all)| {
        let key = format!("addresses.{}", asking(zone));
        (key, list(all.iter().collect()))
    });
    let ports = system.ports.iter().map(|(zone, ports)| {
        let key = format!("ports.{}", site.zones[*zone].name);
        (key, translated(ports))
    });
    names
        .chain(addresses)
        .chain(ports)
        .chain([(
            "also_in".to_string(),
            list(
                system
                    .also_in
                    .iter()
                    .map(|it| &site.zones[*it].name)
                    .collect(),
            ),
        )])
        .collect()
}

/// `443 to 8443`.
fn translated(ports: &Translation) -> String {
    let pairs: BTreeSet<(u16, u16)> = ports.pairs().collect();
    let pairs = pairs.iter().map(|(asked, own)| format!("{asked} to {own}"));
    pairs.collect::<Vec<_>>().join(", ")
}

fn texts<T: ToString>(all: &[T]) -> BTreeSet<String> {
    all.iter().map(ToString::to_string).collect()
}

fn named<const COUNT: usize>(values: [(&str, String); COUNT]) -> Values {
    let values = values.into_iter();
    values
        .map(|(key, value)| (key.to_string(), value))
        .collect()
}

fn list<T: ToString + Ord>(all: BTreeSet<T>) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}
