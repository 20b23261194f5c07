//! What an agent is asked to do.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::frame::{self, LARGEST_BODY, Unopened};
use crate::report::{SigningKey, VerifyingKey};

/// The kind of these messages.
pub(super) const SCHEMA: &str = "portproof.job/1";
/// How long a job may wait for its agent.
pub(super) const VALID: SignedDuration = SignedDuration::from_mins(30);

/// The head of a job: for whom it is, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The run of the hub that it belongs to: letters and digits.
    pub run: String,
    /// Its name in the run: letters, digits and `-`.
    pub job: String,
    /// The agent that it is for.
    pub agent: String,
    /// A number that no other job has.
    pub nonce: String,
    /// When it was signed, by the clock of the hub.
    #[schemars(with = "String")]
    pub issued: Timestamp,
    /// When it is too late to begin.
    #[schemars(with = "String")]
    pub expires: Timestamp,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Task {
    /// Try the flows that start at a place of the site.
    Try(Try),
    /// Stand in for a system until a stop, or for a time.
    Listen(Listening),
    /// End another job of the same run.
    Stop {
        /// Its name.
        job: String,
    },
}

/// A job, as its schema shows it.
#[derive(JsonSchema)]
pub struct JobMessage {
    /// The head, one line of JSON.
    pub head: Job,
    /// The body, before gzip.
    pub body: Task,
}

/// What a part of a site file is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What the file is called at the hub.
    pub file: String,
    /// SHA-256 of the whole file.
    pub sha256: String,
    /// What this agent needs of it, as a site file with the same lines.
    pub text: String,
}

/// What is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// The part of the site file.
    pub site: Part,
    /// The zone that the agent is in.
    pub zone: String,
    /// The system that it is.
    pub system: Option<String>,
    /// Whether only what must and may pass is tried.
    pub needed_only: bool,
    /// Whether no paths may be walked.
    pub no_path: bool,
    /// Whether the run must not set off devices that watch for scans.
    pub gentle: Option<bool>,
    /// What this run and the listeners of it share.
    pub token: Option<String>,
}

/// What is stood in for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listening {
    /// The part of the site file.
    pub site: Part,
    /// The system that the agent is.
    pub system: String,
    /// What is shared with those who try.
    pub token: String,
    /// For how many seconds, if nothing stops it before.
    pub seconds: u64,
}

impl Job {
    /// A job of now.
    pub fn new(run: &str, job: &str, agent: &str, now: Timestamp, nonce: String) -> Self {
        Self {
            run: run.to_string(),
            job: job.to_string(),
            agent: agent.to_string(),
            nonce,
            issued: now,
            expires: now + VALID,
        }
    }

    /// How long its listener may stand at the most.
    pub const LONGEST_LISTENER: Duration = Duration::from_secs(4 * 3_600);
}

/// Signs a job.
///
/// # Errors
/// In words, when it does not fit a message.
pub(super) fn seal(job: &Job, task: &Task, key: &SigningKey) -> Result<Vec<u8>, String> {
    let body = frame::pack(task);
    if body.len() > LARGEST_BODY {
        return Err(format!(
            "the job for agent `{}` has {} bytes when it is packed, and {LARGEST_BODY} are the limit: part the \
             site file, one file for each perimeter network",
            job.agent,
            body.len()
        ));
    }
    Ok(frame::seal(SCHEMA, job, &body, key))
}

/// Reads a job that the site's key has signed; what it asks for is not looked at yet.
///
/// # Errors
/// Why it is not read.
pub(super) fn open(message: &[u8], key: &VerifyingKey) -> Result<(Job, Json), Unopened> {
    let (job, body) = frame::open::<Job>(SCHEMA, message, key)?;
    let task = frame::unpack(&body).map_err(Unopened::Malformed)?;
    Ok((job, task))
}

/// What a job asks for.
///
/// # Errors
/// In words: what this version cannot do.
pub(super) fn task(json: Json) -> Result<Task, String> {
    let asks = json["do"].as_str().unwrap_or("nothing").to_string();
    serde_json::from_value(json).map_err(|error| {
        let asks: String = asks.chars().take(40).collect();
        format!(
            "it asks for `{}`, which portproof {} does not know in that form ({error}): the hub and the agent \
             should be of one version",
            crate::diagnostic::visible(&asks),
            env!("CARGO_PKG_VERSION")
        )
    })
}

/// What stands behind the name of a job where it says that its listener stands.
pub(super) const BEGAN: &str = "-began";
