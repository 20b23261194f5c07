//! What an observation means for a need: one exhaustive table, and what proves that a closed door was knocked on.
//!
//! Pure: `judge` reads one observation and its `Context`; `worst` joins the addresses of one flow. The table is
//! that of `docs/verdicts.md`; a test compares the causes.

mod cause;
mod closer;
mod proof;
mod proxied;
mod table;

pub use cause::{Cause, Level, Owner, Verdict};
pub use proof::{Judged, Seen, judge_all};
pub use table::judge;

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

/// What proves that the vantage could have reached a door that is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Control {
    /// Something beyond the first firewall answered.
    Path,
    /// The same address answered in another way.
    Host,
    /// The flow itself was reset or rejected.
    Itself,
}

/// What is known beside one observation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// The ends are in different zones.
    pub between_zones: bool,
    /// The destination is in a less trusted zone and only the watchlist forbids the flow.
    pub mildly_forbidden: bool,
    /// The proof that the vantage could have knocked.
    pub control: Option<Control>,
    /// The same address answered this vantage in any way.
    pub host_answered: bool,
    /// The last router, or this host itself, looked for the host and did not find it.
    pub host_dead: bool,
    /// Whoever rejected the flow is the host itself.
    pub by_the_host: bool,
    /// Nothing at all answered this vantage.
    pub nothing_answered: bool,
    /// The control of this host answered once and no longer does, and its last answer came before this silence.
    pub cut_off: bool,
    /// Another system starts this flow.
    pub in_stead: bool,
    /// The flow travels inside IPsec between its two ends.
    pub inside_ipsec: bool,
}

/// The worst of the judgements of one flow's addresses, with its number.
pub fn worst(all: &[Judgement]) -> Option<(usize, Judgement)> {
    let rank = |judgement: &Judgement| match judgement.verdict {
        Verdict::Ok => 0,
        Verdict::Unknown => 1,
        Verdict::Exposed => 2,
        Verdict::Down => 3,
        Verdict::Wrong => 4,
        Verdict::Blocked => 5,
    };
    all.iter()
        .copied()
        .enumerate()
        .max_by(|(a, x), (b, y)| (rank(x), x.level, b).cmp(&(rank(y), y.level, a)))
}
