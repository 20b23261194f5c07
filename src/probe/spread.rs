//! Knocks from several source ports at a port that is open. Networks choose paths, cluster nodes and the firewalls of a
//! pair by the source port, and one of them may lack the rule.
//!
//! 1. Each fresh port gets one knock. One that stays silent is knocked from again, with waits that grow up to the
//!    user's time-out. So a slower path is not taken for a blocked one.
//! 2. A source port counts as blocked only when silence on that very port is proof, or when it was refused again and
//!    again after rests. It also has to stay so in turn with fresh ports that open. What shuts this host out altogether,
//!    or drops everything for a while, has nothing to do with the source port.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::{self, BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _};
use tokio::net::TcpStream;

use super::Prober;
use super::try_once::{Once, is_to_itself, once};
use crate::observation::{Alone, SourcePorts};
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

/// How long a source port rests before it is tried again after a refusal, longer each time. A limit on new connections
/// lets it through then, and a rule does not.
const RESTS: [Duration; REFUSALS] = [
    Duration::from_millis(300),
    Duration::from_millis(1_200),
    Duration::from_millis(2_500),
];
/// Knocks that are made alone, and the pause before each, where some were refused in company. One of three servers behind
/// one address that refuses stays unseen in 1 of 130 runs, and in none where they take turns.
const ALONE: u16 = 12;
/// Source ports that were blocked in company and are tried alone.
const BLOCKED: usize = 4;
/// Where connections are limited, the rest of the run makes this many times fewer a second than when they were refused.
/// It makes `SLOWEST` at the least.
const SLOWER: u32 = 4;
const SLOWEST: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// What one source port met.
enum Met {
    /// It opened after so many milliseconds; `rested`: it was refused before.
    Open {
        took_ms: f64,
        rested: bool,
        /// Whether one of its knocks was reset.
        reset: bool,
    },
    Blocked {
        reset: bool,
    },
    /// Silence without proof.
    Undecided,
    /// This machine's own trouble, or the end of the run.
    Nothing,
}

/// What one knock met.
enum Knock {
    Open(Duration),
    Refused { reset: bool },
    Silent,
    Trouble,
}

/// What is done with each connection that opens.
pub(super) type Opened<'a> = &'a (dyn Fn(TcpStream) -> BoxFuture<'a, ()> + Sync);

/// Knocks from `PORTS` source ports; the one from which the port opened after `took_ms` milliseconds is the first. Each
/// connection that opens is handed to `opened`, and keeps its place at the address until that is done with it.
pub(super) async fn spread(
    prober: &Prober,
    remote: SocketAddr,
    took_ms: f64,
    opened: Opened<'_>,
) -> SourcePorts {
    let met: Vec<Met> = stream::iter(1..PORTS)
        .map(|_| from_one_port(prober, remote, opened))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut ports = SourcePorts::default();
    let first = Met::Open {
        took_ms,
        rested: false,
        reset: false,
    };
    for one in met.into_iter().chain([first]) {
        match one {
            Met::Open {
                took_ms,
                rested,
                reset,
            } => {
                ports.reset += u16::from(reset);
                ports.open += 1;
                ports.rested += u16::from(rested);
                let quickest = ports.quickest_ms.unwrap_or(took_ms);
                ports.quickest_ms = Some(quickest.min(took_ms));
            }
            Met::Blocked { reset } => {
                ports.reset += u16::from(reset);
                ports.blocked += 1;
            }
            Met::Undecided => ports.undecided += 1,
            Met::Nothing => continue,
        }
        ports.tried += 1;
    }
    ports
}

/// Knocks alone, with pauses, at a port of which some knocks were refused in company. All open: something limits the
/// connections of one source. Some do: it is a matter of the way or of the server that a connection meets.
pub(super) async fn alone(prober: &Prober, remote: SocketAddr, ports: &mut SourcePorts) {
    let (mut open, mut refused) = (0, 0);
    let blocked = prober.measured().blocked_ports(remote);
    for manner in blocked.into_iter().take(BLOCKED) {
        match opens_from(prober, remote, manner).await {
            Some(true) => open += 1,
            Some(false) => refused += 1,
            None => return,
        }
    }
    for _ in 0..ALONE {
        if !prober.pause(PAUSE).await {
            return;
        }
        match from_one_port(prober, remote, &|_| future::ready(()).boxed()).await {
            Met::Open { rested: false, .. } => open += 1,
            Met::Open { reset, .. } | Met::Blocked { reset } => {
                ports.reset += u16::from(reset);
                refused += 1;
            }
            Met::Undecided | Met::Nothing => {}
        }
    }
    let busiest = prober.measured().book.busiest(remote.ip());
    ports.alone = Some(Alone {
        open,
        refused,
        busiest,
    });
    if ports.are_limited() {
        prober
            .pace
            .slow_down((u32::from(busiest) / SLOWER).max(SLOWEST));
    }
}

/// Whether a source port that was blocked in company opens alone; `None`: the run was stopped.
async fn opens_from(prober: &Prober, remote: SocketAddr, blocked: Manner) -> Option<bool> {
    for tries in 0..REFUSALS {
        if !prober.pause(PAUSE).await {
            return None;
        }
        let seen = once(prober, remote, blocked, wait(prober, remote, tries + 1)).await?;
        match knock(&seen) {
            Knock::Open(_) => return Some(true),
            Knock::Refused { .. } | Knock::Silent | Knock::Trouble => {}
        }
    }
    Some(false)
}

async fn from_one_port(prober: &Prober, remote: SocketAddr, opened: Opened<'_>) -> Met {
    let (mut manner, mut silent, mut refused) = (Manner::default(), 0, 0);
    let mut was_reset = false;
    loop {
        let wait = wait(prober, remote, silent);
        let Some(seen) = once(prober, remote, manner, wait).await else {
            return Met::Nothing;
        };
        let (met, local) = (knock(&seen), seen.local);
        if let Knock::Open(took) = met {
            prober.measured().answered(remote.ip(), silent, took);
            if let Some((stream, _place)) = seen.into_stream() {
                opened(stream).await;
            }
            return Met::Open {
                took_ms: super::millis(took),
                rested: refused > 0,
                reset: was_reset,
            };
        }
        // Its place is for the next try.
        drop(seen);
        match met {
            Knock::Refused { reset } => {
                was_reset |= reset;
                if !prober.pause(RESTS[refused.min(REFUSALS - 1)]).await {
                    return Met::Nothing;
                }
                refused += 1;
            }
            Knock::Silent => silent += 1,
            // A port that was not let through and cannot be had again is not forgotten.
            Knock::Trouble if silent + refused > 0 => return Met::Undecided,
            Knock::Trouble | Knock::Open(_) => return Met::Nothing,
        }
        let Some(local) = local else {
            return Met::Nothing;
        };
        manner.local_port = Some(local.port());
        if refused >= REFUSALS || is_proof(prober, remote, silent) {
            return in_turn(prober, remote, manner, was_reset).await;
        }
        if silent + refused > usize::from(super::silence::MOST) {
            return Met::Undecided;
        }
    }
}

/// Knocks in turn from fresh ports, until one opens, and from the blocked one, which was `reset` or not.
async fn in_turn(prober: &Prober, remote: SocketAddr, blocked: Manner, reset: bool) -> Met {
    let limit = prober.limits.timeout;
    for _ in 0..ROUNDS {
        if !fresh_one_opens(prober, remote).await {
            return Met::Undecided;
        }
        let Some(seen) = once(prober, remote, blocked, limit).await else {
            return Met::Nothing;
        };
        match knock(&seen) {
            Knock::Open(took) => {
                return Met::Open {
                    took_ms: super::millis(took),
                    rested: true,
                    reset,
                };
            }
            Knock::Refused { .. } | Knock::Silent => {}
            Knock::Trouble => return Met::Undecided,
        }
    }
    prober.measured().block(remote, blocked);
    Met::Blocked { reset }
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
    let first = prober.measured().wait(remote.ip());
    let growth = 1_u32 << silent.min(6);
    (first * growth).min(prober.limits.timeout)
}

fn is_proof(prober: &Prober, remote: SocketAddr, silent: usize) -> bool {
    let measured = prober.measured();
    let wanted = usize::from(measured.tries_of_a_source_port(remote.ip(), PORTS));
    silent >= wanted && measured.source_port_is_proof(remote.ip(), PORTS, silent)
}

fn knock(seen: &Once) -> Knock {
    match &seen.came {
        Some(Connection::Open(stream)) if is_to_itself(stream) => Knock::Trouble,
        Some(Connection::Open(_) | Connection::ResetAfterAccept { .. }) => Knock::Open(seen.took),
        Some(Connection::Reset { .. }) => Knock::Refused { reset: true },
        Some(Connection::Rejected { .. }) => Knock::Refused { reset: false },
        Some(Connection::Trouble(_)) => Knock::Trouble,
        None => Knock::Silent,
    }
}
