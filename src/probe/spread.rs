//! Knocks from several source ports at a port that is open: networks choose paths, cluster nodes and the firewalls of a
//! pair by the source port, and one of them may lack the rule.
//!
//! 1. Each fresh port gets one knock. One that stays silent is knocked from again, with waits that grow up to the user's
//!    time-out, so that a slower path is not taken for a blocked one.
//! 2. A source port counts as blocked only when silence on that very port is proof, or when it was refused again and
//!    again, and when it stays so in turn with fresh ports that open: what shuts this host out altogether, or drops
//!    everything for a while, is no matter of the source port.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::Prober;
use super::knock::is_to_itself;
use super::once::{Once, once};
use crate::observation::SourcePorts;
use crate::os::{Connection, Manner};

/// How many source ports are tried, that of the first knock among them. One of two paths that is blocked stays unseen in 1 of 32,768 runs.
pub const PORTS: usize = 16;
/// How many of them at once.
const AT_ONCE: usize = 4;
/// How often a refusal has to come back on one port.
const REFUSALS: usize = 3;
/// In how many rounds a blocked port has to stay so while a fresh one opens.
const ROUNDS: usize = 2;
/// How many fresh ports are tried in a round until one opens.
const FRESH: usize = 4;

/// What one source port met.
enum Met {
    Open(f64),
    Blocked,
    /// Silence without proof.
    Undecided,
    /// This machine's own trouble, or the end of the run.
    Nothing,
}

/// What one knock met.
enum Knock {
    Open(Duration),
    Refused,
    Silent,
    Trouble,
}

/// Knocks from `PORTS` source ports; the one from which the port opened after `took_ms` milliseconds is the first.
pub(super) async fn spread(prober: &Prober, remote: SocketAddr, took_ms: f64) -> SourcePorts {
    let met: Vec<Met> = stream::iter(1..PORTS)
        .map(|_| from_one_port(prober, remote))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut ports = SourcePorts::default();
    for one in met.into_iter().chain([Met::Open(took_ms)]) {
        match one {
            Met::Open(took) => {
                ports.open += 1;
                ports.quickest_ms = Some(ports.quickest_ms.map_or(took, |known| known.min(took)));
            }
            Met::Blocked => ports.blocked += 1,
            Met::Undecided => ports.undecided += 1,
            Met::Nothing => continue,
        }
        ports.tried += 1;
    }
    ports
}

async fn from_one_port(prober: &Prober, remote: SocketAddr) -> Met {
    let (mut manner, mut silent, mut refused) = (Manner::default(), 0, 0);
    loop {
        let wait = wait(prober, remote, silent);
        let Some(seen) = once(prober, remote, manner, wait).await else {
            return Met::Nothing;
        };
        match knock(&seen) {
            Knock::Open(took) => {
                prober.learnt().answered(remote.ip(), silent, took);
                return Met::Open(super::millis(took));
            }
            Knock::Refused => refused += 1,
            Knock::Silent => silent += 1,
            Knock::Trouble => return Met::Nothing,
        }
        let Some(local) = seen.local else {
            return Met::Nothing;
        };
        manner.local_port = Some(local.port());
        if refused >= REFUSALS || is_proof(prober, remote, silent) {
            return in_turn(prober, remote, manner).await;
        }
        if silent + refused > usize::from(super::silence::MOST) {
            return Met::Undecided;
        }
    }
}

/// Knocks in turn from fresh ports, until one opens, and from the blocked one.
async fn in_turn(prober: &Prober, remote: SocketAddr, blocked: Manner) -> Met {
    let limit = prober.limits.timeout;
    for _ in 0..ROUNDS {
        if !fresh_one_opens(prober, remote).await {
            return Met::Undecided;
        }
        let Some(seen) = once(prober, remote, blocked, limit).await else {
            return Met::Nothing;
        };
        match knock(&seen) {
            Knock::Open(took) => return Met::Open(super::millis(took)),
            Knock::Refused | Knock::Silent => {}
            Knock::Trouble => return Met::Nothing,
        }
    }
    Met::Blocked
}

async fn fresh_one_opens(prober: &Prober, remote: SocketAddr) -> bool {
    for tries in 0..FRESH {
        let wait = wait(prober, remote, tries + 1);
        let Some(seen) = once(prober, remote, Manner::default(), wait).await else {
            return false;
        };
        if matches!(knock(&seen), Knock::Open(_)) {
            return true;
        }
    }
    false
}

/// Twice as long after each silent try, up to the time that the user gives to a step.
pub(super) fn wait(prober: &Prober, remote: SocketAddr, silent: usize) -> Duration {
    let first = prober.learnt().wait(remote.ip());
    let growth = 1_u32 << silent.min(6);
    (first * growth).min(prober.limits.timeout)
}

fn is_proof(prober: &Prober, remote: SocketAddr, silent: usize) -> bool {
    let learnt = prober.learnt();
    let wanted = usize::from(learnt.tries_of_a_source_port(remote.ip(), PORTS));
    silent >= wanted && learnt.source_port_is_proof(remote.ip(), PORTS, silent)
}

fn knock(seen: &Once) -> Knock {
    match &seen.came {
        Some(Connection::Open(stream)) if is_to_itself(stream) => Knock::Trouble,
        Some(Connection::Open(_) | Connection::ResetAfterAccept { .. }) => Knock::Open(seen.took),
        Some(Connection::Reset { .. } | Connection::Rejected { .. }) => Knock::Refused,
        Some(Connection::Trouble(_)) => Knock::Trouble,
        None => Knock::Silent,
    }
}
