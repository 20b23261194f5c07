//! The decks from which the ports of a bed are dealt: what must come often enough is in them as often.

use crate::scene::{Behind, Drops, Hook, Icmp, Ill, Manner, Protocol, Way};

/// What a card of the deck says; where it happens is drawn when it is dealt.
#[derive(Clone, Copy)]
pub(crate) enum Card {
    Listens(Manner, Protocol),
    NobodyListens,
    Drop(Hook),
    DropAtHost,
    Reset(Hook),
    ResetAtHost,
    Reject(Hook, Icmp),
    RejectAtHost,
    Synproxy(Behind),
    Redirect,
    HttpProxy,
    OneNodeDrops(Hook),
    Members(Ill),
    Hole(Way, Drops),
}

/// Of an ordinary bed.
pub(crate) const ORDINARY: &[Card] = &[
    Card::OneNodeDrops(Hook::AfterTtl),
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::Drop(Hook::AfterTtl),
    Card::NobodyListens,
    Card::Reject(Hook::AfterTtl, Icmp::AdminProhibited),
    Card::Reset(Hook::AfterTtl),
    Card::Drop(Hook::BeforeTtl),
    Card::Synproxy(Behind::Open),
    Card::Listens(Manner::Http, Protocol::Http),
    Card::Reject(Hook::AfterTtl, Icmp::PortUnreachable),
    Card::Redirect,
    Card::OneNodeDrops(Hook::BeforeTtl),
    Card::DropAtHost,
    Card::Listens(Manner::Holds, Protocol::Http),
    Card::Reset(Hook::BeforeTtl),
    Card::NobodyListens,
    Card::Reject(Hook::AfterTtl, Icmp::HostUnreachable),
    Card::Synproxy(Behind::Closed),
    Card::Drop(Hook::AfterTtl),
    Card::Listens(Manner::Resets, Protocol::Http),
    Card::Reject(Hook::BeforeTtl, Icmp::AdminProhibited),
    Card::HttpProxy,
    Card::OneNodeDrops(Hook::AfterTtl),
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::Reject(Hook::AfterTtl, Icmp::NetUnreachable),
    Card::ResetAtHost,
    Card::Drop(Hook::BeforeTtl),
    Card::NobodyListens,
    Card::Listens(Manner::Drips, Protocol::Http),
    Card::Reject(Hook::AfterTtl, Icmp::HostProhibited),
    Card::RejectAtHost,
    Card::Reset(Hook::AfterTtl),
    Card::Listens(Manner::Resets, Protocol::Tcp),
    Card::Reject(Hook::AfterTtl, Icmp::Other),
    Card::Listens(Manner::Closes, Protocol::Http),
    Card::Reject(Hook::BeforeTtl, Icmp::HostUnreachable),
    Card::Drop(Hook::AfterTtl),
];

/// What an ordinary firewall and an ordinary host do with a port: every way to refuse, and services between.
pub(crate) const REFUSALS: &[Card] = &[
    Card::Listens(Manner::Http, Protocol::Http),
    Card::NobodyListens,
    Card::Reset(Hook::AfterTtl),
    Card::Drop(Hook::AfterTtl),
    Card::Reject(Hook::AfterTtl, Icmp::AdminProhibited),
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::NobodyListens,
    Card::Reject(Hook::AfterTtl, Icmp::HostUnreachable),
    Card::ResetAtHost,
    Card::Reset(Hook::AfterTtl),
    Card::Reject(Hook::AfterTtl, Icmp::PortUnreachable),
    Card::DropAtHost,
    Card::Listens(Manner::Http, Protocol::Http),
    Card::RejectAtHost,
    Card::Drop(Hook::AfterTtl),
    Card::Reject(Hook::AfterTtl, Icmp::NetUnreachable),
    Card::Listens(Manner::Holds, Protocol::Tcp),
];

/// Many ports that one router rejects, and few others.
pub(crate) const REJECTIONS: &[Card] = &[
    Card::Reject(Hook::AfterTtl, Icmp::AdminProhibited),
    Card::Reject(Hook::AfterTtl, Icmp::HostUnreachable),
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::Reject(Hook::AfterTtl, Icmp::PortUnreachable),
    Card::Reject(Hook::BeforeTtl, Icmp::AdminProhibited),
    Card::Drop(Hook::AfterTtl),
    Card::Reject(Hook::AfterTtl, Icmp::AdminProhibited),
    Card::Reject(Hook::AfterTtl, Icmp::HostProhibited),
    Card::NobodyListens,
    Card::RejectAtHost,
    Card::Reject(Hook::AfterTtl, Icmp::NetUnreachable),
];

/// Mostly services: what must not be taken for shut because of an outage or a limit.
pub(crate) const SERVICES: &[Card] = &[
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::Listens(Manner::Http, Protocol::Http),
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::NobodyListens,
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::Drop(Hook::AfterTtl),
    Card::Listens(Manner::Http, Protocol::Http),
    Card::Reject(Hook::AfterTtl, Icmp::AdminProhibited),
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::Reset(Hook::AfterTtl),
];

/// Web servers that start slowly, and balancers of which one member is unwell.
pub(crate) const UNEQUAL: &[Card] = &[
    Card::Listens(Manner::Starts, Protocol::Http),
    Card::Members(Ill::Refuses),
    Card::Listens(Manner::Http, Protocol::Http),
    Card::Members(Ill::Unavailable),
    Card::Listens(Manner::Holds, Protocol::Tcp),
    Card::Listens(Manner::Starts, Protocol::Http),
    Card::Members(Ill::Refuses),
    Card::Members(Ill::Unavailable),
    Card::Drop(Hook::AfterTtl),
    Card::NobodyListens,
];

/// Connections that open and of which then data, or only large packets, are dropped.
pub(crate) const HOLES: &[Card] = &[
    Card::Hole(Way::There, Drops::Data),
    Card::Hole(Way::Back, Drops::Large),
    Card::Listens(Manner::Long, Protocol::Http),
    Card::Hole(Way::Back, Drops::Data),
    Card::Hole(Way::There, Drops::Large),
    Card::Listens(Manner::Holds, Protocol::Http),
    Card::Drop(Hook::AfterTtl),
];
