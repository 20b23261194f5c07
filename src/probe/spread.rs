//! Knocks from several source ports at a port that is open: networks choose paths, cluster nodes and the firewalls of a
//! pair by the source port, and one of them may lack the rule.
//!
//! Each fresh port gets one knock. One that stays silent is knocked from again and again: a source port counts as
//! blocked only when silence on that very port is proof while others open.

use std::net::SocketAddr;

use futures_util::stream::{self, StreamExt as _};

use super::Prober;
use super::knock::is_to_itself;
use super::once::{Once, once};
use crate::observation::SourcePorts;
use crate::os::{Connection, Manner};

/// How many source ports are tried. One of two paths that is blocked stays unseen in 1 of 32,768 runs.
pub const PORTS: usize = 16;
/// How many of them at once.
const AT_ONCE: usize = 4;
/// How often a refusal has to come back on one port while others open.
const REFUSALS: usize = 3;

/// What one source port met.
enum Met {
    Open(f64),
    Blocked,
    /// No proof, or this machine's own trouble.
    Nothing,
}

/// Knocks from `PORTS` source ports.
pub(super) async fn spread(prober: &Prober, remote: SocketAddr) -> SourcePorts {
    let met: Vec<Met> = stream::iter(0..PORTS)
        .map(|_| from_one_port(prober, remote))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut ports = SourcePorts::default();
    for one in met {
        match one {
            Met::Open(took) => {
                ports.open += 1;
                ports.quickest_ms = Some(ports.quickest_ms.map_or(took, |known| known.min(took)));
            }
            Met::Blocked => ports.blocked += 1,
            Met::Nothing => continue,
        }
        ports.tried += 1;
    }
    ports
}

async fn from_one_port(prober: &Prober, remote: SocketAddr) -> Met {
    let mut manner = Manner::default();
    let mut refused = 0;
    for lost in 0.. {
        let (wait, tries) = {
            let learnt = prober.learnt();
            (
                learnt.wait(remote.ip()),
                usize::from(learnt.tries_of_a_source_port(remote.ip(), PORTS)),
            )
        };
        let Some(seen) = once(prober, remote, manner, wait.min(prober.limits.timeout)).await else {
            return Met::Nothing;
        };
        match &seen.came {
            Some(Connection::Open(stream)) if is_to_itself(stream) => return Met::Nothing,
            Some(Connection::Open(_) | Connection::ResetAfterAccept { .. }) => {
                prober.learnt().answered(remote.ip(), lost, seen.took);
                return Met::Open(seen.took_ms());
            }
            Some(Connection::Reset { .. } | Connection::Rejected { .. }) => {
                refused += 1;
                if refused == REFUSALS {
                    return Met::Blocked;
                }
            }
            Some(Connection::Trouble(_)) => return Met::Nothing,
            None if lost + 1 >= tries => {
                return if tries_prove(prober, remote, lost + 1) {
                    Met::Blocked
                } else {
                    Met::Nothing
                };
            }
            None => {}
        }
        let Some(again) = same_port(&seen) else {
            return Met::Nothing;
        };
        manner = again;
    }
    Met::Nothing
}

fn tries_prove(prober: &Prober, remote: SocketAddr, tries: usize) -> bool {
    prober
        .learnt()
        .source_port_is_proof(remote.ip(), PORTS, tries)
}

fn same_port(seen: &Once) -> Option<Manner> {
    Some(Manner {
        hops: None,
        local_port: Some(seen.local?.port()),
    })
}
