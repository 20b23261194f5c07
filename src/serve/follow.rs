//! From a run to what is to be told of it. Each flow is counted. What enough runs in a row saw goes into messages.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::confirm::{Seen, Streak, Turn, Wrong};
use crate::alert::{About, Channel, Message};
use crate::history::{Follow, Followed, Queued};
use crate::report::{ReportDocument, ReportFlow, Vantage};
use crate::verdict::{Level, Verdict};

/// What the check itself is remembered by, beside its flows: no flow has an empty id.
const CHECK: &str = "";

/// What came of a run.
pub(super) enum Outcome<'a> {
    /// Its report.
    Report(&'a ReportDocument),
    /// Why it has none.
    Failure(&'a str),
}

/// A run that is followed.
pub(super) struct Following<'a> {
    pub(super) check: &'a str,
    pub(super) channels: &'a [Channel],
    pub(super) after: u32,
    pub(super) outcome: Outcome<'a>,
    pub(super) now: Timestamp,
}

impl Follow for Following<'_> {
    fn check(&self) -> &str {
        self.check
    }

    fn follow(&self, run: i64, remembered: BTreeMap<String, String>) -> Followed {
        // What cannot be read is of another version: it is counted anew.
        let read = |(flow, text): (String, String)| {
            let streak = serde_json::from_str(&text).ok()?;
            Some((flow, streak))
        };
        let mut streaks: BTreeMap<String, Streak> =
            remembered.into_iter().filter_map(read).collect();
        let messages = self.messages(run, &mut streaks);
        let open = streaks.into_iter().filter(|(_, streak)| !streak.is_over());
        let write = |(flow, streak): (String, Streak)| {
            let text = serde_json::to_string(&streak).ok()?;
            Some((flow, text))
        };
        Followed {
            remembered: open.filter_map(write).collect(),
            queued: messages.iter().flat_map(|it| self.queued(it)).collect(),
        }
    }
}

impl Following<'_> {
    fn messages(&self, run: i64, streaks: &mut BTreeMap<String, Streak>) -> Vec<Message> {
        let about = self.about(run);
        let mut check = streaks.remove(CHECK).unwrap_or_default();
        let seen = match &self.outcome {
            Outcome::Report(_) => Seen::Well,
            Outcome::Failure(_) => Seen::Wrong(Wrong {
                verdict: Verdict::Wrong,
                owner: None,
            }),
        };
        let of_check = check.count(seen, self.after);
        streaks.insert(CHECK.to_string(), check);
        let mut messages = Vec::new();
        match (&self.outcome, of_check) {
            (Outcome::Failure(why), Some(Turn::Raised)) => {
                messages.push(Message::failed(about, why));
            }
            (Outcome::Report(report), turn) => {
                if turn == Some(Turn::Cleared) {
                    messages.push(Message::recovered(about.clone()));
                }
                messages.extend(of_flows(about, report, streaks, self.after));
            }
            (Outcome::Failure(_), _) => {}
        }
        messages
    }

    fn about(&self, run: i64) -> About {
        let report = match &self.outcome {
            Outcome::Report(report) => Some(report),
            Outcome::Failure(_) => None,
        };
        let place = report
            .and_then(|it| it.vantages.first())
            .map(Vantage::place);
        About {
            site: report.map_or_else(|| self.check.to_string(), |it| it.site.code.clone()),
            place: place.unwrap_or_else(|| format!("check {}", self.check)),
            run: Some(run),
            time: self.now,
            url: None,
        }
    }

    fn queued(&self, message: &Message) -> Vec<Queued> {
        let channels = self.channels.iter().filter(|it| it.wants(message));
        let queued = channels.filter_map(|channel| {
            Some(Queued {
                channel: channel.name.clone(),
                body: serde_json::to_string(message).ok()?,
            })
        });
        queued.collect()
    }
}

/// What is to be told of the flows of a report: one message, whatever their number.
fn of_flows(
    about: About,
    report: &ReportDocument,
    streaks: &mut BTreeMap<String, Streak>,
    after: u32,
) -> Option<Message> {
    let (mut raised, mut cleared) = (Vec::new(), Vec::new());
    for (id, flow) in worst_by_id(report) {
        let mut streak = streaks.remove(id).unwrap_or_default();
        match streak.count(seen(flow), after) {
            Some(Turn::Raised) => raised.push(flow),
            Some(Turn::Cleared) => cleared.push(flow),
            None => {}
        }
        streaks.insert(id.to_string(), streak);
    }
    let is_news = !raised.is_empty() || !cleared.is_empty();
    is_news.then(|| Message::of(about, &raised, &cleared))
}

/// The flows by id; of two with one id, as of a swept port at two addresses, one that is not well.
fn worst_by_id(report: &ReportDocument) -> BTreeMap<&str, &ReportFlow> {
    let mut all: BTreeMap<&str, &ReportFlow> = BTreeMap::new();
    for flow in &report.flows {
        let known = all.entry(&flow.flow.id).or_insert(flow);
        if seen(known) == Seen::Well {
            *known = flow;
        }
    }
    all
}

fn seen(flow: &ReportFlow) -> Seen {
    let is_well = flow.verdict == Verdict::Ok || flow.level == Level::Note;
    match is_well || flow.accepted.is_some() {
        true => Seen::Well,
        false => Seen::Wrong(Wrong {
            verdict: flow.verdict,
            owner: flow.owner,
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
                outcome: match outcome {
                    Ok(report) => Outcome::Report(report),
                    Err(why) => Outcome::Failure(why),
                },
                now: Timestamp::UNIX_EPOCH,
            };
            let followed = following.follow(run, remembered);
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
    fn a_run_that_did_not_try_a_flow_says_nothing_of_it() {
        let all = told(&[
            Ok(report(2, false)),
            Ok(report(1, false)),
            Ok(report(2, false)),
        ]);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(
            all[0].starts_with("2: ") && all[1].starts_with("3: "),
            "{all:?}"
        );
    }
}
