//! The one thread that has the history. Tasks hand it what is to be done there, and wait for the answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::Context as _;
use tokio::sync::oneshot;

use crate::history::{Fault, Retention, Store};

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// Hands work to the thread.
#[derive(Clone)]
pub(super) struct Keeper {
    jobs: Sender<Job>,
    pub(super) retention: Retention,
}

impl Keeper {
    /// Begins the thread. It ends when the last of its users has gone.
    pub(super) fn new(mut store: Store, retention: Retention) -> anyhow::Result<Self> {
        let (jobs, due) = channel::<Job>();
        let thread = thread::Builder::new().name("history".to_string());
        thread
            .spawn(move || {
                for job in due {
                    // A fault of the program in one job ends no other: a transaction that is dropped changes nothing.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&mut store)));
                }
            })
            .context("starting the thread of the history")?;
        Ok(Self { jobs, retention })
    }

    /// Does something with the history.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, Fault> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            // Who no longer waits needs no answer.
            let _ = answer.send(job(store));
        });
        self.jobs
            .send(job)
            .ok()
            .context("the history's thread has ended")?;
        Ok(answered.await.context("a fault of portproof itself")??)
    }
}
