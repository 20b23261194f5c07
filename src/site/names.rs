//! Names of zones and systems, looked up.

use std::collections::HashMap;

use super::{Origin, SystemId, ZoneId};
use crate::config::Config;
use crate::diagnostic::{Problem, choices};
use crate::yaml::At;

/// What names are looked up in.
pub(super) struct Names<'a> {
    zones: Vec<&'a str>,
    systems: Vec<&'a str>,
    zone_numbers: HashMap<&'a str, ZoneId>,
    system_numbers: HashMap<&'a str, SystemId>,
}

impl<'a> Names<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let zones: Vec<&str> = config.zones.iter().map(|it| it.name.as_str()).collect();
        let systems: Vec<&str> = config.systems.iter().map(|it| it.name.as_str()).collect();
        Self {
            zone_numbers: numbers(&zones),
            system_numbers: numbers(&systems),
            zones,
            systems,
        }
    }

    /// The zone of a name; what no zone has is a finding elsewhere.
    pub(super) fn zone_number(&self, name: &str) -> Option<ZoneId> {
        self.zone_numbers.get(name).copied()
    }

    pub(super) fn zone(
        &self,
        name: &At<String>,
        what: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<ZoneId> {
        let found = self.zone_number(&name.value);
        if found.is_none() {
            problems.push(
                Problem::error(
                    "unknown-zone",
                    name.at,
                    format!("{what} `{}`, which is no zone of this file", name.value),
                )
                .hint(choices(&name.value, self.zones.iter().copied())),
            );
        }
        found
    }

    pub(super) fn system(
        &self,
        name: &At<String>,
        what: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<SystemId> {
        let found = self.system_numbers.get(name.value.as_str()).copied();
        if found.is_none() {
            problems.push(
                Problem::error(
                    "unknown-system",
                    name.at,
                    format!("{what} `{}`, which is no system of this file", name.value),
                )
                .hint(choices(&name.value, self.systems.iter().copied())),
            );
        }
        found
    }

    /// Whether both name one system.
    pub(super) fn is_same(&self, one: &At<String>, other: &At<String>) -> bool {
        let number = |name: &At<String>| self.system_numbers.get(name.value.as_str());
        number(one).is_some_and(|it| number(other) == Some(it))
    }

    pub(super) fn origin(
        &self,
        name: &At<String>,
        what: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Origin> {
        let zone = self.zone_number(&name.value).map(Origin::Zone);
        let system = self.system_numbers.get(name.value.as_str()).copied();
        let found = zone.or(system.map(Origin::System));
        if found.is_none() {
            let known: Vec<&str> = self.zones.iter().chain(&self.systems).copied().collect();
            problems.push(
                Problem::error(
                    "unknown-end",
                    name.at,
                    format!(
                        "{what} `{}`, which is no zone and no system of this file",
                        name.value
                    ),
                )
                .hint(choices(&name.value, known.iter().copied())),
            );
        }
        found
    }
}

/// The number of each name.
fn numbers<'a>(names: &[&'a str]) -> HashMap<&'a str, usize> {
    let all = names.iter().enumerate();
    all.map(|(number, name)| (*name, number)).collect()
}

pub(super) fn asking_zone(
    key: &At<String>,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Option<ZoneId>> {
    if key.value == "default" {
        return Some(None);
    }
    let found = names.zone_number(&key.value);
    if found.is_none() {
        let known: Vec<&str> = names.zones.iter().copied().chain(["default"]).collect();
        problems.push(
            Problem::error(
                "unknown-zone",
                key.at,
                format!("`{}` is no zone of this file", key.value),
            )
            .hint(choices(&key.value, known.iter().copied())),
        );
    }
    found.map(Some)
}
