//! `portproof serve`: reads its file, says what happens, and tells the service manager how it is.

mod files;
mod manager;
#[cfg(windows)]
mod service;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::watch;

use super::WRONG;
use super::alerts;
use super::args::Serve;
use super::files::show;
use super::named::{Kind, read};
use super::runtime::runtime;
use super::streams::{say, tell_a_file};
use crate::alert::{self, About, Message};
use crate::diagnostic::{counted, has_errors};
use crate::history::Store;
use crate::os;
use crate::serve::{self, Files as _, ServeFile};
use files::OfUser;

/// The exit status when a channel did not take a test.
const NOT_TOLD: u8 = 1;

pub(super) fn run(arguments: &Serve) -> anyhow::Result<u8> {
    if let Some(path) = &arguments.log {
        let file = File::options().append(true).create(true).open(path);
        let file = file.with_context(|| format!("opening {}", path.display()))?;
        tell_a_file(file);
    }
    #[cfg(windows)]
    if arguments.service {
        return service::run(arguments.file.clone());
    }
    match arguments.test_alert {
        true => test(&arguments.file),
        false => serve(&arguments.file),
    }
}

/// Goes on until it is stopped.
fn serve(path: &Path) -> anyhow::Result<u8> {
    let Some(file) = load(path)? else {
        return Ok(WRONG);
    };
    let folder = folder(path);
    let files = OfUser::new(folder);
    let history = folder.join(&file.history.value);
    let store = Store::open_or_make(&history)?;
    let _alone = alone(&history)?;
    let runtime = runtime()?;
    let ended = runtime.block_on(go_on(file, store, files));
    // A resolver that hangs, or a receiver, must not hold up the end.
    runtime.shutdown_timeout(Duration::ZERO);
    ended.map(|()| 0)
}

/// Sends a test to each channel.
fn test(path: &Path) -> anyhow::Result<u8> {
    let file = load(path)?;
    Ok(file.map_or(WRONG, |file| test_alerts(&file, &OfUser::new(folder(path)))))
}

/// Where the paths of a file begin.
fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads the file; `None` when findings, already shown, refuse it.
fn load(path: &Path) -> anyhow::Result<Option<ServeFile>> {
    let bytes = read(path, Kind::ServeFile)
        .with_context(|| format!("reading {}", path.display()))?
        .bytes;
    let (file, mut problems) = serve::read(&bytes);
    // They are read again for each message; what is missing is said now.
    for channel in file.iter().flat_map(|it| &it.alerts) {
        alerts::files(channel, folder(path), &mut problems);
    }
    show(&path.display().to_string(), &bytes, &problems);
    Ok(file.filter(|_| !has_errors(&problems)))
}

/// Has the history to itself as long as the file that comes back is open. Two of them would each tell everything.
fn alone(history: &Path) -> anyhow::Result<File> {
    let path = history.join("serve.lock");
    let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
    file.try_lock().with_context(|| {
        format!(
            "another `portproof serve` uses the history in {}",
            history.display()
        )
    })?;
    Ok(file)
}

async fn go_on(file: ServeFile, store: Store, files: OfUser) -> anyhow::Result<()> {
    let (stopper, stop) = watch::channel(false);
    let (reloader, reload) = watch::channel(0_u64);
    let interrupted = os::interrupted().context("listening for the end")?;
    tokio::spawn(async move {
        tokio::select! {
            () = interrupted => {}
            () = manager::asked_to_stop() => {}
        }
        tell("stopping: runs under way are kept as far as they came");
        manager::stopping();
        let _ = stopper.send(true);
    });
    tokio::spawn(async move {
        // It ends with the process: a channel whose sender is gone would look like news.
        let Ok(mut asked) = os::reload_asked() else {
            return std::future::pending().await;
        };
        loop {
            asked.wait().await;
            tell("looking at all site files again");
            reloader.send_modify(|times| *times += 1);
        }
    });
    tell(&format!(
        "{}, {}; runs are kept in {}",
        counted(file.checks.len(), "check"),
        counted(file.alerts.len(), "channel"),
        file.history.value
    ));
    let files = Arc::new(files);
    serve::serve(
        file,
        store,
        files,
        Arc::new(tell),
        stop,
        reload,
        manager::ready,
    )
    .await
}

/// What happens, with the time.
fn tell(words: &str) {
    say!("{:.0} {words}", Timestamp::now());
}

/// Sends a test to each channel, and says what came of it.
fn test_alerts(file: &ServeFile, files: &OfUser) -> u8 {
    if file.alerts.is_empty() {
        say!("the file has no channel under `alerts`");
        return WRONG;
    }
    let about = About {
        site: "test".to_string(),
        place: os::host_name(),
        run: None,
        time: Timestamp::now(),
        url: None,
    };
    let message = Message::test(about);
    let mut status = 0;
    for channel in &file.alerts {
        let sent = match files.of_channel(channel) {
            Ok(read) => alert::send(channel, &read, &message).map_err(|fault| fault.to_string()),
            Err(why) => Err(why),
        };
        match sent {
            Ok(()) => say!("{}: took the test", channel.name),
            Err(why) => {
                say!("{}: did not take it: {why}", channel.name);
                status = NOT_TOLD;
            }
        }
    }
    status
}
