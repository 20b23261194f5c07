//! `portproof check`: reads what a run needs, says what happens while it lasts (`events`), and writes its report.

mod events;
mod keep;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

#[cfg(feature = "nats")]
use super::agents::{self, Voice, Wanted};
use super::args::{Check, NotifyOn, ReportFormat};
use super::credentials::Use;
use super::files::{self, Loaded};
use super::output::Output;
use super::request::{Asked, request};
use super::runtime::runtime;
use super::shown::Showing;
use super::signing::{self, Verifier};
use super::streams::say;
#[cfg(feature = "nats")]
use crate::fleet::link::Tell;
use crate::lab::{self, Faults};
use crate::report::{Named, ReportDocument, exit_status};
use crate::run::{ClientNumbers, Request, Scope};
use crate::{os, plan};
use events::Events;
use keep::Keep;

pub(super) fn run(arguments: &Check) -> anyhow::Result<u8> {
    let showing = Showing {
        format: arguments.shared.format,
        verbose: arguments.verbose,
        strict: arguments.strict,
    };
    showing.ended(kept(arguments, showing))
}

/// A run, which is in the history where one is kept, whatever comes of it.
fn kept(arguments: &Check, showing: Showing) -> anyhow::Result<Option<u8>> {
    let mut keep = Keep::open(arguments)?;
    let done = checked_and_shown(arguments, showing, keep.as_mut());
    if let Some(keep) = &mut keep {
        match &done {
            Err(why) => keep.failure(&format!("{why:#}")),
            Ok(None) => keep.failure("the site file is refused"),
            Ok(Some(_)) => {}
        }
    }
    done
}

/// The exit status; `None` when findings of a site file, already shown, refuse it.
fn checked_and_shown(
    arguments: &Check,
    showing: Showing,
    keep: Option<&mut Keep>,
) -> anyhow::Result<Option<u8>> {
    let Some(loaded) = load(arguments)? else {
        return Ok(None);
    };
    let old = match &arguments.against {
        None => None,
        Some(old) => match files::load(old, arguments.shared.catalogue.as_deref(), Use::None)? {
            None => return Ok(None),
            old => old,
        },
    };
    if let Some(old) = &old {
        super::plan::warn_of_another_site(&loaded, old);
    }
    let resume = resume(arguments)?;
    let key = arguments.sign.as_deref().map(signing::key).transpose()?;
    let output = Output::open_signed(arguments.shared.output.as_deref(), key)?;
    let runtime = runtime()?;
    let result = runtime.block_on(check(arguments, loaded, old, resume));
    // A resolver that hangs must not hold up the end.
    runtime.shutdown_background();
    let report = result?;
    let status = exit_status(&report, arguments.strict);
    // A report that cannot be kept is written all the same.
    let kept = keep.map(|keep| keep.report(&report, status)).transpose();
    let status = match (&kept, arguments.notify_on) {
        (Ok(Some(added)), Some(NotifyOn::Change)) => {
            let shown = showing.text(&report, output.width())?;
            let news = keep::news(added, &report, status, output.width());
            output.write_report(&news.before(shown, arguments.shared.format))?;
            news.status()
        }
        _ => showing.write(&report, output)?,
    };
    say_how_to_go_on(arguments, &report);
    kept.map(|_| Some(status))
}

fn load(arguments: &Check) -> anyhow::Result<Option<Loaded>> {
    let catalogue = arguments.shared.catalogue.as_deref();
    match (&arguments.file, arguments.lab) {
        (None, true) => {
            let site = lab::SITE_FILE.as_bytes();
            files::load_bytes("probes.yaml", site, None, catalogue, Use::None)
        }
        // Nothing of the site is reached, so no secret of it is needed.
        (Some(file), true) => files::load(file, catalogue, Use::None),
        (file, false) => {
            let file = file.as_deref().unwrap_or(Path::new("probes.yaml"));
            files::load(file, catalogue, Use::Shown)
        }
    }
}

/// The report of the interrupted run that is gone on with. Whoever signs the new report answers for what is in it.
fn resume(arguments: &Check) -> anyhow::Result<Option<Named<ReportDocument>>> {
    let Some(path) = &arguments.resume else {
        return Ok(None);
    };
    anyhow::ensure!(
        arguments.sign.is_none() || !arguments.verify.is_empty(),
        "--sign answers for what is taken from {} too: name the key that it must be signed with (--verify)",
        path.display()
    );
    let it = files::report(path, &Verifier::new(&arguments.verify)?)?;
    let file = path.display().to_string();
    Ok(Some(Named { file, it }))
}

/// After an interrupted sweep: how to try the rest.
fn say_how_to_go_on(arguments: &Check, report: &ReportDocument) {
    if arguments.lab || report.sweeps.iter().all(|it| it.interrupted.is_empty()) {
        return;
    }
    let file = arguments.shared.output.as_deref();
    let file = file.filter(|path| *path != Path::new("-"));
    let which = match (arguments.shared.format, file) {
        (ReportFormat::Json, Some(path)) => format!("--resume {} goes", path.display()),
        (ReportFormat::Json, None) => "--resume with this report goes".to_string(),
        _ => "with a report in JSON (--format json), --resume would go".to_string(),
    };
    say!("the sweep was interrupted: {which} on with it within a day");
}

async fn check(
    arguments: &Check,
    loaded: Loaded,
    old: Option<Loaded>,
    resume: Option<Named<ReportDocument>>,
) -> anyhow::Result<ReportDocument> {
    loaded.review(&plan::derive(&loaded.site, &loaded.catalogue));
    #[cfg(feature = "nats")]
    if let Some(file) = &arguments.agents {
        return by_agents(arguments, file, loaded).await;
    }
    let request = request(&asked(arguments), loaded, old, resume, on_interrupt())?;
    say_where(&request);
    let events = Events::new();
    crate::run::run(request, Arc::new(move |event| events.show(&event))).await
}

/// All zones at once.
#[cfg(feature = "nats")]
async fn by_agents(
    arguments: &Check,
    file: &Path,
    loaded: Loaded,
) -> anyhow::Result<ReportDocument> {
    let wanted = Wanted {
        scope: Scope::Whole,
        no_path: arguments.no_path,
        gentle: gentle(arguments),
        listeners: arguments.listeners,
    };
    let say: Tell = Arc::new(|words| say!("{words}"));
    let voice = Voice {
        progress: Arc::clone(&say),
        news: say,
    };
    let members = agents::read(file, &loaded.site)?;
    agents::prove(wanted, members, loaded, voice, on_interrupt()).await
}

fn gentle(arguments: &Check) -> Option<bool> {
    (arguments.gentle || arguments.no_gentle).then_some(arguments.gentle)
}

fn asked(arguments: &Check) -> Asked<'_> {
    let faults = match arguments.healthy {
        true => Faults::None,
        false => Faults::Planted,
    };
    let numbers = ClientNumbers {
        http: arguments.http_port,
        https: arguments.https_port,
    };
    Asked {
        from: arguments.from.as_deref(),
        system: arguments.system.as_deref(),
        force_vantage: arguments.force_vantage,
        lab: arguments.lab.then_some(faults),
        client: arguments.client.then_some(numbers),
        scope: Scope::Whole,
        no_path: arguments.no_path,
        gentle: gentle(arguments),
        token_file: arguments.token_file.as_deref(),
    }
}

fn say_where(request: &Request) {
    let (site, place) = (&request.file.site, &request.place);
    let system = place
        .system
        .map(|system| format!(" as system {}", site.systems[system].name))
        .unwrap_or_default();
    let zones = place.zones();
    let zones: Vec<&str> = zones
        .iter()
        .map(|zone| site.zones[*zone].name.as_str())
        .collect();
    say!(
        "vantage: zone {}{system} ({})",
        zones.join(" and "),
        match request.lab {
            Some(_) => "the lab",
            None => &place.how,
        }
    );
    if let Some(found) = &request.forced {
        say!("warning: the vantage is forced, although {found}");
    }
}

/// Turns true at Ctrl-C and its like; the report of what was seen is still written.
fn on_interrupt() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    let interrupt = os::interrupted();
    tokio::spawn(async move {
        if let Ok(interrupt) = interrupt {
            interrupt.await;
            let _ = sender.send(true);
        }
        // Kept alive to the end of the run: a closed channel would look like an interrupt.
        std::future::pending::<()>().await;
    });
    receiver
}
