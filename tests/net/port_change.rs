//! A change of ports, seen from a client's network through a real firewall. nginx plays the site system on Internet
//! numbers, and nftables forgets what a firewall team forgets. The paragraph says what was forgotten, and where.
//!
//! Needs root, `ip`, `nft`, `nginx` and `python3`; without them a test fails and says so. Namespaces end with their test.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::ends::EndsWithTest;
use crate::support::row::{Row, check_as_nobody, copy_for_nobody, ip};
use crate::support::schemas;
use crate::support::unbroken::unbroken;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, SerialNumber,
};
use serde_json::Value;
use tempfile::TempDir;

/// A slow link, without which nothing tells a host's reset from that of the firewall before it.
const DELAY: &str = include_str!("../support/delay.py");

const NAME: &str = "ibs01.example.com";

/// Client, front-end firewall, and far away behind it the site system.
struct Bed {
    row: Row,
    folder: TempDir,
    program: PathBuf,
    _link: EndsWithTest,
    _server: EndsWithTest,
}

impl Bed {
    /// `denied` are ports that the firewall drops; `servers` the `server` blocks of nginx.
    fn new(denied: &[u16], servers: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let row = Row::new();
        let link = slow_link(&row);
        let drops: String = denied
            .iter()
            .map(|port| format!("    tcp dport {port} drop\n"))
            .collect();
        let rules = format!(
            "table inet wall {{\n  chain forward {{\n    type filter hook forward priority 0; policy accept;\n{drops}  }}\n}}\n"
        );
        let file = folder.path().join("rules.nft");
        fs::write(&file, rules).expect("written");
        row.inside(1, &["nft", "-f", &file.display().to_string()]);
        certificates(folder.path());
        let server = nginx(&row, folder.path(), servers);
        let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
        Self {
            row,
            folder,
            program,
            _link: link,
            _server: server,
        }
    }

    fn written(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        let here = self.folder.path().display().to_string();
        fs::write(&path, text.replace("{here}", &here)).expect("written");
        path.display().to_string()
    }

    /// Runs the program as nobody in the client's network.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new("ip")
            .args(["netns", "exec", &self.row.names[0]])
            .args(["setpriv", "--reuid", "65534", "--regid", "65534"])
            .arg("--clear-groups")
            .arg(&self.program)
            .args(arguments)
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// The report of `check NEW --against OLD`.
    fn check(&self, old: &str, new: &str) -> Report {
        let (old, new) = (self.written("old.yaml", old), self.written("new.yaml", new));
        let place = ["--from", "internet", "--against", &old];
        let (status, json) = check_as_nobody(&self.row, &self.program, Path::new(&new), &place);
        valid(&json);
        Report {
            status: status.expect("a status"),
            json,
            err: String::new(),
        }
    }

    fn json(&self, arguments: &[&str]) -> Report {
        let mut all = arguments.to_vec();
        all.extend(["--format", "json"]);
        let (status, out, err) = self.run(&all);
        let json = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        valid(&json);
        Report {
            status: status.expect("a status"),
            json,
            err,
        }
    }
}

/// What the program said.
struct Report {
    status: i32,
    json: Value,
    err: String,
}

impl Report {
    fn change(&self) -> &Value {
        &self.json["change"]
    }

    fn says(&self, sentence: &str) {
        let paragraph = self.change()["paragraph"].as_str().expect("a paragraph");
        assert!(paragraph.contains(sentence), "{sentence}\n{paragraph}");
    }

    fn says_nothing_of(&self, words: &str) {
        let paragraph = self.change()["paragraph"].as_str().expect("a paragraph");
        assert!(!paragraph.contains(words), "{words}\n{paragraph}");
    }

    /// `old yes, both no ...` by number.
    fn numbers(&self) -> Vec<String> {
        let all = self.change()["numbers"].as_array().expect("numbers");
        let word = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_string();
        all.iter()
            .map(|it| format!("{} {} {}", it["port"], word(it, "of"), word(it, "reached")))
            .collect()
    }

    /// Verdict and cause of a flow of the new file.
    fn verdict(&self, id: &str) -> String {
        let flows = self.json["flows"].as_array().expect("flows");
        let flow = flows.iter().find(|flow| flow["id"] == id);
        let flow = flow.unwrap_or_else(|| panic!("no {id}"));
        let word = |key: &str| flow[key].as_str().unwrap_or_default().to_string();
        format!("{} {}", word("verdict"), word("cause"))
    }
}

/// Every report is as its published schema says.
fn valid(report: &Value) {
    schemas::assert_valid("report", report);
}

/// Puts a delay between firewall and server, in place of the row's own link.
fn slow_link(row: &Row) -> EndsWithTest {
    let [_, wall, server] = &row.names;
    let mut link = Command::new("ip")
        .args(["netns", "exec", wall, "python3", "-c", DELAY])
        .args(["in", server, "eth", "60", "60"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is needed: scripts/test installs it");
    let mut ready = [0_u8; 5];
    let output = link.stdout.as_mut().expect("its output");
    output.read_exact(&mut ready).expect("the link stands");
    for (place, device, to) in [
        (wall, "w1", "192.0.2.254/24"),
        (server, "s0", "192.0.2.10/24"),
    ] {
        ip(&["-n", place, "addr", "del", to, "dev", device]);
    }
    for (place, device, address) in [
        (wall, "in", "192.0.2.254/24"),
        (server, "eth", "192.0.2.10/24"),
        (server, "eth", "192.0.2.20/24"),
    ] {
        ip(&["-n", place, "addr", "add", address, "dev", device]);
        ip(&["-n", place, "link", "set", device, "up"]);
    }
    let gateway = ["route", "replace", "default", "via", "192.0.2.254"];
    ip(&[&["-n", server.as_str()][..], &gateway].concat());
    EndsWithTest(link)
}

/// A root with an empty list, and a certificate of the site system.
fn certificates(folder: &Path) {
    let mut root = CertificateParams::new(Vec::new()).expect("parameters");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().expect("a key"));
    let root = root.expect("a root");
    let list = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2020, 1, 1),
        next_update: rcgen::date_time_ymd(2090, 1, 1),
        crl_number: SerialNumber::from(7),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&root).expect("signed");
    fs::write(folder.join("ca.crl"), list.der().as_ref()).expect("written");
    let key = KeyPair::generate().expect("a key");
    let mut leaf = CertificateParams::new(vec![NAME.to_string()]).expect("a name");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = leaf.signed_by(&key, &root).expect("signed");
    fs::write(folder.join("ca.pem"), root.pem()).expect("written");
    fs::write(folder.join("site.crt"), leaf.pem()).expect("written");
    fs::write(folder.join("site.key"), key.serialize_pem()).expect("written");
}

fn nginx(row: &Row, folder: &Path, servers: &str) -> EndsWithTest {
    let here = folder.display();
    let servers = servers.replace("{here}", &here.to_string());
    let text = format!(
        "daemon off; user root; pid {here}/pid; error_log {here}/errors; events {{}}
http {{ access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;
ssl_certificate {here}/site.crt; ssl_certificate_key {here}/site.key;
{servers}
}}"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, text).expect("written");
    let server = Command::new("ip")
        .args(["netns", "exec", &row.names[2], "nginx", "-c"])
        .arg(&file)
        .spawn()
        .expect("nginx is needed: scripts/test installs it");
    let server = EndsWithTest(server);
    // Its number is written when it listens.
    let deadline = Instant::now() + Duration::from_secs(20);
    while !folder.join("pid").exists() {
        let said = fs::read_to_string(folder.join("errors")).unwrap_or_default();
        assert!(Instant::now() < deadline, "nginx does not start: {said}");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// A site system at this HTTPS number: management, distribution and update point.
fn roles(port: u16) -> String {
    format!(
        "server {{ listen 192.0.2.10:{port} ssl;
  location = / {{ return 200 'IIS'; }}
  location /SMS_MP/ {{ return 200 '<MPList><MP Name=\"IBS01\"/></MPList>'; }}
  location /SMS_DP_SMSPKG$/ {{ return 401; }}
  location /ClientWebService/ {{ return 200 'here'; }}
  location /SimpleAuthWebService/ {{ return 200 'here'; }}
  location / {{ return 404; }} }}\n"
    )
}

/// Its fallback status point, and the revocation list.
const PLAIN: &str = "server { listen 192.0.2.10:80; location = / { return 200 'IIS'; } location / { return 404; } }
server { listen 192.0.2.20:80; location = / { return 200 'lists'; } location = /ca.crl { root {here}; } location / { return 404; } }
";

/// Another web site of the same host.
fn stranger(port: u16) -> String {
    format!(
        "server {{ listen 192.0.2.10:{port} ssl; location = / {{ return 200 'Another web site'; }} location / {{ return 404; }} }}\n"
    )
}

/// A site whose clients have these numbers for HTTPS; `more` are further keys of `site`.
fn site(https: &str, pair: &str, more: &str) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_urls: [\"http://192.0.2.20/ca.crl\"], client_ports: {{ https: {https} }}{more} }}
zones: {{ internet: {{ networks: [\"0.0.0.0/0\"] }}, perimeter: {{ networks: [\"192.0.2.0/24\"] }} }}
firewalls: {{ front-end: {{ between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.254] }} }}
clients: [internet]
systems:
  ibs01: {{ zone: perimeter, names: {{ default: {NAME} }}, addresses: {{ default: 192.0.2.10 }}, roles: [management-point, distribution-point, fallback-status-point, software-update-point], serves: [internet], software_update_ports: {pair} }}
tls: {{ roots: [\"{{here}}/ca.pem\"] }}
probing: {{ second_look: off, timeout: 3s, rate: max, sweep: none }}
"
    )
}

const PAIR: &str = "{ http: 8530, https: 8531 }";

fn before() -> String {
    site("[443]", PAIR, "")
}

/// Both numbers are active.
fn between() -> String {
    site("[443, 8443]", PAIR, "")
}

#[test]
fn an_old_port_that_was_closed_too_early_strands_those_who_have_it() {
    let servers = [&roles(443), &roles(8443), &roles(8531), PLAIN].concat();
    let bed = Bed::new(&[443], &servers);
    let run = bed.check(&before(), &between());
    assert_eq!(run.change()["reached_by"], "new", "{}", run.change());
    assert_eq!(run.numbers(), ["443 both no", "8443 new yes"]);
    run.says(
        "Only clients with the new number reach a management point now from internet. Those that \
         still have the old one are stranded.",
    );
    run.says("Clients with the old number 443 (HTTPS) do not reach ibs01.");
    run.says("Clients with the new number 8443 (HTTPS) reach ibs01.");
    run.says(
        "The old number 443 (HTTPS) is closed on the way to ibs01: packets are dropped, while \
         the host answers elsewhere. The place fits front-end",
    );
    run.says("cut off too early.");
    run.says_nothing_of("IIS is not bound");
    run.says_nothing_of("update point");
    assert_eq!(run.verdict("internet>ibs01:443/tcp"), "blocked no-answer");
    assert_eq!(run.status, 1);
    let (_, text, _) = bed.run(&[
        "check",
        &bed.written("new.yaml", &between()),
        "--against",
        &bed.written("old.yaml", &before()),
        "--from",
        "internet",
    ]);
    let paragraph = run.change()["paragraph"].as_str().expect("a paragraph");
    let (before, _) = text.split_once("Who has to act").expect("who has to act");
    let unbroken = before.replace('\n', " ");
    assert!(unbroken.contains(paragraph), "{text}");
}

#[test]
fn a_new_port_that_the_front_end_forgot_is_the_firewalls() {
    let servers = [&roles(443), &roles(8443), &roles(8531), PLAIN].concat();
    let bed = Bed::new(&[8443], &servers);
    let run = bed.check(&before(), &between());
    assert_eq!(run.change()["reached_by"], "old", "{}", run.change());
    assert_eq!(run.numbers(), ["443 both yes", "8443 new no"]);
    run.says("Only clients with the old number reach a management point now from internet.");
    run.says("Clients with the old number 443 (HTTPS) reach ibs01.");
    run.says(
        "Only a firewall lacks 8443 (HTTPS) to ibs01: packets are dropped, while the host \
         answers elsewhere. The place fits front-end",
    );
    run.says("Whether IIS is bound to it cannot be seen before it passes.");
    run.says_nothing_of("IIS is not bound");
    assert_eq!(run.verdict("internet>ibs01:8443/tcp"), "blocked no-answer");
    assert_eq!(run.verdict("internet>ibs01:443/tcp"), "ok answered");
}

#[test]
fn a_number_to_which_iis_is_not_bound_is_the_servers() {
    let servers = [&roles(443), &roles(8531), PLAIN].concat();
    let bed = Bed::new(&[], &servers);
    let run = bed.check(&before(), &between());
    assert_eq!(run.change()["reached_by"], "old", "{}", run.change());
    run.says(
        "Nobody listens on 8443 (HTTPS) of ibs01: IIS is not bound to it, or not running. The way \
         there is open, and the host itself resets.",
    );
    run.says_nothing_of("firewall lacks");
    assert_eq!(
        run.verdict("internet>ibs01:8443/tcp"),
        "down nobody-listens"
    );
}

#[test]
fn another_web_site_at_the_new_number_is_the_wrong_role() {
    let servers = [&roles(443), &stranger(8443), &roles(8531), PLAIN].concat();
    let bed = Bed::new(&[], &servers);
    let run = bed.check(&before(), &between());
    assert_eq!(run.change()["reached_by"], "old", "{}", run.change());
    run.says(
        "On ibs01 8443 (HTTPS) is open, with the wrong role behind it (wrong-role). Usually \
         IIS is not bound to it",
    );
    run.says_nothing_of("firewall lacks");
    let systems = run.change()["systems"].as_array().expect("systems");
    let at_8443: Vec<&Value> = systems.iter().filter(|it| it["port"] == 8443).collect();
    assert_eq!(at_8443.len(), 1, "{systems:?}");
    assert_eq!(
        (&at_8443[0]["state"], &at_8443[0]["reached"]),
        (&"open".into(), &"no".into())
    );
}

#[test]
fn when_all_is_well_both_numbers_lead_to_the_management_point() {
    let servers = [&roles(443), &roles(8443), &roles(8531), PLAIN].concat();
    let bed = Bed::new(&[], &servers);
    let run = bed.check(&before(), &between());
    assert_eq!(run.change()["reached_by"], "both", "{}", run.change());
    assert_eq!(
        run.change()["paragraph"],
        "Clients in internet reach a management point now with the old number and with the new \
         one. Clients with the old number 443 (HTTPS) reach ibs01. Clients with the new number \
         8443 (HTTPS) reach ibs01."
    );
    assert_eq!(run.status, 0, "{:#}", run.json["flows"]);

    // The old number was retired in the file, and clients still reach a management point by it.
    let after = site("[8443]", PAIR, ", retired_client_ports: { https: [443] }");
    let run = bed.check(&before(), &after);
    assert_eq!(run.change()["reached_by"], "both");
    assert_eq!(run.numbers(), ["443 old yes", "8443 new yes"]);
    assert_eq!(run.verdict("internet>ibs01:443/tcp"), "ok closing-later");
    run.says(
        "Leave 443/tcp of ibs01 open until every client has the new number; it closes in step ",
    );
    let old = run.change()["flows"].as_array().expect("flows");
    let old: Vec<_> = old.iter().map(|it| (&it["id"], &it["verdict"])).collect();
    assert_eq!(old, [(&"internet>ibs01:443/tcp".into(), &"ok".into())]);
    assert_eq!(run.status, 0);
    // One door, one question: what was asked for the old clients was taken for the new file's verdict too.
    let forbidden = run.json["flows"].as_array().expect("flows").iter();
    let forbidden: Vec<_> = forbidden
        .filter(|flow| flow["id"] == "internet>ibs01:443/tcp")
        .map(|flow| &flow["evidence"]["attempts"])
        .collect();
    assert_eq!(
        forbidden,
        [&run.change()["flows"][0]["evidence"]["attempts"]]
    );

    // A client that was given a number of its own.
    let new = bed.written("new.yaml", &after);
    let old = bed.written("old.yaml", &before());
    let client = bed.json(&[
        "check",
        &new,
        "--against",
        &old,
        "--client",
        "--https-port",
        "443",
        "--from",
        "internet",
    ]);
    assert_eq!(client.status, 0, "{:#}", client.json["client"]);
    let numbers: Vec<String> = client.json["client"]["numbers"]
        .as_array()
        .expect("numbers")
        .iter()
        .map(|it| format!("{} {}", it["port"], it["of"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(numbers, ["80 both", "443 old"]);
    assert_eq!(
        steps(&client),
        [
            format!("names {NAME} unknown"),
            "revocation-lists internet>crl.192.0.2.20:80/tcp yes".to_string(),
            "management-point internet>ibs01:443/tcp yes".to_string(),
            "software-update-point internet>ibs01:8530/tcp no".to_string(),
            "software-update-point internet>ibs01:8531/tcp yes".to_string(),
            "distribution-point internet>ibs01:443/tcp yes".to_string(),
            "fallback-status-point internet>ibs01:80/tcp yes".to_string(),
        ]
    );
    assert_eq!(client.json["flows"].as_array().map(Vec::len), Some(5));
    assert!(client.json["change"].is_null());

    // Nobody has this number; the client goes on all the same, to the end.
    let client = bed.json(&[
        "check",
        &new,
        "--client",
        "--https-port",
        "9443",
        "--from",
        "internet",
    ]);
    assert!(
        client
            .err
            .contains("no site file has the number 9443 for HTTPS"),
        "{}",
        client.err
    );
    assert_eq!(client.json["client"]["numbers"][1]["of"], "neither");
    let steps = steps(&client);
    assert!(
        steps.contains(&"management-point internet>ibs01:9443/tcp no".to_string()),
        "{steps:?}"
    );
    assert_eq!(
        steps.last().map(String::as_str),
        Some("fallback-status-point internet>ibs01:80/tcp yes")
    );
    let all = client.json["client"]["steps"].as_array().expect("steps");
    let failed = all.iter().find(|it| it["succeeds"] == "no").expect("one");
    let logged = failed["logged"].as_array().expect("client words");
    assert!(
        logged.iter().any(|it| it["code"] == "0x80072EFD (12029)"),
        "{logged:?}"
    );
    assert_eq!(client.status, 1);
    let (_, text, _) = bed.run(&[
        "check",
        &new,
        "--client",
        "--https-port",
        "9443",
        "--from",
        "internet",
    ]);
    let text = unbroken(&text);
    for words in [
        "What a client with 80 (HTTP, of the site file) and 9443 (HTTPS, which no site file has) \
         meets, in its order",
        "management-point: it fetches policy",
        "no internet>ibs01:9443/tcp: down, nobody-listens (closed)",
        "client: ",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }

    // From another zone nothing can be said of clients, and no client view is to be had.
    let (status, out, err) = bed.run(&["check", &new, "--client", "--from", "perimeter"]);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(
        err.contains("no clients in zone `perimeter`: run it from internet"),
        "{err}"
    );
    let elsewhere = bed.json(&["check", &new, "--against", &old, "--from", "perimeter"]);
    assert_eq!(elsewhere.change()["reached_by"], "no-clients-here");
    elsewhere.says(
        "No client starts in perimeter. Which clients reach a management point \
         cannot be seen from here: run it from internet.",
    );
}

/// What a client did: part of its work, flow or name, and whether it came to a good end.
fn steps(report: &Report) -> Vec<String> {
    let all = report.json["client"]["steps"].as_array().expect("steps");
    let places: Vec<u64> = all.iter().filter_map(|it| it["number"].as_u64()).collect();
    assert_eq!(places, (1..=all.len() as u64).collect::<Vec<_>>());
    all.iter()
        .map(|it| {
            let what = it["flow"].as_str().or(it["name"].as_str());
            format!(
                "{} {} {}",
                it["step"].as_str().unwrap_or_default(),
                what.unwrap_or_default(),
                it["succeeds"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn an_update_point_whose_pair_was_forgotten_is_named() {
    // Clients went to 8443; the update point shared their number, and nobody thought of it.
    let shared = "{ http: 80, https: 443 }";
    let servers = [&roles(8443), PLAIN].concat();
    let bed = Bed::new(&[], &servers);
    let run = bed.check(&site("[443]", shared, ""), &site("[8443]", shared, ""));
    assert_eq!(run.change()["reached_by"], "new", "{}", run.change());
    run.says(
        "The pair of the update point ibs01 was forgotten: the new file leaves it at 443 \
         (HTTPS), the clients' old number. It is not reached there any more: the way is open, and \
         nobody listens.",
    );
    drop(bed);

    // The file says another pair, and WSUS was left at the old one.
    let servers = [&roles(8443), &roles(8531), PLAIN].concat();
    let bed = Bed::new(&[], &servers);
    let run = bed.check(
        &site("[8443]", PAIR, ""),
        &site("[8443]", "{ http: 8540, https: 8541 }", ""),
    );
    assert_eq!(run.change()["reached_by"], "both", "{}", run.change());
    run.says(
        "The numbers of clients do not change, and clients in internet reach a management \
         point now.",
    );
    run.says(
        "The pair of the update point ibs01 was forgotten: it still serves at 8531 (HTTPS), \
         and not at 8541 (HTTPS). There the way is open, and nobody listens.",
    );
}

#[test]
fn numbers_are_asked_for_only_with_the_client_and_have_to_be_ports() {
    let portproof = |arguments: &[&str]| {
        let output = assert_cmd::Command::cargo_bin("portproof")
            .expect("the program")
            .args(arguments)
            .output()
            .expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), err)
    };
    let (status, err) = portproof(&["check", "probes.yaml", "--https-port", "8443"]);
    assert_eq!(status, Some(2));
    assert!(err.contains("--client"), "{err}");
    for port in ["0", "70000", "https"] {
        let (status, err) = portproof(&["check", "--client", "--http-port", port]);
        assert_eq!(status, Some(2));
        assert!(err.contains(&format!("'{port}'")), "{err}");
    }
    let (status, err) = portproof(&["check", "--lab", "--against", "probes.yaml"]);
    assert_eq!(status, Some(2));
    assert!(err.contains("cannot be used with"), "{err}");
}

#[test]
fn a_client_has_two_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = before();
    let text: Vec<&str> = text.lines().filter(|it| !it.starts_with("tls:")).collect();
    fs::write(folder.path().join("site.yaml"), text.join("\n")).expect("written");
    let run = |arguments: &[&str]| {
        let output = assert_cmd::Command::cargo_bin("portproof")
            .expect("the program")
            .current_dir(folder.path())
            .args(["check", "site.yaml", "--from", "internet", "--client"])
            .args(arguments)
            .output()
            .expect("it runs");
        assert!(output.stdout.is_empty());
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), err)
    };
    let (status, err) = run(&["--http-port", "18080", "--https-port", "18080"]);
    assert_eq!(status, Some(2), "{err}");
    assert!(err.contains("are both 18080"), "{err}");
    let (status, err) = run(&["--http-port", "443"]);
    assert_eq!(status, Some(2), "{err}");
    assert!(err.contains("--http-port is 443"), "{err}");
}

/// What `plan` says of a change.
fn plan(folder: &Path, old: &str, new: &str, format: &str) -> (Option<i32>, String, String) {
    let (old_file, new_file) = (folder.join("old.yaml"), folder.join("new.yaml"));
    for (file, text) in [(&old_file, old), (&new_file, new)] {
        // A plan reads the roots too, and these are none of its business.
        let text: Vec<&str> = text.lines().filter(|it| !it.starts_with("tls:")).collect();
        fs::write(file, text.join("\n")).expect("written");
    }
    let output = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .arg("plan")
        .arg(&new_file)
        .arg("--against")
        .arg(&old_file)
        .args(["--format", format])
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_plan_against_the_old_file_gives_the_steps_in_order_and_is_as_its_schema_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let after = site("[8443]", PAIR, "");
    let (status, out, _) = plan(folder.path(), &before(), &after, "json");
    assert_eq!(status, Some(0));
    let change: Value = serde_json::from_str(&out).expect("JSON");
    schemas::assert_valid("change", &change);
    assert_eq!(change["schema"], "portproof.change/1");
    let (status, text, _) = plan(folder.path(), &before(), &after, "text");
    assert_eq!(status, Some(0));
    let text = unbroken(&text);
    let places: Vec<usize> = [
        "Opens",
        "internet>ibs01:8443/tcp",
        "Closes",
        "note: ",
        "In this order",
        "Open the new numbers",
        "firewall front-end: Permit 8443 (HTTPS).",
        "Listen on both",
        "Move the clients",
        "Close the old numbers",
        "firewall front-end: Deny 443 (HTTPS)",
        "Clients that do not learn of it by themselves",
        "CCMHTTPSPORT=8443 (changes)",
        "CCMHTTPSSTATE=63",
    ]
    .iter()
    .map(|words| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words}\n{text}"))
    })
    .collect();
    assert!(places.is_sorted(), "{places:?}\n{text}");
}

#[test]
fn equal_files_and_files_of_two_sites_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, out, err) = plan(folder.path(), &before(), &before(), "text");
    assert_eq!(status, Some(0));
    assert!(unbroken(&out).contains("nothing differs"), "{out}");
    assert!(!err.contains("warning: "), "{err}");
    let other = before().replace("code: PRI", "code: SEC");
    let (status, _, err) = plan(folder.path(), &other, &before(), "text");
    assert_eq!(status, Some(0));
    assert!(err.contains("is of site PRI"), "{err}");
}
