//! Tunnels through squid, tinyproxy and microsocks, and what each refuses; what the proxies logged is what they were told.

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::{Server, connect, free, nginx};
use crate::wire::web::http::authority::Authority;
use crate::wire::web::http::conversation::Conversation;
use crate::wire::web::http::request::Request;
use crate::wire::web::proxy::credentials::Credentials;
use crate::wire::web::proxy::through::through;
use crate::wire::web::proxy::{Kind, Offered, Passage, Refused, Unreached};

const LIMIT: Duration = Duration::from_secs(15);
/// A name that only the proxy can resolve.
const NAME: &str = "mp.portproof.test";
const USER: &str = "probe";
const PASSWORD: &str = "right-word";

async fn tunnel(
    proxy: &Server,
    kind: Kind,
    host: &str,
    port: u16,
    credentials: Option<&Credentials>,
) -> Result<TcpStream, Refused> {
    let target = Authority::new(host, port).expect("a host");
    let stream = connect(proxy.at).await.expect("the proxy listens");
    match through(stream, kind, &target, credentials, LIMIT).await {
        Passage::Tunnel(stream) => Ok(stream),
        Passage::Refused(refused) => Err(refused),
    }
}

fn web() -> Server {
    nginx("location / { return 200 here; }")
}

/// The status of a page of the web server at the far end of a tunnel.
async fn status(tunnel: TcpStream) -> Option<u16> {
    let to = Authority::new(NAME, 80).expect("a host");
    let mut conversation = Conversation::new(tunnel);
    conversation
        .ask(&Request::get("/"), &to, LIMIT)
        .await
        .status()
}

/// squid that lets CONNECT through to one port, knows one name of its own, and asks no other for names.
fn squid(to: SocketAddr, rules: &str) -> Server {
    let hosts = tempfile::NamedTempFile::new().expect("a file");
    fs::write(hosts.path(), format!("127.0.0.1 {NAME}\n")).expect("written");
    fs::set_permissions(hosts.path(), fs::Permissions::from_mode(0o644)).expect("readable");
    let nobody = free();
    Server::squid(&format!(
        "http_port {{at}}\nhosts_file {}\ndns_nameservers {}\ndns_timeout 1 second\n\
         acl allowed port {} {}\nhttp_access deny !allowed\n{rules}",
        hosts.path().display(),
        nobody.ip(),
        to.port(),
        nobody.port(),
    ))
}

#[tokio::test]
async fn a_name_that_only_squid_knows_leads_to_the_server() {
    let web = web();
    let squid = squid(web.at, "http_access allow all");
    let tunnel = tunnel(&squid, Kind::HttpConnect, NAME, web.at.port(), None).await;
    assert_eq!(status(tunnel.expect("a tunnel")).await, Some(200));
    let expected = format!("200 CONNECT {NAME}:{} [-]", web.at.port());
    assert_eq!(squid.logged(1), [expected]);
}

#[tokio::test]
async fn squids_own_refusal_is_told_from_a_server_that_refused() {
    let web = web();
    let squid = squid(web.at, "http_access allow all");
    let denied = tunnel(&squid, Kind::HttpConnect, "127.0.0.1", 1, None).await;
    let Err(Refused::Forbidden { said }) = denied else {
        panic!("{denied:?}")
    };
    assert!(
        said.contains("403") && said.contains("ERR_ACCESS_DENIED"),
        "{said}"
    );
    let port = web.at.port();
    drop(web);
    let down = tunnel(&squid, Kind::HttpConnect, "127.0.0.1", port, None).await;
    let Err(Refused::Unreached {
        why: Unreached::Refused,
        ..
    }) = down
    else {
        panic!("{down:?}")
    };
    let nameless = tunnel(
        &squid,
        Kind::HttpConnect,
        "nowhere.portproof.test",
        port,
        None,
    )
    .await;
    assert!(
        matches!(nameless, Err(Refused::Unreached { .. })),
        "{nameless:?}"
    );
}

/// squid that asks a helper about every name and password; the helper keeps each one that it is asked about.
fn squid_with_users(to: SocketAddr, folder: &Path) -> Server {
    let helper = folder.join("helper");
    let asked = folder.join("asked");
    fs::write(&asked, "").expect("written");
    fs::set_permissions(&asked, fs::Permissions::from_mode(0o666)).expect("writable");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("open");
    let script = format!(
        "#!/bin/sh\nwhile read -r line; do echo \"$line\" >> {}; \
         if [ \"$line\" = \"{USER} {PASSWORD}\" ]; then echo OK; else echo ERR; fi; done\n",
        asked.display()
    );
    fs::write(&helper, script).expect("written");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("executable");
    squid(
        to,
        &format!(
            "auth_param basic program {}\nauth_param basic children 1\nauth_param basic realm test\n\
             acl users proxy_auth REQUIRED\nhttp_access allow users\nhttp_access deny all",
            helper.display()
        ),
    )
}

#[tokio::test]
async fn wrong_credentials_reach_squid_in_exactly_one_request() {
    let (web, folder) = (web(), tempfile::tempdir().expect("a folder"));
    let squid = Arc::new(squid_with_users(web.at, folder.path()));
    let wrong = Arc::new(Credentials::new(USER, "wrong-word").expect("fit"));
    let mut flows = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (squid, wrong, port) = (Arc::clone(&squid), Arc::clone(&wrong), web.at.port());
        flows.spawn(
            async move { tunnel(&squid, Kind::HttpConnect, NAME, port, Some(&wrong)).await },
        );
    }
    let mut sent = 0;
    for result in flows.join_all().await {
        let Err(Refused::Authentication { credentials, .. }) = result else {
            panic!("{result:?}")
        };
        match credentials {
            Offered::Refused => sent += 1,
            other => assert_eq!(other, Offered::Withheld),
        }
    }
    assert_eq!(sent, 1);
    let without = tunnel(&squid, Kind::HttpConnect, NAME, web.at.port(), None).await;
    let Err(Refused::Authentication {
        schemes,
        credentials: Offered::None,
    }) = without
    else {
        panic!("{without:?}")
    };
    assert_eq!(schemes, ["Basic"]);
    let logged = squid.logged(2);
    let with = logged.iter().filter(|line| !line.ends_with("[-]"));
    assert_eq!((logged.len(), with.count()), (2, 1), "{logged:?}");
    let asked = fs::read_to_string(folder.path().join("asked")).expect("read");
    assert_eq!(asked, format!("{USER} wrong-word\n"));
}

#[tokio::test]
async fn right_credentials_open_every_tunnel() {
    let (web, folder) = (web(), tempfile::tempdir().expect("a folder"));
    let squid = squid_with_users(web.at, folder.path());
    let right = Credentials::new(USER, PASSWORD).expect("fit");
    for _ in 0..3 {
        let tunnel = tunnel(&squid, Kind::HttpConnect, NAME, web.at.port(), Some(&right)).await;
        assert_eq!(status(tunnel.expect("a tunnel")).await, Some(200));
    }
}

#[tokio::test]
async fn tinyproxys_own_refusal_is_told_from_a_server_that_refused() {
    let (web, down) = (web(), free().port());
    let proxy = Server::tinyproxy(&[web.at.port(), down]);
    let open = |port| tunnel(&proxy, Kind::HttpConnect, "127.0.0.1", port, None);
    let tunnel = open(web.at.port()).await;
    assert_eq!(status(tunnel.expect("a tunnel")).await, Some(200));
    let refused = open(1).await;
    assert!(
        matches!(refused, Err(Refused::Forbidden { .. })),
        "{refused:?}"
    );
    let unreached = open(down).await;
    assert!(
        matches!(unreached, Err(Refused::Unreached { .. })),
        "{unreached:?}"
    );
}

#[tokio::test]
async fn microsocks_leads_to_names_and_addresses() {
    // Debian's own hosts file gives `localhost` an address of each family, and microsocks tries the first alone.
    let known = ("localhost", 0).to_socket_addrs().expect("localhost");
    let both = match known.collect::<Vec<_>>().iter().any(SocketAddr::is_ipv6) {
        true => "listen [::1]:{port};",
        false => "",
    };
    let web = nginx(&format!("{both} location / {{ return 200 here; }}"));
    let socks = Server::microsocks(None);
    for host in ["127.0.0.1", "localhost"] {
        let tunnel = tunnel(&socks, Kind::Socks5, host, web.at.port(), None).await;
        assert_eq!(status(tunnel.expect("a tunnel")).await, Some(200), "{host}");
    }
    let down = tunnel(&socks, Kind::Socks5, "127.0.0.1", free().port(), None).await;
    assert!(
        matches!(
            down,
            Err(Refused::Unreached {
                why: Unreached::Refused,
                ..
            })
        ),
        "{down:?}"
    );
}

#[tokio::test]
async fn microsocks_is_told_a_password_once_when_it_is_wrong() {
    let (web, socks) = (web(), Server::microsocks(Some((USER, PASSWORD))));
    let open = |credentials| {
        tunnel(
            &socks,
            Kind::Socks5,
            "127.0.0.1",
            web.at.port(),
            credentials,
        )
    };
    let right = Credentials::new(USER, PASSWORD).expect("fit");
    assert_eq!(
        status(open(Some(&right)).await.expect("a tunnel")).await,
        Some(200)
    );
    let wrong = Credentials::new(USER, "wrong-word").expect("fit");
    for expected in [Offered::Refused, Offered::Withheld] {
        let refused = open(Some(&wrong)).await;
        let Err(Refused::Authentication { credentials, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(credentials, expected);
    }
    let nobody = open(None).await;
    assert!(
        matches!(
            nobody,
            Err(Refused::Authentication {
                credentials: Offered::None,
                ..
            })
        ),
        "{nobody:?}"
    );
}

#[tokio::test]
async fn each_proxy_is_told_from_the_other() {
    let web = web();
    let socks = Server::microsocks(None);
    let as_http = tunnel(&socks, Kind::HttpConnect, "127.0.0.1", web.at.port(), None).await;
    assert!(as_http.is_err(), "{as_http:?}");
    let as_socks = tunnel(&web, Kind::Socks5, "127.0.0.1", 80, None).await;
    assert!(
        matches!(as_socks, Err(Refused::NotProxy { .. })),
        "{as_socks:?}"
    );
    let as_proxy = tunnel(&web, Kind::HttpConnect, "127.0.0.1", 80, None).await;
    assert!(
        matches!(as_proxy, Err(Refused::NotProxy { .. })),
        "{as_proxy:?}"
    );
}
