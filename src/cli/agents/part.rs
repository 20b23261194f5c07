//! The part of the site file that goes to an agent.

use std::collections::BTreeSet;

use super::members::Member;
use crate::cli::credentials::Use;
use crate::cli::files::{self, Loaded};
use crate::diagnostic::has_errors;
use crate::fleet::{self, Part, Whole};
use crate::plan::{self, Chosen, Forbidden, Plan};
use crate::product::Catalogue;
use crate::site::{Origin, Site, SystemId};

/// A site file that is cut for its agents, with the flows of all of them.
pub(super) struct Cutter<'a> {
    loaded: &'a Loaded,
    whole: Whole,
    plan: Plan,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(loaded: &'a Loaded) -> anyhow::Result<Self> {
        let whole = Whole::parse(loaded.bytes());
        Ok(Self {
            loaded,
            whole: whole.map_err(|problem| anyhow::anyhow!(problem.message))?,
            plan: planned(&loaded.site, &loaded.catalogue, |_| true),
        })
    }

    /// What an agent needs for its flows. Where its flows would not be the same, it gets all of the file.
    pub(super) fn needed(&self, member: &Member) -> anyhow::Result<Part> {
        let (site, plan) = (&self.loaded.site, &self.plan);
        let (chosen, _) = plan::select(site, plan, &[member.zone], member.system);
        // A part names the NATS servers too.
        let mut needed: BTreeSet<SystemId> = site.nats.iter().copied().collect();
        needed.extend(member.system);
        for chosen in &chosen {
            let flow = &plan.flows[chosen.flow];
            needed.extend(flow.to.system());
            if let Origin::System(system) = flow.from {
                needed.insert(system);
            }
        }
        let is_needed = |name: &str| {
            let mut systems = site.systems.iter();
            let system = systems.position(|it| it.name.eq_ignore_ascii_case(name));
            system.is_none_or(|it| needed.contains(&it))
        };
        let mut starts = vec![site.zones[member.zone].name.as_str()];
        starts.extend(needed.iter().map(|it| site.systems[*it].name.as_str()));
        let part = self.cut(&is_needed, &starts);
        match self.leads_to_the_same(&part, member, &chosen)? {
            true => Ok(part),
            false => {
                tracing::debug!(
                    agent = member.name,
                    "its part would lead to other flows: it gets the whole site file"
                );
                Ok(self.all())
            }
        }
    }

    /// All of the file, without its comments. A listener needs it: it has to know who may come.
    pub(super) fn all(&self) -> Part {
        let site = &self.loaded.site;
        let zones = site.zones.iter().map(|it| it.name.as_str());
        let systems = site.systems.iter().map(|it| it.name.as_str());
        let starts: Vec<&str> = zones.chain(systems).collect();
        self.cut(&|_| true, &starts)
    }

    /// A part as its agent reads it; `None` where that is no site file.
    pub(super) fn read(&self, part: &Part) -> anyhow::Result<Option<Loaded>> {
        let (bytes, folder) = (part.text.as_bytes(), Some(self.loaded.folder.as_path()));
        let (read, problems) = files::examine(&part.file, bytes, folder, None, Use::None)?;
        let Some(mut read) = read.filter(|_| !has_errors(&problems)) else {
            tracing::debug!(?problems, "the part is no site file");
            return Ok(None);
        };
        read.sha256.clone_from(&part.sha256);
        Ok(Some(read))
    }

    fn cut(&self, keep: &dyn Fn(&str) -> bool, starts: &[&str]) -> Part {
        Part {
            file: self.loaded.file.clone(),
            sha256: self.loaded.sha256.clone(),
            text: self.whole.cut(keep, starts),
        }
    }

    /// Whether a part is a site file that leads to these flows.
    fn leads_to_the_same(
        &self,
        part: &Part,
        member: &Member,
        chosen: &[Chosen],
    ) -> anyhow::Result<bool> {
        let Some(read) = self.read(part)? else {
            return Ok(false);
        };
        let site = &self.loaded.site;
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
        let zone = member.zone;
        let others = planned(&read.site, &read.catalogue, |it| {
            it.start(&read.site) == zone
        });
        let (theirs, _) = plan::select(&read.site, &others, &[zone], system);
        let whole = (site, &self.plan, chosen);
        let part = (&read.site, &others, &theirs[..]);
        Ok(fleet::same_flows(whole, part, &self.loaded.file))
    }
}

/// The flows of a site, those of its watchlist too where they are wanted.
fn planned(site: &Site, catalogue: &Catalogue, wanted: impl Fn(&Forbidden) -> bool) -> Plan {
    let mut plan = plan::derive(site, catalogue);
    plan.spread(site, wanted);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flows of two zones: one in a line of its own, and one over several.
    const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [0.0.0.0/0] }
  perimeter: { networks: [192.0.2.0/24] }
firewalls:
  wall: { between: [internet, perimeter] }
systems:
  web:
    zone: perimeter
    addresses: { default: 192.0.2.10 }
    roles: [console]
  sql: { zone: perimeter, addresses: { default: 192.0.2.11 }, roles: [console] }
flows:
  - { from: internet, to: web, port: 1000, need: required }
  - from: perimeter
    to: sql
    port: 1001
    need: required
  - from: internet
    to: web
    port: 1002
    need: optional
    why: \"in quotes: these\"
probing: { sweep: none }
";

    #[test]
    fn an_agent_gets_no_flow_of_another_zone() {
        let loaded = files::load_bytes("site.yaml", SITE.as_bytes(), None, None, Use::None);
        let loaded = loaded.expect("read").expect("a site");
        let cutter = Cutter::new(&loaded).expect("YAML");
        let zone = |name: &str| loaded.site.zones.iter().position(|it| it.name == name);
        let member = |name: &str| Member {
            name: "a".to_string(),
            zone: zone(name).expect("a zone"),
            system: None,
        };
        for (name, stays, goes) in [("internet", "1002", "1001"), ("perimeter", "1001", "1002")] {
            let part = cutter.needed(&member(name)).expect("a part").text;
            assert!(part.contains(stays) && !part.contains(goes), "{part}");
        }
    }
}
