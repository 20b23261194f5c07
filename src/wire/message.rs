//! One message of a protocol over a stream: sent whole, or read to its end and not a byte further.
//!
//! The protocols say by a pure [`frame`](receive) function how long a message is, as far as its first bytes tell. They
//! refuse what cannot be theirs at the first byte that shows it. So a stream stays usable after an answer, and memory
//! is bounded by what the frame function lets through.
//!
//! Whatever else reads or writes messages tells the log of them by [`sent`] and [`came`]: kinds and lengths, no content.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// Why a conversation did not prove the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It answered, but not in this protocol.
    Foreign,
    /// It accepted and then said nothing, or not enough, within the time.
    Mute,
    /// It closed or reset before it said a word.
    HungUp,
    /// It closed or reset in the middle of its answer.
    HungUpMidway,
}

/// Tells the log that a message left.
pub(crate) fn sent(kind: &str, length: usize) {
    tracing::trace!(kind, length, "sent");
}

/// Tells the log that a message with credentials left. Its length would tell how long these are.
pub(crate) fn sent_secretly(kind: &str) {
    tracing::trace!(kind, "sent, with credentials");
}

/// Tells the log what came of a message: `length` bytes, whole or not.
pub(crate) fn came(kind: &str, length: usize) {
    tracing::trace!(kind, length, "came");
}

/// Sends all bytes, as far as the peer takes them. `kind` is what the log calls the message.
///
/// A peer that closed its side may still have said why: a failed write is not the end, the read after it tells.
pub(crate) async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    kind: &str,
    bytes: &[u8],
    deadline: Instant,
) {
    sent(kind, bytes.len());
    write(stream, bytes, deadline).await;
}

/// Sends all bytes of a message with credentials, as [`send`] does; the log learns no length.
pub(crate) async fn send_secretly<S: AsyncWrite + Unpin>(
    stream: &mut S,
    kind: &str,
    bytes: &[u8],
    deadline: Instant,
) {
    sent_secretly(kind);
    write(stream, bytes, deadline).await;
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8], deadline: Instant) {
    let sending = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    let _ = timeout_at(deadline, sending).await;
}

/// Reads one message; `kind` is what the log calls it.
///
/// `frame` is asked again after every read, with all bytes so far. It answers how many bytes the message has at the
/// least; as many as there are: it is whole. `None`: these bytes do not begin a message of this protocol.
pub(crate) async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    kind: &str,
    frame: impl Fn(&[u8]) -> Option<usize>,
    deadline: Instant,
) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let end = read(stream, &mut bytes, frame, deadline).await;
    came(kind, bytes.len());
    end.map(|()| bytes)
}

async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    bytes: &mut Vec<u8>,
    frame: impl Fn(&[u8]) -> Option<usize>,
    deadline: Instant,
) -> Result<(), Fault> {
    loop {
        let least = frame(bytes).ok_or(Fault::Foreign)?;
        let missing = least.saturating_sub(bytes.len());
        if missing == 0 {
            return Ok(());
        }
        let mut rest = (&mut *stream).take(missing as u64);
        match timeout_at(deadline, rest.read_buf(bytes)).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(0) | Err(_)) if bytes.is_empty() => return Err(Fault::HungUp),
            Ok(Ok(0) | Err(_)) => return Err(Fault::HungUpMidway),
            Err(_) => return Err(Fault::Mute),
        }
    }
}

/// Whether the bytes begin like this, as far as they go.
pub(crate) fn begins_like(bytes: &[u8], beginning: &[u8]) -> bool {
    bytes.iter().zip(beginning).all(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    /// A mark, a length, so many bytes.
    fn marked(bytes: &[u8]) -> Option<usize> {
        match bytes {
            [] | [b'm'] => Some(2),
            [b'm', length, ..] => Some(2 + usize::from(*length)),
            _ => None,
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[tokio::test]
    async fn a_message_is_read_to_its_end_and_not_further() {
        let mut stream: &[u8] = b"m\x03abcm\x00";
        let first = receive(&mut stream, "mark", marked, soon()).await;
        assert_eq!(first, Ok(b"m\x03abc".to_vec()));
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("bytes");
        assert_eq!(rest, b"m\x00");
    }

    #[tokio::test]
    async fn the_end_tells_before_from_midway_and_the_first_byte_tells_foreign() {
        let read = async |mut bytes: &[u8]| receive(&mut bytes, "mark", marked, soon()).await;
        assert_eq!(read(b"").await, Err(Fault::HungUp));
        assert_eq!(read(b"m\x03ab").await, Err(Fault::HungUpMidway));
        assert_eq!(read(b"x").await, Err(Fault::Foreign));
    }

    #[tokio::test]
    async fn silence_at_the_start_or_midway_is_mute() {
        let (mut near, mut far) = duplex(64);
        assert_eq!(
            receive(&mut near, "mark", marked, soon()).await,
            Err(Fault::Mute)
        );
        far.write_all(b"m\x03a").await.expect("written");
        assert_eq!(
            receive(&mut near, "mark", marked, soon()).await,
            Err(Fault::Mute)
        );
    }
}
