//! The agents of the file, and their places in the site.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use jiff::SignedDuration;

use crate::cli::agent::{access, tell, verifying_key};
use crate::cli::files::show;
use crate::cli::named::{self, Kind};
use crate::cli::signing;
use crate::diagnostic::{Problem, has_errors, visible};
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

/// Reads the file of the agents, and finds their places in the site.
pub(super) fn read(path: &Path, site: &Site) -> anyhow::Result<(HubFile, Vec<Member>)> {
    let bytes = named::read(path, Kind::AgentsFile)
        .with_context(|| format!("reading the file of the agents {}", path.display()))?
        .bytes;
    let (file, mut problems) = fleet::hub_file(&bytes);
    let mut members = Vec::new();
    for agent in file.iter().flat_map(|it| &it.agents) {
        let it = &agent.value;
        let zone = site
            .zones
            .iter()
            .position(|zone| zone.name == it.zone.value);
        let Some(zone) = zone else {
            let says = format!("the site file has no zone `{}`", it.zone.value);
            problems.push(Problem::error("unknown-zone", it.zone.at, says));
            continue;
        };
        let system = it.system.as_ref().map(|name| {
            let known = site
                .systems
                .iter()
                .position(|system| system.name == name.value);
            known
                .filter(|system| site.systems[*system].is_in(zone))
                .ok_or(name)
        });
        match system.transpose() {
            Ok(system) => members.push(Member {
                name: agent.name.value.clone(),
                zone,
                system,
            }),
            Err(name) => {
                let says = format!(
                    "the site file has no system `{}` in zone `{}`",
                    name.value, it.zone.value
                );
                problems.push(Problem::error("unknown-system", name.at, says));
            }
        }
    }
    show(&path.display().to_string(), &bytes, &problems);
    let file = file.filter(|_| !has_errors(&problems));
    Ok((file.context("the file of the agents is refused")?, members))
}

/// Connects to the NATS server.
pub(super) async fn connect(file: &HubFile, folder: &Path) -> anyhow::Result<Hub> {
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
        "portproof check",
        "_INBOX.hub",
    )?;
    let domain = file.domain.as_ref().map(|it| it.value.as_str());
    Hub::connect(&access, domain, key, keys, tell()).await
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
