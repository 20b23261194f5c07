//! Management points that answer and serve nobody. A client certificate is not taken, a database fails, a server is
//! bound to the other protocol, or paths send elsewhere. nginx, Apache and Python, on loopback.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::apache::{Apache, assert_proved, certificates, check, judged, openssl, site};
use crate::support::ends::EndsWithTest;
use crate::support::ports;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Server {
    process: EndsWithTest,
    port: u16,
}

impl Server {
    fn start(at: SocketAddr, program: &str, arguments: &[&str]) -> Self {
        let child = Command::new(program)
            .args(arguments)
            // smbd ends by a signal to its whole process group.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} is needed: {error}"));
        let mut server = Self {
            process: EndsWithTest(child),
            port: at.port(),
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(at).is_err() {
            let has_ended = server
                .process
                .0
                .try_wait()
                .is_ok_and(|ended| ended.is_some());
            assert!(Instant::now() < deadline && !has_ended, "{program}");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// nginx over TLS, with these directives of its server.
    fn nginx(folder: &Path, directives: &str) -> Self {
        let at = ports::free(Ipv4Addr::LOCALHOST);
        let here = tempfile::tempdir_in(folder).expect("a folder").keep();
        let (made, own) = (folder.display(), here.display());
        let text = format!(
            "daemon off; user root; pid {own}/pid; error_log {own}/errors; events {{}}
            http {{
                access_log off;
                client_body_temp_path {own}/b; proxy_temp_path {own}/p; fastcgi_temp_path {own}/f;
                uwsgi_temp_path {own}/u; scgi_temp_path {own}/s;
                server {{
                    listen {at} ssl; ssl_certificate {made}/leaf.pem; ssl_certificate_key {made}/leaf.key;
                    {directives}
                }}
            }}"
        );
        let file = here.join("nginx.conf");
        fs::write(&file, text).expect("written");
        Self::start(at, "nginx", &["-c", &file.display().to_string()])
    }
}

/// Certificates, and one of an authority that issued none of them.
fn with_another_authority() -> TempDir {
    let made = certificates();
    openssl(
        made.path(),
        "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -subj /CN=Other -days \
         3650",
    );
    made
}

const CLIENT: &str = ", client_certificate: client.full";

#[track_caller]
fn assert_refused(flow: &Value, status: i32, ours: &Value) {
    assert_eq!(
        judged(flow),
        "wrong client-certificate-refused error",
        "{flow:#}"
    );
    assert_eq!((flow["owner"].as_str(), status), (Some("certificate"), 1));
    let tls = &flow["evidence"]["tls"];
    assert_eq!(
        (&tls["shown"]["subject"], &tls["presented"]),
        (&"CN=client".into(), ours)
    );
    let advice = flow["advice"].as_str().expect("an advice");
    assert!(
        advice.contains("does not take the client certificate CN=client"),
        "{advice}"
    );
}

#[test]
fn a_client_certificate_that_was_taken_and_is_answered_401_or_403_is_refused() {
    let made = certificates();
    let folder = made.path();
    for status in [401, 403] {
        for protocol in ["TLSv1.2", "TLSv1.3"] {
            let server = Server::nginx(
                folder,
                &format!(
                    "ssl_protocols {protocol}; ssl_verify_client on; ssl_client_certificate {}/root.pem;
                     location = / {{ return 200 here; }} location / {{ return {status}; }}",
                    folder.display()
                ),
            );
            let (flow, exit) = check(folder, &site(server.port, "", CLIENT), server.port);
            assert_refused(&flow, exit, &json!("taken"));
            assert_eq!(flow["evidence"]["http"]["roles"][0]["proof"], "forbidden");
        }
    }
}

#[test]
fn a_client_certificate_whose_issuer_is_not_in_the_servers_list_is_refused() {
    let made = with_another_authority();
    let folder = made.path();
    let other = format!("{}/other.pem", folder.display());
    for protocol in ["TLSv1.2", "TLSv1.3"] {
        // Apache ends the handshake with an alert, nginx answers every request with 400.
        let apache = Apache::start(
            folder,
            protocol,
            &format!("SSLCACertificateFile {other}\nSSLVerifyClient require"),
        );
        let (flow, exit) = check(folder, &site(apache.port, "", CLIENT), apache.port);
        assert_refused(&flow, exit, &json!({"refused": "UnknownCA"}));
        let nginx = Server::nginx(
            folder,
            &format!(
                "ssl_protocols {protocol}; ssl_verify_client on; ssl_client_certificate {other};"
            ),
        );
        let (flow, exit) = check(folder, &site(nginx.port, "", CLIENT), nginx.port);
        assert_refused(&flow, exit, &json!("taken"));
        let advice = flow["advice"].as_str().expect("an advice");
        assert!(
            advice.contains("It takes certificates by CN=Other"),
            "{advice}"
        );
        // Without one, nobody can tell, and whoever runs the program can show one.
        let (flow, exit) = check(folder, &site(nginx.port, "", ""), nginx.port);
        assert_eq!(judged(&flow), "unknown role-unproved warning", "{flow:#}");
        assert_eq!((flow["owner"].as_str(), exit), (Some("prober"), 3));
    }
}

#[test]
fn a_management_point_whose_every_path_fails_names_the_path_and_the_flow_to_its_database() {
    let made = certificates();
    let folder = made.path();
    let server = Server::nginx(
        folder,
        "location /SMS_MP/ { return 500; } location = / { return 200 here; } location / { return 404; }",
    );
    let text = site(server.port, ", database: sqlrep01", "");
    let text = text
        .replace("there: {}", "there: {}, inside: {}")
        .replace("systems: {", "systems: { sqlrep01: { zone: inside, names: { default: sqlrep01.example.com }, roles: [site-database-replica] },")
        .replace("[here, there] }", "[here, there] }, back: { between: [there, inside] }");
    let (flow, exit) = check(folder, &text, server.port);
    assert_eq!(judged(&flow), "wrong http-server-error error", "{flow:#}");
    assert_eq!((flow["owner"].as_str(), exit), (Some("server"), 1));
    let advice = flow["advice"].as_str().expect("an advice");
    assert!(advice.contains("/SMS_MP/.sms_aut?MPLIST: 500"), "{advice}");
    assert!(
        advice.contains("look at mp01>sqlrep01:1433/tcp as well"),
        "{advice}"
    );
}

#[test]
fn a_management_point_of_which_one_needed_path_sends_elsewhere_is_not_proved_by_the_others() {
    let made = certificates();
    let folder = made.path();
    let serves = |rule: &str| {
        let server = Server::nginx(
            folder,
            &format!(
                "location /SMS_MP/ {{ {rule} return 200 '<MPList><MP FQDN=\"mp.example.com\"/></MPList>'; }}
                 location = / {{ return 200 here; }} location / {{ return 404; }}"
            ),
        );
        let (flow, _) = check(folder, &site(server.port, "", ""), server.port);
        flow
    };
    assert_proved(&serves(""));
    for path in ["MPCERT", "SITESIGNCERT", "MPLIST"] {
        let rule = format!("if ($args ~ {path}) {{ return 302 https://portal.example.com/; }}");
        let flow = serves(&rule);
        assert_eq!(judged(&flow), "wrong redirected error", "{flow:#}");
        let advice = flow["advice"].as_str().expect("an advice");
        let told = format!("/SMS_MP/.sms_aut?{path}: 302 to https://portal.example.com/");
        assert!(advice.contains(&told), "{advice}");
    }
}

#[test]
fn a_distribution_point_on_another_drive_is_proved_where_the_file_names_the_drive() {
    let made = certificates();
    let folder = made.path();
    let server = Server::nginx(
        folder,
        "location = / { return 200 here; } location ~ PKGF { return 403; } location / { return 404; }",
    );
    let of = |system: &str| {
        let text = site(server.port, system, "").replace("management-point", "distribution-point");
        check(folder, &text, server.port)
    };
    let (flow, exit) = of("");
    assert_eq!(judged(&flow), "unknown role-unproved warning", "{flow:#}");
    assert_eq!((flow["owner"].as_str(), exit), (Some("server"), 3));
    let advice = flow["advice"].as_str().expect("an advice");
    assert!(advice.contains("/SMS_DP_SMSPKGE$/: 404"), "{advice}");
    assert!(
        advice.contains("name it under `package_drives`"),
        "{advice}"
    );
    let (flow, exit) = of(", package_drives: [f]");
    assert_eq!(judged(&flow), "ok answered note", "{flow:#}");
    let role = &flow["evidence"]["http"]["roles"][0];
    assert_eq!((role["proof"].as_str(), exit), (Some("reached"), 0));
    assert!(
        role["words"]
            .as_str()
            .expect("words")
            .starts_with("/SMS_DP_SMSPKGF$/: 403")
    );
}

/// Waits for the end of a request, which a TLS greeting has not, and then answers in plain HTTP.
const PATIENT: &str = "import socketserver, sys
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        read = b''
        while b'\\r\\n\\r\\n' not in read:
            more = self.request.recv(9999)
            if not more:
                return
            read += more
        self.request.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nhere')
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1])), Answer).serve_forever()
";

#[test]
fn a_port_for_plain_http_is_called_so_where_tls_is_needed_and_it_says_nothing_or_no_role_is_asked_for()
 {
    let made = certificates();
    let folder = made.path();
    let at = ports::free(Ipv4Addr::LOCALHOST);
    let python = Server::start(at, "python3", &["-c", PATIENT, &at.port().to_string()]);
    let site = |port| site(port, "", "").replace("timeout: 3s", "timeout: 500ms");
    let (flow, exit) = check(folder, &site(python.port), python.port);
    assert_speaks_http(&flow, exit);
    // A plain TLS flow of the file's own.
    let other = ports::free(Ipv4Addr::LOCALHOST).port();
    let port = python.port;
    let text = site(other).replace(
        "tls: {",
        &format!(
            "flows: [ {{ from: here, to: mp01, port: {port}, protocol: tls, need: required }} \
             ]\ntls: {{"
        ),
    );
    let (flow, exit) = check(folder, &text, port);
    assert_eq!(flow["protocol"], "tls");
    assert_speaks_http(&flow, exit);
}

#[track_caller]
fn assert_speaks_http(flow: &Value, exit: i32) {
    assert_eq!(judged(flow), "wrong not-tls error", "{flow:#}");
    assert_eq!(exit, 1);
    assert_eq!(flow["evidence"]["speaks"], "http");
    let advice = flow["advice"].as_str().expect("an advice");
    assert!(
        advice.contains("speaks plain HTTP, and TLS is needed here"),
        "{advice}"
    );
}

/// Samba on a port of its own, with these settings.
fn samba(folder: &Path, extra: &str) -> Server {
    let at = ports::free(Ipv4Addr::LOCALHOST);
    let here = tempfile::tempdir_in(folder).expect("a folder").keep();
    let own = here.display();
    let text = format!(
        "[global]\nserver role = standalone server\nmap to guest = Bad User\ndisable netbios = yes\n\
         smb ports = {}\ninterfaces = 127.0.0.1\nbind interfaces only = yes\ndisable spoolss = yes\n\
         private dir = {own}\nlock directory = {own}\nstate directory = {own}\ncache directory = {own}\n\
         pid directory = {own}\nncalrpc dir = {own}/ncalrpc\nbinddns dir = {own}\nlog file = \
         {own}/log\n{extra}\n",
        at.port()
    );
    let file = here.join("smb.conf");
    fs::write(&file, text).expect("written");
    let file = file.display().to_string();
    let arguments = ["-F", "--no-process-group", "--debug-stdout", "-s", &file];
    Server::start(at, "smbd", &arguments)
}

#[test]
fn a_file_server_of_smb_1_alone_is_noted_and_warned_of_where_modern_windows_starts_the_flow() {
    let made = tempfile::tempdir().expect("a folder");
    let folder = made.path();
    let of = |server: &Server, speak: &str| {
        let port = server.port;
        let text = format!(
            "site: {{ code: PRI, product: configmgr-2007, crl_check: false{speak} }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
clients: [here]
systems: {{ mp01: {{ zone: there, names: {{ default: fs.example.com }}, addresses: {{ default: 127.0.0.1 }}, roles: [console] }} }}
flows: [ {{ from: here, to: mp01, port: {port}, protocol: smb, need: required }} ]
probing: {{ second_look: off, rate: max, dns: off, sweep: none }}
"
        );
        check(folder, &text, port)
    };
    let modern = ", clients_speak: [tls1.2, tls1.3]";
    let old = samba(
        folder,
        "server min protocol = NT1\nserver max protocol = NT1",
    );
    let (flow, exit) = of(&old, "");
    assert_eq!(judged(&flow), "ok smb1-only note", "{flow:#}");
    assert_eq!((flow["owner"].as_str(), exit), (None, 0));
    let (flow, exit) = of(&old, modern);
    assert_eq!(judged(&flow), "ok smb1-only warning", "{flow:#}");
    assert_eq!((flow["owner"].as_str(), exit), (Some("server"), 0));
    let newer = samba(
        folder,
        "server min protocol = NT1\nserver max protocol = SMB3",
    );
    let (flow, _) = of(&newer, modern);
    assert_eq!(judged(&flow), "ok answered note", "{flow:#}");
}
