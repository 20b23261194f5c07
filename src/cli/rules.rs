//! `portproof plan` as rules: which devices, into which files, and what could not be written.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::args::Plan;
use super::files::{self, Loaded};
use super::output::Output;
use super::signing::Verifier;
use super::streams::say;
use crate::diagnostic::{choices, visible};
use crate::plan;
use crate::rules::{self, Choice, Dialect, Heading, Missing, Rules};

/// How rules are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// All devices in one table for spreadsheets.
    Csv,
    /// All devices in tables for pages.
    Markdown,
    /// One device, to be loaded.
    Device(Dialect),
}

/// The options that shape rules mean nothing for a list of flows.
pub(super) fn refuse_options(arguments: &Plan) -> anyhow::Result<()> {
    let given = [
        ("--firewall", arguments.firewall.is_some()),
        ("--optional", arguments.optional),
        ("--missing", arguments.missing.is_some()),
    ];
    if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
        bail!(
            "{option} is for rules: add --format csv, markdown, nftables, iptables, windows, \
             netsh, asa or panos"
        );
    }
    Ok(())
}

pub(super) fn run(
    arguments: &Plan,
    loaded: &Loaded,
    plan: &plan::Plan,
    shape: Shape,
) -> anyhow::Result<u8> {
    let missing = match &arguments.missing {
        Some(path) => {
            let verifier = Verifier::new(&arguments.verify)?;
            Some(Missing::of(&files::report(path, &verifier)?))
        }
        None => None,
    };
    let heading = heading(arguments, loaded, missing.as_ref());
    let choice = Choice {
        optional: arguments.optional,
        by_name: match shape {
            Shape::Csv | Shape::Markdown => true,
            Shape::Device(dialect) => dialect.knows_names(),
        },
        missing: missing.as_ref(),
    };
    let is_of_hosts = matches!(shape, Shape::Device(dialect) if dialect.is_of_hosts());
    let rules = if is_of_hosts {
        rules::of_hosts(&loaded.site, plan, choice)
    } else {
        ensure!(
            !loaded.site.firewalls.is_empty(),
            "the site file names no firewall; add `firewalls`"
        );
        rules::of_firewalls(&loaded.site, plan, choice)
    };
    let rules = match &arguments.firewall {
        Some(name) => rules.of(known(loaded, name, is_of_hosts)?),
        None => rules,
    };
    warn(loaded, plan, &rules, missing.as_ref());
    let output = arguments.shared.output.as_deref();
    match shape {
        Shape::Csv => Output::open(output)?.write(&rules::csv(&loaded.site, &rules)?)?,
        Shape::Markdown => {
            Output::open(output)?.write(&rules::markdown(&loaded.site, &heading, &rules))?;
        }
        Shape::Device(dialect) => {
            let devices = devices(arguments, loaded, &rules, is_of_hosts)?;
            let (by_device, none) = (rules.by_device(), Rules::default());
            let text = |device: &str| {
                let rules = by_device.get(device).unwrap_or(&none);
                rules::write(dialect, &loaded.site, &heading, device, rules)
            };
            write_devices(dialect, &devices, output, &text)?;
        }
    }
    Ok(0)
}

fn heading(arguments: &Plan, loaded: &Loaded, missing: Option<&Missing>) -> Heading {
    Heading {
        file: loaded.file.clone(),
        sha256: loaded.sha256.clone(),
        optional: arguments.optional,
        missing_by: missing.map(|it| it.vantages.clone()).unwrap_or_default(),
        missing_by_another_file: missing.is_some_and(|it| it.is_of_another_file(&loaded.sha256)),
        unplanned: plan::beside(&loaded.site, &loaded.catalogue)
            .into_iter()
            .map(|it| it.says.clone())
            .collect(),
    }
}

/// The device of this name; a leg of a box stands for the box.
fn known<'a>(loaded: &'a Loaded, name: &'a str, is_of_hosts: bool) -> anyhow::Result<&'a str> {
    let site = &loaded.site;
    let leg = site.firewalls.iter().find(|it| it.name == name);
    if let (Some(leg), false) = (leg, is_of_hosts) {
        return Ok(leg.device());
    }
    let systems = site.systems.iter().map(|it| it.name.as_str());
    let (what, names): (&str, Vec<&str>) = if is_of_hosts {
        ("system", systems.collect())
    } else {
        ("firewall", site.boxes())
    };
    ensure!(
        names.contains(&name),
        "--firewall: no {what} is named `{}`; {}",
        visible(name),
        choices(name, names.iter().copied())
    );
    Ok(name)
}

/// The devices that get a file: every firewall, even one that lets nothing through; of hosts, those that let something in.
fn devices<'a>(
    arguments: &'a Plan,
    loaded: &'a Loaded,
    rules: &Rules,
    is_of_hosts: bool,
) -> anyhow::Result<Vec<&'a str>> {
    if let Some(name) = &arguments.firewall {
        return Ok(vec![known(loaded, name, is_of_hosts)?]);
    }
    if !is_of_hosts {
        return Ok(loaded.site.boxes());
    }
    let mut hosts: Vec<&str> = loaded
        .site
        .systems
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let with_rules = rules.by_device();
    hosts.retain(|host| with_rules.contains_key(host));
    Ok(hosts)
}

/// Writes one device's text to where it was asked for, or each device's into a file of its own in a folder.
fn write_devices(
    dialect: Dialect,
    devices: &[&str],
    output: Option<&Path>,
    text: &dyn Fn(&str) -> String,
) -> anyhow::Result<()> {
    if let Some(folder) = output.filter(|path| is_folder(path)) {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let open = |device: &&str| {
            let file = folder.join(format!("{device}.{}", dialect.extension()));
            anyhow::Ok((Output::open(Some(&file))?, file, text(device)))
        };
        let files: Vec<_> = devices.iter().map(open).collect::<Result<_, _>>()?;
        for (output, file, text) in files {
            output.write(&text)?;
            say!("wrote {}", file.display());
        }
        return Ok(());
    }
    match devices {
        [one] => Output::open(output)?.write(&text(one)),
        [] => bail!("nothing has to be let through"),
        several => bail!(
            "a file of {dialect} rules is for one device: choose it with --firewall {}, or give a \
             folder, as in --output rules/",
            several.join("|")
        ),
    }
}

fn is_folder(path: &Path) -> bool {
    path.is_dir()
        || path
            .as_os_str()
            .to_string_lossy()
            .ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// What whoever loads the rules has to know, on standard error.
fn warn(loaded: &Loaded, plan: &plan::Plan, rules: &Rules, missing: Option<&Missing>) {
    if let Some(missing) = missing {
        if missing.is_of_another_file(&loaded.sha256) {
            say!(
                "warning: the report was made with another site file than {}; flows are matched by \
                 their ids",
                visible(&loaded.file)
            );
        }
        let inside = missing.inside_ipsec(&loaded.site, plan);
        if !inside.is_empty() {
            say!(
                "warning: blocked inside IPsec, so that no rule of a firewall is written: {}; see \
                 that UDP 500, UDP 4500 and ESP pass between the two systems (the same command \
                 without --missing has their rules), and look at the host's own rules",
                visible(&inside.join(", "))
            );
        }
        let unknown = missing.unknown_to(&loaded.site, plan);
        if !unknown.is_empty() {
            say!(
                "warning: blocked in the report, and not required by {}: {}",
                visible(&loaded.file),
                visible(&unknown.join(", "))
            );
        }
    }
    let mut lacks: Vec<(&str, &str)> = rules
        .unwritten
        .iter()
        .map(|it| (it.id.as_str(), it.lacks.as_str()))
        .collect();
    lacks.sort_unstable();
    lacks.dedup();
    if lacks.is_empty() {
        return;
    }
    say!(
        "warning: {} flow{} without a rule, because of an address that the site file does not give:",
        lacks.len(),
        if lacks.len() == 1 { "" } else { "s" }
    );
    for (id, lacks) in lacks {
        say!("  {}: {}", visible(id), visible(lacks));
    }
}
