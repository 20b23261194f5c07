//! The agents of the file, and their places in the site.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::SignedDuration;

use super::Voice;
use crate::cli::agent::{access, verifying_key};
use crate::cli::named::{self, Kind};
use crate::cli::signing;
use crate::diagnostic::{Problem, has_errors, render, visible};
use crate::fleet::link::{Hub, Present};
use crate::fleet::{self, HubFile};
use crate::site::{Site, SystemId, ZoneId};

/// A clock that is off by more is told.
const CLOCK: SignedDuration = SignedDuration::from_secs(5);

/// An agent of the file, in the site.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) zone: ZoneId,
    pub(super) system: Option<SystemId>,
}

/// The agents of a file, in a site.
pub(in crate::cli) struct Members {
    /// All of them, in the order of the file.
    pub(super) all: Vec<Member>,
    file: HubFile,
    /// The folder that its paths are taken from.
    folder: PathBuf,
}

/// Reads the file of the agents, and finds their places in the site.
///
/// # Errors
/// With every finding, as it is shown to the user.
pub(in crate::cli) fn read(path: &Path, site: &Site) -> anyhow::Result<Members> {
    let content = named::read(path, Kind::AgentsFile)
        .with_context(|| format!("reading the file of the agents {}", path.display()))?;
    let (file, mut problems) = fleet::hub_file(&content.bytes);
    let agents = file.iter().flat_map(|it| &it.agents);
    let all = agents
        .filter_map(|it| member(&it.name.value, &it.value, site, &mut problems))
        .collect();
    let Some(file) = file.filter(|_| !has_errors(&problems)) else {
        let source = String::from_utf8_lossy(&content.bytes);
        let shown = render(&path.display().to_string(), &source, &problems);
        anyhow::bail!("the file of the agents is refused:\n{}", shown.trim_end());
    };
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    Ok(Members { all, file, folder })
}

/// An agent in the site; `None` when its place is not there.
fn member(
    name: &str,
    agent: &fleet::Agent,
    site: &Site,
    problems: &mut Vec<Problem>,
) -> Option<Member> {
    let it = &agent.zone;
    let Some(zone) = site.zones.iter().position(|zone| zone.name == it.value) else {
        let says = format!("the site file has no zone `{}`", it.value);
        problems.push(Problem::error("unknown-zone", it.at, says));
        return None;
    };
    let mut member = Member {
        name: name.to_string(),
        zone,
        system: None,
    };
    if let Some(named) = &agent.system {
        let mut systems = site.systems.iter();
        let known = systems.position(|system| system.name == named.value);
        member.system = known.filter(|system| site.systems[*system].is_in(zone));
        if member.system.is_none() {
            let says = format!(
                "the site file has no system `{}` in zone `{}`",
                named.value, it.value
            );
            problems.push(Problem::error("unknown-system", named.at, says));
        }
    }
    Some(member)
}

/// Connects to the NATS server.
pub(super) async fn connect(members: &Members, voice: &Voice) -> anyhow::Result<Hub> {
    let (file, folder) = (&members.file, members.folder.as_path());
    let key = signing::key(&folder.join(&file.key.value))?;
    let mut keys = HashMap::new();
    for agent in &file.agents {
        keys.insert(
            agent.name.value.clone(),
            verifying_key(folder, &agent.value.key.value)?,
        );
    }
    let access = access(
        folder,
        &file.server.value,
        file.ca.as_ref().map(|it| it.value.as_str()),
        &file.credentials.value,
        None,
        "portproof",
        "_INBOX.hub",
    )?;
    let domain = file.domain.as_ref().map(|it| it.value.as_str());
    Hub::connect(&access, domain, key, keys, Arc::clone(&voice.news)).await
}

/// What an agent says of itself.
pub(super) fn told(member: &Member, zone: &str, it: &Present) -> String {
    let here = &it.here;
    let clock = match it.clock.abs() > CLOCK {
        false => String::new(),
        true => format!("; its clock is {:#} off", it.clock),
    };
    let version = match here.version == env!("CARGO_PKG_VERSION") {
        true => String::new(),
        false => format!(", portproof {}", visible(&here.version)),
    };
    format!(
        "agent {} (zone {zone}): host {} with {}{version}{clock}",
        member.name,
        visible(&here.host),
        here.addresses
            .iter()
            .map(|it| visible(it))
            .collect::<Vec<_>>()
            .join(", "),
    )
}
