//! How a verdict looks: a word, a sign, and a class that the style sheet gives a colour and a pattern.

use crate::report::document::ReportFlow;
use crate::verdict::Verdict;

/// How a flow looks. The later, the worse: a line of several flows looks like the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// As it must be.
    Ok,
    /// Accepted by an exception.
    Accepted,
    /// Not proved.
    Unknown,
    /// Open, and must be closed.
    Exposed,
    /// Passes, and nobody listens.
    Down,
    /// Something unsuitable answers.
    Wrong,
    /// The network stops it.
    Blocked,
}

impl Look {
    pub(in crate::report) const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Wrong,
        Self::Down,
        Self::Exposed,
        Self::Unknown,
        Self::Accepted,
        Self::Ok,
    ];

    /// How a flow of a report looks.
    pub fn of(flow: &ReportFlow) -> Self {
        match flow.accepted {
            Some(_) => Self::Accepted,
            None => Self::of_verdict(flow.verdict),
        }
    }

    /// How a flow looks that no exception accepts.
    pub fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok => Self::Ok,
            Verdict::Unknown => Self::Unknown,
            Verdict::Exposed => Self::Exposed,
            Verdict::Down => Self::Down,
            Verdict::Wrong => Self::Wrong,
            Verdict::Blocked => Self::Blocked,
        }
    }

    /// Its word, which is also its class.
    pub(in crate::report) fn word(self) -> &'static str {
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
    pub(in crate::report) fn sign(self) -> char {
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
    pub(in crate::report) fn means(self) -> &'static str {
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
