//! Asking how far away answers come from: connections that leave out what arrives with less than some TTL.
//!
//! What is asked, and what follows, `attribution::distance` says. Every try waits four round trips and less than a
//! second, or the system would repeat the packet. The tries of one flow to a port that resets, and their repetitions,
//! have one source port, so that they take one way. Those to the open port have each their own. A port that was left
//! half open answers the next packet with a challenge (RFC 5961). And ways that differ show themselves as answers that
//! differ.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::Prober;
use super::try_once::once;
use super::walk::enough;
use crate::attribution::distance::{
    BEGINNINGS, Count, Even, Measure, NEARER, NOT_BEYOND, Resets, STEADY, Standard,
};
use crate::os::{Connection, Manner};

/// The least time that an answer is waited for: on a busy machine a shorter one takes late answers for silence.
const LEAST_WAIT: Duration = Duration::from_millis(250);
/// The longest: after a second the system sends its packet again.
const LONGEST_WAIT: Duration = Duration::from_millis(900);
/// Tries under way at once.
const AT_ONCE: usize = 4;
/// How often something that answers is asked.
const PATIENCE: usize = 3;
/// Where among the beginnings the search starts.
const COMMON: usize = 1;

/// What one try met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Met {
    Open,
    Reset,
    /// Nothing that counts.
    Silent,
    /// Neither.
    Other,
}

impl Met {
    fn is_answer(self) -> bool {
        matches!(self, Self::Open | Self::Reset)
    }
}

/// What was measured of one address: the reference, and the resets by question.
pub(super) type Measured = (Standard, BTreeMap<usize, Resets>);

/// Measures the reference, then the resets; `None` where round trips are too long for it.
pub(super) async fn measure(
    prober: &Prober,
    address: IpAddr,
    measure: &Measure,
) -> Option<Measured> {
    let asking = Asking::new(prober, address)?;
    let standard = asking.standard(measure).await;
    let mut resets = BTreeMap::new();
    if let Some(even) = standard.even {
        for (number, port) in &measure.resets {
            if *prober.stop.borrow() {
                return None;
            }
            resets.insert(*number, asking.resets(*port, even).await);
        }
    }
    Some((standard, resets))
}

/// The questions to one address.
struct Asking<'a> {
    prober: &'a Prober,
    address: IpAddr,
    wait: Duration,
    enough: u8,
}

impl<'a> Asking<'a> {
    fn new(prober: &'a Prober, address: IpAddr) -> Option<Self> {
        let round_trip = prober.measured().round_trip(address)?;
        let wait = (round_trip * 4).max(LEAST_WAIT).min(LONGEST_WAIT);
        (round_trip * 2 <= wait).then(|| Self {
            prober,
            address,
            wait,
            enough: enough(prober, SocketAddr::new(address, 0)),
        })
    }

    /// One try; with it the source port, where there was one.
    async fn ask(&self, port: u16, least: u8, from: Option<u16>) -> (Met, Option<u16>) {
        let manner = Manner {
            least_ttl: Some(least),
            local_port: from,
            ..Manner::default()
        };
        let remote = SocketAddr::new(self.address, port);
        let Some(seen) = once(self.prober, remote, manner, self.wait).await else {
            return (Met::Other, None);
        };
        let met = match seen.came {
            Some(Connection::Open(_) | Connection::ResetAfterAccept { .. }) => Met::Open,
            Some(Connection::Reset { .. }) => Met::Reset,
            Some(Connection::Rejected { .. } | Connection::Trouble(_)) => Met::Other,
            None => Met::Silent,
        };
        (met, seen.local.map(|local| local.port()))
    }

    /// Whether a port that answers does so with at least this TTL.
    async fn passes(&self, port: u16, least: u8) -> bool {
        for _ in 0..PATIENCE {
            if self.ask(port, least, None).await.0.is_answer() {
                return true;
            }
        }
        false
    }

    async fn standard(&self, measure: &Measure) -> Standard {
        let mut standard = Standard {
            port: measure.port,
            spoken: measure.spoken,
            even: self.even(measure.port, measure.hops).await,
            enough: self.enough,
            ..Standard::default()
        };
        let Some(even) = standard.even else {
            return standard;
        };
        let flows: Vec<bool> = stream::iter(0..STEADY)
            .map(|_| self.passes(measure.port, even.ttl))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        standard.at = count(&flows);
        if let Some(above) = even.ttl.checked_add(1) {
            let tries = STEADY.max(self.enough);
            standard.above = self.tries(measure.port, above, tries).await;
        }
        for port in &measure.others {
            standard.farther = standard.farther || self.is_farther(*port, even, measure.hops).await;
        }
        standard
    }

    /// The TTL of a port's answers, where it fits the number of hops and one of the beginnings.
    async fn even(&self, port: u16, hops: u8) -> Option<Even> {
        let fitting = BEGINNINGS.map(|begins| Even::from(begins, hops));
        for even in fitting[COMMON..].iter().flatten() {
            let passes_above = match even.ttl.checked_add(1) {
                // One try: that none passes is looked at closely later.
                Some(above) => self.ask(port, above, None).await.0.is_answer(),
                None => false,
            };
            if !passes_above {
                let own = self.passes(port, even.ttl).await;
                if own || even.begins != BEGINNINGS[COMMON] {
                    return own.then_some(*even);
                }
                break;
            }
        }
        for even in fitting[..COMMON].iter().rev().flatten() {
            if self.passes(port, even.ttl).await {
                return Some(*even);
            }
        }
        None
    }

    /// How many single tries are answered with at least this TTL.
    async fn tries(&self, port: u16, least: u8, tries: u8) -> Count {
        let met: Vec<bool> = stream::iter(0..tries)
            .map(|_| async move { self.ask(port, least, None).await.0.is_answer() })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        count(&met)
    }

    /// Whether another port answers from farther away than the reference, whatever its packets begin with.
    async fn is_farther(&self, port: u16, even: Even, hops: u8) -> bool {
        let lower = BEGINNINGS.iter().filter(|begins| **begins < even.begins);
        let lower = lower.filter_map(|begins| Even::from(*begins, hops));
        let mut fitting: Vec<u8> = lower.map(|even| even.ttl).collect();
        fitting.push(even.ttl);
        for least in fitting.into_iter().rev() {
            if self.passes(port, least).await {
                return false;
            }
        }
        true
    }

    /// Asks the resets of one port. The first answer says which of the two claims the rest is for.
    async fn resets(&self, port: u16, even: Even) -> Resets {
        let mut resets = Resets::default();
        let above = even.ttl.checked_add(1);
        let first = match above {
            Some(above) => self.ask(port, above, None).await,
            None => (Met::Silent, None),
        };
        match (first.0, above) {
            (Met::Reset, Some(above)) => {
                resets.above = Count { answered: 1, of: 1 };
                self.ask_nearer(port, even, above, &mut resets).await;
            }
            (Met::Silent, _) => {
                resets.above.of = 1;
                self.ask_same(port, even, first.1, &mut resets).await;
            }
            (Met::Open | Met::Other | Met::Reset, _) => resets.mixed = true,
        }
        resets
    }

    /// Whether all resets pass more than the reference's TTL, and none more than its beginning.
    async fn ask_nearer(&self, port: u16, even: Even, above: u8, resets: &mut Resets) {
        while resets.above.of < NEARER {
            let (mut met, local) = self.ask(port, above, None).await;
            if met == Met::Silent {
                resets.retried += 1;
                met = self.ask(port, above, local).await.0;
            }
            resets.above.of += 1;
            resets.above.answered += u8::from(met == Met::Reset);
            resets.mixed |= matches!(met, Met::Open | Met::Other);
        }
        if let Some(beyond) = even.begins.checked_add(1) {
            let tries = NOT_BEYOND.max(self.enough);
            resets.beyond = self.tries(port, beyond, tries).await;
        }
        resets.routers = 1;
        // The highest bound that they pass says how near they are; one try each, so it may be nearer still.
        for least in (above..=even.begins).rev() {
            if least == above || self.ask(port, least, None).await.0 == Met::Reset {
                resets.routers = least - even.ttl;
                break;
            }
        }
    }

    /// Whether all resets pass the reference's TTL, and none more. `from`: the source port of the first flow, which has
    /// stayed silent above it.
    async fn ask_same(&self, port: u16, even: Even, from: Option<u16>, resets: &mut Resets) {
        let mut from = from;
        loop {
            let mut met = Met::Silent;
            for _ in 0..PATIENCE {
                let local;
                (met, local) = self.ask(port, even.ttl, from).await;
                from = from.or(local);
                if met != Met::Silent {
                    break;
                }
            }
            resets.at.of += 1;
            resets.at.answered += u8::from(met == Met::Reset);
            resets.mixed |= matches!(met, Met::Open | Met::Other);
            let agrees = resets.at.answered == resets.at.of && resets.above.answered == 0;
            if resets.at.of >= self.enough || !agrees || resets.mixed {
                return;
            }
            if let Some(above) = even.ttl.checked_add(1) {
                (met, from) = self.ask(port, above, None).await;
                resets.above.answered += u8::from(met.is_answer());
            }
            resets.above.of += 1;
        }
    }
}

fn count(answered: &[bool]) -> Count {
    let number = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
    Count {
        answered: number(answered.iter().filter(|it| **it).count()),
        of: number(answered.len()),
    }
}
