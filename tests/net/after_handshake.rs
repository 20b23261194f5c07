//! What vanishes once a connection is open, behind a real firewall: all data or only large packets, each way, over IPv4 and
//! IPv6. A mute server stays mute.
//!
//! Needs root, `ip`, `nft` and Python; without them the test fails and says so. The namespaces are its own and
//! are removed.

use std::fs;
use std::path::Path;

use crate::support::row::{Row, check_as_nobody, copy_for_nobody};
use crate::support::running::Running;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

/// Ports 1000 to 1003 answer with more than a packet and close at once. 1004 asks for a client certificate first. 1005
/// reads and never says a word.
const SERVER: &str = "import socket, ssl, sys, threading, time
folder = sys.argv[1]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + '/server.full')
context.load_verify_locations(folder + '/root.pem')
context.verify_mode = ssl.CERT_OPTIONAL
answer = b'HTTP/1.1 200 OK\\r\\nContent-Length: 5000\\r\\nX-Padding: ' + b'x' * 2000 + b'\\r\\n\\r\\n' + b'y' * 5000
def serve(port, connection):
    try:
        connection.settimeout(60)
        if port == 1004:
            connection = context.wrap_socket(connection, server_side=True)
        connection.recv(9999)
        if port == 1005:
            time.sleep(60)
        connection.sendall(answer)
        connection.close()
    except OSError:
        pass
def accept(port):
    server = socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True)
    ready.release()
    while True:
        threading.Thread(target=serve, args=(port, server.accept()[0]), daemon=True).start()
ready = threading.Semaphore(0)
for port in range(1000, 1006):
    threading.Thread(target=accept, args=(port,), daemon=True).start()
for port in range(1000, 1006):
    ready.acquire()
print('ready', flush=True)
threading.Event().wait()
";

/// Over IPv6 a first packet has 80 bytes, and one that only acknowledges 72.
const RULES: &str = "table inet wall {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname w0 tcp dport 1001 meta length > 80 drop
    iifname w1 tcp sport 1002 meta length > 80 drop
    iifname w1 tcp sport 1003 meta length > 1300 drop
    iifname w0 tcp dport 1004 meta length > 1300 drop
  }
}
";

const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"198.51.100.0/24\", \"2001:db8:1::/64\"] }
  perimeter: { networks: [\"192.0.2.0/24\", \"2001:db8:2::/64\"] }
firewalls: { front-end: { between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.254] } }
systems:
  four: { zone: perimeter, names: { default: web.example }, addresses: { default: 192.0.2.10 }, roles: [console] }
  six: { zone: perimeter, names: { default: web6.example }, addresses: { default: \"2001:db8:2::10\" }, roles: [console] }
tls: { roots: [root.pem], client_certificate: client.full }
probing: { timeout: 2s, second_look: off, rate: max, sweep: none, dns: off }
flows:
";

fn site() -> String {
    let mut site = SITE.to_string();
    for system in ["four", "six"] {
        for port in 1000..=1005 {
            let protocol = if port == 1004 { "https" } else { "http" };
            site += &format!(
                "  - {{ from: internet, to: {system}, port: {port}, need: required, protocol: {protocol} }}\n"
            );
        }
    }
    site
}

/// A second family in the row, and links that pass packets as large as they go over a wire.
fn lay_out(row: &Row) {
    let [client, wall, server] = [0, 1, 2];
    for (place, link, address) in [
        (client, "c0", "2001:db8:1::10/64"),
        (wall, "w0", "2001:db8:1::1/64"),
        (wall, "w1", "2001:db8:2::1/64"),
        (server, "s0", "2001:db8:2::10/64"),
    ] {
        row.inside(place, &["ip", "addr", "add", address, "dev", link, "nodad"]);
    }
    for (place, link, gateway) in [
        (client, "c0", "2001:db8:1::1"),
        (server, "s0", "2001:db8:2::1"),
    ] {
        row.inside(
            place,
            &["ip", "-6", "route", "add", "default", "via", gateway],
        );
        row.inside(place, &["ip", "link", "set", link, "gso_max_segs", "1"]);
    }
    row.inside(wall, &["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"]);
}

/// An authority with two certificates: the client's is larger than a packet.
fn issue(folder: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let many = (0..80).map(|number| format!("client-{number:02}.long-names-fill-a-packet.example"));
    let servers = ["web.example", "web6.example"].map(str::to_string);
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    write("root.pem", &authority.pem());
    for (name, names) in [("server", servers.to_vec()), ("client", many.collect())] {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(names).expect("parameters");
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        write(
            &format!("{name}.full"),
            &(certificate.pem() + &key.serialize_pem()),
        );
    }
}

fn open_to_nobody(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755));
    }
}

#[test]
fn what_vanishes_after_the_handshake_is_the_networks_and_a_mute_server_stays_mute() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    issue(folder);
    fs::write(folder.join("rules.nft"), RULES).expect("written");
    fs::write(folder.join("site.yaml"), site()).expect("written");
    let row = Row::new();
    lay_out(&row);
    let rules = folder.join("rules.nft").display().to_string();
    row.inside(1, &["nft", "-f", &rules]);
    let _servers = Running::python(&row.names[2], SERVER, &[&folder.display().to_string()]);
    let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder);
    open_to_nobody(folder);
    let site = folder.join("site.yaml");
    let (status, report) = check_as_nobody(&row, &program, &site, &["--from", "internet"]);
    let expected = [
        (1000, "ok", "answered", None, None),
        (
            1001,
            "blocked",
            "data-dropped",
            Some("there"),
            Some("firewall"),
        ),
        (
            1002,
            "blocked",
            "data-dropped",
            Some("back"),
            Some("firewall"),
        ),
        (1003, "blocked", "mtu", Some("back"), Some("firewall")),
        (1004, "blocked", "mtu", Some("there"), Some("firewall")),
        (1005, "wrong", "mute", None, Some("server")),
    ];
    for system in ["four", "six"] {
        for (port, verdict, cause, way, owner) in expected {
            let flow = flow(&report, &format!("internet>{system}:{port}/tcp"));
            let found = (
                flow["verdict"].as_str(),
                flow["cause"].as_str(),
                flow["evidence"]["delivery"]["lost"]["way"].as_str(),
                flow["owner"].as_str(),
            );
            let expected = (Some(verdict), Some(cause), way, owner);
            assert_eq!(found, expected, "{system}:{port} {flow:#}");
        }
    }
    assert_eq!(status, Some(1));
}

fn flow<'a>(report: &'a Value, id: &str) -> &'a Value {
    let flows = report["flows"].as_array().expect("flows");
    let found = flows.iter().find(|flow| flow["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not in the report"))
}
