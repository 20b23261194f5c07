//! One check: it runs when it is due, its runs are kept, and its site file is looked at in between.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::watch as channel;
use tokio::task::block_in_place;
use tokio::time::{interval, sleep};

use super::Served;
use super::board::{Last, Row};
use super::config::Check;
use super::follow::Following;
use super::past::{self, Past};
use super::schedule::{self, Next};
use super::watch::{Look, SiteFile};
use crate::history::{Added, Kept, RunEntry, Tried};
use crate::report::{ReportDocument, exit_status};
use crate::run::{Request, Scope};

/// How often the site file is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// What a run without a report says to the shell.
const FAILED: u8 = 2;

/// Goes on until all is to stop.
pub(super) async fn go_on(served: Arc<Served>, name: String, check: Check) {
    let mut task = Task {
        file: SiteFile::new(Path::new(&check.site.value).to_path_buf()),
        name: Arc::from(name),
        check: Arc::new(check),
        served,
        last_whole: None,
        unsettled: false,
        again: 0,
    };
    task.remember().await;
    task.look();
    let mut due = Timestamp::now();
    while task.waits_until(due).await {
        task.run(Timestamp::now()).await;
        let Some(Next { due: next, missed }) = task.check.when().next(due, Timestamp::now()) else {
            return task.tell("has no next run: its schedule names no time any more");
        };
        if missed > 0 {
            task.note(|row| row.left_out += u64::from(missed));
            task.tell(&format!(
                "took longer than from one run to the next: {missed} left out"
            ));
        }
        due = next;
    }
}

/// A check that goes on.
struct Task {
    served: Arc<Served>,
    name: Arc<str>,
    check: Arc<Check>,
    file: SiteFile,
    /// When the last run began that tried what must not pass, too.
    last_whole: Option<Timestamp>,
    /// Whether that found something that is not sure yet.
    unsettled: bool,
    /// How many whole runs may still be made at once to be sure of it.
    again: u32,
}

impl Task {
    fn tell(&self, words: &str) {
        self.served.tell(&format!("check {}: {words}", self.name));
    }

    fn note(&self, write: impl FnOnce(&mut Row)) {
        self.served.board.note(&self.name, write);
    }

    /// What earlier runs found, as the history has it.
    async fn remember(&mut self) {
        let name = Arc::clone(&self.name);
        let asked = self.served.keeper.with(move |store| {
            let past = store.past(&name, past::since(Timestamp::now()))?;
            Ok((store.last_of_check(&name)?, store.standing(&name)?, past))
        });
        let (last, reports, past) = match asked.await {
            Ok(found) => found,
            Err(fault) => return self.tell(&format!("{fault:#}")),
        };
        let whole = reports.iter().find(|it| !it.is_needed_only());
        let vantage = whole.and_then(|it| it.vantages.first());
        self.last_whole = vantage.and_then(|it| it.started.parse().ok());
        for report in reports {
            self.served.board.stands(&self.name, report);
        }
        self.note(|row| {
            row.last = last.as_ref().and_then(ended);
            let stands = row.stands.as_ref().map(|it| &it.report);
            row.past = Arc::new(Past::of(&past, stands));
        });
        self.show_last_whole();
    }

    fn show_last_whole(&self) {
        let whole = self.last_whole;
        self.note(|row| row.last_whole = whole);
    }

    /// Looks at the site file, and says what came of it. True: another one is used now.
    fn look(&mut self) -> bool {
        let (served, check) = (&self.served, &self.check);
        let is_good = |bytes: &[u8]| {
            let (_never, stop) = channel::channel(false);
            let request = served.files.request(check, bytes, Scope::Needed, stop);
            request.map(|_| ())
        };
        let had_one = self.file.used().is_some();
        match block_in_place(|| self.file.look(&*served.files, is_good)) {
            Look::Same => false,
            Look::Mended => {
                self.note(|row| row.refused = None);
                self.tell("its site file is again what it goes on with");
                false
            }
            Look::Taken => {
                self.note(|row| row.refused = None);
                if had_one {
                    // What must not pass may be other flows by now.
                    self.last_whole = None;
                    self.tell("its site file has changed, and is used from now on");
                }
                true
            }
            Look::Refused(why) => {
                let then = match had_one {
                    true => "it goes on with the one before",
                    false => "it cannot run",
                };
                self.note(|row| row.refused = Some(why.clone()));
                self.tell(&format!("{then}: {why}"));
                false
            }
        }
    }

    /// Waits for the time of the next run, and looks at the site file meanwhile: another one is tried at once. False: all is to
    /// stop.
    async fn waits_until(&mut self, due: Timestamp) -> bool {
        let mut stop = self.served.stop.clone();
        let mut reload = self.served.reload.clone();
        reload.mark_unchanged();
        let left = due.duration_since(Timestamp::now());
        let left = Duration::try_from(left).unwrap_or_default();
        self.note(|row| row.next = Some(due));
        let until = sleep(left + jitter(self.check.longest_jitter()));
        tokio::pin!(until);
        let mut looks = interval(LOOK);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return false,
                () = &mut until => return true,
                _ = looks.tick() => if self.look() { return true },
                Ok(()) = reload.changed() => if self.look() { return true },
            }
        }
    }

    /// Runs once, and keeps what comes of it.
    async fn run(&mut self, now: Timestamp) {
        let scope = self.scope(now);
        let mut stop = self.served.stop.clone();
        let served = Arc::clone(&self.served);
        let place = tokio::select! {
            place = served.places.acquire() => place,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let began = Timestamp::now();
        self.note(|row| row.running_since = Some(began));
        let result = match block_in_place(|| self.request(scope)) {
            Ok(request) => on_a_thread(request).await,
            Err(why) => Err(anyhow::Error::msg(why)),
        };
        drop(place);
        self.note(|row| row.running_since = None);
        // What was not tried because of the stop proves nothing.
        if *self.served.stop.borrow() {
            return self.keep_part(result).await;
        }
        self.keep(began, result).await;
    }

    /// How much is tried now: all when that is due, and again at once until what it found is sure.
    fn scope(&mut self, now: Timestamp) -> Scope {
        let due = schedule::scope(self.last_whole, self.check.sweep_every, now);
        match due {
            Scope::Whole => self.again = self.check.after.saturating_sub(1),
            Scope::Needed if self.unsettled && self.again > 0 => {
                self.again -= 1;
                return Scope::Whole;
            }
            Scope::Needed => {}
        }
        due
    }

    fn request(&self, scope: Scope) -> Result<Request, String> {
        let stop = self.served.stop.clone();
        match self.file.used() {
            Some(bytes) => self.served.files.request(&self.check, bytes, scope, stop),
            None => Err(self.file.why_not()),
        }
    }

    async fn keep(&mut self, began: Timestamp, result: anyhow::Result<ReportDocument>) {
        let (served, name, check) = (
            Arc::clone(&self.served),
            Arc::clone(&self.name),
            Arc::clone(&self.check),
        );
        let kept = self.served.keeper.with(move |store| {
            let now = Timestamp::now();
            let following = Following {
                check: &name,
                channels: &served.channels,
                after: check.after,
                now,
                unsettled: Cell::new(false),
            };
            let kept = match &result {
                Ok(report) => Kept::Report(report, exit_status(report, false)),
                Err(why) => Kept::Failure {
                    started: began,
                    why: format!("{why:#}"),
                    exit_status: FAILED,
                },
            };
            let added = store.add_followed(&kept, now, &following)?;
            let unsettled = following.unsettled.get();
            let retained = store.retain(served.keeper.retention, now);
            Ok((added, result, unsettled, retained))
        });
        let (added, result, unsettled, retained) = match kept.await {
            Ok(kept) => kept,
            Err(fault) => return self.is_not_kept(&format!("{fault:#}")),
        };
        if let Err(fault) = retained {
            self.tell(&format!("what is old stays in the history: {fault}"));
        }
        if result.as_ref().is_ok_and(|report| !report.is_needed_only()) {
            self.last_whole = Some(began);
            self.unsettled = unsettled;
        }
        self.served.queued.notify_waiters();
        let said = said(&added, &result);
        self.show(began, &added, result);
        self.tell(&said);
    }

    fn is_not_kept(&self, why: &str) {
        self.note(|row| row.unkept = Some(why.to_string()));
        self.tell(&format!("its run is not in the history: {why}"));
    }

    /// Puts what came of a run on the board.
    fn show(&self, began: Timestamp, added: &Added, result: anyhow::Result<ReportDocument>) {
        let now = Timestamp::now();
        let last = Last {
            run: added.id,
            ended: now,
            seconds: now.duration_since(began).as_secs(),
            failure: result.as_ref().err().map(|why| format!("{why:#}")),
        };
        let tried = match &result {
            Err(_) => Tried::Nothing,
            Ok(report) if report.is_needed_only() => Tried::Needed,
            Ok(_) => Tried::All,
        };
        if let Ok(report) = result {
            self.served.board.stands(&self.name, report);
        }
        self.served.board.count(&self.name, last, tried);
        self.show_last_whole();
    }

    /// Keeps what a run saw that was stopped.
    async fn keep_part(&self, result: anyhow::Result<ReportDocument>) {
        let Ok(report) = result else { return };
        let kept = self.served.keeper.with(move |store| {
            let status = exit_status(&report, false);
            store.add(&Kept::Part(&report, status), Timestamp::now())
        });
        if let Err(fault) = kept.await {
            self.is_not_kept(&format!("{fault:#}"));
        }
    }
}

/// A run of the history, as the board has it.
fn ended(run: &RunEntry) -> Option<Last> {
    let (started, ended): (Timestamp, Timestamp) =
        (run.started.parse().ok()?, run.finished.parse().ok()?);
    Some(Last {
        run: run.id,
        ended,
        seconds: ended.duration_since(started).as_secs(),
        failure: run.failure.clone(),
    })
}

/// What a run came to, in one line.
fn said(added: &Added, result: &anyhow::Result<ReportDocument>) -> String {
    match result {
        Ok(report) => format!("run {}: {}", added.id, report.summary.counted(0).join(", ")),
        Err(why) => format!("run {} has no report: {why:#}", added.id),
    }
}

/// A run on a thread of its own: a fault of the program in it ends no more than that run.
async fn on_a_thread(request: Request) -> anyhow::Result<ReportDocument> {
    let runtime = Handle::current();
    let run = move || runtime.block_on(crate::run::run(request, Arc::new(|_| {})));
    let ran = tokio::task::spawn_blocking(run).await;
    ran.unwrap_or_else(|fault| Err(anyhow::anyhow!("a fault of portproof itself: {fault}")))
}

/// A random part of a time.
fn jitter(most: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_u128() as u32;
    most.mul_f64(f64::from(random) / f64::from(u32::MAX))
}
