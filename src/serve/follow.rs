//! From a run to what is to be told of it. Each flow is counted. What enough runs in a row saw goes into messages.

use std::cell::Cell;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::confirm::{Seen, Streak, Turn, Wrong};
use crate::alert::{About, Channel, Message};
use crate::history::{Follow, Followed, Kept, Queued};
use crate::observation::FlowState;
use crate::product::Need;
use crate::report::{self, ReportDocument, ReportFlow};
use crate::verdict::{Level, Verdict};

/// What the check itself is remembered by, beside its flows: no flow has an empty id.
pub(super) const CHECK: &str = "";

/// A run that is followed.
pub(super) struct Following<'a> {
    pub(super) check: &'a str,
    pub(super) channels: &'a [Channel],
    pub(super) after: u32,
    pub(super) now: Timestamp,
    /// Set by a whole run: how many more of them it takes until all is sure that only they try.
    pub(super) left: Cell<u32>,
}

impl Follow for Following<'_> {
    fn check(&self) -> &str {
        self.check
    }

    fn follow(&self, run: i64, kept: &Kept<'_>, remembered: BTreeMap<String, String>) -> Followed {
        let mut streaks = streaks(remembered);
        let messages = self.messages(run, kept, &mut streaks);
        let open = streaks.into_iter().filter(|(_, streak)| !streak.is_over());
        let write = |(flow, streak): (String, Streak)| {
            let text = serde_json::to_string(&streak).ok()?;
            Some((flow, text))
        };
        Followed {
            remembered: open.filter_map(write).collect(),
            queued: messages
                .iter()
                .flat_map(|it| queued(it, self.channels))
                .collect(),
        }
    }
}

/// What is remembered of each flow. What cannot be read is of another version: it is counted anew.
pub(super) fn streaks(remembered: BTreeMap<String, String>) -> BTreeMap<String, Streak> {
    let read = |(flow, text): (String, String)| {
        let streak = serde_json::from_str(&text).ok()?;
        Some((flow, streak))
    };
    remembered.into_iter().filter_map(read).collect()
}

/// How many more whole runs it takes until all is sure that only they try, if each sees what the last one saw. `whole` is
/// the report of that one. 0: all is sure.
pub(super) fn left(whole: &ReportDocument, streaks: &BTreeMap<String, Streak>, after: u32) -> u32 {
    let flows = report::worst_by_id(whole);
    let of_whole_runs = |id: &str| match flows.get(id) {
        Some(flow) => flow.flow.need == Need::Forbidden,
        None => proves_gone(whole, id),
    };
    let open = streaks.iter().filter(|(id, _)| of_whole_runs(id));
    let left = open.filter_map(|(_, streak)| streak.left(after));
    left.max().unwrap_or(0)
}

impl Following<'_> {
    fn messages(
        &self,
        run: i64,
        kept: &Kept<'_>,
        streaks: &mut BTreeMap<String, Streak>,
    ) -> Vec<Message> {
        let (report, failure) = match kept {
            Kept::Report(report, _) => (Some(report), None),
            Kept::Failure { why, .. } => (None, Some(why)),
            Kept::Part(..) => return Vec::new(),
        };
        let about = self.about_the_check(run);
        let of_check = match (self.count_the_check(report.is_some(), streaks), failure) {
            (Some(Turn::Raised), Some(why)) => Some(Message::failed(about, why)),
            (Some(Turn::Cleared), _) => Some(Message::recovered(about)),
            _ => None,
        };
        let of_flows = report.and_then(|report| self.of_flows(run, report, streaks));
        of_check.into_iter().chain(of_flows).collect()
    }

    fn count_the_check(
        &self,
        has_report: bool,
        streaks: &mut BTreeMap<String, Streak>,
    ) -> Option<Turn> {
        let seen = match has_report {
            true => Seen::Well,
            false => Seen::Wrong(Wrong {
                verdict: Verdict::Wrong,
                owner: None,
                level: Level::Error,
            }),
        };
        let streak = streaks.entry(CHECK.to_string()).or_default();
        streak.count(seen, self.after)
    }

    /// What is to be told of the flows of a report: one message, whatever their number.
    fn of_flows(
        &self,
        run: i64,
        report: &ReportDocument,
        streaks: &mut BTreeMap<String, Streak>,
    ) -> Option<Message> {
        let (mut raised, mut cleared) = (Vec::new(), Vec::new());
        let flows = report::worst_by_id(report);
        for (id, flow) in &flows {
            let streak = streaks.entry((*id).to_string()).or_default();
            match streak.count(seen(flow), self.after) {
                Some(Turn::Raised) => raised.push(*flow),
                Some(Turn::Cleared) => cleared.push(*flow),
                None => {}
            }
        }
        let gone = match report.is_needed_only() {
            true => Vec::new(),
            false => self.gone(report, streaks, &flows),
        };
        if !report.is_needed_only() {
            self.left.set(left(report, streaks, self.after));
        }
        let is_news = !(raised.is_empty() && cleared.is_empty() && gone.is_empty());
        let message = || Message::of(self.about(run, report), &raised, &cleared).and_gone(&gone);
        is_news.then(message)
    }

    /// Flows that were told as wrong, and that a whole run no longer has. A swept port that is closed now is in no row of
    /// the report. Neither is what the site file no longer asks for.
    fn gone(
        &self,
        report: &ReportDocument,
        streaks: &mut BTreeMap<String, Streak>,
        flows: &BTreeMap<&str, &ReportFlow>,
    ) -> Vec<String> {
        let mut gone = Vec::new();
        for (id, streak) in streaks {
            let is_there = flows.contains_key(id.as_str());
            if is_there || !proves_gone(report, id) {
                continue;
            }
            if streak.count(Seen::Well, self.after).is_some() {
                gone.push(id.clone());
            }
        }
        gone
    }

    fn about(&self, run: i64, report: &ReportDocument) -> About {
        About {
            run: Some(run),
            ..about(
                (&report.site.code, &report.place().unwrap_or_default()),
                self.check,
                self.now,
            )
        }
    }

    fn about_the_check(&self, run: i64) -> About {
        About {
            run: Some(run),
            ..about_the_check(self.check, self.now)
        }
    }
}

/// What flows of a check are told by, and cleared by: a site, and a place of it.
pub(super) fn about((site, place): (&str, &str), check: &str, now: Timestamp) -> About {
    // Two checks of one place are told apart: neither clears what the other has raised.
    About {
        site: site.to_string(),
        place: format!("{place} (check {check})"),
        run: None,
        time: now,
        url: None,
    }
}

/// The same of the check itself, with a report and without one, so that a receiver sees that the two belong together.
pub(super) fn about_the_check(check: &str, now: Timestamp) -> About {
    About {
        site: check.to_string(),
        place: format!("check {check}"),
        run: None,
        time: now,
        url: None,
    }
}

/// A message for each channel that is told such.
pub(super) fn queued(message: &Message, channels: &[Channel]) -> Vec<Queued> {
    let channels = channels.iter().filter(|it| it.wants(message));
    let queued = channels.filter_map(|channel| {
        Some(Queued {
            channel: channel.name.clone(),
            body: serde_json::to_string(message).ok()?,
        })
    });
    queued.collect()
}

/// Whether a whole run proves that a flow is gone which it does not have. Where nothing is open, a port that is not found
/// proves nothing.
fn proves_gone(report: &ReportDocument, id: &str) -> bool {
    let is_open = |it: &ReportFlow| it.state == FlowState::Open;
    id != CHECK && report.flows.iter().any(is_open) && !is_unproved(report, id)
}

/// Whether a sweep of the report tried the port of this id and cannot say how it stands.
fn is_unproved(report: &ReportDocument, id: &str) -> bool {
    let Some((ends, service)) = id.rsplit_once(':') else {
        return false;
    };
    let Some(port) = service.strip_suffix("/tcp").and_then(|it| it.parse().ok()) else {
        return false;
    };
    let sweeps = report.sweeps.iter();
    let mut sweeps = sweeps.filter(|it| ends.ends_with(&format!(">{}", it.to.system)));
    sweeps.any(|sweep| sweep.leaves_open(port))
}

fn seen(flow: &ReportFlow) -> Seen {
    match report::stands_well(flow) {
        true => Seen::Well,
        false => Seen::Wrong(Wrong {
            verdict: flow.verdict,
            owner: flow.owner,
            level: flow.level,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::alert::Way;
    use crate::report::sample;
    use crate::verdict::Cause;

    /// What is queued after each of these runs, by headline.
    fn told(runs: &[Result<ReportDocument, &str>]) -> Vec<String> {
        let channels = [Channel {
            name: "team".to_string(),
            way: Way::Command(vec!["true".to_string()]),
            only: Vec::new(),
            timeout: Duration::from_secs(1),
        }];
        let mut remembered = BTreeMap::new();
        let mut all = Vec::new();
        for (run, outcome) in (1..).zip(runs) {
            let following = Following {
                check: "internet",
                channels: &channels,
                after: 2,
                now: Timestamp::UNIX_EPOCH,
                left: Cell::new(0),
            };
            let kept = match outcome {
                Ok(report) => Kept::Report(report, 0),
                Err(why) => Kept::Failure {
                    started: Timestamp::UNIX_EPOCH,
                    why: (*why).to_string(),
                    exit_status: 2,
                },
            };
            let followed = following.follow(run, &kept, remembered);
            let headlines = followed.queued.iter().map(|it| {
                let message: Message = serde_json::from_str(&it.body).expect("a message");
                format!("{run}: {}", message.headline)
            });
            all.extend(headlines);
            remembered = followed.remembered;
        }
        all
    }

    fn report(flows: usize, is_well: bool) -> ReportDocument {
        let flow = |number: usize| {
            let mut flow = sample::flow(&format!("internet>ibs01:{}/tcp", 443 + number));
            if !is_well {
                (flow.verdict, flow.level, flow.cause) =
                    (Verdict::Blocked, Level::Error, Cause::NoAnswer);
            }
            flow
        };
        sample::with("internet", "probe7", (0..flows).map(flow).collect())
    }

    #[test]
    fn a_firewall_that_stops_twenty_flows_is_told_once_and_once_that_it_no_longer_does() {
        let (well, wrong) = (|| Ok(report(20, true)), || Ok(report(20, false)));
        let all = told(&[well(), wrong(), wrong(), wrong(), well(), well(), well()]);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].starts_with("3: 20 flows"), "{all:?}");
        assert!(all[1].starts_with("6: "), "{all:?}");
    }

    #[test]
    fn a_check_without_a_report_is_told_and_that_it_has_one_again() {
        let all = told(&[
            Ok(report(1, true)),
            Err("no such file"),
            Err("no such file"),
            Err("no such file"),
            Ok(report(1, true)),
            Ok(report(1, true)),
        ]);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(
            all[0].starts_with("3: ") && all[0].contains("no such file"),
            "{all:?}"
        );
        assert!(all[1].starts_with("6: "), "{all:?}");
    }

    #[test]
    fn a_run_of_needed_flows_alone_says_nothing_of_those_that_it_did_not_try() {
        let needed = || {
            let mut report = report(1, false);
            report.vantages[0].needed_only = true;
            Ok(report)
        };
        let all = told(&[
            Ok(report(2, false)),
            needed(),
            needed(),
            Ok(report(2, false)),
        ]);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(
            all[0].starts_with("2: ") && all[1].starts_with("4: "),
            "{all:?}"
        );
    }

    #[test]
    fn what_whole_runs_no_longer_have_is_told_as_gone() {
        let all = told(&[
            Ok(report(2, false)),
            Ok(report(2, false)),
            Ok(report(1, false)),
            Ok(report(1, false)),
            Ok(report(1, false)),
        ]);
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(
            all[1],
            "4: internet>ibs01:444/tcp is gone: closed, or no longer asked for"
        );
    }

    #[test]
    fn what_is_needed_waits_for_no_whole_run() {
        let whole = report(2, false);
        let open = |id: &str| {
            let mut streak = Streak::default();
            streak.count(seen(&whole.flows[0]), 3);
            BTreeMap::from([(id.to_string(), streak)])
        };
        assert_eq!(left(&whole, &open("internet>ibs01:443/tcp"), 3), 0);
        assert_eq!(left(&whole, &open(CHECK), 3), 0);
        // Nothing is open there: what is missing may be there still.
        assert_eq!(
            left(&report(0, true), &open("internet>ibs01:445/tcp"), 3),
            0
        );
    }

    #[test]
    fn what_must_not_pass_and_does_is_tried_again_until_it_is_sure() {
        let exposed = ["forbidden", "open", "exposed", "open", "error"];
        let flows = vec![sample::judged("internet>ibs01:445/tcp", exposed)];
        let whole = sample::with("internet", "probe7", flows);
        let follow = |remembered| {
            let following = Following {
                check: "internet",
                channels: &[],
                after: 2,
                now: Timestamp::UNIX_EPOCH,
                left: Cell::new(0),
            };
            let followed = following.follow(1, &Kept::Report(&whole, 0), remembered);
            (followed.remembered, following.left.get())
        };
        let (remembered, runs) = follow(BTreeMap::new());
        assert_eq!(runs, 1);
        // A process that begins then knows the same.
        assert_eq!(left(&whole, &streaks(remembered.clone()), 2), 1);
        let (remembered, runs) = follow(remembered);
        assert_eq!(runs, 0, "it has been told");
        assert_eq!(left(&whole, &streaks(remembered), 2), 0);
    }
}
