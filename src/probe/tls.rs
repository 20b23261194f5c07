//! A TLS handshake that describes a bad certificate instead of only refusing it.
//!
//! The verifier records the chain, runs the real one, keeps its verdict and lets the handshake go on; signatures are
//! still checked, so possession of the key is proved.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::trust::Trust;
use crate::observation::{Certificate, CertificateFault, Service, TlsSeen};

/// The most certificates of a chain in the evidence.
const LONGEST_CHAIN: usize = 10;
/// The most names of a certificate in the evidence.
const MOST_NAMES: usize = 100;

/// A finished handshake, or what kept it from finishing.
pub(super) struct Handshake {
    pub(super) seen: TlsSeen,
    /// What is wrong already; `None`: go on.
    pub(super) fault: Option<Service>,
    pub(super) stream: Option<TlsStream<Counted>>,
}

/// Shakes hands within `limit`.
pub(super) async fn shake(
    stream: TcpStream,
    name: &str,
    trust: &Trust,
    limit: Duration,
) -> Handshake {
    let recorder = Arc::new(Recorder {
        provider: Arc::clone(&trust.provider),
        inner: trust.verifier.clone(),
        seen: Mutex::default(),
    });
    let mut seen = TlsSeen {
        asked_for: Some(name.to_string()),
        ..TlsSeen::default()
    };
    let (Some(config), Ok(server_name)) = (config(trust, &recorder), server_name(name, &stream))
    else {
        return Handshake {
            seen,
            fault: Some(Service::TlsTooOld),
            stream: None,
        };
    };
    let connecting = TlsConnector::from(Arc::new(config))
        .connect(server_name, Counted { stream, read: 0 })
        .into_fallible();
    let result = tokio::time::timeout(limit, connecting).await;
    let recorded = recorder.recorded();
    seen.chain = recorded
        .chain
        .iter()
        .take(LONGEST_CHAIN)
        .filter_map(|der| certificate(der))
        .collect();
    seen.client_certificate_asked = recorded.client_asked;
    seen.verifier = recorded.error.as_ref().map(ToString::to_string);
    let fault = recorded
        .error
        .as_ref()
        .map(|error| Service::Certificate(certificate_fault(error)));
    match result {
        Ok(Ok(stream)) => {
            let connection = stream.get_ref().1;
            seen.version = connection
                .protocol_version()
                .map(|version| format!("{version:?}").replace('_', "."));
            seen.cipher = connection
                .negotiated_cipher_suite()
                .map(|suite| format!("{:?}", suite.suite()));
            Handshake {
                seen,
                fault,
                stream: Some(stream),
            }
        }
        Ok(Err((error, counted))) => Handshake {
            seen,
            fault: Some(broken(&error, counted.read, &recorded)),
            stream: None,
        },
        Err(_) => Handshake {
            seen,
            fault: Some(Service::Mute),
            stream: None,
        },
    }
}

fn config(trust: &Trust, recorder: &Arc<Recorder>) -> Option<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&trust.provider))
        .with_safe_default_protocol_versions()
        .ok()?;
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Recorder>::clone(recorder);
    let resolver: Arc<dyn ResolvesClientCert> = Arc::<Recorder>::clone(recorder);
    Some(
        builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(resolver),
    )
}

/// The name to ask for; the address where TLS cannot carry the name.
fn server_name(name: &str, stream: &TcpStream) -> io::Result<ServerName<'static>> {
    match ServerName::try_from(name.trim_end_matches('.').to_string()) {
        Ok(name) => Ok(name),
        Err(_) => Ok(ServerName::IpAddress(stream.peer_addr()?.ip().into())),
    }
}

/// What a handshake that did not finish says.
///
/// A server that asked for a client certificate and then refuses us has spoken: up to TLS 1.2 that comes within the
/// handshake, and some servers close instead of sending an alert.
fn broken(error: &io::Error, bytes_read: usize, recorded: &Recorded) -> Service {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if recorded.client_asked && matches!(inner, None | Some(rustls::Error::AlertReceived(_))) {
        let fault = recorded.error.as_ref().map(certificate_fault);
        return fault.map_or(Service::Spoke, Service::Certificate);
    }
    match inner {
        // Here a bad signature is that of the handshake: the peer does not hold the certificate's key.
        Some(rustls::Error::InvalidCertificate(CertificateError::BadSignature)) => {
            Service::Certificate(CertificateFault::Other("BadSignature".to_string()))
        }
        Some(error @ rustls::Error::InvalidCertificate(_)) => {
            Service::Certificate(certificate_fault(error))
        }
        Some(rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
        )) => Service::TlsTooOld,
        Some(rustls::Error::AlertReceived(alert)) => Service::TlsAlert(format!("{alert:?}")),
        Some(rustls::Error::PeerIncompatible(_)) => Service::TlsTooOld,
        Some(_) => Service::NotTls,
        None if bytes_read == 0 => Service::HungUp,
        None => Service::HungUpInHandshake,
    }
}

fn certificate_fault(error: &rustls::Error) -> CertificateFault {
    let rustls::Error::InvalidCertificate(error) = error else {
        return CertificateFault::Untrusted;
    };
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::Name
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateFault::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFault::NotYetValid
        }
        // A bad signature in a chain is that of another authority of the same name; `Other` holds what webpki says of
        // a self-signed authority used as a server's certificate.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::Other(_) => CertificateFault::Untrusted,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateFault::Purpose
        }
        other => CertificateFault::Other(format!("{other:?}").chars().take(200).collect()),
    }
}

fn certificate(der: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let names = parsed
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|extension| {
            extension
                .value
                .general_names
                .iter()
                .take(MOST_NAMES)
                .filter_map(general_name)
                .collect()
        });
    let time = |seconds: i64| Timestamp::from_second(seconds).ok();
    Some(Certificate {
        subject: parsed.subject().to_string().chars().take(400).collect(),
        issuer: parsed.issuer().to_string().chars().take(400).collect(),
        names: names.unwrap_or_default(),
        not_before: time(parsed.validity().not_before.timestamp()),
        not_after: time(parsed.validity().not_after.timestamp()),
        sha256: Sha256::digest(der)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    })
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.chars().take(253).collect()),
        GeneralName::IPAddress([a, b, c, d]) => {
            Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string())
        }
        GeneralName::IPAddress(bytes) => <[u8; 16]>::try_from(*bytes)
            .ok()
            .map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        _ => None,
    }
}

/// Keeps what the handshake shows.
#[derive(Debug)]
struct Recorder {
    provider: Arc<rustls::crypto::CryptoProvider>,
    inner: Option<Arc<WebPkiServerVerifier>>,
    seen: Mutex<Recorded>,
}

#[derive(Clone, Debug, Default)]
struct Recorded {
    chain: Vec<CertificateDer<'static>>,
    error: Option<rustls::Error>,
    client_asked: bool,
}

impl Recorder {
    fn recorded(&self) -> Recorded {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = match &self.inner {
            Some(inner) => inner
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .err(),
            None => Some(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer,
            )),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.chain = std::iter::once(end_entity)
            .chain(intermediates)
            .take(LONGEST_CHAIN)
            .map(|der| der.clone().into_owned())
            .collect();
        seen.error = verdict;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl ResolvesClientCert for Recorder {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _sigschemes: &[SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .client_asked = true;
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A stream that counts what it reads: a server that hangs up before its first byte is told from one that does later.
pub(super) struct Counted {
    stream: TcpStream,
    read: usize,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read += buffer.filled().len() - before;
        result
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
