//! Every zone at once: jobs for agents, and what they come back with.
//!
//! An *agent* is this program on a host of a zone, which waits for jobs. The *hub* is whoever asks: `check --agents`. In
//! between stands a NATS server, which both connect to outward. It carries and keeps messages, and nothing of it is
//! believed: jobs are signed by the site's key, results by that of their agent (`frame`).
//!
//! 1. The hub cuts out of the site file what one agent needs (`part`), and sends it as a job (`job`).
//! 2. The agent asks whether it may (`doorman`): signed by the site, meant for it, not expired, not done before, and
//!    within its own `policy`. What it may not do is answered with a reason, and no packet leaves.
//! 3. It works the job as any run, and sends what came of it in parts that fit a message (`result`). A server keeps each
//!    part once, by its subject (`subjects`).
//! 4. The hub puts the parts together (`gather`), and joins the reports as those of files.
//!
//! `config` has the files of both sides, `servers` writes what the NATS servers and the agents need. All of this is
//! pure. `link` has the sockets.

mod config;
mod doorman;
mod frame;
mod gather;
mod job;
mod part;
mod policy;
mod result;
pub mod servers;
mod subjects;

/// The sockets.
#[cfg(feature = "nats")]
pub mod link;

pub use config::{
    Agent, AgentFile, HubFile, agent_file, agent_schema, hub_file, hub_schema, is_agent_name,
    tables,
};
pub use doorman::{Done, Doorman, Judged, Refusal};
pub use frame::{LARGEST, Unopened};
pub use job::{Job, JobMessage, Listening, Part, Task, Try};
pub use part::{Whole, same_flows};
pub use policy::{Hours, Policy};
pub use result::{Document, Head, Here, Outcome, ResultMessage};
pub use subjects::Subjects;

#[cfg(test)]
mod tests {
    use crate::report::{SigningKey, VerifyingKey};

    /// A private and a public key.
    pub(super) fn pair() -> (SigningKey, VerifyingKey) {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        (
            SigningKey::read(pair.serialize_pem().as_bytes()).expect("a private key"),
            VerifyingKey::read(pair.public_key_pem().as_bytes()).expect("a public key"),
        )
    }

    /// The public key of nobody else.
    pub(super) fn key() -> VerifyingKey {
        pair().1
    }
}
