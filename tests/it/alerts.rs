//! Channels of alerts, with receivers that are not ours: web servers, an Alertmanager, a mail server, programs.
#![cfg(unix)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, OnceLock};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portproof::alert::{self, About, Channel, Fault, Files, Message, Secret};
use portproof::report::{self, ReportDocument, ReportFlow};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::support::servers::Server;
use crate::support::{lab, ports, schemas};

/// What others may have put into names, reasons, certificates and banners.
const HOSTILE: &str = "'\"><script>alert(1)</script>`$(reboot)`;\u{1b}[2J\u{202e}\r\nBcc: a@evil.example\r\n\r\n\
     .\r\n[a](http://evil.example)<http://evil.example|b><!channel>@all {{ .Labels }} \u{20ac}";

/// The longest time that a channel may take whose own is 2 seconds, on a busy machine. A receiver of these tests takes
/// longer or has no end.
const IN_TIME: Duration = Duration::from_secs(15);

/// The report of the lab with its faults.
fn lab_report() -> &'static ReportDocument {
    static REPORT: OnceLock<ReportDocument> = OnceLock::new();
    REPORT.get_or_init(|| report::read(lab::report()).expect("a report"))
}

/// Its flows that are wrong.
fn wrong() -> Vec<&'static ReportFlow> {
    let flows = lab_report().flows.iter();
    let wrong: Vec<_> = flows.filter(|flow| flow.verdict.fails()).collect();
    assert!(wrong.len() >= 4, "{}", wrong.len());
    wrong
}

fn about() -> About {
    About {
        site: "PRI".to_string(),
        place: "internet".to_string(),
        run: Some(812),
        time: Timestamp::now(),
        url: Some("https://checks.corp.example/".to_string()),
    }
}

/// A change whose words are hostile wherever others may have written them.
fn hostile() -> Message {
    let flows = wrong().into_iter().cloned().map(|mut flow| {
        flow.flow_mut().to.system += HOSTILE;
        flow.flow_mut().id += HOSTILE;
        flow.advice += HOSTILE;
        flow.flow_mut().crosses = vec![HOSTILE.to_string()];
        flow.evidence.earlier = Some(vec![HOSTILE.to_string()]);
        flow
    });
    let flows: Vec<_> = flows.collect();
    let flows: Vec<_> = flows.iter().collect();
    let about = About {
        site: HOSTILE.to_string(),
        place: HOSTILE.to_string(),
        ..about()
    };
    Message::of(about, &flows, &flows)
}

/// The one channel of a section.
fn channel(keys: &str) -> Channel {
    let text = format!("- {{ name: one, {keys} }}");
    let (mut channels, problems) = alert::channels(text.as_bytes());
    assert_eq!(problems, [], "{text}");
    channels.remove(0)
}

fn hook(at: SocketAddr, keys: &str) -> Channel {
    channel(&format!(
        "timeout: 2s, webhook: {{ url: \"http://{at}/hook/s3cret-path\" {keys} }}"
    ))
}

fn sent(channel: &Channel, message: &Message) -> Result<(), Fault> {
    alert::send(channel, &Files::default(), message)
}

fn with_secret(secret: &str) -> Files {
    Files {
        secret: Some(Secret::new(secret)),
        roots: Vec::new(),
    }
}

#[track_caller]
fn refused(result: Result<(), Fault>) -> String {
    match result {
        Err(Fault::Refused(words)) => words,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn later(result: Result<(), Fault>) -> String {
    match result {
        Err(Fault::Later(words)) => words,
        other => panic!("{other:?}"),
    }
}

/// A request that a web receiver got.
pub(crate) struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Reads a request with the length that its head says.
fn request(stream: &mut impl std::io::Read) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let mut request = Request {
        head: String::from_utf8(head).ok()?,
        body: Vec::new(),
    };
    let length = request.header("content-length")?.parse().ok()?;
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// A web receiver that hands each request over and gives every one this answer.
pub(crate) fn receiver(answer: &str) -> (SocketAddr, Receiver<Request>) {
    let answer = answer.to_string();
    serving(move |mut stream, tell| {
        if let Some(request) = request(&mut stream) {
            // The sender may have gone.
            let _ = stream.write_all(answer.as_bytes());
            let _ = tell.send(request);
        }
    })
}

/// A server that has a thread for each connection.
fn serving(
    each: impl Fn(TcpStream, &mpsc::Sender<Request>) + Clone + Send + 'static,
) -> (SocketAddr, Receiver<Request>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let at = listener.local_addr().expect("an address");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (each, tell) = (each.clone(), tell.clone());
            thread::spawn(move || each(stream, &tell));
        }
    });
    (at, told)
}

pub(crate) fn answer(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
}

#[test]
fn a_change_comes_to_a_web_receiver_as_json_of_its_schema() {
    let (at, requests) = receiver(&answer("204 No Content"));
    let message = Message::of(about(), &wrong(), &[]);
    let files = with_secret("t0ken");
    assert_eq!(alert::send(&hook(at, ""), &files, &message), Ok(()));
    let request = requests.recv().expect("a request");
    assert!(
        request
            .head
            .starts_with("POST /hook/s3cret-path HTTP/1.1\r\n")
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("authorization"), Some("Bearer t0ken"));
    let agent = request.header("user-agent").expect("an agent");
    assert!(agent.starts_with("portproof/"), "{agent}");
    schemas::assert_valid("alert", &request.json());
    assert_eq!(request.json(), json!(message));
    assert_eq!(
        request.json()["raised"].as_array().map(Vec::len),
        Some(wrong().len())
    );
    let headline = request.json()["headline"].to_string();
    assert!(headline.contains("team has to act"), "{headline}");
}

#[test]
fn hostile_words_come_as_one_line_of_plain_text() {
    let (at, requests) = receiver(&answer("200 OK"));
    for format in ["json", "alertmanager", "slack", "teams"] {
        let path = "/api/v2/alerts";
        let channel = channel(&format!(
            "webhook: {{ url: \"http://{at}{path}\", format: {format} }}"
        ));
        assert_eq!(sent(&channel, &hostile()), Ok(()));
        let body = requests.recv().expect("a request").json();
        each_text(&body, &mut |text| {
            // The lines of a chat are our own.
            let text = match format {
                "slack" => text.replace('\n', ""),
                _ => text.to_string(),
            };
            let bad = |c: char| c.is_control() || c == '\u{202e}';
            assert!(!text.contains(bad), "{format}: {text:?}");
        });
    }
}

fn each_text(value: &Value, check: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => check(text),
        Value::Array(all) => all.iter().for_each(|it| each_text(it, check)),
        Value::Object(all) => all.values().for_each(|it| each_text(it, check)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn a_receiver_in_trouble_is_asked_later_and_one_that_says_no_has_refused() {
    let message = Message::test(about());
    for status in ["200 OK", "201 Created", "202 Accepted", "204 No Content"] {
        let (at, _requests) = receiver(&answer(status));
        assert_eq!(sent(&hook(at, ""), &message), Ok(()), "{status}");
    }
    for status in [
        "408 Request Timeout",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ] {
        let (at, _requests) = receiver(&answer(status));
        let words = later(sent(&hook(at, ""), &message));
        assert_eq!(words, format!("http://{at} answered {status}: no"));
    }
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "410 Gone",
    ] {
        let (at, _requests) = receiver(&answer(status));
        let words = refused(sent(&hook(at, ""), &message));
        assert_eq!(words, format!("http://{at} answered {status}: no"));
    }
}

#[test]
fn no_redirect_is_followed() {
    let (elsewhere, followed) = receiver(&answer("200 OK"));
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
    ] {
        let (at, _requests) = receiver(&format!(
            "HTTP/1.1 {status}\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ));
        let words = refused(alert::send(
            &hook(at, ""),
            &with_secret("t0ken"),
            &Message::test(about()),
        ));
        assert!(words.contains(status), "{words}");
    }
    assert!(followed.try_recv().is_err());
}

#[test]
fn a_receiver_that_does_not_come_to_an_end_is_given_up_in_time() {
    let message = Message::test(about());
    type Misbehaves = fn(TcpStream, &mpsc::Sender<Request>);
    let silent: Misbehaves = |mut stream, _| {
        let _ = stream.read_to_end(&mut Vec::new());
    };
    let drips: Misbehaves = |mut stream, _| {
        while stream.write_all(b"H").is_ok() {
            sleep(Duration::from_millis(50));
        }
    };
    let floods_its_head: Misbehaves = |mut stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(&[b'a'; 1 << 16]).is_ok() {}
    };
    let floods_its_body: Misbehaves = |mut stream, _| {
        let _ = request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 500 Internal Server Error\r\n\r\n");
        while stream.write_all(&[b'a'; 1 << 16]).is_ok() {}
    };
    let resets: Misbehaves = |stream, _| drop(stream);
    let no_http: Misbehaves = |mut stream, _| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\x1b[2J");
    };
    for (name, each) in [
        ("silent", silent),
        ("drips", drips),
        ("floods its head", floods_its_head),
        ("floods its body", floods_its_body),
        ("resets", resets),
        ("no HTTP", no_http),
    ] {
        let (at, _requests) = serving(each);
        let began = Instant::now();
        let words = later(sent(&hook(at, ""), &message));
        assert!(began.elapsed() < IN_TIME, "{name}");
        assert!(
            words.len() < 500 && !words.contains(char::is_control),
            "{name}: {words}"
        );
        assert!(!words.contains("s3cret"), "{name}: {words}");
    }
    let nobody = ports::free(Ipv4Addr::LOCALHOST);
    let words = later(sent(&hook(nobody, ""), &message));
    assert!(words.contains("refused"), "{words}");
}

#[test]
fn a_secret_leaves_this_host_over_tls_only_and_is_never_in_a_fault() {
    // An address for documentation: a packet to it would be waited for.
    let far = channel("timeout: 5m, webhook: { url: \"http://192.0.2.1/\" }");
    let began = Instant::now();
    let words = refused(alert::send(
        &far,
        &with_secret("t0ken"),
        &Message::test(about()),
    ));
    assert_eq!(
        words,
        "the secret would be sent without TLS; nothing was sent"
    );
    assert!(began.elapsed() < IN_TIME);
    let (at, _requests) = receiver(&answer("403 Forbidden"));
    for secret in ["t0ken", "t0ken\r\nX-Evil: 1", "t0k\u{1}en"] {
        let fault = alert::send(&hook(at, ""), &with_secret(secret), &Message::test(about()));
        let words = refused(fault);
        assert!(
            !words.contains("t0k") && !words.contains("s3cret"),
            "{words}"
        );
    }
}

/// A certificate for `localhost` alone, which is its own authority.
fn certificate() -> CertifiedKey<rcgen::KeyPair> {
    generate_simple_self_signed(["localhost".to_string()]).expect("a certificate")
}

fn trusting(root: &CertificateDer<'static>) -> Files {
    Files {
        secret: None,
        roots: vec![root.clone()],
    }
}

/// A web receiver over TLS, and the authority of its certificate.
fn receiver_over_tls() -> (SocketAddr, Receiver<Request>, CertificateDer<'static>) {
    let own = certificate();
    let root = own.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![root.clone()], key)
        .expect("a key");
    let config = Arc::new(config);
    let (at, requests) = serving(move |stream, tell| {
        let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
        let mut stream = StreamOwned::new(connection, stream);
        if let Some(request) = request(&mut stream) {
            let _ = stream.write_all(answer("200 OK").as_bytes());
            let _ = tell.send(request);
        }
    });
    (at, requests, root)
}

#[test]
fn a_certificate_counts_when_its_authority_is_trusted_and_its_name_is_right() {
    let (at, requests, root) = receiver_over_tls();
    let message = Message::test(about());
    let named = |host: &str| {
        let port = at.port();
        channel(&format!(
            "timeout: 5s, webhook: {{ url: \"https://{host}:{port}/\" }}"
        ))
    };
    let mut files = trusting(&root);
    files.secret = Some(Secret::new("t0ken"));
    assert_eq!(alert::send(&named("localhost"), &files, &message), Ok(()));
    let request = requests.recv().expect("a request");
    assert_eq!(request.header("authorization"), Some("Bearer t0ken"));
    let words = later(alert::send(&named("127.0.0.1"), &files, &message));
    assert!(words.contains("certificate"), "{words}");
    let words = later(alert::send(
        &named("localhost"),
        &with_secret("t0ken"),
        &message,
    ));
    assert!(words.contains("certificate"), "{words}");
    assert!(requests.try_recv().is_err());
}

/// A proxy that opens every tunnel to a web receiver of its own, and hands over what was asked of both.
fn proxy() -> (SocketAddr, Receiver<Request>) {
    serving(|mut stream, tell| {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream
                .read_exact(&mut byte)
                .expect("a request for a tunnel");
            asked.push(byte[0]);
        }
        let asked = String::from_utf8(asked).expect("text");
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("sent");
        let mut posted = request(&mut stream).expect("a request");
        stream.write_all(answer("200 OK").as_bytes()).expect("sent");
        posted.head = asked + &posted.head;
        tell.send(posted).expect("a listener");
    })
}

/// The environment of a process does not change while it has threads, so the sender is this test in a process of its own.
#[test]
fn a_proxy_that_the_environment_names_is_asked_but_not_for_this_host() {
    const HERE: &str = "ALERTS_TEST_RECEIVER";
    let message = Message::test(about());
    if let Ok(here) = std::env::var(HERE) {
        let far = channel("webhook: { url: \"http://hooks.corp.example/\" }");
        assert_eq!(sent(&far, &message), Ok(()));
        assert_eq!(
            sent(&hook(here.parse().expect("an address"), ""), &message),
            Ok(())
        );
        return;
    }
    let (proxy, asked) = proxy();
    let (here, requests) = receiver(&answer("200 OK"));
    let own = std::env::current_exe().expect("a name");
    let ended = std::process::Command::new(own)
        .args([
            "--exact",
            "alerts::a_proxy_that_the_environment_names_is_asked_but_not_for_this_host",
        ])
        .env("ALL_PROXY", format!("http://{proxy}"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env(HERE, here.to_string())
        .output()
        .expect("it runs");
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stdout)
    );
    let through = asked.recv().expect("a request").head;
    assert!(
        through.starts_with("CONNECT hooks.corp.example:80 HTTP/1.1\r\n"),
        "{through}"
    );
    assert!(through.contains("POST / HTTP/1.1\r\n"), "{through}");
    assert!(requests.recv().is_ok());
    assert!(asked.try_recv().is_err());
}

#[test]
fn the_example_of_the_page_is_read_without_a_finding() {
    let page = fs::read_to_string("docs/alerts.md").expect("the page");
    let (_, example) = page.split_once("```yaml\nalerts:\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let (channels, problems) = alert::channels(example.as_bytes());
    assert_eq!(problems, []);
    let names: Vec<_> = channels.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["firewall-team", "chat", "alertmanager", "pager"]);
}

/// A real Alertmanager.
fn alertmanager() -> Server {
    Server::start("prometheus-alertmanager", |at, here| {
        let file = here.join("alertmanager.yml");
        fs::write(
            &file,
            "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n",
        )
        .expect("written");
        [
            format!("--config.file={}", file.display()),
            format!("--storage.path={}", here.display()),
            format!("--web.listen-address={at}"),
            "--cluster.listen-address=".to_string(),
        ]
        .into()
    })
}

/// The alerts that an Alertmanager shows, once there are so many that hold.
fn active(server: &Server, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let config = ureq::Agent::config_builder().proxy(None).build();
        let url = format!("http://{}/api/v2/alerts", server.at);
        let answer = config.new_agent().get(&url).call();
        // It listens before it is ready.
        let all: Vec<Value> = answer
            .map(|mut it| it.body_mut().read_to_string().expect("text"))
            .map(|text| serde_json::from_str(&text).expect("a list"))
            .unwrap_or_default();
        if all.len() == count {
            return all;
        }
        assert!(
            Instant::now() < deadline,
            "{all:?} {}",
            server.file("output")
        );
        sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_alertmanager_shows_a_flow_until_it_is_told_that_it_is_over() {
    let server = alertmanager();
    let at = server.at;
    let channel = channel(&format!(
        "webhook: {{ url: \"http://{at}/api/v2/alerts\", format: alertmanager }}"
    ));
    let wrong = wrong();
    active(&server, 0);
    assert_eq!(sent(&channel, &Message::of(about(), &wrong, &[])), Ok(()));
    let shown = active(&server, wrong.len());
    let first = shown
        .iter()
        .find(|it| it["labels"]["flow"] == wrong[0].flow.id)
        .expect("the flow");
    assert_eq!(first["status"]["state"], "active");
    assert_eq!(first["labels"]["alertname"], "PortproofFlow");
    assert_eq!(first["annotations"]["cause"], wrong[0].cause.name());
    // It stays, though nobody repeats it: by itself Alertmanager would end it after 5 minutes.
    let ends: Timestamp = first["endsAt"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    assert!(ends > Timestamp::now() + jiff::SignedDuration::from_hours(24 * 300));
    // Told a second time, it is the same alert.
    assert_eq!(sent(&channel, &Message::of(about(), &wrong, &[])), Ok(()));
    active(&server, wrong.len());
    // Another cause meanwhile does not make another alert.
    let mut other = wrong[0].clone();
    other.cause = portproof::verdict::Cause::Reset;
    assert_eq!(
        sent(&channel, &Message::of(about(), &[&other], &[])),
        Ok(())
    );
    active(&server, wrong.len());
    assert_eq!(
        sent(&channel, &Message::of(about(), &[], &wrong[1..])),
        Ok(())
    );
    let left = active(&server, 1);
    assert_eq!(left[0]["labels"]["flow"], wrong[0].flow.id);
    assert_eq!(
        sent(&channel, &Message::of(about(), &[], &wrong[..1])),
        Ok(())
    );
    active(&server, 0);
    assert_eq!(
        sent(&channel, &Message::failed(about(), "no site file")),
        Ok(())
    );
    assert_eq!(
        active(&server, 1)[0]["labels"]["alertname"],
        "PortproofCheck"
    );
    assert_eq!(sent(&channel, &Message::recovered(about())), Ok(()));
    active(&server, 0);
}

#[test]
fn an_alertmanager_takes_whatever_others_wrote_as_text() {
    let server = alertmanager();
    let channel = channel(&format!(
        "webhook: {{ url: \"http://{}/api/v2/alerts\", format: alertmanager }}",
        server.at
    ));
    active(&server, 0);
    let message = Message {
        cleared: Vec::new(),
        ..hostile()
    };
    assert_eq!(sent(&channel, &message), Ok(()));
    let shown = active(&server, message.raised.len());
    let mut flows: Vec<_> = shown
        .iter()
        .map(|it| it["labels"]["flow"].clone())
        .collect();
    let mut told: Vec<_> = message.raised.iter().map(|it| json!(it.flow)).collect();
    flows.sort_by_key(Value::to_string);
    told.sort_by_key(Value::to_string);
    assert_eq!(flows, told);
}

/// A real mail server, and the authority of its certificate.
fn mail_server(protection: &str) -> (Server, CertificateDer<'static>) {
    let own = certificate();
    let root = own.cert.der().clone();
    let server = Server::start("/usr/bin/python3", |at, here| {
        fs::write(here.join("server.pem"), own.cert.pem()).expect("written");
        fs::write(here.join("server.key"), own.signing_key.serialize_pem()).expect("written");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mail_server.py");
        let (address, port) = (at.ip().to_string(), at.port().to_string());
        let here = here.display().to_string();
        [
            script.to_string(),
            address,
            port,
            here,
            protection.to_string(),
        ]
        .into()
    });
    (server, root)
}

fn mail(server: &Server, keys: &str) -> Channel {
    channel(&format!(
        "timeout: 10s, smtp: {{ server: localhost, port: {}, from: \"Port proof <portproof@corp.example>\" {keys} }}",
        server.at.port()
    ))
}

/// The mails that the server took.
fn mails(server: &Server) -> Vec<Value> {
    let text = server.file("mails");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn header<'a>(mail: &'a Value, name: &str) -> Vec<&'a str> {
    let all = mail["headers"].as_array().expect("headers").iter();
    let named = all.filter(|it| it[0] == name);
    named.map(|it| it[1].as_str().expect("text")).collect()
}

#[test]
fn a_mail_goes_over_starttls_with_a_login_and_another_server_reads_what_was_meant() {
    let (server, root) = mail_server("starttls");
    let channel = mail(
        &server,
        ", to: [firewalls@corp.example, \"J\u{f6}rg <joerg@corp.example>\"], user: portproof",
    );
    let mut files = trusting(&root);
    files.secret = Some(Secret::new("s3cret"));
    let message = Message::of(about(), &wrong(), &[]);
    assert_eq!(alert::send(&channel, &files, &message), Ok(()));
    assert_eq!(alert::send(&channel, &files, &message), Ok(()));
    let [first, again] = mails(&server).try_into().expect("two mails");
    assert_eq!(first["from"], "portproof@corp.example");
    assert_eq!(
        first["to"],
        json!(["firewalls@corp.example", "joerg@corp.example"])
    );
    assert_eq!(
        (&first["user"], &first["protected"]),
        (&json!("portproof"), &json!(true))
    );
    assert_eq!(first["defects"], json!([]));
    assert_eq!(first["kind"], "text/plain");
    let subject = header(&first, "Subject")[0].to_string();
    assert!(subject.starts_with("portproof PRI: "), "{subject}");
    assert_eq!(header(&first, "Auto-Submitted"), ["auto-generated"]);
    assert_eq!(header(&first, "Message-ID"), header(&again, "Message-ID"));
    let body = first["body"].as_str().expect("text");
    assert!(body.contains(&message.headline), "{body}");
    for entry in &message.raised {
        assert!(
            body.contains(&entry.flow) && body.contains(&entry.evidence),
            "{body}"
        );
    }
}

#[test]
fn a_mail_goes_over_tls_from_the_start_and_without_tls_where_the_file_says_so() {
    for (protection, protected) in [("implicit", true), ("none", false)] {
        let (server, root) = mail_server(protection);
        let keys = format!(", to: a@corp.example, user: portproof, tls: {protection}");
        let mut files = trusting(&root);
        files.secret = Some(Secret::new("s3cret"));
        let message = Message::test(about());
        assert_eq!(
            alert::send(&mail(&server, &keys), &files, &message),
            Ok(()),
            "{protection}"
        );
        let mail = &mails(&server)[0];
        assert_eq!(mail["protected"], protected, "{protection}");
        assert_eq!(mail["user"], "portproof");
    }
}

#[test]
fn words_of_others_make_no_header_and_end_no_mail() {
    let (server, _) = mail_server("none");
    let channel = mail(&server, ", to: a@corp.example, tls: none");
    let message = hostile();
    assert_eq!(sent(&channel, &message), Ok(()));
    let [mail] = mails(&server).try_into().expect("one mail");
    assert_eq!(mail["to"], json!(["a@corp.example"]));
    assert_eq!(mail["defects"], json!([]));
    assert_eq!(header(&mail, "Bcc"), [""; 0]);
    assert_eq!(header(&mail, "Subject").len(), 1);
    let body = mail["body"].as_str().expect("text");
    assert!(
        !body
            .lines()
            .any(|line| line == "." || line.starts_with("Bcc:")),
        "{body}"
    );
    assert!(body.contains(&message.raised[0].advice), "{body}");
}

#[test]
fn a_mail_server_that_refuses_has_refused_and_one_in_trouble_is_asked_later() {
    let (server, root) = mail_server("starttls");
    let message = Message::test(about());
    let files = |secret: &str| Files {
        secret: Some(Secret::new(secret)),
        ..trusting(&root)
    };
    let to = |to: &str| mail(&server, &format!(", to: {to}, user: portproof"));
    let words = refused(alert::send(
        &to("a@corp.example"),
        &files("wr0ng"),
        &message,
    ));
    assert!(words.contains("535") && !words.contains("wr0ng"), "{words}");
    let words = refused(alert::send(
        &to("a@corp.example"),
        &trusting(&root),
        &message,
    ));
    assert_eq!(words, "there is no password for the user `portproof`");
    let words = refused(alert::send(
        &to("nobody@corp.example"),
        &files("s3cret"),
        &message,
    ));
    assert!(
        words.contains("550") && words.contains("nobody here"),
        "{words}"
    );
    let words = later(alert::send(
        &to("full@corp.example"),
        &files("s3cret"),
        &message,
    ));
    assert!(words.contains("452"), "{words}");
    let untrusted = with_secret("s3cret");
    let words = later(alert::send(&to("a@corp.example"), &untrusted, &message));
    assert!(words.contains("certificate"), "{words}");
    assert_eq!(mails(&server), [Value::Null; 0]);
}

#[test]
fn a_password_is_not_told_to_a_mail_server_without_tls() {
    let (server, root) = mail_server("none");
    let channel = mail(&server, ", to: a@corp.example, user: portproof");
    let files = Files {
        secret: Some(Secret::new("s3cret")),
        ..trusting(&root)
    };
    let words = refused(alert::send(&channel, &files, &Message::test(about())));
    assert!(words.contains("STARTTLS"), "{words}");
    assert_eq!(
        (server.file("logins"), mails(&server)),
        (String::new(), Vec::new())
    );
}

#[test]
fn a_mail_server_that_says_nothing_or_drips_or_floods_is_given_up_in_time() {
    type Misbehaves = fn(TcpStream, &mpsc::Sender<Request>);
    let silent: Misbehaves = |mut stream, _| {
        let _ = stream.read_to_end(&mut Vec::new());
    };
    let drips: Misbehaves = |mut stream, _| {
        while stream.write_all(b"220-a\r\n").is_ok() {
            sleep(Duration::from_millis(50));
        }
    };
    let floods: Misbehaves = |mut stream, _| {
        while stream.write_all(&b"220-a\r\n".repeat(9_000)).is_ok() {}
    };
    for (name, each) in [("silent", silent), ("drips", drips), ("floods", floods)] {
        let (at, _requests) = serving(each);
        let port = at.port();
        let channel = channel(&format!(
            "timeout: 2s, smtp: {{ server: 127.0.0.1, port: {port}, from: a@b.example, to: c@d.example }}"
        ));
        let began = Instant::now();
        let words = later(sent(&channel, &Message::test(about())));
        assert!(began.elapsed() < IN_TIME, "{name}");
        assert!(words.len() < 500, "{name}: {words}");
    }
}

fn command(words: &[&str]) -> Channel {
    channel(&format!("timeout: 2s, command: {}", json!(words)))
}

#[test]
fn a_program_reads_the_message_from_its_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("told");
    let path = file.to_str().expect("text");
    let message = hostile();
    // The arguments are words: no shell makes anything of them.
    let channel = command(&[
        "/bin/sh",
        "-c",
        "cat > \"$1\"; printf %s \"$2\" > \"$1.argument\"",
        "sh",
        path,
        "$(reboot) `x` ; *",
    ]);
    assert_eq!(sent(&channel, &message), Ok(()));
    let told: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
    assert_eq!(told, json!(message));
    let argument = fs::read_to_string(folder.path().join("told.argument")).expect("a file");
    assert_eq!(argument, "$(reboot) `x` ; *");
}

#[test]
fn a_program_need_not_read_its_standard_input() {
    let mut message = hostile();
    message.raised_others = vec!["internet>ibs01:443/tcp".to_string(); 50_000];
    assert_eq!(sent(&command(&["true"]), &message), Ok(()));
}

#[test]
fn a_program_that_fails_is_tried_later_and_its_last_words_are_kept() {
    let said = "printf 'first line\\n\\033[2Jno line to the pager\\n' >&2; exit 3";
    let words = later(sent(
        &command(&["/bin/sh", "-c", said]),
        &Message::test(about()),
    ));
    assert_eq!(
        words,
        "/bin/sh: exit status: 3: first line \\u{1b}[2Jno line to the pager"
    );
    let killed = later(sent(
        &command(&["/bin/sh", "-c", "kill -9 $$"]),
        &Message::test(about()),
    ));
    assert!(killed.contains("signal: 9"), "{killed}");
    let missing = refused(sent(&command(&["/nowhere/page"]), &Message::test(about())));
    assert!(
        missing.contains("/nowhere/page cannot be started"),
        "{missing}"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("text");
    fs::write(&file, "no program").expect("written");
    let no_program = refused(sent(
        &command(&[file.to_str().expect("text")]),
        &Message::test(about()),
    ));
    assert!(no_program.contains("cannot be started"), "{no_program}");
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("process");
    let path = file.to_str().expect("text");
    let script = "sleep 600 & echo $! > \"$1\"; wait";
    let began = Instant::now();
    let words = later(sent(
        &command(&["/bin/sh", "-c", script, "sh", path]),
        &Message::test(about()),
    ));
    assert!(words.contains("was ended after 2s"), "{words}");
    assert!(began.elapsed() < IN_TIME);
    let process = fs::read_to_string(&file).expect("a number");
    let status = format!("/proc/{}/status", process.trim());
    // One that has ended and that nobody waits for is still listed.
    let lives = || fs::read_to_string(&status).is_ok_and(|text| !text.contains("State:\tZ"));
    let deadline = Instant::now() + IN_TIME;
    while lives() {
        assert!(Instant::now() < deadline, "what it started goes on");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_program_that_floods_is_ended_in_time_and_little_is_kept() {
    let began = Instant::now();
    let words = later(sent(
        &command(&["/bin/sh", "-c", "yes flood >&2"]),
        &Message::test(about()),
    ));
    assert!(words.contains("flood") && words.len() < 500, "{words}");
    assert!(began.elapsed() < IN_TIME);
    // What goes to standard output goes nowhere.
    let quiet = "head -c 9000000 /dev/zero; exit 0";
    assert_eq!(
        sent(&command(&["/bin/sh", "-c", quiet]), &Message::test(about())),
        Ok(())
    );
}

#[test]
fn a_program_that_leaves_another_behind_is_not_waited_for() {
    let began = Instant::now();
    let script = "sleep 60 & echo gone >&2; exit 1";
    let words = later(sent(
        &command(&["/bin/sh", "-c", script]),
        &Message::test(about()),
    ));
    assert_eq!(words, "/bin/sh: exit status: 1: gone");
    assert!(began.elapsed() < IN_TIME);
}
