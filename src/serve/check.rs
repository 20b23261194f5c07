//! One check: it runs when it is due, its runs are kept, and its site file is looked at in between.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::watch as channel;
use tokio::time::{interval, sleep};

use super::Served;
use super::config::Check;
use super::follow::{Following, Outcome};
use super::schedule::{self, Next};
use super::watch::{Look, SiteFile};
use crate::history::Kept;
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
    };
    task.last_whole = task.last_whole().await;
    task.look();
    let mut due = Timestamp::now();
    while task.waits_until(due).await {
        let now = Timestamp::now();
        task.run(now).await;
        let Some(Next { due: next, missed }) = task.check.when().next(due, Timestamp::now()) else {
            return task.tell("has no next run: its schedule names no time any more");
        };
        if missed > 0 {
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
}

impl Task {
    fn tell(&self, words: &str) {
        self.served.tell(&format!("check {}: {words}", self.name));
    }

    async fn last_whole(&self) -> Option<Timestamp> {
        let name = Arc::clone(&self.name);
        let asked = self
            .served
            .keeper
            .with(move |store| store.last_whole(&name))
            .await;
        asked.ok()?.ok()?
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
        match self.file.look(&*served.files, is_good) {
            Look::Same => false,
            Look::Mended => {
                self.tell("its site file is again what it goes on with");
                false
            }
            Look::Taken => {
                if had_one {
                    self.tell("its site file has changed, and is used from now on");
                }
                true
            }
            Look::Refused(why) => {
                let then = match had_one {
                    true => "it goes on with the one before",
                    false => "it cannot run",
                };
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
        let until = sleep(left + jitter(self.check.jitter));
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
        let scope = schedule::scope(self.last_whole, self.check.sweep_every, now);
        let mut stop = self.served.stop.clone();
        let served = Arc::clone(&self.served);
        let place = tokio::select! {
            place = served.places.acquire() => place,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let began = Timestamp::now();
        let result = match self.request(scope) {
            Ok(request) => on_a_thread(request).await,
            Err(why) => Err(anyhow::Error::msg(why)),
        };
        drop(place);
        // What was not tried because of the stop proves nothing.
        if *self.served.stop.borrow() {
            return self.keep_part(result).await;
        }
        if result.is_ok() && scope == Scope::Whole {
            self.last_whole = Some(began);
        }
        self.keep(began, result).await;
    }

    fn request(&self, scope: Scope) -> Result<Request, String> {
        let stop = self.served.stop.clone();
        match self.file.used() {
            Some(bytes) => self.served.files.request(&self.check, bytes, scope, stop),
            None => Err(format!("{} is refused", self.file.path().display())),
        }
    }

    async fn keep(&self, began: Timestamp, result: anyhow::Result<ReportDocument>) {
        let (served, name, check) = (
            Arc::clone(&self.served),
            Arc::clone(&self.name),
            Arc::clone(&self.check),
        );
        let failure = result.as_ref().err().map(|why| format!("{why:#}"));
        let kept = self.served.keeper.with(move |store| {
            let now = Timestamp::now();
            let (kept, outcome) = match (&result, &failure) {
                (Ok(report), _) => (
                    Kept::Report(report, exit_status(report, false)),
                    Outcome::Report(report),
                ),
                (Err(_), why) => {
                    let why = why.as_deref().unwrap_or_default();
                    let kept = Kept::Failure {
                        started: began,
                        why: why.to_string(),
                        exit_status: FAILED,
                    };
                    (kept, Outcome::Failure(why))
                }
            };
            let following = Following {
                check: &name,
                channels: &served.channels,
                after: check.after,
                outcome,
                now,
            };
            let added = store.add_followed(&kept, now, &following)?;
            store.retain(served.keeper.retention, now)?;
            Ok::<_, crate::history::Fault>((added, result))
        });
        match kept.await {
            Ok(Ok((added, result))) => {
                self.served.queued.notify_waiters();
                self.tell(&said(&added, &result));
            }
            Ok(Err(fault)) => self.tell(&format!("its run is not in the history: {fault}")),
            Err(fault) => self.tell(&format!("its run is not in the history: {fault:#}")),
        }
    }

    /// Keeps what a run saw that was stopped.
    async fn keep_part(&self, result: anyhow::Result<ReportDocument>) {
        let Ok(report) = result else { return };
        let kept = self.served.keeper.with(move |store| {
            let status = exit_status(&report, false);
            store.add(&Kept::Part(&report, status), Timestamp::now())
        });
        if let Ok(Err(fault)) = kept.await {
            self.tell(&format!("its run is not in the history: {fault}"));
        }
    }
}

/// What a run came to, in one line.
fn said(added: &crate::history::Added, result: &anyhow::Result<ReportDocument>) -> String {
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
