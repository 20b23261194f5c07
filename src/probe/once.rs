//! One try with a limit of time, for whatever looks closer at a port that has been knocked at already.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Prober;
use crate::os::{self, Connection, Manner};

/// How one try ended.
pub(super) struct Once {
    /// This end, when known.
    pub(super) local: Option<SocketAddr>,
    /// What came; `None`: nothing within the limit.
    pub(super) came: Option<Connection>,
    /// How long it took.
    pub(super) took: Duration,
}

impl Once {
    pub(super) fn took_ms(&self) -> f64 {
        super::millis(self.took)
    }
}

/// Tries once; `None` when the run was stopped.
pub(super) async fn once(
    prober: &Prober,
    remote: SocketAddr,
    manner: Manner,
    limit: Duration,
) -> Option<Once> {
    let mut stop = prober.stop.clone();
    let attempt = async {
        let slots = prober.learnt().slots(remote.ip(), prober.limits.per_host);
        let _slot = slots.acquire().await;
        prober.pace.turn().await;
        let local = Mutex::new(None);
        let began = |address| *local.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        let started = Instant::now();
        let came = tokio::time::timeout(limit, os::connect(remote, manner, began)).await;
        let took = started.elapsed();
        let local = *local.lock().unwrap_or_else(PoisonError::into_inner);
        Once {
            local,
            came: came.ok(),
            took,
        }
    };
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => None,
        once = attempt => Some(once),
    }
}
