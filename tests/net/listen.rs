//! Before anything is installed. Listeners stand in three zones behind real firewalls that drop what no rule allows,
//! and `check` proves the paths between them.
//!
//! Needs root, `ip` and `nft` (`scripts/test` installs them); without them the test fails and says so. The namespaces are
//! each test's own and end with it.

use std::process::Command;

use crate::support::listener::{Bed, Listening, SOURCE, TOKEN, by_id, is_translated, portproof};
use crate::support::zones::{SITE, Zones, rules};
use serde_json::Value;

/// Datagrams that the site of the zones does not need.
const DATAGRAMS: &str = "flows:
  - { from: internet, to: ibs01, port: 2000, transport: udp, need: required }
  - { from: internet, to: ibs01, port: 2001, transport: udp, need: required }
  - { from: ibs01, to: cm01, port: 2002, transport: udp, need: required }
";

fn site() -> String {
    format!("{SITE}{DATAGRAMS}")
}

/// The zones with their firewalls, and a listener on each side of the inner one.
struct Stage {
    zones: Zones,
    bed: Bed,
    listeners: [Listening; 2],
}

impl Stage {
    /// Every needed flow has a rule, but those left out.
    fn new(left_out: &[&str]) -> Self {
        let (zones, bed) = (Zones::new(), Bed::new(&site(), TOKEN));
        let plan = plan(&bed);
        for firewall in ["front-end", "back-end"] {
            zones.load(firewall, &rules(&plan, firewall, left_out));
        }
        let listeners = ["ibs01", "cm01"].map(|system| {
            let place = zones.place(system);
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            bed.listen_in(&place, &format!("{system}.json"), &["--as", system])
        });
        Self {
            zones,
            bed,
            listeners,
        }
    }

    /// Looks from a zone, as the system that stands there.
    fn check(&self, from: &str) -> Value {
        let (place, arguments) = match from {
            "internet" => ("client", vec!["--from", "internet"]),
            "perimeter" => (
                "ibs01",
                vec!["--from", "perimeter", "--as", "ibs01", "--no-gentle"],
            ),
            _ => (
                "cm01",
                vec!["--from", "intranet", "--as", "cm01", "--no-gentle"],
            ),
        };
        let place = self.zones.place(place);
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        self.bed.check_in(&place, &arguments, Some(TOKEN))
    }

    /// The logs of both, after they have ended.
    fn logs(&mut self) -> [Value; 2] {
        for listener in &mut self.listeners {
            assert_eq!(listener.stop().0, Some(0));
        }
        ["ibs01.json", "cm01.json"].map(|name| self.bed.log_of(name))
    }
}

/// The plan of the site, as JSON.
fn plan(bed: &Bed) -> Value {
    let (_, plan, said) = portproof(&["plan", &bed.site_file(), "--format", "json"], None);
    serde_json::from_str(&plan).unwrap_or_else(|_| panic!("{said}"))
}

fn required(report: &Value) -> Vec<&Value> {
    let flows = report["flows"].as_array().expect("flows");
    flows
        .iter()
        .filter(|flow| flow["need"] == "required")
        .collect()
}

fn is_proved(flow: &Value) -> bool {
    flow["verdict"] == "ok" && flow["cause"] == "listener-answered"
}

/// Every required flow is proved, but those named; each of them comes back.
fn assert_proved_but<'a>(report: &'a Value, others: &[&str]) -> Vec<&'a Value> {
    let required = required(report);
    assert!(required.len() > 3, "{report:#}");
    let is_named = |flow: &Value| others.contains(&flow["id"].as_str().unwrap_or_default());
    for flow in required.iter().filter(|flow| !is_named(flow)) {
        assert!(is_proved(flow), "{flow:#}");
    }
    others.iter().map(|id| by_id(report, id)).collect()
}

#[test]
fn with_nothing_installed_every_flow_of_every_zone_is_proved_udp_too() {
    let mut stage = Stage::new(&[]);
    let mut seen = Vec::new();
    for zone in ["internet", "perimeter", "intranet"] {
        let report = stage.check(zone);
        assert_proved_but(&report, &[]);
        for flow in required(&report) {
            let listener = &flow["evidence"]["listener"];
            assert!(!is_translated(listener, SOURCE), "{flow:#}");
            let accepted = listener["accepted_at"].as_str().expect("an end");
            let aimed = listener["aimed_at"].as_str().expect("an address");
            assert!(accepted.starts_with(&format!("{aimed}:")), "{flow:#}");
            assert_eq!(listener["system"], flow["to"]["system"]);
            seen.push(flow["id"].as_str().unwrap_or_default().to_string());
        }
    }
    // What is told apart: web, files, RPC with its range, a database, datagrams.
    for id in [
        "internet>ibs01:443/tcp",
        "internet>ibs01:2000/udp",
        "ibs01>cm01:1433/tcp",
        "ibs01>cm01:2002/udp",
        "cm01>ibs01:135/tcp",
        "cm01>ibs01:445/tcp",
        "cm01>ibs01:50000-50099/tcp",
    ] {
        assert!(seen.iter().any(|seen| seen == id), "{id}: {seen:#?}");
    }
    assert_rpcclient_reads_the_mapper(&stage.zones);
    for log in stage.logs() {
        let arrivals = log["arrivals"].as_array().expect("arrivals");
        assert!(
            arrivals.iter().all(|it| it["what"] != "half-open"),
            "{log:#}"
        );
    }
}

/// Another client than ours reads the list, from where the token was proved just now.
fn assert_rpcclient_reads_the_mapper(zones: &Zones) {
    let place = zones.place("cm01");
    let output = Command::new(&place[0])
        .args(&place[1..])
        .args(["rpcclient", "-N", "-U%", "ncacn_ip_tcp:192.0.2.10"])
        .args(["-c", "epmlookup"])
        .output()
        .expect("rpcclient is needed: scripts/test installs it");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    for port in [50_000, 50_033, 50_066, 50_099] {
        assert!(said.contains(&port.to_string()), "{port}: {said}");
    }
    assert!(said.contains("portproof listener"), "{said}");
}

#[test]
fn one_rule_removed_is_that_one_flow_blocked_and_nothing_else() {
    let removed = [
        ("internet", "internet>ibs01:8443/tcp"),
        ("perimeter", "ibs01>cm01:2002/udp"),
        ("intranet", "cm01>ibs01:445/tcp"),
    ];
    let stage = Stage::new(&removed.map(|(_, id)| id));
    for (zone, id) in removed {
        let report = stage.check(zone);
        let flow = assert_proved_but(&report, &[id])[0];
        assert_eq!(flow["verdict"], "blocked", "{flow:#}");
        assert_eq!(flow["cause"], "no-answer");
    }
}

#[test]
fn a_forbidden_flow_that_a_listener_proves_is_exposed() {
    let stage = Stage::new(&[]);
    stage.zones.load(
        "front-end",
        "table inet wall {
  chain forward {
    ip saddr 198.51.100.0/24 ip daddr 192.0.2.10 tcp dport 445 accept
  }
}
",
    );
    let report = stage.check("internet");
    assert_proved_but(&report, &[]);
    let flow = by_id(&report, "internet>ibs01:445/tcp");
    assert_eq!(
        (&flow["verdict"], &flow["cause"]),
        (&"exposed".into(), &"open".into()),
        "{flow:#}"
    );
    assert_eq!(flow["evidence"]["listener"]["system"], "ibs01");
}

#[test]
fn a_range_of_which_only_the_first_ports_pass_is_half_open() {
    let stage = Stage::new(&["cm01>ibs01:50000-50099/tcp"]);
    stage.zones.load(
        "back-end",
        "table inet wall {
  chain forward {
    ip saddr 10.0.0.5 ip daddr 192.0.2.10 tcp dport 50000-50049 accept
  }
}
",
    );
    let report = stage.check("intranet");
    let flow = assert_proved_but(&report, &["cm01>ibs01:50000-50099/tcp"])[0];
    assert_eq!(
        (&flow["verdict"], &flow["cause"]),
        (&"blocked".into(), &"rpc-half-open".into()),
        "{flow:#}"
    );
}

#[test]
fn source_and_destination_nat_are_seen() {
    let stage = Stage::new(&[]);
    stage.zones.load(
        "front-end",
        "table ip nat {
  chain out {
    type nat hook postrouting priority 100; policy accept;
    ip daddr 192.0.2.10 masquerade
  }
}
",
    );
    let report = stage.check("internet");
    assert_proved_but(&report, &[]);
    let said = &by_id(&report, "internet>ibs01:443/tcp")["evidence"]["listener"];
    assert!(is_translated(said, SOURCE), "{said:#}");
    let seen_from = said["seen_from"].as_str().unwrap_or_default();
    assert!(seen_from.starts_with("192.0.2.1:"), "{said:#}");
    let of_udp = &by_id(&report, "internet>ibs01:2000/udp")["evidence"]["listener"];
    assert!(is_translated(of_udp, SOURCE), "{of_udp:#}");
    // What is meant for the perimeter comes out in the intranet: the wrong system proves it.
    stage.zones.load(
        "front-end",
        "table ip astray {
  chain in {
    type nat hook prerouting priority -100; policy accept;
    ip daddr 192.0.2.10 tcp dport 443 dnat to 10.0.0.5
  }
}
table inet wall {
  chain forward {
    ip daddr 10.0.0.5 tcp dport 443 accept
  }
}
",
    );
    stage.zones.load(
        "back-end",
        "table inet wall {
  chain forward {
    ip daddr 10.0.0.5 tcp dport 443 accept
  }
}
",
    );
    let report = stage.check("internet");
    let flow = assert_proved_but(&report, &["internet>ibs01:443/tcp"])[0];
    assert_eq!(
        (&flow["verdict"], &flow["cause"], &flow["owner"]),
        (
            &"wrong".into(),
            &"wrong-listener".into(),
            &"firewall".into()
        ),
        "{flow:#}"
    );
    let said = &flow["evidence"]["listener"];
    assert_eq!(
        (&said["system"], &said["aimed_at"], &said["accepted_at"]),
        (&"cm01".into(), &"192.0.2.10".into(), &"10.0.0.5:443".into())
    );
}

#[test]
fn a_lost_answer_is_half_open_in_the_log() {
    let mut stage = Stage::new(&[]);
    stage.zones.load(
        "front-end",
        "table inet back {
  chain forward {
    type filter hook forward priority -10; policy accept;
    ip saddr 192.0.2.10 tcp sport 8443 tcp flags & (syn | ack) == syn | ack drop
  }
}
",
    );
    let report = stage.check("internet");
    let flow = assert_proved_but(&report, &["internet>ibs01:8443/tcp"])[0];
    assert_eq!(flow["verdict"], "blocked", "{flow:#}");
    let [log, _] = stage.logs();
    let arrivals = log["arrivals"].as_array().expect("arrivals");
    let half_open: Vec<&Value> = arrivals
        .iter()
        .filter(|it| it["what"] == "half-open")
        .collect();
    assert!(!half_open.is_empty(), "{log:#}");
    for arrival in half_open {
        assert_eq!(arrival["local"], "192.0.2.10:8443");
        let remote = arrival["remote"].as_str().unwrap_or_default();
        assert!(remote.starts_with("198.51.100.10:"), "{arrival:#}");
    }
}

#[test]
fn a_rule_for_some_source_ports_only_is_intermittent_though_the_listener_answers() {
    let stage = Stage::new(&[]);
    // Three of eight source ports: few enough that not all first tries are among them, and enough that some of 16 are.
    stage.zones.load(
        "front-end",
        "table inet some {
  chain forward {
    type filter hook forward priority -10; policy accept;
    tcp dport 8443 tcp sport & 14 == 2 drop
    tcp dport 8443 tcp sport & 14 == 4 drop
    tcp dport 8443 tcp sport & 14 == 6 drop
  }
}
",
    );
    let report = stage.check("internet");
    let flow = assert_proved_but(&report, &["internet>ibs01:8443/tcp"])[0];
    assert_eq!(
        (&flow["verdict"], &flow["cause"]),
        (&"blocked".into(), &"intermittent".into()),
        "{flow:#}"
    );
}

#[test]
fn a_device_that_opens_for_everything_is_unmasked() {
    let stage = Stage::new(&[]);
    stage.zones.answer_everything("front-end", 9_999);
    stage.zones.load(
        "front-end",
        "table ip proxy {
  chain in {
    type nat hook prerouting priority -100; policy accept;
    ip daddr 192.0.2.10 tcp dport != 80 redirect to :9999
  }
}
",
    );
    let report = stage.check("internet");
    let flows = required(&report);
    let over_tcp: Vec<&&Value> = flows
        .iter()
        .filter(|flow| flow["transport"] == "tcp")
        .collect();
    assert!(over_tcp.len() > 2);
    for flow in over_tcp {
        if flow["port"] == 80 {
            assert!(is_proved(flow), "{flow:#}");
        } else {
            assert_ne!(flow["verdict"], "ok", "{flow:#}");
            assert_eq!(flow["evidence"]["listener"], Value::Null);
        }
    }
}

#[test]
fn without_privileges_low_ports_are_refused_in_plain_words_and_the_status_tells() {
    let zones = Zones::new();
    let bed = Bed::new(&site(), TOKEN);
    let mut place = zones.place("ibs01");
    place.extend(["setpriv", "--bounding-set=-all", "--inh-caps=-all"].map(str::to_string));
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let mut listening = bed.listen_in(&place, "low.json", &["--as", "ibs01"]);
    let said = listening.said().to_string();
    assert!(said.contains("192.0.2.10:443/tcp"), "{said}");
    assert!(
        said.contains("only privileged programs listen below 1024"),
        "{said}"
    );
    let (status, said) = listening.stop();
    assert!(said.contains("setcap cap_net_bind_service=+ep"), "{said}");
    assert_eq!(status, Some(1));
    let log = bed.log_of("low.json");
    let ports = log["ports"].as_array().expect("ports");
    for port in ports {
        let local = port["local"].as_str().unwrap_or_default();
        let number: u16 = local
            .rsplit(':')
            .next()
            .and_then(|it| it.parse().ok())
            .expect("a port");
        let expected = if number < 1_024 {
            "refused"
        } else {
            "listening"
        };
        assert_eq!(port["state"], expected, "{local}");
    }
}
