//! Which protocol is it really? A port that does not speak the one that is needed is asked in the other one.
//!
//! TLS and plain HTTP are easily mixed up: two numbers of one site are swapped, or a server is bound without its
//! certificate. Web servers answer plain HTTP on a TLS port with status 400 in the clear, or hang up. Both look like
//! something else. And a web server that waits for the end of a line says nothing to a TLS greeting. A first answer may
//! be wrong, empty or a 400, or never come to TLS. Then one more connection is made, in the other protocol. Only what
//! answers in it changes what is said.

use std::net::IpAddr;

use super::http;
use crate::observation::{CertificateFault, HttpSeen, Observation, RoleProof, Service, Speaks};
use crate::probe::try_once::again;
use crate::probe::{Ladder, Prober, Question};
use crate::wire::tls::late::Late;
use crate::wire::tls::{self, Asking, Sni};
use crate::wire::web::http as web;

/// The status with which a web server may answer whoever speaks the wrong one of the two.
const BAD_REQUEST: u16 = 400;

/// Asks a port that did not speak as it must whether it speaks the other protocol, and writes down what comes of it.
pub(super) async fn ask(prober: &Prober, question: &Question, host: &str, seen: &mut Observation) {
    let address = seen.address;
    let plain = question.ladder == Ladder::Http && !question.is_passed_on();
    if plain && may_be_tls(seen) && speaks_tls(prober, question, address, host).await {
        seen.service = Some(Service::NotHttp);
        seen.speaks = Some(Speaks::Tls);
    }
    if matches!(question.ladder, Ladder::Tls | Ladder::Https) && may_be_plain(seen) {
        let said = said_in_the_clear(prober, question, address, host).await;
        // A TLS server may say 400 in the clear; one that answered the greeting with something else is none.
        let greeted = seen.service == Some(Service::NotTls);
        if let Some(http) = said.filter(|http| greeted || http.status != BAD_REQUEST) {
            seen.service = Some(Service::NotTls);
            seen.speaks = Some(Speaks::Http);
            seen.delivery = None;
            seen.http = Some(Box::new(http));
        }
    }
}

/// Whether a port that was spoken to in plain HTTP may speak TLS. It hung up, answered in something else, or refused
/// the request, and none of its roles is there.
fn may_be_tls(seen: &Observation) -> bool {
    match &seen.service {
        Some(Service::NotHttp | Service::HungUp) => true,
        Some(Service::Spoke) => seen.http.as_ref().is_some_and(|http| {
            let there = |proof| matches!(proof, RoleProof::Proved | RoleProof::Reached);
            http.status == BAD_REQUEST && !http.roles.iter().any(|role| there(role.proof))
        }),
        _ => false,
    }
}

/// Whether a port that was greeted in TLS may speak plain HTTP. A web server that waits for the end of a line says nothing
/// to a greeting that has none. Whoever asked for a client certificate speaks TLS.
fn may_be_plain(seen: &Observation) -> bool {
    let greeted = matches!(
        seen.service,
        Some(Service::NotTls | Service::HungUp | Service::HungUpInHandshake | Service::Mute)
    );
    let answered = seen.tls.as_ref().is_some_and(|tls| tls.version.is_some());
    greeted && !answered
}

async fn speaks_tls(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
    host: &str,
) -> bool {
    let Some(stream) = again(prober, question, address).await else {
        return false;
    };
    let Ok(remote) = stream.peer_addr() else {
        return false;
    };
    let asking = Asking {
        name: tls::server_name(host, remote.ip()),
        sni: Sni::Sent,
        own: None,
        late: Late::default(),
    };
    let limit = prober.limits.timeout;
    let handshake = tls::shake_as(stream, &asking, &prober.trust, limit).await;
    let answered = handshake.fault.as_ref().is_some_and(|fault| {
        matches!(
            fault,
            Service::Spoke | Service::TlsAlert(_) | Service::TlsTooOld
        ) || is_of_a_certificate(fault)
    });
    handshake.stream.is_some() || answered
}

/// Whether a certificate was seen: one that is only too large was not.
fn is_of_a_certificate(fault: &Service) -> bool {
    matches!(fault, Service::Certificate(fault) if *fault != CertificateFault::TooLarge)
}

async fn said_in_the_clear(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
    host: &str,
) -> Option<HttpSeen> {
    let mut stream = again(prober, question, address).await?;
    let to = http::authority(question, host)?;
    let limit = prober.limits.timeout;
    web::exchange(&mut stream, &to, limit).await.1
}
