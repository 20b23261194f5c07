//! `portproof check --agents`: jobs go to the agents, and the reports that come back are joined as those of files.
//!
//! First the roll is called (`members`). With `--listeners` those agents that are systems of the file stand in for them
//! (`listeners`), and all others wait until they do. Then each agent gets its part of the site file (`part`), and tries
//! what starts at its place. Meanwhile the roll is called again and again. An agent that is lost leaves flows that nobody
//! tried, and a report that says so (`together`).

mod listeners;
mod members;
mod part;
mod together;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cli::args::Check;
use crate::cli::files::Loaded;
use crate::cli::streams::say;
use crate::diagnostic::counted;
use crate::fleet::link::{Came, Hub};
use crate::fleet::{Outcome, Task, Try};
use crate::observation::NotTried;
use crate::report::ReportDocument;
use members::{Member, connect, read, told};

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
/// The name of the jobs that try.
const TRY: &str = "try";

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
                site: part::needed(&self.loaded, member)?,
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
}
