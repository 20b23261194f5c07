//! When a check runs next, and how much is tried then.

use std::fmt;
use std::time::Duration;

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::{SignedDuration, Timestamp};

use crate::run::Scope;

/// Times as cron says them, in this host's time zone unless they name one.
#[derive(Clone)]
pub struct Cron {
    words: String,
    table: Crontab,
}

impl Cron {
    /// Reads them; `None`: cron would not.
    pub fn parse(words: &str) -> Option<Self> {
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::System;
        let table = cronexpr::parse_crontab_with(words, options).ok()?;
        let words = words.to_string();
        let cron = Self { words, table };
        // The 30th of February is a time that never comes.
        cron.after(Timestamp::UNIX_EPOCH).map(|_| cron)
    }

    fn after(&self, time: Timestamp) -> Option<Timestamp> {
        let time = MakeTimestamp::from_second(time.as_second()).ok()?;
        let next = self.table.find_next(time).ok()?;
        Timestamp::from_second(next.timestamp().as_second()).ok()
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Cron {}

impl fmt::Debug for Cron {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cron({})", self.words)
    }
}

/// When a check runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// From the start of one run to the start of the next.
    Every(Duration),
    /// At these times.
    Cron(Cron),
}

/// The start of a run, and those that had to be left out before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// When it is due.
    pub(super) due: Timestamp,
    /// How many were due while the last one still went on.
    pub(super) missed: u32,
}

impl When {
    /// The next start after one that was due at a time, as seen now. `None`: there is none any more.
    pub(super) fn next(&self, last_due: Timestamp, now: Timestamp) -> Option<Next> {
        // A run that was not due yet, or a clock that was set back.
        let last_due = last_due.min(now);
        match self {
            Self::Every(span) => every(*span, last_due, now),
            Self::Cron(cron) => {
                let mut due = cron.after(last_due)?;
                let mut missed = 0;
                while due <= now {
                    missed += 1;
                    // Of a clock that jumped, only the last counts.
                    due = cron.after(if missed < MOST_MISSED { due } else { now })?;
                }
                Some(Next { due, missed })
            }
        }
    }
}

/// The most missed starts that are counted one by one.
const MOST_MISSED: u32 = 1_000;

fn every(span: Duration, last_due: Timestamp, now: Timestamp) -> Option<Next> {
    let span = SignedDuration::try_from(span)
        .ok()?
        .max(SignedDuration::from_millis(1));
    let late = now.duration_since(last_due).as_millis() / span.as_millis();
    let missed = u32::try_from(late.max(0)).unwrap_or(u32::MAX);
    let due = last_due
        .checked_add(span.checked_mul(i32::try_from(missed).ok()?)?)
        .ok()?;
    let due = due.checked_add(span).ok()?;
    Some(Next { due, missed })
}

/// How much is tried in a run that begins now.
pub(super) fn scope(
    last_whole: Option<Timestamp>,
    every: Option<Duration>,
    now: Timestamp,
) -> Scope {
    let is_due = |every: Duration| match last_whole {
        None => true,
        // A clock that was set back.
        Some(last) if last > now => true,
        Some(last) => SignedDuration::try_from(every)
            .ok()
            .and_then(|every| last.checked_add(every).ok())
            .is_some_and(|due| due <= now),
    };
    match every.is_some_and(is_due) {
        true => Scope::Whole,
        false => Scope::Needed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn runs_keep_their_rhythm_and_those_that_an_overrun_missed_are_counted() {
        let when = When::Every(Duration::from_secs(300));
        let due = at("2026-11-29T06:00:00Z");
        let next = |now| when.next(due, at(now)).expect("a next one");
        let [soon, late, later] =
            ["06:05:00", "06:10:00", "06:20:00"].map(|time| at(&format!("2026-11-29T{time}Z")));
        assert_eq!(
            next("2026-11-29T06:00:20Z"),
            Next {
                due: soon,
                missed: 0
            }
        );
        assert_eq!(
            next("2026-11-29T06:05:01Z"),
            Next {
                due: late,
                missed: 1
            }
        );
        assert_eq!(
            next("2026-11-29T06:17:00Z"),
            Next {
                due: later,
                missed: 3
            }
        );
        // A clock that was set back, and a run before its time: one span from now.
        let early = at("2026-11-29T05:05:00Z");
        assert_eq!(
            next("2026-11-29T05:00:00Z"),
            Next {
                due: early,
                missed: 0
            }
        );
    }

    #[test]
    fn cron_has_its_times_in_the_zone_that_it_names() {
        let cron = |words| When::Cron(Cron::parse(words).expect("cron"));
        let next = |words, last, now| cron(words).next(at(last), at(now)).expect("a next one");
        let found = next(
            "0 6 * * * Europe/Berlin",
            "2026-11-29T04:00:00Z",
            "2026-11-29T04:00:01Z",
        );
        assert_eq!(found.due, at("2026-11-29T05:00:00Z"));
        let found = next(
            "*/5 * * * * UTC",
            "2026-11-29T06:00:00Z",
            "2026-11-29T06:11:00Z",
        );
        assert_eq!((found.due, found.missed), (at("2026-11-29T06:15:00Z"), 2));
        for wrong in [
            "",
            "0 6 * *",
            "61 * * * *",
            "0 6 * * * Nowhere/Else",
            "0 6 30 2 *",
        ] {
            assert!(Cron::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_must_not_pass_is_tried_first_and_then_as_often_as_asked() {
        let now = at("2026-11-29T06:00:00Z");
        let day = Some(Duration::from_secs(86_400));
        assert_eq!(scope(None, day, now), Scope::Whole);
        assert_eq!(
            scope(Some(at("2026-11-28T06:00:01Z")), day, now),
            Scope::Needed
        );
        assert_eq!(
            scope(Some(at("2026-11-28T06:00:00Z")), day, now),
            Scope::Whole
        );
        assert_eq!(scope(None, None, now), Scope::Needed);
        let later = Some(at("2030-01-01T00:00:00Z"));
        assert_eq!(scope(later, day, now), Scope::Whole);
    }
}
