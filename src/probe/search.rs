//! Finding out whether a router looks for a host in vain: then the host is dead.
//!
//! A router asks its network for seconds before it says that a host is unreachable; a firewall that says the same says
//! it at once. The trap is the limit on error messages. A firewall whose word is held back answers a packet that the
//! system has repeated, seconds after the first. So:
//!
//! 1. A single datagram is sent, which nothing repeats, to a port that no rule knows. A word that comes late for it ends a
//!    search: limits swallow messages, they delay none.
//! 2. Where datagrams are swallowed, a connection is tried at a port of which the word came. Before it comes a rest in
//!    which the router's budget of messages fills up. A word that comes after more than two repeats was either a search,
//!    or three packets were lost. So it has to come that late more often than losses explain.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::try_once::once;
use super::{Prober, datagram};
use crate::attribution::SHORTEST_SEARCH;
use crate::observation::{Prohibition, Rejection};
use crate::os::{Connection, Datagram, Manner};

/// How long a router may look for a host before it says that it cannot be reached.
pub(super) const LONGEST_SEARCH: Duration = Duration::from_millis(4_500);
/// The least time that a whole search takes: three questions, a second apart.
const WHOLE_SEARCH: Duration = Duration::from_millis(2_500);
/// Packets that have to be lost for a word to come so late without a search: the first and two repeats.
const LOST_FOR_A_WHOLE: f64 = 3.0;
/// How many datagrams are sent, while they are answered too quickly: a quick word may end a search that another packet began.
const DATAGRAMS: usize = 3;
/// In this time the budget of a router's messages fills up again, and a search that another packet began ends.
pub(super) const REST: Duration = Duration::from_millis(3_200);
/// The chance that a host is called dead because packets were lost.
const DOUBT: f64 = 1e-4;
/// How often a router is made to look for a host.
const MOST: usize = 4;
const FEWEST: usize = 2;

/// The router that looked for a host and did not find it. `door`: a port that nobody is known to use; `said_of`: one of
/// which a router said that the host is unreachable.
pub(super) async fn search(
    prober: &Prober,
    address: IpAddr,
    door: Option<u16>,
    said_of: u16,
) -> Option<IpAddr> {
    if let Some(door) = door {
        match by_datagrams(prober, SocketAddr::new(address, door)).await {
            Told::Dead(router) => return Some(router),
            Told::Otherwise => return None,
            Told::Nothing => {}
        }
    }
    let _quiet = prober.searching.acquire().await.ok()?;
    by_connections(prober, SocketAddr::new(address, said_of)).await
}

/// What datagrams told.
enum Told {
    /// This router looked for the host.
    Dead(IpAddr),
    /// The host is not said to be unreachable, or is without a search.
    Otherwise,
    /// They were swallowed.
    Nothing,
}

async fn by_datagrams(prober: &Prober, remote: SocketAddr) -> Told {
    for _ in 0..DATAGRAMS {
        if *prober.stop.borrow() {
            return Told::Otherwise;
        }
        let (took, came) = datagram::single(prober, remote, LONGEST_SEARCH).await;
        let router = match &came {
            None => return Told::Nothing,
            Some(Datagram::Rejected(rejection)) => unreachable_by(rejection),
            Some(Datagram::Answer(_) | Datagram::Trouble(_)) => None,
        };
        match router {
            None => return Told::Otherwise,
            Some(router) if took >= SHORTEST_SEARCH => return Told::Dead(router),
            Some(_) => {}
        }
    }
    Told::Otherwise
}

async fn by_connections(prober: &Prober, remote: SocketAddr) -> Option<IpAddr> {
    let lost = prober.measured().loss_on_the_way_to(remote.ip()).bound();
    let mut found = None;
    for _ in 0..searches(lost)? {
        if !prober.pause(REST).await {
            return None;
        }
        let seen = once(prober, remote, Manner::default(), LONGEST_SEARCH).await?;
        let Connection::Rejected { rejection, .. } = seen.came? else {
            return None;
        };
        if seen.took < WHOLE_SEARCH {
            return None;
        }
        found = Some(unreachable_by(&rejection)?);
    }
    found
}

/// How often a router has to search. `None`: so much is lost that nothing follows.
fn searches(lost: f64) -> Option<usize> {
    let wanted = (DOUBT.ln() / (LOST_FOR_A_WHOLE * lost.ln())).ceil();
    (wanted <= MOST as f64).then_some((wanted as usize).max(FEWEST))
}

/// Who said that the host cannot be reached; `None`: that is not what came.
fn unreachable_by(rejection: &Rejection) -> Option<IpAddr> {
    let is_it = rejection.says == Prohibition::HostUnreachable;
    rejection.by.filter(|_| is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_lost_the_more_often_a_router_has_to_search() {
        assert_eq!(searches(0.01), Some(2));
        assert_eq!(searches(0.3), Some(3));
        assert_eq!(searches(0.45), Some(4));
        assert_eq!(searches(0.6), None, "losses explain it");
    }
}
