//! UDP: an answer to a datagram that proves the token, never longer than it, and silence to all others.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::UdpSocket;
use tokio::time::sleep;

use super::{Listener, Met};
use crate::product::Transport;
use crate::wire::challenge::{self, FRAME};

/// A pause after an error of the socket; some systems report ICMP messages about earlier answers this way.
const PAUSE: Duration = Duration::from_millis(10);

/// Serves one port; it never ends.
pub(super) async fn serve(listener: Arc<Listener>, local: SocketAddr, socket: UdpSocket) {
    // One byte more than a challenge has: what is longer is no challenge.
    let mut bytes = [0_u8; FRAME + 1];
    loop {
        let (length, remote) = match socket.recv_from(&mut bytes).await {
            Ok(received) => received,
            Err(_) => {
                sleep(PAUSE).await;
                continue;
            }
        };
        let met = Met {
            at: Timestamp::now(),
            transport: Transport::Udp,
            local,
            remote,
        };
        let request = challenge::read(&listener.token, bytes.get(..length).unwrap_or_default());
        let answer = request.and_then(|request| Some((request, listener.answer(&request, &met)?)));
        match answer {
            Some((request, answer)) => {
                listener.note_answered(&met, &request);
                let _ = socket.send_to(&answer, remote).await;
            }
            None => listener.note_unproved(&met),
        }
    }
}
