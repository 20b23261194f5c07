//! The part of the site file that goes to an agent.

use super::members::Member;
use crate::cli::credentials::Use;
use crate::cli::files::{self, Loaded};
use crate::diagnostic::has_errors;
use crate::fleet::{self, Part};
use crate::plan::{self, Chosen, Plan};
use crate::product::Catalogue;
use crate::site::{Origin, Site};

/// What an agent needs for its flows. Where its flows would not be the same, it gets all of the file.
pub(super) fn needed(loaded: &Loaded, member: &Member) -> anyhow::Result<Part> {
    let site = &loaded.site;
    let (plan, chosen) = flows(site, &loaded.catalogue, member);
    // A part names the NATS servers too.
    let mut needed = site.nats.clone();
    needed.extend(member.system);
    for chosen in &chosen {
        let flow = &plan.flows[chosen.flow];
        needed.extend(flow.to.system());
        if let Origin::System(system) = flow.from {
            needed.push(system);
        }
    }
    let is_needed = |name: &str| {
        let mut systems = site.systems.iter();
        let system = systems.position(|it| it.name.eq_ignore_ascii_case(name));
        system.is_none_or(|it| needed.contains(&it))
    };
    let mut starts = vec![site.zones[member.zone].name.as_str()];
    starts.extend(needed.iter().map(|it| site.systems[*it].name.as_str()));
    let part = cut(loaded, &is_needed, &starts)?;
    match leads_to_the_same(&part, loaded, member, &plan, &chosen)? {
        true => Ok(part),
        false => whole(loaded),
    }
}

/// All of the file, without its comments. A listener needs it: it has to know who may come.
pub(super) fn whole(loaded: &Loaded) -> anyhow::Result<Part> {
    let zones = loaded.site.zones.iter().map(|it| it.name.as_str());
    let systems = loaded.site.systems.iter().map(|it| it.name.as_str());
    let starts: Vec<&str> = zones.chain(systems).collect();
    cut(loaded, &|_| true, &starts)
}

fn cut(loaded: &Loaded, keep: &dyn Fn(&str) -> bool, starts: &[&str]) -> anyhow::Result<Part> {
    let text = fleet::cut(loaded.bytes(), keep, starts);
    Ok(Part {
        file: loaded.file.clone(),
        sha256: loaded.sha256.clone(),
        text: text.map_err(|problem| anyhow::anyhow!(problem.message))?,
    })
}

/// Whether a part is a site file that leads to these flows.
fn leads_to_the_same(
    part: &Part,
    loaded: &Loaded,
    member: &Member,
    plan: &Plan,
    chosen: &[Chosen],
) -> anyhow::Result<bool> {
    let (bytes, folder) = (part.text.as_bytes(), Some(loaded.folder.as_path()));
    let (read, problems) = files::examine(&part.file, bytes, folder, None, Use::None)?;
    let Some(read) = read.filter(|_| !has_errors(&problems)) else {
        return Ok(false);
    };
    let site = &loaded.site;
    let there = member.system.map(|system| {
        let mut systems = read.site.systems.iter();
        systems.position(|it| it.name == site.systems[system].name)
    });
    // Its own system is always needed.
    let system = match there {
        Some(None) => return Ok(false),
        Some(system) => system,
        None => None,
    };
    let there = Member {
        system,
        ..member.clone()
    };
    let (others, theirs) = flows(&read.site, &read.catalogue, &there);
    let (whole, part) = ((site, plan, chosen), (&read.site, &others, &theirs[..]));
    Ok(fleet::same_flows(whole, part, &loaded.file))
}

/// The flows that an agent has to try.
fn flows(site: &Site, catalogue: &Catalogue, member: &Member) -> (Plan, Vec<Chosen>) {
    let mut plan = plan::derive(site, catalogue);
    plan.spread(site, |it| it.start(site) == member.zone);
    let (chosen, _) = plan::select(site, &plan, &[member.zone], member.system);
    (plan, chosen)
}
