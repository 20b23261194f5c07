//! What a run has measured of hosts and paths: round trips, and how often a try is lost.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::silence::Loss;
use super::watch::Book;
use super::witness;
use super::{Limits, Turn};
use crate::observation::Attempt;
use crate::os::Manner;

/// The shortest wait for an answer.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// The wait for an answer while no host has answered.
const BLIND_WAIT: Duration = Duration::from_millis(300);
/// The least time that silence is listened to. The last router needs about three seconds to find that nobody answers
/// its ARP or neighbour discovery. Only then does it say that the host is unreachable.
const LEAST_WINDOW: Duration = Duration::from_millis(3_500);

/// The longest that silence is listened to for the sake of others that are slow. One host that delays its answers must
/// not hold up the run.
const LONGEST_WINDOW: Duration = Duration::from_secs(10);

/// What has been measured so far.
#[derive(Default)]
pub(super) struct Measured {
    loss: Loss,
    /// Questions that may end in silence: the bound is for all of them together.
    pub(super) asked: usize,
    /// Tries that silence needs in any case: more where packets are known to take different ways.
    pub(super) fewest: u8,
    hosts: HashMap<IpAddr, Host>,
    /// When what answered, and what was silent.
    pub(super) book: Book,
    slowest: Option<Duration>,
    /// Whether anything at all came back in this run.
    pub(super) heard: bool,
    /// Source ports that were blocked while others passed.
    blocked: HashMap<SocketAddr, Vec<Manner>>,
}

/// What has been measured of one address.
struct Host {
    round_trip: Option<Duration>,
    last_answer: Option<Timestamp>,
    loss: Loss,
    slots: Arc<Semaphore>,
    /// Whether one of its silent knocks has been listened to for long.
    listened_long: bool,
}

impl Measured {
    /// Nothing, in a run of these limits.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            book: Book::new(limits.rate, limits.second_look),
            ..Self::default()
        }
    }

    /// Takes in a source port that is blocked while others pass.
    pub(super) fn block(&mut self, remote: SocketAddr, manner: Manner) {
        self.blocked.entry(remote).or_default().push(manner);
    }

    /// The source ports that were blocked while others passed.
    pub(super) fn blocked_ports(&self, remote: SocketAddr) -> Vec<Manner> {
        self.blocked.get(&remote).cloned().unwrap_or_default()
    }

    /// The places for sockets at one address, so many at first.
    pub(super) fn slots(&mut self, address: IpAddr, places: usize) -> Arc<Semaphore> {
        let host = self.hosts.entry(address).or_insert_with(|| Host {
            round_trip: None,
            last_answer: None,
            loss: Loss::default(),
            slots: Arc::new(Semaphore::new(places)),
            listened_long: false,
        });
        Arc::clone(&host.slots)
    }

    /// Whether nobody has listened for long to a knock at this address yet; the caller does now.
    pub(super) fn is_first_long(&mut self, address: IpAddr) -> bool {
        let host = self.hosts.get_mut(&address);
        host.is_some_and(|host| !std::mem::replace(&mut host.listened_long, true))
    }

    /// Whether the silence of a question proves nothing, because nothing has answered anywhere.
    pub(super) fn is_of_no_use(&self, turn: Turn) -> bool {
        turn == Turn::Forbidden && !self.heard
    }

    /// Losses count per path: good answers of one host say nothing of the way to another. A host that never answered
    /// is held to the prior, or to the losses of the whole run where those are worse.
    pub(super) fn loss_on_the_way_to(&self, address: IpAddr) -> Loss {
        let own = self.hosts.get(&address).map(|host| host.loss);
        let prior = Loss::default();
        match own {
            Some(own) if own != prior => own,
            _ if self.loss.bound() > prior.bound() => self.loss,
            _ => prior,
        }
    }

    /// Tries after which silence of this address is proof, or as many as are made at the most (`silence::MOST`).
    pub(super) fn tries(&self, address: IpAddr) -> u8 {
        let loss = self.loss_on_the_way_to(address);
        let least = if self.round_trip(address).is_some() {
            0
        } else {
            super::silence::FEWEST_OF_A_SILENT_HOST
        };
        loss.tries(self.asked).max(least).max(self.fewest)
    }

    /// Tries after which the silence of one of so many source ports is proof: each is a flow of its own for the bound.
    pub(super) fn tries_of_a_source_port(&self, address: IpAddr, ports: usize) -> u8 {
        self.loss_on_the_way_to(address)
            .tries(self.asked.saturating_mul(ports))
    }

    /// Whether so many tries prove the silence of one of so many source ports.
    pub(super) fn source_port_is_proof(&self, address: IpAddr, ports: usize, tries: usize) -> bool {
        let tries = u8::try_from(tries).unwrap_or(u8::MAX);
        self.loss_on_the_way_to(address)
            .confidence(tries, self.asked.saturating_mul(ports))
            .1
    }

    /// How sure silence is after so many tries, and whether that is proof.
    pub(super) fn confidence(&self, address: IpAddr, tries: usize) -> (f64, bool) {
        let tries = u8::try_from(tries).unwrap_or(u8::MAX);
        self.loss_on_the_way_to(address)
            .confidence(tries, self.asked)
    }

    /// The tries that the silence of an address still lacks; 0: it has enough.
    pub(super) fn lacks(&self, address: IpAddr, tries: &[Attempt]) -> usize {
        let wanted = usize::from(self.tries(address));
        let Some(counted) = self.book.count(address, tries, None) else {
            return wanted.saturating_sub(super::unanswered::silent(tries));
        };
        let lacks = wanted.saturating_sub(counted.tries);
        lacks.max(usize::from(counted.pieces < witness::PIECES))
    }

    /// The quickest answer of an address.
    pub(super) fn round_trip(&self, address: IpAddr) -> Option<Duration> {
        self.hosts.get(&address)?.round_trip
    }

    /// When an address last answered.
    pub(super) fn last_answer(&self, address: IpAddr) -> Option<Timestamp> {
        self.hosts.get(&address)?.last_answer
    }

    /// How long the answer to a first try may take before the next try is made.
    pub(super) fn wait(&self, address: IpAddr) -> Duration {
        match (self.round_trip(address), self.slowest) {
            (Some(round_trip), _) => (round_trip * 4).max(SHORTEST_WAIT),
            (None, Some(slowest)) => (slowest * 8).max(SHORTEST_WAIT * 2),
            (None, None) => BLIND_WAIT,
        }
    }

    /// How long an address may take for its first answer before it counts as silent. It is never less than the user
    /// gives to a step, nor than a router needs to find out that the host is dead. It is longer where nothing of the
    /// host ever came and others are slow.
    pub(super) fn window(&self, address: IpAddr, timeout: Duration) -> Duration {
        let least = LEAST_WINDOW.max(timeout);
        let slow = self.slowest.map_or(Duration::ZERO, |slowest| slowest * 8);
        let slow = slow.min(LONGEST_WINDOW);
        if self.round_trip(address).is_some() {
            least
        } else {
            least.max(slow)
        }
    }

    /// Takes in an answer of the host itself that came after so many lost tries, and how long it took.
    pub(super) fn answered(&mut self, address: IpAddr, lost: usize, took: Duration) {
        let most = match self.book.is_back(address, Timestamp::now()) {
            true => 1,
            false => u32::MAX,
        };
        let lost = u32::try_from(lost).unwrap_or(u32::MAX).min(most);
        self.heard = true;
        self.loss.add(1, lost);
        if let Some(host) = self.hosts.get_mut(&address) {
            host.loss.add(1, lost);
            host.last_answer = Some(Timestamp::now());
            // The quickest: a slower one may hide a retransmission.
            host.round_trip = Some(host.round_trip.map_or(took, |known| known.min(took)));
        }
        self.slowest = self.hosts.values().filter_map(|host| host.round_trip).max();
    }

    /// The same of many answers, before which so many tries in all were lost; the quickest took so long.
    pub(super) fn answered_often(
        &mut self,
        address: IpAddr,
        answers: u32,
        lost: u32,
        quickest: Duration,
    ) {
        let most = match self.book.is_back(address, Timestamp::now()) {
            true => answers,
            false => u32::MAX,
        };
        let lost = lost.min(most);
        self.loss
            .add(answers.saturating_sub(1), lost.saturating_sub(1));
        if let Some(host) = self.hosts.get_mut(&address) {
            host.loss
                .add(answers.saturating_sub(1), lost.saturating_sub(1));
        }
        self.answered(address, lost.min(1) as usize, quickest);
    }

    /// Takes in a try that a host which answers did not answer.
    pub(super) fn lost(&mut self, address: IpAddr) {
        if self.book.is_out(address) {
            return;
        }
        self.loss.add(0, 1);
        if let Some(host) = self.hosts.get_mut(&address) {
            host.loss.add(0, 1);
        }
    }

    /// How many tries have told something of the way to an address.
    pub(super) fn samples(&self, address: IpAddr) -> u32 {
        self.hosts
            .get(&address)
            .map_or(0, |host| host.loss.answered + host.loss.lost)
    }
}
