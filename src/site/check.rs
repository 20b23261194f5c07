//! From names to numbers: every zone and system that the file names is looked up, and what cannot be is a finding.

use std::collections::BTreeSet;

use super::addresses::shared_addresses;
use super::borders::{firewalls, internet, shared_networks};
use super::legs::bridged;
use super::lookup::Lookup;
use super::names::Names;
use super::systems::{databases, members, one_system};
use super::update_points;
use super::{Cmg, Crl, OwnFlow, Settings, Site, System, Zone, ZoneId, exceptions, own, settings};
use crate::config::{self, ClientConnections, Config, Mode, ProxyTls, Sweep};
use crate::diagnostic::{Problem, choices, some_of};
use crate::product::{self, Catalogue, Role};
use crate::yaml::At;

/// Roles whose clients the file must name.
pub(crate) const CLIENT_FACING: [Role; 4] = [
    Role::ManagementPoint,
    Role::DistributionPoint,
    Role::FallbackStatusPoint,
    Role::SoftwareUpdatePoint,
];

/// The most systems that a hint names.
const MOST_NAMED: usize = 4;

/// More ports of one system than this are a port scan, and somebody must have allowed it.
const LARGEST_UNAUTHORISED_SWEEP: usize = 1_024;

pub(super) fn resolve(
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Option<Site> {
    let names = Names::new(config);
    product(config, catalogue, problems);
    roles(config, catalogue, problems);
    shared_names(config, &names, problems);
    shared_networks(config, problems);
    let internet = internet(config);
    let firewalls = firewalls(config, &names, problems);
    let clients: Vec<ZoneId> = config
        .clients
        .iter()
        .filter_map(|zone| names.zone(zone, "`clients` names", problems))
        .collect();
    let settings = settings::of_site(config, catalogue, problems);
    mixed_mode(config, &settings, internet, &clients, problems);
    needed_serves(config, &names, &clients, problems);
    let mut systems: Vec<System> = config
        .systems
        .iter()
        .map(|system| one_system(system, config, catalogue, &names, problems))
        .collect();
    members(config, &names, &mut systems, problems);
    databases(config, &names, &mut systems, problems);
    update_points::ask_for_the_active_one(catalogue, &systems, internet, problems);
    shared_addresses(config, &systems, config.zones.len(), problems);
    bridged(config, &systems, &firewalls, problems);
    let crls = crls(config, &settings, &systems, problems);
    let (of_agents, nats) = own::of_agents(config, &names, problems);
    let flows = config.flows.iter();
    let mut flows: Vec<OwnFlow> = flows
        .filter_map(|flow| own::flow(flow, &names, problems))
        .collect();
    flows.extend(of_agents);
    let via = config.via.iter().filter_map(|(zone, route)| {
        Some((names.zone(zone, "`via` names", problems)?, route.clone()))
    });
    let via = via.collect();
    let exceptions = exceptions::exceptions(config, &names, problems);
    large_sweep(config, &systems, problems);
    unserved_clients(config, &systems, &clients, internet, problems);
    let lookup = Lookup::new(&systems, &firewalls, config.zones.len(), internet);
    Some(Site {
        lookup,
        code: config
            .site
            .code
            .as_ref()
            .map(|code| code.value.clone())
            .unwrap_or_default(),
        product: catalogue.product.clone(),
        zones: config
            .zones
            .iter()
            .map(|zone| Zone {
                name: zone.name.value.clone(),
                declared: zone.name.at,
                networks: zone.networks.iter().map(|network| network.value).collect(),
            })
            .collect(),
        internet,
        firewalls,
        clients,
        systems,
        version: config.site.version.map(|version| version.value),
        cmg: config.site.cmg.as_ref().and_then(cmg),
        tenant_attach: config.site.tenant_attach,
        settings,
        default_port_clients: config.site.default_port_clients,
        crl_check: config.site.crl_check,
        crl_hosts: config.site.crl_hosts,
        clients_speak: config.site.clients_speak.iter().copied().max(),
        list_ports: list_ports(config, &crls),
        crls,
        flows,
        nats,
        exceptions,
        probing: config.probing.clone(),
        via,
        told: config.told(),
    })
}

fn product(config: &Config, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    if let Some(product) = &config.site.product
        && product.value != catalogue.product
    {
        let known: Vec<String> = product::all().map(|name| format!("`{name}`")).collect();
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
                "portproof has the rules of {}; the rules of another product are named with \
                 --catalogue FILE",
                known.join(", ")
            )),
        );
    }
}

/// The gateway; `None` where its name is missing, which is a finding already.
fn cmg(cmg: &config::Cmg) -> Option<Cmg> {
    let name = cmg.name.as_ref()?;
    Some(Cmg {
        name: name.value.trim_end_matches('.').to_ascii_lowercase(),
        instances: cmg.instances,
        content: cmg.content,
    })
}

/// Refuses roles that the product does not have: no rule of its catalogue names them.
fn roles(config: &Config, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    let known = Role::ALL.iter().filter(|it| catalogue.has_role(**it));
    let known: Vec<Role> = known.copied().collect();
    let all = config.systems.iter().flat_map(|system| &system.roles);
    for role in all.filter(|role| !known.contains(&role.value)) {
        let text = format!(
            "the product `{}` does not know the role `{}`",
            catalogue.product, role.value
        );
        let known = choices(role.value.name(), known.iter().map(|it| it.name()));
        problems.push(Problem::error("unknown-role", role.at, text).hint(known));
    }
}

fn shared_names(config: &Config, names: &Names<'_>, problems: &mut Vec<Problem>) {
    for system in config
        .systems
        .iter()
        .filter(|system| names.zone_number(&system.name.value).is_some())
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

fn mixed_mode(
    config: &Config,
    settings: &Settings,
    internet: Option<ZoneId>,
    clients: &[ZoneId],
    problems: &mut Vec<Problem>,
) {
    let mode = &config.site.mode;
    if settings.is(Mode::Mixed) && internet.is_some_and(|zone| clients.contains(&zone)) {
        let says = "the site is in mixed mode and has Internet clients";
        problems.push(Problem::error("mixed-mode-internet", mode.at, says).hint(
            "Internet-based client management needs native mode: `mode: native`, or take the zone \
             out of `clients`",
        ));
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

fn crls(
    config: &Config,
    settings: &Settings,
    systems: &[System],
    problems: &mut Vec<Problem>,
) -> Vec<Crl> {
    let site = &config.site;
    let asking = systems
        .iter()
        .filter(|it| asks_for_certificates(settings, it));
    let asking: Vec<&str> = asking.map(|it| it.name.as_str()).collect();
    if let Some(first) = site.crl_urls.first()
        && !site.crl_check
        && asking.is_empty()
    {
        problems.push(
            Problem::warning(
                "crl-unused",
                first.at,
                "`crl_urls` are given and `crl_check` is false",
            )
            .hint("then nobody asks for them: set `crl_check: true`, or take the list out"),
        );
    }
    let hosts_list = systems
        .iter()
        .any(|system| system.client_roles.contains(&Role::CrlDistributionPoint));
    if site.crl_check && site.crl_urls.is_empty() && !config.clients.is_empty() && !hosts_list {
        let at = site.code.as_ref().map(|code| code.at);
        let says = "clients check revocation lists, and the file does not say where these are";
        let servers = match &asking[..] {
            [] => String::new(),
            all => format!(
                "; servers that ask clients for certificates are expected to check them whatever \
                 `crl_check` says: {}",
                some_of(all, MOST_NAMED)
            ),
        };
        problems.push(Problem::warning("crl-unknown", at, says).hint(format!(
            "add `crl_urls` (in a certificate: CRL Distribution Points), or `crl_check: false`; \
             until then only those that certificates name are tried{servers}"
        )));
    }
    site.crl_urls
        .iter()
        .filter_map(|text| one_crl(text, systems, problems))
        .collect()
}

/// Whether a system asks those who come for a certificate: it looks for revoked ones itself.
fn asks_for_certificates(settings: &Settings, system: &System) -> bool {
    let asks = [Role::ManagementPoint, Role::DistributionPoint];
    let has_role = asks.iter().any(|role| system.server_roles.contains(role));
    let is_bridge = !system.publishes.is_empty() && system.proxy_tls == ProxyTls::Bridging;
    match settings.chosen::<Mode>() {
        Some(Mode::Native) => is_bridge || has_role,
        Some(Mode::Mixed) => false,
        // Of other products each server says it for itself.
        None => {
            let is_https = system.settings.chosen() == Some(ClientConnections::Https);
            is_bridge || (has_role && is_https)
        }
    }
}

/// The ports that the file gives for plain HTTP: those of its lists, and those at which clients ask.
fn list_ports(config: &Config, crls: &[Crl]) -> BTreeSet<u16> {
    let of_clients = config.site.client_ports.http.iter().map(|port| port.value);
    crls.iter().map(|crl| crl.port).chain(of_clients).collect()
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

fn large_sweep(config: &Config, systems: &[System], problems: &mut Vec<Problem>) {
    let Sweep::Ports(ranges) = &config.probing.sweep.value else {
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
            Problem::error(
                "unauthorised-sweep",
                config.probing.sweep.at,
                format!(
                    "`probing.sweep` has {ports} ports of each system, and nobody has allowed it"
                ),
            )
            .hint(format!(
                "above {LARGEST_UNAUTHORISED_SWEEP} ports say who did, as in \
                 authorised: \"change 4711\"; it is printed in the report"
            )),
        );
    }
}

fn unserved_clients(
    config: &Config,
    systems: &[System],
    clients: &[ZoneId],
    internet: Option<ZoneId>,
    problems: &mut Vec<Problem>,
) {
    for (zone, written) in clients.iter().zip(&config.clients) {
        // A gateway serves them in the place of systems.
        let has_gateway = config.site.cmg.is_some() && internet == Some(*zone);
        if !has_gateway
            && !systems.iter().any(|system| {
                system
                    .serves
                    .as_ref()
                    .is_some_and(|zones| zones.contains(zone))
            })
        {
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
