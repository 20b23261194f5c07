//! `portproof explain`.

use std::path::Path;

use super::args::{Explain, Format};
use super::credentials::Use;
use super::files::Loaded;
use super::output::Output;
use super::signing::Verifier;
use super::streams::say;
use super::{WRONG, files};
use crate::diagnostic::visible;
use crate::explain::{self, About, ExplainDocument};
use crate::plan;
use crate::product::Catalogue;
use crate::report::ReportDocument;

/// How many words that may have been meant are shown.
const SUGGESTIONS: usize = 3;

pub(super) fn run(arguments: &Explain) -> anyhow::Result<u8> {
    let output = Output::open(arguments.shared.output.as_deref())?;
    let verifier = Verifier::new(&arguments.verify)?;
    let report = arguments.report.as_deref();
    let report = report
        .map(|path| files::report(path, &verifier))
        .transpose()?;
    let Some(about) = about(arguments, report.as_ref())? else {
        return Ok(WRONG);
    };
    let document = ExplainDocument::new(about);
    let text = match arguments.shared.format {
        Format::Text => explain::text(&document, output.width()),
        Format::Json => serde_json::to_string_pretty(&document)? + "\n",
    };
    output.write(&text)?;
    Ok(0)
}

/// What is asked for; `None` when findings of a file, already shown, are in the way.
fn about(arguments: &Explain, report: Option<&ReportDocument>) -> anyhow::Result<Option<About>> {
    let catalogue = arguments.shared.catalogue.as_deref();
    match arguments.what.as_deref() {
        Some(id) if id.contains('>') => flow(id, arguments, report),
        what => {
            let Some(catalogue) = files::load_catalogue(catalogue, None)? else {
                return Ok(None);
            };
            let Some(what) = what else {
                return Ok(Some(About::Index(explain::index(&catalogue))));
            };
            let Some(about) = explain::word(&catalogue, what, report) else {
                return Err(unknown(&catalogue, what));
            };
            match (about, &arguments.file) {
                (About::Rule(mut rule), Some(_)) => {
                    let Some(loaded) = load(arguments)? else {
                        return Ok(None);
                    };
                    rule.flows = made_by(&loaded, &rule.rule);
                    Ok(Some(About::Rule(rule)))
                }
                (about, _) => Ok(Some(about)),
            }
        }
    }
}

fn unknown(catalogue: &Catalogue, what: &str) -> anyhow::Error {
    let near = match explain::suggestions(catalogue, what) {
        none if none.is_empty() => String::new(),
        some => format!("; did you mean {}?", quoted(some)),
    };
    anyhow::anyhow!(
        "`{}` is no topic, cause or rule, and no flow id, which looks like \
         'internet>ibs01:443/tcp' and stands in quotes{near}\n`portproof explain` lists topics, \
         causes and rules; `portproof plan` lists flows",
        visible(what)
    )
}

fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn load(arguments: &Explain) -> anyhow::Result<Option<Loaded>> {
    let file = arguments.file.as_deref();
    files::load(
        file.unwrap_or(Path::new("probes.yaml")),
        arguments.shared.catalogue.as_deref(),
        Use::Missed,
    )
}

fn made_by(loaded: &Loaded, rule: &str) -> Vec<String> {
    let plan = plan::derive(&loaded.site, &loaded.catalogue);
    let made = |reason: &plan::Reason| reason.rules.iter().any(|id| id == rule);
    let mut plan = plan;
    plan.flows.retain(|flow| made(&flow.reason));
    plan.forbidden.retain(|it| made(&it.reason));
    plan.spread(&loaded.site, |_| true);
    let flows = plan.flows.iter();
    flows.map(|flow| plan::id(&loaded.site, flow)).collect()
}

fn flow(
    id: &str,
    arguments: &Explain,
    report: Option<&ReportDocument>,
) -> anyhow::Result<Option<About>> {
    let Some(loaded) = load(arguments)? else {
        return Ok(None);
    };
    if let Some(report) = report {
        same_site(&loaded, report)?;
    }
    let (site, catalogue) = (&loaded.site, &loaded.catalogue);
    let plan = plan::derive(site, catalogue);
    loaded.review(&plan);
    let explained = match plan.find(site, id) {
        Some(flow) => {
            let ladder = crate::run::ladder(&flow);
            Some(explain::flow(
                site,
                catalogue,
                &loaded.file,
                &flow,
                ladder,
                report,
            ))
        }
        None => report
            .and_then(|report| explain::flow_of_report(site, catalogue, &loaded.file, id, report)),
    };
    let Some(explained) = explained else {
        let near = plan.nearest(site, id, SUGGESTIONS);
        anyhow::bail!(
            "`{}` is no flow of {}{}; the nearest are {}; `portproof plan` lists all",
            visible(id),
            loaded.file,
            if report.is_some() {
                ", and none of the report"
            } else {
                " (what only a report has needs --report)"
            },
            quoted(near.iter().map(String::as_str))
        );
    };
    Ok(Some(About::Flow(Box::new(explained))))
}

/// A report of another site says nothing of this one; of an older file it says what was then.
fn same_site(loaded: &Loaded, report: &ReportDocument) -> anyhow::Result<()> {
    anyhow::ensure!(
        report.site.code == loaded.site.code,
        "the report is of site {}, and {} is of site {}",
        visible(&report.site.code),
        loaded.file,
        visible(&loaded.site.code)
    );
    let mut vantages = report.vantages.iter();
    if !vantages.any(|vantage| vantage.config_sha256 == loaded.sha256) {
        say!("note: the report is of another version of {}", loaded.file);
    }
    Ok(())
}
