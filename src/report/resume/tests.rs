use super::*;
use crate::observation::{AttemptResult, Depth};
use crate::report::sample;
use crate::verdict::Verdict;

const AT: [u8; 4] = [192, 0, 2, 10];

/// What an interrupted sweep of `ibs01` had finished.
fn interrupted(states: &[(FlowState, &str)]) -> ReportDocument {
    let mut report = sample::report("internet", "probe7");
    let flow = &report.flows[0].flow;
    let states = states.iter();
    let states = states.map(|(state, ports)| (*state, ports.to_string()));
    report.sweeps = vec![Sweep {
        from: flow.from.clone(),
        to: flow.to.clone(),
        transport: flow.transport,
        states: BTreeMap::new(),
        earlier: Vec::new(),
        interrupted: vec![Finished {
            address: AT.into(),
            states: states.collect(),
        }],
    }];
    report
}

/// A run in the place of the report, half a minute after its end.
fn here(report: &ReportDocument) -> Here {
    Here {
        site: report.site.clone(),
        vantage: report.vantages[0].clone(),
        flows: vec![(*report.flows[0].flow).clone()],
        now: "2026-11-24T06:01:00Z".parse().expect("a time"),
    }
}

fn named(it: ReportDocument) -> Named<ReportDocument> {
    Named {
        file: "r.json".to_string(),
        it,
    }
}

fn taken(report: ReportDocument) -> Resumed {
    let here = here(&report);
    resume(named(report), &here)
        .map_err(|why| panic!("{why}"))
        .expect("it fits")
}

/// Why a report does not fit, after something of it or of the place was changed.
fn refused(change: impl FnOnce(&mut ReportDocument, &mut Here)) -> String {
    let mut report = interrupted(&[(FlowState::Closed, "1-3999")]);
    let mut here = here(&report);
    change(&mut report, &mut here);
    let Err(why) = resume(named(report), &here) else {
        panic!("it was taken")
    };
    assert!(why.starts_with("r.json "), "{why}");
    assert_eq!(visible(&why), why);
    why
}

fn swept(port: u16, seen: Observation) -> ReportFlow {
    let mut flow = sample::flow(&format!("internet>ibs01:{port}/tcp"));
    flow.flow_mut().rules = vec![SWEPT.to_string()];
    flow.verdict = Verdict::Exposed;
    flow.evidence.seen = seen;
    flow
}

fn open(port: u16) -> Observation {
    let id = format!("internet>ibs01:{port}/tcp");
    let start = "2026-11-24T06:00:01.000Z";
    Observation {
        depth: Depth::named("tcp"),
        attempts: vec![sample::attempt(start, &id, AttemptResult::Open)],
        service: Some(Service::NotAsked),
        ..Observation::without_packets(Some(AT.into()), State::Open)
    }
}

#[test]
fn what_answered_and_what_is_silent_with_proof_is_kept_and_the_rest_is_left() {
    let resumed = taken(interrupted(&[
        (FlowState::Closed, "1-79,81-442"),
        (FlowState::Rejected, "444"),
        (FlowState::Filtered, "2000-2001"),
        (FlowState::Silent, "3000"),
        (FlowState::NotTried, "4000-65535"),
        (FlowState::Unreachable, "3001"),
    ]));
    let kept = resumed.kept("ibs01", AT.into());
    let mut expected: Vec<u16> = (1..=442).filter(|port| *port != 80).collect();
    expected.extend([444, 2_000, 2_001]);
    assert_eq!(kept.ports(), expected);
    assert_eq!(kept.answering(3), [1, 2, 3]);
    assert_eq!(
        resumed.kept("ibs01", [192, 0, 2, 11].into()),
        Kept::default()
    );
    assert_eq!(resumed.kept("ibs02", AT.into()), Kept::default());
}

#[test]
fn an_open_port_keeps_what_was_seen_with_its_time_and_one_that_was_not_spoken_to_is_asked() {
    let mut report = interrupted(&[(FlowState::Open, "22,80,443,8080,9000")]);
    report.flows.push(swept(22, open(22)));
    // The connection of another port: this one was only seen to open.
    report.flows.push(swept(80, open(79)));
    let reset = Observation {
        service: Some(Service::ResetAtOnce),
        ..open(8_080)
    };
    let mut by_device = swept(8_080, reset);
    by_device.flow_mut().id = "internet>ibs01:sweep-answered/tcp".to_string();
    by_device.flow_mut().port = Port::Range("8080,9000-9001".to_string());
    report.flows.push(by_device);
    report.summary = crate::report::count::summary(&report.flows);
    let kept = taken(report).kept("ibs01", AT.into());
    let service = |port: u16| {
        let mut open = kept.open.iter().filter(|it| it.0 == port);
        open.next().and_then(|it| it.1.service.clone())
    };
    assert_eq!(kept.open[0], (22, open(22)));
    assert_eq!(service(8_080), Some(Service::ResetAtOnce));
    assert_eq!(service(9_000), Some(Service::ResetAtOnce));
    // The system serves it to another zone, so that it is no finding.
    assert_eq!(service(443), Some(Service::NotAsked));
    let [(seen, unspoken)] = &kept.alike[..] else {
        panic!("{kept:?}")
    };
    assert_eq!((&seen.state, &unspoken[..]), (&State::Open, &[80][..]));
}

#[test]
fn a_host_that_gave_no_answer_then_is_known() {
    let answered = |states: &[(FlowState, &str)], flow: State| {
        let mut report = interrupted(states);
        report.flows[0].evidence.seen.state = flow;
        taken(report).answered("ibs01", AT.into())
    };
    let filtered = [(FlowState::Filtered, "1-9")];
    assert!(!answered(&filtered, State::Filtered));
    assert!(answered(&filtered, State::Open), "a flow of the plan");
    let closed = [(FlowState::Closed, "1"), (FlowState::Filtered, "2-9")];
    assert!(answered(&closed, State::Filtered), "a port of the sweep");
    let mut kept = taken(interrupted(&closed)).kept("ibs01", AT.into());
    kept.forget_silence();
    assert_eq!(kept.ports(), [1]);
}

#[test]
fn ports_keep_the_times_of_the_run_that_swept_them() {
    let mut report = interrupted(&[(FlowState::Closed, "1-300")]);
    let before = SweptEarlier {
        started: "2026-11-24T05:00:00Z".to_string(),
        finished: "2026-11-24T05:10:00Z".to_string(),
        ports: "1-100".to_string(),
    };
    report.sweeps[0].earlier = vec![before.clone(), before.clone()];
    let resumed = taken(report);
    let runs = resumed.runs("ibs01", (90..=200).collect());
    let [first, second] = &runs[..] else {
        panic!("{runs:?}")
    };
    assert_eq!(first.ports, "90-100");
    assert_eq!(first.started, before.started);
    assert_eq!(second.ports, "101-200");
    assert_eq!(second.started, sample::START);
    assert_eq!(second.finished, "2026-11-24T06:00:30Z");
    assert!(resumed.runs("ibs01", BTreeSet::new()).is_empty());
}

#[test]
fn a_report_of_another_place_is_refused() {
    let why = refused(|report, _| report.vantages.push(report.vantages[0].clone()));
    assert!(why.contains("is a joined report"), "{why}");
    let why = refused(|report, _| report.site.code = "X\u{1b}[2J".to_string());
    assert!(why.contains("is of site X"), "{why}");
    let why = refused(|report, _| report.vantages[0].zone = "intranet".to_string());
    assert!(
        why.contains("from intranet (host probe7), and this is internet"),
        "{why}"
    );
    let why = refused(|report, _| report.vantages[0].host = "probe8".to_string());
    assert!(why.contains("host probe8"), "{why}");
    let why = refused(|_, here| here.vantage.addresses = vec!["203.0.113.9".to_string()]);
    assert!(why.contains("198.51.100.10 then, 203.0.113.9 now"), "{why}");
}

#[test]
fn a_changed_site_file_is_refused_with_the_flows_that_differ() {
    let other_file = |here: &mut Here| here.vantage.config_sha256 = "bb".repeat(32);
    let why = refused(|_, here| other_file(here));
    assert!(why.contains("the flows from here are the same"), "{why}");
    let why = refused(|report, here| {
        other_file(here);
        let gone = sample::flow("internet>ibs01:80/tcp");
        report.flows.push(gone);
        // What the sweep itself found is no flow of the file.
        report.flows.push(swept(22, open(22)));
        here.flows
            .push((*sample::flow("internet>ibs01:8443/tcp").flow).clone());
        here.flows[0].to.addresses = vec!["192.0.2.77".to_string()];
    });
    let words = "flows that are new: internet>ibs01:8443/tcp; gone: internet>ibs01:80/tcp; changed: \
                 internet>ibs01:443/tcp";
    assert!(why.contains(words), "{why}");
}

#[test]
fn a_report_that_is_finished_or_old_is_refused_with_what_to_do() {
    let why = refused(|report, _| report.sweeps[0].interrupted.clear());
    assert!(why.contains("nothing is left to go on with"), "{why}");
    assert!(why.contains("without --resume"), "{why}");
    let why = refused(|report, _| {
        report.sweeps.clear();
        report.flows[0].evidence.earlier = Some(Vec::new());
    });
    assert!(why.contains("of an earlier format"), "{why}");
    let now = |text: &str| text.parse().expect("a time");
    let why = refused(|_, here| here.now = now("2026-11-25T06:00:31Z"));
    assert!(why.contains("more than 24 hours ago"), "{why}");
    let why = refused(|_, here| here.now = now("2026-11-24T06:00:20Z"));
    assert!(why.contains("the clock was changed"), "{why}");
}

#[test]
fn what_no_run_writes_is_refused() {
    let states = |states: &[(FlowState, &str)]| {
        let sweeps = interrupted(states).sweeps;
        refused(|report, _| report.sweeps = sweeps)
    };
    let why = states(&[(FlowState::Closed, "1-9"), (FlowState::Filtered, "5,9-80")]);
    assert!(
        why.contains("has port 5 in two states, in the sweep of ibs01 at"),
        "{why}"
    );
    let many = "1-65535,".repeat(1_000);
    for ranges in ["9-5", "0", "1-65536", "5\u{1b}[2J", &many] {
        let why = states(&[(FlowState::Closed, ranges)]);
        assert!(why.contains("no next range of ports"), "{why}");
    }
    let why = refused(|report, _| {
        let twice = report.sweeps[0].interrupted[0].clone();
        report.sweeps[0].interrupted.push(twice);
    });
    assert!(why.contains("the same address twice"), "{why}");
    let why = refused(|report, _| {
        report.sweeps[0].earlier = vec![SweptEarlier {
            started: "yesterday\u{7}".to_string(),
            finished: sample::START.to_string(),
            ports: "1".to_string(),
        }];
    });
    assert!(why.contains("which is no time"), "{why}");
}
