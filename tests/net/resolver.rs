//! A resolver that refuses this host, or could not find out, is not a silent one; nor is a name server that waits for others.
//!
//! Needs root, `ip` and unbound: a network namespace has a `resolv.conf` of its own. Both are removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::running::Running;
use serde_json::Value;

/// Answers every question with this code, and one of 16 not at all.
const SERVER: &str = "import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.1', 53))
print('ready', flush=True)
code = int(sys.argv[1])
while True:
    question, source = server.recvfrom(2000)
    if code < 16:
        server.sendto(question[:2] + bytes([question[2] | 0x80, question[3] & 0xf0 | code]) + question[4:], source)
";

/// A namespace with a name server on loopback; with it both end.
struct Bed {
    name: String,
    folder: PathBuf,
    server: Option<Running>,
}

impl Bed {
    /// `code`: what its name server answers; `None`: there is none.
    fn new(case: &str, code: Option<u8>) -> Self {
        let name = format!("pp-dns-{}-{case}", std::process::id());
        let folder = Path::new("/etc/netns").join(&name);
        fs::create_dir_all(&folder).expect("this test needs root");
        fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\n").expect("written");
        let mut bed = Self {
            name,
            folder,
            server: None,
        };
        bed.ip(&["netns", "add", &bed.name]);
        bed.ip(&["-n", &bed.name, "link", "set", "lo", "up"]);
        bed.server = code.map(|code| bed.serve(code));
        bed
    }

    fn ip(&self, arguments: &[&str]) {
        let status = Command::new("ip").args(arguments).status();
        assert!(
            status.expect("iproute2 is needed").success(),
            "{arguments:?}"
        );
    }

    fn inside(&self) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]);
        command
    }

    fn serve(&self, code: u8) -> Running {
        Running::python(&self.name, SERVER, &[&code.to_string()])
    }
}

/// unbound at an address, with these lines of its section `server` and the sections after it.
fn unbound(bed: &Bed, folder: &Path, address: &str, lines: &str) -> Child {
    let here = folder.display();
    let text = format!(
        "server:\n  interface: {address}\n  do-daemonize: no\n  use-syslog: no\n  username: \"\"\n  chroot: \"\"\n  \
         pidfile: \"\"\n  directory: \"{here}\"\n  module-config: iterator\n  \
         do-not-query-localhost: no\n{lines}\n"
    );
    let file = folder.join("unbound.conf");
    fs::write(&file, text).expect("written");
    let child = bed
        .inside()
        .args(["unbound", "-d", "-c"])
        .arg(&file)
        .stderr(Stdio::null())
        .spawn()
        .expect("ip");
    let deadline = Instant::now() + Duration::from_secs(10);
    let probe = format!("exec 3<>/dev/tcp/{address}/53");
    while !bed
        .inside()
        .args(["bash", "-c", &probe])
        .stderr(Stdio::null())
        .status()
        .expect("bash")
        .success()
    {
        assert!(
            Instant::now() < deadline,
            "unbound does not listen: scripts/test installs it"
        );
        sleep(Duration::from_millis(20));
    }
    child
}

/// A server that ends with its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.server = None;
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: { networks: [\"192.0.2.0/24\"] }, perimeter: { networks: [\"127.0.0.0/8\"] } }
firewalls: { front-end: { between: [internet, perimeter] } }
systems:
  named: { zone: perimeter, names: { default: mp.example.com }, roles: [console] }
  given: { zone: perimeter, names: { default: dp.example.com }, addresses: { default: 127.0.0.9 }, roles: [console] }
probing: { timeout: 2s, second_look: off, rate: max, sweep: none }
flows:
  - { from: internet, to: named, port: 1000, need: required }
  - { from: internet, to: given, port: 1000, need: required }
";

fn report(bed: &Bed, site: &Path) -> Value {
    report_from(bed, "internet", site)
}

fn report_from(bed: &Bed, zone: &str, site: &Path) -> Value {
    let output = bed
        .inside()
        .arg(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["check", "--from", zone, "--force-vantage", "--no-path"])
        .args(["--format", "json"])
        .arg(site)
        .output()
        .expect("it runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// What the flow to the name came to, and what is noted of the other.
fn check(case: &str, code: Option<u8>) -> (Value, String) {
    let bed = Bed::new(case, code);
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site.yaml");
    fs::write(&site, SITE).expect("written");
    let report = report(&bed, &site);
    let flows = report["flows"].as_array().expect("flows");
    let flow = flows.iter().find(|flow| flow["to"]["system"] == "named");
    let notes = report["notes"].as_array().expect("notes").iter();
    let mut notes = notes.filter(|note| note["cause"] == "dns-no-answer");
    let note = notes
        .next()
        .map_or("", |note| note["text"].as_str().expect("text"));
    (flow.expect("its flow").clone(), note.to_string())
}

#[test]
fn a_resolver_that_answers_with_an_error_is_not_silent() {
    for (case, code, cause, words) in [
        (
            "refuses",
            Some(5),
            "resolver-refused",
            "refuses to serve this host (REFUSED)",
        ),
        (
            "fails",
            Some(2),
            "resolver-failed",
            "could not find out (SERVFAIL)",
        ),
        ("absent", None, "resolver-failed", "is not there"),
        (
            "silent",
            Some(16),
            "resolver-silent",
            "DNS did not answer for dp.example.com",
        ),
    ] {
        let (flow, note) = check(case, code);
        let found = ["verdict", "cause", "owner"].map(|key| flow[key].as_str());
        assert_eq!(found, [Some("unknown"), Some(cause), Some("dns")], "{case}");
        assert!(note.contains(words), "{case}: {note}");
    }
}

/// A site whose management point may be published in DNS.
const PUBLISHED: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: { networks: [\"192.0.2.0/24\"] }, intranet: { networks: [\"127.0.0.0/8\"] } }
firewalls: { front-end: { between: [internet, intranet] } }
clients: [internet, intranet]
systems: { mp: { zone: intranet, names: { default: mp.corp.example }, addresses: { default: 127.0.0.9 }, roles: [management-point], serves: [internet, intranet] } }
probing: { timeout: 1s, second_look: off, rate: max, sweep: none }
";

#[test]
fn what_a_real_name_server_publishes_of_the_site_is_compared_with_the_file() {
    let address = "  local-data: \"mp.corp.example. A 127.0.0.9\"";
    let record = |port: u16, target: &str| {
        format!(
            "{address}\n  local-data: \"_mssms_mp_pri._tcp.corp.example. SRV 0 0 {port} {target}.\""
        )
    };
    let other_port = "DNS says that clients use 8443 at mp.corp.example (_mssms_mp_pri._tcp.corp.example); \
                      the site file says 443";
    let other_name = "DNS has old.corp.example for the management points of site PRI \
                      (_mssms_mp_pri._tcp.corp.example); the site file has no system of such a name";
    for (case, from, lines, expected) in [
        ("fits", "intranet", record(443, "mp.corp.example"), None),
        ("none", "intranet", address.to_string(), None),
        (
            "port",
            "intranet",
            record(8443, "mp.corp.example"),
            Some(("advertised-port", "mp", other_port)),
        ),
        (
            "name",
            "intranet",
            record(443, "old.corp.example"),
            Some(("advertised-name", "", other_name)),
        ),
        ("outside", "internet", record(8443, "mp.corp.example"), None),
    ] {
        let bed = Bed::new(case, None);
        let folder = tempfile::tempdir().expect("a folder");
        let lines = format!(
            "  access-control: 127.0.0.0/8 allow\n  local-zone: \"corp.example.\" static\n{lines}"
        );
        let _server = Ended(unbound(&bed, folder.path(), "127.0.0.1", &lines));
        let site = folder.path().join("site.yaml");
        fs::write(&site, PUBLISHED).expect("written");
        let report = report_from(&bed, from, &site);
        let notes = report["notes"].as_array().expect("notes").iter();
        let told: Vec<_> = notes
            .filter_map(|it| {
                let cause = it["cause"].as_str()?;
                let is_of_it = cause.starts_with("advertised-");
                is_of_it.then(|| {
                    (
                        cause,
                        it["system"].as_str().unwrap_or("none"),
                        it["text"].as_str().unwrap_or("none"),
                    )
                })
            })
            .collect();
        assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{case}");
    }
}

/// A name server as a system of the site, asked over both transports.
const NAME_SERVER: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: { networks: [\"192.0.2.0/24\"] }, perimeter: { networks: [\"127.0.0.0/8\"] } }
firewalls: { front-end: { between: [internet, perimeter] } }
systems: { ns: { zone: perimeter, names: { default: ns.example.com }, addresses: { default: 127.0.0.53 }, roles: [console] } }
probing: { timeout: 1s, second_look: off, rate: max, sweep: none, dns: off }
flows:
  - { from: internet, to: ns, port: 53, protocol: dns, transport: tcp, need: required }
  - { from: internet, to: ns, port: 53, protocol: dns, transport: udp, need: required }
";

#[test]
fn a_real_name_server_is_told_by_its_answer_also_while_it_waits_for_others() {
    for (case, lines, words, note) in [
        (
            "serves",
            "  access-control: 127.0.0.0/8 allow\n  local-data: \"ns.example.com. A 127.0.0.53\"",
            "NOERROR",
            "",
        ),
        (
            "other-kind",
            "  access-control: 127.0.0.0/8 allow\n  local-data: \"ns.example.com. AAAA 2001:db8::1\"",
            "no data",
            "the name server ns has no address for ns.example.com",
        ),
        (
            "denies",
            "  access-control: 127.0.0.0/8 refuse",
            "REFUSED (it does not serve this host",
            "the name server ns refuses to serve this host (REFUSED), asked for ns.example.com",
        ),
        (
            "waits",
            "  access-control: 127.0.0.0/8 allow\nforward-zone:\n  name: \".\"\n  forward-addr: \
             127.0.0.99",
            "none in time: the servers that it asks itself may not answer it",
            "the name server ns had no answer in time for ns.example.com",
        ),
    ] {
        let bed = Bed::new(case, None);
        let folder = tempfile::tempdir().expect("a folder");
        let _server = Ended(unbound(&bed, folder.path(), "127.0.0.53", lines));
        let site = folder.path().join("site.yaml");
        fs::write(&site, NAME_SERVER).expect("written");
        let report = report(&bed, &site);
        let flows = report["flows"].as_array().expect("flows");
        let of_dns: Vec<&Value> = flows.iter().filter(|flow| flow["port"] == 53).collect();
        assert_eq!(of_dns.len(), 2, "{case}");
        for flow in of_dns {
            assert_eq!(flow["verdict"], "ok", "{case}: {flow:#}");
            let said = flow["evidence"]["spoken"]["facts"]["answer"].as_str();
            assert!(said.unwrap_or_default().contains(words), "{case}: {flow:#}");
        }
        let notes = report["notes"].as_array().expect("notes").iter();
        let notes: Vec<&str> = notes.filter_map(|it| it["text"].as_str()).collect();
        let of_server: Vec<&&str> = notes
            .iter()
            .filter(|text| text.contains("the name server"))
            .collect();
        match note {
            "" => assert!(of_server.is_empty(), "{case}: {notes:?}"),
            note => assert_eq!(of_server, [&note], "{case}: {notes:?}"),
        }
    }
}
