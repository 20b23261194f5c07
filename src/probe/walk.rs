//! Walking a path: tries with a limited number of hops, unprivileged, from the same address as the flow.
//!
//! Hops are asked from the nearest on, a few at once. Those that stay silent are asked again, with pauses, because
//! routers send about one error message a second. A walk ends where the flow itself is answered, or where nothing
//! answers any more. Then, for silent flows, the next hop of a working flow is asked in turn by both.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::Prober;
use super::try_once::{Once, once};
use crate::attribution;
use crate::observation::{Hop, HopAnswer, Path, Prohibition};
use crate::os::{Connection, Manner};

/// The most hops.
const MOST_HOPS: u8 = 30;
/// Hops that are asked at once.
const WINDOW: u8 = 4;
/// Windows of silence after which nothing more is expected.
const SILENT_WINDOWS: u8 = 2;
/// The most sockets of one walk.
const MOST_SOCKETS: u32 = 60;
/// How long a hop may take, while nothing better is known.
const LEAST_WAIT: Duration = Duration::from_millis(300);
/// The pauses before silent hops are asked again.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1_100)];
/// Rounds in which one flow has to be answered and another not: two ways of different length would mix them up.
const ROUNDS: usize = 10;
/// How often a hop is asked whether it forwards packets to a host, where that decides who opened a door.
const PATIENCE: usize = 8;
/// Rounds in which a hop may leave both flows unanswered when they are sent there in turn.
const MOST_IDLE_ROUNDS: usize = 6;
/// The chance that a hop which a silent flow reaches is called silent.
const DOUBT: f64 = 1e-4;

/// Walks the path to a port; `distance` is how far it can be at the most.
pub(super) async fn walk(prober: &Prober, remote: SocketAddr, distance: Option<u8>) -> Path {
    let mut left = MOST_SOCKETS;
    let end = distance.unwrap_or(MOST_HOPS).min(MOST_HOPS);
    let mut hops = outward(prober, remote, end, SILENT_WINDOWS, &mut left).await;
    for pause in PAUSES {
        let again = worth_asking_again(&hops);
        if again.is_empty() || left == 0 {
            break;
        }
        if !prober.pause(pause).await {
            break;
        }
        for hop in ask(prober, remote, again, &mut left).await {
            merge(&mut hops, hop);
        }
    }
    finish(prober, remote, hops).await
}

/// Walks to a port that is known to answer, and does not wait for the words of silent routers.
pub(super) async fn reach(prober: &Prober, remote: SocketAddr) -> Path {
    let mut left = MOST_SOCKETS;
    let hops = outward(prober, remote, MOST_HOPS, MOST_HOPS, &mut left).await;
    finish(prober, remote, hops).await
}

/// The end of a path alone: the hop at which another port of the host is first answered, and the one before it. So it
/// is never the first hop of all.
pub(super) async fn around(prober: &Prober, remote: SocketAddr, hop: u8) -> Path {
    let mut left = MOST_SOCKETS;
    let numbers = (hop.saturating_sub(1)..=hop).collect();
    let hops = ask(prober, remote, numbers, &mut left).await;
    finish(prober, remote, hops).await
}

/// The hop after which a port is answered, where it is sure that one less is not enough.
pub(super) fn surely_first(path: &Path) -> Option<u8> {
    let first = path.first_answered()?.number;
    let beyond = path.reached_beyond().unwrap_or(0);
    (beyond + 1 == first).then_some(first)
}

/// Asks hop after hop, a few at once, until one is answered or so many windows were silent.
async fn outward(
    prober: &Prober,
    remote: SocketAddr,
    end: u8,
    silent_windows: u8,
    left: &mut u32,
) -> Vec<Hop> {
    let mut hops: Vec<Hop> = Vec::new();
    let mut silent = 0;
    let mut first = 1;
    while first <= end && silent < silent_windows && *left > 0 && !*prober.stop.borrow() {
        let last = first.saturating_add(WINDOW - 1).min(end);
        let asked = ask(prober, remote, (first..=last).collect(), left).await;
        let ends = asked.iter().any(Hop::is_answer);
        silent = if asked.iter().all(|hop| hop.answer == HopAnswer::Silent) {
            silent + 1
        } else {
            0
        };
        hops.extend(asked);
        first = last + 1;
        if ends {
            break;
        }
    }
    hops
}

async fn finish(prober: &Prober, remote: SocketAddr, mut hops: Vec<Hop>) -> Path {
    trim(&mut hops);
    let enough = enough(prober, remote);
    prove_last(prober, remote, &mut hops, enough).await;
    Path {
        hops,
        enough,
        ..Path::default()
    }
}

/// Tries after which the silence of a hop is proof.
pub(super) fn enough(prober: &Prober, remote: SocketAddr) -> u8 {
    let loss = prober.measured().loss_on_the_way_to(remote.ip()).bound();
    (DOUBT.ln() / loss.ln()).ceil().clamp(4.0, 20.0) as u8
}

/// Asks a silent hop right before the flow's own answer until its silence is proof. It forwards what it leaves
/// unanswered, and the answer came from beyond it.
async fn prove_last(prober: &Prober, remote: SocketAddr, hops: &mut Vec<Hop>, enough: u8) {
    while let Some(first) = hops.iter().find(|hop| hop.is_answer()).cloned() {
        let before = hops.iter().find(|hop| hop.number + 1 == first.number);
        let Some(before) = before.filter(|hop| hop.answer == HopAnswer::Silent) else {
            return;
        };
        if before.tries >= enough || *prober.stop.borrow() {
            return;
        }
        let tries = enough - before.tries;
        let again = stream::iter(0..tries)
            .map(|_| ask_one(prober, remote, before.number))
            .buffer_unordered(usize::from(WINDOW));
        for hop in again.collect::<Vec<Hop>>().await {
            merge_silence_last(hops, hop);
        }
        trim(hops);
    }
}

/// Takes in one of several tries of a hop: the flow's own answer stays, and a router's word before silence.
fn merge_silence_last(hops: &mut [Hop], new: Hop) {
    let known = hops.iter_mut().find(|hop| hop.number == new.number);
    match known {
        Some(known) if known.is_answer() || new.answer == HopAnswer::Silent => {
            known.tries = known.tries.saturating_add(new.tries);
        }
        Some(_) => merge(hops, new),
        None => {}
    }
}

/// Sends packets of a port that nobody uses to a hop, with pauses, until it says that it forwards them, or something
/// answers them there.
pub(super) async fn ask_patiently(prober: &Prober, door: SocketAddr, number: u8) -> Option<Hop> {
    for _ in 0..PATIENCE {
        let hop = ask_one(prober, door, number).await;
        if hop.answer != HopAnswer::Silent {
            return Some(hop);
        }
        if !prober.pause(PAUSES[1]).await {
            return None;
        }
    }
    None
}

/// Silent hops before the one that ends the path, and one beyond the last that answered.
fn worth_asking_again(hops: &[Hop]) -> Vec<u8> {
    let end = hops.iter().find(|hop| hop.is_answer()).map_or_else(
        || {
            let last = hops
                .iter()
                .rev()
                .find(|hop| hop.answer != HopAnswer::Silent)
                .map_or(0, |hop| hop.number);
            last + 2
        },
        |hop| hop.number,
    );
    hops.iter()
        .filter(|hop| hop.number < end && hop.answer == HopAnswer::Silent)
        .map(|hop| hop.number)
        .collect()
}

fn merge(hops: &mut [Hop], new: Hop) {
    if let Some(known) = hops.iter_mut().find(|hop| hop.number == new.number) {
        let tries = known.tries.saturating_add(new.tries);
        *known = Hop { tries, ..new };
    }
}

/// Cuts off what lies beyond the flow's own answer, or beyond the first silent hop after the last that answered.
fn trim(hops: &mut Vec<Hop>) {
    let end = hops.iter().position(Hop::is_answer).or_else(|| {
        hops.iter()
            .rposition(|hop| hop.answer != HopAnswer::Silent)
            .map(|last| last + 1)
    });
    hops.truncate(end.unwrap_or(0) + 1);
}

async fn ask(prober: &Prober, remote: SocketAddr, numbers: Vec<u8>, left: &mut u32) -> Vec<Hop> {
    let asked = numbers.len().min(*left as usize);
    *left -= asked as u32;
    let mut hops: Vec<Hop> = stream::iter(numbers.into_iter().take(asked))
        .map(|number| ask_one(prober, remote, number))
        .buffer_unordered(usize::from(WINDOW))
        .collect()
        .await;
    hops.sort_by_key(|hop| hop.number);
    hops
}

async fn ask_one(prober: &Prober, remote: SocketAddr, number: u8) -> Hop {
    let manner = Manner {
        hops: Some(number),
        ..Manner::default()
    };
    let wait = prober.measured().wait(remote.ip()).max(LEAST_WAIT);
    let seen = once(prober, remote, manner, wait.min(prober.limits.timeout)).await;
    let answer = seen.as_ref().map_or(HopAnswer::Silent, answer);
    Hop {
        number,
        took_ms: seen
            .filter(|_| answer != HopAnswer::Silent)
            .map(|seen| seen.took_ms()),
        answer,
        tries: 1,
    }
}

fn answer(seen: &Once) -> HopAnswer {
    match &seen.came {
        None | Some(Connection::Trouble(_)) => HopAnswer::Silent,
        Some(Connection::Open(_) | Connection::ResetAfterAccept { .. }) => HopAnswer::Open,
        Some(Connection::Reset { .. }) => HopAnswer::Reset,
        Some(Connection::Rejected { rejection, .. }) => match (rejection.says, rejection.by) {
            (Prohibition::TimeExceeded, Some(by)) => HopAnswer::Expired(by),
            _ => HopAnswer::Rejected(rejection.clone()),
        },
    }
}

/// Finds the place where a silent flow's packets are dropped, with the path of a working flow to the same host.
pub(super) async fn locate(
    prober: &Prober,
    silent: SocketAddr,
    working: Option<(SocketAddr, &Path)>,
    mut path: Path,
) -> Path {
    let mut silent_at = None;
    if let Some((port, reference)) = working {
        while let Some(hop) = attribution::next_to_ask(&path, reference) {
            match in_turn(prober, silent, port, hop).await {
                Turn::Reached(reached) => insert(&mut path.hops, reached),
                Turn::Silent => {
                    silent_at = Some(hop);
                    break;
                }
                Turn::Unclear => break,
            }
        }
        path.working = reference.expired().collect();
    }
    path.dropped = Some(attribution::dropped(
        &path,
        working.map(|(_, reference)| reference),
        silent_at,
    ));
    path
}

/// Whether one flow is answered at a hop in every round, and another, sent there in turn, in none. Where packets take
/// different ways, only that shows that the first is answered from nearer.
pub(super) async fn is_nearer(prober: &Prober, near: SocketAddr, far: SocketAddr, hop: u8) -> bool {
    let (mut answered, mut idle) = (0, 0);
    while answered < ROUNDS {
        let other = ask_one(prober, far, hop).await;
        let one = ask_one(prober, near, hop).await;
        if other.is_answer() || matches!(one.answer, HopAnswer::Expired(_)) {
            return false;
        }
        if one.is_answer() {
            answered += 1;
        } else {
            idle += 1;
        }
        if idle > ROUNDS || *prober.stop.borrow() {
            return false;
        }
    }
    true
}

pub(super) fn insert(hops: &mut Vec<Hop>, new: Hop) {
    hops.retain(|hop| hop.number != new.number);
    hops.push(new);
    hops.sort_by_key(|hop| hop.number);
}

/// What came of sending two flows to the same hop in turn.
enum Turn {
    /// The silent flow reaches it after all.
    Reached(Hop),
    /// It answered the working flow in as many rounds as make the silence of the other proof.
    Silent,
    /// It answered neither often enough.
    Unclear,
}

/// Sends the silent flow first and the working one right after it. A hop that has an answer left for the second had one
/// for the first. So a limit on error messages cannot look like a drop. Only rounds with an answer for the second
/// count.
async fn in_turn(prober: &Prober, silent: SocketAddr, working: SocketAddr, hop: u8) -> Turn {
    let wanted = enough(prober, silent);
    let (mut counted, mut idle) = (0, 0);
    while idle < MOST_IDLE_ROUNDS && !*prober.stop.borrow() {
        let one = ask_one(prober, silent, hop).await;
        if one.answer != HopAnswer::Silent {
            return if matches!(one.answer, HopAnswer::Expired(_)) {
                Turn::Reached(one)
            } else {
                Turn::Unclear
            };
        }
        let other = ask_one(prober, working, hop).await;
        if matches!(other.answer, HopAnswer::Expired(_)) {
            counted += 1;
        } else {
            idle += 1;
            prober.pause(PAUSES[1]).await;
        }
        if counted == wanted {
            return Turn::Silent;
        }
    }
    Turn::Unclear
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn hops(answers: &[HopAnswer]) -> Vec<Hop> {
        let hop = |(number, answer): (usize, &HopAnswer)| Hop {
            number: u8::try_from(number + 1).expect("a short path"),
            answer: answer.clone(),
            tries: 1,
            took_ms: None,
        };
        answers.iter().enumerate().map(hop).collect()
    }

    fn expired() -> HopAnswer {
        HopAnswer::Expired(IpAddr::from([192, 0, 2, 1]))
    }

    #[test]
    fn silent_hops_before_the_end_are_asked_again() {
        let open = hops(&[HopAnswer::Silent, expired(), HopAnswer::Open]);
        assert_eq!(worth_asking_again(&open), [1]);
        let vanishes = hops(&[
            expired(),
            HopAnswer::Silent,
            HopAnswer::Silent,
            HopAnswer::Silent,
        ]);
        assert_eq!(worth_asking_again(&vanishes), [2]);
    }

    #[test]
    fn a_path_ends_at_the_flows_answer_or_with_one_silent_hop() {
        let mut open = hops(&[expired(), HopAnswer::Open, HopAnswer::Open]);
        trim(&mut open);
        assert_eq!(open.len(), 2);
        let mut vanishes = hops(&[expired(), HopAnswer::Silent, HopAnswer::Silent]);
        trim(&mut vanishes);
        assert_eq!(vanishes.len(), 2);
        let mut nothing = hops(&[HopAnswer::Silent, HopAnswer::Silent]);
        trim(&mut nothing);
        assert_eq!(nothing.len(), 1);
    }
}
