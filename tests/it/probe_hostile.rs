//! Every kind of peer that a probe can meet, on loopback with real sockets: each has one observation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use portproof::observation::{
    AttemptResult, CertificateFault, Depth, NotTried, Observation, ResetBy, Service, State,
    Unresolved,
};
use portproof::os;
use portproof::probe::{Ladder, Limits, OldTls, Prober, Question, Target, Trust, Turn, Way};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

const NAME: &str = "mp.example.com";

fn limits() -> Limits {
    Limits {
        timeout: Duration::from_millis(500),
        second_look: Duration::ZERO,
        attempts: None,
        in_flight: 256,
        per_host: 256,
        gentle: false,
        rate: None,
        walks: false,
    }
}

fn question(address: SocketAddr, ladder: Ladder) -> Question {
    Question {
        target: Target::Address(address.ip()),
        port: address.port(),
        name: Some(NAME.to_owned()),
        ladder,
        turn: Turn::Needed,
        spread: false,
        tries: None,
        way: Way::Direct,
        web: None,
        segment: None,
        old_tls: OldTls::Second,
        clients_speak: None,
        challenger: None,
        span: tracing::Span::none(),
    }
}

fn no_trust() -> Trust {
    Trust::new(Vec::new(), false)
}

async fn ask_with(questions: Vec<Question>, limits: &Limits, trust: &Trust) -> Vec<Observation> {
    let (_stop, stopped) = watch::channel(false);
    let prober = Prober::new(*limits, trust.clone(), Vec::new(), stopped);
    prober.ask_all(questions, || {}).await
}

async fn ask(address: SocketAddr, ladder: Ladder) -> Observation {
    ask_with(vec![question(address, ladder)], &limits(), &no_trust())
        .await
        .remove(0)
}

/// A server that treats each connection the same way.
async fn serve<F, Fut>(treat: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("works on loopback");
    let address = listener.local_addr().expect("works on loopback");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream));
        }
    });
    address
}

/// Reads what the prober sends first, then says this and closes.
async fn says(words: &'static [u8]) -> SocketAddr {
    serve(move |mut stream| async move {
        let mut heard = [0; 4096];
        let _ = stream.read(&mut heard).await;
        let _ = stream.write_all(words).await;
    })
    .await
}

async fn refusing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("works on loopback");
    listener.local_addr().expect("works on loopback")
}

/// A service that waits for the other side to speak.
async fn wait_for_the_end(mut stream: TcpStream) {
    while matches!(stream.read(&mut [0_u8; 1_024]).await, Ok(1..)) {}
}

// ---- the wire

#[tokio::test]
async fn an_open_port_is_open() {
    let seen = ask(serve(wait_for_the_end).await, Ladder::Tcp).await;
    assert_eq!(
        (&seen.state, &seen.service, seen.depth),
        (&State::Open, &Some(Service::NotAsked), Some(Depth::Tcp))
    );
    assert_eq!(seen.attempts.len(), 1);
    assert_eq!(seen.attempts[0].result, AttemptResult::Open);
    assert!(seen.attempts[0].local.is_some() && seen.on_link && seen.confidence.is_none());
}

#[tokio::test]
async fn another_protocol_than_the_one_needed_is_said_so() {
    let ladders = [
        Ladder::Smb,
        Ladder::Tds,
        Ladder::Ldap,
        Ladder::Dns,
        Ladder::Kerberos,
        Ladder::Nats,
        Ladder::RpcMapper,
        Ladder::RpcPort,
    ];
    for ladder in ladders {
        let banner = serve(|mut stream| async move {
            let _ = stream.write_all(b"220 this is a mail server\r\n").await;
            wait_for_the_end(stream).await;
        });
        let seen = ask(banner.await, ladder).await;
        assert_eq!(seen.service, Some(Service::Foreign), "{ladder:?}");
        assert_eq!(seen.depth, Some(Depth::Protocol));
        let seen = ask(serve(wait_for_the_end).await, ladder).await;
        assert_eq!(seen.service, Some(Service::Mute), "{ladder:?}");
        let seen = ask(serve(|_| async {}).await, ladder).await;
        assert_eq!(seen.service, Some(Service::HungUp), "{ladder:?}");
    }
}

#[tokio::test]
async fn a_port_that_is_asked_nothing_and_closes_at_once_is_not_taken_for_a_service() {
    {
        let ladder = Ladder::Tcp;
        let seen = ask(serve(|_| async {}).await, ladder).await;
        assert_eq!(seen.service, Some(Service::HungUp));
        let resetting = serve(|stream| async move {
            let socket = socket2::SockRef::from(&stream);
            let _ = socket.set_linger(Some(Duration::ZERO));
        });
        let seen = ask(resetting.await, ladder).await;
        assert_eq!(seen.service, Some(Service::ResetAtOnce));
    }
}

#[tokio::test]
async fn a_refused_port_is_closed_by_the_host() {
    let seen = ask(refusing().await, Ladder::Https).await;
    assert_eq!(
        seen.state,
        State::Closed {
            reset_by: ResetBy::Host
        }
    );
    assert_eq!((seen.service, seen.attempts.len()), (None, 1));
}

#[tokio::test]
async fn ipv6_works_alike() {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0))
        .await
        .expect("works on loopback");
    let address = listener.local_addr().expect("works on loopback");
    assert_eq!(ask(address, Ladder::Tcp).await.state, State::Open);
    drop(listener);
    assert_eq!(
        ask(address, Ladder::Tcp).await.state,
        State::Closed {
            reset_by: ResetBy::Host
        }
    );
}

#[tokio::test]
async fn silence_after_enough_tries_is_filtered() {
    let Some(silent) = os::silent_listener().expect("works on loopback") else {
        return;
    };
    let seen = ask(silent.address, Ladder::Tcp).await;
    assert_eq!((&seen.state, seen.attempts.len()), (&State::Filtered, 8));
    assert!(seen.confidence.expect("works on loopback") > 0.999);
    let mut ports: Vec<_> = seen
        .attempts
        .iter()
        .map(|attempt| attempt.local.expect("works on loopback").port())
        .collect();
    ports.dedup();
    assert_eq!(ports.len(), 8, "each try has a socket of its own");
    for pair in seen.attempts.windows(2) {
        assert!(pair[1].at.duration_since(pair[0].at).as_millis() >= 99);
    }
}

#[tokio::test]
async fn silence_after_too_few_tries_is_only_silent() {
    let Some(silent) = os::silent_listener().expect("works on loopback") else {
        return;
    };
    let limits = Limits {
        attempts: Some(2),
        ..limits()
    };
    let seen = ask_with(
        vec![question(silent.address, Ladder::Tcp)],
        &limits,
        &no_trust(),
    )
    .await
    .remove(0);
    assert_eq!((&seen.state, seen.attempts.len()), (&State::Silent, 2));
    assert!(seen.confidence.expect("works on loopback") < 0.999);
}

#[tokio::test]
async fn three_hundred_silent_ports_at_once_are_all_filtered() {
    let Some(silent) = os::silent_listener().expect("works on loopback") else {
        return;
    };
    let limits = Limits {
        in_flight: 300,
        per_host: 300,
        ..limits()
    };
    os::raise_descriptor_limit();
    let questions = vec![question(silent.address, Ladder::Tcp); 300];
    for seen in ask_with(questions, &limits, &no_trust()).await {
        assert_eq!(seen.state, State::Filtered);
    }
}

#[tokio::test]
async fn a_late_answer_counts_for_a_host_that_never_answered() {
    let Some(silent) = os::silent_listener().expect("works on loopback") else {
        return;
    };
    let address = silent.address;
    // The queue is emptied only after the first tries: as with a slow or lossy path, an answer comes in the end.
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(600)).await;
        drop(silent);
        let _listener = TcpListener::bind(address).await.expect("works on loopback");
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    let limits = Limits {
        timeout: Duration::from_secs(3),
        ..limits()
    };
    let seen = ask_with(vec![question(address, Ladder::Tcp)], &limits, &no_trust())
        .await
        .remove(0);
    assert!(seen.answered(), "{seen:?}");
    assert!(seen.attempts.len() > 1);
}

#[tokio::test]
async fn the_void_is_silent_and_sends_nothing() {
    let mut void = question(
        "192.0.2.1:443".parse().expect("works on loopback"),
        Ladder::Https,
    );
    void.way = Way::Void;
    let seen = ask_with(vec![void], &limits(), &no_trust()).await.remove(0);
    assert_eq!(seen.state, State::Filtered);
    assert!(seen.attempts.iter().all(|attempt| attempt.local.is_none()));
}

#[tokio::test]
async fn the_lab_reports_the_sites_own_address() {
    let mut lab = question(
        "192.0.2.1:443".parse().expect("works on loopback"),
        Ladder::Tcp,
    );
    lab.way = Way::StandIn(refusing().await);
    let seen = ask_with(vec![lab], &limits(), &no_trust()).await.remove(0);
    assert_eq!(
        seen.state,
        State::Closed {
            reset_by: ResetBy::Host
        }
    );
    assert_eq!(
        seen.address,
        Some("192.0.2.1".parse().expect("works on loopback"))
    );
    assert_eq!(
        seen.attempts[0].remote,
        "192.0.2.1:443".parse().expect("works on loopback")
    );
}

#[tokio::test]
async fn no_address_is_no_packet() {
    let mut nowhere = question(
        "192.0.2.1:443".parse().expect("works on loopback"),
        Ladder::Tcp,
    );
    nowhere.target = Target::Nowhere(Unresolved::NoSuchName);
    let seen = ask_with(vec![nowhere], &limits(), &no_trust())
        .await
        .remove(0);
    assert_eq!(
        seen,
        Observation::without_packets(None, State::Unresolved(Unresolved::NoSuchName))
    );
}

// ---- what services say, or do not

#[tokio::test]
async fn one_that_says_nothing_is_mute_within_the_time() {
    let address = serve(|stream| async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(stream);
    })
    .await;
    // Who says nothing to TLS is asked in plain HTTP too.
    for (ladder, steps) in [(Ladder::Tls, 2), (Ladder::Http, 1), (Ladder::Https, 2)] {
        let began = Instant::now();
        assert_eq!(
            ask(address, ladder).await.service,
            Some(Service::Mute),
            "{ladder:?}"
        );
        let most = limits().timeout * steps + Duration::from_millis(300);
        assert!(began.elapsed() < most, "{ladder:?}");
    }
}

#[tokio::test]
async fn a_byte_at_a_time_does_not_extend_the_time() {
    let address = serve(|mut stream| async move {
        for byte in b"HTTP/1.1 200 OK\r\n\r\n" {
            let _ = stream.write_all(&[*byte]).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    let began = Instant::now();
    assert_eq!(
        ask(address, Ladder::Http).await.service,
        Some(Service::Mute)
    );
    assert!(began.elapsed() < Duration::from_millis(800));
}

#[tokio::test]
async fn a_flood_of_garbage_is_not_http_and_not_read() {
    let address = serve(|mut stream| async move {
        let block = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            if stream.write_all(&block).await.is_err() {
                return;
            }
        }
    })
    .await;
    let began = Instant::now();
    assert_eq!(
        ask(address, Ladder::Http).await.service,
        Some(Service::NotHttp)
    );
    assert_eq!(
        ask(address, Ladder::Tls).await.service,
        Some(Service::NotTls)
    );
    assert!(began.elapsed() < Duration::from_millis(500));
}

#[tokio::test]
async fn a_head_without_end_is_bounded() {
    let address = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"X-More: and more and more and more\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    let began = Instant::now();
    assert_eq!(
        ask(address, Ladder::Http).await.service,
        Some(Service::Spoke)
    );
    assert!(began.elapsed() < Duration::from_millis(500));
}

#[tokio::test]
async fn one_that_hangs_up_before_a_word() {
    let address = serve(|mut stream| async move {
        let mut heard = [0; 4096];
        let _ = stream.read(&mut heard).await;
    })
    .await;
    for ladder in [Ladder::Tls, Ladder::Http, Ladder::Https] {
        assert_eq!(
            ask(address, ladder).await.service,
            Some(Service::HungUp),
            "{ladder:?}"
        );
    }
}

#[tokio::test]
async fn one_that_hangs_up_in_the_handshake() {
    // The start of a handshake record whose rest never comes.
    let seen = ask(says(b"\x16\x03\x03\x00\x7a\x02\x00").await, Ladder::Tls).await;
    assert_eq!(
        (seen.service, seen.depth),
        (Some(Service::HungUpInHandshake), Some(Depth::Tls))
    );
}

#[tokio::test]
async fn other_protocols_on_a_tls_port_are_not_tls() {
    let ssh = says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").await;
    let http = says(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    for address in [ssh, http] {
        assert_eq!(
            ask(address, Ladder::Https).await.service,
            Some(Service::NotTls)
        );
    }
    assert_eq!(ask(ssh, Ladder::Http).await.service, Some(Service::NotHttp));
}

#[tokio::test]
async fn alerts_are_named_and_old_versions_are_old() {
    let refuses = says(b"\x15\x03\x03\x00\x02\x02\x70").await;
    let Some(Service::TlsAlert(name)) = ask(refuses, Ladder::Tls).await.service else {
        panic!("no alert")
    };
    assert!(name.to_lowercase().contains("unrecogni"), "{name}");
    let old = says(b"\x15\x03\x01\x00\x02\x02\x46").await;
    assert_eq!(
        ask(old, Ladder::Tls).await.service,
        Some(Service::TlsTooOld)
    );
}

#[tokio::test]
async fn a_server_without_a_final_status_has_not_answered() {
    const ONCE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let closes = says(ONCE).await;
    let waits = serve(|mut stream| async move {
        let _ = stream.write_all(ONCE).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let endless = serve(|mut stream| async move {
        while stream.write_all(ONCE).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let switches = says(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await;
    for (address, status) in [(closes, 100), (waits, 100), (endless, 100), (switches, 101)] {
        let began = Instant::now();
        let seen = ask(address, Ladder::Http).await;
        assert_eq!(seen.service, Some(Service::InterimOnly), "{status}");
        assert_eq!(seen.http.expect("it spoke HTTP").status, status);
        assert!(began.elapsed() < Duration::from_millis(800));
    }
    let goes_on = says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\n\r\n").await;
    let seen = ask(goes_on, Ladder::Http).await;
    assert_eq!(seen.service, Some(Service::Spoke));
}

#[tokio::test]
async fn http_statuses_decide() {
    for (answer, service) in [
        (
            &b"HTTP/1.1 200 OK\r\nServer: nginx\r\nVia: 1.1 squid\r\n\r\n"[..],
            Service::Spoke,
        ),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", Service::Spoke),
        (
            b"HTTP/1.0 503 Service Unavailable\r\n\r\n",
            Service::ServerError(503),
        ),
    ] {
        let seen = ask(says(answer).await, Ladder::Http).await;
        assert_eq!(
            (seen.service, seen.depth),
            (Some(service), Some(Depth::Http))
        );
        assert!(seen.http.is_some());
    }
    let http = ask(
        says(b"HTTP/1.1 200 OK\r\nServer: nginx\r\nVia: 1.1 squid\r\n\r\n").await,
        Ladder::Http,
    )
    .await
    .http;
    let http = http.expect("works on loopback");
    assert_eq!(
        (http.version.as_str(), http.status, http.reason.as_str()),
        ("HTTP/1.1", 200, "OK")
    );
    assert_eq!(
        (http.server.as_deref(), http.via.as_deref()),
        (Some("nginx"), Some("1.1 squid"))
    );
}

// ---- certificates

struct Ca {
    params: CertificateParams,
    key: KeyPair,
    trust: Trust,
    roots: Arc<RootCertStore>,
}

fn ca() -> Ca {
    let key = KeyPair::generate().expect("works on loopback");
    let mut params = CertificateParams::new(Vec::new()).expect("works on loopback");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).expect("works on loopback");
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).expect("works on loopback");
    let roots = Arc::new(roots);
    Ca {
        params,
        key,
        trust: Trust::new(vec![root.der().clone()], false),
        roots,
    }
}

fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("works on loopback");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// Whether the server wants a client certificate.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Client {
    Anyone,
    WithCertificate,
}

fn acceptor(
    ca: &Ca,
    params: &CertificateParams,
    client: Client,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> TlsAcceptor {
    let key = KeyPair::generate().expect("works on loopback");
    let issuer = Issuer::from_params(&ca.params, &ca.key);
    let certificate = params.signed_by(&key, &issuer).expect("works on loopback");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .expect("works on loopback");
    let builder = match client {
        Client::Anyone => builder.with_no_client_auth(),
        Client::WithCertificate => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(ca.roots.clone(), provider)
                .build()
                .expect("works on loopback"),
        ),
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("works on loopback");
    TlsAcceptor::from(Arc::new(
        builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("works on loopback"),
    ))
}

async fn https(acceptor: TlsAcceptor, words: &'static [u8]) -> SocketAddr {
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut heard = [0; 4096];
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(words).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

async fn ask_tls(ca: &Ca, params: &CertificateParams, ladder: Ladder) -> Observation {
    let address = https(
        acceptor(ca, params, Client::Anyone, rustls::ALL_VERSIONS),
        b"HTTP/1.1 200 OK\r\n\r\n",
    )
    .await;
    ask_with(vec![question(address, ladder)], &limits(), &ca.trust)
        .await
        .remove(0)
}

#[tokio::test]
async fn a_good_certificate_is_good() {
    let ca = ca();
    for (ladder, depth) in [(Ladder::Tls, Depth::Tls), (Ladder::Https, Depth::Http)] {
        let seen = ask_tls(&ca, &leaf(&[NAME, "10.0.0.1"]), ladder).await;
        assert_eq!(
            (seen.service, seen.depth),
            (Some(Service::Spoke), Some(depth))
        );
        let tls = seen.tls.expect("works on loopback");
        assert_eq!(
            (tls.version.as_deref(), tls.verifier),
            (Some("TLSv1.3"), None)
        );
        assert_eq!(tls.asked_for.as_deref(), Some(NAME));
        assert!(tls.cipher.is_some() && !tls.client_certificate_asked);
        assert_eq!(tls.chain.len(), 1);
        assert_eq!(tls.chain[0].names, [NAME, "10.0.0.1"]);
        assert!(tls.chain[0].not_before < tls.chain[0].not_after);
        assert_eq!(tls.chain[0].sha256.len(), 64);
    }
}

#[tokio::test]
async fn faults_of_certificates_are_told_apart() {
    let ca = ca();
    let mut expired = leaf(&[NAME]);
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let mut early = leaf(&[NAME]);
    early.not_before = rcgen::date_time_ymd(3000, 1, 1);
    let mut client = leaf(&[NAME]);
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for (params, fault) in [
        (leaf(&["other.example.com"]), CertificateFault::Name),
        (expired, CertificateFault::Expired),
        (early, CertificateFault::NotYetValid),
        (client, CertificateFault::Purpose),
    ] {
        let seen = ask_tls(&ca, &params, Ladder::Https).await;
        assert_eq!(seen.service, Some(Service::Certificate(fault)));
        assert!(seen.tls.expect("works on loopback").verifier.is_some());
        assert_eq!(
            seen.http.map(|http| http.status),
            Some(200),
            "the exchange is made for evidence all the same"
        );
    }
}

#[tokio::test]
async fn an_unknown_issuer_is_untrusted() {
    let address = https(
        acceptor(&ca(), &leaf(&[NAME]), Client::Anyone, rustls::ALL_VERSIONS),
        b"",
    )
    .await;
    for trust in [no_trust(), ca().trust] {
        let seen = ask_with(vec![question(address, Ladder::Tls)], &limits(), &trust)
            .await
            .remove(0);
        assert_eq!(
            seen.service,
            Some(Service::Certificate(CertificateFault::Untrusted))
        );
    }
}

#[tokio::test]
async fn one_that_wants_a_client_certificate_has_spoken() {
    let ca = ca();
    for version in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let address = https(
            acceptor(&ca, &leaf(&[NAME]), Client::WithCertificate, version),
            b"",
        )
        .await;
        for ladder in [Ladder::Tls, Ladder::Https] {
            let seen = ask_with(vec![question(address, ladder)], &limits(), &ca.trust)
                .await
                .remove(0);
            assert_eq!(seen.service, Some(Service::Spoke), "{version:?} {ladder:?}");
            assert!(
                seen.tls
                    .expect("works on loopback")
                    .client_certificate_asked
            );
        }
    }
}

#[tokio::test]
async fn tls_1_2_is_spoken() {
    let ca = ca();
    let address = https(
        acceptor(
            &ca,
            &leaf(&[NAME]),
            Client::Anyone,
            &[&rustls::version::TLS12],
        ),
        b"HTTP/1.1 500 No\r\n\r\n",
    )
    .await;
    let seen = ask_with(vec![question(address, Ladder::Https)], &limits(), &ca.trust)
        .await
        .remove(0);
    assert_eq!(seen.service, Some(Service::ServerError(500)));
    assert_eq!(
        seen.tls.expect("works on loopback").version.as_deref(),
        Some("TLSv1.2")
    );
}

// ---- many at once

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_questions_take_less_than_two_seconds() {
    let open = serve(|_| async {}).await;
    let closed = refusing().await;
    let questions = (0..1_000)
        .map(|n| question(if n % 2 == 0 { open } else { closed }, Ladder::Tcp))
        .collect();
    let began = Instant::now();
    let seen = ask_with(questions, &limits(), &no_trust()).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    for pair in seen.chunks(2) {
        assert_eq!(pair[0].state, State::Open);
        assert_eq!(
            pair[1].state,
            State::Closed {
                reset_by: ResetBy::Host
            }
        );
    }
}

#[tokio::test]
async fn progress_counts_to_the_end() {
    let closed = refusing().await;
    let highest = AtomicUsize::new(0);
    let (_stop, stopped) = watch::channel(false);
    let prober = Prober::new(limits(), no_trust(), Vec::new(), stopped);
    let count = || {
        highest.fetch_add(1, Ordering::Relaxed);
    };
    prober
        .ask_all(vec![question(closed, Ladder::Tcp); 20], count)
        .await;
    assert_eq!(highest.load(Ordering::Relaxed), 20);
}

#[tokio::test]
async fn the_rate_is_kept() {
    let limits = Limits {
        rate: Some(50),
        ..limits()
    };
    let began = Instant::now();
    ask_with(
        vec![question(refusing().await, Ladder::Tcp); 26],
        &limits,
        &no_trust(),
    )
    .await;
    assert!(
        began.elapsed() >= Duration::from_millis(490),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn per_host_is_kept() {
    static OPEN: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let address = serve(|mut stream| async move {
        MOST.fetch_max(OPEN.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let mut heard = [0; 4096];
        let _ = stream.read(&mut heard).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        OPEN.fetch_sub(1, Ordering::SeqCst);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
    })
    .await;
    let limits = Limits {
        per_host: 3,
        ..limits()
    };
    ask_with(
        vec![question(address, Ladder::Http); 12],
        &limits,
        &no_trust(),
    )
    .await;
    // One of the three is left for knocks that watch the way.
    assert_eq!(MOST.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn needed_questions_come_before_forbidden_ones() {
    let closed = refusing().await;
    let mut questions = vec![question(closed, Ladder::Tcp); 10];
    for forbidden in questions.iter_mut().step_by(2) {
        forbidden.turn = Turn::Forbidden;
    }
    let seen = ask_with(questions, &limits(), &no_trust()).await;
    let at = |n: usize| seen[n].attempts[0].at;
    let last_needed = (1..10).step_by(2).map(at).max();
    let first_forbidden = (0..10).step_by(2).map(at).min();
    assert!(last_needed <= first_forbidden);
}

#[tokio::test]
async fn a_stop_ends_everything_at_once() {
    let mute = serve(|stream| async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(stream);
    })
    .await;
    let (stop, stopped) = watch::channel(false);
    let mut questions = vec![question(mute, Ladder::Http)];
    let void = Question {
        way: Way::Void,
        ..question((Ipv4Addr::new(192, 0, 2, 1), 1).into(), Ladder::Tcp)
    };
    questions.extend(vec![void; 100]);
    let mut forbidden = question(refusing().await, Ladder::Tcp);
    forbidden.turn = Turn::Forbidden;
    questions.push(forbidden);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let _ = stop.send(true);
        tokio::time::sleep(Duration::from_secs(30)).await;
    });
    let limits = Limits {
        timeout: Duration::from_secs(20),
        per_host: 10,
        ..limits()
    };
    let began = Instant::now();
    let prober = Prober::new(limits, no_trust(), Vec::new(), stopped);
    let seen = prober.ask_all(questions, || {}).await;
    assert!(
        began.elapsed() < Duration::from_millis(700),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(seen.len(), 102);
    assert_eq!((&seen[0].state, &seen[0].service), (&State::Open, &None));
    assert_eq!(seen[0].attempts[0].result, AttemptResult::Open);
    assert!(
        seen[1..10]
            .iter()
            .all(|seen| seen.state == State::Silent && !seen.attempts.is_empty())
    );
    let interrupted = State::NotTried(NotTried::Interrupted);
    assert!(
        seen[10..]
            .iter()
            .all(|seen| seen.state == interrupted && seen.attempts.is_empty())
    );
    assert_eq!(seen[101].address, Some(IpAddr::from(Ipv4Addr::LOCALHOST)));
}
