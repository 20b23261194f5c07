//! Four namespaces in a row, with everything that the page's rows put into them. Everything has the kernel's defaults.
//!
//! ```text
//! here 198.51.100.N – .1 router 192.0.2.254 – bridge – 192.0.2.N host
//! 2001:db8:1::N – ::1           2001:db8:2::fe – ::N
//! ```
//!
//! The link between prober and router takes time. Row N of the page is asked from address N at address N. The namespaces, and what runs in them, end with the bed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use super::page::{Family, Network};
use super::setup::{Before, FULL, LISTENING, ROUTER, ROUTER_BEHIND, Setup, Stands};
use crate::support::feed::feed;
use crate::support::running::Running;

const PLACES: [&str; 4] = ["here", "router", "bridge", "host"];
const BOTH: [Family; 2] = [Family::V4, Family::V6];
/// Only this Python: nobody may not read what a version manager keeps in a home.
const PYTHON: &str = "/usr/bin/python3";

/// The way between prober and router takes time, as every network does.
const CABLE: &str = include_str!("cable.py");
/// So many milliseconds, each way.
const DELAY: &str = "3";

/// Listens on every address of the host; of the second port the queue is full.
const HOST: &str = "import socket, sys
def listen(port, backlog):
    return socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=backlog)
listening, full = listen(int(sys.argv[1]), 1000), listen(int(sys.argv[2]), 0)
fillers = [socket.socket(socket.AF_INET6) for _ in range(3)]
for filler in fillers:
    filler.setblocking(False)
    filler.connect_ex(('::1', int(sys.argv[2])))
print('ready', flush=True)
sys.stdin.read()
";

/// Connects from a port and forgets the connection: the other end hears nothing of it (TCP_REPAIR, 19).
const FORGET: &str = "import socket, sys
for end in sys.argv[1:]:
    source, host, port = end.split()
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    one = socket.socket(family)
    one.bind(('', int(source)))
    one.connect((host, int(port)))
    one.setsockopt(socket.IPPROTO_TCP, 19, 1)
    one.close()
";

/// The source port of a row that needs one; the next is for its second connection.
pub(crate) fn source_port(setup: &Setup) -> u16 {
    20_000 + 2 * u16::from(setup.number)
}

pub(crate) struct Bed {
    prefix: String,
    running: Vec<Running>,
}

impl Bed {
    /// Lays it out with everything that the rows put there.
    pub(crate) fn lay(setups: &[Setup]) -> Self {
        let mut bed = Self {
            prefix: format!("ow{}-", std::process::id()),
            running: Vec::new(),
        };
        bed.namespaces_and_links();
        bed.script("here", &here(setups));
        bed.script("router", &router());
        bed.script("bridge", BRIDGE);
        bed.script("host", &host(setups));
        for place in PLACES {
            bed.run(place, &["nft", "-f", "-"], &rules(setups, place));
            bed.script(place, &commands(setups, place));
        }
        bed.listen();
        bed.forget(setups);
        bed
    }

    fn namespace(&self, place: &str) -> String {
        format!("{}{place}", self.prefix)
    }

    fn namespaces_and_links(&mut self) {
        let mut lines = String::new();
        for place in PLACES {
            let _ = writeln!(lines, "netns add {}", self.namespace(place));
        }
        feed(Command::new("ip").args(["-batch", "-"]), &lines);
        for place in PLACES {
            // Addresses serve at once, the link-local ones too.
            let quick = "sysctl -qw net.ipv6.conf.default.accept_dad=0\nip link set lo up\n";
            self.script(place, quick);
        }
        let mut lines = String::new();
        for ((one, link), (other, peer)) in [
            (("here", "c1"), ("router", "r2")),
            (("router", "r1"), ("bridge", "b0")),
            (("bridge", "b1"), ("host", "h0")),
        ] {
            let (one, other) = (self.namespace(one), self.namespace(other));
            let _ = writeln!(
                lines,
                "link add {link} netns {one} type veth peer name {peer} netns {other}"
            );
        }
        feed(Command::new("ip").args(["-batch", "-"]), &lines);
        let router = self.namespace("router");
        let cable = [PYTHON, "-c", CABLE, "c0", &router, "r0", DELAY];
        self.start("here", &cable);
    }

    /// A command in a namespace.
    pub(crate) fn command(&self, place: &str, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace(place)])
            .args(words);
        command
    }

    fn run(&self, place: &str, words: &[&str], input: &str) {
        feed(&mut self.command(place, words), input);
    }

    fn script(&self, place: &str, script: &str) {
        self.run(place, &["sh", "-es"], script);
    }

    fn listen(&mut self) {
        let ports = [LISTENING, FULL].map(|port| port.to_string());
        self.start("host", &[PYTHON, "-c", HOST, &ports[0], &ports[1]]);
    }

    /// Starts a Python program, and waits until it is ready.
    fn start(&mut self, place: &str, words: &[&str]) {
        let program = Running::ready(&mut self.command(place, words));
        self.running.push(program);
    }

    /// Leaves at the host the connections that this end has forgotten.
    fn forget(&self, setups: &[Setup]) {
        let such = setups
            .iter()
            .filter(|setup| setup.before == Before::Forgotten);
        let ends: Vec<String> = such
            .flat_map(|setup| BOTH.map(|family| (setup, family)))
            .flat_map(|(setup, family)| {
                let host = family.address(setup.network(), setup.number);
                [0, 1].map(|next| format!("{} {host} {}", source_port(setup) + next, setup.port))
            })
            .collect();
        let mut words = vec![PYTHON, "-c", FORGET];
        words.extend(ends.iter().map(String::as_str));
        self.run("here", &words, "");
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.running.clear();
        for place in PLACES {
            let _ = Command::new("ip")
                .args(["netns", "del", &self.namespace(place)])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// Lines for `ip -batch`, as part of a script.
fn batch(lines: &str) -> String {
    format!("ip -batch - <<'END'\n{lines}END\n")
}

/// The prober's addresses, and its route to each HOST from the address of the same row. It has no other route.
fn here(setups: &[Setup]) -> String {
    let (mut addresses, mut routes) = (String::new(), String::new());
    for family in BOTH {
        for setup in setups {
            let own = family.address(setup.own_network(), setup.number);
            // Nobody but this host has the address.
            if setup.stands != Stands::Beside {
                let link = if setup.near { "c1" } else { "c0" };
                let _ = writeln!(addresses, "{}", address(link, family, own));
            }
            if setup.has_route() {
                let router = family.address(setup.own_network(), ROUTER);
                let host = family.address(setup.network(), setup.number);
                let _ = writeln!(routes, "route add {host} via {router} src {own}");
            }
        }
    }
    batch("link set c0 up\nlink set c1 up\n") + &batch(&addresses) + &batch(&routes)
}

fn router() -> String {
    let mut lines = String::new();
    for (link, network, last) in [
        ("r0", Network::Here, ROUTER),
        ("r1", Network::Behind, ROUTER_BEHIND),
        ("r2", Network::Near, ROUTER),
    ] {
        let _ = writeln!(lines, "link set {link} up");
        for family in BOTH {
            let own = family.address(network, last);
            let _ = writeln!(lines, "{}", address(link, family, own));
        }
    }
    // What a SYN proxy needs besides forwarding (nft(8), SYNPROXY STATEMENT).
    let settings = "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
         net.netfilter.nf_conntrack_tcp_loose=0 net.ipv4.tcp_syncookies=1 net.ipv4.tcp_timestamps=1\n";
    settings.to_string() + &batch(&lines)
}

/// A bridge without any address. What it forwards goes through the hooks of IP too, which is the kernel's default.
const BRIDGE: &str = "ip link add br0 type bridge mcast_snooping 0
ip link set b0 master br0 up
ip link set b1 master br0 up
ip link set br0 up
";

fn host(setups: &[Setup]) -> String {
    let mut lines = "link set h0 up\n".to_string();
    for family in BOTH {
        for setup in setups.iter().filter(|it| it.stands == Stands::Alive) {
            let own = family.address(Network::Behind, setup.number);
            let _ = writeln!(lines, "{}", address("h0", family, own));
        }
        let router = family.address(Network::Behind, ROUTER_BEHIND);
        let _ = writeln!(lines, "route add default via {router}");
    }
    batch(&lines)
}

fn address(link: &str, family: Family, address: std::net::IpAddr) -> String {
    match family {
        Family::V4 => format!("addr add {address}/24 dev {link}"),
        Family::V6 => format!("addr add {address}/64 dev {link} nodad"),
    }
}

/// The commands of the rows in a namespace, for both families.
fn commands(setups: &[Setup], place: &str) -> String {
    let mut script = String::new();
    for setup in setups {
        let own = setup.commands.iter().filter(|(at, _)| at == place);
        for (_, command) in own {
            for family in BOTH {
                let filled_in = setup.filled_in(command, family);
                let (program, rest) = filled_in.split_once(' ').expect("arguments");
                let program = match (program, family) {
                    ("ip", Family::V4) => "ip -4",
                    ("ip", Family::V6) => "ip -6",
                    ("iptables", Family::V4) => "iptables",
                    ("iptables", Family::V6) => "ip6tables",
                    _ => panic!("no test runs {command:?}"),
                };
                let _ = writeln!(script, "{program} {rest}");
            }
        }
    }
    script
}

/// The nftables rules of the rows in a namespace. A code is of one family.
fn rules(setups: &[Setup], place: &str) -> String {
    let mut chains: BTreeMap<&str, String> = BTreeMap::new();
    for setup in setups {
        for (_, chain, rule) in setup.rules.iter().filter(|(at, _, _)| at == place) {
            let lines = chains.entry(chain).or_default();
            for family in BOTH {
                let other = match family {
                    Family::V4 => "icmpv6 ",
                    Family::V6 => "icmp ",
                };
                if !rule.contains(other) {
                    let _ = writeln!(lines, "    {}", setup.filled_in(rule, family));
                }
            }
        }
    }
    let (mut netdev, mut inet) = (String::new(), String::new());
    for (chain, lines) in &chains {
        let link = if place == "bridge" { "b0" } else { "r0" };
        let hook = match *chain {
            "untracked" => "filter hook prerouting priority raw".to_string(),
            "translation" => "nat hook prerouting priority dstnat".to_string(),
            "ingress" => format!("filter hook ingress device {link} priority filter"),
            _ => format!("filter hook {chain} priority filter"),
        };
        let table = if *chain == "ingress" {
            &mut netdev
        } else {
            &mut inet
        };
        let _ = writeln!(table, "  chain {chain} {{\n    type {hook};\n{lines}  }}");
    }
    format!("table netdev wire {{\n{netdev}}}\ntable inet wire {{\n{inet}}}\n")
}
