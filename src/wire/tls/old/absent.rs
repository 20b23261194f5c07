//! What stands for the second client in a build without `old-tls`: nobody shakes hands, and no stream comes to be.

use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Joined;
use crate::wire::tls::client_certificate::ClientCertificate;
use crate::wire::tls::late::Late;

/// The library that speaks TLS of the past, and its version; `None`: this build has none.
pub(crate) fn library() -> Option<&'static str> {
    None
}

/// A stream that no build without `old-tls` makes.
#[derive(Debug)]
pub(crate) struct OldStream<S>(Infallible, PhantomData<S>);

/// Nobody shakes hands here.
pub(crate) async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
    _: S,
    _: Option<&str>,
    _: Option<&ClientCertificate>,
    _: &Late,
    _: Duration,
) -> Option<Joined<S>> {
    None
}

impl<S: Unpin> AsyncRead for OldStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl<S: Unpin> AsyncWrite for OldStream<S> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
