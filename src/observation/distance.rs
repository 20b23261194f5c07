//! How far away an answer came from, and what other answers make likely.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ResetBy;
use crate::words::words;

/// How far away the sender of a reset is, beside the machine that speaks at an open port of the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Distance {
    /// That open port.
    pub port: u16,
    /// How far, beside it.
    pub sender: Farness,
}

/// How far away a sender is, beside the machine that speaks at an open port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Farness {
    /// As far: it is that machine, or something on its own segment.
    Same,
    /// Nearer, by so many routers at the least.
    Nearer(u8),
    /// Nothing follows.
    Untold(Untold),
}

words! {
    /// Why nothing follows from the TTL of answers.
    Untold {
        /// The open port's answers do not have the TTL that the number of hops to it would leave them. Packets come
        /// back another way, or a device sets the TTL.
        Uneven = "uneven",
        /// Answers of one port differ among themselves.
        Unsteady = "unsteady",
        /// Another port of the address is answered from farther away than the open one.
        Farther = "farther",
        /// The resets begin with another TTL than the open port's answers.
        OtherBeginning = "other-beginning",
        /// The open port's service has not shown that it is the host's own.
        Unspoken = "unspoken",
    }
}

/// Who likely sent a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Likely {
    /// Who.
    pub by: ResetBy,
    /// Other ports of the host that a device is known to refuse.
    pub refused: usize,
    /// Those of them that it refuses with a reset.
    pub by_reset: usize,
}
