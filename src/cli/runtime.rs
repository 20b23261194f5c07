//! The threads of a run, had before its first packet.
//!
//! tokio panics where the system refuses the first thread. Where it refuses a later one, a name waits in a queue, and would
//! look like one that the resolver does not answer. So as many as a run needs are asked for beforehand.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use tokio::runtime::Runtime;

/// Those that run the tasks.
const WORKERS: usize = 2;
/// Those that ask the system's resolver, at the least.
const RESOLVERS: usize = 2;

/// What tasks run on.
///
/// # Errors
/// When the system does not give this process the threads or descriptors.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    try_threads(WORKERS + RESOLVERS)?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .context("starting the tasks of a run: this host gives this process no descriptors")
}

/// Has so many threads at once, and lets them go.
fn try_threads(count: usize) -> anyhow::Result<()> {
    let threads: io::Result<Vec<Waiting>> = (0..count).map(|_| waiting_thread()).collect();
    for (end, thread) in threads.with_context(|| {
        format!(
            "a run needs {count} threads, and this host gives this process fewer (its limits: \
             `ulimit -u`, and TasksMax of a systemd unit)"
        )
    })? {
        drop(end);
        let _ = thread.join();
    }
    Ok(())
}

/// A thread, and what it waits for: that this end is dropped.
type Waiting = (Sender<()>, JoinHandle<()>);

fn waiting_thread() -> io::Result<Waiting> {
    let (end, ended) = channel();
    let thread = thread::Builder::new().spawn(move || {
        let _ = ended.recv();
    })?;
    Ok((end, thread))
}
