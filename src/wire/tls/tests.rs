//! Handshakes with real servers: client certificates, names that are refused, keys that are too short.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::Path;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client_certificate::read;
use super::servers::{LIMIT, NAME, Server, certificates, gnutls_server, openssl_server};
use super::*;
use crate::observation::CertificateFault;
use crate::wire::trust::certificate::sample::{openssl, openssl_leaf};

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    folder
}

fn trust(folder: &Path) -> Trust {
    let root = CertificateDer::from_pem_file(folder.join("root.pem")).expect("a root");
    Trust::new(vec![root], false)
}

/// A client certificate by the site's root, or by a stranger.
fn client(folder: &Path, of_the_site: bool) -> ClientCertificate {
    let from = match of_the_site {
        true => "-CA root.pem -CAkey root.key -set_serial 3",
        false => "-signkey client.key",
    };
    openssl(folder, "genrsa -out client.key 2048");
    openssl(
        folder,
        "req -new -key client.key -subj /CN=client01 -out client.csr",
    );
    openssl(
        folder,
        &format!("x509 -req -in client.csr {from} -days 30 -out client.crt"),
    );
    openssl(
        folder,
        "pkcs12 -export -in client.crt -inkey client.key -passout pass: -out client.pfx",
    );
    let provider = rustls::crypto::ring::default_provider();
    let file = std::fs::read(folder.join("client.pfx")).expect("a file");
    read(&file, None, &provider).expect("usable")
}

async fn shaken(
    server: &Server,
    folder: &Path,
    own: Option<&ClientCertificate>,
) -> Handshake<TcpStream> {
    let asking = Asking {
        name: server_name(NAME, server.address.ip()),
        sni: Sni::Sent,
        own,
        late: Late::default(),
    };
    shake_as(server.connect().await, &asking, &trust(folder), LIMIT).await
}

/// Asks for a page, so that what comes with the first read has come.
async fn after_a_page(handshake: Handshake<TcpStream>) -> Presented {
    let Some(mut stream) = handshake.stream else {
        return handshake.seen.presented;
    };
    let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
    let mut page = [0; 64];
    let _ = tokio::time::timeout(LIMIT, stream.read(&mut page)).await;
    stream.presented().clone()
}

#[tokio::test]
async fn a_server_that_does_not_ask_in_the_first_handshake_is_told_so() {
    let folder = folder();
    let own = client(folder.path(), true);
    let server = openssl_server(folder.path(), "");
    let handshake = shaken(&server, folder.path(), Some(&own)).await;
    assert_eq!(handshake.fault, None);
    assert!(!handshake.seen.client_certificate_asked);
    assert_eq!(handshake.seen.chain.len(), 1);
    assert!(!handshake.may_be_old);
    assert_eq!(after_a_page(handshake).await, Presented::NotAsked);
}

#[tokio::test]
async fn our_certificate_is_taken_or_refused_in_both_versions() {
    let folder = folder();
    let ours = client(folder.path(), true);
    let mut asked = Vec::new();
    for version in ["-tls1_2", "-tls1_3"] {
        let words = format!("{version} -Verify 2 -verify_return_error -CAfile root.pem");
        let server = openssl_server(folder.path(), &words);
        let handshake = shaken(&server, folder.path(), Some(&ours)).await;
        let expected = match version {
            "-tls1_2" => Presented::Taken,
            _ => Presented::Sent,
        };
        assert_eq!(handshake.seen.presented, expected, "{version}");
        assert_eq!(handshake.seen.authorities, ["CN=Site Root"]);
        assert_eq!(after_a_page(handshake).await, Presented::Taken, "{version}");
        asked.push((version, server));
    }
    let strangers = client(folder.path(), false);
    for (version, server) in &asked {
        let handshake = shaken(server, folder.path(), Some(&strangers)).await;
        let became = after_a_page(handshake).await;
        assert!(
            matches!(became, Presented::Refused(_)),
            "{version}: {became:?}"
        );
        let handshake = shaken(server, folder.path(), None).await;
        assert!(handshake.seen.client_certificate_asked);
        assert_eq!(after_a_page(handshake).await, Presented::None, "{version}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_the_name_may_be_asked_without_it() {
    let folder = folder();
    let words = "-servername other.example.com -servername_fatal -cert2 leaf.pem -key2 leaf.key";
    let server = openssl_server(folder.path(), words);
    let refused = shaken(&server, folder.path(), None).await;
    assert_eq!(
        refused.fault,
        Some(Service::TlsAlert("UnrecognisedName".to_string()))
    );
    assert!(refused.may_be_old);
    let asking = Asking {
        name: server_name(NAME, server.address.ip()),
        sni: Sni::Withheld,
        own: None,
        late: Late::default(),
    };
    let trust = trust(folder.path());
    let nameless = shake_as(server.connect().await, &asking, &trust, LIMIT).await;
    assert_eq!(nameless.fault, None);
    assert!(nameless.stream.is_some());
}

#[tokio::test]
async fn old_servers_are_worth_an_old_greeting() {
    let folder = folder();
    let old = "NONE:+VERS-TLS1.0:+SHA1:+RSA:+COMP-NULL:+SIGN-ALL:+3DES-CBC";
    let quarrel = Service::TlsAlert("HandshakeFailure".to_string());
    for (server, fault) in [
        (
            openssl_server(folder.path(), "-tls1 -cipher ALL:@SECLEVEL=0"),
            Service::TlsTooOld,
        ),
        (
            openssl_server(folder.path(), "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0"),
            quarrel.clone(),
        ),
        (gnutls_server(folder.path(), old), quarrel),
    ] {
        let handshake = shaken(&server, folder.path(), None).await;
        assert_eq!(handshake.fault, Some(fault));
        assert!(handshake.may_be_old);
    }
}

#[tokio::test]
async fn a_short_key_is_not_called_a_bad_signature() {
    let folder = folder();
    openssl_leaf(folder.path(), NAME, 1_024, "sha256");
    for version in ["-tls1_2", "-tls1_3"] {
        let words = format!("{version} -cipher ALL:@SECLEVEL=0");
        let server = openssl_server(folder.path(), &words);
        let handshake = shaken(&server, folder.path(), None).await;
        let weak = Service::Certificate(CertificateFault::Undecided);
        assert_eq!(handshake.fault, Some(weak), "{version}");
        let faults = &handshake.seen.faults;
        assert!(faults[1].words.contains("1024 bits"), "{faults:?}");
    }
}
