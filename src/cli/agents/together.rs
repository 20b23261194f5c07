//! What came from the agents, as one report.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::watch;

use super::members::Member;
use super::{Fleet, Tried};
use crate::cli::credentials::Use;
use crate::cli::files;
use crate::cli::report::flows_of;
use crate::cli::request::{Asked, request};
use crate::diagnostic::{counted, visible};
use crate::fleet::Outcome;
use crate::observation::NotTried;
use crate::plan::Declared;
use crate::probe::Permission;
use crate::product::Need;
use crate::report::{self, AgentName, Mixed, Named, Note, Parts, ReportDocument};
use crate::run::Scope;
use crate::verdict::Cause;

impl Fleet {
    /// What an outcome says of the flows of a place.
    pub(super) fn tried(&mut self, member: &Member, outcome: Outcome) -> Tried {
        let name = &member.name;
        let why = match outcome {
            Outcome::Report { report } => match self.report(member, &report) {
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
            Outcome::Listens { .. } | Outcome::Arrivals { .. } => (
                NotTried::AgentLost,
                "it answered something else".to_string(),
            ),
        };
        self.tell(format!("agent {name}: {}", why.1));
        Tried::Nothing(why.0, why.1)
    }

    /// The report of an agent, which has to be of its place and of this site file.
    fn report(
        &self,
        member: &Member,
        report: &serde_json::Value,
    ) -> Result<ReportDocument, String> {
        let mut report = report::read(&serde_json::to_vec(report).unwrap_or_default())?;
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
        Ok(report)
    }

    /// One report of all.
    pub(super) async fn joined(
        self,
        came: Vec<(Member, Tried)>,
        absent: Vec<Member>,
        arrivals: Vec<Named<report::ArrivalsDocument>>,
    ) -> anyhow::Result<ReportDocument> {
        let mut plan = flows_of(&self.loaded);
        if self.wanted.scope == Scope::Needed {
            plan.it.flows.retain(|it| it.need != Need::Forbidden);
        }
        // A part may have a flow in another column than the file.
        let declared: HashMap<String, Declared> = plan
            .it
            .flows
            .iter()
            .map(|it| (it.id.clone(), it.declared.clone()))
            .collect();
        let mut parts = Parts {
            plan: Some(plan),
            arrivals,
            ..Parts::default()
        };
        let mut notes = self.notes.clone();
        let absent = absent.into_iter().map(|it| {
            let why = "it did not answer at the beginning".to_string();
            (it, Tried::Nothing(NotTried::AgentLost, why))
        });
        for (member, tried) in came.into_iter().chain(absent) {
            let file = format!("agent {}", member.name);
            let it = match tried {
                Tried::Report(mut report) => {
                    for flow in report.flows.iter_mut().map(|it| &mut it.flow) {
                        if let Some(declared) = declared.get(&flow.id) {
                            flow.declared.clone_from(declared);
                        }
                    }
                    *report
                }
                Tried::Nothing(why, words) => {
                    notes.push(format!("agent `{}` tried nothing: {words}", member.name));
                    self.untried(&member, why).await?
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
    async fn untried(&self, member: &Member, why: NotTried) -> anyhow::Result<ReportDocument> {
        let loaded = &self.loaded;
        let again = files::examine(
            &loaded.file,
            loaded.bytes(),
            Some(&loaded.folder),
            None,
            Use::None,
        )?;
        let again = again.0.context("the site file was read before")?;
        let site = &loaded.site;
        let asked = Asked {
            from: Some(&site.zones[member.zone].name),
            system: member.system.map(|it| site.systems[it].name.as_str()),
            force_vantage: true,
            scope: self.wanted.scope,
            no_path: true,
            ..Asked::default()
        };
        let (stopper, stopped) = watch::channel(true);
        let mut request = request(&asked, again, None, None, stopped)?;
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
        Ok(report)
    }
}
