//! `portproof agent`: reads its file and keys, and works the jobs that the site has signed.

mod access;
mod setup;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use super::WRONG;
use super::args;
use super::files::show;
use super::named::{self, Kind};
use super::output::replace;
use super::runtime::runtime;
use super::service;
use super::signing;
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
    let path = arguments.file.clone().unwrap_or_else(|| DEFAULT.into());
    service::run(&arguments.how, move || agent(&path))
}

/// Works jobs until it is stopped.
fn agent(path: &Path) -> anyhow::Result<u8> {
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
    let state = match &file.state {
        Some(state) => folder.join(&state.value),
        None => folder_of_its_own(folder).join("agent.state"),
    };
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
    let stop = service::stop("stopping: jobs under way are worked again after the next start")?;
    service::tell(&format!(
        "agent {name} begins; its server is {}",
        access.server
    ));
    // A server that is not there yet is waited for, and must not hold up the start of this host.
    service::ready();
    let tell = Arc::new(|words: String| service::tell(&words));
    link::serve(&access, &name, key, doorman, worker, tell, stop).await
}

/// Where it writes: into the folder that systemd gives it, or beside its file.
fn folder_of_its_own(folder: &Path) -> PathBuf {
    std::env::var_os("STATE_DIRECTORY").map_or_else(|| folder.to_path_buf(), PathBuf::from)
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
