//! Going on with a sweep that was interrupted: whether an earlier report fits, and what is taken from it.
//!
//! The report of an interrupted run has in each of its `sweeps` the ports that were finished, address by address
//! (`Sweep::interrupted`). Finished is what answered, and what was silent with proof. Whatever else the site file wants
//! swept is left, so a report that tells too little makes a run try more, and never less.
//!
//! Of the finished ports that opened, the report has the observations as flows of their own. They are judged again with
//! what the new run sees (`run::sweep`). The flows of the plan are not taken over: the new run tries them all. They
//! show that hosts still answer, and silence is proof only while they do.
//!
//! A report fits that is of the same site, site file and vantage, was interrupted, and ended less than a day ago.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::document::{Finished, ReportFlow, Sweep, SweptEarlier, Vantage};
use super::join::{FAR, Named, has_common_address, is_same_place, place};
use super::ranges;
use super::whole::ReportDocument;
use crate::diagnostic::{some_of, visible};
use crate::observation::{FlowState, Observation, Prohibition, Rejection, ResetBy, Service, State};
use crate::plan::{FlowEntry, Port, SiteName};
use crate::site::{SWEPT, SWEPT_ANSWERED};
use crate::yaml::Ports;

/// The most flows, or addresses, that a refusal names.
const MOST_NAMED: usize = 3;

/// What an earlier report has to fit.
pub struct Here {
    /// The site.
    pub site: SiteName,
    /// Where this run is, with its site file; it has begun just now.
    pub vantage: Vantage,
    /// The flows that are tried from here.
    pub flows: Vec<FlowEntry>,
    /// Now.
    pub now: Timestamp,
}

/// What is taken from an earlier report. Ports stay ranges until they are asked for: a stranger's report may have many.
pub struct Resumed {
    /// The file.
    pub file: String,
    /// When the run that it is of began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    by_address: ByAddress,
    /// Addresses at which a flow was answered.
    answered: HashSet<IpAddr>,
    opened: Opened,
    /// Of each system the runs before that one, as its report says, with their ports.
    before: BySystem,
}

type Ranges = Vec<Ports>;

/// By system and address, what is finished by state.
type ByAddress = HashMap<(String, IpAddr), Vec<(FlowState, Ranges)>>;

/// By system, the runs in which ports of it were swept.
type BySystem = HashMap<String, Vec<(SweptEarlier, Ranges)>>;

/// The ports of one address that are finished.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// Ports that opened, with what followed.
    pub open: Vec<(u16, Observation)>,
    /// Ports of which the same was seen. Those that opened were not spoken to.
    pub alike: Vec<(Observation, Vec<u16>)>,
}

impl Kept {
    /// All of its ports, in their order.
    pub fn ports(&self) -> Vec<u16> {
        let open = self.open.iter().map(|(port, _)| *port);
        let alike = self.alike.iter().flat_map(|(_, ports)| ports);
        let mut all: Vec<u16> = open.chain(alike.copied()).collect();
        all.sort_unstable();
        all
    }

    /// Leaves out all other ports.
    pub fn retain(&mut self, is_wanted: impl Fn(u16) -> bool) {
        self.open.retain(|(port, _)| is_wanted(*port));
        for (_, ports) in &mut self.alike {
            ports.retain(|port| is_wanted(*port));
        }
        self.alike.retain(|(_, ports)| !ports.is_empty());
    }

    /// Leaves out ports that were silent.
    pub fn forget_silence(&mut self) {
        self.alike.retain(|(seen, _)| seen.state != State::Filtered);
    }

    /// The first ports, up to so many, at which the address itself answered; open ones before closed ones.
    pub fn answering(&self, most: usize) -> Vec<u16> {
        let of = |is_wanted: fn(&State) -> bool| {
            let wanted = self.alike.iter().filter(move |it| is_wanted(&it.0.state));
            wanted.flat_map(|(_, ports)| ports.iter().copied())
        };
        let spoken_to = self.open.iter().map(|(port, _)| *port);
        let open = spoken_to.chain(of(|state| *state == State::Open));
        let closed = of(|state| matches!(state, State::Closed { .. }));
        open.chain(closed).take(most).collect()
    }
}

impl Resumed {
    /// What is finished at one address of a system.
    pub fn kept(&self, system: &str, address: IpAddr) -> Kept {
        let mut kept = Kept::default();
        let states = self.by_address.get(&(system.to_string(), address));
        for (word, ranges) in states.into_iter().flatten() {
            let ports = ranges.iter().flat_map(|it| it.low..=it.high).collect();
            let state = match word {
                FlowState::Open => {
                    self.opened.sort(system, address, ports, &mut kept);
                    continue;
                }
                FlowState::Closed => State::Closed {
                    reset_by: ResetBy::Either,
                },
                FlowState::Filtered => State::Filtered,
                FlowState::Rejected => State::Rejected(REJECTED),
                // That is not finished.
                FlowState::NotTried
                | FlowState::Silent
                | FlowState::Unreachable
                | FlowState::Unresolved => continue,
            };
            let seen = Observation::without_packets(Some(address), state);
            kept.alike.push((seen, ports));
        }
        kept
    }

    /// Whether anything answered at an address in that run. Else the host may have been down, and silence of its ports says
    /// nothing of a host that is up.
    pub fn answered(&self, system: &str, address: IpAddr) -> bool {
        let states = self.by_address.get(&(system.to_string(), address));
        let mut states = states.into_iter().flatten();
        use FlowState::{Closed, Open, Rejected};
        let is_answer = |word: FlowState| matches!(word, Open | Closed | Rejected);
        states.any(|(word, _)| is_answer(*word)) || self.answered.contains(&address)
    }

    /// How many ports of addresses it says are finished, whatever this run wants of them.
    pub fn ports(&self) -> usize {
        let states = self.by_address.values().flatten();
        let ranges = states.flat_map(|(_, ranges)| ranges);
        ranges.map(|it| usize::from(it.high - it.low) + 1).sum()
    }

    /// In which runs these ports of a system were swept: those that the report names, then the rest.
    pub fn runs(&self, system: &str, ports: BTreeSet<u16>) -> Vec<SweptEarlier> {
        let mut left = ports;
        let mut runs: Vec<SweptEarlier> = Vec::new();
        let mut note = |started: String, finished: String, ports: &[u16]| {
            let ports = ranges::written(ports);
            if !ports.is_empty() {
                runs.push(SweptEarlier {
                    started,
                    finished,
                    ports,
                });
            }
        };
        for (run, ranges) in self.before.get(system).into_iter().flatten() {
            let its = ranges.iter().flat_map(|it| left.range(it.low..=it.high));
            let ports: Vec<u16> = its.copied().collect();
            left.retain(|port| ports.binary_search(port).is_err());
            note(run.started.clone(), run.finished.clone(), &ports);
        }
        let rest: Vec<u16> = left.into_iter().collect();
        let [started, finished] = [self.started, self.finished].map(|it| format!("{it:.0}"));
        note(started, finished, &rest);
        runs
    }
}

/// Of a port of a sweep only this is kept of a message.
const REJECTED: Rejection = Rejection {
    says: Prohibition::Other,
    icmp_type: None,
    icmp_code: None,
    by: None,
    ttl: None,
};

/// Takes from a report what its sweep had finished.
///
/// # Errors
/// In words, with the file's name: why it does not fit here, and what to do instead.
pub fn resume(report: Named<ReportDocument>, here: &Here) -> Result<Resumed, String> {
    let Named { file, it: report } = report;
    let found = fits(&report, here).and_then(|(started, finished)| {
        Ok(Resumed {
            file: file.clone(),
            started,
            finished,
            by_address: by_address(&report.sweeps)?,
            before: before(&report.sweeps)?,
            answered: answered(&report.flows).collect(),
            opened: Opened::of(report.flows),
        })
    });
    found.map_err(|why| format!("{} {why}", visible(&file)))
}

/// Whether a report is one to go on with here; when its run began and ended.
fn fits(report: &ReportDocument, here: &Here) -> Result<(Timestamp, Timestamp), String> {
    let [vantage] = &report.vantages[..] else {
        return Err(
            "is a joined report: give the report of the run that was interrupted".to_string(),
        );
    };
    same_site(report, vantage, here)?;
    same_vantage(vantage, &here.vantage)?;
    if report.sweeps.iter().all(|it| it.interrupted.is_empty()) {
        return Err(nothing_left(report));
    }
    recent(vantage, here.now)
}

fn nothing_left(report: &ReportDocument) -> String {
    let is_old = |flow: &ReportFlow| flow.evidence.earlier.is_some();
    let why = match report.flows.iter().any(is_old) {
        true => "is of an earlier format, which does not say where a sweep was interrupted",
        false => "holds no sweep that was interrupted, so nothing is left to go on with",
    };
    format!(
        "{why}. `portproof report` shows it. To try the flows of the plan again, run `portproof check` \
         without --resume"
    )
}

fn same_site(report: &ReportDocument, vantage: &Vantage, here: &Here) -> Result<(), String> {
    if report.site != here.site {
        return Err(format!(
            "is of site {} ({}), and the site file is of site {} ({})",
            visible(&report.site.code),
            visible(&report.site.product),
            visible(&here.site.code),
            visible(&here.site.product)
        ));
    }
    if vantage.config_sha256 == here.vantage.config_sha256 {
        return Ok(());
    }
    Err(format!(
        "was made with another site file, or with this one before it was changed: {}. What was swept \
         then may not be what is asked for now. Go on with the file as it was, or run `portproof check` \
         without --resume",
        what_differs(&report.flows, &here.flows)
    ))
}

/// What differs between the flows of a report and those of now, in words.
fn what_differs(then: &[ReportFlow], now: &[FlowEntry]) -> String {
    let of_the_plan = then.iter().map(|it| &*it.flow).filter(|it| !is_swept(it));
    let then: BTreeMap<&str, &FlowEntry> = of_the_plan.map(|it| (it.id.as_str(), it)).collect();
    let now: BTreeMap<&str, &FlowEntry> = now.iter().map(|it| (it.id.as_str(), it)).collect();
    let missing = |all: &BTreeMap<&str, &FlowEntry>, from: &BTreeMap<&str, &FlowEntry>| {
        let missing = all.keys().filter(|id| !from.contains_key(*id));
        missing.map(|id| visible(id)).collect::<Vec<_>>()
    };
    let is_other = |id: &str, then: &FlowEntry| {
        now.get(id).is_some_and(|now| {
            (then.need, then.protocol) != (now.need, now.protocol)
                || !now.to.addresses.is_empty() && then.to.addresses != now.to.addresses
        })
    };
    let other = then.iter().filter(|(id, then)| is_other(id, then));
    let told = [
        ("new", missing(&now, &then)),
        ("gone", missing(&then, &now)),
        ("changed", other.map(|(id, _)| visible(id)).collect()),
    ];
    let told: Vec<String> = told
        .iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(what, ids)| format!("{what}: {}", some_of(ids, MOST_NAMED)))
        .collect();
    match told.is_empty() {
        true => "the flows from here are the same, and something else in it differs".to_string(),
        false => format!("flows that are {}", told.join("; ")),
    }
}

fn same_vantage(then: &Vantage, now: &Vantage) -> Result<(), String> {
    const WHY: &str = "from elsewhere firewalls may let through something else";
    if !is_same_place(then, now) {
        let (then, now) = (visible(&place(then)), visible(&place(now)));
        return Err(format!("was made from {then}, and this is {now}: {WHY}"));
    }
    if has_common_address(then, now) {
        return Ok(());
    }
    Err(format!(
        "was made when this host had none of the addresses that it has now: {} then, {} now; {WHY}",
        addresses(then),
        addresses(now)
    ))
}

/// The first addresses of a vantage.
fn addresses(of: &Vantage) -> String {
    match of.addresses.is_empty() {
        true => "none".to_string(),
        false => visible(&some_of(&of.addresses, MOST_NAMED)),
    }
}

/// When the run of a report began and ended, where that is not too long ago.
fn recent(vantage: &Vantage, now: Timestamp) -> Result<(Timestamp, Timestamp), String> {
    let times = (vantage.started.parse(), vantage.finished.parse());
    let (Ok(started), Ok(finished)): (Result<Timestamp, _>, Result<Timestamp, _>) = times else {
        return Err("does not say when it was made".to_string());
    };
    let age = now.duration_since(finished);
    // Times are written in whole seconds.
    if started > finished || age < -SignedDuration::from_secs(1) {
        return Err(format!(
            "ends at {finished:.0}, and it is {now:.0} now: the clock was changed in between"
        ));
    }
    if age > FAR {
        return Err(format!(
            "ends at {finished:.0}, more than {} hours ago: a firewall may have changed since. Run \
             `portproof check` without --resume",
            FAR.as_hours()
        ));
    }
    Ok((started, finished))
}

fn answered(flows: &[ReportFlow]) -> impl Iterator<Item = IpAddr> {
    let evidence = flows
        .iter()
        .flat_map(|flow| flow.evidence.of_each_address());
    let seen = evidence.map(|it| &it.seen).filter(|seen| seen.answered());
    seen.filter_map(|seen| seen.address)
}

fn by_address(sweeps: &[Sweep]) -> Result<ByAddress, String> {
    let mut all = HashMap::new();
    for sweep in sweeps {
        let system = &sweep.to.system;
        for finished in &sweep.interrupted {
            let address = finished.address;
            let at = |why| format!("{why}, in the sweep of {} at {address}", visible(system));
            let states = states(finished).map_err(at)?;
            if all.insert((system.clone(), address), states).is_some() {
                return Err(at("has the same address twice".to_string()));
            }
        }
    }
    Ok(all)
}

/// The ports of an address by state; none may have two.
fn states(finished: &Finished) -> Result<Vec<(FlowState, Ranges)>, String> {
    let states = finished.states.iter();
    let states = states.map(|(word, ports)| Ok((*word, read(ports)?)));
    let states = states.collect::<Result<Vec<_>, String>>()?;
    let mut all: Ranges = states.iter().flat_map(|it| it.1.iter().copied()).collect();
    all.sort_unstable_by_key(|it| it.low);
    match all.windows(2).find(|two| two[1].low <= two[0].high) {
        Some(two) => Err(format!("has port {} in two states", two[1].low)),
        None => Ok(states),
    }
}

fn before(sweeps: &[Sweep]) -> Result<BySystem, String> {
    let of_run = |run: &SweptEarlier| {
        for text in [&run.started, &run.finished] {
            let is_time = text.parse::<Timestamp>().is_ok();
            is_time.then_some(()).ok_or_else(|| no("time", text))?;
        }
        Ok((run.clone(), read(&run.ports)?))
    };
    let of_sweep = |sweep: &Sweep| {
        let runs = sweep.earlier.iter().map(of_run);
        let runs = runs.collect::<Result<Vec<_>, String>>();
        let of_it = |why| format!("{why}, in the sweep of {}", visible(&sweep.to.system));
        Ok((sweep.to.system.clone(), runs.map_err(of_it)?))
    };
    sweeps.iter().map(of_sweep).collect()
}

fn read(ports: &str) -> Result<Ranges, String> {
    ranges::read(ports).map_err(|range| no("next range of ports", range))
}

fn no(what: &str, text: &str) -> String {
    const LONGEST: usize = 40;
    let short: String = text.chars().take(LONGEST).collect();
    format!("has `{}`, which is no {what}", visible(&short))
}

/// What a report has of the ports that a sweep found open.
#[derive(Default)]
struct Opened {
    /// Those with a flow of their own, by system and address.
    alone: HashMap<(String, IpAddr), HashMap<u16, Observation>>,
    /// Those that a device opened, by system, with what was seen of one of them.
    by_device: HashMap<String, (Ranges, Observation)>,
}

impl Opened {
    fn of(flows: Vec<ReportFlow>) -> Self {
        let mut opened = Self::default();
        for flow in flows.into_iter().filter(|it| is_swept(&it.flow)) {
            let (seen, system) = (flow.evidence.seen, flow.flow.to.system.clone());
            match (&flow.flow.port, seen.address) {
                _ if seen.state != State::Open => {}
                (Port::One(port), Some(address)) => {
                    let of_it = opened.alone.entry((system, address)).or_default();
                    of_it.insert(*port, seen);
                }
                (Port::Range(ports), _) if flow.flow.id.ends_with(&by_device()) => {
                    let ports = ranges::read(ports).unwrap_or_default();
                    opened.by_device.insert(system, (ports, seen));
                }
                _ => {}
            }
        }
        opened
    }

    /// Sorts open ports by what is known of them. Whether a device opens every port shows anew.
    fn sort(&self, system: &str, address: IpAddr, ports: Vec<u16>, kept: &mut Kept) {
        let opened = |service| Observation {
            service,
            ..Observation::without_packets(Some(address), State::Open)
        };
        let alone = self.alone.get(&(system.to_string(), address));
        let by_device = self.by_device.get(system);
        let mut unspoken = Vec::new();
        for port in ports {
            let seen = alone.and_then(|it| it.get(&port));
            let by_device = by_device.filter(|it| has(&it.0, port)).map(|it| &it.1);
            let service = match (seen, by_device) {
                (Some(seen), _) if was_spoken_to(seen, port) => {
                    kept.open.push((port, seen.clone()));
                    continue;
                }
                (None, Some(seen)) if seen.service == Some(Service::ResetAtOnce) => {
                    Service::ResetAtOnce
                }
                (Some(_), _) | (None, Some(_)) => {
                    unspoken.push(port);
                    continue;
                }
                // The system has to serve it to another zone: it is no finding, whatever speaks there.
                (None, None) => Service::NotAsked,
            };
            kept.open.push((port, opened(Some(service))));
        }
        if !unspoken.is_empty() {
            kept.alike.push((opened(None), unspoken));
        }
    }
}

/// Whether a port lies in ranges that are in their order.
fn has(ranges: &[Ports], port: u16) -> bool {
    let behind = ranges.partition_point(|it| it.high < port);
    ranges.get(behind).is_some_and(|it| it.low <= port)
}

/// How the id of the finding on ports that a device opened ends.
fn by_device() -> String {
    format!(":{SWEPT_ANSWERED}/tcp")
}

/// Whether a port had a connection of its own to speak on: ports that opened alike share what was seen of the first.
fn was_spoken_to(seen: &Observation, port: u16) -> bool {
    seen.attempts.iter().any(|it| it.remote.port() == port)
}

/// Whether a flow is what a sweep found.
fn is_swept(flow: &FlowEntry) -> bool {
    flow.rules == [SWEPT]
}

#[cfg(test)]
mod tests;
