//! Systems, each with the ports, members and database that it stands for.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::legs::also_in;
use super::names::{Names, asking_zone};
use super::{System, SystemId, Translation, ZoneId, settings};
use crate::config::{self, ClientConnections, Config, Domain, ProxyTls, Translated};
use crate::diagnostic::Problem;
use crate::product::{Catalogue, Role, has_key};
use crate::yaml::At;

/// The key that says how clients speak to a system.
const CONNECTIONS: &str = "client_connections";

pub(super) fn one_system(
    system: &config::System,
    config: &Config,
    catalogue: &Catalogue,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> System {
    let what = format!("system `{}`", system.name.value);
    let zone = system
        .zone
        .as_ref()
        .and_then(|zone| names.zone(zone, &format!("{what} is in zone"), problems));
    let roles: BTreeSet<Role> = system.roles.iter().map(|role| role.value).collect();
    if let Some(publishes) = &system.publishes
        && !roles.contains(&Role::WebProxy)
    {
        let at = publishes
            .systems
            .first()
            .map_or(system.name.at, |first| first.at);
        problems.push(
            Problem::error(
                "publishes-without-role",
                at,
                format!("{what} publishes systems and has not the role web-proxy"),
            )
            .hint("add `web-proxy` to its roles"),
        );
    }
    two_sites(system, problems);
    no_member(system, problems);
    if roles.contains(&Role::SiteDatabaseReplica) && system.replication.is_none() {
        problems.push(
            Problem::warning(
                "replication-unsaid",
                system.name.at,
                format!("{what} is a database replica and does not say who starts the replication"),
            )
            .hint(
                "add `replication: push` (the site database connects) or `replication: pull` \
                 (the replica does); until then both directions are optional",
            ),
        );
    }
    enhanced_http(system, catalogue, problems);
    unsaid_connections(system, catalogue, problems);
    let published = system
        .publishes
        .iter()
        .flat_map(|publishes| &publishes.systems);
    System {
        name: system.name.value.clone(),
        declared: system.name.at,
        zone: zone.unwrap_or(0),
        also_in: also_in(system, zone, names, problems),
        names: system
            .names
            .iter()
            .filter_map(|(key, name)| {
                Some((asking_zone(key, names, problems)?, name.value.clone()))
            })
            .collect(),
        addresses: system
            .addresses
            .iter()
            .filter_map(|(key, list)| Some((asking_zone(key, names, problems)?, distinct(list))))
            .collect(),
        client_roles: roles.clone(),
        server_roles: roles,
        serves: system.serves.as_ref().map(|zones| {
            zones
                .iter()
                .filter_map(|zone| names.zone_number(&zone.value))
                .collect()
        }),
        initiated_by_site_server: system.initiated_by_site_server,
        settings: settings::of_system(system, config, catalogue, problems),
        database: None,
        forest: system.forest.as_ref().map(|forest| forest.value.clone()),
        is_domain_member: system.domain == Domain::Member,
        pulls_from: system
            .pulls_from
            .iter()
            .filter_map(|name| names.system(name, &format!("{what} pulls from"), problems))
            .collect(),
        connected_cache: system.connected_cache,
        publishes: published
            .filter_map(|name| names.system(name, &format!("{what} publishes"), problems))
            .collect(),
        proxy_tls: system
            .publishes
            .as_ref()
            .map_or(ProxyTls::Bridging, |publishes| publishes.tls),
        members: Vec::new(),
        published_ports: system
            .publishes
            .as_ref()
            .map(|publishes| translation(&publishes.ports))
            .unwrap_or_default(),
        pin: system.pin,
        ipsec_with: ipsec_peers(system, names, problems),
        old_tls: system.old_tls,
        package_drives: system.package_drives.clone(),
        ports: translations(system, names, problems),
        told: config::told(system),
    }
}

/// The roles to which clients speak HTTP or HTTPS by choice, where the product has one.
pub(crate) const SPOKEN_TO: [Role; 4] = [
    Role::ManagementPoint,
    Role::DistributionPoint,
    Role::SoftwareUpdatePoint,
    Role::StateMigrationPoint,
];

/// Refuses enhanced HTTP where the product does not have it.
fn enhanced_http(system: &config::System, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    let mut given = system.given.iter();
    if let Some(key) = given.find(|key| key.value == CONNECTIONS)
        && system.client_connections == Some(ClientConnections::EnhancedHttp)
        && has_key(catalogue.system_keys(), CONNECTIONS)
        && !catalogue.has_enhanced_http()
    {
        let text = format!(
            "system `{}` has `{CONNECTIONS}: enhanced-http`, and `{}` has no enhanced HTTP",
            system.name.value, catalogue.product
        );
        problems.push(Problem::error("unknown-word", key.at, text).hint("write `https` or `http`"));
    }
}

/// Warns of a role that clients speak to, where the product has several ways and the file does not say which.
fn unsaid_connections(system: &config::System, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    let keys = catalogue.system_keys().unwrap_or_default();
    let mut roles = system.roles.iter();
    let role = roles.find(|role| SPOKEN_TO.contains(&role.value));
    if let Some(role) = role
        && keys.iter().any(|key| key == CONNECTIONS)
        && system.client_connections.is_none()
    {
        let text = format!(
            "system `{}` is a {} and does not say how clients speak to it",
            system.name.value, role.value
        );
        let ways = match catalogue.has_enhanced_http() {
            true => "`client_connections: https`, `enhanced-http` or `http`",
            false => "`client_connections: https` or `http`",
        };
        problems.push(
            Problem::warning("connections-unsaid", role.at, text).hint(format!(
                "add {ways}, as the console shows it; until then the flows of each are optional"
            )),
        );
    }
}

fn distinct(list: &[At<IpAddr>]) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = list.iter().map(|address| address.value).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A server is that of one site.
fn two_sites(system: &config::System, problems: &mut Vec<Problem>) {
    const OF_A_SITE: [Role; 3] = [
        Role::SiteServer,
        Role::ParentSiteServer,
        Role::ChildSiteServer,
    ];
    let mut found = system
        .roles
        .iter()
        .filter(|role| OF_A_SITE.contains(&role.value));
    if let (Some(first), Some(second)) = (found.next(), found.next()) {
        problems.push(
            Problem::error(
                "two-sites",
                second.at,
                format!(
                    "system `{}` is a {} and a {}: the server of two sites",
                    system.name.value, first.value, second.value
                ),
            )
            .hint(
                "the site of this file has a `site-server`; the sites above and below it have \
                 servers of their own",
            ),
        );
    }
}

/// What the site runs on is a member of a domain.
fn no_member(system: &config::System, problems: &mut Vec<Problem>) {
    const MEMBERS: [Role; 6] = [
        Role::SiteServer,
        Role::ManagementPoint,
        Role::DistributionPoint,
        Role::FallbackStatusPoint,
        Role::SoftwareUpdatePoint,
        Role::DomainController,
    ];
    let role = system.roles.iter().find(|it| MEMBERS.contains(&it.value));
    if let (Domain::None, Some(role)) = (system.domain, role) {
        let name = &system.name.value;
        let text = format!(
            "system `{name}` is a {} and a member of no domain",
            role.value
        );
        problems.push(Problem::warning("not-a-member", role.at, text).hint(
            "site systems have to be members of a domain; `domain: none` is for hosts such as \
             one of revocation lists",
        ));
    }
}

fn ipsec_peers(
    system: &config::System,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<SystemId> {
    let what = format!("system `{}` speaks IPsec with", system.name.value);
    let mut peers = Vec::new();
    for name in &system.ipsec_with {
        let Some(peer) = names.system(name, &what, problems) else {
            continue;
        };
        if name.value == system.name.value || peers.contains(&peer) {
            problems.push(
                Problem::error("ipsec-peer", name.at, format!("{what} `{}`", name.value)).hint(
                    "`ipsec_with` lists other systems, each once; it holds for both ends, \
                     and one of them says it",
                ),
            );
            continue;
        }
        peers.push(peer);
    }
    peers
}

fn translations(
    system: &config::System,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<(ZoneId, Translation)> {
    let what = format!("`ports` of system `{}` names", system.name.value);
    let one = |(zone, pairs): &(At<String>, Vec<Translated>)| {
        Some((names.zone(zone, &what, problems)?, translation(pairs)))
    };
    system.ports.iter().filter_map(one).collect()
}

fn translation(pairs: &[Translated]) -> Translation {
    Translation::new(pairs.iter().map(|(asked, own)| (asked.value, own.value)))
}

/// Clients go to a virtual name, servers to its members.
pub(super) fn members(
    config: &Config,
    names: &Names<'_>,
    systems: &mut [System],
    problems: &mut Vec<Problem>,
) {
    for (number, system) in config.systems.iter().enumerate() {
        if system.members.is_empty() {
            continue;
        }
        let roles = std::mem::take(&mut systems[number].server_roles);
        for member in &system.members {
            let Some(other) = names.system(
                member,
                &format!("system `{}` has the member", system.name.value),
                problems,
            ) else {
                continue;
            };
            if other == number {
                problems.push(Problem::error(
                    "own-member",
                    member.at,
                    format!("system `{}` is a member of itself", member.value),
                ));
                continue;
            }
            systems[number].members.push(other);
            systems[other].server_roles.extend(&roles);
            systems[other]
                .client_roles
                .retain(|role| !roles.contains(role));
        }
    }
}

pub(super) fn databases(
    config: &Config,
    names: &Names<'_>,
    systems: &mut [System],
    problems: &mut Vec<Problem>,
) {
    let defaults = Databases::of(systems);
    for (number, system) in config.systems.iter().enumerate() {
        let found = match &system.database {
            Some(name) => {
                let found = names.system(
                    name,
                    &format!("the database of system `{}` is", system.name.value),
                    problems,
                );
                if let Some(other) = found
                    && !holds_database(&systems[other])
                {
                    problems.push(
                        Problem::error(
                            "no-database",
                            name.at,
                            format!("system `{}` holds no database", name.value),
                        )
                        .hint("its roles must have `site-database` or `site-database-replica`"),
                    );
                }
                found
            }
            None => defaults.near(systems[number].zone),
        };
        systems[number].database = found;
    }
}

fn holds_database(system: &System) -> bool {
    system.server_roles.contains(&Role::SiteDatabase)
        || system.server_roles.contains(&Role::SiteDatabaseReplica)
}

/// The databases that are used where the file names none.
struct Databases {
    /// The first replica of each zone.
    replicas: HashMap<ZoneId, SystemId>,
    site: Option<SystemId>,
}

impl Databases {
    fn of(systems: &[System]) -> Self {
        let with = |role: Role| {
            let all = systems.iter().enumerate();
            all.filter(move |(_, system)| system.server_roles.contains(&role))
        };
        let replicas = with(Role::SiteDatabaseReplica).rev();
        Self {
            replicas: replicas
                .map(|(number, system)| (system.zone, number))
                .collect(),
            site: with(Role::SiteDatabase).next().map(|(number, _)| number),
        }
    }

    /// A replica in the same zone, else the site database.
    fn near(&self, zone: ZoneId) -> Option<SystemId> {
        self.replicas.get(&zone).copied().or(self.site)
    }
}
