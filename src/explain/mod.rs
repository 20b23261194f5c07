//! What a flow, a cause, a rule or a topic is about, in words: pure, from a word to a document, from it to text.
//!
//! A flow is explained by the plan and the catalogue (`flow`), with a report also by what was seen (`seen`). A cause is
//! explained by what is said of it in `verdict/causes.yaml`, from which `docs/verdicts.md` is written, too. A rule and
//! a topic are explained by the catalogue (`rule`, `topic`). A word that is none of these leads to the nearest that are
//! (`index`).

mod cause;
mod document;
mod flow;
mod index;
mod rule;
mod seen;
mod text;
mod topic;
mod tries;

pub use document::{
    About, CauseExplained, ClientLogs, ExplainDocument, FlowExplained, Index, Known, RuleExplained,
    SeenFlow, TopicExplained,
};
pub use flow::{flow, flow_of_report};
pub use index::{index, suggestions, word};
pub use seen::seen;
pub use text::text;

use crate::product::Confidence;

/// How sure something is, in words.
fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Documented => "documented for the product",
        Confidence::LaterVersion => {
            "documented for later versions, or seen in published code; expected to hold"
        }
        Confidence::Derived => "follows from what is documented",
        Confidence::Unconfirmed => {
            "expected, and confirmed by no document; never more than optional unless the site file \
             asks for it"
        }
    }
}

/// A source that may be cited: none where there is none.
fn cited(source: &str) -> Option<String> {
    (!source.is_empty()).then(|| source.to_string())
}
