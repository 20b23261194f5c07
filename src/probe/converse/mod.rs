//! The conversation on a port that has opened, as far as the question's ladder goes.

pub(super) mod facts;
pub(super) mod http;
mod otherwise;
mod rpc;
mod smb;
mod tls;

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpStream;

pub use rpc::MOST_PORTS as MOST_RPC_PORTS;

use super::try_once::Places;
use super::try_once::again;
use super::{Ladder, Prober, Question, Turn, delivery, recognise};
use crate::observation::{Observation, Service};
use crate::wire::web::http::request::Identity;

/// How long a port of which nothing is asked is watched for a reset. A device that accepts for a host behind it may
/// learn only then that nobody listens there.
const SECOND_THOUGHTS: Duration = Duration::from_millis(400);

/// Whether a ladder ends with the connection.
pub(super) fn asks_nothing(ladder: Ladder) -> bool {
    match ladder {
        Ladder::None | Ladder::Tcp | Ladder::Datagram(_) | Ladder::RpcRange(_) => true,
        Ladder::Tls
        | Ladder::Http
        | Ladder::Https
        | Ladder::Smb
        | Ladder::Tds
        | Ladder::Ldap
        | Ladder::Dns
        | Ladder::Kerberos
        | Ladder::Nats
        | Ladder::RpcMapper
        | Ladder::RpcPort => false,
    }
}

pub(super) async fn converse(
    prober: &Prober,
    question: &Question,
    mut stream: TcpStream,
    places: Option<Places>,
    seen: &mut Observation,
) {
    let host = host(question, seen.address);
    let mut hold = delivery::hold(question, &stream);
    let mut stop = prober.stop.clone();
    let mut interrupted = false;
    let talk = async {
        if recognise::stream(prober, question, seen).await && question.ladder != Ladder::RpcMapper {
            return;
        }
        match question.ladder {
            Ladder::None | Ladder::Tcp | Ladder::Datagram(_) | Ladder::RpcRange(_) => {
                seen.service = Some(watch(prober, &stream, places, Service::NotAsked).await);
            }
            Ladder::Smb => smb::negotiate(prober, question, &mut stream, seen).await,
            Ladder::Tds => facts::tds(prober, &mut stream, seen).await,
            Ladder::Ldap => facts::ldap(prober, &mut stream, seen).await,
            Ladder::Dns => facts::dns(prober, question, &mut stream, seen).await,
            Ladder::Kerberos => facts::kerberos(prober, question, &mut stream, seen).await,
            Ladder::Nats => facts::nats(prober, &mut stream, seen).await,
            Ladder::RpcMapper => rpc::mapper(prober, question, &mut stream, places, seen).await,
            Ladder::RpcPort => rpc::greet(prober, &mut stream, seen).await,
            Ladder::Http => {
                let service = http::over(prober, question, &mut stream, &host, seen).await;
                if http::is_worth_a_closer_look(&service) {
                    let address = seen.address;
                    let another = || again(prober, question, address);
                    http::look_closer(prober, question, &host, Identity::Nobody, another, seen)
                        .await;
                }
                seen.service = Some(http::by_its_roles(service, seen));
            }
            Ladder::Tls | Ladder::Https => {
                hold = tls::over_tls(prober, question, (stream, hold.take()), &host, seen).await;
                if let Some(tls) = seen.tls.as_mut().filter(|tls| tls.presented.is_shown()) {
                    tls.shown = prober.trust.shown();
                }
                // It serves whoever shows a client certificate; what, it has not said.
                let spoke = seen.service == Some(Service::Spoke) && seen.http.is_none();
                if spoke && question.wants_roles() {
                    seen.service = Some(Service::WantsCertificate);
                }
            }
        }
        otherwise::ask(prober, question, &host, seen).await;
    };
    tokio::select! {
        () = talk => {}
        _ = stop.wait_for(|stop| *stop) => interrupted = true,
    }
    // That it is open is known; what it would have said is not.
    if interrupted && question.turn == Turn::Needed {
        seen.service = None;
    }
    if let (Some(hold), true) = (hold, seen.is_wordless()) {
        seen.delivery = delivery::counted(prober, &hold).await.map(Box::new);
    }
}

/// The name that is asked for, else the address.
fn host(question: &Question, address: Option<IpAddr>) -> String {
    question
        .name
        .clone()
        .or_else(|| address.map(|address| address.to_string()))
        .unwrap_or_default()
}

/// Ends a connection that was made for its source port alone: over TLS with a handshake and a goodbye.
pub(super) async fn greet(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
    stream: TcpStream,
) {
    if matches!(question.ladder, Ladder::Tls | Ladder::Https) {
        let mut stop = prober.stop.clone();
        let host = host(question, address);
        tokio::select! {
            () = tls::greet(prober, question, &host, stream) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

/// Watches a connection of which nothing is asked.
async fn watch(
    prober: &Prober,
    stream: &TcpStream,
    places: Option<Places>,
    nothing_came: Service,
) -> Service {
    let _slot = places.and_then(Places::at_the_host);
    let time = stream.peer_addr().map_or(SECOND_THOUGHTS, |remote| {
        prober.measured().wait(remote.ip()).max(SECOND_THOUGHTS)
    });
    let limit = time.min(prober.limits.timeout);
    match tokio::time::timeout(limit, stream.peek(&mut [0_u8; 1])).await {
        Err(_) | Ok(Ok(1..)) => nothing_came,
        Ok(Ok(0)) => Service::HungUp,
        Ok(Err(_)) => Service::ResetAtOnce,
    }
}
