//! Names of zones and systems, looked up.

use super::{Origin, SystemId, ZoneId};
use crate::diagnostic::{Problem, choices};
use crate::yaml::At;

/// What names are looked up in.
pub(super) struct Names<'a> {
    pub(super) zones: Vec<&'a str>,
    pub(super) systems: Vec<&'a str>,
}

impl Names<'_> {
    pub(super) fn zone(
        &self,
        name: &At<String>,
        what: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<ZoneId> {
        let found = self.zones.iter().position(|zone| *zone == name.value);
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
        let found = self.systems.iter().position(|system| *system == name.value);
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

    pub(super) fn origin(
        &self,
        name: &At<String>,
        what: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Origin> {
        let zone = self
            .zones
            .iter()
            .position(|zone| *zone == name.value)
            .map(Origin::Zone);
        let found = zone.or_else(|| {
            self.systems
                .iter()
                .position(|system| *system == name.value)
                .map(Origin::System)
        });
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

pub(super) fn asking_zone(
    key: &At<String>,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Option<ZoneId>> {
    if key.value == "default" {
        return Some(None);
    }
    let found = names.zones.iter().position(|zone| *zone == key.value);
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
