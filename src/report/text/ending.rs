//! The end of the text: the counts, what is not sure in them, what was sent, how long it took and when it ended.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::diagnostic::visible;
use crate::paragraph::Page;
use crate::report::Detail;
use crate::report::document::Vantage;
use crate::report::join::text::of_several;
use crate::report::lines;
use crate::report::whole::ReportDocument;
use crate::verdict::{Cause, Verdict, said_of};

pub(super) fn ending(page: &mut Page, report: &ReportDocument, detail: Detail) {
    page.gap();
    page.paragraph(0, lines::counts(report));
    not_sure(page, report);
    for line in crate::report::sent::lines(report) {
        page.paragraph(0, line);
    }
    for (number, vantage) in report.vantages.iter().enumerate() {
        let from = of_several(report, number);
        page.paragraph(0, format!("Run{from}: {}", took(vantage)));
        if vantage.needed_only {
            page.paragraph(
                0,
                format!("What must not pass was not tried{from} in this run"),
            );
        }
    }
    if detail == Detail::Findings {
        page.paragraph(
            0,
            "Every flow with its evidence: --verbose, or --format json",
        );
    }
}

/// Of what is unknown, and of what is ok with less than full proof, how many and why: a line for each cause.
fn not_sure(page: &mut Page, report: &ReportDocument) {
    let mut causes: BTreeMap<(Verdict, Cause), usize> = BTreeMap::new();
    for flow in report.flows.iter().filter(|it| it.accepted.is_none()) {
        let is_told = match flow.verdict {
            Verdict::Unknown => true,
            Verdict::Ok => flow.cause == Cause::HostUnproved,
            Verdict::Blocked | Verdict::Down | Verdict::Wrong | Verdict::Exposed => false,
        };
        if is_told {
            *causes.entry((flow.verdict, flow.cause)).or_default() += 1;
        }
    }
    for ((verdict, cause), count) in causes {
        let meaning = &said_of(cause).meaning;
        page.paragraph(2, format!("{count} {verdict}, {cause}: {meaning}"));
    }
}

/// `9 s, ended 2026-11-29T08:57:28Z`.
fn took(vantage: &Vantage) -> String {
    let times = (
        vantage.started.parse::<Timestamp>(),
        vantage.finished.parse::<Timestamp>(),
    );
    let ended = format!("ended {}", visible(&vantage.finished));
    match times {
        (Ok(started), Ok(finished)) if finished >= started => {
            format!("{}, {ended}", in_words(finished.duration_since(started)))
        }
        _ => ended,
    }
}

/// A time in its two largest units.
fn in_words(took: SignedDuration) -> String {
    let seconds = took.as_secs();
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paragraph::Width;
    use crate::report::sample;

    #[test]
    fn a_run_says_how_long_it_took_and_when_it_ended() {
        let mut report = sample::report("internet", "probe7");
        let mut took = |finished: &str| {
            report.vantages[0].finished = finished.to_string();
            super::took(&report.vantages[0])
        };
        assert_eq!(
            took("2026-11-24T06:00:09Z"),
            "9 s, ended 2026-11-24T06:00:09Z"
        );
        assert!(took("2026-11-24T06:03:20.5Z").starts_with("3 min 20 s, "));
        assert!(took("2026-11-24T08:05:59Z").starts_with("2 h 5 min, "));
        assert_eq!(took("2026-11-23T06:00:09Z"), "ended 2026-11-23T06:00:09Z");
        assert_eq!(took("a\u{1b}"), "ended a\\u{1b}");
    }

    #[test]
    fn what_is_unknown_or_not_quite_proved_is_counted_by_its_cause_with_what_that_means() {
        let flows = vec![
            sample::judged(
                "cm01>ibs01:445/tcp",
                ["required", "open", "unknown", "in-stead", "note"],
            ),
            sample::judged(
                "cm01>ibs01:135/tcp",
                ["required", "open", "unknown", "in-stead", "note"],
            ),
            sample::judged(
                "internet>ibs01:21/tcp",
                ["forbidden", "filtered", "ok", "host-unproved", "note"],
            ),
            sample::flow("internet>ibs01:443/tcp"),
        ];
        let report = sample::with("internet", "probe7", flows);
        let mut page = Page::new(Width::UNKNOWN);
        not_sure(&mut page, &report);
        assert_eq!(
            page.into_text(),
            "  1 ok, host-unproved: A forbidden port is silent, and the host itself never\n    \
             answered.\n  2 unknown, in-stead: Only another system may start this flow. It was \
             tried\n    here in that system's stead.\n"
        );
    }
}
