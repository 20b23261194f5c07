//! The conversations with real servers: Samba as a file server and as a domain controller, and Knot DNS. SQL Server
//! cannot be had here. The stand-in of OpenCanary takes its place, whose answers others took from a real one.
//!
//! Each test runs in a network namespace of its own, which ends with it: well-known ports are free there, and nothing
//! leaves it. Needs root, `ip`, and the servers' packages (`scripts/test` installs them); what is missing fails the
//! test loudly.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use domain::base::iana::Rcode;
use nix::sched::{CloneFlags, unshare};
use tempfile::TempDir;
use tokio::net::{TcpStream, UdpSocket};

use super::dns;
use super::windows::{kerberos, ldap, tds};
use crate::wire::tls::servers::ends::EndsWithTest;
use crate::wire::windows::rpc::{self, Binding, End, Mapper};
use crate::wire::windows::smb::{self, Dialect, Opening, Signing};

const LIMIT: Duration = Duration::from_secs(5);

/// Runs a test on a thread in a network namespace of its own, with loopback up.
fn alone<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send) {
    let body = || {
        unshare(CloneFlags::CLONE_NEWNET).expect("network namespaces, which need root");
        run(Command::new("ip").args(["link", "set", "lo", "up"]));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(test());
    };
    thread::scope(|scope| {
        let ended = scope.spawn(body).join();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

/// Runs a program to its end and gives what it printed.
fn run(command: &mut Command) -> String {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{name} is needed: {error}; scripts/test installs it"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{name}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Starts a server. Samba also ends when its standard input does, so it survives no killed test.
fn start(command: &mut Command, log: &Path) -> EndsWithTest {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = fs::File::create(log).expect("a log");
    let child = command
        // smbd ends by a signal to its whole process group.
        .process_group(0)
        .stdin(Stdio::piped())
        .stderr(out.try_clone().expect("a log"))
        .stdout(out)
        .spawn()
        .unwrap_or_else(|error| panic!("{name} is needed: {error}; scripts/test installs it"));
    EndsWithTest(child)
}

/// A connection to a port on loopback, once its server listens.
async fn connect(port: u16) -> TcpStream {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            Ok(stream) => return stream,
            Err(error) if Instant::now() > patience => panic!("nothing on port {port}: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Sends a datagram to a port on loopback and gives the one that comes back.
async fn datagram(port: u16, request: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    socket.connect(("127.0.0.1", port)).await.expect("a port");
    socket.send(request).await.expect("sent");
    let mut answer = vec![0; 4_096];
    let received = tokio::time::timeout(LIMIT, socket.recv(&mut answer)).await;
    let length = received.expect("an answer in time").expect("an answer");
    answer.truncate(length);
    answer
}

/// Samba as a file server without a domain, with its endpoint mapper.
struct FileServer {
    _servers: [EndsWithTest; 2],
    _folder: TempDir,
}

impl FileServer {
    fn start(extra: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let at = path.display();
        let settings = format!(
            "[global]\nserver role = standalone server\nmap to guest = Bad User\ndisable netbios = yes\n\
             smb ports = 445\nrpc start on demand helpers = no\nrpc server dynamic port range = 49152-49155\n\
             disable spoolss = yes\nprivate dir = {at}\nlock directory = {at}\nstate directory = {at}\n\
             cache directory = {at}\npid directory = {at}\nncalrpc dir = {at}/ncalrpc\nbinddns dir = {at}\n\
             log file = {at}/log\n{extra}\n"
        );
        fs::write(path.join("smb.conf"), settings).expect("written");
        let mut files = Command::new("smbd");
        files.args(["-F", "--no-process-group", "--debug-stdout", "-s"]);
        let mut calls = Command::new("/usr/libexec/samba/samba-dcerpcd");
        calls.args(["-F", "--no-process-group", "--debug-stdout"]);
        calls.args(["--libexec-rpcds", "-s"]);
        let servers = [
            start(files.arg(path.join("smb.conf")), &path.join("smbd.log")),
            start(calls.arg(path.join("smb.conf")), &path.join("rpc.log")),
        ];
        Self {
            _servers: servers,
            _folder: folder,
        }
    }
}

/// Samba as the domain controller of `corp.example`, its own DNS and key distribution centre included.
struct DomainController {
    _server: EndsWithTest,
    _folder: TempDir,
}

impl DomainController {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        run(Command::new("samba-tool")
            .args(["domain", "provision", "--realm=CORP.EXAMPLE"])
            .args(["--domain=CORP", "--host-name=dc1", "--host-ip=192.0.2.5"])
            .args(["--server-role=dc", "--dns-backend=SAMBA_INTERNAL"])
            .arg(format!("--targetdir={}", path.display())));
        let mut samba = Command::new("samba");
        samba
            .args(["-F", "--no-process-group", "--debug-stdout", "-s"])
            .arg(path.join("etc/smb.conf"))
            .args([
                "--option=interfaces=127.0.0.1/8",
                "--option=disable netbios=yes",
            ])
            .arg("--option=server services=-winbindd,-dnsupdate,-kcc,-drepl,-nbt,-ntp_signd")
            .arg(format!("--option=pid directory={}", path.display()))
            .arg(format!("--option=ncalrpc dir={}/ncalrpc", path.display()))
            .arg(format!("--option=log file={}/log", path.display()));
        Self {
            _server: start(&mut samba, &path.join("samba.log")),
            _folder: folder,
        }
    }
}

/// Address, port, interface and major version of each entry that leads to a TCP port.
type Entries = BTreeSet<(String, u16, String, u16)>;

fn entries(mapper: &Mapper) -> Entries {
    let all = mapper.ports.iter().flat_map(|(port, endpoints)| {
        endpoints.iter().map(|endpoint| {
            let interface = endpoint.interface;
            (
                endpoint.address.to_string(),
                *port,
                interface.uuid.to_string(),
                interface.major,
            )
        })
    });
    all.collect()
}

/// The same by Samba's own client: `... ncacn_ip_tcp:ADDRESS[PORT,abstract_syntax=UUID/0xVERSION]: annotation`.
fn entries_by_rpcclient() -> Entries {
    let text = run(Command::new("rpcclient").args([
        "-N",
        "-U%",
        "ncacn_ip_tcp:127.0.0.1",
        "-c",
        "epmlookup",
    ]));
    let entry = |line: &str| {
        let (address, rest) = line.split_once(" ncacn_ip_tcp:")?.1.split_once('[')?;
        let (port, rest) = rest.split_once(",abstract_syntax=")?;
        let (uuid, rest) = rest.split_once("/0x")?;
        let version = u32::from_str_radix(rest.split_once(']')?.0, 16).ok()?;
        let major = u16::try_from(version & 0xffff).ok()?;
        Some((
            address.to_string(),
            port.parse().ok()?,
            uuid.to_string(),
            major,
        ))
    };
    text.lines().filter_map(entry).collect()
}

/// What the mapper lists is what Samba's client lists, and each port it names speaks RPC while the mapper's connection
/// stays open and usable.
async fn the_mapper_tells_the_truth() {
    let mut stream = connect(135).await;
    let mapper = rpc::lookup(&mut stream, LIMIT).await.expect("RPC");
    assert_eq!(mapper.end, End::Whole);
    let dynamic: Vec<u16> = mapper
        .ports
        .keys()
        .copied()
        .filter(|port| *port != 135)
        .collect();
    assert!(!dynamic.is_empty(), "{mapper:?}");
    assert_eq!(entries(&mapper), entries_by_rpcclient());
    for port in dynamic {
        let greeting = rpc::greet(&mut connect(port).await, LIMIT).await;
        assert_eq!(greeting, Ok(Binding::Accepted), "port {port}");
    }
    let again = rpc::lookup(&mut stream, LIMIT).await;
    assert!(again.is_ok(), "the connection is gone: {again:?}");
}

/// A service that is there is not taken for one of the others, whatever it does with their requests.
async fn no_other_protocol_is_recognised(port: u16, own: &str) {
    let query = dns::Query::new("corp.example", dns::Kind::A).expect("a name");
    for protocol in ["rpc", "smb", "tds", "ldap", "dns", "kerberos"] {
        let limit = if protocol == own {
            LIMIT
        } else {
            Duration::from_millis(500)
        };
        let mut stream = connect(port).await;
        let fault = match protocol {
            "rpc" => rpc::greet(&mut stream, limit).await.err(),
            "smb" => smb::exchange(&mut stream, Opening::AnyDialect, limit)
                .await
                .err(),
            "tds" => tds::exchange(&mut stream, limit).await.err(),
            "ldap" => ldap::exchange(&mut stream, limit).await.err(),
            "dns" => dns::exchange(&mut stream, &query, limit).await.err(),
            _ => kerberos::exchange(&mut stream, limit).await.err(),
        };
        let recognised = fault.is_none();
        assert_eq!(recognised, protocol == own, "{protocol} on a port of {own}");
    }
}

#[test]
fn a_file_server_maps_its_ports_and_negotiates_smb() {
    alone(async || {
        let _server = FileServer::start("");
        connect(49_154).await;
        the_mapper_tells_the_truth().await;
        let any = smb::exchange(&mut connect(445).await, Opening::AnyDialect, LIMIT).await;
        let any = any.expect("SMB");
        assert_eq!(any.dialect, Some(Dialect::Smb2(0x0311)));
        assert_eq!(any.signing, Signing::Enabled);
        let only = smb::exchange(&mut connect(445).await, Opening::OnlySmb2, LIMIT).await;
        assert_eq!(only, Ok(any));
        no_other_protocol_is_recognised(445, "smb").await;
        no_other_protocol_is_recognised(135, "rpc").await;
    });
}

#[test]
fn a_server_of_smb1_only_is_recognised_and_one_without_it_too() {
    alone(async || {
        let _old = FileServer::start("server min protocol = NT1\nserver max protocol = NT1");
        let spoken = smb::exchange(&mut connect(445).await, Opening::AnyDialect, LIMIT).await;
        assert_eq!(spoken.expect("SMB").dialect, Some(Dialect::Smb1));
    });
    alone(async || {
        let _strict = FileServer::start("server min protocol = SMB3_11\nserver signing = required");
        let spoken = smb::exchange(&mut connect(445).await, Opening::AnyDialect, LIMIT).await;
        let spoken = spoken.expect("SMB");
        assert_eq!(spoken.dialect, Some(Dialect::Smb2(0x0311)));
        assert_eq!(spoken.signing, Signing::Required);
    });
    alone(async || {
        let _middle = FileServer::start("server max protocol = SMB2_02");
        let spoken = smb::exchange(&mut connect(445).await, Opening::AnyDialect, LIMIT).await;
        assert_eq!(spoken.expect("SMB").dialect, Some(Dialect::Smb2(0x0202)));
    });
}

#[test]
fn a_domain_controller_speaks_ldap_kerberos_dns_rpc_and_smb() {
    alone(async || {
        let _server = DomainController::start();
        for port in [53, 88, 135, 389, 445, 3268, 49_152] {
            connect(port).await;
        }
        for port in [389, 3268] {
            let spoken = ldap::exchange(&mut connect(port).await, LIMIT).await;
            let spoken = spoken.expect("LDAP");
            assert_eq!(spoken.result, Some(0));
            assert_eq!(spoken.naming_context.as_deref(), Some("DC=corp,DC=example"));
            assert_eq!(spoken.host_name.as_deref(), Some("dc1.corp.example"));
            assert!(spoken.versions.contains(&"3".to_string()));
        }
        refuses_a_ticket().await;
        answers_for_its_zone().await;
        the_mapper_tells_the_truth().await;
        let spoken = smb::exchange(&mut connect(445).await, Opening::AnyDialect, LIMIT).await;
        assert_eq!(spoken.expect("SMB").signing, Signing::Required);
        for (port, own) in [(389, "ldap"), (88, "kerberos"), (53, "dns")] {
            no_other_protocol_is_recognised(port, own).await;
        }
    });
}

/// Over both transports, with the same answer.
async fn refuses_a_ticket() {
    let over_tcp = kerberos::exchange(&mut connect(88).await, LIMIT).await;
    let over_udp = kerberos::read(&datagram(88, &kerberos::request()).await);
    assert_eq!(over_tcp, over_udp);
    let kerberos::Spoken::Error { code, realm } = over_tcp.expect("Kerberos") else {
        panic!("a ticket");
    };
    assert!([6, 68].contains(&code), "error {code} of {realm:?}");
}

/// A name that is there, and one that is not, over both transports.
async fn answers_for_its_zone() {
    let there = dns::Query::new("DC1.corp.example", dns::Kind::A).expect("a name");
    let over_tcp = dns::exchange(&mut connect(53).await, &there, LIMIT).await;
    let over_udp = there.read(&datagram(53, &there.bytes()).await);
    assert_eq!(over_tcp, over_udp);
    let answer = over_tcp.expect("DNS");
    assert_eq!(answer.rcode, Rcode::NOERROR);
    assert_eq!(answer.addresses, [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 5))]);
    let missing = dns::Query::new("none.corp.example", dns::Kind::A).expect("a name");
    let answer = missing.read(&datagram(53, &missing.bytes()).await);
    let answer = answer.expect("DNS");
    assert_eq!((answer.rcode, answer.addresses), (Rcode::NXDOMAIN, vec![]));
}

/// Knot DNS as the authority for a zone.
fn knot(folder: &Path) -> EndsWithTest {
    let zone = "@ 60 SOA ns1 admin 1 60 60 60 60\n@ NS ns1\nns1 A 192.0.2.53\nmp A 203.0.113.10\n\
                mp AAAA 2001:db8::10\nwww CNAME mp\nmany TXT \"";
    let zone = format!("{zone}{}\"\n", "\" \"".repeat(600));
    fs::write(folder.join("zone"), zone).expect("written");
    let at = folder.display();
    let settings = format!(
        "server:\n  listen: 127.0.0.1@53\n  rundir: {at}\ndatabase:\n  storage: {at}\n\
         template:\n  - id: default\n    storage: {at}\n    file: zone\nzone:\n  - domain: example.com\n"
    );
    fs::write(folder.join("knot.conf"), settings).expect("written");
    let mut knotd = Command::new("knotd");
    start(
        knotd.arg("-c").arg(folder.join("knot.conf")),
        &folder.join("knot.log"),
    )
}

#[test]
fn an_authority_for_a_zone_tells_where_a_name_leads() {
    alone(async || {
        let folder = tempfile::tempdir().expect("a folder");
        let _server = knot(folder.path());
        connect(53).await;
        let ask = async |name: &str, kind| {
            let query = dns::Query::new(name, kind).expect("a name");
            let over_udp = query.read(&datagram(53, &query.bytes()).await);
            let over_tcp = dns::exchange(&mut connect(53).await, &query, LIMIT).await;
            (over_udp.expect("DNS"), over_tcp.expect("DNS"))
        };
        let v4 = vec![IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10))];
        let v6 = vec![IpAddr::V6(Ipv6Addr::new(
            0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10,
        ))];
        let (answer, same) = ask("mp.example.com", dns::Kind::A).await;
        assert!(
            answer.authoritative && answer == same,
            "{answer:?} {same:?}"
        );
        assert_eq!(answer.addresses, v4);
        assert_eq!(
            ask("www.example.com.", dns::Kind::Aaaa).await.0.addresses,
            v6
        );
        let (start, _) = ask("example.com", dns::Kind::Soa).await;
        assert_eq!((start.records, start.addresses.len()), (1, 0));
        let (elsewhere, _) = ask("mp.example.net", dns::Kind::A).await;
        assert_eq!(elsewhere.rcode, Rcode::REFUSED);
    });
}

/// OpenCanary: its "2012" says that it is 12.0.4100.
fn sql_server(folder: &Path) -> EndsWithTest {
    let settings = r#"{
        "device.node_id": "test", "mssql.enabled": true, "mssql.port": 1433, "mssql.version": "2012",
        "logger": { "class": "PyLogger", "kwargs": { "formatters": {}, "handlers": {
            "log": { "class": "logging.StreamHandler", "stream": "ext://sys.stdout" } } } }
    }"#;
    fs::write(folder.join("opencanary.conf"), settings).expect("written");
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/opencanary/bin");
    let mut twistd = Command::new(programs.join("twistd"));
    twistd.current_dir(folder).arg("--nodaemon").arg("--python");
    start(
        twistd.arg(programs.join("opencanary.tac")),
        &folder.join("canary.log"),
    )
}

#[test]
fn a_sql_server_tells_its_version_and_that_it_does_not_encrypt() {
    alone(async || {
        let folder = tempfile::tempdir().expect("a folder");
        let _server = sql_server(folder.path());
        let spoken = tds::exchange(&mut connect(1433).await, LIMIT).await;
        let Ok(tds::Spoken::Options(options)) = spoken else {
            panic!("{spoken:?}");
        };
        assert_eq!(options.version.map(|version| version.major), Some(12));
        assert_eq!(options.encryption, Some(tds::Encryption::NotSupported));
        no_other_protocol_is_recognised(1433, "tds").await;
    });
}
