//! Whether an agent works a job: it is the site's own, for this agent, in time, within its hours, and not done before.
//!
//! Where a job leads is looked at next, when its plan is there (`Policy::refuses`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::job::{self, Job, Task};
use super::policy::Policy;
use crate::report::VerifyingKey;

/// How far the clocks of the hub and of an agent may lie apart.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// Judges jobs.
#[derive(Debug)]
pub struct Doorman {
    agent: String,
    key: VerifyingKey,
    policy: Policy,
    done: Done,
    /// The jobs that are worked now.
    works: BTreeSet<String>,
}

/// The numbers of jobs that were done, with the times when they cannot be begun any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done(BTreeMap<String, Timestamp>);

/// What is to be done with a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Judged {
    /// It is to be worked.
    New(Box<(Job, Task)>),
    /// It is worked already.
    Worked,
    /// It was done, and the server has not heard of that.
    Done,
}

/// Why a job is not worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The job, where the site has signed it and it is for this agent.
    pub job: Option<Box<Job>>,
    /// In words.
    pub reason: String,
}

impl Doorman {
    /// A doorman of an agent, who knows what was done before.
    pub fn new(agent: &str, key: VerifyingKey, policy: Policy, done: Done) -> Self {
        Self {
            agent: agent.to_string(),
            key,
            policy,
            done,
            works: BTreeSet::new(),
        }
    }

    /// Looks at a message; a job that may be worked counts as worked from then on. `is_again`: the server gives it out
    /// again, because nobody has told it yet that the job was done.
    ///
    /// # Errors
    /// Why it is not worked.
    pub fn judge(
        &mut self,
        message: &[u8],
        now: Timestamp,
        is_again: bool,
    ) -> Result<Judged, Refusal> {
        let (job, task) = job::open(message, &self.key).map_err(|why| Refusal {
            job: None,
            reason: format!("this job is not believed: {why}"),
        })?;
        let refuse = |reason: String| Refusal {
            job: Some(Box::new(job.clone())),
            reason,
        };
        if job.agent != self.agent {
            let reason = format!(
                "this job is for agent `{}`",
                crate::diagnostic::visible(&job.agent)
            );
            return Err(Refusal { job: None, reason });
        }
        if ![&job.run, &job.job, &job.nonce]
            .iter()
            .all(|it| is_word(it))
        {
            return Err(Refusal {
                job: None,
                reason: "the names of this job are no words".to_string(),
            });
        }
        self.done.forget(now);
        if self.done.0.contains_key(&job.nonce) && is_again {
            return Ok(Judged::Done);
        }
        if self.done.0.contains_key(&job.nonce) {
            return Err(Refusal {
                job: None,
                reason: "this job was done before: somebody has sent it again".to_string(),
            });
        }
        if self.works.contains(&job.nonce) {
            return Ok(Judged::Worked);
        }
        self.in_time(&job, now).map_err(refuse)?;
        let task = job::task(task).map_err(refuse)?;
        self.works.insert(job.nonce.clone());
        Ok(Judged::New(Box::new((job, task))))
    }

    fn in_time(&self, job: &Job, now: Timestamp) -> Result<(), String> {
        let early = job.issued.duration_since(now);
        if early > CLOCKS {
            return Err(format!(
                "this job is from the future: it was signed at {:.0}, and the clock of this host says {now:.0}; set \
                 the clocks right",
                job.issued
            ));
        }
        if now > job.expires || job.expires.duration_since(job.issued) > job::VALID {
            return Err(format!(
                "this job is too old: it was signed at {:.0}, and the clock of this host says {now:.0}; either it has \
                 waited too long for this agent, or the clocks do not agree",
                job.issued
            ));
        }
        match self.policy.hours {
            Some(hours) if !hours.holds(Offset::UTC.to_datetime(now).time()) => Err(format!(
                "the file of this agent allows jobs at {hours}, and it is {now:.0}"
            )),
            _ => Ok(()),
        }
    }

    /// A job was worked, and what came of it is kept.
    pub fn ended(&mut self, job: &Job) -> &Done {
        self.works.remove(&job.nonce);
        self.done.0.insert(job.nonce.clone(), job.expires + CLOCKS);
        &self.done
    }

    /// What packets may do.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl Done {
    /// Leaves out what the times of the jobs refuse by now.
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, until| now <= *until);
    }
}

/// Whether it may stand in a subject.
pub(super) fn is_word(text: &str) -> bool {
    let is_of_a_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=64).contains(&text.len()) && text.chars().all(is_of_a_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::policy::Hours;
    use crate::fleet::tests::pair;
    use crate::report::SigningKey;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn job() -> Job {
        Job::new("r1", "try", "dmz", at(60), "n1".to_string())
    }

    fn stop() -> Task {
        Task::Stop {
            job: "listen".to_string(),
        }
    }

    fn sealed(job: &Job, key: &SigningKey) -> Vec<u8> {
        job::seal(job, &stop(), key).expect("a small job")
    }

    fn doorman(policy: Policy) -> (SigningKey, Doorman) {
        let (secret, public) = pair();
        (secret, Doorman::new("dmz", public, policy, Done::default()))
    }

    fn refused(doorman: &mut Doorman, message: &[u8], minutes: i64) -> String {
        doorman
            .judge(message, at(minutes), false)
            .expect_err("refused")
            .reason
    }

    #[test]
    fn a_job_of_the_site_is_worked_once_and_done_once() {
        let (secret, mut doorman) = doorman(Policy::default());
        let message = sealed(&job(), &secret);
        let new = Judged::New(Box::new((job(), stop())));
        assert_eq!(doorman.judge(&message, at(61), false), Ok(new));
        // A server gives it out again while nobody has said that it is done.
        assert_eq!(doorman.judge(&message, at(62), true), Ok(Judged::Worked));
        let done = doorman.ended(&job()).clone();
        assert_eq!(doorman.judge(&message, at(63), true), Ok(Judged::Done));
        assert!(refused(&mut doorman, &message, 63).contains("was done before"));
        // Neither a new start of the agent nor a clock that stands a little wrong makes it new.
        let mut later = Doorman::new("dmz", doorman.key.clone(), Policy::default(), done);
        assert!(refused(&mut later, &message, 94).contains("was done before"));
        assert!(refused(&mut later, &message, 96).contains("is too old"));
    }

    #[test]
    fn what_is_forged_is_not_believed() {
        let (secret, mut doorman) = doorman(Policy::default());
        let stranger = sealed(&job(), &pair().0);
        assert!(refused(&mut doorman, &stranger, 61).contains("not signed by the key"));
        let mut changed = sealed(&job(), &secret);
        *changed.last_mut().expect("a byte") ^= 1;
        assert!(refused(&mut doorman, &changed, 61).contains("not signed by the key"));
        assert!(refused(&mut doorman, b"{}", 61).contains("does not know"));
        assert!(
            refused(&mut doorman, &vec![b' '; 1_000_001], 61).contains("1000000 are the limit")
        );
        let other = Job {
            agent: "lan".to_string(),
            ..job()
        };
        assert!(refused(&mut doorman, &sealed(&other, &secret), 61).contains("for agent `lan`"));
        let odd = Job {
            run: "a.>".to_string(),
            ..job()
        };
        assert!(refused(&mut doorman, &sealed(&odd, &secret), 61).contains("no words"));
    }

    #[test]
    fn clocks_that_do_not_agree_are_told_with_both_times() {
        let (secret, mut doorman) = doorman(Policy::default());
        let said = refused(&mut doorman, &sealed(&job(), &secret), 54);
        assert!(
            said.contains("signed at 1970-01-01T01:00:00Z")
                && said.contains("says 1970-01-01T00:54:00Z"),
            "{said}"
        );
        assert!(refused(&mut doorman, &sealed(&job(), &secret), 91).contains("too old"));
        // Whoever has the site's key for a moment makes no job for ever.
        let long = Job {
            expires: at(10_000),
            ..job()
        };
        assert!(refused(&mut doorman, &sealed(&long, &secret), 61).contains("too old"));
    }

    #[test]
    fn the_hours_of_the_agent_hold() {
        let hours = Hours::parse("02:00-03:00");
        let (secret, mut doorman) = doorman(Policy {
            hours,
            ..Policy::default()
        });
        let said = refused(&mut doorman, &sealed(&job(), &secret), 61);
        assert!(said.contains("allows jobs at 02:00-03:00 UTC"), "{said}");
    }

    #[test]
    fn what_a_newer_hub_asks_for_is_named() {
        let (secret, public) = pair();
        let mut doorman = Doorman::new("dmz", public, Policy::default(), Done::default());
        let body = crate::fleet::frame::pack(&serde_json::json!({ "do": "fly" }));
        let message = crate::fleet::frame::seal(job::SCHEMA, &job(), &body, &secret);
        assert!(refused(&mut doorman, &message, 61).contains("asks for `fly`"));
    }
}
