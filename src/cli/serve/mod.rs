//! `portproof serve`: reads its file, says what happens, and tells the service manager how it is.

mod files;

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
use super::location;
use super::named::{Kind, read};
use super::runtime::runtime;
use super::service::{self, tell};
use super::streams::say;
use crate::alert::{self, About, Message};
use crate::diagnostic::{Problem, counted, has_errors};
use crate::history::{Location, Store};
use crate::os;
use crate::serve::{self, Files as _, ServeFile};
use crate::yaml::At;
use files::OfUser;

/// The exit status when a channel did not take a test.
const NOT_TOLD: u8 = 1;

pub(super) fn run(arguments: &Serve) -> anyhow::Result<u8> {
    let (file, is_test) = (arguments.file.clone(), arguments.test_alert);
    service::run(&arguments.how, move || match is_test {
        true => test(&file),
        false => serve(&file),
    })
}

/// Goes on until it is stopped.
fn serve(path: &Path) -> anyhow::Result<u8> {
    let Some((file, at)) = load(path)? else {
        return Ok(WRONG);
    };
    let folder = folder(path);
    let files = OfUser::new(folder);
    let mut store = Store::open_or_make(&at)?;
    store.be_alone()?;
    let runtime = runtime()?;
    let ended = runtime.block_on(go_on(file, &at, store, files));
    // A resolver that hangs, or a receiver, must not hold up the end.
    runtime.shutdown_timeout(Duration::ZERO);
    ended.map(|()| 0)
}

/// Sends a test to each channel.
fn test(path: &Path) -> anyhow::Result<u8> {
    let loaded = load(path)?;
    Ok(loaded.map_or(WRONG, |(file, _)| {
        test_alerts(&file, &OfUser::new(folder(path)))
    }))
}

/// Where the paths of a file begin.
fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads the file, and says where its history is; `None` when findings, already shown, refuse it.
fn load(path: &Path) -> anyhow::Result<Option<(ServeFile, Location)>> {
    let bytes = read(path, Kind::ServeFile)
        .with_context(|| format!("reading {}", path.display()))?
        .bytes;
    let (file, mut problems) = serve::read(&bytes);
    // They are read again for each message; what is missing is said now.
    for channel in file.iter().flat_map(|it| &it.alerts) {
        alerts::files(channel, folder(path), &mut problems);
    }
    let at = file
        .as_ref()
        .and_then(|file| home(file, folder(path), &mut problems));
    show(&path.display().to_string(), &bytes, &problems);
    Ok(file.zip(at).filter(|_| !has_errors(&problems)))
}

/// Where the history is; what is wrong with a file of its database is added to the findings.
fn home(file: &ServeFile, folder: &Path, problems: &mut Vec<Problem>) -> Option<Location> {
    if let Some(history) = &file.history {
        return Some(Location::Folder(folder.join(&history.value)));
    }
    let At { value, at } = file.database.as_ref()?;
    let password_file = file.database_password_file.as_ref();
    let password_file = password_file.map(|file| Path::new(&file.value));
    match location::complete(value.clone(), folder, password_file) {
        Ok(address) => Some(Location::Server(address)),
        Err(why) => {
            let problem = Problem::error("bad-database", *at, format!("{why:#}"));
            problems.push(problem.hint("its path is taken from the folder of this file"));
            None
        }
    }
}

async fn go_on(file: ServeFile, at: &Location, store: Store, files: OfUser) -> anyhow::Result<()> {
    let stop = service::stop("stopping: runs under way are kept as far as they came")?;
    let (reloader, reload) = watch::channel(0_u64);
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
        "{}, {}; runs are kept in {at}",
        counted(file.checks.len(), "check"),
        counted(file.alerts.len(), "channel"),
    ));
    let files = Arc::new(files);
    serve::serve(
        file,
        store,
        files,
        Arc::new(tell),
        stop,
        reload,
        service::ready,
    )
    .await
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
