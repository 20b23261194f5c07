//! Lays a scene: namespaces, bridges, addresses, routes, rules and listeners.
//!
//! `inet` - `fe` (and `fe2` beside it) - `dmz`, a bridge with the perimeter's hosts - `be` - `lan`, a bridge with the
//! intranet's hosts. `near` is the prober's place where it stands in the perimeter.

use crate::rules;
use crate::scene::{Device, Host, Kind, Paths, Scene, Zone};
use crate::support::bed::Bed;
use crate::trouble::Trouble;

/// The namespace that the prober runs in.
pub(crate) fn prober(scene: &Scene) -> &'static str {
    match scene.vantage {
        Zone::Perimeter => "near",
        Zone::Outer | Zone::Intranet => "inet",
    }
}

/// Lays a scene; everything listens when this returns.
pub(crate) fn lay(scene: &Scene) -> Bed {
    let stands =
        |host: &&Host| !matches!(host.kind, Kind::Dead | Kind::Painted { alive: false, .. });
    let hosts: Vec<&Host> = scene.hosts.iter().filter(stands).collect();
    let two = scene.has_second_node();
    let mut names: Vec<String> = ["inet", "fe", "dmz", "be", "lan", "near"]
        .map(str::to_string)
        .to_vec();
    names.extend(two.then(|| "fe2".to_string()));
    names.extend(hosts.iter().map(|host| host.name.clone()));
    let mut bed = Bed::new(&names);
    link(&bed, scene, &hosts);
    bed.script("inet", &(outside(scene) + &wire(scene, "switch")));
    for bridge in ["dmz", "lan"] {
        bed.script(bridge, &switch());
    }
    front_end(&mut bed, scene, "fe", 1);
    if two {
        front_end(&mut bed, scene, "fe2", 2);
    }
    back_end(&mut bed, scene);
    let back = back_through(scene);
    bed.script(
        "near",
        &(interface("eth", "192.0.2.200/24", "2001:db8:2::200/64") + &routes_of_perimeter(back)),
    );
    for host in hosts {
        lay_host(&mut bed, scene, host, back);
    }
    bed
}

/// The front-end node that carries what goes out.
fn back_through(scene: &Scene) -> usize {
    match scene.paths {
        Paths::BackElsewhere => 2,
        Paths::One | Paths::Two | Paths::BackShorter => 1,
    }
}

fn link(bed: &Bed, scene: &Scene, hosts: &[&Host]) {
    let mut links = vec![
        (("fe", "out"), ("inet", "port1")),
        (("fe", "in"), ("dmz", "port1")),
        (("be", "out"), ("dmz", "port3")),
        (("be", "in"), ("lan", "port1")),
        (("near", "eth"), ("dmz", "port4")),
    ];
    if scene.paths == Paths::BackShorter {
        links.push((("fe", "side"), ("lan", "port2")));
    }
    if scene.has_second_node() {
        links.extend([
            (("fe2", "out"), ("inet", "port2")),
            (("fe2", "in"), ("dmz", "port2")),
        ]);
    }
    links.extend(hosts.iter().map(|host| {
        let bridge = match host.zone {
            Zone::Intranet => "lan",
            Zone::Outer | Zone::Perimeter => "dmz",
        };
        ((host.name.as_str(), "eth"), (bridge, host.name.as_str()))
    }));
    bed.links(&links);
}

/// What makes a link carry packets no larger than a wire does.
fn wire(scene: &Scene, link: &str) -> String {
    match scene.trouble {
        Trouble::Holes => format!("ip link set {link} gso_max_segs 1\n"),
        _ => String::new(),
    }
}

/// A bridge of all links of a namespace.
fn switch() -> String {
    "ip link add switch type bridge mcast_snooping 0\n\
     for port in $(ls /sys/class/net); do\n\
     case $port in lo|switch) ;; *) ip link set $port master switch up ;; esac\n\
     done\n\
     ip link set switch up\n"
        .to_string()
}

fn interface(name: &str, v4: &str, v6: &str) -> String {
    format!(
        "ip addr add {v4} dev {name}\nip addr add {v6} dev {name} nodad\nip link set {name} up\n"
    )
}

/// The outer network: the prober on a bridge, with its routes.
pub(crate) fn outside(scene: &Scene) -> String {
    let routes = match scene.paths {
        Paths::One | Paths::BackElsewhere | Paths::BackShorter => {
            "ip route add default via 198.51.100.1\nip route add default via 2001:db8:1::1\n"
        }
        Paths::Two => {
            "sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1\n\
             ip route add default nexthop via 198.51.100.1 nexthop via 198.51.100.2\n\
             ip -6 route add default nexthop via 2001:db8:1::1 dev switch nexthop via \
             2001:db8:1::2 dev switch\n"
        }
    };
    switch() + &interface("switch", "198.51.100.10/24", "2001:db8:1::10/64") + routes
}

/// What makes a namespace a router, with TPROXY and SYN proxies at hand.
fn router(scene: &Scene) -> String {
    let kept = rules::KEPT;
    format!(
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.netfilter.nf_conntrack_tcp_loose=0 \
         net.ipv4.tcp_syncookies=1 net.ipv4.tcp_timestamps=1\n{}\
         for family in -4 -6; do\n\
         ip $family rule add fwmark {kept} lookup {kept}\n\
         ip $family route add local default dev lo table {kept}\n\
         done\n",
        limits(scene)
    )
}

fn limits(scene: &Scene) -> &'static str {
    if scene.limited {
        ""
    } else {
        "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0\n"
    }
}

/// A front-end node, with its rules and listeners.
pub(crate) fn front_end(bed: &mut Bed, scene: &Scene, name: &str, node: usize) {
    let script = router(scene)
        + &interface(
            "out",
            &format!("198.51.100.{node}/24"),
            &format!("2001:db8:1::{node}/64"),
        )
        + &interface(
            "in",
            &format!("192.0.2.{node}/24"),
            &format!("2001:db8:2::{node}/64"),
        )
        + "ip route add 10.0.0.0/24 via 192.0.2.254\nip route add 2001:db8:3::/64 via \
            2001:db8:2::254\n"
        + front_end_apart(scene);
    bed.script(name, &script);
    bed.rules(name, &rules::of_firewall(scene, Device::FrontEnd, node));
    bed.listen(name, &rules::listeners_of_firewall(scene, Device::FrontEnd));
}

/// What a front-end has besides its two sides.
fn front_end_apart(scene: &Scene) -> &'static str {
    match (scene.paths, scene.trouble) {
        // Whom the intranet sends its answers to; what goes in takes the way through the back-end.
        (Paths::BackShorter, _) => {
            "ip addr add 10.0.0.1/32 dev side\nip addr add 2001:db8:3::1/128 dev side nodad\nip \
             link set side up\n"
        }
        (_, Trouble::ProxyArp) => {
            "sysctl -qw net.ipv4.conf.out.proxy_arp=1\nip route add 198.51.100.128/25 dev in\n"
        }
        _ => "",
    }
}

fn back_end(bed: &mut Bed, scene: &Scene) {
    let back = back_through(scene);
    let script = router(scene)
        + &interface("out", "192.0.2.254/24", "2001:db8:2::254/64")
        + &interface("in", "10.0.0.254/24", "2001:db8:3::254/64")
        + &format!(
            "ip route add default via 192.0.2.{back}\nip route add default via 2001:db8:2::{back}\n"
        );
    bed.script("be", &script);
    bed.rules("be", &rules::of_firewall(scene, Device::BackEnd, 1));
    bed.listen("be", &rules::listeners_of_firewall(scene, Device::BackEnd));
}

fn routes_of_perimeter(back: usize) -> String {
    format!(
        "ip route add default via 192.0.2.{back}\nip route add default via 2001:db8:2::{back}\n\
         ip route add 10.0.0.0/24 via 192.0.2.254\nip route add 2001:db8:3::/64 via 2001:db8:2::254\n"
    )
}

fn lay_host(bed: &mut Bed, scene: &Scene, host: &Host, back: usize) {
    let last = 10 + host.number();
    let script = limits(scene).to_string()
        + &match (host.zone, scene.trouble) {
            (Zone::Intranet, _) => {
                let gateway = match scene.paths {
                    Paths::BackShorter => 1,
                    Paths::One | Paths::Two | Paths::BackElsewhere => 254,
                };
                interface(
                    "eth",
                    &format!("10.0.0.{last}/24"),
                    &format!("2001:db8:3::{last:x}/64"),
                ) + &format!(
                    "ip route add default via 10.0.0.{gateway}\nip route add default via \
                     2001:db8:3::{gateway}\n"
                )
            }
            (_, Trouble::ProxyArp) => format!(
                "ip addr add {}/25 dev eth\nip link set eth up\nip route add default via 192.0.2.1 \
                 dev eth onlink\n",
                host.address
            ),
            _ => {
                interface(
                    "eth",
                    &format!("192.0.2.{last}/24"),
                    &format!("2001:db8:2::{last:x}/64"),
                ) + &routes_of_perimeter(back)
            }
        };
    bed.script(&host.name, &(script + &wire(scene, "eth")));
    if let Some(rules) = rules::of_host(host) {
        bed.rules(&host.name, &rules);
    }
    bed.listen(&host.name, &rules::listeners_of_host(host));
}
