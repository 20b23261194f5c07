//! Connections, so many at once and so long each: whoever opens many and says nothing takes nothing from the checks.
//!
//! A stream of events may last longer than other answers. Whoever takes nothing for a while is left, whatever it asked.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// Connections at once.
const MOST: usize = 64;
/// The longest time for one.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest time for a stream of events.
const LONGEST_STREAM: Duration = Duration::from_secs(600);
/// How long a reader may take nothing.
const STALLED: Duration = Duration::from_secs(10);
/// How long nothing is accepted after the system refused.
const PATIENCE: Duration = Duration::from_millis(200);

/// A listener with so many places.
pub(super) struct Places {
    listener: TcpListener,
    free: Arc<Semaphore>,
}

impl Places {
    pub(super) fn new(listener: TcpListener) -> Self {
        let free = Arc::new(Semaphore::new(MOST));
        Self { listener, free }
    }
}

impl Listener for Places {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let place = Arc::clone(&self.free).acquire_owned().await;
            match (place, self.listener.accept().await) {
                (Ok(place), Ok((stream, from))) => return (Connection::new(stream, place), from),
                _ => sleep(PATIENCE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Says of a connection that it has a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Life(Arc<AtomicBool>);

impl Life {
    /// What is answered from now on is a stream.
    pub(super) fn is_of_a_stream(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Places>> for Life {
    fn connect_info(stream: IncomingStream<'_, Places>) -> Self {
        stream.io().life.clone()
    }
}

/// A connection that ends after its time.
pub(super) struct Connection {
    stream: TcpStream,
    ends: Pin<Box<Sleep>>,
    life: Life,
    /// Whether it has the time of a stream.
    is_long: bool,
    /// Until when the reader has to take something.
    stalled: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            ends: Box::pin(sleep(LONGEST)),
            life: Life::default(),
            is_long: false,
            stalled: None,
            _place: place,
        }
    }

    /// Whether its time is over; wakes the task when it is.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        if self.ends.as_mut().poll(context).is_pending() {
            return false;
        }
        let has_more = !self.is_long && self.life.0.load(Ordering::Relaxed);
        if has_more {
            self.is_long = true;
            self.ends = Box::pin(sleep(LONGEST_STREAM));
        }
        !has_more || self.ends.as_mut().poll(context).is_ready()
    }

    /// Whether the reader has taken nothing for too long.
    fn is_stalled(&mut self, context: &mut Context<'_>) -> bool {
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        stalled.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.is_over(context) {
            true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            false => Pin::new(&mut self.stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_pending() && self.is_stalled(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if written.is_ready() {
            self.stalled = None;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
