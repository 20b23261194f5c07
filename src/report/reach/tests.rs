//! What the paragraph says of verdicts, and what it leaves open.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::observation::{Observation, State};
use crate::plan::{Flow, Owner, Reason, Target};
use crate::product::{Confidence, Need, Protocol, Role, Transport};
use crate::site::Origin;
use crate::verdict::{Cause, Context, Judgement};
use crate::yaml::Ports;

/// A flow of clients and what became of it: verdict, cause and level.
struct Case {
    system: usize,
    port: u16,
    of: Of,
    role: Role,
    address: [u8; 4],
    saw: (Verdict, Cause, Level),
}

const WELL: (Verdict, Cause, Level) = (Verdict::Ok, Cause::Answered, Level::Note);
const DROPPED: (Verdict, Cause, Level) = (Verdict::Blocked, Cause::NoAnswer, Level::Error);
const OPEN_QUESTION: (Verdict, Cause, Level) = (Verdict::Unknown, Cause::NotProved, Level::Error);

fn point(system: usize, port: u16, of: Of, saw: (Verdict, Cause, Level)) -> Case {
    Case {
        system,
        port,
        of,
        role: Role::ManagementPoint,
        address: [192, 0, 2, 10],
        saw,
    }
}

fn vantage() -> Vantage {
    Vantage {
        zone: "internet".to_string(),
        also_in: Vec::new(),
        system: None,
        host: "probe7".to_string(),
        addresses: Vec::new(),
        started: String::new(),
        finished: String::new(),
        config_sha256: String::new(),
        run: None,
        forced: None,
        needed_only: false,
        sent: None,
        agent: None,
    }
}

fn used(case: &Case) -> ClientDoor {
    ClientDoor {
        flow: Flow {
            from: Origin::Zone(0),
            to: Target::System(case.system),
            transport: Transport::Tcp,
            port: Ports::one(case.port),
            protocol: Protocol::Https,
            need: Need::Required,
            reason: Arc::new(Reason {
                rules: Vec::new(),
                why: Arc::default(),
                breaks: Arc::default(),
                source: Arc::default(),
                confidence: Confidence::Documented,
                only_watched: false,
            }),
            declared: Default::default(),
        },
        of: case.of,
        roles: BTreeSet::from([case.role]),
        is_client_port: case.role == Role::ManagementPoint,
        is_update_port: case.role == Role::SoftwareUpdatePoint,
    }
}

fn entry(case: &Case) -> ReportFlow {
    let system = format!("ibs0{}", case.system);
    let (verdict, cause, level) = case.saw;
    let state = match cause {
        Cause::Answered => "open",
        Cause::NoAnswer => "filtered",
        Cause::Reset => "closed",
        _ => "silent",
    };
    let seen = match state {
        "closed" => json!({"closed": {"reset_by": "either"}}),
        other => json!(other),
    };
    serde_json::from_value(json!({
        "id": format!("internet>{system}:{}/tcp", case.port),
        "from": {"zone": "internet", "system": null},
        "to": {"system": system, "zone": "perimeter", "name": null, "addresses": []},
        "transport": "tcp", "port": case.port, "protocol": "https", "need": "required",
        "rules": [], "why": "", "breaks": "", "source": null, "confidence": "documented",
        "declared": {"file": "", "line": 1, "column": 1}, "crosses": ["front-end"],
        "state": state, "verdict": verdict.name(), "cause": cause.name(), "level": level.name(),
        "owner": null, "advice": "",
        "evidence": {"state": seen, "depth": null, "control": null, "attempts": []}
    }))
    .expect("a flow")
}

fn of(cases: &[Case]) -> Reach {
    of_flows(cases, |_| ())
}

fn of_flows(cases: &[Case], alter: impl Fn(&mut [ReportFlow])) -> Reach {
    let seen = |case: &Case| {
        let address = Some(case.address.into());
        let (verdict, cause, level) = case.saw;
        let seen = Seen {
            flow: used(case).flow,
            owner: Owner::Vantage,
            observations: vec![Observation::without_packets(address, State::Silent)],
        };
        let judged = Judged {
            judgement: Judgement {
                verdict,
                cause,
                level,
                owner: None,
            },
            observation: 0,
            contexts: vec![Context::default()],
        };
        (used(case), seen, judged)
    };
    let against = Against {
        file: "old.yaml",
        sha256: "",
        client_zones: vec!["internet".to_string()],
        used: cases.iter().map(seen).collect(),
        lost: Vec::new(),
        closing: Default::default(),
    };
    let mut flows: Vec<ReportFlow> = cases.iter().map(entry).collect();
    alter(&mut flows);
    reach(&against, &vantage(), flows, &[])
}

fn says(reach: &Reach, sentence: &str) {
    assert!(
        reach.paragraph.contains(sentence),
        "{sentence}\n{}",
        reach.paragraph
    );
}

#[test]
fn one_management_point_is_enough_and_those_that_fail_are_named() {
    let reach = of(&[
        point(1, 443, Of::Both, WELL),
        point(1, 8443, Of::New, WELL),
        point(2, 443, Of::Both, WELL),
        point(2, 8443, Of::New, DROPPED),
    ]);
    assert_eq!(reach.reached_by, "both");
    says(
        &reach,
        "Clients with the new number 8443 (HTTPS) reach ibs01, but not ibs02.",
    );
    says(
        &reach,
        "Only a firewall lacks 8443 (HTTPS) to ibs02: packets are dropped",
    );
    says(
        &reach,
        "is not proved (on the way stands front-end), and it may be the host's own",
    );
}

#[test]
fn one_address_is_enough_and_those_that_fail_are_named() {
    let second = Case {
        address: [192, 0, 2, 11],
        ..point(1, 8443, Of::New, DROPPED)
    };
    let reach = of(&[
        point(1, 443, Of::Both, WELL),
        point(1, 8443, Of::New, WELL),
        second,
    ]);
    assert_eq!(reach.reached_by, "both");
    says(
        &reach,
        "Only a firewall lacks 8443 (HTTPS) to ibs01 (192.0.2.11):",
    );
    assert_eq!(reach.systems[2].address.as_deref(), Some("192.0.2.11"));
}

#[test]
fn what_is_not_proved_is_unknown_and_never_none() {
    let reach = of(&[
        point(1, 443, Of::Both, DROPPED),
        point(1, 8443, Of::New, OPEN_QUESTION),
    ]);
    assert_eq!(reach.reached_by, "unknown");
    says(
        &reach,
        "It is not known of all clients in internet whether they reach a management point now.",
    );
    says(
        &reach,
        "It is unknown whether clients with the new number 8443 (HTTPS) reach ibs01.",
    );
    says(&reach, "Not known: 8443 (HTTPS) of ibs01 (not-proved).");
    let warned = (Verdict::Wrong, Cause::VerbBlocked, Level::Warning);
    let reach = of(&[point(1, 443, Of::Both, warned)]);
    assert_eq!(reach.reached_by, "unknown", "a warning proves nothing");
}

#[test]
fn where_nothing_is_reached_nobody_is() {
    let reach = of(&[
        point(1, 443, Of::Old, DROPPED),
        point(1, 8443, Of::New, DROPPED),
    ]);
    assert_eq!(reach.reached_by, "none");
    says(
        &reach,
        "No client in internet reaches a management point now.",
    );
    assert_eq!(reach.flows.len(), 1, "the old file's own flow is shown");
    assert_eq!(reach.flows[0].flow.id, "internet>ibs01:443/tcp");
}

#[test]
fn a_reset_of_which_nothing_tells_the_sender_accuses_nobody() {
    let reset = (Verdict::Blocked, Cause::Reset, Level::Error);
    let reach = of(&[
        point(1, 443, Of::Both, WELL),
        point(1, 8443, Of::New, reset),
    ]);
    assert_eq!(reach.reached_by, "old");
    says(
        &reach,
        "At 8443 (HTTPS) of ibs01 a reset comes back, and nothing tells from whom",
    );
    assert!(!reach.paragraph.contains("firewall lacks"));
    assert!(!reach.paragraph.contains("Nobody listens"));
}

const REFUSED: (Verdict, Cause, Level) = (Verdict::Down, Cause::NobodyListens, Level::Error);

#[test]
fn a_host_that_refuses_is_not_bound_or_not_running() {
    let reach = of(&[
        point(1, 443, Of::Both, WELL),
        point(1, 8443, Of::New, REFUSED),
    ]);
    says(
        &reach,
        "Nobody listens on 8443 (HTTPS) of ibs01: IIS is not bound to it, or not running.",
    );
}

#[test]
fn behind_translated_ports_the_own_one_has_to_be_bound() {
    let cases = [
        point(1, 18443, Of::New, REFUSED),
        point(2, 18443, Of::New, REFUSED),
        point(3, 18444, Of::New, DROPPED),
    ];
    let translated = |flow: &mut ReportFlow| flow.flow_mut().own_port = Some(8443);
    let reach = of_flows(&cases, |flows| {
        translated(&mut flows[0]);
        translated(&mut flows[2]);
    });
    says(
        &reach,
        "Nobody listens on 8443 (HTTPS), to which 18443 leads, of ibs01: IIS is not bound to it",
    );
    says(&reach, "Nobody listens on 18443 (HTTPS) of ibs02:");
    says(
        &reach,
        "Whether IIS is bound to 8443, to which 18444 leads, cannot be seen before it passes.",
    );
}

#[test]
fn a_management_point_that_moved_keeps_its_number_and_is_told_apart_by_file() {
    let reach = of(&[
        point(1, 443, Of::Old, WELL),
        point(2, 443, Of::New, DROPPED),
    ]);
    assert_eq!(reach.reached_by, "old");
    says(
        &reach,
        "Clients with 443 (HTTPS), as the old file means it, reach ibs01.",
    );
    says(
        &reach,
        "Clients with 443 (HTTPS), as the new file means it, do not reach ibs02.",
    );
}

#[test]
fn several_numbers_of_one_file_may_differ() {
    let reach = of(&[
        point(1, 443, Of::Old, WELL),
        point(1, 8443, Of::Old, DROPPED),
        point(1, 9443, Of::New, WELL),
    ]);
    assert_eq!(reach.reached_by, "some");
    says(
        &reach,
        "The old number 8443 (HTTPS) is closed on the way to ibs01",
    );
}

#[test]
fn an_update_point_that_is_reached_at_neither_pair_was_not_merely_forgotten() {
    let update = |port, of| Case {
        role: Role::SoftwareUpdatePoint,
        ..point(1, port, of, DROPPED)
    };
    let reach = of(&[
        point(1, 443, Of::Both, WELL),
        update(8531, Of::Old),
        update(8541, Of::New),
    ]);
    says(
        &reach,
        "The update point ibs01 is reached neither at its new number 8541 (HTTPS) nor at the old one,",
    );
    assert!(!reach.paragraph.contains("forgotten"));
    assert_eq!(
        reach.numbers.len(),
        1,
        "update points are no management points"
    );
}

#[test]
fn where_no_client_starts_nothing_is_said_of_clients() {
    let reach = of(&[]);
    assert_eq!(reach.reached_by, "no-clients-here");
    says(&reach, "cannot be seen from here: run it from internet.");
}

#[test]
fn an_old_number_that_clients_still_reach_closes_later_and_one_that_none_reaches_is_exposed() {
    let mut reach = of(&[
        point(1, 443, Of::Old, WELL),
        point(1, 8443, Of::New, DROPPED),
        point(2, 443, Of::Old, DROPPED),
    ]);
    let open = (Verdict::Exposed, Cause::Open, Level::Error);
    let forbidden = |system| {
        let mut flow = entry(&point(system, 443, Of::New, open));
        flow.flow_mut().need = Need::Forbidden;
        flow.owner = Some(crate::verdict::Owner::Firewall);
        flow
    };
    let mut flows = [forbidden(1), forbidden(2)];
    let steps = [("internet>ibs01:443/tcp".to_string(), 7)].into();
    close_later(&mut reach, &steps, &mut flows);
    says(
        &reach,
        "Leave 443/tcp of ibs01 open until every client has the new number; it closes in step 7",
    );
    let [still_used, unused] = &flows;
    assert_eq!(
        (still_used.verdict.name(), still_used.cause.name()),
        ("ok", "closing-later")
    );
    assert_eq!(still_used.remedy(), None, "no rule is asked for");
    assert!(
        still_used.advice.contains("step 7"),
        "{}",
        still_used.advice
    );
    assert_eq!(
        (unused.verdict.name(), unused.cause.name()),
        ("exposed", "open")
    );
}
