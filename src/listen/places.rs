//! How many connections are held at once, in all and from each source; and which sources have proved the token.
//!
//! Some places are kept for sources that have proved the token: strangers never get those. Where none is left for a
//! newcomer, the oldest connection of a stranger makes room. A holder proves the token within a round trip of
//! connecting, so the oldest is hardly ever a holder's. Strangers may hold on to their places, from however many
//! addresses. They shut nobody out before a first proof either. Only a flood that takes all places within one round
//! trip does. It does not shut out those who proved the token by a datagram, which needs no place. A source's share is
//! held the same way, for holders behind one address with strangers. The oldest is a rule that needs no clock and no
//! guess at who is slow.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::wire::challenge::Id;

/// Connections at once.
pub const MOST: usize = 512;
/// Those of them that only sources get which have proved the token.
pub const KEPT: usize = 128;
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
    held: Mutex<Held>,
}

/// The connections that have a place, in the order in which they came.
#[derive(Debug, Default)]
struct Held {
    all: BTreeMap<u64, Holder>,
    next: u64,
}

/// A connection that has a place.
#[derive(Debug)]
struct Holder {
    address: IpAddr,
    standing: Standing,
    /// Dropped with the place: whoever waits for `Lost` hears of it.
    _end: oneshot::Sender<Infallible>,
}

/// What is known of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its address has not proved the token.
    Stranger,
    /// Its address has, on another connection or by a datagram.
    Known,
    /// It has itself, or is a holder's call of the mapper: it is never ended for another.
    Proved,
}

/// A place that a connection holds.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
}

/// Ends when the place goes to another connection.
pub(super) type Lost = oneshot::Receiver<Infallible>;

impl Places {
    /// A place for a connection from this address; `None`: there is none, and none can be had.
    pub(super) fn take(
        self: &Arc<Self>,
        address: IpAddr,
        standing: Standing,
    ) -> Option<(Place, Lost)> {
        let mut held = lock(&self.held);
        let from = source(address);
        let of_source = |it: &Holder| source(it.address) == from;
        if held.count(of_source) >= MOST_OF_A_SOURCE {
            held.end_oldest(|it| of_source(it) && it.standing != Standing::Proved)?;
        }
        let is_stranger = |it: &Holder| it.standing == Standing::Stranger;
        let no_more_strangers =
            standing == Standing::Stranger && held.count(is_stranger) >= MOST - KEPT;
        if no_more_strangers || held.all.len() >= MOST {
            held.end_oldest(is_stranger)?;
        }
        let number = held.next;
        held.next += 1;
        let (end, lost) = oneshot::channel();
        let holder = Holder {
            address,
            standing,
            _end: end,
        };
        held.all.insert(number, holder);
        let places = Arc::clone(self);
        Some((Place { places, number }, lost))
    }

    /// The connections of an address that has proved the token are no strangers' any more.
    pub(super) fn know(&self, address: IpAddr) {
        for holder in lock(&self.held).all.values_mut() {
            if holder.address == address && holder.standing == Standing::Stranger {
                holder.standing = Standing::Known;
            }
        }
    }
}

impl Held {
    fn count(&self, which: impl Fn(&Holder) -> bool) -> usize {
        self.all.values().filter(|it| which(it)).count()
    }

    /// Takes the place of the oldest connection of a kind; `None`: there is none of it.
    fn end_oldest(&mut self, which: impl Fn(&Holder) -> bool) -> Option<()> {
        let oldest = self.all.iter().find(|(_, it)| which(it));
        let number = *oldest?.0;
        self.all.remove(&number).map(drop)
    }
}

impl Place {
    /// Keeps the place whoever else comes; false: it has just gone to another.
    pub(super) fn prove(&self) -> bool {
        let mut held = lock(&self.places.held);
        let own = held.all.get_mut(&self.number);
        own.map(|own| own.standing = Standing::Proved).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places.held).all.remove(&self.number);
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

    /// Addresses that are each a source of its own.
    fn addresses() -> impl Iterator<Item = IpAddr> {
        (0x0a00_0000_u32..).map(|bits| IpAddr::from(bits.to_be_bytes()))
    }

    fn take(places: &Arc<Places>, address: IpAddr, standing: Standing) -> (Place, Lost) {
        places.take(address, standing).expect("a place")
    }

    fn is_lost(lost: &mut Lost) -> bool {
        lost.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn one_source_gets_only_its_share_and_gives_it_back() {
        let places = Arc::new(Places::default());
        let one = address("192.0.2.1");
        let mut held: Vec<(Place, Lost)> = (0..MOST_OF_A_SOURCE)
            .map(|_| take(&places, one, Standing::Stranger))
            .collect();
        let other = take(&places, address("192.0.2.2"), Standing::Stranger);
        assert!(held.iter_mut().all(|(_, lost)| !is_lost(lost)));
        let newest = take(&places, one, Standing::Stranger);
        let lost: Vec<bool> = held.iter_mut().map(|(_, lost)| is_lost(lost)).collect();
        assert!(lost[0] && lost[1..].iter().all(|lost| !lost), "the oldest");
        assert!(!held[0].0.prove(), "it is too late");
        held.push(newest);
        assert!(held[1..].iter().all(|(place, _)| place.prove()));
        assert!(places.take(one, Standing::Known).is_none(), "all proved");
        held.pop();
        assert!(places.take(one, Standing::Known).is_some());
        drop((held, other));
        assert!(lock(&places.held).all.is_empty(), "nothing is kept of it");
    }

    #[test]
    fn strangers_take_no_place_of_those_who_proved_the_token() {
        let places = Arc::new(Places::default());
        let mut strangers: Vec<(Place, Lost)> = addresses()
            .take(600)
            .map(|one| take(&places, one, Standing::Stranger))
            .collect();
        let lost = |strangers: &mut [(Place, Lost)]| {
            strangers
                .iter_mut()
                .map(|it| usize::from(is_lost(&mut it.1)))
                .sum::<usize>()
        };
        assert_eq!(lost(&mut strangers), 600 - (MOST - KEPT));
        let mut holders: Vec<(Place, Lost)> = addresses()
            .skip(600)
            .take(KEPT)
            .map(|one| take(&places, one, Standing::Known))
            .collect();
        assert_eq!(lost(&mut strangers), 600 - (MOST - KEPT), "kept places");
        strangers.extend(
            addresses()
                .skip(1_000)
                .take(600)
                .map(|one| take(&places, one, Standing::Stranger)),
        );
        assert!(holders.iter_mut().all(|(_, lost)| !is_lost(lost)));
        // More holders than places are kept for take those of strangers, down to the last.
        let more = addresses().skip(2_000).take(MOST - KEPT);
        holders.extend(more.map(|one| take(&places, one, Standing::Known)));
        assert_eq!(lost(&mut strangers), strangers.len());
        assert!(holders.iter_mut().all(|(_, lost)| !is_lost(lost)));
        for standing in [Standing::Stranger, Standing::Known] {
            assert!(places.take(address("192.0.2.1"), standing).is_none());
        }
        assert_eq!(lock(&places.held).all.len(), MOST);
    }

    #[test]
    fn whoever_proves_the_token_is_no_stranger_on_any_connection() {
        let places = Arc::new(Places::default());
        let one = address("192.0.2.1");
        let (earlier, mut lost) = take(&places, one, Standing::Stranger);
        places.know(one);
        let strangers: Vec<(Place, Lost)> = addresses()
            .take(MOST)
            .map(|one| take(&places, one, Standing::Stranger))
            .collect();
        assert!(!is_lost(&mut lost) && earlier.prove());
        drop(strangers);
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
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
