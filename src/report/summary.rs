//! How many flows have which verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
