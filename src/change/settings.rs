//! The settings in which two site files differ.

use std::collections::BTreeSet;

use super::Side;
use super::document::SettingChange;
use super::numbers::both;
use crate::catalogue::Setting;
use crate::config::{Mode, UpdateSync};
use crate::site::{Site, System};

pub(super) fn settings(old: &Side<'_>, new: &Side<'_>) -> Vec<SettingChange> {
    let of_site = of_site(old.site).into_iter().zip(of_site(new.site));
    let mut all: Vec<SettingChange> = of_site
        .filter_map(|((setting, before), (_, after))| change(setting, None, before, after))
        .collect();
    for (before, after) in both(old, new) {
        let pairs = of_system(old.site, before)
            .into_iter()
            .zip(of_system(new.site, after));
        all.extend(pairs.filter_map(|((setting, before), (_, value))| {
            change(setting, Some(&after.name), before, value)
        }));
    }
    all
}

fn change(setting: &str, system: Option<&str>, old: String, new: String) -> Option<SettingChange> {
    (old != new).then(|| SettingChange {
        setting: setting.to_string(),
        system: system.map(str::to_string),
        old,
        new,
    })
}

fn of_site(site: &Site) -> Vec<(&'static str, String)> {
    let ports = |setting| list(site.client_ports(setting).iter().collect());
    vec![
        ("site.code", site.code.clone()),
        (
            "site.mode",
            match site.mode {
                Mode::Native => "native".to_string(),
                Mode::Mixed => "mixed".to_string(),
            },
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
            match site.update_sync {
                UpdateSync::Direct => "direct".to_string(),
                UpdateSync::ExportImport => "export-import".to_string(),
            },
        ),
        ("crl_check", site.crl_check.to_string()),
        (
            "crl_urls",
            list(site.crls.iter().map(|crl| &crl.url).collect()),
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
    ]
}

fn of_system(site: &Site, system: &System) -> Vec<(&'static str, String)> {
    let (http, https) = system.software_update_ports;
    let zones = |zones: &Vec<usize>| list(zones.iter().map(|it| &site.zones[*it].name).collect());
    let roles = system.client_roles.union(&system.server_roles);
    vec![
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
                .contains(&crate::catalogue::Role::SoftwareUpdatePoint)
            {
                true => format!("{http} and {https}"),
                false => String::new(),
            },
        ),
    ]
}

fn list<T: ToString + Ord>(all: BTreeSet<T>) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}
