//! Old greetings to real servers: openssl's of every version that it still speaks, GnuTLS's with RC4 and 3DES.

use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use super::*;
use crate::wire::tls::servers::{LIMIT, NAME, Server, certificates, gnutls_server, openssl_server};
use crate::wire::trust::Trust;
use crate::wire::trust::certificate::check::{NameFound, check};
use crate::wire::trust::certificate::{End, read};

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    folder
}

async fn greet(server: &Server, name: Option<&str>) -> Recognised {
    recognise(server.connect().await, name, LIMIT).await
}

async fn shown(server: &Server) -> Shown {
    let seen = greet(server, Some(NAME)).await;
    assert_eq!(seen.ending, Ending::Whole);
    seen.shown.expect("a hello")
}

#[tokio::test]
async fn every_version_before_1_3_is_recognised() {
    let folder = folder();
    for (option, version, too_old) in [
        ("-tls1", "TLSv1.0", Some(TooOld::Version)),
        ("-tls1_1", "TLSv1.1", Some(TooOld::Version)),
        ("-tls1_2", "TLSv1.2", None),
    ] {
        let words = format!("{option} -cipher ALL:@SECLEVEL=0");
        let shown = shown(&openssl_server(folder.path(), &words)).await;
        assert_eq!((shown.version.as_str(), shown.too_old), (version, too_old));
        assert_eq!(shown.chain.len(), 1);
        assert_eq!(shown.request, None);
    }
}

#[tokio::test]
async fn a_server_of_1_3_alone_refuses_an_old_greeting() {
    let folder = folder();
    let server = openssl_server(folder.path(), "-tls1_3");
    let seen = greet(&server, Some(NAME)).await;
    assert_eq!(seen.ending, Ending::Alert("ProtocolVersion".to_string()));
    assert_eq!(seen.shown, None);
}

#[tokio::test]
async fn rsa_key_exchange_is_too_old_a_cipher() {
    let folder = folder();
    let words = "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0";
    let shown = shown(&openssl_server(folder.path(), words)).await;
    assert_eq!(shown.cipher, "TLS_RSA_WITH_AES_128_CBC_SHA");
    assert_eq!(shown.too_old, Some(TooOld::Cipher));
}

#[tokio::test]
async fn servers_with_only_rc4_or_3des_are_recognised() {
    let folder = folder();
    let start = "NONE:+VERS-TLS1.0:+SHA1:+MD5:+RSA:+COMP-NULL:+SIGN-ALL";
    for (cipher, name) in [
        ("ARCFOUR-128", "TLS_RSA_WITH_RC4_128_SHA"),
        ("3DES-CBC", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    ] {
        let server = gnutls_server(folder.path(), &format!("{start}:+{cipher}"));
        let shown = shown(&server).await;
        assert_eq!(
            (shown.version.as_str(), shown.cipher.as_str()),
            ("TLSv1.0", name)
        );
        assert_eq!(shown.too_old, Some(TooOld::Version));
    }
}

#[tokio::test]
async fn a_request_for_a_client_certificate_and_its_authorities_are_seen() {
    let folder = folder();
    for version in ["-tls1", "-tls1_1", "-tls1_2"] {
        let words = format!("{version} -cipher ALL:@SECLEVEL=0 -Verify 2 -CAfile root.pem");
        let shown = shown(&openssl_server(folder.path(), &words)).await;
        let request = shown.request.expect("a request");
        assert_eq!(request.authorities, ["CN=Site Root"], "{version}");
        assert_eq!(request.more, 0);
    }
}

#[tokio::test]
async fn the_chain_is_checked_like_any_other() {
    let folder = folder();
    let words = "-tls1 -cipher ALL:@SECLEVEL=0 -cert_chain root.pem";
    let shown = shown(&openssl_server(folder.path(), words)).await;
    let chain: Vec<_> = shown.chain.into_iter().map(CertificateDer::from).collect();
    assert_eq!(chain.len(), 2);
    let trust = Trust::of(&chain[1..], &[]);
    let now = read(&chain[0]).and_then(|facts| facts.not_before);
    let checked = check(&chain, NAME, &trust, now.expect("a begin"));
    assert_eq!(checked.faults, []);
    assert_eq!(checked.name, NameFound::Alternative);
    assert!(matches!(checked.path.end, End::Root { .. }));
}

#[tokio::test]
async fn a_server_that_refuses_the_name_is_recognised_without_one() {
    let folder = folder();
    let words = "-tls1 -cipher ALL:@SECLEVEL=0 -servername other.example.com -servername_fatal \
        -cert2 leaf.pem -key2 leaf.key";
    let server = openssl_server(folder.path(), words);
    let named = greet(&server, Some(NAME)).await;
    let refusal = Ending::Alert("UnrecognisedName".to_string());
    assert_eq!(named.ending, refusal);
    assert!(named.refused());
    let nameless = greet(&server, None).await;
    let conclusion = conclude(named, Some(nameless));
    let Conclusion::SpeaksOnlyWithoutName { shown, refusal: by } = conclusion else {
        panic!("{conclusion:?}")
    };
    assert_eq!((shown.version.as_str(), by), ("TLSv1.0", refusal));
}

#[tokio::test]
async fn what_is_not_tls_hangs_up_or_is_mute_is_told_apart() {
    use tokio::net::TcpListener;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        for said in [
            Some(&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..]),
            Some(b""),
            // The start of a record whose rest never comes.
            Some(&[22, 3, 1, 0, 50, 2]),
            None,
        ] {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut greeting = [0; 1_024];
            let _ = stream.read(&mut greeting).await;
            match said {
                Some(said) => stream.write_all(said).await.expect("written"),
                None => tokio::time::sleep(Duration::from_secs(60)).await,
            }
        }
    });
    for ending in [
        Ending::NotTls,
        Ending::HungUp,
        Ending::HungUpInHandshake,
        Ending::Mute,
    ] {
        let stream = tokio::net::TcpStream::connect(address).await;
        let limit = Duration::from_millis(500);
        let seen = recognise(stream.expect("connected"), Some(NAME), limit).await;
        assert_eq!(seen.ending, ending);
    }
    server.abort();
}
