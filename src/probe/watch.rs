//! Watching the way while tries are silent: knocks at ports that are known to answer, so that `witness` can say which
//! silence counts.
//!
//! The book keeps, for each address, when it answered, and since when tries of it are silent or overdue. While there are
//! such tries, a port that answers is knocked at every `PERIOD`. It is one of the same host, or, where nothing of the host
//! ever answered, of one host behind the same first firewall. An answer to any other try serves as well, so that a busy
//! host is not knocked at. The knocks take at most a tenth of the run's rate.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;
use tracing::{Instrument as _, debug_span};

use super::Prober;
use super::try_once::{ONE_PACKET, Once, in_place};
use super::witness::{self, Counted, Gap};
use crate::observation::Attempt;
use crate::os::{Connection, Manner};

/// How often a witness is knocked at.
const PERIOD: Duration = Duration::from_millis(600);
/// The same, once it has been silent for as long as is waited for it.
const SELDOM: SignedDuration = SignedDuration::from_secs(2);
/// How much longer than the second look a witness that has gone silent is waited for.
const BEYOND: SignedDuration = SignedDuration::from_secs(1);
/// How long it is waited for at the least: a busy host or prober answers late.
const LEAST_PATIENCE: SignedDuration = SignedDuration::from_secs(5);
/// After so long the kernel repeats a packet, so that an answer no longer tells when the first one passed.
const REPEATS: Duration = Duration::from_secs(1);
/// So long after an outage answers still come to questions whose earlier tries it swallowed.
const AFTERMATH: SignedDuration = SignedDuration::from_secs(5);
/// Knocks that are missed for longer than this, and nothing answers, are no samples of chance losses.
const BURST: SignedDuration = SignedDuration::from_millis(300);
/// Ports of a host whose silent tries are kept, should they answer later.
const MOST_QUIET: usize = 32;
/// How long a try is under way, at the least, before its answer is overdue.
const OVERDUE: SignedDuration = SignedDuration::from_millis(100);
/// Resets closer together than this are one moment.
const CLOSE: SignedDuration = SignedDuration::from_millis(20);

/// What is known of one address.
#[derive(Default)]
struct Log {
    opens: Vec<Timestamp>,
    resets: Vec<Timestamp>,
    /// A port that answers.
    port: Option<u16>,
    open_ports: BTreeSet<u16>,
    /// Silent tries of ports that have not answered.
    quiet: BTreeMap<u16, Vec<Timestamp>>,
    /// Silent tries of ports that answered at another time.
    missed: Vec<Timestamp>,
    /// The first and the last silent try since the last answer.
    silent: Option<(Timestamp, Timestamp)>,
    /// The last try that has left since then, and is not known to be silent yet.
    under_way: Option<Timestamp>,
    /// How long the quickest answer took.
    quickest: Option<SignedDuration>,
    knocked: Option<Timestamp>,
    /// The latest tries, whatever came of them.
    tries: VecDeque<Timestamp>,
    /// The most of them within one second.
    busiest: u16,
    /// When it answered again after an outage.
    back: Option<Timestamp>,
}

impl Log {
    /// Counts a try in the second before it.
    fn count(&mut self, at: Timestamp) {
        let second = SignedDuration::from_secs(1);
        self.tries.push_back(at);
        while self
            .tries
            .front()
            .is_some_and(|first| at.duration_since(*first) > second)
        {
            self.tries.pop_front();
        }
        let tries = u16::try_from(self.tries.len()).unwrap_or(u16::MAX);
        self.busiest = self.busiest.max(tries);
    }

    /// The first and the last try since the last answer that are silent, or overdue by now.
    fn unanswered(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let quickest = self.quickest.unwrap_or(SignedDuration::ZERO);
        let patience = OVERDUE.max(quickest.saturating_mul(2));
        let overdue = self.under_way;
        let overdue = overdue.filter(|at| now.duration_since(*at) > patience);
        let (Some(at), Some((from, until))) = (overdue, self.silent) else {
            return self.silent.or(overdue.map(|at| (at, at)));
        };
        Some((from.min(at), until.max(at)))
    }

    /// When it answered. A device on the way may send a reset, so an open port goes before.
    fn answers(&self) -> &[Timestamp] {
        match self.opens.is_empty() {
            true => &self.resets,
            false => &self.opens,
        }
    }
}

/// Answers and silence of a run, by address.
#[derive(Default)]
pub(super) struct Book {
    logs: HashMap<IpAddr, Log>,
    /// What a packet to an address meets first.
    behind: HashMap<IpAddr, String>,
    /// Knocks in one period that the rate leaves room for; 0: any number.
    most: usize,
    /// How long a witness that has gone silent is waited for: as long as restarts and changes of routes take.
    patience: SignedDuration,
}

/// How silence of some addresses is watched.
struct Watch {
    /// Whose port is knocked at.
    witness: IpAddr,
    /// The first and the last silent try since the last answer.
    silent: (Timestamp, Timestamp),
}

/// What is known of the hosts behind one firewall.
#[derive(Default)]
struct Way {
    /// A host that answers.
    witness: Option<IpAddr>,
    /// When one last did.
    answer: Option<Timestamp>,
    /// The first and the last silent try of each host that never did.
    silent: Vec<(Timestamp, Timestamp)>,
}

impl Way {
    fn take_in(&mut self, address: IpAddr, log: &Log, silent: Option<(Timestamp, Timestamp)>) {
        if log.port.is_none() {
            self.silent.extend(silent);
            return;
        }
        self.witness = Some(self.witness.map_or(address, |known| known.min(address)));
        self.answer = self.answer.max(log.answers().last().copied());
    }

    /// The silence since the last answer.
    fn watch(self) -> Option<Watch> {
        let witness = self.witness?;
        let since = self
            .silent
            .iter()
            .filter(|(_, until)| Some(*until) > self.answer);
        let from = since
            .clone()
            .map(|(from, _)| Some(*from).max(self.answer))
            .min()??;
        let until = since.map(|(_, until)| *until).max()?;
        let silent = (from, until);
        Some(Watch { witness, silent })
    }
}

impl Book {
    /// A book for a run that may make so many attempts a second, and looks again after a time.
    pub(super) fn new(rate: Option<u32>, second_look: Duration) -> Self {
        let most = rate.map_or(0, |rate| {
            (f64::from(rate) / 10.0 * PERIOD.as_secs_f64()).ceil() as usize
        });
        let second_look = SignedDuration::try_from(second_look).unwrap_or(SignedDuration::ZERO);
        Self {
            most,
            patience: (second_look + BEYOND).max(LEAST_PATIENCE),
            ..Self::default()
        }
    }

    /// Says what packets to these addresses meet first.
    pub(super) fn stand_behind(&mut self, behind: HashMap<IpAddr, String>) {
        self.behind.extend(behind);
    }

    /// A port that has answered: of the address, else of a host behind the same firewall.
    pub(super) fn witness(&self, address: IpAddr) -> Option<SocketAddr> {
        let port = |(address, log): (&IpAddr, &Log)| Some(SocketAddr::new(*address, log.port?));
        let own = self
            .logs
            .get(&address)
            .and_then(|log| port((&address, log)));
        let way = self.behind.get(&address);
        let beside = self.logs.iter().filter(|(other, _)| {
            let theirs = self.behind.get(*other);
            way.is_some() && theirs == way
        });
        own.or_else(|| beside.filter_map(port).min())
    }

    /// What a packet to an address meets first.
    pub(super) fn behind(&self, address: IpAddr) -> Option<&str> {
        self.behind.get(&address).map(String::as_str)
    }

    /// Takes in an answer to a try that began at a moment and took so long.
    pub(super) fn heard(&mut self, remote: SocketAddr, open: bool, at: Timestamp, took: Duration) {
        let passed = match took < REPEATS {
            true => at,
            false => at + SignedDuration::try_from(took).unwrap_or(SignedDuration::ZERO),
        };
        let log = self.logs.entry(remote.ip()).or_default();
        log.count(at);
        let took = SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX);
        log.quickest = Some(log.quickest.map_or(took, |known| known.min(took)));
        if open {
            insert(&mut log.opens, passed, SignedDuration::ZERO);
            if log.open_ports.insert(remote.port()) {
                let quiet = log.quiet.remove(&remote.port());
                log.missed.extend(quiet.into_iter().flatten());
            }
            if log.opens.len() == 1 {
                log.port = Some(remote.port());
            }
        } else {
            insert(&mut log.resets, passed, CLOSE);
            log.port.get_or_insert(remote.port());
        }
        if log
            .silent
            .is_some_and(|(from, _)| passed.duration_since(from) > witness::OUTAGE)
        {
            log.back = Some(passed);
        }
        let last = log.answers().last().copied();
        if log.silent.is_some_and(|(_, until)| last >= Some(until)) {
            log.silent = None;
        }
        log.under_way = log.under_way.filter(|left| passed < *left);
    }

    /// Takes in that a try has left.
    pub(super) fn left(&mut self, address: IpAddr, at: Timestamp) {
        let log = self.logs.entry(address).or_default();
        log.under_way = log.under_way.max(Some(at));
    }

    /// Takes in a try that has not been answered in time.
    pub(super) fn unanswered(&mut self, remote: SocketAddr, at: Timestamp) {
        let log = self.logs.entry(remote.ip()).or_default();
        log.count(at);
        if log.open_ports.contains(&remote.port()) {
            log.missed.push(at);
        } else if log.quiet.len() < MOST_QUIET || log.quiet.contains_key(&remote.port()) {
            log.quiet.entry(remote.port()).or_default().push(at);
        }
        if log.answers().last().is_none_or(|last| *last < at) {
            let (from, until) = log.silent.unwrap_or((at, at));
            log.silent = Some((from.min(at), until.max(at)));
        }
    }

    /// The most tries of an address within one second.
    pub(super) fn busiest(&self, address: IpAddr) -> u16 {
        self.logs.get(&address).map_or(0, |log| log.busiest)
    }

    /// Whether silent tries of an address are more likely an outage's than lost by chance: it has just answered again.
    pub(super) fn is_back(&self, address: IpAddr, now: Timestamp) -> bool {
        let back = self.logs.get(&address).and_then(|log| log.back);
        back.is_some_and(|back| now.duration_since(back) <= AFTERMATH)
    }

    /// Whether all tries of an address have been silent for longer than chance losses come in a row.
    pub(super) fn is_out(&self, address: IpAddr) -> bool {
        let silent = self.logs.get(&address).and_then(|log| log.silent);
        silent.is_some_and(|(from, until)| until.duration_since(from) > BURST)
    }

    /// The moments at which witnesses of an address answered; `None`: it has none.
    pub(super) fn witnesses(&self, address: IpAddr) -> Option<Vec<Timestamp>> {
        let own = self.logs.get(&address).map(Log::answers);
        if let Some(own) = own.filter(|own| !own.is_empty()) {
            return Some(own.to_vec());
        }
        let way = self.behind.get(&address)?;
        let of_the_way = self
            .logs
            .iter()
            .filter(|(other, _)| self.behind.get(*other) == Some(way));
        let mut all: Vec<Timestamp> = of_the_way
            .flat_map(|(_, log)| log.answers().iter().copied())
            .collect();
        all.sort_unstable();
        (!all.is_empty()).then_some(all)
    }

    /// A port of an address that answers.
    pub(super) fn answers_at(&self, address: IpAddr) -> Option<SocketAddr> {
        let port = self.logs.get(&address)?.port?;
        Some(SocketAddr::new(address, port))
    }

    /// Counts silent tries of an address; `None`: it has no witness.
    pub(super) fn count(
        &self,
        address: IpAddr,
        tries: &[Attempt],
        since: Option<Timestamp>,
    ) -> Option<Counted> {
        let answers = self.witnesses(address)?;
        let silent = tries
            .iter()
            .filter(|attempt| attempt.result == crate::observation::AttemptResult::Silent)
            .map(|attempt| attempt.at)
            .filter(|at| since.is_none_or(|since| *at >= since));
        Some(witness::count(silent, &answers, self.shortly()))
    }

    /// How close two answers have to be: where many hosts share the knocks, each has fewer.
    pub(super) fn shortly(&self) -> SignedDuration {
        let hosts = self.logs.values().filter(|log| log.port.is_some()).count();
        let turns = match self.most {
            0 => 1,
            most => hosts.div_ceil(most).max(1),
        };
        let turns = i32::try_from(turns).unwrap_or(i32::MAX);
        let period = SignedDuration::try_from(PERIOD).unwrap_or(SignedDuration::ZERO);
        witness::SHORTLY.max(period.saturating_mul(turns).saturating_mul(2))
    }

    /// Silence that no witness has ended yet. `silence` is that of one address.
    fn watches(&self, silence: impl Fn(&Log) -> Option<(Timestamp, Timestamp)>) -> Vec<Watch> {
        let mut all: Vec<Watch> = Vec::new();
        let mut ways: BTreeMap<&str, Way> = BTreeMap::new();
        for (address, log) in &self.logs {
            let silent = silence(log);
            if let (Some(_), Some(silent)) = (log.port, silent) {
                let witness = *address;
                all.push(Watch { witness, silent });
            }
            if let Some(way) = self.behind.get(address) {
                let way = ways.entry(way).or_default();
                way.take_in(*address, log, silent);
            }
        }
        all.extend(ways.into_values().filter_map(Way::watch));
        all
    }

    /// Whether silence is still waiting for a witness.
    fn waits(&self, now: Timestamp) -> bool {
        self.watches(|log| log.silent)
            .iter()
            .any(|watch| now.duration_since(watch.silent.0) <= self.patience)
    }

    /// The ports that have to be knocked at now.
    fn due(&mut self, now: Timestamp) -> Vec<SocketAddr> {
        let period = SignedDuration::try_from(PERIOD).unwrap_or(SignedDuration::ZERO);
        // The timer that asks is not exact.
        let least = period / 2;
        let mut due: BTreeMap<(Option<Timestamp>, IpAddr), u16> = BTreeMap::new();
        for watch in self.watches(|log| log.unanswered(now)) {
            let Some(log) = self.logs.get(&watch.witness) else {
                continue;
            };
            let given_up = now.duration_since(watch.silent.0) > self.patience;
            let pause = if given_up { SELDOM } else { least };
            let rested = log
                .knocked
                .is_none_or(|knocked| now.duration_since(knocked) >= pause);
            if let Some(port) = log.port.filter(|_| rested) {
                due.insert((log.knocked, watch.witness), port);
            }
        }
        let most = match self.most {
            0 => usize::MAX,
            most => most,
        };
        let chosen: Vec<SocketAddr> = due
            .into_iter()
            .map(|((_, address), port)| SocketAddr::new(address, port))
            .take(most)
            .collect();
        for remote in &chosen {
            self.logs.entry(remote.ip()).or_default().knocked = Some(now);
        }
        chosen
    }

    /// When nothing of an address answered, though it did at other times; `loss` is how often a try is lost by chance.
    pub(super) fn gaps(&self, loss: impl Fn(IpAddr) -> f64) -> Vec<(IpAddr, Gap)> {
        let of_one = |(address, log): (&IpAddr, &Log)| {
            let gaps = witness::gaps(&log.opens, &log.missed, loss(*address));
            gaps.into_iter()
                .map(|gap| (*address, gap))
                .collect::<Vec<_>>()
        };
        let mut all: Vec<(IpAddr, Gap)> = self.logs.iter().flat_map(of_one).collect();
        all.sort_by_key(|(address, gap)| (gap.from, *address));
        all
    }
}

/// Inserts a moment into moments that stand in their order; one that is closer than this to another is left out.
fn insert(moments: &mut Vec<Timestamp>, at: Timestamp, close: SignedDuration) {
    let place = moments.partition_point(|moment| *moment <= at);
    let before = place.checked_sub(1).and_then(|place| moments.get(place));
    if before.is_none_or(|before| at.duration_since(*before) >= close) {
        moments.insert(place, at);
    }
}

impl Prober {
    /// Says what packets to addresses meet first, so that hosts behind one firewall are witnesses for each other.
    pub fn stand_behind(&self, behind: HashMap<IpAddr, String>) {
        self.measured().book.stand_behind(behind);
    }

    /// When nothing of an address answered, though it did at other times of this run.
    pub fn gaps(&self) -> Vec<(IpAddr, Gap)> {
        let measured = self.measured();
        measured
            .book
            .gaps(|address| measured.loss_on_the_way_to(address).bound())
    }

    /// Does some work and watches the ways of silent tries meanwhile.
    pub(super) async fn watching<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.watch() => match never {},
        }
    }

    /// Waits until the silence so far has its witness, or none can be waited for any longer.
    pub(super) async fn settle(&self) {
        let settled = async {
            while self.measured().book.waits(Timestamp::now()) && self.pause(PERIOD / 8).await {}
        };
        self.watching(settled).await;
    }

    /// Takes a knock in as a sample of the losses on the way. Of knocks that are missed in a row only the first is one: the
    /// rest is more likely an outage.
    fn learn(&self, address: IpAddr, seen: &Once, missed: &mut BTreeSet<IpAddr>) {
        match &seen.came {
            Some(
                Connection::Open(_)
                | Connection::ResetAfterAccept { .. }
                | Connection::Reset { .. },
            ) => {
                missed.remove(&address);
                self.measured().answered(address, 0, seen.took);
            }
            None if missed.insert(address) => self.measured().lost(address),
            None | Some(Connection::Rejected { .. } | Connection::Trouble(_)) => {}
        }
    }

    async fn watch(&self) -> Infallible {
        let mut knocks = FuturesUnordered::new();
        let mut missed: BTreeSet<IpAddr> = BTreeSet::new();
        loop {
            let due = self.measured().book.due(Timestamp::now());
            knocks.extend(due.into_iter().map(async |remote| {
                // It has a place of its own, beside those of the address.
                self.count_places(&self.slots_at(remote.ip()), 1);
                let knock = in_place(self, remote, Manner::default(), ONE_PACKET);
                let seen = knock.instrument(debug_span!("witness")).await;
                (remote.ip(), seen)
            }));
            let next = sleep(PERIOD);
            tokio::pin!(next);
            loop {
                tokio::select! {
                    () = &mut next => break,
                    Some((address, Some(seen))) = knocks.next() => self.learn(address, &seen, &mut missed),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).expect("a moment")
    }

    fn end(last: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], port))
    }

    const SECOND_LOOK: Duration = Duration::from_secs(20);
    const QUICK: Duration = Duration::from_millis(2);

    #[test]
    fn a_try_that_is_overdue_is_watched_before_it_is_known_to_be_silent() {
        let mut book = two_hosts();
        book.heard(end(10, 443), true, at(0), QUICK);
        book.left(end(10, 0).ip(), at(1_000));
        assert!(book.due(at(1_050)).is_empty(), "it may be answered yet");
        assert_eq!(book.due(at(1_150)), [end(10, 443)]);
        assert!(!book.waits(at(1_150)), "nothing is silent yet");
        book.heard(end(10, 443), true, at(1_150), QUICK);
        assert!(
            book.due(at(2_000)).is_empty(),
            "the way was seen to be open since"
        );
    }

    #[test]
    fn an_overdue_try_of_a_host_that_never_answered_is_watched_beside_it() {
        let mut book = two_hosts();
        book.heard(end(10, 443), true, at(0), QUICK);
        book.left(end(11, 0).ip(), at(1_000));
        assert_eq!(book.due(at(1_150)), [end(10, 443)]);
    }

    #[test]
    fn a_far_host_has_the_time_that_its_answers_take() {
        let mut book = two_hosts();
        book.heard(end(10, 443), true, at(0), Duration::from_millis(300));
        book.left(end(10, 0).ip(), at(1_000));
        assert!(book.due(at(1_550)).is_empty());
        assert_eq!(book.due(at(1_650)), [end(10, 443)]);
    }

    fn two_hosts() -> Book {
        let mut book = Book::new(None, SECOND_LOOK);
        let way = |last| (end(last, 0).ip(), "front-end".to_string());
        book.stand_behind(HashMap::from([way(10), way(11)]));
        book
    }

    #[test]
    fn a_port_that_answers_is_knocked_at_only_while_tries_are_silent() {
        let mut book = two_hosts();
        book.heard(end(10, 443), true, at(0), QUICK);
        assert_eq!(book.due(at(500)), []);
        book.unanswered(end(10, 135), at(600));
        assert_eq!(book.due(at(700)), [end(10, 443)]);
        assert_eq!(book.due(at(710)), [], "it has just been knocked at");
        book.heard(end(10, 443), true, at(700), QUICK);
        assert_eq!(book.due(at(2_000)), []);
        assert!(!book.waits(at(2_000)));
    }

    #[test]
    fn a_host_that_never_answered_is_witnessed_by_another_behind_the_same_firewall() {
        let mut book = two_hosts();
        book.unanswered(end(11, 443), at(0));
        assert_eq!(book.due(at(100)), [], "nothing is known to answer");
        book.heard(end(10, 443), true, at(50), QUICK);
        book.unanswered(end(11, 443), at(200));
        assert_eq!(book.due(at(300)), [end(10, 443)]);
        book.heard(end(10, 443), true, at(300), QUICK);
        assert!(!book.waits(at(400)));
        let witnesses = book.witnesses(end(11, 0).ip());
        assert_eq!(witnesses, Some(vec![at(50), at(300)]));
    }

    #[test]
    fn what_an_outage_swallowed_is_no_chance_loss() {
        let mut book = two_hosts();
        let host = end(10, 0).ip();
        book.heard(end(10, 443), true, at(0), QUICK);
        book.unanswered(end(10, 443), at(100));
        assert!(!book.is_out(host));
        book.unanswered(end(10, 443), at(5_000));
        assert!(book.is_out(host) && !book.is_back(host, at(5_000)));
        book.heard(end(10, 443), true, at(6_000), QUICK);
        assert!(!book.is_out(host) && book.is_back(host, at(6_100)));
        assert!(!book.is_back(host, at(20_000)));
    }

    #[test]
    fn a_reset_is_no_witness_where_a_port_is_open() {
        let mut book = two_hosts();
        book.heard(end(10, 81), false, at(0), QUICK);
        assert_eq!(book.witnesses(end(10, 0).ip()), Some(vec![at(0)]));
        book.heard(end(10, 443), true, at(100), QUICK);
        assert_eq!(book.witnesses(end(10, 0).ip()), Some(vec![at(100)]));
    }

    #[test]
    fn an_answer_that_took_a_second_counts_from_when_it_came() {
        let mut book = two_hosts();
        book.heard(end(10, 443), true, at(0), Duration::from_millis(1_020));
        assert_eq!(book.witnesses(end(10, 0).ip()), Some(vec![at(1_020)]));
    }

    #[test]
    fn a_host_that_came_up_during_the_run_has_a_gap_before() {
        let mut book = two_hosts();
        for millis in [0, 300, 700, 1_200, 2_500] {
            book.unanswered(end(10, 443), at(millis));
        }
        book.heard(end(10, 443), true, at(4_000), QUICK);
        let gap = Gap {
            from: None,
            until: Some(at(4_000)),
        };
        assert_eq!(book.gaps(|_| 0.15), [(end(10, 0).ip(), gap)]);
    }

    #[test]
    fn the_knocks_take_a_tenth_of_the_rate() {
        let mut book = Book::new(Some(100), SECOND_LOOK);
        for last in 1..=40 {
            book.heard(end(last, 443), true, at(0), QUICK);
            book.unanswered(end(last, 135), at(100));
        }
        let first = book.due(at(200));
        assert_eq!(first.len(), 6);
        assert!(
            book.due(at(800))
                .iter()
                .all(|remote| !first.contains(remote))
        );
        assert_eq!(book.shortly(), SignedDuration::from_millis(8_400));
    }
}
