//! Windows and other systems: the error number of `connect` is all there is.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::{Connection, local_trouble};
use crate::observation::Trouble;

/// One connection attempt on a new socket. It has no time limit: drop it to give up.
///
/// `began` would be told the local end early; here it is known only at the end.
pub async fn connect(remote: SocketAddr, _began: impl FnOnce(SocketAddr)) -> Connection {
    match TcpStream::connect(remote).await {
        Ok(stream) => Connection::Open(stream),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
            ) =>
        {
            Connection::Reset { local: None }
        }
        Err(error)
            if error.kind() == io::ErrorKind::AddrNotAvailable && !super::has_source(remote) =>
        {
            Connection::Trouble(Trouble::NoRoute)
        }
        Err(error) => Connection::Trouble(local_trouble(&error).unwrap_or(Trouble::NoRoute)),
    }
}

/// The number of descriptors that may be open: these systems have no small limit.
pub fn raise_descriptor_limit() -> usize {
    16_384
}

/// Not to be had on this platform.
#[derive(Debug)]
pub struct SilentListener {
    /// Where it would not answer.
    pub address: SocketAddr,
}

/// Opens a silent listener; `None` where the platform cannot do it.
///
/// # Errors
/// Never on these systems.
pub fn silent_listener() -> io::Result<Option<SilentListener>> {
    Ok(None)
}
