//! Small reports for tests, with words as `check` writes them.

use std::sync::Arc;

use super::count::summary;
use super::document::{Evidence, ReportFlow, Vantage};
use super::whole::ReportDocument;
use super::whole::SCHEMA;
use crate::observation::{
    Attempt, AttemptResult, Certificate, Depth, FlowState, Intercepted, Interception, Observation,
    Prohibition, Purpose, Rejection, ResetBy, State, TlsSeen, Trouble, Unresolved,
};
use crate::plan::{Declared, Destination, FlowEntry, Port, SiteName, Source, ToolName};
use crate::product::{Confidence, Need, Protocol, Transport};
use crate::verdict::{Cause, Context, Level, Owner, Verdict};

/// The time at which made reports begin.
pub(crate) const START: &str = "2026-11-24T06:00:00Z";

/// A report of one zone, with one required flow to `ibs01` that is as it must be.
pub(crate) fn report(zone: &str, host: &str) -> ReportDocument {
    with(zone, host, vec![flow(&format!("{zone}>ibs01:443/tcp"))])
}

/// A report of one zone with these flows.
pub(crate) fn with(zone: &str, host: &str, flows: Vec<ReportFlow>) -> ReportDocument {
    ReportDocument {
        schema: SCHEMA.to_string(),
        tool: ToolName::this(),
        site: SiteName {
            code: "PRI".to_string(),
            product: "configmgr-2007".to_string(),
        },
        vantages: vec![Vantage {
            zone: zone.to_string(),
            system: None,
            host: host.to_string(),
            addresses: vec!["198.51.100.10".to_string()],
            started: START.to_string(),
            finished: "2026-11-24T06:00:30Z".to_string(),
            config_sha256: "aa".repeat(32),
            run: None,
            forced: None,
            needed_only: false,
            sent: None,
            agent: None,
            also_in: Vec::new(),
        }],
        authorised: None,
        summary: summary(&flows),
        flows,
        flows_elsewhere: 0,
        elsewhere: Vec::new(),
        sweeps: Vec::new(),
        notes: Vec::new(),
        change: None,
        devices: Default::default(),
        client: None,
        contradictions: Vec::new(),
        coverage: None,
        matrix: Vec::new(),
    }
}

/// The flow of an id such as `internet>ibs01:443/tcp`: required, and as it must be. A start with a digit is a system.
pub(crate) fn flow(id: &str) -> ReportFlow {
    let (from, to) = id.split_once('>').expect("a start");
    let (to, service) = to.split_once(':').expect("an end");
    let (port, transport) = service.split_once('/').expect("a port");
    let is_system = from.contains(|c: char| c.is_ascii_digit());
    ReportFlow {
        flow: Arc::new(FlowEntry {
            id: id.to_string(),
            from: Source {
                zone: if is_system { "perimeter" } else { from }.to_string(),
                system: is_system.then(|| from.to_string()),
            },
            to: Destination {
                system: to.to_string(),
                zone: Some("perimeter".to_string()),
                name: Some(format!("{to}.example.com")),
                addresses: vec!["192.0.2.10".to_string()],
            },
            transport: Transport::named(transport).expect("a transport"),
            port: Port::One(port.parse().expect("a number")),
            own_port: None,
            ipsec: false,
            protocol: Protocol::Tcp,
            need: Need::Required,
            rules: vec!["rule".to_string()],
            why: "Clients need it.".into(),
            breaks: "Nothing works.".into(),
            source: None,
            confidence: Confidence::Documented,
            declared: Declared {
                file: "probes.yaml".to_string(),
                line: 1,
                column: 1,
            },
            crosses: vec!["front-end".to_string()],
        }),
        state: FlowState::Open,
        verdict: Verdict::Ok,
        cause: Cause::Answered,
        level: Level::Note,
        owner: None,
        evidence: Box::new(Evidence {
            seen: Observation {
                depth: Depth::named(transport),
                attempts: vec![attempt("2026-11-24T06:00:01.000Z", id, AttemptResult::Open)],
                ..Observation::without_packets(Some([192, 0, 2, 10].into()), State::Open)
            },
            context: Context {
                between_zones: !is_system && from != "perimeter",
                ..Context::default()
            },
            ..Evidence::default()
        }),
        advice: String::new(),
        logged: Vec::new(),
        accepted: None,
        lapsed: None,
        vantage: None,
        also: Vec::new(),
    }
}

/// One try of a flow, from source port 50112.
pub(crate) fn attempt(at: &str, id: &str, result: AttemptResult) -> Attempt {
    let port = id
        .rsplit_once(':')
        .and_then(|(_, service)| service.split('/').next());
    Attempt {
        at: at.parse().expect("a time"),
        local: Some(([198, 51, 100, 10], 50112).into()),
        remote: format!("192.0.2.10:{}", port.unwrap_or("0"))
            .parse()
            .expect("an end"),
        took_ms: 1.0,
        result,
    }
}

/// A flow with other words: need, state, verdict, cause, level.
pub(crate) fn judged(id: &str, words: [&str; 5]) -> ReportFlow {
    let mut flow = flow(id);
    let [need, state, verdict, cause, level] = words;
    flow.flow_mut().need = Need::named(need).expect("a need");
    flow.state = FlowState::named(state).expect("a state");
    flow.verdict = Verdict::named(verdict).expect("a verdict");
    flow.cause = Cause::named(cause).expect("a cause");
    flow.level = Level::named(level).expect("a level");
    flow.evidence.seen.state = seen(flow.state);
    flow.evidence.context.in_stead = ["in-stead", "ipsec-required"].contains(&cause);
    flow.evidence.context.inside_ipsec = cause == "ipsec-required";
    flow.evidence.seen.attempts = match flow.state {
        FlowState::NotTried | FlowState::Unresolved => Vec::new(),
        _ => vec![attempt("2026-11-24T06:00:01.000Z", id, met(flow.state))],
    };
    flow.owner = match flow.verdict {
        Verdict::Ok => None,
        Verdict::Unknown => Some(Owner::Prober),
        _ => Some(Owner::Firewall),
    };
    flow
}

/// A state of this word.
pub(crate) fn seen(word: FlowState) -> State {
    match word {
        FlowState::Open => State::Open,
        FlowState::Closed => State::Closed {
            reset_by: ResetBy::Either,
        },
        FlowState::Rejected => State::Rejected(rejection()),
        FlowState::Filtered => State::Filtered,
        FlowState::Silent => State::Silent,
        FlowState::Unreachable => State::Unreachable(Trouble::Refused),
        FlowState::Unresolved => State::Unresolved(Unresolved::NoSuchName),
        FlowState::NotTried => State::default(),
    }
}

fn met(word: FlowState) -> AttemptResult {
    match word {
        FlowState::Open => AttemptResult::Open,
        FlowState::Closed => AttemptResult::Reset,
        FlowState::Rejected => AttemptResult::Rejected(rejection()),
        _ => AttemptResult::Silent,
    }
}

fn rejection() -> Rejection {
    Rejection {
        says: Prohibition::HostUnreachable,
        icmp_type: Some(3),
        icmp_code: Some(1),
        by: Some([198, 51, 100, 1].into()),
        ttl: None,
    }
}

/// What TLS showed: a leaf by an issuer, and what the run itself made of it.
pub(crate) fn tls(issuer: &str, sha256: &str, is: &str, root: Option<&str>) -> TlsSeen {
    TlsSeen {
        version: Some("TLSv1.3".to_string()),
        asked_for: Some("ibs01.example.com".to_string()),
        key_proven: true,
        root: root.map(str::to_string),
        interception: Some(Interception {
            is: Intercepted::named(is).expect("a word"),
            by: None,
            because: "of the run".into(),
        }),
        chain: vec![Certificate {
            subject: "CN=ibs01.example.com".to_string(),
            issuer: issuer.to_string(),
            serial: "01".to_string(),
            names: vec!["ibs01.example.com".to_string()],
            not_before: None,
            not_after: None,
            days_left: None,
            key: "RSA, 2048 bits".to_string(),
            signature: "SHA-256".to_string(),
            server_authentication: Purpose::Named,
            sha256: sha256.to_string(),
        }],
        ..TlsSeen::default()
    }
}
