//! Checks that the file no longer has. What they had told as wrong nobody looks at any more, so it is cleared, and the
//! message says why. What waits for a receiver stays in the queue, before that.

use jiff::Timestamp;

use super::follow::{CHECK, about, about_the_check, queued, streaks};
use crate::alert::{Channel, Message};
use crate::history::{Queued, Removed};

/// What is told of a check that is there no more.
pub(super) fn news(removed: &Removed, channels: &[Channel], now: Timestamp) -> Vec<Queued> {
    let messages = messages(removed, now);
    let queued = messages.iter().flat_map(|it| queued(it, channels));
    queued.collect()
}

fn messages(removed: &Removed, now: Timestamp) -> Vec<Message> {
    let check = &removed.check;
    let streaks = streaks(removed.remembered.clone());
    let told = streaks.iter().filter(|(_, streak)| streak.told.is_some());
    let (of_check, flows): (Vec<&str>, Vec<&str>) =
        told.map(|(id, _)| id.as_str()).partition(|id| *id == CHECK);
    let mut messages = Vec::new();
    if !of_check.is_empty() {
        messages.push(Message::removed_without_report(about_the_check(check, now)));
    }
    // Flows were told with a report. One that has gone since by its age leaves the check's own name.
    if !flows.is_empty() {
        let seen = removed.seen.as_ref();
        let (site, place) = seen.map_or((check.as_str(), ""), |(site, place)| (site, place));
        messages.push(Message::removed(about((site, place), check, now), &flows));
    }
    messages
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::serve::confirm::{Seen, Streak, Wrong};
    use crate::verdict::{Level, Verdict};

    /// What is remembered of a flow that so many runs saw blocked, where two make it sure.
    fn blocked(runs: u32) -> String {
        let wrong = Wrong {
            verdict: Verdict::Blocked,
            owner: None,
            level: Level::Error,
        };
        let mut streak = Streak::default();
        for _ in 0..runs {
            streak.count(Seen::Wrong(wrong), 2);
        }
        serde_json::to_string(&streak).expect("JSON")
    }

    fn told(remembered: &[(&str, u32)]) -> Vec<Message> {
        let of = |(id, runs): &(&str, u32)| ((*id).to_string(), blocked(*runs));
        let removed = Removed {
            check: "dmz".to_string(),
            seen: Some(("PRI".to_string(), "perimeter as ibs01".to_string())),
            remembered: remembered.iter().map(of).collect::<BTreeMap<_, _>>(),
        };
        messages(&removed, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_was_told_is_cleared_with_the_words_that_the_check_was_removed() {
        let (sure, not_yet) = ("perimeter>cm01:443/tcp", "perimeter>cm01:80/tcp");
        let [message] = told(&[(sure, 2), (not_yet, 1)])
            .try_into()
            .expect("one message");
        assert_eq!(message.cleared_others, [sure]);
        assert_eq!(
            message.headline,
            "perimeter>cm01:443/tcp is looked at no more: the check was removed from the file of portproof serve"
        );
        // As it was told, so that a receiver finds what this clears.
        assert_eq!(message.about.site, "PRI");
        assert_eq!(message.about.place, "perimeter as ibs01 (check dmz)");
        assert!(told(&[(not_yet, 1)]).is_empty(), "nothing had been told");
    }

    #[test]
    fn a_check_that_had_no_report_is_cleared_too() {
        let [message] = told(&[(CHECK, 2)]).try_into().expect("one message");
        assert!(message.recovered && message.cleared_count() == 0);
        assert_eq!(message.about.place, "check dmz");
    }
}
