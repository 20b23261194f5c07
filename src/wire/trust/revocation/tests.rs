//! Lists made by rcgen and by `openssl ca`, served by nginx and by small servers on loopback.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rcgen::{
    CertificateRevocationListParams, CrlIssuingDistributionPoint, CrlScope, KeyIdMethod,
    RevocationReason, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::LARGEST_LIST;
use super::answer::Broken;
use super::fetch::{Fetched, NotConnected, NotFetched, Way, fetch};
use super::list::{Checked, Fault, check};
use super::pointers::pointers;
use crate::wire::tls::servers::ends::EndsWithTest;
use crate::wire::tls::servers::free_port;
use crate::wire::trust::certificate::sample::{self, Issuer, openssl};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn now() -> Timestamp {
    time("2026-06-15T00:00:00Z")
}

/// A list of June 2026 that revokes these serial numbers.
fn params(revoked: &[&[u8]]) -> CertificateRevocationListParams {
    let revoked = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: rcgen::date_time_ymd(2026, 5, 1),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    });
    CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2026, 6, 1),
        next_update: rcgen::date_time_ymd(2026, 7, 1),
        crl_number: SerialNumber::from(7),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

fn signed(params: CertificateRevocationListParams, issuer: &Issuer) -> Vec<u8> {
    params.signed_by(issuer).expect("signed").der().to_vec()
}

/// A leaf with serial number 0x1234 and its issuer.
fn leaf() -> (CertificateDer<'static>, Issuer) {
    let root = sample::root("Site Root");
    let mut params = sample::server(&["ibs01.example.com"]);
    params.serial_number = Some(SerialNumber::from_slice(&[0x12, 0x34]));
    (sample::signed(&params, &root), root)
}

fn faults(list: &[u8], leaf: &[u8], issuer: &Issuer) -> Vec<Fault> {
    check(list, leaf, &[issuer.der().clone()], now()).faults
}

#[test]
fn a_good_list_has_no_fault() {
    let (leaf, root) = leaf();
    let list = signed(params(&[&[0x12, 0x33], &[0x12, 0x35]]), &root);
    let checked = check(&list, &leaf, &[root.der().clone()], now());
    assert_eq!(checked.faults, []);
    let facts = checked.facts.expect("a list");
    assert_eq!(facts.issuer, "CN=Site Root");
    assert_eq!(facts.this_update, Some(time("2026-06-01T00:00:00Z")));
    assert_eq!(facts.next_update, Some(time("2026-07-01T00:00:00Z")));
    assert_eq!((facts.entries, facts.bytes), (2, list.len()));
    assert!(!facts.delta && !facts.pem);
}

#[test]
fn a_revoked_certificate_is_found_with_reason_and_time() {
    let (leaf, root) = leaf();
    let list = signed(params(&[&[0x12, 0x33], &[0x12, 0x34]]), &root);
    let revoked = Fault::Revoked {
        since: Some(time("2026-05-01T00:00:00Z")),
        reason: Some("key-compromise"),
    };
    assert_eq!(faults(&list, &leaf, &root), [revoked]);
}

#[test]
fn a_list_has_its_time() {
    let (leaf, root) = leaf();
    let list = signed(params(&[]), &root);
    let at = |now| check(&list, &leaf, &[root.der().clone()], time(now)).faults;
    let since = time("2026-07-01T00:00:00Z");
    assert_eq!(at("2026-07-01T00:00:01Z"), [Fault::Expired { since }]);
    let from = time("2026-06-01T00:00:00Z");
    assert_eq!(at("2026-05-31T23:59:59Z"), [Fault::NotYetValid { from }]);
}

#[test]
fn another_issuer_another_key_and_a_bad_signature_are_told_apart() {
    let (leaf, root) = leaf();
    let list = signed(params(&[]), &sample::root("Another Root"));
    let issuer = "CN=Another Root".to_string();
    assert_eq!(faults(&list, &leaf, &root), [Fault::WrongIssuer { issuer }]);
    // The authority's renewed key: the list names a key that the known certificate does not hold.
    let list = signed(params(&[]), &sample::root("Site Root"));
    assert_eq!(faults(&list, &leaf, &root), [Fault::AnotherKey]);
    let mut list = signed(params(&[]), &root);
    let last = list.len() - 1;
    list[last] ^= 1;
    assert_eq!(faults(&list, &leaf, &root), [Fault::BadSignature]);
    let list = signed(params(&[]), &root);
    assert_eq!(check(&list, &leaf, &[], now()).faults, [Fault::Unverified]);
}

#[test]
fn all_faults_come_at_once_the_worst_first() {
    let (leaf, root) = leaf();
    let list = signed(params(&[&[0x12, 0x34]]), &sample::root("Another Root"));
    let late = time("2026-08-01T00:00:00Z");
    let found = check(&list, &leaf, &[root.der().clone()], late).faults;
    assert!(matches!(
        found[..],
        [
            Fault::WrongIssuer { .. },
            Fault::Revoked { .. },
            Fault::Expired { .. }
        ]
    ));
}

#[test]
fn a_list_of_authorities_only_does_not_speak_of_a_leaf() {
    let (leaf, root) = leaf();
    let scoped = |scope| {
        let mut params = params(&[]);
        params.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
            distribution_point: rcgen::CrlDistributionPoint {
                uris: vec!["http://pki.example.com/ca.crl".to_string()],
            },
            scope: Some(scope),
        });
        faults(&signed(params, &root), &leaf, &root)
    };
    assert_eq!(scoped(CrlScope::UserCertsOnly), []);
    assert_eq!(scoped(CrlScope::CaCertsOnly), [Fault::OutOfScope]);
}

#[test]
fn a_list_of_another_distribution_point_is_not_the_certificates() {
    let root = sample::root("Site Root");
    let of = |named: &[&str], point: &str| {
        let mut certificate = sample::server(&["ibs01.example.com"]);
        let uris = named.iter().map(ToString::to_string).collect();
        if !named.is_empty() {
            certificate.crl_distribution_points = vec![rcgen::CrlDistributionPoint { uris }];
        }
        let leaf = sample::signed(&certificate, &root);
        let mut params = params(&[]);
        params.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
            distribution_point: rcgen::CrlDistributionPoint {
                uris: vec![point.to_string()],
            },
            scope: None,
        });
        check(&signed(params, &root), &leaf, &[root.der().clone()], now()).faults
    };
    let own = "http://pki.example.com/1.crl";
    assert_eq!(of(&[own], own), []);
    assert_eq!(of(&["http://PKI.example.com/1.crl"], own), []);
    assert_eq!(of(&["ldap:///CN=1", own], own), []);
    assert_eq!(
        of(&["http://pki.example.com/2.crl"], own),
        [Fault::AnotherPoint]
    );
    assert_eq!(of(&[], own), [], "the site file names the list");
}

#[test]
fn what_is_no_list_is_told() {
    let (leaf, root) = leaf();
    for bytes in [
        &b""[..],
        b"<html>404</html>",
        &leaf,
        &signed(params(&[&[1]]), &root)[..100],
    ] {
        let checked = check(bytes, &leaf, &[], now());
        assert_eq!(checked.faults, [Fault::NotAList]);
        assert_eq!(checked.facts, None);
    }
    let large = vec![0x30; LARGEST_LIST + 1];
    assert_eq!(faults(&large, &leaf, &root), [Fault::TooLarge]);
}

#[test]
fn a_list_of_many_entries_is_walked_in_little_time() {
    let (leaf, root) = leaf();
    let serials: Vec<[u8; 3]> = (0_u32..200_000)
        .map(|number| [(number >> 16) as u8, (number >> 8) as u8, number as u8])
        .map(|[high, middle, low]| [high + 1, middle, low])
        .collect();
    let serials: Vec<&[u8]> = serials.iter().map(|serial| &serial[..]).collect();
    let list = signed(params(&serials), &root);
    assert!(list.len() > 6_000_000);
    let begun = Instant::now();
    let checked = check(&list, &leaf, &[root.der().clone()], now());
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(checked.faults, []);
    assert_eq!(checked.facts.expect("a list").entries, 200_000);
}

/// The settings of an authority of `openssl ca`, of the age of the product: SHA-1.
const AUTHORITY: &str = "
[ca]
default_ca = site
[site]
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
certificate = root.pem
private_key = root.key
default_md = sha1
default_days = 365
default_crl_days = 30
policy = any
x509_extensions = leaf
crl_extensions = list
[any]
commonName = supplied
[leaf]
subjectAltName = DNS:ibs01.example.com
crlDistributionPoints = URI:http://pki.example.com/ca.crl
freshestCRL = URI:http://pki.example.com/ca+.crl
authorityInfoAccess = OCSP;URI:http://ocsp.example.com/
[list]
authorityKeyIdentifier = keyid
freshestCRL = URI:http://pki.example.com/ca+.crl
[delta]
2.5.29.27 = critical,ASN1:INTEGER:1
";

/// An authority `root.pem` in a folder, its list `list.der` (and `list.pem`), and a leaf `leaf.pem`, revoked for the
/// reason that is given.
pub(super) fn openssl_authority(folder: &Path, revoked: Option<&str>) {
    fs::write(folder.join("ca.cnf"), AUTHORITY).expect("written");
    fs::write(folder.join("index.txt"), "").expect("written");
    fs::write(folder.join("serial"), "1000").expect("written");
    fs::write(folder.join("crlnumber"), "01").expect("written");
    sample::openssl_root(folder, "Old Root", 2_048, "sha1");
    openssl(
        folder,
        "req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=ibs01 -out leaf.csr",
    );
    openssl(
        folder,
        "ca -config ca.cnf -batch -notext -in leaf.csr -out leaf.pem",
    );
    if let Some(reason) = revoked {
        openssl(
            folder,
            &format!("ca -config ca.cnf -revoke leaf.pem -crl_reason {reason}"),
        );
    }
    openssl(folder, "ca -config ca.cnf -gencrl -out list.pem");
    openssl(folder, "crl -in list.pem -outform DER -out list.der");
}

/// What a list made by openssl is worth for `leaf.pem`.
fn of_openssl(folder: &Path, list: &str) -> Checked {
    let read = |file| CertificateDer::from_pem_file(folder.join(file)).expect("a certificate");
    let list = fs::read(folder.join(list)).expect("a list");
    check(
        &list,
        &read("leaf.pem"),
        &[read("root.pem")],
        Timestamp::now(),
    )
}

#[test]
fn lists_of_openssl_with_sha1_are_verified_as_der_and_as_pem() {
    let folder = tempfile::tempdir().expect("a folder");
    openssl_authority(folder.path(), None);
    for (file, pem) in [("list.der", false), ("list.pem", true)] {
        let checked = of_openssl(folder.path(), file);
        assert_eq!(checked.faults, [], "{file}");
        let facts = checked.facts.expect("a list");
        assert_eq!((facts.pem, facts.entries), (pem, 0));
        let delta = &facts.deltas[0];
        assert_eq!(delta.url, "http://pki.example.com/ca+.crl");
    }
    let leaf = CertificateDer::from_pem_file(folder.path().join("leaf.pem")).expect("a leaf");
    let found = pointers(&leaf).expect("a certificate");
    assert_eq!(found.lists[0].url, "http://pki.example.com/ca.crl");
    assert_eq!(found.deltas[0].url, "http://pki.example.com/ca+.crl");
    assert_eq!(found.responders[0].url, "http://ocsp.example.com/");
}

#[test]
fn a_certificate_that_openssl_revoked_is_found() {
    for (reason, word) in [
        ("superseded", "superseded"),
        ("keyCompromise", "key-compromise"),
        ("certificateHold", "certificate-hold"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        openssl_authority(folder.path(), Some(reason));
        let checked = of_openssl(folder.path(), "list.der");
        let [Fault::Revoked { since, reason }] = checked.faults[..] else {
            panic!("{checked:?}")
        };
        assert!(since.is_some());
        assert_eq!(reason, Some(word));
    }
}

#[test]
fn a_list_of_changes_is_not_enough_by_itself_and_takes_revocations_back() {
    let folder = tempfile::tempdir().expect("a folder");
    openssl_authority(folder.path(), Some("removeFromCRL"));
    openssl(
        folder.path(),
        "ca -config ca.cnf -gencrl -crlexts delta -out delta.pem",
    );
    let checked = of_openssl(folder.path(), "delta.pem");
    assert_eq!(checked.faults, [Fault::DeltaOnly]);
    let facts = checked.facts.expect("a list");
    assert!(facts.delta);
    assert_eq!(facts.entries, 1);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(list: Vec<u8>, certificate: Vec<u8>) {
        let (leaf, root) = leaf();
        let _ = check(&list, &certificate, &[], now());
        let _ = check(&list, &leaf, &[root.der().clone()], now());
    }

    #[test]
    fn a_damaged_list_is_never_good(at: proptest::sample::Index, with in 1_u8..) {
        let (leaf, root) = leaf();
        let mut list = signed(params(&[&[0x12, 0x33]]), &root);
        let at = at.index(list.len());
        list[at] ^= with;
        let found = faults(&list, &leaf, &root);
        proptest::prop_assert!(!found.is_empty(), "byte {at} of {} became {:x}: {list:x?}", list.len(), list[at]);
    }
}

/// nginx with the files of a folder, and a few redirects.
async fn nginx(folder: &Path) -> (EndsWithTest, SocketAddr) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let here = folder.display();
    let user = match nix::unistd::geteuid().is_root() {
        true => "user root;",
        false => "",
    };
    let text = format!(
        "daemon off; {user} pid {here}/nginx.pid; error_log {here}/error.log; events {{}}\nhttp {{ access_log {here}/access.log; client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;
server {{ listen {address}; absolute_redirect off; root {here}; types {{ application/pkix-crl crl; }}
location /moved {{ return 301 /list.crl; }} location /loop {{ return 302 /loop; }}
location /away {{ return 302 http://elsewhere.example/list.crl; }} location /secure {{ return 301 https://$host/list.crl; }} }} }}"
    );
    fs::write(folder.join("nginx.conf"), text).expect("written");
    let started = Command::new("nginx")
        .arg("-c")
        .arg(folder.join("nginx.conf"))
        .stderr(Stdio::null())
        .spawn();
    let server = EndsWithTest(started.expect("nginx is needed: scripts/test installs it"));
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).await.is_err() {
        assert!(Instant::now() < deadline, "nginx did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (server, address)
}

/// Fetches from one address whatever the host's name is, as a caller with names of its own would.
async fn get(at: SocketAddr, path: &str, limit: Duration) -> Result<Fetched, NotFetched> {
    let url = Url::parse(&format!("http://pki.example.com{path}")).expect("an address");
    let connect = async move |host: String, port: u16| {
        assert_eq!((host.as_str(), port), ("pki.example.com", 80));
        TcpStream::connect(at)
            .await
            .map_err(|_| NotConnected::Closed)
    };
    let allows = |host: &str, port: u16| host == "pki.example.com" && port == 80;
    // As a task: what is fetched must be able to go from thread to thread.
    let task = tokio::spawn(async move {
        fetch(&url, LARGEST_LIST, &Way::Straight, connect, allows, limit).await
    });
    task.await.expect("no panic")
}

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn lists_are_fetched_from_a_real_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let (leaf, root) = leaf();
    let revoked = signed(params(&[&[0x12, 0x34]]), &root);
    fs::write(folder.path().join("list.crl"), signed(params(&[]), &root)).expect("written");
    fs::write(folder.path().join("revoked.crl"), revoked).expect("written");
    let expired = CertificateRevocationListParams {
        next_update: rcgen::date_time_ymd(2026, 6, 2),
        ..params(&[])
    };
    fs::write(folder.path().join("expired.crl"), signed(expired, &root)).expect("written");
    let strange = signed(params(&[]), &sample::root("Another Root"));
    fs::write(folder.path().join("strange.crl"), strange).expect("written");
    let large = vec![0x30; LARGEST_LIST + 1];
    fs::write(folder.path().join("large.crl"), large).expect("written");
    let (_nginx, at) = nginx(folder.path()).await;

    let worth = async |path: &str| {
        let fetched = get(at, path, LIMIT).await.expect("fetched");
        assert_eq!(
            fetched.content_type.as_deref(),
            Some("application/pkix-crl")
        );
        (faults(&fetched.body, &leaf, &root), fetched.asked.len())
    };
    assert_eq!(worth("/list.crl").await, (vec![], 1));
    assert_eq!(worth("/moved").await, (vec![], 2));
    let (found, _) = worth("/revoked.crl").await;
    assert!(matches!(found[..], [Fault::Revoked { .. }]));
    let (found, _) = worth("/expired.crl").await;
    assert!(matches!(found[..], [Fault::Expired { .. }]));
    let (found, _) = worth("/strange.crl").await;
    assert!(matches!(found[..], [Fault::WrongIssuer { .. }]));

    let failed = async |path: &str| get(at, path, LIMIT).await.expect_err("nothing");
    assert_eq!(failed("/none.crl").await, NotFetched::Status(404));
    assert_eq!(failed("/loop").await, NotFetched::TooManyRedirects);
    let to = "http://elsewhere.example/list.crl".to_string();
    assert_eq!(failed("/away").await, NotFetched::Elsewhere { to });
    let to = "https://pki.example.com/list.crl".to_string();
    assert_eq!(failed("/secure").await, NotFetched::Elsewhere { to });
    let too_large = NotFetched::Broken(Broken::TooLarge);
    assert_eq!(failed("/large.crl").await, too_large);

    let log = fs::read_to_string(folder.path().join("access.log")).expect("a log");
    // Each redirect was followed as often as told, and no more.
    assert_eq!(log.matches("/loop").count(), 4);
    assert!(log.lines().all(|line| line.contains("portproof/")), "{log}");
}

/// A server that says something to whoever asks, again and again where told so.
async fn speaker(said: &'static [u8], again: Option<&'static [u8]>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let _ = stream.read(&mut [0; 1_024]).await;
        let _ = stream.write_all(said).await;
        while let Some(again) = again
            && stream.write_all(again).await.is_ok()
        {
            tokio::task::yield_now().await;
        }
    });
    address
}

#[tokio::test]
async fn an_endless_answer_is_given_up() {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    let at = speaker(b"HTTP/1.1 200 OK\r\n\r\n", Some(&ZEROS)).await;
    assert_eq!(
        get(at, "/", LIMIT).await,
        Err(NotFetched::Broken(Broken::TooLarge))
    );
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let at = speaker(chunks, Some(b"1\r\nx\r\n")).await;
    let slow = get(at, "/", Duration::from_millis(300)).await;
    assert!(matches!(slow, Err(NotFetched::TooSlow { bytes }) if bytes > 0));
    let at = speaker(b"", Some(b"HTTP/1.1 100 Continue\r\n\r\n")).await;
    let slow = get(at, "/", Duration::from_millis(300)).await;
    assert!(matches!(slow, Err(NotFetched::TooSlow { bytes }) if bytes > 0));
}

#[tokio::test]
async fn servers_that_say_nothing_or_rubbish_are_told_apart() {
    for (said, broken) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], Broken::NotHttp),
        (b"", Broken::HungUp),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nlist",
            Broken::CutShort,
        ),
    ] {
        let at = speaker(said, None).await;
        assert_eq!(get(at, "/", LIMIT).await, Err(NotFetched::Broken(broken)));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let mute = listener.local_addr().expect("an address");
    let seen = get(mute, "/", Duration::from_millis(200)).await;
    assert_eq!(seen, Err(NotFetched::Mute));
    // Bound and never listening: nobody else can take the port meanwhile.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .expect("loopback");
    let closed = held.local_addr().expect("an address");
    let unreachable = NotFetched::Unreachable {
        host: "pki.example.com".to_string(),
        port: 80,
        why: NotConnected::Closed,
    };
    assert_eq!(get(closed, "/", LIMIT).await, Err(unreachable));
}

#[tokio::test]
async fn a_reset_is_not_taken_for_the_end_of_a_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhalf a li").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        socket2::SockRef::from(&stream)
            .set_linger(Some(Duration::ZERO))
            .expect("set");
    });
    assert_eq!(
        get(at, "/", LIMIT).await,
        Err(NotFetched::Broken(Broken::CutShort))
    );
}

#[tokio::test]
async fn what_the_maker_of_connections_says_is_told() {
    let url = Url::parse("http://[2001:db8::1]:8080/ca.crl").expect("an address");
    for why in [
        NotConnected::NoSuchName,
        NotConnected::Closed,
        NotConnected::Rejected,
        NotConnected::Silent,
        NotConnected::OwnTrouble,
    ] {
        let connect = async |_: String, _: u16| Err::<TcpStream, _>(why);
        let failed = fetch(
            &url,
            LARGEST_LIST,
            &Way::Straight,
            connect,
            |_, _| true,
            LIMIT,
        )
        .await;
        let (host, port) = ("2001:db8::1".to_string(), 8080);
        let unreachable = NotFetched::Unreachable { host, port, why };
        assert_eq!(failed, Err(unreachable));
    }
    let never = async |_: String, _: u16| std::future::pending().await;
    let limit = Duration::from_millis(100);
    let failed = fetch::<TcpStream>(
        &url,
        LARGEST_LIST,
        &Way::Straight,
        never,
        |_, _| true,
        limit,
    )
    .await;
    assert!(matches!(
        failed,
        Err(NotFetched::Unreachable {
            why: NotConnected::Silent,
            ..
        })
    ));
    let url = Url::parse("ldap:///CN=ca").expect("an address");
    let connect = async |_: String, _: u16| -> Result<TcpStream, NotConnected> {
        panic!("nobody may be asked")
    };
    let failed = fetch(
        &url,
        LARGEST_LIST,
        &Way::Straight,
        connect,
        |_, _| true,
        LIMIT,
    )
    .await;
    let url = "ldap:///CN=ca".to_string();
    assert_eq!(failed, Err(NotFetched::Unfit { url }));
}
