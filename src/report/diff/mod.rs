//! What changed between two reports of a site: better, worse, another cause; new and gone flows.
//!
//! A flow stands in one of four ways. From good to bad they are: as it must be; unknown, and that matters; wrong, of
//! level `warning`; wrong, of level `error`. What is only a `note` counts as good.
//!
//! 1. Worse: it stands worse than before, or as bad with a severer verdict (`exposed`, `down`, `wrong`, `blocked`). From
//!    `ok` to `unknown` is worse: the proof was lost.
//! 2. Better: the same, the other way round. From wrong to `unknown`, of any level, is neither: nobody
//!    knows whether it was mended.
//! 3. Another cause: it stands as before, and verdict, cause or level are others.
//! 4. What an exception accepts stands as well as what is as it must be: when it lapses that is worse. That something is
//!    accepted now mends nothing, so it is no better.
//! 5. Where one of the two runs tried only what is needed, what must not pass is not compared.
//! 6. A new flow that is wrong counts as worse, and stands among the new ones. A flow that is gone never does.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{ReportFlow, Vantage};
use super::whole::ReportDocument;
use crate::diagnostic::visible;
use crate::observation::FlowState;
use crate::plan::{SiteName, ToolName};
use crate::product::Need;
use crate::verdict::{Cause, Level, Verdict};
pub use text::text as diff_text;

/// The schema of what this writes.
const SCHEMA: &str = "portproof.diff/1";

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DiffDocument {
    /// `portproof.diff/1`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// Which site the reports are of.
    pub site: SiteName,
    /// Where the old report was made.
    pub old: Vec<Vantage>,
    /// Where the new report was made.
    pub new: Vec<Vantage>,
    /// Flows that stand worse.
    pub worse: Vec<Change>,
    /// Flows that stand better.
    pub better: Vec<Change>,
    /// Flows that stand as before, and for another reason.
    pub changed: Vec<Change>,
    /// Flows that only the new report has.
    pub added: Vec<Change>,
    /// Flows that only the old report has.
    pub gone: Vec<Change>,
    /// How many flows are as before.
    pub unchanged: usize,
    /// In words, what to mind in reading this.
    pub notes: Vec<String>,
}

/// One flow, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The flow's id.
    pub id: String,
    /// Before; `null` where it is new.
    pub old: Option<Stand>,
    /// After; `null` where it is gone.
    pub new: Option<Stand>,
    /// Whether it counts as worse.
    pub worse: bool,
}

/// How a flow stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stand {
    /// What the site needs of it.
    pub need: Need,
    /// State on the wire.
    pub state: FlowState,
    /// Verdict.
    pub verdict: Verdict,
    /// Cause.
    pub cause: Cause,
    /// Level.
    pub level: Level,
    /// What to do.
    pub advice: String,
    /// Whether an exception of the site file accepts it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub accepted: bool,
}

impl DiffDocument {
    /// Whether anything is worse.
    pub fn is_worse(&self) -> bool {
        let mut all = self.worse.iter().chain(&self.added);
        all.any(|change| change.worse)
    }
}

/// How a flow stands, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Good,
    Unknown,
    /// The level, then the verdict's severity.
    Wrong(Level, u8),
}

/// What became of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Worse,
    Better,
    Changed,
    Unchanged,
}

/// Compares two reports.
///
/// # Errors
/// In words: they are of different sites.
pub fn diff(old: &ReportDocument, new: &ReportDocument) -> Result<DiffDocument, String> {
    if old.site != new.site {
        return Err(format!(
            "the old report is of site {} ({}), the new one of site {} ({}): there is nothing to \
             compare",
            visible(&old.site.code),
            visible(&old.site.product),
            visible(&new.site.code),
            visible(&new.site.product)
        ));
    }
    let compares_forbidden = ![old, new].into_iter().any(ReportDocument::is_needed_only);
    let [before, after] = [old, new].map(|report| {
        let mut flows = worst_by_id(report);
        flows.retain(|_, it| compares_forbidden || it.flow.need != Need::Forbidden);
        flows
    });
    let mut document = DiffDocument {
        schema: SCHEMA.to_string(),
        tool: ToolName::this(),
        site: new.site.clone(),
        old: old.vantages.clone(),
        new: new.vantages.clone(),
        worse: Vec::new(),
        better: Vec::new(),
        changed: Vec::new(),
        added: Vec::new(),
        gone: Vec::new(),
        unchanged: 0,
        notes: notes(old, new),
    };
    for (id, flow) in &after {
        match before.get(id) {
            None => document.added.push(Change {
                id: (*id).to_string(),
                old: None,
                new: Some(stand(flow)),
                worse: matches!(standing(flow), Standing::Wrong(..)),
            }),
            Some(was) => {
                let turn = turn(was, flow);
                let change = || Change {
                    id: (*id).to_string(),
                    old: Some(stand(was)),
                    new: Some(stand(flow)),
                    worse: turn == Turn::Worse,
                };
                match turn {
                    Turn::Worse => document.worse.push(change()),
                    Turn::Better => document.better.push(change()),
                    Turn::Changed => document.changed.push(change()),
                    Turn::Unchanged => document.unchanged += 1,
                }
            }
        }
    }
    let gone = before.iter().filter(|(id, _)| !after.contains_key(*id));
    document.gone = gone
        .map(|(id, flow)| Change {
            id: (*id).to_string(),
            old: Some(stand(flow)),
            new: None,
            worse: false,
        })
        .collect();
    Ok(document)
}

/// Whether a flow stands as it must, as far as that matters.
pub(crate) fn stands_well(flow: &ReportFlow) -> bool {
    standing(flow) == Standing::Good
}

/// The flows by id; of two with one id, as of a swept port at two addresses, the one that stands worse.
pub(crate) fn worst_by_id(report: &ReportDocument) -> BTreeMap<&str, &ReportFlow> {
    let mut all: BTreeMap<&str, &ReportFlow> = BTreeMap::new();
    for flow in &report.flows {
        let known = all.entry(&flow.flow.id).or_insert(flow);
        if standing(flow) > standing(known) {
            *known = flow;
        }
    }
    all
}

fn standing(flow: &ReportFlow) -> Standing {
    match (flow.verdict, flow.level) {
        _ if flow.accepted.is_some() => Standing::Good,
        (Verdict::Ok, _) | (_, Level::Note) => Standing::Good,
        (Verdict::Unknown, _) => Standing::Unknown,
        (Verdict::Blocked | Verdict::Down | Verdict::Wrong | Verdict::Exposed, level) => {
            Standing::Wrong(level, flow.verdict.severity())
        }
    }
}

fn turn(old: &ReportFlow, new: &ReportFlow) -> Turn {
    let words = |flow: &ReportFlow| (flow.verdict, flow.cause, flow.level);
    let accepted = |flow: &ReportFlow| flow.accepted.is_some();
    match (standing(old), standing(new)) {
        (before, Standing::Good) if before != Standing::Good && accepted(new) => Turn::Changed,
        (Standing::Wrong(..), _) if new.verdict == Verdict::Unknown => Turn::Changed,
        (before, after) if after > before => Turn::Worse,
        (before, after) if after < before => Turn::Better,
        _ if words(old) == words(new) && accepted(old) == accepted(new) => Turn::Unchanged,
        _ => Turn::Changed,
    }
}

fn stand(flow: &ReportFlow) -> Stand {
    Stand {
        need: flow.flow.need,
        state: flow.state,
        verdict: flow.verdict,
        cause: flow.cause,
        level: flow.level,
        advice: flow.advice.clone(),
        accepted: flow.accepted.is_some(),
    }
}

/// What makes two reports hard to compare.
fn notes(old: &ReportDocument, new: &ReportDocument) -> Vec<String> {
    let mut notes = Vec::new();
    let hashes = |report: &ReportDocument| {
        let mut all: Vec<String> = report
            .vantages
            .iter()
            .map(|vantage| vantage.config_sha256.clone())
            .collect();
        all.sort();
        all.dedup();
        all
    };
    if hashes(old) != hashes(new) {
        notes.push(
            "The site file changed between the two: flows are new or gone with it, and the \
             same id may ask for something else."
                .to_string(),
        );
    }
    let places = |report: &ReportDocument| {
        let vantages = report.vantages.iter();
        vantages.map(Vantage::place).collect::<BTreeSet<String>>()
    };
    let missing: Vec<String> = places(old).difference(&places(new)).cloned().collect();
    if !missing.is_empty() {
        notes.push(format!(
            "The new report was not made from {}: what was seen from there is gone, or in \
             another's stead.",
            missing.join(", ")
        ));
    }
    let start = |report: &ReportDocument| {
        let starts = report.vantages.iter();
        let times = starts.filter_map(|it| it.started.parse::<Timestamp>().ok());
        times.min()
    };
    if let (Some(before), Some(after)) = (start(old), start(new))
        && before > after
    {
        notes
            .push("The old report begins later than the new one: are the two swapped?".to_string());
    }
    notes
}

#[cfg(test)]
mod tests;
