//! `portproof plan`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;

use super::args::{Plan, PlanFormat};
use super::credentials::Use;
use super::files::Loaded;
use super::named::{Kind, read};
use super::output::Output;
use super::streams::say;
use super::{WRONG, files, rules};
use crate::change::{self, Side};
use crate::diagnostic::visible;
use crate::paragraph::Width;
use crate::plan;
use crate::rules::Dialect;
use crate::ticket;

pub(super) fn run(arguments: &Plan) -> anyhow::Result<u8> {
    let Some(loaded) = files::load(
        &arguments.file,
        arguments.shared.catalogue.as_deref(),
        Use::Missed,
    )?
    else {
        return Ok(WRONG);
    };
    let plan = plan::derive(&loaded.site, &loaded.catalogue);
    loaded.review(&plan);
    if let Some(old) = &arguments.against {
        return match is_a_ticket(old) {
            true => ticket(arguments, &loaded, &plan, old),
            false => change(arguments, &loaded, &plan, old),
        };
    }
    let shape = match arguments.shared.format {
        PlanFormat::Text | PlanFormat::Json => {
            rules::refuse_options(arguments)?;
            let output = Output::open(arguments.shared.output.as_deref())?;
            let (format, width) = (arguments.shared.format, output.width());
            let detail = match arguments.verbose {
                true => plan::Detail::All,
                false => plan::Detail::Table,
            };
            output.write_as_it_comes(&|to| flows(format, detail, width, &loaded, &plan, to))?;
            return Ok(0);
        }
        PlanFormat::Csv => rules::Shape::Csv,
        PlanFormat::Markdown => rules::Shape::Markdown,
        PlanFormat::Nftables => rules::Shape::Device(Dialect::Nftables),
        PlanFormat::Iptables => rules::Shape::Device(Dialect::Iptables),
        PlanFormat::Windows => rules::Shape::Device(Dialect::Windows),
        PlanFormat::Netsh => rules::Shape::Device(Dialect::Netsh),
        PlanFormat::Asa => rules::Shape::Device(Dialect::Asa),
        PlanFormat::Panos => rules::Shape::Device(Dialect::Panos),
    };
    rules::run(arguments, &loaded, &plan, shape)
}

fn flows(
    format: PlanFormat,
    detail: plan::Detail,
    width: Width,
    loaded: &Loaded,
    plan: &plan::Plan,
    to: &mut impl Write,
) -> io::Result<()> {
    match format {
        PlanFormat::Json => plan::write_json(&loaded.site, &loaded.file, plan, to),
        _ => write!(to, "{}", plan::text(&loaded.site, plan, detail, width)),
    }
}

/// Whether a file is no site file: its name says so.
fn is_a_ticket(file: &Path) -> bool {
    file.extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("csv"))
}

/// What was asked of a firewall team, against what the site needs.
fn ticket(arguments: &Plan, loaded: &Loaded, plan: &plan::Plan, file: &Path) -> anyhow::Result<u8> {
    rules::refuse_options(arguments)?;
    anyhow::ensure!(
        arguments.shared.format == PlanFormat::Text,
        "--against shows a ticket as text alone; leave out --format"
    );
    let output = Output::open(arguments.shared.output.as_deref())?;
    let name = file.display().to_string();
    let content = read(file, Kind::Ticket).with_context(|| format!("reading the ticket {name}"))?;
    let text = content
        .text()
        .with_context(|| format!("reading the ticket {name}"))?;
    let rows = match ticket::read(text) {
        Ok(rows) => rows,
        Err(problems) => {
            files::show(&name, &content.bytes, &problems);
            return Ok(WRONG);
        }
    };
    let comparison = ticket::compare(&loaded.site, plan, &rows);
    let text = ticket::text(&loaded.site, &name, &comparison, output.width());
    output.write(&text)?;
    Ok(0)
}

/// What a change from an older file asks for.
fn change(arguments: &Plan, new: &Loaded, plan: &plan::Plan, old: &Path) -> anyhow::Result<u8> {
    rules::refuse_options(arguments)?;
    let as_json = match arguments.shared.format {
        PlanFormat::Text => false,
        PlanFormat::Json => true,
        _ => anyhow::bail!(
            "--against shows a change as text or json; the rules of the new file: leave out \
             --against"
        ),
    };
    let output = Output::open(arguments.shared.output.as_deref())?;
    let Some(old) = files::load(old, arguments.shared.catalogue.as_deref(), Use::None)? else {
        return Ok(WRONG);
    };
    warn_of_another_site(new, &old);
    let before = plan::derive(&old.site, &old.catalogue);
    let change = change::compare(&side(&old, &before), &side(new, plan), &new.catalogue);
    let text = match as_json {
        false => change::text(&change, output.width()),
        true => serde_json::to_string_pretty(&change)? + "\n",
    };
    output.write(&text)?;
    Ok(0)
}

fn side<'a>(loaded: &'a Loaded, plan: &'a plan::Plan) -> Side<'a> {
    Side {
        site: &loaded.site,
        plan,
        file: &loaded.file,
    }
}

/// Two files of different sites are compared, but hardly meant to be.
pub(super) fn warn_of_another_site(new: &Loaded, old: &Loaded) {
    let (new_code, old_code) = (&new.site.code, &old.site.code);
    if new_code != old_code {
        say!(
            "warning: {} is of site {}, {} of site {}",
            new.file,
            visible(new_code),
            old.file,
            visible(old_code)
        );
    }
}
