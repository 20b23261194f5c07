//! Working a job: the part of the site file is read as any site file, and the run is the same as that of `check`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::cli::credentials::Use;
use crate::cli::files::{self, Loaded};
use crate::cli::listen;
use crate::cli::output::replace;
use crate::cli::request::{Asked, request};
use crate::cli::streams::say;
use crate::diagnostic::{Severity, counted};
use crate::fleet::link::{Work, Working};
use crate::fleet::{Document, Done, Job, Listening, Outcome, Part, Policy, Task, Try};
use crate::listen::{Listener, open, wanted};
use crate::os;
use crate::plan;
use crate::probe::Permission;
use crate::run::{Request, Scope};
use crate::vantage;
use crate::wire::Token;

/// What an agent works jobs with.
pub(super) struct Worker {
    /// The folder that paths of the site file are taken from.
    folder: PathBuf,
    policy: Policy,
    /// Where it notes which jobs were done.
    state: PathBuf,
}

impl Worker {
    pub(super) fn new(folder: PathBuf, policy: Policy, state: PathBuf) -> Self {
        Self {
            folder,
            policy,
            state,
        }
    }
}

impl Work for Worker {
    fn work(&self, job: Working) -> BoxFuture<'static, Outcome> {
        let (folder, policy) = (self.folder.clone(), self.policy.clone());
        // A run stays on its thread: what it holds between two steps may not move to another.
        let handle = Handle::current();
        let run = spawn_blocking(move || handle.block_on(done(job, &folder, &policy)));
        run.map(|ended| {
            ended.unwrap_or_else(|error| Outcome::Failed {
                reason: format!("a fault of portproof itself: {error}"),
            })
        })
        .boxed()
    }

    fn keep(&self, done: &Done) {
        let kept = serde_json::to_string(done).map_err(anyhow::Error::from);
        if let Err(why) = kept.and_then(|text| replace(&self.state, &text)) {
            say!("portproof: {why:#}: after a new start of this agent a job could be done twice");
        }
    }
}

/// Works a job to its end.
async fn done(job: Working, folder: &Path, policy: &Policy) -> Outcome {
    let Working { task, stop, said } = job;
    let done = match task {
        Task::Try(job) => tried(job, folder, policy, stop).await,
        Task::Listen(job) => {
            let tell = |outcome| {
                // Nobody hears it where the job has ended.
                let _ = said.send(outcome);
            };
            listened(job, folder, policy, stop, tell).await
        }
        Task::Stop { .. } => Err(anyhow::anyhow!("there is nothing to stop").into()),
    };
    done.unwrap_or_else(|why| match why {
        Undone::Refused(reason) => Outcome::Refused { reason },
        Undone::Failed(why) => Outcome::Failed {
            reason: format!("{why:#}"),
        },
    })
}

/// Why a job came to nothing.
enum Undone {
    /// This agent may not.
    Refused(String),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Undone {
    fn from(why: anyhow::Error) -> Self {
        Self::Failed(why)
    }
}

/// Reads the part of a site file.
fn load(site: &Part, folder: &Path) -> anyhow::Result<Loaded> {
    let bytes = site.text.as_bytes();
    let (loaded, problems) = files::examine(&site.file, bytes, Some(folder), None, Use::Shown)?;
    let first = problems.iter().find(|it| it.severity != Severity::Warning);
    let Some(mut loaded) = loaded else {
        anyhow::bail!(
            "the site file has {} at this agent; the first one: {}",
            counted(problems.len(), "finding"),
            first.map_or("", |it| it.message.as_str())
        );
    };
    loaded.sha256.clone_from(&site.sha256);
    Ok(loaded)
}

async fn tried(
    job: Try,
    folder: &Path,
    policy: &Policy,
    stop: watch::Receiver<bool>,
) -> Result<Outcome, Undone> {
    let loaded = load(&job.site, folder)?;
    let asked = Asked {
        from: Some(&job.zone),
        system: job.system.as_deref(),
        scope: if job.needed_only {
            Scope::Needed
        } else {
            Scope::Whole
        },
        no_path: job.no_path,
        gentle: job.gentle,
        ..Asked::default()
    };
    let mut request = request(&asked, loaded, None, None, stop)?;
    if let Some(why) = refused(&request, policy) {
        return Err(Undone::Refused(why));
    }
    request.permission = Permission::Within(policy.allowed.clone());
    if let Some(most) = policy.rate {
        let rate = &mut request.file.site.probing.rate;
        *rate = Some(rate.map_or(most, |rate| rate.min(most)));
    }
    request.token = job.token.as_deref().and_then(Token::new);
    let report = crate::run::run(request, Arc::new(|_| {})).await?;
    let report = Document::of(&report).map_err(anyhow::Error::from)?;
    Ok(Outcome::Report(report))
}

/// What the file of this agent says against the flows of a job.
fn refused(request: &Request, policy: &Policy) -> Option<String> {
    let (site, place) = (&request.file.site, &request.place);
    let mut plan = plan::derive(site, &request.file.catalogue);
    let zones = place.zones();
    plan.spread(site, |it| zones.contains(&it.start(site)));
    let (mut chosen, _) = plan::select(site, &plan, &zones, place.system);
    if request.scope == Scope::Needed {
        chosen.retain(|it| plan.flows[it.flow].need != crate::product::Need::Forbidden);
    }
    policy.refuses(site, &plan, &chosen)
}

async fn listened(
    job: Listening,
    folder: &Path,
    policy: &Policy,
    mut stop: watch::Receiver<bool>,
    tell: impl Fn(Outcome),
) -> Result<Outcome, Undone> {
    let loaded = load(&job.site, folder)?;
    let site = &loaded.site;
    let networks = os::own_addresses().unwrap_or_default();
    let own: Vec<IpAddr> = networks.iter().map(IpNet::addr).collect();
    let place = vantage::find(site, None, Some(&job.system), &own).map_err(anyhow::Error::msg)?;
    let system = place
        .system
        .ok_or_else(|| anyhow::anyhow!("there is no system `{}`", job.system))?;
    if let Some(found) = vantage::contradiction(site, &place, &own) {
        return Err(
            anyhow::anyhow!("this does not look like system `{}`: {found}", job.system).into(),
        );
    }
    let addresses = listen::addresses_of(site, system, &own)?;
    let mut wanted = wanted(site, &plan::derive(site, &loaded.catalogue), system);
    wanted.retain(|it| policy.allowed.lets_port(it.port.low));
    let token = Token::new(&job.token)
        .ok_or_else(|| anyhow::anyhow!("the token of the job is too short"))?;
    let opened = open(&addresses, &wanted);
    let (ports, refused) = (opened.listening(), opened.refused());
    let listener = Listener::new(&job.system, token);
    let document = listen::document(&loaded, &job.system, &opened.ports);
    let serving = tokio::spawn(Arc::clone(&listener).serve(opened));
    tell(Outcome::Listens { ports, refused });
    let time = Duration::from_secs(job.seconds).min(Job::LONGEST_LISTENER);
    tokio::select! {
        () = sleep(time) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    serving.abort();
    // Its ports are free before anybody hears that it has ended.
    let _ = serving.await;
    let arrivals = Document::of(&listen::filled(&document, &listener));
    Ok(Outcome::Arrivals(arrivals.map_err(anyhow::Error::from)?))
}
