//! TCP: one challenge for each connection, and on a mapper's port the list of dynamic ports for those who are known.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{Instrument as _, debug_span};

use super::open::Stream;
use super::places::Place;
use super::{Listener, Met};
use crate::product::Transport;
use crate::wire::challenge;
use crate::wire::windows::rpc::server as mapper;

/// The longest that a connection is held which has not proved the token.
pub const LONGEST: Duration = Duration::from_secs(10);
/// The longest that a mapper's connection is held: firewalls let the dynamic ports pass while it lasts.
const LONGEST_OF_A_MAPPER: Duration = Duration::from_secs(120);
/// How long, and how many bytes, the other end may take to notice a close.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: u64 = 16 << 10;
/// A pause where no connection can be accepted, for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// The first byte of every message of RPC.
const RPC_VERSION: u8 = 5;

/// Serves one port; it never ends.
pub(super) async fn serve(listener: Arc<Listener>, port: Stream) {
    loop {
        let Ok((stream, remote)) = port.socket.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let met = Met {
            at: Timestamp::now(),
            transport: Transport::Tcp,
            local: port.local,
            remote,
        };
        let standing = listener.standing(remote.ip());
        let Some((place, lost)) = listener.places.take(remote.ip(), standing) else {
            listener.note_unproved(&met);
            continue;
        };
        let (listener, named) = (Arc::clone(&listener), port.named.clone());
        let span = debug_span!("arrival", from = %met.remote, at = %met.local);
        let talking = async move {
            tokio::select! {
                stream = talk(&listener, &place, met, stream, named.as_deref()) => {
                    let _ = timeout(LINGER, close(stream)).await;
                }
                // Another takes its place: it ends at once, so that there are never more sockets than places.
                _ = lost => listener.note_unproved(&met),
            }
        };
        tokio::spawn(talking.instrument(span));
    }
}

/// Hears one connection out. It is noted as soon as it is known what it is, and then holds its place to the end.
async fn talk(
    listener: &Listener,
    place: &Place,
    met: Met,
    mut stream: TcpStream,
    named: Option<&[u16]>,
) -> TcpStream {
    let deadline = Instant::now() + LONGEST;
    let mut first = [0_u8; 1];
    let begins = timeout_at(deadline, stream.peek(&mut first)).await;
    let is_call = matches!(begins, Ok(Ok(1))) && first == [RPC_VERSION];
    match named {
        Some(named) if is_call && listener.known.holds(met.remote.ip()) => {
            kept(place).await;
            listener.note_unproved(&met);
            mapper::serve(&mut stream, met.local.port(), named, LONGEST_OF_A_MAPPER).await;
        }
        _ => {
            if let Ok(Ok(1)) = begins {
                challenged(listener, place, &met, &mut stream, deadline).await;
            } else {
                listener.note_unproved(&met);
            }
        }
    }
    stream
}

/// Answers a challenge; anything else is left without a word.
async fn challenged(
    listener: &Listener,
    place: &Place,
    met: &Met,
    stream: &mut TcpStream,
    deadline: Instant,
) {
    let Ok(request) = challenge::receive(stream, &listener.token, deadline).await else {
        listener.note_unproved(met);
        return;
    };
    kept(place).await;
    let Some(answer) = listener.answer(&request, met) else {
        listener.note_unproved(met);
        return;
    };
    listener.note_answered(met, &request);
    challenge::reply(stream, &answer, deadline).await;
}

/// Keeps the place from now on. One that has just gone to another connection is ended by that.
async fn kept(place: &Place) {
    if !place.prove() {
        std::future::pending().await
    }
}

/// Closes in good order: with bytes unread the system would send a reset, which looks like a device's.
async fn close(mut stream: TcpStream) {
    if stream.shutdown().await.is_ok() {
        let mut rest = Vec::new();
        let _ = stream.take(LINGER_BYTES).read_to_end(&mut rest).await;
    }
}
