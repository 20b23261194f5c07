//! Web servers with and without their roles, filters in front of them, and proxies on the way out. The real program
//! tries nginx, haproxy, squid and microsocks on loopback. What they logged is all that they were sent.
//!
//! A missing program fails the test and says how to get it.
#![cfg(unix)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::support::servers::{Server, free};
use crate::support::unbroken::unbroken;
use crate::support::{ports, schemas};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, SerialNumber,
};
use serde_json::Value;
use tempfile::TempDir;

/// nginx that logs what each request asks for, how much it brings, and who asks.
fn nginx(directives: &str) -> Server {
    Server::nginx(
        "$request_method $request_uri [$content_length] $http_user_agent",
        directives,
    )
}

/// nginx that answers as a management point is documented to.
fn management_point() -> Server {
    management_point_with("<MP FQDN=\"mp01.example.com\"/><MP FQDN=\"mp.example.com\"/>")
}

/// The same with these in its list.
fn management_point_with(points: &str) -> Server {
    nginx(&format!(
        "location = / {{ return 200 'web server'; }}
         location /SMS_MP/ {{ return 200 '<MPList>{points}</MPList>'; }}
         location / {{ return 404; }}"
    ))
}

/// squid with these rules; `{here}` in them is its folder.
fn squid(rules: &str) -> Server {
    Server::squid(&format!("http_port {{at}}\n{rules}"))
}

/// What came of a run.
struct Run {
    status: i32,
    json: Value,
    stderr: String,
    /// As one line, however it was broken.
    text: String,
}

impl Run {
    fn flow(&self, port: u16) -> &Value {
        let flows = self.json["flows"].as_array().expect("flows");
        let of_port = flows.iter().find(|flow| flow["port"] == port);
        of_port.unwrap_or_else(|| panic!("no flow to {port}"))
    }

    fn verdict(&self, port: u16) -> String {
        let flow = self.flow(port);
        let word = |key: &str| flow[key].as_str().unwrap_or("none").to_string();
        format!("{} {} {}", word("verdict"), word("cause"), word("level"))
    }

    fn owner(&self, port: u16) -> &str {
        self.flow(port)["owner"].as_str().unwrap_or("none")
    }

    /// Every output in one text, in which no secret may stand.
    fn everything(&self) -> String {
        format!("{}{}{}", self.json, self.stderr, self.text)
    }
}

fn portproof(file: &Path, format: &str, password: Option<&str>) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("portproof").expect("the program");
    command
        .args(["check", "--from", "here", "--format", format])
        .arg(file)
        .env_remove("PORTPROOF_VIA_PASSWORD");
    if let Some(password) = password {
        command.env("PORTPROOF_VIA_PASSWORD", password);
    }
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().expect("a status"),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Every report is as its published schema says.
fn valid(report: &Value) {
    schemas::assert_valid("report", report);
}

/// Runs the program once, as JSON.
fn once(site: &str, password: Option<&str>) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    fs::write(&file, site).expect("written");
    let (status, out, stderr) = portproof(&file, "json", password);
    let json = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{stderr}"));
    valid(&json);
    Run {
        status,
        json,
        stderr,
        text: String::new(),
    }
}

/// The same, and once more as text.
fn twice(site: &str) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    fs::write(&file, site).expect("written");
    let text = unbroken(&portproof(&file, "text", None).1);
    Run {
        text,
        ..once(site, None)
    }
}

/// A site in mixed mode whose clients reach a management point over plain HTTP at this port.
fn management_site(port: u16) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007, mode: mixed, crl_check: false, client_ports: {{ http: [{port}] }} }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
clients: [here]
systems: {{ mp01: {{ zone: there, names: {{ default: mp01.example.com }}, addresses: {{ default: 127.0.0.1 }}, roles: [management-point], serves: [here] }} }}
probing: {{ second_look: off, timeout: 2s, rate: max, dns: off, sweep: none }}
"
    )
}

// ---- verbs

const WEB_ONLY: &str =
    " http-request deny deny_status 405 unless { method GET HEAD POST OPTIONS PROPFIND BITS_POST }";

#[test]
fn a_filter_in_front_of_a_management_point_is_named_with_the_verb() {
    let server = management_point();
    let filter = Server::haproxy(WEB_ONLY, server.at);
    let port = filter.at.port();
    let run = twice(&management_site(port));
    assert_eq!(run.verdict(port), "wrong verb-blocked error");
    assert_eq!((run.owner(port), run.status), ("proxy", 1));
    let http = &run.flow(port)["evidence"]["http"];
    assert_eq!(http["verbs"]["CCM_POST"], "is refused with 405");
    assert_eq!(http["verbs"]["PROPFIND"], "passed, 404");
    let findings = http["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["what"], "verb-blocked");
    assert_eq!(findings[0]["verb"], "CCM_POST");
    assert_eq!(findings[0]["by"], "device");
    assert_eq!(http["roles"][0]["proof"], "proved");
    // What the client would log stands in both, and no surer than it is known.
    let logged = run.flow(port)["logged"].as_array().expect("client words");
    let codes: Vec<_> = logged.iter().filter_map(|it| it["code"].as_str()).collect();
    assert_eq!(codes, ["0x87D0027E, CCM_E_BAD_HTTP_STATUS_CODE"; 2]);
    assert_eq!(logged[0]["log"], "CcmMessaging.log");
    assert_eq!(logged[0]["confidence"], "later-version");
    for words in [
        "seen: open (127.0.0.1:",
        "CCM_POST (empty, multipart/mixed)",
        "the management-point is there: /SMS_MP/.sms_aut?MPLIST: 200",
        "client: Clients of later versions log 0x87D0027E",
        "proxy team: 1 flow",
    ] {
        assert!(run.text.contains(words), "{words}: {}", run.text);
    }
}

#[test]
fn without_the_filter_it_is_well_and_was_sent_only_what_changes_nothing() {
    let server = management_point();
    let way = Server::haproxy("", server.at);
    let port = way.at.port();
    let run = once(&management_site(port), None);
    assert_eq!(run.verdict(port), "ok answered note");
    assert_eq!(run.status, 0, "{}", run.json);
    assert!(
        run.stderr.contains("in at most 17 requests"),
        "{}",
        run.stderr
    );
    let role = &run.flow(port)["evidence"]["http"]["roles"][0];
    assert_eq!(
        (&role["role"], &role["proof"]),
        (&"management-point".into(), &"proved".into())
    );
    assert_eq!(run.flow(port)["logged"], Value::Null);
    let nowhere = "/portproof-names-nothing";
    let expected = [
        "GET / [-]".to_string(),
        format!("GET {nowhere} [-]"),
        "GET /SMS_MP/.sms_aut?MPLIST [-]".to_string(),
        "GET /SMS_MP/.sms_aut?MPCERT [-]".to_string(),
        "GET /SMS_MP/.sms_aut?SITESIGNCERT [-]".to_string(),
        format!("HEAD {nowhere} [-]"),
        format!("CCM_POST {nowhere} [0]"),
        format!("BITS_POST {nowhere} [0]"),
        format!("PROPFIND {nowhere} [0]"),
        format!("GET {nowhere} [-]"),
        format!("GET {nowhere} [-]"),
    ];
    let agent = format!(" portproof/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        server.logged(expected.len()),
        expected.map(|line| line + &agent)
    );
}

/// An entry of a list of management points, of the current branch and over HTTPS.
const OF_TODAY: &str = "<MP Name=\"MP01\" FQDN=\"mp01.example.com\" SiteCode=\"PRI\"><Version>9128</Version>\
    <Capabilities SchemaVersion=\"1.0\"><Property Name=\"SSLState\" Value=\"63\"/></Capabilities></MP>";

#[test]
fn what_a_management_point_says_against_the_site_file_is_a_warning_with_both_sides() {
    let server = management_point_with(OF_TODAY);
    let port = server.at.port();
    let run = twice(&management_site(port));
    assert_eq!(run.verdict(port), "ok advertised-product warning");
    assert_eq!((run.owner(port), run.status), ("prober", 0));
    let role = &run.flow(port)["evidence"]["http"]["roles"][0];
    let listed = serde_json::json!([{
        "name": "MP01", "fqdn": "mp01.example.com", "site_code": "PRI", "build": 9128, "ssl_state": 63,
    }]);
    assert_eq!(role["listed"], listed);
    let differs = role["differs"].as_array().expect("a list").iter();
    let differs: Vec<_> = differs.map(|it| it["what"].as_str()).collect();
    assert_eq!(differs, [Some("product"), Some("https")]);
    for words in [
        "its list says build 9128 (configmgr-current-branch 2403), the site file says configmgr-2007",
        "its list says HTTPS for mp01.example.com (SSLState 63), the site file says `mode: mixed`",
        "correct `product` or `version` in the site file",
    ] {
        assert!(run.text.contains(words), "{words}: {}", run.text);
    }
}

#[test]
fn a_list_of_another_site_is_a_question_and_accuses_no_firewall() {
    let server = management_point_with(&OF_TODAY.replace("PRI", "ABC"));
    let port = server.at.port();
    let run = once(&management_site(port), None);
    assert_eq!(run.verdict(port), "ok advertised-site warning");
    assert_eq!(run.owner(port), "prober");
    let advice = run.flow(port)["advice"].as_str().expect("advice");
    assert!(
        advice.contains("site code ABC; the site file says PRI"),
        "{advice}"
    );
    assert!(
        advice.contains("describe another site, or does"),
        "{advice}"
    );
}

#[test]
fn a_list_that_says_anything_at_all_is_read_within_bounds_and_escaped() {
    let hostile = OF_TODAY
        .replace("mp01.example.com", "\u{1b}[31m.<b`(id)`")
        .replace("9128", "99999999999999999999")
        .replace("63", "-1");
    let server = management_point_with(&hostile);
    let port = server.at.port();
    let run = twice(&management_site(port));
    assert_eq!(run.verdict(port), "ok advertised-name warning");
    assert!(run.text.contains("[31m.<b`(id)`"), "{}", run.text);
    assert!(!run.text.contains('\u{1b}'), "{}", run.text);
    let listed = &run.flow(port)["evidence"]["http"]["roles"][0]["listed"][0];
    assert_eq!(
        (&listed["build"], &listed["ssl_state"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn a_header_that_a_device_refuses_is_named() {
    let server = management_point();
    let filter = Server::haproxy(
        " http-request deny deny_status 400 if { req.hdr(CCMClientID) -m found }",
        server.at,
    );
    let port = filter.at.port();
    let run = once(&management_site(port), None);
    assert_eq!(run.verdict(port), "wrong header-blocked error");
    let findings = &run.flow(port)["evidence"]["http"]["findings"];
    let words = findings[0]["words"].as_str().expect("words");
    assert!(words.contains("GET with CCMClientID is refused"), "{words}");
}

#[test]
fn a_device_that_takes_range_out_keeps_bits_from_resuming() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("index.html"), "a page in a file").expect("written");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open");
    let serve = |root: &str| {
        nginx(&format!(
            "{root} location ~ PKGD {{ return 403; }} location / {{ return 404; }}"
        ))
    };
    let file = serve(&format!(
        "location = / {{ root {}; try_files /index.html =404; }}",
        folder.path().display()
    ));
    let made = serve("location = / { return 200 'made as it is asked for'; }");
    let takes_out = " http-request del-header Range";
    for (lines, before, verdict) in [
        (takes_out, file.at, "wrong range-lost warning"),
        ("", file.at, "ok answered note"),
        // A server that does not say that it serves parts owes none.
        (takes_out, made.at, "ok answered note"),
    ] {
        let way = Server::haproxy(lines, before);
        let port = way.at.port();
        let site = management_site(port).replace("management-point", "distribution-point");
        let run = twice(&site);
        assert_eq!(run.verdict(port), verdict, "{lines}: {}", run.json);
        let findings = run.flow(port)["evidence"]["http"]["findings"].as_array();
        let lost = findings
            .into_iter()
            .flatten()
            .find(|it| it["what"] == "range-lost");
        assert_eq!(lost.is_some(), verdict.contains("range-lost"));
        if lost.is_some() {
            assert_eq!((run.owner(port), run.status), ("proxy", 0));
            assert!(run.text.contains("BITS"), "{}", run.text);
        }
    }
}

#[test]
fn a_refusal_that_may_be_the_servers_own_is_a_warning() {
    let server = nginx(
        "if ($request_method = CCM_POST) { return 405; }
         location /SMS_MP/ { return 200 MPList; } location = / { return 200 here; } location / { return 404; }",
    );
    let port = server.at.port();
    let run = once(&management_site(port), None);
    assert_eq!(run.verdict(port), "wrong verb-blocked warning");
    assert_eq!((run.owner(port), run.status), ("server", 0));
}

#[test]
fn answers_in_an_older_version_are_a_warning() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut request = [0; 4_096];
                let length = stream.read(&mut request).unwrap_or(0);
                let proof = String::from_utf8_lossy(&request[..length]).contains("MPLIST");
                let body = if proof { "<MPList/>" } else { "" };
                let status = if proof { "200 OK" } else { "404 Not Found" };
                let length = body.len();
                let answer = format!("HTTP/1.0 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    let run = once(&management_site(port), None);
    assert_eq!(run.verdict(port), "wrong http-downgraded warning");
    assert_eq!((run.owner(port), run.status), ("proxy", 0));
}

// ---- over TLS

/// A root, and a certificate of its for `mp.example.com` with its key, in one folder.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open");
    let mut root = CertificateParams::new(Vec::new()).expect("parameters");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().expect("a key"));
    let root = root.expect("a root");
    let key = KeyPair::generate().expect("a key");
    let names = vec!["mp.example.com".to_string()];
    let mut leaf = CertificateParams::new(names).expect("a name");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = leaf.signed_by(&key, &root).expect("signed");
    fs::write(folder.path().join("ca.pem"), root.pem()).expect("written");
    let both = leaf.pem() + &key.serialize_pem();
    fs::write(folder.path().join("both.pem"), both).expect("written");
    folder
}

/// A site in native mode whose Internet clients reach a management point at this port, directly or through a proxy.
fn native_site(port: u16, certificates: &Path, publishes: Option<&str>) -> String {
    let point = |name: &str, address: &str| {
        format!(
            "  cm01: {{ zone: there, names: {{ default: {name} }}, addresses: {{ default: {address} }}, roles: [management-point], serves: [here] }}\n"
        )
    };
    let systems = match publishes {
        None => point("mp.example.com", "127.0.0.1"),
        Some(tls) => {
            point("cm01.example.com", "127.0.0.2")
                + &format!(
                    "  isa01: {{ zone: there, names: {{ default: mp.example.com }}, addresses: {{ default: 127.0.0.1 }}, roles: [web-proxy], publishes: {{ systems: [cm01], tls: {tls} }} }}\n"
                )
        }
    };
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false, client_ports: {{ https: [{port}] }} }}
zones: {{ here: {{ networks: [\"0.0.0.0/0\"] }}, there: {{ networks: [\"127.0.0.0/8\"] }} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
clients: [here]
systems:
{systems}tls: {{ roots: [\"{}/ca.pem\"] }}
probing: {{ second_look: off, timeout: 2s, rate: max, dns: off, sweep: none }}
",
        certificates.display()
    )
}

#[test]
fn a_bridging_proxy_is_asked_for_verbs_inside_tls_and_a_tunnelling_one_for_the_role_alone() {
    let certificates = certificates();
    let server = management_point();
    let tls = free();
    let both = certificates.path().join("both.pem");
    let bind = format!(" bind {tls} ssl crt {}\n{WEB_ONLY}", both.display());
    let _proxy = Server::haproxy(&bind, server.at);
    let port = tls.port();
    let site = |publishes| native_site(port, certificates.path(), publishes);
    let tunnelling = once(&site(Some("tunnelling")), None);
    assert_eq!(tunnelling.verdict(port), "ok answered note");
    let http = &tunnelling.flow(port)["evidence"]["http"];
    assert_eq!(http["roles"][0]["proof"], "proved");
    assert_eq!(http["verbs"], Value::Null);
    let squid = squid("http_access allow all");
    let through = format!("via: {{ here: \"http://{}\" }}\n", squid.at);
    let direct = once(&(site(None) + &through), None);
    assert_eq!(direct.verdict(port), "ok answered note");
    let role = &direct.flow(port)["evidence"]["http"]["roles"][0];
    assert_eq!(role["proof"], "proved");
    // Each of the two runs read the root page and four paths, and sent nothing else.
    let logged = server.logged(10);
    assert!(
        logged.len() == 10 && logged.iter().all(|line| line.starts_with("GET ")),
        "{logged:?}"
    );
    let bridging = once(&site(Some("bridging")), None);
    assert_eq!(bridging.verdict(port), "wrong verb-blocked error");
    assert_eq!(bridging.owner(port), "proxy");
    let http = &bridging.flow(port)["evidence"]["http"];
    assert_eq!(http["findings"][0]["verb"], "CCM_POST");
}

// ---- which protocol it is really

#[test]
fn a_port_for_tls_where_plain_http_is_needed_is_called_by_its_name() {
    let certificates = certificates();
    let both = certificates.path().join("both.pem");
    let both = both.display();
    // nginx says 400 in the clear, haproxy hangs up.
    let (says, hangs_up) = (free(), free());
    let _nginx = nginx(&format!(
        "listen {says} ssl; ssl_certificate {both}; ssl_certificate_key {both}; location / {{ return 200; }}"
    ));
    let server = management_point();
    let _haproxy = Server::haproxy(&format!(" bind {hangs_up} ssl crt {both}"), server.at);
    for at in [says, hangs_up] {
        let port = at.port();
        let run = twice(&management_site(port));
        assert_eq!(run.verdict(port), "wrong not-http error");
        assert_eq!((run.owner(port), run.status), ("server", 1));
        assert_eq!(run.flow(port)["evidence"]["speaks"], "tls");
        assert_eq!(run.flow(port)["evidence"]["conversations"], Value::Null);
        let seen = "it speaks TLS, and plain HTTP is needed";
        assert!(run.text.contains(seen), "{}", run.text);
    }
}

#[test]
fn a_port_for_plain_http_where_tls_is_needed_is_called_by_its_name() {
    let certificates = certificates();
    let server = management_point();
    let port = server.at.port();
    let run = once(&native_site(port, certificates.path(), None), None);
    assert_eq!(run.verdict(port), "wrong not-tls error");
    assert_eq!((run.owner(port), run.status), ("server", 1));
    assert_eq!(run.flow(port)["evidence"]["speaks"], "http");
}

// ---- roles

#[test]
fn the_default_page_of_a_web_server_is_no_management_point() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("index.html"), "Welcome to nginx!").expect("written");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open");
    let server = nginx(&format!("root {};", folder.path().display()));
    let port = server.at.port();
    let run = twice(&management_site(port));
    assert_eq!(run.verdict(port), "wrong wrong-role error");
    assert_eq!((run.owner(port), run.status), ("server", 1));
    let role = &run.flow(port)["evidence"]["http"]["roles"][0];
    assert_eq!(role["proof"], "missing");
    assert!(
        run.text.contains("the management-point is not there"),
        "{}",
        run.text
    );
    assert!(run.text.contains("client: "), "{}", run.text);
    assert_eq!(
        run.flow(port)["logged"][0]["code"],
        "0x87D0027E, CCM_E_BAD_HTTP_STATUS_CODE"
    );
}

#[test]
fn a_server_that_wants_a_client_certificate_is_alive_and_not_proved() {
    let server = nginx(
        "location = / { return 200 here; } location / { return 403 'SSL client certificate is required'; }",
    );
    let port = server.at.port();
    let run = once(&management_site(port), None);
    assert_eq!(run.verdict(port), "unknown role-unproved warning");
    assert_eq!((run.owner(port), run.status), ("server", 3));
    let role = &run.flow(port)["evidence"]["http"]["roles"][0];
    assert_eq!(role["proof"], "certificate-wanted");
}

/// What is said of a role at a server that answers so.
fn role_behind(role: &str, directives: &str) -> (String, String, i32) {
    let server = nginx(directives);
    let port = server.at.port();
    let site = management_site(port).replace("management-point", role);
    let run = once(&site, None);
    let role = &run.flow(port)["evidence"]["http"]["roles"][0];
    let proof = role["proof"].as_str().expect("a proof").to_string();
    (run.verdict(port), proof, run.status)
}

#[test]
fn a_server_that_fails_sends_elsewhere_or_has_one_page_is_not_the_role() {
    for (role, nginx, verdict, proof) in [
        (
            "management-point",
            "location = / { return 200 here; } location /SMS_MP/ { return 500; } location / { return 404; }",
            "wrong http-server-error error",
            "server-error",
        ),
        // What the front end has not, it does not send on; what it sends on is well.
        (
            "management-point",
            "location /SMS_MP/ { return 200 '<MPList/>'; } location / { return 503; }",
            "ok answered note",
            "proved",
        ),
        (
            "management-point",
            "location / { return 200 'You are offline. Please log in.'; }",
            "wrong wrong-role error",
            "missing",
        ),
        (
            "management-point",
            "default_type text/html; location / { return 200 '<form><input type=password></form>'; }",
            "unknown role-unproved warning",
            "unproved",
        ),
        (
            "management-point",
            "location / { return 403; }",
            "unknown role-unproved warning",
            "forbidden",
        ),
        (
            "management-point",
            "location = / { return 200 here; } location / { return 302 https://portal.example.com/login; }",
            "wrong redirected error",
            "redirected",
        ),
        (
            "distribution-point",
            "location = / { return 200 here; } location / { return 302 /login; }",
            "wrong redirected error",
            "redirected",
        ),
        (
            "distribution-point",
            "location / { return 200 'one page'; }",
            "wrong wrong-role error",
            "missing",
        ),
        (
            "distribution-point",
            "location = / { return 200 here; } location ~ PKGD { return 403; } location / { return 404; }",
            "ok answered note",
            "reached",
        ),
        (
            "fallback-status-point",
            "location / { return 301 https://$host$request_uri; }",
            "wrong redirected error",
            "redirected",
        ),
        (
            "fallback-status-point",
            "location / { return 404; }",
            "unknown role-unproved warning",
            "unproved",
        ),
        (
            "fallback-status-point",
            "location / { return 200 iis; }",
            "ok answered note",
            "reached",
        ),
        (
            "server-locator-point",
            "location = / { return 200 here; } location / { return 404; }",
            "ok answered note",
            "reached",
        ),
    ] {
        let (said, proved, status) = role_behind(role, nginx);
        assert_eq!(
            (said.as_str(), proved.as_str()),
            (verdict, proof),
            "{role}: {nginx}"
        );
        let expected = match verdict.split(' ').next() {
            Some("ok") => 0,
            Some("unknown") => 3,
            _ => 1,
        };
        assert_eq!(status, expected, "{role}: {nginx}");
    }
}

#[test]
fn a_path_that_is_not_confirmed_is_as_deep_as_a_proof_of_its_role_goes() {
    let server = nginx("location = / { return 200 here; } location / { return 404; }");
    let port = server.at.port();
    let site = management_site(port).replace("management-point", "fallback-status-point");
    let run = once(&site, None);
    assert_eq!(run.verdict(port), "ok answered note");
    let http = &run.flow(port)["evidence"]["http"];
    assert_eq!(http["roles"][0]["proof"], "reached");
    assert_eq!(http["verbs"]["POST"], "passed, 404");
}

// ---- words of the client

#[test]
fn what_is_not_confirmed_is_probable_in_text_and_json() {
    let port = free().port();
    let run = twice(&management_site(port));
    assert_eq!(run.verdict(port), "down nobody-listens error");
    let logged = run.flow(port)["logged"].as_array().expect("client words");
    let refused = logged.iter().find(|it| it["code"] == "0x80072EFD (12029)");
    let refused = refused.expect("the code of a refused connection");
    assert_eq!(refused["confidence"], "unconfirmed");
    let words = refused["words"].as_str().expect("words");
    assert!(
        words.starts_with("The client probably logs") && !words.contains('['),
        "{words}"
    );
    assert!(
        run.text.contains(&format!(" client: {words}")),
        "{}",
        run.text
    );
}

// ---- proxies

/// A site whose flows leave through a proxy: flows `(port, protocol, need)` to one system.
fn proxied_site(via: &str, flows: &[(u16, &str, &str)]) -> String {
    let mut text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
systems: {{ web: {{ zone: there, names: {{ default: web.example.com }}, addresses: {{ default: 127.0.0.1 }}, roles: [console] }} }}
via: {{ here: \"{via}\" }}
probing: {{ second_look: off, timeout: 2s, rate: max, sweep: none }}
flows:\n"
    );
    for (port, protocol, need) in flows {
        text += &format!(
            "  - {{ from: here, to: web, port: {port}, protocol: {protocol}, need: {need} }}\n"
        );
    }
    text
}

#[test]
fn squids_own_refusal_is_told_from_the_servers() {
    let web = nginx("location / { return 200 here; }");
    let (open, down, denied) = (web.at.port(), free().port(), free().port());
    let squid = squid(&format!(
        "acl allowed port {open} {down}\nacl tunnel method CONNECT\nhttp_access deny !allowed\n\
         http_access deny tunnel\nhttp_access allow all"
    ));
    let via = format!("http://{}", squid.at);
    let flows = [
        (open, "http", "required"),
        (down, "http", "required"),
        (denied, "http", "required"),
    ];
    let run = once(&proxied_site(&via, &flows), None);
    assert_eq!(run.verdict(open), "ok answered note");
    assert_eq!(run.verdict(down), "blocked unreached-by-proxy error");
    assert_eq!(run.owner(down), "firewall");
    assert_eq!(run.verdict(denied), "blocked proxy-refused error");
    assert_eq!((run.owner(denied), run.status), ("proxy", 1));
    let said = |port: u16| run.flow(port)["evidence"]["state"]["stopped"]["said"].to_string();
    assert!(
        said(down).contains("the connection was refused"),
        "{}",
        said(down)
    );
    assert!(
        said(denied).contains("ERR_ACCESS_DENIED"),
        "{}",
        said(denied)
    );
    assert_eq!(run.flow(open)["evidence"]["via"], via);
    assert!(
        run.stderr
            .contains(&format!("all of it through the proxy {via}")),
        "{}",
        run.stderr
    );
    // All that reached them: no tunnel, the page by address and by name, which squid does not know, and the page again.
    let (by_name, mut pages): (Vec<_>, Vec<_>) = squid
        .logged(5)
        .into_iter()
        .partition(|line| line.contains("web.example.com"));
    // With what status depends on the machine's own resolver.
    assert!(
        by_name.len() == 1 && !by_name[0].starts_with("200 "),
        "{by_name:?}"
    );
    pages.sort();
    let mut expected = vec![
        format!("200 GET http://127.0.0.1:{open}/ [-]"),
        format!("200 GET http://127.0.0.1:{open}/ [-]"),
        format!("403 GET http://127.0.0.1:{denied}/ [-]"),
        format!("503 GET http://127.0.0.1:{down}/ [-]"),
    ];
    expected.sort();
    assert_eq!(pages, expected);
    let agent = format!("portproof/{}", env!("CARGO_PKG_VERSION"));
    let page = format!("GET / [-] {agent}");
    assert_eq!(web.logged(2), [page.clone(), page]);
}

#[test]
fn squid_that_knows_the_name_tells_it_to_the_server_as_it_does_for_clients() {
    let web = nginx("location / { return 200 $host; }");
    let hosts = tempfile::NamedTempFile::new().expect("a file");
    fs::write(hosts.path(), "127.0.0.1 web.example.com\n").expect("written");
    fs::set_permissions(hosts.path(), fs::Permissions::from_mode(0o644)).expect("readable");
    let squid = squid(&format!(
        "hosts_file {}\nhttp_access allow all",
        hosts.path().display()
    ));
    let port = web.at.port();
    let via = format!("http://{}", squid.at);
    let run = once(&proxied_site(&via, &[(port, "http", "required")]), None);
    assert_eq!(run.verdict(port), "ok answered note");
    let asked = squid.logged(3);
    let by_name = format!("200 GET http://web.example.com:{port}/ [-]");
    assert_eq!(
        asked.iter().filter(|line| **line == by_name).count(),
        2,
        "{asked:?}"
    );
}

#[test]
fn flows_of_the_named_roles_go_through_the_proxy_and_all_others_direct() {
    let port = free().port();
    let web = nginx(&format!(
        "listen 127.0.0.1:{port}; listen 127.0.0.2:{port};
         location /SMS_MP/ {{ return 200 '<MPList/>'; }} location = / {{ return 200 here; }} location / {{ return 404; }}"
    ));
    let squid = squid("http_access allow all");
    let (via, shut) = (format!("http://{}", squid.at), free().port());
    let site = management_site(port)
        .replace(
            "systems: {",
            "systems: { fsp01: { zone: there, names: { default: fsp01.example.com }, addresses: { default: 127.0.0.2 }, roles: [fallback-status-point], serves: [here] },",
        )
        + &format!(
            "via: {{ here: {{ proxy: \"{via}\", roles: [management-point] }} }}
flows: [{{ from: here, to: mp01, port: {shut}, need: forbidden }}]\n"
        );
    let run = once(&site, None);
    let flow = |system: &str| {
        let id = format!("here>{system}:{port}/tcp");
        let flows = run.json["flows"].as_array().expect("flows");
        let found = flows.iter().find(|flow| flow["id"] == id.as_str());
        found.unwrap_or_else(|| panic!("{id}: {}", run.json))
    };
    let (by_proxy, direct) = (flow("mp01"), flow("fsp01"));
    for flow in [by_proxy, direct] {
        assert_eq!(flow["verdict"], "ok", "{flow:#}");
    }
    assert_eq!(by_proxy["evidence"]["via"], via);
    assert_eq!(direct["evidence"]["via"], Value::Null);
    // What must be closed is tried, and not by way of the proxy.
    assert_eq!(run.flow(shut)["state"], "closed");
    assert_eq!(run.verdict(shut), "exposed closed-but-reachable warning");
    let said = format!("what leads to management-point through the proxy {via}, the rest direct");
    assert!(run.stderr.contains(&said), "{}", run.stderr);
    let asked = squid.logged(3);
    let of = |what: &str| asked.iter().filter(|line| line.contains(what)).count();
    assert!(of(&format!("http://127.0.0.1:{port}/")) > 0, "{asked:?}");
    assert_eq!(
        of("127.0.0.2") + of("fsp01") + of(&shut.to_string()),
        0,
        "{asked:?}"
    );
    assert!(!web.logged(1).is_empty());
}

/// A proxy that answers every request with these bytes, or closes without a word. As real ones do, it serves several
/// connections at once: one on which nothing is asked yet holds up no other.
fn proxy_that_says(says: &'static str) -> String {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let at = proxy.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in proxy.incoming() {
            let mut stream = stream.expect("a connection");
            thread::spawn(move || {
                let mut request = [0; 2_048];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(says.as_bytes());
            });
        }
    });
    format!("http://{at}")
}

#[test]
fn a_proxy_that_closes_is_told_from_one_that_refuses_and_from_a_web_server() {
    let flows = [(1, "http", "required"), (2, "tls", "required")];
    let verdicts = |says| {
        let run = once(&proxied_site(&proxy_that_says(says), &flows), None);
        assert_eq!((run.owner(1), run.owner(2)), ("proxy", "proxy"), "{says}");
        [run.verdict(1), run.verdict(2)]
    };
    assert_eq!(verdicts(""), ["unknown proxy-hung-up error"; 2]);
    // It says the same of a host that cannot exist, so the word is its own.
    assert_eq!(
        verdicts("HTTP/1.1 403 Forbidden\r\nServer: guard\r\nContent-Length: 0\r\n\r\n"),
        ["blocked proxy-refused error"; 2]
    );
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\npage";
    let run = once(&proxied_site(&proxy_that_says(page), &flows), None);
    assert_eq!(run.verdict(2), "unknown proxy-unreachable error");
    let said = run.flow(2)["evidence"]["state"]["stopped"]["said"].to_string();
    assert!(said.contains("as a web server does"), "{said}");
}

#[test]
fn forbidden_flows_are_not_asked_of_a_proxy() {
    let squid = squid("http_access allow all");
    let via = format!("http://{}", squid.at);
    let flows = [(1, "tcp", "forbidden"), (2, "http", "forbidden")];
    let run = once(&proxied_site(&via, &flows), None);
    assert_eq!(run.verdict(1), "unknown not-tried note");
    assert_eq!(run.verdict(2), "unknown not-tried note");
    thread::sleep(Duration::from_millis(300));
    assert!(squid.logged(0).is_empty());
}

#[test]
fn an_open_tunnel_proves_the_proxy_alone() {
    let web = nginx("location / { return 200 here; }");
    let nobody = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let forbidden = nobody.local_addr().expect("an address").port();
    let socks = Server::microsocks(None);
    let via = format!("socks5://{}", socks.at);
    let (port, down) = (web.at.port(), free().port());
    let flows = [
        (port, "tcp", "required"),
        (forbidden, "tcp", "forbidden"),
        (down, "tcp", "required"),
    ];
    let run = once(&proxied_site(&via, &flows), None);
    assert_eq!(run.verdict(port), "unknown only-tunnel warning");
    assert_eq!(run.verdict(forbidden), "unknown not-tried note");
    assert_eq!(run.verdict(down), "blocked unreached-by-proxy error");
    assert!(web.logged(0).is_empty());
    let spoken = once(&proxied_site(&via, &[(port, "http", "required")]), None);
    assert_eq!(spoken.verdict(port), "ok answered note");
}

#[test]
fn a_management_point_behind_a_filter_is_seen_through_a_proxy_too() {
    let server = management_point();
    let filter = Server::haproxy(WEB_ONLY, server.at);
    let squid = squid("http_access allow all");
    let port = filter.at.port();
    let site = management_site(port) + &format!("via: {{ here: \"http://{}\" }}\n", squid.at);
    let run = once(&site, None);
    assert_eq!(run.verdict(port), "wrong verb-blocked error");
}

/// squid that asks a helper about every name and password, and lets nobody but one in.
fn squid_with_a_login() -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open");
    let helper = folder.path().join("helper");
    let script = "#!/bin/sh\nwhile read -r line; do \
                  if [ \"$line\" = \"probe right-word\" ]; then echo OK; else echo ERR; fi; done\n";
    fs::write(&helper, script).expect("written");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("executable");
    let squid = squid(&format!(
        "auth_param basic program {}\nauth_param basic children 1\nauth_param basic realm test\n\
         acl users proxy_auth REQUIRED\nhttp_access allow users\nhttp_access deny all",
        helper.display()
    ));
    (squid, folder)
}

#[test]
fn a_login_that_is_refused_is_sent_exactly_once() {
    let web = nginx("location / { return 200 here; }");
    let (squid, _helper) = squid_with_a_login();
    let via = format!("http://probe@{}", squid.at);
    let port = web.at.port();
    let flows: Vec<(u16, &str, &str)> = std::iter::once((port, "http", "required"))
        .chain((0..9).map(|_| (free().port(), "http", "required")))
        .collect();
    let run = once(&proxied_site(&via, &flows), Some("wrong-word"));
    for (port, ..) in &flows {
        assert_eq!(run.verdict(*port), "unknown proxy-login error");
        assert_eq!(run.owner(*port), "proxy");
    }
    assert_eq!(run.status, 3);
    let with_credentials = |lines: Vec<String>| {
        let sent = lines.into_iter().filter(|line| !line.ends_with("[-]"));
        sent.count()
    };
    thread::sleep(Duration::from_millis(300));
    assert_eq!(
        with_credentials(squid.logged(1)),
        1,
        "{}",
        squid.file("seen")
    );
    // "probe:wrong-word", as it goes over the wire.
    for secret in ["wrong-word", "cHJvYmU6d3Jvbmctd29yZA"] {
        assert!(!run.everything().contains(secret));
    }
    let right = once(&proxied_site(&via, &flows[..1]), Some("right-word"));
    assert_eq!(right.verdict(port), "ok answered note");
}

#[test]
fn a_proxy_that_is_not_there_is_said_of_the_proxy() {
    let nobody = free();
    let flows = [(1, "http", "required"), (2, "tcp", "forbidden")];
    let run = once(&proxied_site(&format!("http://{nobody}"), &flows), None);
    assert_eq!(run.verdict(1), "unknown proxy-unreachable error");
    assert_eq!(run.verdict(2), "unknown not-tried note");
    assert_eq!((run.owner(1), run.status), ("proxy", 3));
}

#[test]
fn a_proxy_that_says_nothing_in_time_may_still_be_trying() {
    let mute = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let via = format!("http://{}", mute.local_addr().expect("an address"));
    let run = once(&proxied_site(&via, &[(1, "http", "required")]), None);
    assert_eq!(run.verdict(1), "unknown proxy-silent error");
    assert!(run.json["flows"][0]["evidence"]["path"].is_null());
}

#[test]
fn the_password_comes_from_a_file_or_the_run_does_not_begin() {
    let web = nginx("location / { return 200 here; }");
    let (squid, _helper) = squid_with_a_login();
    let port = web.at.port();
    let via = format!("http://probe@{}", squid.at);
    let site = proxied_site(&via, &[(port, "http", "required")]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    fs::write(&file, &site).expect("written");
    let (status, _, err) = portproof(&file, "json", None);
    assert_eq!(status, 2);
    assert!(
        err.contains("PORTPROOF_VIA_PASSWORD") && !err.contains("about to try"),
        "{err}"
    );
    fs::write(folder.path().join("secret"), "right-word\n").expect("written");
    fs::write(&file, format!("{site}via_password_file: secret\n")).expect("written");
    let (status, out, err) = portproof(&file, "json", None);
    assert_eq!(status, 0, "{out}{err}");
    assert!(!format!("{out}{err}").contains("right-word"));
}

#[test]
fn a_password_in_a_url_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    let site = proxied_site("http://probe:s3cret@127.0.0.1:1", &[(1, "tcp", "required")]);
    fs::write(&file, site).expect("written");
    let (status, out, err) = portproof(&file, "json", None);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(
        err.contains("error[bad-via]") && !err.contains("s3cret"),
        "{err}"
    );
}

// ---- revocation lists through a proxy

/// A web server that shows a certificate over TLS, and serves the lists of its authority on another address.
struct Lists {
    nginx: Server,
    /// Over TLS.
    web: SocketAddr,
    /// The lists that the site file names: of the authority, and out of date.
    named: SocketAddr,
    /// The list that only the certificate names.
    by_certificate: SocketAddr,
    folder: TempDir,
}

impl Lists {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open");
        let write = |file: &str, bytes: &[u8]| {
            fs::write(folder.path().join(file), bytes).expect("written");
        };
        let mut root = CertificateParams::new(Vec::new()).expect("parameters");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        root.distinguished_name
            .push(DnType::CommonName, "Site Root");
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().expect("a key"));
        let root = root.expect("a root");
        write("ca.pem", root.pem().as_bytes());
        for (file, due) in [("good.crl", 2090), ("expired.crl", 2021)] {
            let list = CertificateRevocationListParams {
                this_update: rcgen::date_time_ymd(2020, 1, 1),
                next_update: rcgen::date_time_ymd(due, 1, 1),
                crl_number: SerialNumber::from(7),
                issuing_distribution_point: None,
                revoked_certs: Vec::new(),
                key_identifier_method: KeyIdMethod::Sha256,
            };
            write(file, list.signed_by(&root).expect("signed").der());
        }
        let (named, web) = (ports::free(Ipv4Addr::new(127, 0, 0, 2)), free());
        let by_certificate = ports::free(Ipv4Addr::new(127, 0, 0, 3));
        let key = KeyPair::generate().expect("a key");
        let names = vec!["web.example.com".to_string()];
        let mut leaf = CertificateParams::new(names).expect("a name");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec![format!("http://{by_certificate}/good.crl")],
        }];
        let leaf = leaf.signed_by(&key, &root).expect("signed");
        write("both.pem", (leaf.pem() + &key.serialize_pem()).as_bytes());
        let here = folder.path().display();
        let nginx = nginx(&format!(
            "listen {named}; listen {by_certificate}; root {here}; }}
             server {{ listen {web} ssl; ssl_certificate {here}/both.pem; ssl_certificate_key {here}/both.pem; location / {{ return 200; }}"
        ));
        Self {
            nginx,
            web,
            named,
            by_certificate,
            folder,
        }
    }

    /// A site whose file names these lists, and whose system shows the certificate.
    fn site(&self, via: &str, urls: &[String]) -> String {
        let (web, other) = (self.web.port(), self.by_certificate.port());
        format!(
            "site: {{ code: PRI, product: configmgr-2007, crl_urls: [\"{}\"] }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
clients: [here]
systems:
  web: {{ zone: there, names: {{ default: web.example.com }}, addresses: {{ default: 127.0.0.1 }}, roles: [console] }}
  pki: {{ zone: there, addresses: {{ default: 127.0.0.3 }}, roles: [console] }}
tls: {{ roots: [\"{}/ca.pem\"] }}
via: {{ here: \"{via}\" }}
probing: {{ second_look: off, timeout: 2s, rate: max, dns: off, sweep: none }}
flows:
  - {{ from: here, to: web, port: {web}, protocol: https, need: required }}
  - {{ from: there, to: pki, port: {other}, need: optional }}
",
            urls.join("\", \""),
            self.folder.path().display()
        )
    }

    fn url(&self, file: &str) -> String {
        format!("http://{}/{file}", self.named)
    }
}

#[test]
fn lists_are_fetched_through_the_proxy_and_what_it_refuses_is_its_own() {
    let lists = Lists::new();
    let (down, denied) = (free(), free());
    let squid = squid(&format!(
        "acl denied port {}\nacl secret urlpath_regex secret\nhttp_access deny denied\nhttp_access deny secret\n\
         http_access allow all",
        denied.port()
    ));
    let via = format!("http://{}", squid.at);
    let good = lists.url("good.crl");
    let elsewhere = [down, denied].map(|at| format!("http://{at}/good.crl"));
    let run = once(
        &lists.site(&via, &[&[good.clone()][..], &elsewhere].concat()),
        None,
    );
    let named = lists.named.port();
    assert_eq!(run.verdict(named), "ok answered note");
    let flow = run.flow(named);
    assert_eq!(flow["id"], format!("here>crl.{}/tcp", lists.named));
    let evidence = &flow["evidence"];
    assert_eq!(evidence["lists"][0]["url"], good);
    assert_eq!(evidence["lists"][0]["entries"], 0);
    assert_eq!(evidence["via"], via);
    // The one that only the certificate names: nothing but the list is asked of its host.
    assert_eq!(run.verdict(lists.web.port()), "ok answered note");
    let port = lists.by_certificate.port();
    assert_eq!(run.verdict(port), "ok answered note");
    assert_eq!(run.flow(port)["evidence"]["via"], via);
    assert_eq!(run.verdict(down.port()), "blocked unreached-by-proxy error");
    assert_eq!(run.verdict(denied.port()), "blocked proxy-refused error");
    assert_eq!(run.owner(denied.port()), "proxy");
    assert!(
        run.stderr.contains(&format!("through the proxy {via}")),
        "{}",
        run.stderr
    );
    let asked = squid.logged(8);
    let of = |what: &str| asked.iter().filter(|line| line.contains(what)).count();
    assert_eq!(of(&format!("200 GET {good} [-]")), 1, "{asked:?}");
    let only = format!("http://{}/", lists.by_certificate);
    assert_eq!(of(&only), 1, "{asked:?}");

    // Of one host: the root page may be had, and the proxy refuses a list, or the server has none.
    for (file, verdict, owner) in [
        ("secret.crl", "blocked proxy-refused error", "proxy"),
        ("missing.crl", "wrong crl-missing error", "server"),
        ("expired.crl", "wrong crl-expired error", "certificate"),
    ] {
        let run = once(&lists.site(&via, &[good.clone(), lists.url(file)]), None);
        assert_eq!(run.verdict(named), verdict, "{file}");
        assert_eq!(run.owner(named), owner, "{file}");
    }
    assert!(
        lists
            .nginx
            .logged(1)
            .iter()
            .all(|line| !line.contains("secret"))
    );
}

#[test]
fn lists_go_through_a_proxy_that_is_for_roles_where_theirs_is_among_them() {
    let lists = Lists::new();
    let squid = squid("http_access allow all");
    let via = format!("http://{}", squid.at);
    let site = lists.site(&via, &[lists.url("good.crl")]);
    for (role, through) in [
        ("crl-distribution-point", true),
        ("management-point", false),
    ] {
        let route = format!("{{ proxy: \"{via}\", roles: [{role}] }}");
        let run = once(&site.replace(&format!("\"{via}\""), &route), None);
        for port in [lists.named.port(), lists.by_certificate.port()] {
            assert_eq!(run.verdict(port), "ok answered note", "{role}");
            let proxy = &run.flow(port)["evidence"]["via"];
            assert_eq!(!proxy.is_null(), through, "{role} {proxy}");
            assert_eq!(run.flow(port)["evidence"]["lists"][0]["entries"], 0);
        }
        let web = run.flow(lists.web.port());
        assert_eq!(web["verdict"], "ok", "{web:#}");
        assert_eq!(web["evidence"]["via"], Value::Null);
    }
}

#[test]
fn lists_are_fetched_through_socks_and_by_users_whom_the_proxy_knows() {
    let lists = Lists::new();
    let good = lists.url("good.crl");
    let (named, port) = (lists.named.port(), lists.by_certificate.port());
    let socks = Server::microsocks(None);
    let down = free();
    let urls = [good.clone(), format!("http://{down}/good.crl")];
    let run = once(&lists.site(&format!("socks5://{}", socks.at), &urls), None);
    assert_eq!(run.verdict(named), "ok answered note");
    assert_eq!(run.verdict(port), "ok answered note");
    assert_eq!(run.verdict(down.port()), "blocked unreached-by-proxy error");

    let (squid, _helper) = squid_with_a_login();
    let site = lists.site(
        &format!("http://probe@{}", squid.at),
        std::slice::from_ref(&good),
    );
    let run = once(&site, Some("right-word"));
    assert_eq!(run.verdict(named), "ok answered note");
    assert_eq!(run.verdict(port), "ok answered note");
    assert!(!run.everything().contains("right-word"));
    let run = once(&site, Some("wrong-word"));
    assert_eq!(run.verdict(named), "unknown proxy-login error");
    let told = |line: &&String| !line.ends_with("[-]") && line.starts_with("407 ");
    let asked = squid.logged(6);
    assert_eq!(asked.iter().filter(told).count(), 1, "{asked:?}");
}
