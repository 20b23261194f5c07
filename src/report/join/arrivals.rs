//! What a listener at the other end saw of a flow that met silence here.
//!
//! 1. A try arrived, and its answer did not come back: the request passes, the way back does not (`answer-lost`). Over TCP
//!    a connection that stayed half open shows both. A datagram shows that the request arrived; that it was answered only
//!    where it proved the listener's token, because a listener answers nobody else.
//! 2. Nothing arrived while the listener was listening on that very port: dropped before it. On the way, or by the host's
//!    own firewall, which drops before any socket hears of it: a listener cannot tell the two apart.
//! 3. Anything else says nothing.
//!
//! A challenge that proved the token names its run and where it was aimed: that is exact, and no other run's. Else a
//! try and an arrival are the same packet by the source's address and port. Where addresses are translated on the way,
//! the port alone tells. Where ports are translated too, time alone tells. Then at least two tries, and half of them
//! all, must each have met one arrival from one address. Two hosts' clocks differ: by at most [`CLOCKS`], it is
//! assumed, and for time alone by [`CLOSE`]. Where a listener showed that this vantage's addresses are not translated,
//! and for what another vantage sent, only the source counts. Time alone is told, and decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use jiff::{SignedDuration, Timestamp};

use super::rejudge::{plain, rejudge, span};
use crate::observation::{Attempt, AttemptResult, FlowState};
use crate::product::Transport;
use crate::report::document::{Devices, ReportFlow};
use crate::report::joined::{Arrived, KnownBy, Saw, SeenArriving};
use crate::report::whole::ReportDocument;
use crate::report::{Arrival, ArrivalKind, ArrivalsDocument, Listening};

/// How far the clocks of two hosts may differ.
pub(super) const CLOCKS: SignedDuration = SignedDuration::from_secs(30);

/// How far they may differ where nothing but time shows that two packets are one.
const CLOSE: SignedDuration = SignedDuration::from_secs(5);

/// The most arrivals that are shown of one flow.
const MOST_SHOWN: usize = 8;

/// Compares every silent flow with what its host's listeners saw. What earlier reports sent is another's.
pub(super) fn compare(
    reports: &mut [ReportDocument],
    earlier: &[ReportDocument],
    logs: &[ArrivalsDocument],
) {
    let mut logs: Vec<Log<'_>> = logs.iter().map(Log::new).collect();
    for log in &mut logs {
        log.find_senders(reports.iter().chain(earlier));
    }
    for (number, report) in reports.iter_mut().enumerate() {
        let here = Here::new(number, report);
        for flow in report.flows.iter_mut().filter(|flow| is_silent(flow)) {
            // What arrived at one listener outweighs that nothing did at another.
            let found = logs
                .iter()
                .filter(|log| log.document.system == flow.flow.to.system)
                .filter_map(|log| log.saw(flow, &here))
                .max_by_key(|found| (found.arrived.what == Saw::Request, found.lost));
            if let Some(found) = found {
                write(flow, found, &report.devices);
            }
        }
    }
}

fn is_silent(flow: &ReportFlow) -> bool {
    matches!(flow.state, FlowState::Filtered | FlowState::Silent)
        && flow.evidence.seen.via.is_none()
}

/// What tells a vantage's packets from those of others.
struct Here {
    /// Its place among the reports.
    number: usize,
    /// Its run, as listeners log it.
    run: Option<String>,
    /// Whether a listener saw one of its packets come from the very address that it was sent from.
    untranslated: bool,
}

impl Here {
    fn new(number: usize, report: &ReportDocument) -> Self {
        let mut shown = report
            .flows
            .iter()
            .filter_map(|it| it.evidence.seen.listener.as_ref());
        Self {
            number,
            run: report.vantages[0].run.clone(),
            untranslated: shown.any(|it| it.sent_from.is_some() && !it.has_other_source()),
        }
    }

    fn is_run(&self, arrival: &Arrival) -> bool {
        self.run.is_some() && self.run == arrival.run
    }
}

/// A log with its arrivals by transport and port.
struct Log<'a> {
    document: &'a ArrivalsDocument,
    by_port: HashMap<(Transport, u16), Vec<Packet<'a>>>,
    /// Those that proved the token, by transport and where they were aimed.
    proved: HashMap<(Transport, SocketAddr), Vec<Packet<'a>>>,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
}

/// One arrival, read.
#[derive(Clone)]
struct Packet<'a> {
    at: Timestamp,
    remote: SocketAddr,
    arrival: &'a Arrival,
    /// The reports that have a try from this very source, as places among them.
    senders: BTreeSet<usize>,
}

/// What a log says of a flow.
struct Found {
    arrived: Arrived,
    /// Whether the answer was sent and lost.
    lost: bool,
}

impl<'a> Log<'a> {
    fn new(document: &'a ArrivalsDocument) -> Self {
        let mut by_port: HashMap<(Transport, u16), Vec<Packet<'_>>> = HashMap::new();
        let mut proved: HashMap<(Transport, SocketAddr), Vec<Packet<'_>>> = HashMap::new();
        for arrival in &document.arrivals {
            let (Ok(at), Ok(local), Ok(remote)) = (
                arrival.at.parse(),
                arrival.local.parse::<SocketAddr>(),
                arrival.remote.parse(),
            ) else {
                continue;
            };
            let packet = Packet {
                at,
                remote,
                arrival,
                senders: BTreeSet::new(),
            };
            let aimed = arrival.aimed.as_ref().and_then(|aimed| aimed.parse().ok());
            if let (ArrivalKind::Proved, Some(aimed)) = (arrival.what, aimed) {
                let key = (arrival.transport, plain_end(aimed));
                proved.entry(key).or_default().push(packet.clone());
            }
            let key = (arrival.transport, local.port());
            by_port.entry(key).or_default().push(packet);
        }
        Self {
            document,
            by_port,
            proved,
            started: document.started.parse().ok(),
            finished: document.finished.parse().ok(),
        }
    }

    /// Notes by each arrival which reports have a try from its very source.
    fn find_senders<'b>(&mut self, reports: impl Iterator<Item = &'b ReportDocument>) {
        let mut sent: HashMap<(Transport, u16), Vec<(usize, &Attempt)>> = HashMap::new();
        for (number, report) in reports.enumerate() {
            let to_it = |flow: &&ReportFlow| flow.flow.to.system == self.document.system;
            for flow in report.flows.iter().filter(to_it) {
                for attempt in flow.evidence.attempts() {
                    let port = flow.flow.own_port.unwrap_or(attempt.remote.port());
                    let key = (flow.flow.transport, port);
                    sent.entry(key).or_default().push((number, attempt));
                }
            }
        }
        for (key, packets) in &mut self.by_port {
            let tries = sent.get(key).map_or(&[][..], Vec::as_slice);
            for packet in packets {
                let from_it = tries
                    .iter()
                    .filter(|(_, attempt)| by(attempt, packet) == Some(KnownBy::Source));
                let senders: BTreeSet<usize> = from_it.map(|(number, _)| *number).collect();
                packet.senders = senders;
            }
        }
    }

    /// The challenges of a run that were aimed at what these tries were.
    fn of_run<'b>(
        &'b self,
        transport: Transport,
        tries: &[&Attempt],
        here: &Here,
    ) -> Vec<(&'b Packet<'a>, KnownBy)> {
        let aimed: BTreeSet<SocketAddr> = tries.iter().map(|it| plain_end(it.remote)).collect();
        aimed
            .into_iter()
            .filter_map(|end| self.proved.get(&(transport, end)))
            .flatten()
            .filter(|packet| here.is_run(packet.arrival))
            .map(|packet| (packet, KnownBy::Run))
            .collect()
    }

    fn saw(&self, flow: &ReportFlow, here: &Here) -> Option<Found> {
        let tries: Vec<&Attempt> = flow
            .evidence
            .attempts()
            .filter(|it| it.result == AttemptResult::Silent)
            .collect();
        let asked = tries.first()?.remote.port();
        let port = flow.flow.own_port.unwrap_or(asked);
        let transport = flow.flow.transport;
        let of_run = self.of_run(transport, &tries, here);
        if !of_run.is_empty() {
            return Some(self.request(transport, &of_run));
        }
        let packets = self.by_port.get(&(transport, port));
        let packets = packets.map_or(&[][..], Vec::as_slice);
        let same = same(&tries, packets, here);
        if !same.is_empty() {
            return Some(self.request(transport, &same));
        }
        let (first, last) = span(flow.evidence.attempts())?;
        let around = (shifted(first, -CLOCKS), shifted(last, CLOCKS));
        let quiet = !packets
            .iter()
            .any(|packet| (around.0..=around.1).contains(&packet.at));
        (quiet && self.listened(transport, port, &tries, around))
            .then(|| self.nothing(transport, port))
    }

    /// Whether it listened on a port for the whole time, and lost nothing of what it saw.
    fn listened(
        &self,
        transport: Transport,
        port: u16,
        tries: &[&Attempt],
        (from, to): (Timestamp, Timestamp),
    ) -> bool {
        let whole = self.started.is_some_and(|started| started <= from)
            && self.finished.is_some_and(|finished| finished >= to);
        let on_it = tries
            .iter()
            .all(|attempt| self.listened_at(transport, port, plain(attempt.remote.ip())));
        // Where the system does not show what stays half open, a connection may arrive unseen.
        let sees_it = transport == Transport::Udp || self.document.sees_half_open;
        whole && on_it && sees_it && self.document.more == 0
    }

    /// Whether it listened where a packet to this address comes out: at that very address, where it is this host's.
    /// Else it is translated, nobody knows to which, and the port has to be listened on at every one.
    fn listened_at(&self, transport: Transport, port: u16, tried: IpAddr) -> bool {
        let ends = self.document.ports.iter().filter_map(|it| {
            let local = plain_end(it.local.parse().ok()?);
            Some((it, local))
        });
        let is_own = ends.clone().any(|(_, local)| local.ip() == tried);
        let mut on_port = ends
            .filter(|(it, local)| it.transport == transport && local.port() == port)
            .filter(|(_, local)| !is_own || local.ip() == tried)
            .peekable();
        on_port.peek().is_some() && on_port.all(|(it, _)| it.state == Listening::Yes)
    }

    fn request(&self, transport: Transport, same: &[(&Packet<'_>, KnownBy)]) -> Found {
        let datagram = transport == Transport::Udp;
        let by = same.iter().map(|(_, by)| *by).max();
        let answered = !datagram
            || same
                .iter()
                .any(|(packet, _)| packet.arrival.what == ArrivalKind::Proved);
        let lost = answered && by > Some(KnownBy::Time);
        let known = match by {
            Some(KnownBy::Run) => "it proved the token of this very run",
            Some(KnownBy::Source) => "from the very source address and port",
            Some(KnownBy::Port) => {
                "from the same source port; the address was translated on the way"
            }
            _ => {
                "as it seems: at the same times, from one address, as if address and port were \
                 translated on the way"
            }
        };
        let answer = match answered {
            true => "its answer did not come back",
            false => "nothing shows that the listener answered it",
        };
        let seen = same
            .iter()
            .take(MOST_SHOWN)
            .map(|(packet, by)| SeenArriving {
                at: packet.arrival.at.clone(),
                remote: packet.arrival.remote.clone(),
                by: *by,
            });
        Found {
            lost,
            arrived: Arrived {
                what: Saw::Request,
                host: self.document.host.clone(),
                words: format!(
                    "the request arrived at {} ({known}), and {answer}",
                    self.document.host
                ),
                seen: seen.collect(),
            },
        }
    }

    fn nothing(&self, transport: Transport, port: u16) -> Found {
        let host = &self.document.host;
        Found {
            lost: false,
            arrived: Arrived {
                what: Saw::Nothing,
                host: host.clone(),
                words: format!(
                    "nothing arrived at {host} while it listened on {port}/{transport}: dropped on \
                     the way, or by {host}'s own firewall, which drops before a listener hears of \
                     it"
                ),
                seen: Vec::new(),
            },
        }
    }
}

/// The arrivals that are these tries.
fn same<'a, 'b>(
    tries: &[&Attempt],
    packets: &'a [Packet<'b>],
    here: &Here,
) -> Vec<(&'a Packet<'b>, KnownBy)> {
    let relevant: Vec<&Packet<'_>> = packets
        .iter()
        .filter(|packet| {
            packet.arrival.transport == Transport::Udp
                || packet.arrival.what == ArrivalKind::HalfOpen
        })
        .filter(|packet| packet.arrival.what != ArrivalKind::Proved || here.is_run(packet.arrival))
        .collect();
    // What came from another address than it was sent from.
    let may_be_translated = |packet: &Packet<'_>| {
        let anothers = packet.senders.iter().any(|sender| *sender != here.number);
        !here.untranslated && !anothers
    };
    let by_end = relevant.iter().filter_map(|packet| {
        let by = tries
            .iter()
            .filter_map(|attempt| by(attempt, packet))
            .max()?;
        (by == KnownBy::Source || may_be_translated(packet)).then_some((*packet, by))
    });
    let found: Vec<_> = by_end.collect();
    if !found.is_empty() {
        return found;
    }
    let may_be: Vec<&Packet<'_>> = relevant
        .into_iter()
        .filter(|packet| may_be_translated(packet))
        .collect();
    by_time(tries, &may_be)
}

/// How a try and an arrival are known to be one, by their source.
fn by(attempt: &Attempt, packet: &Packet<'_>) -> Option<KnownBy> {
    let local = attempt.local?;
    let is_close = is_near(packet.at, attempt.at, CLOCKS);
    if !is_close || local.port() != packet.remote.port() {
        return None;
    }
    match plain(local.ip()) == plain(packet.remote.ip()) {
        true => Some(KnownBy::Source),
        false => Some(KnownBy::Port),
    }
}

/// Arrivals from one address that fit the times of enough tries.
fn by_time<'a, 'b>(
    tries: &[&Attempt],
    packets: &[&'a Packet<'b>],
) -> Vec<(&'a Packet<'b>, KnownBy)> {
    let mut by_address: BTreeMap<IpAddr, Vec<&'a Packet<'b>>> = BTreeMap::new();
    for packet in packets {
        let address = plain(packet.remote.ip());
        by_address.entry(address).or_default().push(packet);
    }
    for packets in by_address.into_values() {
        // Each arrival stands for one try only.
        let mut used = BTreeSet::new();
        for attempt in tries {
            let fits = |number: &usize| {
                !used.contains(number) && is_near(packets[*number].at, attempt.at, CLOSE)
            };
            if let Some(number) = (0..packets.len()).find(fits) {
                used.insert(number);
            }
        }
        if used.len() >= 2 && used.len() * 2 >= tries.len() {
            return used
                .into_iter()
                .map(|number| (packets[number], KnownBy::Time))
                .collect();
        }
    }
    Vec::new()
}

/// An address and port as they are compared.
fn plain_end(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(plain(end.ip()), end.port())
}

fn is_near(a: Timestamp, b: Timestamp, most: SignedDuration) -> bool {
    a.duration_since(b).abs() <= most
}

fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

/// A request that arrived shows that something of this vantage came out. Within a zone one may arrive: what was said of such
/// a closed port stands.
fn write(flow: &mut ReportFlow, found: Found, devices: &Devices) {
    flow.evidence.arrived = Some(Box::new(found.arrived));
    if found.lost {
        rejudge(flow, devices, |evidence| {
            let context = &mut evidence.context;
            context.request_arrived = true;
            context.nothing_answered = false;
            context.family_unanswered = false;
        });
    }
}
