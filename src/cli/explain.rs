//! `portproof explain`.

use std::path::Path;

use anyhow::Context as _;

use super::args::{Explain, Format};
use super::credentials::Use;
use super::files::{DEFAULT, Loaded};
use super::named::{Kind, read};
use super::output::Output;
use super::signing::Verifier;
use super::streams::say;
use super::{WRONG, files};
use crate::diagnostic::{is_near, visible};
use crate::explain::{self, About, ExplainDocument, Given};
use crate::plan::{self, Plan};
use crate::product::{Catalogue, Role};
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
    if let Some(path) = &arguments.log {
        return log(path, arguments);
    }
    match arguments.what.as_deref() {
        Some(line) if is_line(line) => of_line(line, arguments),
        Some(id) if id.contains('>') => flow(id, arguments, report),
        Some(word) => of_word(word, arguments, report),
        None => {
            let catalogue = files::load_catalogue(arguments.shared.catalogue.as_deref(), None)?;
            Ok(catalogue.map(|catalogue| About::Index(explain::index(&catalogue))))
        }
    }
}

/// Whether this can be no word and no id of a flow: neither has blanks.
fn is_line(what: &str) -> bool {
    what.trim().contains(char::is_whitespace) || what.contains("<![LOG[")
}

/// A log of a client. The first word of the command line is then the site file.
fn log(path: &Path, arguments: &Explain) -> anyhow::Result<Option<About>> {
    let content = read(path, Kind::ClientLog)
        .with_context(|| format!("reading the log {}", path.display()))?;
    let name = path.display().to_string();
    let file = arguments.what.as_deref().map(Path::new);
    with_flows(file, arguments, |catalogue, given| {
        let log = explain::log(&name, &content.bytes, catalogue, given);
        Ok(Some(About::Log(Box::new(log))))
    })
}

fn of_line(line: &str, arguments: &Explain) -> anyhow::Result<Option<About>> {
    with_flows(
        arguments.file.as_deref(),
        arguments,
        |catalogue, given| match explain::line(line, catalogue, given) {
            Some(log) => Ok(Some(About::Log(Box::new(log)))),
            None => anyhow::bail!(
                "no code of a client's log stands in this line; `portproof explain` lists what can \
                 be explained"
            ),
        },
    )
}

/// Does something with the site file that is named, or else with `probes.yaml` where that is there.
fn with_flows(
    file: Option<&Path>,
    arguments: &Explain,
    explained: impl Fn(&Catalogue, Option<Given<'_>>) -> anyhow::Result<Option<About>>,
) -> anyhow::Result<Option<About>> {
    let catalogue = arguments.shared.catalogue.as_deref();
    let Some(file) = file.or_else(|| is_there(Path::new(DEFAULT))) else {
        let catalogue = files::load_catalogue(catalogue, None)?;
        return catalogue.map_or(Ok(None), |catalogue| explained(&catalogue, None));
    };
    let Some(loaded) = files::load(file, catalogue, Use::Missed)? else {
        return Ok(None);
    };
    let plan = plan::derive(&loaded.site, &loaded.catalogue);
    explained(&loaded.catalogue, Some(given(&loaded, &plan)))
}

fn is_there(file: &'static Path) -> Option<&'static Path> {
    file.exists().then_some(file)
}

fn given<'a>(loaded: &'a Loaded, plan: &'a Plan) -> Given<'a> {
    Given {
        site: &loaded.site,
        catalogue: &loaded.catalogue,
        plan,
        file: &loaded.file,
    }
}

/// A word: of the site file that is named, of this program, or else of `probes.yaml`.
fn of_word(
    word: &str,
    arguments: &Explain,
    report: Option<&ReportDocument>,
) -> anyhow::Result<Option<About>> {
    let loaded = match &arguments.file {
        Some(_) => match load(arguments)? {
            Some(loaded) => Some(loaded),
            None => return Ok(None),
        },
        None => None,
    };
    if let Some(loaded) = &loaded
        && let Some(about) = named_in(loaded, word)
    {
        return Ok(Some(about));
    }
    let catalogue = match &loaded {
        Some(loaded) => Some(loaded.catalogue.clone()),
        None => files::load_catalogue(arguments.shared.catalogue.as_deref(), None)?,
    };
    let Some(catalogue) = catalogue else {
        return Ok(None);
    };
    let about = explain::word(&catalogue, word, report);
    match (about, loaded) {
        (Some(About::Rule(mut rule)), Some(loaded)) => {
            rule.flows = made_by(&loaded, &rule.rule);
            Ok(Some(About::Rule(rule)))
        }
        (Some(About::Role(mut role)), Some(loaded)) => {
            let found = Role::named(&role.role);
            role.systems = found.map_or_else(Vec::new, |it| explain::with_role(&loaded.site, it));
            Ok(Some(About::Role(role)))
        }
        (Some(about), _) => Ok(Some(about)),
        (None, Some(loaded)) => Err(unknown(&catalogue, Some(&loaded), word)),
        (None, None) if is_name(word) && is_there(Path::new(DEFAULT)).is_some() => {
            let Some(loaded) = load(arguments)? else {
                return Ok(None);
            };
            let of_its_product = || explain::word(&loaded.catalogue, word, report);
            let about = named_in(&loaded, word).or_else(of_its_product);
            about
                .map(Some)
                .ok_or_else(|| unknown(&catalogue, Some(&loaded), word))
        }
        (None, None) => Err(unknown(&catalogue, None, word)),
    }
}

/// Whether a site file may give a system or firewall this name.
fn is_name(word: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !word.is_empty() && word.chars().all(is_of_name)
}

fn named_in(loaded: &Loaded, word: &str) -> Option<About> {
    let site = &loaded.site;
    if !explain::names(site).any(|name| name == word) {
        return None;
    }
    let plan = plan::derive(site, &loaded.catalogue);
    explain::named(given(loaded, &plan), word)
}

fn unknown(catalogue: &Catalogue, loaded: Option<&Loaded>, what: &str) -> anyhow::Error {
    let mut near = explain::suggestions(catalogue, what);
    if let Some(loaded) = loaded {
        near.extend(explain::names(&loaded.site).filter(|name| is_near(what, name)));
    }
    let near = match near {
        none if none.is_empty() => String::new(),
        some => format!("; did you mean {}?", quoted(some)),
    };
    let of_file = match loaded {
        Some(loaded) => format!(", no system or firewall of {}", loaded.file),
        None => String::new(),
    };
    anyhow::anyhow!(
        "`{}` is no topic, cause, rule, verdict, role, finding or code{of_file}, and no flow id, \
         which looks like 'internet>ibs01:443/tcp' and stands in quotes{near}\n`portproof explain` \
         lists what can be explained; `portproof plan` lists flows",
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
        file.unwrap_or(Path::new(DEFAULT)),
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
