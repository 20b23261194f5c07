//! The report as JSON, schema `portproof.report/1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{Destination, FlowEntry, SiteName, Source};

pub(super) use crate::plan::ToolName;

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportDocument {
    /// `portproof.report/1`.
    pub schema: String,
    /// Which program wrote it.
    pub tool: ToolName,
    /// Which site it is of.
    pub site: SiteName,
    /// Where it was tried from.
    pub vantages: Vec<Vantage>,
    /// Who allowed a large sweep.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorised: Option<String>,
    /// The flows of these vantages, ordered by id.
    pub flows: Vec<ReportFlow>,
    /// How many flows of the site start in other zones and were not tried here.
    pub flows_elsewhere: usize,
    /// Ports that were tried beside the needed flows, as ranges by state.
    pub sweeps: Vec<Sweep>,
    /// Remarks that change no verdict.
    pub notes: Vec<Note>,
    /// Flows by verdict.
    pub summary: Summary,
}

/// Where flows were tried from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vantage {
    /// Zone.
    pub zone: String,
    /// System, when this host is one.
    pub system: Option<String>,
    /// Host name.
    pub host: String,
    /// This host's addresses, loopback aside.
    pub addresses: Vec<String>,
    /// Start, RFC 3339.
    pub started: String,
    /// End, RFC 3339.
    pub finished: String,
    /// SHA-256 of the site file.
    pub config_sha256: String,
}

/// A flow with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFlow {
    /// What was planned.
    #[serde(flatten)]
    pub flow: FlowEntry,
    /// `open`, `closed`, `rejected`, `filtered`, `silent`, `unresolved`, `unreachable` or `not-tried`.
    pub state: String,
    /// `ok`, `blocked`, `down`, `wrong`, `exposed` or `unknown`.
    pub verdict: String,
    /// A heading of `docs/verdicts.md`.
    pub cause: String,
    /// `note`, `warning` or `error`.
    pub level: String,
    /// Who has to act.
    pub owner: Option<String>,
    /// What was seen.
    pub evidence: Evidence,
    /// What to do; empty when nothing is to be done.
    pub advice: String,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// How deep the proof is: `tcp`, `tls` or `http`; `null` when no packet was sent.
    pub depth: Option<String>,
    /// What proves that a closed door was knocked on: `self`, `host` or `path`.
    pub control: Option<String>,
    /// Who sent a reset: `host`, `device` or `either`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reset_by: Option<String>,
    /// An ICMP message that said no.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rejected: Option<Rejected>,
    /// In words, what an open port said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub said: Option<String>,
    /// The tries, over all addresses.
    pub attempts: Vec<Attempt>,
    /// How sure silence is, under the loss rate that was assumed and for independent tries.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<f64>,
    /// What TLS showed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<Tls>,
    /// What HTTP showed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http: Option<Http>,
    /// The state at each address, where there are several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub addresses: BTreeMap<String, String>,
}

/// An ICMP message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// What it says.
    pub says: String,
    /// Type.
    pub icmp_type: Option<u8>,
    /// Code.
    pub icmp_code: Option<u8>,
    /// Sender.
    pub by: Option<String>,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// When, RFC 3339.
    pub at: String,
    /// This end.
    pub local: Option<String>,
    /// The other end.
    pub remote: String,
    /// How long, in milliseconds.
    pub took_ms: f64,
    /// `open`, `reset`, `rejected`, `silent` or `trouble`.
    pub result: String,
}

/// What TLS showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tls {
    /// Version.
    pub version: Option<String>,
    /// Cipher suite.
    pub cipher: Option<String>,
    /// The name that was asked for.
    pub asked_for: Option<String>,
    /// Whether a client certificate was asked for in the first handshake.
    pub client_certificate_asked: bool,
    /// What the verifier said, when it was not satisfied.
    pub verifier: Option<String>,
    /// The chain as sent, leaf first.
    pub chain: Vec<Certificate>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Subject.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Names.
    pub names: Vec<String>,
    /// Start of validity.
    pub not_before: Option<String>,
    /// End of validity.
    pub not_after: Option<String>,
    /// SHA-256.
    pub sha256: String,
}

/// What HTTP showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Http {
    /// Version.
    pub version: String,
    /// Status.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// `Server` header.
    pub server: Option<String>,
    /// `Via` header.
    pub via: Option<String>,
}

/// Ports of one system that were tried beside the needed flows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// From where.
    pub from: Source,
    /// To what.
    pub to: Destination,
    /// `tcp`.
    pub transport: String,
    /// Ranges by state.
    pub states: BTreeMap<String, String>,
}

/// A remark that changes no verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// A heading of `docs/verdicts.md`.
    pub cause: String,
    /// The system it is about.
    pub system: String,
    /// In words.
    pub text: String,
}

/// Flows by verdict.
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
}
