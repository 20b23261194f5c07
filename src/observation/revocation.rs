//! What a revocation list was found to be, as plain data.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ServerClock;
use crate::words::words;

/// A revocation list as it was fetched, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListSeen {
    /// The address that was asked first.
    pub url: String,
    /// The certificates that name it, by their subjects; none: the site file or another list does.
    pub named_by: Vec<String>,
    /// The lists to which it adds what changed since, by their addresses; none: it is complete.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub adds_to: Vec<String>,
    /// What stands in it; `None` when none came.
    #[serde(flatten)]
    pub list: Option<ListContent>,
    /// Every fault in words, the worst first.
    pub faults: Vec<String>,
    /// What the server said the time is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clock: Option<ServerClock>,
}

/// What stands in a revocation list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListContent {
    /// Who issued it.
    pub issuer: String,
    /// When it was issued.
    #[schemars(with = "Option<String>")]
    pub this_update: Option<Timestamp>,
    /// When the next is due.
    #[schemars(with = "Option<String>")]
    pub next_update: Option<Timestamp>,
    /// How many certificates it revokes.
    pub entries: usize,
    /// Its size in bytes.
    pub bytes: usize,
}

/// Why a revocation list is of no use to clients. The order of the variants is that of their weight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListFault {
    /// It is no list, or not the authority's.
    Invalid,
    /// It is larger than any client would read.
    TooLarge,
    /// The next was due and has not come.
    Expired,
    /// It has not begun, or a clock is wrong.
    NotYetValid,
    /// The server sends elsewhere: to HTTPS, to another host, or for ever.
    Redirected,
    /// The server answers, without the list: this status.
    Missing(u16),
    /// It is one of what changed since another list, which clients have, and of no use beside that.
    Delta(DeltaFault),
}

words! {
    /// Why a list of what changed since another is of no use. The order of the variants is that of their weight.
    DeltaFault {
        /// It is none of the authority, or does not go with the other list.
        Invalid = "invalid",
        /// The next was due and has not come, or it has not begun.
        Expired = "expired",
        /// It is not to be had.
        Missing = "missing",
    }
}
