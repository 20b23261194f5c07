//! A run of all zones at once, for `check --agents` and for checks of `serve` with `agents`. Jobs go to the agents, and the
//! reports that come back are joined as those of files.
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
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::files::Loaded;
use crate::diagnostic::counted;
use crate::fleet::link::{Came, Hub, Tell};
use crate::fleet::{Outcome, Task, Try};
use crate::observation::NotTried;
use crate::report::ReportDocument;
use crate::run::Scope;
use members::{Member, connect, told};
use part::Cutter;
use together::Shared;

pub(super) use members::{Members, read};

/// How long the first roll call waits for those that are missing.
const ROLL: Duration = Duration::from_secs(5);
/// How long the later ones wait.
const AGAIN: Duration = Duration::from_secs(2);
/// How often the roll is called.
const EVERY: Duration = Duration::from_secs(5);
/// After so long without a word an agent is lost: more than a minute that its link is cut.
const LOST: Duration = Duration::from_secs(90);
/// After so long an agent that answers and does not work its job will not begin any more.
const IDLE: Duration = Duration::from_secs(90);
/// For so long the server may be out of reach. Results wait there meanwhile, and nobody is lost.
const CUT_OFF: Duration = Duration::from_secs(15 * 60);
/// How long agents may take to end when all is stopped.
const ENDS: Duration = Duration::from_secs(5);
/// The name of the jobs that try.
const TRY: &str = "try";

/// What the agents are asked.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// How much is tried.
    pub(super) scope: Scope,
    /// Whether no paths may be walked.
    pub(super) no_path: bool,
    /// Whether runs must not set off devices that watch for scans.
    pub(super) gentle: Option<bool>,
    /// Whether agents stand in for their systems meanwhile.
    pub(super) listeners: bool,
}

/// Who is told what happens.
#[derive(Clone)]
pub(super) struct Voice {
    /// What happens in every run.
    pub(super) progress: Tell,
    /// What happens in few, and somebody may have to act on.
    pub(super) news: Tell,
}

/// Asks all agents, and joins what they saw.
///
/// # Errors
/// When the NATS server is not reached, no agent answers, or all was stopped before one did.
pub(super) async fn prove(
    wanted: Wanted,
    members: Members,
    loaded: Loaded,
    voice: Voice,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<ReportDocument> {
    let begun = begin(wanted, &members, loaded, voice);
    let (mut fleet, present) = tokio::select! {
        begun = begun => begun?,
        _ = stop.wait_for(|stop| *stop) => anyhow::bail!("stopped before an agent was asked"),
    };
    let token = wanted
        .listeners
        .then(|| uuid::Uuid::new_v4().simple().to_string());
    let listening = match &token {
        Some(token) => fleet.listen(&present, token, &mut stop).await?,
        None => Vec::new(),
    };
    let came = fleet.try_all(&present, token.as_deref(), &mut stop).await?;
    let arrivals = fleet.stop_listening(&listening, &stop).await?;
    let absent = members
        .all
        .iter()
        .filter(|it| !present.iter().any(|known| known.name == it.name));
    let absent: Vec<Member> = absent.cloned().collect();
    fleet.joined(came, absent, arrivals).await
}

/// Connects, and finds out who is there.
async fn begin(
    wanted: Wanted,
    members: &Members,
    loaded: Loaded,
    voice: Voice,
) -> anyhow::Result<(Fleet, Vec<Member>)> {
    let mut fleet = Fleet {
        hub: connect(members, &voice).await?,
        planned: Shared::default(),
        wanted,
        loaded,
        voice,
        notes: Vec::new(),
        heard: HashMap::new(),
    };
    let present = fleet.call_the_roll(&members.all).await?;
    Ok((fleet, present))
}

/// What came of the job of an agent.
enum Tried {
    Report(Box<ReportDocument>),
    /// Nothing: why, and in which words.
    Nothing(NotTried, String),
}

struct Fleet {
    hub: Hub,
    wanted: Wanted,
    loaded: Loaded,
    /// The flows of the site, from when the jobs are sent on.
    planned: Shared,
    voice: Voice,
    /// What is worth a word in the report.
    notes: Vec<String>,
    /// When each agent last gave a sign of life.
    heard: HashMap<String, Instant>,
}

impl Fleet {
    /// Who is there; who is not is told.
    async fn call_the_roll(&mut self, members: &[Member]) -> anyhow::Result<Vec<Member>> {
        let names: Vec<&str> = members.iter().map(|it| it.name.as_str()).collect();
        let answers = self.hub.roll_call(&names, ROLL).await?;
        let mut present = Vec::new();
        for member in members {
            let zone = &self.loaded.site.zones[member.zone].name;
            match answers.get(&member.name) {
                None => self.tell(format!("agent {} (zone {zone}) does not answer", member.name)),
                Some(it) if it.hosts > 1 => self.word(format!(
                    "{} hosts answer with the key of agent `{}`: one of them has stolen it, or the agent was started \
                     twice. It is asked nothing.",
                    it.hosts, member.name
                )),
                Some(it) => {
                    self.tell(told(member, zone, it));
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

    /// Says what happens.
    fn tell(&self, words: String) {
        (self.voice.progress)(words);
    }

    /// Says what happened, here and in the report.
    fn word(&mut self, words: String) {
        (self.voice.news)(words.clone());
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
        let cutter = Cutter::new(&self.loaded)?;
        for member in present {
            let site = &self.loaded.site;
            let task = Task::Try(Try {
                site: cutter.needed(member)?,
                zone: site.zones[member.zone].name.clone(),
                system: member.system.map(|it| site.systems[it].name.clone()),
                needed_only: self.wanted.scope == Scope::Needed,
                no_path: self.wanted.no_path,
                gentle: self.wanted.gentle,
                token: token.map(str::to_string),
            });
            self.hub.send(&member.name, TRY, &task).await?;
        }
        drop(cutter);
        // Only now: for a large site each of the two takes much memory.
        self.planned = Shared::new(&self.loaded, self.wanted.scope);
        let begun = Instant::now();
        let mut open: BTreeMap<String, Member> = present
            .iter()
            .map(|it| (it.name.clone(), it.clone()))
            .collect();
        let mut done = Vec::new();
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut worked: HashMap<String, Instant> = HashMap::new();
        let mut ends: Option<Instant> = None;
        while !open.is_empty() {
            tokio::select! {
                came = self.hub.next() => {
                    let Some((agent, job, outcome)) = self.heard_of(came) else { continue };
                    if job != TRY { continue }
                    let Some(member) = open.remove(&agent) else { continue };
                    let tried = self.tried(&member, outcome);
                    done.push((member, tried));
                }
                () = sleep_until(ends.unwrap_or(begun)), if ends.is_some() => {
                    for (name, member) in std::mem::take(&mut open) {
                        let why = format!("it did not end within {} s of the stop", ENDS.as_secs());
                        self.tell(format!("agent {name}: {why}"));
                        done.push((member, Tried::Nothing(NotTried::AgentLost, why)));
                    }
                }
                _ = stop.wait_for(|stop| *stop), if ends.is_none() => {
                    ends = Some(Instant::now() + ENDS);
                    for name in open.keys() {
                        let task = Task::Stop { job: TRY.to_string() };
                        self.hub.send(name, "stop-try", &task).await?;
                    }
                    self.tell("interrupted: the agents end, and report what they saw".to_string());
                }
                _ = tick.tick() => {
                    let lost = self.lost(&open, &mut worked, begun).await?;
                    for (name, why) in lost {
                        let Some(member) = open.remove(&name) else { continue };
                        self.tell(format!("agent {name}: {why}"));
                        done.push((member, Tried::Nothing(NotTried::AgentLost, why)));
                    }
                    if begun.elapsed() > EVERY && !open.is_empty() {
                        let names: Vec<&str> = open.keys().map(String::as_str).collect();
                        self.tell(format!("{} s: still at work: {}", begun.elapsed().as_secs(), names.join(", ")));
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
        if (EVERY..CUT_OFF).contains(&self.hub.cut_off()) {
            for name in open.keys() {
                self.heard.insert(name.clone(), now);
                worked.insert(name.clone(), now);
            }
            return Ok(Vec::new());
        }
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
