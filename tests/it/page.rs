//! The page of `portproof serve`: strips, events, the API, and who is let in.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::serve::{Place, asked};
use crate::support::openssl_tool::openssl;
use crate::support::ports;

/// The page of a daemon on a port of its own.
fn with_page(place: &Place, more: &str) -> String {
    let at = format!("127.0.0.1:{}", ports::free(Ipv4Addr::LOCALHOST).port());
    let file = fs::read_to_string(place.file("serve.yaml")).expect("text");
    place.write("serve.yaml", &format!("{file}\npage: {at}\n{more}"));
    at
}

/// A stream that is opened, and what it says, line by line.
fn stream(at: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(at).expect("it listens");
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).expect("set");
    let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: {at}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    BufReader::new(stream)
}

#[test]
fn the_strip_of_a_flow_shows_when_it_was_blocked_also_after_a_new_start() {
    let place = Place::new("every: 1s", "");
    let at = with_page(&place, "");
    let server = place.listens();
    let daemon = place.serves();
    place.until_said("run 1: 1 ok", 1);
    let page = || asked(&at, "/checks/pri", &at).1;
    let until = |words: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !page().contains(words) {
            assert!(Instant::now() < deadline, "{words}: {}", page());
            sleep(Duration::from_millis(50));
        }
    };
    until("1 flows: no change");
    drop(server);
    until("0 other flows: no change");
    assert!(page().contains(": down</title>"), "{}", page());
    let _server = place.listens();
    until("<span class=\"look ok\">\u{2713} ok</span> here");
    assert!(page().contains(": down</title>"), "the worst counts");
    daemon.stops();
    place.write("probes.yaml", "site: {");
    let daemon = place.serves();
    place.until_said("it cannot run", 1);
    until(": down</title>");
    daemon.stops();
}

#[test]
fn what_happens_is_told_as_it_happens_and_the_stream_ends_with_the_daemon() {
    let place = Place::new("every: 1s", "");
    let at = with_page(&place, "");
    let daemon = place.serves();
    place.until_said("run 1: ", 1);
    let mut told = stream(&at).lines();
    let mut until = |words: &str| {
        told.by_ref()
            .map(|line| line.expect("text"))
            .find(|line| line.contains(words))
            .unwrap_or_else(|| panic!("{words}"))
    };
    until("content-type: text/event-stream");
    for what in ["run-began", "run-ended", "run-kept", "scheduled"] {
        let line = until(what);
        let (_, data) = line.split_once("data: ").expect("an event");
        let news: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(news, serde_json::json!({ "check": "pri", "what": what }));
    }
    place.write("probes.yaml", "site: {");
    until("site-file-refused");
    let took = daemon.stops();
    // On a busy machine. Held up by a connection, it would take more than ten.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(
        told.take(1_000).all(|line| line.is_ok()),
        "it ends in order"
    );
}

#[test]
fn listeners_that_are_too_many_are_refused_and_leave_room_for_whoever_asks() {
    let place = Place::new("every: 1s", "");
    let at = with_page(&place, "");
    let daemon = place.serves();
    place.until_said("run 1: ", 1);
    let heads = |stream: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        line
    };
    let mut all: Vec<_> = (0..33).map(|_| stream(&at)).collect();
    let answers: Vec<String> = all.iter_mut().map(heads).collect();
    let refused = answers.iter().filter(|it| it.contains("503")).count();
    assert_eq!(refused, 1, "{answers:?}");
    assert_eq!(asked(&at, "/healthz", &at).1, "it lives\n");
    drop(all);
    // Their places are free again, as soon as something is told.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut again = stream(&at);
        if heads(&mut again).contains("200") {
            break;
        }
        assert!(Instant::now() < deadline, "no place is free");
        let _ = again.get_ref().take(0);
        sleep(Duration::from_millis(100));
    }
    daemon.stops();
}

#[test]
fn pages_run_no_script_but_ours_and_reports_as_files_none() {
    let place = Place::new("every: 1s", "");
    let at = with_page(&place, "");
    let daemon = place.serves();
    place.until_said("run 1: ", 1);
    for path in ["/", "/checks/pri"] {
        let (head, page) = asked(&at, path, &at);
        assert!(head.contains("script-src 'self'"), "{head}");
        assert!(!head.contains("unsafe"), "{head}");
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        let refresh = "<noscript><meta http-equiv=\"refresh\"";
        assert!(page.contains(refresh), "{page}");
    }
    let (head, script) = asked(&at, "/live.js", &at);
    assert!(head.contains("content-type: text/javascript"), "{head}");
    assert!(script.contains("EventSource"), "{script}");
    daemon.stops();
    let kept = Command::new(env!("CARGO_BIN_EXE_portproof"))
        .args(["history", "show", "1", "--format", "html", "--keep"])
        .arg(place.file("runs"))
        .output()
        .expect("it runs");
    let file = String::from_utf8_lossy(&kept.stdout);
    assert!(file.contains("<html"), "{file}");
    assert!(!file.contains("<script") && !file.contains("script-src"));
}

/// Asserts that a document fits a schema of the API.
fn assert_of_api(api: &Value, name: &str, document: &Value) {
    let schema = serde_json::json!({
        "$ref": format!("#/components/schemas/{name}"),
        "components": api["components"],
    });
    let validator = jsonschema::validator_for(&schema).expect("a good schema");
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?}");
}

#[test]
fn the_api_is_as_its_own_document_says_which_another_reader_finds_whole() {
    let place = Place::new("every: 1s", "");
    let at = with_page(&place, "");
    let daemon = place.serves();
    place.until_said("run 1: ", 1);
    let get = |path: &str| -> Value {
        let (head, body) = asked(&at, path, &at);
        assert!(head.contains("content-type: application/json"), "{head}");
        serde_json::from_str(&body).unwrap_or_else(|why| panic!("{path}: {why}: {body}"))
    };
    let api = get("/api/v1/openapi.json");
    assert_of_api(&api, "ChecksDocument", &get("/api/v1/checks"));
    assert_of_api(&api, "ReportDocument", &get("/api/v1/checks/pri"));
    let news = serde_json::json!({ "check": "pri", "what": "run-kept" });
    assert_of_api(&api, "News", &news);
    // Every path that it names answers as it says.
    let paths = api["paths"].as_object().expect("paths");
    for (path, of) in paths {
        let path = path.replace("{name}", "pri");
        if path == "/api/v1/events" {
            continue;
        }
        let (head, _) = asked(&at, &path, &at);
        let content = of["get"]["responses"]["200"]["content"]
            .as_object()
            .and_then(|it| it.keys().next())
            .expect("a type");
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
        let said = format!("content-type: {content}");
        assert!(head.contains(&said), "{path}: {said}: {head}");
    }
    daemon.stops();
    let printed = Command::new(env!("CARGO_BIN_EXE_portproof"))
        .args(["schema", "api"])
        .output()
        .expect("it runs");
    let printed: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    assert_eq!(printed, api);
    place.write("api.json", &api.to_string());
    let reader = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/openapi-spec-validator/bin/openapi-spec-validator");
    let judged = Command::new(reader)
        .arg(place.file("api.json"))
        .output()
        .expect("scripts/test installs it");
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success(), "{said}");
}

/// Keys and certificates in a folder. The page's is for `page.example`; those of clients are from an authority, and from
/// nobody.
fn certificates(folder: &Path) {
    let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    for (name, more) in [
        ("page", "-addext subjectAltName=DNS:page.example"),
        ("ca", ""),
        ("stranger", ""),
    ] {
        openssl(
            folder,
            &format!("{make} -keyout {name}.key -out {name}.pem -subj /CN={name} {more}"),
        );
    }
    let client = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout client.key";
    openssl(
        folder,
        &format!(
            "req {client} -subj /CN=client -addext extendedKeyUsage=clientAuth -out client.csr"
        ),
    );
    openssl(
        folder,
        "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -days 2 -copy_extensions copyall -out client.pem",
    );
}

/// What a page over TLS answers to a request with these headers, asked with this certificate.
fn asked_over_tls(place: &Place, at: &str, headers: &str, certificate: Option<&str>) -> String {
    let mut client = Command::new("openssl");
    client
        .args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-CAfile",
            "page.pem",
        ])
        .args(["-servername", "page.example", "-connect", at])
        .current_dir(place.file("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(name) = certificate {
        client.args([
            "-cert",
            &format!("{name}.pem"),
            "-key",
            &format!("{name}.key"),
        ]);
    }
    let mut client = client.spawn().expect("openssl is needed");
    let request = format!("GET /api/v1/checks HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    let mut to = client.stdin.take().expect("a pipe");
    // Who is refused may be gone already.
    let _ = to.write_all(request.as_bytes());
    let answer = client.wait_with_output().expect("it ends");
    drop(to);
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A page on all addresses of this host, with these keys.
fn on_the_network(place: &Place, keys: &str) -> String {
    certificates(&place.file("."));
    place.write("token", &format!("{TOKEN}\n"));
    let port = ports::free(Ipv4Addr::LOCALHOST).port();
    let file = fs::read_to_string(place.file("serve.yaml")).expect("text");
    let page = format!("{file}\npage: {{ address: 0.0.0.0:{port}, {keys} }}\n");
    place.write("serve.yaml", &page);
    format!("127.0.0.1:{port}")
}

#[test]
fn a_page_of_the_network_is_shown_over_tls_to_whoever_has_the_token() {
    let place = Place::new("every: 1s", "");
    let tls = "tls: { certificate: page.pem, key: page.key }";
    let at = on_the_network(&place, &format!("{tls}, token_file: token"));
    let daemon = place.serves();
    place.until_said("run 1: ", 1);
    let ask = |headers: &str| asked_over_tls(&place, &at, headers, None).to_lowercase();
    let host = "Host: page.example\r\n";
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let right = ask(&format!("{host}{bearer}"));
    assert!(
        right.contains(" 200 ok") && right.contains("portproof.checks/1"),
        "{right}"
    );
    for wrong in [
        "",
        "Authorization: Bearer 0123\r\n",
        "Authorization: Basic eA==\r\n",
    ] {
        let answer = ask(&format!("{host}{wrong}"));
        assert!(answer.contains(" 401 "), "{wrong}: {answer}");
        assert!(answer.contains("www-authenticate: basic"), "{answer}");
        assert!(!answer.contains("portproof.checks"), "{answer}");
    }
    // By a name that is none of its own.
    for name in ["evil.example", "localhost"] {
        let answer = ask(&format!("Host: {name}\r\n{bearer}"));
        assert!(answer.contains(" 421 "), "{name}: {answer}");
    }
    // Who speaks no TLS, or nothing at all, holds up nobody.
    let mut silent: Vec<TcpStream> = (0..20)
        .map(|_| TcpStream::connect(&at).expect("it listens"))
        .collect();
    let mut plain = TcpStream::connect(&at).expect("it listens");
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.contains("HTTP/"), "{answer}");
    assert!(ask(&format!("{host}{bearer}")).contains(" 200 ok"));
    // A handshake has five seconds.
    let patience = Some(Duration::from_secs(15));
    silent[0].set_read_timeout(patience).expect("set");
    assert_eq!(silent[0].read(&mut [0; 1]).expect("it ends"), 0);
    let took = daemon.stops();
    // On a busy machine. Held up by a connection, it would take more than ten.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!place.said().contains(TOKEN));
}

#[test]
fn a_page_of_the_network_is_shown_to_whoever_has_a_certificate_of_its_authorities() {
    let place = Place::new("every: 1s", "");
    let tls = "tls: { certificate: page.pem, key: page.key, client_roots: ca.pem }";
    let at = on_the_network(&place, &format!("{tls}, names: [other.example]"));
    let daemon = place.serves();
    place.until_said("run 1: ", 1);
    let ask = |name| asked_over_tls(&place, &at, "Host: other.example\r\n", name);
    assert!(
        ask(Some("client")).contains(" 200 OK"),
        "{}",
        ask(Some("client"))
    );
    assert_eq!(ask(Some("stranger")), "");
    assert_eq!(ask(None), "");
    daemon.stops();
    // With a token beside it, either is enough.
    let file = fs::read_to_string(place.file("serve.yaml")).expect("text");
    place.write(
        "serve.yaml",
        &file.replace("names:", "token_file: token, names:"),
    );
    let daemon = place.serves();
    place.until_said("shows the checks", 2);
    assert!(ask(Some("client")).contains(" 200 OK"));
    assert!(ask(None).contains(" 401 "));
    daemon.stops();
}

#[test]
fn a_page_whose_files_are_not_right_is_refused_at_the_start() {
    let place = Place::new("every: 1s", "");
    let tls = "tls: { certificate: page.pem, key: page.key }";
    on_the_network(&place, &format!("{tls}, token_file: token"));
    let refused = |name: &str, text: &str, said: &str| {
        let before = fs::read_to_string(place.file(name)).expect("text");
        place.write(name, text);
        let mut daemon = place.serves();
        assert_eq!(daemon.0.wait().expect("it ends").code(), Some(2), "{name}");
        assert!(place.said().contains(said), "{said}: {}", place.said());
        place.write(name, &before);
    };
    refused("token", "short\n", "has fewer than");
    refused("page.pem", "nothing\n", "holds no certificate");
    refused("page.key", "nothing\n", "holds no private key");
    let other = fs::read_to_string(place.file("stranger.key")).expect("text");
    refused(
        "page.key",
        &other,
        "the certificate and the key of `page.tls`",
    );
}
