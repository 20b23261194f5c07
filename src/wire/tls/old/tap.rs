//! A stream that reads along: what a server shows in clear in its first handshake, and whether it wants another later.
//!
//! The type of each record stands in clear whatever its content is. Up to TLS 1.2 a record of a handshake that comes
//! after the handshake asks for a new one. Servers ask so for a client certificate once they know the path.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Ending, Reader, Recognised};
use crate::wire::tls::write_through::write_through;

/// Type, version and length of a record.
const HEADER: usize = 5;
/// The type of records that carry handshakes.
const HANDSHAKE: u8 = 22;

/// A stream, and what was read along.
#[derive(Debug)]
pub(super) struct Tap<S> {
    stream: S,
    reader: Reader,
    ending: Option<Ending>,
    records: Records,
    is_shaken: bool,
    asked_again: bool,
}

impl<S> Tap<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            reader: Reader::default(),
            ending: None,
            records: Records::default(),
            is_shaken: false,
            asked_again: false,
        }
    }

    /// The handshake is over: what the server showed in it. `otherwise` is how it ended where it did not end whole.
    pub(super) fn over(&mut self, otherwise: Option<Ending>) -> Recognised {
        self.is_shaken = true;
        let reader = std::mem::take(&mut self.reader);
        let ending = self.ending.take().or(otherwise);
        let ending = ending.unwrap_or_else(|| reader.hung_up());
        reader.finish(ending)
    }

    /// The stream itself.
    pub(super) fn stream(&self) -> &S {
        &self.stream
    }

    /// Whether the server asked for another handshake after the first.
    pub(super) fn asked_again(&self) -> bool {
        self.asked_again
    }

    fn read_along(&mut self, bytes: &[u8]) {
        let is_handshake = self.records.take(bytes);
        match self.is_shaken {
            true => self.asked_again |= is_handshake,
            false if self.ending.is_none() => self.ending = self.reader.take(bytes),
            false => {}
        }
    }
}

/// Where records begin in what comes.
#[derive(Debug, Default)]
struct Records {
    header: Vec<u8>,
    /// How much of a record's content is still to come.
    rest: usize,
}

impl Records {
    /// Whether a record of a handshake begins in these bytes.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        let mut found = false;
        while !bytes.is_empty() {
            let passed = self.rest.min(bytes.len());
            self.rest -= passed;
            bytes = &bytes[passed..];
            let wanted = (HEADER - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..wanted]);
            bytes = &bytes[wanted..];
            if let [kind, _, _, high, low] = self.header[..] {
                found |= kind == HANDSHAKE;
                self.rest = usize::from(u16::from_be_bytes([high, low]));
                self.header.clear();
            }
        }
        found
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read_along(&buffer.filled()[before..]);
        result
    }
}

write_through!(Tap, |it| &mut it.stream);

#[cfg(test)]
mod tests {
    use super::*;

    /// Application data, then a record of a handshake, then data that look like its header.
    const STREAM: &[u8] = &[
        23, 3, 3, 0, 2, 22, 22, 22, 3, 3, 0, 1, 0, 23, 3, 3, 0, 5, 22, 3, 3, 0, 9,
    ];

    #[test]
    fn only_the_first_byte_of_a_record_is_its_type() {
        let mut records = Records::default();
        assert!(!records.take(&STREAM[..7]));
        assert!(records.take(&STREAM[7..13]));
        assert!(!records.take(&STREAM[13..]));
    }

    proptest::proptest! {
        #[test]
        fn the_pieces_of_records_do_not_matter(at: proptest::sample::Index) {
            let (first, second) = STREAM.split_at(at.index(STREAM.len()));
            let mut records = Records::default();
            let found = [records.take(first), records.take(second)];
            proptest::prop_assert_eq!(found.iter().filter(|found| **found).count(), 1);
        }

        #[test]
        fn any_bytes_are_passed_over_without_panic(pieces: Vec<Vec<u8>>) {
            let mut tap = Tap::new(tokio::io::empty());
            for piece in &pieces {
                tap.read_along(piece);
            }
            let _ = tap.over(None);
        }
    }
}
