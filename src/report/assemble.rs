//! From judged flows to a report.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::advice::{advice, where_to_read};
use super::client::{self, ClientRun};
use super::count::summary;
use super::document::{Finished, Note, ReportFlow, Sweep, SweptEarlier, ToolName, Vantage};
use super::evidence::evidence;
use super::exceptions;
use super::joined::Elsewhere;
use super::logged::logged;
use super::ranges;
use super::reach::{Against, Reach, close_later, reach};
use super::whole::ReportDocument;
use crate::change::Of;
use crate::observation::{FlowState, Observation, Painted, ResetBy, RoleProof, State};
use crate::plan::{self, Destination, Flow, Reason, SiteName, Source, Target};
use crate::product::{Catalogue, Confidence, Need, Protocol, Transport};
use crate::site::{self, Origin, Site, SystemId, ZoneId};
use crate::vantage::Place;
use crate::verdict::{Cause, Context, Judged, Judgement, Level, Owner, Seen, Verdict, judge};
use crate::yaml::Ports;

/// Everything of one run that a report needs.
pub struct Outcome<'a> {
    /// The site.
    pub site: &'a Site,
    /// The rules.
    pub catalogue: &'a Catalogue,
    /// Every flow of the site, also of other vantages.
    pub plan: &'a plan::Plan,
    /// The name of the site file.
    pub file: &'a str,
    /// Where it was tried from.
    pub vantage: Vantage,
    /// Where that is in the site.
    pub place: &'a Place,
    /// What was seen.
    pub seen: Vec<Seen>,
    /// What it means.
    pub judged: Vec<Judged>,
    /// Where flows start that start in other zones.
    pub elsewhere: Vec<Elsewhere>,
    /// Ports swept beside the plan, by system.
    pub swept: Vec<SweptSystem>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// How soon an end of validity is worth a word.
    pub expires_soon: Duration,
    /// The time of the run's end.
    pub now: Timestamp,
    /// The other site file, and what its clients and those of this one use.
    pub against: Option<Against<'a>>,
    /// What a client's own view needs.
    pub client: Option<ClientRun>,
}

/// The words of findings over many swept ports.
const LET_THROUGH: &str = site::SWEPT;
const PAINTED: &str = site::SWEPT_ANSWERED;

/// Ports of one system that were tried beside the plan.
pub struct SweptSystem {
    /// The system.
    pub system: SystemId,
    states: BTreeMap<FlowState, Vec<u16>>,
    /// Ports that were reset by the host itself.
    let_through: Vec<u16>,
    /// Ports that a device opened.
    painted: Vec<u16>,
    /// One of each, to show.
    examples: BTreeMap<&'static str, Observation>,
    /// Open ports with what was seen.
    open: Vec<(u16, Observation)>,
    /// Ports that the system has to serve, to whatever zone.
    served: HashSet<u16>,
    /// What of it an interrupted run had finished, address by address.
    pub finished: Vec<(IpAddr, BTreeMap<FlowState, Vec<u16>>)>,
    /// The runs before this one in which ports of it were swept.
    pub earlier: Vec<SweptEarlier>,
}

impl SweptSystem {
    /// A system of which no port has been taken in yet. `served`: the ports that it has to serve, to whatever zone.
    pub fn new(system: SystemId, served: HashSet<u16>) -> Self {
        Self {
            system,
            served,
            states: BTreeMap::new(),
            let_through: Vec::new(),
            painted: Vec::new(),
            examples: BTreeMap::new(),
            open: Vec::new(),
            finished: Vec::new(),
            earlier: Vec::new(),
        }
    }

    /// Takes in one port; `painted`: a device opens every port of this address.
    pub fn add(&mut self, port: u16, seen: Observation, painted: bool) {
        use crate::observation::{ResetBy, Service, State};
        self.note(port, &seen);
        match seen.state {
            // A device on the way accepts for a host, and learns only then that nobody listens there.
            State::Open if painted || seen.service == Some(Service::ResetAtOnce) => {
                self.painted.push(port);
                self.examples.entry(PAINTED).or_insert(seen);
            }
            State::Open => self.open.push((port, seen)),
            State::Closed {
                reset_by: ResetBy::Host,
            } => {
                self.let_through.push(port);
                self.examples.entry(LET_THROUGH).or_insert(seen);
            }
            _ => {}
        }
    }

    /// Takes in ports of which the same was seen.
    pub fn add_alike(&mut self, ports: &[u16], seen: &Observation, painted: bool) {
        if seen.state == State::Open {
            for port in ports {
                self.add(*port, seen.clone(), painted);
            }
            return;
        }
        let Some((first, rest)) = ports.split_first() else {
            return;
        };
        self.add(*first, seen.clone(), false);
        if let Some(of_state) = self.states.get_mut(&seen.word()) {
            of_state.extend(rest);
        }
        if let State::Closed { reset_by } = seen.state
            && reset_by == ResetBy::Host
        {
            self.let_through.extend(rest);
        }
    }

    /// Takes in ports that were tried only to see whether every port opens: they are shown, and are no findings.
    pub fn note_doors(&mut self, doors: &[(u16, Observation)]) {
        for (port, seen) in doors {
            self.note(*port, seen);
        }
    }

    fn note(&mut self, port: u16, seen: &Observation) {
        self.states.entry(seen.word()).or_default().push(port);
    }
}

/// Makes the report.
pub fn assemble(outcome: Outcome<'_>) -> ReportDocument {
    let mut flows: Vec<ReportFlow> = outcome
        .seen
        .iter()
        .zip(&outcome.judged)
        .map(|(seen, judged)| one(&outcome, &seen.flow, &seen.observations, judged))
        .collect();
    let change = outcome.against.as_ref().map(|against| {
        let mut change = change(&outcome, against, &flows);
        close_later(&mut change, &against.closing, &mut flows);
        change
    });
    let client = outcome.client.as_ref().map(|client| {
        let planned = outcome.seen.iter().map(|seen| &seen.flow);
        let both: Vec<(&Flow, &ReportFlow)> = planned.zip(&flows).collect();
        client::view(outcome.site, outcome.catalogue, client, &both)
    });
    flows.extend(
        outcome
            .swept
            .iter()
            .flat_map(|swept| swept_findings(&outcome, swept)),
    );
    flows.sort_by(|a, b| a.flow.id.cmp(&b.flow.id));
    let authorised = outcome.site.probing.authorised.as_ref();
    let mut notes = outcome.notes.clone();
    let today = Offset::UTC.to_datetime(outcome.now).date();
    notes.extend(exceptions::apply(outcome.site, &mut flows, today));
    ReportDocument {
        schema: super::whole::SCHEMA.to_string(),
        tool: ToolName::this(),
        site: SiteName::of(outcome.site),
        vantages: vec![outcome.vantage.clone()],
        devices: outcome.site.devices(),
        authorised: authorised.map(|it| it.value.clone()),
        summary: summary(&flows),
        flows,
        flows_elsewhere: outcome.elsewhere.iter().map(|start| start.flows).sum(),
        elsewhere: outcome.elsewhere.clone(),
        sweeps: sweeps(&outcome),
        notes,
        contradictions: Vec::new(),
        coverage: None,
        matrix: Vec::new(),
        change,
        client,
    }
}

/// Which clients reach a management point now; `flows` are those of the new file, in the order in which they were seen.
fn change(outcome: &Outcome<'_>, against: &Against<'_>, flows: &[ReportFlow]) -> Reach {
    let used = against.used.iter().map(|(used, seen, judged)| {
        let mut entry = one(outcome, &seen.flow, &seen.observations, judged);
        if used.of == Of::Old {
            entry.flow_mut().declared.file = against.file.to_string();
        }
        entry
    });
    let of_clients = |flow: &Flow| {
        let settings = crate::change::settings(outcome.catalogue, flow);
        flow.need != Need::Forbidden && settings.iter().any(|setting| setting.is_of_clients())
    };
    let planned = outcome.seen.iter().map(|seen| &seen.flow).zip(flows);
    let here: Vec<&ReportFlow> = planned
        .filter(|(flow, _)| of_clients(flow))
        .map(|(_, entry)| entry)
        .collect();
    reach(against, &outcome.vantage, used.collect(), &here)
}

fn one(
    outcome: &Outcome<'_>,
    flow: &Flow,
    observations: &[Observation],
    judged: &Judged,
) -> ReportFlow {
    let mut entry = plan::entry(outcome.site, outcome.file, flow);
    if entry.to.addresses.is_empty() {
        entry.to.addresses = observations
            .iter()
            .filter_map(|it| it.address)
            .map(|address| address.to_string())
            .collect();
    }
    let judgement = with_expiry(outcome, observations, judged.judgement);
    let evidence = evidence(outcome.site, flow, &entry.crosses, observations, judged);
    ReportFlow {
        state: observations
            .get(judged.observation)
            .map_or(FlowState::NotTried, Observation::word),
        verdict: judgement.verdict,
        cause: judgement.cause,
        level: judgement.level,
        owner: judgement.owner,
        logged: logged(
            outcome.site,
            outcome.catalogue,
            flow,
            observations.get(judged.observation),
            &judgement,
        ),
        advice: advice(
            &outcome.site.devices(),
            &entry,
            &evidence,
            judgement.verdict,
            judgement.cause,
        ) + &what_it_needs(
            outcome,
            flow,
            &judgement,
            observations.get(judged.observation),
        ) + &where_to_read(
            outcome.catalogue,
            &entry,
            judgement.verdict,
            judgement.cause,
        ),
        vantage: None,
        also: Vec::new(),
        evidence: Box::new(evidence),
        flow: Arc::new(entry),
        accepted: None,
        lapsed: None,
    }
}

/// The flows to databases of a role that fails with an error of its server; else empty.
fn what_it_needs(
    outcome: &Outcome<'_>,
    flow: &Flow,
    judgement: &Judgement,
    seen: Option<&Observation>,
) -> String {
    let http = seen.and_then(|seen| seen.http.as_ref());
    let (Some(http), Cause::HttpServerError) = (http, judgement.cause) else {
        return String::new();
    };
    let fails = |proof| matches!(proof, RoleProof::ServerError | RoleProof::PartlyServerError);
    let failing = http.roles.iter().filter(|role| fails(role.proof));
    let databases: BTreeSet<String> = failing
        .flat_map(|found| {
            plan::databases(
                outcome.site,
                outcome.catalogue,
                outcome.plan,
                flow,
                found.role,
            )
        })
        .map(|flow| plan::id(outcome.site, flow))
        .collect();
    match databases.is_empty() {
        true => String::new(),
        false => {
            let databases: Vec<String> = databases.into_iter().collect();
            format!(
                " It needs its database: look at {} as well.",
                databases.join(" and ")
            )
        }
    }
}

/// A good answer is worth a warning when its certificate ends soon, or when TLS ends elsewhere than the site file says.
fn with_expiry(
    outcome: &Outcome<'_>,
    observations: &[Observation],
    mut judgement: Judgement,
) -> Judgement {
    let ends_elsewhere = observations
        .iter()
        .filter_map(|it| it.tls.as_ref()?.ends.as_ref())
        .any(|end| !end.as_declared);
    if ends_elsewhere && judgement.cause == Cause::Answered {
        judgement = Judgement {
            level: Level::Warning,
            cause: Cause::PublishedOtherwise,
            owner: Some(Owner::Proxy),
            ..judgement
        };
    }
    let leaf = observations
        .iter()
        .filter_map(|it| it.tls.as_ref()?.chain.first()?.not_after)
        .min();
    let soon = leaf.is_some_and(|end| {
        end.as_second() - outcome.now.as_second()
            < i64::try_from(outcome.expires_soon.as_secs()).unwrap_or(i64::MAX)
    });
    if soon && judgement.cause == Cause::Answered {
        judgement = Judgement {
            verdict: Verdict::Ok,
            cause: Cause::ExpiresSoon,
            level: Level::Warning,
            owner: Some(Owner::Certificate),
        };
    }
    judgement
}

/// The zones in which packets from here to a system start and arrive.
fn ends(outcome: &Outcome<'_>, system: SystemId) -> (ZoneId, ZoneId) {
    let here = outcome.place.toward(outcome.site, system);
    outcome.site.legs(Origin::Zone(here), system)
}

fn swept_findings(outcome: &Outcome<'_>, swept: &SweptSystem) -> Vec<ReportFlow> {
    let (here, there) = ends(outcome, swept.system);
    let across = there != here;
    let context = Context {
        between_zones: across,
        mildly_forbidden: there <= here,
        ..Context::default()
    };
    // Inside one zone no firewall keeps the hosts from what a system serves to other zones.
    let is_finding = |port: u16| across || !swept.served.contains(&port);
    let mut findings: Vec<ReportFlow> = swept
        .open
        .iter()
        .filter(|(port, _)| is_finding(*port))
        .map(|(port, seen)| {
            let observations = std::slice::from_ref(seen);
            let judgement = judge(Need::Forbidden, seen, &context);
            let judged = as_judged(judgement, context);
            swept_flow(
                outcome,
                swept.system,
                Ports::one(*port),
                observations,
                &judged,
            )
        })
        .collect();
    // What stands for many ports is judged by the one thing that they share.
    let all_alike = |seen: Observation| as_judged(judge(Need::Forbidden, &seen, &context), context);
    if across {
        let reset_by = ResetBy::Host;
        let reachable = Observation::without_packets(None, State::Closed { reset_by });
        let (ports, judgement) = (&swept.let_through, all_alike(reachable));
        findings.extend(swept_range(outcome, swept, LET_THROUGH, ports, judgement));
    }
    let painted = Observation {
        painted: Some(Painted::ResetAfterAccept),
        ..Observation::without_packets(None, State::Open)
    };
    let (ports, judgement) = (&swept.painted, all_alike(painted));
    findings.extend(swept_range(outcome, swept, PAINTED, ports, judgement));
    findings
}

/// What is judged of one port of a sweep, or of what stands for many.
fn as_judged(judgement: Judgement, context: Context) -> Judged {
    Judged {
        judgement,
        observation: 0,
        contexts: vec![context],
    }
}

/// One finding for many ports. The range of a flow of the plan would span ports that may be needed; only these are
/// meant.
fn swept_range(
    outcome: &Outcome<'_>,
    swept: &SweptSystem,
    word: &'static str,
    ports: &[u16],
    judged: Judged,
) -> Option<ReportFlow> {
    let span = Ports {
        low: *ports.iter().min()?,
        high: *ports.iter().max()?,
    };
    let example = swept.examples.get(word);
    let observations = example.map_or(&[][..], std::slice::from_ref);
    let mut finding = swept_flow(outcome, swept.system, span, observations, &judged);
    let flow = finding.flow_mut();
    flow.id = format!("{}>{}:{word}/tcp", flow.from.zone, flow.to.system);
    flow.port = plan::Port::Range(ranges::written(ports));
    if word == PAINTED {
        finding.evidence.seen.painted = Some(Painted::Swept);
    }
    Some(finding)
}

fn swept_flow(
    outcome: &Outcome<'_>,
    system: SystemId,
    port: Ports,
    observations: &[Observation],
    judged: &Judged,
) -> ReportFlow {
    let flow = Flow {
        from: Origin::Zone(outcome.place.toward(outcome.site, system)),
        to: Target::System(system),
        transport: Transport::Tcp,
        port,
        protocol: Protocol::Tcp,
        need: Need::Forbidden,
        reason: Arc::new(Reason {
            rules: vec!["sweep".to_string()],
            why: "Nothing that the site file describes needs this port.".into(),
            breaks: "An open port that nobody needs can be attacked.".into(),
            source: "follows from the site file".into(),
            confidence: Confidence::Derived,
            only_watched: true,
        }),
        declared: outcome.site.systems[system].declared,
    };
    one(outcome, &flow, observations, judged)
}

/// Every TCP port that was tried beside the needed flows, as ranges by state.
fn sweeps(outcome: &Outcome<'_>) -> Vec<Sweep> {
    let mut by_system: BTreeMap<SystemId, BTreeMap<FlowState, Vec<u16>>> = BTreeMap::new();
    for (seen, judged) in outcome.seen.iter().zip(&outcome.judged) {
        if let (Need::Forbidden, Transport::Tcp, Target::System(system)) =
            (seen.flow.need, seen.flow.transport, &seen.flow.to)
            && let Some(observation) = seen.observations.get(judged.observation)
            && seen.flow.port.low == seen.flow.port.high
        {
            by_system
                .entry(*system)
                .or_default()
                .entry(observation.word())
                .or_default()
                .push(seen.flow.port.low);
        }
    }
    let mut swept: BTreeMap<SystemId, &SweptSystem> = BTreeMap::new();
    for it in &outcome.swept {
        swept.insert(it.system, it);
        let states = by_system.entry(it.system).or_default();
        for (state, ports) in &it.states {
            states.entry(*state).or_default().extend(ports);
        }
    }
    by_system
        .into_iter()
        .map(|(system, states)| sweep(outcome, system, states, swept.get(&system).copied()))
        .collect()
}

fn finished(swept: &SweptSystem) -> Vec<Finished> {
    let at = |(address, states): &(IpAddr, BTreeMap<FlowState, Vec<u16>>)| Finished {
        address: *address,
        states: written(states),
    };
    swept.finished.iter().map(at).collect()
}

fn written(states: &BTreeMap<FlowState, Vec<u16>>) -> BTreeMap<FlowState, String> {
    let states = states.iter();
    states
        .map(|(state, ports)| (*state, ranges::written(ports)))
        .collect()
}

fn sweep(
    outcome: &Outcome<'_>,
    system: SystemId,
    states: BTreeMap<FlowState, Vec<u16>>,
    swept: Option<&SweptSystem>,
) -> Sweep {
    let host = &outcome.site.systems[system];
    let (here, there) = ends(outcome, system);
    Sweep {
        from: Source {
            zone: outcome.site.zones[here].name.clone(),
            system: outcome.vantage.system.clone(),
        },
        to: Destination {
            system: host.name.clone(),
            zone: Some(outcome.site.zones[there].name.clone()),
            name: host.name_for(here).map(str::to_string),
            addresses: host
                .addresses_for(here)
                .iter()
                .map(ToString::to_string)
                .collect(),
        },
        transport: Transport::Tcp,
        states: written(&states),
        earlier: swept.map_or_else(Vec::new, |it| it.earlier.clone()),
        interrupted: swept.map_or_else(Vec::new, finished),
    }
}
