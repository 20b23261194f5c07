//! What one run changed, as JSON: schema `portproof.alert/1`.
//!
//! A message is about a whole change: a firewall that stops 120 flows is one. The first flows stand in it with their
//! evidence. Of all others it has the ids, so that a receiver with a list can clear each. Words from the wire are cut,
//! and their control characters are made visible. So every receiver may take them as text of one line.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::headline::headline;
use crate::diagnostic::{cut, visible};
use crate::plan::{ToolName, place};
use crate::report::{self, ReportFlow};
use crate::verdict::{Cause, Owner, Verdict};

/// The schema of what this writes.
const SCHEMA: &str = "portproof.alert/1";
/// The most flows that stand in a message with their evidence: nobody reads more.
pub(super) const MOST: usize = 50;
/// The longest text of others, in bytes.
const LONGEST: usize = 600;

/// Why a check says nothing more.
const REMOVED: &str = "the check was removed from the file of portproof serve";

/// What one run changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// `portproof.alert/1`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// Where and when.
    #[serde(flatten)]
    pub about: About,
    /// In one line, what happened and who has to act.
    pub headline: String,
    /// Flows that are wrong now, the first 50; what matters most first.
    pub raised: Vec<Entry>,
    /// The ids of all other flows that are wrong now.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub raised_others: Vec<String>,
    /// Flows that are wrong no more or that the site file accepts now, the first 50.
    pub cleared: Vec<Entry>,
    /// The ids of all other flows that are wrong no more.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cleared_others: Vec<String>,
    /// The ids of all other flows that the site file accepts now.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub accepted_others: Vec<String>,
    /// Why the run had no report; `null`: it has one.
    pub failure: Option<String>,
    /// Whether the run before it had no report, and this one has, or the check is there no more.
    pub recovered: bool,
    /// Whether it only tries the channel: nothing happened.
    pub test: bool,
}

/// Where and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// The site's code.
    pub site: String,
    /// From where flows were tried, as in `perimeter as ibs01`.
    pub place: String,
    /// The number of the run in its history; `null` where there is none.
    pub run: Option<i64>,
    /// The end of the run, RFC 3339.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The status page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
}

/// A flow of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its id.
    pub flow: String,
    /// Where it starts, as in `perimeter as ibs01`.
    pub from: String,
    /// The system that it leads to.
    pub to: String,
    /// Port and transport, as in `443/tcp`.
    pub service: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The cause.
    pub cause: Cause,
    /// Who has to act; `null`: nobody.
    pub owner: Option<Owner>,
    /// The firewall that it is about; `null` where that is not known.
    pub firewall: Option<String>,
    /// What was seen, in one line.
    pub evidence: String,
    /// What to do; empty when nothing is to be done.
    pub advice: String,
    /// Until when an exception of the site file accepts it, and why; left out: none does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted: Option<String>,
}

impl Message {
    /// What a run changed: flows that are wrong now, and flows that are no more.
    pub fn of(about: About, raised: &[&ReportFlow], cleared: &[&ReportFlow]) -> Self {
        let (raised, cleared) = (sorted(raised), sorted(cleared));
        let headline = headline(&raised, &cleared);
        let (raised, raised_others) = listed(&raised);
        let (cleared, others) = listed(&cleared);
        let (accepted_others, cleared_others): (Vec<_>, Vec<_>) =
            others.iter().partition(|flow| flow.accepted.is_some());
        Self {
            raised,
            raised_others: ids(raised_others),
            cleared,
            cleared_others: ids(&cleared_others),
            accepted_others: ids(&accepted_others),
            ..Self::plain(about, headline)
        }
    }

    /// The same, with flows that a whole run no longer found. They were swept and are closed now, or the site file no longer
    /// asks for them.
    #[must_use]
    pub fn and_gone(mut self, ids: &[String]) -> Self {
        let words = match ids {
            [] => return self,
            [id] => format!("{id} is gone"),
            many => format!("{} flows are gone", many.len()),
        };
        let words = format!("{words}: closed, or no longer asked for");
        self.headline = match self.raised_count() + self.cleared_count() {
            0 => line(&words),
            _ => line(&format!("{}; {words}", self.headline)),
        };
        self.cleared_others.extend(ids.iter().map(|id| line(id)));
        self
    }

    /// That a run has no report, and why.
    pub fn failed(about: About, why: &str) -> Self {
        let why = line(why);
        Self {
            failure: Some(why.clone()),
            ..Self::plain(about, format!("the check has no report: {why}"))
        }
    }

    /// That there are reports again.
    pub fn recovered(about: About) -> Self {
        Self {
            recovered: true,
            ..Self::plain(about, "the check has a report again".to_string())
        }
    }

    /// That a check is there no more, and so nobody looks at the flows that it had told as wrong.
    pub fn removed(about: About, ids: &[&str]) -> Self {
        let words = match ids {
            [id] => format!("{id} is looked at no more"),
            many => format!("{} flows are looked at no more", many.len()),
        };
        Self {
            cleared_others: ids.iter().map(|id| line(id)).collect(),
            ..Self::plain(about, format!("{words}: {REMOVED}"))
        }
    }

    /// That a check is there no more which had told that it has no report.
    pub fn removed_without_report(about: About) -> Self {
        Self {
            recovered: true,
            ..Self::plain(about, format!("nothing is checked any more: {REMOVED}"))
        }
    }

    /// A message that only tries the channel.
    pub fn test(about: About) -> Self {
        Self {
            test: true,
            ..Self::plain(about, "this is a test; nothing happened".to_string())
        }
    }

    fn plain(about: About, headline: String) -> Self {
        let About {
            site,
            place,
            run,
            time,
            url,
        } = about;
        Self {
            schema: SCHEMA.to_string(),
            tool: ToolName::this(),
            about: About {
                site: line(&site),
                place: line(&place),
                run,
                time,
                url,
            },
            headline: line(&headline),
            raised: Vec::new(),
            raised_others: Vec::new(),
            cleared: Vec::new(),
            cleared_others: Vec::new(),
            accepted_others: Vec::new(),
            failure: None,
            recovered: false,
            test: false,
        }
    }

    /// How many flows are wrong now.
    pub fn raised_count(&self) -> usize {
        self.raised.len() + self.raised_others.len()
    }

    /// How many flows are wrong no more, or accepted now.
    pub fn cleared_count(&self) -> usize {
        self.cleared.len() + self.cleared_others.len() + self.accepted_others.len()
    }
}

impl Entry {
    fn of(flow: &ReportFlow) -> Self {
        let firewall = flow.firewall().map(|name| line(&name));
        let planned = &flow.flow;
        Self {
            flow: line(&planned.id),
            from: line(&place(&planned.from.zone, planned.from.system.as_deref())),
            to: line(&planned.to.system),
            service: line(&planned.service()),
            verdict: flow.verdict,
            cause: flow.cause,
            owner: flow.owner,
            firewall,
            evidence: line(&report::seen(flow)),
            advice: line(&flow.advice),
            accepted: flow
                .accepted
                .as_ref()
                .map(|it| line(&format!("until {}: {}", it.until, it.why))),
        }
    }
}

/// What matters most first; of what matters as much, by id.
fn sorted<'a>(flows: &[&'a ReportFlow]) -> Vec<&'a ReportFlow> {
    let mut flows = flows.to_vec();
    flows.sort_by(|a, b| {
        let by_id = || a.flow.id.cmp(&b.flow.id);
        report::rank(a).cmp(&report::rank(b)).then_with(by_id)
    });
    flows
}

/// The first flows, and the others.
fn listed<'a, 'b>(flows: &'a [&'b ReportFlow]) -> (Vec<Entry>, &'a [&'b ReportFlow]) {
    let (first, others) = flows.split_at(flows.len().min(MOST));
    (first.iter().map(|flow| Entry::of(flow)).collect(), others)
}

fn ids(flows: &[&ReportFlow]) -> Vec<String> {
    flows.iter().map(|flow| line(&flow.flow.id)).collect()
}

/// Text of others as one line that is not long.
fn line(text: &str) -> String {
    cut(&visible(text), LONGEST)
}

#[cfg(test)]
pub(super) fn sample_about() -> About {
    About {
        site: "PRI".to_string(),
        place: "internet".to_string(),
        run: Some(812),
        time: "2026-11-29T08:57:19Z".parse().expect("a time"),
        url: Some("https://checks.corp.example/".to_string()),
    }
}
