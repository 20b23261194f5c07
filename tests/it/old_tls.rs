//! Servers that speak only TLS of the past. A management point behind each is proved with its role, and costs few
//! connections more than a modern one. Servers that ask for the client certificate only after the request.
//!
//! The servers are OpenSSL's, in this process, and Apache. Everything is on loopback.
#![cfg(feature = "old-tls")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::apache::{Apache, assert_proved, certificates, check, judged, openssl, site};
use crate::support::ports;
use openssl::dh::Dh;
use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslVersion};
use openssl::x509::X509;
use serde_json::{Value, json};

/// A management point inside TLS of one version with these suites; it counts the connections that it accepts.
struct ManagementPoint {
    at: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl ManagementPoint {
    fn start(folder: &Path, version: SslVersion, suites: &str) -> Self {
        let context = context(folder, version, suites);
        let listener = TcpListener::bind(ports::free(Ipv4Addr::LOCALHOST)).expect("a port");
        let at = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let context = context.clone();
                thread::spawn(move || serve(&context, stream));
            }
        });
        Self { at, connections }
    }
}

fn context(folder: &Path, version: SslVersion, suites: &str) -> SslContext {
    let file = |name: &str| fs::read(folder.join(name)).expect("read");
    let mut context = SslContextBuilder::new(SslMethod::tls_server()).expect("a context");
    context.set_security_level(0);
    let set = context.set_min_proto_version(Some(version));
    set.expect("a version");
    context
        .set_max_proto_version(Some(version))
        .expect("a version");
    if version != SslVersion::TLS1_3 {
        context.set_cipher_list(suites).expect("suites");
    }
    let group = Dh::get_2048_256().expect("a group");
    context.set_tmp_dh(&group).expect("taken");
    let leaf = X509::from_pem(&file("leaf.pem")).expect("a certificate");
    context.set_certificate(&leaf).expect("taken");
    let key = PKey::private_key_from_pem(&file("leaf.key")).expect("a key");
    context.set_private_key(&key).expect("taken");
    context.build()
}

fn serve(context: &SslContext, stream: TcpStream) -> Option<()> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let ssl = Ssl::new(context).ok()?;
    let mut stream = BufReader::new(ssl.accept(stream).ok()?);
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if stream.read_line(&mut request).ok()? == 0 {
                return None;
            }
        }
        let (status, body) = match request.split(' ').nth(1)? {
            "/" => ("200 OK", "here"),
            path if path.contains("MPLIST") => (
                "200 OK",
                "<MPList><MP Name=\"MP\" FQDN=\"mp.example.com\"/></MPList>",
            ),
            _ => ("404 Not Found", ""),
        };
        let length = body.len();
        let body = match request.starts_with("HEAD") {
            true => "",
            false => body,
        };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.get_mut().write_all(answer.as_bytes()).ok()?;
        if request.contains("Connection: close") {
            let _ = stream.get_mut().shutdown();
            return None;
        }
    }
}

#[test]
fn a_role_behind_tls_of_the_past_is_proved_with_few_connections_more() {
    let made = certificates();
    let folder = made.path();
    let modern = "ECDHE-RSA-AES128-GCM-SHA256";
    let modern = ManagementPoint::start(folder, SslVersion::TLS1_2, modern);
    let (flow, _) = check(folder, &site(modern.at.port(), "", ""), modern.at.port());
    assert_proved(&flow);
    assert_eq!(flow["evidence"]["tls"]["by_old_client"], Value::Null);
    let usual = modern.connections.load(Ordering::Relaxed);
    for (version, suites, shown, suite) in [
        (
            SslVersion::TLS1,
            "AES128-SHA",
            "TLSv1.0",
            "TLS_RSA_WITH_AES_128_CBC_SHA",
        ),
        (
            SslVersion::TLS1,
            "DES-CBC3-SHA",
            "TLSv1.0",
            "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        ),
        (
            SslVersion::TLS1_1,
            "AES256-SHA",
            "TLSv1.1",
            "TLS_RSA_WITH_AES_256_CBC_SHA",
        ),
        (
            SslVersion::TLS1_2,
            "AES128-SHA256",
            "TLSv1.2",
            "TLS_RSA_WITH_AES_128_CBC_SHA256",
        ),
        (
            SslVersion::TLS1_2,
            "ECDHE-RSA-AES256-SHA384",
            "TLSv1.2",
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        ),
        (
            SslVersion::TLS1_2,
            "DHE-RSA-AES128-SHA",
            "TLSv1.2",
            "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        ),
        (
            SslVersion::SSL3,
            "AES128-SHA",
            "SSLv3",
            "TLS_RSA_WITH_AES_128_CBC_SHA",
        ),
    ] {
        let suites = format!("{suites}:@SECLEVEL=0");
        let server = ManagementPoint::start(folder, version, &suites);
        let port = server.at.port();
        let (flow, status) = check(folder, &site(port, "", ""), port);
        assert_proved(&flow);
        assert_eq!(status, 0);
        let tls = &flow["evidence"]["tls"];
        assert_eq!(
            (&tls["version"], &tls["cipher"]),
            (&shown.into(), &suite.into())
        );
        assert_eq!(tls["by_old_client"], true);
        let connections = server.connections.load(Ordering::Relaxed);
        assert!(
            connections * 2 <= usual * 3,
            "{suite}: {connections} connections, {usual} of a modern server"
        );
    }
}

#[test]
fn a_server_that_refuses_what_clients_speak_is_warned_of_for_one_connection_more() {
    let made = certificates();
    let folder = made.path();
    let newest = ManagementPoint::start(folder, SslVersion::TLS1_3, "");
    let port = newest.at.port();
    let connections = || newest.connections.swap(0, Ordering::Relaxed);
    let text = site(port, "", "");
    let (flow, status) = check(folder, &text, port);
    let asked = connections();
    assert_eq!(judged(&flow), "ok modern-tls-only warning", "{flow:#}");
    assert_eq!((flow["owner"].as_str(), status), (Some("server"), 0));
    assert_eq!(
        flow["evidence"]["tls"]["refused_clients"],
        "TLS 1.2 and older, with cipher suites of Windows XP to 7, was refused with the alert \
         ProtocolVersion"
    );
    let said = |versions: &str| {
        let key = format!("crl_check: false, clients_speak: [{versions}]");
        text.replace("crl_check: false", &key)
    };
    for versions in ["tls1.2, tls1.3", ""] {
        let (flow, _) = check(folder, &said(versions), port);
        assert_proved(&flow);
        assert_eq!(connections() + 1, asked, "{versions}");
    }
    let of_1_2 = ManagementPoint::start(folder, SslVersion::TLS1_2, "ECDHE-RSA-AES128-GCM-SHA256");
    let port = of_1_2.at.port();
    let (flow, _) = check(folder, &site(port, "", ""), port);
    assert_proved(&flow);
    let old = site(port, "", "");
    let old = old.replace(
        "crl_check: false",
        "crl_check: false, clients_speak: [tls1.0]",
    );
    let (flow, _) = check(folder, &old, port);
    assert_eq!(judged(&flow), "ok modern-tls-only warning", "{flow:#}");
}

#[test]
fn a_system_may_be_kept_from_tls_of_the_past() {
    let made = certificates();
    let folder = made.path();
    let server = ManagementPoint::start(folder, SslVersion::TLS1, "AES128-SHA:@SECLEVEL=0");
    let port = server.at.port();
    let (flow, status) = check(folder, &site(port, ", old_tls: false", ""), port);
    assert_eq!(judged(&flow), "unknown tls-too-old warning");
    assert_eq!((flow["owner"].as_str(), status), (Some("prober"), 3));
    assert_eq!(flow["evidence"]["tls"]["key_proven"], false);
}

// ---- client certificates after the request

#[test]
fn a_certificate_that_is_asked_for_after_the_request_is_shown() {
    let made = certificates();
    let folder = made.path();
    let client = ", client_certificate: client.full";
    let everywhere = "<Location />\nSSLVerifyClient require\n</Location>";
    let roles_only = "<Location /SMS_MP/>\nSSLVerifyClient require\n</Location>";
    for protocol in ["TLSv1.2", "TLSv1", "TLSv1.2 +TLSv1.1"] {
        for locations in [everywhere, roles_only] {
            let server = Apache::start(folder, protocol, locations);
            let text = site(server.port, "", client);
            let (flow, status) = check(folder, &text, server.port);
            assert_proved(&flow);
            assert_eq!(status, 0, "{protocol}");
            let tls = &flow["evidence"]["tls"];
            assert_eq!(tls["asked_late"], true);
            assert_eq!(tls["presented"], "taken", "{protocol} {locations}");
        }
    }
}

#[test]
fn a_server_that_wants_a_new_handshake_is_never_mute() {
    let made = certificates();
    let folder = made.path();
    let everywhere = "<Location />\nSSLVerifyClient require\n</Location>";
    let server = Apache::start(folder, "TLSv1.2", everywhere);
    let client = ", client_certificate: client.full";
    for (system, tls) in [
        ("", ""),
        (", old_tls: false", ""),
        (", old_tls: false", client),
    ] {
        let (flow, _) = check(folder, &site(server.port, system, tls), server.port);
        assert_ne!(flow["cause"], "mute", "{system} {tls}: {flow:#}");
        assert_ne!(flow["verdict"], "wrong", "{system} {tls}: {flow:#}");
        assert_eq!(flow["evidence"]["tls"]["asked_late"], true);
    }
}

#[test]
fn a_certificate_that_is_asked_for_after_the_request_and_not_taken_is_refused() {
    let made = certificates();
    let folder = made.path();
    let client = ", client_certificate: client.full";
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -subj /CN=Other -days \
         3650",
    );
    let other = format!("SSLCACertificateFile {}/other.pem\n", folder.display());
    let late =
        |rest: &str| format!("<Location /SMS_MP/>\nSSLVerifyClient require\n{rest}</Location>");
    for (locations, ours) in [
        (late("Require all denied\n"), json!("taken")),
        (other + &late(""), json!({"refused": "UnknownCA"})),
    ] {
        let server = Apache::start(folder, "TLSv1.2", &locations);
        let (flow, status) = check(folder, &site(server.port, "", client), server.port);
        let expected = "wrong client-certificate-refused error";
        assert_eq!(judged(&flow), expected, "{locations}: {flow:#}");
        assert_eq!((flow["owner"].as_str(), status), (Some("certificate"), 1));
        let tls = &flow["evidence"]["tls"];
        assert_eq!(tls["presented"], ours, "{locations}");
        assert_eq!(tls["asked_late"], true);
    }
}

#[test]
fn a_server_of_tls_1_3_that_also_speaks_1_2_is_asked_there_for_what_it_refuses() {
    let made = certificates();
    let folder = made.path();
    let client = ", client_certificate: client.full";
    let roles_only = "<Location /SMS_MP/>\nSSLVerifyClient require\n</Location>";
    let server = Apache::start(folder, "TLSv1.2 +TLSv1.3", roles_only);
    let (flow, _) = check(folder, &site(server.port, "", client), server.port);
    assert_proved(&flow);
    let tls = &flow["evidence"]["tls"];
    assert_eq!(tls["version"], "TLSv1.3");
    assert_eq!(tls["presented"], "taken");
    let (flow, status) = check(folder, &site(server.port, "", ""), server.port);
    assert_eq!(judged(&flow), "unknown role-unproved warning", "{flow:#}");
    assert_eq!((flow["owner"].as_str(), status), (Some("prober"), 3));
}

#[test]
fn a_server_of_tls_1_3_alone_that_may_ask_after_the_request_is_told_from_one_that_forbids() {
    let made = certificates();
    let folder = made.path();
    let client = ", client_certificate: client.full";
    let everywhere = "<Location />\nSSLVerifyClient require\n</Location>";
    let roles_only = "<Location /SMS_MP/>\nSSLVerifyClient require\n</Location>";
    for (locations, tls) in [(everywhere, client), (roles_only, client), (roles_only, "")] {
        let server = Apache::start(folder, "TLSv1.3", locations);
        let (flow, status) = check(folder, &site(server.port, "", tls), server.port);
        assert_eq!(judged(&flow), "unknown role-unproved warning", "{flow:#}");
        assert_eq!((flow["owner"].as_str(), status), (Some("server"), 3));
        assert_eq!(
            flow["evidence"]["tls"]["refused_1_2"],
            "TLS 1.2 and older was refused with the alert ProtocolVersion"
        );
        let advice = flow["advice"].as_str().expect("an advice");
        assert!(
            advice.contains("It may want one after the request."),
            "{advice}"
        );
        assert!(advice.contains("post-handshake authentication"), "{advice}");
    }
    // The same refusal, of a server that asks nobody: it may be asked below TLS 1.3, and asks nobody there either.
    let forbids = "<Location /SMS_MP/>\nRequire all denied\n</Location>";
    let server = Apache::start(folder, "TLSv1.2 +TLSv1.3", forbids);
    let (flow, _) = check(folder, &site(server.port, "", client), server.port);
    assert_eq!(judged(&flow), "unknown role-unproved warning", "{flow:#}");
    assert_eq!(flow["evidence"]["tls"]["refused_1_2"], Value::Null);
    let advice = flow["advice"].as_str().expect("an advice");
    assert!(!advice.contains("post-handshake"), "{advice}");
}
