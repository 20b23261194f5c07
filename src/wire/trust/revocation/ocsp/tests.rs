//! Answers of openssl's responder.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::TcpStream;

use super::*;
use crate::wire::tls::servers::free_port;
use crate::wire::trust::certificate::sample::{self, openssl};
use crate::wire::trust::revocation::fetch::{NotConnected, Way, fetch};
use crate::wire::trust::revocation::tests::openssl_authority;

/// A responder that ends with the test.
struct Responder {
    child: Child,
    address: SocketAddr,
    /// What it says must not run against a closed pipe.
    _said: BufReader<ChildStderr>,
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `openssl ocsp` for the authority in a folder, signing with `signer.pem` and `signer.key`.
fn responder(folder: &Path, signer: &str, words: &str) -> Responder {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let words = format!(
        "ocsp -index index.txt -port {} -rsigner {signer}.pem -rkey {signer}.key -CA root.pem \
         {words}",
        address.port()
    );
    let mut child = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl is needed: scripts/test installs it");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    // It does not outlive a client that only knocks, so it must say itself that it is ready.
    let mut line = String::new();
    while !line.contains("waiting for OCSP client connections") {
        line.clear();
        let length = said.read_line(&mut line).expect("text");
        assert!(length > 0, "the responder did not start");
    }
    Responder {
        child,
        address,
        _said: said,
    }
}

fn read_pem(folder: &Path, file: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(folder.join(file)).expect("a certificate")
}

/// The answer for `leaf.pem`, as bytes.
async fn answer(folder: &Path, responder: &Responder) -> Vec<u8> {
    let question = question(&read_pem(folder, "leaf.pem"), &read_pem(folder, "root.pem"));
    let base = Url::parse("http://ocsp.example.com/").expect("an address");
    let url = address(&base, &question.expect("a question"));
    let connect = async |_: String, _: u16| {
        let stream = TcpStream::connect(responder.address).await;
        stream.map_err(|_| NotConnected::Closed)
    };
    let limit = Duration::from_secs(10);
    let fetched = fetch(
        &url,
        LARGEST_ANSWER,
        &Way::Straight,
        connect,
        |_, _| false,
        limit,
    )
    .await;
    fetched.expect("an answer").body
}

/// What an answer is worth now.
fn worth(folder: &Path, answer: &[u8]) -> Checked {
    let (leaf, root) = (read_pem(folder, "leaf.pem"), read_pem(folder, "root.pem"));
    check(answer, &leaf, &root, Timestamp::now())
}

/// A certificate that the authority appoints for signing answers, as `signer.pem` and `signer.key`.
fn appoint(folder: &Path, usage: &str) {
    fs::write(
        folder.join("signer.cnf"),
        format!("extendedKeyUsage = {usage}\n"),
    )
    .expect("written");
    openssl(
        folder,
        "req -new -newkey rsa:2048 -nodes -keyout signer.key -subj /CN=ocsp -out signer.csr",
    );
    openssl(
        folder,
        "x509 -req -in signer.csr -CA root.pem -CAkey root.key -set_serial 9 -days 30 -sha256 \
         -extfile signer.cnf -out signer.pem",
    );
}

#[tokio::test]
async fn a_certificate_is_good_by_the_authority_and_by_whom_it_appointed() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    openssl_authority(here, None);
    appoint(here, "OCSPSigning");
    for signer in ["root", "signer"] {
        let responder = responder(here, signer, "-nmin 5");
        let checked = worth(here, &answer(here, &responder).await);
        assert_eq!(checked.faults, [], "{signer}");
        let updates = checked.updates.expect("times");
        let next = updates.next.expect("a next time");
        assert_eq!(next.as_second() - updates.this.as_second(), 300);
    }
}

#[tokio::test]
async fn a_signer_that_nobody_appointed_does_not_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    openssl_authority(here, None);
    appoint(here, "serverAuth");
    let responder = responder(here, "signer", "");
    let checked = worth(here, &answer(here, &responder).await);
    assert_eq!(checked.faults, [Fault::BadSignature]);
}

#[tokio::test]
async fn a_revoked_and_an_unknown_certificate_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    openssl_authority(here, Some("keyCompromise"));
    let responder = responder(here, "root", "");
    let checked = worth(here, &answer(here, &responder).await);
    let [Fault::Revoked { since, reason }] = checked.faults[..] else {
        panic!("{checked:?}")
    };
    assert!(since.is_some());
    assert_eq!(reason, Some("key-compromise"));
    drop(responder);
    fs::write(here.join("index.txt"), "").expect("written");
    let responder = self::responder(here, "root", "");
    let checked = worth(here, &answer(here, &responder).await);
    assert_eq!(checked.faults, [Fault::Unknown]);
}

#[tokio::test]
async fn an_answer_has_its_time_and_its_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    openssl_authority(here, None);
    let responder = responder(here, "root", "-nmin 5");
    let answer = answer(here, &responder).await;
    let (leaf, root) = (read_pem(here, "leaf.pem"), read_pem(here, "root.pem"));
    let updates = worth(here, &answer).updates.expect("times");
    let at = |seconds: i64| {
        let now = Timestamp::from_second(updates.this.as_second() + seconds).expect("a time");
        check(&answer, &leaf, &root, now).faults
    };
    let since = updates.next.expect("a next time");
    assert_eq!(at(301), [Fault::Expired { since }]);
    let from = updates.this;
    assert_eq!(at(-1), [Fault::NotYetValid { from }]);
    // The root's own certificate has another number.
    let other = check(&answer, &root, &root, Timestamp::now()).faults;
    assert_eq!(other, [Fault::AnotherCertificate]);
    let stranger = sample::root("Old Root");
    let found = check(&answer, &leaf, stranger.der(), Timestamp::now()).faults;
    assert_eq!(found[0], Fault::AnotherCertificate);
}

#[test]
fn a_refusal_is_named() {
    let root = sample::root("Site Root");
    let leaf = sample::leaf(&root, &["ibs01.example.com"]);
    let of = |answer: &[u8]| check(answer, &leaf, root.der(), Timestamp::UNIX_EPOCH).faults;
    assert_eq!(of(&[0x30, 3, 10, 1, 6]), [Fault::Refused("unauthorized")]);
    assert_eq!(of(&[0x30, 3, 10, 1, 3]), [Fault::Refused("try-later")]);
    for rubbish in [
        &b""[..],
        b"<html>",
        &[0x30, 3, 10, 1, 0],
        &[0x30, 3, 10, 1, 99],
    ] {
        assert_eq!(of(rubbish), [Fault::NotAnAnswer]);
    }
}

#[test]
fn the_question_stands_in_the_address_after_the_responders_own_path() {
    let at = |text| {
        let base = Url::parse(text).expect("an address");
        address(&base, &[0xfb, 0xff, 0xfe, 0]).to_string()
    };
    assert_eq!(at("http://o"), "http://o/%2B%2F%2F%2BAA%3D%3D");
    assert_eq!(at("http://o/ocsp/"), "http://o/ocsp/%2B%2F%2F%2BAA%3D%3D");
}

/// An answer of openssl for a leaf, made once.
fn recorded() -> &'static (Vec<u8>, CertificateDer<'static>, CertificateDer<'static>) {
    static RECORDED: std::sync::OnceLock<(
        Vec<u8>,
        CertificateDer<'static>,
        CertificateDer<'static>,
    )> = std::sync::OnceLock::new();
    RECORDED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path();
        openssl_authority(here, None);
        openssl(
            here,
            "ocsp -issuer root.pem -cert leaf.pem -no_nonce -reqout question.der",
        );
        openssl(
            here,
            "ocsp -index index.txt -rsigner root.pem -rkey root.key -CA root.pem -reqin \
             question.der -respout answer.der",
        );
        let (leaf, root) = (read_pem(here, "leaf.pem"), read_pem(here, "root.pem"));
        // Both ask the same, byte by byte.
        let asked = fs::read(here.join("question.der")).expect("a question");
        assert_eq!(question(&leaf, &root), Some(asked));
        (
            fs::read(here.join("answer.der")).expect("an answer"),
            leaf,
            root,
        )
    })
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(answer: Vec<u8>, certificate: Vec<u8>) {
        let (_, leaf, root) = recorded();
        let _ = check(&answer, leaf, root, Timestamp::now());
        let _ = check(&answer, &certificate, root, Timestamp::now());
        let _ = question(&certificate, &answer);
    }

    #[test]
    fn a_damaged_answer_is_read_without_panic(at: proptest::sample::Index, with in 1_u8..) {
        let (answer, leaf, root) = recorded();
        let mut answer = answer.clone();
        let at = at.index(answer.len());
        answer[at] ^= with;
        let _ = check(&answer, leaf, root, Timestamp::now());
    }
}
