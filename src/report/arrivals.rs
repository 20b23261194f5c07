//! What reached a listener, as JSON, schema `portproof.arrivals/1`: the other end's word on whether a packet arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::product::Transport;

use super::document::ToolName;
use crate::plan::SiteName;
use crate::words::words;

/// The schema of the arrivals that this program reads and writes.
pub const SCHEMA: &str = "portproof.arrivals/1";

/// What one listener saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArrivalsDocument {
    /// `portproof.arrivals/1`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// Which site it is of.
    pub site: SiteName,
    /// SHA-256 of the site file.
    pub config_sha256: String,
    /// The system it stood in for.
    pub system: String,
    /// Host name.
    pub host: String,
    /// Start, RFC 3339.
    pub started: String,
    /// End, RFC 3339.
    pub finished: String,
    /// Whether the system shows connections that stay half open; where it does not, one may arrive unseen.
    #[serde(default)]
    pub sees_half_open: bool,
    /// The ports it was to listen on.
    pub ports: Vec<ListenedPort>,
    /// What arrived, in the order of time.
    pub arrivals: Vec<Arrival>,
    /// How many more arrivals there were than are kept.
    pub more: u64,
}

/// A port that a listener was to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListenedPort {
    /// TCP or UDP.
    pub transport: Transport,
    /// This end.
    pub local: String,
    /// Whether it listened there.
    pub state: Listening,
    /// In words, why it was not listened on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

words! {
    /// Whether a listener listened on a port.
    Listening {
        /// It did.
        Yes = "listening",
        /// Its owner keeps it.
        InUse = "in-use",
        /// This host did not allow it.
        Refused = "refused",
    }
}

/// A connection or a datagram that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Arrival {
    /// When, RFC 3339 with milliseconds.
    pub at: String,
    /// TCP or UDP.
    pub transport: Transport,
    /// This end.
    pub local: String,
    /// Where it came from, as this host saw it.
    pub remote: String,
    /// What it was.
    pub what: ArrivalKind,
    /// The run of `check` that it belongs to, in hexadecimal, where it was proved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<String>,
    /// Address and port that the challenge was aimed at, where it was proved; `::` is an address that a proxy resolved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub aimed: Option<String>,
}

words! {
    /// What arrived.
    ArrivalKind {
        /// A connection was asked for, and its answer never acknowledged.
        HalfOpen = "half-open",
        /// Nothing that proved the token.
        Stranger = "stranger",
        /// Nothing that proved the token, from an address that had proved it.
        Known = "known",
        /// A challenge of a run with the token, answered.
        Proved = "proved",
    }
}
