//! Every zone at once: agents in three zones behind real firewalls that drop all but what the site needs, and one port to
//! a real NATS server.
//!
//! The server stands in the perimeter, on the host of ibs01. Needs root, `ip`, `nft` and the NATS server, which
//! `scripts/test` installs; without them the test fails and says so.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::fleet::{Process, nats_server};
use crate::support::listener::{Bed, assert_valid, by_id, portproof};
use crate::support::zones::{Zones, rules};

/// A site in two zones that serves a third.
const SITE: &str = "site:
  { code: PRI, product: configmgr-2007, crl_check: false, client_ports: { http: [80], https: [443] } }
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
    roles: [site-server, site-database, management-point, distribution-point]
    serves: [intranet]
    rpc_ports: [50000-50099]
  ibs01:
    zone: perimeter
    addresses: { default: 192.0.2.10 }
    roles: [management-point, distribution-point, fallback-status-point]
    serves: [internet]
    rpc_ports: [50000-50099]
probing: { second_look: off, timeout: 2s, rate: max, sweep: none }
";

/// Who stands where: the agent, its place in the bed, and its zone with its system.
const AGENTS: [(&str, &str, &str); 3] = [
    ("outside", "client", "internet"),
    ("ibs01", "ibs01", "perimeter:ibs01"),
    ("cm01", "cm01", "intranet:cm01"),
];

/// The one port that each zone needs for the server.
const ONE_PORT: &str =
    "table inet wall { chain forward { ip daddr 192.0.2.10 tcp dport 4222 accept; }; }\n";

pub(super) struct Stage {
    pub(super) zones: Zones,
    pub(super) bed: Bed,
    server: Process,
    pub(super) agents: Vec<Process>,
}

impl Stage {
    /// Lays all of it out; flows that are left out have no rule.
    pub(super) fn new(left_out: &[&str]) -> Self {
        let (zones, bed) = (Zones::new(), Bed::new(SITE, ""));
        let (_, plan, said) = portproof(&["plan", &bed.site_file(), "--format", "json"], None);
        let plan: Value = serde_json::from_str(&plan).unwrap_or_else(|_| panic!("{said}"));
        for firewall in ["front-end", "back-end"] {
            zones.load(firewall, &rules(&plan, firewall, left_out));
            zones.load(firewall, ONE_PORT);
        }
        let fleet = bed.path("fleet");
        let fleet = fleet.display().to_string();
        let named = AGENTS.map(|(agent, _, zone)| format!("--agent={agent}={zone}"));
        let mut words = vec![
            "agent",
            "--write-server-config",
            &fleet,
            "--server",
            "192.0.2.10",
        ];
        words.extend(named.iter().map(String::as_str));
        let (status, _, said) = portproof(&words, None);
        assert_eq!(status, Some(0), "{said}");
        let folder = |name: &str| bed.path("fleet").join(name);
        let server = Process::start(
            &zones.place("ibs01"),
            &folder("nats-server"),
            &nats_server(),
            &["-c", "nats-server.conf"],
        );
        server.until("Server is ready");
        let mut stage = Self {
            zones,
            bed,
            server,
            agents: Vec::new(),
        };
        for (agent, place, _) in AGENTS {
            let started = stage.agent(agent, place);
            started.until("connected to the NATS server");
            stage.agents.push(started);
        }
        stage
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.bed.path("fleet").join(name)
    }

    pub(super) fn agent(&self, agent: &str, place: &str) -> Process {
        let program = assert_cmd::cargo::cargo_bin("portproof");
        let folder = self.folder(&format!("agent-{agent}"));
        Process::start(
            &self.zones.place(place),
            &folder,
            &program,
            &["agent", "agent.yaml"],
        )
    }

    /// The hub, on the site server.
    fn check(&self, more: &[&str]) -> Output {
        let place = self.zones.place("cm01");
        let agents = self.folder("hub").join("agents.yaml");
        Command::new(&place[0])
            .args(&place[1..])
            .arg(assert_cmd::cargo::cargo_bin("portproof"))
            .args([
                "check",
                &self.bed.site_file(),
                "--format",
                "json",
                "--no-gentle",
                "--agents",
            ])
            .arg(agents)
            .args(more)
            .output()
            .expect("it runs")
    }
}

fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    assert_valid("report", &report);
    report
}

fn required(report: &Value) -> impl Iterator<Item = &Value> {
    let flows = report["flows"].as_array().expect("flows");
    flows.iter().filter(|flow| flow["need"] == "required")
}

#[test]
fn one_command_proves_every_required_flow_of_three_zones_before_anything_is_installed() {
    const BLOCKED: &str = "cm01>ibs01:445/tcp";
    let stage = Stage::new(&[BLOCKED]);
    let output = stage.check(&["--listeners"]);
    let report = report(&output);
    let said = String::from_utf8_lossy(&output.stderr);
    let mut count = 0;
    for flow in required(&report).filter(|flow| flow["id"] != BLOCKED) {
        assert_eq!(flow["verdict"], "ok", "{said}\n{flow:#}");
        assert_eq!(flow["cause"], "listener-answered", "{flow:#}");
        count += 1;
    }
    assert!(count >= 6, "{count}");
    let blocked = by_id(&report, BLOCKED);
    assert_eq!(blocked["verdict"], "blocked", "{blocked:#}");
    // Its listener saw nothing arrive: that is known because the agent there says so.
    assert!(said.contains("agent ibs01 stands in on"), "{said}");
    assert_eq!(report["vantages"].as_array().map(Vec::len), Some(3));
    assert!(required(&report).all(|flow| flow["cause"] != "in-stead"));
}

#[test]
fn an_agent_that_is_lost_in_mid_run_leaves_flows_that_nobody_tried_and_no_false_verdict() {
    let mut stage = Stage::new(&[]);
    stage.agents[0].kill();
    let output = stage.check(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("agent outside (zone internet) does not answer"),
        "{said}"
    );
    let report = report(&output);
    let lost: Vec<&Value> = required(&report)
        .filter(|flow| flow["from"]["zone"] == "internet")
        .collect();
    assert!(!lost.is_empty(), "{report:#}");
    for flow in lost {
        assert_eq!(
            (&flow["verdict"], &flow["cause"]),
            (&"unknown".into(), &"agent-lost".into()),
            "{flow:#}"
        );
        assert_eq!(flow["owner"], "prober", "{flow:#}");
    }
    let notes = report["notes"].as_array().expect("notes");
    let told = |note: &Value| {
        note["text"]
            .as_str()
            .is_some_and(|it| it.contains("agent `outside` tried nothing"))
    };
    assert!(notes.iter().any(told), "{notes:#?}");
}

#[test]
fn jobs_that_the_site_has_not_signed_or_the_host_does_not_allow_send_no_packet() {
    let mut stage = Stage::new(&[]);
    // The host of the outermost agent allows one address that no system has.
    let file = stage.folder("agent-outside").join("agent.yaml");
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(&file, text + "allow: { networks: [203.0.113.0/24] }\n").expect("written");
    stage.agents[0].kill();
    stage.agents[0] = stage.agent("outside", "client");
    stage.agents[0].until("connected to the NATS server");
    // A chain of its own counts what the other agents send, but for the way to the server.
    let count = "table inet count { chain c { type filter hook forward priority -1; \
                 ip saddr 198.51.100.10 tcp dport != 4222 counter comment \"sent\"; }; }\n";
    stage.zones.load("front-end", count);
    let report = report(&stage.check(&[]));
    let refused = required(&report).filter(|flow| flow["from"]["zone"] == "internet");
    let causes: Vec<&Value> = refused.map(|flow| &flow["cause"]).collect();
    assert!(
        !causes.is_empty() && causes.iter().all(|it| **it == "not-allowed"),
        "{causes:?}"
    );
    assert!(
        stage.agents[0]
            .said()
            .contains("does not allow packets to 10.0.0.5:"),
        "{}",
        stage.agents[0].said()
    );

    // Whoever has stolen the credentials of the hub has not the key of the site.
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519)
        .expect("a key")
        .serialize_pem();
    let hub = stage.folder("hub");
    fs::write(hub.join("site.key"), key).expect("written");
    for (agent, _, _) in AGENTS {
        let state = fs::read_to_string(stage.folder(&format!("agent-{agent}")).join("agent.state"));
        assert!(
            state.is_ok_and(|it| it.len() > 4),
            "the job before was done"
        );
    }
    let mut thief = Process::start(
        &stage.zones.place("cm01"),
        &hub,
        &assert_cmd::cargo::cargo_bin("portproof"),
        &["check", &stage.bed.site_file(), "--agents", "agents.yaml"],
    );
    thief.until("agent `outside` refused a job that is not of this run: this job is not believed");
    for agent in &stage.agents {
        agent.until("a job is refused: this job is not believed: it is not signed");
    }
    thief.kill();
    let place = stage.zones.place("front-end");
    let counted = Command::new(&place[0])
        .args(&place[1..])
        .args(["nft", "list", "table", "inet", "count"])
        .output();
    let counted = String::from_utf8_lossy(&counted.expect("it runs").stdout).into_owned();
    assert!(counted.contains("counter packets 0 bytes 0"), "{counted}");
}

#[test]
fn what_an_agent_found_while_the_server_was_gone_arrives_once_when_it_is_back() {
    let mut stage = Stage::new(&[]);
    let program = assert_cmd::cargo::cargo_bin("portproof");
    let (place, hub) = (stage.zones.place("cm01"), stage.folder("hub"));
    let words = [
        "check",
        &stage.bed.site_file(),
        "--agents",
        "agents.yaml",
        "--no-gentle",
        "--format",
        "json",
        "--output",
        "r.json",
    ];
    let checking = Process::start(&place, &hub, &program, &words);
    for agent in &stage.agents {
        agent.until("begins\n");
    }
    stage.server.kill();
    for agent in &stage.agents {
        agent.until("is lost; it is tried again");
    }
    let folder = stage.folder("nats-server");
    stage.server = Process::start(
        &stage.zones.place("ibs01"),
        &folder,
        &nats_server(),
        &["-c", "nats-server.conf"],
    );
    for name in ["outside", "ibs01", "cm01"] {
        checking.until(&format!("agent {name} has tried"));
    }
    drop(checking);
}
