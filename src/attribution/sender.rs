//! Who sent a reset: the hop at which it first appears against the host's own distance, and times.
//!
//! 1. A packet with few hops may be answered, while another packet to the same address was forwarded beyond that hop.
//!    Then a device answered, because the host is farther away.
//! 2. An answer that comes quicker than any packet can go to the host and back was a device's. One that takes as long
//!    as the host's own answers, where the last router is much nearer, was the host's.
//! 3. Otherwise nothing tells. A reset first appears at the same hop for a host and for the firewall right before it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::observation::{HopAnswer, Observation, Path, ResetBy, State};

/// How much farther than the last router the host must be, in milliseconds, for times to tell anything.
const CLEAR_MS: f64 = 5.0;
/// The fewest further resets from whose times anything is concluded.
const FEWEST_TIMES: usize = 3;

/// How far packets to one address were seen to go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    /// The farthest hop that forwarded or would have forwarded a packet: the host is beyond it.
    beyond: Option<u8>,
    /// The farthest hop that said itself that a packet had come there. What only follows from silence may be a path
    /// that drops some source ports, and has to be compared in turn.
    said: Option<u8>,
    /// The router nearest to the host that answered.
    nearest_router: Option<u8>,
    /// Its quickest answer, in milliseconds.
    near_ms: Option<f64>,
    /// Packets took different ways, so hops cannot be compared.
    unclear: bool,
    /// The first router counts hops, so that what answers after one is no host beyond it.
    first_router_counts: bool,
}

impl Bounds {
    pub(super) fn of<'a>(paths: impl Iterator<Item = &'a Path>) -> Self {
        let mut bounds = Self::default();
        let mut by_hop: BTreeMap<u8, IpAddr> = BTreeMap::new();
        for path in paths {
            bounds.beyond = bounds.beyond.max(path.reached_beyond());
            bounds.said = bounds.said.max(path.last_expired().map(|(hop, _)| hop));
            for hop in &path.hops {
                let HopAnswer::Expired(by) = hop.answer else {
                    continue;
                };
                bounds.unclear |= *by_hop.entry(hop.number).or_insert(by) != by;
                bounds.note_time(hop.number, hop.took_ms);
            }
        }
        bounds
    }

    /// Whether an answer after so many hops says something only after comparing it in turn with what goes farther.
    fn must_compare(&self, first: u8) -> bool {
        self.unclear || self.said.is_none_or(|said| first > said)
    }

    /// With what all walks of the run show of the first router.
    pub(super) fn knowing(self, first_router_counts: bool) -> Self {
        Self {
            first_router_counts,
            ..self
        }
    }

    fn note_time(&mut self, hop: u8, took_ms: Option<f64>) {
        match self.nearest_router {
            Some(known) if hop < known => {}
            Some(known) if hop == known => self.near_ms = quicker(self.near_ms, took_ms),
            _ => {
                self.nearest_router = Some(hop);
                self.near_ms = took_ms;
            }
        }
    }

    /// Whether a device may still be the one that answered on a path: no other packet is known to have gone beyond its
    /// hop.
    pub(super) fn leaves_open(&self, path: &Path) -> Option<u8> {
        let first = path.first_answered()?.number;
        self.beyond
            .is_none_or(|beyond| beyond < first)
            .then_some(first)
    }

    /// The hop after which a path was answered and the one beyond it, when that proves that a device answered.
    pub(super) fn answered_before_host(&self, path: &Path) -> Option<(u8, u8)> {
        let first = path.first_answered()?.number;
        if first == 1 && self.first_router_counts {
            return Some((1, 1));
        }
        let beyond = self.beyond?;
        let comparable = !self.must_compare(first) || path.nearer;
        (comparable && first <= beyond).then_some((first, beyond))
    }

    /// Whether packets to the address were seen to go beyond a hop.
    pub(super) fn goes_beyond(&self, hop: u8) -> bool {
        self.beyond.is_some_and(|beyond| beyond >= hop)
    }

    pub(super) fn are_unclear(&self) -> bool {
        self.unclear
    }

    /// The hop of a path's answer, where packets take different ways and it seems to be nearer than the host.
    pub(super) fn seems_nearer(&self, path: &Path) -> Option<u8> {
        let (first, beyond) = (path.first_answered()?.number, self.beyond?);
        (self.must_compare(first) && first <= beyond).then_some(first)
    }

    pub(super) fn times_can_tell(&self, reference: &Observation) -> bool {
        self.apart(reference).is_some()
    }

    /// The quickest answers of the last router and of the host, in milliseconds, where they are far enough apart.
    fn apart(&self, reference: &Observation) -> Option<(f64, f64)> {
        let (near, far) = (self.near_ms?, own_answer_ms(reference)?);
        (far - near >= CLEAR_MS && far >= 2.0 * near).then_some((near, far))
    }

    /// The host's quickest answer, when `took` is so much quicker that only a device can have given that one.
    pub(super) fn too_quick(&self, reference: &Observation, took_ms: f64) -> Option<f64> {
        let (near, far) = self.apart(reference)?;
        is_quick(near, far, took_ms).then_some(far)
    }
}

/// No packet can go to the host and back so quickly, whatever else delays it.
fn is_quick(near: f64, far: f64, took: f64) -> bool {
    took <= near + (far - near) / 4.0
}

fn quicker(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// Whether a host is so far away that a router on the way may be clearly nearer.
pub(super) fn is_far(reference: &Observation) -> bool {
    own_answer_ms(reference).is_some_and(|far| far >= CLEAR_MS)
}

/// Who sent the resets of a path; `None`: it was not walked.
pub(super) fn of_reset(
    path: Option<&Path>,
    bounds: &Bounds,
    reference: Option<&Observation>,
    times: &[f64],
) -> ResetBy {
    if path.is_some_and(|path| bounds.answered_before_host(path).is_some()) {
        return ResetBy::Device;
    }
    match reference.and_then(|reference| bounds.apart(reference)) {
        Some((near, far)) => by_time(near, far, times),
        None => ResetBy::Either,
    }
}

/// The quickest answer that is the host's own.
fn own_answer_ms(reference: &Observation) -> Option<f64> {
    if reference.state != State::Open || !super::has_own_words(reference) {
        return None;
    }
    reference.source_ports.and_then(|ports| ports.quickest_ms)
}

/// Who sent resets, where the host is clearly farther away than the last router.
fn by_time(near: f64, far: f64, times: &[f64]) -> ResetBy {
    let quarter = (far - near) / 4.0;
    let is_the_hosts = |time: &f64| *time >= far - quarter && *time <= far + 2.0 * quarter;
    if times.iter().any(|time| is_quick(near, far, *time)) {
        ResetBy::Device
    } else if times.len() >= FEWEST_TIMES && times.iter().all(is_the_hosts) {
        ResetBy::Host
    } else {
        ResetBy::Either
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Hop;

    fn path(answers: &[HopAnswer]) -> Path {
        let hop = |(number, answer): (usize, &HopAnswer)| Hop {
            number: u8::try_from(number + 1).expect("a short path"),
            answer: answer.clone(),
            tries: 1,
            took_ms: Some(1.0),
        };
        Path {
            hops: answers.iter().enumerate().map(hop).collect(),
            ..Path::default()
        }
    }

    fn expired(last: u8) -> HopAnswer {
        HopAnswer::Expired(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_reset_nearer_than_a_hop_that_forwards_is_a_devices() {
        let far = path(&[expired(1), expired(2), HopAnswer::Open]);
        let near = path(&[expired(1), HopAnswer::Reset]);
        let bounds = Bounds::of([&far, &near].into_iter());
        assert_eq!(of_reset(Some(&near), &bounds, None, &[]), ResetBy::Device);
    }

    #[test]
    fn a_reset_at_the_hosts_distance_may_be_the_last_firewalls() {
        let open = path(&[expired(1), HopAnswer::Open]);
        let reset = path(&[expired(1), HopAnswer::Reset]);
        let bounds = Bounds::of([&open, &reset].into_iter());
        assert_eq!(of_reset(Some(&reset), &bounds, None, &[]), ResetBy::Either);
    }

    #[test]
    fn a_hop_that_never_answers_still_forwards_what_the_next_hop_gets_answered() {
        let mut open = path(&[HopAnswer::Silent, HopAnswer::Open]);
        open.enough = 4;
        let early = path(&[HopAnswer::Reset]);
        let bounds = |open: &Path| Bounds::of([open, &early].into_iter());
        assert_eq!(
            of_reset(Some(&early), &bounds(&open), None, &[]),
            ResetBy::Either,
            "one silent try may be a lost packet"
        );
        open.hops[0].tries = 4;
        assert_eq!(
            of_reset(Some(&early), &bounds(&open), None, &[]),
            ResetBy::Either,
            "one of two paths may drop it"
        );
        let compared = Path {
            nearer: true,
            ..early.clone()
        };
        assert_eq!(
            of_reset(Some(&compared), &bounds(&open), None, &[]),
            ResetBy::Device
        );
    }

    #[test]
    fn what_answers_after_one_hop_is_no_host_beyond_a_router_that_counts() {
        let near = path(&[HopAnswer::Open]);
        let bounds = Bounds::of([&near].into_iter());
        assert_eq!(bounds.answered_before_host(&near), None);
        let bounds = bounds.knowing(true);
        assert_eq!(bounds.answered_before_host(&near), Some((1, 1)));
    }

    #[test]
    fn ways_that_differ_prove_nothing() {
        let long = path(&[expired(1), expired(2), HopAnswer::Open]);
        let other = path(&[expired(9), HopAnswer::Reset]);
        let bounds = Bounds::of([&long, &other].into_iter());
        assert_eq!(of_reset(Some(&other), &bounds, None, &[]), ResetBy::Either);
    }

    fn spoke(quickest_ms: f64) -> Observation {
        Observation {
            service: Some(crate::observation::Service::Spoke),
            source_ports: Some(crate::observation::SourcePorts {
                quickest_ms: Some(quickest_ms),
                ..Default::default()
            }),
            ..Observation::without_packets(None, State::Open)
        }
    }

    #[test]
    fn times_tell_only_where_host_and_router_are_far_apart() {
        let bounds = Bounds::of([&path(&[expired(1), HopAnswer::Open])].into_iter());
        assert!(!bounds.times_can_tell(&spoke(1.8)));
        assert!(bounds.times_can_tell(&spoke(31.0)));
        assert_eq!(bounds.too_quick(&spoke(31.0), 1.4), Some(31.0));
        assert_eq!(bounds.too_quick(&spoke(31.0), 30.0), None);
    }

    #[test]
    fn one_reset_that_is_too_quick_is_a_devices_and_all_of_them_must_take_long_to_be_the_hosts() {
        assert_eq!(by_time(1.0, 31.0, &[1.2, 1.1, 2.0]), ResetBy::Device);
        assert_eq!(by_time(1.0, 31.0, &[1.2, 30.5, 33.0]), ResetBy::Device);
        assert_eq!(by_time(1.0, 31.0, &[31.2, 30.5, 33.0]), ResetBy::Host);
        assert_eq!(by_time(1.0, 31.0, &[31.2]), ResetBy::Either);
        assert_eq!(by_time(1.0, 31.0, &[31.2, 95.0, 31.0]), ResetBy::Either);
    }
}
