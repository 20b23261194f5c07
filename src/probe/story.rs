//! What the log tells of a question: each try, what came of it, and the answer. The words are in one place.
//!
//! Nothing here holds a secret, and what others wrote is escaped: it is written as `Debug` writes text.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tracing::debug;
use tracing::field::display as shown;

use super::millis;
use crate::observation::{Brief, Observation};
use crate::os::{Connection, Datagram, Manner};

/// A try of a knock leaves.
pub(super) fn attempt(number: usize, to: SocketAddr) {
    debug!(attempt = number, %to, "attempt");
}

/// Something came for a try of a knock.
pub(super) fn came(number: usize, took: Duration, came: &Connection) {
    debug!(attempt = number, took_ms = millis(took), what = %Came(Some(came)), "came back");
}

/// A try with a limit of its own has ended.
pub(super) fn tried(
    to: SocketAddr,
    manner: Manner,
    local: Option<SocketAddr>,
    took: Duration,
    came: Option<&Connection>,
) {
    debug!(
        %to,
        local = local.map(shown),
        hops = manner.hops,
        took_ms = millis(took),
        what = %Came(came),
        "one try"
    );
}

/// A datagram has been sent, and the time for an answer is over.
pub(super) fn datagram(to: SocketAddr, took: Duration, came: Option<&Datagram>) {
    debug!(%to, took_ms = millis(took), what = %Back(came), "datagram");
}

/// A question has its answer, at least for now.
pub(super) fn answer(seen: &Observation) {
    debug!(seen = %Brief(seen), "answer");
}

/// Ports of a sweep are about to be tried.
pub(super) fn round(ports: usize, addresses: usize, workers: usize) {
    debug!(ports, addresses, workers, "sweep");
}

/// What a sweep found at an address: how many ports opened, were silent with and without proof, and what others met.
pub(super) fn swept(
    address: IpAddr,
    open: usize,
    proved: usize,
    silent: usize,
    alike: &[(Observation, Vec<u16>)],
) {
    let others: Vec<(Brief<'_>, usize)> = alike
        .iter()
        .map(|(seen, ports)| (Brief(seen), ports.len()))
        .collect();
    debug!(%address, open, proved, silent, others = %Counted(&others), "swept");
}

/// What several ports met, each with their number.
struct Counted<'a>(&'a [(Brief<'a>, usize)]);

impl fmt::Display for Counted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (seen, ports)) in self.0.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(formatter, "{comma}{ports} {seen}")?;
        }
        Ok(())
    }
}

/// What a connection attempt met.
struct Came<'a>(Option<&'a Connection>);

impl fmt::Display for Came<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => formatter.write_str("nothing"),
            Some(Connection::Open(_)) => formatter.write_str("open"),
            Some(Connection::ResetAfterAccept { .. }) => formatter.write_str("reset-after-accept"),
            Some(Connection::Reset { .. }) => formatter.write_str("reset"),
            Some(Connection::Rejected { rejection, .. }) => write!(formatter, "{rejection:?}"),
            Some(Connection::Trouble(trouble)) => write!(formatter, "{trouble:?}"),
        }
    }
}

/// What came back for a datagram.
struct Back<'a>(Option<&'a Datagram>);

impl fmt::Display for Back<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => formatter.write_str("nothing"),
            Some(Datagram::Answer(_)) => formatter.write_str("answer"),
            Some(Datagram::Rejected(rejection)) => write!(formatter, "{rejection:?}"),
            Some(Datagram::Trouble(trouble)) => write!(formatter, "{trouble:?}"),
        }
    }
}
