//! What this host's own firewall does to packets that leave.
//!
//! 1. A rule that rejects with a reset: it comes back over loopback, and the system counts what comes there. Where nothing
//!    did since the run began, no reset was this host's. Else ports are asked again, a group at once. Where a group resets
//!    and nothing comes over loopback, the network sent all of its resets. Each port of the other groups is asked in
//!    rounds. One in which nothing came over loopback shows that the network sent the reset. Where something did in every
//!    round, and as good as nothing in pauses of the same length, it was this host.
//! 2. A rule that drops: TCP gets no error, but the system counts repeats that could not leave. A try is watched until its
//!    packet has been repeated once. Where the count grows in each round, and not in pauses of the same length, this host
//!    drops it.
//!
//! Else nothing is said.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;

use super::Prober;
use super::try_once::once;
use crate::os::{self, Connection, Manner};

/// Ports that are asked at once.
const GROUP: usize = 16;
/// Rounds in which something has to come over loopback.
const ROUNDS: usize = 8;
/// Pauses in which something else may come there.
const MOST_NOISE: usize = 2;
/// The shortest pause.
const PAUSE: Duration = Duration::from_millis(2);
/// How long a reset of this host may take, on a busy machine.
const LIMIT: Duration = Duration::from_millis(500);

/// How long a try is watched: the system repeats its packet after a second.
const REPEATED: Duration = Duration::from_millis(1_300);
/// Rounds in which a repeat has to stay here.
const REPEATS: usize = 2;
/// Silent ports that are tried for being dropped here.
const MOST: usize = 16;

impl Prober {
    /// Which of these silent ports this host itself drops: their places in the list.
    pub async fn dropped_here(&self, ports: &[SocketAddr]) -> Vec<usize> {
        let ports = &ports[..ports.len().min(MOST)];
        let Some(before) = os::repeats_kept_here().filter(|_| !ports.is_empty()) else {
            return Vec::new();
        };
        join_all(ports.iter().map(|port| self.repeat(*port))).await;
        if os::repeats_kept_here() == Some(before) {
            return Vec::new();
        }
        let mut own = Vec::new();
        for (place, port) in ports.iter().enumerate() {
            if self.is_dropped_here(*port).await {
                own.push(place);
            }
        }
        own
    }

    async fn is_dropped_here(&self, port: SocketAddr) -> bool {
        for _ in 0..REPEATS {
            let before = os::repeats_kept_here();
            self.repeat(port).await;
            let after = os::repeats_kept_here();
            if before == after || !self.pause(REPEATED).await {
                return false;
            }
            if os::repeats_kept_here() != after {
                return false;
            }
        }
        true
    }

    /// Tries once, for as long as the system needs to repeat the packet.
    async fn repeat(&self, port: SocketAddr) {
        once(self, port, Manner::default(), REPEATED).await;
    }

    /// Which of these ports this host itself resets: their places in the list. `at_first`: what had come over loopback
    /// before they were tried.
    pub async fn reset_here(&self, ports: &[SocketAddr], at_first: Option<u64>) -> Vec<usize> {
        let now = os::loopback_packets();
        if now.is_none() || now == at_first {
            return Vec::new();
        }
        let mut own = Vec::new();
        for (number, group) in ports.chunks(GROUP).enumerate() {
            let before = os::loopback_packets();
            join_all(group.iter().map(|port| self.resets_again(*port))).await;
            if os::loopback_packets() == before {
                continue;
            }
            for (place, port) in group.iter().enumerate() {
                if self.is_reset_here(*port).await {
                    own.push(number * GROUP + place);
                }
            }
        }
        own
    }

    async fn is_reset_here(&self, port: SocketAddr) -> bool {
        let mut noise = 0;
        for _ in 0..ROUNDS {
            let before = os::loopback_packets();
            if !self.resets_again(port).await {
                return false;
            }
            let after = os::loopback_packets();
            if before == after {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
            noise += usize::from(os::loopback_packets() != after);
        }
        noise <= MOST_NOISE
    }

    /// Whether a port resets once more, and as quickly as this host itself would.
    async fn resets_again(&self, port: SocketAddr) -> bool {
        if self.spaced().await.is_err() {
            return false;
        }
        let seen = once(self, port, Manner::default(), LIMIT).await;
        seen.is_some_and(|seen| matches!(seen.came, Some(Connection::Reset { .. })))
    }
}
