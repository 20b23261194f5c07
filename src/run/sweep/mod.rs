//! Ports beside the plan, tried for being unexpectedly open, and the doors that were tried to unmask devices.
//!
//! An interrupted sweep says what it had finished, address by address. A later run may go on with it (`resumed`).

mod resumed;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use futures_util::future::join_all;
use jiff::Timestamp;
use tracing::debug_span;

use crate::attribution;
use crate::config::Sweep;
use crate::observation::{FlowState, Observation, Service, State};
use crate::plan::{Flow, Target};
use crate::probe::{self, Question, Range, Scanned, Silent, Turn};
use crate::product::{Need, Transport};
use crate::report::{Kept, SweptSystem};
use crate::run::look::{Doors, known_ports};
use crate::run::{Run, Scope, limits, targets};
use crate::site::SystemId;
use crate::verdict::Seen;

/// Descriptors that the program itself needs beside a sweep.
const SPARE_DESCRIPTORS: usize = 128;
/// Open ports of one address that are spoken to beside those that the sweep spoke to.
const MOST_SPOKEN_TO: usize = 1_024;

/// The ports of one system that are swept at one address.
struct Part {
    /// Its place among the swept systems.
    of: usize,
    address: IpAddr,
    ports: Vec<u16>,
    /// Those of them that are left, where others were finished by an earlier run.
    left: Option<Vec<u16>>,
    /// What an earlier run saw of the others.
    kept: Kept,
}

impl Part {
    /// The ports that are to be tried.
    fn left(&self) -> &[u16] {
        self.left.as_deref().unwrap_or(&self.ports)
    }

    fn has(&self, port: u16) -> bool {
        self.ports.binary_search(&port).is_ok()
    }
}

/// What was tried beside the plan, before it is known which hosts still answered at the end.
#[derive(Default)]
pub(super) struct Swept {
    all: Vec<SweptSystem>,
    parts: Vec<Part>,
    scanned: Vec<Scanned>,
    /// Hosts that answered an earlier run and not this one, with the time since which they do not.
    unanswered: HashMap<IpAddr, Timestamp>,
    /// Whether the run was stopped before all ports had their turn.
    interrupted: bool,
}

/// Why nothing is swept; `None`: what the file asks for is.
pub(super) fn why_not(run: &Run) -> Option<&'static str> {
    // Beside the plan nothing goes through a proxy, and nothing past it. A client tries what it uses.
    if run.scope == Scope::Needed {
        return Some("only what is needed is tried");
    }
    match (run.ways.are_all_by_proxy(), run.client.is_some()) {
        (true, _) => Some("everything goes through a proxy"),
        (false, true) => Some("only what a client uses is tried"),
        (false, false) => run
            .prober
            .is_gentle()
            .then_some("the run is gentle (--no-gentle lifts this)"),
    }
}

/// Tries what is beside the plan: the ports of `probing.sweep`, all at once, and doors.
pub(super) async fn sweep(run: &Run, seen: &[Seen], doors: &mut Doors) -> Swept {
    if why_not(run).is_some() {
        return Swept::default();
    }
    let (mut all, mut parts) = parts(run, seen);
    resumed::keep(run, &mut all, &mut parts);
    resumed::ask_controls(run, &parts).await;
    let ranges = ranges(run, &all, &parts, doors);
    let mut scanned = match ranges.is_empty() {
        true => Vec::new(),
        false => run.prober.scan(ranges, at_once(run)).await,
    };
    let interrupted = *run.stop.borrow();
    let unanswered = resumed::no_longer_answering(run, &parts);
    resumed::put_back(run, &mut parts, &mut scanned);
    unmask(run, &scanned, &parts, doors).await;
    speak(run, &mut scanned, doors).await;
    Swept {
        all,
        parts,
        scanned,
        unanswered,
        interrupted,
    }
}

impl Swept {
    /// The addresses of which swept ports were silent.
    pub(super) fn silent(&self) -> HashSet<IpAddr> {
        let silent = self.scanned.iter().filter(|it| !it.silent.is_empty());
        silent.map(|scanned| scanned.address).collect()
    }

    /// What that comes to, system by system. `gone`: hosts that no longer answer, with the time of their last answer.
    pub(super) fn judge(
        mut self,
        doors: &Doors,
        gone: &HashMap<IpAddr, Timestamp>,
    ) -> Vec<SweptSystem> {
        let scanned = self.scanned.into_iter();
        let scanned: HashMap<IpAddr, Scanned> = scanned.map(|it| (it.address, it)).collect();
        let mut is_left = false;
        for part in self.parts {
            let swept = &mut self.all[part.of];
            if let Some(scanned) = scanned.get(&part.address) {
                let painted = is_painted(doors, part.address);
                let gone = [gone, &self.unanswered].map(|it| it.get(&part.address).copied());
                let finished = take_in(
                    swept,
                    scanned,
                    &part,
                    painted,
                    gone.into_iter().flatten().min(),
                );
                is_left |= finished.values().map(Vec::len).sum::<usize>() < part.ports.len();
                swept.finished.push((part.address, finished));
            }
            swept.note_doors(doors.get(&part.address).map_or(&[][..], Vec::as_slice));
        }
        if !self.interrupted || !is_left {
            self.all.iter_mut().for_each(|it| it.finished.clear());
        }
        self.all
    }
}

/// The systems that are swept, and their ports, address by address.
fn parts(run: &Run, seen: &[Seen]) -> (Vec<SweptSystem>, Vec<Part>) {
    let site = &run.file.site;
    let wanted = wanted(&site.probing.sweep);
    let own = run.against.as_ref().map(|old| old.own_systems);
    let flows = by_system(&run.plan.flows, |flow| &flow.to);
    let seen = by_system(seen, |seen| &seen.flow.to);
    let (mut all, mut parts) = (Vec::new(), Vec::new());
    for system in 0..own.unwrap_or(site.systems.len()) {
        if run.place.system == Some(system) {
            continue;
        }
        let seen = seen.get(&system).map_or(&[][..], Vec::as_slice);
        let flows = flows.get(&system).map_or(&[][..], Vec::as_slice);
        let tried = tried(seen);
        let ports: Vec<u16> = wanted
            .iter()
            .copied()
            .filter(|port| !tried.contains(port))
            .collect();
        for address in addresses(run, seen, system) {
            // What a name leads to may be shared with another system: only the file's own addresses are swept.
            let is_its = |port: &u16| {
                targets::own_addresses(site, run.place.toward(site, system), system, *port)
                    .contains(&address)
            };
            parts.push(Part {
                of: all.len(),
                address,
                ports: ports.iter().copied().filter(is_its).collect(),
                left: None,
                kept: Kept::default(),
            });
        }
        all.push(SweptSystem::new(system, served(run, system, flows)));
    }
    (all, parts)
}

/// What leads to systems, by the system.
fn by_system<T>(all: &[T], to: impl Fn(&T) -> &Target) -> HashMap<SystemId, Vec<&T>> {
    let mut by_system: HashMap<SystemId, Vec<&T>> = HashMap::new();
    for one in all {
        if let Target::System(system) = to(one) {
            by_system.entry(*system).or_default().push(one);
        }
    }
    by_system
}

/// Each address once, with the ports of all systems that share it.
fn ranges(run: &Run, all: &[SweptSystem], parts: &[Part], doors: &Doors) -> Vec<Range> {
    let mut by_address: BTreeMap<IpAddr, Range> = BTreeMap::new();
    for part in parts.iter().filter(|part| !part.left().is_empty()) {
        let range = by_address.entry(part.address).or_insert_with(|| Range {
            address: part.address,
            ports: Vec::new(),
            painted: is_painted(doors, part.address),
            lab: run.ways.are_of_the_lab().then(HashMap::new),
        });
        range.ports.extend(part.left());
        if let Some(lab) = &mut range.lab {
            let to = Target::System(all[part.of].system);
            let way = |port: &u16| (*port, run.ways.beside_the_plan(&to, *port));
            lab.extend(part.left().iter().map(way));
        }
    }
    let mut ranges: Vec<Range> = by_address.into_values().collect();
    for range in &mut ranges {
        range.ports.sort_unstable();
        range.ports.dedup();
    }
    ranges
}

/// Sockets of the sweep at once.
fn at_once(run: &Run) -> usize {
    let in_flight = run.file.site.probing.in_flight;
    in_flight.min(limits::descriptors(SPARE_DESCRIPTORS))
}

/// Where a port opened, tries doors, unless that was done.
async fn unmask(run: &Run, scanned: &[Scanned], parts: &[Part], doors: &mut Doors) {
    if run.ways.are_of_the_lab() {
        return;
    }
    let is_open = |(_, seen): &(u16, Observation)| seen.state == State::Open;
    let are_open = |(seen, _): &(Observation, Vec<u16>)| seen.state == State::Open;
    let opened: Vec<IpAddr> = scanned
        .iter()
        .filter(|it| it.open.iter().any(is_open) || it.alike.iter().any(are_open))
        .map(|scanned| scanned.address)
        .filter(|address| !doors.contains_key(address))
        .collect();
    if opened.is_empty() {
        return;
    }
    let planned: HashSet<u16> = known_ports(run).collect();
    let tried = opened.into_iter().map(async |address| {
        let of_address = parts.iter().filter(|part| part.address == address);
        let swept = of_address.flat_map(|part| part.ports.iter().copied());
        let known: HashSet<u16> = planned.iter().copied().chain(swept).collect();
        (address, run.prober.try_doors(address, &known).await)
    });
    doors.extend(join_all(tried).await);
}

/// Whether a device opens every port of an address.
fn is_painted(doors: &Doors, address: IpAddr) -> bool {
    let of_address = doors.get(&address);
    of_address.is_some_and(|doors| attribution::is_every_port_open(doors))
}

/// Asks open ports that were not spoken to, so far as there are not too many. Where no device opens all, they may be hosts'
/// own.
async fn speak(run: &Run, scanned: &mut [Scanned], doors: &Doors) {
    let mut asked: Vec<(usize, u16)> = Vec::new();
    let mut questions = Vec::new();
    for (number, of_host) in scanned.iter_mut().enumerate() {
        if is_painted(doors, of_host.address) {
            continue;
        }
        for (_, ports) in of_host
            .alike
            .iter_mut()
            .filter(|it| it.0.state == State::Open)
        {
            for port in ports.drain(..ports.len().min(MOST_SPOKEN_TO)) {
                asked.push((number, port));
                questions.push(question(of_host.address, port));
            }
        }
    }
    let answers = run.prober.ask_all(questions, || {}).await;
    for ((number, port), answer) in asked.into_iter().zip(answers) {
        // It opened once: silence now does not change that.
        let seen = match answer.state {
            State::Open => answer,
            _ => Observation {
                service: Some(Service::NotAsked),
                ..Observation::without_packets(answer.address, State::Open)
            },
        };
        scanned[number].open.push((port, seen));
    }
}

fn question(address: IpAddr, port: u16) -> Question {
    let span = debug_span!("sweep", %address, port);
    let target = probe::Target::Address(address);
    Question::knock(target, port, Turn::Forbidden, probe::Way::Direct, span)
}

/// Takes what came of an address in for one system that has it. `gone`: when the address answered for the last time, where
/// it no longer does. Its finished ports come back: those that answered, and those whose silence is proved.
fn take_in(
    swept: &mut SweptSystem,
    scanned: &Scanned,
    part: &Part,
    painted: bool,
    gone: Option<Timestamp>,
) -> BTreeMap<FlowState, Vec<u16>> {
    let mut finished: BTreeMap<FlowState, Vec<u16>> = BTreeMap::new();
    let mut finish = |seen: &Observation, ports: &[u16]| {
        if seen.answered() || seen.state == State::Filtered {
            finished.entry(seen.word()).or_default().extend(ports);
        }
    };
    for (port, seen) in scanned.open.iter().filter(|(port, _)| part.has(*port)) {
        swept.add(*port, seen.clone(), painted);
        finish(seen, &[*port]);
    }
    for (seen, ports) in &scanned.alike {
        let ports: Vec<u16> = ports.iter().copied().filter(|it| part.has(*it)).collect();
        swept.add_alike(&ports, seen, painted);
        finish(seen, &ports);
    }
    // A device that has shut this host out is silent too: from the last answer on that is no proof.
    let is_proved = |silent: &&Silent| silent.proved && gone.is_none_or(|gone| silent.last <= gone);
    let its = scanned.silent.iter().filter(|silent| part.has(silent.port));
    let (proved, other): (Vec<&Silent>, Vec<&Silent>) = its.partition(is_proved);
    for (state, silent) in [(State::Filtered, proved), (State::Silent, other)] {
        let ports: Vec<u16> = silent.iter().map(|silent| silent.port).collect();
        let seen = Observation::without_packets(Some(scanned.address), state);
        swept.add_alike(&ports, &seen, false);
        finish(&seen, &ports);
    }
    finished
}

/// The most ports of each system that are swept; `None`: none was asked for, or none is.
pub(super) fn most(run: &Run) -> Option<usize> {
    match &run.file.site.probing.sweep.value {
        Sweep::Ports(_) if why_not(run).is_some() => None,
        Sweep::Ports(ranges) => {
            let ports = ranges.iter().map(|it| usize::from(it.high - it.low) + 1);
            Some(ports.sum())
        }
        Sweep::None | Sweep::Watchlist => None,
    }
}

fn wanted(sweep: &Sweep) -> BTreeSet<u16> {
    match sweep {
        Sweep::Ports(ranges) => ranges
            .iter()
            .flat_map(|range| range.low..=range.high)
            .collect(),
        Sweep::None | Sweep::Watchlist => BTreeSet::new(),
    }
}

/// The ports at which a system has to serve, to whatever zone.
fn served(run: &Run, system: SystemId, flows: &[&Flow]) -> HashSet<u16> {
    let site = &run.file.site;
    let needed = flows
        .iter()
        .filter(|flow| flow.transport == Transport::Tcp && flow.need != Need::Forbidden);
    needed
        .flat_map(|flow| {
            let zone = flow.start(site);
            (flow.port.low..=flow.port.high).map(move |port| site.own_port(zone, system, port))
        })
        .collect()
}

/// Ports of a system that the plan has tried, and those in ranges that it needs.
fn tried(seen: &[&Seen]) -> HashSet<u16> {
    let of_it = seen.iter().map(|seen| &seen.flow).filter(|flow| {
        let is_one = flow.port.low == flow.port.high;
        flow.transport == Transport::Tcp && (is_one || flow.need != Need::Forbidden)
    });
    of_it
        .flat_map(|flow| flow.port.low..=flow.port.high)
        .collect()
}

/// The addresses of the site file, and those that were tried because the name led there.
fn addresses(run: &Run, seen: &[&Seen], system: SystemId) -> BTreeSet<IpAddr> {
    let host = &run.file.site.systems[system];
    let of_the_plan = seen
        .iter()
        .flat_map(|seen| &seen.observations)
        .filter_map(|observation| observation.address);
    host.addresses_for(run.place.toward(&run.file.site, system))
        .iter()
        .copied()
        .chain(of_the_plan)
        .collect()
}
