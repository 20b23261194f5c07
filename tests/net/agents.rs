//! Every zone at once: agents in three zones behind real firewalls that drop all but what the site needs, and one port to
//! a real NATS server.
//!
//! The server stands in the perimeter, on the host of ibs01. The hub runs on cm01, and once at a server of its own there. Needs root, `ip`, `nft`, tinyproxy and the NATS server, which
//! `scripts/test` installs; without them the test fails and says so.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::fleet::{AGENTS, Process, Stage, start_server};
use crate::support::listener::{assert_valid, by_id};

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
        count += 1;
        if flow["protocol"] == "nats" {
            // The server itself has the port, and greets.
            assert_eq!(flow["evidence"]["spoken"]["protocol"], "nats", "{flow:#}");
            continue;
        }
        assert_eq!(flow["cause"], "listener-answered", "{flow:#}");
    }
    assert!(count >= 8, "{count}");
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
    let checking = stage.checking(&[]);
    for agent in &stage.agents {
        agent.until("begins\n");
    }
    stage.server.kill();
    for agent in &stage.agents {
        agent.until("is lost; it is tried again");
    }
    let folder = stage.folder("nats-server");
    stage.server = start_server(&stage.zones.place("ibs01"), &folder);
    for name in ["outside", "ibs01", "cm01"] {
        checking.until(&format!("agent {name} has tried"));
    }
    drop(checking);
}

#[test]
fn an_agent_behind_a_proxy_tells_what_that_refuses_and_works_through_the_tunnel_that_it_opens() {
    // The front-end firewall is the proxy too: from the Internet only its port is open.
    let mut stage = Stage::with_server("", &[], &[("back-end", 4222)], None);
    let input = "table inet own { chain in { type filter hook input priority 0; policy drop; \
                 ct state established,related accept; ip saddr 198.51.100.10 tcp dport 3128 accept; }; }\n";
    stage.zones.load("front-end", input);
    let rules = "Port 3128\nListen 198.51.100.1\nTimeout 600\nLogLevel Error\nConnectPort 8443\n";
    fs::write(stage.bed.path("proxy.conf"), rules).expect("written");
    let _proxy = Process::start(
        &stage.zones.place("front-end"),
        &stage.folder(""),
        Path::new("tinyproxy"),
        &[
            "-d",
            "-c",
            &stage.bed.path("proxy.conf").display().to_string(),
        ],
    );
    let file = stage.folder("agent-outside").join("agent.yaml");
    let text = fs::read_to_string(&file).expect("a file");
    let behind = |server: &str| {
        let text = text.replace(
            "server: tls://192.0.2.10:4222",
            &format!("server: {server}"),
        );
        fs::write(&file, text + "proxy: http://198.51.100.1:3128\n").expect("written");
    };
    behind("tls://192.0.2.10:4222");
    let refused = stage.agent("outside", "client");
    refused.until(
        "the proxy 198.51.100.1:3128 leads to no server: to CONNECT 192.0.2.10:4222 it says `HTTP/1.1 403 Access \
         violation`",
    );
    drop(refused);
    behind("wss://192.0.2.10:8443");
    stage.start_agents();
    let report = report(&stage.check(&["--listeners"]));
    let from_outside = required(&report).filter(|flow| flow["from"]["zone"] == "internet");
    let causes: Vec<&Value> = from_outside.map(|flow| &flow["cause"]).collect();
    assert!(
        !causes.is_empty() && causes.iter().all(|it| **it == "listener-answered"),
        "{causes:?}"
    );
}

#[test]
fn a_hub_at_a_server_inside_proves_all_flows_over_the_link_to_the_server_of_the_agents() {
    let ways = [("front-end", 4222), ("back-end", 4222), ("back-end", 7422)];
    let mut stage = Stage::with_server("", &[], &ways, Some("10.0.0.5"));
    let inner = start_server(
        &stage.zones.place("cm01"),
        &stage.folder("nats-server-inside"),
    );
    inner.until("Leafnode connection created");
    stage.start_agents();
    // A hub that ends without a word leaves listeners, which hold the ports. The next run ends them.
    let mut killed = stage.checking(&["--listeners"]);
    for agent in ["cm01", "ibs01"] {
        killed.until(&format!("agent {agent} stands in on"));
    }
    killed.kill();
    let output = stage.check(&["--listeners"]);
    let (report, said) = (report(&output), String::from_utf8_lossy(&output.stderr));
    let causes: Vec<&Value> = required(&report).map(|flow| &flow["cause"]).collect();
    assert!(
        causes.len() > 6 && causes.iter().all(|it| **it == "listener-answered"),
        "{said}\n{causes:?}"
    );
}
