//! Spreads packets that begin connections over time, so that no second has more of them than the rate allows.
//!
//! Whoever is to send waits in line; one moment is handed out at a time. The system repeats
//! the packet of a try that is still waited for. Such a packet is booked, and moves the next moment. What left is counted
//! by `sent`.

use std::sync::{self, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::Limits;
use super::sent::Sending;

/// How late a moment may be used, and how long after it a packet may leave on a busy host. Moments are so much further
/// apart that this puts no more packets into any second.
const SLACK: f64 = 0.1;

/// Hands out the moments at which attempts may leave.
pub(super) struct Pace {
    line: Mutex<()>,
    turns: sync::Mutex<Turns>,
    /// What has left.
    pub(super) sent: Sending,
}

struct Turns {
    gap: Option<Duration>,
    next: Option<Instant>,
}

impl Turns {
    /// Takes the next moment, if it has come; else when it comes. What came late may be used a little later.
    fn take(&mut self, gap: Duration, now: Instant) -> Result<(), Instant> {
        let at = self.next.unwrap_or(now);
        if at > now {
            return Err(at);
        }
        let earliest = now.checked_sub(Duration::from_secs_f64(SLACK / 4.0));
        self.next = Some(at.max(earliest.unwrap_or(now)) + gap);
        Ok(())
    }
}

impl Pace {
    /// One that hands out so many moments a second; `None`: any number.
    pub(super) fn new(rate: Option<u32>) -> Self {
        Self::of(rate.map(gap_of))
    }

    /// One that hands out a moment each so often.
    pub(super) fn every(gap: Duration) -> Self {
        Self::of(Some(gap))
    }

    fn of(gap: Option<Duration>) -> Self {
        Self {
            line: Mutex::new(()),
            turns: sync::Mutex::new(Turns { gap, next: None }),
            sent: Sending::new(),
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
        if self.is_free() {
            return;
        }
        let _first_in_line = self.line.lock().await;
        while let Err(at) = self.take() {
            sleep_until(at).await;
        }
    }

    /// Takes in a packet that the system has repeated, without a turn.
    pub(super) fn book(&self) {
        self.sent.repeat();
        let mut turns = self.turns();
        if let Some(gap) = turns.gap {
            let now = Instant::now();
            turns.next = Some(turns.next.map_or(now, |next| next.max(now)) + gap);
        }
    }

    fn take(&self) -> Result<(), Instant> {
        let mut turns = self.turns();
        match turns.gap {
            Some(gap) => turns.take(gap, Instant::now()),
            None => Ok(()),
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limits {
    /// Packets a second that leave at the most, with the room that is left between them; `None`: no limit.
    pub fn speed(&self) -> Option<f64> {
        self.rate.map(|rate| f64::from(rate) / (1.0 + SLACK))
    }
}

fn gap_of(rate: u32) -> Duration {
    Duration::from_secs_f64((1.0 + SLACK) / f64::from(rate.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_second_has_more_than_the_rate_with_all_that_is_booked() {
        const RATE: u32 = 200;
        let pace = Pace::new(Some(RATE));
        let mut sent: Vec<Instant> = Vec::new();
        for number in 0..300 {
            pace.turn().await;
            sent.push(Instant::now());
            if number % 3 == 0 {
                pace.book();
                sent.push(Instant::now());
            }
        }
        let within = |first: &Instant| {
            let second = *first + Duration::from_secs(1);
            sent.iter()
                .filter(|at| *at >= first && **at < second)
                .count()
        };
        let busiest = sent.iter().map(within).max();
        assert!(busiest <= Some(RATE as usize), "{busiest:?}");
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_takes_no_turn() {
        let pace = Pace::new(Some(2));
        pace.turn().await;
        let began = Instant::now();
        let given_up = tokio::time::timeout(Duration::from_millis(10), pace.turn());
        assert!(given_up.await.is_err());
        let next = pace.turns().next.expect("a moment");
        assert!(next < began + Duration::from_millis(600), "{next:?}");
    }
}
