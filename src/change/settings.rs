//! The keys in which two site files differ: all those of the table of keys that flows come from, or that say where flows
//! lead. Where a file leaves a value to the product, or to the other systems, what holds stands in its place.

use std::collections::BTreeSet;

use super::Side;
use super::document::SettingChange;
use super::numbers::both;
use crate::config::Values;
use crate::product::{Role, Setting};
use crate::site::{Settings, Site, System};

pub(super) fn settings(old: &Side<'_>, new: &Side<'_>) -> Vec<SettingChange> {
    let mut all = differ(None, &of_site(old.site), &of_site(new.site));
    for (before, after) in both(old, new) {
        let (values, others) = (of_system(old.site, before), of_system(new.site, after));
        all.extend(differ(Some(&after.name), &values, &others));
    }
    all
}

/// What is said otherwise, and what only one of them says.
fn differ(system: Option<&str>, before: &Values, after: &Values) -> Vec<SettingChange> {
    let said = |values: &Values, setting: &str| {
        let found = values.iter().find(|(other, _)| other == setting);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let is_gone = |(setting, _): &&(String, String)| !after.iter().any(|(it, _)| it == setting);
    let all = after.iter().chain(before.iter().filter(is_gone));
    let changes = all.map(|(setting, _)| SettingChange {
        setting: setting.clone(),
        system: system.map(str::to_string),
        old: said(before, setting),
        new: said(after, setting),
    });
    changes.filter(|it| it.old != it.new).collect()
}

fn of_site(site: &Site) -> Values {
    let mut values = site.told.clone();
    ports(&mut values, &site.settings);
    // They count at the systems that have them.
    values.retain(|(key, _)| !is_of_update_points(key));
    values
}

fn of_system(site: &Site, system: &System) -> Values {
    let mut values = system.told.clone();
    ports(&mut values, &system.settings);
    if !system.client_roles.contains(&Role::SoftwareUpdatePoint) {
        values.retain(|(key, _)| !is_of_update_points(key));
    }
    let database = system.database.map(|it| site.systems[it].name.clone());
    put(&mut values, "database", database.unwrap_or_default());
    values
}

fn ports(values: &mut Values, settings: &Settings) {
    for (setting, ports) in settings.all_ports() {
        let ports = BTreeSet::from_iter(ports);
        let ports: Vec<String> = ports.into_iter().map(ToString::to_string).collect();
        put(values, setting.key(), ports.join(", "));
    }
}

fn put(values: &mut Values, key: &str, text: String) {
    match values.iter_mut().find(|(known, _)| known == key) {
        Some((_, value)) => *value = text,
        None => values.push((key.to_string(), text)),
    }
}

fn is_of_update_points(key: &str) -> bool {
    let both = [Setting::SoftwareUpdateHttp, Setting::SoftwareUpdateHttps];
    both.iter().any(|it| it.key() == key)
}
