//! What goes into the history together with a run: what is remembered of each flow, and messages for people.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Kept;
use super::database::{Error, Row, Sql};

/// The words for what is remembered of the flows of a check.
pub(super) const REMEMBERED: &str = "SELECT flow, what FROM remembered WHERE of_check = ?1";

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

/// A check that is there no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its name.
    pub check: String,
    /// The site and the place of its last report; `None`: it has none.
    pub seen: Option<(String, String)>,
    /// What was remembered of its flows.
    pub remembered: BTreeMap<String, String>,
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

/// What is remembered of each flow of a check.
pub(super) fn remembered(
    sql: &mut dyn Sql,
    check: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let rows = sql.rows(REMEMBERED, &[check.into()])?;
    rows.iter().map(of_flow).collect()
}

pub(super) fn of_flow(row: &Row) -> Result<(String, String), Error> {
    Ok((row.get(0)?, row.get(1)?))
}

/// Queues messages behind those that wait.
pub(super) fn queue(sql: &mut dyn Sql, messages: Vec<Queued>, now: Timestamp) -> Result<(), Error> {
    for message in messages {
        sql.execute(
            "INSERT INTO message (channel, body, made, due) VALUES (?1, ?2, ?3, ?3)",
            &[
                message.channel.into(),
                message.body.into(),
                now.to_string().into(),
            ],
        )?;
    }
    Ok(())
}
