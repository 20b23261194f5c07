//! What a server said the time is.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a server said the time is, and when that came, by this host's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerClock {
    /// The server's time.
    #[schemars(with = "String")]
    pub says: Timestamp,
    /// This host's time.
    #[schemars(with = "String")]
    pub at: Timestamp,
}

impl ServerClock {
    /// How far the server's clock is ahead of this host's; negative: behind.
    pub fn ahead(self) -> SignedDuration {
        self.says.duration_since(self.at)
    }
}
