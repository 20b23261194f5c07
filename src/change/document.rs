//! A change as JSON, schema `portproof.change/1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{Destination, FlowEntry, SiteName, ToolName};
use crate::product::{At, Confidence, Gives, Need, Protocol, Stage};
use crate::words::words;

/// What two site files differ in, and in which order to go from one to the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeDocument {
    /// `portproof.change/1`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// The site as it shall be.
    pub site: SiteName,
    /// The file of the site as it shall be.
    pub file: String,
    /// The site as it is.
    pub against: SiteName,
    /// The file of the site as it is.
    pub against_file: String,
    /// Settings that differ.
    pub settings: Vec<SettingChange>,
    /// Flows that the new file needs and the old one does not.
    pub opens: Vec<Opening>,
    /// Flows that the old file needs and the new one does not.
    pub closes: Vec<Closing>,
    /// Flows that both need, otherwise.
    pub stays: Vec<Staying>,
    /// Flows that both need, and that lead elsewhere.
    pub elsewhere: Vec<Elsewhere>,
    /// Client request ports that go out of use.
    pub retire: Vec<Retired>,
    /// What to do, in this order.
    pub steps: Vec<Step>,
    /// Clients that do not learn of it by themselves.
    pub cannot_learn: Vec<CannotLearn>,
    /// What such clients are given.
    pub properties: Vec<GivenProperty>,
    /// What else is to be known.
    pub remarks: Vec<String>,
}

impl ChangeDocument {
    /// Whether nothing of what is compared differs.
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty()
            && self.opens.is_empty()
            && self.closes.is_empty()
            && self.stays.is_empty()
            && self.elsewhere.is_empty()
    }
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingChange {
    /// Its key, as in `client_ports.https`.
    pub setting: String,
    /// The system that has it; `null`: the site.
    pub system: Option<String>,
    /// What the old file says; empty: nothing.
    pub old: String,
    /// What the new file says; empty: nothing.
    pub new: String,
}

words! {
    /// What a flow comes or goes with.
    Moves {
        /// A change of client request ports.
        ClientPorts = "client-ports",
        /// A change of an update point's pair.
        UpdatePorts = "update-ports",
        /// Neither.
        Other = "other",
    }
}

/// A flow that opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opening {
    /// As the new file has it.
    #[serde(flatten)]
    pub flow: FlowEntry,
    /// What it comes with.
    pub of: Moves,
}

/// A flow that closes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closing {
    /// As the old file has it.
    #[serde(flatten)]
    pub flow: FlowEntry,
    /// What it goes with.
    pub of: Moves,
    /// Whether the new file forbids it; else it no longer speaks of it.
    pub forbidden: bool,
}

/// A flow that both files need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Staying {
    /// Its id.
    pub id: String,
    /// Why the old file needs it.
    pub old: Needed,
    /// Why the new file needs it.
    pub new: Needed,
}

/// A flow that both files need, where the rules of firewalls that pass it are no longer the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Elsewhere {
    /// Its id.
    pub id: String,
    /// Where it leads by the old file.
    pub old: Leads,
    /// Where it leads by the new file.
    pub new: Leads,
}

/// Where a flow leads, and on which way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leads {
    /// The zone where it starts.
    pub from: String,
    /// Where one system starts it: its addresses in the eyes of that zone.
    pub from_addresses: Vec<String>,
    /// Where it ends.
    pub to: Destination,
    /// The port at which the system listens, where translation leads elsewhere.
    pub own_port: Option<u16>,
    /// Whether it travels inside IPsec.
    pub ipsec: bool,
    /// The firewalls it crosses, in order.
    pub crosses: Vec<String>,
}

/// Why a flow is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Needed {
    /// `required` or `optional`.
    pub need: Need,
    /// What is spoken.
    pub protocol: Protocol,
    /// Ids of the rules.
    pub rules: Vec<String>,
}

/// A client request port that goes out of use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retired {
    /// `http` or `https`.
    pub protocol: Protocol,
    /// Port.
    pub port: u16,
    /// Whether the new file has it under `retired_client_ports`, so that it is tried for being closed.
    pub declared: bool,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its place in the order, from 1.
    pub number: usize,
    /// Its id in the catalogue; `other-open`, `other-close`, `elsewhere-open` and `elsewhere-close` as well.
    pub id: String,
    /// The part of the change that it belongs to.
    pub stage: Stage,
    /// Where it is done.
    pub at: At,
    /// The firewall, or the systems.
    pub places: Vec<String>,
    /// What to do.
    pub text: String,
    /// Why.
    pub why: String,
    /// Ids of the flows that it is about.
    pub flows: Vec<String>,
    /// As `confidence` of a rule.
    pub confidence: Confidence,
    /// Where it is documented; `null` where nothing can be cited.
    pub source: Option<String>,
}

/// Clients that do not learn of new numbers by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CannotLearn {
    /// Kebab-case.
    pub id: String,
    /// Who they are.
    pub who: String,
    /// Whether the site file shows that the site may have them; else it does not tell.
    pub shown: bool,
    /// As `confidence` of a rule.
    pub confidence: Confidence,
    /// Where it is documented; `null` where nothing can be cited.
    pub source: Option<String>,
}

/// A property that a client is installed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenProperty {
    /// Its name.
    pub name: String,
    /// What it gives; `internet-only` is for clients that never are in the intranet, and no others.
    pub gives: Gives,
    /// Its values: one of them.
    pub values: Vec<String>,
    /// Whether the change gives it another value.
    pub changes: bool,
    /// As `confidence` of a rule.
    pub confidence: Confidence,
    /// Where it is documented; `null` where nothing can be cited.
    pub source: Option<String>,
}
