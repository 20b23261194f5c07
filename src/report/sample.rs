//! Small reports for tests, with words as `check` writes them.

use super::assemble::summary;
use super::document::{
    Attempt, ClientCertificate, Evidence, Interception, Rejected, ReportFlow, Tls, Vantage,
};
use super::whole::ReportDocument;
use super::whole::SCHEMA;
use crate::observation::{
    Certificate, Depth, FlowState, Intercepted, Prohibition, Purpose, TryResult,
};
use crate::plan::{Declared, Destination, FlowEntry, Port, SiteName, Source, ToolName};
use crate::product::{Confidence, Need, Protocol, Transport};
use crate::verdict::{Cause, Level, Owner, Verdict};

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
        flow: FlowEntry {
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
            why: "Clients need it.".to_string(),
            breaks: "Nothing works.".to_string(),
            source: None,
            confidence: Confidence::Documented,
            declared: Declared {
                file: "probes.yaml".to_string(),
                line: 1,
                column: 1,
            },
            crosses: vec!["front-end".to_string()],
        },
        state: FlowState::Open,
        verdict: Verdict::Ok,
        cause: Cause::Answered,
        level: Level::Note,
        owner: None,
        evidence: Evidence {
            depth: Depth::named(transport),
            attempts: vec![attempt("2026-11-24T06:00:01.000Z", id, TryResult::Open)],
            ..Evidence::default()
        },
        advice: String::new(),
        logged: Vec::new(),
        accepted: None,
        lapsed: None,
        vantage: None,
        also: Vec::new(),
    }
}

/// One try of a flow, from source port 50112.
pub(crate) fn attempt(at: &str, id: &str, result: TryResult) -> Attempt {
    let port = id
        .rsplit_once(':')
        .and_then(|(_, service)| service.split('/').next());
    Attempt {
        at: at.to_string(),
        local: Some("198.51.100.10:50112".to_string()),
        remote: format!("192.0.2.10:{}", port.unwrap_or("0")),
        took_ms: 1.0,
        result,
    }
}

/// A flow with other words: need, state, verdict, cause, level.
pub(crate) fn judged(id: &str, words: [&str; 5]) -> ReportFlow {
    let mut flow = flow(id);
    let [need, state, verdict, cause, level] = words;
    flow.flow.need = Need::named(need).expect("a need");
    flow.state = FlowState::named(state).expect("a state");
    flow.verdict = Verdict::named(verdict).expect("a verdict");
    flow.cause = Cause::named(cause).expect("a cause");
    flow.level = Level::named(level).expect("a level");
    let result = match flow.state {
        FlowState::Open => TryResult::Open,
        FlowState::Closed => TryResult::Reset,
        FlowState::Rejected => TryResult::Rejected,
        _ => TryResult::Silent,
    };
    flow.evidence.attempts = match flow.state {
        FlowState::NotTried | FlowState::Unresolved => Vec::new(),
        _ => vec![attempt("2026-11-24T06:00:01.000Z", id, result)],
    };
    if flow.state == FlowState::Rejected {
        flow.evidence.rejected = Some(Rejected {
            says: Prohibition::HostUnreachable,
            icmp_type: Some(3),
            icmp_code: Some(1),
            by: Some("198.51.100.1".to_string()),
            ttl: None,
            by_the_host: false,
            firewall: None,
            sender: None,
        });
    }
    flow.owner = match flow.verdict {
        Verdict::Ok => None,
        Verdict::Unknown => Some(Owner::Prober),
        _ => Some(Owner::Firewall),
    };
    flow
}

/// What TLS showed: a leaf by an issuer, and what the run itself made of it.
pub(crate) fn tls(issuer: &str, sha256: &str, is: &str, root: Option<&str>) -> Tls {
    Tls {
        version: Some("TLSv1.3".to_string()),
        cipher: None,
        asked_for: Some("ibs01.example.com".to_string()),
        key: "proven".to_string(),
        ends: None,
        by_old_client: false,
        refused_clients: None,
        refused_1_2: None,
        client_certificate_asked: false,
        client_certificate: ClientCertificate {
            asked: "not asked in the first handshake".to_string(),
            authorities: Vec::new(),
            more_authorities: 0,
            ours: None,
            subject: None,
            issuers: Vec::new(),
            other_issuer: false,
        },
        verifier: None,
        root: root.map(str::to_string),
        missing: None,
        faults: Vec::new(),
        interception: Some(Interception {
            is: Intercepted::named(is).expect("a word"),
            by: None,
            because: "of the run".to_string(),
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
    }
}
