//! Clients that do not learn of new numbers by themselves, and what they are given.

use std::collections::BTreeSet;

use super::Side;
use super::document::{CannotLearn, GivenProperty};
use super::numbers::{Number, Numbers};
use crate::config::Mode;
use crate::plan;
use crate::product::{Catalogue, Changed, Gives, Need, Property, Role, Setting, Value};
use crate::site::{Origin, ZoneId};

/// The Internet zone, when the site has clients there.
fn internet(new: &Side<'_>) -> Option<ZoneId> {
    let zone = new.site.internet?;
    new.site.clients.contains(&zone).then_some(zone)
}

pub(super) fn cannot_learn(
    new: &Side<'_>,
    catalogue: &Catalogue,
    numbers: &Numbers,
) -> Vec<CannotLearn> {
    if numbers.is_empty() {
        return Vec::new();
    }
    let there = internet(new).is_some();
    let all = catalogue.port_change.cannot_learn.iter();
    all.filter(|deaf| there || !deaf.on_the_internet)
        .map(|deaf| CannotLearn {
            id: deaf.id.clone(),
            who: deaf.who.clone(),
            shown: deaf.on_the_internet,
            confidence: deaf.confidence,
            source: (!deaf.source.is_empty()).then(|| deaf.source.clone()),
        })
        .collect()
}

pub(super) fn properties(
    new: &Side<'_>,
    catalogue: &Catalogue,
    numbers: &Numbers,
) -> Vec<GivenProperty> {
    if numbers.is_empty() {
        return Vec::new();
    }
    let all = catalogue.port_change.properties.iter();
    all.filter_map(|property| given(new, catalogue, numbers, property))
        .collect()
}

fn given(
    new: &Side<'_>,
    catalogue: &Catalogue,
    numbers: &Numbers,
    property: &Property,
) -> Option<GivenProperty> {
    let (values, changes) = match property.gives {
        Gives::HttpPort => port(new, catalogue, numbers, Setting::ClientHttp),
        Gives::HttpsPort => port(new, catalogue, numbers, Setting::ClientHttps),
        Gives::HttpsState => (state(new, property), false),
        Gives::ManagementPoint => (names(new, catalogue, Role::ManagementPoint), false),
        Gives::FallbackStatusPoint => (names(new, catalogue, Role::FallbackStatusPoint), false),
        Gives::InternetOnly => match internet(new) {
            Some(_) => (values(property, Value::Always), false),
            None => (Vec::new(), false),
        },
    };
    (!values.is_empty()).then(|| GivenProperty {
        name: property.name.clone(),
        gives: property.gives,
        values,
        changes,
        confidence: property.confidence,
        source: (!property.source.is_empty()).then(|| property.source.clone()),
    })
}

/// The number to go to, where it changes; else the site's, where it is not the product's own.
fn port(
    new: &Side<'_>,
    catalogue: &Catalogue,
    numbers: &Numbers,
    setting: Setting,
) -> (Vec<String>, bool) {
    let of = match setting {
        Setting::ClientHttp => Changed::ClientHttp,
        _ => Changed::ClientHttps,
    };
    let to = numbers.only(&[of]).to();
    if !to.is_empty() {
        let ports = to.iter().map(|number: &Number| number.port.to_string());
        return (ports.collect(), true);
    }
    let defaults = catalogue.default_ports(setting);
    let is_default = |port: &u16| defaults.contains(&crate::yaml::Ports::one(*port));
    let ports = new.site.client_ports(setting);
    match ports.iter().all(is_default) {
        true => (Vec::new(), false),
        false => (ports.iter().map(ToString::to_string).collect(), false),
    }
}

/// Of a site in native mode.
fn state(new: &Side<'_>, property: &Property) -> Vec<String> {
    match (new.site.settings.chosen(), new.site.crl_check) {
        (Some(Mode::Native), true) => values(property, Value::CrlCheck),
        (Some(Mode::Native), false) => values(property, Value::NoCrlCheck),
        (Some(Mode::Mixed) | None, _) => Vec::new(),
    }
}

fn values(property: &Property, when: Value) -> Vec<String> {
    property.values.get(&when).cloned().into_iter().collect()
}

/// The names by which Internet clients know the systems with a role, or what publishes them.
fn names(new: &Side<'_>, catalogue: &Catalogue, role: Role) -> Vec<String> {
    let Some(zone) = internet(new) else {
        return Vec::new();
    };
    let mut flows = new.plan.flows.iter().collect::<Vec<_>>();
    flows.retain(|flow| {
        flow.from == Origin::Zone(zone)
            && flow.need != Need::Forbidden
            && plan::roles(new.site, catalogue, flow).contains(&role)
    });
    let names = flows
        .iter()
        .filter_map(|flow| plan::entry(new.site, new.file, flow).to.name);
    names.collect::<BTreeSet<_>>().into_iter().collect()
}
