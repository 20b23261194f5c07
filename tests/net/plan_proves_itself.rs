//! The plan proves itself: its nftables rules, loaded unedited into two default-drop firewalls, let every flow of the
//! plan through, and nothing more.
//!
//! `inet` - `fe` - `dmz`, a bridge with the perimeter's hosts - `be` - `lan`, a bridge with the intranet's hosts. The
//! front end also translates a public address, with rules of the test's own. What else passes is found out without
//! portproof. A packet for every TCP and UDP port is sent from every host to every host, and each host counts what
//! arrives. Needs root, `ip`, `nft` and `python3`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::support::bed;
use crate::support::bed::Bed;
use serde_json::{Value, json};

/// What stands where: name, zone, bridge, addresses.
const HOSTS: [(&str, &str, &str, &str, &str); 4] = [
    ("ibs01", "perimeter", "dmz", "192.0.2.10", "2001:db8:2::10"),
    (
        "sqlrep01",
        "perimeter",
        "dmz",
        "192.0.2.40",
        "2001:db8:2::40",
    ),
    ("cm01", "intranet", "lan", "10.0.0.5", "2001:db8:3::5"),
    ("ops01", "intranet", "lan", "10.0.0.9", "2001:db8:3::9"),
];

/// The address that the front end translates to that of ibs01.
const PUBLIC: &str = "203.0.113.10";

const ZONES: &str = "zones:
  internet: { networks: [\"0.0.0.0/0\", \"::/0\"] }
  perimeter: { networks: [\"192.0.2.0/24\", \"2001:db8:2::/64\"] }
  intranet: { networks: [\"10.0.0.0/8\", \"2001:db8:3::/64\"] }
firewalls:
  front-end: { between: [internet, perimeter] }
  back-end: { between: [perimeter, intranet] }
";

/// A site of the user's own flows, behind each of which the test has a listener.
const OWN_FLOWS: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false }
systems:
  ibs01: { zone: perimeter, addresses: { internet: [203.0.113.10, \"2001:db8:2::10\"], default: [192.0.2.10, \"2001:db8:2::10\"] }, roles: [console] }
  sqlrep01: { zone: perimeter, addresses: { default: [192.0.2.40, \"2001:db8:2::40\"] }, roles: [console] }
  cm01: { zone: intranet, addresses: { default: [10.0.0.5, \"2001:db8:3::5\"] }, roles: [console] }
  ops01: { zone: intranet, addresses: { default: [10.0.0.9, \"2001:db8:3::9\"] }, roles: [console] }
flows:
  - { from: internet, to: ibs01, port: 443, need: required, why: \"clients\" }
  - { from: internet, to: ibs01, port: 8531, need: required, why: \"updates\" }
  - { from: internet, to: cm01, port: 7443, need: required, why: \"through both firewalls\" }
  - { from: cm01, to: ibs01, port: 445, need: required, why: \"files\" }
  - { from: cm01, to: sqlrep01, port: 1433, need: required, why: \"replication\" }
  - { from: ibs01, to: cm01, port: 8531, need: required, why: \"synchronisation\" }
  - { from: ibs01, to: cm01, port: 514, transport: udp, need: required, why: \"log\" }
  - { from: sqlrep01, to: cm01, port: 389, need: required, why: \"directory\" }
  - { from: intranet, to: ibs01, port: 3389, need: required, why: \"administration\" }
  - { from: cm01, to: ibs01, port: 3389, need: forbidden, why: \"no jump host\" }
probing: { second_look: off, timeout: 2s, rate: max, per_host: 64, sweep: \"430-460,1430-1440,3380-3395,8525-8535\" }
";

/// A site of the catalogue's flows, dynamic RPC ports among them.
const CATALOGUE_FLOWS: &str = "site: { code: PRI, product: configmgr-2007, crl_check: false, client_ports: { https: [443, 8443] } }
clients: [internet, intranet]
systems:
  ibs01: { zone: perimeter, addresses: { internet: 203.0.113.10, default: [192.0.2.10, \"2001:db8:2::10\"] }, serves: [internet],
    roles: [management-point, distribution-point, fallback-status-point, software-update-point], initiated_by_site_server: true }
  sqlrep01: { zone: perimeter, addresses: { default: [192.0.2.40, \"2001:db8:2::40\"] }, roles: [site-database-replica], replication: push }
  cm01: { zone: intranet, addresses: { default: [10.0.0.5, \"2001:db8:3::5\"] }, serves: [intranet],
    roles: [site-server, site-database, management-point, distribution-point, software-update-point] }
  ops01: { zone: intranet, addresses: { default: [10.0.0.9, \"2001:db8:3::9\"] }, roles: [console] }
flows:
  - { from: cm01, to: ibs01, port: 50000, need: forbidden, why: \"a backup agent listens there\" }
";

/// Listens on every port given, TCP and UDP, over IPv4 and IPv6; answers datagrams.
const LISTEN: &str = "
import json, selectors, socket, sys
ports, wait = json.loads(sys.argv[1]), selectors.DefaultSelector()
for port in ports['tcp']:
    server = socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    wait.register(server, selectors.EVENT_READ, 'tcp')
for port in ports['udp']:
    for family, address in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
        server = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind((address, port))
        wait.register(server, selectors.EVENT_READ, 'udp')
print('ready', flush=True)
held = []
while True:
    for key, _ in wait.select():
        if key.data == 'udp':
            key.fileobj.sendto(b'answer', key.fileobj.recvfrom(64)[1])
        else:
            held = held[-200:] + [key.fileobj.accept()[0]]
";

/// Sends a TCP SYN, an empty datagram or both to every port of every address given, and does not wait for answers.
const KNOCK: &str = "
import json, socket, struct, sys
def words(data):
    return sum(struct.unpack('!%dH' % (len(data) // 2), data))
def send(to, source, transports):
    six = ':' in to
    family = socket.AF_INET6 if six else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, to)
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    for port in range(1, 65536):
        head = struct.pack('!HHIIBBHHH', 40000, port, 7, 0, 5 << 4, 2, 1024, 0, 0)
        total = words(ends) + 6 + len(head) + words(head)
        while total >> 16:
            total = (total & 65535) + (total >> 16)
        packet = head[:16] + struct.pack('!H', ~total & 65535) + head[18:]
        for attempt in range(1000):
            try:
                if 'tcp' in transports:
                    raw.sendto(packet, (to, 0))
                if 'udp' in transports:
                    datagrams.sendto(b'', (to, port))
                break
            except OSError as error:
                # No room, or an ICMP error for an earlier packet.
                if error.errno not in (105, 11, 111, 113, 101, 1):
                    raise
for to, source in json.loads(sys.argv[1]):
    send(to, source, sys.argv[2:])
print('ready', flush=True)
";

/// Notes the source, protocol and port of what arrives: SYNs and datagrams.
const ARRIVALS: &str = "table inet arrivals {
  set v4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 300000; }
  set v6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 300000; }
  chain input {
    type filter hook input priority -300; policy accept;
    tcp flags & (syn | ack) == syn add @v4 { ip saddr . meta l4proto . th dport }
    tcp flags & (syn | ack) == syn add @v6 { ip6 saddr . meta l4proto . th dport }
    meta l4proto udp add @v4 { ip saddr . meta l4proto . th dport }
    meta l4proto udp add @v6 { ip6 saddr . meta l4proto . th dport }
  }
}
";

/// A host's network, as a shell script.
fn interface(name: &str, v4: &str, v6: &str) -> String {
    format!(
        "ip addr add {v4} dev {name}\nip addr add {v6} dev {name} nodad\nip link set {name} up\n"
    )
}

/// Lays hosts and firewalls; the firewalls let everything through as yet.
fn lay() -> Bed {
    let names = ["inet", "fe", "dmz", "be", "lan"]
        .into_iter()
        .chain(HOSTS.map(|host| host.0));
    let bed = Bed::new(&names.map(str::to_string).collect::<Vec<_>>());
    let mut links = vec![
        (("fe", "out"), ("inet", "eth")),
        (("fe", "in"), ("dmz", "fe")),
        (("be", "out"), ("dmz", "be")),
        (("be", "in"), ("lan", "be")),
    ];
    links.extend(HOSTS.map(|(name, _, bridge, ..)| ((name, "eth"), (bridge, name))));
    bed.links(&links);
    for bridge in ["dmz", "lan"] {
        bed.script(
            bridge,
            "ip link add switch type bridge mcast_snooping 0\nfor port in $(ls \
             /sys/class/net); do\ncase $port in lo|switch) ;; *) ip link set $port master switch up \
             ;; esac\ndone\nip link set switch up\n",
        );
    }
    let router = "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0\n";
    bed.script(
        "inet",
        &(interface("eth", "198.51.100.10/24", "2001:db8:1::10/64")
            + "ip route add default via 198.51.100.1\nip route add default via 2001:db8:1::1\n"),
    );
    bed.script(
        "fe",
        &(router.to_string()
            + &interface("out", "198.51.100.1/24", "2001:db8:1::1/64")
            + &interface("in", "192.0.2.1/24", "2001:db8:2::1/64")
            + "ip route add 10.0.0.0/8 via 192.0.2.254\nip route add 2001:db8:3::/64 via \
            2001:db8:2::254\n"),
    );
    bed.script(
        "be",
        &(router.to_string()
            + &interface("out", "192.0.2.254/24", "2001:db8:2::254/64")
            + &interface("in", "10.0.0.254/24", "2001:db8:3::254/64")
            + "ip route add default via 192.0.2.1\nip route add default via 2001:db8:2::1\n"),
    );
    for (name, zone, _, v4, v6) in HOSTS {
        let routes = if zone == "perimeter" {
            "ip route add default via 192.0.2.1\nip route add default via 2001:db8:2::1\nip route \
             add 10.0.0.0/8 via 192.0.2.254\nip route add 2001:db8:3::/64 via 2001:db8:2::254\n"
        } else {
            "ip route add default via 10.0.0.254\nip route add default via 2001:db8:3::254\n"
        };
        bed.script(
            name,
            &(interface("eth", &format!("{v4}/24"), &format!("{v6}/64")) + routes),
        );
        bed.rules(name, ARRIVALS);
    }
    bed.rules("fe", &format!("table ip translation {{\n chain in {{\n  type nat hook prerouting priority dstnat;\n  ip daddr {PUBLIC} dnat to 192.0.2.10\n }}\n}}\n"));
    bed
}

/// What `portproof plan` says of a site file.
fn plan(file: &Path, arguments: &[&str]) -> String {
    let program = assert_cmd::cargo::cargo_bin("portproof");
    let output = Command::new(program)
        .arg("plan")
        .arg(file)
        .args(arguments)
        .output()
        .expect("it runs");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Loads the plan's rules into both firewalls, as they are.
fn load_rules(bed: &Bed, file: &Path) {
    for (firewall, namespace) in [("front-end", "fe"), ("back-end", "be")] {
        bed.rules(
            namespace,
            &plan(file, &["--format", "nftables", "--firewall", firewall]),
        );
    }
}

/// A required or forbidden flow of the plan.
struct Planned {
    zone: String,
    system: Option<String>,
    to: String,
    /// Whether the start's zone sees the destination over IPv6.
    to_v6: bool,
    transport: String,
    ports: (u16, u16),
    needed: bool,
}

fn planned(file: &Path) -> Vec<Planned> {
    let plan: Value = serde_json::from_str(&plan(file, &["--format", "json"])).expect("JSON");
    let flows = plan["flows"].as_array().expect("flows").iter();
    let told = flows.filter(|flow| flow["need"] != "optional");
    let needed = told.map(|flow| one(flow, &flow["port"], flow["need"] == "required"));
    let forbidden = plan["forbidden"].as_array().expect("forbidden").iter();
    let forbidden = forbidden.flat_map(|entry| {
        let set = entry["ports"].as_str().expect("a name of a set");
        let ports = plan["port_sets"][set].as_array().expect("a set").iter();
        ports.map(move |port| one(entry, port, false))
    });
    needed.chain(forbidden).collect()
}

/// A flow of the plan, with one port or one range.
fn one(flow: &Value, port: &Value, needed: bool) -> Planned {
    let text = |value: &Value| value.as_str().expect("text").to_string();
    let port = port
        .as_str()
        .map_or_else(|| port.to_string(), str::to_string);
    let (low, high) = port.split_once('-').unwrap_or((&port, &port));
    let addresses = flow["to"]["addresses"].as_array().expect("addresses");
    Planned {
        zone: text(&flow["from"]["zone"]),
        system: flow["from"]["system"].as_str().map(str::to_string),
        to: text(&flow["to"]["system"]),
        to_v6: addresses.iter().any(|address| text(address).contains(':')),
        transport: text(&flow["transport"]),
        ports: (low.parse().expect("a port"), high.parse().expect("a port")),
        needed,
    }
}

/// The ports that the plan lets a host reach: those that its zone may or it may itself, less those forbidden to it.
fn may(planned: &[Planned], from: (&str, &str), to: &str, transport: &str) -> BTreeSet<u16> {
    let of = |own: bool, needed: bool| -> BTreeSet<u16> {
        let flows = planned.iter().filter(|flow| {
            let starts = match &flow.system {
                Some(system) => own && system == from.0,
                None => !own && flow.zone == from.1,
            };
            starts
                && flow.needed == needed
                && (flow.to.as_str(), flow.transport.as_str()) == (to, transport)
        });
        flows.flat_map(|flow| flow.ports.0..=flow.ports.1).collect()
    };
    let all: BTreeSet<u16> = of(true, true).union(&of(false, true)).copied().collect();
    all.difference(&of(true, false)).copied().collect()
}

type Arrivals = BTreeSet<(String, String, u16)>;

/// What arrived at a host: source, transport, port.
fn arrived(bed: &Bed, host: &str) -> Arrivals {
    let mut all = Arrivals::new();
    for set in ["v4", "v6"] {
        let output = bed
            .command(host, &["nft", "-j", "list", "set", "inet", "arrivals", set])
            .output()
            .expect("nft");
        let listed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let sets = listed["nftables"].as_array().expect("a list").iter();
        for element in sets.filter_map(|it| it["set"]["elem"].as_array()).flatten() {
            let parts = element["concat"]
                .as_array()
                .expect("source, protocol and port");
            let port = parts[2]
                .as_u64()
                .and_then(|port| u16::try_from(port).ok())
                .expect("a port");
            all.insert((
                parts[0].as_str().expect("a source").to_string(),
                parts[1].as_str().expect("a protocol").to_string(),
                port,
            ));
        }
    }
    all
}

/// Knocks at every port of every host beyond a firewall, from everywhere, and compares what arrives with the plan.
fn nothing_else_passes(bed: &Bed, file: &Path, transports: &[&str]) {
    let planned = planned(file);
    let mut vantages = vec![("inet", "internet", "198.51.100.10", "2001:db8:1::10")];
    vantages.extend(HOSTS.map(|(name, zone, _, v4, v6)| (name, zone, v4, v6)));
    thread::scope(|scope| {
        for (name, zone, v4, v6) in &vantages {
            let mut aims = Vec::new();
            for (host, ..) in HOSTS
                .iter()
                .filter(|host| host.1 != *zone)
                .map(|host| (host.0, host))
            {
                let of = HOSTS.iter().find(|it| it.0 == host).expect("a host");
                aims.extend([json!([of.3, v4]), json!([of.4, v6])]);
                if (*name, host) == ("inet", "ibs01") {
                    aims.push(json!([PUBLIC, v4]));
                }
            }
            let aims = Value::from(aims).to_string();
            scope.spawn(move || {
                let output = bed
                    .command(name, &[bed::PYTHON, "-c", KNOCK, &aims])
                    .args(transports)
                    .output()
                    .expect("python3");
                assert!(
                    output.status.success(),
                    "{name}: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
            });
        }
    });
    let mut passed = 0;
    for (host, zone, ..) in HOSTS {
        let arrived = arrived(bed, host);
        let mut expected = Arrivals::new();
        for (name, from_zone, v4, v6) in vantages.iter().filter(|vantage| vantage.1 != zone) {
            let seen = planned
                .iter()
                .any(|flow| flow.zone == *from_zone && flow.to == host && flow.to_v6);
            for transport in transports {
                for port in may(&planned, (name, from_zone), host, transport) {
                    expected.insert((v4.to_string(), transport.to_string(), port));
                    if seen {
                        expected.insert((v6.to_string(), transport.to_string(), port));
                    }
                }
            }
        }
        // Hosts of one zone meet no firewall.
        let beyond = |source: &str| {
            vantages
                .iter()
                .any(|it| it.1 != zone && (it.2 == source || it.3 == source))
        };
        let arrived: Arrivals = arrived.into_iter().filter(|it| beyond(&it.0)).collect();
        let more: Vec<_> = arrived.difference(&expected).take(20).collect();
        let less: Vec<_> = expected.difference(&arrived).take(20).collect();
        assert!(
            more.is_empty() && less.is_empty(),
            "{host}: let through, and not in the plan: {more:?}; in the plan, and not let through: \
             {less:?}"
        );
        passed += arrived.len();
    }
    assert!(passed > 10, "only {passed} packets passed");
}

/// Runs `portproof check` in a namespace; the flows, and what it said on standard error.
fn check(bed: &Bed, namespace: &str, file: &Path, place: &[&str]) -> (Option<i32>, Value) {
    let program = assert_cmd::cargo::cargo_bin("portproof");
    let mut words = vec![
        program.to_str().expect("a path"),
        "check",
        file.to_str().expect("a path"),
        "--format",
        "json",
    ];
    words.extend(place);
    let output = bed.command(namespace, &words).output().expect("it runs");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

/// Takes a rule out of the front end, has `check` find that, and adds what is missing then.
fn take_one_out_and_add_it(bed: &Bed, folder: &Path, file: &Path) {
    let front = ["--format", "nftables", "--firewall", "front-end"];
    let whole = plan(file, &front);
    let lacking: Vec<&str> = whole
        .lines()
        .filter(|line| !line.contains("dport 8531 accept"))
        .collect();
    assert!(lacking.len() < whole.lines().count(), "{whole}");
    bed.rules("fe", &(lacking.join("\n") + "\n"));
    let (_, report) = check(bed, "inet", file, &["--from", "internet"]);
    let blocked: Vec<&Value> = report["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .filter(|flow| flow["verdict"] == "blocked")
        .map(|flow| &flow["id"])
        .collect();
    assert_eq!(blocked, [&json!("internet>ibs01:8531/tcp")], "{report:#}");
    let found = folder.join("report.json");
    fs::write(&found, report.to_string()).expect("written");
    let found = found.display().to_string();
    let added = plan(file, &[&front[..], &["--missing", &found]].concat());
    bed.rules("fe", &added);
}

#[test]
fn every_flow_of_the_plan_passes_its_own_rules_and_those_that_were_added() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.yaml");
    fs::write(&file, format!("{OWN_FLOWS}{ZONES}")).expect("written");
    let mut bed = lay();
    load_rules(&bed, &file);
    let mut listeners: BTreeMap<String, BTreeMap<String, Vec<u16>>> = BTreeMap::new();
    for flow in planned(&file).into_iter().filter(|flow| flow.needed) {
        let ports = listeners.entry(flow.to).or_insert_with(|| {
            BTreeMap::from(["tcp", "udp"].map(|name| (name.to_string(), vec![])))
        });
        ports.entry(flow.transport).or_default().push(flow.ports.0);
    }
    for (host, ports) in &mut listeners {
        for ports in ports.values_mut() {
            ports.sort_unstable();
            ports.dedup();
        }
        bed.python(host, LISTEN, &[&json!(ports).to_string()]);
    }
    take_one_out_and_add_it(&bed, folder.path(), &file);
    let places: [(&str, &[&str], usize); 5] = [
        ("inet", &["--from", "internet"], 3),
        (
            "ibs01",
            &["--from", "perimeter", "--as", "ibs01", "--no-gentle"],
            2,
        ),
        (
            "sqlrep01",
            &["--from", "perimeter", "--as", "sqlrep01", "--no-gentle"],
            1,
        ),
        (
            "cm01",
            &["--from", "intranet", "--as", "cm01", "--no-gentle"],
            2,
        ),
        (
            "ops01",
            &["--from", "intranet", "--as", "ops01", "--no-gentle"],
            1,
        ),
    ];
    let (bed, file) = (&bed, file.as_path());
    thread::scope(|scope| {
        for (namespace, place, own) in places {
            scope.spawn(move || {
                let (status, report) = check(bed, namespace, file, place);
                let mut needed = BTreeSet::new();
                for flow in report["flows"].as_array().expect("flows") {
                    let in_stead = flow["cause"] == "in-stead";
                    assert!(in_stead || flow["verdict"] == "ok", "{namespace}: {flow:#}");
                    if !in_stead && flow["need"] == "required" {
                        needed.insert((flow["to"]["system"].to_string(), flow["port"].to_string()));
                    }
                }
                assert_eq!(
                    (status, needed.len()),
                    (Some(0), own),
                    "{namespace}: {:#}",
                    report["summary"]
                );
                for swept in report["sweeps"].as_array().expect("sweeps") {
                    let of_one_zone = swept["to"]["zone"] == swept["from"]["zone"];
                    let states = swept["states"].as_object().expect("states");
                    for (_, ports) in states.iter().filter(|(state, _)| {
                        // Ports that nobody uses are not tried until silence is proof.
                        !["filtered", "silent"].contains(&state.as_str())
                    }) {
                        // A port of another system's flow may be one that this one needs too.
                        let ports = ports.as_str().expect("ports").split(',');
                        let mut more = ports.filter(|port| {
                            !needed.contains(&(swept["to"]["system"].to_string(), port.to_string()))
                        });
                        assert!(
                            of_one_zone || more.next().is_none(),
                            "{namespace}: {swept:#}"
                        );
                    }
                }
            });
        }
    });
}

#[test]
fn nothing_passes_that_is_not_in_the_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let sites: [(&str, &str, &[&str]); 2] = [
        ("own", OWN_FLOWS, &["tcp", "udp"]),
        ("catalogue", CATALOGUE_FLOWS, &["tcp"]),
    ];
    for (name, site, transports) in sites {
        let file = folder.path().join(format!("{name}.yaml"));
        fs::write(&file, format!("{site}{ZONES}")).expect("written");
        let bed = lay();
        load_rules(&bed, &file);
        nothing_else_passes(&bed, &file, transports);
    }
}
