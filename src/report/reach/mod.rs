//! Which clients reach a management point now, while ports change: those of the old site file, of the new one, both or
//! none.
//!
//! The flows that clients of either file use were tried and judged as those clients need them. By number they say who
//! reaches a management point (`numbers`), and by cause what is missing where (`words`); what was not proved stays
//! unknown.

mod closing;
mod numbers;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use closing::close_later;

use super::document::{ReportFlow, Vantage};
use crate::change::{ClientDoor, Of};
use crate::observation::FlowState;
use crate::verdict::{Cause, Judged, Level, Seen, Verdict};
use crate::words::words;

/// The other site file of a run, and what was seen of the flows of its clients and of the new one's.
pub struct Against<'a> {
    /// Its name.
    pub file: &'a str,
    /// The SHA-256 of it.
    pub sha256: &'a str,
    /// The zones that have clients.
    pub client_zones: Vec<String>,
    /// What clients here use, with what was seen of it.
    pub used: Vec<(ClientDoor, Seen, Judged)>,
    /// Systems of the old file that were not tried, because their zone is gone.
    pub lost: Vec<String>,
    /// The number of the step that closes a flow, by its id.
    pub closing: BTreeMap<String, usize>,
}

/// Which clients reach a management point, of two site files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reach {
    /// The old site file.
    pub against: String,
    /// SHA-256 of it.
    pub against_sha256: String,
    /// Whose clients reach a management point.
    pub reached_by: ReachedBy,
    /// The same in plain words, with what is missing where.
    pub paragraph: String,
    /// The clients' numbers.
    pub numbers: Vec<ReachedNumber>,
    /// What clients of either file use, one for each port and address of a system.
    pub systems: Vec<ReachedSystem>,
    /// Flows that clients of the old file need, and those of the new one do not, as those clients need them. What the
    /// new file needs or forbids stands in `flows` of the report, judged by the new file alone. One for each address.
    pub flows: Vec<ReportFlow>,
}

/// A number of clients, and the management points they reach with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReachedNumber {
    /// Port.
    pub port: u16,
    /// `http` or `https`.
    pub protocol: String,
    /// The file it is of.
    pub of: Of,
    /// Whether a management point is reached.
    pub reached: Reached,
    /// Management points that are reached.
    pub by: Vec<String>,
    /// Those that are not.
    pub not_by: Vec<String>,
    /// Those of which it is not known.
    pub unknown: Vec<String>,
}

/// A port of a system that clients use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReachedSystem {
    /// System.
    pub system: String,
    /// Its address, where it has several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// The roles at that port.
    pub roles: Vec<String>,
    /// The file that wants them there.
    pub of: Of,
    /// Port.
    pub port: u16,
    /// `http` or `https`.
    pub protocol: String,
    /// The flow.
    pub flow: String,
    /// Whether clients reach it.
    pub reached: Reached,
    /// The verdict on it, as those clients need it.
    pub verdict: Verdict,
    /// A heading of `docs/verdicts.md`.
    pub cause: Cause,
    /// What was seen: as `state` of a flow.
    pub state: FlowState,
}

words! {
    /// Whose clients reach a management point.
    ReachedBy {
        /// Those of both files.
        Both = "both",
        /// No client starts in the zone of this vantage.
        NoClientsHere = "no-clients-here",
        /// Only those of the new file.
        New = "new",
        /// Nobody's.
        None = "none",
        /// Only those of the old file.
        Old = "old",
        /// Of several old or new numbers some do.
        Some = "some",
        /// That is not proved of all.
        Unknown = "unknown",
    }
}

words! {
    /// Whether clients reach something.
    Reached {
        /// The service spoke as they need it.
        Yes = "yes",
        /// It is proved that they do not.
        No = "no",
        /// Neither is proved.
        Unknown = "unknown",
    }
}

/// A flow of clients with its verdict.
struct Tried {
    used: ClientDoor,
    flow: ReportFlow,
    reached: Reached,
    /// The address, where the system has several.
    address: Option<String>,
}

impl Tried {
    fn port(&self) -> u16 {
        self.used.flow.port.low
    }

    /// The port at which the system itself listens.
    fn own_port(&self) -> u16 {
        self.flow.flow.own_port.unwrap_or_else(|| self.port())
    }
}

/// What a verdict on a flow that clients require means for them. A finding that is only a warning proves nothing.
fn reached(flow: &ReportFlow) -> Reached {
    let is = |verdict: Verdict| flow.verdict == verdict;
    let fails = is(Verdict::Blocked) || is(Verdict::Down) || is(Verdict::Wrong);
    match () {
        () if is(Verdict::Ok) => Reached::Yes,
        () if fails && flow.level == Level::Error => Reached::No,
        () => Reached::Unknown,
    }
}

/// Tells who reaches what. `flows` are those of `against.used`, in its order. `here` are those of the new file that
/// start in this zone at numbers of clients or update points.
pub(super) fn reach(
    against: &Against<'_>,
    vantage: &Vantage,
    flows: Vec<ReportFlow>,
    here: &[&ReportFlow],
) -> Reach {
    let mut tried: Vec<Tried> = against
        .used
        .iter()
        .zip(flows)
        .map(|((used, ..), flow)| Tried {
            used: used.clone(),
            reached: reached(&flow),
            address: None,
            flow,
        })
        .collect();
    name_addresses(against, &mut tried);
    let numbers = numbers::numbers(&tried);
    let paragraph = match tried.is_empty() {
        true => words::no_clients(against, vantage, here),
        false => words::paragraph(against, vantage, &tried, &numbers),
    };
    Reach {
        against: against.file.to_string(),
        against_sha256: against.sha256.to_string(),
        reached_by: numbers::reached_by(&numbers),
        paragraph,
        numbers,
        systems: tried.iter().map(system).collect(),
        flows: tried
            .into_iter()
            .filter(|it| it.used.of == Of::Old)
            .map(|it| it.flow)
            .collect(),
    }
}

/// Tells the addresses of one system apart.
fn name_addresses(against: &Against<'_>, tried: &mut [Tried]) {
    let door = |used: &ClientDoor| (used.flow.to.clone(), used.flow.port, used.of);
    let doors: Vec<_> = tried.iter().map(|it| door(&it.used)).collect();
    for (it, (_, seen, _)) in tried.iter_mut().zip(&against.used) {
        let alike = doors.iter().filter(|other| **other == door(&it.used));
        if alike.count() > 1 {
            let address = seen.observations.first().and_then(|seen| seen.address);
            it.address = address.map(|address| address.to_string());
        }
    }
}

fn system(tried: &Tried) -> ReachedSystem {
    ReachedSystem {
        system: tried.flow.flow.to.system.clone(),
        address: tried.address.clone(),
        roles: tried.used.roles.iter().map(ToString::to_string).collect(),
        of: tried.used.of,
        port: tried.port(),
        protocol: tried.used.flow.protocol.to_string(),
        flow: tried.flow.flow.id.clone(),
        reached: tried.reached,
        verdict: tried.flow.verdict,
        cause: tried.flow.cause,
        state: tried.flow.state,
    }
}
