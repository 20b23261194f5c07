//! What came of the ports of one address: numbers of ports as long as nothing more is to be said.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Began, Item, Range, Scanned, Silent};
use crate::observation::{NotTried, Observation, Rejection, ResetBy, State, Trouble};
use crate::probe::Prober;
use crate::probe::witness::{self, Counted};

/// A wait from which on it does not matter how slow the host is: a try is one packet.
const LONG: u16 = 900;

/// A try that nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Try {
    pub(super) port: u16,
    /// When it left, in milliseconds since the sweep began.
    pub(super) at: u32,
    /// How long an answer was waited for, in milliseconds; 0: the run was stopped meanwhile.
    pub(super) wait: u16,
}

/// What ports may have in common that neither opened nor were reset.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Told {
    /// A message.
    Rejected(Rejection),
    /// This host's own trouble.
    Trouble(Trouble),
    /// A connection that was not spoken to.
    Open,
}

/// What is known of the ports of one address.
#[derive(Default)]
pub(super) struct Tally {
    /// Ports that were reset.
    pub(super) reset: Vec<u16>,
    /// Ports that opened, with what followed.
    pub(super) open: Vec<(u16, Observation)>,
    /// Messages and troubles, each with what was seen at the first port that met it, and all of them.
    pub(super) told: HashMap<Told, (Observation, Vec<u16>)>,
    /// The silent tries.
    pub(super) tries: Vec<Try>,
    /// Ports that were not tried.
    untried: Vec<u16>,
    /// Ports to which no packet may go.
    refused: Vec<u16>,
    /// Whether `tries` holds silent ports alone, in their order.
    is_sorted: bool,
}

impl Tally {
    /// Of some ports is known already that no packet may go there.
    pub(super) fn without(refused: Vec<u16>) -> Self {
        Self {
            refused,
            ..Self::default()
        }
    }

    /// Takes in what a worker found.
    pub(super) fn join(&mut self, found: Self) {
        self.reset.extend(found.reset);
        self.open.extend(found.open);
        for (key, (seen, ports)) in found.told {
            let (_, known) = self.told.entry(key).or_insert((seen, Vec::new()));
            known.extend(ports);
        }
        self.tries.extend(found.tries);
        self.untried.extend(found.untried);
        self.is_sorted = false;
    }

    /// Takes in ports whose turn never came. Those that were tried before stay silent.
    pub(super) fn leave(&mut self, left: &[Item]) {
        let untried = left.iter().filter(|item| item.tries == 0);
        self.untried.extend(untried.map(|item| item.port));
    }

    /// Whether ports are silent.
    pub(super) fn has_silence(&self) -> bool {
        !self.tries.is_empty()
    }

    /// Leaves out the tries of ports that answered in the end, and puts the rest in order.
    fn settle(&mut self) {
        if self.is_sorted {
            return;
        }
        let mut answered = vec![false; usize::from(u16::MAX) + 1];
        let open = self.open.iter().map(|(port, _)| port);
        let told = self.told.values().flat_map(|(_, ports)| ports);
        for port in self.reset.iter().chain(open).chain(told) {
            answered[usize::from(*port)] = true;
        }
        self.tries.retain(|one| !answered[usize::from(one.port)]);
        self.tries.sort_unstable();
        self.is_sorted = true;
    }

    /// Silent ports whose tries are no proof yet, with the tries that they lack.
    pub(super) fn lacking(&mut self, prober: &Prober, range: &Range, began: Began) -> Vec<Item> {
        self.settle();
        if self.tries.is_empty() {
            return Vec::new();
        }
        let judge = Judge::of(prober, range, began);
        let wanted = usize::from(prober.tries_of_a_port(range.address));
        let lacking = self.silent().filter_map(|tries| {
            let counted = judge.count(tries);
            let apart = usize::from(counted.pieces < witness::PIECES && judge.answers.is_some());
            let lacks = wanted.saturating_sub(counted.tries).max(apart);
            let least = (tries.len() + lacks).min(usize::from(u8::MAX));
            (lacks > 0).then_some(Item {
                port: tries[0].port,
                tries: tries.len().min(usize::from(u8::MAX)) as u8,
                least: least as u8,
            })
        });
        lacking.collect()
    }

    /// The silent tries, port by port.
    fn silent(&self) -> impl Iterator<Item = &[Try]> {
        self.tries.chunk_by(|a, b| a.port == b.port)
    }

    /// All that was seen.
    pub(super) fn finish(mut self, prober: &Prober, range: &Range, began: Began) -> Scanned {
        self.settle();
        let silent = match self.tries.is_empty() {
            true => Vec::new(),
            false => self.judged(prober, range, began),
        };
        let address = Some(range.address);
        let reset_by = match range.lab.is_some() || prober.is_own(address) {
            true => ResetBy::Host,
            false => ResetBy::Either,
        };
        let on_link = range.lab.is_some() || prober.is_on_link(range.address);
        let alike = |state, ports| {
            let seen = Observation::without_packets(address, state);
            (Observation { on_link, ..seen }, ports)
        };
        let mut all = vec![
            alike(State::Closed { reset_by }, self.reset),
            alike(State::NotTried(NotTried::Interrupted), self.untried),
            alike(State::NotTried(NotTried::NotAllowed), self.refused),
        ];
        all.extend(self.told.into_values());
        all.retain(|(_, ports)| !ports.is_empty());
        for (_, ports) in &mut all {
            ports.sort_unstable();
        }
        all.sort_by_key(|(_, ports)| ports.first().copied());
        self.open.sort_by_key(|(port, _)| *port);
        Scanned {
            address: range.address,
            open: self.open,
            alike: all,
            silent,
        }
    }

    fn judged(&self, prober: &Prober, range: &Range, began: Began) -> Vec<Silent> {
        let judge = Judge::of(prober, range, began);
        let judged = self.silent().map(|tries| {
            let moment = |one: &Try| began.after(one.at);
            Silent {
                port: tries[0].port,
                proved: judge.is_proof(tries),
                tries: tries.len(),
                first: moment(&tries[0]),
                last: moment(&tries[tries.len() - 1]),
            }
        });
        judged.collect()
    }
}

/// What decides whether silence of one address is proof.
struct Judge {
    began: Began,
    /// When witnesses answered; `None`: there are none.
    answers: Option<Vec<Timestamp>>,
    shortly: jiff::SignedDuration,
    /// Waits that were shorter than this were too short for the host, as is known now.
    shortest: u16,
    /// How many tries are proof.
    enough: usize,
}

impl Judge {
    fn of(prober: &Prober, range: &Range, began: Began) -> Self {
        let measured = prober.measured();
        let direct = range.lab.is_none();
        let round_trip = measured.round_trip(range.address).unwrap_or(Duration::ZERO);
        let shortest = u16::try_from((round_trip * 2).as_millis()).unwrap_or(u16::MAX);
        let fewest = |tries: &usize| measured.confidence(range.address, *tries).1;
        Self {
            began,
            answers: measured.book.witnesses(range.address).filter(|_| direct),
            shortly: measured.book.shortly(),
            shortest: shortest.clamp(1, LONG),
            enough: (1..=usize::from(u8::MAX))
                .find(fewest)
                .unwrap_or(usize::MAX),
        }
    }

    /// The tries that count, by the rules of `witness`.
    fn count(&self, tries: &[Try]) -> Counted {
        let long = tries.iter().filter(|one| one.wait >= self.shortest);
        match &self.answers {
            None => Counted {
                tries: long.count(),
                pieces: 0,
            },
            Some(answers) => {
                let moments = long.map(|one| self.began.after(one.at));
                witness::count(moments, answers, self.shortly)
            }
        }
    }

    fn is_proof(&self, tries: &[Try]) -> bool {
        let counted = self.count(tries);
        let apart = self.answers.is_none() || counted.pieces >= witness::PIECES;
        apart && counted.tries >= self.enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent(port: u16, at: u32) -> Try {
        Try {
            port,
            at,
            wait: 100,
        }
    }

    #[test]
    fn an_answer_leaves_no_silence_whichever_worker_had_it() {
        let mut tally = Tally {
            tries: vec![silent(80, 5), silent(443, 7)],
            ..Tally::default()
        };
        tally.join(Tally {
            reset: vec![80],
            tries: vec![silent(443, 3)],
            ..Tally::default()
        });
        tally.settle();
        assert_eq!(tally.tries, [silent(443, 3), silent(443, 7)]);
        assert_eq!(tally.silent().count(), 1);
    }

    #[test]
    fn ports_whose_turn_never_came_are_untried_unless_they_were_silent_before() {
        let item = |port, tries| Item {
            port,
            tries,
            least: 0,
        };
        let mut tally = Tally::default();
        tally.leave(&[item(80, 0), item(443, 2)]);
        assert_eq!(tally.untried, [80]);
    }
}
