//! The second client: OpenSSL, for servers that rustls cannot shake hands with, from SSL 3 to TLS 1.2.
//!
//! It greets like a client of 2008, with 48 cipher suites (Windows Server 2003 reads no more than 64). It reads along
//! what stands in clear (`tap`). It leaves the chain to the judge of all chains: nothing is verified here but that the
//! server holds its key. A server that wants a new handshake after the request gets it, with this host's certificate
//! where there is one.
//!
//! Such ciphers keep no secret. So the stream is not `Entrusted`: what sends credentials refuses it when compiled.

use std::io;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::provider::Provider;
use openssl::ssl::{
    self, ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslVerifyMode,
    SslVersion,
};
use openssl::x509::X509;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_openssl::SslStream;

use super::tap::Tap;
use super::{Ending, Joined};
use crate::observation::Presented;
use crate::wire::tls::client_certificate::ClientCertificate;
use crate::wire::tls::counted::Counted;
use crate::wire::tls::late::Late;
use crate::wire::tls::write_through::write_through;

/// Suites with AES, RC4 and 3DES, by ECDHE, RSA and DHE. Those of Windows Server 2003 stand at 27 to 29 of 48.
const CIPHERS: &str = "ECDHE+AES:RSA+AES:RC4-SHA:RC4-MD5:DES-CBC3-SHA:DHE+AES:DHE-DSS-DES-CBC3-SHA:DHE-RSA-DES-CBC3-SHA:!CCM:!ARIA:!PSK:!aNULL:!SRP:@SECLEVEL=0";
/// `SSL_OP_LEGACY_SERVER_CONNECT`, which the crate has no name for: servers from before RFC 5746 are taken.
const LEGACY_SERVER_CONNECT: SslOptions = SslOptions::from_bits_retain(4);
/// OpenSSL gives an alert that it received as this and the alert's number.
const ALERT_REASONS: i32 = 1_000;

/// The library that speaks TLS of the past, and its version; `None`: this build has none.
pub(crate) fn library() -> Option<&'static str> {
    Some(openssl::version::version())
}

/// A stream over TLS of the past. It carries requests, and never a credential.
#[derive(Debug)]
pub(crate) struct OldStream<S> {
    stream: SslStream<Tap<Counted<S>>>,
    has_own: bool,
    late: Late,
}

/// Shakes hands over a fresh connection, within `limit`; `None` when OpenSSL does not even begin.
///
/// `name` is sent as SNI. `own` is shown where the server asks, now or later; what became of it later stands in `late`.
pub(crate) async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    name: Option<&str>,
    own: Option<&ClientCertificate>,
    late: &Late,
    limit: Duration,
) -> Option<Joined<S>> {
    let begun = begin(stream, name, own);
    let mut stream = begun
        .inspect_err(|error| tracing::debug!(%error, "OpenSSL does not begin"))
        .ok()?;
    let shaken = tokio::time::timeout(limit, Pin::new(&mut stream).connect()).await;
    stream.get_ref().stream().tell("TLS handshake of old");
    let otherwise = match &shaken {
        Ok(Ok(())) => Some(Ending::Whole),
        Ok(Err(error)) => alert(error).map(Ending::Alert),
        Err(_) => Some(Ending::Mute),
    };
    let refusal = match &shaken {
        Ok(Err(error)) => {
            tracing::debug!(%error, "the handshake of old failed");
            alert(error)
        }
        _ => None,
    };
    let recognised = stream.get_mut().over(otherwise);
    let is_asked = recognised
        .shown
        .as_ref()
        .is_some_and(|shown| shown.request.is_some());
    let is_shaken = matches!(shaken, Ok(Ok(())));
    let failed = matches!(shaken, Ok(Err(_)));
    let presented = match (is_asked, own.is_some()) {
        (false, _) => Presented::NotAsked,
        (true, false) => Presented::None,
        // Up to TLS 1.2 a server that ends the handshake has taken it.
        (true, true) if is_shaken => Presented::Taken,
        (true, true) => refusal.map_or(Presented::HungUp, Presented::Refused),
    };
    Some(Joined {
        recognised,
        presented,
        failed,
        stream: is_shaken.then(|| OldStream {
            stream,
            has_own: own.is_some(),
            late: late.clone(),
        }),
    })
}

fn begin<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    name: Option<&str>,
    own: Option<&ClientCertificate>,
) -> Result<SslStream<Tap<Counted<S>>>, ErrorStack> {
    let context = context(own)?;
    let mut ssl = Ssl::new(&context)?;
    if let Some(name) = name {
        ssl.set_hostname(name)?;
    }
    SslStream::new(ssl, Tap::new(Counted::new(stream)))
}

fn context(own: Option<&ClientCertificate>) -> Result<SslContext, ErrorStack> {
    load_providers();
    let mut context = SslContextBuilder::new(SslMethod::tls_client())?;
    context.set_security_level(0);
    context.set_verify(SslVerifyMode::NONE);
    context.set_min_proto_version(Some(SslVersion::SSL3))?;
    // A hello of 1.3 is longer than old devices read, and rustls speaks it.
    context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    context.clear_options(SslOptions::NO_SSLV3);
    // Old servers close without a goodbye.
    context.set_options(LEGACY_SERVER_CONNECT | SslOptions::IGNORE_UNEXPECTED_EOF);
    context.set_cipher_list(CIPHERS)?;
    if let Some(own) = own {
        present(&mut context, own)?;
    }
    Ok(context.build())
}

fn present(context: &mut SslContextBuilder, own: &ClientCertificate) -> Result<(), ErrorStack> {
    let mut chain = own.key.cert.iter();
    if let Some(leaf) = chain.next() {
        let leaf = X509::from_der(leaf)?;
        context.set_certificate(&leaf)?;
    }
    for issuer in chain {
        context.add_extra_chain_cert(X509::from_der(issuer)?)?;
    }
    let key = PKey::private_key_from_der(own.private.secret_der())?;
    context.set_private_key(&key)
}

/// RC4 stands in the legacy provider. To load one switches off the automatic load of the other, so both are named.
fn load_providers() {
    static PROVIDERS: OnceLock<Vec<Provider>> = OnceLock::new();
    PROVIDERS.get_or_init(|| {
        let load = |name| {
            Provider::load(None, name)
                .inspect_err(|error| tracing::debug!(%error, name, "no such provider"))
                .ok()
        };
        ["legacy", "default"].into_iter().filter_map(load).collect()
    });
}

/// The name of the alert that ended a handshake, as rustls would give it.
fn alert(error: &ssl::Error) -> Option<String> {
    let code = error.ssl_error()?.errors().first()?.reason_code();
    let number = u8::try_from(code.checked_sub(ALERT_REASONS)?).ok()?;
    Some(format!("{:?}", rustls::AlertDescription::from(number)))
}

impl<S> OldStream<S> {
    /// What a read after a new handshake says of our certificate.
    fn note_late(&self, said: &io::Result<()>, has_come: bool) {
        let refused = |error: &io::Error| {
            let inner = error.get_ref()?.downcast_ref::<ssl::Error>()?;
            alert(inner)
        };
        self.late.note(match (self.has_own, said) {
            (false, _) => Presented::None,
            (true, Ok(())) if has_come => Presented::Taken,
            (true, Ok(())) => Presented::HungUp,
            (true, Err(error)) => refused(error).map_or(Presented::HungUp, Presented::Refused),
        });
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for OldStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.stream.get_ref().asked_again() {
            self.late.ask();
            if let Poll::Ready(said) = &result {
                self.note_late(said, buffer.filled().len() > before);
            }
        }
        result.map_err(as_invalid)
    }
}

/// What OpenSSL cannot read, and alerts, are invalid data, as they are where rustls reads.
fn as_invalid(error: io::Error) -> io::Error {
    let is_of_tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ssl::Error>())
        .is_some_and(|inner| inner.code() == ErrorCode::SSL);
    match is_of_tls {
        true => io::Error::new(io::ErrorKind::InvalidData, error),
        false => error,
    }
}

write_through!(OldStream, |it| &mut it.stream);
