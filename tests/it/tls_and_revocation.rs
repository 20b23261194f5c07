//! TLS, client certificates, interception and revocation lists against real servers: nginx, openssl and squid.
//!
//! Everything is on loopback; only the device that intercepts stands in network namespaces of its own, which needs root.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::ends::EndsWithTest;
use crate::support::openssl_tool::openssl;
use crate::support::{ports, schemas};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use serde_json::Value;

const NAME: &str = "web.example.com";
/// A word that must stand nowhere.
const SECRET: &str = "Pa55-w0rd-of-the-client";

fn start(program: &str, arguments: &[String], folder: &Path, at: &[SocketAddr]) -> EndsWithTest {
    let output = fs::File::create(folder.join("output")).expect("a file");
    let started = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a file"))
        .stderr(output)
        .spawn();
    let server =
        EndsWithTest(started.unwrap_or_else(|error| {
            panic!("{program} is needed, scripts/test installs it: {error}")
        }));
    for at in at {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(at).is_err() {
            let said = fs::read_to_string(folder.join("output")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{program}: {said}");
            thread::sleep(Duration::from_millis(20));
        }
    }
    server
}

/// An address that nobody listens on.
fn free(last: u8) -> SocketAddr {
    ports::free(Ipv4Addr::new(127, 0, 0, last))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_string).collect()
}

/// nginx with these servers, each with its address.
fn nginx(folder: &Path, servers: &[(SocketAddr, String)]) -> EndsWithTest {
    let here = folder.display();
    let user = match nix::unistd::geteuid().is_root() {
        true => "user root;",
        false => "",
    };
    let mut text = format!(
        "daemon off; {user} pid {here}/nginx.pid; error_log {here}/error.log; events {{}}\nhttp {{ access_log off; absolute_redirect off; root {here}; client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n"
    );
    for (at, directives) in servers {
        let tls = match directives.contains("ssl_certificate") {
            true => " ssl",
            false => "",
        };
        text += &format!("server {{ listen {at}{tls}; {directives} }}\n");
    }
    fs::write(folder.join("nginx.conf"), text + "}").expect("written");
    let configuration = folder.join("nginx.conf").display().to_string();
    let at: Vec<SocketAddr> = servers.iter().map(|(at, _)| *at).collect();
    start("nginx", &["-c".to_string(), configuration], folder, &at)
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root")
}

fn leaf(lists: &[String]) -> CertificateParams {
    let mut params = CertificateParams::new(vec![NAME.to_string()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.crl_distribution_points = lists
        .iter()
        .map(|url| CrlDistributionPoint {
            uris: vec![url.clone()],
        })
        .collect();
    params
}

/// Writes `FILE.crt` and `FILE.key`; the directives of an nginx server with them come back.
fn issue(folder: &Path, file: &str, params: &CertificateParams, by: &Authority) -> String {
    let key = KeyPair::generate().expect("a key");
    let signed = params.signed_by(&key, by).expect("signed");
    fs::write(folder.join(format!("{file}.crt")), signed.pem()).expect("written");
    fs::write(folder.join(format!("{file}.key")), key.serialize_pem()).expect("written");
    let here = folder.display();
    format!(
        "ssl_certificate {here}/{file}.crt; ssl_certificate_key {here}/{file}.key; location / {{ return 200; }}"
    )
}

/// Writes a list that is due anew in a year, and revokes one serial number perhaps.
fn publish(folder: &Path, file: &str, by: &Authority, next_year: i32, revoked: Option<u64>) {
    let revoked = revoked.map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: rcgen::date_time_ymd(2026, 1, 2),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2020, 1, 1),
        next_update: rcgen::date_time_ymd(next_year, 1, 1),
        crl_number: SerialNumber::from(7),
        issuing_distribution_point: None,
        revoked_certs: revoked.into_iter().collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = params.signed_by(by).expect("signed");
    fs::write(folder.join(file), list.der().as_ref()).expect("written");
}

/// What the program said.
struct Run {
    status: i32,
    report: Value,
    /// Report and standard error.
    everything: String,
}

impl Run {
    fn flow(&self, id: &str) -> &Value {
        let flows = self.report["flows"].as_array().expect("flows");
        let judged: Vec<String> = flows
            .iter()
            .map(|flow| format!("{} {}", flow["id"], judged(flow)))
            .collect();
        flows
            .iter()
            .find(|flow| flow["id"] == id)
            .unwrap_or_else(|| panic!("{id} is not among {judged:#?}"))
    }

    fn web(&self, at: SocketAddr) -> &Value {
        self.flow(&format!("internet>web:{}/tcp", at.port()))
    }

    /// The flow to a list's host that is a system of the file.
    fn served(&self, at: SocketAddr) -> &Value {
        self.flow(&format!(
            "internet>list{}:{}/tcp",
            host_of_list(&at),
            at.port()
        ))
    }

    fn list(&self, at: SocketAddr) -> &Value {
        self.flow(&format!("internet>crl.{at}/tcp"))
    }
}

fn judged(flow: &Value) -> String {
    format!(
        "{} {} {}",
        flow["verdict"].as_str().unwrap_or_default(),
        flow["cause"].as_str().unwrap_or_default(),
        flow["level"].as_str().unwrap_or_default()
    )
}

/// A site with one system at an address, and these ports required of it.
fn site(site: &str, system: &str, tls: &str, flows: &[SocketAddr]) -> String {
    let mut text = format!(
        "site: {{ code: PRI, product: configmgr-2007{site} }}
zones: {{ internet: {{}}, perimeter: {{}} }}
firewalls: {{ wall: {{ between: [internet, perimeter] }} }}
clients: [internet]
systems: {{ web: {{ zone: perimeter, names: {{ default: {NAME} }}, addresses: {{ default: 127.0.0.1 }}, roles: [console]{system} }} }}
tls: {{ roots: [root.pem]{tls} }}
probing: {{ second_look: off, timeout: 2s, rate: max, dns: off, sweep: none }}\n"
    );
    if !flows.is_empty() {
        text += "flows:\n";
    }
    for at in flows {
        text += &format!(
            "  - {{ from: internet, to: web, port: {}, protocol: https, need: required }}\n",
            at.port()
        );
    }
    text
}

/// The same with a system for the host of each list. Own flows that start elsewhere name its ports: certificates alone could
/// lead neither to this host itself nor to such ports.
fn with_lists(site: &str, lists: &[SocketAddr]) -> String {
    let mut hosts: Vec<u8> = lists.iter().map(host_of_list).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let systems = hosts.iter().map(|last| {
        format!(", list{last}: {{ zone: perimeter, addresses: {{ default: 127.0.0.{last} }}, roles: [console] }}")
    });
    let flows = lists.iter().map(|at| {
        format!(
            "  - {{ from: perimeter, to: list{}, port: {}, need: optional }}\n",
            host_of_list(at),
            at.port()
        )
    });
    let site = site.replace(
        " } }\ntls:",
        &format!(" }}{} }}\ntls:", systems.collect::<String>()),
    );
    site + &flows.collect::<String>()
}

fn host_of_list(at: &SocketAddr) -> u8 {
    match at {
        SocketAddr::V4(at) => at.ip().octets()[3],
        SocketAddr::V6(at) => panic!("{at}"),
    }
}

fn command(folder: &Path, site: &str, format: &str) -> assert_cmd::Command {
    let file = folder.join("site.yaml");
    fs::write(&file, site).expect("written");
    let mut command = assert_cmd::Command::cargo_bin("portproof").expect("the program");
    command
        .args(["check", "--from", "internet", "--format", format])
        .arg(file)
        .env("PORTPROOF_LOG", "trace")
        .env_remove("PORTPROOF_CLIENT_PASSWORD");
    command
}

fn run(command: &mut assert_cmd::Command) -> Run {
    let output = command.output().expect("it runs");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Run {
        status: output.status.code().expect("a status"),
        report: serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}")),
        everything: format!("{out}{err}"),
    }
}

fn check(folder: &Path, site: &str) -> Run {
    let run = run(&mut command(folder, site, "json"));
    valid(&run.report);
    run
}

/// The report is as its schema says.
fn valid(report: &Value) {
    schemas::assert_valid("report", report);
}

/// An old authority with `root.pem`, and `FILE.pem` with `FILE.key` by it: RSA, as openssl still makes it.
fn old_authority(folder: &Path) {
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -subj /CN=SiteRoot -days \
         3650",
    );
}

fn old_leaf(folder: &Path, file: &str, bits: usize, digest: &str, dates: &str) {
    fs::write(
        folder.join("extensions"),
        format!("subjectAltName = DNS:{NAME}\nextendedKeyUsage = serverAuth\n"),
    )
    .expect("written");
    openssl(
        folder,
        &format!(
            "req -newkey rsa:{bits} -nodes -keyout {file}.key -out {file}.csr -subj /CN={NAME}"
        ),
    );
    openssl(
        folder,
        &format!(
            "x509 -req -in {file}.csr -CA root.pem -CAkey root.key -set_serial 2 -{digest} {dates} \
             -extfile extensions -out {file}.pem"
        ),
    );
}

fn s_server(folder: &Path, file: &str, options: &str) -> (EndsWithTest, SocketAddr) {
    let at = free(1);
    let text = format!("s_server -accept {at} -cert {file}.pem -key {file}.key -www {options}");
    (start("openssl", &words(&text), folder, &[at]), at)
}

#[test]
fn old_servers_are_open_never_blocked_and_their_certificates_are_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    old_authority(folder);
    old_leaf(folder, "good", 2_048, "sha256", "-days 300");
    old_leaf(folder, "ended", 2_048, "sha256", "-days -1");
    old_leaf(folder, "sha1", 2_048, "sha1", "-days 300");
    old_leaf(folder, "short", 1_024, "sha256", "-days 300");
    let old = "-tls1 -cipher ALL:@SECLEVEL=0";
    let (_one, tls10) = s_server(folder, "good", old);
    let (_two, ciphers) = s_server(folder, "good", "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0");
    let (_three, ended) = s_server(folder, "ended", old);
    let (_four, sha1) = s_server(folder, "sha1", "-cipher ALL:@SECLEVEL=0");
    let (_five, short) = s_server(folder, "short", "-cipher ALL:@SECLEVEL=0");
    let nameless = "-servername other.example.com -servername_fatal -cert2 good.pem -key2 good.key";
    let (_six, nameless) = s_server(folder, "good", nameless);
    let flows = [tls10, ciphers, ended, sha1, short, nameless];
    let run = check(folder, &site(", crl_check: false", "", "", &flows));
    let joined = match cfg!(feature = "old-tls") {
        true => "ok answered note",
        false => "unknown tls-too-old warning",
    };
    // Windows takes it; rustls does not compute with it.
    let short_key = match cfg!(feature = "old-tls") {
        true => "ok certificate-weak warning",
        false => "unknown certificate-undecided warning",
    };
    for (at, expected) in [
        (tls10, joined),
        (ciphers, joined),
        (ended, "wrong certificate-expired error"),
        (sha1, "ok certificate-weak warning"),
        (short, short_key),
        (nameless, "wrong tls-only-without-sni error"),
    ] {
        let flow = run.web(at);
        assert_eq!(judged(flow), expected, "{flow:#}");
        assert_eq!(flow["state"], "open");
    }
    let tls = &run.web(tls10)["evidence"]["tls"];
    assert_eq!(tls["version"], "TLSv1.0");
    assert_eq!(tls["key_proven"], cfg!(feature = "old-tls"));
    assert_eq!(tls["faults"], Value::Array(Vec::new()));
    assert_eq!(tls["root"], "CN=SiteRoot");
    assert_eq!(tls["chain"][0]["names"][0], NAME);
    assert_eq!(tls["chain"][0]["key"], "RSA, 2048 bits");
    assert_eq!(tls["chain"][0]["server_authentication"], "named");
    assert_eq!(tls["client_certificate_asked"], false);
    let old = &run.web(ciphers)["evidence"]["tls"];
    assert_eq!(old["cipher"], "TLS_RSA_WITH_AES_128_CBC_SHA");
    assert_eq!(run.web(nameless)["evidence"]["tls"]["key_proven"], true);
    let said = &run.web(sha1)["evidence"]["tls"]["faults"][0]["says"];
    assert!(
        said.as_str().is_some_and(|said| said.contains("SHA-1")),
        "{said}"
    );
}

#[test]
fn a_server_that_sends_more_certificates_than_clients_read_has_a_fault_of_its_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Issuer");
    let key = KeyPair::generate().expect("a key");
    let issuer = CertifiedIssuer::signed_by(params, key, &root).expect("signed");
    issue(folder, "web", &leaf(&[]), &issuer);
    // A stranger's certificate as large as one with RSA of 4,096 bits.
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    let text = "x".repeat(450);
    params
        .distinguished_name
        .push(DnType::OrganizationName, text);
    let key = KeyPair::generate().expect("a key");
    let other = params.self_signed(&key).expect("signed").pem();
    // The issuer comes last: all that was sent counts for the verifier.
    let serve = |count: usize, options: &str| {
        let chain = format!("{count}.pem");
        fs::write(folder.join(&chain), other.repeat(count) + &issuer.pem()).expect("written");
        let at = free(1);
        let text = format!(
            "s_server -accept {at} -cert web.crt -key web.key -cert_chain {chain} -www {options}"
        );
        (start("openssl", &words(&text), folder, &[at]), at)
    };
    let old = "-tls1 -cipher ALL:@SECLEVEL=0";
    let joined = match cfg!(feature = "old-tls") {
        true => "ok answered note",
        false => "unknown tls-too-old warning",
    };
    let cases = [
        (12, "-tls1_2", "ok answered note", 10),
        (12, "-tls1_3", "ok answered note", 10),
        (40, "-tls1_2", "wrong certificate-too-large error", 10),
        (40, "-tls1_3", "wrong certificate-too-large error", 10),
        // What rustls does not read, an old greeting does.
        (80, "-tls1_2", "wrong certificate-too-large error", 10),
        (80, "-tls1_3", "wrong certificate-too-large error", 0),
        (400, "-tls1_2", "wrong certificate-too-large error", 0),
        (400, "-tls1_3", "wrong certificate-too-large error", 0),
        (12, old, joined, 10),
        (40, old, "wrong certificate-too-large error", 10),
        (400, old, "wrong certificate-too-large error", 0),
    ];
    let servers = cases.map(|(count, options, ..)| serve(count, options));
    let flows = servers.each_ref().map(|(_, at)| *at);
    let run = check(folder, &site(", crl_check: false", "", "", &flows));
    for ((count, options, expected, described), at) in cases.iter().zip(flows) {
        let flow = run.web(at);
        assert_eq!(judged(flow), *expected, "{count} {options}: {flow:#}");
        let tls = &flow["evidence"]["tls"];
        let chain = tls["chain"].as_array().map_or(0, Vec::len);
        assert_eq!(chain, *described, "{count} {options}: {flow:#}");
        if expected.starts_with("wrong") {
            assert_eq!(flow["owner"], "certificate");
            let said = format!("sends {} certificates in", count + 2);
            let faults = tls["faults"].to_string();
            assert_eq!(
                faults.contains(&said),
                *described > 0,
                "{count} {options}: {faults}"
            );
        }
    }
}

#[test]
fn several_faults_of_a_certificate_stand_all_in_the_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    let mut params = CertificateParams::new(vec!["other.example.com".to_string()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let at = free(1);
    let _nginx = nginx(folder, &[(at, issue(folder, "all", &params, &root))]);
    let run = check(folder, &site(", crl_check: false", "", "", &[at]));
    let flow = run.web(at);
    assert_eq!(judged(flow), "wrong certificate-name error");
    let faults = flow["evidence"]["tls"]["faults"]
        .as_array()
        .expect("faults");
    for said in ["other names", "ended at 2021", "not for server"] {
        let told = faults.iter().any(|fault| {
            fault["weight"] == "refused"
                && fault["says"].as_str().is_some_and(|it| it.contains(said))
        });
        assert!(told, "{said}: {faults:?}");
    }
    assert!(flow["evidence"]["tls"]["chain"][0]["days_left"].as_i64() < Some(-1_000));
}

#[test]
fn a_client_certificate_is_asked_for_presented_and_taken_and_its_password_stands_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    let mut params = CertificateParams::new(vec!["client01".to_string()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    issue(folder, "client", &params, &root);
    openssl(
        folder,
        &format!(
            "pkcs12 -export -in client.crt -inkey client.key -passout pass:{SECRET} -out client.pfx"
        ),
    );
    let (asking, silent) = (free(1), free(1));
    let server = issue(folder, "server", &leaf(&[]), &root);
    let here = folder.display();
    let asks = format!("ssl_client_certificate {here}/root.pem; ssl_verify_client on; {server}");
    let _nginx = nginx(folder, &[(asking, asks), (silent, server)]);
    let flows = [asking, silent];
    let named = site(
        ", crl_check: false",
        "",
        ", client_certificate: client.pfx",
        &flows,
    );

    let shown = run(command(folder, &named, "json").env("PORTPROOF_CLIENT_PASSWORD", SECRET));
    valid(&shown.report);
    let flow = shown.web(asking);
    assert_eq!(judged(flow), "ok answered note", "{flow:#}");
    assert_eq!(flow["evidence"]["http"]["status"], 200);
    let tls = &flow["evidence"]["tls"];
    assert_eq!(tls["client_certificate_asked"], true);
    assert_eq!(tls["presented"], "taken");
    let authorities = tls["authorities"].to_string();
    assert!(authorities.contains("Site Root"), "{authorities}");
    let tls = &shown.web(silent)["evidence"]["tls"];
    assert_eq!(tls["client_certificate_asked"], false);
    assert_eq!(tls["presented"], "not-asked");

    fs::write(folder.join("password"), format!("{SECRET}\n")).expect("written");
    let with_file = ", client_certificate: client.pfx, client_password_file: password";
    let with_file = site(", crl_check: false", "", with_file, &flows);
    let from_file = check(folder, &with_file);
    let flow = from_file.web(asking);
    assert_eq!(flow["evidence"]["tls"]["presented"], "taken");
    for everything in [&shown.everything, &from_file.everything] {
        assert!(!everything.contains(SECRET));
        assert!(!everything.contains("PRIVATE KEY"));
    }

    let without = check(folder, &site(", crl_check: false", "", "", &flows));
    let tls = &without.web(asking)["evidence"]["tls"];
    assert_eq!(tls["presented"], "none");
    // nginx says so over HTTP: it serves, and refuses.
    assert_eq!(without.web(asking)["evidence"]["http"]["status"], 400);
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_refused_before_any_packet_and_without_its_password()
{
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    issue(folder, "client", &leaf(&[]), &root);
    openssl(
        folder,
        "pkcs12 -export -in client.crt -inkey client.key -passout pass:another -out client.pfx",
    );
    fs::write(folder.join("password"), SECRET).expect("written");
    for (keys, password, said) in [
        (", client_certificate: none.pfx", None, "cannot be read"),
        (", client_certificate: root.pem", None, "no private key"),
        (
            ", client_certificate: client.pfx",
            None,
            "no password is given",
        ),
        (
            ", client_certificate: client.pfx",
            Some(SECRET),
            "does not open with the password",
        ),
        (
            ", client_certificate: client.pfx, client_password_file: password",
            None,
            "does not open with the password",
        ),
        (
            ", client_certificate: client.pfx, client_password_file: none.txt",
            None,
            "cannot be read",
        ),
    ] {
        let mut command = command(folder, &site("", "", keys, &[]), "text");
        if let Some(password) = password {
            command.env("PORTPROOF_CLIENT_PASSWORD", password);
        }
        let output = command.output().expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{keys}: {err}");
        assert!(err.contains("site.yaml:6:"), "{keys}: {err}");
        assert!(
            err.contains("error[bad-client-certificate]"),
            "{keys}: {err}"
        );
        assert!(err.contains(said), "{keys}: {err}");
        assert!(!err.contains(SECRET) && output.stdout.is_empty(), "{keys}");
    }
}

/// A listener whose accept queue is full: Linux drops what comes then.
fn silent(last: u8) -> (socket2::Socket, Vec<socket2::Socket>, SocketAddr) {
    let socket = || {
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket")
    };
    let listener = socket();
    let any = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    listener.bind(&any.into()).expect("bound");
    listener.listen(0).expect("listening");
    let at = listener.local_addr().expect("an address");
    let fillers = (0..3).map(|_| {
        let filler = socket();
        filler.set_nonblocking(true).expect("non-blocking");
        let _ = filler.connect(&at);
        filler
    });
    let fillers = fillers.collect();
    (listener, fillers, at.as_socket().expect("an address"))
}

#[test]
fn lists_are_flows_of_their_own_with_a_cause_for_each_way_to_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    publish(folder, "good.crl", &root, 2090, Some(0x4711));
    publish(folder, "expired.crl", &root, 2021, None);
    publish(
        folder,
        "strange.crl",
        &authority("Another Root"),
        2090,
        None,
    );
    fs::write(folder.join("rubbish.crl"), b"<html>it works</html>").expect("written");
    fs::write(folder.join("large.crl"), vec![0x30; (20 << 20) + 1]).expect("written");
    let (_listener, _fillers, unreachable) = silent(3);
    let down = free(4);
    let mut lists: Vec<(SocketAddr, String)> = Vec::new();
    let mut named = |file: &str| {
        let at = free(2);
        let directives = match file {
            "moved" => "location / { return 301 https://$host/good.crl; }".to_string(),
            _ => String::new(),
        };
        lists.push((at, directives));
        (at, format!("http://{at}/{file}.crl"))
    };
    let [good, expired, strange, rubbish, large, missing, moved] = [
        "good", "expired", "strange", "rubbish", "large", "missing", "moved",
    ]
    .map(&mut named);
    let at_down = (down, format!("http://{down}/good.crl"));
    let at_silent = (unreachable, format!("http://{unreachable}/good.crl"));
    let ldap = "ldap:///CN=Site%20Root,DC=corp,DC=example?certificateRevocationList".to_string();
    let mut servers = lists.clone();
    let mut serve = |file: &str, urls: &[String], serial: Option<u64>| {
        let mut params = leaf(urls);
        params.serial_number = serial.map(SerialNumber::from);
        let at = free(1);
        servers.push((at, issue(folder, file, &params, &root)));
        at
    };
    let of_good = serve("of-good", &[ldap.clone(), good.1.clone()], Some(0x4712));
    let revoked = serve("revoked", std::slice::from_ref(&good.1), Some(0x4711));
    let by_ldap = serve("ldap", std::slice::from_ref(&ldap), None);
    let by_https = serve(
        "https",
        &["https://pki.example.com/ca.crl".to_string()],
        None,
    );
    let without = serve("without", &[], None);
    let spare = serve("spare", &[at_down.1.clone(), good.1.clone()], None);
    let mut all = vec![of_good, revoked, by_ldap, by_https, without, spare];
    for (number, list) in [
        &expired, &strange, &rubbish, &large, &missing, &moved, &at_silent,
    ]
    .into_iter()
    .enumerate()
    {
        all.push(serve(
            &format!("of-{number}"),
            std::slice::from_ref(&list.1),
            None,
        ));
    }
    let _nginx = nginx(folder, &servers);
    let hosts = lists.iter().map(|(at, _)| *at);
    let hosts: Vec<SocketAddr> = hosts.chain([down, unreachable]).collect();
    let run = check(folder, &with_lists(&site("", "", "", &all), &hosts));
    assert_eq!(run.status, 1);
    for (list, expected) in [
        (&good, "ok answered note"),
        (&expired, "wrong crl-expired error"),
        (&strange, "wrong crl-invalid error"),
        (&rubbish, "wrong crl-invalid error"),
        (&large, "wrong crl-too-large error"),
        (&missing, "wrong crl-missing error"),
        (&moved, "wrong crl-redirected error"),
        (&at_silent, "blocked no-answer error"),
        (&at_down, "ok not-open note"),
    ] {
        let flow = run.served(list.0);
        assert_eq!(judged(flow), expected, "{}: {flow:#}", list.1);
        if flow["verdict"] != "ok" {
            assert_eq!(flow["need"], "required");
            let advice = flow["advice"].as_str().expect("advice");
            assert!(advice.contains("CERT_REV_FAILED"), "{advice}");
        }
    }
    for (at, expected) in [
        (of_good, "ok answered note"),
        (without, "ok answered note"),
        (spare, "ok answered note"),
        (revoked, "wrong certificate-revoked error"),
        (by_ldap, "wrong crl-ldap-only error"),
        (by_https, "wrong crl-https error"),
    ] {
        let flow = run.web(at);
        assert_eq!(judged(flow), expected, "{flow:#}");
    }
    let list = &run.served(good.0)["evidence"]["lists"][0];
    assert_eq!(list["entries"], 1);
    assert_eq!(list["url"], good.1);
    assert_eq!(list["next_update"], "2090-01-01T00:00:00Z");
    assert!(list["named_by"].as_array().is_some_and(|by| !by.is_empty()));
    // Whom it revokes stands with the list too.
    assert!(
        list["faults"].to_string().contains("it revokes"),
        "{list:#}"
    );
    assert_eq!(run.served(down)["need"], "optional");
}

/// A list by `root.pem`, as `openssl ca` makes it: its number, the lines of its index, those of its extensions, its dates.
fn openssl_list(folder: &Path, file: &str, number: u8, index: &str, extensions: &str, dates: &str) {
    let settings = format!(
        "[ca]\ndefault_ca = site\n[site]\ndatabase = lists.txt\ncrlnumber = \
         lists.number\ncertificate = root.pem\nprivate_key = root.key\ndefault_md = \
         sha256\n[list]\nauthorityKeyIdentifier = keyid\n{extensions}\n"
    );
    for (name, text) in [
        ("lists.txt", index.to_string()),
        ("lists.number", format!("{number:02X}\n")),
        ("lists.cnf", settings),
    ] {
        fs::write(folder.join(name), text).expect("written");
    }
    openssl(
        folder,
        &format!("ca -config lists.cnf -gencrl {dates} -crlexts list -out list.pem"),
    );
    openssl(
        folder,
        &format!("crl -in list.pem -outform DER -out {file}"),
    );
}

#[test]
fn delta_lists_are_fetched_and_say_who_is_revoked_since() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    old_authority(folder);
    openssl(
        folder,
        &format!("req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN={NAME}"),
    );
    let entry = |serial: &str, reason: &str| {
        format!("R\t360101000000Z\t260101000000Z,{reason}\t{serial}\tunknown\t/CN={NAME}\n")
    };
    let (fresh, late) = (
        "-crldays 30",
        "-crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z",
    );
    let since = |number: u8| format!("2.5.29.27 = critical,ASN1:INTEGER:{number}");
    let [good, missing, expired, gap, spare, other] = [(); 6].map(|()| free(2));
    let names = |urls: &[String]| format!("freshestCRL = {}", urls.join(","));
    let at = |host: SocketAddr, file: &str| format!("URI:http://{host}/{file}");
    let held = entry("12", "certificateHold");
    for (file, index, deltas) in [
        ("good.crl", held.as_str(), vec![at(good, "good+.crl")]),
        ("missing.crl", "", vec![at(missing, "missing+.crl")]),
        ("expired.crl", "", vec![at(expired, "expired+.crl")]),
        ("gap.crl", "", vec![at(gap, "gap+.crl")]),
        (
            "spare.crl",
            "",
            vec![at(other, "none+.crl"), at(spare, "spare+.crl")],
        ),
    ] {
        openssl_list(folder, file, 7, index, &names(&deltas), fresh);
    }
    let changes = entry("10", "keyCompromise") + &entry("12", "removeFromCRL");
    for (file, index, base, dates) in [
        ("good+.crl", changes.as_str(), 7, fresh),
        ("expired+.crl", "", 7, late),
        ("gap+.crl", "", 9, fresh),
        ("spare+.crl", "", 7, fresh),
    ] {
        openssl_list(folder, file, 10, index, &since(base), dates);
    }
    let lists = [good, missing, expired, gap, spare, other];
    let log = folder.join("asked.log");
    let mut servers = lists
        .map(|at| (at, format!("access_log {};", log.display())))
        .to_vec();
    let mut serve = |serial: &str, list: SocketAddr, file: &str| {
        let text = format!(
            "subjectAltName = DNS:{NAME}\nextendedKeyUsage = serverAuth\ncrlDistributionPoints = \
             {}\n",
            at(list, file)
        );
        fs::write(folder.join("extensions"), text).expect("written");
        openssl(
            folder,
            &format!(
                "x509 -req -in leaf.csr -CA root.pem -CAkey root.key -set_serial 0x{serial} -days \
                 300 -extfile extensions -out {serial}.pem"
            ),
        );
        let web = free(1);
        let here = folder.display();
        let directives = format!(
            "ssl_certificate {here}/{serial}.pem; ssl_certificate_key {here}/leaf.key; location / \
             {{ return 200; }}"
        );
        servers.push((web, directives));
        web
    };
    let revoked = serve("10", good, "good.crl");
    let kept = serve("11", good, "good.crl");
    let released = serve("12", good, "good.crl");
    let others = [
        serve("13", missing, "missing.crl"),
        serve("14", expired, "expired.crl"),
        serve("15", gap, "gap.crl"),
        serve("16", spare, "spare.crl"),
    ];
    let _nginx = nginx(folder, &servers);
    let mut webs = vec![revoked, kept, released];
    webs.extend(others);
    let run = check(folder, &with_lists(&site("", "", "", &webs), &lists));

    let flow = run.web(revoked);
    assert_eq!(judged(flow), "wrong certificate-revoked error", "{flow:#}");
    for web in [kept, released].iter().chain(&others) {
        assert_eq!(
            judged(run.web(*web)),
            "ok answered note",
            "{:#}",
            run.web(*web)
        );
    }
    for (list, expected, owner) in [
        (good, "ok answered note", None),
        (missing, "unknown crl-delta-missing warning", Some("server")),
        (
            expired,
            "unknown crl-delta-expired warning",
            Some("certificate"),
        ),
        (
            gap,
            "unknown crl-delta-invalid warning",
            Some("certificate"),
        ),
        (spare, "ok answered note", None),
        (other, "ok answered note", None),
    ] {
        let flow = run.served(list);
        assert_eq!(judged(flow), expected, "{flow:#}");
        assert_eq!(flow["owner"].as_str(), owner, "{flow:#}");
    }
    let advice = run.served(missing)["advice"].as_str().expect("advice");
    assert!(advice.contains("allow double escaping in IIS"), "{advice}");
    assert!(advice.contains("0x80092013"), "{advice}");
    assert_eq!(run.served(other)["need"], "optional");
    let delta = &run.served(good)["evidence"]["lists"][1];
    assert_eq!(delta["url"], format!("http://{good}/good+.crl"));
    assert_eq!(delta["adds_to"][0], format!("http://{good}/good.crl"));
    let said = delta["faults"].to_string();
    assert!(
        said.contains("it revokes") && said.contains("takes the revocation"),
        "{said}"
    );
    let asked = fs::read_to_string(&log).expect("a log");
    for file in [
        "good.crl",
        "good+.crl",
        "missing+.crl",
        "none+.crl",
        "spare+.crl",
    ] {
        let times = asked.matches(&format!("GET /{file} ")).count();
        assert_eq!(times, 1, "{file}: {asked}");
    }
}

/// Names the address of the issuer's certificate (authority information access).
fn issuer_at(params: &mut CertificateParams, url: &str) {
    let element = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).expect("a short element");
        assert!(length < 0x80, "{url}");
        [&[tag, length], content].concat()
    };
    let method = element(6, b"\x2b\x06\x01\x05\x05\x07\x30\x02");
    let one = [method, element(0x86, url.as_bytes())].concat();
    let content = element(0x30, &element(0x30, &one));
    let access = rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content);
    params.custom_extensions.push(access);
}

fn intermediate(name: &str, by: &Authority, above_at: Option<&str>) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(url) = above_at {
        issuer_at(&mut params, url);
    }
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::signed_by(params, key, by).expect("an intermediate")
}

#[test]
fn an_intermediate_that_is_not_sent_is_fetched_once_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    let pki = free(2);
    let at = |file: &str| format!("http://{pki}/{file}");
    let first = intermediate("First", &root, None);
    let second = intermediate("Second", &first, Some(&at("first.crt")));
    let third = intermediate("Third", &first, Some(&at("above.crt")));
    let device = authority("Device");
    for (file, der) in [
        ("first.crt", first.der()),
        ("second.crt", second.der()),
        ("third.crt", third.der()),
        ("other.crt", root.der()),
        ("device.crt", device.der()),
    ] {
        fs::write(folder.join(file), der).expect("written");
    }
    let cases: [(&str, &Authority, Option<&str>, &str, &str); 9] = [
        (
            "one",
            &first,
            Some("first.crt"),
            "ok intermediate-missing warning",
            "Install the intermediate CN=First on web",
        ),
        (
            "same",
            &first,
            Some("first.crt"),
            "ok intermediate-missing warning",
            "first.crt accept it",
        ),
        (
            "two",
            &second,
            Some("second.crt"),
            "ok intermediate-missing warning",
            "Install the intermediates CN=First and CN=Second on web",
        ),
        (
            "above",
            &third,
            Some("third.crt"),
            "wrong intermediate-missing error",
            "Install the intermediates CN=Third and CN=First on web",
        ),
        (
            "above-again",
            &third,
            Some("third.crt"),
            "wrong intermediate-missing error",
            "above.crt: ",
        ),
        (
            "gone",
            &first,
            Some("gone.crt"),
            "wrong intermediate-missing error",
            "status 404",
        ),
        (
            "other",
            &first,
            Some("other.crt"),
            "wrong intermediate-missing error",
            "Install the intermediate CN=First",
        ),
        (
            "nowhere",
            &first,
            None,
            "wrong certificate-untrusted error",
            "CN=First is needed",
        ),
        (
            "device",
            &device,
            Some("device.crt"),
            "wrong certificate-untrusted error",
            "tls.roots",
        ),
    ];
    let log = folder.join("asked.log");
    let text = format!("access_log {};", log.display());
    let mut servers = vec![(pki, text)];
    for (file, by, above, ..) in &cases {
        let mut params = leaf(&[]);
        if let Some(above) = above {
            issuer_at(&mut params, &at(above));
        }
        servers.push((free(1), issue(folder, &format!("web-{file}"), &params, by)));
    }
    let flows: Vec<SocketAddr> = servers.iter().skip(1).map(|(at, _)| *at).collect();
    let _nginx = nginx(folder, &servers);
    let file = with_lists(&site(", crl_check: false", "", "", &flows), &[pki]);
    let run = check(folder, &file);
    for ((case, _, _, expected, advice), at) in cases.iter().zip(&flows) {
        let flow = run.web(*at);
        assert_eq!(judged(flow), *expected, "{case}: {flow:#}");
        let said = flow["advice"].as_str().unwrap_or_default();
        assert!(said.contains(advice), "{case}: {said}");
        assert!(
            !said.contains("intermediate CN=Site Root"),
            "{case}: {said}"
        );
        if expected.contains("intermediate") {
            assert_eq!(flow["owner"], "server", "{case}");
        }
    }
    let asked = fs::read_to_string(&log).expect("a log");
    for file in [
        "first.crt",
        "second.crt",
        "gone.crt",
        "other.crt",
        "device.crt",
    ] {
        let times = asked.matches(&format!("GET /{file} ")).count();
        assert_eq!(times, 1, "{file}: {asked}");
    }

    // Nobody may be asked: nobody is.
    fs::write(&log, "").expect("emptied");
    let none = file.replace("crl_check: false", "crl_check: false, crl_hosts: none");
    let run = check(folder, &none);
    let flow = run.web(flows[0]);
    assert_eq!(judged(flow), "wrong intermediate-missing error", "{flow:#}");
    let said = flow["advice"].as_str().unwrap_or_default();
    assert!(said.contains("`site.crl_hosts` is `none`"), "{said}");
    assert_eq!(fs::read_to_string(&log).expect("a log"), "");
}

#[test]
fn a_responders_answer_is_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    old_authority(folder);
    fs::write(
        folder.join("index.txt"),
        "V\t360101000000Z\t\t10\tunknown\t/CN=web\nR\t360101000000Z\t260101000000Z,keyCompromise\t11\tunknown\t/CN=web\n",
    )
    .expect("written");
    let (mut servers, mut flows, mut responders) = (Vec::new(), Vec::new(), Vec::new());
    for (file, serial) in [("good", "10"), ("revoked", "11")] {
        let responder = free(5);
        fs::write(
            folder.join("extensions"),
            format!(
                "subjectAltName = DNS:{NAME}\nextendedKeyUsage = \
                 serverAuth\nauthorityInfoAccess = OCSP;URI:http://{responder}/\n"
            ),
        )
        .expect("written");
        for text in [
            format!(
                "req -newkey rsa:2048 -nodes -keyout {file}.key -out {file}.csr -subj /CN={NAME}"
            ),
            format!(
                "x509 -req -in {file}.csr -CA root.pem -CAkey root.key -set_serial 0x{serial} \
                 -days 300 -extfile extensions -out {file}.pem"
            ),
            format!("ocsp -issuer root.pem -cert {file}.pem -no_nonce -reqout {file}.question"),
            format!(
                "ocsp -index index.txt -CA root.pem -rsigner root.pem -rkey root.key -ndays 7 \
                 -reqin {file}.question -respout {file}.answer"
            ),
        ] {
            openssl(folder, &text);
        }
        let (server, at) = s_server(folder, file, "");
        servers.push(server);
        flows.push(at);
        // openssl's own responder hangs on a connection that says nothing, so nginx hands out its answers.
        let answer = format!("location / {{ rewrite ^ /{file}.answer break; }}");
        responders.push((responder, answer));
    }
    let _nginx = nginx(folder, &responders);
    let hosts: Vec<SocketAddr> = responders.iter().map(|(at, _)| *at).collect();
    let run = check(folder, &with_lists(&site("", "", "", &flows), &hosts));
    for (responder, _) in &responders {
        let flow = run.served(*responder);
        assert_eq!(judged(flow), "ok answered note", "{flow:#}");
    }
    assert_eq!(judged(run.web(flows[0])), "ok answered note");
    assert_eq!(judged(run.web(flows[1])), "wrong certificate-revoked error");
}

#[test]
fn a_list_that_the_file_names_is_fetched_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    publish(folder, "good.crl", &root, 2090, None);
    publish(folder, "expired.crl", &root, 2021, None);
    publish(folder, "other.crl", &authority("Client Root"), 2090, None);
    let (good, expired, web, on_web) = (free(2), free(2), free(1), free(1));
    let lists = [good, expired, on_web].map(|at| (at, String::new()));
    let mut servers = lists.to_vec();
    servers.push((web, issue(folder, "web", &leaf(&[]), &root)));
    let _nginx = nginx(folder, &servers);
    let urls = format!(
        ", crl_urls: [\"http://{good}/good.crl\", \"http://{good}/other.crl\", \
         \"http://{expired}/expired.crl\", \"http://{on_web}/good.crl\"]"
    );
    let run = check(folder, &site(&urls, "", "", &[web]));
    assert_eq!(judged(run.list(good)), "ok answered note");
    let lists = run.list(good)["evidence"]["lists"]
        .as_array()
        .expect("lists");
    assert_eq!(lists.len(), 2);
    assert_eq!(lists[0]["faults"], Value::Array(Vec::new()));
    assert!(
        lists[1]["faults"]
            .to_string()
            .contains("signature was not checked")
    );
    assert_eq!(judged(run.list(expired)), "wrong crl-expired error");
    // A host that is a system of the file keeps its name.
    let flow = run.web(on_web);
    assert_eq!(judged(flow), "ok answered note");
    assert_eq!(flow["evidence"]["lists"][0]["entries"], 0);
    // Servers check by their own settings: nothing is fetched from a zone without clients.
    let elsewhere = site(&urls, "", "", &[web]).replace("clients: [internet]", "clients: []");
    let run = check(folder, &elsewhere);
    let flows = run.report["flows"].as_array().expect("flows");
    assert!(flows.iter().all(|flow| flow["evidence"]["lists"].is_null()));
}

#[test]
fn another_certificate_than_the_pinned_one_of_the_sites_authority_is_no_proof() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    let at = free(1);
    let _nginx = nginx(folder, &[(at, issue(folder, "web", &leaf(&[]), &root))]);
    let other = "0123456789abcdef".repeat(4);
    let replaced = check(
        folder,
        &site(
            ", crl_check: false",
            &format!(", pin: \"{other}\""),
            "",
            &[at],
        ),
    );
    let flow = replaced.web(at);
    assert_eq!(judged(flow), "ok answered note");
    assert_eq!(flow["evidence"]["tls"]["interception"]["is"], "undecided");
    let sha256 = flow["evidence"]["tls"]["chain"][0]["sha256"]
        .as_str()
        .expect("a pin");
    let right = check(
        folder,
        &site(
            ", crl_check: false",
            &format!(", pin: \"{sha256}\""),
            "",
            &[at],
        ),
    );
    let interception = &right.web(at)["evidence"]["tls"]["interception"];
    assert_eq!(interception["is"], "no");
    assert_eq!(interception["because"], "it is the pinned certificate");
}

/// Three namespaces in a row: prober, device, server.
struct Bed {
    names: [String; 3],
}

impl Bed {
    fn new() -> Self {
        // Several tests of one process may each have their own at the same time.
        static LAID_OUT: AtomicUsize = AtomicUsize::new(0);
        let number = LAID_OUT.fetch_add(1, Ordering::Relaxed);
        let names = ["client", "device", "server"]
            .map(|role| format!("pt-{role}-{}-{number}", std::process::id()));
        let bed = Self { names };
        for name in &bed.names {
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
        }
        let [client, device, server] = &bed.names;
        for (a, b, link, a_address, b_address) in [
            (client, device, "c", "198.51.100.10/24", "198.51.100.1/24"),
            (device, server, "s", "192.0.2.254/24", "192.0.2.10/24"),
        ] {
            ip(&format!(
                "link add {link}0 netns {a} type veth peer name {link}1 netns {b}"
            ));
            ip(&format!("-n {a} addr add {a_address} dev {link}0"));
            ip(&format!("-n {b} addr add {b_address} dev {link}1"));
            ip(&format!("-n {a} link set {link}0 up"));
            ip(&format!("-n {b} link set {link}1 up"));
        }
        ip(&format!("-n {client} route add default via 198.51.100.1"));
        ip(&format!("-n {server} route add default via 192.0.2.254"));
        ip(&format!(
            "netns exec {device} sysctl -qw net.ipv4.ip_forward=1"
        ));
        bed
    }

    /// What a command in a namespace says.
    fn says(&self, place: usize, text: &str) -> String {
        let output = Command::new("ip")
            .args(["netns", "exec", &self.names[place]])
            .args(words(text))
            .output()
            .expect("iproute2 is needed: scripts/test installs it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn start(&self, place: usize, text: &str, folder: &Path) -> EndsWithTest {
        let mut all = words(&format!("netns exec {}", self.names[place]));
        all.extend(words(text));
        start("ip", &all, folder, &[])
    }

    /// Waits until a port in a namespace is listened on.
    fn wait(&self, place: usize, port: u16, folder: &Path) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let output = Command::new("ip")
                .args(["netns", "exec", &self.names[place], "ss", "-Hltn"])
                .output()
                .expect("iproute2 is needed: scripts/test installs it");
            if String::from_utf8_lossy(&output.stdout).contains(&format!(":{port} ")) {
                return;
            }
            let said = fs::read_to_string(folder.join("cache_log")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "nothing listens on {port}: {said}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip")
                .args(["netns", "del", name])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// Names that programs in a namespace know: `ip netns exec` puts the file in the place of `/etc/hosts`.
struct Names(std::path::PathBuf);

impl Names {
    fn new(namespace: &str, hosts: &str) -> Self {
        let folder = Path::new("/etc/netns").join(namespace);
        fs::create_dir_all(&folder).expect("this test needs root");
        fs::write(folder.join("hosts"), hosts).expect("written");
        Self(folder)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        // Fails while another test has names there.
        let _ = fs::remove_dir("/etc/netns");
    }
}

fn ip(text: &str) {
    let status = Command::new("ip").args(words(text)).status();
    let status = status.expect("iproute2 is needed: scripts/test installs it");
    assert!(
        status.success(),
        "ip {text} failed: this test needs root, and network namespaces"
    );
}

#[test]
fn a_real_proxy_that_opens_tls_is_named_by_the_pin_it_does_not_match() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    issue(folder, "web", &leaf(&[]), &root);
    let bed = Bed::new();
    let _server = bed.start(
        2,
        "openssl s_server -accept 192.0.2.10:443 -cert web.crt -key web.key -www",
        folder,
    );
    bed.wait(2, 443, folder);
    let pin = Command::new("openssl")
        .args(words("x509 -noout -fingerprint -sha256 -in web.crt"))
        .current_dir(folder)
        .output()
        .expect("openssl");
    let pin = String::from_utf8_lossy(&pin.stdout);
    let pin = pin
        .trim()
        .split('=')
        .nth(1)
        .expect("a fingerprint")
        .to_string();
    let write = |name: &str, system: &str| {
        let text = site(", crl_check: false", system, "", &[]).replace("127.0.0.1", "192.0.2.10")
            + "flows: [{ from: internet, to: web, port: 443, protocol: https, need: required }]\n";
        let file = folder.join(name);
        fs::write(&file, text).expect("written");
        file
    };
    let pinned = write("site.yaml", &format!(", pin: \"{pin}\""));
    let unpinned = write("unpinned.yaml", "");
    let run = |bed: &Bed, file: &Path, output_file: &str| {
        let program = assert_cmd::cargo::cargo_bin("portproof");
        let output = Command::new("ip")
            .args(["netns", "exec", &bed.names[0]])
            .arg(program)
            .args([
                "check",
                "--from",
                "internet",
                "--format",
                "json",
                "--no-path",
            ])
            .arg(file)
            .output()
            .expect("it runs");
        fs::write(folder.join(output_file), &output.stdout).expect("written");
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let flows = report["flows"].as_array().expect("flows").clone();
        let flow = flows
            .into_iter()
            .find(|flow| flow["id"] == "internet>web:443/tcp");
        flow.expect("the flow")
    };
    for (file, output) in [(&pinned, "pinned.json"), (&unpinned, "direct.json")] {
        let direct = run(&bed, file, output);
        assert_eq!(judged(&direct), "ok answered note", "{direct:#}");
    }

    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout filter.key -out filter.crt -subj /CN=WebFilter \
         -days 30",
    );
    let pem = |file: &str| fs::read_to_string(folder.join(file)).expect("a file");
    fs::write(
        folder.join("filter.pem"),
        pem("filter.crt") + &pem("filter.key"),
    )
    .expect("written");
    let made = Command::new("/usr/lib/squid/security_file_certgen")
        .args(["-c", "-s"])
        .arg(folder.join("minted"))
        .args(["-M", "4MB"])
        .output()
        .expect("squid-openssl is needed: scripts/test installs it");
    assert!(made.status.success());
    // squid gives up its privileges.
    let here = folder.display().to_string();
    let opened = Command::new("chmod").args(["-R", "a+rwX", &here]).status();
    assert!(opened.expect("chmod").success());
    fs::write(
        folder.join("squid.conf"),
        format!(
            "visible_hostname squid01\npid_filename none\nshutdown_lifetime 0 seconds\ncache deny \
             all\ncache_log {here}/cache_log\ncoredump_dir {here}\nnetdb_filename none\naccess_log \
             none\nhttp_port 3128\nhttps_port 3129 intercept ssl-bump \
             generate-host-certificates=on dynamic_cert_mem_cache_size=4MB \
             cert={here}/filter.pem\nsslcrtd_program /usr/lib/squid/security_file_certgen -s \
             {here}/minted -M 4MB\nsslcrtd_children 1\nssl_bump bump all\nsslproxy_cert_error \
             allow all\ntls_outgoing_options flags=DONT_VERIFY_PEER\nhost_verify_strict \
             off\ndns_nameservers 127.0.0.1\ndns_timeout 1 second\nhttp_access allow all\n"
        ),
    )
    .expect("written");
    fs::write(
        folder.join("rules.nft"),
        "table ip opener {\n chain in {\n type nat hook prerouting priority -100\n iifname \"c1\" tcp dport 443 redirect to :3129\n }\n}\n",
    )
    .expect("written");
    let rules = folder.join("rules.nft").display().to_string();
    ip(&format!("netns exec {} nft -f {rules}", bed.names[1]));
    let _squid = bed.start(
        1,
        &format!("squid -N -n pt{} -f {here}/squid.conf", std::process::id()),
        folder,
    );
    bed.wait(1, 3129, folder);
    let flow = run(&bed, &pinned, "opened.json");
    assert_eq!(judged(&flow), "wrong intercepted error", "{flow:#}");
    assert_eq!(flow["owner"], "proxy");
    let interception = &flow["evidence"]["tls"]["interception"];
    assert_eq!(interception["is"], "proved");
    assert_eq!(interception["by"], "CN=WebFilter");
    let advice = flow["advice"].as_str().expect("advice");
    assert!(advice.contains("CN=WebFilter"), "{advice}");

    // Without a pin nothing tells, until a vantage that sees the server's own certificate is joined.
    let flow = run(&bed, &unpinned, "behind.json");
    assert_eq!(
        judged(&flow),
        "wrong certificate-untrusted error",
        "{flow:#}"
    );
    // The bed has one prober; of one vantage only the later report would count.
    let direct = fs::read_to_string(folder.join("direct.json")).expect("a report");
    let mut direct: Value = serde_json::from_str(&direct).expect("JSON");
    direct["vantages"][0]["host"] = "elsewhere".into();
    fs::write(folder.join("direct.json"), direct.to_string()).expect("written");
    let joined = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(["report", "direct.json", "behind.json", "--format", "json"])
        .current_dir(folder)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&joined.stderr);
    assert_eq!(joined.status.code(), Some(1), "{said}");
    let report: Value = serde_json::from_slice(&joined.stdout).expect("JSON");
    valid(&report);
    let mut flows = report["flows"].as_array().expect("flows").iter();
    let flow = flows.find(|flow| flow["id"] == "internet>web:443/tcp");
    let flow = flow.expect("the flow");
    assert_eq!(judged(flow), "wrong intercepted error", "{flow:#}");
    let interception = &flow["evidence"]["tls"]["interception"];
    assert_eq!(interception["by"], "CN=WebFilter");
    let because = interception["because"].as_str().expect("a reason");
    assert!(because.contains("CN=Site Root"), "{because}");
    assert_eq!(report["contradictions"][0]["flow"], flow["id"]);
}

/// Counts what leaves the prober by TCP and UDP: what goes to the system, to hosts that may be asked, and anywhere else.
const COUNTERS: &str = "table inet counts {
  counter system {}
  counter lists {}
  counter others {}
  chain out {
    type filter hook output priority 0;
    meta l4proto != { tcp, udp } accept
    ip daddr 192.0.2.10 counter name system accept
    ip daddr { 192.0.2.20, 192.0.2.21, 192.0.2.22 } tcp dport 80 counter name lists accept
    counter name others
  }
}
";

/// The packets of a counter; it begins anew.
fn counted(bed: &Bed, name: &str) -> u64 {
    let said = bed.says(0, &format!("nft -j reset counter inet counts {name}"));
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let mut all = said["nftables"].as_array().expect("a list").iter();
    let counter = all.find_map(|it| it["counter"]["packets"].as_u64());
    counter.expect("a counter")
}

#[test]
fn a_certificate_leads_to_no_host_but_those_that_may_be_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let root = authority("Site Root");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    publish(folder, "ca.crl", &root, 2090, None);
    let bed = Bed::new();
    let [client, _, server] = &bed.names;
    for last in [20, 21, 22, 30] {
        ip(&format!("-n {server} addr add 192.0.2.{last}/24 dev s1"));
    }
    let _names = Names::new(
        client,
        "192.0.2.20 pki.example.net\n192.0.2.21 moved.example.net\n192.0.2.22 on.example.net\n\
         169.254.169.254 trap.example.net\n127.0.0.1 trap.example.net\n192.0.2.20 \
         half.example.net\n127.0.0.1 half.example.net\n",
    );
    // Each with the host that is refused, and the reason.
    let refused = [
        ("http://127.0.0.1/ca.crl", "127.0.0.1:80", "loopback"),
        ("http://2130706433/other.crl", "127.0.0.1:80", "loopback"),
        ("http://0.0.0.0/ca.crl", "0.0.0.0:80", "unspecified"),
        ("http://[::1]/ca.crl", "[::1]:80", "loopback"),
        (
            "http://[::ffff:127.0.0.1]/ca.crl",
            "[::ffff:7f00:1]:80",
            "loopback",
        ),
        (
            "http://169.254.169.254/latest",
            "169.254.169.254:80",
            "link-local",
        ),
        ("http://[fe80::1]/ca.crl", "[fe80::1]:80", "link-local"),
        ("http://224.0.0.251/ca.crl", "224.0.0.251:80", "multicast"),
        (
            "http://255.255.255.255/ca.crl",
            "255.255.255.255:80",
            "broadcast",
        ),
        (
            "http://198.51.100.10/ca.crl",
            "198.51.100.10:80",
            "this host itself",
        ),
        (
            "http://trap.example.net/ca.crl",
            "trap.example.net:80",
            "link-local",
        ),
        (
            "http://192.0.2.30:8080/ca.crl",
            "192.0.2.30:8080",
            "neither 80 nor",
        ),
    ];
    let allowed = [
        "http://pki.example.net/ca.crl",
        "http://moved.example.net/ca.crl",
        "http://on.example.net/ca.crl",
        "http://half.example.net/ca.crl",
    ];
    let urls = allowed.iter().copied().chain(refused.map(|(url, ..)| url));
    let urls: Vec<String> = urls.map(str::to_string).collect();
    let directives = issue(folder, "web", &leaf(&urls), &root);
    let here = folder.display();
    let text = format!(
        "daemon off; user root; pid {here}/nginx.pid; error_log {here}/error.log; events {{}}\nhttp {{ access_log off; root {here};\n\
         server {{ listen 192.0.2.10:443 ssl; {directives} }}\n\
         server {{ listen 192.0.2.20:80; listen 192.0.2.30:8080; }}\n\
         server {{ listen 192.0.2.21:80; location / {{ return 302 http://169.254.169.254/ca.crl; }} }}\n\
         server {{ listen 192.0.2.22:80; location / {{ return 302 http://pki.example.net/ca.crl; }} }}\n}}"
    );
    fs::write(folder.join("nginx.conf"), text).expect("written");
    let _nginx = bed.start(2, &format!("nginx -c {here}/nginx.conf"), folder);
    bed.wait(2, 443, folder);
    fs::write(folder.join("counters.nft"), COUNTERS).expect("written");
    bed.says(0, &format!("nft -f {here}/counters.nft"));
    let check = |keys: &str| {
        let text = site(keys, "", "", &[]).replace("default: 127.0.0.1", "default: 192.0.2.10")
            + "flows: [{ from: internet, to: web, port: 443, protocol: https, need: required }]\n";
        let file = folder.join("site.yaml");
        fs::write(&file, text).expect("written");
        let mut command = assert_cmd::Command::new("ip");
        command
            .args(["netns", "exec", client])
            .arg(assert_cmd::cargo::cargo_bin("portproof"))
            .args([
                "check",
                "--from",
                "internet",
                "--format",
                "json",
                "--no-path",
            ])
            .arg(file);
        let run = run(&mut command);
        valid(&run.report);
        assert_eq!(judged(run.flow("internet>web:443/tcp")), "ok answered note");
        assert!(counted(&bed, "system") > 0);
        run
    };
    let notes = |run: &Run| -> Vec<String> {
        let notes = run.report["notes"].as_array().expect("notes").iter();
        let ours = notes.filter(|note| note["cause"] == "list-not-fetched");
        ours.map(|note| note["text"].as_str().expect("text").to_string())
            .collect()
    };

    let by_certificates = check("");
    assert_eq!(counted(&bed, "others"), 0);
    assert!(counted(&bed, "lists") > 0);
    let told = notes(&by_certificates);
    for (url, host, reason) in refused {
        let why = told
            .iter()
            .find(|text| text.starts_with(&format!("{host} was not asked")));
        let why = why.unwrap_or_else(|| panic!("{url}: {told:#?}"));
        assert!(why.contains(reason), "{why}");
    }
    let moved = "(moved.example.net redirects to it)";
    assert!(told.iter().any(|text| text.contains(moved)), "{told:#?}");
    let half = |text: &&String| {
        text.starts_with(
            "half.example.net:80 was asked for a revocation list at its other addresses only",
        ) && text.contains("127.0.0.1")
    };
    assert!(told.iter().any(|text| half(&text)), "{told:#?}");
    let flows = by_certificates.report["flows"].as_array().expect("flows");
    let ids = flows.iter().map(|flow| flow["id"].as_str().expect("an id"));
    let mut lists: Vec<&str> = ids.filter(|id| id.contains(">crl.")).collect();
    lists.sort_unstable();
    assert_eq!(
        lists,
        ["half", "moved", "on", "pki"]
            .map(|host| format!("internet>crl.{host}.example.net:80/tcp"))
    );
    for host in ["half", "on", "pki"] {
        let flow = by_certificates.flow(&format!("internet>crl.{host}.example.net:80/tcp"));
        assert_eq!(judged(flow), "ok answered note", "{flow:#}");
    }
    let flow = by_certificates.flow("internet>crl.moved.example.net:80/tcp");
    let list = &flow["evidence"]["lists"][0];
    assert!(
        list["faults"].to_string().contains("169.254.169.254"),
        "{list:#}"
    );
    // The hosts are said beforehand, and no other is.
    let said = &by_certificates.everything;
    let hosts = "from half.example.net:80, moved.example.net:80, on.example.net:80, \
        pki.example.net:80, trap.example.net:80\n";
    assert!(said.contains(hosts), "{said}");

    // Without hosts that only certificates name, what else is judged stays as it was.
    for (keys, reason) in [
        (", crl_hosts: named", "`site.crl_hosts` leaves out"),
        (", crl_hosts: none", "`site.crl_hosts` is `none`"),
    ] {
        let run = check(keys);
        let sent = ["lists", "others"].map(|name| counted(&bed, name));
        assert_eq!(sent, [0, 0], "{keys}");
        let told = notes(&run);
        assert!(
            told.iter().all(|text| text.contains(reason)) && !told.is_empty(),
            "{told:#?}"
        );
        let flows = run.report["flows"].as_array().expect("flows").iter();
        let of_lists = flows.filter(|flow| flow["id"].to_string().contains(">crl."));
        assert_eq!(of_lists.count(), 0, "{keys}");
    }

    // What the file names is asked wherever it is; the counter sees it.
    let named = check(
        ", crl_hosts: named, crl_urls: [\"http://192.0.2.30:8080/ca.crl\", \
         \"http://127.0.0.1/ca.crl\"]",
    );
    assert!(counted(&bed, "others") > 0);
    let flow = named.flow("internet>crl.192.0.2.30:8080/tcp");
    assert_eq!(judged(flow), "ok answered note", "{flow:#}");
    assert_eq!(
        named.flow("internet>crl.127.0.0.1:80/tcp")["verdict"],
        "down"
    );
}
