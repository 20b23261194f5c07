//! Where messages stand at the NATS server. What an agent may read and write is told by these names alone.

use serde::{Deserialize, Serialize};

/// The stream that keeps jobs until they are done.
pub(super) const JOBS: &str = "PORTPROOF_JOBS";
/// The stream that keeps results: each subject has one message, the first.
pub(super) const RESULTS: &str = "PORTPROOF_RESULTS";

/// The names for one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subjects<'a> {
    /// The name of the agent.
    pub agent: &'a str,
}

impl Subjects<'_> {
    /// All jobs for it.
    pub fn jobs(&self) -> String {
        format!("portproof.jobs.{}.>", self.agent)
    }

    /// One job.
    pub fn job(&self, run: &str, job: &str) -> String {
        format!("portproof.jobs.{}.{run}.{job}", self.agent)
    }

    /// All that it says of jobs.
    pub fn results(&self) -> String {
        format!("portproof.results.{}.>", self.agent)
    }

    /// One part of what came of a job.
    pub fn result(&self, run: &str, job: &str, part: usize) -> String {
        format!("portproof.results.{}.{run}.{job}.{part}", self.agent)
    }

    /// A job that it did not believe. The names in such a job are a stranger's, so none of them stands here.
    pub fn refusal(&self, id: &str) -> String {
        format!("portproof.results.{}.refused.{id}", self.agent)
    }

    /// Where the hub asks whether it is there.
    pub fn ask(&self) -> String {
        format!("portproof.ask.{}", self.agent)
    }

    /// The beginning of the subjects on which it gets answers.
    pub fn inbox(&self) -> String {
        format!("_INBOX.{}", self.agent)
    }

    /// What it may publish to, but for answers to who asked.
    pub fn may_publish(&self) -> [String; 4] {
        let agent = self.agent;
        [
            self.results(),
            format!("$JS.API.CONSUMER.INFO.{JOBS}.{agent}"),
            format!("$JS.API.CONSUMER.MSG.NEXT.{JOBS}.{agent}"),
            format!("$JS.ACK.{JOBS}.{agent}.>"),
        ]
    }

    /// What it may subscribe to.
    pub fn may_subscribe(&self) -> [String; 2] {
        [self.ask(), format!("{}.>", self.inbox())]
    }
}

/// All results of a run.
pub(super) fn of_run(run: &str) -> String {
    format!("portproof.results.*.{run}.>")
}

/// All jobs that agents did not believe.
pub(super) const REFUSALS: &str = "portproof.results.*.refused.>";
