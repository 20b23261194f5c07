//! Socket options of Linux for which no crate has a named type.
//!
//! `sockopt_impl!` of nix makes such types. Its code holds `unsafe` that nobody checks against the type given: what the
//! system writes becomes a value of that type. Here every type is a plain integer of the length that the manual names
//! (ip(7), ipv6(7): `int`). Or it is a struct of such integers without any gap between them. Every bit pattern is a
//! valid one, so nothing that the system writes can do harm.
//!
//! What TCP knows of a connection (`struct tcp_info` of linux/tcp.h) has grown with the kernel. The kernel writes no
//! more than it knows, and nix panics when that is less than the type. So the struct ends at what Linux 4.1 has, and
//! the longer one is asked for only where the kernel is new enough (`counted`).

use nix::libc;
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};

/// The first 136 bytes of `struct tcp_info`: as many as Linux 4.1 writes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    unreachable_pub,
    reason = "the macro makes its type `pub`, and a private one could not be its value"
)]
pub struct Counters {
    _states: [u8; 8],
    _timeouts_and_sizes: [u32; 4],
    /// Segments sent and not acknowledged.
    pub(super) unacked: u32,
    _queues_times_and_windows: [u32; 18],
    /// Segments sent again, since the beginning.
    pub(super) total_retrans: u32,
    _rates: [u64; 2],
    /// Bytes acknowledged by the other end, its SYN counted as one.
    pub(super) bytes_acked: u64,
    /// Bytes received in order.
    pub(super) bytes_received: u64,
}

/// The first 232 bytes: as many as Linux 5.4 writes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    unreachable_pub,
    reason = "the macro makes its type `pub`, and a private one could not be its value"
)]
pub struct MoreCounters {
    pub(super) first: Counters,
    _segments_and_shortest: [u32; 6],
    _rate_and_limits: [u64; 4],
    _delivered: [u32; 2],
    _bytes_sent: [u64; 2],
    _duplicates: [u32; 2],
    /// Segments that came out of order.
    pub(super) rcv_ooopack: u32,
    _window: u32,
}

sockopt_impl!(
    /// What TCP knows of a connection.
    TcpInfo,
    GetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    Counters
);

sockopt_impl!(
    /// The same, as far as Linux 5.4 knows it.
    LongTcpInfo,
    GetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    MoreCounters
);

sockopt_impl!(
    /// The least TTL of IPv4 packets that the socket takes in; others are dropped as if lost.
    MinTtl,
    Both,
    libc::IPPROTO_IP,
    libc::IP_MINTTL,
    i32
);

sockopt_impl!(
    /// The least hop limit of IPv6 packets that the socket takes in; others are dropped as if lost.
    MinHopCount,
    Both,
    libc::IPPROTO_IPV6,
    libc::IPV6_MINHOPCOUNT,
    i32
);

#[cfg(test)]
mod tests {
    use nix::sys::socket::{getsockopt, setsockopt};
    use socket2::{Domain, Socket, Type};

    use super::*;

    #[test]
    fn the_counters_have_neither_gaps_nor_another_length_than_the_kernels() {
        use std::mem::{offset_of, size_of};
        assert_eq!(size_of::<Counters>(), 136);
        assert_eq!(size_of::<Counters>(), 8 + 24 * 4 + 4 * 8, "no padding");
        assert_eq!(offset_of!(Counters, unacked), 24);
        assert_eq!(offset_of!(Counters, total_retrans), 100);
        assert_eq!(offset_of!(Counters, bytes_acked), 120);
        assert_eq!(offset_of!(Counters, bytes_received), 128);
        assert_eq!(size_of::<MoreCounters>(), 232);
        assert_eq!(offset_of!(MoreCounters, rcv_ooopack), 224);
    }

    #[test]
    fn the_system_keeps_the_least_ttl_of_either_family() {
        let v4 = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        setsockopt(&v4, MinTtl, &63).expect("set");
        assert_eq!(getsockopt(&v4, MinTtl).expect("read"), 63);
        let v6 = Socket::new(Domain::IPV6, Type::STREAM, None).expect("a socket");
        setsockopt(&v6, MinHopCount, &255).expect("set");
        assert_eq!(getsockopt(&v6, MinHopCount).expect("read"), 255);
    }
}
