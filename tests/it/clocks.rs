//! What web servers say the time is, against this host's clock: three servers outvote it, one alone does not.
//!
//! The servers are on loopback and answer with a date of their own.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::Value;

/// How a server speaks.
type Tls = Option<Arc<ServerConfig>>;

/// A web server at an address of loopback whose clock is so far ahead; its port comes back.
fn serve(address: Ipv4Addr, ahead: SignedDuration, tls: Tls) -> u16 {
    let listener = TcpListener::bind((address, 0)).expect("loopback");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            match &tls {
                None => answer(&mut stream, ahead),
                Some(config) => {
                    let mut connection =
                        ServerConnection::new(Arc::clone(config)).expect("a connection");
                    answer(&mut Stream::new(&mut connection, &mut stream), ahead);
                }
            }
        }
    });
    port
}

fn answer(stream: &mut (impl Read + Write), ahead: SignedDuration) {
    let says = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&(Timestamp::now() + ahead))
        .expect("a date");
    let _ = stream.read(&mut [0; 2_048]);
    let answer = format!("HTTP/1.1 200 OK\r\nDate: {says}\r\nContent-Length: 0\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes());
    let _ = stream.flush();
}

/// An authority as PEM, and a server with a certificate of it that ended so many days ago.
fn ended(days: i64) -> (String, Tls) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let names = ["web0.example", "web1.example"].map(str::to_string);
    let mut params = CertificateParams::new(names.to_vec()).expect("parameters");
    let end =
        jiff::tz::Offset::UTC.to_datetime(Timestamp::now() - SignedDuration::from_hours(24 * days));
    let part = |number: i8| u8::try_from(number).expect("a date");
    params.not_after =
        rcgen::date_time_ymd(i32::from(end.year()), part(end.month()), part(end.day()));
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a certificate");
    (authority.pem(), Some(Arc::new(config)))
}

/// The report of a run against web servers whose clocks are so many days ahead, as JSON and as text.
fn check(days: &[i64], root: &str, tls: &Tls) -> (Value, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut systems = String::new();
    let mut flows = String::new();
    for (number, days) in days.iter().enumerate() {
        let last = u8::try_from(number).expect("few") + 2;
        let address = Ipv4Addr::new(127, 0, 7, last);
        let port = serve(address, SignedDuration::from_hours(24 * days), tls.clone());
        systems += &format!(
            "  web{number}: {{ zone: there, names: {{ default: web{number}.example }}, addresses: {{ default: {address} }}, roles: [console] }}\n"
        );
        let protocol = if tls.is_some() { "https" } else { "http" };
        flows += &format!(
            "  - {{ from: here, to: web{number}, port: {port}, need: required, protocol: {protocol} }}\n"
        );
    }
    let roots = match root {
        "" => "",
        _ => "tls: { roots: [root.pem] }\n",
    };
    fs::write(folder.path().join("root.pem"), root).expect("written");
    let site = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{ networks: [\"192.0.2.0/24\"] }}, there: {{ networks: [\"127.0.7.0/24\"] }} }}
firewalls: {{ between: {{ between: [here, there] }} }}
systems:
{systems}{roots}probing: {{ timeout: 2s, second_look: off, rate: max, sweep: none, dns: off }}
flows:
{flows}"
    );
    let file = folder.path().join("site.yaml");
    fs::write(&file, site).expect("written");
    let run = |format: &str| {
        let output = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
            .args(["check", "--from", "here", "--force-vantage", "--no-path"])
            .args(["--format", format])
            .arg(&file)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (String::from_utf8(output.stdout).expect("text"), said)
    };
    let (report, said) = run("json");
    let report = serde_json::from_str(&report).unwrap_or_else(|_| panic!("{said}"));
    (report, run("text").0)
}

fn plain(days: &[i64]) -> (Value, String) {
    check(days, "", &None)
}

fn notes(report: &Value) -> Vec<(&str, &str)> {
    let notes = report["notes"].as_array().expect("notes").iter();
    let is_of_clocks = |cause: &str| cause.contains("clock");
    notes
        .filter_map(|note| Some((note["cause"].as_str()?, note["text"].as_str()?)))
        .filter(|(cause, _)| is_of_clocks(cause))
        .collect()
}

#[test]
fn three_servers_that_agree_show_that_this_hosts_clock_is_off_and_that_comes_first() {
    let (report, text) = plain(&[-60, -60, -60]);
    let [(cause, words)] = notes(&report)[..] else {
        panic!("{:#}", report["notes"]);
    };
    assert_eq!(cause, "clock-off");
    let begin = "this host's clock is 60 days ahead of those of 3 servers (web0, web1, web2)";
    assert!(words.starts_with(begin), "{words}");
    let clock = text.find(begin).expect("it stands in the text");
    let rest = text
        .find("Nothing has to be done")
        .expect("nothing else is wrong");
    assert!(clock < rest, "{text}");
    assert_eq!(text.matches(begin).count(), 1, "{text}");
}

#[test]
fn one_server_that_differs_from_the_others_has_a_note_of_its_own() {
    let (report, _) = plain(&[0, 60, 0]);
    let words = "the clock of web1 is 60 days ahead of this host's and those of 2 other servers";
    assert_eq!(notes(&report), [("server-clock", words)]);
}

#[test]
fn one_server_alone_against_this_host_leaves_it_open() {
    let (report, _) = plain(&[-60]);
    let words =
        "nothing tells whether this host's clock is right: that of web0 is 60 days behind it";
    assert_eq!(notes(&report), [("clocks-differ", words)]);
}

#[test]
fn clocks_that_agree_have_no_note() {
    assert_eq!(notes(&plain(&[0, 0]).0), []);
}

#[test]
fn a_certificate_is_not_blamed_where_this_hosts_clock_is_off() {
    let (root, tls) = ended(30);
    let judged = |days: &[i64]| {
        let report = check(days, &root, &tls).0;
        let flows = report["flows"].as_array().expect("flows").iter();
        let required = flows.filter(|flow| flow["need"] == "required");
        let judged = required.map(|flow| {
            let word = |key: &str| flow[key].as_str().unwrap_or_default().to_string();
            [word("verdict"), word("cause"), word("owner")]
        });
        judged.collect::<Vec<_>>()
    };
    let each = |words: [&str; 3]| vec![words.map(str::to_string); 2];
    let blamed = each(["wrong", "certificate-expired", "certificate"]);
    assert_eq!(judged(&[0, 0]), blamed, "the clocks agree");
    let unknown = each(["unknown", "clock-off", "prober"]);
    assert_eq!(judged(&[-60, -60]), unknown);
    assert_eq!(judged(&[60, 60]), blamed, "it has ended by both times");
}
