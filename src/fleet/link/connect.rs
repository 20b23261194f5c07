//! Connecting to a NATS server: TLS, who connects, perhaps through a proxy; and what the server says by events alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use async_nats::{Client, ConnectOptions, Event, ServerError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::sync::watch;
use url::Url;

use super::{Tell, forward};
use crate::diagnostic::visible;

/// The longest time for TCP, TLS and the server's greeting. TCP knocks again after 1, 3 and 7 seconds: the last of these
/// would come too late for a link that is repaired meanwhile.
const LONGEST: Duration = Duration::from_secs(5);
/// After so long without a word the server is pinged, and after two pings without an answer the link counts as cut. A
/// server that pings every 3 seconds, as ours does, is never asked.
const SILENT: Duration = Duration::from_secs(4);
/// Messages of a subscription that may wait to be read.
const WAITING: usize = 1_024;
/// The longest pause between two tries to connect.
const PAUSE: Duration = Duration::from_secs(2);

/// What is needed to connect.
#[derive(Clone)]
pub struct Access {
    /// The server, as the file says it.
    pub server: String,
    /// Authorities that its certificate may lead to; none: those that the system trusts.
    pub roots: Vec<CertificateDer<'static>>,
    /// The seed of an nkey, or what stands in a `.creds` file.
    pub credentials: String,
    /// The proxy, as the file says it.
    pub proxy: Option<String>,
    /// The name of the connection.
    pub name: String,
    /// The beginning of the subjects on which answers come.
    pub inbox: String,
}

/// A connection, and how often it has stood: the number changes when it stands again.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) again: Arc<watch::Sender<u64>>,
}

/// Connects.
///
/// # Errors
/// When it is not possible now: who refuses, and why. `patient` waits for the server instead.
pub(super) async fn connect(
    access: &Access,
    tell: &Tell,
    patient: bool,
) -> anyhow::Result<Connected> {
    let again = Arc::new(watch::Sender::new(0));
    let stands = Arc::clone(&again);
    let url = Url::parse(&access.server).context("the place of the server")?;
    let host = url
        .host_str()
        .context("the server has no name")?
        .to_string();
    let is_tls = url.scheme() != "nats";
    let mut at = access.server.clone();
    if let Some(proxy) = &access.proxy {
        at = through_proxy(&url, proxy, tell).await?;
    }
    let told = Arc::clone(tell);
    // Who waits for this connection hears of it by what comes next.
    let is_first = AtomicBool::new(!patient);
    let mut options = options(access)?
        .name(&access.name)
        .custom_inbox_prefix(&access.inbox)
        .ignore_discovered_servers()
        .subscription_capacity(WAITING)
        .connection_timeout(LONGEST)
        .ping_interval(SILENT)
        .reconnect_delay_callback(pause)
        .event_callback(move |event| {
            let is_again = matches!(event, Event::Connected);
            if !(is_again && is_first.swap(false, Ordering::Relaxed)) {
                told(words(&event));
            }
            if is_again {
                stands.send_modify(|times| *times += 1);
            }
            async {}
        });
    if is_tls {
        options = options
            .require_tls(true)
            .tls_client_config(tls(&access.roots, &host)?);
    }
    if patient {
        options = options.retry_on_initial_connect();
    }
    let connected = options.connect(&at).await;
    // Its words have those of its source in them.
    let client = connected.map_err(|why| {
        anyhow::anyhow!(
            "connecting to the NATS server {}: {}; see whether it runs, and whether firewalls let this host through to it",
            access.server,
            visible(&why.to_string())
        )
    })?;
    Ok(Connected { client, again })
}

fn options(access: &Access) -> anyhow::Result<ConnectOptions> {
    let text = access.credentials.trim();
    match text.contains("-----BEGIN") {
        true => ConnectOptions::new()
            .credentials(text)
            .context("the credentials cannot be read"),
        false => {
            nkeys::KeyPair::from_seed(text).map_err(|_| {
                anyhow::anyhow!("the credentials are neither the seed of an nkey nor a .creds file")
            })?;
            Ok(ConnectOptions::new().nkey(text.to_string()))
        }
    }
}

/// The address of a tunnel on this host; the scheme stays.
async fn through_proxy(url: &Url, proxy: &str, tell: &Tell) -> anyhow::Result<String> {
    let port = url.port().unwrap_or(match url.scheme() {
        "wss" => 443,
        _ => 4222,
    });
    let target = format!("{}:{port}", url.host_str().unwrap_or_default());
    let proxy = Url::parse(proxy).context("the place of the proxy")?;
    let proxy = format!(
        "{}:{}",
        proxy.host_str().unwrap_or_default(),
        proxy.port().unwrap_or(3128)
    );
    let local = forward::through(proxy, target, Arc::clone(tell)).await;
    let local = local.context("listening on loopback for the way through the proxy")?;
    Ok(format!("{}://{local}", url.scheme()))
}

/// The pause before a try: longer each time, and never the same for many who lost one server.
fn pause(tries: usize) -> Duration {
    let longest = PAUSE.min(Duration::from_millis(50) * 2_u32.saturating_pow(tries.min(10) as u32));
    longest / 2 + longest.mul_f64(f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 512.0)
}

/// An event in words. The server denies a subject by event alone: it must not look like a port that is blocked.
fn words(event: &Event) -> String {
    match event {
        Event::Connected => "connected to the NATS server".to_string(),
        Event::Disconnected => {
            "the connection to the NATS server is lost; it is tried again".to_string()
        }
        Event::ServerError(ServerError::Other(says))
            if says.to_lowercase().contains("permissions violation") =>
        {
            format!(
                "the NATS server denies this: {}. Its permissions are incomplete, or another agent's credentials are \
                 used; no firewall has to be looked at",
                visible(says)
            )
        }
        Event::ServerError(error) => {
            format!("the NATS server says: {}", visible(&error.to_string()))
        }
        Event::ClientError(error) => format!(
            "the NATS server is not reached: {}",
            visible(&error.to_string())
        ),
        other => format!(
            "the connection to the NATS server: {}",
            visible(&other.to_string())
        ),
    }
}

fn tls(roots: &[CertificateDer<'static>], host: &str) -> anyhow::Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    match roots.is_empty() {
        true => store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
        false => store.add_parsable_certificates(roots.iter().cloned()),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider));
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_string());
    let verifier = OfName {
        inner: inner
            .build()
            .context("no authority is known that the server's certificate may lead to")?,
        name: name.context("the name of the server")?,
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS")?;
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Verifies the certificate for the name in the file, whatever address the connection goes to: that of a tunnel on
/// loopback has another name.
#[derive(Debug)]
struct OfName {
    inner: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for OfName {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.inner
            .verify_server_cert(end, between, &self.name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `ring` does the arithmetic of every TLS connection of the process, also of those that async-nats makes without us.
pub(super) fn choose_provider() {
    // Somebody else may have chosen; it is the same one.
    let _ = CryptoProvider::install_default(rustls::crypto::ring::default_provider());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        assert!(pause(0) <= Duration::from_millis(50));
        let many: Vec<Duration> = (0..20).map(|_| pause(30)).collect();
        assert!(many.iter().all(|it| *it >= PAUSE / 2 && *it <= PAUSE));
        assert!(many.iter().any(|it| *it != many[0]));
    }

    #[test]
    fn a_denied_subject_is_no_blocked_port() {
        let says = "Permissions Violation for Publish to \"a.b\"".to_string();
        let said = words(&Event::ServerError(ServerError::Other(says)));
        assert!(
            said.contains("denies this: Permissions Violation") && said.contains("no firewall"),
            "{said}"
        );
    }
}
