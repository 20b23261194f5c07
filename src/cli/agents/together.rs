//! What came from the agents, as one report.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::watch;

use super::members::Member;
use super::part::Cutter;
use super::{Fleet, Tried};
use crate::cli::files::Loaded;
use crate::cli::report::flows_of;
use crate::cli::request::{Asked, request};
use crate::diagnostic::{counted, visible};
use crate::fleet::Outcome;
use crate::observation::NotTried;
use crate::probe::Permission;
use crate::product::Need;
use crate::report::{self, AgentName, Mixed, Named, Note, Parts, Planned, ReportDocument};
use crate::run::Scope;
use crate::verdict::Cause;

/// The flows of the site, ordered by id.
#[derive(Default)]
pub(super) struct Shared(Option<Named<Planned>>);

impl Shared {
    pub(super) fn new(loaded: &Loaded, scope: Scope) -> Self {
        let mut plan = flows_of(loaded);
        if scope == Scope::Needed {
            plan.it.flows.retain(|it| it.need != Need::Forbidden);
        }
        plan.it.flows.sort_by(|one, other| one.id.cmp(&other.id));
        Self(Some(plan))
    }

    /// Puts the flows of the plan in the place of those of a report, so that each is held once. A part of a site file may
    /// have a flow in another column than the file.
    fn share(&self, report: &mut ReportDocument) {
        let Some(plan) = &self.0 else {
            return;
        };
        let all = &plan.it.flows;
        for flow in report.flows.iter_mut().map(|it| &mut it.flow) {
            let Ok(place) = all.binary_search_by(|it| it.id.cmp(&flow.id)) else {
                continue;
            };
            let planned = &all[place];
            let own = Arc::make_mut(flow);
            own.declared.clone_from(&planned.declared);
            if *own == **planned {
                *flow = Arc::clone(planned);
            }
        }
    }
}

impl Fleet {
    /// What an outcome says of the flows of a place.
    pub(super) fn tried(&mut self, member: &Member, outcome: Outcome) -> Tried {
        let name = &member.name;
        let why = match outcome {
            Outcome::Report(report) => match self.report(member, report.text().as_bytes()) {
                Ok(report) => {
                    self.tell(format!(
                        "agent {name} has tried {}",
                        counted(report.flows.len(), "flow")
                    ));
                    return Tried::Report(Box::new(report));
                }
                Err(why) => (
                    NotTried::AgentLost,
                    format!("its report cannot be used: {why}"),
                ),
            },
            Outcome::Refused { reason } => (
                NotTried::NotAllowed,
                format!("it refuses: {}", visible(&reason)),
            ),
            Outcome::Failed { reason } => (
                NotTried::AgentLost,
                format!("its run did not work: {}", visible(&reason)),
            ),
            Outcome::Listens { .. } | Outcome::Arrivals(_) => (
                NotTried::AgentLost,
                "it answered something else".to_string(),
            ),
        };
        self.tell(format!("agent {name}: {}", why.1));
        Tried::Nothing(why.0, why.1)
    }

    /// The report of an agent, which has to be of its place and of this site file.
    fn report(&self, member: &Member, report: &[u8]) -> Result<ReportDocument, String> {
        let mut report = report::read(report)?;
        let site = &self.loaded.site;
        let [vantage] = &mut report.vantages[..] else {
            return Err("it is of several places".to_string());
        };
        let system = member.system.map(|it| &site.systems[it].name);
        if vantage.zone != site.zones[member.zone].name || vantage.system.as_ref() != system {
            return Err("it is of another place".to_string());
        }
        if vantage.config_sha256 != self.loaded.sha256 {
            return Err("it is of another site file".to_string());
        }
        vantage.agent = Some(AgentName {
            name: member.name.clone(),
            version: Some(report.tool.version.clone()),
        });
        self.planned.share(&mut report);
        Ok(report)
    }

    /// One report of all.
    pub(super) async fn joined(
        self,
        came: Vec<(Member, Tried)>,
        absent: Vec<Member>,
        arrivals: Vec<Named<report::ArrivalsDocument>>,
    ) -> anyhow::Result<ReportDocument> {
        let mut parts = Parts {
            plan: self.planned.0.clone(),
            arrivals,
            ..Parts::default()
        };
        let mut notes = self.notes.clone();
        let absent = absent.into_iter().map(|it| {
            let why = "it did not answer at the beginning".to_string();
            (it, Tried::Nothing(NotTried::AgentLost, why))
        });
        let came: Vec<(Member, Tried)> = came.into_iter().chain(absent).collect();
        let is_lost = |(_, tried): &(Member, Tried)| matches!(tried, Tried::Nothing(..));
        let cutter = came.iter().any(is_lost).then(|| Cutter::new(&self.loaded));
        let cutter = cutter.transpose()?;
        for (member, tried) in came {
            let file = format!("agent {}", member.name);
            let it = match tried {
                Tried::Report(report) => *report,
                Tried::Nothing(why, words) => {
                    notes.push(format!("agent `{}` tried nothing: {words}", member.name));
                    let cutter = cutter.as_ref().context("some are lost")?;
                    self.untried(&member, why, cutter).await?
                }
            };
            parts.reports.push(Named { file, it });
        }
        let mut report = report::join(parts, Mixed::Refused).map_err(anyhow::Error::msg)?;
        let note = |text| Note {
            cause: Cause::AgentLost,
            system: String::new(),
            text,
        };
        report.notes.extend(notes.into_iter().map(note));
        Ok(report)
    }

    /// The report of a place where nobody tried anything. No packet leaves for it.
    async fn untried(
        &self,
        member: &Member,
        why: NotTried,
        cutter: &Cutter<'_>,
    ) -> anyhow::Result<ReportDocument> {
        let part = cutter.read(&cutter.needed(member)?)?;
        let part = part.context("the site file was read before")?;
        let site = &self.loaded.site;
        let asked = Asked {
            from: Some(&site.zones[member.zone].name),
            system: member.system.map(|it| site.systems[it].name.as_str()),
            force_vantage: true,
            scope: self.wanted.scope,
            no_path: true,
            ..Asked::default()
        };
        let (stopper, stopped) = watch::channel(true);
        let mut request = request(&asked, part, None, None, stopped)?;
        request.forced = None;
        request.token = None;
        request.permission = Permission::Nothing(why);
        let mut report = crate::run::run(request, Arc::new(|_| {})).await?;
        drop(stopper);
        for vantage in &mut report.vantages {
            vantage.host.clear();
            vantage.addresses.clear();
            vantage.agent = Some(AgentName {
                name: member.name.clone(),
                version: None,
            });
        }
        report.notes.clear();
        self.planned.share(&mut report);
        Ok(report)
    }
}
