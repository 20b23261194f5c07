//! `PORTPROOF_LOG`: one flow's story can be found by its id, and no secret stands in any line.
#![cfg(unix)]

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

const NAME: &str = "web.example.com";
const PROXY_PASSWORD: &str = "hunter2-of-the-proxy";
const TOKEN: &str = "0d9b1f7c-token-of-this-run-0d9b1f7c";
const KEY_PASSWORD: &str = "correct-horse-of-the-key";

fn portproof(arguments: &[&str], log: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portproof"));
    command.args(arguments).env("PORTPROOF_LOG", log);
    command
}

/// How a secret may stand in a line: as it is, in hexadecimal, as a list of bytes, in base64 behind other bytes.
fn forms(secret: &[u8]) -> Vec<String> {
    let hex = |gap: &str| {
        let bytes: Vec<String> = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(gap)
    };
    let list = format!("{secret:?}");
    let mut forms = vec![hex(""), hex(", "), list[1..list.len() - 1].to_string()];
    forms.extend((0..3).map(|skipped| {
        let whole = (secret.len() - skipped) / 3 * 3;
        STANDARD.encode(&secret[skipped..skipped + whole])
    }));
    forms.extend(String::from_utf8(secret.to_vec()));
    forms
}

fn assert_holds_none(log: &str, secret: &[u8], what: &str) {
    let log = log.to_lowercase();
    for form in forms(secret) {
        assert!(!log.contains(&form.to_lowercase()), "{what}: {form}");
    }
}

#[test]
fn each_form_of_a_secret_would_be_found() {
    let secret = b"a secret of some length";
    let plain = "a secret of some length".to_string();
    let shown = [
        plain,
        format!("{secret:02X?}"),
        format!("{secret:?}"),
        STANDARD.encode([b"u:".as_slice(), secret].concat()),
    ];
    for text in shown {
        let found = std::panic::catch_unwind(|| assert_holds_none(&text, secret, "planted"));
        assert!(found.is_err(), "{text}");
    }
}

/// A server that asks for a client certificate and answers one request.
fn server(root: &CertifiedIssuer<'static, KeyPair>) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).expect("a root");
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![NAME.to_string()]).expect("a name");
    let certificate = params.signed_by(&key, root).expect("signed");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(clients.build().expect("a verifier"))
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        );
    let config = Arc::new(config.expect("a server"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let connection = ServerConnection::new(config).expect("a server");
                let mut stream = StreamOwned::new(connection, stream);
                if stream.read(&mut [0; 4_096]).is_ok_and(|count| count > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                }
            });
        }
    });
    at
}

/// A proxy that lets whoever logs in through to `to`; what it was told is kept.
fn proxy(to: SocketAddr) -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    let told = Arc::<Mutex<String>>::default();
    let kept = Arc::clone(&told);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = Arc::clone(&told);
            thread::spawn(move || tunnel(stream, to, &told));
        }
    });
    (at, kept)
}

fn tunnel(mut client: TcpStream, to: SocketAddr, told: &Mutex<String>) -> io::Result<()> {
    // The client says nothing more before it is answered, so that nothing is left in the buffer.
    let mut lines = BufReader::new(client.try_clone()?).lines();
    while let Some(Ok(line)) = lines
        .next()
        .filter(|line| line.as_ref().is_ok_and(|it| !it.is_empty()))
    {
        *told.lock().expect("no panic") += &(line + "\n");
    }
    let mut server = TcpStream::connect(to)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut there, mut back) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut there, &mut back);
        let _ = back.shutdown(Shutdown::Write);
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Write)
}

/// Writes the root and a client certificate whose file has a password; the secret number of its key comes back.
fn certificates(folder: &Path, root: &CertifiedIssuer<'static, KeyPair>) -> Vec<u8> {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["client01".to_string()]).expect("a name");
    let client = params.signed_by(&key, root).expect("signed");
    fs::write(folder.join("root.pem"), root.pem()).expect("written");
    fs::write(folder.join("client.crt"), client.pem()).expect("written");
    fs::write(folder.join("client.key"), key.serialize_pem()).expect("written");
    let made = Command::new("openssl")
        .args([
            "pkcs12",
            "-export",
            "-in",
            "client.crt",
            "-inkey",
            "client.key",
            "-out",
            "client.pfx",
        ])
        .args(["-passout", &format!("pass:{KEY_PASSWORD}")])
        .current_dir(folder)
        .status();
    assert!(
        made.expect("openssl is needed: scripts/test installs it")
            .success()
    );
    let der = key.serialize_der();
    // An octet string of 32 bytes (RFC 5915).
    let place = der.windows(2).position(|pair| pair == [0x04, 0x20]);
    let begin = place.expect("the secret number") + 2;
    der[begin..begin + 32].to_vec()
}

#[test]
fn no_secret_stands_in_the_log_at_any_level_nor_in_what_rustls_logs() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let root = CertifiedIssuer::self_signed(params, key).expect("a root");
    let secret_number = certificates(folder, &root);
    let (proxy, told) = proxy(server(&root));
    fs::write(folder.join("token"), TOKEN).expect("written");
    let site = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ internet: {{}}, perimeter: {{}} }}
firewalls: {{ wall: {{ between: [internet, perimeter] }} }}
clients: [internet]
systems: {{ web: {{ zone: perimeter, names: {{ default: {NAME} }}, roles: [console] }} }}
tls: {{ roots: [root.pem], client_certificate: client.pfx }}
via: {{ internet: \"http://probe@{proxy}\" }}
probing: {{ second_look: off, timeout: 2s, rate: max, dns: off, sweep: none }}
flows:
  - {{ from: internet, to: web, port: 443, protocol: https, need: required }}\n"
    );
    fs::write(folder.join("site.yaml"), site).expect("written");
    let output = portproof(
        &[
            "check",
            "site.yaml",
            "--from",
            "internet",
            "--token-file",
            "token",
            "--format",
            "json",
        ],
        "trace,rustls=trace",
    )
    .env("PORTPROOF_VIA_PASSWORD", PROXY_PASSWORD)
    .env("PORTPROOF_CLIENT_PASSWORD", KEY_PASSWORD)
    .current_dir(folder)
    .output()
    .expect("it runs");
    let log = String::from_utf8(output.stderr).expect("text");

    // All of them were in use.
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{log}"));
    let mut flows = report["flows"].as_array().expect("flows").iter();
    let flow = flows.find(|flow| flow["id"] == "internet>web:443/tcp");
    let flow = flow.expect("the flow");
    assert_eq!(flow["evidence"]["tls"]["presented"], "taken", "{flow:#}");
    let login = STANDARD.encode(format!("probe:{PROXY_PASSWORD}"));
    assert!(told.lock().expect("no panic").contains(&login));
    for line in [
        "sent, with credentials kind=\"CONNECT request\"",
        "came kind=\"CONNECT answer\" length=19",
        "sent kind=\"challenge\" length=",
        "sent kind=\"TLS handshake\" length=",
        "sent kind=\"GET\" length=",
        " rustls::client::",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }

    assert_holds_none(&log, PROXY_PASSWORD.as_bytes(), "the proxy's password");
    assert_holds_none(&log, TOKEN.as_bytes(), "the token");
    assert_holds_none(&log, KEY_PASSWORD.as_bytes(), "the password of the key");
    assert_holds_none(&log, &secret_number[..12], "the key");
    assert_holds_none(&log, &secret_number[20..], "the key");
    assert!(!log.contains("PRIVATE KEY"));
    let own = log.lines().filter(|line| line.contains(" portproof::"));
    for line in own {
        assert!(!line.contains("HTTP/1.1"), "content: {line}");
    }
}

#[test]
fn one_flows_story_is_found_by_its_id_from_question_to_verdict() {
    let output = portproof(&["check", "--lab"], "debug")
        .output()
        .expect("it runs");
    let log = String::from_utf8(output.stderr).expect("text");
    let story = |id: &str| -> Vec<String> {
        let of_it = log
            .lines()
            .filter(|line| line.contains(&format!("flow={id}")));
        of_it.map(str::to_string).collect()
    };
    let silent = story("internet>ibs01:8443/tcp");
    let steps = |words: &[&str]| {
        let mut rest = silent.iter();
        for word in words {
            assert!(rest.any(|line| line.contains(word)), "{word}: {silent:#?}");
        }
    };
    steps(&[
        ": asks to=Address(203.0.113.10) port=8443",
        ": attempt attempt=1 ",
        ": attempt attempt=2 ",
        ": answer seen=[state=Filtered ",
        ": decided ",
    ]);
    let last = silent.last().expect("a story");
    assert!(
        last.contains(
            "verdict=blocked cause=no-answer level=error owner=firewall control=Host question="
        ),
        "{last}"
    );
    assert!(
        last.contains("evidence=[state=Filtered address=203.0.113.10 "),
        "{last}"
    );
    let open = story("internet>ibs01:443/tcp").join("\n");
    assert!(open.contains(": came back attempt=1 took_ms="), "{open}");
    assert!(
        !log.contains("TRACE") && !log.contains('\x1b'),
        "levels and colours"
    );
}

#[test]
fn a_level_that_is_none_is_said_in_one_line_and_the_run_goes_on() {
    let output = portproof(&["plan", "probes.yaml"], "debgu")
        .output()
        .expect("it runs");
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "warning: PORTPROOF_LOG: `debgu` is no level; the levels are off, error, warn, info, \
         debug, trace\n"
    );
}

/// What the program shows on a terminal, which `script` (util-linux) plays.
fn on_a_terminal(variables: &[(&str, &str)]) -> String {
    let program = env!("CARGO_BIN_EXE_portproof");
    let shown = Command::new("script")
        .args([
            "-qec",
            &format!("{program} check --lab --healthy > /dev/null"),
            "/dev/null",
        ])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .envs(variables.iter().copied())
        .output();
    let shown = shown.expect("`script` is needed: it is part of util-linux");
    String::from_utf8_lossy(&shown.stdout).into_owned()
}

#[test]
fn a_terminal_shows_a_bar_or_lines_never_both_and_colours_unless_they_are_unwanted() {
    let (bar, colour) = ("\u{2591} ", "\x1b[34mDEBUG");
    let quiet = on_a_terminal(&[]);
    assert!(quiet.contains(bar) && !quiet.contains("DEBUG"), "{quiet}");
    assert!(quiet.contains(" s left of "), "{quiet}");
    let full = "\u{2588}".repeat(30);
    assert!(
        !quiet.contains(&full),
        "full while something is left: {quiet}"
    );
    let lines = on_a_terminal(&[("PORTPROOF_LOG", "debug")]);
    assert!(lines.contains(colour) && !lines.contains(bar), "{lines}");
    let plain = on_a_terminal(&[("PORTPROOF_LOG", "debug"), ("NO_COLOR", "1")]);
    assert!(
        plain.contains("DEBUG") && !plain.contains("\x1b["),
        "{plain}"
    );
}
