//! A TLS handshake that describes a bad certificate instead of only refusing it.
//!
//! The verifier (`recorder`) records the chain and lets the handshake go on; the real one is asked afterwards. Signatures
//! of the handshake are still checked, so possession of the key is proved. A client certificate (`client_certificate`) is
//! presented when the server asks; the stream (`shaken`) remembers what became of it. `description` says what the chain
//! is worth, `ending` reads what a handshake that did not finish says. Where that may be a matter of age, `old` has a second client, and greets as
//! a client of 2008 would. `late` is what a server asks for after the request. `secure` is a stream by either client.

pub(crate) mod client_certificate;
mod counted;
mod description;
mod ending;
pub(crate) mod late;
pub(crate) mod old;
mod recorder;
mod request;
mod secure;
#[cfg(test)]
pub(crate) mod servers;
mod handshake_done;
mod write_through;
#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rustls::ClientConfig;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio_rustls::TlsConnector;

use super::trust::Trust;
use crate::observation::{CertificateFault, ChainFault, Presented, Service, TlsSeen, Weight};
use client_certificate::ClientCertificate;
use counted::Counted;
use description::describe;
use late::Late;
use recorder::{Recorded, Recorder};

pub(crate) use handshake_done::HandshakeDone;
pub(crate) use secure::Secure;

use request::ClientCertificateRequest;

/// A finished handshake, or what kept it from finishing.
pub(crate) struct Handshake<S> {
    /// What was seen. With a stream, what became of our client certificate is its business: ask [`HandshakeDone::presented`].
    pub(crate) seen: TlsSeen,
    /// What is wrong already; `None`: go on.
    pub(crate) fault: Option<Service>,
    pub(crate) stream: Option<HandshakeDone<S>>,
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
    /// Where it is noted that the server asks for another handshake after a request.
    pub(crate) late: Late,
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

/// Shakes hands as told, within `limit`.
pub(crate) async fn shake_as<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    asking: &Asking<'_>,
    trust: &Trust,
    limit: Duration,
) -> Handshake<S> {
    let recorder = Arc::new(Recorder {
        provider: Arc::clone(&trust.provider),
        own: asking.own.map(|own| Arc::clone(&own.key)),
        seen: Mutex::default(),
    });
    let mut seen = TlsSeen {
        asked_for: Some(asking.name.to_str().into_owned()),
        ..TlsSeen::default()
    };
    let Some(config) = config(trust, &recorder, asking.sni) else {
        return Handshake {
            seen,
            fault: Some(Service::TlsTooOld),
            stream: None,
            may_be_old: false,
        };
    };
    let connecting = TlsConnector::from(Arc::new(config))
        .connect(asking.name.clone(), Counted::new(stream))
        .into_fallible();
    let result = tokio::time::timeout(limit, connecting).await;
    match &result {
        Ok(Ok(stream)) => stream.get_ref().0.tell("TLS handshake"),
        Ok(Err((_, counted))) => counted.tell("TLS handshake"),
        // What never ended has gone with its stream.
        Err(_) => {}
    }
    let recorded = recorder.recorded();
    let name = asking.name.to_str();
    let certificate = describe(&mut seen, &recorded.chain, &name, trust, Timestamp::now());
    let presented = presented(&recorded);
    note_request(&mut seen, recorded.request.as_ref());
    let (fault, stream) = match result {
        Ok(Ok(stream)) => {
            let shaken = HandshakeDone::new(stream, presented, asking.late.clone());
            seen.presented = shaken.presented.clone();
            seen.key_proven = true;
            note_connection(&mut seen, &shaken);
            (certificate.map(Service::Certificate), Some(shaken))
        }
        Ok(Err((error, mut counted))) => {
            seen.presented = match refused(presented, &error) {
                Presented::HungUp => alert_left(&mut counted, limit)
                    .await
                    .map_or(Presented::HungUp, Presented::Refused),
                known => known,
            };
            let fault = match ending::broken(&error, counted.read, &recorded) {
                Service::Spoke => certificate.map_or(Service::Spoke, Service::Certificate),
                // A key that cannot be checked here may not be the worst.
                Service::Certificate(
                    light @ (CertificateFault::Undecided | CertificateFault::TooLarge),
                ) => {
                    if light == CertificateFault::Undecided {
                        not_computed(&mut seen);
                    }
                    Service::Certificate(worse(certificate, light))
                }
                fault => fault,
            };
            (Some(fault), None)
        }
        Err(_) => {
            seen.presented = presented;
            (Some(Service::Mute), None)
        }
    };
    Handshake {
        may_be_old: stream.is_none() && fault.as_ref().is_some_and(ending::may_be_old),
        seen,
        fault,
        stream,
    }
}

/// Says that the server could not show here that it holds the key.
fn not_computed(seen: &mut TlsSeen) {
    let fault = ChainFault {
        weight: Weight::Undecided,
        words: "its key is too short, or of a kind, for this program to check the handshake with"
            .to_string(),
    };
    let refused = |known: &ChainFault| known.weight == Weight::Refused;
    let place = seen.faults.partition_point(refused);
    seen.faults.insert(place, fault);
}

/// The fault that decides where another does not make every client refuse: any found that does.
fn worse(found: Option<CertificateFault>, other: CertificateFault) -> CertificateFault {
    found.filter(|fault| !fault.is_light()).unwrap_or(other)
}

/// Describes what an old greeting showed, as far as that goes; the fault of the certificate that decides comes back.
pub(crate) fn describe_shown(
    seen: &mut TlsSeen,
    shown: old::Shown,
    name: &ServerName<'_>,
    trust: &Trust,
) -> Option<CertificateFault> {
    let chain: Vec<CertificateDer<'static>> =
        shown.chain.into_iter().map(CertificateDer::from).collect();
    seen.version = Some(shown.version);
    seen.cipher = Some(shown.cipher);
    seen.key_proven = false;
    note_request(seen, shown.request.as_ref());
    if shown.request.is_some() {
        seen.presented = Presented::None;
    }
    describe(seen, &chain, &name.to_str(), trust, Timestamp::now())
}

fn note_request(seen: &mut TlsSeen, request: Option<&ClientCertificateRequest>) {
    seen.client_certificate_asked = request.is_some();
    if let Some(request) = request {
        seen.authorities.clone_from(&request.authorities);
        seen.more_authorities = request.more;
    }
}

fn note_connection<S>(seen: &mut TlsSeen, shaken: &HandshakeDone<S>) {
    let connection = shaken.stream.get_ref().1;
    seen.version = connection
        .protocol_version()
        .map(|version| format!("{version:?}").replace('_', "."));
    seen.cipher = connection
        .negotiated_cipher_suite()
        .map(|suite| format!("{:?}", suite.suite()));
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

/// The alert that still waits where writing failed first. A server that refuses a certificate closes before it has read
/// all, and then the system resets the connection. Up to TLS 1.2 it stands there in clear (RFC 5246 section 7.2).
async fn alert_left<S: AsyncRead + Unpin>(stream: &mut S, limit: Duration) -> Option<String> {
    let mut record = [0; 7];
    let read = tokio::time::timeout(limit, stream.read_exact(&mut record)).await;
    read.ok()?.ok()?;
    match record {
        [21, 3, _, 0, 2, _, code] => Some(format!("{:?}", rustls::AlertDescription::from(code))),
        _ => None,
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
