//! How many connections are held at once, in all and from each source; and which sources have proved the token.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::conversation::challenge::Id;

/// Connections at once.
pub const MOST: usize = 512;
/// Connections at once from one source.
pub const MOST_OF_A_SOURCE: usize = 64;
/// How long a source counts as known after it has proved the token.
const KNOWN_FOR: Duration = Duration::from_secs(300);
/// The most known sources.
const MOST_KNOWN: usize = 1_024;
/// The most nonces that are remembered.
const MOST_NONCES: usize = 65_536;

/// The places for connections.
#[derive(Debug, Default)]
pub(super) struct Places {
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that a connection holds.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    source: IpAddr,
}

impl Places {
    /// A place for a connection from this address; `None`: there is none left.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let source = source(address);
        let mut taken = lock(&self.taken);
        if taken.values().sum::<usize>() >= MOST {
            return None;
        }
        let of_it = taken.entry(source).or_default();
        if *of_it >= MOST_OF_A_SOURCE {
            return None;
        }
        *of_it += 1;
        let places = Arc::clone(self);
        Some(Place { places, source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        if let Some(of_it) = taken.get_mut(&self.source) {
            *of_it -= 1;
            if *of_it == 0 {
                taken.remove(&self.source);
            }
        }
    }
}

/// Who counts as one source: an IPv4 address, or a network of IPv6, in which one host has as many addresses as it likes.
fn source(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Sources that have proved the token, and the challenges that were answered.
#[derive(Debug, Default)]
pub(super) struct Known {
    sources: Mutex<HashMap<IpAddr, Instant>>,
    nonces: Mutex<Nonces>,
}

#[derive(Debug, Default)]
struct Nonces {
    all: HashSet<Id>,
    order: VecDeque<Id>,
}

impl Known {
    /// Takes in a challenge with the token; false: it was answered before, and whoever sends it again may have recorded it.
    pub(super) fn admit(&self, address: IpAddr, nonce: Id) -> bool {
        let mut nonces = lock(&self.nonces);
        if !nonces.all.insert(nonce) {
            return false;
        }
        nonces.order.push_back(nonce);
        if nonces.order.len() > MOST_NONCES
            && let Some(oldest) = nonces.order.pop_front()
        {
            nonces.all.remove(&oldest);
        }
        drop(nonces);
        let mut sources = lock(&self.sources);
        if sources.len() >= MOST_KNOWN {
            sources.retain(|_, since| since.elapsed() < KNOWN_FOR);
        }
        if sources.len() < MOST_KNOWN || sources.contains_key(&address) {
            sources.insert(address, Instant::now());
        }
        true
    }

    /// Whether this address proved the token not long ago.
    pub(super) fn holds(&self, address: IpAddr) -> bool {
        let sources = lock(&self.sources);
        let since = sources.get(&address);
        since.is_some_and(|since| since.elapsed() < KNOWN_FOR)
    }
}

/// A panic of one connection must not end the listener: counts stay usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_source_gets_only_its_share_and_gives_it_back() {
        let places = Arc::new(Places::default());
        let one = address("192.0.2.1");
        let mut held: Vec<Place> = (0..MOST_OF_A_SOURCE)
            .map(|_| places.take(one).expect("a place"))
            .collect();
        assert!(places.take(one).is_none());
        assert!(places.take(address("192.0.2.2")).is_some());
        held.pop();
        assert!(places.take(one).is_some());
        drop(held);
        assert!(lock(&places.taken).is_empty(), "nothing is kept of it");
    }

    #[test]
    fn there_is_an_end_to_all_sources_together_and_a_network_of_ipv6_is_one() {
        let places = Arc::new(Places::default());
        let held: Vec<Option<Place>> = (0..=MOST as u32)
            .map(|number| places.take(IpAddr::from((0xc000_0200 + number).to_be_bytes())))
            .collect();
        assert!(held[..MOST].iter().all(Option::is_some) && held[MOST].is_none());
        assert_eq!(
            source(address("2001:db8::1")),
            source(address("2001:db8::2"))
        );
    }

    #[test]
    fn a_challenge_is_answered_once_and_its_source_is_known() {
        let known = Known::default();
        let one = address("192.0.2.1");
        assert!(!known.holds(one));
        assert!(known.admit(one, [1; 16]));
        assert!(known.holds(one) && !known.holds(address("192.0.2.2")));
        assert!(!known.admit(address("192.0.2.2"), [1; 16]), "a recording");
        assert!(!known.holds(address("192.0.2.2")));
        for number in 0..=MOST_NONCES as u128 {
            known.admit(one, (number + 7).to_be_bytes());
        }
        assert_eq!(lock(&known.nonces).all.len(), MOST_NONCES);
    }
}
