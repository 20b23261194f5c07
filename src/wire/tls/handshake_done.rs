//! A stream over TLS that remembers how its first read went.
//!
//! In TLS 1.3 a server judges the client certificate after the client's side of the handshake is done: a refusal comes
//! with the first read. Whoever reads need not know that; the stream keeps it.
//!
//! Up to TLS 1.2 a server may want a new handshake after the request. rustls refuses with a warning, which waits for
//! the next write. The stream sends it at once, so that the server need not wait for what never comes. It notes it
//! (`late`).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::ProtocolVersion;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::counted::Counted;
use super::ending;
use super::late::Late;
use super::write_through::write_through;
use crate::observation::Presented;

/// A TLS stream whose handshake is done.
#[derive(Debug)]
pub(crate) struct HandshakeDone<S> {
    pub(super) stream: TlsStream<Counted<S>>,
    pub(super) presented: Presented,
    late: Late,
}

impl<S> HandshakeDone<S> {
    /// After a handshake: up to TLS 1.2 a server that ends it has taken the client certificate.
    pub(super) fn new(stream: TlsStream<Counted<S>>, presented: Presented, late: Late) -> Self {
        let version = stream.get_ref().1.protocol_version();
        let presented = match (presented, version) {
            (Presented::Sent, Some(ProtocolVersion::TLSv1_2)) => Presented::Taken,
            (presented, _) => presented,
        };
        Self {
            stream,
            presented,
            late,
        }
    }

    /// What became of our client certificate, as far as has been read.
    pub(crate) fn presented(&self) -> &Presented {
        &self.presented
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for HandshakeDone<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let has_room = buffer.remaining() > 0;
        let owed = self.stream.get_ref().1.wants_write();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        let connection = self.stream.get_ref().1;
        let is_1_2 = connection.protocol_version() == Some(ProtocolVersion::TLSv1_2);
        if is_1_2 && !owed && connection.wants_write() && !matches!(result, Poll::Ready(Err(_))) {
            self.late.ask();
            // What cannot leave now leaves with the next write.
            let _ = Pin::new(&mut self.stream).poll_flush(context);
        }
        if self.presented == Presented::Sent
            && has_room
            && let Poll::Ready(result) = &result
        {
            self.presented = match result {
                Ok(()) if buffer.filled().len() > before => Presented::Taken,
                Ok(()) => Presented::HungUp,
                Err(error) => ending::alert(error).map_or(Presented::HungUp, Presented::Refused),
            };
        }
        result
    }
}

write_through!(HandshakeDone, |it| &mut it.stream);
