//! The ground of probing: one try with a limit of time, and the places that tries hold.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::pace::Pace;
use super::{Prober, Question, Way, story};
use crate::os::{self, Connection, Datagram, Manner};

/// After so long the system repeats the first packet of a connection.
const REPEATED: Duration = Duration::from_secs(1);
/// How long a try is waited for at the most where it has to stay one packet.
pub(super) const ONE_PACKET: Duration = Duration::from_millis(950);
/// How much longer each wait for a silent port is than the one before.
pub(super) const GROWTH: f64 = 1.15;

/// What a knock holds while it makes its tries, and gives back when it only listens.
#[derive(Default)]
pub(super) struct Places {
    /// Among all questions under way.
    pub(super) _of_the_run: Option<OwnedSemaphorePermit>,
    /// Among those at one address.
    pub(super) _of_the_host: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// The place at the address alone: the run's is for others, since the question only watches its socket.
    pub(super) fn at_the_host(self) -> Option<OwnedSemaphorePermit> {
        self._of_the_host
    }
}

/// How one try ended.
pub(super) struct Once {
    /// This end, when known.
    pub(super) local: Option<SocketAddr>,
    /// What came; `None`: nothing within the limit.
    pub(super) came: Option<Connection>,
    /// How long it took.
    pub(super) took: Duration,
    /// Its place at the address, for as long as the connection lasts.
    place: Option<OwnedSemaphorePermit>,
}

impl Once {
    /// The connection, where one was made, and its place.
    pub(super) fn into_stream(self) -> Option<(TcpStream, Option<OwnedSemaphorePermit>)> {
        match self.came {
            Some(Connection::Open(stream)) => Some((stream, self.place)),
            _ => None,
        }
    }

    pub(super) fn took_ms(&self) -> f64 {
        super::millis(self.took)
    }
}

/// Tries once; `None` when the run was stopped, or may not go there.
pub(super) async fn once(
    prober: &Prober,
    remote: SocketAddr,
    manner: Manner,
    limit: Duration,
) -> Option<Once> {
    let place = Some(prober.slot_at(remote.ip()).await?);
    let once = in_place(prober, remote, manner, limit).await?;
    Some(Once { place, ..once })
}

/// One connection attempt. Every packet that the system sends for it is one of the run's rate. Current kernels repeat the
/// first packet each second, others more seldom.
pub(super) async fn connect(
    pace: &Pace,
    remote: SocketAddr,
    manner: Manner,
    began: impl FnOnce(SocketAddr),
) -> Connection {
    let connection = os::connect(remote, manner, |local| {
        pace.sent.syns(1);
        began(local);
    });
    tokio::pin!(connection);
    loop {
        match tokio::time::timeout(REPEATED, &mut connection).await {
            Ok(connection) => return connection,
            Err(_) => pace.book(),
        }
    }
}

/// What comes within a time. On a busy host the time may go by while this process has no turn. So what the system has by
/// then is taken in, before it counts as silence.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(answer);
    match tokio::time::timeout(limit, &mut answer).await {
        Ok(came) => Some(came),
        Err(_) => {
            // The runtime looks at its sockets before it goes on here.
            tokio::task::yield_now().await;
            answer.now_or_never()
        }
    }
}

/// One datagram, and what came back. It has no time limit: drop it to give up.
pub(super) async fn ask_datagram(
    pace: &Pace,
    remote: SocketAddr,
    payload: &[u8],
    began: impl FnOnce(SocketAddr),
) -> Datagram {
    os::ask_datagram(remote, payload, |local| {
        pace.sent.datagram();
        began(local);
    })
    .await
}

/// Tries once, for whoever holds a place at the address already; `None` when the run was stopped, or may not go there.
pub(super) async fn in_place(
    prober: &Prober,
    remote: SocketAddr,
    manner: Manner,
    limit: Duration,
) -> Option<Once> {
    if !prober.permission.lets(remote) {
        return None;
    }
    let mut stop = prober.stop.clone();
    let attempt = async {
        prober.pace.turn().await;
        let local = Mutex::new(None);
        let began = |address| *local.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        let (at, started) = (Timestamp::now(), Instant::now());
        let came = within(limit, connect(&prober.pace, remote, manner, began)).await;
        let took = started.elapsed();
        // A packet with few hops may be meant to go nowhere.
        if manner.hops.is_none() {
            note(prober, remote, at, took, came.as_ref());
        }
        let local = *local.lock().unwrap_or_else(PoisonError::into_inner);
        story::tried(remote, manner, local, took, came.as_ref());
        Once {
            local,
            came,
            took,
            place: None,
        }
    };
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => None,
        once = attempt => Some(once),
    }
}

/// Writes into the book what a try met.
pub(super) fn note(
    prober: &Prober,
    remote: SocketAddr,
    at: Timestamp,
    took: Duration,
    came: Option<&Connection>,
) {
    let mut measured = prober.measured();
    match came {
        None => measured.book.unanswered(remote, at),
        Some(Connection::Open(_) | Connection::ResetAfterAccept { .. }) => {
            measured.book.heard(remote, true, at, took);
        }
        Some(Connection::Reset { .. }) => measured.book.heard(remote, false, at, took),
        Some(Connection::Rejected { .. } | Connection::Trouble(_)) => {}
    }
}

/// Another connection to where a question leads, for whoever holds a place there already.
pub(super) async fn again(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
) -> Option<TcpStream> {
    let remote = match &question.way {
        Way::Direct => SocketAddr::new(address?, question.port),
        Way::StandIn(address) => *address,
        Way::Void => return None,
        Way::Proxy(gateway) => return gateway.another(prober, question).await,
    };
    let once = in_place(prober, remote, question.manner(), prober.limits.timeout).await?;
    match once.came? {
        Connection::Open(stream) if !is_to_itself(&stream) => Some(stream),
        Connection::Open(_)
        | Connection::ResetAfterAccept { .. }
        | Connection::Reset { .. }
        | Connection::Rejected { .. }
        | Connection::Trouble(_) => None,
    }
}

/// Whether a connection goes from this host to itself.
pub(super) fn is_to_itself(stream: &TcpStream) -> bool {
    stream.local_addr().ok() == stream.peer_addr().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn an_answer_that_is_there_counts_though_this_process_had_no_turn_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("an address");
        let stalled = async {
            let connecting = TcpStream::connect(address);
            std::thread::sleep(Duration::from_millis(50));
            connecting.await
        };
        let came = within(Duration::from_millis(10), stalled).await;
        assert!(came.is_some_and(|came| came.is_ok()));
    }

    #[tokio::test]
    async fn silence_is_silence() {
        let never = std::future::pending::<()>();
        assert!(within(Duration::from_millis(10), never).await.is_none());
    }
}
