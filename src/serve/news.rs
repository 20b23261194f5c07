//! What happens to a check, in one word: for whoever follows the page.

use schemars::JsonSchema;
use serde::Serialize;

/// Something happened to a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct News {
    /// The check's name.
    pub(super) check: String,
    /// What happened.
    pub(super) what: What,
}

/// What happened to a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    /// A run has begun.
    RunBegan,
    /// A run has ended.
    RunEnded,
    /// What came of a run is in the history.
    RunKept,
    /// What came of a run could not be kept.
    RunNotKept,
    /// The site file is refused as it stands now.
    SiteFileRefused,
    /// The site file is used again as it stands now.
    SiteFileUsed,
    /// The next run has a time.
    Scheduled,
}

impl News {
    pub(super) fn of(check: &str, what: What) -> Self {
        let check = check.to_string();
        Self { check, what }
    }
}
