//! Connections, so many at once and so long each: whoever opens many and says nothing takes nothing from the checks.
//!
//! With TLS a place is taken before the handshake, which has a time of its own. Others are accepted meanwhile.
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
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Connections at once.
const MOST: usize = 64;
/// The longest time for one.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// The longest time for a stream of events.
const LONGEST_STREAM: Duration = Duration::from_secs(600);
/// How long a reader may take nothing.
const STALLED: Duration = Duration::from_secs(10);
/// How long nothing is accepted after the system refused.
const PATIENCE: Duration = Duration::from_millis(200);

/// A listener with so many places.
pub(super) struct Places {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    free: Arc<Semaphore>,
    /// Handshakes under way.
    handshakes: JoinSet<Option<(Connection, SocketAddr)>>,
}

impl Places {
    pub(super) fn new(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        Self {
            listener,
            tls,
            free: Arc::new(Semaphore::new(MOST)),
            handshakes: JoinSet::new(),
        }
    }
}

/// Somebody who has come, and the place that is taken.
type Arrival = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// Waits for a place and somebody to take it.
async fn arrival(listener: &TcpListener, free: &Arc<Semaphore>) -> io::Result<Arrival> {
    let place = Arc::clone(free).acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (stream, from) = listener.accept().await?;
    Ok((stream, from, place))
}

impl Listener for Places {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let arrival = tokio::select! {
                Some(shaken) = self.handshakes.join_next() => match shaken {
                    Ok(Some(ready)) => return ready,
                    // Who speaks no TLS, or too slowly.
                    _ => continue,
                },
                arrival = arrival(&self.listener, &self.free) => arrival,
            };
            match (arrival, &self.tls) {
                (Ok((stream, from, place)), None) => {
                    return (Connection::new(Box::new(stream), place, false), from);
                }
                (Ok(arrival), Some(tls)) => {
                    let shaken = shake(tls.clone(), arrival);
                    self.handshakes.spawn(shaken);
                }
                (Err(_), _) => sleep(PATIENCE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Shakes hands, in time.
async fn shake(
    tls: TlsAcceptor,
    (stream, from, place): Arrival,
) -> Option<(Connection, SocketAddr)> {
    let shaken = timeout(HANDSHAKE, tls.accept(stream)).await;
    let stream = shaken.ok()?.ok()?;
    let (_, session) = stream.get_ref();
    let has_certificate = session.peer_certificates().is_some_and(|it| !it.is_empty());
    let connection = Connection::new(Box::new(stream), place, has_certificate);
    Some((connection, from))
}

/// What bytes go over.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What is known of a connection.
#[derive(Clone, Debug)]
pub(super) struct Life {
    has_stream: Arc<AtomicBool>,
    has_certificate: bool,
}

impl Life {
    /// What is answered from now on is a stream.
    pub(super) fn is_of_a_stream(&self) {
        self.has_stream.store(true, Ordering::Relaxed);
    }

    /// Whether the other end has shown a certificate that is let in.
    pub(super) fn has_certificate(&self) -> bool {
        self.has_certificate
    }
}

impl Connected<IncomingStream<'_, Places>> for Life {
    fn connect_info(stream: IncomingStream<'_, Places>) -> Self {
        stream.io().life.clone()
    }
}

/// A connection that ends after its time.
pub(super) struct Connection {
    stream: Box<dyn Wire>,
    ends: Pin<Box<Sleep>>,
    life: Life,
    /// Whether it has the time of a stream.
    is_long: bool,
    /// Until when the reader has to take something.
    stalled: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: Box<dyn Wire>, place: OwnedSemaphorePermit, has_certificate: bool) -> Self {
        Self {
            stream,
            ends: Box::pin(sleep(LONGEST)),
            life: Life {
                has_stream: Arc::default(),
                has_certificate,
            },
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
        let has_more = !self.is_long && self.life.has_stream.load(Ordering::Relaxed);
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
