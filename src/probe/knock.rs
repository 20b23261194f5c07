//! Knocking at one port: tries on new sockets until something answers or silence is proof; then the conversation.
//!
//! Earlier sockets stay open while later tries run, so that an answer which comes late still counts. The waits begin
//! at the round-trip time of the host (or of another host that answered) and grow, with jitter, because losses come in
//! bursts. After the last try the knock gives its places to others and goes on listening: silence that is shorter than
//! the user's time-out is none.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::try_once::{self, Places, is_to_itself};
use super::unanswered::{judge_silence, silent};
use super::{Prober, Question, Way, converse, silence, story};
use crate::attribution::SHORTEST_SEARCH;
use crate::observation::{
    Attempt, AttemptResult, Depth, NotTried, Observation, ResetBy, Service, State, Trouble,
};
use crate::os::{self, Connection};

/// The longest time that one knock listens between its tries; what is silent then, and not proved, stays unproved.
const LONGEST: Duration = Duration::from_secs(30);

/// How long a question that has been listened to before is listened to again, at the least.
const SECOND_WINDOW: Duration = Duration::from_millis(200);

/// How much longer each wait is than the one before.
const GROWTH: f64 = 1.15;

/// What ended the knocking.
enum End {
    Answer(usize, Connection),
    Silence,
    Stopped,
}

/// Knocks; `earlier` tries of the same question have been silent already.
pub(super) async fn knock(
    prober: &Prober,
    question: &Question,
    address: IpAddr,
    earlier: usize,
    places: Places,
) -> Observation {
    let remote = SocketAddr::new(address, question.port);
    let mut tries = Tries {
        prober,
        question,
        remote,
        earlier,
        attempts: Vec::new(),
        running: JoinSet::new(),
        locals: Arc::default(),
        left: Vec::new(),
        listened: Duration::ZERO,
        trouble: None,
    };
    let mut places = Some(places);
    let end = tries.run(&mut places).await;
    let mut seen = Observation::without_packets(Some(address), State::Silent);
    seen.on_link = prober.is_on_link(address) || is_stand_in(question);
    seen.attempts = tries.with_locals();
    seen.depth = (!seen.attempts.is_empty()).then_some(Depth::Tcp);
    match end {
        End::Silence => judge_silence(prober, &mut seen, earlier),
        End::Stopped if seen.attempts.is_empty() => {
            seen.state = State::NotTried(NotTried::Interrupted)
        }
        End::Stopped => {}
        End::Answer(number, connection) => {
            answered(prober, question, number, connection, places, &mut seen).await
        }
    }
    seen
}

/// The tries of one knock.
struct Tries<'a> {
    prober: &'a Prober,
    question: &'a Question,
    remote: SocketAddr,
    earlier: usize,
    attempts: Vec<Attempt>,
    running: JoinSet<(usize, Duration, Connection)>,
    /// The local ends of the tries, by their numbers: silence has evidence too.
    locals: Arc<Mutex<Vec<(usize, SocketAddr)>>>,
    /// When each try left.
    left: Vec<Instant>,
    /// How long answers were waited for, apart from waiting for a turn.
    listened: Duration,
    /// This machine's own trouble with a try, while others are under way.
    trouble: Option<(usize, Trouble)>,
}

impl Tries<'_> {
    async fn run(&mut self, places: &mut Option<Places>) -> End {
        loop {
            if !self.leave().await {
                return End::Stopped;
            }
            let (enough, wait) = self.next();
            if let Some(end) = self.listen(wait).await {
                return end;
            }
            self.note_silence();
            if enough || self.listened > LONGEST {
                break;
            }
        }
        let _waiting = self.prober.waiting.acquire().await;
        *places = None;
        let window = self.window();
        let since_the_first = self.left.first().map_or(window, Instant::elapsed);
        let end = self.listen(window.saturating_sub(since_the_first)).await;
        end.unwrap_or(End::Silence)
    }

    /// How long silence is listened to. A question that has been listened to for so long needs no second time.
    fn window(&self) -> Duration {
        let measured = self.prober.measured();
        let (address, timeout) = (self.remote.ip(), self.prober.limits.timeout);
        match self.earlier {
            0 => measured.window(address, timeout),
            _ => (measured.wait(address) * 2).max(SECOND_WINDOW).min(timeout),
        }
    }

    /// The try that has just been listened to was not answered in time.
    fn note_silence(&self) {
        let last = self
            .attempts
            .last()
            .filter(|_| self.question.way.is_direct());
        if let Some(last) = last.filter(|last| last.result == AttemptResult::Silent) {
            try_once::note(self.prober, self.remote, last.at, Duration::ZERO, None);
        }
    }

    /// Sends a try on its way when its turn comes; false: the run was stopped.
    async fn leave(&mut self) -> bool {
        let mut stop = self.prober.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return false,
            () = self.prober.pace.turn() => {}
        }
        let number = self.attempts.len();
        let (remote, way) = (self.remote, self.question.way.clone());
        let manner = self.question.manner();
        story::attempt(self.earlier + number + 1, remote);
        let started = Instant::now();
        self.left.push(started);
        self.attempts.push(Attempt {
            at: Timestamp::now(),
            local: None,
            remote,
            took_ms: 0.0,
            result: AttemptResult::Silent,
        });
        let locals = Arc::clone(&self.locals);
        let note = move |local| {
            let mut locals = locals.lock().unwrap_or_else(PoisonError::into_inner);
            locals.push((number, local));
        };
        self.running.spawn(async move {
            let connection = match way {
                Way::Direct | Way::Proxy(_) => os::connect(remote, manner, note).await,
                Way::StandIn(address) => os::connect(address, manner, note).await,
                Way::Void => std::future::pending().await,
            };
            (number, started.elapsed(), connection)
        });
        true
    }

    /// Whether the try that has just left is the last, and how long to wait for its answer.
    fn next(&self) -> (bool, Duration) {
        let tries = self.earlier + silent(&self.attempts);
        let measured = self.prober.measured();
        let address = self.remote.ip();
        let wanted = self
            .prober
            .limits
            .attempts
            .unwrap_or_else(|| measured.tries(address).min(silence::MOST));
        let growth = GROWTH.powi(i32::try_from(tries.clamp(1, 12)).unwrap_or(12) - 1);
        let wait = measured.wait(address).mul_f64(growth * jitter());
        (
            tries >= usize::from(wanted),
            wait.min(self.prober.limits.timeout),
        )
    }

    /// Waits for an answer to any try.
    async fn listen(&mut self, time: Duration) -> Option<End> {
        let begun = Instant::now();
        let end = self.hear(time).await;
        self.listened += begun.elapsed();
        end
    }

    async fn hear(&mut self, time: Duration) -> Option<End> {
        let mut stop = self.prober.stop.clone();
        let begun = Instant::now();
        loop {
            let left = time.saturating_sub(begun.elapsed());
            let joined = tokio::select! {
                Some(Ok(joined)) = self.running.join_next() => Some(joined),
                () = sleep(left) => None,
                _ = stop.wait_for(|stop| *stop) => return Some(End::Stopped),
            };
            let (number, took, connection) = joined?;
            story::came(self.earlier + number + 1, took, &connection);
            if let Some(attempt) = self.attempts.get_mut(number) {
                attempt.took_ms = super::millis(took);
            }
            if let Connection::Trouble(trouble) = connection {
                if let Some(attempt) = self.attempts.get_mut(number) {
                    attempt.result = AttemptResult::Trouble(trouble);
                }
                self.trouble.get_or_insert((number, trouble));
                if self.running.is_empty() {
                    return self.own_trouble();
                }
                continue;
            }
            self.learn(number, took, &connection);
            return Some(End::Answer(number, connection));
        }
    }

    /// No try of this knock is under way any more: this machine's own trouble is all there is to say.
    fn own_trouble(&mut self) -> Option<End> {
        let (number, trouble) = self.trouble.take()?;
        Some(End::Answer(number, Connection::Trouble(trouble)))
    }

    /// Takes in an answer: earlier tries were lost, and the time is a round trip.
    fn learn(&self, number: usize, took: Duration, connection: &Connection) {
        let began = self.attempts.get(number).map(|attempt| attempt.at);
        if let Some(at) = began.filter(|_| self.question.way.is_direct()) {
            try_once::note(self.prober, self.remote, at, took, Some(connection));
        }
        // A device on the way answers for its part of the way only, and a router may ask its network for seconds
        // before it says that a host is unreachable: that is neither loss nor distance.
        if !matches!(connection, Connection::Rejected { .. }) {
            let mut measured = self.prober.measured();
            measured.answered(self.remote.ip(), self.earlier + number, took);
        }
    }

    /// The attempts with their local ends; silent ones were listened to until now.
    fn with_locals(&mut self) -> Vec<Attempt> {
        for (attempt, left) in self.attempts.iter_mut().zip(&self.left) {
            if attempt.result == AttemptResult::Silent && attempt.took_ms == 0.0 {
                attempt.took_ms = super::millis(left.elapsed());
            }
        }
        let locals = self.locals.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, local) in locals.iter() {
            if let Some(attempt) = self.attempts.get_mut(*number) {
                attempt.local = Some(*local);
            }
        }
        std::mem::take(&mut self.attempts)
    }
}

/// A factor from 0.9 to 1.1, so that tries do not beat in time with a burst of losses.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    0.9 + 0.2 * (random % 1_000) as f64 / 1_000.0
}

/// Takes in what answered the try of this number, and speaks to what opened.
pub(super) async fn answered(
    prober: &Prober,
    question: &Question,
    number: usize,
    connection: Connection,
    places: Option<Places>,
    seen: &mut Observation,
) {
    let (result, local) = match &connection {
        Connection::Open(stream) => (AttemptResult::Open, stream.local_addr().ok()),
        Connection::ResetAfterAccept { local } => (AttemptResult::Open, *local),
        Connection::Reset { local } => (AttemptResult::Reset, *local),
        Connection::Rejected { rejection, local } => {
            (AttemptResult::Rejected(rejection.clone()), *local)
        }
        Connection::Trouble(trouble) => (AttemptResult::Trouble(*trouble), None),
    };
    if let Some(attempt) = seen.attempts.get_mut(number) {
        attempt.result = result;
        attempt.local = local.or(attempt.local);
    }
    match connection {
        Connection::Open(stream) if is_to_itself(&stream) => {
            // Both ends chose the same port: nobody listens there.
            seen.state = State::Closed {
                reset_by: ResetBy::Host,
            };
            seen.service = Some(Service::ConnectedToItself);
        }
        Connection::Open(stream) => {
            seen.state = State::Open;
            converse::converse(prober, question, stream, places, seen).await;
        }
        Connection::ResetAfterAccept { .. } => {
            seen.state = State::Open;
            seen.service = Some(if converse::asks_nothing(question.ladder) {
                Service::ResetAtOnce
            } else {
                Service::HungUp
            });
        }
        Connection::Reset { .. } => {
            seen.state = State::Closed {
                // On-link alone proves no host: a firewall may stand within a network, or answer ARP for another.
                reset_by: if prober.is_own(seen.address) || is_stand_in(question) {
                    ResetBy::Host
                } else {
                    ResetBy::Either
                },
            }
        }
        Connection::Rejected { rejection, .. } => {
            seen.slow_rejection = since_the_first(&seen.attempts, number) >= SHORTEST_SEARCH;
            seen.state = match prober.own_trouble(&rejection, seen) {
                Some(trouble) => State::Unreachable(trouble),
                None => State::Rejected(rejection),
            }
        }
        Connection::Trouble(trouble) => {
            seen.state = State::Unreachable(trouble);
            if trouble == Trouble::NoDescriptors {
                tracing::warn!("out of descriptors or ports; lower probing.in_flight");
            }
        }
    }
}

/// Whether the lab answers in the target's place.
fn is_stand_in(question: &Question) -> bool {
    matches!(question.way, Way::StandIn(_))
}

/// How long after the first try the answer to another came.
fn since_the_first(attempts: &[Attempt], number: usize) -> Duration {
    let (Some(first), Some(answered)) = (attempts.first(), attempts.get(number)) else {
        return Duration::ZERO;
    };
    let between = answered.at.duration_since(first.at);
    let between = Duration::try_from(between).unwrap_or_default();
    between + Duration::from_secs_f64(answered.took_ms.max(0.0) / 1_000.0)
}
