//! Ports for the servers of a test.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// An address with a port that nobody listens on and that is given out once in this process.
///
/// It lies below the ports that connections start from, so that no connection takes it before the server does.
pub(crate) fn free(address: impl Into<IpAddr>) -> SocketAddr {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let address = address.into();
    let first = u16::try_from(std::process::id() % 6_000).expect("small") + 20_000;
    loop {
        let port = first + GIVEN.fetch_add(1, Ordering::Relaxed) % 6_000;
        if TcpListener::bind((address, port)).is_ok() {
            return SocketAddr::new(address, port);
        }
    }
}
