//! What became of the data on a connection that opened: what this host's TCP counted, and what repeats met.

use crate::words::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What this host's TCP counted on one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// Segments that were sent and not acknowledged.
    pub unacknowledged: u32,
    /// Bytes that the other end acknowledged.
    pub acknowledged: u64,
    /// Bytes that came in order.
    pub received: u64,
    /// How often a segment was sent again.
    pub sent_again: u32,
    /// Segments that came while one before them was missing; `None`: this system does not count them.
    pub behind_a_gap: Option<u32>,
}

/// What is known of the data of a conversation in which the service said nothing, or not enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// What was counted on the connection that showed it.
    pub counted: Counted,
    /// The same conversation, had again.
    pub repeats: Vec<Repeat>,
    /// What the two prove; `None`: nothing, so that it is the service which is mute.
    pub lost: Option<Lost>,
}

/// A conversation that was had again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repeat {
    /// The most bytes of data in one segment, either way; `None`: as many as the two ends agree on.
    pub segment: Option<u16>,
    /// How it ended.
    pub met: Met,
}

/// How a repeated conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// The service answered.
    Answer,
    /// It said nothing, or not enough; beside it what was counted.
    NoAnswer(Counted),
    /// The port did not open, or the run ended: nothing follows.
    Nothing,
}

/// What is lost once a connection is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lost {
    /// What.
    pub what: Missing,
    /// On which way.
    pub way: Way,
}

/// Which packets are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Those that carry data, however small.
    Data,
    /// Those of full size: with segments of at most so many bytes the service answers.
    Large(u16),
}

words! {
    /// The way of a packet.
    Way {
        /// From this host to the service.
        There = "there",
        /// From the service to this host.
        Back = "back",
    }
}
