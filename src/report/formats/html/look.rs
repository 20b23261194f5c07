//! How a verdict looks: a word, a sign, and a class that the style sheet gives a colour and a pattern.

use crate::report::document::ReportFlow;
use crate::verdict::Verdict;

/// How a flow looks. The later, the worse: a line of several flows looks like the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    Ok,
    Accepted,
    Unknown,
    Exposed,
    Down,
    Wrong,
    Blocked,
}

impl Look {
    pub(super) const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Wrong,
        Self::Down,
        Self::Exposed,
        Self::Unknown,
        Self::Accepted,
        Self::Ok,
    ];

    pub(super) fn of(flow: &ReportFlow) -> Self {
        match (&flow.accepted, flow.verdict) {
            (Some(_), _) => Self::Accepted,
            (None, Verdict::Ok) => Self::Ok,
            (None, Verdict::Unknown) => Self::Unknown,
            (None, Verdict::Exposed) => Self::Exposed,
            (None, Verdict::Down) => Self::Down,
            (None, Verdict::Wrong) => Self::Wrong,
            (None, Verdict::Blocked) => Self::Blocked,
        }
    }

    /// Its word, which is also its class.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::Exposed => "exposed",
            Self::Down => "down",
            Self::Wrong => "wrong",
            Self::Blocked => "blocked",
        }
    }

    /// A sign that is told apart without colours.
    pub(super) fn sign(self) -> char {
        match self {
            Self::Ok => '\u{2713}',
            Self::Accepted => '~',
            Self::Unknown => '?',
            Self::Exposed => '!',
            Self::Down => '\u{25cb}',
            Self::Wrong => '\u{2260}',
            Self::Blocked => '\u{2715}',
        }
    }

    /// What it means, in a few words.
    pub(super) fn means(self) -> &'static str {
        match self {
            Self::Ok => "as it must be",
            Self::Accepted => "accepted by an exception",
            Self::Unknown => "not proved",
            Self::Exposed => "open, and must be closed",
            Self::Down => "passes, and nobody listens",
            Self::Wrong => "something unsuitable answers",
            Self::Blocked => "the network stops it",
        }
    }
}
