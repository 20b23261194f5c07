//! What is explained, as JSON, schema `portproof.explain/1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::FlowState;
use crate::plan::{Declared, ExceptionEntry, FlowEntry, ToolName};
use crate::product::{Confidence, Need};
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
    /// A code of a client's log.
    Code(Box<CodeExplained>),
    /// A log of a client, or a line of one.
    Log(Box<LogExplained>),
    /// A verdict.
    Verdict(VerdictExplained),
    /// A finding about a file of the user.
    Finding(FindingExplained),
    /// A role.
    Role(RoleExplained),
    /// A system of the site file.
    System(Box<SystemExplained>),
    /// A firewall of the site file.
    Firewall(FirewallExplained),
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
    /// What editions of a page say that do not agree; none: they do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub editions: Vec<EditionExplained>,
    /// Topics that say where the console shows its ports.
    pub topics: Vec<String>,
    /// The flows that it makes, where a site file was given.
    pub flows: Vec<String>,
}

/// What one edition of a page says, where another says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EditionExplained {
    /// The page, with its date.
    pub page: String,
    /// What it says.
    pub says: String,
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

/// A code that clients log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeExplained {
    /// As it is named here: `0x80072EE2`, `HTTP 403`, or a name.
    pub code: String,
    /// The ways in which its number is written; none where it has none.
    pub numbers: Vec<String>,
    /// Its names, as headers of Windows have them.
    pub symbols: Vec<String>,
    /// Who returns such numbers, by the number itself.
    pub facility: Option<String>,
    /// What it means; `null` where no table here has it.
    pub means: Option<String>,
    /// How sure that is; `null` where nothing is known.
    pub known: Option<Known>,
    /// What of a flow it may come from; none: it says nothing of a flow.
    pub points_to: Vec<PointsTo>,
    /// What the catalogue says of who logs it where, in sentences.
    pub client_logs: Vec<String>,
}

/// What a code may come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsTo {
    /// What goes wrong, in words.
    pub when: String,
    /// The causes that a check gives where it sees that.
    pub causes: Vec<Cause>,
}

/// How often something stands in a log. Times are the log's own clock: `2026-11-23 08:52:37`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimesSeen {
    /// Entries.
    pub count: u64,
    /// The first time; `null` where no entry has one.
    pub first: Option<String>,
    /// The last time.
    pub last: Option<String>,
}

/// A log of a client, or a line of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogExplained {
    /// The file, or that it is a line.
    pub log: String,
    /// The roles that the client asks when it writes a log of this name; none where that is not known.
    pub about: Vec<String>,
    /// Where that is documented.
    pub about_source: Option<String>,
    /// All entries.
    pub entries: TimesSeen,
    /// The site file whose flows are named; `null` where none was read.
    pub site_file: Option<String>,
    /// The codes that tables here know: those that point to flows first, the most frequent of them first.
    pub codes: Vec<CodeSeen>,
    /// The codes that no table here knows.
    pub unknown: Vec<UnknownCode>,
    /// Entries with codes that are left out, because the log has too many.
    pub codes_left_out: u64,
}

/// A code of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeSeen {
    /// The code.
    #[serde(flatten)]
    pub code: CodeExplained,
    /// When it stands there.
    pub seen: TimesSeen,
    /// The hosts that its entries name.
    pub places: Vec<PlaceSeen>,
    /// Entries whose hosts are left out, because the log has too many.
    pub places_left_out: u64,
    /// Where no entry names a host: flows of clients that may fail so.
    pub may_be: Vec<FlowToTry>,
    /// How many more there are.
    pub may_be_left_out: usize,
}

/// A host of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceSeen {
    /// A name or an address.
    pub host: String,
    /// The port that it was asked at.
    pub port: Option<u16>,
    /// Entries with this code that name it.
    pub count: u64,
    /// The system of the site file.
    pub system: Option<String>,
    /// What does not fit the site file; empty where all fits.
    pub note: String,
    /// The flows that lead there.
    pub flows: Vec<FlowToTry>,
    /// How many more there are.
    pub flows_left_out: usize,
}

/// A flow, and what tries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowToTry {
    /// Its id.
    pub id: String,
    /// What the site needs of it.
    pub need: Need,
    /// The command that proves it, on a host in its place.
    pub check: String,
}

/// A code that no table here knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownCode {
    /// The ways in which its number is written.
    pub numbers: Vec<String>,
    /// Who returns such numbers, by the number itself.
    pub facility: Option<String>,
    /// When it stands there.
    pub seen: TimesSeen,
}

/// A verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictExplained {
    /// The word.
    pub verdict: Verdict,
    /// What it means.
    pub meaning: String,
    /// The flows of the report with this verdict.
    pub seen_at: Vec<String>,
}

/// A finding about a file of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingExplained {
    /// Its code.
    pub finding: String,
    /// What it is about, and what would be right: paragraphs of its page.
    pub says: Vec<String>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleExplained {
    /// The word.
    pub role: String,
    /// What a system with it does.
    pub does: String,
    /// The rules that lead to it, with what they are for.
    pub rules_to: Vec<Entry>,
    /// The rules that start at it.
    pub rules_from: Vec<Entry>,
    /// The systems of the site file that have it, where one was given.
    pub systems: Vec<String>,
}

/// A name or address of a system, and who knows it by that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownAs {
    /// The zone that asks; `null`: every other.
    pub zone: Option<String>,
    /// Names and addresses.
    pub by: Vec<String>,
}

/// A system of the site file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SystemExplained {
    /// Its name in the file.
    pub system: String,
    /// Its zone.
    pub zone: String,
    /// Where the file declares it.
    pub declared: Declared,
    /// Its names and addresses by who asks.
    pub known_as: Vec<KnownAs>,
    /// Its roles.
    pub roles: Vec<String>,
    /// The client zones that it accepts; `null` where the file says nothing.
    pub serves: Option<Vec<String>>,
    /// The flows that lead to it and must or may pass.
    pub flows_to: Vec<FlowToTry>,
    /// The flows that start at it and must or may pass.
    pub flows_from: Vec<FlowToTry>,
    /// How many flows to it must not pass.
    pub forbidden: usize,
}

/// A firewall of the site file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirewallExplained {
    /// Its name in the file.
    pub firewall: String,
    /// The zones that it stands between.
    pub between: Vec<String>,
    /// Its interfaces.
    pub addresses: Vec<String>,
    /// The box that it is a leg of.
    pub device: Option<String>,
    /// The flows through it that must or may pass.
    pub flows: Vec<FlowToTry>,
    /// How many flows through it must not pass.
    pub forbidden: usize,
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
    /// Verdicts with what they mean.
    pub verdicts: Vec<Entry>,
    /// Roles with what they do.
    pub roles: Vec<Entry>,
}

/// A word that can be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The word.
    pub word: String,
    /// In one sentence, what it is.
    pub is: String,
}
