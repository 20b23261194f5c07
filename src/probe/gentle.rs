//! The gentle manner: on a server that others use, no knock may set off a device that watches for scans.
//!
//! 1. Needed flows are asked one after another, with no more than two connections at once.
//! 2. Forbidden ports are knocked at one by one, with `SPACING` between them. Devices that shut a source out count how
//!    many ports refuse it in a minute.
//! 3. Ports that nobody uses are not tried.
//! 4. After a silent forbidden port, a port that has answered is asked whether it still does. Where it does not, a device
//!    has begun to shut this host out: no other forbidden port is knocked at in this run.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::pace::Pace;
use super::try_once::{ONE_PACKET, once};
use super::{Limits, Prober};
use crate::observation::NotTried;
use crate::os::{Connection, Manner};

/// The time between two forbidden ports: fewer than eight a minute. A device that shut out after ten refused ports a
/// minute was measured.
pub const SPACING: Duration = Duration::from_secs(8);
/// Needed questions at once.
const QUESTIONS: usize = 1;
/// Connections to one address at once.
const CONNECTIONS: usize = 2;
/// Knocks at a port that has answered, before a device is said to shut this host out.
const KNOCKS: usize = 3;

/// The spacing of forbidden knocks, and whether they have ended.
pub(super) struct Gentle {
    pace: Pace,
    shut_out: AtomicBool,
}

impl Gentle {
    pub(super) fn new() -> Self {
        Self {
            pace: Pace::every(SPACING),
            shut_out: AtomicBool::new(false),
        }
    }
}

impl Limits {
    /// The same for a run that must not disturb.
    #[must_use]
    pub fn gentle(self) -> Self {
        Self {
            in_flight: self.in_flight.min(QUESTIONS),
            per_host: self.per_host.min(CONNECTIONS),
            gentle: true,
            ..self
        }
    }
}

impl Prober {
    /// Whether nothing may set off a device that watches for scans.
    pub fn is_gentle(&self) -> bool {
        self.gentle.is_some()
    }

    /// Waits for the turn of a forbidden port.
    ///
    /// # Errors
    /// Why it must not be tried.
    pub(super) async fn spaced(&self) -> Result<(), NotTried> {
        let Some(gentle) = &self.gentle else {
            return Ok(());
        };
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Err(NotTried::Interrupted),
            () = gentle.pace.turn() => {}
        }
        match gentle.shut_out.load(Ordering::Relaxed) {
            true => Err(NotTried::ShutOut),
            false => Ok(()),
        }
    }

    /// A forbidden port of an address was silent: whether that is a device that shuts this host out.
    pub(super) async fn look_for_a_shun(&self, address: IpAddr) {
        let witness = self.measured().book.witness(address);
        let (Some(gentle), Some(witness)) = (&self.gentle, witness) else {
            return;
        };
        if !self.still_answers(witness).await {
            tracing::debug!(%witness, "no longer answers: no other forbidden port is tried");
            gentle.shut_out.store(true, Ordering::Relaxed);
        }
    }

    async fn still_answers(&self, witness: SocketAddr) -> bool {
        for _ in 0..KNOCKS {
            let Some(seen) = once(self, witness, Manner::default(), ONE_PACKET).await else {
                return true;
            };
            if !matches!(seen.came, None | Some(Connection::Rejected { .. })) {
                return true;
            }
        }
        false
    }
}
