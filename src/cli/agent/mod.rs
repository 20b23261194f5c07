//! `portproof agent`: reads its file and keys, and works the jobs that the site has signed.

mod access;
mod setup;
mod work;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::watch;

use super::WRONG;
use super::args;
use super::files::show;
use super::named::{self, Kind};
use super::output::replace;
use super::runtime::runtime;
use super::signing;
use super::streams::say;
use crate::diagnostic::has_errors;
use crate::fleet::{self, AgentFile, Done, Doorman, Subjects, link};
use crate::os;
use work::Worker;

pub(super) use access::{access, verifying_key};

/// The file of an agent where the command line names none.
const DEFAULT: &str = "agent.yaml";

pub(super) fn run(arguments: &args::Agent) -> anyhow::Result<u8> {
    if let Some(folder) = &arguments.write_server_config {
        return setup::write(arguments, folder);
    }
    let path = arguments.file.as_deref().unwrap_or(Path::new(DEFAULT));
    let bytes = named::read(path, Kind::AgentFile)
        .with_context(|| {
            format!(
                "reading the file of the agent {} (`portproof agent --write-server-config` writes one)",
                path.display()
            )
        })?
        .bytes;
    let (file, problems) = fleet::agent_file(&bytes);
    show(&path.display().to_string(), &bytes, &problems);
    let Some(file) = file.filter(|_| !has_errors(&problems)) else {
        return Ok(WRONG);
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    os::raise_descriptor_limit();
    let runtime = runtime()?;
    let ended = runtime.block_on(work(file, folder));
    runtime.shutdown_background();
    ended.map(|()| 0)
}

async fn work(file: AgentFile, folder: &Path) -> anyhow::Result<()> {
    let name = file.name.value.clone();
    let subjects = Subjects { agent: &name };
    let state = file.state.as_ref().map_or("agent.state", |it| &it.value);
    let state = folder.join(state);
    let key = signing::key(&folder.join(&file.key.value))?;
    let site_key = verifying_key(folder, &file.site_key.value)?;
    let access = access(
        folder,
        &file.server.value,
        file.ca.as_ref().map(|it| it.value.as_str()),
        &file.credentials.value,
        file.proxy.as_ref().map(|it| it.value.clone()),
        &format!("portproof agent {name}"),
        &subjects.inbox(),
    )?;
    let policy = file.allow.policy();
    let doorman = Doorman::new(&name, site_key, policy.clone(), done(&state)?);
    let worker = Worker::new(folder.to_path_buf(), policy, state);
    let (stopper, stop) = watch::channel(false);
    let interrupted = os::interrupted().context("listening for the end")?;
    tokio::spawn(async move {
        interrupted.await;
        let _ = stopper.send(true);
        std::future::pending::<()>().await;
    });
    let tell = timed();
    tell(format!(
        "agent {name} begins; its server is {}",
        access.server
    ));
    link::serve(&access, &name, key, doorman, worker, tell, stop).await
}

/// A line on standard error, with the time.
fn timed() -> link::Tell {
    Arc::new(|words: String| say!("{:.0} {words}", Timestamp::now()))
}

/// Which jobs were done before; nothing where there is no such file yet.
fn done(state: &Path) -> anyhow::Result<Done> {
    match named::read(state, Kind::AgentState) {
        Ok(content) => serde_json::from_slice(&content.bytes).with_context(|| {
            format!(
                "{} is not what an agent has written there; while it is unreadable a job could be done twice",
                state.display()
            )
        }),
        Err(named::Unread::Refused(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            // It is written before the first job, so that a folder that is read-only is told now.
            let none = Done::default();
            replace(state, &serde_json::to_string(&none)?)?;
            Ok(none)
        }
        Err(why) => Err(why).with_context(|| format!("reading {}", state.display())),
    }
}
