//! What became of the data on a connection that opened, in words.

use crate::observation::{Counted, Delivery, Missing, Way};

/// In words; without a full stop, so that it may stand within a sentence.
pub(super) fn words(seen: &Delivery) -> String {
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
    use crate::observation::Lost;

    fn lost(what: Missing, way: Way, counted: Counted) -> String {
        words(&Delivery {
            counted,
            lost: Some(Lost { what, way }),
            ..Delivery::default()
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
            words(&Delivery::default()),
            "nothing shows that data are lost on the way"
        );
    }
}
