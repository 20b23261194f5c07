//! Whether reports belong together: one site, one site file, each report once, of each vantage the latest.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Planned;
use super::rejudge::{is_same_vantage, place};
use crate::diagnostic::visible;
use crate::plan::SiteName;
use crate::report::{ArrivalsDocument, Note, ReportDocument, Vantage};
use crate::verdict::Cause;

/// Reports that begin farther apart than this tell of different days.
pub(in crate::report) const FAR: SignedDuration = SignedDuration::from_hours(24);

/// Something from a file, with the file's name.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// The file.
    pub file: String,
    /// What it holds.
    pub it: T,
}

/// What is joined.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Reports, each of one vantage.
    pub reports: Vec<Named<ReportDocument>>,
    /// What reached listeners.
    pub arrivals: Vec<Named<ArrivalsDocument>>,
    /// The site file's own flows, where it is at hand.
    pub plan: Option<Named<Planned>>,
}

/// What becomes of reports of different site files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mixed {
    /// They are refused.
    Refused,
    /// They are joined, with a warning.
    Joined,
}

/// What belongs together, in an order that does not depend on how it was given.
pub(super) struct Together {
    pub(super) reports: Vec<ReportDocument>,
    /// Earlier reports of the same vantages. All that counts of them is which packets were theirs.
    pub(super) earlier: Vec<ReportDocument>,
    pub(super) logs: Vec<ArrivalsDocument>,
    pub(super) plan: Option<Planned>,
    pub(super) notes: Vec<Note>,
}

/// 1. A report of several vantages is one that was joined: its parts have the evidence.
/// 2. Another site's report never belongs to it.
/// 3. Another site file may mean other flows by the same ids: refused, unless that is asked for.
/// 4. What is given twice counts once.
/// 5. Of one vantage at several times the latest report counts: what was seen before may have been mended since.
pub(super) fn together(parts: Parts, mixed: Mixed) -> Result<Together, String> {
    if parts.reports.is_empty() {
        return Err(
            "no report is among the files: give one that `portproof check --format json` \
             wrote, beside what reached listeners"
                .to_string(),
        );
    }
    if let Some(joined) = parts.reports.iter().find(|it| it.it.vantages.len() != 1) {
        return Err(format!(
            "{} is a joined report: give the reports that it was made of",
            visible(&joined.file)
        ));
    }
    one_site(&parts)?;
    let mut notes: Vec<Note> = one_file(&parts, mixed)?.into_iter().collect();
    let (reports, twice) = each_once(parts.reports);
    notes.extend(twice);
    let (reports, earlier, later) = latest(reports);
    notes.extend(later);
    let (logs, twice) = each_once(parts.arrivals);
    notes.extend(twice);
    let reports: Vec<ReportDocument> = reports.into_iter().map(|named| named.it).collect();
    notes.extend(far_apart(&reports));
    Ok(Together {
        reports,
        earlier: earlier.into_iter().map(|named| named.it).collect(),
        logs: logs.into_iter().map(|named| named.it).collect(),
        plan: parts.plan.map(|plan| plan.it),
        notes,
    })
}

fn one_site(parts: &Parts) -> Result<(), String> {
    let of_reports = parts.reports.iter().map(|it| (&it.file, &it.it.site));
    let of_logs = parts.arrivals.iter().map(|it| (&it.file, &it.it.site));
    let mut all: Vec<(&String, &SiteName)> = of_reports.chain(of_logs).collect();
    all.sort_by_key(|(file, site)| (*file, &site.code, &site.product));
    let (first, site) = all[0];
    match all.iter().find(|(_, other)| *other != site) {
        None => Ok(()),
        Some((file, other)) => Err(format!(
            "{} is of site {} ({}), {} of site {} ({}): reports of different sites are never joined",
            visible(first),
            visible(&site.code),
            visible(&site.product),
            visible(file),
            visible(&other.code),
            visible(&other.product)
        )),
    }
}

/// Whether all are of one site file, by its hash; a warning where they are not and that is allowed.
fn one_file(parts: &Parts, mixed: Mixed) -> Result<Option<Note>, String> {
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let of_reports = parts
        .reports
        .iter()
        .map(|it| (&it.file, &it.it.vantages[0].config_sha256));
    let of_logs = parts
        .arrivals
        .iter()
        .map(|it| (&it.file, &it.it.config_sha256));
    let of_plan = parts.plan.iter().map(|it| (&it.file, &it.it.config_sha256));
    for (file, hash) in of_reports.chain(of_logs).chain(of_plan) {
        files.entry(hash).or_default().push(visible(file));
    }
    if files.len() == 1 {
        return Ok(None);
    }
    let lines = files.iter_mut().map(|(hash, names)| {
        names.sort();
        format!("{} is of {}", visible(hash), names.join(", "))
    });
    let listed: Vec<String> = lines.collect();
    match mixed {
        Mixed::Refused => Err(format!(
            "these are of different site files, so that the same id may stand for another flow; \
             --mixed-files joins them all the same\n  {}",
            listed.join("\n  ")
        )),
        Mixed::Joined => Ok(Some(note(
            Cause::MixedFiles,
            format!(
                "These are of different site files, so that the same id may stand for another flow \
                 (SHA-256): {}.",
                listed.join("; ")
            ),
        ))),
    }
}

/// What a file holds that may be given twice.
trait Given: PartialEq {
    /// What orders it among others, as far as that goes.
    fn key(&self) -> [&str; 4];
    /// All of it: what orders those of one key.
    fn whole(&self) -> String;
}

impl Given for ReportDocument {
    fn key(&self) -> [&str; 4] {
        let it = &self.vantages[0];
        let system = it.system.as_deref().unwrap_or_default();
        [&it.zone, system, &it.host, &it.started]
    }

    fn whole(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Given for ArrivalsDocument {
    fn key(&self) -> [&str; 4] {
        [&self.system, &self.started, "", ""]
    }

    fn whole(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn each_once<T: Given>(mut given: Vec<Named<T>>) -> (Vec<Named<T>>, Vec<Note>) {
    given.sort_by(|a, b| a.file.cmp(&b.file));
    // Reports are large, and few have the same key: the others are never written out.
    given.sort_by(|Named { it: a, .. }, Named { it: b, .. }| {
        let by_key = a.key().cmp(&b.key());
        by_key.then_with(|| a.whole().cmp(&b.whole()))
    });
    let mut notes = Vec::new();
    let mut kept: Vec<Named<T>> = Vec::new();
    for named in given {
        match kept.last() {
            Some(last) if last.it == named.it => {
                let (first, second) = (visible(&last.file), visible(&named.file));
                notes.push(note(
                    Cause::GivenTwice,
                    format!("{second} holds the same as {first}; it counts once."),
                ));
            }
            _ => kept.push(named),
        }
    }
    (kept, notes)
}

/// Reports with their files.
type Reports = Vec<Named<ReportDocument>>;

/// Of each vantage the latest report; then the others, each with a note.
fn latest(reports: Reports) -> (Reports, Reports, Vec<Note>) {
    let mut notes = Vec::new();
    let (mut kept, mut earlier): (Reports, Reports) = (Vec::new(), Vec::new());
    for named in reports {
        let known = kept
            .iter_mut()
            .find(|known| is_same_vantage(vantage(known), vantage(&named)));
        let Some(known) = known else {
            kept.push(named);
            continue;
        };
        let sooner = match ended(&named) >= ended(known) {
            true => std::mem::replace(known, named),
            false => named,
        };
        let later = &*known;
        notes.push(note(
            Cause::EarlierReport,
            format!(
                "{} and {} are both from {}. Only the later one counts: {}, which ended at {}.",
                visible(&sooner.file),
                visible(&later.file),
                visible(&place(vantage(later))),
                visible(&later.file),
                visible(&vantage(later).finished)
            ),
        ));
        earlier.push(sooner);
    }
    (kept, earlier, notes)
}

fn vantage(of: &Named<ReportDocument>) -> &Vantage {
    &of.it.vantages[0]
}

fn ended(of: &Named<ReportDocument>) -> Option<(Timestamp, Timestamp)> {
    let vantage = vantage(of);
    Some((
        vantage.finished.parse().ok()?,
        vantage.started.parse().ok()?,
    ))
}

fn far_apart(reports: &[ReportDocument]) -> Option<Note> {
    let starts = reports.iter().filter_map(|report| {
        let started = &report.vantages[0].started;
        Some((started.parse::<Timestamp>().ok()?, started))
    });
    let starts: Vec<_> = starts.collect();
    let (first, first_text) = starts.iter().min()?;
    let (last, last_text) = starts.iter().max()?;
    (last.duration_since(*first) > FAR).then(|| {
        note(
            Cause::FarApart,
            format!(
                "The first of these reports begins at {}, the last at {}: what lies between may \
                 have changed the site.",
                visible(first_text),
                visible(last_text)
            ),
        )
    })
}

fn note(cause: Cause, text: String) -> Note {
    Note {
        cause,
        system: String::new(),
        text,
    }
}
