//! What is known of each check right now, for whoever looks: how its flows stand, when it ran, and when it runs next.
//!
//! Checks write here, readers copy. What takes long, such as a page of thousands of flows, is made from a copy.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use super::fleet::{self, Fleet};
use super::news::{News, What};
use super::past::Past;
use crate::history::Tried;
use crate::report::{self, ReportDocument};

/// News that a listener may be behind.
const BEHIND: usize = 256;
/// Listeners at once.
const LISTENERS: usize = 32;

/// All checks by their names.
pub(super) struct Board {
    rows: Mutex<BTreeMap<String, Row>>,
    news: broadcast::Sender<News>,
    listeners: Arc<Semaphore>,
}

/// Somebody who is told what happens.
pub(super) struct Listener {
    pub(super) news: broadcast::Receiver<News>,
    _place: OwnedSemaphorePermit,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            rows: Mutex::default(),
            news: broadcast::Sender::new(BEHIND),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
        }
    }
}

/// One check.
#[derive(Clone, Default)]
pub(super) struct Row {
    /// How its flows stand; `None`: no run had a report yet.
    pub(super) stands: Option<Arc<Standing>>,
    /// How they stood in the last month.
    pub(super) past: Arc<Past>,
    /// The agents that try for it.
    pub(super) fleet: Fleet,
    /// When the last run ended, and its number.
    pub(super) last: Option<Last>,
    /// When what must not pass was last tried.
    pub(super) last_whole: Option<Timestamp>,
    /// Since when a run is under way.
    pub(super) running_since: Option<Timestamp>,
    /// When the next run is due.
    pub(super) next: Option<Timestamp>,
    /// Why its site file is not used as it stands now.
    pub(super) refused: Option<String>,
    /// Why the last run is not in the history.
    pub(super) unkept: Option<String>,
    /// Runs that were left out, because the one before them took too long.
    pub(super) left_out: u64,
}

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Last {
    /// Its number in the history.
    pub(super) run: i64,
    /// When it ended.
    pub(super) ended: Timestamp,
    /// How long it took, in seconds.
    pub(super) seconds: i64,
    /// Why it has no report.
    pub(super) failure: Option<String>,
}

/// How the flows of a check stand: those of the last run, and what must not pass of the last whole one.
pub(super) struct Standing {
    pub(super) report: ReportDocument,
    page: Mutex<Option<Page>>,
}

/// A page, and of what it was made.
struct Page {
    of: (u64, i64),
    bytes: Bytes,
}

impl Standing {
    pub(super) fn new(report: ReportDocument) -> Self {
        let page = Mutex::default();
        Self { report, page }
    }

    /// The report as a page, with what is known of the last month. It is made once a run, and once a half hour.
    pub(super) fn page(&self, check: &str, past: &Past, now: Timestamp) -> Bytes {
        let of = past.version(now);
        // Others who ask wait: they would make the same.
        let mut kept = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(page) if page.of == of => page.bytes.clone(),
            _ => {
                let strips = past.strips(&self.report, now);
                let page = report::html_served(&self.report, check, &strips);
                let bytes = Bytes::from(page.unwrap_or_else(|fault| fault.to_string()));
                *kept = Some(Page {
                    of,
                    bytes: bytes.clone(),
                });
                bytes
            }
        }
    }
}

impl Board {
    /// Writes something down of a check, and tells who listens what changed with it.
    pub(super) fn note(&self, check: &str, write: impl FnOnce(&mut Row)) {
        let mut rows = self.rows();
        let row = rows.entry(check.to_string()).or_default();
        // Not the past: what is shared would be copied before it is written.
        let before = Row {
            past: Arc::default(),
            ..row.clone()
        };
        write(row);
        let news = happened(&before, row);
        drop(rows);
        for what in news {
            // Nobody may listen.
            let _ = self.news.send(News::of(check, what));
        }
    }

    /// What happens from now on; `None`: as many listen as may.
    pub(super) fn listen(&self) -> Option<Listener> {
        let place = Arc::clone(&self.listeners).try_acquire_owned().ok()?;
        Some(Listener {
            news: self.news.subscribe(),
            _place: place,
        })
    }

    /// How the flows of a check stand after a run: with what must not pass as it was last seen.
    pub(super) fn stands(&self, check: &str, report: ReportDocument) {
        let before = self.row(check).and_then(|row| row.stands);
        let whole = before.filter(|it| report.is_needed_only() && it.report.is_from_where(&report));
        let report = match whole {
            Some(whole) => ReportDocument::after(whole.report.clone(), report),
            None => report,
        };
        let stands = Some(Arc::new(Standing::new(report)));
        self.note(check, |row| {
            if let Some(stands) = &stands {
                row.fleet = fleet::after(&row.fleet, &stands.report);
            }
            row.stands = stands;
        });
    }

    /// Counts a run in. What it saw stands already.
    pub(super) fn count(&self, check: &str, last: Last, tried: Tried) {
        self.note(check, |row| {
            let stands = row.stands.as_ref().map(|it| &it.report);
            let report = stands.filter(|_| tried != Tried::Nothing);
            Arc::make_mut(&mut row.past).saw(last.ended, tried, report);
            (row.last, row.unkept) = (Some(last), None);
        });
    }

    /// A copy of all.
    pub(super) fn all(&self) -> BTreeMap<String, Row> {
        self.rows().clone()
    }

    /// A copy of one.
    pub(super) fn row(&self, check: &str) -> Option<Row> {
        self.rows().get(check).cloned()
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<String, Row>> {
        // A writer that failed has left a row as it was before, or after.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happened between two looks at a row.
fn happened(before: &Row, after: &Row) -> Vec<What> {
    let run = |row: &Row| row.last.as_ref().map(|it| it.run);
    let all = [
        (
            after.running_since.is_some() && before.running_since != after.running_since,
            What::RunBegan,
        ),
        (
            before.running_since.is_some() && after.running_since.is_none(),
            What::RunEnded,
        ),
        (run(before) != run(after), What::RunKept),
        (
            after.unkept.is_some() && before.unkept != after.unkept,
            What::RunNotKept,
        ),
        (
            after.refused.is_some() && before.refused != after.refused,
            What::SiteFileRefused,
        ),
        (
            before.refused.is_some() && after.refused.is_none(),
            What::SiteFileUsed,
        ),
        (
            after.next.is_some() && before.next != after.next,
            What::Scheduled,
        ),
    ];
    let happened = all.into_iter().filter(|(happened, _)| *happened);
    happened.map(|(_, what)| what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{AgentName, ReportFlow, Vantage, sample};
    use crate::verdict::Verdict;

    #[test]
    fn what_must_not_pass_stands_as_it_was_last_seen_and_counts() {
        let board = Board::default();
        let exposed = ["forbidden", "open", "exposed", "open", "error"];
        let flows = vec![
            sample::judged("internet>ibs01:445/tcp", exposed),
            sample::flow("internet>ibs01:443/tcp"),
        ];
        board.stands("internet", sample::with("internet", "probe7", flows));
        let mut needed = sample::with(
            "internet",
            "probe7",
            vec![sample::flow("internet>ibs01:443/tcp")],
        );
        needed.vantages[0].needed_only = true;
        board.stands("internet", needed);
        let stands = board.row("internet").and_then(|row| row.stands);
        let stands = stands.expect("a report");
        let verdicts: Vec<Verdict> = stands.report.flows.iter().map(|it| it.verdict).collect();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Exposed]);
        let summary = stands.report.summary;
        assert_eq!((summary.ok, summary.exposed), (1, 1));
        let page = stands.page("internet", &Past::default(), Timestamp::UNIX_EPOCH);
        let page = String::from_utf8_lossy(&page).into_owned();
        assert!(page.contains("ibs01:445/tcp"), "{page}");
    }

    /// A vantage in the zone of all others, of an agent with this name and host.
    fn of_agent(name: &str, host: &str) -> Vantage {
        let version = (!host.is_empty()).then(|| "1.2.0".to_string());
        let name = name.to_string();
        Vantage {
            host: host.to_string(),
            agent: Some(AgentName { name, version }),
            ..sample::report("internet", "").vantages.remove(0)
        }
    }

    #[test]
    fn what_an_agent_saw_stays_its_own_when_another_order_is_that_of_the_next_run() {
        let board = Board::default();
        let of = |id: &str, vantage| ReportFlow {
            vantage: Some(vantage),
            ..sample::flow(id)
        };
        let exposed = ["forbidden", "open", "exposed", "open", "error"];
        let exposed = ReportFlow {
            vantage: Some(1),
            ..sample::judged("internet>ibs01:445/tcp", exposed)
        };
        let mut whole = sample::with(
            "internet",
            "",
            vec![of("internet>ibs01:443/tcp", 0), exposed],
        );
        whole.vantages = vec![of_agent("a", "web7"), of_agent("b", "web8")];
        board.stands("all", whole);
        // One that does not answer tells no host, and stands before the other then.
        let mut needed = sample::with("internet", "", vec![of("internet>ibs01:443/tcp", 1)]);
        needed.vantages = vec![of_agent("b", ""), of_agent("a", "web7")];
        needed.vantages[0].needed_only = true;
        board.stands("all", needed);
        let row = board.row("all").expect("a check");
        let report = &row.stands.as_ref().expect("a report").report;
        assert_eq!(
            (report.summary_of(0).exposed, report.summary_of(1).ok),
            (1, 1)
        );
        assert!(row.fleet["b"].is_lost && row.fleet["b"].proved.exposed == 1);
        assert_eq!(row.fleet["a"].proved.ok, 1);
    }
}
