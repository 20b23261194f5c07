//! Linux: what TCP counted on a connection (`TCP_INFO`, tcp(7)), for whoever no longer has its stream.

use std::os::fd::{AsFd as _, OwnedFd};

use nix::sys::socket::getsockopt;
use nix::sys::utsname::uname;
use tokio::net::TcpStream;

use super::sockopt::{Counters, LongTcpInfo, TcpInfo};
use crate::observation::Counted;

/// The first kernel that counts segments behind a gap.
const COUNTS_GAPS: (u32, u32) = (5, 4);

/// Another hold on a connection: it stays until both are let go.
#[derive(Debug)]
pub struct Hold(OwnedFd);

impl Hold {
    /// Takes hold; `None`: this system counts nothing, or has no descriptor left.
    pub fn on(stream: &TcpStream) -> Option<Self> {
        stream.as_fd().try_clone_to_owned().ok().map(Self)
    }

    /// What has been counted so far; the numbers stay when the other end resets the connection.
    pub fn counted(&self) -> Option<Counted> {
        if kernel().is_some_and(|kernel| kernel >= COUNTS_GAPS) {
            let more = getsockopt(&self.0, LongTcpInfo).ok()?;
            return Some(Counted {
                behind_a_gap: Some(more.rcv_ooopack),
                ..counted(&more.first)
            });
        }
        let counters = getsockopt(&self.0, TcpInfo).ok()?;
        Some(counted(&counters))
    }
}

fn counted(counters: &Counters) -> Counted {
    Counted {
        unacknowledged: counters.unacked,
        // The packet that opened the connection counts as one byte.
        acknowledged: counters.bytes_acked.saturating_sub(1),
        received: counters.bytes_received,
        sent_again: counters.total_retrans,
        behind_a_gap: None,
    }
}

/// The version of the running kernel.
fn kernel() -> Option<(u32, u32)> {
    version(uname().ok()?.release().to_str()?)
}

/// The first two numbers of a release, as in `6.18.5-generic`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_release_begins_with_its_version() {
        assert_eq!(version("6.18.5"), Some((6, 18)));
        assert_eq!(version("5.4.0-100-generic"), Some((5, 4)));
        assert_eq!(version("4.19-rc1"), Some((4, 19)));
        assert_eq!(version("next"), None);
        assert!((5, 4) <= (5, 10) && (5, 3) < COUNTS_GAPS);
    }

    #[tokio::test]
    async fn what_went_over_a_connection_is_counted_after_its_stream_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("an address");
        let mut near = TcpStream::connect(address).await.expect("connected");
        let (mut far, _) = listener.accept().await.expect("accepted");
        let hold = Hold::on(&near).expect("a hold");
        near.write_all(&[1; 300]).await.expect("sent");
        far.read_exact(&mut [0; 300]).await.expect("received");
        far.write_all(&[2; 50]).await.expect("sent");
        near.read_exact(&mut [0; 50]).await.expect("received");
        drop(near);
        let expected = Counted {
            acknowledged: 300,
            received: 50,
            behind_a_gap: Some(0),
            ..Counted::default()
        };
        assert_eq!(hold.counted(), Some(expected));
        let old = getsockopt(&hold.0, TcpInfo).expect("read");
        let without_gaps = Counted {
            behind_a_gap: None,
            ..expected
        };
        assert_eq!(counted(&old), without_gaps, "as an older kernel tells it");
    }
}
