//! Three zones in network namespaces with two real firewalls between them.
//!
//! ```text
//! client 198.51.100.10 – .1 front-end 192.0.2.1 – perimeter – 192.0.2.254 back-end 10.0.0.1 – 10.0.0.5 cm01
//!                                                     |
//!                                              192.0.2.10 ibs01
//! ```
//!
//! Needs root, `ip` and `nft`; without them the test fails and says so. The namespaces end with the test.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::feed::feed;
use super::running::Running;
use serde_json::Value;

/// A site in two of the zones that serves the third; `initiated_by_site_server` is left out, so that flows go both ways.
pub(crate) const SITE: &str = "site:
  { code: PRI, product: configmgr-2007, crl_check: false, client_ports: { http: [80], https: [443, 8443] } }
zones:
  internet: { networks: [\"198.51.100.0/24\"] }
  perimeter: { networks: [\"192.0.2.0/24\"] }
  intranet: { networks: [\"10.0.0.0/8\"] }
firewalls:
  front-end: { between: [internet, perimeter], addresses: [198.51.100.1, 192.0.2.1] }
  back-end: { between: [perimeter, intranet], addresses: [192.0.2.254, 10.0.0.1] }
clients: [internet, intranet]
systems:
  cm01:
    zone: intranet
    addresses: { default: 10.0.0.5 }
    roles: [site-server, site-database, management-point, distribution-point, software-update-point]
    serves: [intranet]
    rpc_ports: [50000-50099]
  ibs01:
    zone: perimeter
    addresses: { default: 192.0.2.10 }
    roles: [management-point, distribution-point, fallback-status-point, software-update-point]
    serves: [internet]
    rpc_ports: [50000-50099]
probing: { second_look: off, timeout: 2s, rate: max, sweep: none }
";

const PLACES: [&str; 6] = [
    "client",
    "front-end",
    "perimeter",
    "ibs01",
    "back-end",
    "cm01",
];

/// Accepts every connection, and says nothing.
const ACCEPT: &str = "import socket, sys
server = socket.create_server(('0.0.0.0', int(sys.argv[1])))
print('ready', flush=True)
held = []
while True:
    held.append(server.accept())
";

/// The namespaces; they and what runs in them end with this.
pub(crate) struct Zones {
    prefix: String,
    running: Mutex<Vec<Running>>,
}

impl Zones {
    /// Lays them out, with firewalls that let everything through until rules are loaded.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let zones = Self {
            prefix: format!("pl{}-{number}-", std::process::id()),
            running: Mutex::default(),
        };
        {
            // The first `netns add` of a machine mounts the folder: two at once get in each other's way.
            static ADDING: Mutex<()> = Mutex::new(());
            let _alone = ADDING.lock();
            let lines = PLACES.map(|place| format!("netns add {}\n", zones.namespace(place)));
            feed(Command::new("ip").args(["-batch", "-"]), &lines.concat());
        }
        for (here, link, there, peer) in [
            ("client", "c0", "front-end", "f0"),
            ("front-end", "f1", "perimeter", "p0"),
            ("ibs01", "i0", "perimeter", "p1"),
            ("back-end", "b0", "perimeter", "p2"),
            ("cm01", "m0", "back-end", "b1"),
        ] {
            let (here, there) = (zones.namespace(here), zones.namespace(there));
            let line =
                format!("link add {link} netns {here} type veth peer name {peer} netns {there}\n");
            feed(Command::new("ip").args(["-batch", "-"]), &line);
        }
        zones.script(
            "perimeter",
            "ip link add name br0 type bridge\nip link set br0 up\nfor it in \
             p0 p1 p2; do ip link set $it master br0 up; done\n",
        );
        zones.host(
            "client",
            &[("c0", "198.51.100.10/24")],
            &[("default", "198.51.100.1")],
        );
        zones.host(
            "front-end",
            &[("f0", "198.51.100.1/24"), ("f1", "192.0.2.1/24")],
            &[("10.0.0.0/8", "192.0.2.254")],
        );
        zones.host(
            "ibs01",
            &[("i0", "192.0.2.10/24")],
            &[("default", "192.0.2.1"), ("10.0.0.0/8", "192.0.2.254")],
        );
        zones.host(
            "back-end",
            &[("b0", "192.0.2.254/24"), ("b1", "10.0.0.1/24")],
            &[("default", "192.0.2.1")],
        );
        zones.host("cm01", &[("m0", "10.0.0.5/24")], &[("default", "10.0.0.1")]);
        for firewall in ["front-end", "back-end"] {
            zones.script(
                firewall,
                "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0\n",
            );
        }
        zones
    }

    fn namespace(&self, place: &str) -> String {
        format!("{}{place}", self.prefix)
    }

    /// The words that put a command into a namespace.
    pub(crate) fn place(&self, name: &str) -> Vec<String> {
        let words = ["ip", "netns", "exec"].map(str::to_string);
        words.into_iter().chain([self.namespace(name)]).collect()
    }

    fn command(&self, place: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(place)]);
        command
    }

    fn script(&self, place: &str, script: &str) {
        feed(self.command(place).args(["sh", "-es"]), script);
    }

    fn host(&self, place: &str, addresses: &[(&str, &str)], routes: &[(&str, &str)]) {
        let mut script = "ip link set lo up\n".to_string();
        for (link, address) in addresses {
            let _ = writeln!(
                script,
                "ip addr add {address} dev {link}\nip link set {link} up"
            );
        }
        for (to, via) in routes {
            let _ = writeln!(script, "ip route add {to} via {via}");
        }
        self.script(place, &script);
    }

    /// Adds nftables rules to those of a firewall.
    pub(crate) fn load(&self, firewall: &str, rules: &str) {
        feed(self.command(firewall).args(["nft", "-f", "-"]), rules);
    }

    /// Starts something that accepts every connection to a port of a firewall itself.
    pub(crate) fn answer_everything(&self, firewall: &str, port: u16) {
        let namespace = self.namespace(firewall);
        let answering = Running::python(&namespace, ACCEPT, &[&port.to_string()]);
        self.running.lock().expect("no panic").push(answering);
    }
}

impl Drop for Zones {
    fn drop(&mut self) {
        self.running.get_mut().into_iter().for_each(Vec::clear);
        for place in PLACES {
            let _ = Command::new("ip")
                .args(["netns", "del", &self.namespace(place)])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// A firewall that drops what no flow of the plan needs; the flows that are left out have no rule.
pub(crate) fn rules(plan: &Value, firewall: &str, left_out: &[&str]) -> String {
    let mut rules = "table inet wall {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
"
    .to_string();
    for flow in plan["flows"].as_array().expect("flows") {
        let id = flow["id"].as_str().unwrap_or_default();
        let crosses = flow["crosses"].as_array().expect("firewalls");
        let is_needed = flow["need"] != "forbidden" && crosses.iter().any(|it| it == firewall);
        if !is_needed || left_out.contains(&id) {
            continue;
        }
        let source = match (
            flow["from"]["system"].as_str(),
            flow["from"]["zone"].as_str(),
        ) {
            (Some("cm01"), _) => "10.0.0.5",
            (Some(_), _) => "192.0.2.10",
            (None, Some("internet")) => "198.51.100.0/24",
            (None, Some("perimeter")) => "192.0.2.0/24",
            (None, _) => "10.0.0.0/8",
        };
        let port = match &flow["port"] {
            Value::String(range) => range.clone(),
            number => number.to_string(),
        };
        let to = flow["to"]["addresses"][0].as_str().expect("an address");
        let transport = flow["transport"].as_str().expect("a transport");
        let _ = writeln!(
            rules,
            "    ip saddr {source} ip daddr {to} {transport} dport {port} accept"
        );
    }
    rules + "  }\n}\n"
}
