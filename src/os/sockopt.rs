//! Socket options of Linux for which no crate has a named type.
//!
//! `sockopt_impl!` of nix makes such types, and its code holds `unsafe` that nobody checks against the type given: what
//! the system writes becomes a value of that type. Here every type is a plain integer of the length that the manual
//! names (ip(7), ipv6(7): `int`). Every bit pattern is a valid one, so nothing that the system writes can do harm.

use nix::libc;
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};

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
    fn the_system_keeps_the_least_ttl_of_either_family() {
        let v4 = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        setsockopt(&v4, MinTtl, &63).expect("set");
        assert_eq!(getsockopt(&v4, MinTtl).expect("read"), 63);
        let v6 = Socket::new(Domain::IPV6, Type::STREAM, None).expect("a socket");
        setsockopt(&v6, MinHopCount, &255).expect("set");
        assert_eq!(getsockopt(&v6, MinHopCount).expect("read"), 255);
    }
}
