//! Through an HTTP proxy: async-nats knows none, so it connects to a port of loopback, and each connection there becomes
//! a tunnel (CONNECT).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Tell;
use crate::diagnostic::visible;

/// The longest time until a tunnel stands.
const LONGEST: Duration = Duration::from_secs(10);
/// The longest head of a proxy's answer.
const HEAD: usize = 16 << 10;

/// Listens on loopback, and leads each connection through the proxy to `target`; where it listens.
pub(super) async fn through(
    proxy: String,
    target: String,
    tell: Tell,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let local = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (proxy, target, tell) = (proxy.clone(), target.clone(), tell.clone());
            tokio::spawn(async move {
                if let Err(why) = tunnel(client, &proxy, &target).await {
                    tell(format!(
                        "the proxy {proxy} leads to no server: {}",
                        visible(&why)
                    ));
                }
            });
        }
    });
    Ok(local)
}

async fn tunnel(mut client: TcpStream, proxy: &str, target: &str) -> Result<(), String> {
    let opened = timeout(LONGEST, open(proxy, target)).await;
    let mut server = opened.map_err(|_| format!("no answer within {} s", LONGEST.as_secs()))??;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    // The end of either side ends the other, also where a cut link says nothing; async-nats tells it.
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        _ = copy(&mut from_server, &mut to_client) => {}
    }
    Ok(())
}

async fn open(proxy: &str, target: &str) -> Result<TcpStream, String> {
    let mut server = TcpStream::connect(proxy)
        .await
        .map_err(|error| error.to_string())?;
    let request = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: portproof/{}\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    server
        .write_all(request.as_bytes())
        .await
        .map_err(|error| error.to_string())?;
    let mut head = Vec::new();
    // Byte by byte: what comes behind the head is the server's.
    while !head.ends_with(b"\r\n\r\n") {
        let byte = server
            .read_u8()
            .await
            .map_err(|_| "it hung up without an answer".to_string())?;
        head.push(byte);
        if head.len() > HEAD {
            return Err("its answer has no end".to_string());
        }
    }
    let status = String::from_utf8_lossy(&head);
    let status = status.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some("200") => Ok(server),
        _ => Err(format!("to CONNECT {target} it says `{status}`")),
    }
}
