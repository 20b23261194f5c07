//! TLS on a port that has opened, and what is said inside it.
//!
//! The handshake describes the certificate whatever it is worth, and presents this host's own where the server asks.
//! Where it fails in a way that may be a matter of age, the port is greeted once more, over a new connection, as a
//! client of 2008 would, and where that is refused too, without a name.

use std::net::IpAddr;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::http;
use crate::conversation::http::request::Identity;
use crate::conversation::tls::old::{self, Conclusion, Ending, Recognised};
use crate::conversation::tls::{self, Asking, Handshake, Shaken, Sni};
use crate::observation::{CertificateFault, Depth, Observation, Presented, Service, TlsSeen};
use crate::os::Hold;
use crate::probe::once::again;
use crate::probe::{Ladder, Prober, Question, delivery};

/// How long a server may take to refuse for want of a client certificate in TLS 1.3, where that comes on the first read.
const LATE_ALERT: Duration = Duration::from_millis(300);

/// Speaks TLS, and what goes inside. The hold on the connection comes back where it is still of use.
pub(super) async fn over_tls(
    prober: &Prober,
    question: &Question,
    (stream, hold): (TcpStream, Option<Hold>),
    host: &str,
    seen: &mut Observation,
) -> Option<Hold> {
    seen.depth = Some(Depth::Tls);
    let Ok(remote) = stream.peer_addr() else {
        seen.service = Some(Service::HungUp);
        return hold;
    };
    let asking = Asking {
        name: tls::server_name(host, remote.ip()),
        sni: Sni::Sent,
        own: prober.trust.own.as_ref(),
    };
    let limit = prober.limits.timeout;
    let mut handshake = tls::shake_as(stream, &asking, &prober.trust, limit).await;
    handshake.seen.asked_for = Some(host.to_string());
    let Some(mut stream) = handshake.stream.take() else {
        // Before the port is greeted again: a server that serves one connection at a time waits for the end of this one.
        let delivery = delivery::let_go(prober, hold, handshake.fault.as_ref()).await;
        if handshake.may_be_old {
            handshake.fault =
                greet(prober, question, seen.address, &asking.name, &mut handshake).await;
        }
        seen.tls = Some(handshake.seen);
        seen.service = handshake.fault;
        seen.delivery = delivery.filter(|_| seen.is_wordless());
        return None;
    };
    seen.tls = Some(handshake.seen);
    let mut said = Service::Spoke;
    if question.ladder == Ladder::Https {
        said = http::over(prober, question, &mut stream, host, seen).await;
        if said == Service::Spoke && handshake.fault.as_ref().is_none_or(is_light) {
            let (identity, address) = (identity(stream.presented()), seen.address);
            let another = || again_over_tls(prober, question, address, host);
            http::look_closer(prober, question, host, identity, another, seen).await;
        }
    } else {
        let mut byte = [0_u8; 1];
        let _ = tokio::time::timeout(LATE_ALERT, stream.read(&mut byte)).await;
    }
    if let Some(tls) = &mut seen.tls {
        tls.presented = stream.presented().clone();
        // A server that asked for a client certificate and closes without one has proved that it serves.
        if tls.client_certificate_asked && said == Service::HungUp {
            said = Service::Spoke;
        }
    }
    seen.service = Some(worst(handshake.fault, said));
    hold
}

/// Whether Windows clients take a certificate, or may: then it matters what is behind it.
fn is_light(fault: &Service) -> bool {
    matches!(fault, Service::Certificate(fault) if fault.is_light())
}

/// A certificate that clients refuse comes before what was said inside; one that they take, or may, after.
fn worst(fault: Option<Service>, said: Service) -> Service {
    match fault {
        Some(light) if is_light(&light) => match said {
            Service::Spoke => light,
            said => said,
        },
        Some(fault) => fault,
        None => said,
    }
}

/// Greets a server as a client of 2008 would; what is then known to be wrong with it comes back.
async fn greet(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
    name: &ServerName<'static>,
    handshake: &mut Handshake<TcpStream>,
) -> Option<Service> {
    let first = handshake.fault.take();
    let host = name.to_str();
    let sent = matches!(name, ServerName::DnsName(_)).then_some(&*host);
    let Some(named) = greeting(prober, question, address, sent).await else {
        return first;
    };
    let nameless = match sent {
        Some(_) if named.refused() => greeting(prober, question, address, None).await,
        _ => None,
    };
    let trust = &prober.trust;
    let describe = |shown, seen: &mut TlsSeen| tls::describe_shown(seen, shown, name, trust);
    match old::conclude(named, nameless) {
        Conclusion::Speaks(shown) if shown.too_old.is_some() => {
            match describe(shown, &mut handshake.seen) {
                None => Some(Service::TlsTooOld),
                Some(light) if light.is_light() => Some(Service::TlsTooOld),
                Some(fault) => Some(Service::Certificate(fault)),
            }
        }
        // Larger than this program reads at all.
        Conclusion::Silent(Recognised {
            ending: Ending::TooLong,
            shown: Some(_),
        }) => Some(Service::Certificate(CertificateFault::TooLarge)),
        Conclusion::Speaks(shown)
            if first == Some(Service::Certificate(CertificateFault::TooLarge)) =>
        {
            describe(shown, &mut handshake.seen)
                .map_or(first, |fault| Some(Service::Certificate(fault)))
        }
        // It would speak a newer version, so that age is not what stood in the way.
        Conclusion::Speaks(shown) => {
            describe(shown, &mut handshake.seen);
            first
        }
        Conclusion::SpeaksOnlyWithoutName { shown, .. } => {
            let modern = shown.too_old.is_none();
            describe(shown, &mut handshake.seen);
            if modern {
                shake_nameless(prober, question, address, name, &mut handshake.seen).await;
            }
            Some(Service::TlsOnlyWithoutName)
        }
        Conclusion::Silent(_) => first,
    }
}

/// Shakes hands with a server that refuses the name, without it: then its key is proven too.
async fn shake_nameless(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
    name: &ServerName<'static>,
    seen: &mut TlsSeen,
) {
    let asking = Asking {
        name: name.clone(),
        sni: Sni::Withheld,
        own: prober.trust.own.as_ref(),
    };
    let Some(stream) = again(prober, question, address).await else {
        return;
    };
    let limit = prober.limits.timeout;
    let handshake = tls::shake_as(stream, &asking, &prober.trust, limit).await;
    if handshake.stream.is_some() {
        let asked_for = seen.asked_for.take();
        *seen = TlsSeen {
            asked_for,
            ..handshake.seen
        };
    }
}

/// One greeting over a new connection.
async fn greeting(
    prober: &Prober,
    question: &Question,
    address: Option<IpAddr>,
    name: Option<&str>,
) -> Option<Recognised> {
    let stream = again(prober, question, address).await?;
    Some(old::recognise(stream, name, prober.limits.timeout).await)
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
    let asking = Asking {
        name: tls::server_name(host, stream.peer_addr().ok()?.ip()),
        sni: Sni::Sent,
        own: prober.trust.own.as_ref(),
    };
    let limit = prober.limits.timeout;
    let handshake = tls::shake_as(stream, &asking, &prober.trust, limit).await;
    handshake.stream
}
