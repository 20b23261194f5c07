//! What goes on until it is stopped: by Ctrl-C, by a signal, or by a service manager. systemd and that of Windows start it,
//! and are told that all has begun, that it goes on, and that it ends.

#[cfg(windows)]
mod windows;

use std::fs::File;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::watch;

use super::args::AsService;
use super::streams::{say, tell_a_file};
use crate::os;

/// Does the work, with its words where the command line wants them, and as a service where it says so.
///
/// # Errors
/// When the file for the words cannot be written, or no manager has started this service; else those of the work.
pub(super) fn run(
    how: &AsService,
    work: impl FnOnce() -> anyhow::Result<u8> + Send + 'static,
) -> anyhow::Result<u8> {
    if let Some(path) = &how.log {
        let file = File::options().append(true).create(true).open(path);
        let file = file.with_context(|| format!("opening {}", path.display()))?;
        tell_a_file(file);
    }
    #[cfg(windows)]
    if how.service {
        return windows::run(Box::new(work));
    }
    work()
}

/// Says what happens, with the time. systemd shows the last of it as the status of the service.
pub(super) fn tell(words: &str) {
    say!("{:.0} {words}", Timestamp::now());
    #[cfg(unix)]
    systemd::tell(&[sd_notify::NotifyState::Status(
        // Another line would be another message.
        words.lines().next().unwrap_or_default(),
    )]);
}

/// All has begun. From now on a task says that this process lives.
pub(super) fn ready() {
    #[cfg(unix)]
    {
        systemd::tell(&[sd_notify::NotifyState::Ready]);
        tokio::spawn(systemd::live());
    }
    #[cfg(windows)]
    windows::ready();
}

/// Turns true when this process is to end. Then it says so, in these words.
///
/// # Errors
/// When signals cannot be waited for.
pub(super) fn stop(words: &'static str) -> anyhow::Result<watch::Receiver<bool>> {
    let (stopper, stop) = watch::channel(false);
    let interrupted = os::interrupted().context("listening for the end")?;
    tokio::spawn(async move {
        tokio::select! {
            () = interrupted => {}
            () = asked_to_stop() => {}
        }
        tell(words);
        stopping();
        let _ = stopper.send(true);
        // A channel whose sender is gone would look like news.
        std::future::pending::<()>().await;
    });
    Ok(stop)
}

/// Ends when the service manager stops this process in a way of its own.
async fn asked_to_stop() {
    #[cfg(windows)]
    windows::asked_to_stop().await;
    #[cfg(not(windows))]
    std::future::pending::<()>().await;
}

/// It ends.
fn stopping() {
    #[cfg(unix)]
    systemd::tell(&[sd_notify::NotifyState::Stopping]);
    #[cfg(windows)]
    windows::stopping();
}

#[cfg(unix)]
mod systemd {
    use std::time::Duration;

    use sd_notify::NotifyState;
    use tokio::time::interval;

    pub(super) fn tell(state: &[NotifyState<'_>]) {
        // Where no manager asks, there is nobody to tell.
        let _ = sd_notify::notify(state);
    }

    /// Says again and again that the tasks go on, twice as often as the manager asks for.
    pub(super) async fn live() {
        let Some(patience) = sd_notify::watchdog_enabled() else {
            return;
        };
        let mut ticks = interval((patience / 2).max(Duration::from_millis(100)));
        loop {
            ticks.tick().await;
            tell(&[NotifyState::Watchdog]);
        }
    }
}
