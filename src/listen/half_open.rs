//! Connections that were asked for, and whose answer nobody acknowledged: the way back is shut.
//!
//! The system keeps such a connection for about a minute and shows it in its tables. Every connection is half open for
//! one round trip, so only what stays so for a second is noted.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::arrivals::What;
use super::{Listener, Met};
use crate::os;
use crate::product::Transport;

/// How often the tables are read.
const EVERY: Duration = Duration::from_millis(300);
/// How long a connection is half open before that says anything: longer than any round trip.
const AT_LEAST: Duration = Duration::from_secs(1);
/// The most half-open connections that are followed at once.
const MOST: usize = 4_096;

/// One half-open connection: this end and the other.
type Pair = (SocketAddr, SocketAddr);

/// When a pair was first seen, and whether it has been noted.
struct Since {
    at: Timestamp,
    instant: Instant,
    noted: bool,
}

/// Watches until it is dropped; ends where the system does not show such connections.
pub(super) async fn watch(listener: Arc<Listener>, locals: HashSet<SocketAddr>) {
    let mut followed: HashMap<Pair, Since> = HashMap::new();
    loop {
        let Ok(Some(pairs)) = tokio::task::spawn_blocking(os::half_open).await else {
            return;
        };
        let ours = pairs
            .into_iter()
            .filter(|(local, _)| locals.contains(local));
        for (local, remote) in stayed(&mut followed, ours.collect()) {
            let at = followed.get(&(local, remote)).map(|since| since.at);
            let met = Met {
                at: at.unwrap_or_else(Timestamp::now),
                transport: Transport::Tcp,
                local,
                remote,
            };
            listener.note(&met, What::HalfOpen);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Takes in what is half open now; what has just been so for long enough comes back, each once.
fn stayed(followed: &mut HashMap<Pair, Since>, now: HashSet<Pair>) -> Vec<Pair> {
    followed.retain(|pair, _| now.contains(pair));
    let mut stayed = Vec::new();
    for pair in now {
        if let Some(since) = followed.get_mut(&pair) {
            if !since.noted && since.instant.elapsed() >= AT_LEAST {
                since.noted = true;
                stayed.push(pair);
            }
        } else if followed.len() < MOST {
            let since = Since {
                at: Timestamp::now(),
                instant: Instant::now(),
                noted: false,
            };
            followed.insert(pair, since);
        }
    }
    stayed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_half_open_is_noted_once_and_what_passes_is_not() {
        let pair = |port: u16| -> Pair {
            (
                ([192, 0, 2, 10], 443).into(),
                ([198, 51, 100, 1], port).into(),
            )
        };
        let mut followed = HashMap::new();
        assert_eq!(stayed(&mut followed, [pair(1), pair(2)].into()), []);
        for since in followed.values_mut() {
            since.instant = Instant::now().checked_sub(AT_LEAST).expect("an uptime");
        }
        assert_eq!(stayed(&mut followed, [pair(2), pair(3)].into()), [pair(2)]);
        assert_eq!(stayed(&mut followed, [pair(2), pair(3)].into()), []);
        assert_eq!(followed.len(), 2, "the first was acknowledged");
    }
}
