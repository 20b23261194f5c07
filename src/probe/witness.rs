//! Which silent tries count: those between two answers of a witness.
//!
//! A witness is a port that answers on the same way: one of the same host, else one behind the same first firewall. While
//! tries are silent, `watch` knocks at it, so that the moments of its answers cut the run into pieces.
//!
//! 1. Outages that matter last for `OUTAGE` or longer. Where the answer before a try and the one after it are closer
//!    together, no outage lies between, and the try counts.
//! 2. Where they are further apart, up to `SHORTLY`, an outage may lie between. One outage lies between one pair of
//!    answers only. So of all such pairs the one with the most tries does not count, and the others do.
//! 3. Tries that count have to stand between `PIECES` pairs of answers at the least: short bursts of losses are no proof.
//! 4. Where nothing on the way ever answered there is no witness, and every try counts. What that silence is worth is
//!    for the table to say.
//!
//! Pure: moments go in, numbers and gaps come out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// The shortest outage that has to be told from a rule.
pub(super) const OUTAGE: SignedDuration = SignedDuration::from_secs(1);
/// How far apart two answers may be for tries between them to count.
pub(super) const SHORTLY: SignedDuration = SignedDuration::from_millis(2_500);
/// In how many pieces tries have to count.
pub(super) const PIECES: usize = 2;
/// The shortest time without an answer that is told as a gap.
const SHORTEST_GAP: SignedDuration = SignedDuration::from_secs(1);
/// The chance that so many knocks at a witness are lost one after another, below which something happened.
const CHANCE: f64 = 0.001;

/// The silent tries of one question that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// How many.
    pub(super) tries: usize,
    /// Between how many different pairs of answers they were made.
    pub(super) pieces: usize,
}

/// Counts the tries between answers that are no more than `shortly` apart. Answers stand in their order.
pub(super) fn count(
    tries: impl Iterator<Item = Timestamp>,
    answers: &[Timestamp],
    shortly: SignedDuration,
) -> Counted {
    let mut pieces: BTreeMap<usize, Piece> = BTreeMap::new();
    for (number, lasts) in tries.filter_map(|at| piece(at, answers, shortly)) {
        let piece = pieces.entry(number).or_insert(Piece { lasts, tries: 0 });
        piece.tries += 1;
    }
    let may_hold_an_outage = |piece: &&Piece| piece.lasts >= OUTAGE;
    let all: usize = pieces.values().map(|piece| piece.tries).sum();
    let long = pieces.values().filter(may_hold_an_outage);
    let doubtful = long.map(|piece| piece.tries).max().unwrap_or(0);
    Counted {
        tries: all - doubtful,
        pieces: pieces.len() - usize::from(doubtful > 0),
    }
}

/// The time between two answers, and the tries in it.
struct Piece {
    lasts: SignedDuration,
    tries: usize,
}

/// The number of the answer that ends the piece a try was made in, and how long the piece lasts; `None`: it does not count.
fn piece(
    at: Timestamp,
    answers: &[Timestamp],
    shortly: SignedDuration,
) -> Option<(usize, SignedDuration)> {
    let after = answers.partition_point(|answer| *answer <= at);
    let before = *answers.get(after.checked_sub(1)?)?;
    let lasts = answers.get(after)?.duration_since(before);
    (lasts <= shortly).then_some((after, lasts))
}

/// A time in which nothing answered that answered before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last answer before it; `None`: nothing had answered yet.
    pub from: Option<Timestamp>,
    /// The first answer after it; `None`: nothing did any more.
    pub until: Option<Timestamp>,
}

/// The gaps between answers in which more knocks at ports that answer were lost than chance explains. `loss` is how
/// often one is lost by chance.
pub(super) fn gaps(answers: &[Timestamp], missed: &[Timestamp], loss: f64) -> Vec<Gap> {
    let least = (CHANCE.ln() / loss.clamp(1e-6, 0.999).ln()).ceil().max(2.0) as usize;
    let bounds = answers.iter().copied().map(Some);
    let before = std::iter::once(None).chain(bounds.clone());
    let after = bounds.chain(std::iter::once(None));
    before
        .zip(after)
        .map(|(from, until)| Gap { from, until })
        .filter(|gap| gap.is_told(missed, least))
        .collect()
}

impl Gap {
    fn is_told(&self, missed: &[Timestamp], least: usize) -> bool {
        let inside: Vec<Timestamp> = missed
            .iter()
            .copied()
            .filter(|at| self.holds(*at))
            .collect();
        let (Some(first), Some(last)) = (inside.iter().min(), inside.iter().max()) else {
            return false;
        };
        let (from, until) = (self.from.unwrap_or(*first), self.until.unwrap_or(*last));
        inside.len() >= least && until.duration_since(from) >= SHORTEST_GAP
    }

    /// Whether a moment lies in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at > from) && self.until.is_none_or(|until| at < until)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).expect("a moment")
    }

    fn all(millis: &[i64]) -> Vec<Timestamp> {
        millis.iter().map(|it| at(*it)).collect()
    }

    fn counted(tries: &[i64], answers: &[i64]) -> (usize, usize) {
        let counted = count(all(tries).into_iter(), &all(answers), SHORTLY);
        (counted.tries, counted.pieces)
    }

    #[test]
    fn a_try_counts_between_two_answers_that_are_close() {
        assert_eq!(counted(&[100, 200, 600], &[0, 400, 800]), (3, 2));
        assert_eq!(
            counted(&[100], &[0, 5_000]),
            (0, 0),
            "an outage lies between"
        );
        assert_eq!(
            counted(&[100, 1_300, 1_400, 2_700], &[0, 1_200, 2_400, 3_600]),
            (2, 2),
            "one of three may hold an outage: the one with the most tries"
        );
        assert_eq!(counted(&[100], &[0]), (0, 0), "nothing answered afterwards");
        assert_eq!(counted(&[100], &[200]), (0, 0), "nothing answered before");
    }

    #[test]
    fn a_gap_is_told_with_the_answers_around_it() {
        let missed = all(&[1_400, 1_800, 2_200, 2_600, 3_000]);
        let gap = Gap {
            from: Some(at(1_000)),
            until: Some(at(3_400)),
        };
        assert_eq!(gaps(&all(&[0, 1_000, 3_400]), &missed, 0.15), [gap]);
        let to_the_end = Gap {
            from: Some(at(1_000)),
            until: None,
        };
        assert_eq!(gaps(&all(&[0, 1_000]), &missed, 0.15), [to_the_end]);
        assert_eq!(gaps(&all(&[0, 1_000, 3_400]), &missed[..1], 0.15), []);
        assert_eq!(
            gaps(&all(&[0, 1_000, 3_400]), &missed, 0.6),
            [],
            "where most knocks are lost, five in a row are chance"
        );
    }

    /// What a network did to the packets of a run: nothing passed in these times.
    struct Outages(Vec<(i64, i64)>);

    impl Outages {
        fn pass(&self, at: i64) -> bool {
            !self
                .0
                .iter()
                .any(|(from, until)| (*from..*until).contains(&at))
        }
    }

    /// The answers of a witness that is knocked at all the time, as `watch` does.
    fn witnessed(outages: &Outages, first: i64, end: i64) -> Vec<i64> {
        let knocks = (0..).map(|knock| first + knock * 600);
        knocks
            .take_while(|at| *at < end)
            .filter(|at| outages.pass(*at))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// An open port never meets the rule by an outage: the tries that pass are answered.
        #[test]
        fn no_outage_makes_an_open_port_silent(
            begins in -20_000_i64..20_000, lasts in 1_000_i64..20_000,
            first_knock in 0_i64..600, knocks_at in proptest::collection::vec((0_i64..15_000, 0_i64..150), 1..4),
        ) {
            let outages = Outages(vec![(begins, begins + lasts)]);
            let answers = all(&witnessed(&outages, first_knock, 45_000));
            // Each knock is a row of tries that ends with an answer.
            for (start, jitter) in knocks_at {
                let tries: Vec<i64> = (0..8).map(|number| start + number * (100 + jitter)).collect();
                let silent: Vec<i64> = tries.iter().copied().take_while(|at| !outages.pass(*at)).collect();
                if silent.len() < tries.len() {
                    continue;
                }
                let counted = count(all(&silent).into_iter(), &answers, SHORTLY);
                prop_assert_eq!(counted.tries, 0);
            }
        }

        /// On a way without outages all tries but the last ones count.
        #[test]
        fn without_outages_tries_count(first_knock in 0_i64..600, start in 600_i64..5_000) {
            let answers = all(&witnessed(&Outages(Vec::new()), first_knock, 45_000));
            let tries: Vec<i64> = (0..6).map(|number| start + number * 180).collect();
            let counted = count(all(&tries).into_iter(), &answers, SHORTLY);
            prop_assert_eq!(counted.tries, 6);
            prop_assert!(counted.pieces >= PIECES);
        }
    }
}
