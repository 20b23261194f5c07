//! A TLS handshake that describes a bad certificate instead of only refusing it.
//!
//! The verifier (`recorder`) records the chain, runs the real one, keeps its verdict and lets the handshake go on;
//! signatures are still checked, so possession of the key is proved. A client certificate (`client_certificate`) is
//! presented when the server asks; the stream (`shaken`) remembers what became of it. `ending` reads what a handshake
//! that did not finish says. Where that may be a matter of age, `old` greets as a client of 2008 would.

pub(crate) mod client_certificate;
mod counted;
mod ending;
pub(crate) mod old;
mod recorder;
mod request;
#[cfg(test)]
pub(crate) mod servers;
mod shaken;
#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::certificate;
use super::trust::Trust;
use crate::observation::{Certificate, Service, TlsSeen};
use client_certificate::ClientCertificate;
use counted::Counted;
use recorder::{Recorded, Recorder};

pub(crate) use shaken::{Presented, Shaken};

pub(crate) use request::ClientCertificateRequest;

/// A finished handshake, or what kept it from finishing.
pub(crate) struct Handshake<S> {
    pub(crate) seen: TlsSeen,
    /// What is wrong already; `None`: go on.
    pub(crate) fault: Option<Service>,
    pub(crate) stream: Option<Shaken<S>>,
    /// The chain as it was sent, leaf first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// Whether a client certificate was asked for in the first handshake, and by which authorities.
    pub(crate) request: Option<ClientCertificateRequest>,
    /// What became of ours; with a stream, ask that instead.
    pub(crate) presented: Presented,
    /// Whether a greeting by [`old::recognise`] over a new connection may tell more.
    pub(crate) may_be_old: bool,
}

/// How to shake hands.
pub(crate) struct Asking<'a> {
    /// The name that the certificate must be for.
    pub(crate) name: ServerName<'static>,
    /// Whether the name is sent (SNI).
    pub(crate) sni: Sni,
    /// What to present when the server asks for a client certificate.
    pub(crate) own: Option<&'a ClientCertificate>,
}

/// Whether the name is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sni {
    /// In the ClientHello, as clients do.
    Sent,
    /// Not at all: some servers refuse names that they do not know.
    Withheld,
}

/// The name to ask for; the address where TLS cannot carry the name.
pub(crate) fn server_name(name: &str, address: IpAddr) -> ServerName<'static> {
    ServerName::try_from(name.trim_end_matches('.').to_string())
        .unwrap_or_else(|_| ServerName::IpAddress(address.into()))
}

/// Shakes hands within `limit`.
pub(crate) async fn shake(
    stream: TcpStream,
    name: &str,
    trust: &Trust,
    limit: Duration,
) -> Handshake<TcpStream> {
    let address = stream.peer_addr().map(|address| address.ip());
    let asking = Asking {
        // A connection without a far end fails on its own; any address does.
        name: server_name(name, address.unwrap_or(IpAddr::from([0, 0, 0, 0]))),
        sni: Sni::Sent,
        own: None,
    };
    let mut handshake = shake_as(stream, &asking, trust, limit).await;
    handshake.seen.asked_for = Some(name.to_string());
    handshake
}

/// Shakes hands as told, within `limit`.
pub(crate) async fn shake_as<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    asking: &Asking<'_>,
    trust: &Trust,
    limit: Duration,
) -> Handshake<S> {
    let recorder = Arc::new(Recorder {
        provider: Arc::clone(&trust.provider),
        inner: trust.verifier.clone(),
        own: asking.own.map(|own| Arc::clone(&own.key)),
        seen: Mutex::default(),
    });
    let Some(config) = config(trust, &recorder, asking.sni) else {
        let fault = Service::TlsTooOld;
        return ended(asking, Recorded::default(), Err(fault), Presented::NotAsked);
    };
    let connecting = TlsConnector::from(Arc::new(config))
        .connect(asking.name.clone(), Counted { stream, read: 0 })
        .into_fallible();
    let result = tokio::time::timeout(limit, connecting).await;
    let recorded = recorder.recorded();
    let presented = presented(&recorded);
    match result {
        Ok(Ok(stream)) => {
            let shaken = Shaken::new(stream, presented);
            let presented = shaken.presented.clone();
            ended(asking, recorded, Ok(shaken), presented)
        }
        Ok(Err((error, counted))) => {
            let fault = ending::broken(&error, counted.read, &recorded);
            let presented = refused(presented, &error);
            ended(asking, recorded, Err(fault), presented)
        }
        Err(_) => ended(asking, recorded, Err(Service::Mute), presented),
    }
}

fn ended<S>(
    asking: &Asking<'_>,
    recorded: Recorded,
    result: Result<Shaken<S>, Service>,
    presented: Presented,
) -> Handshake<S> {
    let mut seen = TlsSeen {
        asked_for: Some(asking.name.to_str().into_owned()),
        chain: recorded.chain.iter().filter_map(summary).collect(),
        client_certificate_asked: recorded.request.is_some(),
        verifier: recorded.error.as_ref().map(ToString::to_string),
        ..TlsSeen::default()
    };
    let refusal = recorded.error.as_ref().map(ending::certificate_fault);
    let (fault, stream) = match result {
        Ok(shaken) => {
            let connection = shaken.stream.get_ref().1;
            seen.version = connection
                .protocol_version()
                .map(|version| format!("{version:?}").replace('_', "."));
            seen.cipher = connection
                .negotiated_cipher_suite()
                .map(|suite| format!("{:?}", suite.suite()));
            (refusal.map(Service::Certificate), Some(shaken))
        }
        Err(fault) => (Some(fault), None),
    };
    Handshake {
        may_be_old: stream.is_none() && fault.as_ref().is_some_and(ending::may_be_old),
        seen,
        fault,
        stream,
        chain: recorded.chain,
        request: recorded.request,
        presented,
    }
}

fn presented(recorded: &Recorded) -> Presented {
    match (&recorded.request, recorded.sent) {
        (None, _) => Presented::NotAsked,
        (Some(_), false) => Presented::None,
        (Some(_), true) => Presented::Sent,
    }
}

/// What a handshake that ended badly did with a client certificate that had been sent.
fn refused(presented: Presented, error: &io::Error) -> Presented {
    match presented {
        Presented::Sent => ending::alert(error).map_or(Presented::HungUp, Presented::Refused),
        presented => presented,
    }
}

fn config(trust: &Trust, recorder: &Arc<Recorder>, sni: Sni) -> Option<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&trust.provider))
        .with_safe_default_protocol_versions()
        .ok()?;
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Recorder>::clone(recorder);
    let resolver: Arc<dyn ResolvesClientCert> = Arc::<Recorder>::clone(recorder);
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(resolver);
    config.enable_sni = sni == Sni::Sent;
    Some(config)
}

/// The parts of a certificate that stand in the evidence.
fn summary(der: &CertificateDer<'_>) -> Option<Certificate> {
    let facts = certificate::read(der)?;
    Some(Certificate {
        subject: facts.subject,
        issuer: facts.issuer,
        names: facts.names,
        not_before: facts.not_before,
        not_after: facts.not_after,
        sha256: facts.sha256,
    })
}
