//! Zones and the firewalls between them.

use std::collections::BTreeMap;

use super::names::Names;
use super::paths::Ways;
use super::{Firewall, ZoneId};
use crate::config::{self, Config};
use crate::diagnostic::{Problem, choices};

pub(super) fn shared_networks(config: &Config, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<ipnet::IpNet, &str> = BTreeMap::new();
    for zone in &config.zones {
        for network in &zone.networks {
            if let Some(other) = seen
                .insert(network.value, &zone.name.value)
                .filter(|other| *other != zone.name.value)
            {
                problems.push(
                    Problem::error(
                        "shared-network",
                        network.at,
                        format!(
                            "`{}` is a network of `{other}` and of `{}`",
                            network.value, zone.name.value
                        ),
                    )
                    .hint("a network lies in one zone"),
                );
            }
        }
    }
}

/// The zone of Internet clients: by its name, else by the default route.
pub(super) fn internet(config: &Config) -> Option<ZoneId> {
    let named = config
        .zones
        .iter()
        .position(|zone| zone.name.value == "internet");
    named.or_else(|| {
        config.zones.iter().position(|zone| {
            zone.networks
                .iter()
                .any(|network| network.value.prefix_len() == 0)
        })
    })
}

pub(super) fn firewalls(
    config: &Config,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Firewall> {
    let before = problems.len();
    let all: Vec<Firewall> = config
        .firewalls
        .iter()
        .filter_map(|firewall| one_firewall(firewall, names, problems))
        .collect();
    if problems.len() > before {
        return all;
    }
    lone_legs(config, problems);
    if all.is_empty() && config.zones.len() > 1 && config.firewalls.is_empty() {
        problems.push(
            Problem::warning(
                "no-firewalls",
                config.zones[1].name.at,
                "the file names no firewall between its zones",
            )
            .hint("add `firewalls`, so that the report can say which one a flow crosses"),
        );
        return all;
    }
    let ways = Ways::new(&all, config.zones.len());
    for (zone, it) in config.zones.iter().enumerate().skip(1) {
        if ways.firewalls(0, zone).is_none() {
            problems.push(
                Problem::error(
                    "unconnected-zone",
                    it.name.at,
                    format!(
                        "no chain of firewalls connects zone `{}` with zone `{}`",
                        it.name.value, config.zones[0].name.value
                    ),
                )
                .hint(format!(
                    "add a firewall between `{}` and a zone beside it",
                    it.name.value
                )),
            );
        }
    }
    all
}

/// A box that only one firewall is a leg of: most likely its name is written in two ways.
fn lone_legs(config: &Config, problems: &mut Vec<Problem>) {
    let devices = || config.firewalls.iter().filter_map(|it| it.device.as_ref());
    for device in devices() {
        if devices().filter(|it| it.value == device.value).count() == 1 {
            let others = devices().map(|it| it.value.as_str());
            let others: Vec<&str> = others.filter(|it| *it != device.value).collect();
            let hint = match others.is_empty() {
                true => "leave `device` out of a firewall that is a box of its own".to_string(),
                false => choices(&device.value, others),
            };
            problems.push(
                Problem::warning(
                    "lone-leg",
                    device.at,
                    format!("no other firewall is a leg of `{}`", device.value),
                )
                .hint(hint),
            );
        }
    }
}

fn one_firewall(
    firewall: &config::Firewall,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Firewall> {
    let what = format!("firewall `{}` stands at", firewall.name.value);
    let ends: Vec<Option<ZoneId>> = firewall
        .between
        .iter()
        .map(|zone| names.zone(zone, &what, problems))
        .collect();
    let [Some(a), Some(b)] = ends[..] else {
        return None;
    };
    if a == b {
        problems.push(
            Problem::error(
                "firewall-zones",
                firewall.between[1].at,
                format!("{what} `{}` on both sides", firewall.between[1].value),
            )
            .hint("a firewall stands between two different zones"),
        );
        return None;
    }
    Some(Firewall {
        name: firewall.name.value.clone(),
        between: (a, b),
        addresses: firewall
            .addresses
            .iter()
            .map(|address| address.value)
            .collect(),
        device: firewall.device.as_ref().map(|device| device.value.clone()),
    })
}
