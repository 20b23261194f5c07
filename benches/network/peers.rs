//! The plainest loops over tokio and rustls, to compare portproof with. They prove nothing: one try each.
//!
//! ```text
//! bench-peers connect LIST IN_FLIGHT MILLISECONDS    LIST: lines of "address port"
//! bench-peers tls LIST IN_FLIGHT ROOTS.pem           LIST: lines of "address name"; port 443
//! ```

use std::error::Error;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = match words[..] {
        ["connect", list, in_flight, wait] => {
            let wait = Duration::from_millis(wait.parse()?);
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(connect(pairs(list)?, in_flight.parse()?, wait))
        }
        ["tls", list, in_flight, roots] => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(shake(pairs(list)?, in_flight.parse()?, client(roots)?))
        }
        _ => {
            return Err(
                "usage: connect LIST IN_FLIGHT MILLISECONDS | tls LIST IN_FLIGHT ROOTS.pem".into(),
            );
        }
    };
    io::Write::write_all(&mut io::stdout(), said.as_bytes())?;
    Ok(())
}

/// The lines of a list, two words each.
fn pairs<T: FromStr<Err: Error + 'static>>(list: &str) -> Outcome<Vec<(IpAddr, T)>> {
    let text = fs::read_to_string(list)?;
    text.lines()
        .map(|line| {
            let (address, other) = line.split_once(' ').ok_or("a line without a blank")?;
            Ok((address.parse()?, other.parse()?))
        })
        .collect()
}

/// One task for each try, on all cores.
async fn connect(list: Vec<(IpAddr, u16)>, in_flight: usize, wait: Duration) -> String {
    let tries = list.into_iter().map(|it| {
        let at = SocketAddr::from(it);
        tokio::spawn(async move { tokio::time::timeout(wait, TcpStream::connect(at)).await })
    });
    let (mut open, mut closed, mut silent) = (0, 0, 0);
    let mut ended = futures_util::stream::iter(tries).buffer_unordered(in_flight);
    while let Some(one) = ended.next().await {
        match one.expect("no task panics") {
            Ok(Ok(stream)) => {
                open += 1;
                reset(&stream);
            }
            Ok(Err(_)) => closed += 1,
            Err(_) => silent += 1,
        }
    }
    format!("open={open} closed={closed} silent={silent}\n")
}

/// Closes by a reset, so that no port of this host stays taken.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// What verifies servers by these roots, and shakes hands anew each time.
fn client(roots: &str) -> Outcome<TlsConnector> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(roots)? {
        store.add(root?)?;
    }
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A verified handshake with each, on one core.
async fn shake(list: Vec<(IpAddr, String)>, in_flight: usize, client: TlsConnector) -> String {
    let client = &client;
    let tries = list.into_iter().map(|(address, name)| async move {
        let stream = TcpStream::connect((address, 443)).await?;
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let shaken = client.connect(name, stream).await?;
        reset(shaken.get_ref().0);
        Ok::<_, io::Error>(())
    });
    let (mut open, mut failed) = (0, 0);
    let mut ended = futures_util::stream::iter(tries).buffer_unordered(in_flight);
    while let Some(one) = ended.next().await {
        match one {
            Ok(()) => open += 1,
            Err(_) => failed += 1,
        }
    }
    format!("open={open} failed={failed}\n")
}
