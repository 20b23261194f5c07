//! `portproof check`: plan, probe, judge, report.
//!
//! The flows of the vantage become questions, one for each address; equal questions are asked once. Names are resolved
//! first where the file gives no address, and beside the probes where it does. When all have been asked, one answered
//! question of each host is asked again: a host that has gone silent meanwhile proves nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::IsTerminal as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::args::{Check, Format};
use super::files::{self, Loaded};
use super::{WRONG, write_out};
use crate::catalogue::{Need, Protocol, Transport};
use crate::config::Sweep;
use crate::lab::{self, Faults, Lab};
use crate::observation::{DnsNote, Observation, State, Unresolved};
use crate::plan::{self, Chosen, Flow, Plan, Target};
use crate::probe::{self, Ladder, Landing, Limits, Prober, Question, Trust, Turn};
use crate::report::{self, Detail, Note, ReportDocument, Run, SweptSystem, Vantage};
use crate::site::{Site, SystemId, ZoneId};
use crate::vantage;
use crate::verdict::{self, Cause, Seen};
use crate::{os, report::exit_status};

/// Descriptors that the program itself needs beside the probes.
const SPARE_DESCRIPTORS: usize = 64;
/// Ports of a sweep that are asked in one go, so that memory stays bounded.
const SWEEP_PORTION: usize = 4_096;

pub(super) fn run(arguments: &Check) -> anyhow::Result<u8> {
    let loaded = if arguments.lab {
        files::load_bytes(
            "probes.yaml",
            lab::SITE_FILE.as_bytes(),
            None,
            arguments.shared.catalogue.as_deref(),
        )?
    } else {
        files::load(&arguments.file, arguments.shared.catalogue.as_deref())?
    };
    let Some(loaded) = loaded else {
        return Ok(WRONG);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(check(arguments, loaded));
    // A resolver that hangs must not hold up the end.
    runtime.shutdown_background();
    let report = result?;
    let text = match arguments.shared.format {
        Format::Text => report::text(
            &report,
            if arguments.verbose {
                Detail::Everything
            } else {
                Detail::Findings
            },
        ),
        Format::Json => serde_json::to_string_pretty(&report)? + "\n",
    };
    write_out(arguments.shared.output.as_deref(), &text)?;
    Ok(exit_status(&report, arguments.strict))
}

/// What a run works with.
struct Bench {
    loaded: Loaded,
    plan: Plan,
    place: vantage::Place,
    own: Vec<IpAddr>,
    lab: Option<Lab>,
    prober: Arc<Prober>,
    stop: watch::Receiver<bool>,
    timeout: Duration,
}

async fn check(arguments: &Check, loaded: Loaded) -> anyhow::Result<ReportDocument> {
    let started = Timestamp::now();
    let plan = plan::derive(&loaded.site, &loaded.catalogue);
    let networks = os::own_addresses().unwrap_or_default();
    let own: Vec<IpAddr> = networks.iter().map(ipnet::IpNet::addr).collect();
    let place = place(arguments, &loaded.site, &own)?;
    let lab = start_lab(arguments, &loaded, &plan, place.zone).await?;
    let limits = limits(&loaded.site, lab.is_some());
    let trust = match &lab {
        Some(lab) => Trust::new(vec![lab.root.clone()], false),
        None => Trust::new(loaded.roots.clone(), true),
    };
    let stop = on_interrupt();
    let prober = Prober::new(limits, trust, networks, stop.clone());
    let bench = Bench {
        loaded,
        plan,
        place,
        own,
        lab,
        prober,
        stop,
        timeout: limits.timeout,
    };
    Ok(examine(&bench, &limits, started).await)
}

fn place(arguments: &Check, site: &Site, own: &[IpAddr]) -> anyhow::Result<vantage::Place> {
    let from = if arguments.lab {
        site.internet.map(|zone| site.zones[zone].name.clone())
    } else {
        arguments.from.clone()
    };
    let hosts: &[IpAddr] = if arguments.lab { &[] } else { own };
    let place = vantage::find(site, from.as_deref(), arguments.system.as_deref(), hosts)
        .map_err(anyhow::Error::msg)?;
    let system = place
        .system
        .map(|system| format!(" as system {}", site.systems[system].name))
        .unwrap_or_default();
    eprintln!(
        "vantage: zone {}{system} ({})",
        site.zones[place.zone].name,
        if arguments.lab { "the lab" } else { &place.how }
    );
    Ok(place)
}

async fn start_lab(
    arguments: &Check,
    loaded: &Loaded,
    plan: &Plan,
    zone: ZoneId,
) -> anyhow::Result<Option<Lab>> {
    if !arguments.lab {
        return Ok(None);
    }
    let faults = if arguments.healthy {
        Faults::None
    } else {
        Faults::Planted
    };
    let lab = Lab::start(&loaded.site, &loaded.catalogue, plan, zone, faults).await?;
    let silence = if lab.is_silent_for_real() {
        ""
    } else {
        "; this platform has no silent listener, so silent ports are not connected to at all"
    };
    eprintln!("lab: a stand-in of probes.yaml on loopback{silence}");
    Ok(Some(lab))
}

/// The limits of the file, within what this host has. The lab is on loopback, where no rate has to be kept.
fn limits(site: &Site, lab: bool) -> Limits {
    let asked = &site.probing;
    let descriptors = os::raise_descriptor_limit()
        .saturating_sub(SPARE_DESCRIPTORS)
        .max(1);
    // A silent question keeps its earlier sockets open, so it may hold several.
    const SOCKETS_EACH: usize = 4;
    let in_flight = asked.in_flight.min((descriptors / SOCKETS_EACH).max(1));
    if in_flight < asked.in_flight {
        eprintln!(
            "note: {in_flight} probes at once instead of {}: this host allows no more descriptors",
            asked.in_flight
        );
    }
    Limits {
        timeout: asked.timeout,
        attempts: asked.attempts,
        in_flight,
        per_host: if lab { asked.in_flight } else { asked.per_host },
        rate: if lab { None } else { asked.rate },
    }
}

/// Turns true at Ctrl-C; the report of what was seen is still written.
fn on_interrupt() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = sender.send(true);
        }
        // Kept alive to the end of the run: a closed channel would look like an interrupt.
        std::future::pending::<()>().await;
    });
    receiver
}

async fn examine(bench: &Bench, limits: &Limits, started: Timestamp) -> ReportDocument {
    let site = &bench.loaded.site;
    let (mut chosen, flows_elsewhere) =
        plan::select(site, &bench.plan, bench.place.zone, bench.place.system);
    if site.probing.sweep == Sweep::None {
        chosen.retain(|chosen| !bench.plan.flows[chosen.flow].reason.only_watched);
    }
    let names = resolve(bench, &chosen).await;
    let (questions, by_flow) = questions(bench, &chosen, &names);
    announce(site, &questions, limits);
    let dns = tokio::spawn(compare_names(
        bench.lab.is_none() && site.probing.dns,
        names_to_compare(bench, &chosen),
        bench.timeout,
    ));
    let bar = progress(questions.len());
    let answers = bench.prober.ask_all(questions.clone(), || bar.inc(1)).await;
    bar.finish_and_clear();
    let gone = gone(bench, &questions, &answers).await;
    let seen: Vec<Seen> = chosen
        .iter()
        .zip(&by_flow)
        .map(|(chosen, numbers)| Seen {
            flow: bench.plan.flows[chosen.flow].clone(),
            owner: chosen.owner,
            observations: numbers
                .iter()
                .map(|number| answers[*number].clone())
                .collect(),
        })
        .collect();
    let swept = sweep(bench, &seen).await;
    let judged = verdict::judge_all(site, bench.place.zone, &bench.own, &seen, &gone);
    let mut notes = skipped_families(site, &seen);
    notes.extend(
        dns.await
            .unwrap_or_default()
            .into_iter()
            .map(|(system, name, note)| dns_note(site, system, &name, &note)),
    );
    let now = Timestamp::now();
    report::assemble(Run {
        site,
        file: &bench.loaded.file,
        vantage: vantage_entry(bench, started, now),
        zone: bench.place.zone,
        seen,
        judged,
        flows_elsewhere,
        swept,
        notes,
        expires_soon: bench.loaded.config.expires_soon,
        now,
    })
}

fn vantage_entry(bench: &Bench, started: Timestamp, finished: Timestamp) -> Vantage {
    let site = &bench.loaded.site;
    Vantage {
        zone: site.zones[bench.place.zone].name.clone(),
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
        config_sha256: bench.loaded.sha256.clone(),
    }
}

fn progress(length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} ports, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

/// How many packets to how many targets are about to leave.
fn announce(site: &Site, questions: &[Question], limits: &Limits) {
    let asked: Vec<&Question> = questions
        .iter()
        .filter(|question| {
            question.ladder != Ladder::None && matches!(question.target, probe::Target::Address(_))
        })
        .collect();
    let hosts: HashSet<String> = asked
        .iter()
        .map(|question| format!("{:?}", question.target))
        .collect();
    let rate = limits.rate.map_or("no rate limit".to_string(), |rate| {
        format!("at most {rate} connection attempts a second")
    });
    eprintln!(
        "about to try {} ports of {} addresses{}, {rate}; a port that stays silent is tried up to 14 times",
        asked.len(),
        hosts.len(),
        match &site.probing.sweep {
            Sweep::Ports(ranges) => {
                let ports: usize = ranges
                    .iter()
                    .map(|range| usize::from(range.high - range.low) + 1)
                    .sum();
                format!(", and then sweep up to {ports} ports of each system that has an address")
            }
            Sweep::None | Sweep::Watchlist => String::new(),
        }
    );
}

/// Where a flow is tried, before names are resolved.
enum Aim {
    Addresses(Vec<IpAddr>),
    Name(String),
    Nowhere,
}

fn aim(site: &Site, zone: ZoneId, flow: &Flow) -> Aim {
    let system = match flow.to {
        Target::Crl(number) => return Aim::Name(site.crls[number].host.clone()),
        Target::System(system) => system,
    };
    let host = &site.systems[system];
    let proxies = site
        .systems
        .iter()
        .filter(|proxy| proxy.publishes.contains(&system));
    let (mut shared_names, mut shared_addresses) = (Vec::new(), Vec::new());
    for proxy in proxies {
        shared_names.extend(proxy.name_for(zone));
        shared_addresses.extend(proxy.addresses_for(zone));
    }
    // A forbidden flow is tried only at the target's own address, never at one shared with its proxy.
    let own =
        |address: &&IpAddr| flow.need != Need::Forbidden || !shared_addresses.contains(*address);
    let addresses: Vec<IpAddr> = host
        .addresses_for(zone)
        .iter()
        .filter(own)
        .copied()
        .collect();
    if !addresses.is_empty() {
        return Aim::Addresses(addresses);
    }
    match host.name_for(zone) {
        Some(name) if flow.need != Need::Forbidden || !shared_names.contains(&name) => {
            Aim::Name(name.to_string())
        }
        _ => Aim::Nowhere,
    }
}

type Names = HashMap<String, Result<Vec<IpAddr>, Unresolved>>;

/// Resolves every name that stands without an address, each once, all at the same time.
async fn resolve(bench: &Bench, chosen: &[Chosen]) -> Names {
    let site = &bench.loaded.site;
    let mut wanted = BTreeSet::new();
    for chosen in chosen {
        if let Aim::Name(name) = aim(site, bench.place.zone, &bench.plan.flows[chosen.flow]) {
            wanted.insert(name);
        }
    }
    if bench.lab.is_some() {
        return wanted
            .into_iter()
            .map(|name| (name, Err(Unresolved::ResolverSilent)))
            .collect();
    }
    look_up_all(wanted, bench.timeout, &bench.stop).await
}

async fn look_up_all(
    wanted: BTreeSet<String>,
    timeout: Duration,
    stop: &watch::Receiver<bool>,
) -> Names {
    let mut running = JoinSet::new();
    let mut found: Names = HashMap::new();
    for name in wanted {
        found.insert(name.clone(), Err(Unresolved::ResolverSilent));
        running.spawn(async move {
            let answer = probe::lookup(&name, timeout).await;
            (name, answer)
        });
    }
    let mut stop = stop.clone();
    loop {
        tokio::select! {
            joined = running.join_next() => match joined {
                Some(Ok((name, answer))) => { found.insert(name, answer); }
                Some(Err(_)) => {}
                None => return found,
            },
            _ = stop.wait_for(|stop| *stop) => return found,
        }
    }
}

/// Questions, and for each chosen flow the numbers of its questions; equal questions are asked once.
fn questions(bench: &Bench, chosen: &[Chosen], names: &Names) -> (Vec<Question>, Vec<Vec<usize>>) {
    let mut all: Vec<Question> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut by_flow = Vec::new();
    for chosen in chosen {
        let flow = &bench.plan.flows[chosen.flow];
        let mut numbers = Vec::new();
        for question in of_flow(bench, flow, names) {
            let key = format!(
                "{:?} {} {:?} {:?}",
                question.target, question.port, question.ladder, question.name
            );
            let number = *known.entry(key).or_insert_with(|| {
                all.push(question.clone());
                all.len() - 1
            });
            all[number].turn = all[number].turn.min(question.turn);
            numbers.push(number);
        }
        by_flow.push(numbers);
    }
    (all, by_flow)
}

fn of_flow(bench: &Bench, flow: &Flow, names: &Names) -> Vec<Question> {
    let (site, zone) = (&bench.loaded.site, bench.place.zone);
    let targets: Vec<probe::Target> = match aim(site, zone, flow) {
        Aim::Addresses(addresses) => addresses.into_iter().map(probe::Target::Address).collect(),
        Aim::Nowhere => vec![probe::Target::Nowhere(Unresolved::NoNameHere)],
        Aim::Name(name) => match names.get(&name) {
            Some(Ok(addresses)) => addresses
                .iter()
                .copied()
                .map(probe::Target::Address)
                .collect(),
            Some(Err(why)) => vec![probe::Target::Nowhere(*why)],
            None => vec![probe::Target::Nowhere(Unresolved::ResolverSilent)],
        },
    };
    let name = match flow.to {
        Target::System(system) => site.systems[system]
            .name_for(zone)
            .map(|name| name.trim_end_matches('.').to_string()),
        Target::Crl(number) => Some(site.crls[number].host.clone()),
    };
    let ladder = ladder(flow);
    let one = |target| Question {
        target,
        port: flow.port.low,
        name: if matches!(ladder, Ladder::Tls | Ladder::Http | Ladder::Https) {
            name.clone()
        } else {
            None
        },
        ladder,
        turn: if flow.need == Need::Forbidden {
            Turn::Forbidden
        } else {
            Turn::Needed
        },
        landing: bench
            .lab
            .as_ref()
            .map_or(Landing::Itself, |lab| lab.landing(flow.to, flow.port.low)),
    };
    targets.into_iter().map(one).collect()
}

/// How far a flow is tried by this version.
fn ladder(flow: &Flow) -> Ladder {
    if flow.transport == Transport::Udp || flow.port.low != flow.port.high {
        return Ladder::None;
    }
    match (flow.need, flow.protocol) {
        (Need::Forbidden, _) | (_, Protocol::Tcp) => Ladder::Tcp,
        (_, Protocol::Tls) => Ladder::Tls,
        (_, Protocol::Http) => Ladder::Http,
        (_, Protocol::Https) => Ladder::Https,
        (
            _,
            Protocol::Udp
            | Protocol::Rpc
            | Protocol::Smb
            | Protocol::Tds
            | Protocol::Ldap
            | Protocol::Dns
            | Protocol::Kerberos,
        ) => Ladder::TcpOnly,
    }
}

/// Hosts that answered at first and no longer do: one answered question of each is asked again.
async fn gone(bench: &Bench, questions: &[Question], answers: &[Observation]) -> HashSet<IpAddr> {
    if *bench.stop.borrow()
        || !questions
            .iter()
            .any(|question| question.turn == Turn::Forbidden)
    {
        return HashSet::new();
    }
    let mut controls: BTreeMap<IpAddr, Question> = BTreeMap::new();
    for (question, answer) in questions.iter().zip(answers) {
        if let (Some(address), State::Open | State::Closed { .. }) = (answer.address, &answer.state)
        {
            controls.entry(address).or_insert_with(|| Question {
                ladder: Ladder::Tcp,
                turn: Turn::Needed,
                ..question.clone()
            });
        }
    }
    let again = bench
        .prober
        .ask_all(controls.values().cloned().collect(), || {})
        .await;
    let silent = again
        .iter()
        .filter(|answer| matches!(answer.state, State::Filtered | State::Silent));
    silent.filter_map(|answer| answer.address).collect()
}

/// Ports of `probing.sweep` that the plan has not tried, system by system and in portions.
async fn sweep(bench: &Bench, seen: &[Seen]) -> Vec<SweptSystem> {
    let site = &bench.loaded.site;
    let Sweep::Ports(ranges) = &site.probing.sweep else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (system, host) in site.systems.iter().enumerate() {
        if bench.place.system == Some(system) {
            continue;
        }
        let tried: HashSet<u16> = seen
            .iter()
            .filter(|seen| {
                seen.flow.to == Target::System(system)
                    && seen.flow.transport == Transport::Tcp
                    && seen.flow.port.low == seen.flow.port.high
            })
            .map(|seen| seen.flow.port.low)
            .collect();
        let wanted: BTreeSet<u16> = ranges
            .iter()
            .flat_map(|range| range.low..=range.high)
            .filter(|port| !tried.contains(port))
            .collect();
        let ports: Vec<u16> = wanted.into_iter().collect();
        let mut swept = SweptSystem {
            system,
            states: BTreeMap::new(),
            let_through: Vec::new(),
            open: Vec::new(),
        };
        for address in host.addresses_for(bench.place.zone) {
            sweep_address(
                bench,
                &mut swept,
                *address,
                &ports,
                host.zone != bench.place.zone,
            )
            .await;
        }
        all.push(swept);
    }
    all
}

async fn sweep_address(
    bench: &Bench,
    swept: &mut SweptSystem,
    address: IpAddr,
    ports: &[u16],
    between_zones: bool,
) {
    let system: SystemId = swept.system;
    for portion in ports.chunks(SWEEP_PORTION) {
        let question = |port: &u16| Question {
            target: probe::Target::Address(address),
            port: *port,
            name: None,
            ladder: Ladder::Tcp,
            turn: Turn::Forbidden,
            landing: bench.lab.as_ref().map_or(Landing::Itself, |lab| {
                lab.landing(Target::System(system), *port)
            }),
        };
        let answers = bench
            .prober
            .ask_all(portion.iter().map(question).collect(), || {})
            .await;
        for (port, answer) in portion.iter().zip(answers) {
            swept.add(*port, answer, between_zones);
        }
    }
}

type Compare = Vec<(SystemId, String, Vec<IpAddr>)>;

/// Names whose address the file gives too.
fn names_to_compare(bench: &Bench, chosen: &[Chosen]) -> Compare {
    let (site, zone) = (&bench.loaded.site, bench.place.zone);
    let systems: BTreeSet<SystemId> = chosen
        .iter()
        .filter_map(|chosen| match bench.plan.flows[chosen.flow].to {
            Target::System(system) if bench.plan.flows[chosen.flow].need != Need::Forbidden => {
                Some(system)
            }
            _ => None,
        })
        .collect();
    let with_both = |system: &SystemId| {
        let host = &site.systems[*system];
        let addresses = host.addresses_for(zone).to_vec();
        host.name_for(zone)
            .filter(|_| !addresses.is_empty())
            .map(|name| (*system, name.to_string(), addresses.clone()))
    };
    systems.iter().filter_map(with_both).collect()
}

/// DNS beside the probes: no flow waits for it, and no verdict on a port changes.
async fn compare_names(
    wanted: bool,
    all: Compare,
    timeout: Duration,
) -> Vec<(SystemId, String, DnsNote)> {
    if !wanted {
        return Vec::new();
    }
    let mut running = JoinSet::new();
    for (system, name, given) in all {
        running.spawn(async move {
            let note = match probe::lookup(&name, timeout).await {
                Ok(said) if said.iter().all(|address| given.contains(address)) => None,
                Ok(said) => Some(DnsNote::Differs { said }),
                Err(Unresolved::NoSuchName) => Some(DnsNote::NoSuchName),
                Err(_) => Some(DnsNote::NoAnswer),
            };
            note.map(|note| (system, name, note))
        });
    }
    let mut notes: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    notes.sort_by_key(|a| a.0);
    notes
}

fn dns_note(site: &Site, system: SystemId, name: &str, note: &DnsNote) -> Note {
    let (cause, text) = match note {
        DnsNote::Differs { said } => {
            let said: Vec<String> = said.iter().map(ToString::to_string).collect();
            (
                Cause::DnsDiffers,
                format!(
                    "DNS says that {name} is {}, the site file gives another address; the file's was tried",
                    said.join(", ")
                ),
            )
        }
        DnsNote::NoSuchName => (
            Cause::DnsNoAnswer,
            format!("DNS does not know {name}; the address of the site file was tried"),
        ),
        DnsNote::NoAnswer => (
            Cause::DnsNoAnswer,
            format!("DNS did not answer for {name}; the address of the site file was tried"),
        ),
    };
    Note {
        cause: cause.to_string(),
        system: site.systems[system].name.clone(),
        text,
    }
}

/// Addresses that were left out because this host has no route of their family, while others have one.
fn skipped_families(site: &Site, seen: &[Seen]) -> Vec<Note> {
    let mut notes: BTreeMap<(String, IpAddr), Note> = BTreeMap::new();
    for seen in seen {
        let is_without =
            |it: &Observation| it.state == State::Unreachable(crate::observation::Trouble::NoRoute);
        let Target::System(system) = seen.flow.to else {
            continue;
        };
        if seen.observations.iter().all(is_without) {
            continue;
        }
        for address in seen
            .observations
            .iter()
            .filter(|it| is_without(it))
            .filter_map(|it| it.address)
        {
            let name = site.systems[system].name.clone();
            let text = format!("{address} of {name} was left out: this host has no route to it");
            notes.insert(
                (name.clone(), address),
                Note {
                    cause: Cause::FamilySkipped.to_string(),
                    system: name,
                    text,
                },
            );
        }
    }
    notes.into_values().collect()
}
