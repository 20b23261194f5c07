//! What a handshake that did not finish says.

use std::io;

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use super::recorder::Recorded;
use crate::observation::{CertificateFault, Service};
use crate::wire::trust::certificate::{Key, read};

/// RSA keys below this cannot be used to check a signature here.
const LEAST_BITS: usize = 2_048;

/// What a handshake that did not finish says, apart from what its certificate is worth.
///
/// A server that asked for a client certificate and then refuses us has spoken. Up to TLS 1.2 that comes within the
/// handshake, and some servers close instead of sending an alert.
pub(super) fn broken(error: &io::Error, bytes_read: usize, recorded: &Recorded) -> Service {
    let inner = inner(error);
    if recorded.request.is_some() && matches!(inner, None | Some(rustls::Error::AlertReceived(_))) {
        return Service::Spoke;
    }
    match inner {
        // Here a bad signature is that of the handshake: the peer does not hold the certificate's key.
        Some(rustls::Error::InvalidCertificate(CertificateError::BadSignature)) => {
            Service::Certificate(bad_signature(recorded))
        }
        // Its key is of a kind that is not computed here, or its encoding one that rustls does not read.
        Some(rustls::Error::InvalidCertificate(_)) => {
            Service::Certificate(CertificateFault::Undecided)
        }
        // Every version that this program speaks is too new for it.
        Some(rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)) => Service::TlsTooOld,
        Some(rustls::Error::AlertReceived(alert)) => Service::TlsAlert(format!("{alert:?}")),
        Some(rustls::Error::PeerIncompatible(_)) => Service::TlsTooOld,
        Some(rustls::Error::InvalidMessage(
            InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::CertificatePayloadTooLarge,
        )) => Service::Certificate(CertificateFault::TooLarge),
        Some(_) => Service::NotTls,
        // rustls' buffer is full before a message is whole; what a peer sent wrongly has an error of its own.
        None if error.kind() == io::ErrorKind::InvalidData => {
            Service::Certificate(CertificateFault::TooLarge)
        }
        None if bytes_read == 0 => Service::HungUp,
        None => Service::HungUpInHandshake,
    }
}

/// Whether an old greeting may tell more of a handshake that did not finish. The server is old, or quarrels about a
/// name, or closed. Windows Server 2003 closes when no cipher suite suits it. Of a message that rustls does not read to
/// its end, the greeting reads more. Of a key that is not computed here, the second client may.
pub(super) fn may_be_old(fault: &Service) -> bool {
    matches!(
        fault,
        Service::TlsTooOld
            | Service::TlsAlert(_)
            | Service::HungUp
            | Service::HungUpInHandshake
            | Service::Certificate(CertificateFault::TooLarge | CertificateFault::Undecided)
    )
}

/// The name of the alert that ended a connection.
pub(super) fn alert(error: &io::Error) -> Option<String> {
    match inner(error) {
        Some(rustls::Error::AlertReceived(alert)) => Some(format!("{alert:?}")),
        _ => None,
    }
}

fn inner(error: &io::Error) -> Option<&rustls::Error> {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
}

/// A signature by a short key cannot be checked here, and is not called bad for that.
fn bad_signature(recorded: &Recorded) -> CertificateFault {
    match recorded
        .chain
        .first()
        .and_then(|leaf| read(leaf)?.key.into())
    {
        Some(Key::Rsa { bits }) if bits < LEAST_BITS => CertificateFault::Undecided,
        _ => CertificateFault::Other("the server does not hold the certificate's key".to_string()),
    }
}
