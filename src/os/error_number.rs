//! What an error number says, where the operating system tells nothing else: weaker than the ICMP message behind it.

use std::io::{self, ErrorKind};

use super::local_trouble;
use crate::observation::{Prohibition, Rejection, Trouble};

/// How a connection attempt ended that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// A reset in place of an acceptance.
    Reset,
    /// A reset of a connection that had been accepted.
    ResetAfterAccept,
    /// Something said that the address is out of reach: a device on the way, or this system after asking its network.
    Rejected(Rejection),
    /// This machine's own trouble.
    Trouble(Trouble),
    /// The system waited for as long as it does.
    GaveUp,
}

/// What the error of `connect` says. Whether this host has an address to send from tells a route that it lacks itself
/// from one that another lacks.
pub(super) fn of_connect(error: &io::Error, has_source: bool) -> Ended {
    match error.kind() {
        ErrorKind::ConnectionRefused => Ended::Reset,
        // Only an accepted connection is reset; a reset that answers the first packet refuses.
        ErrorKind::ConnectionReset => Ended::ResetAfterAccept,
        ErrorKind::TimedOut => Ended::GaveUp,
        _ if !has_source => Ended::Trouble(Trouble::NoRoute),
        ErrorKind::HostUnreachable => Ended::Rejected(without_sender(Prohibition::HostUnreachable)),
        ErrorKind::NetworkUnreachable => {
            Ended::Rejected(without_sender(Prohibition::NetUnreachable))
        }
        _ => Ended::Trouble(trouble(error)),
    }
}

/// What the error of a datagram socket says: a port-unreachable message resets one that is connected.
///
/// # Errors
/// This machine's own trouble.
pub(super) fn of_datagram(error: &io::Error) -> Result<Rejection, Trouble> {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => {
            Ok(without_sender(Prohibition::PortUnreachable))
        }
        _ => Err(trouble(error)),
    }
}

fn without_sender(says: Prohibition) -> Rejection {
    Rejection {
        says,
        icmp_type: None,
        icmp_code: None,
        by: None,
        ttl: None,
    }
}

fn trouble(error: &io::Error) -> Trouble {
    if is_exhausted(error) {
        return Trouble::NoDescriptors;
    }
    local_trouble(error).unwrap_or(Trouble::NoRoute)
}

/// Sockets or buffers have run out; the standard library has no word for it.
#[cfg(windows)]
fn is_exhausted(error: &io::Error) -> bool {
    use windows_sys::Win32::Networking::WinSock::{WSAEMFILE, WSAENOBUFS};
    matches!(error.raw_os_error(), Some(WSAEMFILE | WSAENOBUFS))
}

#[cfg(not(windows))]
fn is_exhausted(error: &io::Error) -> bool {
    use nix::libc::{EMFILE, ENFILE, ENOBUFS};
    matches!(error.raw_os_error(), Some(EMFILE | ENFILE | ENOBUFS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: ErrorKind) -> Ended {
        of_connect(&io::Error::from(kind), true)
    }

    #[test]
    fn a_refusal_is_a_reset_and_a_time_out_is_silence() {
        assert_eq!(said(ErrorKind::ConnectionRefused), Ended::Reset);
        assert_eq!(said(ErrorKind::ConnectionReset), Ended::ResetAfterAccept);
        assert_eq!(said(ErrorKind::TimedOut), Ended::GaveUp);
    }

    #[test]
    fn an_unreachable_host_is_a_rejection_without_type_code_or_sender() {
        for (kind, says) in [
            (ErrorKind::HostUnreachable, Prohibition::HostUnreachable),
            (ErrorKind::NetworkUnreachable, Prohibition::NetUnreachable),
        ] {
            let Ended::Rejected(rejection) = said(kind) else {
                panic!("{kind:?}");
            };
            assert_eq!(rejection.says, says);
            assert_eq!(
                (rejection.icmp_type, rejection.icmp_code, rejection.by),
                (None, None, None)
            );
            assert!(rejection.may_be_our_own());
        }
    }

    #[test]
    fn without_an_address_to_send_from_it_is_this_hosts_own_route_that_is_missing() {
        for kind in [ErrorKind::HostUnreachable, ErrorKind::NetworkUnreachable] {
            let ended = of_connect(&io::Error::from(kind), false);
            assert_eq!(ended, Ended::Trouble(Trouble::NoRoute));
        }
        // An answer came: there is a route.
        let ended = of_connect(&io::Error::from(ErrorKind::ConnectionRefused), false);
        assert_eq!(ended, Ended::Reset);
    }

    #[test]
    fn a_local_firewall_and_a_lack_of_ports_are_this_hosts_trouble() {
        let refused = Ended::Trouble(Trouble::Refused);
        let exhausted = Ended::Trouble(Trouble::NoDescriptors);
        assert_eq!(said(ErrorKind::PermissionDenied), refused);
        assert_eq!(said(ErrorKind::AddrNotAvailable), exhausted);
        assert_eq!(said(ErrorKind::AddrInUse), exhausted);
    }

    #[test]
    fn a_datagram_socket_that_is_reset_heard_that_nobody_listens() {
        for kind in [ErrorKind::ConnectionReset, ErrorKind::ConnectionRefused] {
            let heard = of_datagram(&io::Error::from(kind)).expect("a rejection");
            assert_eq!(heard.says, Prohibition::PortUnreachable);
        }
        let own = of_datagram(&io::Error::from(ErrorKind::NetworkUnreachable));
        assert_eq!(own, Err(Trouble::NoRoute));
    }
}
