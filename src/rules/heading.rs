//! What stands at the top of every rule file: of what it is, what it holds, and what it takes for granted.

use super::{Family, Permit, Rules};
use crate::site::Site;

/// What all devices' files say of themselves.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// The site file.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
    /// Whether optional flows stand in it.
    pub optional: bool,
    /// The vantages of the report that says what is missing; none: the whole plan.
    pub missing_by: Vec<String>,
    /// Whether that report was made with another site file.
    pub missing_by_another_file: bool,
    /// What the plan knows of and has no flow for, each in a sentence.
    pub unplanned: Vec<String>,
}

impl Heading {
    /// The lines, as they come from the user's files.
    pub(super) fn lines(&self, site: &Site) -> Vec<String> {
        let mut lines = vec![format!(
            "Site {}, from {} (sha256 {}), by portproof {}.",
            site.code,
            self.file,
            self.sha256,
            env!("CARGO_PKG_VERSION")
        )];
        let which = if self.missing_by.is_empty() {
            ""
        } else {
            ", and of them only those that a report shows as blocked"
        };
        lines.push(if self.optional {
            format!("Required and optional flows{which}.")
        } else {
            format!("Required flows only (--optional adds the optional ones){which}.")
        });
        let tried = self.missing_by.iter();
        lines.extend(tried.map(|vantage| format!("The report was made {vantage}.")));
        if self.missing_by_another_file {
            lines.push(
                "WARNING: the report was made with another site file than this one.".to_string(),
            );
        }
        lines
    }
}

/// What else somebody of the site may start through a firewall.
pub(super) fn unplanned(heading: &Heading) -> Vec<String> {
    let mut lines = Vec::new();
    if !heading.unplanned.is_empty() {
        lines.push(
            "NOT WRITTEN, because an end of it is no system of the site file. Whoever uses it \
             adds a rule:"
                .to_string(),
        );
    }
    lines.extend(heading.unplanned.iter().map(|says| format!("  {says}")));
    lines
}

/// The translations that permits of a device count on, each once.
pub(super) fn translations(rules: &Rules) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for permit in rules.permits.iter().filter(|permit| permit.is_translated()) {
        let line = translation(permit);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if !lines.is_empty() {
        lines.insert(
            0,
            "It is taken to translate these destinations (the outermost firewall on \
             the way does, unless the zones in the site file say otherwise):"
                .to_string(),
        );
    }
    lines
}

fn translation(permit: &Permit) -> String {
    let end = |addresses: &[std::net::IpAddr], port: crate::yaml::Ports| {
        let port = if permit.port_before == permit.port_behind {
            String::new()
        } else {
            format!(" port {port}")
        };
        format!("{}{port}", joined(addresses, ", "))
    };
    format!(
        "  {}: {} to {}",
        permit.destination.name,
        end(&permit.destination.before, permit.port_before),
        end(&permit.destination.behind, permit.port_behind)
    )
}

/// What a rule's comment says of each flow that needs it.
pub(super) fn reasons(permit: &Permit) -> Vec<String> {
    let one = |flow: &super::Permitted| {
        let seen = flow.seen.as_ref();
        let seen = seen.map_or(String::new(), |seen| format!(" [{seen}]"));
        format!("{} ({}){seen}: {}", flow.id, flow.need, flow.why)
    };
    permit.flows.iter().map(one).collect()
}

/// The same as the end of a rule, where there is little room: the ids first.
pub(super) fn short_reason(permit: &Permit) -> String {
    let ids: Vec<&str> = permit.flows.iter().map(|flow| flow.id.as_str()).collect();
    let why = permit.flows.first().map_or("", |flow| flow.why.as_str());
    format!("{}: {why}", ids.join(", "))
}

/// What cannot be written, as remarks.
pub(super) fn unwritten(rules: &Rules) -> Vec<String> {
    let one = |it: &super::Unwritten| format!("NOT WRITTEN {}: {}.", it.id, it.lacks);
    rules.unwritten.iter().map(one).collect()
}

/// Things in a row.
pub(super) fn joined<T: ToString>(all: &[T], between: &str) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(between)
}

/// A label for a set of addresses.
pub(super) fn label(name: &str, family: Family) -> String {
    format!("{name}-{}", family.name())
}
