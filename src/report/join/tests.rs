use super::*;
use crate::observation::{
    AttemptResult, FlowState, Listener, Painted, ResetBy, Service, SourcePorts, State,
};
use crate::paragraph::Width;
use crate::plan::SiteName;
use crate::product::Transport;
use crate::report::document::ReportFlow;
use crate::report::sample::{self, START, judged};
use crate::report::{
    ARRIVALS_SCHEMA, Arrival, ArrivalKind, ArrivalsDocument, Detail, Elsewhere, ListenedPort,
    Listening, Saw, exit_status,
};
use crate::verdict::{Cause, Control, Level, Owner, Verdict};
use proptest::prelude::*;

const ID: &str = "internet>ibs01:443/tcp";
const CLOSED: &str = "internet>ibs01:3389/tcp";

const OK: [&str; 5] = ["required", "open", "ok", "answered", "note"];
const SILENT: [&str; 5] = ["required", "filtered", "blocked", "no-answer", "error"];
const UNSURE: [&str; 5] = ["required", "silent", "unknown", "not-proved", "error"];
const NO_CONTROL: [&str; 5] = ["forbidden", "filtered", "unknown", "no-control", "error"];
const UNPROVED: [&str; 5] = ["forbidden", "filtered", "ok", "host-unproved", "note"];
const IN_STEAD: [&str; 5] = ["required", "filtered", "unknown", "in-stead", "note"];

fn parts(reports: Vec<ReportDocument>) -> Parts {
    let named = |(number, it)| Named {
        file: format!("{number}.json"),
        it,
    };
    Parts {
        reports: reports.into_iter().enumerate().map(named).collect(),
        ..Parts::default()
    }
}

fn joined(reports: Vec<ReportDocument>) -> ReportDocument {
    join(parts(reports), Mixed::Refused).expect("they belong together")
}

fn refused(parts: Parts) -> String {
    join(parts, Mixed::Refused).expect_err("refused")
}

fn flow<'a>(report: &'a ReportDocument, id: &str) -> &'a ReportFlow {
    let found = report.flows.iter().find(|flow| flow.flow.id == id);
    found.unwrap_or_else(|| panic!("{id}"))
}

fn words(flow: &ReportFlow) -> [&str; 3] {
    [flow.verdict.name(), flow.cause.name(), flow.level.name()]
}

/// A report of a zone with one flow, beginning so many minutes later than others.
fn at(zone: &str, host: &str, minutes: i64, mut flow: ReportFlow) -> ReportDocument {
    let by = jiff::SignedDuration::from_mins(minutes);
    let later = |text: &str| {
        let time: jiff::Timestamp = text.parse().expect("a time");
        format!("{:.3}", time + by)
    };
    for attempt in &mut flow.evidence.seen.attempts {
        attempt.at += by;
    }
    let mut report = sample::with(zone, host, vec![flow]);
    report.vantages[0].started = later(START);
    report.vantages[0].finished = later("2026-11-24T06:00:30Z");
    report
}

#[test]
fn proof_beats_silence_and_the_worse_of_two_proofs_counts() {
    let report = |host: &str, words| sample::with("internet", host, vec![judged(ID, words)]);
    let sure = joined(vec![report("a", UNSURE), report("b", OK)]);
    assert_eq!(words(flow(&sure, ID)), ["ok", "answered", "note"]);
    assert_eq!(flow(&sure, ID).vantage, Some(1));
    assert_eq!(flow(&sure, ID).also[0].cause, "not-proved");
    assert!(sure.contradictions.is_empty());

    let two = joined(vec![report("a", OK), report("b", SILENT)]);
    assert_eq!(words(flow(&two, ID)), ["blocked", "no-answer", "error"]);
    assert_eq!(two.summary.blocked, 1);
    assert_eq!(exit_status(&two, false), 1);
    let [contradiction] = &two.contradictions[..] else {
        panic!("{:?}", two.contradictions)
    };
    let answers: Vec<_> = contradiction
        .answers
        .iter()
        .map(|it| (it.vantage, it.verdict.name()))
        .collect();
    assert_eq!(answers, [(1, "blocked"), (0, "ok")]);
}

#[test]
fn an_error_is_never_hidden_behind_a_severer_verdict_that_is_a_warning() {
    let weak = ["required", "open", "wrong", "certificate-weak", "warning"];
    let down = ["required", "closed", "down", "nobody-listens", "error"];
    let report = |host: &str, words| sample::with("internet", host, vec![judged(ID, words)]);
    let both = joined(vec![report("a", weak), report("b", down)]);
    assert_eq!(words(flow(&both, ID)), ["down", "nobody-listens", "error"]);
    assert_eq!(exit_status(&both, false), 1);
}

#[test]
fn an_optional_flow_that_passes_here_and_not_there_is_a_contradiction() {
    let open = ["optional", "open", "ok", "answered", "note"];
    let shut = ["optional", "filtered", "ok", "not-open", "note"];
    let unsure = ["optional", "silent", "ok", "not-proved", "note"];
    let report = |host: &str, words| sample::with("internet", host, vec![judged(ID, words)]);
    let contradicts = |a, b| {
        !joined(vec![report("a", a), report("b", b)])
            .contradictions
            .is_empty()
    };
    assert!(contradicts(open, shut));
    assert!(!contradicts(open, unsure));
}

#[test]
fn the_very_systems_own_word_beats_that_of_others_in_its_stead() {
    let id = "ibs01>cm01:445/tcp";
    let mut own = sample::with("perimeter", "ibs01", vec![judged(id, UNSURE)]);
    own.vantages[0].system = Some("ibs01".to_string());
    let other = sample::with("perimeter", "probe", vec![judged(id, IN_STEAD)]);
    let both = joined(vec![other.clone(), own]);
    assert_eq!(flow(&both, id).cause, "not-proved");
    assert_eq!(
        both.vantages[flow(&both, id).vantage.expect("one")].host,
        "ibs01"
    );
    let coverage = both.coverage.expect("said");
    assert_eq!((coverage.tried, coverage.untried), (1, 0));

    let stead = joined(vec![
        other.clone(),
        sample::with("internet", "p", Vec::new()),
    ]);
    let coverage = stead.coverage.expect("said");
    assert_eq!((coverage.tried, coverage.untried), (0, 1));
    assert_eq!(coverage.starts[0].why, "in-stead");
    assert_eq!(coverage.starts[0].ids, [id]);
}

#[test]
fn a_flow_inside_ipsec_tried_in_anothers_stead_stays_untried() {
    let id = "ibs01>cm01:443/tcp";
    let mut tried = judged(
        id,
        ["required", "filtered", "unknown", "ipsec-required", "note"],
    );
    tried.flow_mut().ipsec = true;
    let other = sample::with("perimeter", "probe", vec![tried.clone()]);
    let stead = joined(vec![
        other.clone(),
        sample::with("internet", "p", Vec::new()),
    ]);
    let coverage = stead.coverage.expect("said");
    assert_eq!((coverage.tried, coverage.untried), (0, 1));
    assert_eq!(coverage.starts[0].why, "in-stead");

    let mut own = sample::with("perimeter", "ibs01", vec![judged(id, UNSURE)]);
    own.vantages[0].system = Some("ibs01".to_string());
    assert_eq!(flow(&joined(vec![other, own]), id).cause, "not-proved");

    // Not even a request that arrived makes it a verdict.
    let mut seen = log(vec![arrival(
        "06:00:01.100",
        "198.51.100.10:50112",
        "half-open",
    )]);
    seen.system = "cm01".to_string();
    let flow = with_log(tried, seen);
    assert!(flow.evidence.arrived.is_some());
    assert_eq!(words(&flow), ["unknown", "ipsec-required", "note"]);
}

#[test]
fn a_closed_door_of_a_host_that_another_vantage_shows_alive_is_ok() {
    for (closed, minutes, expected) in [
        (NO_CONTROL, 14, ["ok", "kept-closed", "note"]),
        (UNPROVED, 14, ["ok", "kept-closed", "note"]),
        (NO_CONTROL, -14, ["ok", "kept-closed", "note"]),
        (NO_CONTROL, 16, ["unknown", "no-control", "error"]),
        (NO_CONTROL, -16, ["unknown", "no-control", "error"]),
        (UNPROVED, 16, ["ok", "host-unproved", "note"]),
    ] {
        let outside = sample::with("internet", "p", vec![judged(CLOSED, closed)]);
        let inside = at(
            "intranet",
            "q",
            minutes,
            judged("intranet>ibs01:443/tcp", OK),
        );
        let both = joined(vec![outside, inside]);
        let flow = flow(&both, CLOSED);
        assert_eq!(words(flow), expected, "{closed:?} {minutes}");
        let proved = expected[1] == "kept-closed";
        assert_eq!(
            flow.evidence.context.control == Some(Control::Joined),
            proved
        );
        assert_eq!(flow.evidence.joined.is_some(), proved);
    }
}

#[test]
fn an_exception_counts_apart_and_falls_away_with_what_it_is_for() {
    for (minutes, accepted) in [(14, false), (16, true)] {
        let mut closed = judged(CLOSED, NO_CONTROL);
        closed.accepted = Some(crate::report::Accepted {
            until: "2027-03-31".to_string(),
            why: "change 4711".to_string(),
            days_left: 30,
        });
        let outside = sample::with("internet", "p", vec![closed]);
        let open = judged("intranet>ibs01:443/tcp", OK);
        let both = joined(vec![outside, at("intranet", "q", minutes, open)]);
        assert_eq!(flow(&both, CLOSED).accepted.is_some(), accepted);
        assert_eq!(both.summary.accepted, usize::from(accepted));
        assert_eq!(both.summary.unknown, 0);
        let cells = both.matrix.iter().map(|cell| cell.flows.accepted);
        assert_eq!(cells.sum::<usize>(), usize::from(accepted));
    }
}

fn reset(flow: &mut ReportFlow, reset_by: ResetBy) {
    flow.state = FlowState::Closed;
    flow.evidence.seen.state = State::Closed { reset_by };
}

#[test]
fn only_the_hosts_own_word_shows_that_it_is_alive() {
    let shows = |change: &dyn Fn(&mut ReportFlow)| {
        let outside = sample::with("internet", "p", vec![judged(CLOSED, NO_CONTROL)]);
        let mut inside = judged("intranet>ibs01:443/tcp", OK);
        change(&mut inside);
        let both = joined(vec![outside, sample::with("intranet", "q", vec![inside])]);
        flow(&both, CLOSED).verdict == "ok"
    };
    assert!(shows(&|_| {}));
    assert!(!shows(
        &|flow| flow.evidence.seen.painted = Some(Painted::HostIsDead)
    ));
    assert!(!shows(
        &|flow| flow.flow_mut().to.system = "ibs02".to_string()
    ));
    assert!(!shows(&|flow| {
        *flow = judged("intranet>ibs01:443/tcp", SILENT);
    }));
    assert!(!shows(&|flow| {
        reset(flow, ResetBy::Device);
    }));
    assert!(shows(&|flow| {
        reset(flow, ResetBy::Host);
    }));
    // From the address that was tried, which a device on the way may have.
    let rejected = |flow: &mut ReportFlow, by_the_host| {
        let words = ["required", "rejected", "blocked", "rejected", "error"];
        *flow = judged("intranet>ibs01:443/tcp", words);
        if let State::Rejected(rejection) = &mut flow.evidence.seen.state {
            rejection.by = Some([192, 0, 2, 10].into());
        }
        flow.evidence.names.get_or_insert_default().rejecting_host = by_the_host;
    };
    assert!(!shows(&|flow| rejected(flow, false)));
    assert!(shows(&|flow| rejected(flow, true)));
    // By a router, not by the host.
    assert!(!shows(&|flow| {
        *flow = judged(
            "intranet>ibs01:443/tcp",
            ["required", "rejected", "down", "host-dead", "error"],
        );
    }));
}

#[test]
fn what_translates_or_what_this_host_itself_may_have_said_proves_nothing() {
    let outside = || sample::with("internet", "p", vec![judged(CLOSED, NO_CONTROL)]);
    let shows = |change: fn(&mut ReportFlow)| {
        let mut inside = judged("intranet>ibs01:443/tcp", OK);
        inside.flow_mut().own_port = Some(8443);
        change(&mut inside);
        let both = joined(vec![outside(), sample::with("intranet", "q", vec![inside])]);
        flow(&both, CLOSED).verdict == "ok"
    };
    assert!(shows(|_| {}));
    assert!(!shows(|flow| {
        reset(flow, ResetBy::Host);
    }));
    // No message was seen, only an error number.
    let mut own = judged(
        CLOSED,
        ["forbidden", "rejected", "unknown", "no-control", "error"],
    );
    if let State::Rejected(it) = &mut own.evidence.seen.state {
        (it.icmp_type, it.icmp_code, it.by) = (None, None, None);
    }
    let own = sample::with("internet", "p", vec![own]);
    let both = joined(vec![own, sample::report("intranet", "q")]);
    assert_eq!(flow(&both, CLOSED).cause, "no-control");
}

#[test]
fn a_vantage_that_nothing_answered_or_that_was_shut_out_is_proved_by_nobody() {
    for cause in ["nothing-answered", "cut-off", "host-dead", "not-proved"] {
        let words_of = ["forbidden", "filtered", "unknown", cause, "error"];
        let outside = sample::with("internet", "p", vec![judged(CLOSED, words_of)]);
        let both = joined(vec![outside, sample::report("intranet", "q")]);
        assert_eq!(words(flow(&both, CLOSED)), ["unknown", cause, "error"]);
    }
    let alone = sample::with(
        "internet",
        "p",
        vec![judged(CLOSED, NO_CONTROL), judged(ID, OK)],
    );
    let other = sample::with("intranet", "q", Vec::new());
    let both = joined(vec![alone, other]);
    assert_eq!(
        flow(&both, CLOSED).cause,
        "no-control",
        "its own word is no other vantage's"
    );
}

#[test]
fn a_host_that_ran_this_program_itself_was_alive() {
    let outside = sample::with("internet", "p", vec![judged(CLOSED, NO_CONTROL)]);
    let mut own = sample::with("perimeter", "ibs01", Vec::new());
    own.vantages[0].system = Some("ibs01".to_string());
    let both = joined(vec![outside, own]);
    let alive = flow(&both, CLOSED).evidence.joined.as_ref().expect("alive");
    assert_eq!((alive.vantage, &alive.address), (Some(1), &None));
    assert!(
        alive.words.contains("itself ran portproof"),
        "{}",
        alive.words
    );
}

#[test]
fn a_router_that_finds_no_way_to_a_host_which_lives_keeps_a_door_closed() {
    let unproved = ["forbidden", "rejected", "ok", "host-unproved", "note"];
    let outside = sample::with("internet", "p", vec![judged(CLOSED, unproved)]);
    let both = joined(vec![outside, sample::report("intranet", "q")]);
    assert_eq!(words(flow(&both, CLOSED)), ["ok", "kept-closed", "note"]);
}

fn log(arrivals: Vec<Arrival>) -> ArrivalsDocument {
    let site = sample::report("internet", "p");
    ArrivalsDocument {
        schema: ARRIVALS_SCHEMA.to_string(),
        tool: ToolName::this(),
        site: site.site,
        config_sha256: site.vantages[0].config_sha256.clone(),
        system: "ibs01".to_string(),
        host: "ibs01".to_string(),
        started: "2026-11-24T05:50:00Z".to_string(),
        finished: "2026-11-24T06:10:00Z".to_string(),
        sees_half_open: true,
        ports: [Transport::Tcp, Transport::Udp]
            .map(|transport| ListenedPort {
                transport,
                local: "0.0.0.0:443".to_string(),
                state: Listening::Yes,
                why: None,
            })
            .into(),
        arrivals,
        more: 0,
    }
}

fn arrival(at: &str, remote: &str, what: &str) -> Arrival {
    Arrival {
        at: format!("2026-11-24T{at}Z"),
        transport: Transport::Tcp,
        local: "192.0.2.10:443".to_string(),
        remote: remote.to_string(),
        what: ArrivalKind::named(what).expect("a word"),
        run: None,
        aimed: None,
    }
}

/// A silent flow of six tries, from source ports 50001 to 50006, a second apart.
fn silent(words: [&str; 5]) -> ReportFlow {
    let mut flow = judged(ID, words);
    flow.evidence.seen.attempts = (1..=6)
        .map(|number| {
            let mut attempt = sample::attempt(
                &format!("2026-11-24T06:00:0{number}.000Z"),
                ID,
                AttemptResult::Silent,
            );
            attempt.local = Some(([198, 51, 100, 10], 50_000 + number).into());
            attempt
        })
        .collect();
    flow
}

/// The run of the vantages that are compared with a log.
const RUN: &str = "0011223344556677";

fn with_log(flow: ReportFlow, log: ArrivalsDocument) -> ReportFlow {
    with_log_beside(vec![flow], Vec::new(), log)
}

/// The first flow of a vantage that is compared with a log, beside another vantage's flows.
fn with_log_beside(
    flows: Vec<ReportFlow>,
    anothers: Vec<ReportFlow>,
    log: ArrivalsDocument,
) -> ReportFlow {
    let id = flows[0].flow.id.clone();
    let mut report = sample::with("internet", "p", flows);
    report.vantages[0].run = Some(RUN.to_string());
    let mut parts = parts(vec![report, sample::with("intranet", "q", anothers)]);
    parts.arrivals.push(Named {
        file: "arrivals.json".to_string(),
        it: log,
    });
    let report = join(parts, Mixed::Refused).expect("they belong together");
    flow(&report, &id).clone()
}

/// A challenge that proved the token of a run.
fn proved(run: &str, at: &str, remote: &str, aimed: &str) -> Arrival {
    Arrival {
        transport: Transport::Udp,
        run: Some(run.to_string()),
        aimed: Some(aimed.to_string()),
        ..arrival(at, remote, "proved")
    }
}

/// A silent flow over UDP, with a try from source port 50112.
fn silent_udp(words: [&str; 5]) -> ReportFlow {
    judged("internet>ibs01:443/udp", words)
}

const UDP_SILENT: [&str; 5] = ["required", "silent", "unknown", "udp-silent", "note"];

#[test]
fn a_challenge_of_this_very_run_needs_neither_source_nor_clock() {
    let aimed = "192.0.2.10:443";
    let seen = |run, aimed| {
        log(vec![proved(
            run,
            "05:51:00.000",
            "203.0.113.77:1024",
            aimed,
        )])
    };
    let nothing = ["required", "silent", "unknown", "nothing-answered", "error"];
    for words_of in [UDP_SILENT, nothing] {
        let flow = with_log(silent_udp(words_of), seen(RUN, aimed));
        assert_eq!(words(&flow), ["blocked", "answer-lost", "error"]);
        assert_eq!(flow.evidence.arrived.expect("said").seen[0].by, "run");
    }
    for (run, aimed) in [
        ("ffffffffffffffff", aimed),
        (RUN, "192.0.2.10:444"),
        (RUN, "192.0.2.11:443"),
    ] {
        let flow = with_log(silent_udp(UDP_SILENT), seen(run, aimed));
        assert_eq!(flow.cause, "udp-silent", "{run} {aimed}");
    }
}

#[test]
fn what_another_vantage_sent_exposes_nothing_here() {
    let closed = || {
        let mut flow = silent_udp(["forbidden", "silent", "ok", "kept-closed", "note"]);
        flow.evidence.context.control = Some(Control::Host);
        let one = flow.evidence.seen.attempts[0].clone();
        flow.evidence.seen.attempts = vec![one.clone(), one];
        flow
    };
    // Another run's challenges: at these times, and even from this source port.
    let other = "ffffffffffffffff";
    for remote in [
        "203.0.113.77:1024",
        "203.0.113.77:50112",
        "198.51.100.10:50112",
    ] {
        let seen =
            ["06:00:01.100", "06:00:01.200"].map(|at| proved(other, at, remote, "192.0.2.10:443"));
        let flow = with_log(closed(), log(seen.into()));
        assert_eq!(words(&flow), ["ok", "kept-closed", "note"], "{remote}");
        assert_eq!(flow.evidence.arrived, None, "{remote}");
    }
    // A connection that another report has a try of, from the very source.
    let mut anothers = judged("intranet>ibs01:443/tcp", SILENT);
    anothers.evidence.seen.attempts[0].local = Some(([203, 0, 113, 77], 50003).into());
    let seen = || {
        log(vec![arrival(
            "06:00:01.100",
            "203.0.113.77:50003",
            "half-open",
        )])
    };
    let alone = with_log(silent(SILENT), seen());
    assert_eq!(alone.cause, "answer-lost");
    let beside = with_log_beside(vec![silent(SILENT)], vec![anothers], seen());
    assert_eq!(beside.cause, "no-answer");
    assert_eq!(beside.evidence.arrived, None);
}

#[test]
fn where_a_listener_shows_that_nothing_is_translated_only_the_source_counts() {
    let shown = |source_nat| {
        let mut flow = judged("internet>ibs01:80/tcp", OK);
        flow.evidence.seen.listener = Some(Box::new(Listener {
            system: "ibs01".to_string(),
            run: RUN.to_string(),
            sent_from: Some(([198, 51, 100, if source_nat { 11 } else { 10 }], 50112).into()),
            seen_from: ([198, 51, 100, 10], 50112).into(),
            accepted_at: ([192, 0, 2, 10], 80).into(),
            aimed_at: None,
            port: 80,
        }));
        flow
    };
    let cause = |remote, source_nat| {
        let seen = log(vec![arrival("06:00:03.100", remote, "half-open")]);
        let flows = vec![silent(SILENT), shown(source_nat)];
        with_log_beside(flows, Vec::new(), seen).cause
    };
    assert_eq!(cause("203.0.113.77:50003", true), "answer-lost");
    assert_eq!(cause("203.0.113.77:50003", false), "no-answer");
    assert_eq!(cause("198.51.100.10:50003", false), "answer-lost");
}

#[test]
fn a_request_that_arrived_lost_its_answer_on_the_way_back() {
    for (remote, at, by) in [
        ("198.51.100.10:50003", "06:00:03.100", "source"),
        ("198.51.100.10:50003", "06:00:29.000", "source"),
        ("[::ffff:198.51.100.10]:50003", "06:00:03.100", "source"),
        ("203.0.113.77:50003", "06:00:03.100", "port"),
    ] {
        for words_of in [SILENT, UNSURE] {
            let seen = log(vec![arrival(at, remote, "half-open")]);
            let flow = with_log(silent(words_of), seen);
            assert_eq!(
                words(&flow),
                ["blocked", "answer-lost", "error"],
                "{remote}"
            );
            assert!(flow.advice.contains("way back"), "{}", flow.advice);
            let arrived = flow.evidence.arrived.expect("said");
            assert_eq!(
                (arrived.what.name(), arrived.seen[0].by.name()),
                ("request", by)
            );
        }
    }
}

#[test]
fn where_ports_are_translated_too_times_have_to_fit_and_decide_nothing() {
    let from = |remote: &str, seconds: &[u8]| -> Vec<Arrival> {
        let one = |second: &u8| arrival(&format!("06:00:{second:02}.200"), remote, "half-open");
        seconds.iter().map(one).collect()
    };
    let several = || log(from("203.0.113.77:1024", &[1, 3, 5]));
    for (words_of, cause) in [(SILENT, "no-answer"), (NO_CONTROL, "kept-closed")] {
        let flow = with_log(silent(words_of), several());
        assert_eq!(flow.cause, cause, "time alone decides nothing");
        let arrived = flow.evidence.arrived.expect("said");
        assert_eq!(
            (arrived.what.name(), arrived.seen[0].by.name()),
            ("request", "time")
        );
        assert!(arrived.words.contains("as it seems"), "{}", arrived.words);
    }
    // One stranger's knock, and several of different strangers, are not this run's.
    for strangers in [
        from("203.0.113.77:1024", &[3]),
        [
            from("203.0.113.77:1", &[3]),
            from("203.0.113.78:1", &[4]),
            from("203.0.113.79:1", &[5]),
        ]
        .concat(),
    ] {
        let flow = with_log(silent(SILENT), log(strangers));
        assert_eq!(flow.cause, "no-answer");
        assert_eq!(
            flow.evidence.arrived, None,
            "something arrived, and nobody knows whose"
        );
    }
}

#[test]
fn a_translated_port_is_compared_with_the_one_that_is_listened_on() {
    let mut flow = silent(SILENT);
    flow.flow_mut().own_port = Some(8443);
    let mut inside = arrival("06:00:03.100", "198.51.100.10:50003", "half-open");
    assert_eq!(
        with_log(flow.clone(), log(vec![inside.clone()])).cause,
        "no-answer"
    );
    inside.local = "192.0.2.10:8443".to_string();
    assert_eq!(with_log(flow, log(vec![inside])).cause, "answer-lost");
}

#[test]
fn what_arrived_at_another_time_port_or_in_whole_is_another_matter() {
    let whole = arrival("06:00:03.100", "198.51.100.10:50003", "stranger");
    let early = arrival("05:55:00.000", "198.51.100.10:50003", "half-open");
    let mut elsewhere = arrival("06:00:03.100", "198.51.100.10:50003", "half-open");
    elsewhere.local = "192.0.2.10:80".to_string();
    for other in [whole, early, elsewhere] {
        let flow = with_log(silent(SILENT), log(vec![other]));
        assert_eq!(words(&flow), ["blocked", "no-answer", "error"]);
    }
}

#[test]
fn that_nothing_arrived_is_said_only_by_who_listened_all_the_while() {
    let said = |change: fn(&mut ArrivalsDocument)| {
        let mut log = log(Vec::new());
        change(&mut log);
        let flow = with_log(silent(SILENT), log);
        assert_eq!(words(&flow), ["blocked", "no-answer", "error"]);
        flow.evidence.arrived.map(|arrived| arrived.what)
    };
    assert_eq!(said(|_| {}), Some(Saw::Nothing));
    assert_eq!(said(|log| log.more = 1), None);
    assert_eq!(said(|log| log.sees_half_open = false), None);
    assert_eq!(
        said(|log| log.started = "2026-11-24T06:00:00Z".to_string()),
        None
    );
    assert_eq!(
        said(|log| log.finished = "2026-11-24T06:00:20Z".to_string()),
        None
    );
    assert_eq!(said(|log| log.ports[0].state = Listening::InUse), None);
    assert_eq!(said(|log| log.ports.clear()), None);
    assert_eq!(said(|log| log.system = "ibs02".to_string()), None);
}

#[test]
fn that_nothing_arrived_is_said_only_of_addresses_that_were_listened_at() {
    let said = |ends: &[(&str, Listening)]| {
        let mut log = log(Vec::new());
        log.ports = ends
            .iter()
            .map(|(local, state)| ListenedPort {
                transport: Transport::Tcp,
                local: (*local).to_string(),
                state: *state,
                why: None,
            })
            .collect();
        with_log(silent(SILENT), log).evidence.arrived.is_some()
    };
    let (on, off) = (Listening::Yes, Listening::InUse);
    // The address that was tried is the host's own.
    assert!(said(&[("192.0.2.10:443", on), ("192.0.2.11:443", off)]));
    assert!(!said(&[("192.0.2.10:443", off), ("192.0.2.11:443", on)]));
    assert!(!said(&[("192.0.2.10:80", on), ("192.0.2.11:443", on)]));
    // It is translated to one of these.
    assert!(said(&[("10.0.0.1:443", on), ("10.0.0.2:443", on)]));
    assert!(!said(&[("10.0.0.1:443", on), ("10.0.0.2:443", off)]));
}

#[test]
fn a_datagram_that_arrived_was_answered_only_if_it_proved_the_token() {
    let udp = |what: &str| {
        let id = "internet>ibs01:443/udp";
        let mut flow = judged(id, ["required", "silent", "unknown", "udp-silent", "note"]);
        flow.evidence.seen.attempts[0].local = Some(([198, 51, 100, 10], 50003).into());
        let mut arrived = arrival("06:00:01.100", "198.51.100.10:50003", what);
        arrived.transport = Transport::Udp;
        arrived.run = (what == "proved").then(|| RUN.to_string());
        let flow = with_log(flow, log(vec![arrived]));
        let arrived = flow.evidence.arrived.as_ref().expect("said");
        assert_eq!(arrived.what, "request");
        flow.cause
    };
    assert_eq!(udp("proved"), "answer-lost");
    assert_eq!(udp("stranger"), "udp-silent");
}

#[test]
fn a_forbidden_request_that_arrives_is_exposed_though_no_answer_came_back() {
    let seen = log(vec![arrival(
        "06:00:03.100",
        "198.51.100.10:50003",
        "half-open",
    )]);
    let flow = with_log(silent(NO_CONTROL), seen);
    assert_eq!(words(&flow), ["exposed", "answer-lost", "warning"]);
    assert!(flow.advice.contains("close 443/tcp"), "{}", flow.advice);
}

#[test]
fn an_arrival_decides_nothing_of_a_flow_that_was_tried_in_anothers_stead() {
    let seen = log(vec![arrival(
        "06:00:03.100",
        "198.51.100.10:50003",
        "half-open",
    )]);
    let flow = with_log(silent(IN_STEAD), seen);
    assert_eq!(words(&flow), ["unknown", "in-stead", "note"]);
    assert!(flow.evidence.arrived.is_some());
}

/// Two vantages of one zone that were shown these certificates: issuer, hash, what the run said, root.
fn shown(a: [&str; 4], b: [&str; 4]) -> (ReportFlow, Vec<Note>) {
    let one = |host: &str, [issuer, sha256, is, root]: [&str; 4]| {
        let mut flow = match root {
            "" => judged(
                ID,
                [
                    "required",
                    "open",
                    "wrong",
                    "certificate-untrusted",
                    "error",
                ],
            ),
            _ => judged(ID, OK),
        };
        let root = (!root.is_empty()).then_some(root);
        flow.evidence.seen.tls = Some(Box::new(sample::tls(issuer, sha256, is, root)));
        sample::with("internet", host, vec![flow])
    };
    // The first of them is looked at: the other's word is made an unknown one.
    let mut other = one("b", b);
    let flow = &mut other.flows[0];
    (flow.state, flow.verdict) = (FlowState::Silent, Verdict::Unknown);
    (flow.cause, flow.level) = (Cause::NotProved, Level::Error);
    other.summary = summary(&other.flows);
    let report = joined(vec![one("a", a), other]);
    (report.flows[0].clone(), report.notes)
}

fn interception(flow: &ReportFlow) -> (&str, Option<&str>) {
    let tls = flow.evidence.seen.tls.as_ref().expect("TLS");
    let it = tls.interception.as_ref().expect("said");
    (it.is.name(), it.by.as_deref())
}

#[test]
fn a_certificate_beside_the_services_own_is_intercepted_only_with_proof() {
    let own = ["CN=Site Root", "aa", "no", "CN=Site Root"];
    let filter = ["CN=WebFilter", "bb", "undecided", ""];
    let (flow, notes) = shown(filter, own);
    assert_eq!(words(&flow), ["wrong", "intercepted", "error"]);
    assert_eq!(flow.owner, Some(Owner::Proxy));
    assert_eq!(interception(&flow), ("proved", Some("CN=WebFilter")));
    assert!(flow.advice.contains("CN=WebFilter"), "{}", flow.advice);
    assert!(notes.is_empty());

    // An authority that the system trusts may be a real one: the site file may be incomplete.
    let public = ["CN=Public CA", "cc", "undecided", "CN=Public Root"];
    let (flow, _) = shown(public, own);
    assert_eq!(words(&flow), ["ok", "answered", "note"]);
    assert_eq!(interception(&flow), ("suspected", Some("CN=Public CA")));

    // Nobody knows whose the other one is.
    let unknown = ["CN=Another", "dd", "undecided", ""];
    let (flow, _) = shown(filter, unknown);
    assert_eq!(words(&flow), ["wrong", "certificate-untrusted", "error"]);
    assert_eq!(interception(&flow), ("suspected", Some("CN=WebFilter")));

    // The service's own stays so, whatever others were shown.
    let (flow, _) = shown(own, filter);
    assert_eq!(interception(&flow), ("no", None));
}

#[test]
fn the_same_certificate_elsewhere_clears_and_another_of_its_issuer_is_a_note() {
    let one = ["CN=Public CA", "cc", "suspected", "CN=Public Root"];
    let (flow, notes) = shown(one, one);
    assert_eq!(interception(&flow), ("no", None));
    assert!(notes.is_empty());
    let twin = ["CN=Public CA", "dd", "undecided", "CN=Public Root"];
    let (flow, notes) = shown(twin, one);
    assert_eq!(words(&flow), ["ok", "answered", "note"]);
    assert_eq!(interception(&flow), ("undecided", None));
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].cause, "certificates-differ");
}

#[test]
fn what_does_not_belong_together_is_refused_by_name() {
    let one = sample::report("internet", "a");
    let mut other = sample::report("perimeter", "b");
    other.site.code = "SEC".to_string();
    let error = refused(parts(vec![one.clone(), other]));
    for said in ["0.json", "1.json", "PRI", "SEC", "different sites"] {
        assert!(error.contains(said), "{said}: {error}");
    }
    let mut other = sample::report("perimeter", "b");
    other.vantages[0].config_sha256 = "bb".repeat(32);
    let both = vec![one.clone(), other];
    let error = refused(parts(both.clone()));
    let (first, second) = ("aa".repeat(32), "bb".repeat(32));
    for said in ["0.json", "1.json", &first, &second, "--mixed-files"] {
        assert!(error.contains(said), "{said}: {error}");
    }
    let mixed = join(parts(both), Mixed::Joined).expect("asked for");
    assert_eq!(mixed.notes[0].cause, "mixed-files");
    assert!(mixed.notes[0].text.contains(&second));

    let joined = joined(vec![one.clone(), sample::report("perimeter", "b")]);
    let error = refused(parts(vec![one, joined]));
    assert!(error.contains("1.json is a joined report"), "{error}");
    assert!(refused(Parts::default()).contains("no report"));
}

#[test]
fn what_is_given_twice_counts_once_and_days_apart_are_noted() {
    let one = sample::report("internet", "a");
    let twice = joined(vec![
        one.clone(),
        sample::report("perimeter", "b"),
        one.clone(),
    ]);
    assert_eq!(twice.vantages.len(), 2);
    assert_eq!(twice.notes[0].cause, "given-twice");
    assert!(twice.notes[0].text.contains("0.json") && twice.notes[0].text.contains("2.json"));

    let day = 24 * 60;
    let later = |minutes| {
        at(
            "perimeter",
            "b",
            minutes,
            judged("perimeter>ibs01:1/tcp", OK),
        )
    };
    assert!(joined(vec![one.clone(), later(day)]).notes.is_empty());
    assert_eq!(
        joined(vec![one, later(day + 1)]).notes[0].cause,
        "far-apart"
    );
}

#[test]
fn of_one_vantage_at_two_times_the_later_report_counts_and_a_note_says_so() {
    let report = |minutes, words| at("internet", "a", minutes, judged(ID, words));
    let (broken, mended) = (report(0, SILENT), report(30, OK));
    for given in [[&broken, &mended], [&mended, &broken]] {
        let both = joined(given.map(Clone::clone).to_vec());
        assert_eq!(both.vantages.len(), 1);
        assert_eq!(both.flows[0].verdict, "ok");
        assert!(both.contradictions.is_empty() && both.flows[0].also.is_empty());
        assert_eq!(both.notes[0].cause, "earlier-report");
        let text = &both.notes[0].text;
        let later = if given[0] == &broken {
            "1.json"
        } else {
            "0.json"
        };
        assert!(
            text.contains(&format!("counts: {later}, which ended at")),
            "{text}"
        );
    }
    // The same name in the same zone, and no address in common: another host.
    let mut other = mended;
    other.vantages[0].addresses = vec!["198.51.100.11".to_string()];
    assert_eq!(joined(vec![broken, other]).vantages.len(), 2);
}

#[test]
fn coverage_is_counted_from_reports_and_named_from_the_site_file() {
    let start = |zone: &str, system: Option<&str>, flows| Elsewhere {
        zone: zone.to_string(),
        system: system.map(str::to_string),
        flows,
    };
    let mut inside = sample::report("internet", "a");
    inside.elsewhere = vec![
        start("perimeter", Some("ibs01"), 3),
        start("intranet", None, 4),
    ];
    inside.flows_elsewhere = 7;
    let mut perimeter = sample::report("perimeter", "b");
    perimeter.elsewhere = vec![start("internet", None, 1), start("intranet", None, 4)];
    perimeter.flows_elsewhere = 5;
    let both = vec![inside.clone(), perimeter];
    let counted = joined(both.clone());
    let coverage = counted.coverage.expect("said");
    assert_eq!((coverage.tried, coverage.untried), (2, 4));
    assert_eq!(coverage.starts.len(), 1);
    assert_eq!(coverage.starts[0].zone.as_deref(), Some("intranet"));
    assert_eq!(
        (counted.flows_elsewhere, counted.elsewhere),
        (4, vec![start("intranet", None, 4)])
    );

    let ids = [
        "internet>ibs01:443/tcp",
        "internet>ibs01:8531/tcp",
        "intranet>ibs01:443/tcp",
    ];
    let mut given = parts(both);
    given.plan = Some(Named {
        file: "probes.yaml".to_string(),
        it: Planned {
            config_sha256: "aa".repeat(32),
            flows: ids.map(|id| sample::flow(id).flow).into(),
        },
    });
    let named = join(given.clone(), Mixed::Refused).expect("they belong together");
    let coverage = named.coverage.expect("said");
    let said: Vec<_> = coverage
        .starts
        .iter()
        .map(|it| (it.why.name(), &it.ids[..]))
        .collect();
    assert_eq!(
        said,
        [
            ("left-out", &[ids[1].to_string()][..]),
            ("no-report", &[ids[2].to_string()][..])
        ]
    );
    let cell = |zone: &str| {
        let mut cells = named.matrix.iter();
        let cell = cells.find(|cell| cell.from.zone == zone).expect("a cell");
        (cell.flows.ok, cell.untried)
    };
    assert_eq!(cell("internet"), (1, 1));
    assert_eq!(cell("intranet"), (0, 1));

    if let Some(plan) = &mut given.plan {
        plan.it.config_sha256 = "cc".repeat(32);
    }
    let error = refused(given);
    assert!(error.contains("probes.yaml"), "{error}");

    // Reports that do not name where their flows start still say how many there are.
    inside.elsewhere.clear();
    let silent = joined(vec![inside, sample::with("perimeter", "b", Vec::new())]);
    let coverage = silent.coverage.expect("said");
    assert_eq!((coverage.untried, &coverage.starts[0].zone), (7, &None));
}

fn plain(report: &ReportDocument, detail: Detail) -> String {
    anstream::adapter::strip_str(&crate::report::text(report, detail, Width::UNKNOWN)).to_string()
}

/// A text without its line ends: where a line is broken, does not matter.
fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_text_shows_matrix_coverage_contradictions_and_whose_word_it_is() {
    let a = sample::with(
        "internet",
        "a",
        vec![judged(ID, OK), judged(CLOSED, NO_CONTROL)],
    );
    let b = sample::with("internet", "b", vec![judged(ID, SILENT)]);
    let both = joined(vec![a, b]);
    let text = plain(&both, Detail::Findings);
    for said in [
        "Site PRI seen from internet (host a, 2026-11-24T06:00:00Z)\nSite PRI seen from internet \
         (host b,",
        "\nFrom, and to\n            ibs01\n  internet  1 blocked\n            1 unknown\n",
        "\nCoverage: 2 flows were tried; the reports know of no others",
        "\nContradictions: one flow, two answers, each with proof; the first counts\n  \
         internet>ibs01:443/tcp\n    blocked no-answer from internet (host b), \
         2026-11-24T06:00:01.000Z\n    ok answered from internet (host a), \
         2026-11-24T06:00:01.000Z\n",
        "\nBLOCKED internet>ibs01:443/tcp  no-answer  (firewall team)\n  from: internet (host b)\n",
    ] {
        assert!(text.contains(said), "{said}\n---\n{text}");
    }
}

#[test]
fn a_matrix_of_many_systems_stays_within_a_terminal() {
    let flows = (1..40)
        .flat_map(|number| {
            let id = |from: &str| format!("{from}>a-rather-long-name-{number:02}:443/tcp");
            [
                judged(&id("internet"), SILENT),
                judged(&id("ibs01"), UNSURE),
            ]
        })
        .collect();
    let many = joined(vec![sample::with("internet", "a", flows)]);
    let text = plain(&many, Detail::Findings);
    let matrix = text.split("From, and to").nth(1).expect("a matrix");
    let matrix = matrix.split("Coverage").next().expect("an end");
    assert!(matrix.contains("a-rather-long-name-39"));
    for line in matrix.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn nothing_that_a_stranger_wrote_reaches_the_terminal_as_it_is() {
    let evil = "x\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}y";
    let mut report = sample::with(
        "internet",
        "a",
        vec![judged(ID, SILENT), judged(CLOSED, OK)],
    );
    let mut value = serde_json::to_value(&report).expect("JSON");
    poison(&mut value, evil);
    for key in ["started", "finished"] {
        value["vantages"][0][key] = START.into();
    }
    value["schema"] = report.schema.clone().into();
    report = crate::report::read(value.to_string().as_bytes()).expect("read");
    let mut other = report.clone();
    other.vantages[0].zone = format!("{evil}2");
    other.flows[0] = ReportFlow {
        verdict: Verdict::Ok,
        ..other.flows[0].clone()
    };
    other.summary = summary(&other.flows);
    let both = joined(vec![report.clone(), other]);
    assert!(!both.contradictions.is_empty());
    let diff = crate::report::diff(&report, &both).expect("of one site");
    for text in [
        plain(&both, Detail::Everything),
        plain(&report, Detail::Everything),
        anstream::adapter::strip_str(&crate::report::diff_text(&diff, Width::UNKNOWN)).to_string(),
    ] {
        let shown = text.replace('\n', " ");
        assert_eq!(crate::diagnostic::visible(&shown), shown);
        assert!(shown.contains("\\u{202e}"));
    }
}

/// Replaces every text in a document.
/// Puts another text in the place of every one. Words of closed sets stay: a report with another is refused.
fn poison(value: &mut serde_json::Value, by: &str) {
    // Words of closed sets, times and addresses: anything else is refused when the report is read.
    const WORDS: [&str; 16] = [
        "state",
        "verdict",
        "cause",
        "level",
        "need",
        "owner",
        "transport",
        "protocol",
        "confidence",
        "depth",
        "control",
        "result",
        "at",
        "local",
        "remote",
        "address",
    ];
    match value {
        serde_json::Value::String(text) => *text = by.to_string(),
        serde_json::Value::Array(all) => all.iter_mut().for_each(|it| poison(it, by)),
        serde_json::Value::Object(all) => all
            .iter_mut()
            .filter(|(key, _)| !WORDS.contains(&key.as_str()))
            .for_each(|(_, it)| poison(it, by)),
        _ => {}
    }
}

/// Words as `check` may write them, of one flow of each need.
fn some_words() -> impl Strategy<Value = (usize, [&'static str; 5])> {
    let required = [OK, SILENT, UNSURE, IN_STEAD];
    let forbidden = [
        NO_CONTROL,
        UNPROVED,
        ["forbidden", "open", "exposed", "open", "error"],
        ["forbidden", "rejected", "ok", "host-unproved", "note"],
    ];
    prop_oneof![
        (0..4_usize).prop_map(move |number| (0, required[number])),
        (0..4_usize).prop_map(move |number| (1, forbidden[number])),
    ]
}

fn some_report() -> impl Strategy<Value = ReportDocument> {
    let zones = ["internet", "perimeter"];
    (
        0..2_usize,
        0..3_usize,
        0..40_i64,
        prop::collection::vec(some_words(), 0..5),
    )
        .prop_map(move |(zone, host, minutes, all)| {
            let zone = zones[zone];
            let mut report = at(zone, &format!("host{host}"), minutes, sample::flow(ID));
            let times = report.vantages[0].clone();
            report.flows = all
                .into_iter()
                .map(|(port, words)| {
                    let id = format!("{zone}>ibs01:{}/tcp", [443, 3389][port]);
                    let mut flow = judged(&id, words);
                    for attempt in &mut flow.evidence.seen.attempts {
                        attempt.at = times.started.parse().expect("a time");
                    }
                    flow.evidence.seen.tls = (words[1] == "open").then(|| {
                        let issuer = format!("CN={}", times.host);
                        Box::new(sample::tls(
                            &issuer,
                            &times.host,
                            ["no", "undecided"][host % 2],
                            None,
                        ))
                    });
                    flow
                })
                .collect();
            report.summary = summary(&report.flows);
            report
        })
}

proptest! {
    #[test]
    fn the_order_in_which_reports_are_given_does_not_matter(
        reports in prop::collection::vec(some_report(), 1..5),
        logs in 0..2_usize,
        order in any::<prop::sample::Index>(),
    ) {
        let mut given = parts(reports);
        let seen = arrival("06:00:00.000", "198.51.100.10:50112", "half-open");
        given.arrivals = (0..logs)
            .map(|_| Named { file: "arrivals.json".to_string(), it: log(vec![seen.clone()]) })
            .collect();
        let mut turned = given.clone();
        let by = order.index(given.reports.len());
        turned.reports.rotate_left(by);
        turned.reports.swap(0, given.reports.len() - 1);
        let one = join(given, Mixed::Refused).expect("they belong together");
        prop_assert_eq!(&one, &join(turned, Mixed::Refused).expect("they belong together"));
        // What is joined is a report, and adds up.
        let text = serde_json::to_string(&one).expect("JSON");
        prop_assert_eq!(crate::report::read(text.as_bytes()), Ok(one.clone()));
        plain(&one, Detail::Everything);
    }

    #[test]
    fn a_join_never_makes_a_failure_good_nor_an_untried_flow_ok(
        reports in prop::collection::vec(some_report(), 1..5),
    ) {
        // Each on a host of its own: of one vantage only the latest report counts.
        let mut reports = reports;
        for (number, report) in reports.iter_mut().enumerate() {
            report.vantages[0].host += &format!("-{number}");
        }
        let one = joined(reports.clone());
        for flow in &one.flows {
            let of_it = || reports.iter().flat_map(|it| &it.flows).filter(|it| it.flow.id == flow.flow.id);
            let failed = of_it().any(|it| ["blocked", "exposed"].contains(&it.verdict.name()));
            prop_assert!(!failed || flow.verdict == "blocked" || flow.verdict == "exposed");
            if flow.verdict == "ok" {
                let proved = of_it().any(|it| it.verdict == "ok" || it.cause == "no-control");
                prop_assert!(proved, "{:?}", flow);
            }
        }
    }
}

const HOST_SILENT: [&str; 5] = ["required", "filtered", "blocked", "host-silent", "error"];

/// A required flow that was tried at these seconds of the minute after six.
fn tried_at(words: [&str; 5], seconds: &[i64]) -> ReportFlow {
    let mut flow = judged(ID, words);
    let first = flow.evidence.seen.attempts[0].clone();
    let start: jiff::Timestamp = START.parse().expect("a time");
    let at = |second: &i64| crate::observation::Attempt {
        at: start + jiff::SignedDuration::from_secs(*second),
        ..first.clone()
    };
    flow.evidence.seen.attempts = seconds.iter().map(at).collect();
    flow
}

/// What another vantage saw at these seconds, of the same port across a border.
fn served_at(seconds: &[i64]) -> ReportFlow {
    let mut flow = tried_at(OK, seconds);
    flow.flow_mut().id = "extranet>ibs01:443/tcp".to_string();
    flow.flow_mut().from.zone = "extranet".to_string();
    flow.evidence.seen.service = Some(Service::Spoke);
    flow
}

/// What is said of a flow in the light of what another vantage saw.
fn in_the_light_of(flow: ReportFlow, other: ReportFlow) -> ([String; 3], String) {
    let one = sample::with("internet", "p", vec![flow]);
    let both = joined(vec![one, sample::with("extranet", "q", vec![other])]);
    let flow = both
        .flows
        .iter()
        .find(|flow| flow.flow.id == ID)
        .expect("it");
    let said = [
        flow.verdict.name(),
        flow.cause.name(),
        flow.owner.map_or("", Owner::name),
    ];
    (
        said.map(str::to_string),
        unbroken(&plain(&both, Detail::Everything)),
    )
}

#[test]
fn a_silent_host_that_served_others_before_and_after_was_up_and_a_rule_is_missing() {
    let silent = || tried_at(HOST_SILENT, &[20, 30, 40]);
    let (said, text) = in_the_light_of(silent(), served_at(&[5, 50]));
    assert_eq!(said, ["blocked", "no-answer", "firewall"]);
    let words = "443/tcp of ibs01 was up meanwhile at 192.0.2.10";
    assert!(text.contains(words), "{text}");

    // Alive, and nothing shows that the port serves those who come across a border: its own firewall may let neighbours in.
    type Change = fn(&mut ReportFlow);
    let only_alive: [Change; 4] = [
        |flow| flow.evidence.context.between_zones = false,
        |flow| {
            flow.evidence
                .seen
                .attempts
                .iter_mut()
                .for_each(|it| it.remote.set_port(80));
        },
        |flow| reset(flow, ResetBy::Host),
        |flow| {
            flow.evidence.seen.source_ports = Some(SourcePorts {
                tried: 16,
                open: 15,
                blocked: 1,
                ..SourcePorts::default()
            });
        },
    ];
    for (number, change) in only_alive.into_iter().enumerate() {
        let mut other = served_at(&[5, 50]);
        change(&mut other);
        if number == 2 {
            let met = &mut other.evidence.seen.attempts;
            met.iter_mut()
                .for_each(|it| it.result = AttemptResult::Reset);
        }
        let (said, _) = in_the_light_of(silent(), other);
        assert_eq!(
            said,
            ["blocked", "no-answer", "server-then-firewall"],
            "{number}"
        );
    }
}

#[test]
fn what_does_not_surely_show_that_the_host_was_up_all_the_while_changes_nothing() {
    let stays = |flow: ReportFlow, other: ReportFlow, why: &str| {
        let cause = flow.cause.name().to_string();
        let (said, text) = in_the_light_of(flow, other);
        assert_eq!(said[1], cause, "{why}");
        assert!(!text.contains("was up meanwhile"), "{why}: {text}");
    };
    let silent = || tried_at(HOST_SILENT, &[20, 30, 40]);
    for (seconds, why) in [
        (&[50][..], "it may have been started since"),
        (&[5], "it may have been stopped since"),
        (&[5, 15], "all before"),
        (&[18, 22], "most tries lie outside"),
        (&[-120, 180], "far enough apart to start again"),
    ] {
        stays(silent(), served_at(seconds), why);
    }
    type Change = fn(&mut ReportFlow);
    let others: [(Change, &str); 6] = [
        (
            |flow| flow.evidence.seen.painted = Some(Painted::HostIsDead),
            "a device opened it",
        ),
        (
            |flow| flow.evidence.seen.service = Some(Service::NotAsked),
            "it has not spoken",
        ),
        (
            |flow| flow.evidence.seen.via = Some("http://proxy:8080".to_string()),
            "by a proxy",
        ),
        (
            |flow| reset(flow, ResetBy::Either),
            "a device may have reset",
        ),
        (
            |flow| flow.flow_mut().to.system = "ibs02".to_string(),
            "another system",
        ),
        (
            |flow| {
                let other = [192, 0, 2, 11].into();
                flow.evidence.seen.address = Some(other);
                flow.evidence
                    .seen
                    .attempts
                    .iter_mut()
                    .for_each(|it| it.remote.set_ip(other));
            },
            "another address",
        ),
    ];
    for (change, why) in others {
        let mut other = served_at(&[5, 50]);
        change(&mut other);
        stays(silent(), other, why);
    }
    let mut shared = silent();
    shared.evidence.names.get_or_insert_default().several_hosts = true;
    stays(
        shared,
        served_at(&[5, 50]),
        "a member may be off, and another up",
    );
    let mut earlier = silent();
    earlier.evidence.earlier = Some(Vec::new());
    stays(
        earlier,
        served_at(&[5, 50]),
        "the earlier format does not tell all that was known",
    );
    let mut nothing = tried_at(
        [
            "required",
            "filtered",
            "unknown",
            "nothing-answered",
            "error",
        ],
        &[20, 30, 40],
    );
    nothing.evidence.context.nothing_answered = true;
    stays(
        nothing,
        served_at(&[5, 50]),
        "this vantage may have no network",
    );
    let unsure = tried_at(UNSURE, &[20, 30, 40]);
    stays(unsure, served_at(&[5, 50]), "silence that is no proof");
}

#[test]
fn a_host_that_ran_this_program_all_the_while_at_that_very_address_was_up() {
    let mut own = sample::with("perimeter", "ibs01", Vec::new());
    own.vantages[0].system = Some("ibs01".to_string());
    own.vantages[0].finished = "2026-11-24T06:01:00Z".to_string();
    let of = |address: &str| {
        let mut own = own.clone();
        own.vantages[0].addresses = vec![address.to_string()];
        let silent = tried_at(HOST_SILENT, &[20, 30, 40]);
        let both = joined(vec![sample::with("internet", "p", vec![silent]), own]);
        (flow(&both, ID).cause, flow(&both, ID).owner)
    };
    let shown = (Cause::NoAnswer, Some(Owner::ServerThenFirewall));
    assert_eq!(of("192.0.2.10"), shown);
    // The address that was tried may be translated, to this host or to another one.
    assert_eq!(of("10.0.0.5").0, Cause::HostSilent);
}

#[test]
fn a_reset_at_a_port_that_served_others_meanwhile_came_from_a_device() {
    let words = ["required", "closed", "blocked", "reset", "error"];
    let (said, _) = in_the_light_of(tried_at(words, &[20]), served_at(&[5, 50]));
    assert_eq!(said, ["blocked", "reset-by-device", "firewall"]);
    // The service may just have been started, or the reset be the host's by all that is known.
    let (said, _) = in_the_light_of(tried_at(words, &[20]), served_at(&[50]));
    assert_eq!(said[1], "reset");
    let mut alive = served_at(&[5, 50]);
    alive
        .evidence
        .seen
        .attempts
        .iter_mut()
        .for_each(|it| it.remote.set_port(80));
    let (said, _) = in_the_light_of(tried_at(words, &[20]), alive);
    assert_eq!(said[1], "reset");
}

#[test]
fn a_router_that_finds_no_host_is_not_believed_against_one_that_answered_meanwhile() {
    let words = ["required", "rejected", "down", "host-dead", "error"];
    let dead = || {
        let mut flow = tried_at(words, &[20]);
        flow.evidence.context.host_dead = true;
        flow
    };
    let (said, _) = in_the_light_of(dead(), served_at(&[5, 50]));
    assert_eq!(said, ["unknown", "host-unreachable", "prober"]);
    let (said, _) = in_the_light_of(dead(), served_at(&[50]));
    assert_eq!(said[..2], ["down", "host-dead"]);
}

#[test]
fn another_product_is_another_site() {
    let one = sample::report("internet", "a");
    let mut other = one.clone();
    other.site = SiteName {
        product: "configmgr-2012".to_string(),
        ..one.site.clone()
    };
    assert!(refused(parts(vec![one, other])).contains("configmgr-2012"));
}
