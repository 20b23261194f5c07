//! What keeps a text from being one bounded YAML document.

use serde_yaml::budget::BudgetBreach;
use serde_yaml::{DefaultMessageFormatter, Error};

use crate::node::{Place, place};
use crate::{longest_text, most_repeated};

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as far as that is known.
    pub at: Option<Place>,
    /// Why.
    pub what: What,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// There is more than one document.
    Documents,
    /// Keys and lists stand in each other deeper than [`crate::DEEPEST`].
    Depth,
    /// Aliases repeat more than so many bytes of text, the limit for this file.
    RepeatedText(usize),
    /// Aliases repeat more than so many values, the limit for this file.
    RepeatedValues(usize),
    /// It is no YAML, in the words of the reader.
    Syntax(String),
}

impl Fault {
    pub(crate) fn of(error: &Error, bytes: usize) -> Self {
        Self {
            at: error.location().map(place),
            what: what(innermost(error), bytes),
        }
    }
}

fn what(error: &Error, bytes: usize) -> What {
    match error {
        Error::MultipleDocuments { .. } => What::Documents,
        Error::Budget {
            breach: BudgetBreach::Depth { .. },
            ..
        } => What::Depth,
        Error::Budget {
            breach: BudgetBreach::ScalarBytes { .. } | BudgetBreach::RecordedAnchorBytes { .. },
            ..
        } => What::RepeatedText(longest_text(bytes)),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => What::RepeatedValues(most_repeated(bytes)),
        _ => {
            let text = error.render_with_formatter(&DefaultMessageFormatter);
            let first = text.lines().next().unwrap_or_default();
            let cut = first.split(" at line ").next().unwrap_or(first);
            match ["recursion", "depth", "nest"]
                .iter()
                .any(|word| cut.contains(word))
            {
                true => What::Depth,
                false => What::Syntax(cut.trim_start_matches("error: ").to_string()),
            }
        }
    }
}

/// The error itself, without the wrappings that say where an alias led.
fn innermost(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => innermost(error),
        error => error,
    }
}
