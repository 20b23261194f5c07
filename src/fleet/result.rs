//! What came of a job, in parts that fit a message; and the answer of an agent that is asked whether it is there.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::{RawValue, to_raw_value};

use super::frame::{self, LARGEST_BODY, Unopened};
use super::job::Job;
use crate::report::{SigningKey, VerifyingKey};

/// The kind of these messages.
pub(super) const SCHEMA: &str = "portproof.result/1";
/// The kind of the answer to a roll call.
pub(super) const HERE: &str = "portproof.here/1";

/// The head of a part of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The agent that sends it.
    pub agent: String,
    /// The run that the job belongs to.
    pub run: String,
    /// The name of the job; `began` behind it where a listener begins.
    pub job: String,
    /// The number of the job, which shows that this is no answer to an earlier one.
    pub nonce: String,
    /// The version of portproof that worked it.
    pub version: String,
    /// Which part this is, from 0.
    pub part: usize,
    /// How many there are.
    pub parts: usize,
}

/// A document of JSON that is carried as it is. Whoever needs it reads it, once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Document(#[schemars(with = "Json")] Box<RawValue>);

impl Document {
    /// Writes it.
    ///
    /// # Errors
    /// When what it holds cannot be written.
    pub fn of(content: &impl Serialize) -> serde_json::Result<Self> {
        to_raw_value(content).map(Self)
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The flows were tried: a report, as `check --format json` writes it.
    Report(Document),
    /// A listener stands.
    Listens {
        /// On so many ports.
        ports: usize,
        /// So many were refused by the host.
        refused: usize,
    },
    /// A listener has ended: what arrived, as `listen --log` writes it.
    Arrivals(Document),
    /// The agent may not do this.
    Refused {
        /// Why, in words.
        reason: String,
    },
    /// It was begun and did not work.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

/// What came of a job, as its schema shows it.
#[derive(JsonSchema)]
pub struct ResultMessage {
    /// The head of each part, one line of JSON.
    pub head: Head,
    /// What the bodies of all parts are together, before gzip.
    pub body: Outcome,
}

/// The answer to a roll call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Here {
    /// The agent.
    pub agent: String,
    /// What it was asked with.
    pub nonce: String,
    /// A number of this process: two hosts with one key have two.
    pub instance: String,
    /// The version of portproof.
    pub version: String,
    /// The name of its host.
    pub host: String,
    /// The addresses of its host.
    pub addresses: Vec<String>,
    /// The time by its clock.
    #[schemars(with = "String")]
    pub now: Timestamp,
    /// The jobs that it works, as `RUN.JOB`.
    pub works: Vec<String>,
}

/// Signs what came of a job, in parts.
pub(super) fn seal(job: &Job, name: &str, outcome: &Outcome, key: &SigningKey) -> Vec<Vec<u8>> {
    let packed = frame::pack(outcome);
    let parts: Vec<&[u8]> = packed.chunks(LARGEST_BODY).collect();
    let head = |part| Head {
        agent: job.agent.clone(),
        run: job.run.clone(),
        job: name.to_string(),
        nonce: job.nonce.clone(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        part,
        parts: parts.len(),
    };
    let bodies = parts.iter().enumerate();
    bodies
        .map(|(part, body)| frame::seal(SCHEMA, &head(part), body, key))
        .collect()
}

/// Reads a part that an agent has signed.
pub(super) fn open(message: &[u8], key: &VerifyingKey) -> Result<(Head, Vec<u8>), Unopened> {
    frame::open(SCHEMA, message, key)
}

impl Here {
    /// Signs it.
    pub(super) fn seal(&self, key: &SigningKey) -> Vec<u8> {
        frame::seal(HERE, self, b"", key)
    }

    /// Reads it.
    ///
    /// # Errors
    /// Why it is not read.
    pub(super) fn open(message: &[u8], key: &VerifyingKey) -> Result<Self, Unopened> {
        frame::open(HERE, message, key).map(|(here, _)| here)
    }
}
