//! Knocking at one port: tries on new sockets until something answers or silence is proof; then the conversation.
//!
//! Earlier sockets stay open while later tries run, so that an answer which comes late still counts. They are closed before
//! the system would repeat their packets: a try is one packet. Each socket has a place at the address. The waits
//! begin at the round-trip time of the host (or of another host that answered) and grow, with jitter, because losses
//! come in bursts. The first try of a needed knock keeps its socket for as long as a router takes to find that nobody is
//! there.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::measured::Measured;
use super::try_once::{self, GROWTH, ONE_PACKET, Places, connect, is_to_itself, within};
use super::unanswered::{judge_silence, silent};
use super::{Prober, Question, Tries, Turn, Way, converse, story};
use crate::attribution::SHORTEST_SEARCH;
use crate::observation::{
    Attempt, AttemptResult, Depth, NotTried, Observation, ResetBy, Service, State, Trouble,
};
use crate::os::Connection;

/// The longest time that one knock listens between its tries; what is silent then, and not proved, stays unproved.
const LONGEST: Duration = Duration::from_secs(30);

/// How long a question that has been listened to before is listened to again, at the least.
const SECOND_WINDOW: Duration = Duration::from_millis(200);

/// How long a try is waited for at the least, where the host is known to be quick.
const SHORTEST_LIFE: Duration = Duration::from_millis(250);

/// Tries of a forbidden port while nothing has answered anywhere: as long as that is so, its silence proves nothing.
const FEWEST_WHERE_DEAF: u8 = 1;

impl Prober {
    /// The tries after which a silent question is left alone, by what is known now.
    pub(super) fn tries_wanted(&self, question: &Question, address: IpAddr) -> u8 {
        let of_silence = || self.tries_of_silence(question.turn, address, FEWEST_WHERE_DEAF);
        question.tries.unwrap_or_else(of_silence)
    }
}

/// What ended the knocking.
enum End {
    Answer(usize, Connection, Option<OwnedSemaphorePermit>),
    Silence,
    Stopped,
}

/// What came of one try.
struct Came {
    number: usize,
    took: Duration,
    /// `None`: nothing, for as long as its socket was kept.
    connection: Option<Connection>,
    /// Its place at the address.
    slot: OwnedSemaphorePermit,
}

/// Makes some tries. `place` is that of the question in the run.
pub(super) async fn knock(
    prober: &Prober,
    question: &Question,
    address: IpAddr,
    tries: Tries,
    place: Option<OwnedSemaphorePermit>,
) -> Observation {
    let mut knock = Knock::new(prober, question, address, tries);
    let end = knock.run().await;
    let mut seen = Observation::without_packets(Some(address), State::Silent);
    seen.on_link = prober.is_on_link(address) || is_stand_in(question);
    seen.attempts = knock.with_locals();
    seen.depth = (!seen.attempts.is_empty()).then_some(Depth::Tcp);
    match end {
        End::Silence => judge_silence(prober, &mut seen, tries.earlier),
        End::Stopped if seen.attempts.is_empty() => {
            seen.state = State::NotTried(NotTried::Interrupted)
        }
        End::Stopped => {}
        End::Answer(number, connection, slot) => {
            drop(knock);
            let places = Places {
                _of_the_run: place,
                _of_the_host: slot,
            };
            answered(prober, question, number, connection, places, &mut seen).await
        }
    }
    seen
}

/// The tries of one knock.
struct Knock<'a> {
    prober: &'a Prober,
    question: &'a Question,
    remote: SocketAddr,
    tries: Tries,
    slots: Arc<Semaphore>,
    attempts: Vec<Attempt>,
    running: JoinSet<Came>,
    /// The local ends of the tries, by their numbers: silence has evidence too.
    locals: Arc<Mutex<Vec<(usize, SocketAddr)>>>,
    /// When each try left.
    left: Vec<Instant>,
    /// How long answers were waited for, apart from waiting for a turn.
    listened: Duration,
    /// This machine's own trouble with a try, while others are under way.
    trouble: Option<(usize, Trouble)>,
}

impl<'a> Knock<'a> {
    fn new(prober: &'a Prober, question: &'a Question, address: IpAddr, tries: Tries) -> Self {
        Self {
            prober,
            question,
            remote: SocketAddr::new(address, question.port),
            tries,
            slots: prober.slots_at(address),
            attempts: Vec::new(),
            running: JoinSet::new(),
            locals: Arc::default(),
            left: Vec::new(),
            listened: Duration::ZERO,
            trouble: None,
        }
    }

    async fn run(&mut self) -> End {
        let long = self.listens_long();
        if long {
            // While one socket is kept, nothing is gained by holding back the other tries.
            self.tries.most = usize::MAX;
        }
        loop {
            let last = self.is_last();
            let keep = long && self.attempts.is_empty();
            if let Some(end) = self.leave(keep).await {
                return end;
            }
            let end = match last {
                true => self.listen_out(long).await,
                false => self.listen(self.wait(long)).await,
            };
            if let Some(end) = end {
                return end;
            }
            self.note_silence();
            let is_done = last && !(long && self.is_wanting());
            if is_done || self.listened > LONGEST {
                return End::Silence;
            }
        }
    }

    /// Listens after what was the last try. Where that is for long, only until more tries are wanted: something may have
    /// answered elsewhere meanwhile.
    async fn listen_out(&mut self, long: bool) -> Option<End> {
        let until = Instant::now() + self.left_to_listen(long);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let piece = match long {
                true => left.min(self.wait(long)),
                false => left,
            };
            if let Some(end) = self.listen(piece).await {
                return Some(end);
            }
            if piece == left || self.is_wanting() {
                return None;
            }
        }
    }

    /// Whether silence needs more tries than there were, by what is known now.
    fn is_wanting(&self) -> bool {
        !self.is_last_of_all(silent(&self.attempts))
    }

    /// Whether the next try is the last one, by what is known now.
    fn is_last(&self) -> bool {
        let made = silent(&self.attempts) + 1;
        made >= self.tries.most || self.is_last_of_all(made)
    }

    /// Whether silence needs no more than so many tries of this knock.
    fn is_last_of_all(&self, made: usize) -> bool {
        let wanted = self.prober.tries_wanted(self.question, self.remote.ip());
        self.tries.earlier + made >= usize::from(wanted)
    }

    /// Whether the first try keeps its socket for as long as the user gives to a step, and a router to a search. The word
    /// of a router that searches in vain comes for the packet that it kept first. Every needed knock listens long, since
    /// others at the address may be alive behind a device that translates. Where nothing is known of the host, one of the
    /// others does too.
    fn listens_long(&self) -> bool {
        let mut measured = self.prober.measured();
        let address = self.remote.ip();
        let is_unknown = measured.round_trip(address).is_none();
        self.tries.earlier == 0
            && self.question.tries.is_none()
            && (self.question.turn == Turn::Needed
                || (is_unknown && measured.is_first_long(address)))
    }

    /// How long is listened after the last try.
    fn left_to_listen(&self, long: bool) -> Duration {
        let may_be_far = self.may_be_far();
        let measured = self.prober.measured();
        let (address, timeout) = (self.remote.ip(), self.prober.limits.timeout);
        let window = measured.window(address, timeout);
        let life = match self.tries.earlier == 0 || may_be_far {
            true => self.life(&measured),
            false => (measured.wait(address) * 2).max(SECOND_WINDOW).min(timeout),
        };
        let since_the_first = self.left.first().map_or(Duration::ZERO, Instant::elapsed);
        match long {
            true => window.saturating_sub(since_the_first).max(life),
            false => life,
        }
    }

    /// Whether this was the last try of an address that never answered: it may be farther away than others.
    fn may_be_far(&self) -> bool {
        let address = self.remote.ip();
        let is_unknown = self.prober.measured().round_trip(address).is_none();
        is_unknown && self.is_last_of_all(silent(&self.attempts))
    }

    /// How long the socket of a try is kept. Never without an end: the next try may wait for its place.
    fn life(&self, measured: &Measured) -> Duration {
        let address = self.remote.ip();
        match measured.round_trip(address) {
            Some(round_trip) if round_trip * 4 > ONE_PACKET => {
                measured.window(address, self.prober.limits.timeout)
            }
            Some(round_trip) => (round_trip * 8).max(SHORTEST_LIFE).min(ONE_PACKET),
            None => ONE_PACKET,
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

    /// Sends a try on its way when it has a place and its turn comes; what ended the knock meanwhile. `keep`: its socket
    /// is kept for as long as a router may search.
    async fn leave(&mut self, keep: bool) -> Option<End> {
        let mut stop = self.prober.stop.clone();
        let slots = Arc::clone(&self.slots);
        let prober = self.prober;
        let place = async move {
            let slot = prober.take_slot(slots).await;
            prober.pace.turn().await;
            slot
        };
        tokio::pin!(place);
        let slot = loop {
            tokio::select! {
                // First: after a stop the places of those that gave up must not go to others.
                biased;
                _ = stop.wait_for(|stop| *stop) => return Some(End::Stopped),
                Some(Ok(came)) = self.running.join_next() => {
                    if let Some(end) = self.take_in(came) {
                        return Some(end);
                    }
                }
                slot = &mut place => break slot?,
            }
        };
        self.send(slot, keep);
        None
    }

    fn send(&mut self, slot: OwnedSemaphorePermit, keep: bool) {
        let number = self.attempts.len();
        let (remote, way) = (self.remote, self.question.way.clone());
        let manner = self.question.manner();
        story::attempt(self.tries.earlier + number + 1, remote);
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
        let life = {
            let mut measured = self.prober.measured();
            if self.question.way.is_direct() {
                measured.book.left(remote.ip(), Timestamp::now());
            }
            match keep {
                true => measured.window(remote.ip(), self.prober.limits.timeout),
                false => self.life(&measured),
            }
        };
        let pace = Arc::clone(&self.prober.pace);
        let mut connection = Box::pin(async move {
            match way {
                Way::Direct | Way::Proxy(_) => connect(&pace, remote, manner, note).await,
                Way::StandIn(address) => connect(&pace, address, manner, note).await,
                Way::Void => std::future::pending().await,
            }
        });
        // The packet leaves now: a busy host may begin a task much later, when others have their turn.
        let at_once = (&mut connection).now_or_never();
        self.running.spawn(async move {
            let connection = match at_once {
                Some(connection) => Some(connection),
                None => within(life, connection).await,
            };
            Came {
                number,
                connection,
                took: started.elapsed(),
                slot,
            }
        });
    }

    /// How long to wait for an answer before the next try. While one socket is listened to for `long`, the others need no
    /// more time than that.
    fn wait(&self, long: bool) -> Duration {
        let tries = self.tries.earlier + silent(&self.attempts);
        let growth = GROWTH.powi(i32::try_from(tries.clamp(1, 12)).unwrap_or(12) - 1);
        let (address, timeout) = (self.remote.ip(), self.prober.limits.timeout);
        let wanted = self.prober.tries_wanted(self.question, address);
        let measured = self.prober.measured();
        let wait = measured.wait(address).mul_f64(growth);
        let share = match long && measured.round_trip(address).is_none() {
            true => measured.window(address, timeout) / u32::from(wanted.max(1)),
            false => timeout,
        };
        wait.min(share).mul_f64(jitter()).min(timeout)
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
            let next = async {
                match self.running.is_empty() {
                    true => std::future::pending().await,
                    false => self.running.join_next().await,
                }
            };
            let joined = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Some(End::Stopped),
                joined = within(left, next) => joined?,
            };
            // A panic of one try must not end the others.
            if let Some(Ok(came)) = joined
                && let Some(end) = self.take_in(came)
            {
                return Some(end);
            }
        }
    }

    /// Takes in what came of a try; what ends the knock.
    fn take_in(&mut self, came: Came) -> Option<End> {
        let (number, took) = (came.number, came.took);
        let connection = came.connection?;
        story::came(self.tries.earlier + number + 1, took, &connection);
        if let Some(attempt) = self.attempts.get_mut(number) {
            attempt.took_ms = super::millis(took);
        }
        if let Connection::Trouble(trouble) = connection {
            if let Some(attempt) = self.attempts.get_mut(number) {
                attempt.result = AttemptResult::Trouble(trouble);
            }
            self.trouble.get_or_insert((number, trouble));
            return match self.running.is_empty() {
                true => self.own_trouble(),
                false => None,
            };
        }
        self.learn(number, took, &connection);
        Some(End::Answer(number, connection, Some(came.slot)))
    }

    /// No try of this knock is under way any more: this machine's own trouble is all there is to say.
    fn own_trouble(&mut self) -> Option<End> {
        let (number, trouble) = self.trouble.take()?;
        Some(End::Answer(number, Connection::Trouble(trouble), None))
    }

    /// Takes in an answer: earlier tries were lost, and the time is a round trip.
    fn learn(&self, number: usize, took: Duration, connection: &Connection) {
        let began = self.attempts.get(number).map(|attempt| attempt.at);
        if let Some(at) = began.filter(|_| self.question.way.is_direct()) {
            try_once::note(self.prober, self.remote, at, took, Some(connection));
        }
        self.prober.measured().heard = true;
        // A device on the way answers for its part of the way only. A router may ask its network for seconds before it
        // says that a host is unreachable. That is neither loss nor distance.
        if !matches!(connection, Connection::Rejected { .. }) {
            let mut measured = self.prober.measured();
            measured.answered(self.remote.ip(), self.tries.earlier + number, took);
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
    places: Places,
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
            converse::converse(prober, question, stream, Some(places), seen).await;
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tracing::Span;

    use super::*;
    use crate::probe::{Limits, Target};

    #[tokio::test]
    async fn a_packet_leaves_in_its_turn_though_no_other_task_has_run_since() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let to = listener.local_addr().expect("an address");
        let (_stop, prober) = Prober::of_a_test(Limits::of_a_test());
        let target = Target::Address(to.ip());
        let question = Question::knock(target, to.port(), Turn::Needed, Way::Direct, Span::none());
        let mut knock = Knock::new(&prober, &question, to.ip(), Tries::after(0));
        let slot = Arc::clone(&knock.slots)
            .try_acquire_owned()
            .expect("a place");
        knock.send(slot, false);
        assert_eq!(knock.locals.lock().expect("the list").len(), 1);
    }
}
