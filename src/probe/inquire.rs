//! Finding out what an `Inquiry` asks: doors that nobody uses, walks of paths, the times of resets, a dead host.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::join_all;
use tracing::{Instrument as _, debug_span};

use super::try_once::once;
use super::{Prober, Question, Target, Turn, Way, distance, search, walk};
use crate::attribution::{self, Far, Found, Inquiry, Link, Walk};
use crate::observation::{Observation, Path, State};
use crate::os::{self, Connection, Manner};

/// Tries of a silent door. That it does not open is all that matters, and several doors are tried.
const DOOR_TRIES: u8 = 3;
/// Where ports lie that nobody is known to listen on: above the registered services, below the dynamic ranges.
const DOOR_PORTS: std::ops::Range<u64> = 20_000..32_000;
/// Further resets whose times are taken.
const RESETS: usize = 4;

impl Prober {
    /// Carries out an inquiry; ports in `known` are not taken for doors that nobody uses. Paths are walked only where
    /// the user and the operating system let it.
    pub async fn inquire(
        self: &Arc<Self>,
        inquiry: &Inquiry,
        known: &HashSet<u16>,
        observations: &[Observation],
    ) -> Found {
        let address = inquiry.address;
        let closer = self.look(inquiry, known, observations);
        closer.instrument(debug_span!("closer", %address)).await
    }

    async fn look(
        self: &Arc<Self>,
        inquiry: &Inquiry,
        known: &HashSet<u16>,
        observations: &[Observation],
    ) -> Found {
        let mut found = Found {
            link: Link::of(inquiry.address, &os::neighbours()),
            ..Found::default()
        };
        if inquiry.reference.is_some() {
            found.doors = self.try_doors(inquiry.address, known).await;
        }
        if let Some(said_of) = inquiry.looks_dead {
            let door = doors(known, &HashSet::new(), 1).first().copied();
            found.dead_by = search::search(self, inquiry.address, door, said_of).await;
        }
        if !self.limits.walks || !os::TELLS_SENDERS || !inquiry.needs_paths() {
            return found;
        }
        if !inquiry.needs_routers()
            && self
                .compare_distances(inquiry, observations, &mut found)
                .await
        {
            return found;
        }
        let _turn = self.walking.acquire().await;
        if *self.stop.borrow() {
            return found;
        }
        self.walk_all(inquiry, &mut found).await;
        self.settle_doors(inquiry, known, observations, &mut found)
            .await;
        self.compare_ways(inquiry, &mut found).await;
        self.time_resets(inquiry, observations, &mut found).await;
        self.measure_distances(inquiry, observations, &mut found)
            .await;
        found
    }

    /// Tries ports that nobody is known to use, until they agree or enough have been tried.
    pub async fn try_doors(
        self: &Arc<Self>,
        address: IpAddr,
        known: &HashSet<u16>,
    ) -> Vec<(u16, Observation)> {
        let mut tried: Vec<(u16, Observation)> = Vec::new();
        if self.is_gentle() {
            return tried;
        }
        loop {
            let open = |(_, seen): &&(u16, Observation)| seen.state == State::Open;
            let opened = tried.iter().filter(open).count();
            if attribution::enough_doors(opened, tried.len()) || *self.stop.borrow() {
                return tried;
            }
            let before: HashSet<u16> = tried.iter().map(|(port, _)| *port).collect();
            let ports = doors(known, &before, attribution::DOORS);
            if ports.is_empty() {
                return tried;
            }
            let questions: Vec<Question> = ports.iter().map(|port| door(address, *port)).collect();
            let answers = self.ask_all(questions, || {}).await;
            tried.extend(ports.into_iter().zip(answers));
        }
    }

    /// Finds out whether open ports are as far away as the one that has the host's own words, without a word of
    /// routers. False: some are not, or it cannot be told, so that paths have to be walked.
    async fn compare_distances(
        &self,
        inquiry: &Inquiry,
        observations: &[Observation],
        found: &mut Found,
    ) -> bool {
        let own = |walk: &Walk| {
            let seen = observations.get(walk.number);
            seen.is_some_and(attribution::has_own_words)
        };
        let Some(reference) = inquiry.reference.filter(own) else {
            return false;
        };
        let at = |port| SocketAddr::new(inquiry.address, port);
        let path = walk::reach(self, at(reference.port)).await;
        let Some(hop) = walk::surely_first(&path).filter(|hop| *hop > 1) else {
            return false;
        };
        let asked = inquiry.walks.iter().map(async |wanted| {
            let path = walk::around(self, at(wanted.port), hop).await;
            (wanted.number, path)
        });
        let paths: Vec<(usize, Path)> = join_all(asked).await;
        if paths
            .iter()
            .any(|(_, path)| walk::surely_first(path) != Some(hop))
        {
            return false;
        }
        found.paths.insert(reference.number, path);
        found.paths.extend(paths);
        true
    }

    async fn walk_all(&self, inquiry: &Inquiry, found: &mut Found) {
        let at = |port| SocketAddr::new(inquiry.address, port);
        let shut = shut_door(found);
        if let Some(reference) = inquiry.reference {
            let path = walk::walk(self, at(reference.port), None).await;
            found.paths.insert(reference.number, path);
        }
        if let Some(port) = shut {
            found.door_path = Some(walk::walk(self, at(port), None).await);
        }
        let farthest = farthest(found);
        for wanted in &inquiry.walks {
            if *self.stop.borrow() {
                return;
            }
            if found.paths.contains_key(&wanted.number) {
                continue;
            }
            let end = farthest.filter(|_| wanted.vanishes);
            let mut path = walk::walk(self, at(wanted.port), end).await;
            if wanted.vanishes {
                let working = inquiry.reference.and_then(|reference| {
                    Some((at(reference.port), found.paths.get(&reference.number)?))
                });
                path = walk::locate(self, at(wanted.port), working, path).await;
            }
            found.paths.insert(wanted.number, path);
        }
    }

    /// Where packets take different ways, compares answers that seem nearer than the host with what goes farther.
    async fn compare_ways(&self, inquiry: &Inquiry, found: &mut Found) {
        let port_of = |number: usize| {
            let all = inquiry.reference.iter().chain(&inquiry.walks);
            all.clone()
                .find(|walk| walk.number == number)
                .map(|walk| walk.port)
        };
        let shut = shut_door(found);
        for comparison in attribution::to_compare(found) {
            let far = match comparison.far {
                Far::Question(number) => port_of(number),
                Far::Door => shut,
            };
            let (Some(near), Some(far)) = (port_of(comparison.near), far) else {
                continue;
            };
            let at = |port| SocketAddr::new(inquiry.address, port);
            let nearer = walk::is_nearer(self, at(near), at(far), comparison.hop).await;
            if let Some(path) = found.paths.get_mut(&comparison.near) {
                path.nearer = nearer;
            }
        }
    }

    /// Where it is still open whether a device opened a port, asks the hop of its answer with a port that nobody uses.
    async fn settle_doors(
        &self,
        inquiry: &Inquiry,
        known: &HashSet<u16>,
        observations: &[Observation],
        found: &mut Found,
    ) {
        let undecided =
            attribution::open_at_hops(observations, found.paths.iter(), found.door_path.as_ref());
        let port = shut_door(found).or_else(|| doors(known, &HashSet::new(), 1).first().copied());
        for hop in undecided {
            let Some(port) = port else { return };
            let door = SocketAddr::new(inquiry.address, port);
            if let Some(answer) = walk::ask_patiently(self, door, hop).await {
                let path = found.door_path.get_or_insert_default();
                walk::insert(&mut path.hops, answer);
            }
        }
    }

    /// Measures how far away answers come from, where that can tell who sent them.
    async fn measure_distances(
        &self,
        inquiry: &Inquiry,
        observations: &[Observation],
        found: &mut Found,
    ) {
        let wanted = attribution::distance::to_measure(inquiry, found, observations);
        let Some(wanted) = wanted.filter(|_| os::TELLS_DISTANCE) else {
            return;
        };
        if let Some((standard, resets)) = distance::measure(self, inquiry.address, &wanted).await {
            found.standard = Some(standard);
            found.resets = resets;
        }
    }

    /// Takes the times of a few more resets, where they can tell anything.
    async fn time_resets(
        &self,
        inquiry: &Inquiry,
        observations: &[Observation],
        found: &mut Found,
    ) {
        let Some(reference) = inquiry.reference else {
            return;
        };
        let told = observations
            .get(reference.number)
            .is_some_and(|seen| attribution::times_can_tell(seen, found.paths.values()));
        if !told {
            return;
        }
        let resets = inquiry.walks.iter().filter(|walk| walk.resets);
        for wanted in resets.chain(&inquiry.timed) {
            let remote = SocketAddr::new(inquiry.address, wanted.port);
            for _ in 0..RESETS {
                let limit = self.limits.timeout;
                let Some(seen) = once(self, remote, Manner::default(), limit).await else {
                    return;
                };
                if matches!(seen.came, Some(Connection::Reset { .. })) {
                    let times = found.reset_times.entry(wanted.number).or_default();
                    times.push(seen.took_ms());
                }
            }
        }
    }
}

/// A port that nobody uses and that did not open: the one whose path is walked.
fn shut_door(found: &Found) -> Option<u16> {
    found
        .doors
        .iter()
        .find(|(_, seen)| seen.state != State::Open)
        .map(|(port, _)| *port)
}

/// How far the host can be, as far as walks have shown.
fn farthest(found: &Found) -> Option<u8> {
    let paths: Vec<&Path> = found.paths.values().chain(&found.door_path).collect();
    let answered = paths
        .iter()
        .filter_map(|path| path.first_answered())
        .map(|hop| hop.number);
    let expired = paths
        .iter()
        .filter_map(|path| path.last_expired())
        .map(|(hop, _)| hop.saturating_add(1));
    // Without any answer of the host nothing bounds the way.
    let known = paths.iter().any(|path| path.first_answered().is_some());
    answered.chain(expired).max().filter(|_| known)
}

/// Random ports that nobody is known to listen on; fewer than `count` where nearly all are known.
fn doors(known: &HashSet<u16>, tried: &HashSet<u16>, count: usize) -> Vec<u16> {
    const DRAWS: usize = 100_000;
    let mut ports = BTreeSet::new();
    for _ in 0..DRAWS {
        if ports.len() == count {
            break;
        }
        let random = std::hash::RandomState::new().build_hasher().finish();
        let port = DOOR_PORTS.start + random % (DOOR_PORTS.end - DOOR_PORTS.start);
        let Ok(port) = u16::try_from(port) else {
            continue;
        };
        if !known.contains(&port) && !tried.contains(&port) {
            ports.insert(port);
        }
    }
    ports.into_iter().collect()
}

fn door(address: IpAddr, port: u16) -> Question {
    let span = debug_span!("door", %address, port);
    let target = Target::Address(address);
    Question {
        tries: Some(DOOR_TRIES),
        ..Question::knock(target, port, Turn::Forbidden, Way::Direct, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_are_none_of_the_ports_in_use() {
        let known: HashSet<u16> = (20_000..31_995).collect();
        let ports = doors(&known, &HashSet::from([31_999]), 3);
        assert_eq!(ports.len(), 3);
        assert!(ports.iter().all(|port| (31_995..31_999).contains(port)));
    }
}
