//! Spreads connection attempts over time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Hands out the moments at which attempts may leave.
pub(super) struct Pace {
    gap: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(rate: Option<u32>) -> Self {
        Self {
            gap: rate.map(|rate| Duration::from_secs(1) / rate.max(1)),
            next: Mutex::new(None),
        }
    }

    /// Waits for the next moment.
    pub(super) async fn turn(&self) {
        let Some(gap) = self.gap else { return };
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + gap);
            at
        };
        sleep_until(at).await;
    }
}
