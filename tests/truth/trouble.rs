//! What sets a bed apart from an ordinary one, as plain data.

use crate::scene::Device;

/// The one thing that is out of the ordinary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// The front-end translates: from outside each host has another address.
    Translation,
    /// A firewall gives whatever comes back a TTL of its own.
    SetTtl(Device),
    /// The hosts seem to stand on the prober's own network: the front-end answers ARP for them.
    ProxyArp,
    /// For a while some packets do not come through.
    Outage(Outage),
    /// The front-end limits new connections.
    Limit(Limit),
    /// Servers start slowly, or several share a port and one is unwell.
    Unequal,
    /// Connections open, and what follows is dropped; links carry packets no larger than a wire does.
    Holes,
}

/// What an outage takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Everything behind the front-end.
    Path,
    /// The host of this number.
    Host(usize),
    /// One port of it.
    Rule(usize, u16),
}

/// An outage, in milliseconds from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    pub(crate) lost: Lost,
    pub(crate) begins: u64,
    pub(crate) lasts: u64,
}

/// A limit on the new connections of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) a_second: u32,
    /// Whether what is too much is reset, or dropped.
    pub(crate) resets: bool,
}
