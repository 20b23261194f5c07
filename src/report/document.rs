//! The report as JSON, schema `portproof.report/1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::joined::{Alive, Answer, Arrived};
use crate::observation::{
    Certificate, ChainFault, Conversations, Depth, FlowState, HopResult, HttpSeen, Intercepted,
    ListSeen, MissingIssuer, Prohibition, ResetBy, SourcePorts, Speaks, TryResult,
};
use crate::plan::{Destination, FlowEntry, Source};
use crate::product::{Confidence, Transport};
use crate::verdict::{Cause, Control, Level, Owner, Remedy, Verdict, remedy};

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
    /// The run, as listeners log it, where it looked for listeners.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<String>,
    /// What this host's addresses said against the vantage, where the user insisted on it (`--force-vantage`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forced: Option<String>,
}

/// A flow with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFlow {
    /// What was planned.
    #[serde(flatten)]
    pub flow: FlowEntry,
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
    /// What was seen.
    pub evidence: Evidence,
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
    /// The rule that the finding asks of the firewalls; `None` where none helps, or where it may be the server's.
    pub fn remedy(&self) -> Option<Remedy> {
        remedy(self.flow.need, self.cause, self.owner)
    }

    /// The ports that an endpoint mapper named outside the ranges of the site file, and that are stopped; empty for
    /// every other finding.
    pub fn ports_named_outside(&self) -> Vec<u16> {
        if self.cause != Cause::RpcOutsideRange {
            return Vec::new();
        }
        let named = self.evidence.spoken.iter().flat_map(|it| &it.ports);
        named
            .filter(|it| it.state != FlowState::Open)
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

impl Evidence {
    /// The firewalls that the evidence names; empty where it names none.
    pub fn accused(&self) -> Vec<String> {
        let rejecting = self
            .rejected
            .as_ref()
            .and_then(|rejected| rejected.firewall.clone());
        let dropping = self.path.as_ref().and_then(|path| path.dropped.as_ref());
        match (rejecting, dropping) {
            (Some(firewall), _) => vec![firewall],
            (None, Some(dropped)) => dropped.by.clone(),
            (None, None) => Vec::new(),
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// How deep the proof is; `null` when no packet was sent.
    pub depth: Option<Depth>,
    /// What proves that a closed door was knocked on.
    pub control: Option<Control>,
    /// What another vantage saw of the host, where that is the control.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub joined: Option<Alive>,
    /// What a listener at the other end saw of the tries.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arrived: Option<Arrived>,
    /// Who sent a reset.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reset_by: Option<ResetBy>,
    /// In words, how far away the sender of a reset is, or why that tells nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub distance: Option<String>,
    /// In words, who likely sent a reset; a hint, and no proof.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub likely: Option<String>,
    /// The device that translates the address, where the way showed one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub translated: Option<Translated>,
    /// An ICMP message that said no.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rejected: Option<Rejected>,
    /// In words, what an open port said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub said: Option<String>,
    /// What an open port speaks in place of the protocol that is needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub speaks: Option<Speaks>,
    /// What became of the data, where a port opened and its service said nothing, or not enough.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery: Option<Delivery>,
    /// The tries, over all addresses.
    pub attempts: Vec<Attempt>,
    /// How sure silence is, under the loss rate that was assumed and for independent tries.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<f64>,
    /// Whether silence may be a rejection that a limit on error messages held back.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub held_back: bool,
    /// Of the silent tries, those shortly before and after which a port on the same way answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub witnessed: Option<u16>,
    /// On how many connections the service was spoken to, where not all were alike.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversations: Option<Conversations>,
    /// When the port last answered, where it no longer did at the end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub went_silent: Option<String>,
    /// What TLS showed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<Tls>,
    /// The revocation lists that were fetched here.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lists: Vec<ListSeen>,
    /// What HTTP showed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http: Option<HttpSeen>,
    /// What a service that is no web server said of itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub spoken: Option<Spoken>,
    /// What knocks from several source ports met.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ports: Option<SourcePorts>,
    /// The way there, where it was walked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<Path>,
    /// In words, what shows that a device answered in the host's place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub painted: Option<String>,
    /// The router that looked for the host and did not find it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dead_by: Option<String>,
    /// The proxy that it was tried through.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<Proxy>,
    /// `listener`, where a listener of `portproof listen` proved that it was reached.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered_by: Option<String>,
    /// What that listener said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub listener: Option<Listener>,
    /// The state at each address, where there are several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub addresses: BTreeMap<String, FlowState>,
}

/// What became of the data on a connection that opened, as this host's TCP counted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// What is lost: `data` (whatever its size) or `large-packets`; `null`: nothing shows that anything is.
    pub lost: Option<String>,
    /// On which way: `there` (from this host to the service) or `back`.
    pub way: Option<String>,
    /// Segments that were sent and not acknowledged.
    pub unacknowledged: u32,
    /// Bytes that the other end acknowledged.
    pub acknowledged_bytes: u64,
    /// Bytes that came in order.
    pub received_bytes: u64,
    /// How often a segment was sent again.
    pub sent_again: u32,
    /// Segments that came while one before them was missing; `null`: this system does not count them.
    pub behind_a_gap: Option<u32>,
    /// The same conversation, had again.
    pub repeats: Vec<Repeat>,
    /// All of it in words.
    pub words: String,
}

/// A conversation that was had again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repeat {
    /// The most bytes of data in one segment; `null`: of full size.
    pub segment: Option<u16>,
    /// `answer`, `no-answer`, or `nothing` where the port did not open.
    pub met: String,
}

/// The proxy that a flow was tried through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proxy {
    /// Its URL, without the user.
    pub url: String,
    /// What it said or did when it did not lead to the server, as the rest of a sentence that begins with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub said: Option<String>,
}

/// What a listener proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// The system that it stands in for.
    pub system: String,
    /// The run of `check`, as in the listener's log of arrivals.
    pub run: String,
    /// This end; `null` where a proxy stands in between.
    pub sent_from: Option<String>,
    /// Where the challenge came from, as the listener saw it.
    pub seen_from: String,
    /// The listener's end.
    pub accepted_at: String,
    /// Whether another source address was put in the place of this host's.
    pub source_nat: bool,
    /// Whether another source port was put in the place of this host's.
    pub source_port_translated: bool,
    /// Whether it came out at another address than the one aimed at.
    pub destination_nat: bool,
    /// Whether it came out at another port than the one aimed at.
    pub port_translated: bool,
}

/// An ICMP message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// What it says.
    pub says: Prohibition,
    /// Type.
    pub icmp_type: Option<u8>,
    /// Code.
    pub icmp_code: Option<u8>,
    /// Sender.
    pub by: Option<String>,
    /// The TTL with which it arrived.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ttl: Option<u8>,
    /// Whether the host itself sent it: the site file gives it the sender's address, and no device speaks in its name.
    #[serde(default)]
    pub by_the_host: bool,
    /// The firewall of the site file that has the sender's address, or that translates and writes the host's into it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firewall: Option<String>,
    /// Where it bears the very address that was asked: who sent it. A device that did so translates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sender: Option<ResetBy>,
}

/// A device that speaks in the name of the address that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Translated {
    /// The hop at which it stands.
    pub hop: u8,
    /// The firewall of the site file that translates there, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firewall: Option<String>,
}

/// What a service that is no web server said of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spoken {
    /// The word of its protocol.
    pub protocol: String,
    /// Facts by name.
    pub facts: BTreeMap<String, String>,
    /// The TCP ports that an endpoint mapper named, or that were tried in a range of which nobody told.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ports: Vec<RpcPort>,
}

/// A dynamic RPC port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RpcPort {
    /// Port.
    pub port: u16,
    /// What listens behind it, as far as the mapper says.
    pub services: Vec<String>,
    /// As the state of a flow.
    pub state: FlowState,
    /// In words, what an open port said, where it was not RPC.
    pub said: Option<String>,
    /// The tries.
    pub attempts: Vec<Attempt>,
}

/// The way of a flow's packets, as tries with a limited number of hops showed it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Path {
    /// Hops from the nearest on.
    pub hops: Vec<Hop>,
    /// Of a silent flow: the hops of a flow to the same host that works.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub working: Vec<Hop>,
    /// Where silent packets are dropped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dropped: Option<Dropped>,
}

/// One hop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// How many hops the packet was allowed.
    pub hop: u8,
    /// Who answered.
    pub by: Option<String>,
    /// The firewall of the site file that has this address, or that translates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firewall: Option<String>,
    /// Whether it answers with the very address that was asked: it translates for the host.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub translates: bool,
    /// What the packet met there.
    pub result: HopResult,
}

/// Where silent packets are dropped: at or after `after`, and at or before `before`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// The last hop that answered this flow; `null`: no hop did.
    pub after: Option<Hop>,
    /// The hop that answers a working flow and, asked in turn, not this one; `null`: the host itself is the bound.
    pub before: Option<Hop>,
    /// The number of hops to the host, when known.
    pub distance: Option<u8>,
    /// The firewalls that the place allows, by their known addresses; empty where these bound nothing.
    pub by: Vec<String>,
    /// Whether the host's own firewall may have done it too.
    pub host: bool,
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
    /// What it met.
    pub result: TryResult,
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
    /// Whether the second client shook hands, which speaks TLS of the past. Version and cipher suite are the best that it and
    /// the server share; a client of the site may offer less.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub by_old_client: bool,
    /// Whether the server proved that it holds the key; else the chain is `presented, not proven`.
    pub key: String,
    /// Behind a proxy that publishes: the system where TLS ends, by the pins of the site file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends: Option<String>,
    /// How the server refused the TLS that clients of the site speak.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused_clients: Option<String>,
    /// How the server refused TLS 1.2, where its refusals over TLS 1.3 may be for want of a client certificate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused_1_2: Option<String>,
    /// Whether a client certificate was asked for in the first handshake.
    pub client_certificate_asked: bool,
    /// What was asked for, and what became of this host's client certificate.
    pub client_certificate: ClientCertificate,
    /// What rustls' verifier said, when it was not satisfied. It is stricter than Windows and decides nothing alone.
    pub verifier: Option<String>,
    /// The trusted root that the chain leads to.
    pub root: Option<String>,
    /// The certificate of an issuer that the server has to send and does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingIssuer>,
    /// Every fault of the chain, the worst first.
    pub faults: Vec<ChainFault>,
    /// Whether somebody put his own certificate in the service's place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interception: Option<Interception>,
    /// The chain as sent, leaf first.
    pub chain: Vec<Certificate>,
}

/// A client certificate, as a server asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientCertificate {
    /// In words, whether it was asked for in the first handshake.
    pub asked: String,
    /// The authorities whose certificates the server takes; none: it does not say.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub authorities: Vec<String>,
    /// How many more authorities there were.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub more_authorities: usize,
    /// What became of this host's: `none`, `sent`, `taken`, `refused: ALERT` or `hung-up`; `null`: it was not asked for.
    pub ours: Option<String>,
    /// The subject of the one that was shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// Its issuer, and the issuers of the certificates that were sent with it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub issuers: Vec<String>,
    /// Whether the server names its authorities, and none of them stands behind the one that was shown.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub other_issuer: bool,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Whether somebody put his own certificate in a service's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interception {
    /// Whether it is.
    pub is: Intercepted,
    /// The issuer of the certificate, where it is proved or suspected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// In words, what shows it.
    pub because: String,
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
