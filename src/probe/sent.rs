//! Counts what leaves: packets that begin something, by what they are sent for, and the busiest second.
//!
//! `try_once` counts each SYN and datagram when the system has it, `pace` those that the system repeats. The workers of a
//! sweep add up many at a time. A run sends for one thing at a time, and says for what (`Prober::sends_for`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Prober, Turn};
use crate::observation::{Announced, Sent, SentFor};

/// How finely a second is divided.
const PARTS: usize = 50;
const PART: Duration = Duration::from_millis(1_000 / PARTS as u64);

/// What has left so far.
pub(super) struct Sending {
    began: Instant,
    counts: Mutex<Counts>,
}

struct Counts {
    now_for: SentFor,
    syns: BTreeMap<SentFor, u64>,
    repeats: u64,
    datagrams: u64,
    seconds: Seconds,
    most_sockets: usize,
}

impl Sending {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            counts: Mutex::new(Counts {
                now_for: SentFor::Needed,
                syns: BTreeMap::new(),
                repeats: 0,
                datagrams: 0,
                seconds: Seconds::default(),
                most_sockets: 0,
            }),
        }
    }

    /// So many SYNs have just left.
    pub(super) fn syns(&self, count: u64) {
        let mut counts = self.counts();
        let now_for = counts.now_for;
        *counts.syns.entry(now_for).or_default() += count;
        counts.seconds.add(self.part(), count);
    }

    /// The system has repeated a SYN.
    pub(super) fn repeat(&self) {
        let mut counts = self.counts();
        counts.repeats += 1;
        counts.seconds.add(self.part(), 1);
    }

    /// A datagram has just left.
    pub(super) fn datagram(&self) {
        let mut counts = self.counts();
        counts.datagrams += 1;
        counts.seconds.add(self.part(), 1);
    }

    /// An address has so many sockets now.
    pub(super) fn sockets(&self, count: usize) {
        let mut counts = self.counts();
        counts.most_sockets = counts.most_sockets.max(count);
    }

    fn part(&self) -> u128 {
        self.began.elapsed().as_nanos() / PART.as_nanos()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The packets of the last second, and the most that one had.
struct Seconds {
    parts: [u64; PARTS],
    last: u128,
    sum: u64,
    most: u64,
}

impl Default for Seconds {
    fn default() -> Self {
        Self {
            parts: [0; PARTS],
            last: 0,
            sum: 0,
            most: 0,
        }
    }
}

impl Seconds {
    /// Takes in packets of one part of a second. Parts are counted on and on, and never go back.
    fn add(&mut self, part: u128, count: u64) {
        let passed = part.saturating_sub(self.last).min(PARTS as u128);
        for gone in 1..=passed {
            let place = ((self.last + gone) % PARTS as u128) as usize;
            self.sum -= std::mem::take(&mut self.parts[place]);
        }
        // Where more than a second has passed, all of them are empty, whichever was emptied when.
        self.last = self.last.max(part);
        self.parts[(self.last % PARTS as u128) as usize] += count;
        self.sum += count;
        self.most = self.most.max(self.sum);
    }
}

impl Prober {
    /// What is sent from now on is sent for this.
    pub fn sends_for(&self, what: SentFor) {
        self.pace.sent.counts().now_for = what;
    }

    /// While flows of the plan are first tried, what is sent is for those of this turn.
    pub(super) fn turns_to(&self, turn: Turn) {
        let mut counts = self.pace.sent.counts();
        if matches!(counts.now_for, SentFor::Needed | SentFor::Forbidden) {
            counts.now_for = match turn {
                Turn::Needed => SentFor::Needed,
                Turn::Forbidden => SentFor::Forbidden,
            };
        }
    }

    /// How many packets that begin something have left so far.
    pub fn packets(&self) -> u64 {
        let counts = self.pace.sent.counts();
        counts.syns.values().sum::<u64>() + counts.repeats + counts.datagrams
    }

    /// What has been sent so far, beside what was said beforehand of so many ports of so many addresses.
    pub fn sent(&self, ports: usize, addresses: usize) -> Sent {
        let counts = self.pace.sent.counts();
        Sent {
            syns: counts.syns.values().sum::<u64>() + counts.repeats,
            syns_for: counts.syns.clone(),
            repeats: counts.repeats,
            datagrams: counts.datagrams,
            most_in_a_second: counts.seconds.most,
            most_sockets_at_an_address: counts.most_sockets as u64,
            announced: Announced {
                ports: ports as u64,
                addresses: addresses as u64,
                rate: self.limits.rate,
                per_host: self.limits.per_host as u64,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most of any window of a second, counted anew from the list of all moments.
    fn busiest(moments: &[u128]) -> u64 {
        let within = |last: &u128| {
            let in_window = |it: &&u128| **it <= *last && **it + (PARTS as u128) > *last;
            moments.iter().filter(in_window).count() as u64
        };
        moments.iter().map(within).max().unwrap_or(0)
    }

    #[test]
    fn the_busiest_second_is_that_of_the_list_of_all_moments() {
        let mut at = 0_u128;
        let mut moments = Vec::new();
        let mut random = 7_u128;
        let mut seconds = Seconds::default();
        for _ in 0..5_000 {
            random = (random * 75 + 74) % 65_537;
            at += match random % 97 {
                0 => 40 + random % 300,
                step => step / 40,
            };
            moments.push(at);
            seconds.add(at, 1);
            if moments.len() % 500 == 0 {
                assert_eq!(seconds.most, busiest(&moments));
            }
        }
        assert!(seconds.most > 50, "{}", seconds.most);
    }

    #[test]
    fn a_burst_at_once_counts_as_one_second() {
        let mut seconds = Seconds::default();
        seconds.add(3, 64);
        seconds.add(3 + PARTS as u128 - 1, 10);
        assert_eq!(seconds.most, 74);
        seconds.add(3 + PARTS as u128, 20);
        assert_eq!(seconds.most, 74, "the first burst is a second old");
    }
}
