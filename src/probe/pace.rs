//! Spreads connection attempts over time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Hands out the moments at which attempts may leave.
pub(super) struct Pace {
    turns: Mutex<Turns>,
}

struct Turns {
    gap: Option<Duration>,
    next: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Option<u32>) -> Self {
        let gap = rate.map(gap_of);
        Self {
            turns: Mutex::new(Turns { gap, next: None }),
        }
    }

    /// From now on hands out no more than so many moments a second.
    pub(super) fn slow_down(&self, rate: u32) {
        let mut turns = self.turns();
        turns.gap = turns.gap.max(Some(gap_of(rate)));
    }

    /// Whether nothing has to be waited for.
    pub(super) fn is_free(&self) -> bool {
        self.turns().gap.is_none()
    }

    /// Waits for the next moment.
    pub(super) async fn turn(&self) {
        let at = {
            let mut turns = self.turns();
            let Some(gap) = turns.gap else { return };
            let now = Instant::now();
            let at = turns.next.map_or(now, |next| next.max(now));
            turns.next = Some(at + gap);
            at
        };
        sleep_until(at).await;
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gap_of(rate: u32) -> Duration {
    Duration::from_secs(1) / rate.max(1)
}
