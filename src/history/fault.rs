//! Why a history cannot be used, in words.

use std::fmt;

use super::database::Error;
use super::location::Location;

/// Why a history cannot be used. The first text of each is its place, without a password.
#[derive(Debug)]
pub enum Fault {
    /// There is none there.
    Missing(String),
    /// Another daemon uses it.
    Taken(String),
    /// A newer version wrote it.
    Newer(String),
    /// The database says so.
    Database(String, String),
    /// A report in it cannot be read.
    Report(i64, String),
}

impl Fault {
    /// What the database of a place said.
    pub(super) fn of(at: &Location, why: Error) -> Self {
        match why {
            Error::Newer => Self::Newer(at.to_string()),
            why => Self::Database(at.to_string(), why.to_string()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(at) => write!(
                to,
                "there is no history in {at}: `portproof check --keep {at}` begins one"
            ),
            Self::Taken(at) => write!(to, "another `portproof serve` uses the history in {at}"),
            Self::Newer(at) => write!(
                to,
                "the history in {at} was written by a newer version of portproof; use that one"
            ),
            Self::Database(at, why) => write!(to, "the history in {at}: {why}"),
            Self::Report(id, why) => write!(to, "the report of run {id} cannot be read: {why}"),
        }
    }
}

impl std::error::Error for Fault {}
