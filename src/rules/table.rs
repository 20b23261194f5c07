//! Tables of all devices, for tickets and spreadsheets.

use super::heading::{Heading, joined, translations};
use super::{Family, Permit, Rules, Unwritten};
use crate::cells::{of_csv, of_markdown as cell};
use crate::site::Site;

const COLUMNS: [&str; 14] = [
    "firewall",
    "from_zone",
    "source",
    "source_addresses",
    "to_zone",
    "destination",
    "destination_addresses",
    "transport",
    "port",
    "translated_from",
    "need",
    "flows",
    "why",
    "remark",
];

/// All permits as comma-separated values, one a line, and what cannot be written.
///
/// # Errors
/// Only if memory cannot be written to.
pub fn csv(site: &Site, rules: &Rules) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for permit in &rules.permits {
        writer.write_record(row(site, permit).map(|cell| of_csv(&cell)))?;
    }
    for unwritten in &rules.unwritten {
        writer.write_record(row_without_rule(unwritten).map(|cell| of_csv(&cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn row(site: &Site, permit: &Permit) -> [String; 14] {
    let all = |field: fn(&super::Permitted) -> &str, between: &str| {
        let mut parts: Vec<&str> = permit.flows.iter().map(field).collect();
        parts.dedup();
        parts.join(between)
    };
    let need = permit.flows.iter().map(|flow| flow.need).min();
    let seen = permit.flows.iter().find_map(|flow| flow.seen.clone());
    [
        permit.device.clone(),
        site.zones[permit.from].name.clone(),
        permit.source.name.clone(),
        joined(&permit.source.ranges, " "),
        site.zones[permit.to].name.clone(),
        permit.destination.name.clone(),
        match &permit.destination.host {
            Some(host) => format!("by name: {host}"),
            None => joined(&permit.destination.behind, " "),
        },
        permit.transport.to_string(),
        match permit.has_ports() {
            true => permit.port_behind.to_string(),
            false => String::new(),
        },
        translated_from(permit),
        need.map_or(String::new(), |need| need.to_string()),
        all(|flow| &flow.id, " "),
        all(|flow| &flow.why, " "),
        seen.unwrap_or_default(),
    ]
}

/// What packets carry before the firewall translates; empty where it does not.
fn translated_from(permit: &Permit) -> String {
    if !permit.is_translated() {
        return String::new();
    }
    let addresses = joined(&permit.destination.before, " ");
    if permit.port_before == permit.port_behind {
        addresses
    } else {
        format!("{addresses} port {}", permit.port_before)
    }
}

fn row_without_rule(unwritten: &Unwritten) -> [String; 14] {
    let mut row = <[String; 14]>::default();
    row[0].clone_from(&unwritten.device);
    row[11].clone_from(&unwritten.id);
    row[13] = format!("no rule: {}", unwritten.lacks);
    row
}

/// All permits as Markdown, a table for each firewall.
pub fn markdown(site: &Site, heading: &Heading, rules: &Rules) -> String {
    let mut text = format!(
        "# What the firewalls of site {} have to let through\n\n",
        cell(&site.code)
    );
    for line in heading.lines(site) {
        text += &format!("{}\n", cell(&line));
    }
    let mut devices = site.boxes();
    devices.retain(|device| {
        rules.permits.iter().any(|it| it.device == *device)
            || rules.unwritten.iter().any(|it| it.device == *device)
    });
    for device in devices {
        text += &section(site, device, &rules.of(device));
    }
    text
}

fn section(site: &Site, device: &str, rules: &Rules) -> String {
    let mut text = format!("\n## {}\n", cell(device));
    let named = Sources::of(rules);
    if !rules.permits.is_empty() {
        text += "\n| from | source | to | destination | service | translated from | need | flow | \
            why |\n";
        text += "|---|---|---|---|---|---|---|---|---|\n";
        for permit in &rules.permits {
            text += &line(site, &named, permit);
        }
    }
    for (name, ranges) in &named.0 {
        text += &format!("\n{}\n", cell(&format!("{name} is {ranges}.")));
    }
    let translated = translations(rules);
    if !translated.is_empty() {
        text += "\nDestinations are the own addresses behind this firewall; \"translated from\" is \
            what packets carry before it.\n";
    }
    for unwritten in &rules.unwritten {
        text += &format!(
            "\nNo rule for {}: {}.\n",
            cell(&unwritten.id),
            cell(&unwritten.lacks)
        );
    }
    text
}

/// The sources of several ranges, which stand in the table by their names alone: each name with its ranges. Two sets of
/// one zone, of which one lacks a system, have two names.
struct Sources(Vec<(String, String)>);

impl Sources {
    fn of(rules: &Rules) -> Self {
        let mut all: Vec<(String, String)> = Vec::new();
        for permit in rules.permits.iter().filter(|it| is_long(it)) {
            let (label, ranges) = (label(permit), joined(&permit.source.ranges, ", "));
            let alike = all.iter().filter(|(name, _)| name.starts_with(&label));
            let alike: Vec<&str> = alike.map(|(_, its)| its.as_str()).collect();
            if alike.contains(&ranges.as_str()) {
                continue;
            }
            let name = match alike.len() {
                0 => label,
                number => format!("{label} {}", number + 1),
            };
            all.push((name, ranges));
        }
        Self(all)
    }

    fn name(&self, permit: &Permit) -> String {
        let (label, ranges) = (label(permit), joined(&permit.source.ranges, ", "));
        let is_it = |(name, its): &&(String, String)| *its == ranges && name.starts_with(&label);
        let found = self.0.iter().find(is_it);
        found.map_or(label.clone(), |(name, _)| name.clone())
    }
}

fn is_long(permit: &Permit) -> bool {
    permit.source.ranges.len() > 1
}

fn label(permit: &Permit) -> String {
    let family = match permit.family() {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    };
    format!("{} ({family})", permit.source.name)
}

fn line(site: &Site, named: &Sources, permit: &Permit) -> String {
    let [
        _,
        from,
        source,
        source_addresses,
        to,
        destination,
        destination_addresses,
        transport,
        port,
        translated_from,
        need,
        flows,
        why,
        seen,
    ] = row(site, permit);
    let why = if seen.is_empty() {
        why
    } else {
        format!("{why} ({seen})")
    };
    let source = if is_long(permit) {
        named.name(permit)
    } else {
        format!("{source}: {source_addresses}")
    };
    let cells = [
        from,
        source,
        to,
        format!("{destination}: {destination_addresses}"),
        format!("{port}/{transport}"),
        translated_from,
        need,
        flows,
        why,
    ];
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("| {} |\n", cells.join(" | "))
}
