//! Checks that go on for months: `portproof serve`.
//!
//! `config` reads what is asked for: which site files are checked, from where, how often, and who is told. Each check has
//! a task of its own (`check`). `schedule` says when it runs next, and how much is tried then. What is needed is tried
//! each time. What must not pass is tried once in `sweep_every`. `watch` looks at the site file.
//! When it changes, the check goes on with the new one. Where that is refused, it goes on with the old one.
//!
//! All runs go to one thread that has the history (`keeper`). There a report becomes a row. `confirm` counts for each flow
//! how many runs in a row saw it so. What is to be told goes into a queue (`follow`). All of that is one transaction. So
//! whatever ends the process, a run and its messages are there as a whole or not at all. While the history cannot be
//! written, runs wait (`ended`). `sender` has a task for each channel. It hands over the first message of the channel's
//! queue, and removes it when it has been taken.
//!
//! What the file no longer has is forgotten at the start (`removed`): what a check had told is cleared first.
//!
//! `board` has what is known right now, of agents too (`fleet`), and `past` how flows stood in the last month. `news` says in one word what
//! changed. `web` shows all that to browsers, monitors and Prometheus.
//!
//! `config`, `page`, `schedule`, `confirm`, `removed`, `fleet` and `past` are pure. Whoever serves says how files are read and how a run
//! is made of one (`Files`), and is told in words what happens.

mod board;
mod check;
pub(crate) mod config;
mod confirm;
mod ended;
mod fleet;
mod follow;
mod keeper;
mod news;
mod page;
mod past;
mod removed;
mod schedule;
mod sender;
mod watch;
mod web;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, watch as channel};
use tokio::task::JoinSet;

use crate::alert::{self, Channel};
use crate::config::Named;
use crate::diagnostic::counted;
use crate::history::{Removed, Store};
use crate::report::ReportDocument;
use crate::run::Scope;
use board::Board;
pub use config::{Check, ServeFile, read, schema, tables};
use keeper::Keeper;
pub use page::{Page, PageFiles};

/// A run that has not begun. It takes a thread of its own.
pub type Prepared = Box<dyn FnOnce() -> anyhow::Result<ReportDocument> + Send>;

/// How files are read, and what is made of them.
pub trait Files: Send + Sync + 'static {
    /// The bytes of a site file.
    ///
    /// # Errors
    /// In words: why it cannot be read.
    fn read(&self, file: &Path) -> Result<Vec<u8>, String>;

    /// A run of a check, by these bytes of its site file.
    ///
    /// # Errors
    /// In words: what is wrong with the file, or with what it names.
    fn prepare(
        &self,
        check: &Check,
        bytes: &[u8],
        scope: Scope,
        stop: channel::Receiver<bool>,
    ) -> Result<Prepared, String>;

    /// What stands in the files that a channel names.
    ///
    /// # Errors
    /// In words: what cannot be read.
    fn of_channel(&self, channel: &Channel) -> Result<alert::Files, String>;

    /// What stands in the files that the page names.
    ///
    /// # Errors
    /// In words: what cannot be read.
    fn of_page(&self, page: &Page) -> Result<PageFiles, String>;
}

/// What the API of the page answers, as an OpenAPI document.
pub fn api() -> serde_json::Value {
    web::api()
}

/// Told in words what happens, each time on one line or a few.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// What all tasks share.
struct Served {
    files: Arc<dyn Files>,
    tell: Tell,
    keeper: Keeper,
    /// Runs that may be under way at once.
    places: Semaphore,
    /// Rung when a message has been queued.
    queued: Notify,
    channels: Vec<Channel>,
    stop: channel::Receiver<bool>,
    /// What is known of each check.
    board: Board,
    /// Rung when all site files are to be looked at again.
    reload: channel::Receiver<u64>,
}

impl Served {
    fn tell(&self, words: &str) {
        (self.tell)(words);
    }
}

/// Forgets what belongs to checks and channels that the file no longer has. What a check had told is cleared before.
async fn forget(served: &Arc<Served>, checks: &[Named<Check>]) -> anyhow::Result<()> {
    let checks: Vec<String> = checks.iter().map(|it| it.name.value.clone()).collect();
    let of = Arc::clone(served);
    let forgotten = served.keeper.with(move |store| {
        let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
        let channels: Vec<&str> = of.channels.iter().map(|it| it.name.as_str()).collect();
        let now = Timestamp::now();
        let tell = |it: &Removed| {
            of.tell(&format!("check {}: it is no longer there", it.check));
            removed::news(it, &of.channels, now)
        };
        store.forget_all_but(&checks, &channels, now, &tell)
    });
    let messages = forgotten.await?;
    if messages > 0 {
        served.tell(&format!(
            "{} to channels that are no longer there: dropped",
            counted(messages, "message")
        ));
    }
    Ok(())
}

/// Serves until `stop` turns true: then the runs under way end early, and are kept as far as they came. `ready` is called
/// when everything has begun.
///
/// # Errors
/// When the history's thread cannot be had, or the address of the page.
pub async fn serve(
    file: ServeFile,
    store: Store,
    files: Arc<dyn Files>,
    tell: Tell,
    stop: channel::Receiver<bool>,
    reload: channel::Receiver<u64>,
    ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let served = Arc::new(Served {
        files,
        tell,
        keeper: Keeper::new(store, file.retention())?,
        places: Semaphore::new(file.at_once),
        queued: Notify::new(),
        channels: file.alerts,
        stop,
        board: Board::default(),
        reload,
    });
    let page = match file.page {
        None => None,
        Some(page) => {
            let read = served.files.of_page(&page).map_err(anyhow::Error::msg)?;
            let site = web::open(&page, &read).await?;
            let scheme = if page.tls.is_some() { "https" } else { "http" };
            served.tell(&format!("{scheme}://{}/ shows the checks", page.address));
            Some(tokio::spawn(web::answer(Arc::clone(&served), site)))
        }
    };
    forget(&served, &file.checks).await?;
    ready();
    let mut checks = JoinSet::new();
    for named in file.checks {
        checks.spawn(check::go_on(
            Arc::clone(&served),
            named.name.value,
            named.value,
        ));
    }
    let mut senders = JoinSet::new();
    for channel in served.channels.clone() {
        senders.spawn(sender::go_on(Arc::clone(&served), channel));
    }
    while let Some(ended) = checks.join_next().await {
        ended?;
    }
    // What is not taken yet is in the queue, and goes out after the next start.
    senders.abort_all();
    if let Some(page) = page {
        page.abort();
    }
    Ok(())
}
