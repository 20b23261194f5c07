//! RPC and SMB of a real Samba behind a real firewall: the dynamic ports that its mapper names, and one that is dropped.
//!
//! Needs root, `ip`, `nft` and Samba (`scripts/test` installs them); without them the test fails and says so.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::ends::EndsWithTest;
use crate::support::row::{Row, check_as_nobody, copy_for_nobody, ip};
use crate::support::running::Running;
use serde_json::Value;

/// The prober is the site server; behind the firewall stands a site system.
const SITE: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  perimeter: { networks: [\"192.0.2.0/24\"] }
  intranet: { networks: [\"198.51.100.0/24\"] }
firewalls:
  back-end: { between: [perimeter, intranet], addresses: [198.51.100.1, 192.0.2.254] }
clients: [perimeter]
systems:
  cm01:
    zone: intranet
    addresses: { default: 198.51.100.10 }
    roles: [site-server, site-database]
  ibs01:
    zone: perimeter
    addresses: { default: 192.0.2.10 }
    roles: [distribution-point]
    serves: [perimeter]
    rpc_ports: [49152-49155]
probing: { second_look: off, timeout: 4s, rate: max, sweep: none }
";

/// The last port of the list is dropped.
fn dropping(port: u64) -> String {
    format!(
        "table inet wall {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
    tcp dport {port} drop
  }}
}}
"
    )
}

/// Samba's file server and its endpoint mapper, in the server's namespace.
struct Samba {
    _processes: [EndsWithTest; 2],
}

impl Samba {
    fn start(row: &Row, folder: &Path) -> Self {
        let at = folder.display();
        let settings = format!(
            "[global]\nserver role = standalone server\nmap to guest = Bad User\ndisable netbios = yes\n\
             smb ports = 445\nrpc start on demand helpers = no\nrpc server dynamic port range = 49152-49155\n\
             disable spoolss = yes\nprivate dir = {at}\nlock directory = {at}\nstate directory = {at}\n\
             cache directory = {at}\npid directory = {at}\nncalrpc dir = {at}/ncalrpc\nbinddns dir = {at}\n\
             log file = {at}/log\n"
        );
        let file = folder.join("smb.conf");
        fs::write(&file, settings).expect("written");
        let start = |program: &str, more: &[&str]| {
            let started = Command::new("ip")
                .args(["netns", "exec", &row.names[2], program])
                .args(["-F", "--no-process-group", "--debug-stdout", "-s"])
                .arg(&file)
                .args(more)
                // smbd ends by a signal to its whole process group.
                .process_group(0)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("Samba is needed: scripts/test installs it");
            EndsWithTest(started)
        };
        let calls = "/usr/libexec/samba/samba-dcerpcd";
        Self {
            _processes: [start("smbd", &[]), start(calls, &["--libexec-rpcds"])],
        }
    }
}

/// The dynamic ports by Samba's own client, once they are all there.
fn ports_by_rpcclient(row: &Row) -> BTreeSet<u64> {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let output = Command::new("ip")
            .args(["netns", "exec", &row.names[2], "rpcclient", "-N", "-U%"])
            .args(["ncacn_ip_tcp:192.0.2.10", "-c", "epmlookup"])
            .output()
            .expect("rpcclient is needed: scripts/test installs it");
        let text = String::from_utf8_lossy(&output.stdout);
        let ports: BTreeSet<u64> = text
            .split(" ncacn_ip_tcp:")
            .skip(1)
            .filter_map(|entry| entry.split_once('[')?.1.split(',').next()?.parse().ok())
            .filter(|port| *port >= 49_152)
            .collect();
        if ports.len() >= 3 {
            return ports;
        }
        assert!(Instant::now() < patience, "no dynamic ports: {text}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn flow<'a>(report: &'a Value, id: &str) -> &'a Value {
    let flows = report["flows"].as_array().expect("flows");
    let found = flows.iter().find(|flow| flow["id"] == id);
    found.unwrap_or_else(|| {
        let ids: Vec<&Value> = flows.iter().map(|flow| &flow["id"]).collect();
        panic!("no {id} among {ids:?}")
    })
}

fn named(range: &Value) -> BTreeSet<u64> {
    let ports = range["evidence"]["spoken"]["ports"].as_array();
    ports
        .expect("ports")
        .iter()
        .filter_map(|port| port["port"].as_u64())
        .collect()
}

#[test]
fn dynamic_ports_are_learnt_tried_and_the_one_that_a_firewall_drops_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let samba_folder = tempfile::tempdir().expect("a folder");
    let (rules, site) = (
        folder.path().join("rules.nft"),
        folder.path().join("site.yaml"),
    );
    fs::write(&site, SITE).expect("written");
    let row = Row::new();
    let _samba = Samba::start(&row, samba_folder.path());
    let ports = ports_by_rpcclient(&row);
    let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
    let place = ["--from", "intranet", "--as", "cm01", "--no-gentle"];

    let (_, report) = check_as_nobody(&row, &program, &site, &place);
    let range = flow(&report, "cm01>ibs01:49152-49155/tcp");
    assert_eq!(named(range), ports, "{range:#}");
    for id in [
        "cm01>ibs01:135/tcp",
        "cm01>ibs01:445/tcp",
        "cm01>ibs01:49152-49155/tcp",
    ] {
        let flow = flow(&report, id);
        assert_eq!(
            (flow["verdict"].as_str(), flow["cause"].as_str()),
            (Some("ok"), Some("answered")),
            "{flow:#}"
        );
    }
    // Samba has no object exporter.
    let mapper = &flow(&report, "cm01>ibs01:135/tcp")["evidence"]["spoken"];
    let dcom = mapper["facts"]["DCOM"].as_str().expect("DCOM was asked");
    assert!(dcom.starts_with("none: the interface is refused"), "{dcom}");
    let smb = &flow(&report, "cm01>ibs01:445/tcp")["evidence"]["spoken"];
    assert_eq!(smb["facts"]["dialect"], "SMB 3.1.1", "{smb:#}");

    let last = *ports.last().expect("a port");
    fs::write(&rules, dropping(last)).expect("written");
    ip(&[
        "netns",
        "exec",
        &row.names[1],
        "nft",
        "-f",
        &rules.display().to_string(),
    ]);
    let (status, report) = check_as_nobody(&row, &program, &site, &place);
    let range = flow(&report, "cm01>ibs01:49152-49155/tcp");
    assert_eq!(
        (range["verdict"].as_str(), range["cause"].as_str()),
        (Some("blocked"), Some("rpc-half-open")),
        "{range:#}"
    );
    let states: Vec<(&Value, &Value)> = range["evidence"]["spoken"]["ports"]
        .as_array()
        .expect("ports")
        .iter()
        .map(|port| (&port["port"], &port["seen"]["state"]))
        .filter(|(_, state)| *state != "open")
        .collect();
    assert_eq!(states, [(&Value::from(last), &Value::from("filtered"))]);
    assert_eq!(status, Some(1));
}

/// A browser of SQL Server, which names one instance.
const BROWSER: &str = "
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('192.0.2.10', 1434))
print('ready', flush=True)
while True:
    request, whose = server.recvfrom(64)
    text = b'ServerName;IBS01;InstanceName;CM;IsClustered;No;Version;10.50.6000.34;tcp;49170;;'
    if request == b'\\x03':
        server.sendto(b'\\x05' + len(text).to_bytes(2, 'little') + text, whose)
";

#[test]
fn a_sql_port_that_resets_is_told_with_the_port_of_the_instance_that_the_browser_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site.yaml");
    let flow_to_sql =
        "flows: [ { from: cm01, to: ibs01, port: 1433, protocol: tds, need: required } ]\n";
    fs::write(&site, SITE.to_string() + flow_to_sql).expect("written");
    let row = Row::new();
    let browser = Running::python(&row.names[2], BROWSER, &[]);
    let program = copy_for_nobody(&assert_cmd::cargo::cargo_bin("portproof"), folder.path());
    let place = ["--from", "intranet", "--as", "cm01", "--no-gentle"];
    let (_, report) = check_as_nobody(&row, &program, &site, &place);
    drop(browser);
    let flow = flow(&report, "cm01>ibs01:1433/tcp");
    assert_eq!(flow["state"], "closed", "{flow:#}");
    let said = &flow["evidence"]["spoken"];
    assert_eq!(said["facts"]["instances at"], "49170 (CM)", "{said:#}");
}
