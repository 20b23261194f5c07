//! A webhook: one POST of JSON. No redirect is followed, because the token would go elsewhere.
//!
//! 1. 2xx: the receiver has it. What else it says is not read.
//! 2. 408 and 429, 5xx, and no answer at all: trouble that passes.
//! 3. Every other answer is a refusal: 4xx, and redirects.
//!
//! A proxy is asked where the environment names one (`HTTPS_PROXY`, `NO_PROXY`), but never for this host itself.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use ureq::Agent;
use ureq::http::{HeaderValue, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::config::{Format, Webhook};
use super::pace::{Fault, said};
use super::{Files, Message, alertmanager, chat, teams};

/// The most bytes of an answer that are read.
const ANSWER: u64 = 1_000;
/// The most bytes of the head of an answer.
const HEAD: usize = 16 << 10;

/// Posts a message.
pub(super) fn post(
    hook: &Webhook,
    files: &Files,
    timeout: Duration,
    message: &Message,
) -> Result<(), Fault> {
    let body = body(hook.format, message).map_err(|why| Fault::refused(why.to_string()))?;
    let agent = agent(hook, &files.roots, timeout);
    let mut request = agent
        .post(hook.url.as_str())
        .header("Content-Type", "application/json");
    if let Some(secret) = &files.secret {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", secret.0))
            .map_err(|_| Fault::refused("the token has a character that no header may hold"))?;
        bearer.set_sensitive(true);
        request = request.header("Authorization", bearer);
    }
    let trouble = |why: ureq::Error| Fault::later(format!("{}: {}", hook.url, words(&why)));
    let mut response = request.send(&body[..]).map_err(trouble)?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let mut answer = Vec::new();
    // What is missing of it is missing in the words only.
    let _ = response
        .body_mut()
        .as_reader()
        .take(ANSWER)
        .read_to_end(&mut answer);
    let answer = hook.url.hidden_in(&String::from_utf8_lossy(&answer));
    let answer = said(&answer);
    Err(refusal(
        status,
        &format!("{} answered {status}: {answer}", hook.url),
    ))
}

fn body(format: Format, message: &Message) -> serde_json::Result<Vec<u8>> {
    match format {
        Format::Json => serde_json::to_vec(message),
        Format::Alertmanager => serde_json::to_vec(&alertmanager::alerts(message)),
        Format::Slack => serde_json::to_vec(&chat::body(message)),
        Format::Teams => serde_json::to_vec(&teams::body(message)),
    }
}

fn refusal(status: StatusCode, words: &str) -> Fault {
    let passes = status.is_server_error()
        || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    match passes {
        true => Fault::later(words),
        false => Fault::refused(words),
    }
}

fn agent(hook: &Webhook, roots: &[CertificateDer<'static>], timeout: Duration) -> Agent {
    let mut config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(HEAD)
        .user_agent(concat!("portproof/", env!("CARGO_PKG_VERSION")));
    if hook.url.is_here() {
        config = config.proxy(None);
    }
    if hook.url.is_https() {
        config = config.tls_config(tls(roots));
    }
    config.build().new_agent()
}

fn tls(roots: &[CertificateDer<'static>]) -> TlsConfig {
    let system = rustls_native_certs::load_native_certs().certs;
    let all = roots.iter().chain(&system);
    let all: Vec<Certificate<'static>> = all
        .map(|root| Certificate::from_der(root).to_owned())
        .collect();
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&all))
        .build()
}

/// What went wrong, without the address: its path may be a secret.
fn words(why: &ureq::Error) -> String {
    match why {
        ureq::Error::BadUri(_) => "the address cannot be used".to_string(),
        why => why.to_string(),
    }
}
