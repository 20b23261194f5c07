//! Beds with one trouble each, where the same scene is otherwise plain. The troubles are forged errors, a device that
//! shuns, a device that answers for every port, and a long way.

use std::collections::BTreeMap;

use crate::program::{Program, Report, Run, Said, id_of};
use crate::scene::{
    Action, Capture, Device, Flow, Hook, Host, Icmp, Kind, Manner, Need, Paths, Protocol, Scene,
    Zone,
};
use crate::site::site;
use crate::support::bed::Bed;
use crate::trouble::Trouble;
use crate::{ground, rules, tally};

const FORGE: &str = include_str!("forge.py");
const DELAY: &str = include_str!("../support/delay.py");

/// A plain network with these hosts, seen from outside.
fn plain(hosts: Vec<Host>) -> Scene {
    Scene {
        vantage: Zone::Outer,
        outer: "outside",
        loss: 0,
        limited: false,
        hidden: None,
        paths: Paths::One,
        addresses_given: true,
        void: false,
        trouble: Trouble::None,
        patient: false,
        hosts,
    }
}

/// Host `number` of a scene, with flows of TCP on ports from 4000 on.
fn host(number: usize, address: &str, kind: Kind, flows: &[(Need, Action)]) -> Host {
    let flow = |(index, (need, action)): (usize, &(Need, Action))| Flow {
        port: 4_000 + index as u16,
        need: *need,
        protocol: Protocol::Tcp,
        action: *action,
    };
    Host {
        name: format!("h{number}"),
        zone: if address.starts_with("10.") || address.starts_with("2001:db8:3:") {
            Zone::Intranet
        } else {
            Zone::Perimeter
        },
        address: address.parse().expect("an address"),
        kind,
        flows: flows.iter().enumerate().map(flow).collect(),
    }
}

/// One port of each fate at a firewall or behind it, required and forbidden.
fn of_every_fate(at: Device) -> Vec<(Need, Action)> {
    let actions = [
        Action::Listens(Manner::Holds),
        Action::NobodyListens,
        Action::Drop(at, Hook::AfterTtl),
        Action::Drop(at, Hook::BeforeTtl),
        Action::Reset(at, Hook::AfterTtl),
        Action::Reject(at, Hook::AfterTtl, Icmp::AdminProhibited),
    ];
    let both = |action| [(Need::Required, action), (Need::Forbidden, action)];
    actions.into_iter().flat_map(both).collect()
}

fn by_id(report: &Report) -> BTreeMap<&str, &Said> {
    report
        .flows
        .iter()
        .map(|said| (said.id.as_str(), said))
        .collect()
}

/// Errors that one who does not see the packets can make change nothing: the kernel compares sequence numbers.
pub(crate) fn forged_errors_change_no_verdict() {
    let scene = plain(vec![
        host(
            0,
            "192.0.2.10",
            Kind::Alive,
            &of_every_fate(Device::FrontEnd),
        ),
        host(
            1,
            "2001:db8:3::b",
            Kind::Alive,
            &of_every_fate(Device::BackEnd),
        ),
        host(
            2,
            "10.0.0.12",
            Kind::Shut(Device::BackEnd, Hook::AfterTtl),
            &[
                (Need::Required, Action::AsHost),
                (Need::Forbidden, Action::AsHost),
            ],
        ),
    ]);
    let program = Program::copy();
    let mut bed = ground::lay(&scene);
    let before = program.check(&bed, &scene, &site(&scene));
    bed.python("fe", FORGE, &["out"]);
    let after = program.check(&bed, &scene, &site(&scene));
    let received = forged(&bed);
    assert!(
        received > 1_000,
        "only {received} forged errors met a socket of the prober"
    );
    let verdicts = |run: &Run| -> Vec<String> {
        let flows = run.report.flows.iter();
        flows
            .map(|said| format!("{} {} {} {}", said.id, said.state, said.verdict, said.cause))
            .collect()
    };
    assert_eq!(verdicts(&before), verdicts(&after));
    assert_eq!(before.status, after.status);
}

/// How many ICMP errors the prober's kernel refused for their sequence numbers.
fn forged(bed: &Bed) -> u64 {
    let output = bed.command("inet", &["cat", "/proc/net/netstat"]).output();
    let text = String::from_utf8(output.expect("cat").stdout).expect("text");
    let lines: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("TcpExt:"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    let place = lines[0].iter().position(|name| *name == "OutOfWindowIcmps");
    lines[1][place.expect("a counter")]
        .parse()
        .expect("a number")
}

/// A device that shuns whoever knocks at 3389 makes everything silent; that silence is no closed door.
pub(crate) fn silence_after_a_shun_proves_nothing() {
    let mut flows = vec![(Need::Required, Action::Listens(Manner::Holds)); 3];
    flows.extend(vec![
        (
            Need::Forbidden,
            Action::Drop(Device::FrontEnd, Hook::AfterTtl)
        );
        8
    ]);
    let mut scene = plain(vec![
        host(0, "192.0.2.10", Kind::Alive, &flows),
        host(1, "10.0.0.11", Kind::Alive, &flows),
    ]);
    for host in &mut scene.hosts {
        host.flows.push(Flow {
            port: 3_389,
            need: Need::Forbidden,
            protocol: Protocol::Tcp,
            action: Action::Drop(Device::FrontEnd, Hook::AfterTtl),
        });
    }
    let bed = ground::lay(&scene);
    bed.rules(
        "fe",
        "table inet prevention {
         set shunned {
          type ipv4_addr; flags dynamic,timeout; timeout 10m
         }
         chain watch {
          type filter hook prerouting priority -200; policy accept;
          ip saddr @shunned drop
          iifname \"out\" tcp dport 3389 add @shunned { ip saddr }
         }
        }\n",
    );
    let run = Program::copy().check(&bed, &scene, &site(&scene));
    let said = by_id(&run.report);
    let shun = scene
        .flows()
        .filter(|(_, flow)| flow.port == 3_389)
        .filter_map(|(host, flow)| said[id_of(&scene, host, flow).as_str()].first_try())
        .min()
        .expect("3389 was tried");
    let mut answered = 0;
    for (host, flow) in scene.flows() {
        let said = said[id_of(&scene, host, flow).as_str()];
        match flow.need {
            // It was proved before the shun; those that were asked again after it are doubtful now.
            Need::Required => match (said.verdict.as_str(), said.cause.as_str()) {
                ("ok", "answered") => answered += 1,
                other => assert_eq!(other, ("unknown", "cut-off"), "{}", said.id),
            },
            Need::Forbidden => assert!(
                said.cause != "kept-closed" || said.last_try() < Some(shun),
                "{}: kept closed, by silence after the shun at {shun}",
                said.id
            ),
        }
    }
    assert_eq!(answered, 2, "two of the three of each host are asked again");
    assert!(
        said.values()
            .any(|said| said.verdict == "unknown" && said.cause == "cut-off"),
        "nothing is cut off"
    );
}

/// A device that answers for all 65,535 ports of a dead host proves none of them open; an honest host beside it does.
pub(crate) fn a_device_that_answers_for_every_port_proves_nothing() {
    let painted = Kind::Painted {
        at: Device::FrontEnd,
        capture: Capture::Redirect,
        manner: Manner::Closes,
        alive: false,
    };
    let scene = plain(vec![
        host(
            0,
            "192.0.2.10",
            painted,
            &[
                (Need::Required, Action::AsHost),
                (Need::Required, Action::AsHost),
                (Need::Forbidden, Action::AsHost),
            ],
        ),
        host(
            1,
            "192.0.2.11",
            Kind::Alive,
            &[
                (Need::Required, Action::Listens(Manner::Holds)),
                (Need::Forbidden, Action::Listens(Manner::Holds)),
            ],
        ),
    ]);
    let bed = ground::lay(&scene);
    let site = site(&scene).replace("sweep: none", "sweep: all, authorised: \"a bed\"");
    let run = Program::copy().check(&bed, &scene, &site);
    let of_the_painted = |said: &&Said| said.id.starts_with("outside>h0:");
    let false_ones: Vec<String> = run
        .report
        .flows
        .iter()
        .filter(of_the_painted)
        .filter(|said| said.verdict == "ok" && said.need == "required" || said.verdict == "exposed")
        .map(|said| format!("{} {} {}", said.id, said.verdict, said.cause))
        .collect();
    assert!(
        false_ones.is_empty(),
        "{} ports of a dead host: {:?}",
        false_ones.len(),
        &false_ones[..false_ones.len().min(5)]
    );
    let said = by_id(&run.report);
    assert_eq!(said["outside>h1:4000/tcp"].verdict, "ok");
    assert_eq!(said["outside>h1:4001/tcp"].verdict, "exposed");
}

/// A firewall's reset comes from near, a host's from afar: what is said of the sender is true, and something is said.
pub(crate) fn a_long_way_tells_who_resets() {
    let scene = far_away(&[
        (Need::Required, Action::Listens(Manner::Holds)),
        (Need::Required, Action::Listens(Manner::Holds)),
        (Need::Required, Action::Listens(Manner::Holds)),
        (Need::Required, Action::NobodyListens),
        (Need::Forbidden, Action::NobodyListens),
        (
            Need::Required,
            Action::Reset(Device::FrontEnd, Hook::AfterTtl),
        ),
        (
            Need::Forbidden,
            Action::Reset(Device::FrontEnd, Hook::AfterTtl),
        ),
        (
            Need::Required,
            Action::Reset(Device::FrontEnd, Hook::BeforeTtl),
        ),
        (
            Need::Required,
            Action::Drop(Device::FrontEnd, Hook::AfterTtl),
        ),
    ]);
    let bed = lay_far(&scene, "30", "30");
    let run = Program::copy().check(&bed, &scene, &site(&scene));
    let cases = tally::hold(0, &scene, &run, None);
    let wrong = tally::wrong_ones(&cases);
    assert!(wrong.is_empty(), "wrong:\n{wrong}");
    let decided =
        |said: &&Said| matches!(said.evidence.reset_by.as_deref(), Some("host" | "device"));
    assert!(
        run.report.flows.iter().any(|said| decided(&said)),
        "60 ms and no time at all, and nothing is said of the sender of any reset"
    );
}

/// What comes back after two and a half seconds is late, not lost.
pub(crate) fn a_late_answer_is_an_answer() {
    let scene = far_away(&[
        (Need::Required, Action::Listens(Manner::Holds)),
        (Need::Required, Action::Listens(Manner::Holds)),
        (Need::Forbidden, Action::Listens(Manner::Holds)),
        (Need::Required, Action::NobodyListens),
        (Need::Forbidden, Action::NobodyListens),
    ]);
    let bed = lay_far(&scene, "0", "2500");
    let run = Program::copy().check(&bed, &scene, &site(&scene));
    let cases = tally::hold(0, &scene, &run, None);
    let wrong = tally::wrong_ones(&cases);
    assert!(wrong.is_empty(), "wrong:\n{wrong}");
}

/// Two hosts of the perimeter, one by IPv4 and one by IPv6.
fn far_away(flows: &[(Need, Action)]) -> Scene {
    plain(vec![
        host(0, "192.0.2.10", Kind::Alive, flows),
        host(1, "2001:db8:2::b", Kind::Alive, flows),
    ])
}

/// The prober, the front-end firewall, and behind a slow link one machine that is both hosts.
fn lay_far(scene: &Scene, there: &str, back: &str) -> Bed {
    let mut bed = Bed::new(&["inet", "fe", "far"].map(str::to_string));
    bed.links(&[(("fe", "out"), ("inet", "port1"))]);
    let far = bed.namespace("far");
    bed.python("fe", DELAY, &["in", &far, "eth", there, back]);
    bed.script("inet", &ground::outside(scene));
    ground::front_end(&mut bed, scene, "fe", 1);
    bed.script(
        "far",
        "ip addr add 192.0.2.10/24 dev eth\n\
         ip addr add 2001:db8:2::b/64 dev eth nodad\n\
         ip link set eth up\n\
         ip route add default via 192.0.2.1\n\
         ip route add default via 2001:db8:2::1\n",
    );
    for host in &scene.hosts {
        bed.listen("far", &rules::listeners_of_host(host));
    }
    bed
}
