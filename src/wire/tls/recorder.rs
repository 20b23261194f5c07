//! What the handshake shows: the chain, and whether a client certificate is asked for.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::request::ClientCertificateRequest;

/// Keeps what the handshake shows, and lets it go on.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) provider: Arc<CryptoProvider>,
    /// What to present when a client certificate is asked for.
    pub(super) own: Option<Arc<CertifiedKey>>,
    pub(super) seen: Mutex<Recorded>,
}

/// What a handshake showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorded {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) request: Option<ClientCertificateRequest>,
    /// Whether our client certificate went out.
    pub(super) sent: bool,
}

impl Recorder {
    pub(super) fn recorded(&self) -> Recorded {
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
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Bounded by rustls, which reads no handshake message above 64 KiB.
        seen.chain = std::iter::once(end_entity)
            .chain(intermediates)
            .map(|der| der.clone().into_owned())
            .collect();
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
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        // Sent whichever authorities the server lists: a clear refusal tells more than nothing sent.
        let fits = |own: &&Arc<CertifiedKey>| own.key.choose_scheme(sigschemes).is_some();
        let own = self.own.as_ref().filter(fits).map(Arc::clone);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.request = Some(ClientCertificateRequest::of(root_hint_subjects));
        seen.sent = own.is_some();
        own
    }

    fn has_certs(&self) -> bool {
        true
    }
}
