//! The report as JSON, schema `portproof.report/2`.
//!
//! The evidence of a flow is the observation as the run made it. With it stands what was known when it was judged, and
//! what the site file says of it. So whoever reads a report can judge the flow again, by the same table. Words are made
//! when it is shown.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::joined::{Alive, Answer, Arrived};
use super::ranges;
use crate::attribution::Suspects;
use crate::observation::{Attempt, Certificate, FlowState, Observation, Sent, State, few};
use crate::plan::{Destination, FlowEntry, Source, place};
use crate::product::{Confidence, Transport};
use crate::verdict::{Cause, Context, Level, Owner, Remedy, Verdict, remedy};

pub(super) use crate::plan::ToolName;

/// The box of each firewall that is a leg of one, by the firewall's name.
pub(super) type Devices = BTreeMap<String, String>;

/// Where flows were tried from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vantage {
    /// Zone.
    pub zone: String,
    /// Further zones that it was tried from: those that a system with several legs is in.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also_in: Vec<String>,
    /// System, when this host is one.
    pub system: Option<String>,
    /// Host name; empty where an agent did not answer.
    pub host: String,
    /// The agent that tried there, where one did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<AgentName>,
    /// This host's addresses, loopback aside.
    pub addresses: Vec<String>,
    /// Start, RFC 3339.
    pub started: String,
    /// End, RFC 3339.
    pub finished: String,
    /// SHA-256 of the site file.
    pub config_sha256: String,
    /// The run, as listeners log it, where it looked for listeners.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<String>,
    /// What this host's addresses said against the vantage, where the user insisted on it (`--force-vantage`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forced: Option<String>,
    /// Whether only what is needed was tried; what must not pass then is not in the report.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub needed_only: bool,
    /// What it sent; not there in reports of builds that did not count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sent: Option<Sent>,
}

impl Vantage {
    /// Where it is, without the host: `perimeter as ibs01`.
    pub fn place(&self) -> String {
        place(&self.zone, self.system.as_deref())
    }

    /// Who tried: `host web7`, or `agent dmz on host web7`.
    pub fn who(&self) -> String {
        match &self.agent {
            None => format!("host {}", self.host),
            Some(agent) if self.host.is_empty() => format!("agent {}", agent.name),
            Some(agent) => format!("agent {} on host {}", agent.name, self.host),
        }
    }
}

/// An agent of a joined report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentName {
    /// Its name.
    pub name: String,
    /// The version of portproof there; not there where the agent gave no report.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
}

/// A flow with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFlow {
    /// What was planned. Joined reports of many agents share it with the plan.
    #[serde(flatten)]
    pub flow: Arc<FlowEntry>,
    /// What was seen on the wire.
    pub state: FlowState,
    /// What that means for the need.
    pub verdict: Verdict,
    /// A heading of `docs/verdicts.md`.
    pub cause: Cause,
    /// How much it matters.
    pub level: Level,
    /// Who has to act.
    pub owner: Option<Owner>,
    /// What was seen. It is large: joining moves flows, and not that.
    pub evidence: Box<Evidence>,
    /// What to do; empty when nothing is to be done.
    pub advice: String,
    /// What clients write into their logs about it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub logged: Vec<Logged>,
    /// The exception of the site file that holds: the flow fails and counts apart.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted: Option<Accepted>,
    /// The exception of the site file that has lapsed: the flow counts as a failure again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lapsed: Option<Lapsed>,
    /// In a joined report: whose word it is, as a place in `vantages`, from 0.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vantage: Option<usize>,
    /// In a joined report: what other vantages say of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<Answer>,
}

impl ReportFlow {
    /// What was planned, to be changed for this flow alone.
    pub fn flow_mut(&mut self) -> &mut FlowEntry {
        Arc::make_mut(&mut self.flow)
    }

    /// The rule that the finding asks of the firewalls; `None` where none helps, or where it may be the server's.
    pub fn remedy(&self) -> Option<Remedy> {
        remedy(self.flow.need, self.cause, self.owner)
    }

    /// The firewall that it is about: the one that the evidence names, or the only one that it crosses. `None` where
    /// several come into question.
    pub fn firewall(&self) -> Option<String> {
        match (
            self.evidence.accused().as_slice(),
            self.flow.crosses.as_slice(),
        ) {
            ([one], _) | ([], [one]) => Some(one.clone()),
            _ => None,
        }
    }

    /// The ports that an endpoint mapper named outside the ranges of the site file, and that are stopped; empty for
    /// every other finding.
    pub fn ports_named_outside(&self) -> Vec<u16> {
        if self.cause != Cause::RpcOutsideRange {
            return Vec::new();
        }
        let named = self.evidence.seen.spoken.iter().flat_map(|it| &it.ports);
        named
            .filter(|it| it.seen.state != State::Open)
            .map(|it| it.port)
            .collect()
    }
}

/// An exception that held when the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The last day on which it holds, as in `2027-03-31`; it ends with that day, UTC.
    pub until: String,
    /// Why it is accepted.
    pub why: String,
    /// Days from that of the run's end to `until`; 0 on the last day.
    pub days_left: i32,
}

impl Accepted {
    /// Whether it ends so soon that somebody should know.
    pub fn ends_soon(&self) -> bool {
        const SOON: i32 = 14;
        self.days_left <= SOON
    }
}

/// An exception that no longer held when the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lapsed {
    /// The last day on which it held.
    pub until: String,
    /// Why it was accepted.
    pub why: String,
}

/// What a client writes into a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Logged {
    /// The log's file; `null` where it is not known.
    pub log: Option<String>,
    /// The code or flag as it stands there.
    pub code: String,
    /// A sentence, no surer than it is known.
    pub words: String,
    /// How sure it is that this code stands in this log: as `confidence` of a rule.
    pub confidence: Confidence,
}

/// What was seen of a flow: the observation at the address that decided, and what else is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What was seen.
    #[serde(flatten)]
    pub seen: Observation,
    /// What else was known when it was judged.
    #[serde(flatten)]
    pub context: Context,
    /// What the site file says of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Names")]
    pub names: Option<Box<Names>>,
    /// What another vantage saw of the host, where that counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub joined: Option<Box<Alive>>,
    /// What a listener at the other end saw of the tries.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arrived: Option<Box<Arrived>>,
    /// In words, what a report of an earlier format says. The observation is then only what that format tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub earlier: Option<Vec<String>>,
    /// The same of the flow's other addresses.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        default,
        deserialize_with = "few"
    )]
    pub others: Vec<Evidence>,
}

/// What the site file says of those who appear in an observation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Names {
    /// Its firewalls, by the addresses that speak on the way.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub firewalls: BTreeMap<IpAddr, String>,
    /// The firewall that translates, where the way showed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translator: Option<String>,
    /// The firewall that said no: it has the sender's address, or translates and writes the host's into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejecting: Option<String>,
    /// Whether the host itself said no: the file gives it the sender's address, and no device speaks in its name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rejecting_host: bool,
    /// Whether it puts several hosts behind the address.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub several_hosts: bool,
    /// Who may have dropped silent packets, by the place where they vanish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspects: Option<Suspects>,
}

impl Names {
    const NONE: &'static Self = &Self {
        firewalls: BTreeMap::new(),
        translator: None,
        rejecting: None,
        rejecting_host: false,
        several_hosts: false,
        suspects: None,
    };

    /// In a box, where there are any.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        (self != *Self::NONE).then(|| Box::new(self))
    }
}

impl Evidence {
    /// The evidence of each address, that of the one that decided first.
    pub fn of_each_address(&self) -> impl Iterator<Item = &Self> + Clone {
        std::iter::once(self).chain(&self.others)
    }

    /// The tries at every address.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> + Clone {
        self.of_each_address().flat_map(|it| &it.seen.attempts)
    }

    /// The certificate that the server showed for itself.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.seen.tls.as_ref().and_then(|tls| tls.chain.first())
    }

    /// What the site file says of those who appear in it.
    pub fn names(&self) -> &Names {
        self.names.as_deref().unwrap_or(Names::NONE)
    }

    /// The firewalls that the evidence names; empty where it names none.
    pub fn accused(&self) -> Vec<String> {
        let names = self.names();
        match (&names.rejecting, &names.suspects) {
            (Some(firewall), _) => vec![firewall.clone()],
            (None, Some(suspects)) => suspects.firewalls.clone(),
            (None, None) => Vec::new(),
        }
    }

    /// The firewall of the site file that answered at a hop.
    pub fn firewall_at(&self, hop: u8, by: IpAddr) -> Option<&str> {
        let named = self.names().firewalls.get(&by);
        let translates = self.is_translating(by) && self.seen.translated_at == Some(hop);
        let translator = self.names().translator.as_ref().filter(|_| translates);
        named.or(translator).map(String::as_str)
    }

    /// Whether a hop answers with the very address that was asked: it translates for the host.
    pub fn is_translating(&self, by: IpAddr) -> bool {
        self.seen.address == Some(by)
    }
}

/// Ports of one system that were tried beside the needed flows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// From where.
    pub from: Source,
    /// To what.
    pub to: Destination,
    /// TCP.
    pub transport: Transport,
    /// Ranges by state.
    pub states: BTreeMap<FlowState, String>,
    /// The runs before this one in which some of these ports were swept; of a run with `--resume` only.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub earlier: Vec<SweptEarlier>,
    /// What was finished at each address, where the sweep was interrupted; else empty. `--resume` reads it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub interrupted: Vec<Finished>,
}

impl Sweep {
    /// Whether it cannot say how this port stands: it was silent without proof, or not tried.
    pub fn leaves_open(&self, port: u16) -> bool {
        let unproved = [FlowState::Silent, FlowState::NotTried];
        let ports = unproved.iter().filter_map(|state| self.states.get(state));
        let mut ports = ports.flat_map(|text| ranges::read(text).unwrap_or_default());
        ports.any(|range| (range.low..=range.high).contains(&port))
    }
}

/// Ports of one system that an earlier run swept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SweptEarlier {
    /// When that run began, RFC 3339.
    pub started: String,
    /// When it ended, RFC 3339.
    pub finished: String,
    /// Ranges.
    pub ports: String,
}

/// Ports of one address that an interrupted sweep had finished: those that answered, and those whose silence is proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finished {
    /// The address.
    pub address: IpAddr,
    /// Ranges by state.
    pub states: BTreeMap<FlowState, String>,
}

/// A remark that changes no verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// A heading of `docs/verdicts.md`.
    pub cause: Cause,
    /// The system it is about.
    pub system: String,
    /// In words.
    pub text: String,
}
