//! What is explained, as JSON, schema `portproof.explain/1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::FlowState;
use crate::plan::{ExceptionEntry, FlowEntry, ToolName};
use crate::product::Confidence;
use crate::report::{Accepted, Lapsed};
use crate::verdict::{Cause, Level, Owner, Verdict};

/// The schema of what is explained.
pub(super) const SCHEMA: &str = "portproof.explain/1";

/// What is explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainDocument {
    /// `portproof.explain/1`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// What it is about, named by `kind`.
    #[serde(flatten)]
    pub about: About,
}

impl ExplainDocument {
    /// A document about something.
    pub fn new(about: About) -> Self {
        Self {
            schema: SCHEMA.to_string(),
            tool: ToolName::this(),
            about,
        }
    }
}

/// What an explanation is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum About {
    /// A flow.
    Flow(Box<FlowExplained>),
    /// A cause.
    Cause(CauseExplained),
    /// A rule of the catalogue.
    Rule(RuleExplained),
    /// Where the console shows something.
    Topic(TopicExplained),
    /// What can be explained.
    Index(Index),
}

/// How sure something is, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Known {
    /// The word.
    pub confidence: Confidence,
    /// The same, in words.
    pub sure: String,
    /// Where it is documented; `null` where nothing can be cited.
    pub source: Option<String>,
}

/// A flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowExplained {
    /// What was planned.
    #[serde(flatten)]
    pub flow: FlowEntry,
    /// How sure its need is, in words.
    pub sure: String,
    /// Each of its rules.
    pub reasons: Vec<RuleExplained>,
    /// What is sent to try it, in words.
    pub tried: String,
    /// What would show that it is as it must be, in words.
    pub proof: String,
    /// What clients write into their logs, by what goes wrong.
    pub client_logs: Vec<ClientLogs>,
    /// The exception of the site file.
    pub exception: Option<ExceptionEntry>,
    /// Topics that say where the console shows its port.
    pub topics: Vec<String>,
    /// What the report saw of it.
    pub seen: Vec<SeenFlow>,
}

/// What clients write into their logs when something goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientLogs {
    /// What goes wrong, in words.
    pub when: String,
    /// Sentences, no surer than is known.
    pub words: Vec<String>,
}

/// What a report saw of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenFlow {
    /// When the first run of the report ended, RFC 3339.
    pub finished: Option<String>,
    /// As in the report.
    pub state: FlowState,
    /// As in the report.
    pub verdict: Verdict,
    /// As in the report.
    pub cause: Cause,
    /// As in the report.
    pub level: Level,
    /// Who has to act.
    pub owner: Option<Owner>,
    /// The evidence, in one sentence.
    pub evidence: String,
    /// What the cause means; `null` where this version does not know it.
    pub meaning: Option<String>,
    /// What to do; empty when nothing is to be done.
    pub advice: String,
    /// What clients write into their logs about it.
    pub client_logs: Vec<String>,
    /// The exception that held.
    pub accepted: Option<Accepted>,
    /// The exception that had lapsed.
    pub lapsed: Option<Lapsed>,
}

/// A cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CauseExplained {
    /// The word.
    pub cause: Cause,
    /// What it means.
    pub meaning: String,
    /// How it was known.
    pub known_by: String,
    /// Who has to act: `firewall`, `server`, `certificate`, `dns`, `proxy`, `prober`, or in words; none: nobody.
    pub owners: Vec<String>,
    /// What to do.
    pub to_do: String,
    /// The flows of the report with this cause.
    pub seen_at: Vec<String>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleExplained {
    /// Its id.
    pub rule: String,
    /// Who starts it; none for a rule that stands in no catalogue.
    pub from: Vec<String>,
    /// Whom it leads to.
    pub to: Vec<String>,
    /// Its ports, with the setting that says which, and the default.
    pub ports: Vec<String>,
    /// `tcp` or `udp`; `null` where the rule is for any.
    pub transport: Option<String>,
    /// What is spoken.
    pub protocol: Option<String>,
    /// When it holds: all of them.
    pub when: Vec<String>,
    /// `required`, `optional` or `forbidden`, as it is planned; `null` where the site file says.
    pub need: Option<String>,
    /// What it is for.
    pub why: String,
    /// What fails without it; of a forbidden one, what an open port exposes.
    pub breaks: String,
    /// How sure it is.
    #[serde(flatten)]
    pub known: Known,
    /// Topics that say where the console shows its ports.
    pub topics: Vec<String>,
    /// The flows that it makes, where a site file was given.
    pub flows: Vec<String>,
}

/// Where the console shows something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TopicExplained {
    /// The word.
    pub topic: String,
    /// What is read.
    pub title: String,
    /// What to click, in order.
    pub steps: Vec<String>,
    /// What to do with what was read.
    pub then: Vec<String>,
    /// What to be careful about.
    pub mind: Vec<String>,
    /// How sure the steps are.
    #[serde(flatten)]
    pub known: Known,
}

/// What can be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Index {
    /// Topics with what they are about.
    pub topics: Vec<Entry>,
    /// Causes with what they mean.
    pub causes: Vec<Entry>,
    /// Rules with what they are for.
    pub rules: Vec<Entry>,
}

/// A word that can be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The word.
    pub word: String,
    /// In one sentence, what it is.
    pub is: String,
}
