//! A stream over TLS, whichever client shook hands.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::handshake_done::HandshakeDone;
use super::old::OldStream;
use super::write_through::write_through;

/// A stream by one of the two clients.
#[derive(Debug)]
pub(crate) enum Secure<S> {
    /// rustls.
    New(Box<HandshakeDone<S>>),
    /// The second client, for TLS of the past.
    Old(OldStream<S>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secure<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::New(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Old(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

write_through!(Secure, |it| match it {
    Secure::New(stream) => stream,
    Secure::Old(stream) => stream,
});
