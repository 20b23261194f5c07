//! How many flows have which verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::tallied;

/// Flows by verdict; those that are accepted are counted apart, and in no verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// As they must be.
    pub ok: usize,
    /// Stopped by a firewall.
    pub blocked: usize,
    /// Nobody serves.
    pub down: usize,
    /// Something else answers.
    pub wrong: usize,
    /// Open, though they must be closed.
    pub exposed: usize,
    /// Without proof either way.
    pub unknown: usize,
    /// Not as they must be, and accepted by an exception that holds.
    #[serde(default)]
    pub accepted: usize,
}

impl Summary {
    /// The counts that are not nought, those of the worst first, and of so many flows that nobody tried.
    pub fn counted(&self, untried: usize) -> Vec<String> {
        tallied([
            (self.blocked, "blocked"),
            (self.down, "down"),
            (self.wrong, "wrong"),
            (self.exposed, "exposed"),
            (self.ok, "ok"),
            (self.unknown, "unknown"),
            (self.accepted, "accepted"),
            (untried, "untried"),
        ])
    }
}
