//! A report as a whole: what every part of it (`document`, `joined`, `reach`, `client`) belongs to.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client::ClientView;
use super::count::summary;
use super::document::{Devices, Note, ReportFlow, Sweep, ToolName, Vantage};
use super::join::matrix_after;
use super::joined::{Contradiction, Coverage, Elsewhere, MatrixCell};
use super::reach::Reach;
use super::summary::Summary;
use crate::plan::SiteName;
use crate::product::Need;

/// The schema of the reports that this program writes. It reads those of the format before, too (`earlier`).
pub(super) const SCHEMA: &str = "portproof.report/2";

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportDocument {
    /// `portproof.report/2`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// Which site it is of.
    pub site: SiteName,
    /// Where it was tried from.
    pub vantages: Vec<Vantage>,
    /// The box of each firewall that is a leg of one, by the firewall's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub devices: Devices,
    /// Who allowed a large sweep.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorised: Option<String>,
    /// The flows of these vantages, ordered by id.
    pub flows: Vec<ReportFlow>,
    /// How many flows of the site start in other zones and were not tried here.
    pub flows_elsewhere: usize,
    /// Where those flows start.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub elsewhere: Vec<Elsewhere>,
    /// Ports that were tried beside the needed flows, as ranges by state.
    pub sweeps: Vec<Sweep>,
    /// Remarks that change no verdict.
    pub notes: Vec<Note>,
    /// Flows by verdict.
    pub summary: Summary,
    /// Flows of which two vantages say different things; of joined reports only.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub contradictions: Vec<Contradiction>,
    /// Which flows no one has tried; of joined reports only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub coverage: Option<Coverage>,
    /// Verdicts from each start to each system; of joined reports only.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub matrix: Vec<MatrixCell>,
    /// With `--against`: which clients reach a management point now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub change: Option<Reach>,
    /// With `--client`: what a client meets, in its order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<ClientView>,
}

impl ReportDocument {
    /// Whether it is of the same site, and was made from the same places.
    pub fn is_from_where(&self, other: &Self) -> bool {
        let places =
            |report: &Self| -> Vec<String> { report.vantages.iter().map(Vantage::place).collect() };
        self.site == other.site && places(self) == places(other)
    }

    /// Where it was made, without hosts: `internet and perimeter as ibs01`. `None` where there is no vantage.
    pub fn place(&self) -> Option<String> {
        let all: Vec<String> = self.vantages.iter().map(Vantage::place).collect();
        let places = all.chunk_by(|one, other| one == other);
        let places: Vec<String> = places
            .map(|same| match same.len() {
                1 => same[0].clone(),
                // Several agents may stand in one zone.
                some => format!("{} ({some} vantages)", same[0]),
            })
            .collect();
        (!places.is_empty()).then(|| places.join(" and "))
    }

    /// The flows by verdict of which a vantage's word counts; the whole summary where there is one alone.
    pub fn summary_of(&self, vantage: usize) -> Summary {
        let is_its = |it: &&ReportFlow| it.vantage.unwrap_or_default() == vantage;
        summary(self.flows.iter().filter(is_its))
    }

    /// Whether a run of it tried only what is needed.
    pub fn is_needed_only(&self) -> bool {
        self.vantages.iter().any(|it| it.needed_only)
    }

    /// How things stand after a run that tried only what is needed. It has the flows of that run. What must not pass is
    /// taken from the last whole run from the same place.
    #[must_use]
    pub fn after(mut whole: Self, needed: Self) -> Self {
        // What was forbidden may be needed by now.
        let ids: BTreeSet<&str> = needed.flows.iter().map(|it| it.flow.id.as_str()).collect();
        let is_kept =
            |it: &ReportFlow| it.flow.need == Need::Forbidden && !ids.contains(it.flow.id.as_str());
        whole.flows.retain(is_kept);
        let now = places_now(&whole.vantages, &needed.vantages);
        for vantage in whole.flows.iter_mut().filter_map(|it| it.vantage.as_mut()) {
            *vantage = now.get(*vantage).copied().unwrap_or(*vantage);
        }
        let mut flows = whole.flows;
        flows.extend(needed.flows);
        flows.sort_by(|one, other| one.flow.id.cmp(&other.flow.id));
        let mut vantages = needed.vantages;
        vantages.iter_mut().for_each(|it| it.needed_only = false);
        Self {
            vantages,
            summary: summary(&flows),
            // Of joined reports: a run of what is needed knows no other flow.
            coverage: whole.coverage.or(needed.coverage),
            matrix: matrix_after(&whole.matrix, &flows),
            flows,
            sweeps: whole.sweeps,
            ..needed
        }
    }
}

/// Where each vantage of an earlier report stands in a later one from the same places. An agent that does not answer tells no
/// host, which changes the order of those in one zone.
fn places_now(before: &[Vantage], now: &[Vantage]) -> Vec<usize> {
    let key = |it: &Vantage| (it.place(), it.agent.as_ref().map(|it| it.name.clone()));
    let place_of = |(number, old): (usize, &Vantage)| {
        let place = now.iter().position(|new| key(new) == key(old));
        place.unwrap_or(number)
    };
    before.iter().enumerate().map(place_of).collect()
}
