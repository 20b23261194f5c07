//! Resets that this host itself makes: a rule of its own firewall that rejects what leaves. They come back over loopback,
//! and the system counts what comes there.
//!
//! A round in which a reset came and nothing came over loopback shows that the network sent it. Where something did in
//! every round, and as good as nothing in pauses of the same length, it was this host. Else nothing is said.

use std::net::SocketAddr;
use std::time::Duration;

use super::Prober;
use super::once::once;
use crate::os::{self, Connection, Manner};

/// Rounds in which something has to come over loopback.
const ROUNDS: usize = 8;
/// Pauses in which something else may come there.
const MOST_NOISE: usize = 2;
/// The shortest pause.
const PAUSE: Duration = Duration::from_millis(2);
/// How long a reset of this host may take, on a busy machine.
const LIMIT: Duration = Duration::from_millis(500);

impl Prober {
    /// Which of these ports this host itself resets: their places in the list.
    pub async fn reset_here(&self, ports: &[SocketAddr]) -> Vec<usize> {
        let Some(before) = os::loopback_packets() else {
            return Vec::new();
        };
        for port in ports {
            if !self.resets_again(*port).await {
                break;
            }
        }
        if os::loopback_packets() == Some(before) {
            return Vec::new();
        }
        let mut own = Vec::new();
        for (place, port) in ports.iter().enumerate() {
            if self.is_reset_here(*port).await {
                own.push(place);
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
        let seen = once(self, port, Manner::default(), LIMIT).await;
        seen.is_some_and(|seen| matches!(seen.came, Some(Connection::Reset { .. })))
    }
}
