//! Trying flows over real sockets, many at once and within limits.
//!
//! A `Question` goes through a ladder: knock (`knock`: tries until an answer or until silence is proof, by the bound
//! of `silence`), then TLS (`tls`), then HTTP (`http`), as far as its protocol asks. `pace` spreads the tries, `names`
//! asks the resolver, `trust` holds the roots. What comes back is always an `Observation`, never an error. The
//! messages are built and read by pure functions apart from the sockets.

mod http;
mod knock;
mod names;
mod pace;
mod proxy;
mod silence;
mod tls;
mod trust;
#[cfg(all(test, unix))]
mod real_servers;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::observation::{NotTried, Observation, State, Unresolved};

pub use names::lookup;
pub use trust::Trust;

/// One flow at one address, as it is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where to.
    pub target: Target,
    /// Port.
    pub port: u16,
    /// Name for SNI, the certificate and the `Host` header.
    pub name: Option<String>,
    /// How far to go.
    pub ladder: Ladder,
    /// When its turn is.
    pub turn: Turn,
    /// Where the connection really goes.
    pub landing: Landing,
}

/// Where a question leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address.
    Address(IpAddr),
    /// No address could be found.
    Nowhere(Unresolved),
}

/// How far a question goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ladder {
    /// No packets: this version cannot try such flows.
    None,
    /// An open port is all that is asked.
    Tcp,
    /// The protocol is not spoken: an open port is seen, and no more.
    TcpOnly,
    /// A TLS handshake.
    Tls,
    /// An HTTP exchange.
    Http,
    /// An HTTP exchange over TLS.
    Https,
}

/// Needed flows are tried first, forbidden ones last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// First.
    Needed,
    /// Last.
    Forbidden,
}

/// Where a connection really goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// To the target.
    Itself,
    /// To a stand-in of the lab.
    At(SocketAddr),
    /// Nowhere: the lab's silence where the platform has no silent listener.
    Void,
}

/// What a run may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bounds one step of one attempt.
    pub timeout: Duration,
    /// Tries for a silent port; `None`: until silence is proof.
    pub attempts: Option<u8>,
    /// Questions at once.
    pub in_flight: usize,
    /// Questions at one address at once.
    pub per_host: usize,
    /// Connection attempts a second; `None`: no limit.
    pub rate: Option<u32>,
}

/// What a run shares: its limits, and what it has learnt of hosts and paths.
pub struct Prober {
    limits: Limits,
    trust: Trust,
    own: Vec<IpNet>,
    pace: pace::Pace,
    stop: watch::Receiver<bool>,
    learnt: Mutex<Learnt>,
}

/// What has been learnt so far.
#[derive(Default)]
struct Learnt {
    loss: silence::Loss,
    /// Questions that may end in silence: the bound is for all of them together.
    asked: usize,
    hosts: HashMap<IpAddr, Host>,
    slowest: Option<Duration>,
}

/// What has been learnt of one address.
struct Host {
    round_trip: Option<Duration>,
    loss: silence::Loss,
    slots: Arc<Semaphore>,
}

impl Learnt {
    /// Losses count per path: good answers of one host say nothing of the way to another. A host that never answered
    /// is held to the prior, or to the losses of the whole run where those are worse.
    fn loss_on_the_way_to(&self, address: IpAddr) -> silence::Loss {
        let own = self.hosts.get(&address).map(|host| host.loss);
        let prior = silence::Loss::default();
        match own {
            Some(own) if own != prior => own,
            _ if self.loss.bound() > prior.bound() => self.loss,
            _ => prior,
        }
    }
}

impl Prober {
    /// A prober for one run; when `stop` turns true it gives up what is under way.
    pub fn new(
        limits: Limits,
        trust: Trust,
        own: Vec<IpNet>,
        stop: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let pace = pace::Pace::new(limits.rate);
        Arc::new(Self {
            limits,
            trust,
            own,
            pace,
            stop,
            learnt: Mutex::default(),
        })
    }

    /// Asks all questions, those that are needed first; the answers stand in the order of the questions.
    pub async fn ask_all(
        self: &Arc<Self>,
        questions: Vec<Question>,
        done: impl Fn(),
    ) -> Vec<Observation> {
        self.learnt().asked += questions
            .iter()
            .filter(|question| {
                question.ladder != Ladder::None && matches!(question.target, Target::Address(_))
            })
            .count();
        let mut answers: Vec<Option<Observation>> = vec![None; questions.len()];
        for turn in [Turn::Needed, Turn::Forbidden] {
            self.ask_turn(&questions, turn, &mut answers, &done).await;
        }
        let interrupted = |question: &Question| {
            let address = match question.target {
                Target::Address(address) => Some(address),
                Target::Nowhere(_) => None,
            };
            Observation::without_packets(address, State::NotTried(NotTried::Interrupted))
        };
        answers
            .into_iter()
            .zip(&questions)
            .map(|(answer, question)| answer.unwrap_or_else(|| interrupted(question)))
            .collect()
    }

    async fn ask_turn(
        self: &Arc<Self>,
        questions: &[Question],
        turn: Turn,
        answers: &mut [Option<Observation>],
        done: &impl Fn(),
    ) {
        let places = Arc::new(Semaphore::new(self.limits.in_flight));
        let mut running = JoinSet::new();
        for number in interleaved(questions, turn) {
            let question = questions[number].clone();
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                break;
            };
            let prober = Arc::clone(self);
            running.spawn(async move {
                let answer = prober.ask(question).await;
                drop(place);
                (number, answer)
            });
            while let Some(Ok((number, answer))) = running.try_join_next() {
                answers[number] = Some(answer);
                done();
            }
        }
        while let Some(joined) = running.join_next().await {
            if let Ok((number, answer)) = joined {
                answers[number] = Some(answer);
                done();
            }
        }
    }

    async fn ask(&self, question: Question) -> Observation {
        let address = match question.target {
            Target::Address(address) => address,
            Target::Nowhere(why) => {
                return Observation::without_packets(None, State::Unresolved(why));
            }
        };
        if question.ladder == Ladder::None {
            return Observation::without_packets(
                Some(address),
                State::NotTried(NotTried::Unsupported),
            );
        }
        let slots = Arc::clone(
            &self
                .learnt()
                .hosts
                .entry(address)
                .or_insert_with(|| Host {
                    round_trip: None,
                    loss: silence::Loss::default(),
                    slots: Arc::new(Semaphore::new(self.limits.per_host)),
                })
                .slots,
        );
        let mut stop = self.stop.clone();
        let slot = tokio::select! {
            // First: after a stop the places of those that gave up must not go to others.
            biased;
            _ = stop.wait_for(|stop| *stop) => return Observation::without_packets(Some(address), State::NotTried(NotTried::Interrupted)),
            slot = slots.acquire() => slot,
        };
        let seen = knock::knock(self, &question, address).await;
        drop(slot);
        seen
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        // A panic of one probe must not end the run: what was learnt stays usable.
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an address lies in a network of this host, or is its own.
    fn is_on_link(&self, address: IpAddr) -> bool {
        address.is_loopback()
            || self.own.iter().any(|net| {
                net.addr() == address
                    || (net.prefix_len() < net.max_prefix_len() && net.contains(&address))
            })
    }
}

/// Questions of one turn, host by host in rotation, so that one slow host does not hold up the others.
fn interleaved(questions: &[Question], turn: Turn) -> Vec<usize> {
    let mut seen: HashMap<Option<IpAddr>, usize> = HashMap::new();
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (number, question) in questions
        .iter()
        .enumerate()
        .filter(|(_, question)| question.turn == turn)
    {
        let address = match question.target {
            Target::Address(address) => Some(address),
            Target::Nowhere(_) => None,
        };
        let round = seen.entry(address).or_default();
        order.push((*round, number));
        *round += 1;
    }
    order.sort_unstable();
    order.into_iter().map(|(_, number)| number).collect()
}
