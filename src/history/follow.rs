//! What goes into the history together with a run: what is remembered of each flow, and messages for people.

use std::collections::BTreeMap;

use super::Kept;

/// A run that belongs to a check which goes on for months.
pub trait Follow {
    /// The name of the check.
    fn check(&self) -> &str;

    /// From what a run came to, and what was remembered of each flow, to what is to be remembered and told.
    fn follow(&self, run: i64, kept: &Kept<'_>, remembered: BTreeMap<String, String>) -> Followed;
}

/// What comes of a run that is followed.
pub struct Followed {
    /// Of each flow by its id, what is to be remembered.
    pub remembered: BTreeMap<String, String>,
    /// Messages that are to be told.
    pub queued: Vec<Queued>,
}

/// A message for a channel.
pub struct Queued {
    /// The name of the channel.
    pub channel: String,
    /// The message.
    pub body: String,
}

/// A message that is not taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// The message.
    pub body: String,
    /// When it was queued, RFC 3339.
    pub made: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next, RFC 3339.
    pub due: String,
}
