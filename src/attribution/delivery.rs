//! Whether a service is mute, or its words vanish on the way: from what TCP counted, and from repeats with small segments.
//!
//! 1. A living system acknowledges what arrives, whatever its service does. So data that stay unacknowledged, though they
//!    were sent again, are lost on the way there (or every acknowledgement on the way back).
//! 2. All is acknowledged, and segments came, but an earlier one is missing. The service did answer, and its first
//!    words are lost on the way back.
//! 3. The conversation is had again with segments of 1000 and 536 bytes. It may then succeed, fail in the same way with
//!    segments of full size, and succeed again with small ones. If so, packets of full size are lost. When all of them
//!    fail, and full ones once more in the same way, all data are. (Small segments may leave no sign of what is lost on
//!    the way back. The packet that ends the connection is the only one without data. It may then be sent with the last
//!    of them.)
//! 4. Neither sign: one repeat with the smallest segments. A whole answer in packets of full size leaves no sign, and
//!    some systems do not count. Where that succeeds, full and small segments have to fail and succeed in turn more
//!    often. A mute member behind a balancer leaves no sign either, and is met by chance.
//!
//! What a repeat with full segments gets an answer to was no fault that lasts. Nothing is concluded from a repeat that did
//! not open. A peer that acknowledges in the host's place, as proxies do, looks like a mute service.

use crate::observation::{Counted, Delivery, Lost, Met, Missing, Repeat, Way};

/// The segments of repeats: small enough for any tunnel, and the least that every host of IPv4 has to take (RFC 9293,
/// section 3.7.1).
const SEGMENTS: [u16; 2] = [1_000, SMALLEST];
const SMALLEST: u16 = 536;
/// How often a segment has to be sent again in vain before it counts as lost.
pub const SENT_AGAIN: u32 = 2;
/// How often full segments have to fail, and small ones to succeed after them, where no sign shows a loss.
const TURNS_WITHOUT_SIGN: usize = 4;

/// What to do next about a conversation without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Have it again, with segments of at most so many bytes; `None`: of full size.
    Repeat(Option<u16>),
    /// It is known what is lost, or that nothing can be said.
    Done(Option<Lost>),
}

/// Which way data are lost, by what was counted; `None`: nothing shows that any are.
pub fn way(counted: &Counted) -> Option<Way> {
    if counted.unacknowledged > 0 {
        return (counted.sent_again >= SENT_AGAIN).then_some(Way::There);
    }
    counted
        .behind_a_gap
        .is_some_and(|segments| segments > 0)
        .then_some(Way::Back)
}

/// What to do next; see the rules above.
pub fn next(delivery: &Delivery) -> Next {
    let sign = way(&delivery.counted);
    let segments = match sign {
        Some(_) => &SEGMENTS[..],
        None => &SEGMENTS[1..],
    };
    if delivery.repeats.iter().any(|it| it.met == Met::Nothing) {
        return Next::Done(None);
    }
    let answered = delivery.repeats.iter().position(|it| it.met == Met::Answer);
    match answered {
        None => match segments.get(delivery.repeats.len()) {
            Some(segment) => Next::Repeat(Some(*segment)),
            None if sign.is_some() && delivery.repeats.len() == segments.len() => {
                Next::Repeat(None)
            }
            None => Next::Done(all_data(sign, &delivery.repeats)),
        },
        Some(first) if delivery.repeats[first].segment.is_none() => Next::Done(None),
        Some(first) => confirm(&delivery.counted, sign, &delivery.repeats[first..]),
    }
}

/// All data are lost when repeats of every size fail, and show the same loss where they have to.
fn all_data(sign: Option<Way>, repeats: &[Repeat]) -> Option<Lost> {
    let way = sign?;
    let has_to = |repeat: &&Repeat| way == Way::There || repeat.segment.is_none();
    let shows = repeats
        .iter()
        .filter(has_to)
        .all(|repeat| fails_likewise(repeat, sign));
    shows.then_some(Lost {
        what: Missing::Data,
        way,
    })
}

/// Whether a repeat had no answer, with the same sign as the first conversation.
fn fails_likewise(repeat: &Repeat, sign: Option<Way>) -> bool {
    match repeat.met {
        Met::NoAnswer(counted) => sign.is_none() || way(&counted) == sign,
        Met::Answer | Met::Nothing => false,
    }
}

/// From the first repeat on that was answered: full segments have to fail, and small ones to succeed, in turn.
fn confirm(counted: &Counted, sign: Option<Way>, from: &[Repeat]) -> Next {
    let small = from.first().and_then(|repeat| repeat.segment);
    let as_a_hole_does = |(place, repeat): (usize, &Repeat)| match place % 2 {
        0 => repeat.met == Met::Answer,
        _ => fails_likewise(repeat, sign),
    };
    if !from.iter().enumerate().all(as_a_hole_does) {
        return Next::Done(None);
    }
    let turns = match sign {
        Some(_) => 1,
        None => TURNS_WITHOUT_SIGN,
    };
    if from.len() > 2 * turns {
        return Next::Done(small.map(|segment| Lost {
            what: Missing::Large(segment),
            way: way_of_large(counted),
        }));
    }
    Next::Repeat(small.filter(|_| from.len().is_multiple_of(2)))
}

/// Packets of full size that leave no sign are those of the answer, unless ours were not acknowledged.
fn way_of_large(counted: &Counted) -> Way {
    match counted.unacknowledged {
        0 => Way::Back,
        _ => Way::There,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counted on a real line: a request of 3,008 bytes, and three seconds of waiting.
    const MUTE: Counted = Counted {
        unacknowledged: 0,
        acknowledged: 3_008,
        received: 0,
        sent_again: 0,
        behind_a_gap: Some(0),
    };
    const LOST_THERE: Counted = Counted {
        unacknowledged: 3,
        acknowledged: 0,
        received: 0,
        sent_again: 4,
        behind_a_gap: Some(0),
    };
    const LOST_BACK: Counted = Counted {
        behind_a_gap: Some(2),
        ..MUTE
    };

    /// The end of a conversation, by what each repeat meets, and how many repeats that took.
    fn end(counted: Counted, meets: impl Fn(Option<u16>, usize) -> Met) -> (Option<Lost>, usize) {
        let mut delivery = Delivery {
            counted,
            ..Delivery::default()
        };
        loop {
            match next(&delivery) {
                Next::Done(lost) => return (lost, delivery.repeats.len()),
                Next::Repeat(segment) => {
                    let met = meets(segment, delivery.repeats.len());
                    delivery.repeats.push(Repeat { segment, met });
                }
            }
            assert!(delivery.repeats.len() < 10, "{delivery:?}");
        }
    }

    /// What a hole lets through that passes segments of at most so many bytes.
    fn hole(passes: u16, counted: Counted) -> impl Fn(Option<u16>, usize) -> Met {
        move |segment, _| match segment {
            Some(segment) if segment <= passes => Met::Answer,
            _ => Met::NoAnswer(counted),
        }
    }

    #[test]
    fn a_mute_service_stays_mute_and_costs_one_repeat() {
        assert_eq!(end(MUTE, |_, _| Met::NoAnswer(MUTE)), (None, 1));
    }

    #[test]
    fn data_that_vanish_at_any_size_are_data_dropped() {
        for (counted, way) in [(LOST_THERE, Way::There), (LOST_BACK, Way::Back)] {
            let what = Missing::Data;
            let lost = Some(Lost { what, way });
            assert_eq!(end(counted, |_, _| Met::NoAnswer(counted)), (lost, 3));
        }
        let only_full = |segment: Option<u16>, _| match segment {
            Some(_) => Met::NoAnswer(MUTE),
            None => Met::NoAnswer(LOST_BACK),
        };
        let lost = Lost {
            what: Missing::Data,
            way: Way::Back,
        };
        assert_eq!(end(LOST_BACK, only_full), (Some(lost), 3));
        let once = |_, _| Met::NoAnswer(MUTE);
        assert_eq!(end(LOST_BACK, once), (None, 3), "it did not come again");
        let passed = |segment: Option<u16>, _| match segment {
            Some(_) => Met::NoAnswer(LOST_THERE),
            None => Met::Answer,
        };
        assert_eq!(end(LOST_THERE, passed), (None, 3), "it was over by then");
    }

    #[test]
    fn packets_of_full_size_that_vanish_are_a_matter_of_the_mtu() {
        for (counted, way) in [(LOST_THERE, Way::There), (LOST_BACK, Way::Back)] {
            let large = |segment| {
                let what = Missing::Large(segment);
                Some(Lost { what, way })
            };
            assert_eq!(end(counted, hole(1_000, counted)), (large(1_000), 3));
            assert_eq!(end(counted, hole(600, counted)), (large(536), 4));
        }
    }

    #[test]
    fn a_whole_answer_of_full_size_leaves_no_sign_and_is_found_all_the_same() {
        let lost = Lost {
            what: Missing::Large(536),
            way: Way::Back,
        };
        assert_eq!(end(MUTE, hole(1_000, MUTE)), (Some(lost), 9));
        let not_counted = Counted {
            behind_a_gap: None,
            ..MUTE
        };
        let met = |_, _| Met::NoAnswer(not_counted);
        assert_eq!(end(not_counted, met), (None, 1));
    }

    #[test]
    fn a_fault_that_passes_by_itself_is_no_hole() {
        for counted in [MUTE, LOST_THERE, LOST_BACK] {
            assert_eq!(end(counted, |_, _| Met::Answer), (None, 2));
            let by_turns = |_, number: usize| match number {
                0 => Met::Answer,
                _ => Met::NoAnswer(counted),
            };
            assert_eq!(end(counted, by_turns), (None, 3));
        }
    }

    #[test]
    fn a_mute_member_that_is_met_by_chance_is_no_hole() {
        let by_chance = |_, number: usize| match number {
            0 | 2 | 4 | 5 => Met::Answer,
            _ => Met::NoAnswer(MUTE),
        };
        assert_eq!(end(MUTE, by_chance), (None, 6));
        let another = |segment: Option<u16>, _| match segment {
            Some(_) => Met::Answer,
            None => Met::NoAnswer(MUTE),
        };
        assert_eq!(end(LOST_BACK, another).0, None, "the sign is gone");
    }

    #[test]
    fn a_repeat_that_shows_another_loss_or_does_not_open_proves_nothing() {
        for other in [MUTE, LOST_BACK] {
            assert_eq!(end(LOST_THERE, |_, _| Met::NoAnswer(other)).0, None);
        }
        assert_eq!(end(LOST_THERE, |_, _| Met::Nothing), (None, 1));
    }

    #[test]
    fn one_segment_that_was_sent_again_once_may_be_an_ordinary_loss() {
        let once = Counted {
            sent_again: 1,
            ..LOST_THERE
        };
        assert_eq!(way(&once), None);
        assert_eq!(way(&LOST_THERE), Some(Way::There));
    }
}
