//! TLS on a port that has opened, and what is said inside it.

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::http;
use crate::conversation::http::request::Identity;
use crate::conversation::tls::{self, Presented, Shaken};
use crate::observation::{Depth, Observation, Service};
use crate::probe::once::again;
use crate::probe::{Ladder, Prober, Question};

/// How long a server may take to refuse for want of a client certificate in TLS 1.3, where that comes on the first read.
const LATE_ALERT: Duration = Duration::from_millis(300);

pub(super) async fn over_tls(
    prober: &Prober,
    question: &Question,
    stream: TcpStream,
    host: &str,
    seen: &mut Observation,
) {
    seen.depth = Some(Depth::Tls);
    let limit = prober.limits.timeout;
    let handshake = tls::shake(stream, host, &prober.trust, limit).await;
    let asked = handshake.seen.client_certificate_asked;
    seen.tls = Some(handshake.seen);
    let Some(mut stream) = handshake.stream else {
        seen.service = handshake.fault;
        return;
    };
    let mut service = Service::Spoke;
    if question.ladder == Ladder::Https {
        let said = http::over(prober, question, &mut stream, host, seen).await;
        // A server that asked for a client certificate and closes without one has proved that it serves.
        let answered = said == Service::Spoke && handshake.fault.is_none();
        service = if asked && said == Service::HungUp {
            Service::Spoke
        } else {
            said
        };
        if answered {
            let (identity, address) = (identity(stream.presented()), seen.address);
            let another = || again_over_tls(prober, question, address, host);
            http::look_closer(prober, question, host, identity, another, seen).await;
        }
    } else {
        let mut byte = [0_u8; 1];
        let _ = tokio::time::timeout(LATE_ALERT, stream.read(&mut byte)).await;
    }
    seen.service = Some(handshake.fault.unwrap_or(service));
}

/// Whose name requests over a connection go out under.
fn identity(presented: &Presented) -> Identity {
    match presented {
        Presented::NotAsked | Presented::None => Identity::Nobody,
        Presented::Sent | Presented::Taken | Presented::Refused(_) | Presented::HungUp => {
            Identity::Client
        }
    }
}

/// Another connection of the kind that has spoken; the certificate was judged on the first.
async fn again_over_tls(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
    host: &str,
) -> Option<Shaken<TcpStream>> {
    let stream = again(prober, question, address).await?;
    let limit = prober.limits.timeout;
    tls::shake(stream, host, &prober.trust, limit).await.stream
}
