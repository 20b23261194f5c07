//! What became of the data on a connection that opened, for the evidence of a report.

use super::document::{Delivery, Repeat};
use crate::observation::{self, Counted, Lost, Met, Missing, Way};

/// The evidence, with its words.
pub(super) fn delivery(seen: &observation::Delivery) -> Delivery {
    let counted = seen.counted;
    Delivery {
        lost: seen.lost.map(|lost| what(lost).to_string()),
        way: seen.lost.map(|lost| way(lost).to_string()),
        unacknowledged: counted.unacknowledged,
        acknowledged_bytes: counted.acknowledged,
        received_bytes: counted.received,
        sent_again: counted.sent_again,
        behind_a_gap: counted.behind_a_gap,
        repeats: seen.repeats.iter().map(repeat).collect(),
        words: words(seen),
    }
}

fn what(lost: Lost) -> &'static str {
    match lost.what {
        Missing::Data => "data",
        Missing::Large(_) => "large-packets",
    }
}

fn way(lost: Lost) -> &'static str {
    match lost.way {
        Way::There => "there",
        Way::Back => "back",
    }
}

fn repeat(repeat: &observation::Repeat) -> Repeat {
    let met = match repeat.met {
        Met::Answer => "answer",
        Met::NoAnswer(_) => "no-answer",
        Met::Nothing => "nothing",
    };
    Repeat {
        segment: repeat.segment,
        met: met.to_string(),
    }
}

/// In words; without a full stop, so that it may stand within a sentence.
fn words(seen: &observation::Delivery) -> String {
    let Some(lost) = seen.lost else {
        return "nothing shows that data are lost on the way".to_string();
    };
    let sign = sign(lost.way, &seen.counted);
    match lost.what {
        Missing::Data => format!(
            "the connection opens and data are lost: {sign}; smaller segments change nothing"
        ),
        Missing::Large(segment) => format!(
            "packets of full size are lost: {sign}; with segments of at most {segment} bytes the \
             service answers"
        ),
    }
}

fn sign(way: Way, counted: &Counted) -> String {
    match way {
        Way::There => format!(
            "{} sent and not acknowledged, {} sent again in vain",
            segments(counted.unacknowledged),
            times(counted.sent_again)
        ),
        Way::Back => match counted.behind_a_gap {
            Some(behind @ 1..) => format!(
                "the service answered, for {} came from it, but not what stands before",
                segments(behind)
            ),
            _ => "what was sent was acknowledged, and no answer came".to_string(),
        },
    }
}

fn segments(count: u32) -> String {
    match count {
        1 => "1 segment".to_string(),
        _ => format!("{count} segments"),
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_string(),
        _ => format!("{count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(what: Missing, way: Way, counted: Counted) -> String {
        words(&observation::Delivery {
            counted,
            lost: Some(Lost { what, way }),
            ..observation::Delivery::default()
        })
    }

    #[test]
    fn the_words_say_what_is_lost_on_which_way_and_what_shows_it() {
        let there = Counted {
            unacknowledged: 1,
            sent_again: 4,
            ..Counted::default()
        };
        assert_eq!(
            lost(Missing::Data, Way::There, there),
            "the connection opens and data are lost: 1 segment sent and not acknowledged, 4 times \
             sent again in vain; smaller segments change nothing"
        );
        let back = Counted {
            behind_a_gap: Some(2),
            ..Counted::default()
        };
        assert_eq!(
            lost(Missing::Large(536), Way::Back, back),
            "packets of full size are lost: the service answered, for 2 segments came from it, \
             but not what stands before; with segments of at most 536 bytes the service answers"
        );
        assert_eq!(
            words(&observation::Delivery::default()),
            "nothing shows that data are lost on the way"
        );
    }
}
