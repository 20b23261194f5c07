//! What an observation means for a need: one exhaustive table, and what proves that a closed door was knocked on.
//!
//! Pure: `judge` reads one observation and its `Context`; `worst` joins the addresses of one flow. The table is
//! that of `docs/verdicts.md`. What is said of each cause, there and in reports, is data: `causes.yaml`.

mod advertised;
mod cause;
mod causes;
mod clocks;
mod web_checks;
mod proof;
mod proxied;
mod published;
mod remedy;
mod table;

pub use advertised::compare_lists;
pub use cause::{Cause, Level, Owner, Verdict};
pub use causes::{SAID, Said, said_of};
pub use clocks::{Clocks, DateDoubt, OwnClock};
pub use proof::{Judged, first_firewall, host_answered, judge_addresses, judge_all};
pub use published::{PublishedOtherwise, compare_published, published_names};
pub use remedy::{Remedy, remedy};
pub use table::judge;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::Observation;
use crate::plan::{self, Flow};
use crate::words::words;

/// One flow with all that was seen of it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The flow.
    pub flow: Flow,
    /// Whether the vantage may start it.
    pub owner: plan::Owner,
    /// What was seen, one for each address.
    pub observations: Vec<Observation>,
}

/// What an observation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub cause: Cause,
    /// How much it matters.
    pub level: Level,
    /// Who has to act; `None` where nobody has.
    pub owner: Option<Owner>,
}

words! {
    /// What proves that the vantage could have reached a door that is closed; the better proof is the greater.
    Control {
        /// Something beyond the first firewall answered.
        Path = "path",
        /// From another vantage, at about the same time, the host answered.
        Joined = "joined",
        /// The same address answered in another way.
        Host = "host",
        /// The flow itself was reset or rejected.
        Itself = "self",
    }
}

/// What is known besides one observation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Context {
    /// The ends are in different zones.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub between_zones: bool,
    /// Only the watchlist forbids the flow, and its destination is in the same zone or in a less trusted one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mildly_forbidden: bool,
    /// The proof that the vantage could have knocked.
    pub control: Option<Control>,
    /// The same address answered this vantage in any way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub host_answered: bool,
    /// It did so with what no device in its place says: a reset, or words of its own, not just by opening a port.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub host_alive: bool,
    /// The last router, or this host itself, looked for the host and did not find it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub host_dead: bool,
    /// Whoever rejected the flow is the host itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_the_host: bool,
    /// The rejection bears the host's address, and a device on the way may have written it there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub perhaps_by_the_host: bool,
    /// Nothing at all answered this vantage, no router on the way either.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nothing_answered: bool,
    /// The same system answered at another address.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub other_address_answered: bool,
    /// Nothing answered over this family of addresses, no router on the way either, and over the other something did.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub family_unanswered: bool,
    /// What the silence of the destination's whole zone shows.
    #[serde(rename = "zone_silence", skip_serializing_if = "is_default")]
    pub zone: ZoneSilence,
    /// Where the packets vanish, as far as the walk of their path tells.
    #[serde(rename = "dropped_at", skip_serializing_if = "is_default")]
    pub dropped: DroppedAt,
    /// The control of this host answered once and no longer does, and its last answer came before this silence.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_off: bool,
    /// Another system starts this flow.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub in_stead: bool,
    /// The listener that answered stands in for another system, or at another port, than the flow leads to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub wrong_listener: bool,
    /// A listener at the other end saw the request arrive.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub request_arrived: bool,
    /// The flow travels inside IPsec between its two ends.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inside_ipsec: bool,
    /// The site file says that some who start the flow are Windows as of 2021, which has no SMB 1 by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub starts_modern: bool,
    /// What another vantage's report shows of the host.
    #[serde(skip_serializing_if = "is_default")]
    pub elsewhere: Elsewhere,
    /// Whether the dates that were seen mean what this host's clock makes of them.
    #[serde(skip_serializing_if = "is_default")]
    pub dates: DateDoubt,
}

/// What it shows that nothing of a zone answered, while a hop on the way there did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneSilence {
    /// Something of the zone answered, or no hop did.
    #[default]
    No,
    /// The one host that was tried is silent. It may be off, or hide behind a firewall of its own.
    OneHost,
    /// Several hosts are silent, which has one reason rather than several.
    SeveralHosts,
}

/// What another vantage saw of the host, at the same address, before the first try of the flow and after the last one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Elsewhere {
    /// Nothing that counts.
    #[default]
    Unseen,
    /// The host was alive.
    Alive,
    /// The service answered at this very port, across the border of the host's zone.
    Serves,
}

/// Who may have dropped the packets of a flow, by the place where they vanish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DroppedAt {
    /// The place is not known, or bounds neither firewalls nor host.
    #[default]
    Unknown,
    /// A firewall of the file; the packets never came to the host.
    Firewall,
    /// A firewall of the file or the host itself.
    FirewallOrHost,
    /// Behind every firewall of the file: the host itself, or what the file does not name.
    BehindFirewalls,
}

/// Whether a value says nothing, so that a file need not have it.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Verdict {
    /// Whether something is wrong.
    pub fn fails(self) -> bool {
        match self {
            Self::Blocked | Self::Down | Self::Wrong | Self::Exposed => true,
            Self::Ok | Self::Unknown => false,
        }
    }

    /// How bad it is compared with others.
    pub fn severity(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Unknown => 1,
            Self::Exposed => 2,
            Self::Down => 3,
            Self::Wrong => 4,
            Self::Blocked => 5,
        }
    }
}

/// The worst of the judgements of one flow's addresses, with its number.
pub fn worst(all: &[Judgement]) -> Option<(usize, Judgement)> {
    let rank = |judgement: &Judgement| judgement.verdict.severity();
    all.iter()
        .copied()
        .enumerate()
        .max_by(|(a, x), (b, y)| (rank(x), x.level, b).cmp(&(rank(y), y.level, a)))
}
