//! What a product does beside the plan: connections with an end that no site file names.

use serde::Deserialize;

use super::{Confidence, End};

/// Connections that the plan knows of and has no flow for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unplanned {
    /// Kebab-case, unique.
    pub id: String,
    /// Who starts them.
    pub from: Vec<End>,
    /// In one sentence: who, where to, on which ports, what for.
    pub says: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    #[serde(default)]
    pub source: String,
}
