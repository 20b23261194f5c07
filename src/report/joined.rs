//! What a report has beyond the flows of one vantage, so that those of several can be joined. It has the starts of
//! flows that this vantage could not try. Where reports are joined, it has whose word each flow's is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::Summary;
use crate::observation::FlowState;
use crate::plan::{Plan, Source};
use crate::site::{Origin, Site};
use crate::verdict::{Cause, Level, Verdict};
use crate::words::words;

/// A start of flows that are not tried from this vantage's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Elsewhere {
    /// Zone.
    pub zone: String,
    /// System, when only it may start them.
    pub system: Option<String>,
    /// How many flows start there.
    pub flows: usize,
}

/// Where flows of a plan start that are tried elsewhere, each start with how many of them do. Counted are these flows,
/// and what stays forbidden without being spread out.
pub fn elsewhere(site: &Site, plan: &Plan, flows: &[usize]) -> Vec<Elsewhere> {
    let mut starts: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
    let flows = flows.iter().map(|number| &plan.flows[*number]);
    let flows = flows.map(|flow| (flow.start(site), flow.from, 1));
    let forbidden = plan.forbidden.iter();
    let forbidden = forbidden.map(|it| (it.start(site), it.from, it.ports.len()));
    for (zone, from, flows) in flows.chain(forbidden) {
        let system = match from {
            Origin::Zone(_) => None,
            Origin::System(system) => Some(site.systems[system].name.clone()),
        };
        let zone = site.zones[zone].name.clone();
        *starts.entry((zone, system)).or_default() += flows;
    }
    let start = |((zone, system), flows)| Elsewhere {
        zone,
        system,
        flows,
    };
    starts.into_iter().map(start).collect()
}

/// What one vantage says of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Its place in `vantages`, from 0.
    pub vantage: usize,
    /// State on the wire.
    pub state: FlowState,
    /// Verdict.
    pub verdict: Verdict,
    /// Cause.
    pub cause: Cause,
    /// Level.
    pub level: Level,
    /// When it was tried last, RFC 3339; `null` when it was not.
    pub at: Option<String>,
}

/// A flow of which two vantages say different things, each with proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contradiction {
    /// The flow's id.
    pub flow: String,
    /// The answers, the one that counts first.
    pub answers: Vec<Answer>,
}

/// Which flows no one has tried who may start them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// SHA-256 of the site file that the flows were taken from; `null`: the reports alone tell, and not all that they tell
    /// has an id.
    pub config_sha256: Option<String>,
    /// Flows that were tried.
    pub tried: usize,
    /// Flows that were not: at least so many.
    pub untried: usize,
    /// Those, by where they start.
    pub starts: Vec<Untried>,
}

/// Flows of one start that no one has tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Untried {
    /// Zone; `null` where the reports do not tell.
    pub zone: Option<String>,
    /// System, when only it may start them.
    pub system: Option<String>,
    /// Why.
    pub why: WhyUntried,
    /// How many.
    pub flows: usize,
    /// Their ids, as far as they are known.
    pub ids: Vec<String>,
}

words! {
    /// Why flows were not tried.
    WhyUntried {
        /// Only others tried them.
        InStead = "in-stead",
        /// Those who ran there left them out.
        LeftOut = "left-out",
        /// Nothing was run there.
        NoReport = "no-report",
        /// They were skipped.
        NotTried = "not-tried",
    }
}

/// The verdicts from one start to one system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatrixCell {
    /// Where the flows start.
    pub from: Source,
    /// The system that they lead to.
    pub to: String,
    /// By verdict.
    pub flows: Summary,
    /// Flows of the site file that are in no report.
    pub untried: usize,
}

/// What shows that a host was alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alive {
    /// The vantage that it answered, as a place in `vantages`; `null`: it listened itself.
    pub vantage: Option<usize>,
    /// When, RFC 3339.
    pub at: String,
    /// The address at which it answered; `null`: it ran this program itself.
    pub address: Option<String>,
    /// In words.
    pub words: String,
}

/// What a listener at the other end saw of a flow's tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Arrived {
    /// What it saw.
    pub what: Saw,
    /// The listener's host name.
    pub host: String,
    /// In words.
    pub words: String,
    /// The arrivals that match, the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub seen: Vec<SeenArriving>,
}

/// One arrival that matches a try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenArriving {
    /// When, by the listener's clock.
    pub at: String,
    /// Where it came from, as the listener saw it.
    pub remote: String,
    /// How it is known to be this flow's.
    pub by: KnownBy,
}

words! {
    /// What a listener saw of a flow's tries.
    Saw {
        /// No packet came.
        Nothing = "nothing",
        /// A request came.
        Request = "request",
    }
}

words! {
    /// How a packet that arrived is known to be that of a try; the later, the surer.
    KnownBy {
        /// It came at the same time, which is no proof.
        Time = "time",
        /// It came from the same source port; the address was translated.
        Port = "port",
        /// It came from the very source address and port.
        Source = "source",
        /// It proved the token of the run.
        Run = "run",
    }
}
