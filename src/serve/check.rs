//! One check: it runs when it is due, its runs are kept, and its site file is looked at in between.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch as channel;
use tokio::task::block_in_place;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep, timeout};

use super::board::{Last, Row};
use super::config::Check;
use super::ended::{Came, Ended, Unkept};
use super::follow;
use super::past::{self, Past};
use super::schedule::{self, Next};
use super::watch::{Look, SiteFile};
use super::{Prepared, Served};
use crate::diagnostic::counted;
use crate::history::{Added, Fault, Kept, RunEntry, Tried};
use crate::report::{ReportDocument, exit_status};
use crate::run::Scope;

/// How often the site file is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often a history that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// The longest time that the end waits for the history.
const LAST_TRY: Duration = Duration::from_secs(5);

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
        unkept: Unkept::default(),
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
    task.keep_the_rest().await;
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
    /// Runs that are not in the history yet.
    unkept: Unkept,
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
            let (last, reports) = (store.last_of_check(&name)?, store.standing(&name)?);
            Ok((last, reports, past, store.remembered(&name)?))
        });
        let (last, reports, past, remembered) = match asked.await {
            Ok(found) => found,
            Err(fault) => return self.tell(&format!("{fault:#}")),
        };
        let whole = reports.iter().find(|it| !it.is_needed_only());
        // What was to be made sure of is made sure of now.
        if let (Some(whole), Some(_)) = (whole, self.check.sweep_every) {
            self.again = follow::left(whole, &follow::streaks(remembered), self.check.after);
            self.unsettled = self.again > 0;
        }
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
            let run = served.files.prepare(check, bytes, Scope::Needed, stop);
            run.map(|_| ())
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
        let mut again = interval_at(Instant::now() + AGAIN, AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let kept_again = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return false,
                () = &mut until => return true,
                _ = looks.tick() => if self.look() { return true } else { false },
                Ok(()) = reload.changed() => if self.look() { return true } else { false },
                _ = again.tick(), if self.unkept.count() > 0 => true,
            };
            if kept_again && !self.keeps_again(&mut stop).await {
                return false;
            }
        }
    }

    /// Tries again to keep the runs that wait; what is wrong has been said. False: all is to stop.
    async fn keeps_again(&mut self, stop: &mut channel::Receiver<bool>) -> bool {
        tokio::select! {
            _ = self.keep_all() => true,
            _ = stop.wait_for(|stop| *stop) => false,
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
        let result = match block_in_place(|| self.prepare(scope)) {
            Ok(run) => on_a_thread(run).await,
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

    fn prepare(&self, scope: Scope) -> Result<Prepared, String> {
        let stop = self.served.stop.clone();
        match self.file.used() {
            Some(bytes) => self.served.files.prepare(&self.check, bytes, scope, stop),
            None => Err(self.file.why_not()),
        }
    }

    /// Keeps a run, after those that wait.
    async fn keep(&mut self, began: Timestamp, result: anyhow::Result<ReportDocument>) {
        let run = Ended {
            began,
            at: Timestamp::now(),
            result: result.map_err(|why| format!("{why:#}")),
        };
        if run.tried() == Tried::All {
            self.last_whole = Some(began);
        }
        if let Some(lost) = self.unkept.wait(run) {
            self.tell(&format!("its run of {:.0} is lost: too many wait", lost.at));
        }
        if let Err(fault) = self.keep_all().await {
            self.is_not_kept(&format!("{fault:#}"));
        }
    }

    /// Keeps the runs that wait, up to the first one that cannot be kept now.
    async fn keep_all(&mut self) -> anyhow::Result<()> {
        while let Some(run) = self.unkept.first() {
            let (served, name) = (Arc::clone(&self.served), Arc::clone(&self.name));
            let (ended, after) = (Arc::clone(&run), self.check.after);
            let kept = self.served.keeper.with(move |store| {
                let retention = served.keeper.retention;
                ended.keep(store, &name, after, &served.channels, retention)
            });
            let came = match kept.await {
                // A fault of the program would come again with this run.
                Err(fault) if !fault.is::<Fault>() => {
                    self.unkept.is_kept();
                    return Err(fault);
                }
                came => came?,
            };
            self.unkept.is_kept();
            self.is_kept(&run, came);
        }
        Ok(())
    }

    fn is_kept(&mut self, run: &Ended, came: Came) {
        if let Err(fault) = came.retained {
            self.tell(&format!("what is old stays in the history: {fault}"));
        }
        if run.tried() == Tried::All {
            self.unsettled = came.left > 0;
        }
        self.served.queued.notify_waiters();
        self.show(run, &came.added);
        if self.unkept.count() > 0 {
            self.note(|row| row.unkept = Some("it waits for runs before it".to_string()));
        }
        self.tell(&said(&came.added, &run.result));
    }

    fn is_not_kept(&self, why: &str) {
        self.note(|row| row.unkept = Some(why.to_string()));
        let others = match self.unkept.count() {
            0 | 1 => String::new(),
            all => format!(", nor are {} before it", all - 1),
        };
        self.tell(&format!("its run is not in the history{others}: {why}"));
    }

    /// At the end: what waits is kept now, or lost.
    async fn keep_the_rest(&mut self) {
        let kept = timeout(LAST_TRY, self.keep_all()).await;
        if !matches!(kept, Ok(Ok(()))) && self.unkept.count() > 0 {
            let count = counted(self.unkept.count(), "run");
            self.tell(&format!("{count} could not be kept before the end"));
        }
    }

    /// Puts what came of a run on the board.
    fn show(&self, run: &Ended, added: &Added) {
        let last = Last {
            run: added.id,
            ended: run.at,
            seconds: run.at.duration_since(run.began).as_secs(),
            failure: run.result.as_ref().err().cloned(),
        };
        if let Ok(report) = &run.result {
            self.served.board.stands(&self.name, report.clone());
        }
        self.served.board.count(&self.name, last, run.tried());
        self.show_last_whole();
    }

    /// Keeps what a run saw that was stopped.
    async fn keep_part(&self, result: anyhow::Result<ReportDocument>) {
        let Ok(report) = result else { return };
        let kept = self.served.keeper.with(move |store| {
            let status = exit_status(&report, false);
            store.add(&Kept::Part(&report, status), Timestamp::now())
        });
        match timeout(LAST_TRY, kept).await {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => self.is_not_kept(&format!("{fault:#}")),
            Err(_) => self.is_not_kept("no answer before the end"),
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
fn said(added: &Added, result: &Result<ReportDocument, String>) -> String {
    match result {
        Ok(report) => format!("run {}: {}", added.id, report.summary.counted(0).join(", ")),
        Err(why) => format!("run {} has no report: {why}", added.id),
    }
}

/// A run on a thread of its own: a fault of the program in it ends no more than that run.
async fn on_a_thread(run: Prepared) -> anyhow::Result<ReportDocument> {
    let ran = tokio::task::spawn_blocking(run).await;
    ran.unwrap_or_else(|fault| Err(anyhow::anyhow!("a fault of portproof itself: {fault}")))
}

/// A random part of a time.
fn jitter(most: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_u128() as u32;
    most.mul_f64(f64::from(random) / f64::from(u32::MAX))
}
