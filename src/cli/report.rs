//! `portproof report`: reads reports and logs of arrivals, joins them, renders.
//!
//! One report alone is shown as it is. The bytes that are verified are those that are read: each file is read once.

use std::path::Path;
use std::sync::Arc;

use super::args::Report;
use super::credentials::Use;
use super::files::{self, Loaded};
use super::output::Output;
use super::shown::Showing;
use super::signing::{self, Verifier};
use crate::config::Sweep;
use crate::plan;
use crate::report::{self, Joinable, Mixed, Named, Parts, Planned, ReportDocument};

pub(super) fn run(arguments: &Report) -> anyhow::Result<u8> {
    let showing = Showing {
        format: arguments.shared.format,
        verbose: arguments.verbose,
        strict: arguments.strict,
    };
    showing.ended(read_and_shown(arguments, showing))
}

/// The exit status; `None` when findings of the site file, already shown, refuse it.
fn read_and_shown(arguments: &Report, showing: Showing) -> anyhow::Result<Option<u8>> {
    let verifier = Verifier::new(&arguments.verify)?;
    let key = arguments.sign.as_deref().map(signing::key).transpose()?;
    let output = Output::open_signed(arguments.shared.output.as_deref(), key)?;
    let mut parts = Parts::default();
    for path in &arguments.files {
        let file = path.display().to_string();
        match files::joinable(path, &verifier)? {
            Joinable::Report(it) => parts.reports.push(Named { file, it: *it }),
            Joinable::Arrivals(it) => parts.arrivals.push(Named { file, it: *it }),
        }
    }
    if let Some(site) = &arguments.site {
        match planned(site, arguments.shared.catalogue.as_deref())? {
            Some(plan) => parts.plan = Some(plan),
            None => return Ok(None),
        }
    }
    let mixed = match arguments.mixed_files {
        true => Mixed::Joined,
        false => Mixed::Refused,
    };
    let report = joined(parts, mixed)?;
    showing.write(&report, output).map(Some)
}

/// One report alone stays as it is; anything more is joined.
fn joined(mut parts: Parts, mixed: Mixed) -> anyhow::Result<ReportDocument> {
    let is_alone = parts.reports.len() == 1 && parts.arrivals.is_empty() && parts.plan.is_none();
    match parts.reports.pop() {
        Some(alone) if is_alone => Ok(alone.it),
        last => {
            parts.reports.extend(last);
            report::join(parts, mixed).map_err(anyhow::Error::msg)
        }
    }
}

/// The flows that `check` would try by a site file; `None` when findings, already shown, refuse it.
fn planned(site: &Path, catalogue: Option<&Path>) -> anyhow::Result<Option<Named<Planned>>> {
    let loaded = files::load(site, catalogue, Use::Missed)?;
    Ok(loaded.as_ref().map(flows_of))
}

/// The flows that `check` would try by a site file.
pub(super) fn flows_of(loaded: &Loaded) -> Named<Planned> {
    let mut plan = plan::derive(&loaded.site, &loaded.catalogue);
    if loaded.site.probing.sweep.value == Sweep::None {
        plan.forbidden.retain(|it| !it.reason.only_watched);
    }
    plan.spread(&loaded.site, |_| true);
    let flows = plan.flows.iter();
    let flows = flows
        .map(|flow| Arc::new(plan::entry(&loaded.site, &loaded.file, flow)))
        .collect();
    Named {
        file: loaded.file.clone(),
        it: Planned {
            config_sha256: loaded.sha256.clone(),
            flows,
        },
    }
}
