//! How whoever started a run ends it early.

use std::io;

/// Ends when the run is to end: Ctrl-C, or what the system and its services send in its place. From this call on neither
/// ends the program by force. It has to be called within a runtime.
///
/// # Errors
/// When the system does not let a program listen for that.
#[cfg(unix)]
pub fn interrupted() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when the run is to end: Ctrl-C, Ctrl-Break, the window is closed, or the system shuts down. From this call on none
/// of them ends the program by force. It has to be called within a runtime.
///
/// # Errors
/// When the system does not let a program listen for that.
#[cfg(windows)]
pub fn interrupted() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut key, mut break_key) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = key.recv() => {}
            _ = break_key.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}

/// Comes when whoever runs a daemon asks it to look at its files again.
pub struct ReloadAsked {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl ReloadAsked {
    /// Waits for the next time: SIGHUP. Windows has nothing like it, and this then never ends.
    pub async fn wait(&mut self) {
        #[cfg(unix)]
        if self.hangup.recv().await.is_some() {
            return;
        }
        std::future::pending().await
    }
}

/// Listens for that. From this call on it does not end the program. It has to be called within a runtime.
///
/// # Errors
/// When the system does not let a program listen for that.
pub fn reload_asked() -> io::Result<ReloadAsked> {
    #[cfg(unix)]
    use tokio::signal::unix::{SignalKind, signal};
    Ok(ReloadAsked {
        #[cfg(unix)]
        hangup: signal(SignalKind::hangup())?,
    })
}
