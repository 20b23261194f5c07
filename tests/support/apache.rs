//! Apache as a management point over TLS, the certificates and the site file for it, and a run against it.
//!
//! Needs Apache and openssl (`scripts/test` installs them); without them the test fails and says so.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::ends::EndsWithTest;
pub(crate) use super::openssl_tool::openssl;
use super::{ports, schemas};

/// The name of the management point.
pub(crate) const NAME: &str = "mp.example.com";

/// `root.pem`, a server's `leaf.pem` with `leaf.key`, and a client's `client.full`, all RSA.
pub(crate) fn certificates() -> TempDir {
    let made = tempfile::tempdir().expect("a folder");
    let folder = made.path();
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -subj /CN=SiteRoot -days \
         3650",
    );
    let server = format!("subjectAltName = DNS:{NAME}\nextendedKeyUsage = serverAuth\n");
    for (file, extensions) in [
        ("leaf", &*server),
        ("client", "extendedKeyUsage = clientAuth\n"),
    ] {
        fs::write(folder.join("extensions"), extensions).expect("written");
        openssl(
            folder,
            &format!(
                "req -newkey rsa:2048 -nodes -keyout {file}.key -out {file}.csr -subj /CN={file}"
            ),
        );
        openssl(
            folder,
            &format!(
                "x509 -req -in {file}.csr -CA root.pem -CAkey root.key -CAcreateserial -sha256 \
                 -days 300 -extfile extensions -out {file}.pem"
            ),
        );
    }
    let text = |file: &str| fs::read_to_string(folder.join(file)).expect("read");
    let full = text("client.pem") + &text("client.key");
    fs::write(folder.join("client.full"), full).expect("written");
    made
}

/// A site in native mode whose clients reach a management point at this port.
pub(crate) fn site(port: u16, system: &str, tls: &str) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false, client_ports: {{ https: [{port}] }} }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
clients: [here]
systems: {{ mp01: {{ zone: there, names: {{ default: {NAME} }}, addresses: {{ default: 127.0.0.1 }}, roles: [management-point], serves: [here]{system} }} }}
tls: {{ roots: [root.pem]{tls} }}
probing: {{ second_look: off, timeout: 3s, rate: max, dns: off, sweep: none }}
"
    )
}

/// The flow to a port, and the exit status.
pub(crate) fn check(folder: &Path, site: &str, port: u16) -> (Value, i32) {
    let file = folder.join("site.yaml");
    fs::write(&file, site).expect("written");
    let output = assert_cmd::Command::cargo_bin("portproof")
        .expect("the program")
        .args(["check", "--from", "here", "--format", "json"])
        .arg(file)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    schemas::assert_valid("report", &report);
    let flows = report["flows"].as_array().expect("flows");
    let id = format!("here>mp01:{port}/tcp");
    let flow = flows.iter().find(|flow| flow["id"] == *id);
    let flow = flow.unwrap_or_else(|| panic!("{report:#}")).clone();
    (flow, output.status.code().expect("a status"))
}

pub(crate) fn judged(flow: &Value) -> String {
    let text = |key: &str| flow[key].as_str().unwrap_or_default().to_string();
    format!("{} {} {}", text("verdict"), text("cause"), text("level"))
}

#[track_caller]
pub(crate) fn assert_proved(flow: &Value) {
    assert_eq!(judged(flow), "ok answered note", "{flow:#}");
    let role = &flow["evidence"]["http"]["roles"][0];
    assert_eq!(role["proof"], "proved", "{flow:#}");
    assert_eq!(flow["evidence"]["tls"]["key_proven"], true);
}

/// Apache, until the test ends.
pub(crate) struct Apache {
    _process: EndsWithTest,
    pub(crate) port: u16,
}

impl Apache {
    /// A management point that wants a client certificate for what `locations` says.
    pub(crate) fn start(folder: &Path, protocol: &str, locations: &str) -> Self {
        let at = ports::free(Ipv4Addr::LOCALHOST);
        let port = at.port();
        let here = tempfile::tempdir_in(folder).expect("a folder").keep();
        let (certificates, own) = (folder.display(), here.display());
        fs::create_dir_all(here.join("www")).expect("a folder");
        fs::write(here.join("www/index.html"), "here").expect("written");
        let modules = "/usr/lib/apache2/modules";
        let text = format!(
            "ServerRoot {own}\nServerName {NAME}\nPidFile {own}/pid\nDefaultRuntimeDir {own}\nErrorLog {own}/error\nListen {at}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule rewrite_module {modules}/mod_rewrite.so
LoadModule ssl_module {modules}/mod_ssl.so
Mutex file:{own}
DocumentRoot {own}/www
DirectoryIndex index.html
SSLEngine on
SSLProtocol {protocol}
SSLCipherSuite ALL:@SECLEVEL=0
SSLCertificateFile {certificates}/leaf.pem
SSLCertificateKeyFile {certificates}/leaf.key
SSLCACertificateFile {certificates}/root.pem
SSLVerifyDepth 2
RewriteEngine on
RewriteCond %{{QUERY_STRING}} MPLIST
RewriteRule ^/SMS_MP/ /SMS_MP/list.html [PT,QSD]
{locations}\n"
        );
        fs::create_dir_all(here.join("www/SMS_MP")).expect("a folder");
        let list = "<MPList><MP Name=\"MP\" FQDN=\"mp.example.com\"/></MPList>";
        fs::write(here.join("www/SMS_MP/list.html"), list).expect("written");
        fs::write(here.join("conf"), text).expect("written");
        let child = Command::new("/usr/sbin/apache2")
            .args(["-DFOREGROUND", "-f"])
            .arg(here.join("conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("apache2 is needed: scripts/test installs it");
        let mut process = EndsWithTest(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(at).is_err() {
            let has_ended = process.0.try_wait().is_ok_and(|ended| ended.is_some());
            let said = fs::read_to_string(here.join("error")).unwrap_or_default();
            assert!(Instant::now() < deadline && !has_ended, "apache2: {said}");
            thread::sleep(Duration::from_millis(20));
        }
        Self {
            _process: process,
            port,
        }
    }
}
