//! Whether TCP ports answer at all: many ports of many addresses, all at once.
//!
//! A port of a sweep is worth a few packets and a few bytes, not a question with a task of its own. So a handful of workers
//! (`worker`) take ports from all addresses in rotation, each with its own sockets. They go on until nothing is left: the
//! window is never drained in between. A try is one packet: its socket is closed before the system repeats the packet. What
//! was silent comes again when all the rest had its turn, until it has as many tries as `measured` asks for. Of a port that
//! was reset nothing is kept but its number; of a silent one the moments of its tries (`tally`). A port that opens is spoken
//! to on the same connection, as after a knock. Only the first ones of an address are, and none where a device opens all.
//!
//! Then silence is made proof, by the rules of `prove`. Only tries between answers of a witness count, and what lacks tries
//! gets them in further rounds.

mod left;
mod tally;
mod worker;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::prove::PASSES;
use super::{Prober, Turn, Way, story};
use crate::observation::Observation;
use tally::Tally;

pub(super) use left::Left;
pub use left::SweepLeft;

/// Workers at once: as many as the threads that run them. A rate that is limited needs no more than one.
const WORKERS: usize = 2;

/// Tries of a port while nothing has answered anywhere in the run. Its silence proves nothing then, so they only look for
/// an answer: one more than a single loss takes away.
const FEWEST_WHERE_DEAF: u8 = 2;

/// Where services of Windows listen that take the first free dynamic port. They are tried first: whoever listens is spoken
/// to while the rest is tried.
const FIRST_DYNAMIC: RangeInclusive<u16> = 49_152..=50_175;

/// The ports of one address that are swept.
#[derive(Debug)]
pub struct Range {
    /// The address.
    pub address: IpAddr,
    /// Its ports.
    pub ports: Vec<u16>,
    /// Whether a device is known to open every port, so that nobody is spoken to.
    pub painted: bool,
    /// Where ports of the lab's stand-ins are; `None`: they go to the address itself.
    pub lab: Option<HashMap<u16, Way>>,
}

impl Range {
    /// Where a try of a port leads; `None`: nowhere, and nothing answers.
    fn remote(&self, port: u16) -> Option<SocketAddr> {
        match self.lab.as_ref().map(|lab| lab.get(&port)) {
            None => Some(SocketAddr::new(self.address, port)),
            Some(Some(Way::StandIn(address))) => Some(*address),
            Some(Some(Way::Direct | Way::Void | Way::Proxy(_)) | None) => None,
        }
    }
}

/// What came of the ports of one address.
#[derive(Debug)]
pub struct Scanned {
    /// The address.
    pub address: IpAddr,
    /// Ports that opened, with what followed.
    pub open: Vec<(u16, Observation)>,
    /// Ports of which the same was seen: a reset, a connection that was not spoken to, a router's message, or trouble
    /// of this host. Those that a stop left untried are here too.
    pub alike: Vec<(Observation, Vec<u16>)>,
    /// Ports of which nothing came.
    pub silent: Vec<Silent>,
}

/// A port that did not answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silent {
    /// The port.
    pub port: u16,
    /// Whether its tries are proof.
    pub proved: bool,
    /// How many tries there were.
    pub tries: usize,
    /// When the first was made.
    pub first: Timestamp,
    /// When the last was made.
    pub last: Timestamp,
}

/// A port, and the tries that it has had and is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    port: u16,
    /// Silent tries so far.
    tries: u8,
    /// Tries after which it is left alone; 0: as many as silence needs.
    least: u8,
}

/// What the workers of a round share.
struct Round {
    prober: Arc<Prober>,
    ranges: Arc<Vec<Range>>,
    work: Vec<Work>,
    /// When the sweep began: moments are counted from here.
    began: Began,
    workers: usize,
    /// Sockets of one worker at once.
    places: usize,
}

/// A moment on both clocks.
#[derive(Clone, Copy)]
struct Began {
    at: Timestamp,
    instant: Instant,
}

impl Began {
    /// The moment so many milliseconds later.
    fn after(self, millis: u32) -> Timestamp {
        self.at + SignedDuration::from_millis(i64::from(millis))
    }
}

/// The ports of one address that a round tries.
#[derive(Default)]
struct Work {
    items: Vec<Item>,
    next: AtomicUsize,
}

impl Work {
    fn of(items: Vec<Item>) -> Self {
        let next = AtomicUsize::new(0);
        Self { items, next }
    }

    /// The next port that no worker has taken.
    fn take(&self) -> Option<Item> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.items.get(next).copied()
    }

    /// Ports that no worker has taken.
    fn left(&self) -> &[Item] {
        let next = self.next.load(Ordering::Relaxed).min(self.items.len());
        &self.items[next..]
    }
}

impl Prober {
    /// Tries ports of many addresses with no more than so many sockets at once; what came of each range, in their order.
    pub async fn scan(self: &Arc<Self>, ranges: Vec<Range>, most: usize) -> Vec<Scanned> {
        let ports: usize = ranges.iter().map(|range| range.ports.len()).sum();
        self.expect(ports);
        let began = Began {
            at: Timestamp::now(),
            instant: Instant::now(),
        };
        let fresh = |port: &u16| Item {
            port: *port,
            tries: 0,
            least: 0,
        };
        let may =
            |range: &Range, port: u16| self.permission.refuses(Some(range.address), port).is_none();
        let first = ranges.iter().map(|range| {
            let allowed = likely_first(&range.ports).filter(|port| may(range, **port));
            allowed.map(fresh).collect()
        });
        let mut tallies: Vec<Tally> = Vec::new();
        for range in &ranges {
            let refused = range.ports.iter().copied();
            tallies.push(Tally::without(
                refused.filter(|port| !may(range, *port)).collect(),
            ));
        }
        let first = first.collect();
        let ranges = Arc::new(ranges);
        self.round(&ranges, first, most, began, &mut tallies).await;
        self.settle().await;
        if self.limits.attempts.is_none() {
            self.measure_beside(&ranges, &tallies).await;
            for _ in 0..PASSES {
                let lacking: Vec<Vec<Item>> = ranges
                    .iter()
                    .zip(&mut tallies)
                    .map(|(range, tally)| tally.lacking(self, range, began))
                    .collect();
                if lacking.iter().all(Vec::is_empty) || *self.stop.borrow() {
                    break;
                }
                self.round(&ranges, lacking, most, began, &mut tallies)
                    .await;
                self.settle().await;
            }
        }
        let both = ranges.iter().zip(tallies);
        let scanned: Vec<Scanned> = both
            .map(|(range, tally)| tally.finish(self, range, began))
            .collect();
        for of_host in &scanned {
            let proved = of_host.silent.iter().filter(|silent| silent.proved).count();
            let unproved = of_host.silent.len() - proved;
            let (address, open) = (of_host.address, of_host.open.len());
            story::swept(address, open, proved, unproved, &of_host.alike);
        }
        scanned
    }

    async fn round(
        self: &Arc<Self>,
        ranges: &Arc<Vec<Range>>,
        items: Vec<Vec<Item>>,
        most: usize,
        began: Began,
        tallies: &mut [Tally],
    ) {
        let items_in_all: usize = items.iter().map(Vec::len).sum();
        let workers = match self.limits.rate {
            Some(_) => 1,
            None => WORKERS.min(most).min(items_in_all).max(1),
        };
        let addresses = items.iter().filter(|items| !items.is_empty()).count();
        story::round(items_in_all, addresses, workers);
        let (untried, owed) = left_of(&items);
        self.sweep_left.expect(untried, owed);
        let round = Arc::new(Round {
            prober: Arc::clone(self),
            ranges: Arc::clone(ranges),
            work: items.into_iter().map(Work::of).collect(),
            began,
            workers,
            places: (most.min(items_in_all).max(1)).div_ceil(workers),
        });
        let _places = self.places_of_hosts(&round).await;
        let mut running = JoinSet::new();
        for number in 0..workers {
            running.spawn(worker::work(Arc::clone(&round), number));
        }
        self.watching(async {
            while let Some(done) = running.join_next().await {
                for (tally, found) in tallies.iter_mut().zip(done.unwrap_or_default()) {
                    tally.join(found);
                }
            }
        })
        .await;
        for (tally, work) in tallies.iter_mut().zip(&round.work) {
            tally.leave(work.left());
        }
    }

    /// Holds the places at each address, but one for its witness.
    async fn places_of_hosts(&self, round: &Round) -> Vec<Option<OwnedSemaphorePermit>> {
        let quota = u32::try_from(self.limits.slots()).unwrap_or(u32::MAX);
        let mut held = Vec::new();
        for (range, work) in round.ranges.iter().zip(&round.work) {
            if work.items.is_empty() {
                continue;
            }
            let slots = self.slots_at(range.address);
            let mut stop = self.stop.clone();
            let permits = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => None,
                permits = slots.acquire_many_owned(quota) => permits.ok(),
            };
            held.push(permits);
        }
        held
    }

    /// Finds out how much is lost on the way to hosts of which some ports are silent and others answer.
    async fn measure_beside(&self, ranges: &[Range], tallies: &[Tally]) {
        let silent = ranges.iter().zip(tallies).filter(|(range, tally)| {
            tally.has_silence() && range.lab.is_none() && !self.is_on_link(range.address)
        });
        let ports: Vec<SocketAddr> = silent
            .filter_map(|(range, _)| self.measured().book.answers_at(range.address))
            .collect();
        self.measure_all(ports).await;
    }

    /// Tries after which a silent port of a sweep is left alone, by what is known now.
    fn tries_of_a_port(&self, address: IpAddr) -> u8 {
        self.tries_of_silence(Turn::Forbidden, address, FEWEST_WHERE_DEAF)
    }
}

/// The ports of a round that were never tried, and the further tries of the others.
fn left_of(items: &[Vec<Item>]) -> (usize, usize) {
    let items = || items.iter().flatten();
    let lacks = |item: &Item| usize::from(item.least.saturating_sub(item.tries));
    (
        items().filter(|item| item.tries == 0).count(),
        items().filter(|item| item.tries > 0).map(lacks).sum(),
    )
}

/// Ports in the order in which they are tried: those first that are likely to be open.
fn likely_first(ports: &[u16]) -> impl Iterator<Item = &u16> {
    let is_dynamic = |port: &&u16| FIRST_DYNAMIC.contains(*port);
    let others = ports.iter().filter(move |port| !is_dynamic(port));
    ports.iter().filter(is_dynamic).chain(others)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;
    use tokio::sync::watch;

    use super::*;
    use crate::observation::State;
    use crate::os;
    use crate::probe::{Limits, silence};

    fn prober(rate: Option<u32>) -> (watch::Sender<bool>, Arc<Prober>) {
        Prober::of_a_test(Limits {
            timeout: Duration::from_secs(3),
            per_host: 256,
            rate,
            ..Limits::of_a_test()
        })
    }

    fn direct(address: IpAddr, ports: Vec<u16>) -> Range {
        Range {
            address,
            ports,
            painted: false,
            lab: None,
        }
    }

    async fn listeners(address: IpAddr, count: usize) -> Vec<(u16, TcpListener)> {
        let mut all = Vec::new();
        for _ in 0..count {
            let listener = TcpListener::bind((address, 0)).await.expect("loopback");
            let port = listener.local_addr().expect("an address").port();
            all.push((port, listener));
        }
        all.sort_by_key(|(port, _)| *port);
        all
    }

    #[test]
    fn the_first_dynamic_ports_come_first_and_each_port_once() {
        let ports = [80, 443, 49_151, 49_152, 49_668, 50_175, 50_176, 65_535];
        let ordered: Vec<u16> = likely_first(&ports).copied().collect();
        let expected = [49_152, 49_668, 50_175, 80, 443, 49_151, 50_176, 65_535];
        assert_eq!(ordered, expected);
    }

    fn closed(scanned: &Scanned) -> usize {
        let closed = scanned
            .alike
            .iter()
            .filter(|(seen, _)| matches!(seen.state, State::Closed { .. }));
        closed.map(|(_, ports)| ports.len()).sum()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_many_ports_the_open_ones_are_found_and_each_port_is_accounted_for() {
        let (one, other) = (
            "127.93.1.1".parse().expect("an address"),
            "::1".parse().expect("an address"),
        );
        let (_stop, prober) = prober(None);
        let mut ranges = Vec::new();
        let mut held = Vec::new();
        for address in [one, other] {
            let open = listeners(address, 20).await;
            let mut ports: Vec<u16> = (1..=900).chain(open.iter().map(|it| it.0)).collect();
            ports.sort_unstable();
            ranges.push(direct(address, ports));
            held.push(open);
        }
        let scanned = prober.scan(ranges, 64).await;
        for (of_host, open) in scanned.iter().zip(&held) {
            let found: Vec<u16> = of_host
                .open
                .iter()
                .filter(|(port, _)| *port > 900)
                .map(|(port, _)| *port)
                .collect();
            let expected: Vec<u16> = open.iter().map(|(port, _)| *port).collect();
            assert_eq!(found, expected);
            let seen = &of_host.open.last().expect("it is open").1;
            assert_eq!(seen.state, State::Open);
            assert_eq!(seen.attempts.len(), 1);
            assert_eq!(of_host.open.len() + closed(of_host), 920);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_silent_port_has_as_many_tries_as_proof_asks_for() {
        let silent = os::silent_listener().expect("loopback").expect("linux");
        let (_stop, prober) = prober(None);
        prober.measured().heard = true;
        let range = direct(silent.address.ip(), vec![silent.address.port()]);
        let scanned = prober.scan(vec![range], 64).await;
        let [silence] = scanned[0].silent[..] else {
            panic!("{scanned:?}")
        };
        assert!(silence.proved, "{silence:?}");
        assert!(silence.tries >= usize::from(silence::FEWEST_OF_A_SILENT_HOST));
        assert!(silence.first < silence.last);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn where_nothing_answers_at_all_silence_has_few_tries_until_something_does() {
        let silent = os::silent_listener().expect("loopback").expect("linux");
        let address = silent.address.ip();
        // The system resets a port of loopback that nobody listens on.
        for (ports, proved) in [(vec![], false), (vec![1], true)] {
            let (_stop, prober) = prober(None);
            let ports = ports.into_iter().chain([silent.address.port()]).collect();
            let scanned = prober.scan(vec![direct(address, ports)], 64).await;
            let [silence] = scanned[0].silent[..] else {
                panic!("{scanned:?}")
            };
            assert_eq!(silence.proved, proved, "{silence:?}");
            let few = silence.tries == usize::from(FEWEST_WHERE_DEAF);
            assert_eq!(few, !proved, "{silence:?}");
        }
    }

    #[tokio::test]
    async fn a_rate_is_kept_and_a_stop_leaves_the_rest_untried() {
        let (stop, prober) = prober(Some(50));
        let address = "127.93.1.2".parse().expect("an address");
        let sweeping = tokio::spawn({
            let range = direct(address, (1..=900).collect());
            async move { prober.scan(vec![range], 64).await }
        });
        tokio::time::sleep(Duration::from_millis(600)).await;
        stop.send_replace(true);
        let scanned = sweeping.await.expect("no panic");
        let tried = closed(&scanned[0]) + scanned[0].open.len() + scanned[0].silent.len();
        assert!((5..=40).contains(&tried), "{tried}");
        let accounted: usize = scanned[0].alike.iter().map(|(_, ports)| ports.len()).sum();
        let silent = scanned[0].silent.len() + scanned[0].open.len();
        assert_eq!(accounted + silent, 900);
    }
}
