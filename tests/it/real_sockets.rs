//! Real servers on loopback, IPv4 and IPv6, and servers that misbehave: the right verdict, in bounded time.
//!
//! nginx is the real web server; where it is missing the test fails and says how to get it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::ends::EndsWithTest;
use crate::support::memory::memory;
use crate::support::ports;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use serde_json::Value;

fn free_port(address: IpAddr) -> u16 {
    ports::free(address).port()
}

fn certificate(
    issuer: &CertifiedIssuer<'_, KeyPair>,
    folder: &Path,
    file: &str,
    name: &str,
    expired: bool,
) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![name.to_string()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if expired {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    }
    let signed = params.signed_by(&key, issuer).expect("signed");
    fs::write(folder.join(format!("{file}.crt")), signed.pem()).expect("written");
    fs::write(folder.join(format!("{file}.key")), key.serialize_pem()).expect("written");
}

/// nginx with three TLS servers: good, for another name, expired.
fn nginx(folder: &Path, address: IpAddr) -> (EndsWithTest, [u16; 3]) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root");
    fs::write(folder.join("ca.pem"), issuer.pem()).expect("written");
    certificate(&issuer, folder, "good", "web.example.com", false);
    certificate(&issuer, folder, "name", "other.example.com", false);
    certificate(&issuer, folder, "expired", "web.example.com", true);
    let ports = [free_port(address), free_port(address), free_port(address)];
    let here = folder.display();
    let mut servers = String::new();
    for (port, file) in ports.iter().zip(["good", "name", "expired"]) {
        let listen = SocketAddr::new(address, *port);
        servers += &format!(
            "server {{ listen {listen} ssl; ssl_certificate {here}/{file}.crt; ssl_certificate_key {here}/{file}.key; location / {{ return 200; }} }}\n"
        );
    }
    let user = if nix::unistd::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    let text = format!(
        "daemon off; {user} pid {here}/nginx.pid; error_log {here}/error.log; events {{}}\nhttp {{ access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n{servers} }}"
    );
    fs::write(folder.join("nginx.conf"), text).expect("written");
    let started = Command::new("nginx")
        .arg("-c")
        .arg(folder.join("nginx.conf"))
        .stderr(Stdio::null())
        .spawn();
    let server = EndsWithTest(
        started.expect("nginx is needed: scripts/test installs it (apt-get install nginx-light)"),
    );
    for port in ports {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((address, port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "nginx did not start: {}",
                fs::read_to_string(folder.join("error.log")).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
    (server, ports)
}

/// A listener whose accept queue is full: Linux drops what comes then.
fn silent(address: IpAddr) -> (socket2::Socket, Vec<socket2::Socket>, u16) {
    let domain = if address.is_ipv4() {
        socket2::Domain::IPV4
    } else {
        socket2::Domain::IPV6
    };
    let socket = || socket2::Socket::new(domain, socket2::Type::STREAM, None).expect("a socket");
    let listener = socket();
    listener
        .bind(&SocketAddr::new(address, 0).into())
        .expect("bound");
    listener.listen(0).expect("listening");
    let at = listener
        .local_addr()
        .expect("an address")
        .as_socket()
        .expect("an address");
    let fillers = (0..3).map(|_| {
        let filler = socket();
        filler.set_nonblocking(true).expect("non-blocking");
        let _ = filler.connect(&at.into());
        filler
    });
    let fillers = fillers.collect();
    (listener, fillers, at.port())
}

struct Report {
    status: i32,
    verdicts: BTreeMap<u16, String>,
    json: Value,
    took: Duration,
}

/// Runs the program on flows `(port, protocol, need)` to systems at one address.
fn check(folder: &Path, addresses: &str, flows: &[(u16, &str, &str)], probing: &str) -> Report {
    let mut text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
systems: {{ web: {{ zone: there, names: {{ default: web.example.com }}, addresses: {{ default: {addresses} }}, roles: [console] }} }}
tls: {{ roots: [ca.pem] }}
probing: {{ second_look: off, timeout: 1s, rate: max, dns: off, sweep: none{probing} }}
flows:\n"
    );
    if !folder.join("ca.pem").exists() {
        text = text.replace("tls: { roots: [ca.pem] }\n", "");
    }
    for (port, protocol, need) in flows {
        text += &format!(
            "  - {{ from: here, to: web, port: {port}, protocol: {protocol}, need: {need} }}\n"
        );
    }
    let file = folder.join("site.yaml");
    fs::write(&file, text).expect("written");
    let started = Instant::now();
    let output = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(["check", "--from", "here", "--format", "json"])
        .arg(&file)
        .output()
        .expect("it runs");
    let took = started.elapsed();
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let wanted: Vec<u16> = flows.iter().map(|flow| flow.0).collect();
    let verdicts = json["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .filter_map(|flow| {
            Some((
                u16::try_from(flow["port"].as_u64()?).ok()?,
                format!("{} {}", flow["verdict"].as_str()?, flow["cause"].as_str()?),
            ))
        })
        .filter(|(port, _)| wanted.contains(port))
        .collect();
    Report {
        status: output.status.code().expect("a status"),
        verdicts,
        json,
        took,
    }
}

fn five_verdicts(address: IpAddr, addresses: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (_nginx, [good, name, expired]) = nginx(folder.path(), address);
    let closed = free_port(address);
    let (_listener, _fillers, silent) = silent(address);
    let open = TcpListener::bind((address, 0)).expect("loopback");
    let exposed = open.local_addr().expect("an address").port();
    let flows = [
        (good, "https", "required"),
        (name, "https", "required"),
        (expired, "https", "required"),
        (closed, "tcp", "required"),
        (silent, "tcp", "required"),
        (exposed, "tcp", "forbidden"),
    ];
    let report = check(folder.path(), addresses, &flows, "");
    let expected = [
        (good, "ok answered"),
        (name, "wrong certificate-name"),
        (expired, "wrong certificate-expired"),
        (closed, "down nobody-listens"),
        (silent, "blocked no-answer"),
        (exposed, "exposed open"),
    ];
    assert_eq!(
        report.verdicts,
        expected
            .map(|(port, verdict)| (port, verdict.to_string()))
            .into()
    );
    assert_eq!(report.status, 1);
    let flow = report.json["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .find(|flow| flow["port"] == good)
        .expect("the good flow");
    assert_eq!(flow["evidence"]["depth"], "http");
    assert_eq!(flow["evidence"]["http"]["status"], 200);
    assert_eq!(
        flow["evidence"]["tls"]["chain"][0]["names"][0],
        "web.example.com"
    );
}

#[test]
fn right_verdicts_against_nginx_and_ports_closed_silent_and_open_on_ipv4() {
    five_verdicts("127.0.0.1".parse().expect("an address"), "127.0.0.1");
}

#[test]
fn right_verdicts_on_ipv6() {
    five_verdicts("::1".parse().expect("an address"), "\"::1\"");
}

#[test]
fn of_two_addresses_of_one_name_the_worst_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let v6 = TcpListener::bind("[::1]:0").expect("loopback");
    let port = v6.local_addr().expect("an address").port();
    let report = check(
        folder.path(),
        "[127.0.0.1, \"::1\"]",
        &[(port, "tcp", "required")],
        "",
    );
    assert_eq!(report.verdicts[&port], "down nobody-listens");
    let flow = &report.json["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .find(|flow| flow["port"] == port)
        .expect("the flow")["evidence"];
    assert!(flow["state"]["closed"].is_object(), "{flow:#}");
    assert_eq!(flow["address"], "127.0.0.1");
    let other = &flow["others"][0];
    assert_eq!(
        (&other["address"], &other["state"]),
        (&"::1".into(), &"open".into())
    );
}

/// A server that handles each connection on a thread of its own.
fn server(behave: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || behave(stream));
        }
    });
    port
}

#[test]
fn servers_that_misbehave_get_the_right_verdict_in_bounded_time() {
    let mute = server(|_stream| thread::sleep(Duration::from_secs(20)));
    let slow = server(|mut stream| {
        for byte in b"HTTP/1.1 200 OK\r\nX: xxxxxxxxxxxxxxxxxxxx" {
            let _ = stream.write_all(&[*byte]);
            thread::sleep(Duration::from_secs(1));
        }
    });
    let endless = server(|mut stream| {
        let block = vec![b'x'; 1 << 16];
        for _ in 0..1_600 {
            if stream.write_all(&block).is_err() {
                return;
            }
        }
    });
    let hangs_up = server(drop);
    let ssh = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n");
        let _ = stream.read(&mut [0; 512]);
    });
    let cut = server(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(&[22, 3, 3, 0, 80, 2, 0, 0]);
    });
    let broken = server(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n");
    });
    let forbidden = server(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    let folder = tempfile::tempdir().expect("a folder");
    let flows = [
        (mute, "http", "required"),
        (slow, "http", "required"),
        (endless, "http", "required"),
        (hangs_up, "http", "required"),
        (ssh, "tls", "required"),
        (cut, "https", "required"),
        (broken, "http", "required"),
        (forbidden, "http", "required"),
    ];
    let report = check(folder.path(), "127.0.0.1", &flows, "");
    let expected = [
        (mute, "wrong mute"),
        (slow, "wrong mute"),
        (endless, "wrong not-http"),
        (hangs_up, "wrong hung-up"),
        (ssh, "wrong not-tls"),
        (cut, "wrong hung-up-in-handshake"),
        (broken, "wrong http-server-error"),
        (forbidden, "ok answered"),
    ];
    assert_eq!(
        report.verdicts,
        expected
            .map(|(port, verdict)| (port, verdict.to_string()))
            .into()
    );
    assert!(report.took < Duration::from_secs(5), "{:?}", report.took);
}

#[test]
fn an_open_port_that_does_not_speak_the_protocol_is_wrong() {
    let open = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = open.local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let protocols = ["smb", "tds", "rpc", "ldap", "dns"];
    for protocol in protocols {
        let wanted = [(port, protocol, "required")];
        let report = check(folder.path(), "127.0.0.1", &wanted, "");
        assert_eq!(report.verdicts[&port], "wrong mute", "{protocol}");
        assert_eq!(report.status, 1);
    }
}

#[test]
fn too_few_tries_are_no_proof() {
    let (_listener, _fillers, port) = silent("127.0.0.1".parse().expect("an address"));
    let open = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let alive = open.local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let report = check(
        folder.path(),
        "127.0.0.1",
        &[(port, "tcp", "required"), (alive, "tcp", "required")],
        ", attempts: 1",
    );
    assert_eq!(report.verdicts[&port], "unknown not-proved");
}

#[test]
fn a_name_that_does_not_exist_passes_no_forbidden_flow() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    let text = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { here: {}, there: {} }
firewalls: { wall: { between: [here, there] } }
systems: { web: { zone: there, names: { default: no-such-host.invalid }, roles: [console] } }
probing: { second_look: off, timeout: 1s }
flows: [{ from: here, to: web, port: 9, need: forbidden }]\n";
    fs::write(&file, text).expect("written");
    let output = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(["check", "--from", "here", "--format", "json"])
        .arg(&file)
        .output()
        .expect("it runs");
    let json: Value = serde_json::from_slice(&output.stdout).expect("a report");
    for flow in json["flows"].as_array().expect("flows") {
        assert_eq!(flow["verdict"], "unknown", "{}", flow["id"]);
    }
}

#[test]
fn a_thousand_flows_half_refused_take_under_two_seconds_and_64_mb() {
    let listeners: Vec<TcpListener> = (0..500)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("loopback"))
        .collect();
    let open: Vec<u16> = listeners
        .iter()
        .map(|listener| listener.local_addr().expect("an address").port())
        .collect();
    // Below the ports that other tests give to their servers.
    let closed = (5_000..20_000)
        .filter(|port| !open.contains(port) && TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .take(500);
    let flows: Vec<(u16, &str, &str)> = open
        .iter()
        .copied()
        .chain(closed)
        .map(|port| (port, "tcp", "optional"))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let run = || check(folder.path(), "127.0.0.1", &flows, ", per_host: 1024");
    let mut report = run();
    // What else this machine does may hold up one run, not every one.
    for _ in 0..4 {
        if report.took >= Duration::from_secs(2) {
            report = run();
        }
    }
    assert_eq!(report.verdicts.len(), 1_000);
    assert_eq!(
        report
            .verdicts
            .values()
            .filter(|verdict| *verdict == "ok answered")
            .count(),
        500
    );
    assert!(report.took < Duration::from_secs(2), "{:?}", report.took);
    let peak = peak(&folder.path().join("site.yaml"));
    assert!(peak < 64 << 10, "{peak} KiB");
}

/// The most memory that a run has had when it writes its report, in KiB. A pipe holds less than the report, so the program
/// waits with the whole of it.
fn peak(site: &Path) -> usize {
    let mut portproof = Command::new(env!("CARGO_BIN_EXE_portproof"))
        .args(["check", "--from", "here", "--format", "json"])
        .arg(site)
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut out = portproof.stdout.take().expect("its output");
    out.read_exact(&mut [0]).expect("a report");
    let peak = memory(portproof.id()).expect("it runs").most;
    std::io::copy(&mut out, &mut std::io::sink()).expect("the rest");
    portproof.wait().expect("ended");
    peak
}

/// A site of one system on loopback with these lines after the systems.
fn site_file(folder: &Path, rest: &str) -> std::path::PathBuf {
    let file = folder.join("site.yaml");
    let text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
systems: {{ web: {{ zone: there, names: {{ default: localhost }}, addresses: {{ default: 127.0.0.1 }}, roles: [console] }} }}
{rest}"
    );
    fs::write(&file, text).expect("written");
    file
}

#[test]
fn a_swept_port_becomes_a_flow_only_when_it_is_open() {
    let open = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = open.local_addr().expect("an address").port();
    let shut = free_port("127.0.0.1".parse().expect("an address"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = site_file(
        folder.path(),
        &format!(
            "probing: {{ second_look: off, rate: max, dns: off, sweep: \"{port},{shut}\" }}\n"
        ),
    );
    let output = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(["check", "--from", "here", "--format", "json"])
        .arg(&file)
        .output()
        .expect("it runs");
    let json: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let ids: Vec<&str> = json["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .filter_map(|flow| flow["id"].as_str())
        .collect();
    assert!(
        ids.contains(&format!("here>web:{port}/tcp").as_str()),
        "{ids:?}"
    );
    assert!(
        !ids.contains(&format!("here>web:{shut}/tcp").as_str()),
        "{ids:?}"
    );
    assert!(ids.contains(&"here>web:sweep/tcp"), "{ids:?}");
    assert_eq!(json["sweeps"][0]["states"]["open"], port.to_string());
}

#[test]
fn an_interrupted_run_ends_within_a_second_and_still_reports() {
    let open = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let alive = open.local_addr().expect("an address").port();
    let silents: Vec<_> = (0..8)
        .map(|_| silent("127.0.0.1".parse().expect("an address")))
        .collect();
    let mut flows = format!("  - {{ from: here, to: web, port: {alive}, need: required }}\n");
    for (_, _, port) in &silents {
        flows += &format!("  - {{ from: here, to: web, port: {port}, need: required }}\n");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = site_file(
        folder.path(),
        &format!(
            "probing: {{ second_look: off, rate: 2/s, dns: off, sweep: none, timeout: 10s }}\nflows:\n{flows}"
        ),
    );
    let program = assert_cmd::cargo::cargo_bin("portproof");
    let child = Command::new(program)
        .args(["check", "--from", "here", "--format", "json"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    // On a busy host the program starts late. By the time it knocks it can be interrupted.
    let _held = open.accept().expect("it knocks");
    let asked = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(asked.success());
    let interrupted = Instant::now();
    let output = child.wait_with_output().expect("it ends");
    assert!(
        interrupted.elapsed() < Duration::from_secs(1),
        "{:?}",
        interrupted.elapsed()
    );
    let json: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let verdicts: Vec<&str> = json["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .filter_map(|flow| flow["verdict"].as_str())
        .collect();
    assert_eq!(verdicts.len(), 9);
    assert!(!verdicts.contains(&"blocked"), "{verdicts:?}");
    assert_eq!(output.status.code(), Some(3));
}
