//! The parts of results, put together as they come: in any order, and perhaps more than once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::frame::{self, Unopened};
use super::result::{self, Head, Outcome};
use crate::report::VerifyingKey;

/// The most parts of one result: what they hold is no larger than any report that is read.
const MOST_PARTS: usize = 150;

/// What has come of the jobs of one run.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The number of each job that was sent, by its agent and its name.
    sent: HashMap<(String, String), String>,
    open: HashMap<(String, String), BTreeMap<usize, Vec<u8>>>,
    /// Of which all has come. What it was is not kept: the reports of many agents are large.
    ended: HashSet<(String, String)>,
}

/// What a message brought.
#[derive(Debug, PartialEq)]
pub(super) enum Brought {
    /// The last part of a result.
    Whole {
        /// The job.
        job: String,
        /// What came of it.
        outcome: Box<Outcome>,
    },
    /// A part of one that has more.
    Part,
    /// What is known already.
    Again,
    /// It is no answer to what was asked.
    Nothing(String),
}

impl Gathered {
    /// Waits for what comes of a job.
    pub(super) fn expect(&mut self, agent: &str, job: &str, nonce: &str) {
        let key = (agent.to_string(), job.to_string());
        self.sent.insert(key, nonce.to_string());
    }

    /// Takes a message that stands under the name of an agent.
    ///
    /// # Errors
    /// Why it is not read. An agent's first message of a subject is kept and no later one, so this says that somebody
    /// else uses its name.
    pub(super) fn take(
        &mut self,
        agent: &str,
        key: &VerifyingKey,
        message: &[u8],
    ) -> Result<Brought, Unopened> {
        let (head, body) = result::open(message, key)?;
        if let Err(why) = self.is_asked_for(agent, &head) {
            return Ok(Brought::Nothing(why));
        }
        let name = (head.agent.clone(), head.job.clone());
        if self.ended.contains(&name) {
            return Ok(Brought::Again);
        }
        let parts = self.open.entry(name.clone()).or_default();
        parts.insert(head.part, body);
        if parts.len() < head.parts {
            return Ok(Brought::Part);
        }
        let packed = self.open.remove(&name).unwrap_or_default();
        let packed: Vec<u8> = packed.into_values().flatten().collect();
        let outcome = frame::unpack(&packed).map_err(Unopened::Malformed)?;
        self.ended.insert(name);
        Ok(Brought::Whole {
            job: head.job,
            outcome: Box::new(outcome),
        })
    }

    fn is_asked_for(&self, agent: &str, head: &Head) -> Result<(), String> {
        let job = head
            .job
            .strip_suffix(super::job::BEGAN)
            .unwrap_or(&head.job);
        let sent = self.sent.get(&(head.agent.clone(), job.to_string()));
        if head.agent != agent {
            return Err(format!(
                "it is signed by agent `{agent}` as one of another agent"
            ));
        }
        if sent != Some(&head.nonce) {
            return Err("it answers no job of this run".to_string());
        }
        if head.parts > MOST_PARTS || head.part >= head.parts {
            return Err(format!(
                "it has {} parts, and {MOST_PARTS} are the limit",
                head.parts
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::job::Job;
    use crate::fleet::result::Document;
    use crate::fleet::tests::{key, pair};
    use jiff::Timestamp;

    fn job() -> Job {
        Job::new("r1", "try", "dmz", Timestamp::UNIX_EPOCH, "n1".to_string())
    }

    /// An outcome that takes several messages, because nothing in it repeats.
    fn large() -> Outcome {
        let numbers = (0_u64..400_000).map(|it| it.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let numbers: Vec<String> = numbers.map(|it| format!("{it:x}")).collect();
        Outcome::Report(Document::of(&numbers).expect("JSON"))
    }

    #[test]
    fn parts_come_in_any_order_and_more_than_once() {
        let (secret, public) = pair();
        let mut gathered = Gathered::default();
        gathered.expect("dmz", "try", "n1");
        let mut parts = result::seal(&job(), "try", &large(), &secret);
        assert!(parts.len() > 2 && parts.iter().all(|it| it.len() <= frame::LARGEST));
        let first = parts.remove(0);
        for part in parts.iter().rev().chain(&parts) {
            assert_eq!(gathered.take("dmz", &public, part), Ok(Brought::Part));
        }
        let whole = Brought::Whole {
            job: "try".to_string(),
            outcome: Box::new(large()),
        };
        assert_eq!(gathered.take("dmz", &public, &first), Ok(whole));
        assert_eq!(gathered.take("dmz", &public, &first), Ok(Brought::Again));
    }

    #[test]
    fn what_was_not_asked_for_or_is_another_agents_is_left_out() {
        let (secret, public) = pair();
        let outcome = Outcome::Failed {
            reason: "x".to_string(),
        };
        let part = result::seal(&job(), "try", &outcome, &secret).remove(0);
        let mut gathered = Gathered::default();
        for (agent, nonce) in [("dmz", "n2"), ("lan", "n1")] {
            gathered.expect(agent, "try", nonce);
            let taken = gathered.take(agent, &public, &part);
            assert!(matches!(taken, Ok(Brought::Nothing(_))), "{taken:?}");
        }
        assert_eq!(
            gathered.take("dmz", &key(), &part),
            Err(Unopened::NotSigned)
        );
    }
}
