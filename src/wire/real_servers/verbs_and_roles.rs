//! Verbs, headers and roles at nginx, alone and behind real devices: what is found, and what really arrived.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;

use super::{Server, connect, nginx};
use crate::product::{CONFIGMGR_2007, Catalogue, Fingerprint, Header, Need, Role, Verb};
use crate::wire::web::http::answer::Reading;
use crate::wire::web::http::authority::Authority;
use crate::wire::web::http::conversation::ask_each;
use crate::wire::web::http::finding::{Direction, Finding, Refusal, Refuser};
use crate::wire::web::http::page::Nowhere;
use crate::wire::web::http::pass_through::Passage;
use crate::wire::web::http::request::{Identity, NOWHERE, Request};
use crate::wire::web::http::role::{RoleSeen, Unproved, role_seen};
use crate::wire::web::http::{echo, headers, multipart, role, verbs};

const LIMIT: Duration = Duration::from_secs(3);
/// The verb filter of a device that knows only the web.
const WEB_ONLY: &str = "unless { method GET HEAD POST OPTIONS }";

fn catalogue() -> Catalogue {
    Catalogue::parse(CONFIGMGR_2007).expect("no findings")
}

fn verbs_of(role: Role) -> Vec<Verb> {
    let catalogue = catalogue();
    let passes = catalogue.passes.iter().filter(|passes| passes.role == role);
    passes.flat_map(|passes| passes.verbs.clone()).collect()
}

fn headers_of(role: Role) -> Vec<Header> {
    let catalogue = catalogue();
    let passes = catalogue.passes.iter().filter(|passes| passes.role == role);
    let required = passes.filter(|passes| passes.need == Need::Required);
    required.flat_map(|passes| passes.headers.clone()).collect()
}

async fn ask(at: SocketAddr, requests: &[Request], limit: Duration) -> Vec<Reading> {
    let to = Authority::new("mp.example.com", at.port()).expect("a host");
    ask_each(|| connect(at), &to, requests, limit).await
}

async fn ask_verbs(
    at: SocketAddr,
    role: Role,
    identity: Identity,
    limit: Duration,
) -> verbs::Readings {
    let known = verbs_of(role);
    let answers = ask(at, &verbs::requests(&known, identity), limit).await;
    verbs::Readings::of(&known, identity, answers)
}

/// What a role is held against, where this is the page for nowhere.
fn measure(page: Reading) -> role::Measure {
    let nowhere = Nowhere { page, other: None };
    role::Measure {
        root: 200,
        may_get_more: true,
        nowhere,
    }
}

async fn ask_role(at: SocketAddr, role: Role) -> RoleSeen {
    let catalogue = catalogue();
    let of_role = |fingerprint: &&Fingerprint| fingerprint.role == role;
    let known = catalogue.fingerprints.iter().filter(of_role);
    let known: Vec<_> = known.flat_map(|it| it.on_drives(&[])).collect();
    let known: Vec<_> = known.iter().collect();
    let measured = [Request::nowhere(Verb::Get)].into_iter();
    let requests: Vec<_> = measured.chain(role::requests(&known)).collect();
    let mut answers = ask(at, &requests, LIMIT).await;
    role_seen(&measure(answers.remove(0)), &known, &answers)
}

/// A server that answers every verb, as a role's own handler does.
fn any_verb() -> Server {
    nginx("location / { return 404 none; }")
}

/// The verbs that a device blocked, and how and by whom.
fn blocked(findings: &[Finding]) -> Vec<(Verb, &Refusal, &Refuser)> {
    let blocked = findings.iter().filter_map(|finding| match finding {
        Finding::VerbBlocked { verb, how, by } => Some((*verb, how, by)),
        _ => None,
    });
    blocked.collect()
}

/// The verbs that the web filters above do not know.
const UNKNOWN_TO_THE_WEB: [Verb; 3] = [Verb::CcmPost, Verb::BitsPost, Verb::Propfind];

// ---- verbs

#[tokio::test]
async fn every_verb_passes_where_nothing_filters_and_none_brings_a_body() {
    let nginx = any_verb();
    let readings = ask_verbs(nginx.at, Role::ManagementPoint, Identity::Nobody, LIMIT).await;
    assert_eq!(verbs::verbs(&readings), []);
    let verbs::VerbsSeen(seen) = verbs::seen(&readings);
    let passed = seen.iter().map(|(verb, passage)| {
        assert_eq!(*passage, Passage::Passed { status: 404 }, "{verb}");
        *verb
    });
    assert_eq!(passed.count(), 6);
    let expected: Vec<String> = [
        "GET",
        "HEAD",
        "CCM_POST",
        "BITS_POST",
        "PROPFIND",
        "POST",
        "GET",
    ]
    .iter()
    .map(|verb| {
        let body = if ["GET", "HEAD"].contains(verb) {
            "-"
        } else {
            "0"
        };
        format!("{verb} {NOWHERE} {body}")
    })
    .collect();
    assert_eq!(nginx.logged(expected.len()), expected);
}

#[tokio::test]
async fn under_a_clients_name_only_get_and_head_arrive() {
    let nginx = any_verb();
    ask_verbs(nginx.at, Role::ManagementPoint, Identity::Client, LIMIT).await;
    let expected = ["GET", "HEAD", "GET"].map(|verb| format!("{verb} {NOWHERE} -"));
    assert_eq!(nginx.logged(3), expected);
}

#[tokio::test]
async fn a_device_that_denies_verbs_is_named_with_each_of_them() {
    let nginx = any_verb();
    let device = Server::haproxy(
        &format!(" http-request deny deny_status 405 {WEB_ONLY}"),
        nginx.at,
    );
    let readings = ask_verbs(device.at, Role::ManagementPoint, Identity::Nobody, LIMIT).await;
    let findings = verbs::verbs(&readings);
    let blocked = blocked(&findings);
    assert_eq!(
        blocked.iter().map(|(verb, ..)| *verb).collect::<Vec<_>>(),
        UNKNOWN_TO_THE_WEB
    );
    for (_, how, by) in blocked {
        assert_eq!(*how, Refusal::Status(405));
        assert!(matches!(by, Refuser::Device(_)), "{by:?}");
    }
    assert!(
        findings[0].words().contains("Server: none here, nginx/"),
        "{}",
        findings[0].words()
    );
    // What was denied did not arrive; the server saw the rest.
    let arrived: Vec<_> = nginx
        .logged(4)
        .iter()
        .map(|line| line.split(' ').next().unwrap_or_default().to_string())
        .collect();
    assert_eq!(arrived, ["GET", "HEAD", "POST", "GET"]);
}

#[tokio::test]
async fn a_device_that_hangs_up_or_drops_is_the_likelier_one() {
    let nginx = any_verb();
    for (action, how) in [
        ("reject", Refusal::Closed),
        ("silent-drop", Refusal::Silent),
    ] {
        let device = Server::haproxy(&format!(" http-request {action} {WEB_ONLY}"), nginx.at);
        let limit = Duration::from_millis(500);
        let readings = ask_verbs(device.at, Role::DistributionPoint, Identity::Nobody, limit).await;
        let findings = verbs::verbs(&readings);
        assert_eq!(
            blocked(&findings),
            [(Verb::Propfind, &how, &Refuser::DeviceLikely)],
            "{action}"
        );
    }
}

#[tokio::test]
async fn a_servers_own_405_is_not_laid_to_a_device() {
    let nginx = nginx("root /nonexistent;");
    let readings = ask_verbs(nginx.at, Role::DistributionPoint, Identity::Nobody, LIMIT).await;
    let findings = verbs::verbs(&readings);
    let refusal = Refusal::Status(405);
    assert_eq!(
        blocked(&findings),
        [(Verb::Propfind, &refusal, &Refuser::Either)]
    );
    assert!(findings[0].words().contains("looks like the server's own"));
}

#[tokio::test]
async fn a_reverse_proxy_that_announces_itself_is_named_and_passes_all_verbs() {
    let nginx = any_verb();
    let peer = format!(
        "cache_peer 127.0.0.1 parent {} 0 no-query originserver",
        nginx.at.port()
    );
    let squid = Server::squid(&format!(
        "http_port {{at}} accel defaultsite=mp.example.com no-vhost\n{peer}\nhttp_access allow all"
    ));
    let readings = ask_verbs(squid.at, Role::ManagementPoint, Identity::Nobody, LIMIT).await;
    let findings = verbs::verbs(&readings);
    let [Finding::Announced { via }] = &findings[..] else {
        panic!("{findings:?}")
    };
    assert!(via.contains("squid01"), "{via}");
}

// ---- headers

#[tokio::test]
async fn headers_that_are_too_long_for_a_server_are_named() {
    let nginx = nginx(
        "large_client_header_buffers 1 512; client_header_buffer_size 256; location / { return 404; }",
    );
    let known = headers_of(Role::ManagementPoint);
    let answers = ask(nginx.at, &headers::requests(&known), LIMIT).await;
    let findings = headers::headers(&known, &answers);
    let named: Vec<_> = findings
        .iter()
        .map(|finding| match finding {
            Finding::HeaderBlocked { headers, how, .. } => (headers.join(" "), how.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "CCMClientIDSignature",
        "CCMClientTimestampsSignature",
        "CCMClientTimestampSignature",
    ];
    assert_eq!(
        named,
        expected.map(|name| (name.to_string(), Refusal::Status(400)))
    );
    let roomy = any_verb();
    let answers = ask(roomy.at, &headers::requests(&known), LIMIT).await;
    assert_eq!(headers::headers(&known, &answers), []);
    let logged = roomy.logged(answers.len());
    assert!(
        logged
            .iter()
            .all(|line| *line == format!("GET {NOWHERE} -")),
        "{logged:?}"
    );
}

#[tokio::test]
async fn a_range_that_a_device_takes_out_is_a_lost_header() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "0123456789").expect("written");
    let nginx = nginx(&format!("root {};", folder.path().display()));
    let device = Server::haproxy(" http-request del-header Range", nginx.at);
    for (at, expected) in [
        (nginx.at, vec![]),
        (
            device.at,
            vec![Finding::HeaderLost {
                header: "Range".to_string(),
            }],
        ),
    ] {
        let answers = ask(at, &headers::download_requests("/file"), LIMIT).await;
        let [head, ranged] = &answers[..] else {
            panic!("{answers:?}")
        };
        let both = head.answer().zip(ranged.answer()).expect("answers");
        assert_eq!(headers::download(both.0, both.1), expected);
    }
}

/// A stand-in of this program: it says what arrived, and whether a multipart body was whole.
async fn stand_in() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while let Ok(1..) = stream.read_buf(&mut bytes).await {
                    let Some(length) = echo::head_length(&bytes) else {
                        continue;
                    };
                    let rest = &bytes[length..];
                    if rest.is_empty() || multipart::parts(rest).is_some() {
                        let _ = stream.write_all(&echo::answer(&bytes[..length])).await;
                        bytes.clear();
                    }
                }
            });
        }
    });
    at
}

async fn changes(at: SocketAddr, request: Request) -> Vec<Finding> {
    let answers = ask(at, std::slice::from_ref(&request), LIMIT).await;
    let answer = answers[0].answer().unwrap_or_else(|| panic!("{answers:?}"));
    echo::changes(&request, &echo::received(answer).expect("an echo"))
}

#[tokio::test]
async fn what_devices_take_out_and_change_is_told_by_the_far_end() {
    let far = stand_in().await;
    let request = || {
        let known = headers_of(Role::ManagementPoint);
        known
            .iter()
            .fold(Request::nowhere(Verb::CcmPost), |request, header| {
                request.with(&header.name, &header.value)
            })
    };
    assert_eq!(changes(far, request()).await, []);
    let stripping = Server::haproxy(
        " http-request del-header CCMClientIDSignature\n http-request set-header CCMClientID other",
        far,
    );
    let lost = "CCMClientIDSignature".to_string();
    let found = changes(stripping.at, request()).await;
    assert!(
        found.contains(&Finding::HeaderLost { header: lost }),
        "{found:?}"
    );
    let rewritten = Finding::HeaderRewritten {
        header: "CCMClientID".to_string(),
        arrived: "other".to_string(),
    };
    assert!(found.contains(&rewritten) && found.len() == 2, "{found:?}");
    // nginx speaks HTTP/1.0 to what is behind it unless told otherwise.
    let older = nginx(&format!("location / {{ proxy_pass http://{far}; }}"));
    let found = changes(older.at, request()).await;
    assert_eq!(found, [Finding::Downgraded(Direction::Request)]);
}

#[tokio::test]
async fn a_multipart_body_arrives_whole_at_a_stand_in() {
    let far = stand_in().await;
    let device = Server::haproxy("", far);
    let part = multipart::Part {
        content_type: "text/plain; charset=UTF-16".to_string(),
        bytes: vec![b'x'; 3_000],
    };
    let request = Request::to_stand_in(Verb::CcmPost, &[part]);
    assert_eq!(changes(device.at, request).await, []);
}

// ---- roles

#[tokio::test]
async fn roles_prove_themselves_by_reading_alone() {
    let cab = tempfile::tempdir().expect("a folder");
    fs::create_dir(cab.path().join("SelfUpdate")).expect("a folder");
    fs::write(cab.path().join("SelfUpdate/wuident.cab"), b"MSCF\0\0").expect("written");
    let nginx = nginx(&format!(
        "location /SMS_MP/ {{ return 200 '<MPList><MP Name=\"MP01\"/></MPList>'; }}
         location '/SMS_DP_SMSPKG$/' {{ return 403; }}
         location /SelfUpdate/ {{ root {}; }}
         location /ClientWebService/ {{ return 403; }}
         location / {{ return 404; }}",
        cab.path().display()
    ));
    for role in [
        Role::ManagementPoint,
        Role::DistributionPoint,
        Role::SoftwareUpdatePoint,
    ] {
        let seen = ask_role(nginx.at, role).await;
        assert!(matches!(seen, RoleSeen::Proved(_)), "{role}: {seen:?}");
    }
    let fsp = ask_role(nginx.at, Role::FallbackStatusPoint).await;
    assert!(matches!(fsp, RoleSeen::Reached(_)), "{fsp:?}");
    let logged = nginx.logged(17);
    let read_only = |line: &String| {
        (line.starts_with("GET ") || line.starts_with("HEAD ")) && line.ends_with(" -")
    };
    assert!(
        logged.len() == 17 && logged.iter().all(read_only),
        "{logged:?}"
    );
    assert_eq!(logged[1], "GET /SMS_MP/.sms_aut?MPLIST -");
}

#[tokio::test]
async fn another_web_server_is_the_wrong_role() {
    let seen = ask_role(any_verb().at, Role::ManagementPoint).await;
    assert!(matches!(seen, RoleSeen::WrongRole(_)), "{seen:?}");
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_is_alive_and_not_proved() {
    let key = rcgen::KeyPair::generate().expect("a key");
    let names = vec!["mp.example.com".to_string()];
    let certificate = rcgen::CertificateParams::new(names)
        .expect("a name")
        .self_signed(&key)
        .expect("signed");
    let folder = tempfile::tempdir().expect("a folder");
    let (pem, ca) = (folder.path().join("both.pem"), folder.path().join("ca.pem"));
    fs::write(&pem, certificate.pem() + &key.serialize_pem()).expect("written");
    fs::write(&ca, certificate.pem()).expect("written");
    let nginx = any_verb();
    let tls = super::free();
    let device = Server::haproxy(
        &format!(
            " bind {tls} ssl crt {} verify required ca-file {}",
            pem.display(),
            ca.display()
        ),
        nginx.at,
    );
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let over_tls = || async {
        let name = rustls::pki_types::ServerName::try_from("mp.example.com").expect("a name");
        connector.connect(name, connect(tls).await?).await.ok()
    };
    let to = Authority::new("mp.example.com", tls.port()).expect("a host");
    let catalogue = catalogue();
    let of_role = |fingerprint: &&Fingerprint| fingerprint.role == Role::ManagementPoint;
    let known: Vec<_> = catalogue.fingerprints.iter().filter(of_role).collect();
    let measured = [Request::nowhere(Verb::Get)].into_iter();
    let requests: Vec<_> = measured.chain(role::requests(&known)).collect();
    let mut answers = ask_each(over_tls, &to, &requests, LIMIT).await;
    assert!(
        answers
            .iter()
            .all(|reading| matches!(reading, Reading::Alert(_))),
        "{answers:?}"
    );
    let seen = role_seen(&measure(answers.remove(0)), &known, &answers);
    assert!(
        matches!(
            seen,
            RoleSeen::AliveUnproved {
                why: Unproved::HungUp,
                ..
            }
        ),
        "{seen:?}"
    );
    drop(device);
}
