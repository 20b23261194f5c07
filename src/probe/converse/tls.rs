//! TLS on a port that has opened, and what is said inside it.
//!
//! The handshake describes the certificate whatever it is worth, and presents this host's own where the server asks.
//! Where it fails in a way that may be a matter of age, the second client (`tls::old`) shakes hands over a new
//! connection. What is said inside goes over that. Where it fails too, or may not be used, the port is greeted in clear
//! as a client of 2008 would. Where that is refused, it is greeted without a name. A server that wants a new handshake
//! after a request is asked again by the second client, which alone gives it one. So is one that refuses requests over
//! TLS 1.3 and asked for no certificate: after the request it could not have asked there.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::http;
use crate::config::TlsVersion;
use crate::observation::{
    CertificateFault, Depth, HttpSeen, Observation, Presented, RoleProof, Service, TlsSeen,
};
use crate::os::Hold;
use crate::probe::try_once::again;
use crate::probe::{Ladder, OldTls, Prober, Question, delivery};
use crate::wire::tls::client_certificate::ClientCertificate;
use crate::wire::tls::late::Late;
use crate::wire::tls::old::{self, Conclusion, Ending, Joined, Recognised, Shown};
use crate::wire::tls::{self, Asking, Handshake, Secure, Sni};
use crate::wire::web::http::request::Identity;

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
    let Some(talk) = Talk::over(&stream, prober, question, host, seen.address) else {
        seen.service = Some(Service::HungUp);
        return hold;
    };
    if question.old_tls == OldTls::First {
        talk.by_old_client(stream, seen).await;
        return hold;
    }
    let mut handshake = talk.shake(stream, Sni::Sent).await;
    handshake.seen.asked_for = Some(host.to_string());
    if let Some(stream) = handshake.stream.take() {
        seen.tls = Some(Box::new(handshake.seen));
        let stream = Secure::New(Box::new(stream));
        seen.service = Some(talk.inside(stream, handshake.fault, seen).await);
        return hold;
    }
    // Before the port is greeted again: a server that serves one connection at a time waits for the end of this one.
    let delivery = delivery::let_go(prober, hold, handshake.fault.as_ref()).await;
    seen.service = if handshake.may_be_old {
        talk.as_of_old(handshake.fault, handshake.seen, seen).await
    } else {
        seen.tls = Some(Box::new(handshake.seen));
        handshake.fault
    };
    seen.delivery = delivery.map(Box::new).filter(|_| seen.is_wordless());
    None
}

/// Shakes hands and says goodbye; what comes of it counts for nothing. Where only the second client gets through, a handshake
/// would be one more refusal in the server's log.
pub(super) async fn greet(prober: &Prober, question: &Question, host: &str, stream: TcpStream) {
    if question.old_tls == OldTls::First {
        return;
    }
    let Some(talk) = Talk::over(&stream, prober, question, host, None) else {
        return;
    };
    if let Some(mut stream) = talk.shake(stream, Sni::Sent).await.stream {
        let _ = tokio::time::timeout(prober.limits.timeout, stream.shutdown()).await;
    }
}

/// Whether the second client may get further. Who refuses the name refuses its too, and what is too large for clients is
/// only looked at.
fn worth_a_handshake(fault: Option<&Service>) -> bool {
    match fault {
        Some(Service::Certificate(CertificateFault::TooLarge)) => false,
        Some(Service::TlsAlert(alert)) => alert != "UnrecognisedName",
        _ => true,
    }
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

/// What a handshake is worth that ended so, where another connection to the same port got through.
fn ended(ending: Ending) -> Service {
    match ending {
        Ending::Whole => Service::TlsTooOld,
        Ending::Alert(alert) => Service::TlsAlert(alert),
        Ending::HungUp => Service::HungUp,
        Ending::HungUpInHandshake => Service::HungUpInHandshake,
        Ending::Mute => Service::Mute,
        Ending::NotTls | Ending::Garbled | Ending::TooLong => Service::NotTls,
    }
}

/// Whether a server that refuses requests may want a client certificate only after them. Over TLS 1.3 no server may ask
/// this program for one then. Its greeting does not offer post-handshake authentication (RFC 8446 section 4.2.6).
fn may_want_it_later(seen: &Observation) -> bool {
    let is_1_3 = |tls: &TlsSeen| tls.version.as_deref() == Some("TLSv1.3");
    let refuses = |http: &HttpSeen| {
        let refused = |proof| matches!(proof, RoleProof::Forbidden | RoleProof::CertificateWanted);
        http.roles.iter().any(|role| refused(role.proof))
    };
    let tls = seen.tls.as_ref();
    tls.is_some_and(|tls| is_1_3(tls) && !tls.client_certificate_asked)
        && seen.http.as_deref().is_some_and(refuses)
}

/// Whose name requests over a connection go out under.
fn identity(presented: &Presented) -> Identity {
    match presented {
        Presented::NotAsked => Identity::Unasked,
        Presented::None => Identity::Nobody,
        Presented::Sent | Presented::Taken | Presented::Refused(_) | Presented::HungUp => {
            Identity::Client
        }
    }
}

/// A stream, and what is wrong already.
type Begun = (Secure<TcpStream>, Option<Service>);

/// One flow over TLS: what all its connections share.
struct Talk<'a> {
    prober: &'a Prober,
    question: &'a Question,
    host: &'a str,
    address: Option<IpAddr>,
    name: ServerName<'static>,
    late: Late,
}

impl<'a> Talk<'a> {
    /// `None` where the other end of the stream is gone. `address` is where further connections go.
    fn over(
        stream: &TcpStream,
        prober: &'a Prober,
        question: &'a Question,
        host: &'a str,
        address: Option<IpAddr>,
    ) -> Option<Self> {
        let remote = stream.peer_addr().ok()?;
        Some(Self {
            prober,
            question,
            host,
            address,
            name: tls::server_name(host, remote.ip()),
            late: Late::default(),
        })
    }

    /// Shakes hands by rustls.
    async fn shake(&self, stream: TcpStream, sni: Sni) -> Handshake<TcpStream> {
        let asking = Asking {
            name: self.name.clone(),
            sni,
            own: self.own(),
            late: self.late.clone(),
        };
        let limit = self.prober.limits.timeout;
        tls::shake_as(stream, &asking, &self.prober.trust, limit).await
    }

    fn own(&self) -> Option<&'a ClientCertificate> {
        self.prober.trust.own.as_ref()
    }

    /// The name as SNI carries it: addresses are not sent.
    fn sent(&self) -> Option<&'a str> {
        let is_name = matches!(self.name, ServerName::DnsName(_));
        is_name.then_some(self.host.trim_end_matches('.'))
    }

    async fn connect(&self) -> Option<TcpStream> {
        again(self.prober, self.question, self.address).await
    }

    /// Another connection by rustls; the certificate was judged on the first.
    async fn another(&self) -> Option<Secure<TcpStream>> {
        let stream = self.connect().await?;
        let handshake = self.shake(stream, Sni::Sent).await;
        handshake.stream.map(Box::new).map(Secure::New)
    }

    fn may_join(&self) -> bool {
        self.question.old_tls != OldTls::Never && old::library().is_some()
    }

    /// A connection by the second client; `None` where it may not be used, or none could be had.
    async fn join(&self, own: Option<&ClientCertificate>) -> Option<Joined<TcpStream>> {
        if !self.may_join() {
            return None;
        }
        let stream = self.connect().await?;
        let limit = self.prober.limits.timeout;
        old::shake(stream, self.sent(), own, &self.late, limit).await
    }

    async fn another_old(&self, own: Option<&ClientCertificate>) -> Option<Secure<TcpStream>> {
        self.join(own).await?.stream.map(Secure::Old)
    }

    /// Speaks by the second client alone.
    async fn by_old_client(&self, stream: TcpStream, seen: &mut Observation) {
        let limit = self.prober.limits.timeout;
        let joined = old::shake(stream, self.sent(), self.own(), &self.late, limit).await;
        let mut tls = TlsSeen {
            asked_for: Some(self.host.to_string()),
            ..TlsSeen::default()
        };
        let Some(joined) = joined else { return };
        seen.service = match self.take_in(joined, &mut tls) {
            Ok((stream, fault)) => {
                seen.tls = Some(Box::new(tls));
                Some(self.inside(stream, fault, seen).await)
            }
            Err(joined) => {
                seen.tls = Some(Box::new(tls));
                Some(ended(joined.recognised.ending))
            }
        };
    }

    /// Speaks as to a server with which rustls could not shake hands; `first` is what it said, and `tls` what it saw.
    async fn as_of_old(
        &self,
        first: Option<Service>,
        mut tls: TlsSeen,
        seen: &mut Observation,
    ) -> Option<Service> {
        let joined = match worth_a_handshake(first.as_ref()) {
            true => self.join(self.own()).await,
            false => None,
        };
        let refused = match joined.map(|joined| self.take_in(joined, &mut tls)) {
            Some(Ok((stream, fault))) => {
                seen.tls = Some(Box::new(tls));
                return Some(self.inside(stream, fault, seen).await);
            }
            Some(Err(joined)) => Some(*joined),
            None => None,
        };
        // A greeting shows no more of a key that cannot be computed.
        if refused.is_none() && first == Some(Service::Certificate(CertificateFault::Undecided)) {
            seen.tls = Some(Box::new(tls));
            return first;
        }
        let service = self.greet(first, refused, &mut tls).await;
        seen.tls = Some(Box::new(tls));
        service
    }

    /// Writes down what a handshake of the second client showed. Its stream comes back, with what is wrong already;
    /// where the handshake failed, that comes back.
    fn take_in(
        &self,
        mut joined: Joined<TcpStream>,
        seen: &mut TlsSeen,
    ) -> Result<Begun, Box<Joined<TcpStream>>> {
        let Some(stream) = joined.stream.take() else {
            return Err(Box::new(joined));
        };
        let shown = joined.recognised.shown;
        let fault = shown.and_then(|shown| self.describe(shown, seen));
        seen.key_proven = true;
        seen.by_old_client = true;
        seen.presented = joined.presented;
        Ok((Secure::Old(stream), fault.map(Service::Certificate)))
    }

    fn describe(&self, shown: Shown, seen: &mut TlsSeen) -> Option<CertificateFault> {
        tls::describe_shown(seen, shown, &self.name, &self.prober.trust)
    }

    /// Says what goes inside TLS; what the service is worth then comes back.
    async fn inside(
        &self,
        mut stream: Secure<TcpStream>,
        fault: Option<Service>,
        seen: &mut Observation,
    ) -> Service {
        let mut said = Service::Spoke;
        if self.question.ladder == Ladder::Https {
            (stream, said) = self.over_http(stream, seen).await;
            let worth_it = http::is_worth_a_closer_look(&said);
            if worth_it && fault.as_ref().is_none_or(is_light) {
                self.look_closer(&stream, seen).await;
                said = http::by_its_roles(said, seen);
            }
        } else if let Secure::New(stream) = &mut stream {
            let mut byte = [0_u8; 1];
            let _ = tokio::time::timeout(LATE_ALERT, stream.read(&mut byte)).await;
        }
        if said == Service::Spoke && matches!(stream, Secure::New(_)) {
            self.greet_as_clients(seen).await;
        }
        if let Some(tls) = &mut seen.tls {
            if let Secure::New(stream) = &stream {
                tls.presented = stream.presented().clone();
            }
            tls.asked_late = self.late.is_asked();
            if let Some(presented) = self.late.presented() {
                tls.presented = presented;
            }
            // A server that asked for a client certificate and closes without one has proved that it serves.
            let is_asked = tls.client_certificate_asked || tls.asked_late;
            if is_asked && said == Service::HungUp {
                said = Service::Spoke;
            }
        }
        worst(fault, said)
    }

    /// Greets once more, as clients of the site do, where it is not known that the server speaks their newest version.
    async fn greet_as_clients(&self, seen: &mut Observation) {
        let (Some(newest), Some(tls)) = (self.question.clients_speak, &mut seen.tls) else {
            return;
        };
        let spoken = tls.version.as_deref().unwrap_or_default();
        let is_known =
            newest == TlsVersion::Tls13 || (newest == TlsVersion::Tls12 && spoken == "TLSv1.2");
        if is_known {
            return;
        }
        if tls.refused_1_2.is_some() {
            tls.refused_clients.clone_from(&tls.refused_1_2);
            return;
        }
        if let Some(stream) = self.connect().await {
            let limit = self.prober.limits.timeout;
            tls.refused_clients = old::refusal(stream, self.sent(), newest, limit).await;
        }
    }

    /// Asks for the root page: of a server that then wants a new handshake, by the second client.
    async fn over_http(
        &self,
        mut stream: Secure<TcpStream>,
        seen: &mut Observation,
    ) -> (Secure<TcpStream>, Service) {
        let (prober, question) = (self.prober, self.question);
        let said = http::over(prober, question, &mut stream, self.host, seen).await;
        if !self.late.is_asked() || matches!(stream, Secure::Old(_)) {
            return (stream, self.unless_late(said));
        }
        let tls = seen.tls.get_or_insert_default();
        let joined = self.join(self.own()).await;
        match joined.map(|joined| self.take_in(joined, tls)) {
            // The certificate was judged on the first connection.
            Some(Ok((mut stream, _))) => {
                let said = http::over(prober, question, &mut stream, self.host, seen).await;
                (stream, self.unless_late(said))
            }
            Some(Err(_)) | None => {
                let said = match said {
                    Service::HungUp => Service::TlsTooOld,
                    said => self.unless_late(said),
                };
                (stream, said)
            }
        }
    }

    /// A server that waits for a new handshake is not mute: this program, or the certificate it has, got no further.
    fn unless_late(&self, said: Service) -> Service {
        match said {
            Service::Mute if self.late.is_asked() => Service::TlsTooOld,
            said => said,
        }
    }

    /// Asks for what the flow's roles need, over the client that got through. Where the server wants a new handshake for
    /// that, all is asked once more by the second client, under this host's name.
    async fn look_closer(&self, stream: &Secure<TcpStream>, seen: &mut Observation) {
        let shown = match (stream, self.late.presented(), &seen.tls) {
            (_, Some(presented), _) => presented,
            (Secure::New(stream), None, _) => stream.presented().clone(),
            (Secure::Old(_), None, tls) => {
                let presented = tls.as_ref().map(|tls| tls.presented.clone());
                presented.unwrap_or_default()
            }
        };
        let identity = identity(&shown);
        let (was_asked, before) = (self.late.is_asked(), seen.http.clone());
        let own = self.own().filter(|_| identity == Identity::Client);
        let is_new = matches!(stream, Secure::New(_));
        let another = || async {
            match is_new {
                // What it is asked for next it would refuse as well.
                true if self.late.is_asked() => None,
                true => self.another().await,
                false => self.another_old(own).await,
            }
        };
        self.ask_closer(identity, another, seen).await;
        let asked_now = !was_asked && self.late.is_asked() && self.may_join();
        let below_1_3 = match !self.late.is_asked() && may_want_it_later(seen) {
            true => self.join_below_1_3(seen).await,
            false => None,
        };
        if !asked_now && below_1_3.is_none() {
            return;
        }
        let refused = std::mem::replace(&mut seen.http, before);
        let identity = match self.own() {
            Some(_) => Identity::Client,
            None => Identity::Nobody,
        };
        let first = Mutex::new(below_1_3);
        let another = || async {
            let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
            match first {
                Some(stream) => Some(stream),
                None => self.another_old(self.own()).await,
            }
        };
        self.ask_closer(identity, another, seen).await;
        // Below TLS 1.3 it asks for nothing either: what the first client saw stands.
        if !self.late.is_asked() {
            seen.http = refused;
        }
    }

    /// Where requests over TLS 1.3 are refused, a connection by the second client, which is asked for a certificate
    /// after the request. Writes down how the server refused that.
    async fn join_below_1_3(&self, seen: &mut Observation) -> Option<Secure<TcpStream>> {
        let joined = self.join(self.own()).await?;
        if let (None, Some(tls)) = (&joined.stream, &mut seen.tls) {
            let how = joined.recognised.refusal();
            tls.refused_1_2 = how.map(|how| format!("TLS 1.2 and older was refused {how}"));
        }
        joined.stream.map(Secure::Old)
    }

    async fn ask_closer<C, F>(&self, identity: Identity, another: C, seen: &mut Observation)
    where
        C: Fn() -> F,
        F: Future<Output = Option<Secure<TcpStream>>>,
    {
        let (prober, question) = (self.prober, self.question);
        http::look_closer(prober, question, self.host, identity, another, seen).await;
    }

    /// Greets a server as a client of 2008 would; what is then known to be wrong with it comes back. `tried` is what the
    /// second client met.
    async fn greet(
        &self,
        first: Option<Service>,
        tried: Option<Joined<TcpStream>>,
        seen: &mut TlsSeen,
    ) -> Option<Service> {
        if let Some(Joined {
            recognised:
                Recognised {
                    ending: Ending::Whole,
                    shown: Some(shown),
                },
            presented,
            failed,
            ..
        }) = tried
        {
            let refused_us = failed && shown.request.is_some();
            let fault = self.describe(shown, seen);
            seen.presented = presented;
            return Some(match fault {
                // As where rustls is refused: it asked for a client certificate, so it has spoken.
                None if refused_us => Service::Spoke,
                Some(light) if refused_us && light.is_light() => Service::Certificate(light),
                fault => not_joined(fault, first),
            });
        }
        let sent = self.sent();
        let Some(named) = self.greeting(sent).await else {
            return first;
        };
        let nameless = match sent {
            Some(_) if named.refused() => self.greeting(None).await,
            _ => None,
        };
        match old::conclude(named, nameless) {
            // Larger than this program reads at all.
            Conclusion::Silent(Recognised {
                ending: Ending::TooLong,
                shown: Some(_),
            }) => Some(Service::Certificate(CertificateFault::TooLarge)),
            Conclusion::Speaks(shown) => Some(not_joined(self.describe(shown, seen), first)),
            Conclusion::SpeaksOnlyWithoutName { shown, .. } => {
                let modern = shown.too_old.is_none();
                self.describe(shown, seen);
                if modern {
                    self.shake_nameless(seen).await;
                }
                Some(Service::TlsOnlyWithoutName)
            }
            Conclusion::Silent(_) => first,
        }
    }

    /// Shakes hands with a server that refuses the name, without it: then its key is proven too.
    async fn shake_nameless(&self, seen: &mut TlsSeen) {
        let Some(stream) = self.connect().await else {
            return;
        };
        let handshake = self.shake(stream, Sni::Withheld).await;
        if handshake.stream.is_some() {
            let asked_for = seen.asked_for.take();
            *seen = TlsSeen {
                asked_for,
                ..handshake.seen
            };
        }
    }

    /// One greeting over a new connection.
    async fn greeting(&self, name: Option<&str>) -> Option<Recognised> {
        let stream = self.connect().await?;
        Some(old::recognise(stream, name, self.prober.limits.timeout).await)
    }
}

/// What a server is worth that shows all that it shows in clear, and with which no client here gets further. Why is not
/// known, so it is not wrong. A certificate that every client refuses decides all the same. So does one that kept the
/// `first` client from going on.
fn not_joined(fault: Option<CertificateFault>, first: Option<Service>) -> Service {
    match (fault, first) {
        (Some(fault), _) if !fault.is_light() => Service::Certificate(fault),
        (_, Some(Service::Certificate(fault))) => Service::Certificate(fault),
        _ => Service::TlsTooOld,
    }
}
