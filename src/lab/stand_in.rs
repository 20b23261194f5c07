//! One stand-in: a listener on loopback that behaves as told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::certificates::Authority;

/// How a stand-in behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StandIn {
    /// HTTP over TLS, as it must be.
    Https,
    /// HTTP, as it must be.
    Http,
    /// Accepts, and that is all.
    Accept,
    /// Nobody listens.
    Down,
    /// HTTPS with a certificate for another name.
    WrongName,
    /// Answers what is no HTTP.
    Garbage,
}

/// A stand-in never holds a connection longer than this.
const LONGEST: Duration = Duration::from_secs(10);

/// Starts a stand-in; one that is down has an address and no listener.
pub(super) async fn spawn(
    kind: StandIn,
    name: &str,
    authority: &Authority,
) -> anyhow::Result<(SocketAddr, Option<JoinHandle<()>>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let tls = match kind {
        StandIn::Down => return Ok((address, None)),
        StandIn::Https => Some(authority.server(name)?),
        StandIn::WrongName => Some(authority.server("another.example.net")?),
        StandIn::Http | StandIn::Accept | StandIn::Garbage => None,
    };
    Ok((address, Some(tokio::spawn(accept(listener, kind, tls)))))
}

async fn accept(listener: TcpListener, kind: StandIn, tls: Option<Arc<ServerConfig>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(tokio::time::timeout(LONGEST, serve(stream, kind, tls)));
    }
}

async fn serve(mut stream: TcpStream, kind: StandIn, tls: Option<Arc<ServerConfig>>) {
    match (kind, tls) {
        (StandIn::Https | StandIn::WrongName, Some(tls)) => {
            if let Ok(mut stream) = TlsAcceptor::from(tls).accept(stream).await {
                answer(
                    &mut stream,
                    b"HTTP/1.1 200 OK\r\nServer: portproof-lab\r\nContent-Length: \
                    0\r\nConnection: close\r\n\r\n",
                )
                .await;
            }
        }
        (StandIn::Garbage, _) => answer(&mut stream, b"220 this is no web server\r\n").await,
        (StandIn::Accept, _) => {
            let _ = stream.read(&mut [0_u8; 64]).await;
        }
        (StandIn::Http | StandIn::Https | StandIn::WrongName | StandIn::Down, _) => {
            answer(
                &mut stream,
                b"HTTP/1.1 200 OK\r\nServer: portproof-lab\r\nContent-Length: \
                0\r\nConnection: close\r\n\r\n",
            )
            .await;
        }
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) {
    let mut request = [0_u8; 2_048];
    let _ = stream.read(&mut request).await;
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
}
