//! Joins the reports of several vantages of one site, and the logs of listeners, into one report.
//!
//! `together` says whether they belong together, and puts them in an order of their own: that in which they are named
//! does not matter. Then each vantage's flows are looked at in the light of the others. That is what reached a listener
//! (`arrivals`), which hosts were alive (`signs`, `alive`, `meanwhile`), and which certificates others were shown
//! (`certificates`). What follows from that is judged by the table of `verdict`, as in the run itself (`rejudge`). Of
//! each flow one vantage's word counts (`choose`); `coverage` and `matrix` say what is known of the site as a whole.

mod rejudge;
mod signs;
mod alive;
mod arrivals;
mod certificates;
mod choose;
mod coverage;
mod matrix;
mod meanwhile;
pub(super) mod text;
mod together;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::count::summary;
use super::document::Note;
use super::whole::ReportDocument;
use super::whole::SCHEMA;
use crate::plan::{FlowEntry, ToolName};
pub(super) use matrix::after as matrix_after;
pub(super) use rejudge::{has_common_address, is_same_place, place};
pub(super) use together::FAR;
pub use together::{Mixed, Named, Parts};

/// The flows of a site file.
#[derive(Clone, Debug)]
pub struct Planned {
    /// SHA-256 of the file.
    pub config_sha256: String,
    /// The flows that `check` would try, from wherever it runs.
    pub flows: Vec<Arc<FlowEntry>>,
}

/// Joins reports and logs of arrivals into one report.
///
/// # Errors
/// In words: why they do not belong together, with the names of the files.
pub fn join(parts: Parts, mixed: Mixed) -> Result<ReportDocument, String> {
    let together::Together {
        mut reports,
        earlier,
        logs,
        plan,
        mut notes,
    } = together::together(parts, mixed)?;
    arrivals::compare(&mut reports, &earlier, &logs);
    let signs = signs::signs(&reports, &logs);
    alive::prove(&mut reports, &signs);
    meanwhile::judge(&mut reports, &signs);
    notes.extend(certificates::compare(&mut reports));
    notes.extend(reports.iter().flat_map(|report| report.notes.clone()));
    let (flows, contradictions) = choose::choose(&mut reports);
    let coverage = coverage::coverage(&flows, &reports, plan.as_ref());
    Ok(ReportDocument {
        schema: SCHEMA.to_string(),
        tool: ToolName::this(),
        site: reports[0].site.clone(),
        vantages: reports.iter().map(|it| it.vantages[0].clone()).collect(),
        authorised: authorised(&reports),
        devices: reports.iter().flat_map(|it| it.devices.clone()).collect(),
        summary: summary(&flows),
        matrix: matrix::matrix(&flows, plan.as_ref()),
        flows_elsewhere: coverage::elsewhere(&coverage),
        elsewhere: coverage::starts_elsewhere(&coverage),
        coverage: Some(coverage),
        contradictions,
        flows,
        sweeps: reports.iter().flat_map(|it| it.sweeps.clone()).collect(),
        notes: each_once(notes),
        change: only_one(reports.iter().filter_map(|report| report.change.as_ref())),
        client: only_one(reports.iter().filter_map(|report| report.client.as_ref())),
    })
}

/// What one report alone says; of several, each is a vantage's own, and stays in its report.
fn only_one<'a, T: Clone + 'a>(mut all: impl Iterator<Item = &'a T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then(|| first.clone())
}

/// Who allowed large sweeps.
fn authorised(reports: &[ReportDocument]) -> Option<String> {
    let all: BTreeSet<&str> = reports
        .iter()
        .filter_map(|report| report.authorised.as_deref())
        .collect();
    let all: Vec<&str> = all.into_iter().collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn each_once(mut notes: Vec<Note>) -> Vec<Note> {
    let key = |note: &Note| (note.cause, note.system.clone(), note.text.clone());
    notes.sort_by_cached_key(key);
    notes.dedup();
    notes
}

#[cfg(test)]
mod tests;
