//! The numbers that a change is about: client request ports, and the pairs of update points.

use std::collections::BTreeSet;
use std::fmt;

use super::Side;
use crate::plan::Flow;
use crate::product::{Catalogue, Changed, Protocol, Role, Setting};
use crate::site::System;

/// A port with what is spoken there: `8443 (HTTPS)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number {
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) of: Changed,
}

impl Number {
    /// The word of its protocol.
    pub(super) fn protocol(&self) -> Protocol {
        match self.tls {
            true => Protocol::Https,
            false => Protocol::Http,
        }
    }

    /// The setting of such numbers that are no longer in use.
    pub(super) fn retired(&self) -> Setting {
        if self.tls {
            Setting::RetiredHttps
        } else {
            Setting::RetiredHttp
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} ({})",
            self.port,
            self.protocol().name().to_uppercase()
        )
    }
}

/// Numbers that change together, before and afterwards. Protocols whose numbers stay are not among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    pub(super) before: BTreeSet<Number>,
    pub(super) after: BTreeSet<Number>,
    /// Systems whose own numbers they are; none: the site's.
    pub(super) systems: BTreeSet<String>,
}

impl Numbers {
    pub(super) fn added(&self) -> BTreeSet<Number> {
        self.after.difference(&self.before).copied().collect()
    }

    pub(super) fn removed(&self) -> BTreeSet<Number> {
        self.before.difference(&self.after).copied().collect()
    }

    /// Where clients go: to what is new, else to what stays.
    pub(super) fn to(&self) -> BTreeSet<Number> {
        let all = self.after.iter().copied();
        let is_new = |number: &Number| !self.before.contains(number);
        let of = |number: &Number| {
            let mut added = self.after.iter();
            added.any(|other| other.of == number.of && is_new(other))
        };
        all.filter(|number| is_new(number) || !of(number)).collect()
    }

    /// The same, of some settings only.
    pub(super) fn only(&self, of: &[Changed]) -> Self {
        let kept = |all: &BTreeSet<Number>| {
            let kept = all.iter().filter(|number| of.contains(&number.of));
            kept.copied().collect()
        };
        Self {
            before: kept(&self.before),
            after: kept(&self.after),
            systems: self.systems.clone(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }
}

/// The client request ports of the protocols that differ.
pub(super) fn of_clients(old: &Side<'_>, new: &Side<'_>) -> Numbers {
    let mut numbers = Numbers::default();
    for (tls, of, setting) in [
        (false, Changed::ClientHttp, Setting::ClientHttp),
        (true, Changed::ClientHttps, Setting::ClientHttps),
    ] {
        let all = |side: &Side<'_>| -> BTreeSet<Number> {
            let ports = side.site.client_ports(setting).into_iter();
            ports.map(|port| Number { port, tls, of }).collect()
        };
        let (before, after) = (all(old), all(new));
        if before != after {
            numbers.before.extend(before);
            numbers.after.extend(after);
        }
    }
    numbers
}

/// The pairs of the update points that both files have and that differ.
pub(super) fn of_update_points(old: &Side<'_>, new: &Side<'_>) -> Numbers {
    let pair = |system: &System| {
        let of = |tls, setting| {
            let numbers = system.settings.numbers(setting).into_iter();
            numbers.map(move |port| Number {
                port,
                tls,
                of: Changed::UpdatePorts,
            })
        };
        let http = of(false, Setting::SoftwareUpdateHttp);
        http.chain(of(true, Setting::SoftwareUpdateHttps))
    };
    let mut numbers = Numbers::default();
    for (before, after) in both(old, new) {
        let is_update_point =
            |system: &System| system.client_roles.contains(&Role::SoftwareUpdatePoint);
        let differs = before.update_ports() != after.update_ports();
        if differs && is_update_point(before) && is_update_point(after) {
            numbers.before.extend(pair(before));
            numbers.after.extend(pair(after));
            numbers.systems.insert(after.name.clone());
        }
    }
    numbers
}

/// The systems that both files have, by name.
pub(super) fn both<'a>(
    old: &Side<'a>,
    new: &Side<'a>,
) -> impl Iterator<Item = (&'a System, &'a System)> {
    let before = old.site.systems.iter();
    let after = &new.site.systems;
    before.filter_map(|one| Some((one, after.iter().find(|other| other.name == one.name)?)))
}

/// The settings that give a flow its port, by the rules that made it.
pub fn settings(catalogue: &Catalogue, flow: &Flow) -> BTreeSet<Setting> {
    let made = |id: &String| catalogue.rules.iter().find(|rule| rule.id == *id);
    let rules = flow.reason.rules.iter().filter_map(made);
    let names = rules.flat_map(|rule| &rule.ports);
    names
        .filter_map(|name| catalogue.ports.get(name)?.setting)
        .collect()
}

/// Whether a flow has its port from one of these numbers.
pub(super) fn is_of(catalogue: &Catalogue, flow: &Flow, numbers: &BTreeSet<Number>) -> bool {
    let settings = settings(catalogue, flow);
    let setting = |number: &Number| match (number.of, number.tls) {
        (Changed::ClientHttp, _) => Setting::ClientHttp,
        (Changed::ClientHttps, _) => Setting::ClientHttps,
        (Changed::UpdatePorts, false) => Setting::SoftwareUpdateHttp,
        (Changed::UpdatePorts, true) => Setting::SoftwareUpdateHttps,
    };
    numbers.iter().any(|number| {
        flow.port.low == number.port
            && flow.port.high == number.port
            && settings.contains(&setting(number))
    })
}

/// `443 (HTTPS) and 80 (HTTP)`.
pub(super) fn words(numbers: &BTreeSet<Number>) -> String {
    let all: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    match all.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => all.concat(),
    }
}
