//! Who answered, and where silent packets are dropped: what is worth finding out about a host, and what it proves.
//!
//! Observations go in. `wanted` says which addresses deserve an `Inquiry`, and which of their ports a walk of the path.
//! The prober carries that out and returns `Found`. `attribute` writes into the observations what it proves. That is
//! the sender of a reset (`sender`, `distance`), a door that is painted on (`doors`), or the place where packets are
//! dropped (`place`). What is lost once a connection is open, `delivery` concludes from repeats. Pure: no sockets, no
//! clocks. A claim needs evidence that came back; silence alone only ever leaves a claim out.

/// Whether a service is mute, or its words vanish on the way.
pub mod delivery;
/// How far away an answer came from.
pub mod distance;
mod doors;
mod here;
mod link;
mod place;
mod sender;
mod unreachable;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::observation::{Distance, Observation, Path, Prohibition, ResetBy, Service, State};

pub use distance::routers_behind;
pub use doors::{DOORS, enough_doors, is_every_port_open};
pub use here::{may_be_reset_here, own_words};
pub use link::Link;
pub use place::{Suspects, Translating, dropped, next_to_ask, suspects};
pub use unreachable::{SHORTEST_SEARCH, settle_all};

/// The most paths that are walked to one address.
const MOST_WALKS: usize = 12;
/// The most forbidden flows of one address whose resets are timed.
const MOST_TIMED: usize = 4;

/// One question that was asked, as far as attribution looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a> {
    /// Its number among the questions.
    pub number: usize,
    /// Where it went.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Whether the site needs it, and does not forbid it.
    pub needed: bool,
    /// Whether the site file puts a border of zones between.
    pub crosses: bool,
    /// What was seen.
    pub seen: &'a Observation,
}

/// What is to be found out about one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The address.
    pub address: IpAddr,
    /// The question whose way is the measure for others: it is answered.
    pub reference: Option<Walk>,
    /// The questions whose ways are walked.
    pub walks: Vec<Walk>,
    /// Resets of forbidden flows whose times may show that the host sent them: then the firewalls let them through.
    pub timed: Vec<Walk>,
    /// A port of which routers say that the host cannot be reached, where nothing shows that it is alive.
    pub looks_dead: Option<u16>,
    /// Silent needed questions that take the path of the one that is walked, because nothing answers anywhere.
    pub alike: Vec<usize>,
    /// The questions to other hosts that share the address: nothing is said of these.
    pub others: BTreeSet<usize>,
}

/// A question whose way is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Its number among the questions.
    pub number: usize,
    /// Its port.
    pub port: u16,
    /// Whether it is open, so that all that is asked is whether its answers come from nearer than the host.
    pub opens: bool,
    /// Whether its packets vanish, so that the place is looked for.
    pub vanishes: bool,
    /// Whether it was reset, so that the times of further resets are worth having.
    pub resets: bool,
    /// Whether the site needs it, so that more packets are worth an answer.
    pub needed: bool,
    /// Whether the site file puts a border of zones between.
    pub crosses: bool,
}

/// What an inquiry found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Ports that nobody is known to listen on, and what they did.
    pub doors: Vec<(u16, Observation)>,
    /// Paths by question.
    pub paths: BTreeMap<usize, Path>,
    /// The path to a port that nobody is known to listen on.
    pub door_path: Option<Path>,
    /// Times of further resets by question, in milliseconds.
    pub reset_times: BTreeMap<usize, Vec<f64>>,
    /// The router that looked for the host and did not find it.
    pub dead_by: Option<IpAddr>,
    /// What the system's table of neighbours says of the address, where it is on this host's own networks.
    pub link: Link,
    /// How far away the host is, where that was measured.
    pub standard: Option<distance::Standard>,
    /// How far away the senders of resets are, by question.
    pub resets: BTreeMap<usize, distance::Resets>,
}

/// Which addresses deserve an inquiry, and what of it.
///
/// Addresses in this host's own networks are looked into only where a needed flow is reset. A firewall may stand within
/// such a network, or answer ARP for another. Open ports whose service has not spoken are walked first, then needed
/// flows that vanish, then resets of needed flows. A forbidden flow that is reset is kept closed, whoever did it. So its
/// way is not walked; only where times tell, some are asked for theirs.
///
/// `deaf`: nothing answered anywhere in the run (`is_deaf`). Then what stops the packets is one thing, and of each
/// address one way is walked.
pub fn wanted(tried: &[Tried<'_>], deaf: bool) -> Vec<Inquiry> {
    let mut by_address: BTreeMap<IpAddr, Vec<&Tried<'_>>> = BTreeMap::new();
    for one in tried {
        by_address.entry(one.address).or_default().push(one);
    }
    by_address
        .into_iter()
        .filter(|(_, of_it)| {
            of_it
                .iter()
                .any(|one| !one.seen.on_link || is_open_reset(one))
        })
        .map(|(address, of_it)| inquiry(address, &of_it, deaf))
        .filter(Inquiry::asks_anything)
        .collect()
}

/// Whether nothing answered anywhere, and no device said a word.
pub fn is_deaf<'a>(mut seen: impl Iterator<Item = &'a Observation>) -> bool {
    seen.all(|seen| seen.is_silence() || seen.address.is_none())
}

/// Whether a needed flow is reset, and nothing tells yet by whom.
fn is_open_reset(one: &Tried<'_>) -> bool {
    let either = State::Closed {
        reset_by: ResetBy::Either,
    };
    one.needed && one.seen.state == either
}

impl Inquiry {
    fn asks_anything(&self) -> bool {
        self.reference.is_some() || !self.walks.is_empty() || self.looks_dead.is_some()
    }

    /// Whether any path says something that the verdicts wait for.
    pub fn needs_paths(&self) -> bool {
        !self.walks.is_empty() || !self.timed.is_empty()
    }

    /// Whether routers have to say how far packets came: how far answers come from shows without their words.
    pub fn needs_routers(&self) -> bool {
        !self.timed.is_empty() || !self.walks.iter().all(|walk| walk.opens)
    }
}

fn inquiry(address: IpAddr, tried: &[&Tried<'_>], deaf: bool) -> Inquiry {
    let mut walks: Vec<(u8, Walk)> = tried
        .iter()
        .filter_map(|one| Some((urgency(one)?, walk(one))))
        .collect();
    walks.sort_by_key(|(urgency, walk)| (*urgency, walk.number));
    let reference = reference(tried);
    let most = if deaf { 1 } else { MOST_WALKS };
    let alike = walks.iter().skip(most).filter(|_| deaf);
    Inquiry {
        address,
        reference,
        timed: timed(tried, reference),
        alike: alike.map(|(_, walk)| walk.number).collect(),
        walks: walks.into_iter().take(most).map(|(_, walk)| walk).collect(),
        looks_dead: looks_dead(tried),
        others: BTreeSet::new(),
    }
}

/// Resets of forbidden flows, where the host is far enough away that times may tell who sent them.
fn timed(tried: &[&Tried<'_>], reference: Option<Walk>) -> Vec<Walk> {
    let of_reference = |one: &&&Tried<'_>| Some(one.number) == reference.map(|it| it.number);
    let is_far = tried
        .iter()
        .find(of_reference)
        .is_some_and(|one| sender::is_far(one.seen));
    let either = State::Closed {
        reset_by: ResetBy::Either,
    };
    let resets = tried
        .iter()
        .filter(|one| is_far && !one.needed && one.crosses && one.seen.state == either);
    resets.take(MOST_TIMED).map(|one| walk(one)).collect()
}

fn walk(one: &Tried<'_>) -> Walk {
    Walk {
        number: one.number,
        port: one.port,
        opens: one.seen.state == State::Open,
        vanishes: one.seen.is_silence(),
        resets: matches!(one.seen.state, State::Closed { .. }),
        needed: one.needed,
        crosses: one.crosses,
    }
}

/// The port whose answers are most surely the host's own. One that has its own words comes first, then one whose
/// service spoke, then an open one, then a reset.
fn reference(tried: &[&Tried<'_>]) -> Option<Walk> {
    let rank = |one: &&&Tried<'_>| match (&one.seen.state, &one.seen.service) {
        (State::Open, Some(Service::ConnectedToItself)) => None,
        // Only the host's own words tell how far away it is.
        (State::Open, _) if has_own_words(one.seen) => Some(0),
        (State::Open, Some(Service::Spoke)) => Some(1),
        (State::Open, _) => Some(2),
        (State::Closed { .. }, _) => Some(3),
        _ => None,
    };
    tried
        .iter()
        .filter(|one| rank(one).is_some())
        .min_by_key(|one| rank(one))
        .map(|one| walk(one))
}

/// How early a question's way is walked; `None`: not at all.
fn urgency(one: &Tried<'_>) -> Option<u8> {
    let needed = one.needed;
    match &one.seen.state {
        State::Open if !has_own_words(one.seen) => Some(0),
        State::Filtered if needed => Some(1),
        State::Closed {
            reset_by: ResetBy::Either,
        } if needed => Some(2),
        // A device that translates the address may have said it in the host's name.
        State::Rejected(rejection) if needed && rejection.by == Some(one.address) => Some(2),
        State::Filtered
        | State::Closed { .. }
        | State::Open
        | State::Silent
        | State::Rejected(_)
        | State::Unresolved(_)
        | State::Unreachable(_)
        | State::Stopped(_)
        | State::NotTried(_) => None,
    }
}

/// Whether an open port said what only the service itself can say. Devices on the way accept connections and answer
/// plain HTTP and DNS in the place of others. They do not hold a certificate's key, nor speak the rest.
pub fn has_own_words(seen: &Observation) -> bool {
    match &seen.service {
        // A proof with the token is nobody else's word.
        Some(Service::Listener) => true,
        Some(Service::Spoke) => seen.tls.is_some() || !is_often_answered_for(seen),
        Some(Service::Certificate(_)) => seen.tls.as_ref().is_some_and(|tls| tls.key_proven),
        Some(Service::ServerError(_)) => seen.tls.is_some(),
        _ => false,
    }
}

/// Plain HTTP and DNS: what transparent proxies and resolvers on the way take upon themselves.
fn is_often_answered_for(seen: &Observation) -> bool {
    let spoken = seen.spoken.as_ref();
    seen.http.is_some() || spoken.is_some_and(|spoken| spoken.protocol == "dns")
}

/// The port of which a host-unreachable message came, where nothing shows that the host is alive. A door that opens on a dead host is
/// painted on, so an open port without its own words shows nothing.
fn looks_dead(tried: &[&Tried<'_>]) -> Option<u16> {
    let is_alive = |one: &&&Tried<'_>| {
        matches!(one.seen.state, State::Closed { .. }) || has_own_words(one.seen)
    };
    let is_said_unreachable = |one: &&&Tried<'_>| {
        matches!(&one.seen.state, State::Rejected(rejection)
            if rejection.says == Prohibition::HostUnreachable)
    };
    let opened = tried.iter().any(|one| one.seen.state == State::Open);
    let said = tried.iter().find(is_said_unreachable)?;
    (opened || !tried.iter().any(|one| is_alive(&one))).then_some(said.port)
}

/// Whether the host is so much farther away than the last router that times of resets tell who sent them.
pub fn times_can_tell<'a>(reference: &Observation, paths: impl Iterator<Item = &'a Path>) -> bool {
    sender::Bounds::of(paths).times_can_tell(reference)
}

/// Whether packets to one address were seen to take different ways.
pub fn ways_differ(found: &Found) -> bool {
    sender::Bounds::of(found.paths.values().chain(&found.door_path)).are_unclear()
}

/// Whether the walk to a silent port was answered by the port itself. Its packets had other source ports than the
/// tries, so some pass and others do not.
pub fn passes_for_some(found: &Found, answers: &[Observation]) -> bool {
    found.paths.iter().any(|(number, path)| {
        let silent = answers.get(*number).is_some_and(Observation::is_silence);
        silent && path.first_answered().is_some()
    })
}

/// Two flows to be sent to a hop in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The question whose answer seems to come from nearer than the host.
    pub near: usize,
    /// The hop of that answer.
    pub hop: u8,
    /// The packets that were seen to go beyond it.
    pub far: Far,
}

/// Whose packets went farther.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Far {
    /// A question's.
    Question(usize),
    /// Those to a port that nobody uses.
    Door,
}

/// Where packets take different ways: the answers that seem to come from nearer than the host.
pub fn to_compare(found: &Found) -> Vec<Comparison> {
    let bounds = sender::Bounds::of(found.paths.values().chain(&found.door_path));
    let goes_beyond = |path: &Path, hop| path.reached_beyond().is_some_and(|beyond| beyond >= hop);
    let farther = |hop| {
        let mut among_paths = found.paths.iter();
        let question = among_paths.find(|(_, path)| goes_beyond(path, hop));
        let door = found.door_path.as_ref();
        question
            .map(|(number, _)| Far::Question(*number))
            .or_else(|| {
                door.filter(|path| goes_beyond(path, hop))
                    .map(|_| Far::Door)
            })
    };
    found
        .paths
        .iter()
        .filter_map(|(number, path)| {
            let hop = bounds.seems_nearer(path)?;
            Some(Comparison {
                near: *number,
                hop,
                far: farther(hop)?,
            })
        })
        .collect()
}

/// The hops after which open ports were answered, where nothing shows yet whether the host is farther away.
pub fn open_at_hops<'a>(
    observations: &[Observation],
    paths: impl Iterator<Item = (&'a usize, &'a Path)> + Clone,
    door: Option<&Path>,
) -> Vec<u8> {
    let bounds = sender::Bounds::of(paths.clone().map(|(_, path)| path).chain(door));
    let mut hops: Vec<u8> = paths
        .filter(|(number, _)| {
            observations
                .get(**number)
                .is_some_and(|seen| seen.state == State::Open && !has_own_words(seen))
        })
        .filter_map(|(_, path)| bounds.leaves_open(path))
        .collect();
    hops.sort_unstable();
    hops.dedup();
    hops
}

/// Whether any of the walks shows that the first router counts hops: it said so, or left unanswered what one hop more
/// got answered. In some virtual networks no router counts.
pub fn first_router_counts(found: &[Found]) -> bool {
    let paths = found
        .iter()
        .flat_map(|found| found.paths.values().chain(&found.door_path));
    paths
        .filter_map(Path::reached_beyond)
        .any(|beyond| beyond >= 1)
}

/// Writes into the observations what an inquiry proves. `counts`: see `first_router_counts`; then whatever answers after
/// one hop stands before every host that is not on this host's own networks.
pub fn attribute(observations: &mut [Observation], inquiry: &Inquiry, found: &Found, counts: bool) {
    let bounds = sender::Bounds::of(found.paths.values().chain(&found.door_path));
    let bounds = bounds.knowing(counts);
    let reference = inquiry
        .reference
        .and_then(|reference| observations.get(reference.number))
        .cloned();
    let walked = found.paths.iter();
    let the_one = inquiry
        .walks
        .first()
        .and_then(|walk| found.paths.get(&walk.number));
    let alike =
        the_one.filter(|path| path.first_answered().is_none() && path.rejection().is_none());
    let alike = inquiry
        .alike
        .iter()
        .filter_map(|number| Some((number, alike?)));
    for (number, path) in walked.chain(alike) {
        let Some(seen) = observations.get_mut(*number) else {
            continue;
        };
        if let State::Closed { reset_by } = &mut seen.state
            && *reset_by == ResetBy::Either
        {
            let times = found.reset_times.get(number).map_or(&[][..], Vec::as_slice);
            *reset_by = sender::of_reset(Some(path), &bounds, reference.as_ref(), times);
        }
        if let Some(rejection) = path.rejection().filter(|_| seen.is_silence()) {
            // A limit on error messages had swallowed it before.
            seen.state = State::Rejected(rejection.clone());
            seen.confidence = None;
        }
        seen.path = Some(Box::new(path.clone()));
        by_distance(seen, found, found.resets.get(number));
        let walk = inquiry.walks.iter().find(|walk| walk.number == *number);
        link::settle(seen, found.link, walk.is_some_and(|walk| walk.crosses));
    }
    for timed in &inquiry.timed {
        let times = found.reset_times.get(&timed.number);
        if let (Some(seen), Some(times)) = (observations.get_mut(timed.number), times)
            && let State::Closed { reset_by } = &mut seen.state
        {
            *reset_by = sender::of_reset(None, &bounds, reference.as_ref(), times);
        }
    }
    let translated_at = distance::translated_at(found, inquiry.address);
    let of_host = observations
        .iter_mut()
        .enumerate()
        .filter(|(number, _)| !inquiry.others.contains(number))
        .map(|(_, seen)| seen);
    let mut of_host: Vec<&mut Observation> = of_host
        .filter(|seen| seen.address == Some(inquiry.address))
        .collect();
    unreachable::settle(of_host.iter_mut().map(|seen| &mut **seen));
    for seen in of_host {
        // A port that answered after its way was walked drops nothing.
        if let Some(path) = seen
            .path
            .as_mut()
            .filter(|_| !matches!(seen.state, State::Filtered | State::Silent))
        {
            path.dropped = None;
        }
        seen.dead_by = found.dead_by;
        seen.translated_at = translated_at;
        if let State::Rejected(rejection) = &seen.state
            && rejection.by == seen.address
        {
            let slow = seen.slow_rejection;
            let standard = found.standard.as_ref();
            let translated = translated_at.is_some();
            let by = distance::of_rejection(rejection, slow, standard, translated, seen.on_link);
            seen.rejected_by = Some(by);
        }
        seen.painted = doors::painted(seen, &bounds, reference.as_ref(), found);
    }
    note_likely(observations, inquiry);
}

/// Takes in how far away the sender of a reset is, where nothing else has told who it is.
fn by_distance(seen: &mut Observation, found: &Found, resets: Option<&distance::Resets>) {
    let (Some(standard), Some(resets)) = (&found.standard, resets) else {
        return;
    };
    if let State::Closed { reset_by } = &mut seen.state
        && *reset_by == ResetBy::Either
    {
        let sender = distance::of_resets(standard, resets);
        *reset_by = distance::reset_by(sender);
        seen.distance = Some(Distance {
            port: standard.port,
            sender,
        });
    }
}

/// Notes of resets that nothing tells more of who likely sent them, by what became of other ports of the host.
fn note_likely(observations: &mut [Observation], inquiry: &Inquiry) {
    let is_own = |(number, seen): &(usize, &Observation)| {
        seen.address == Some(inquiry.address) && !inquiry.others.contains(number)
    };
    let likely = distance::likely(
        observations
            .iter()
            .enumerate()
            .filter(is_own)
            .map(|(_, seen)| seen),
    );
    let either = State::Closed {
        reset_by: ResetBy::Either,
    };
    for (number, seen) in observations.iter_mut().enumerate() {
        if is_own(&(number, seen)) && seen.state == either {
            seen.likely = likely;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Hop, HopAnswer};

    #[test]
    fn a_walk_that_meets_a_silent_port_open_shows_that_some_source_ports_pass() {
        let passes = |state, answer| {
            let hop = Hop {
                number: 2,
                answer,
                tries: 1,
                took_ms: None,
            };
            let path = Path {
                hops: vec![hop],
                ..Path::default()
            };
            let found = Found {
                paths: [(0, path)].into(),
                ..Found::default()
            };
            passes_for_some(&found, &[Observation::without_packets(None, state)])
        };
        assert!(passes(State::Filtered, HopAnswer::Open));
        assert!(passes(State::Silent, HopAnswer::Open));
        assert!(!passes(State::Filtered, HopAnswer::Silent));
        assert!(!passes(State::Open, HopAnswer::Open));
    }
}
