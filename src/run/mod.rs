//! One run: what is asked for goes in, what happens is told while it lasts, and the report comes out.
//!
//! Whoever asks (`request`) has read files, environment and command line, knows where this host is in the site, and says
//! when to stop. Nothing is printed here: `event` has what is told.
//!
//! The flows of the vantage become questions (`questions`), one for each address; equal ones are asked once. Names are
//! resolved first where the file gives no address (`aim`), and beside the probes where it does (`notes`). When all have
//! been asked, silence is made proof, and what the answers leave open is looked into: who sent a reset, where packets
//! are dropped, which doors are painted on. What is silent is tried once more, and at the very end two answered
//! questions of each host are asked again (`controls`). In between
//! certificates are compared with the pins of the file (`interception`), and the revocation lists that they name are
//! fetched (`revocation`), from the hosts that may be asked (`list_hosts`).
//!
//! With an older file beside (`against`), the flows that clients of either file use are asked in the same run, and with
//! a client's numbers only what one client uses (`client`). What is told beforehand is in `announce`, what the log tells
//! in `story`.

mod against;
mod aim;
mod announce;
mod client;
mod clocks;
mod controls;
mod datagrams;
mod event;
mod gateway;
mod interception;
mod intermediates;
mod list_hosts;
mod notes;
mod passing;
mod questions;
mod refusals;
mod request;
mod revocation;
mod story;
mod sweep;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::attribution::{self, Found, Inquiry};
use crate::catalogue::Need;
use crate::config::Sweep;
use crate::conversation::certificate::Roots;
use crate::lab::{Faults, Lab};
use crate::observation::{Observation, State, Trouble};
use crate::os;
use crate::plan::{self, Chosen, Owner, Plan};
use crate::probe::{self, Challenger, Gateway, Ladder, Limits, Prober, Question, Trust, Turn};
use crate::report::{self, Elsewhere, ReportDocument, Run, SweptSystem, Vantage};
use crate::site::{Site, SystemId, ZoneId};
use crate::vantage::Place;
use crate::verdict::{self, Seen};
use controls::Lost;
use gateway::Leave;
use sweep::Doors;

pub use event::{AboutToTry, Event, Stage, Tell, Way};
pub use questions::ladder;
pub use request::{ClientNumbers, Request, SiteFile};

/// Descriptors that the program itself needs beside the probes.
const SPARE_DESCRIPTORS: usize = 64;

/// What a run works with.
struct Bench {
    file: SiteFile,
    /// The flows of the site; behind them those of `against`.
    plan: Plan,
    place: Place,
    /// What this host's addresses say against that place, where the user insists on it.
    forced: Option<String>,
    own: Vec<IpAddr>,
    /// The same with their networks.
    networks: Vec<IpNet>,
    lab: Option<Lab>,
    prober: Arc<Prober>,
    /// The roots that certificates may lead to.
    roots: Arc<Roots>,
    /// What chains are judged by, the same as the prober's.
    trust: Trust,
    stop: watch::Receiver<bool>,
    timeout: Duration,
    /// The proxy through which flows leave, all or those of some roles.
    via: Option<Leave>,
    /// The run as listeners know it, where it looks for them.
    challenger: Option<Arc<Challenger>>,
    /// Flows of the site that start in other zones, by their starts.
    elsewhere: Vec<Elsewhere>,
    /// The older site file, when its clients are looked at too.
    against: Option<against::Old>,
    /// The client whose own view this is.
    client: Option<client::Client>,
    /// Who is told of what happens.
    tell: Tell,
}

impl Bench {
    /// The proxy that a flow goes through.
    fn proxy_of(&self, flow: &plan::Flow) -> Option<&Arc<Gateway>> {
        let taking = self.via.as_ref().filter(|it| it.takes(&self.file, flow));
        taking.map(|it| &it.gateway)
    }

    /// The proxy that lists are fetched through.
    fn proxy_of_lists(&self) -> Option<&Arc<Gateway>> {
        let taking = self.via.as_ref().filter(|it| it.is_for_lists());
        taking.map(|it| &it.gateway)
    }

    /// Whether everything goes through a proxy.
    fn only_by_proxy(&self) -> bool {
        self.via.as_ref().is_some_and(Leave::is_for_all)
    }
}

/// Plans, tries, judges and reports.
///
/// # Errors
/// When the lab cannot be made, the client's numbers do not go together or the zone has no clients, and when the proxy
/// cannot be told its password.
pub async fn run(request: Request, tell: Tell) -> anyhow::Result<ReportDocument> {
    let started = Timestamp::now();
    let Request {
        mut file,
        older,
        mut place,
        forced,
        lab,
        client,
        walks,
        roots,
        client_certificate,
        via_password,
        token,
        stop,
    } = request;
    let mut plan = plan::derive(&file.site, &file.catalogue);
    let networks = os::own_addresses().unwrap_or_default();
    let own: Vec<IpAddr> = networks.iter().map(IpNet::addr).collect();
    let lab = match lab {
        Some(faults) => Some(start_lab(&file, &plan, place.zone, faults, &tell).await?),
        None => None,
    };
    let (_, elsewhere) = plan::select(&file.site, &plan, &place.zones(), place.system);
    let elsewhere = report::elsewhere(&file.site, &plan, &elsewhere);
    let client = match client {
        Some(numbers) => Some(client::client(
            numbers,
            &file,
            older.as_ref(),
            &place,
            &mut plan,
            &tell,
        )?),
        None => None,
    };
    let against = match older {
        Some(older) if client.is_none() => Some(against::join(&mut file, &mut plan, older, &place)),
        _ => None,
    };
    let limits = limits(&file.site, place.zone, lab.is_some(), walks, &tell);
    let trust = match &lab {
        Some(lab) => Trust::new(vec![lab.root.clone()], false),
        None => Trust::new(roots, true).presenting(client_certificate),
    };
    let roots = Arc::clone(&trust.roots);
    let known = trust.clone();
    let via = match &lab {
        Some(_) => None,
        None => {
            let password = via_password.as_deref();
            gateway::leave(&file.site, place.zone, password, limits.timeout).await?
        }
    };
    let challenger = token.map(|token| Arc::new(Challenger::new(token)));
    // A proxy is that of one zone.
    if via.is_some() {
        place.also_in.clear();
    }
    let prober = Prober::new(limits, trust, networks.clone(), stop.clone());
    let bench = Bench {
        file,
        plan,
        place,
        forced,
        own,
        networks,
        lab,
        prober,
        roots,
        trust: known,
        stop,
        timeout: limits.timeout,
        via,
        challenger,
        elsewhere,
        against,
        client,
        tell,
    };
    Ok(examine(&bench, &limits, started).await)
}

async fn start_lab(
    file: &SiteFile,
    plan: &Plan,
    zone: ZoneId,
    faults: Faults,
    tell: &Tell,
) -> anyhow::Result<Lab> {
    let lab = Lab::start(&file.site, &file.catalogue, plan, zone, faults).await?;
    tell(Event::LabStands {
        silent: lab.is_silent_for_real(),
    });
    Ok(lab)
}

/// The limits of the file, within what this host has. The lab is on loopback, where no rate has to be kept.
fn limits(site: &Site, zone: ZoneId, lab: bool, walks: bool, tell: &Tell) -> Limits {
    let through_a_proxy = !lab && site.via(zone).is_some_and(|route| route.roles.is_none());
    let asked = &site.probing;
    let descriptors = os::raise_descriptor_limit()
        .saturating_sub(SPARE_DESCRIPTORS)
        .max(1);
    // A silent question keeps its earlier sockets open, so it may hold several.
    const SOCKETS_EACH: usize = 8;
    let in_flight = asked.in_flight.min((descriptors / SOCKETS_EACH).max(1));
    if in_flight < asked.in_flight {
        tell(Event::FewerAtOnce {
            probes: in_flight,
            asked: asked.in_flight,
        });
    }
    Limits {
        timeout: asked.timeout,
        attempts: asked.attempts,
        second_look: if lab {
            Duration::ZERO
        } else {
            asked.second_look
        },
        in_flight,
        per_host: if lab { asked.in_flight } else { asked.per_host },
        waiting: (descriptors / SOCKETS_EACH).saturating_sub(in_flight),
        rate: if lab { None } else { asked.rate },
        walks: os::TELLS_SENDERS && !lab && walks && !through_a_proxy,
    }
}

/// The flows of the site, or of the one client, that are tried from here.
fn of_the_site(bench: &Bench) -> Vec<Chosen> {
    let site = &bench.file.site;
    let (mut chosen, _) = plan::select(site, &bench.plan, &bench.place.zones(), bench.place.system);
    if let Some(old) = &bench.against {
        chosen.retain(|chosen| !old.asks(chosen.flow));
    }
    if site.probing.sweep == Sweep::None {
        chosen.retain(|chosen| !bench.plan.flows[chosen.flow].reason.only_watched);
    }
    chosen
}

async fn examine(bench: &Bench, limits: &Limits, started: Timestamp) -> ReportDocument {
    let site = &bench.file.site;
    let mut chosen = of_the_site(bench);
    let own = chosen.len();
    chosen.extend(bench.against.iter().flat_map(against::Old::chosen));
    let names = aim::resolve(bench, &chosen).await;
    let (questions, by_flow) = questions::questions(bench, &chosen, own, &names);
    announce::announce(bench, &questions, limits);
    bench
        .prober
        .stand_behind(behind(bench, &chosen, &questions, &by_flow));
    let to_compare = notes::names_to_compare(bench, &chosen);
    let dns = tokio::spawn(notes::compare_names(
        bench.lab.is_none() && !bench.only_by_proxy() && site.probing.dns,
        to_compare.clone(),
        bench.timeout,
    ));
    let mut tried = try_all(bench, &chosen, questions, &by_flow).await;
    // What clients of either file use is judged address by address, behind all else.
    let beside: Vec<Seen> = tried.seen.drain(own..chosen.len()).collect();
    let (used, theirs) = match &bench.against {
        Some(old) => old.by_address(beside),
        None => Default::default(),
    };
    let kept = tried.seen.len();
    tried.seen.extend(theirs);
    let site = &tried.site;
    let mut judged = verdict::judge_all(site, &bench.own, &tried.seen, &tried.gone);
    for (place, (seen, judged)) in tried.seen.iter().zip(&judged).enumerate() {
        let numbers = by_flow.get(place).filter(|_| place < own);
        let question = numbers.and_then(|numbers| numbers.get(judged.observation));
        story::decided(site, seen, judged, question.copied());
    }
    let clocks = verdict::Clocks::of(&tried.seen);
    let theirs = (tried.seen.split_off(kept), judged.split_off(kept));
    let mut notes = clocks::notes(site, &clocks);
    notes.extend(notes::skipped_families(site, &tried.seen));
    notes.extend(passing::notes(site, &bench.prober.gaps(), &tried.seen));
    notes.extend(notes::name_servers(site, &tried.seen));
    notes.extend(tried.refused);
    let mut stop = bench.stop.clone();
    let compared = tokio::select! {
        compared = dns => compared.unwrap_or_default(),
        _ = stop.wait_for(|stop| *stop) => Vec::new(),
    };
    notes.extend(
        compared
            .iter()
            .map(|(system, name, note)| notes::dns_note(site, *system, name, note)),
    );
    let against = bench.against.as_ref();
    let against = against.map(|old| old.seen(used, theirs.0, theirs.1));
    let client = bench.client.as_ref();
    let client = client.map(|client| client.seen(bench, &names, &to_compare, &compared));
    let now = Timestamp::now();
    report::assemble(Run {
        site,
        catalogue: &bench.file.catalogue,
        plan: &bench.plan,
        file: &bench.file.name,
        vantage: vantage_entry(bench, started, now),
        place: &bench.place,
        seen: tried.seen,
        judged,
        elsewhere: bench.elsewhere.clone(),
        swept: tried.swept,
        notes,
        expires_soon: bench.file.expires_soon,
        now: clocks.corrected(now),
        against,
        client,
    })
}

/// The questions of required flows that start here.
fn required(bench: &Bench, chosen: &[Chosen], by_flow: &[Vec<usize>]) -> BTreeSet<usize> {
    let wanted = chosen.iter().zip(by_flow).filter(|(chosen, _)| {
        bench.plan.flows[chosen.flow].need == Need::Required && chosen.owner != Owner::Another
    });
    wanted
        .flat_map(|(_, numbers)| numbers.iter().copied())
        .collect()
}

/// What packets to each address meet first, where the site file says so.
fn behind(
    bench: &Bench,
    chosen: &[Chosen],
    questions: &[Question],
    by_flow: &[Vec<usize>],
) -> HashMap<IpAddr, String> {
    let mut behind = HashMap::new();
    for (chosen, numbers) in chosen.iter().zip(by_flow) {
        let flow = &bench.plan.flows[chosen.flow];
        let Some(first) = verdict::first_firewall(&bench.file.site, flow) else {
            continue;
        };
        for number in numbers {
            if let probe::Target::Address(address) = questions[*number].target {
                behind.entry(address).or_insert_with(|| first.clone());
            }
        }
    }
    behind
}

/// What was seen of the flows of a run.
struct Tried {
    seen: Vec<Seen>,
    /// Hosts that no longer answered at the end, with the time of their last answer.
    gone: HashMap<IpAddr, Timestamp>,
    swept: Vec<SweptSystem>,
    /// The site with the hosts that only certificates name.
    site: Site,
    /// What is said of hosts of lists that were not asked.
    refused: Vec<report::Note>,
}

/// Asks all questions, makes silence proof, looks closer, fetches lists and sweeps, in this order.
async fn try_all(
    bench: &Bench,
    chosen: &[Chosen],
    questions: Vec<Question>,
    by_flow: &[Vec<usize>],
) -> Tried {
    let tell = &bench.tell;
    tell(Event::Begun(questions.len()));
    let mut answers = bench
        .prober
        .ask_all(questions.clone(), || tell(Event::Answered))
        .await;
    tell(Event::Stage(Stage::ProvingSilence));
    bench.prober.prove_silence(&questions, &mut answers).await;
    tell(Event::Stage(Stage::LookingAgain));
    let required = required(bench, chosen, by_flow);
    bench
        .prober
        .look_again(&required, &questions, &mut answers)
        .await;
    bench
        .prober
        .ask_alone(&required, &questions, &mut answers)
        .await;
    intermediates::look_again(bench, &questions, &mut answers).await;
    let silent = datagrams::beside(bench, chosen, by_flow, &questions, &answers);
    bench
        .prober
        .prove_datagrams(&silent, &questions, &mut answers)
        .await;
    bench.prober.follow_data(&questions, &mut answers).await;
    bench.prober.settle_ranges(&questions, &mut answers).await;
    tell(Event::Stage(Stage::LookingCloser));
    refused_here(bench, &questions, &mut answers).await;
    let crossing = crossing(bench, chosen, by_flow);
    let mut doors = look_closer(bench, &questions, &mut answers, &crossing).await;
    tell(Event::Stage(Stage::TryingOnceMore));
    bench.prober.look_at_the_end(&questions, &mut answers).await;
    attribution::settle_all(&mut answers);
    bench
        .prober
        .note_held_back(&required, &questions, &mut answers);
    let controls = controls::controls(&questions, &answers);
    // Only silence can be that of a device which has shut this host out.
    let silence = answers.iter().any(controls::no_longer_answers);
    let mut seen: Vec<Seen> = chosen
        .iter()
        .zip(by_flow)
        .map(|(chosen, numbers)| Seen {
            flow: bench.plan.flows[chosen.flow].clone(),
            owner: chosen.owner,
            observations: numbers
                .iter()
                .map(|number| answers[*number].clone())
                .collect(),
        })
        .collect();
    interception::note(&bench.file.site, &bench.trust, &mut seen);
    tell(Event::Stage(Stage::FetchingLists));
    let (site, refused) = revocation::examine(bench, &mut seen).await;
    tell(Event::Done);
    let swept = sweep::sweep(bench, &seen, &controls, &mut doors).await;
    let lost = match silence {
        true => controls::lost(bench, &controls).await,
        false => Lost::default(),
    };
    controls::note(&lost, &mut seen);
    Tried {
        seen,
        gone: lost.hosts,
        swept,
        site,
        refused,
    }
}

/// The questions of flows between two zones.
fn crossing(bench: &Bench, chosen: &[Chosen], by_flow: &[Vec<usize>]) -> HashSet<usize> {
    let site = &bench.file.site;
    let crosses = |chosen: &Chosen| {
        let flow = &bench.plan.flows[chosen.flow];
        flow.end(site) != Some(flow.start(site))
    };
    let flows = chosen.iter().zip(by_flow);
    flows
        .filter(|(chosen, _)| crosses(chosen))
        .flat_map(|(_, numbers)| numbers.iter().copied())
        .collect()
}

/// Takes apart what this host's own firewall said from what the network did.
async fn refused_here(bench: &Bench, questions: &[Question], answers: &mut [Observation]) {
    attribution::own_words(answers, &bench.own);
    if bench.lab.is_some() || bench.only_by_proxy() || *bench.stop.borrow() {
        return;
    }
    let asked = |wanted: &dyn Fn(&Question, &Observation) -> bool| -> Vec<(usize, SocketAddr)> {
        questions
            .iter()
            .zip(answers.iter())
            .enumerate()
            .filter(|(_, (question, seen))| {
                let direct = question.via.is_none();
                direct && !matches!(question.ladder, Ladder::Datagram(_)) && wanted(question, seen)
            })
            .filter_map(|(number, (_, seen))| Some((number, seen.attempts.first()?.remote)))
            .collect()
    };
    let reset = asked(&|_, seen| attribution::may_be_reset_here(seen, &bench.own));
    let silent = asked(&|question, seen| question.turn == Turn::Needed && seen.is_silence());
    let ports = |asked: &[(usize, SocketAddr)]| -> Vec<SocketAddr> {
        asked.iter().map(|(_, port)| *port).collect()
    };
    for place in bench.prober.reset_here(&ports(&reset)).await {
        answers[reset[place].0].state = State::Unreachable(Trouble::Refused);
    }
    for place in bench.prober.dropped_here(&ports(&silent)).await {
        let seen = &mut answers[silent[place].0];
        seen.state = State::Unreachable(Trouble::Refused);
        seen.confidence = None;
    }
}

/// Carries out what attribution wants to know, host by host at once, and writes down what that proves. The doors that
/// were tried come back.
async fn look_closer(
    bench: &Bench,
    questions: &[Question],
    answers: &mut [Observation],
    crossing: &HashSet<usize>,
) -> Doors {
    if bench.lab.is_some() || bench.only_by_proxy() || *bench.stop.borrow() {
        return Doors::new();
    }
    let tried: Vec<attribution::Tried<'_>> = questions
        .iter()
        .zip(answers.iter())
        .enumerate()
        .filter(|(_, (question, _))| {
            question.via.is_none() && !matches!(question.ladder, Ladder::Datagram(_))
        })
        .filter_map(|(number, (question, seen))| {
            Some(attribution::Tried {
                number,
                address: seen.address?,
                // Of a range, the port that decided.
                port: seen
                    .attempts
                    .first()
                    .map_or(question.port, |attempt| attempt.remote.port()),
                needed: question.turn == Turn::Needed,
                crosses: crossing.contains(&number),
                seen,
            })
        })
        .collect();
    let inquiries = inquiries(bench, &tried, questions, answers);
    let known: HashSet<u16> = known_ports(bench).collect();
    let found = futures_util::future::join_all(
        inquiries
            .iter()
            .map(|inquiry| bench.prober.inquire(inquiry, &known, answers)),
    )
    .await;
    let split = answers.iter().any(Observation::is_split);
    let differs = |found: &Found| {
        attribution::ways_differ(found) || attribution::passes_for_some(found, answers)
    };
    if split || found.iter().any(differs) {
        bench.prober.try_every_way(questions, answers).await;
    }
    let counts = attribution::first_router_counts(&found);
    for (inquiry, found) in inquiries.iter().zip(&found) {
        story::found(questions, inquiry.address, found);
        attribution::attribute(answers, inquiry, found, counts);
    }
    let doors = inquiries
        .iter()
        .zip(found)
        .map(|(inquiry, found)| (inquiry.address, found.doors));
    doors.collect()
}

/// What is to be found out, host by host. An address that several systems share is several hosts, at different distances.
fn inquiries(
    bench: &Bench,
    tried: &[attribution::Tried<'_>],
    questions: &[Question],
    answers: &[Observation],
) -> Vec<Inquiry> {
    let owner = |address, port| {
        let zones = bench.place.zones();
        let site = &bench.file.site;
        zones
            .into_iter()
            .find_map(|zone| site.owner_of_address(zone, address, port))
    };
    let mut by_owner: BTreeMap<Option<SystemId>, Vec<attribution::Tried<'_>>> = BTreeMap::new();
    for one in tried {
        let of = by_owner.entry(owner(one.address, one.port)).or_default();
        of.push(*one);
    }
    let mut all = Vec::new();
    for (host, tried) in by_owner {
        for mut inquiry in attribution::wanted(&tried) {
            let numbered = questions.iter().zip(answers).enumerate();
            let others = numbered.filter(|(_, (question, seen))| {
                seen.address == Some(inquiry.address)
                    && owner(inquiry.address, question.port) != host
            });
            inquiry.others = others.map(|(number, _)| number).collect();
            all.push(inquiry);
        }
    }
    all
}

/// Every port that the plan knows of, ranges and all.
fn known_ports(bench: &Bench) -> impl Iterator<Item = u16> {
    let ports = bench.plan.flows.iter().map(|flow| flow.port);
    ports.flat_map(|port| port.low..=port.high)
}

fn vantage_entry(bench: &Bench, started: Timestamp, finished: Timestamp) -> Vantage {
    let site = &bench.file.site;
    Vantage {
        zone: site.zones[bench.place.zone].name.clone(),
        also_in: bench
            .place
            .also_in
            .iter()
            .map(|zone| site.zones[*zone].name.clone())
            .collect(),
        system: bench
            .place
            .system
            .map(|system| site.systems[system].name.clone()),
        host: os::host_name(),
        addresses: bench
            .own
            .iter()
            .filter(|address| !address.is_loopback())
            .map(ToString::to_string)
            .collect(),
        started: format!("{started:.0}"),
        finished: format!("{finished:.0}"),
        config_sha256: bench.file.sha256.clone(),
        run: bench.challenger.as_ref().map(|run| run.run()),
        forced: bench.forced.clone(),
    }
}
