//! One worker of a sweep. It begins tries as long as it has places, takes what ended, closes what was silent for too long,
//! and starts over.
//!
//! It shares nothing with the others but the list of ports. Its sockets, its part of the places at each address (`Lane`)
//! and what it found are its own. What it measures goes into the run's book a few times a second, the sum of many tries at a
//! time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{self, FusedFuture as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument as _, debug_span};

use super::left::Change;
use super::tally::{Tally, Told, Try};
use super::{Item, Round};
use crate::observation::{Attempt, AttemptResult, Depth, Observation, Service, State, Trouble};
use crate::os::{Connecting, Connection};
use crate::probe::try_once::{GROWTH, ONE_PACKET, Places, is_to_itself};
use crate::probe::{Question, Target, Turn, Way, knock, story};

/// How many ports of an address of which nothing is known are waited for that long at once, to learn how far it is.
const SCOUTS: usize = 64;
/// Open ports of an address that a worker speaks to at once: what has more may not be a host.
const SPOKEN_TO: usize = 32;
/// How often silent tries are looked for.
const TICK: Duration = Duration::from_millis(10);
/// How often the run's book is written.
const REPORT: Duration = Duration::from_millis(50);
/// Tries that are begun before the next look at what has ended.
const BURST: usize = 64;
/// How long nothing is begun when the system has no descriptors or ports left.
const REST: Duration = Duration::from_millis(50);
/// So often in a row it may have none, with no try under way, before that is said.
const RESTS: u32 = 20;

/// Tries ports until none is left, or the run is stopped; what was found, address by address.
pub(super) async fn work(round: Arc<Round>, number: usize) -> Vec<Tally> {
    let mut worker = Worker::new(&round, number);
    match Connecting::new(round.places) {
        Ok(sockets) => worker.run(sockets).await,
        Err(_) => tracing::warn!("out of descriptors; lower probing.in_flight"),
    }
    let found = worker.lanes.into_iter();
    found.map(|lane| lane.found).collect()
}

/// One address, as far as this worker is concerned.
struct Lane {
    /// Sockets of this worker at once.
    most: usize,
    /// Sockets now.
    open: usize,
    /// Silent ports that are to be tried again, and when, in milliseconds.
    again: VecDeque<(Item, u32)>,
    /// Whether the list of ports is used up.
    is_used_up: bool,
    /// Whether it stands in the rotation.
    is_in_turn: bool,
    /// Ports begun while nothing of it was known.
    scouts: usize,
    /// Open ports that were spoken to.
    spoken_to: usize,
    /// When the last try left, in milliseconds.
    left: u32,
    known: Known,
    news: News,
    found: Tally,
}

/// What is known of an address, as the run's book had it a short while ago.
#[derive(Clone, Copy)]
struct Known {
    wait: Duration,
    tries: u8,
    answers: bool,
    samples: u32,
}

/// What is not in the run's book yet.
#[derive(Default)]
struct News {
    answered: u32,
    lost: u32,
    quickest: Option<Duration>,
    /// The last answer: the port, when its try left, and how long it took.
    reset: Option<(u16, u32, Duration)>,
    /// The first and the last silent try.
    silent: Option<((u16, u32), (u16, u32))>,
}

/// A try under way.
#[derive(Clone, Copy)]
struct Place {
    lane: usize,
    item: Item,
    state: PlaceState,
    /// When it left, and when it is given up, in microseconds.
    left: u64,
    until: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PlaceState {
    Free,
    Waits,
    /// It opened and is spoken to.
    Speaks,
}

struct Worker<'a> {
    round: &'a Arc<Round>,
    lanes: Vec<Lane>,
    /// Addresses that may have a port to be tried and a place for it.
    turn: VecDeque<usize>,
    places: Vec<Place>,
    free: Vec<usize>,
    /// The port that is tried next, when its turn comes.
    ready: Option<(usize, Item)>,
    talks: JoinSet<(usize, Observation)>,
    /// Until when nothing is begun, for want of descriptors.
    rests_until: u64,
    rests: u32,
    random: u64,
    /// Tries that have left and are not counted yet.
    uncounted: u64,
    /// What ended and is not told yet.
    change: Change,
    /// The most sockets of one address at once.
    busiest: usize,
}

impl<'a> Worker<'a> {
    fn new(round: &'a Arc<Round>, number: usize) -> Self {
        let quota = round.prober.limits.slots();
        let lane = |place: usize| {
            // What does not divide goes to the workers by turns.
            let extra = (number + place) % round.workers < quota % round.workers;
            let most = quota / round.workers + usize::from(extra);
            let has_work = most > 0 && !round.work[place].items.is_empty();
            Lane {
                most,
                open: 0,
                again: VecDeque::new(),
                is_used_up: !has_work,
                is_in_turn: has_work,
                scouts: 0,
                spoken_to: 0,
                left: 0,
                known: known(round, place),
                news: News::default(),
                found: Tally::default(),
            }
        };
        let lanes: Vec<Lane> = (0..round.ranges.len()).map(lane).collect();
        let place = Place {
            lane: 0,
            item: Item {
                port: 0,
                tries: 0,
                least: 0,
            },
            state: PlaceState::Free,
            left: 0,
            until: 0,
        };
        Self {
            round,
            turn: (0..lanes.len())
                .filter(|lane| lanes[*lane].is_in_turn)
                .collect(),
            lanes,
            places: vec![place; round.places],
            free: (0..round.places).rev().collect(),
            ready: None,
            talks: JoinSet::new(),
            rests_until: 0,
            rests: 0,
            random: 0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1),
            uncounted: 0,
            change: Change::default(),
            busiest: 0,
        }
    }

    async fn run(&mut self, mut sockets: Connecting) {
        let prober = Arc::clone(&self.round.prober);
        let mut stop = prober.stop.clone();
        let mut turn = std::pin::pin!(future::Fuse::terminated());
        let (mut tick, mut report) = (0, 0);
        let mut ended = Vec::new();
        loop {
            if *stop.borrow_and_update() {
                break;
            }
            let now = self.now();
            let free = prober.pace.is_free();
            let begun = match free {
                true => self.begin_many(&mut sockets, now),
                false => 0,
            };
            self.count();
            sockets.take(&mut ended);
            let came = ended.len();
            for (place, met) in ended.drain(..) {
                self.ended(place, met);
            }
            self.take_talks();
            let now = self.now();
            if now >= tick {
                self.expire(&mut sockets, now);
                tick = now + micros(TICK);
            }
            if now >= report {
                self.report();
                report = now + micros(REPORT);
            }
            if self.is_done() {
                break;
            }
            if begun + came > 0 {
                tokio::task::yield_now().await;
                continue;
            }
            self.ready = self.ready.take().or_else(|| self.next(now));
            if !free && turn.is_terminated() && self.ready.is_some() {
                turn.set(prober.pace.turn().fuse());
            }
            let wake = self.instant(tick.min(report));
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = &mut turn, if !turn.is_terminated() => {
                    if let Some((lane, item)) = self.ready.take() {
                        self.begin(&mut sockets, lane, item);
                    }
                }
                () = sockets.wait() => {}
                () = sleep_until(wake) => {}
            }
        }
        self.count();
        self.leave_off();
        self.report();
        // What the others had at that address meanwhile is not known here: they have as many places.
        let sockets = self.busiest * self.round.workers;
        prober.pace.sent.sockets(sockets.min(prober.limits.slots()));
    }

    /// Counts the tries that have left.
    fn count(&mut self) {
        match std::mem::take(&mut self.uncounted) {
            0 => {}
            tries => self.round.prober.pace.sent.syns(tries),
        }
    }

    /// Begins tries as long as there are places and ports.
    fn begin_many(&mut self, sockets: &mut Connecting, now: u64) -> usize {
        for begun in 0..BURST {
            let Some((lane, item)) = self.ready.take().or_else(|| self.next(now)) else {
                return begun;
            };
            self.begin(sockets, lane, item);
        }
        BURST
    }

    /// The next port to be tried, addresses in rotation.
    fn next(&mut self, now: u64) -> Option<(usize, Item)> {
        if self.free.is_empty() || now < self.rests_until {
            return None;
        }
        while let Some(number) = self.turn.pop_front() {
            let lane = &mut self.lanes[number];
            let item = match lane.open < lane.most {
                true => lane.next(&self.round.work[number], now),
                false => None,
            };
            match item {
                Some(item) => {
                    self.turn.push_back(number);
                    return Some((number, item));
                }
                None => lane.is_in_turn = false,
            }
        }
        None
    }

    fn put_back(&mut self, number: usize, item: Item) {
        let lane = &mut self.lanes[number];
        lane.again.push_front((item, 0));
        if !lane.is_in_turn {
            lane.is_in_turn = true;
            self.turn.push_front(number);
        }
    }

    fn begin(&mut self, sockets: &mut Connecting, number: usize, item: Item) {
        let wait = self.wait(number, item);
        let Some(place) = self.free.pop() else { return };
        let left = self.now();
        let lane = &mut self.lanes[number];
        lane.open += 1;
        lane.left = millis(left);
        self.busiest = self.busiest.max(lane.open);
        self.places[place] = Place {
            lane: number,
            item,
            state: PlaceState::Waits,
            left,
            until: left + micros(wait),
        };
        let remote = self.round.ranges[number].remote(item.port);
        let met = remote.and_then(|remote| sockets.begin(place, remote));
        let is_trouble = matches!(met, Some(Connection::Trouble(_)));
        self.uncounted += u64::from(remote.is_some() && !is_trouble);
        if let Some(met) = met {
            self.ended(place, met);
        }
    }

    /// How long an answer to a try is waited for. The last try of an address that never answered is waited for longest: it
    /// may be farther away than others.
    fn wait(&mut self, number: usize, item: Item) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let jitter = 0.9 + 0.2 * (self.random % 1_000) as f64 / 1_000.0;
        let lane = &mut self.lanes[number];
        let most = ONE_PACKET.min(self.round.prober.limits.timeout);
        let is_last = item.tries + 1 >= lane.wanted(item);
        let is_scout = item.tries == 0 && lane.scouts < SCOUTS;
        if !lane.known.answers && (is_last || is_scout) {
            lane.scouts += usize::from(is_scout);
            return most;
        }
        let growth = GROWTH.powi(i32::from(item.tries.min(11)));
        lane.known.wait.mul_f64(growth * jitter).min(most)
    }

    /// Takes in how a try ended.
    fn ended(&mut self, number: usize, met: Connection) {
        let place = self.places[number];
        if place.state != PlaceState::Waits {
            return;
        }
        let took = Duration::from_micros(self.now().saturating_sub(place.left));
        let item = place.item;
        if matches!(met, Connection::Trouble(Trouble::NoDescriptors)) && self.rest(number) {
            return;
        }
        self.rests = 0;
        let at = millis(place.left);
        let lane = &mut self.lanes[place.lane];
        self.change.ended(item.tries, lane.wanted(item), false);
        match met {
            Connection::Reset { .. } => {
                lane.found.reset.push(item.port);
                lane.news.answer(item, took);
                lane.news.reset = Some((item.port, at, took));
                self.release(number);
            }
            Connection::Open(_) | Connection::ResetAfterAccept { .. } => {
                lane.news.answer(item, took);
                self.hear(number, took);
                let lane = &mut self.lanes[place.lane];
                let own = matches!(&met, Connection::Open(stream) if is_to_itself(stream));
                let enough = self.round.ranges[place.lane].painted || lane.spoken_to == SPOKEN_TO;
                if enough && !own {
                    return self.told(number, Told::Open, met, took);
                }
                lane.spoken_to += 1;
                self.opened(number, met, took);
            }
            Connection::Rejected { ref rejection, .. } => {
                let told = Told::Rejected(rejection.clone());
                self.told(number, told, met, took);
            }
            Connection::Trouble(trouble) => {
                self.told(number, Told::Trouble(trouble), met, took);
            }
        }
    }

    /// The system has no descriptor or port left: the try is made later, with fewer at once. False: it never has any.
    fn rest(&mut self, number: usize) -> bool {
        let Place { lane, item, .. } = self.places[number];
        let alone = self.free.len() + 1 == self.places.len();
        self.rests += u32::from(alone);
        if self.rests > RESTS {
            return false;
        }
        self.release(number);
        self.put_back(lane, item);
        self.rests_until = self.now() + micros(REST);
        true
    }

    /// What was seen of a port before the answer is taken in.
    fn before(&self, number: usize, took: Duration) -> Observation {
        let place = self.places[number];
        let Place {
            lane, item, left, ..
        } = place;
        let round = self.round;
        let range = &round.ranges[lane];
        let remote = range.remote(item.port);
        let remote = remote.unwrap_or(SocketAddr::new(range.address, item.port));
        let mut seen = Observation::without_packets(Some(range.address), State::Silent);
        seen.on_link = range.lab.is_some() || round.prober.is_on_link(range.address);
        seen.depth = Some(Depth::Tcp);
        let attempt = |millis: u32, took: Duration| Attempt {
            at: round.began.after(millis),
            local: None,
            remote,
            took_ms: crate::probe::millis(took),
            result: AttemptResult::Silent,
        };
        let silent = self.earlier(place);
        seen.attempts = silent
            .map(|one| attempt(one.at, Duration::from_millis(u64::from(one.wait))))
            .chain([attempt(millis(left), took)])
            .collect();
        seen
    }

    fn question(&self, number: usize) -> Question {
        let Place { lane, item, .. } = self.places[number];
        let range = &self.round.ranges[lane];
        let way = match (&range.lab, range.remote(item.port)) {
            (None, _) => Way::Direct,
            (Some(_), Some(stand_in)) => Way::StandIn(stand_in),
            (Some(_), None) => Way::Void,
        };
        let span = debug_span!("sweep", address = %range.address, port = item.port);
        let target = Target::Address(range.address);
        Question::knock(target, item.port, Turn::Forbidden, way, span)
    }

    /// Writes into the run's book that a port opened, and when it had been silent.
    fn hear(&self, number: usize, took: Duration) {
        let place = self.places[number];
        let round = self.round;
        let range = &round.ranges[place.lane];
        if range.lab.is_some() {
            return;
        }
        let remote = SocketAddr::new(range.address, place.item.port);
        let mut measured = round.prober.measured();
        let at = round.began.after(millis(place.left));
        measured.book.heard(remote, true, at, took);
        for earlier in self.earlier(place) {
            measured
                .book
                .unanswered(remote, round.began.after(earlier.at));
        }
    }

    /// Silent tries of the port of a place.
    fn earlier(&self, place: Place) -> impl Iterator<Item = &Try> {
        let tries = match place.item.tries {
            0 => &[],
            _ => &self.lanes[place.lane].found.tries[..],
        };
        tries.iter().filter(move |one| one.port == place.item.port)
    }

    /// A port opened: it is spoken to as after a knock, and keeps its place meanwhile.
    fn opened(&mut self, number: usize, met: Connection, took: Duration) {
        let mut seen = self.before(number, took);
        let question = self.question(number);
        self.places[number].state = PlaceState::Speaks;
        let prober = Arc::clone(&self.round.prober);
        self.talks.spawn(async move {
            let span = question.span.clone();
            let place = seen.attempts.len().saturating_sub(1);
            let spoken = async {
                knock::answered(&prober, &question, place, met, Places::default(), &mut seen).await;
                story::answer(&seen);
            };
            spoken.instrument(span).await;
            (number, seen)
        });
    }

    /// Takes in connections that have been spoken to.
    fn take_talks(&mut self) {
        while let Some(done) = self.talks.try_join_next() {
            let Ok((number, seen)) = done else { continue };
            let Place { lane, item, .. } = self.places[number];
            self.lanes[lane].found.open.push((item.port, seen));
            self.release(number);
        }
    }

    /// What other ports meet as well: what it means is found out once.
    fn told(&mut self, number: usize, told: Told, met: Connection, took: Duration) {
        let Place { lane, item, .. } = self.places[number];
        let known = self.lanes[lane].found.told.get_mut(&told);
        if let Some((_, ports)) = known {
            ports.push(item.port);
            self.release(number);
            return;
        }
        let mut seen = self.before(number, took);
        let question = self.question(number);
        let place = seen.attempts.len().saturating_sub(1);
        let prober = &self.round.prober;
        prober.measured().heard |= matches!(told, Told::Rejected(_));
        if let Connection::Open(_) = met {
            seen.state = State::Open;
            seen.service = Some(Service::NotAsked);
        } else {
            // Nothing is waited for: there is no connection to speak on.
            let settled =
                knock::answered(prober, &question, place, met, Places::default(), &mut seen);
            let _ = settled.now_or_never();
        }
        let first = (seen, vec![item.port]);
        self.lanes[lane].found.told.insert(told, first);
        self.release(number);
    }

    /// Gives a place back.
    fn release(&mut self, number: usize) {
        let lane_number = self.places[number].lane;
        self.places[number].state = PlaceState::Free;
        self.free.push(number);
        let lane = &mut self.lanes[lane_number];
        lane.open = lane.open.saturating_sub(1);
        if !lane.is_in_turn && (!lane.is_used_up || !lane.again.is_empty()) {
            lane.is_in_turn = true;
            self.turn.push_back(lane_number);
        }
    }

    /// Closes what was silent for too long.
    fn expire(&mut self, sockets: &mut Connecting, now: u64) {
        for number in 0..self.places.len() {
            let place = self.places[number];
            if place.state != PlaceState::Waits || place.until > now {
                continue;
            }
            sockets.give_up(number);
            self.silent(number, now);
        }
        for number in 0..self.lanes.len() {
            let lane = &mut self.lanes[number];
            if !lane.is_in_turn && lane.open < lane.most && !lane.again.is_empty() {
                lane.is_in_turn = true;
                self.turn.push_back(number);
            }
        }
    }

    fn silent(&mut self, number: usize, now: u64) {
        let Place {
            lane, item, left, ..
        } = self.places[number];
        let lane = &mut self.lanes[lane];
        lane.note(item.port, left, now);
        self.change.ended(item.tries, lane.wanted(item), true);
        let item = Item {
            tries: item.tries.saturating_add(1),
            ..item
        };
        if item.tries < lane.wanted(item) {
            lane.again.push_back((item, millis(now)));
        }
        self.release(number);
    }

    /// After a stop, tries that are under way were made, and their answers are not waited for.
    fn leave_off(&mut self) {
        if let Some((lane, item)) = self.ready.take() {
            self.lanes[lane].again.push_front((item, 0));
        }
        for lane in &mut self.lanes {
            let left: Vec<Item> = lane.again.drain(..).map(|(item, _)| item).collect();
            lane.found.leave(&left);
        }
        for number in 0..self.places.len() {
            let Place {
                lane,
                item,
                left,
                state,
                ..
            } = self.places[number];
            match state {
                PlaceState::Free => {}
                PlaceState::Waits => self.lanes[lane].note(item.port, left, left),
                // That it is open is known.
                PlaceState::Speaks => {
                    let mut seen = self.before(number, Duration::ZERO);
                    seen.state = State::Open;
                    self.lanes[lane].found.open.push((item.port, seen));
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        self.turn.is_empty()
            && self.ready.is_none()
            && self.free.len() == self.places.len()
            && self.lanes.iter().all(|lane| lane.again.is_empty())
    }

    /// Writes what is new into the run's book, and reads what is known now.
    fn report(&mut self) {
        let round = self.round;
        let change = std::mem::take(&mut self.change);
        round.prober.sweep_left.change(change);
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            let news = std::mem::take(&mut lane.news);
            let is_quiet = news.answered == 0 && news.silent.is_none();
            if is_quiet && lane.open == 0 {
                continue;
            }
            let range = &round.ranges[number];
            let mut measured = round.prober.measured();
            if range.lab.is_none() {
                let left = round.began.after(lane.left);
                measured.book.left(range.address, left);
            }
            if is_quiet {
                continue;
            }
            if let Some(quickest) = news.quickest {
                measured.answered_often(range.address, news.answered, news.lost, quickest);
            }
            if range.lab.is_none() {
                let remote = |port| SocketAddr::new(range.address, port);
                if let Some((port, at, took)) = news.reset {
                    let at = round.began.after(at);
                    measured.book.heard(remote(port), false, at, took);
                }
                let silent = news
                    .silent
                    .into_iter()
                    .flat_map(|(first, last)| [first, last]);
                for (port, at) in silent {
                    measured
                        .book
                        .unanswered(remote(port), round.began.after(at));
                }
            }
            lane.known.wait = measured.wait(range.address);
            lane.known.answers = measured.round_trip(range.address).is_some();
            let samples = measured.samples(range.address);
            drop(measured);
            // What is asked costs more than the rest: only where there is silence, and more is known than before.
            if news.silent.is_some() && samples > lane.known.samples {
                lane.known.samples = samples;
                lane.known.tries = round.prober.tries_of_a_port(range.address);
            }
        }
    }

    /// Microseconds since the sweep began.
    fn now(&self) -> u64 {
        micros(self.round.began.instant.elapsed())
    }

    fn instant(&self, at: u64) -> Instant {
        self.round.began.instant + Duration::from_micros(at)
    }
}

impl Lane {
    /// The next port: one that was not tried in this round before one that was silent.
    fn next(&mut self, work: &super::Work, now: u64) -> Option<Item> {
        if !self.is_used_up {
            if let Some(item) = work.take() {
                return Some(item);
            }
            self.is_used_up = true;
        }
        let (_, due) = self.again.front()?;
        if *due > millis(now) {
            return None;
        }
        self.again.pop_front().map(|(item, _)| item)
    }

    /// Tries after which a port is left alone.
    fn wanted(&self, item: Item) -> u8 {
        match item.least {
            0 => self.known.tries,
            least => least,
        }
    }

    /// Takes in a silent try.
    fn note(&mut self, port: u16, left: u64, now: u64) {
        let at = millis(left);
        let wait = millis(now.saturating_sub(left));
        self.found.tries.push(Try {
            port,
            at,
            wait: u16::try_from(wait).unwrap_or(u16::MAX),
        });
        let last = (port, at);
        let (first, _) = self.news.silent.unwrap_or((last, last));
        self.news.silent = Some((first, last));
    }
}

impl News {
    fn answer(&mut self, item: Item, took: Duration) {
        self.answered += 1;
        self.lost += u32::from(item.tries);
        self.quickest = Some(self.quickest.map_or(took, |known| known.min(took)));
    }
}

fn known(round: &Round, number: usize) -> Known {
    let address = round.ranges[number].address;
    let tries = match round.work[number].items.is_empty() {
        true => 0,
        false => round.prober.tries_of_a_port(address),
    };
    let measured = round.prober.measured();
    Known {
        wait: measured.wait(address),
        tries,
        answers: measured.round_trip(address).is_some(),
        samples: measured.samples(address),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds of microseconds.
fn millis(micros: u64) -> u32 {
    u32::try_from(micros / 1_000).unwrap_or(u32::MAX)
}
