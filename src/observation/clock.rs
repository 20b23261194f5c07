//! What a server said the time is.

use jiff::{SignedDuration, Timestamp};

/// What a server said the time is, and when that came, by this host's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    /// The server's time.
    pub says: Timestamp,
    /// This host's time.
    pub at: Timestamp,
}

impl ServerClock {
    /// How far the server's clock is ahead of this host's; negative: behind.
    pub fn ahead(self) -> SignedDuration {
        self.says.duration_since(self.at)
    }
}
