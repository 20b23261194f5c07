//! From names to numbers: every zone and system that the file names is looked up, and what cannot be is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{
    Crl, Firewall, Origin, OwnFlow, Site, System, SystemId, Zone, ZoneId, exceptions, paths,
};
use crate::catalogue::{Catalogue, Role, Setting};
use crate::config::{self, Config, Mode, Sweep};
use crate::diagnostic::{Place, Problem, choices};
use crate::yaml::At;

/// Roles whose clients the file must name.
const CLIENT_FACING: [Role; 4] = [
    Role::ManagementPoint,
    Role::DistributionPoint,
    Role::FallbackStatusPoint,
    Role::SoftwareUpdatePoint,
];

/// The console offers two services for each protocol.
const MOST_CLIENT_PORTS: usize = 2;

/// More ports of one system than this are a port scan, and somebody must have allowed it.
const LARGEST_UNAUTHORISED_SWEEP: usize = 1_024;

/// What names are looked up in.
pub(super) struct Names<'a> {
    zones: Vec<&'a str>,
    systems: Vec<&'a str>,
}

impl Names<'_> {
    fn zone(&self, name: &At<String>, what: &str, problems: &mut Vec<Problem>) -> Option<ZoneId> {
        let found = self.zones.iter().position(|zone| *zone == name.value);
        if found.is_none() {
            problems.push(
                Problem::error(
                    "unknown-zone",
                    name.at,
                    format!("{what} `{}`, which is no zone of this file", name.value),
                )
                .hint(choices(&name.value, self.zones.iter().copied())),
            );
        }
        found
    }

    pub(super) fn system(
        &self,
        name: &At<String>,
        what: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<SystemId> {
        let found = self.systems.iter().position(|system| *system == name.value);
        if found.is_none() {
            problems.push(
                Problem::error(
                    "unknown-system",
                    name.at,
                    format!("{what} `{}`, which is no system of this file", name.value),
                )
                .hint(choices(&name.value, self.systems.iter().copied())),
            );
        }
        found
    }

    pub(super) fn origin(
        &self,
        name: &At<String>,
        what: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Origin> {
        let zone = self
            .zones
            .iter()
            .position(|zone| *zone == name.value)
            .map(Origin::Zone);
        let found = zone.or_else(|| {
            self.systems
                .iter()
                .position(|system| *system == name.value)
                .map(Origin::System)
        });
        if found.is_none() {
            let known: Vec<&str> = self.zones.iter().chain(&self.systems).copied().collect();
            problems.push(
                Problem::error(
                    "unknown-end",
                    name.at,
                    format!(
                        "{what} `{}`, which is no zone and no system of this file",
                        name.value
                    ),
                )
                .hint(choices(&name.value, known.iter().copied())),
            );
        }
        found
    }
}

pub(super) fn resolve(
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Option<Site> {
    let names = Names {
        zones: config
            .zones
            .iter()
            .map(|zone| zone.name.value.as_str())
            .collect(),
        systems: config
            .systems
            .iter()
            .map(|system| system.name.value.as_str())
            .collect(),
    };
    product(config, catalogue, problems);
    shared_names(config, &names, problems);
    shared_networks(config, problems);
    let internet = internet(config);
    let firewalls = firewalls(config, &names, problems);
    let clients: Vec<ZoneId> = config
        .clients
        .iter()
        .filter_map(|zone| names.zone(zone, "`clients` names", problems))
        .collect();
    mixed_mode(config, internet, &clients, problems);
    needed_serves(config, &names, &clients, problems);
    let client_http = client_ports(
        &config.site.client_ports.http,
        catalogue,
        Setting::ClientHttp,
        problems,
    );
    let client_https = client_ports(
        &config.site.client_ports.https,
        catalogue,
        Setting::ClientHttps,
        problems,
    );
    let retired = &config.site.retired_client_ports;
    let retired_http = retired_ports(&retired.http, &client_http, problems);
    let retired_https = retired_ports(&retired.https, &client_https, problems);
    let mut systems: Vec<System> = config
        .systems
        .iter()
        .map(|system| one_system(system, config, catalogue, &names, problems))
        .collect();
    members(config, &names, &mut systems, problems);
    databases(config, &names, &mut systems, problems);
    shared_addresses(config, &systems, config.zones.len(), problems);
    let crls = crls(config, &systems, problems);
    let flows = config
        .flows
        .iter()
        .filter_map(|flow| own_flow(flow, &names, problems))
        .collect();
    let via = config
        .via
        .iter()
        .filter_map(|(zone, via)| Some((names.zone(zone, "`via` names", problems)?, via.clone())));
    let via = via.collect();
    let exceptions = exceptions::exceptions(config, &names, problems);
    large_sweep(config, &systems, problems);
    unserved_clients(config, &systems, &clients, problems);
    Some(Site {
        code: config
            .site
            .code
            .as_ref()
            .map(|code| code.value.clone())
            .unwrap_or_default(),
        product: catalogue.product.clone(),
        mode: config.site.mode.map(|mode| mode.value).unwrap_or_default(),
        zones: config
            .zones
            .iter()
            .map(|zone| Zone {
                name: zone.name.value.clone(),
                networks: zone.networks.iter().map(|network| network.value).collect(),
            })
            .collect(),
        internet,
        firewalls,
        clients,
        systems,
        client_http,
        client_https,
        retired_http,
        retired_https,
        default_port_clients: config.site.default_port_clients,
        update_sync: config.site.update_sync,
        crl_check: config.site.crl_check,
        crls,
        flows,
        exceptions,
        probing: config.probing.clone(),
        via,
    })
}

fn product(config: &Config, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    if let Some(product) = &config.site.product
        && product.value != catalogue.product
    {
        problems.push(
            Problem::error(
                "unknown-product",
                product.at,
                format!(
                    "`site.product` is `{}`; the catalogue is for `{}`",
                    product.value, catalogue.product
                ),
            )
            .hint(format!(
                "write `{}`, or name another catalogue with --catalogue FILE",
                catalogue.product
            )),
        );
    }
}

fn shared_names(config: &Config, names: &Names<'_>, problems: &mut Vec<Problem>) {
    for system in config
        .systems
        .iter()
        .filter(|system| names.zones.contains(&system.name.value.as_str()))
    {
        problems.push(
            Problem::error(
                "name-taken",
                system.name.at,
                format!("`{}` is a zone and a system", system.name.value),
            )
            .hint("zones and systems share one set of names: rename one"),
        );
    }
}

fn shared_networks(config: &Config, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<ipnet::IpNet, &str> = BTreeMap::new();
    for zone in &config.zones {
        for network in &zone.networks {
            if let Some(other) = seen
                .insert(network.value, &zone.name.value)
                .filter(|other| *other != zone.name.value)
            {
                problems.push(
                    Problem::error(
                        "shared-network",
                        network.at,
                        format!(
                            "`{}` is a network of `{other}` and of `{}`",
                            network.value, zone.name.value
                        ),
                    )
                    .hint("a network lies in one zone"),
                );
            }
        }
    }
}

/// The zone of Internet clients: by its name, else by the default route.
fn internet(config: &Config) -> Option<ZoneId> {
    let named = config
        .zones
        .iter()
        .position(|zone| zone.name.value == "internet");
    named.or_else(|| {
        config.zones.iter().position(|zone| {
            zone.networks
                .iter()
                .any(|network| network.value.prefix_len() == 0)
        })
    })
}

fn firewalls(config: &Config, names: &Names<'_>, problems: &mut Vec<Problem>) -> Vec<Firewall> {
    let before = problems.len();
    let all: Vec<Firewall> = config
        .firewalls
        .iter()
        .filter_map(|firewall| one_firewall(firewall, names, problems))
        .collect();
    if problems.len() > before {
        return all;
    }
    if all.is_empty() && config.zones.len() > 1 && config.firewalls.is_empty() {
        problems.push(
            Problem::warning(
                "no-firewalls",
                config.zones[1].name.at,
                "the file names no firewall between its zones",
            )
            .hint("add `firewalls`, so that the report can say which one a flow crosses"),
        );
        return all;
    }
    for (zone, it) in config.zones.iter().enumerate().skip(1) {
        if paths::firewalls(&all, config.zones.len(), 0, zone).is_none() {
            problems.push(
                Problem::error(
                    "unconnected-zone",
                    it.name.at,
                    format!(
                        "no chain of firewalls connects zone `{}` with zone `{}`",
                        it.name.value, config.zones[0].name.value
                    ),
                )
                .hint(format!(
                    "add a firewall between `{}` and a zone beside it",
                    it.name.value
                )),
            );
        }
    }
    all
}

fn one_firewall(
    firewall: &config::Firewall,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Firewall> {
    let what = format!("firewall `{}` stands at", firewall.name.value);
    let ends: Vec<Option<ZoneId>> = firewall
        .between
        .iter()
        .map(|zone| names.zone(zone, &what, problems))
        .collect();
    let [Some(a), Some(b)] = ends[..] else {
        return None;
    };
    if a == b {
        problems.push(
            Problem::error(
                "firewall-zones",
                firewall.between[1].at,
                format!("{what} `{}` on both sides", firewall.between[1].value),
            )
            .hint("a firewall stands between two different zones"),
        );
        return None;
    }
    Some(Firewall {
        name: firewall.name.value.clone(),
        between: (a, b),
        addresses: firewall
            .addresses
            .iter()
            .map(|address| address.value)
            .collect(),
    })
}

fn mixed_mode(
    config: &Config,
    internet: Option<ZoneId>,
    clients: &[ZoneId],
    problems: &mut Vec<Problem>,
) {
    if let Some(mode) = config.site.mode
        && mode.value == Mode::Mixed
        && internet.is_some_and(|zone| clients.contains(&zone))
    {
        problems.push(Problem::error("mixed-mode-internet", mode.at, "the site is in mixed mode and has Internet clients").hint("Internet-based client management needs native mode: `mode: native`, or take the zone out of `clients`"));
    }
}

fn needed_serves(
    config: &Config,
    names: &Names<'_>,
    clients: &[ZoneId],
    problems: &mut Vec<Problem>,
) {
    let mut facing = false;
    for system in &config.systems {
        let role = system
            .roles
            .iter()
            .find(|role| CLIENT_FACING.contains(&role.value));
        facing |= role.is_some();
        if let Some(role) = role
            && system.serves.is_none()
        {
            problems.push(
                Problem::error(
                    "missing-serves",
                    role.at,
                    format!(
                        "system `{}` is a {} and does not say whose clients it accepts",
                        system.name.value, role.value
                    ),
                )
                .hint("add `serves`, as in serves: [internet]"),
            );
        }
        for zone in system.serves.iter().flatten() {
            if let Some(number) = names.zone(
                zone,
                &format!("system `{}` serves", system.name.value),
                problems,
            ) && !clients.contains(&number)
            {
                problems.push(
                    Problem::error(
                        "serves-no-clients",
                        zone.at,
                        format!(
                            "system `{}` serves `{}`, a zone without clients",
                            system.name.value, zone.value
                        ),
                    )
                    .hint(format!(
                        "add `{}` to `clients`, or take it out here",
                        zone.value
                    )),
                );
            }
        }
    }
    if facing && config.clients.is_empty() {
        let at = config.systems.first().map(|system| system.name.at);
        problems.push(
            Problem::error(
                "missing-key",
                at,
                "the file has roles that clients reach, and no key `clients`",
            )
            .hint("for example: clients: [internet, intranet]"),
        );
    }
}

fn client_ports(
    found: &[At<u16>],
    catalogue: &Catalogue,
    setting: Setting,
    problems: &mut Vec<Problem>,
) -> Vec<u16> {
    if let Some(third) = found.get(MOST_CLIENT_PORTS) {
        problems.push(Problem::error("too-many-ports", third.at, "a client request service has at most two port numbers").hint("Site Properties > Ports has two services for each; numbers no longer in use go under `retired_client_ports`; portproof explain client-ports says where the console shows them"));
    }
    let mut ports: Vec<u16> = found.iter().map(|port| port.value).collect();
    if ports.is_empty() {
        ports = catalogue
            .default_ports(setting)
            .iter()
            .map(|range| range.low)
            .collect();
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn retired_ports(found: &[At<u16>], active: &[u16], problems: &mut Vec<Problem>) -> Vec<u16> {
    for port in found.iter().filter(|port| active.contains(&port.value)) {
        problems.push(
            Problem::error(
                "retired-in-use",
                port.at,
                format!("port {} is retired and in use", port.value),
            )
            .hint("a number is either in `client_ports` or in `retired_client_ports`; portproof explain client-ports says where the console shows those in use"),
        );
    }
    found.iter().map(|port| port.value).collect()
}

fn asking_zone(
    key: &At<String>,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Option<ZoneId>> {
    if key.value == "default" {
        return Some(None);
    }
    let found = names.zones.iter().position(|zone| *zone == key.value);
    if found.is_none() {
        let known: Vec<&str> = names.zones.iter().copied().chain(["default"]).collect();
        problems.push(
            Problem::error(
                "unknown-zone",
                key.at,
                format!("`{}` is no zone of this file", key.value),
            )
            .hint(choices(&key.value, known.iter().copied())),
        );
    }
    found.map(Some)
}

fn one_system(
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
    if roles.contains(&Role::SiteDatabaseReplica) && system.replication.is_none() {
        problems.push(
            Problem::warning("replication-unsaid", system.name.at, format!("{what} is a database replica and does not say who starts the replication"))
                .hint("add `replication: push` (the site database connects) or `replication: pull` (the replica does); until then both directions are optional"),
        );
    }
    let published = system
        .publishes
        .iter()
        .flat_map(|publishes| &publishes.systems);
    System {
        name: system.name.value.clone(),
        declared: system.name.at,
        zone: zone.unwrap_or(0),
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
                .filter_map(|zone| names.zones.iter().position(|name| *name == zone.value))
                .collect()
        }),
        initiated_by_site_server: system.initiated_by_site_server,
        software_update_ports: update_ports(system, config, catalogue, problems),
        database: None,
        rpc_ports: if system.rpc_ports.is_empty() {
            catalogue.default_ports(Setting::RpcDynamic)
        } else {
            system.rpc_ports.iter().map(|range| range.value).collect()
        },
        forest: system.forest.as_ref().map(|forest| forest.value.clone()),
        replication: system.replication.map(|replication| replication.value),
        publishes: published
            .filter_map(|name| names.system(name, &format!("{what} publishes"), problems))
            .collect(),
        proxy_tls: system
            .publishes
            .as_ref()
            .map(|publishes| publishes.tls)
            .unwrap_or_default(),
        pin: system.pin,
    }
}

fn distinct(list: &[At<IpAddr>]) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = list.iter().map(|address| address.value).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A system's own pair, else the site's, else the product's.
fn update_ports(
    system: &config::System,
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> (u16, u16) {
    let (own, site) = (
        system.software_update_ports,
        config.site.software_update_ports,
    );
    let pick = |own: Option<At<u16>>, site: Option<At<u16>>, setting| {
        let default = catalogue
            .default_ports(setting)
            .first()
            .map_or(0, |range| range.low);
        own.or(site).map_or(default, |port| port.value)
    };
    let pair = (
        pick(own.http, site.http, Setting::SoftwareUpdateHttp),
        pick(own.https, site.https, Setting::SoftwareUpdateHttps),
    );
    let is_update_point = system
        .roles
        .iter()
        .any(|role| role.value == Role::SoftwareUpdatePoint);
    let defaults = (
        catalogue.default_ports(Setting::ClientHttp),
        catalogue.default_ports(Setting::ClientHttps),
    );
    let usual = defaults.0.iter().any(|range| range.low == pair.0)
        && defaults.1.iter().any(|range| range.low == pair.1);
    if is_update_point && !usual && pair.0.checked_add(1) != Some(pair.1) {
        let at = own
            .https
            .or(own.http)
            .or(site.https)
            .or(site.http)
            .map_or(system.name.at, |port| port.at);
        problems.push(
            Problem::warning("odd-update-ports", at, format!("the update ports of system `{}` are {} and {}", system.name.value, pair.0, pair.1))
                .hint("usually the SSL port is one above the other, or the two are the defaults of the web site: compare with the console, as portproof explain software-update-ports says"),
        );
    }
    pair
}

/// Clients go to a virtual name, servers to its members.
fn members(
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
            systems[other].server_roles.extend(&roles);
            systems[other]
                .client_roles
                .retain(|role| !roles.contains(role));
        }
    }
}

fn databases(
    config: &Config,
    names: &Names<'_>,
    systems: &mut [System],
    problems: &mut Vec<Problem>,
) {
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
            None => default_database(systems, systems[number].zone),
        };
        systems[number].database = found;
    }
}

fn holds_database(system: &System) -> bool {
    system.server_roles.contains(&Role::SiteDatabase)
        || system.server_roles.contains(&Role::SiteDatabaseReplica)
}

/// A replica in the same zone, else the site database.
fn default_database(systems: &[System], zone: ZoneId) -> Option<SystemId> {
    let with = |role: Role, near: bool| {
        systems.iter().position(|system| {
            system.server_roles.contains(&role) && (!near || system.zone == zone)
        })
    };
    with(Role::SiteDatabaseReplica, true).or_else(|| with(Role::SiteDatabase, false))
}

/// Two systems must not share an address, except a proxy and what it publishes.
fn shared_addresses(
    config: &Config,
    systems: &[System],
    zones: usize,
    problems: &mut Vec<Problem>,
) {
    let mut reported = BTreeSet::new();
    for zone in 0..zones.max(1) {
        let mut owners: BTreeMap<IpAddr, SystemId> = BTreeMap::new();
        for (number, system) in systems.iter().enumerate() {
            for address in system.addresses_for(zone) {
                let Some(other) = owners.insert(*address, number) else {
                    continue;
                };
                let published =
                    system.publishes.contains(&other) || systems[other].publishes.contains(&number);
                if published || !reported.insert((other, number, *address)) {
                    continue;
                }
                problems.push(
                    Problem::error("shared-address", place_of(&config.systems[number], *address), format!("systems `{}` and `{}` have one address, {address}", systems[other].name, system.name))
                        .hint("give each system its own address; a proxy and what it publishes may share one"),
                );
            }
        }
    }
}

fn place_of(system: &config::System, address: IpAddr) -> Place {
    let mut all = system.addresses.iter().flat_map(|(_, list)| list);
    all.find(|at| at.value == address)
        .map_or(system.name.at, |at| at.at)
}

fn crls(config: &Config, systems: &[System], problems: &mut Vec<Problem>) -> Vec<Crl> {
    let site = &config.site;
    if let Some(first) = site.crl_urls.first()
        && !site.crl_check
    {
        problems.push(
            Problem::warning(
                "crl-unused",
                first.at,
                "`crl_urls` are given and `crl_check` is false",
            )
            .hint("then no client asks for them: set `crl_check: true`, or take the list out"),
        );
    }
    let hosts_list = systems
        .iter()
        .any(|system| system.client_roles.contains(&Role::CrlDistributionPoint));
    if site.crl_check && site.crl_urls.is_empty() && !config.clients.is_empty() && !hosts_list {
        let at = site.code.as_ref().map(|code| code.at);
        problems.push(
            Problem::warning("crl-unknown", at, "clients check revocation lists, and the file does not say where these are")
                .hint("add `crl_urls` (in a certificate: CRL Distribution Points), or `crl_check: false`; until then only those that certificates name are tried"),
        );
    }
    site.crl_urls
        .iter()
        .filter_map(|text| one_crl(text, systems, problems))
        .collect()
}

fn one_crl(text: &At<String>, systems: &[System], problems: &mut Vec<Problem>) -> Option<Crl> {
    let parsed = url::Url::parse(&text.value)
        .ok()
        .filter(|url| url.scheme() == "http");
    let Some((host, port)) = parsed.as_ref().and_then(|url| {
        Some((
            url.host_str()?.to_ascii_lowercase(),
            url.port_or_known_default()?,
        ))
    }) else {
        problems.push(
            Problem::error(
                "bad-crl-url",
                text.at,
                format!("`{}` is no HTTP URL", text.value),
            )
            .hint("clients fetch revocation lists over plain HTTP: http://HOST/PATH"),
        );
        return None;
    };
    let bare = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_string();
    Some(Crl {
        url: text.value.clone(),
        system: systems.iter().position(|system| system.is_at(&bare)),
        host: bare,
        port,
        declared: text.at,
    })
}

fn own_flow(
    flow: &config::UserFlow,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Option<OwnFlow> {
    let from = names.origin(&flow.from, "the flow starts at", problems);
    let to = names.system(&flow.to, "the flow leads to", problems);
    let (from, to) = (from?, to?);
    if from == Origin::System(to) {
        problems.push(Problem::error(
            "flow-to-itself",
            flow.to.at,
            format!("the flow leads from `{}` to itself", flow.to.value),
        ));
        return None;
    }
    Some(OwnFlow {
        declared: flow.at,
        from,
        to,
        port: flow.port.value,
        transport: flow.transport,
        protocol: flow.protocol,
        need: flow.need,
        why: flow.why.as_ref().map(|why| why.value.clone()),
    })
}

fn large_sweep(config: &Config, systems: &[System], problems: &mut Vec<Problem>) {
    let Sweep::Ports(ranges) = &config.probing.sweep else {
        return;
    };
    let ports: usize = ranges
        .iter()
        .map(|range| usize::from(range.high - range.low) + 1)
        .sum();
    let outside = systems.iter().any(|system| {
        system.addresses.is_empty()
            || system
                .addresses
                .iter()
                .any(|(_, list)| list.iter().any(|address| !address.is_loopback()))
    });
    if ports > LARGEST_UNAUTHORISED_SWEEP && outside && config.probing.authorised.is_none() {
        problems.push(
            Problem::error("unauthorised-sweep", config.probing.sweep_at, format!("`probing.sweep` has {ports} ports of each system, and nobody has allowed it"))
                .hint(format!("above {LARGEST_UNAUTHORISED_SWEEP} ports say who did, as in authorised: \"change 4711\"; it is printed in the report")),
        );
    }
}

fn unserved_clients(
    config: &Config,
    systems: &[System],
    clients: &[ZoneId],
    problems: &mut Vec<Problem>,
) {
    for (zone, written) in clients.iter().zip(&config.clients) {
        if !systems.iter().any(|system| {
            system
                .serves
                .as_ref()
                .is_some_and(|zones| zones.contains(zone))
        }) {
            problems.push(
                Problem::warning(
                    "unserved-clients",
                    written.at,
                    format!("no system serves the clients of zone `{}`", written.value),
                )
                .hint("add the zone to the `serves` of a system"),
            );
        }
    }
}
