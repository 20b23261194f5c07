//! How far away an answer came from: the TTL of packets against that of the machine which speaks at an open port.
//!
//! A packet begins with a TTL of 32, 64, 128 or 255, by its sender's system, and every router takes one off. Nobody
//! sees that number without privileges, but a socket can leave out answers below a bound. So the prober asks the open
//! port (the reference) first. With which TTL T do its answers arrive? Is that what its number of hops F would leave?
//! Then it asks the port that was reset: does the reset pass the bound T, and T + 1?
//!
//! `Nearer` needs all of:
//! 1. T is even: the beginning less F - 1. So the way back is as long as the way there, and no device sets the TTL;
//! 2. T is steady: every flow to the reference passes T, and none passes T + 1;
//! 3. every reset passes T + 1, and none passes the beginning + 1: the sender's packets begin as the reference's do.
//!
//! `Same` needs 1, 2, and all of:
//! 4. every reset passes T, and none passes T + 1, as often as makes the silence proof;
//! 5. nothing at the address answers from farther than the reference: else the reference is a device;
//! 6. the reference's service has spoken.
//!
//! `Same` is the host's distance, and no more: a bridge on the host's own segment is as far away. In all other cases
//! nothing follows. Pure: the prober asks (`probe::distance`), this says what to ask and what it proves.

use std::net::IpAddr;

use super::{Found, Inquiry, doors, has_own_words, sender};
use crate::observation::{
    Farness, Likely, Observation, Rejection, ResetBy, Service, State, Untold,
};

/// The TTLs that packets begin with, the lowest first.
pub const BEGINNINGS: [u8; 4] = [32, 64, 128, 255];
/// Flows to the reference that have to agree.
pub const STEADY: u8 = 6;
/// Flows whose resets have to pass T + 1.
pub const NEARER: u8 = 5;
/// Tries with the beginning + 1 that have to stay silent, at the least.
pub const NOT_BEYOND: u8 = 2;
/// How many of the flows may need a second try: more would be servers that take turns.
const MOST_RETRIED: u8 = 1;
/// Other ports whose distance is looked at.
const MOST_OTHERS: usize = 12;
/// Refusals by a device from which a hint follows.
const FEWEST_REFUSED: usize = 3;

/// What is to be measured of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The open port that is the reference.
    pub port: u16,
    /// The fewest hops after which it answers.
    pub hops: u8,
    /// Whether its service has spoken.
    pub spoken: bool,
    /// The questions whose resets are asked, with their ports.
    pub resets: Vec<(usize, u16)>,
    /// Other ports that answer: none of them may be farther away.
    pub others: Vec<u16>,
}

/// How many tries were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that were answered.
    pub answered: u8,
    /// All of them.
    pub of: u8,
}

impl Count {
    fn all(self, least: u8) -> bool {
        self.of >= least && self.answered == self.of
    }

    fn none(self, least: u8) -> bool {
        self.of >= least && self.answered == 0
    }
}

/// What was measured of the machine at the reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standard {
    /// Its open port.
    pub port: u16,
    /// Whether its service has spoken.
    pub spoken: bool,
    /// The beginning and the TTL of its answers; `None`: no beginning fits its number of hops.
    pub even: Option<Even>,
    /// Flows that pass its TTL.
    pub at: Count,
    /// Tries that pass one more.
    pub above: Count,
    /// Whether another port is answered from farther away.
    pub farther: bool,
    /// Tries after which silence is proof.
    pub enough: u8,
}

/// The TTL of answers that fits the number of hops to their sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Even {
    /// What the packets began with.
    pub begins: u8,
    /// What arrives.
    pub ttl: u8,
}

impl Even {
    /// The TTL that answers have from so many hops away; `None`: they would not arrive.
    pub fn from(begins: u8, hops: u8) -> Option<Self> {
        let ttl = begins.checked_sub(hops.checked_sub(1)?)?;
        (ttl > 0).then_some(Self { begins, ttl })
    }
}

impl Standard {
    fn is_steady(&self) -> bool {
        let even = self.even.is_some_and(|even| {
            // Above 255 there is nothing to pass.
            even.ttl == u8::MAX || self.above.none(STEADY.max(self.enough))
        });
        even && self.at.all(STEADY)
    }
}

/// What was measured of the resets of one port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resets {
    /// Flows that pass the reference's TTL.
    pub at: Count,
    /// Flows that pass one more.
    pub above: Count,
    /// How many of these were answered only at the second try.
    pub retried: u8,
    /// Tries that pass the reference's beginning and one more.
    pub beyond: Count,
    /// By how many routers they are nearer at the least, where they pass one more.
    pub routers: u8,
    /// Whether something else than a reset came.
    pub mixed: bool,
}

/// What is to be measured. It is where a needed flow is reset and nothing else tells by whom. It is also where a needed
/// flow is rejected in the name of the very address that was asked.
pub fn to_measure(
    inquiry: &Inquiry,
    found: &Found,
    observations: &[Observation],
) -> Option<Measure> {
    let reference = inquiry.reference?;
    let seen = observations.get(reference.number)?;
    if seen.state != State::Open || doors::is_every_port_open(&found.doors) {
        return None;
    }
    let hops = hops_to(found.paths.get(&reference.number)?)?;
    // What answers after one hop for a host that is not on this network is no host, or the way does not count hops.
    if hops == 1 && !seen.on_link {
        return None;
    }
    let bounds = sender::Bounds::of(found.paths.values().chain(&found.door_path));
    // What other packets to the address go beyond is no host.
    if bounds.goes_beyond(hops) {
        return None;
    }
    let open = |walk: &&super::Walk| {
        let path = found.paths.get(&walk.number);
        walk.needed && path.is_none_or(|path| bounds.answered_before_host(path).is_none())
    };
    let needed = inquiry.walks.iter().filter(open);
    let state = |walk: &super::Walk| observations.get(walk.number).map(|seen| &seen.state);
    let is_reset = |walk: &&super::Walk| {
        let either = State::Closed {
            reset_by: ResetBy::Either,
        };
        state(walk) == Some(&either)
    };
    let is_rejected = |walk: &super::Walk| matches!(state(walk), Some(State::Rejected(_)));
    let resets: Vec<(usize, u16)> = needed
        .clone()
        .filter(is_reset)
        .map(|walk| (walk.number, walk.port))
        .collect();
    if resets.is_empty() && !needed.clone().any(is_rejected) {
        return None;
    }
    let mut others = Vec::new();
    if !resets.is_empty() {
        others = answering(inquiry, found, observations);
        others.retain(|port| {
            *port != reference.port && !resets.iter().any(|(_, reset)| reset == port)
        });
        others.truncate(MOST_OTHERS);
    }
    Some(Measure {
        port: reference.port,
        hops,
        spoken: has_own_words(seen)
            || matches!(seen.service, Some(Service::Spoke | Service::Listener)),
        resets,
        others,
    })
}

/// The number of hops to a port, where it is sure that one less is not enough.
fn hops_to(path: &crate::observation::Path) -> Option<u8> {
    let first = path.first_answered()?.number;
    let sure = first == 1 || path.reached_beyond() == Some(first - 1);
    sure.then_some(first)
}

/// Ports of the address that answer, the open ones first.
fn answering(inquiry: &Inquiry, found: &Found, observations: &[Observation]) -> Vec<u16> {
    let own = observations
        .iter()
        .enumerate()
        .filter(|(number, seen)| {
            seen.address == Some(inquiry.address) && !inquiry.others.contains(number)
        })
        .filter_map(|(_, seen)| Some((seen.attempts.first()?.remote.port(), &seen.state)));
    let doors = found.doors.iter().map(|(port, seen)| (*port, &seen.state));
    let mut ports: Vec<(bool, u16)> = own
        .chain(doors)
        .filter(|(_, state)| matches!(state, State::Open | State::Closed { .. }))
        .map(|(port, state)| (*state != State::Open, port))
        .collect();
    ports.sort_unstable();
    ports.dedup_by_key(|(_, port)| *port);
    ports.into_iter().map(|(_, port)| port).collect()
}

/// How far away the sender of resets is, compared with the machine at the reference.
pub(super) fn of_resets(standard: &Standard, resets: &Resets) -> Farness {
    if standard.even.is_none() {
        return Farness::Untold(Untold::Uneven);
    }
    if !standard.is_steady() || resets.mixed {
        return Farness::Untold(Untold::Unsteady);
    }
    let passes_above = resets.above.all(NEARER) && resets.retried <= MOST_RETRIED;
    if passes_above {
        // Another beginning may hide any number of routers.
        return match resets.beyond.none(NOT_BEYOND.max(standard.enough)) || begins_highest(standard)
        {
            true => Farness::Nearer(resets.routers.max(1)),
            false => Farness::Untold(Untold::OtherBeginning),
        };
    }
    if resets.above.answered > 0 {
        return Farness::Untold(Untold::Unsteady);
    }
    let passes_at = resets.at.all(standard.enough) && resets.above.none(standard.enough);
    match (passes_at, resets.at.answered) {
        (true, _) if standard.farther => Farness::Untold(Untold::Farther),
        (true, _) if !standard.spoken => Farness::Untold(Untold::Unspoken),
        (true, _) => Farness::Same,
        (false, 0) => Farness::Untold(Untold::OtherBeginning),
        (false, _) => Farness::Untold(Untold::Unsteady),
    }
}

fn begins_highest(standard: &Standard) -> bool {
    standard.even.is_some_and(|even| even.begins == u8::MAX)
}

/// Who a reset is by, as far as its distance tells.
pub(super) fn reset_by(farness: Farness) -> ResetBy {
    match farness {
        Farness::Same => ResetBy::Host,
        Farness::Nearer(_) => ResetBy::Device,
        Farness::Untold(_) => ResetBy::Either,
    }
}

/// Who sent an ICMP message that bears the very address that was asked.
///
/// 1. The TTL of the message tells, where the reference's is even and steady: fewer routers than to the reference make it
///    a device's.
/// 2. A device that is known to translate may have written the address into its own message. That the host cannot be
///    reached, the host does not say of itself.
/// 3. Nor does it say so seconds late: a router has looked for it.
/// 4. A message that passed no router did not come from a host behind one, unless something sets the TTL of all that passes.
/// 5. Otherwise whoever has the address has said it.
pub(super) fn of_rejection(
    rejection: &Rejection,
    slow: bool,
    standard: Option<&Standard>,
    translated: bool,
    on_link: bool,
) -> ResetBy {
    let told = standard
        .filter(|standard| standard.is_steady())
        .and_then(|standard| Some((standard.even?, routers_behind(rejection.ttl?))));
    if let Some((even, routers)) = told {
        return match routers.cmp(&(even.begins - even.ttl)) {
            std::cmp::Ordering::Less => ResetBy::Device,
            std::cmp::Ordering::Equal => ResetBy::Host,
            std::cmp::Ordering::Greater => ResetBy::Either,
        };
    }
    match (translated, rejection.is_about_the_host()) {
        (true, true) => ResetBy::Device,
        (true, false) => ResetBy::Either,
        (false, true) if slow => ResetBy::Device,
        (false, _) if !on_link && passed_no_router(rejection) => ResetBy::Either,
        (false, _) => ResetBy::Host,
    }
}

fn passed_no_router(rejection: &Rejection) -> bool {
    rejection.ttl.is_some_and(|ttl| routers_behind(ttl) == 0)
}

/// How many routers a packet has passed that arrives with a TTL.
pub fn routers_behind(ttl: u8) -> u8 {
    let begins = BEGINNINGS.into_iter().find(|begins| *begins >= ttl);
    begins.unwrap_or(u8::MAX) - ttl
}

/// After how many hops a device speaks in the name of an address: a host does not let packets expire that have arrived.
pub(super) fn translated_at(found: &Found, address: IpAddr) -> Option<u8> {
    let paths = found.paths.values().chain(&found.door_path);
    let own = paths
        .flat_map(|path| path.expired())
        .filter(|(_, by)| *by == address);
    own.map(|(hop, _)| hop).min()
}

/// Who likely sent a reset of a host. A device on the way may refuse its other ports, and firewalls have one manner as
/// a rule. Silence may be the host's own firewall as well, so this is a hint and no proof.
pub(super) fn likely<'a>(others: impl Iterator<Item = &'a Observation>) -> Option<Likely> {
    let (mut refused, mut by_reset) = (0, 0);
    for seen in others {
        let is_devices = match &seen.state {
            State::Rejected(rejection) => {
                !rejection.is_about_the_host()
                    && match seen.rejected_by {
                        Some(by) => by == ResetBy::Device,
                        None => rejection.by.is_some() && rejection.by != seen.address,
                    }
            }
            State::Filtered => true,
            State::Closed {
                reset_by: ResetBy::Device,
            } => {
                by_reset += 1;
                true
            }
            _ => false,
        };
        refused += usize::from(is_devices);
    }
    let by = match (refused >= FEWEST_REFUSED, by_reset) {
        (true, 0) => ResetBy::Host,
        (true, _) if by_reset * 2 > refused => ResetBy::Device,
        _ => return None,
    };
    Some(Likely {
        by,
        refused,
        by_reset,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Prohibition;

    fn count(answered: u8, of: u8) -> Count {
        Count { answered, of }
    }

    /// A machine that speaks at 443 two hops away, with a TTL that begins at 64.
    fn speaks() -> Standard {
        Standard {
            port: 443,
            spoken: true,
            even: Even::from(64, 2),
            at: count(6, 6),
            above: count(0, 6),
            farther: false,
            enough: 4,
        }
    }

    fn same() -> Resets {
        Resets {
            at: count(4, 4),
            above: count(0, 4),
            ..Resets::default()
        }
    }

    fn nearer() -> Resets {
        Resets {
            above: count(5, 5),
            beyond: count(0, 4),
            routers: 1,
            ..Resets::default()
        }
    }

    #[test]
    fn a_reset_from_where_the_service_speaks_is_at_the_hosts_distance() {
        assert_eq!(of_resets(&speaks(), &same()), Farness::Same);
    }

    #[test]
    fn a_reset_that_passed_fewer_routers_is_a_devices() {
        assert_eq!(of_resets(&speaks(), &nearer()), Farness::Nearer(1));
        let unspoken = Standard {
            spoken: false,
            farther: true,
            ..speaks()
        };
        assert_eq!(
            of_resets(&unspoken, &nearer()),
            Farness::Nearer(1),
            "nearer than whatever answers there"
        );
    }

    #[test]
    fn the_hosts_distance_needs_every_condition() {
        let untold = |standard: Standard, resets: Resets| match of_resets(&standard, &resets) {
            Farness::Untold(why) => why,
            told => panic!("{told:?}"),
        };
        let uneven = Standard {
            even: None,
            ..speaks()
        };
        assert_eq!(untold(uneven, same()), Untold::Uneven);
        let two_ways = Standard {
            above: count(1, 6),
            ..speaks()
        };
        assert_eq!(untold(two_ways, same()), Untold::Unsteady);
        let lossy = Standard {
            enough: 9,
            ..speaks()
        };
        assert_eq!(
            untold(lossy, same()),
            Untold::Unsteady,
            "silence may be loss"
        );
        let front = Standard {
            farther: true,
            ..speaks()
        };
        assert_eq!(untold(front, same()), Untold::Farther);
        let silent = Standard {
            spoken: false,
            ..speaks()
        };
        assert_eq!(untold(silent, same()), Untold::Unspoken);
        let below = Resets {
            at: count(0, 4),
            ..same()
        };
        assert_eq!(untold(speaks(), below), Untold::OtherBeginning);
        let one_above = Resets {
            above: count(1, 4),
            ..same()
        };
        assert_eq!(untold(speaks(), one_above), Untold::Unsteady);
        let opened = Resets {
            mixed: true,
            ..same()
        };
        assert_eq!(untold(speaks(), opened), Untold::Unsteady);
    }

    #[test]
    fn a_device_needs_every_flow_and_the_same_beginning() {
        let untold = |resets: Resets| of_resets(&speaks(), &resets);
        let other = Resets {
            beyond: count(4, 4),
            ..nearer()
        };
        assert_eq!(untold(other), Farness::Untold(Untold::OtherBeginning));
        let in_turn = Resets {
            retried: 2,
            ..nearer()
        };
        assert_eq!(untold(in_turn), Farness::Untold(Untold::Unsteady));
        let some = Resets {
            above: count(4, 5),
            ..nearer()
        };
        assert_eq!(untold(some), Farness::Untold(Untold::Unsteady));
    }

    #[test]
    fn the_ttl_of_answers_is_the_beginning_less_the_routers_between() {
        assert_eq!(Even::from(128, 3).map(|even| even.ttl), Some(126));
        assert_eq!(Even::from(64, 1).map(|even| even.ttl), Some(64));
        assert_eq!(Even::from(32, 40), None);
        assert_eq!([64, 63, 127, 255, 31].map(routers_behind), [0, 1, 1, 0, 1]);
    }

    #[test]
    fn what_other_packets_go_beyond_is_no_measure() {
        use std::net::SocketAddr;

        use crate::attribution::Walk;
        use crate::observation::{Attempt, AttemptResult, Hop, HopAnswer, Path};

        let address = IpAddr::from([192, 0, 2, 10]);
        let seen = |port, state| Observation {
            service: Some(Service::Spoke),
            attempts: vec![Attempt {
                at: jiff::Timestamp::UNIX_EPOCH,
                local: None,
                remote: SocketAddr::new(address, port),
                took_ms: 1.0,
                result: AttemptResult::Reset,
            }],
            ..Observation::without_packets(Some(address), state)
        };
        let observations = [
            seen(443, State::Open),
            closed(ResetBy::Either),
            seen(80, State::Open),
        ];
        let walk = |number, port| Walk {
            number,
            port,
            opens: number == 0,
            vanishes: false,
            resets: number == 1,
            needed: true,
            crosses: true,
        };
        let inquiry = Inquiry {
            address,
            reference: Some(walk(0, 443)),
            walks: vec![walk(1, 8531)],
            timed: Vec::new(),
            alike: Vec::new(),
            looks_dead: None,
            others: Default::default(),
        };
        let path = |answers: &[HopAnswer]| Path {
            hops: (1_u8..)
                .zip(answers)
                .map(|(number, answer)| Hop {
                    number,
                    answer: answer.clone(),
                    tries: 1,
                    took_ms: None,
                })
                .collect(),
            ..Path::default()
        };
        let at = |last| HopAnswer::Expired(IpAddr::from([198, 51, 100, last]));
        let mut found = Found::default();
        found.paths.insert(0, path(&[at(1), HopAnswer::Open]));
        found.paths.insert(1, path(&[at(1), HopAnswer::Reset]));
        let measure = to_measure(&inquiry, &found, &observations).expect("a measure");
        assert_eq!((measure.port, measure.hops), (443, 2));
        assert_eq!(measure.resets, [(1, 8531)]);
        assert_eq!(measure.others, [80]);
        found.door_path = Some(path(&[at(1), at(2), HopAnswer::Silent]));
        assert_eq!(to_measure(&inquiry, &found, &observations), None);
    }

    fn says(says: Prohibition, ttl: Option<u8>) -> Rejection {
        Rejection {
            says,
            icmp_type: Some(3),
            icmp_code: Some(13),
            by: None,
            ttl,
        }
    }

    #[test]
    fn a_message_that_passed_fewer_routers_than_the_hosts_answers_is_a_devices() {
        let standard = speaks();
        let by = |ttl| {
            let said = says(Prohibition::AdminProhibited, Some(ttl));
            of_rejection(&said, false, Some(&standard), true, false)
        };
        assert_eq!(by(64), ResetBy::Device);
        assert_eq!(by(255), ResetBy::Device, "routers often begin at 255");
        assert_eq!(by(63), ResetBy::Host);
        assert_eq!(by(62), ResetBy::Either);
    }

    #[test]
    fn without_a_distance_a_translator_may_have_said_it() {
        let prohibited = says(Prohibition::AdminProhibited, Some(64));
        let unreachable = says(Prohibition::HostUnreachable, Some(64));
        assert_eq!(
            of_rejection(&prohibited, false, None, true, false),
            ResetBy::Either
        );
        assert_eq!(
            of_rejection(&unreachable, false, None, true, false),
            ResetBy::Device
        );
        let passed = |ttl, on_link| {
            let prohibited = says(Prohibition::AdminProhibited, Some(ttl));
            of_rejection(&prohibited, false, None, false, on_link)
        };
        assert_eq!(passed(63, false), ResetBy::Host);
        assert_eq!(passed(64, false), ResetBy::Either, "it passed no router");
        assert_eq!(passed(64, true), ResetBy::Host);
        assert_eq!(
            of_rejection(&unreachable, true, None, false, false),
            ResetBy::Device,
            "a host does not look for itself"
        );
    }

    fn closed(reset_by: ResetBy) -> Observation {
        Observation::without_packets(None, State::Closed { reset_by })
    }

    #[test]
    fn a_firewall_that_drops_elsewhere_likely_did_not_reset_here() {
        let silent = Observation::without_packets(None, State::Filtered);
        let four = [
            silent.clone(),
            silent.clone(),
            silent.clone(),
            silent.clone(),
        ];
        let hint = likely(four.iter()).expect("a hint");
        assert_eq!((hint.by, hint.refused), (ResetBy::Host, 4));
        assert_eq!(likely(four[..2].iter()), None, "too few");
        let mixed = [silent.clone(), silent, closed(ResetBy::Device)];
        assert_eq!(likely(mixed.iter()), None);
        let resets = [ResetBy::Device; 3].map(closed);
        let hint = likely(resets.iter()).expect("a hint");
        assert_eq!((hint.by, hint.by_reset), (ResetBy::Device, 3));
    }
}
