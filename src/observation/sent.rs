//! What a run sent: the packets that begin something, beside what was said before the first one left.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// What packets are sent for: the parts of a run, one after another.
    SentFor {
        /// The first tries of needed flows.
        Needed = "needed",
        /// The first tries of forbidden flows.
        Forbidden = "forbidden",
        /// Further tries of silent ports, until their silence is proof, and what measures losses.
        Silence = "silence",
        /// What failed, a second time.
        SecondLooks = "second-looks",
        /// Who refused, where packets are dropped, and ports that nobody uses.
        CloserLooks = "closer-looks",
        /// Revocation lists.
        Lists = "lists",
        /// Ports beside the plan.
        Sweep = "sweep",
        /// Ports that answered, at the very end.
        Controls = "controls",
    }
}

/// What a run sent. Only what begins something is counted: SYNs (the first packets of TCP connections) and datagrams.
/// Questions to this host's name servers are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// SYNs, with those that the system repeats by itself.
    pub syns: u64,
    /// SYNs without repeats, by what they were sent for. What a part did not need is not there.
    pub syns_for: BTreeMap<SentFor, u64>,
    /// SYNs that the system repeated by itself, by the clock: one for each second that a try lasts.
    pub repeats: u64,
    /// UDP datagrams.
    pub datagrams: u64,
    /// The most SYNs and datagrams in one second.
    pub most_in_a_second: u64,
    /// The most places for sockets that were taken at one address at once. Each socket has one for as long as it lasts.
    pub most_sockets_at_an_address: u64,
    /// What was said beforehand.
    pub announced: Announced,
}

/// What was said before the first packet left, and what bounds the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Announced {
    /// Ports that are tried, a sweep aside.
    pub ports: u64,
    /// Their addresses, or names that a proxy is told.
    pub addresses: u64,
    /// The most SYNs and datagrams a second; `null`: no limit.
    pub rate: Option<u32>,
    /// The most sockets at one address at once.
    pub per_host: u64,
}
