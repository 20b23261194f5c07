//! What the service manager is told: that all has begun, that it goes on, that it ends. systemd asks for that, and Windows
//! of a service.

#[cfg(windows)]
use super::service;

#[cfg(unix)]
mod told {
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

/// All has begun. From now on a task says that this process lives.
pub(super) fn ready() {
    #[cfg(unix)]
    {
        told::tell(&[sd_notify::NotifyState::Ready]);
        tokio::spawn(told::live());
    }
    #[cfg(windows)]
    service::ready();
}

/// Ends when the service manager stops this process in a way of its own.
pub(super) async fn asked_to_stop() {
    #[cfg(windows)]
    service::asked_to_stop().await;
    #[cfg(not(windows))]
    std::future::pending::<()>().await;
}

/// It ends.
pub(super) fn stopping() {
    #[cfg(unix)]
    told::tell(&[sd_notify::NotifyState::Stopping]);
    #[cfg(windows)]
    service::stopping();
}
