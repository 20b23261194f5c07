//! How many connections a required flow makes, and what the server logs of them. Real servers behind a real router are
//! held against the table of `docs/what-it-sends.md`.
//!
//! Needs root, `ip`, `nft`, nginx, Apache, stunnel, OpenLDAP and MIT's krb5kdc (`scripts/test` installs them); without them
//! the test fails and says so.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::ends::EndsWithTest;
use crate::support::row::{Row, check_as_nobody, copy_for_nobody};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

const NAME: &str = "ibs01.example.com";
const AT: &str = "192.0.2.10";

/// One flow of the user's own to one server, and nothing else that is tried on its port.
fn site(port: u16, protocol: &str) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ perimeter: {{ networks: [\"192.0.2.0/24\"] }}, intranet: {{ networks: [\"198.51.100.0/24\"] }} }}
firewalls: {{ back-end: {{ between: [perimeter, intranet] }} }}
systems: {{ ibs01: {{ zone: perimeter, names: {{ default: {NAME} }}, addresses: {{ default: {AT} }}, roles: [console] }} }}
flows: [ {{ from: intranet, to: ibs01, port: {port}, protocol: {protocol}, need: required }} ]
tls: {{ roots: [root.pem] }}
probing: {{ second_look: off, rate: max, sweep: none }}
"
    )
}

/// Counts on the router the connections to a port that the server has taken. Also those that were begun by packets
/// which may go few hops only. A server whose queue is full takes none for a moment, and is tried again.
fn counting(port: u16) -> String {
    format!(
        "table inet count {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
    tcp sport {port} tcp flags & (syn | ack) == (syn | ack) counter comment \"all\"
    tcp dport {port} tcp flags & (syn | ack) == syn ip ttl < 30 counter comment \"walking\"
  }}
}}
"
    )
}

struct Bed {
    row: Row,
    folder: TempDir,
}

impl Bed {
    fn new(port: u16) -> Self {
        let bed = Self {
            row: Row::new(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let rules = bed.written("rules", &counting(port));
        bed.row.inside(1, &["nft", "-f", &rules]);
        let mut authority = CertificateParams::new(Vec::new()).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(vec![NAME.to_string()]).expect("a name");
        let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
        bed.written("root.pem", &authority.pem());
        bed.written("server.pem", &leaf.pem());
        bed.written("server.key", &key.serialize_pem());
        bed
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn written(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// Starts a server in its namespace, which answers on this port when this is done.
    fn start(&self, program: &str, arguments: &[&str], port: u16) -> EndsWithTest {
        let output = fs::File::create(self.path().join(format!("{program}.output")));
        let output = output.expect("a file");
        let child = Command::new("ip")
            .args(["netns", "exec", &self.row.names[2], program])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} is needed: {error}"));
        let server = EndsWithTest(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        let listens = || {
            let output = Command::new("ip")
                .args(["netns", "exec", &self.row.names[2], "ss", "-Hltn"])
                .arg(format!("sport = :{port}"))
                .output();
            !output.expect("ss").stdout.is_empty()
        };
        while !listens() {
            let said = self.file(&format!("{program}.output"));
            assert!(Instant::now() < deadline, "{program}: {said}");
            sleep(Duration::from_millis(50));
        }
        server
    }

    fn nginx(&self, listen: &str, port: u16) -> EndsWithTest {
        let here = self.path().display();
        let text = format!(
            "daemon off; user root; pid {here}/pid; error_log {here}/errors info; events {{}}
            http {{
                access_log {here}/seen;
                client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f;
                uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;
                ssl_certificate {here}/server.pem; ssl_certificate_key {here}/server.key;
                server {{ listen {listen}; location / {{ return 200 here; }} }}
            }}"
        );
        let file = self.written("nginx.conf", &text);
        self.start("nginx", &["-c", &file], port)
    }

    /// Runs the program against a port; the number of connections that it began there. Those that walk the path are as
    /// many as the page has.
    fn connections(&self, port: u16, protocol: &str) -> usize {
        self.connections_by(&site(port, protocol), port, &["--from", "intranet"])
    }

    /// The same with a site file and arguments.
    fn connections_by(&self, site: &str, port: u16, place: &[&str]) -> usize {
        let file = self.written("site.yaml", site);
        let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), self.path());
        let (_, report) = check_as_nobody(&self.row, &program, Path::new(&file), place);
        let flows = report["flows"].as_array().expect("flows");
        let flow = flows.iter().find(|flow| flow["port"] == port);
        let flow = flow.expect("the flow");
        assert_eq!(flow["verdict"], "ok", "{flow:#}");
        let walking = match flow["protocol"] == "http" {
            true => WALKING,
            false => 0,
        };
        assert_eq!(self.counted("walking"), walking);
        self.counted("all")
    }

    /// What a rule of [`counting`] has counted.
    fn counted(&self, rule: &str) -> usize {
        let list = ["nft", "list", "ruleset"];
        let output = Command::new("ip")
            .args(["netns", "exec", &self.row.names[1]])
            .args(list)
            .output()
            .expect("nft");
        let all = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = all
            .lines()
            .find(|line| line.contains(&format!("\"{rule}\"")));
        let number = line.and_then(|line| {
            line.split("packets ")
                .nth(1)?
                .split(' ')
                .next()?
                .parse()
                .ok()
        });
        number.unwrap_or_else(|| panic!("{rule}: {all}"))
    }
}

/// The most connections of a kind of flow, as the page has it.
fn told(kind: &str) -> usize {
    let page = fs::read_to_string("docs/what-it-sends.md").expect("the page");
    let row = page.lines().find_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        (cells.next()? == kind).then(|| cells.next().map(str::to_string))?
    });
    let row = row.unwrap_or_else(|| panic!("no row of {kind}"));
    row.parse().unwrap_or_else(|_| panic!("{kind}: {row}"))
}

#[test]
fn plain_http_is_what_the_page_says() {
    let bed = Bed::new(80);
    let _nginx = bed.nginx("192.0.2.10:80", 80);
    assert_eq!(bed.connections(80, "http"), told("HTTP"));
    assert_eq!(bed.file("seen").lines().count(), 6);
}

#[test]
fn https_leaves_no_handshake_unfinished() {
    let bed = Bed::new(443);
    let _nginx = bed.nginx("192.0.2.10:443 ssl", 443);
    assert_eq!(bed.connections(443, "https"), told("HTTPS"));
    assert_eq!(bed.file("seen").lines().count(), 6);
    let log = bed.file("errors");
    let unfinished = log.lines().filter(|line| line.contains("SSL handshaking"));
    assert_eq!(unfinished.count(), 0, "{log}");
}

/// Connections that walk the path to a server which has no words of its own: they have a few hops to go, this host is two
/// away, and four hops are asked at once.
const WALKING: usize = 3;

#[test]
fn stunnel_logs_no_error() {
    let bed = Bed::new(443);
    let _nginx = bed.nginx("127.0.0.1:8080", 8080);
    let here = bed.path().display();
    let text = format!(
        "foreground = yes\npid =\ndebug = 5\noutput = {here}/stunnel.log\n\
         [web]\naccept = 192.0.2.10:443\nconnect = 127.0.0.1:8080\ncert = {here}/server.pem\nkey = \
         {here}/server.key\n"
    );
    let file = bed.written("stunnel.conf", &text);
    let _stunnel = bed.start("stunnel4", &[&file], 443);
    assert_eq!(bed.connections(443, "https"), told("HTTPS"));
    let log = bed.file("stunnel.log");
    let errors = log.lines().filter(|line| line.contains("SSL_accept"));
    assert_eq!(errors.count(), 0, "{log}");
}

#[test]
fn ldap_is_what_the_page_says() {
    let bed = Bed::new(389);
    let file = bed.written(
        "slapd.conf",
        &format!("pidfile {}/pid\n", bed.path().display()),
    );
    let url = format!("ldap://{AT}");
    let _slapd = bed.start("slapd", &["-h", &url, "-f", &file, "-d", "256"], 389);
    assert_eq!(bed.connections(389, "ldap"), told("LDAP"));
    let log = bed.file("slapd.output");
    assert_eq!(log.matches("UNBIND").count(), 1, "{log}");
}

#[test]
fn apache_logs_what_the_page_says() {
    let bed = Bed::new(443);
    let here = bed.path().display();
    let modules = "/usr/lib/apache2/modules";
    bed.written("index.html", "here");
    let text = format!(
        "ServerRoot {here}\nServerName {NAME}\nPidFile {here}/pid\nDefaultRuntimeDir {here}\nListen {AT}:443\n\
         LoadModule mpm_event_module {modules}/mod_mpm_event.so\nLoadModule authz_core_module \
         {modules}/mod_authz_core.so\n\
         LoadModule dir_module {modules}/mod_dir.so\nLoadModule ssl_module \
         {modules}/mod_ssl.so\nMutex file:{here}\n\
         ErrorLog {here}/errors\nLogLevel info\nLogFormat %r seen\nCustomLog {here}/seen seen\n\
         DocumentRoot {here}\nDirectoryIndex index.html\n\
         SSLEngine on\nSSLCertificateFile {here}/server.pem\nSSLCertificateKeyFile {here}/server.key\n"
    );
    let file = bed.written("apache.conf", &text);
    let _apache = bed.start("apache2", &["-DFOREGROUND", "-f", &file], 443);
    assert_eq!(bed.connections(443, "https"), told("HTTPS"));
    let log = bed.file("errors");
    assert_eq!(bed.file("seen").lines().count(), 6);
    let of = |code: &str| log.lines().filter(|line| line.contains(code)).count();
    let (begun, stopped) = ("AH01964", "AH02006: SSL handshake stopped");
    assert_eq!((of(begun), of(stopped)), (told("HTTPS"), 0), "{log}");
    assert_eq!((of(":error]"), of("AH02008")), (0, 0), "{log}");
}

/// The one rule that leads to a key distribution centre: the file's own flows cannot name its protocol.
const KERBEROS: &str = "schema: portproof.catalogue/1
product: configmgr-2007
name: Kerberos alone
sources: { DOC: \"A document\" }
ports: { kerberos: { default: 88 } }
watchlist: []
rules:
  - id: any-kerberos
    from: any-system
    to: domain-controller
    transport: tcp
    port: kerberos
    protocol: kerberos
    need: required
    confidence: documented
    why: \"Tickets.\"
    breaks: \"Nobody logs on.\"
    source: [DOC]
";

#[test]
fn krb5kdc_logs_what_the_page_says() {
    let bed = Bed::new(88);
    let here = bed.path().display();
    let (realm, files) = ("ONE.EXAMPLE", format!("{here}/realm"));
    let client = bed.written(
        "krb5.conf",
        &format!("[libdefaults]\n default_realm = {realm}\n"),
    );
    let own = bed.written(
        "kdc.conf",
        &format!(
            "[kdcdefaults]\n kdc_listen = {AT}:88\n kdc_tcp_listen = {AT}:88\n[logging]\n kdc = FILE:{here}/kdc.log\n\
             [realms]\n {realm} = {{\n  database_name = {files}\n  key_stash_file = {files}.stash\n }}\n"
        ),
    );
    let settings = [
        format!("KRB5_CONFIG={client}"),
        format!("KRB5_KDC_PROFILE={own}"),
    ];
    let made = Command::new("env")
        .args(&settings)
        .args([
            "kdb5_util",
            "-r",
            realm,
            "-P",
            "master-word",
            "create",
            "-s",
        ])
        .output()
        .expect("it runs");
    assert!(made.status.success(), "kdb5_util is needed: {made:?}");
    let [one, other] = &settings;
    let _centre = bed.start("env", &[one, other, "krb5kdc", "-n", "-r", realm], 88);
    let catalogue = bed.written("catalogue.yaml", KERBEROS);
    let site = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ perimeter: {{ networks: [\"192.0.2.0/24\"] }}, intranet: {{ networks: [\"198.51.100.0/24\"] }} }}
firewalls: {{ back-end: {{ between: [perimeter, intranet] }} }}
systems:
  cm01: {{ zone: intranet, addresses: {{ default: 198.51.100.10 }}, roles: [site-server] }}
  dc01: {{ zone: perimeter, addresses: {{ default: {AT} }}, roles: [domain-controller] }}
probing: {{ second_look: off, rate: max, sweep: none }}
"
    );
    let place = [
        "--from",
        "intranet",
        "--as",
        "cm01",
        "--no-gentle",
        "--catalogue",
        &catalogue,
    ];
    assert_eq!(bed.connections_by(&site, 88, &place), told("Kerberos"));
    let log = bed.file("kdc.log");
    assert_eq!(log.matches("AS_REQ").count(), 1, "{log}");
    assert_eq!(
        log.matches("closing down fd").count(),
        told("Kerberos"),
        "{log}"
    );
    let (_, after) = log.split_once("commencing operation").expect("it began");
    assert!(!after.contains("(Error)"), "{log}");
}
