//! `portproof check --agents`: jobs go to the agents, and the reports that come back are joined as those of files.
//!
//! First the roll is called. With `--listeners` those agents that are systems of the file stand in for them, and all
//! others wait until they do. Then each agent tries what starts at its place. Meanwhile the roll is called again and
//! again: an agent that is lost leaves flows that nobody tried, and a report that says so.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::cli::agent::{access, tell, verifying_key};
use crate::cli::args::Check;
use crate::cli::credentials::Use;
use crate::cli::files::{self, Loaded, show};
use crate::cli::named::{self, Kind};
use crate::cli::report::flows_of;
use crate::cli::request::{Asked, request};
use crate::cli::signing;
use crate::cli::streams::say;
use crate::diagnostic::{Problem, counted, has_errors, visible};
use crate::fleet::link::{Came, Hub, Present};
use crate::fleet::{self, HubFile, Listening, Outcome, Part, Task, Try};
use crate::observation::NotTried;
use crate::plan::{self, Chosen, Plan};
use crate::probe::Permission;
use crate::report::{self, Joinable, Mixed, Named, Note, Parts, ReportDocument};
use crate::run::Scope;
use crate::site::{Site, SystemId, ZoneId};
use crate::verdict::Cause;

/// How long the first roll call waits for those that are missing.
const ROLL: Duration = Duration::from_secs(5);
/// How long the later ones wait.
const AGAIN: Duration = Duration::from_secs(2);
/// How often the roll is called.
const EVERY: Duration = Duration::from_secs(5);
/// After so long without a word an agent is lost.
const LOST: Duration = Duration::from_secs(60);
/// After so long an agent that answers and does not work its job will not begin any more.
const IDLE: Duration = Duration::from_secs(90);
/// How long a listener is waited for.
const STANDS: Duration = Duration::from_secs(60);
/// How long what it saw is waited for.
const ARRIVES: Duration = Duration::from_secs(30);
/// For how long listeners stand where nothing stops them.
const LISTENS: u64 = 2 * 3_600;
/// A clock that is off by more is told.
const CLOCK: SignedDuration = SignedDuration::from_secs(5);

/// The jobs of an agent.
const TRY: &str = "try";
const LISTEN: &str = "listen";

/// An agent of the file, in the site.
#[derive(Clone)]
struct Member {
    name: String,
    zone: ZoneId,
    system: Option<SystemId>,
}

/// Asks all agents, and joins what they saw.
pub(super) async fn check(
    arguments: &Check,
    path: &Path,
    loaded: Loaded,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<ReportDocument> {
    let (file, members) = read(path, &loaded.site)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut fleet = Fleet {
        hub: connect(&file, folder).await?,
        arguments,
        loaded,
        notes: Vec::new(),
        heard: HashMap::new(),
    };
    let present = fleet.call_the_roll(&members).await?;
    let token = arguments
        .listeners
        .then(|| uuid::Uuid::new_v4().simple().to_string());
    let listening = match &token {
        Some(token) => fleet.listen(&present, token, &mut stop).await?,
        None => Vec::new(),
    };
    let came = fleet.try_all(&present, token.as_deref(), &mut stop).await?;
    let arrivals = fleet.stop_listening(&listening).await?;
    let absent = members
        .iter()
        .filter(|it| !present.iter().any(|known| known.name == it.name));
    let absent: Vec<Member> = absent.cloned().collect();
    fleet.joined(came, absent, arrivals).await
}

/// Reads the file of the agents, and finds their places in the site.
fn read(path: &Path, site: &Site) -> anyhow::Result<(HubFile, Vec<Member>)> {
    let bytes = named::read(path, Kind::AgentsFile)
        .with_context(|| format!("reading the file of the agents {}", path.display()))?
        .bytes;
    let (file, mut problems) = fleet::hub_file(&bytes);
    let mut members = Vec::new();
    for agent in file.iter().flat_map(|it| &it.agents) {
        let it = &agent.value;
        let zone = site
            .zones
            .iter()
            .position(|zone| zone.name == it.zone.value);
        let Some(zone) = zone else {
            let says = format!("the site file has no zone `{}`", it.zone.value);
            problems.push(Problem::error("unknown-zone", it.zone.at, says));
            continue;
        };
        let system = it.system.as_ref().map(|name| {
            let known = site
                .systems
                .iter()
                .position(|system| system.name == name.value);
            known
                .filter(|system| site.systems[*system].is_in(zone))
                .ok_or(name)
        });
        match system.transpose() {
            Ok(system) => members.push(Member {
                name: agent.name.value.clone(),
                zone,
                system,
            }),
            Err(name) => {
                let says = format!(
                    "the site file has no system `{}` in zone `{}`",
                    name.value, it.zone.value
                );
                problems.push(Problem::error("unknown-system", name.at, says));
            }
        }
    }
    show(&path.display().to_string(), &bytes, &problems);
    let file = file.filter(|_| !has_errors(&problems));
    Ok((file.context("the file of the agents is refused")?, members))
}

async fn connect(file: &HubFile, folder: &Path) -> anyhow::Result<Hub> {
    let key = signing::key(&folder.join(&file.key.value))?;
    let mut keys = HashMap::new();
    for agent in &file.agents {
        keys.insert(
            agent.name.value.clone(),
            verifying_key(folder, &agent.value.key.value)?,
        );
    }
    let access = access(
        folder,
        &file.server.value,
        file.ca.as_ref().map(|it| it.value.as_str()),
        &file.credentials.value,
        None,
        "portproof check",
        "_INBOX.hub",
    )?;
    let domain = file.domain.as_ref().map(|it| it.value.as_str());
    Hub::connect(&access, domain, key, keys, tell()).await
}

/// What came of the job of an agent.
enum Tried {
    Report(Box<ReportDocument>),
    /// Nothing: why, and in which words.
    Nothing(NotTried, String),
}

struct Fleet<'a> {
    hub: Hub,
    arguments: &'a Check,
    loaded: Loaded,
    /// What is worth a word in the report.
    notes: Vec<String>,
    /// When each agent last gave a sign of life.
    heard: HashMap<String, Instant>,
}

impl Fleet<'_> {
    /// Who is there; who is not is told.
    async fn call_the_roll(&mut self, members: &[Member]) -> anyhow::Result<Vec<Member>> {
        let names: Vec<&str> = members.iter().map(|it| it.name.as_str()).collect();
        let answers = self.hub.roll_call(&names, ROLL).await?;
        let mut present = Vec::new();
        for member in members {
            let zone = &self.loaded.site.zones[member.zone].name;
            match answers.get(&member.name) {
                None => say!("agent {} (zone {zone}) does not answer", member.name),
                Some(it) if it.hosts > 1 => self.word(format!(
                    "{} hosts answer with the key of agent `{}`: one of them has stolen it, or the agent was started \
                     twice. It is asked nothing.",
                    it.hosts, member.name
                )),
                Some(it) => {
                    say!("{}", told(member, zone, it));
                    self.heard.insert(member.name.clone(), Instant::now());
                    present.push(member.clone());
                }
            }
        }
        anyhow::ensure!(
            !present.is_empty(),
            "none of {} answers: see whether `portproof agent` runs there, and reaches its NATS server",
            counted(members.len(), "agent")
        );
        Ok(present)
    }

    fn word(&mut self, words: String) {
        say!("{words}");
        self.notes.push(words);
    }

    /// The part of the site file that an agent needs, and nothing more where its flows stay the same.
    fn part(&self, member: &Member) -> anyhow::Result<Part> {
        let loaded = &self.loaded;
        let site = &loaded.site;
        let (plan, chosen) = flows(site, &loaded.catalogue, member);
        let mut needed: Vec<SystemId> = member.system.into_iter().collect();
        for chosen in &chosen {
            let flow = &plan.flows[chosen.flow];
            needed.extend(flow.to.system());
            if let crate::site::Origin::System(system) = flow.from {
                needed.push(system);
            }
        }
        let is_needed = |name: &str| {
            let system = site
                .systems
                .iter()
                .position(|it| it.name.eq_ignore_ascii_case(name));
            system.is_none_or(|it| needed.contains(&it))
        };
        let mut starts = vec![site.zones[member.zone].name.as_str()];
        starts.extend(needed.iter().map(|it| site.systems[*it].name.as_str()));
        let cut = |keep: &dyn Fn(&str) -> bool, starts: &[&str]| {
            fleet::cut(loaded.bytes(), keep, starts)
                .map_err(|problem| anyhow::anyhow!(problem.message))
        };
        let text = cut(&is_needed, &starts)?;
        let (part, problems) = files::examine(
            &loaded.file,
            text.as_bytes(),
            Some(&loaded.folder),
            None,
            Use::None,
        )?;
        let same = part.is_some_and(|part| {
            let is_there = part.site.zones.get(member.zone).is_some();
            let there = Member {
                system: member.system.and_then(|system| {
                    let name = &site.systems[system].name;
                    part.site.systems.iter().position(|it| it.name == *name)
                }),
                ..member.clone()
            };
            let (others, theirs) = flows(&part.site, &part.catalogue, &there);
            is_there
                && fleet::same_flows(
                    (site, &plan, &chosen),
                    (&part.site, &others, &theirs),
                    &loaded.file,
                )
        });
        let text = match same && !has_errors(&problems) {
            true => text,
            false => cut(
                &|_| true,
                &site
                    .systems
                    .iter()
                    .map(|it| it.name.as_str())
                    .chain(site.zones.iter().map(|it| it.name.as_str()))
                    .collect::<Vec<_>>(),
            )?,
        };
        Ok(Part {
            file: loaded.file.clone(),
            sha256: loaded.sha256.clone(),
            text,
        })
    }

    /// Lets those agents listen that are systems of the file; who listens.
    async fn listen(
        &mut self,
        present: &[Member],
        token: &str,
        stop: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<Member>> {
        let mut waiting: Vec<Member> = Vec::new();
        for member in present {
            let Some(system) = member.system else {
                continue;
            };
            let task = Task::Listen(Listening {
                site: self.part_of_a_listener(member)?,
                system: self.loaded.site.systems[system].name.clone(),
                token: token.to_string(),
                seconds: LISTENS,
            });
            self.hub.send(&member.name, LISTEN, &task).await?;
            waiting.push(member.clone());
        }
        let all = waiting.clone();
        let mut stand = Vec::new();
        let end = Instant::now() + STANDS;
        while !waiting.is_empty() && Instant::now() < end && !*stop.borrow() {
            let Ok(came) = timeout(Duration::from_millis(500), self.hub.next()).await else {
                continue;
            };
            let Some((agent, job, outcome)) = self.heard_of(came) else {
                continue;
            };
            waiting.retain(|it| it.name != agent);
            match outcome {
                Outcome::Listens { ports, refused } => {
                    let refused = match refused {
                        0 => String::new(),
                        some => format!("; its host refused {some}"),
                    };
                    say!(
                        "agent {agent} stands in on {}{refused}",
                        counted(ports, "port")
                    );
                    stand.extend(all.iter().filter(|it| it.name == agent).cloned());
                }
                Outcome::Refused { reason } | Outcome::Failed { reason } => {
                    self.word(format!(
                        "agent `{agent}` does not stand in: {}",
                        visible(&reason)
                    ));
                }
                Outcome::Report { .. } | Outcome::Arrivals { .. } => {
                    tracing::debug!(agent, job, "unexpected");
                }
            }
        }
        for member in waiting {
            self.word(format!(
                "agent `{}` did not stand in within {} s",
                member.name,
                STANDS.as_secs()
            ));
        }
        Ok(stand)
    }

    /// A listener needs to know who may come: all of the file.
    fn part_of_a_listener(&self, _: &Member) -> anyhow::Result<Part> {
        let site = &self.loaded.site;
        let zones = site.zones.iter().map(|it| it.name.as_str());
        let starts: Vec<&str> = site
            .systems
            .iter()
            .map(|it| it.name.as_str())
            .chain(zones)
            .collect();
        let text = fleet::cut(self.loaded.bytes(), &|_| true, &starts);
        let text = text.map_err(|problem| anyhow::anyhow!(problem.message))?;
        Ok(Part {
            file: self.loaded.file.clone(),
            sha256: self.loaded.sha256.clone(),
            text,
        })
    }

    /// What is told of a job; words are kept, and any of it is a sign of life.
    fn heard_of(&mut self, came: Came) -> Option<(String, String, Outcome)> {
        match came {
            Came::Nothing => None,
            Came::Word(words) => {
                self.word(words);
                None
            }
            Came::Result {
                agent,
                job,
                outcome,
            } => {
                self.heard.insert(agent.clone(), Instant::now());
                Some((agent, job, outcome))
            }
        }
    }

    /// Lets all try what starts at their places.
    async fn try_all(
        &mut self,
        present: &[Member],
        token: Option<&str>,
        stop: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<(Member, Tried)>> {
        let arguments = self.arguments;
        for member in present {
            let site = &self.loaded.site;
            let task = Task::Try(Try {
                site: self.part(member)?,
                zone: site.zones[member.zone].name.clone(),
                system: member.system.map(|it| site.systems[it].name.clone()),
                needed_only: false,
                no_path: arguments.no_path,
                gentle: (arguments.gentle || arguments.no_gentle).then_some(arguments.gentle),
                token: token.map(str::to_string),
            });
            self.hub.send(&member.name, TRY, &task).await?;
        }
        let begun = Instant::now();
        let mut open: BTreeMap<String, Member> = present
            .iter()
            .map(|it| (it.name.clone(), it.clone()))
            .collect();
        let mut done = Vec::new();
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut worked: HashMap<String, Instant> = HashMap::new();
        let mut stopped = false;
        while !open.is_empty() {
            tokio::select! {
                came = self.hub.next() => {
                    let Some((agent, job, outcome)) = self.heard_of(came) else { continue };
                    if job != TRY { continue }
                    let Some(member) = open.remove(&agent) else { continue };
                    let tried = self.tried(&member, outcome);
                    done.push((member, tried));
                }
                _ = stop.wait_for(|stop| *stop), if !stopped => {
                    stopped = true;
                    for name in open.keys() {
                        let task = Task::Stop { job: TRY.to_string() };
                        self.hub.send(name, "stop-try", &task).await?;
                    }
                    say!("interrupted: the agents end, and report what they saw");
                }
                _ = tick.tick() => {
                    let lost = self.lost(&open, &mut worked, begun).await?;
                    for (name, why) in lost {
                        let Some(member) = open.remove(&name) else { continue };
                        say!("agent {name}: {why}");
                        done.push((member, Tried::Nothing(NotTried::AgentLost, why)));
                    }
                    if begun.elapsed() > EVERY && !open.is_empty() {
                        let names: Vec<&str> = open.keys().map(String::as_str).collect();
                        say!("{} s: still at work: {}", begun.elapsed().as_secs(), names.join(", "));
                    }
                }
            }
        }
        Ok(done)
    }

    /// Calls the roll of those that are at work; whom nothing is expected of any more, and why.
    async fn lost(
        &mut self,
        open: &BTreeMap<String, Member>,
        worked: &mut HashMap<String, Instant>,
        begun: Instant,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let names: Vec<&str> = open.keys().map(String::as_str).collect();
        let answers = self.hub.roll_call(&names, AGAIN).await.unwrap_or_default();
        let now = Instant::now();
        let works = format!("{}.{TRY}", self.hub.run());
        let mut lost = Vec::new();
        for name in open.keys() {
            if let Some(it) = answers.get(name) {
                self.heard.insert(name.clone(), now);
                if it.here.works.contains(&works) {
                    worked.insert(name.clone(), now);
                }
            }
            let silent = now.duration_since(self.heard.get(name).copied().unwrap_or(begun));
            let idle = now.duration_since(worked.get(name).copied().unwrap_or(begun));
            if silent > LOST {
                lost.push((
                    name.clone(),
                    format!("it has not answered for {} s", silent.as_secs()),
                ));
            } else if idle > IDLE {
                lost.push((
                    name.clone(),
                    format!(
                        "it answers, and has not worked its job for {} s",
                        idle.as_secs()
                    ),
                ));
            }
        }
        Ok(lost)
    }

    /// What an outcome says of the flows of a place.
    fn tried(&mut self, member: &Member, outcome: Outcome) -> Tried {
        let name = &member.name;
        let why = match outcome {
            Outcome::Report { report } => match self.report(member, &report) {
                Ok(report) => {
                    say!(
                        "agent {name} has tried {}",
                        counted(report.flows.len(), "flow")
                    );
                    return Tried::Report(Box::new(report));
                }
                Err(why) => (
                    NotTried::AgentLost,
                    format!("its report cannot be used: {why}"),
                ),
            },
            Outcome::Refused { reason } => (
                NotTried::NotAllowed,
                format!("it refuses: {}", visible(&reason)),
            ),
            Outcome::Failed { reason } => (
                NotTried::AgentLost,
                format!("its run did not work: {}", visible(&reason)),
            ),
            Outcome::Listens { .. } | Outcome::Arrivals { .. } => (
                NotTried::AgentLost,
                "it answered something else".to_string(),
            ),
        };
        say!("agent {name}: {}", why.1);
        Tried::Nothing(why.0, why.1)
    }

    /// The report of an agent, which has to be of its place and of this site file.
    fn report(
        &self,
        member: &Member,
        report: &serde_json::Value,
    ) -> Result<ReportDocument, String> {
        let report = report::read(&serde_json::to_vec(report).unwrap_or_default())?;
        let site = &self.loaded.site;
        let [vantage] = &report.vantages[..] else {
            return Err("it is of several places".to_string());
        };
        let system = member.system.map(|it| &site.systems[it].name);
        if vantage.zone != site.zones[member.zone].name || vantage.system.as_ref() != system {
            return Err("it is of another place".to_string());
        }
        if vantage.config_sha256 != self.loaded.sha256 {
            return Err("it is of another site file".to_string());
        }
        Ok(report)
    }

    /// Ends the listeners; what arrived.
    async fn stop_listening(
        &mut self,
        listening: &[Member],
    ) -> anyhow::Result<Vec<Named<report::ArrivalsDocument>>> {
        let mut open: Vec<&str> = listening.iter().map(|it| it.name.as_str()).collect();
        for name in &open {
            let task = Task::Stop {
                job: LISTEN.to_string(),
            };
            self.hub.send(name, "stop-listen", &task).await?;
        }
        let mut arrivals = Vec::new();
        let end = Instant::now() + ARRIVES;
        while !open.is_empty() && Instant::now() < end {
            let Ok(came) = timeout(Duration::from_millis(500), self.hub.next()).await else {
                continue;
            };
            let Some((agent, job, outcome)) = self.heard_of(came) else {
                continue;
            };
            if job != LISTEN {
                continue;
            }
            open.retain(|it| **it != agent);
            let Outcome::Arrivals { arrivals: log } = outcome else {
                continue;
            };
            match report::read_joinable(&serde_json::to_vec(&log)?) {
                Ok(Joinable::Arrivals(it)) => arrivals.push(Named {
                    file: format!("agent {agent}, listening"),
                    it: *it,
                }),
                Ok(Joinable::Report(_)) | Err(_) => {
                    self.word(format!("what agent `{agent}` saw arriving cannot be read"))
                }
            }
        }
        for name in open {
            let words = format!("agent `{name}` did not say what arrived there");
            say!("{words}");
            self.notes.push(words);
        }
        Ok(arrivals)
    }

    /// One report of all.
    async fn joined(
        self,
        came: Vec<(Member, Tried)>,
        absent: Vec<Member>,
        arrivals: Vec<Named<report::ArrivalsDocument>>,
    ) -> anyhow::Result<ReportDocument> {
        let mut parts = Parts {
            plan: Some(flows_of(&self.loaded)),
            arrivals,
            ..Parts::default()
        };
        let mut notes = self.notes.clone();
        let absent = absent.into_iter().map(|it| {
            let why = "it did not answer at the beginning".to_string();
            (it, Tried::Nothing(NotTried::AgentLost, why))
        });
        for (member, tried) in came.into_iter().chain(absent) {
            let file = format!("agent {}", member.name);
            let it = match tried {
                Tried::Report(report) => *report,
                Tried::Nothing(why, words) => {
                    notes.push(format!("agent `{}` tried nothing: {words}", member.name));
                    self.untried(&member, why).await?
                }
            };
            parts.reports.push(Named { file, it });
        }
        let mut report = report::join(parts, Mixed::Refused).map_err(anyhow::Error::msg)?;
        let note = |text| Note {
            cause: Cause::AgentLost,
            system: String::new(),
            text,
        };
        report.notes.extend(notes.into_iter().map(note));
        Ok(report)
    }

    /// The report of a place where nobody tried anything. No packet leaves for it.
    async fn untried(&self, member: &Member, why: NotTried) -> anyhow::Result<ReportDocument> {
        let loaded = &self.loaded;
        let again = files::examine(
            &loaded.file,
            loaded.bytes(),
            Some(&loaded.folder),
            None,
            Use::None,
        )?;
        let again = again.0.context("the site file was read before")?;
        let site = &loaded.site;
        let asked = Asked {
            from: Some(&site.zones[member.zone].name),
            system: member.system.map(|it| site.systems[it].name.as_str()),
            force_vantage: true,
            scope: Scope::Whole,
            no_path: true,
            ..Asked::default()
        };
        let (stopper, stopped) = watch::channel(true);
        let mut request = request(&asked, again, None, None, stopped)?;
        request.forced = None;
        request.token = None;
        request.permission = Permission::Nothing(why);
        let mut report = crate::run::run(request, Arc::new(|_| {})).await?;
        drop(stopper);
        for vantage in &mut report.vantages {
            vantage.host = format!("agent {}", member.name);
            vantage.addresses.clear();
        }
        report.notes.clear();
        Ok(report)
    }
}

/// The flows that an agent has to try.
fn flows(
    site: &Site,
    catalogue: &crate::product::Catalogue,
    member: &Member,
) -> (Plan, Vec<Chosen>) {
    let mut plan = plan::derive(site, catalogue);
    plan.spread(site, |it| it.start(site) == member.zone);
    let (chosen, _) = plan::select(site, &plan, &[member.zone], member.system);
    (plan, chosen)
}

fn told(member: &Member, zone: &str, it: &Present) -> String {
    let here = &it.here;
    let clock = match it.clock.abs() > CLOCK {
        false => String::new(),
        true => format!("; its clock is {:#} off", it.clock),
    };
    let version = match here.version == env!("CARGO_PKG_VERSION") {
        true => String::new(),
        false => format!(", portproof {}", visible(&here.version)),
    };
    format!(
        "agent {} (zone {zone}): host {} with {}{version}{clock}",
        member.name,
        visible(&here.host),
        here.addresses
            .iter()
            .map(|it| visible(it))
            .collect::<Vec<_>>()
            .join(", "),
    )
}
