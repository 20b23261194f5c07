//! What each rule proposes for this site.

use std::sync::Arc;

use super::{Flow, LIST, OWN, Reason, Target, WATCHLIST};
use crate::config::{Mode, ProxyTls, Replication, UpdateSync};
use crate::diagnostic::Place;
use crate::product::{
    Catalogue, Condition, Confidence, End, Need, PortName, Protocol, Role, Rule, Setting, Transport,
};
use crate::site::{Origin, Site, SystemId, ZoneId};
use crate::yaml::Ports;

/// The watchlist: the catalogue's, every number that the site configures or retires, and the product's defaults.
pub(super) fn watchlist(site: &Site, catalogue: &Catalogue) -> Vec<u16> {
    let mut ports: Vec<u16> = Vec::new();
    let named = catalogue
        .watchlist
        .iter()
        .filter_map(|name| catalogue.ports.get(name))
        .flat_map(|port| port.default.iter());
    let defaults =
        [Setting::ClientHttp, Setting::ClientHttps].map(|setting| catalogue.default_ports(setting));
    ports.extend(
        named
            .chain(defaults.iter().flatten())
            .flat_map(|range| range.low..=range.high),
    );
    ports.extend(site.settings.values().flatten());
    for system in &site.systems {
        ports.extend(system.published_ports.numbers());
        ports.extend(system.ports.iter().flat_map(|(_, it)| it.numbers()));
    }
    for system in site
        .systems
        .iter()
        .filter(|system| has(&system.client_roles, Role::SoftwareUpdatePoint))
    {
        ports.extend([
            system.software_update_ports.0,
            system.software_update_ports.1,
        ]);
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn has(roles: &std::collections::BTreeSet<Role>, role: Role) -> bool {
    roles.contains(&role)
}

/// Every flow that the catalogue's rules propose.
pub(super) fn from_rules(site: &Site, catalogue: &Catalogue, watchlist: &[u16]) -> Vec<Flow> {
    catalogue
        .rules
        .iter()
        .flat_map(|rule| from_rule(site, catalogue, watchlist, rule))
        .collect()
}

fn from_rule(site: &Site, catalogue: &Catalogue, watchlist: &[u16], rule: &Rule) -> Vec<Flow> {
    let mut flows = Vec::new();
    for to in 0..site.systems.len() {
        if !rule.to.iter().any(|end| leads_to(site, rule, *end, to)) {
            continue;
        }
        for from in rule.from.iter().flat_map(|end| origins(site, *end, to)) {
            let Some(certain) = holds(site, rule, from, to) else {
                continue;
            };
            if from == Origin::System(to) {
                continue;
            }
            flows.extend(one_pair(
                site, catalogue, watchlist, rule, from, to, certain,
            ));
        }
    }
    if is_of_lists(catalogue, rule) && site.crl_check {
        flows.extend(crl_flows(site, rule));
    }
    flows
}

/// Whether a rule is that of revocation lists.
fn is_of_lists(catalogue: &Catalogue, rule: &Rule) -> bool {
    rule.ports.iter().any(|name| {
        catalogue
            .ports
            .get(name)
            .is_some_and(|port| port.setting == Some(Setting::Crl))
    })
}

/// Revocation lists on hosts that are no system of the file: every client zone needs each host and port.
fn crl_flows(site: &Site, rule: &Rule) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (number, crl) in site.crls.iter().enumerate() {
        let mut earlier = site.crls[..number].iter();
        let again = earlier.any(|it| (&it.host, it.port) == (&crl.host, crl.port));
        if crl.system.is_some() || again {
            continue;
        }
        for zone in &site.clients {
            let mut reason = reason(rule);
            reason.declared = crl.declared;
            flows.push(Flow {
                from: Origin::Zone(*zone),
                to: Target::Host(crl.host.as_str().into()),
                transport: rule.transport,
                port: Ports::one(crl.port),
                protocol: rule.protocol,
                need: rule.planned_need(),
                reason: Arc::new(reason),
            });
        }
    }
    flows
}

/// Whether a flow has to serve revocation lists and nothing else.
pub fn is_only_of_lists(catalogue: &Catalogue, flow: &Flow) -> bool {
    let of_lists = |id: &String| {
        let rule = catalogue.rules.iter().find(|rule| rule.id == *id);
        *id == LIST || rule.is_some_and(|rule| is_of_lists(catalogue, rule))
    };
    flow.reason.rules.iter().all(of_lists)
}

/// The flow to a host of revocation lists that only certificates name; why it is needed the catalogue's rule says,
/// where it has one.
pub fn flow_to_list(
    catalogue: &Catalogue,
    zone: ZoneId,
    to: Target,
    port: u16,
    declared: Place,
) -> Flow {
    let rule = catalogue
        .rules
        .iter()
        .find(|rule| is_of_lists(catalogue, rule));
    let of_rule = rule.map(reason);
    let reason = Reason {
        rules: vec![LIST.to_string()],
        declared,
        ..of_rule.unwrap_or_else(|| Reason {
            rules: Vec::new(),
            why: "Certificates of the site name a revocation list here.".to_string(),
            breaks: "Clients that check revocation refuse every certificate that names it."
                .to_string(),
            source: "RFC 5280 section 4.2.1.13".to_string(),
            confidence: Confidence::Derived,
            declared,
            only_watched: false,
        })
    };
    Flow {
        from: Origin::Zone(zone),
        to,
        transport: Transport::Tcp,
        port: Ports::one(port),
        protocol: Protocol::Http,
        need: Need::Required,
        reason: Arc::new(reason),
    }
}

fn reason(rule: &Rule) -> Reason {
    Reason {
        rules: vec![rule.id.clone()],
        why: rule.why.clone(),
        breaks: rule.breaks.clone(),
        source: rule.source.clone(),
        confidence: rule.confidence,
        declared: Default::default(),
        only_watched: false,
    }
}

/// Servers reach the members of a virtual name, clients and proxies the name.
fn leads_to(site: &Site, rule: &Rule, end: End, to: SystemId) -> bool {
    let system = &site.systems[to];
    let from_servers = rule.from.iter().all(|end| end.is_system())
        && !rule.when.contains(&Condition::PublishedBySource);
    let roles = if from_servers {
        &system.server_roles
    } else {
        &system.client_roles
    };
    has_end(site, end, to, roles)
}

fn has_end(
    site: &Site,
    end: End,
    system: SystemId,
    roles: &std::collections::BTreeSet<Role>,
) -> bool {
    match end {
        End::Role(role) => has(roles, role),
        End::ActiveSoftwareUpdatePoint => {
            has(roles, Role::SoftwareUpdatePoint) && !site.is_internet_update_point(system)
        }
        End::InternetSoftwareUpdatePoint => {
            has(roles, Role::SoftwareUpdatePoint) && site.is_internet_update_point(system)
        }
        End::AnySystem => true,
        End::InternetClients
        | End::IntranetClients
        | End::Clients
        | End::Internet
        | End::LessTrustedZones
        | End::MoreTrustedZones => false,
    }
}

fn origins(site: &Site, end: End, to: SystemId) -> Vec<Origin> {
    let to_zone = site.systems[to].zone;
    let beyond = |zone: &ZoneId| !site.systems[to].is_in(*zone);
    let served = |zone: &ZoneId| site.serves(to, *zone) && site.proxy_for(*zone, to).is_none();
    let clients = site.clients.iter().copied();
    let zones: Vec<ZoneId> = match end {
        End::Clients => clients.filter(served).collect(),
        End::InternetClients => clients
            .filter(|zone| Some(*zone) == site.internet)
            .filter(served)
            .collect(),
        End::IntranetClients => clients
            .filter(|zone| Some(*zone) != site.internet)
            .filter(served)
            .collect(),
        End::Internet => site.internet.into_iter().filter(beyond).collect(),
        End::LessTrustedZones => (0..to_zone)
            .filter(|zone| Some(*zone) != site.internet)
            .filter(beyond)
            .collect(),
        End::MoreTrustedZones => (to_zone + 1..site.zones.len()).filter(beyond).collect(),
        End::Role(_)
        | End::ActiveSoftwareUpdatePoint
        | End::InternetSoftwareUpdatePoint
        | End::AnySystem => {
            let systems = site.systems.iter().enumerate();
            return systems
                .filter(|(number, system)| has_end(site, end, *number, &system.server_roles))
                .map(|(number, _)| Origin::System(number))
                .collect();
        }
    };
    zones.into_iter().map(Origin::Zone).collect()
}

/// Whether a rule's conditions hold: `None` no, `Some(true)` yes, `Some(false)` the file does not say.
fn holds(site: &Site, rule: &Rule, from: Origin, to: SystemId) -> Option<bool> {
    let mut certain = true;
    for condition in &rule.when {
        match condition_holds(site, *condition, from, to) {
            Some(true) => {}
            Some(false) => return None,
            None => certain = false,
        }
    }
    Some(certain)
}

/// One condition; `None` where the file does not say.
fn condition_holds(site: &Site, condition: Condition, from: Origin, to: SystemId) -> Option<bool> {
    let destination = &site.systems[to];
    let from_zone = site.zone_of(from);
    let (start, end) = site.legs(from, to);
    let source = match from {
        Origin::System(number) => Some(&site.systems[number]),
        Origin::Zone(_) => None,
    };
    let publishes = |role: Role| {
        destination.publishes.iter().any(|published| {
            has(&site.systems[*published].client_roles, role) && site.serves(*published, from_zone)
        })
    };
    Some(match condition {
        Condition::NativeMode => site.mode == Mode::Native,
        Condition::MixedMode => site.mode == Mode::Mixed,
        Condition::CrlCheck => site.crl_check,
        Condition::SyncDirect => site.update_sync == UpdateSync::Direct,
        Condition::SyncExportImport => site.update_sync == UpdateSync::ExportImport,
        Condition::SourceStartsConnections => {
            source.is_some_and(|source| !source.initiated_by_site_server)
        }
        Condition::SourceDoesNotStartConnections => {
            source.is_some_and(|source| source.initiated_by_site_server)
        }
        Condition::UsesThisDatabase => source.is_some_and(|source| source.database == Some(to)),
        Condition::UsesAnotherDatabase => {
            source.is_some_and(|source| source.database.is_some_and(|database| database != to))
        }
        Condition::ReplicationPush => {
            return replication(source, destination).map(|way| way == Replication::Push);
        }
        Condition::ReplicationPull => {
            return replication(source, destination).map(|way| way == Replication::Pull);
        }
        Condition::SameForest => source.is_none_or(|source| source.forest == destination.forest),
        Condition::SameZone => start == end,
        Condition::BetweenZones => start != end,
        Condition::PublishedBySource => source.is_some_and(|source| source.publishes.contains(&to)),
        Condition::PublishesManagementOrDistributionPoint => {
            publishes(Role::ManagementPoint) || publishes(Role::DistributionPoint)
        }
        Condition::PublishesSoftwareUpdatePoint => publishes(Role::SoftwareUpdatePoint),
        Condition::PublishesFallbackStatusPoint => publishes(Role::FallbackStatusPoint),
        Condition::SiteServerInDestinationZone => site.systems.iter().any(|system| {
            has(&system.server_roles, Role::SiteServer) && system.is_in(destination.zone)
        }),
        Condition::WebProxyInSourceZone => site
            .systems
            .iter()
            .any(|system| !system.publishes.is_empty() && system.is_in(from_zone)),
        Condition::DestinationDoesNotServeInternet => site
            .internet
            .is_none_or(|internet| !site.serves(to, internet)),
        Condition::IpsecBetween => match from {
            Origin::System(from) => site.is_ipsec_between(from, to),
            Origin::Zone(_) => false,
        },
        Condition::SourceZoneIsPassive => is_passive(site, start, end),
    })
}

fn replication(
    source: Option<&crate::site::System>,
    destination: &crate::site::System,
) -> Option<Replication> {
    let replica =
        |system: &crate::site::System| has(&system.server_roles, Role::SiteDatabaseReplica);
    let end = if replica(destination) {
        Some(destination)
    } else {
        source.filter(|source| replica(source))
    };
    end.and_then(|replica| replica.replication)
}

/// Whether nothing in a zone starts connections toward another: the site server starts them all, update metadata are
/// carried, no management point there uses a database beyond, and no replica there pulls.
fn is_passive(site: &Site, from: ZoneId, to: ZoneId) -> bool {
    let carried = site.update_sync == UpdateSync::ExportImport;
    carried
        && site
            .systems
            .iter()
            // What has a leg on either side crosses nothing.
            .filter(|system| system.is_in(from) && !system.is_in(to))
            .all(|system| {
                let database_beyond = has(&system.server_roles, Role::ManagementPoint)
                    && system
                        .database
                        .is_some_and(|database| site.systems[database].is_in(to));
                let pulls = has(&system.server_roles, Role::SiteDatabaseReplica)
                    && system.replication != Some(Replication::Push);
                let quiet = system.initiated_by_site_server
                    || has(&system.server_roles, Role::SiteDatabaseReplica);
                quiet && !database_beyond && !pulls && system.publishes.is_empty()
            })
}

fn one_pair(
    site: &Site,
    catalogue: &Catalogue,
    watchlist: &[u16],
    rule: &Rule,
    from: Origin,
    to: SystemId,
    certain: bool,
) -> Vec<Flow> {
    if rule.planned_need() == Need::Forbidden && !certain {
        return Vec::new();
    }
    let mut why = reason(rule);
    why.declared = site.systems[to].declared;
    why.why += &behind_proxy(site, from, to);
    let why = Arc::new(why);
    let at = |port, need| Flow {
        from,
        to: Target::System(to),
        transport: rule.transport,
        port,
        protocol: rule.protocol,
        need,
        reason: Arc::clone(&why),
    };
    if !rule.transport.has_ports() {
        return vec![at(Ports::NONE, rule.planned_need())];
    }
    let mut flows = Vec::new();
    for name in rule
        .ports
        .iter()
        .filter_map(|name| catalogue.ports.get(name))
    {
        for port in ports(site, watchlist, name, from, to) {
            let demoted = !certain || is_dispensable(site, catalogue, name, port);
            let need = if demoted && rule.planned_need() == Need::Required {
                Need::Optional
            } else {
                rule.planned_need()
            };
            flows.push(at(port, need));
        }
    }
    flows
}

/// What stands behind a proxy that clients use in place of the published systems.
fn behind_proxy(site: &Site, from: Origin, to: SystemId) -> String {
    let proxy = &site.systems[to];
    if proxy.publishes.is_empty() || !matches!(from, Origin::Zone(_)) {
        return String::new();
    }
    let names: Vec<&str> = proxy
        .publishes
        .iter()
        .map(|system| site.systems[*system].name.as_str())
        .collect();
    let how = match proxy.proxy_tls {
        ProxyTls::Bridging => "ends TLS and opens its own session to",
        ProxyTls::Tunnelling => "passes TLS through to",
    };
    format!(" The proxy {how} {}.", names.join(", "))
}

/// The default number, while another is active, when no client uses it any more.
fn is_dispensable(site: &Site, catalogue: &Catalogue, name: &PortName, port: Ports) -> bool {
    let Some(setting) = name
        .setting
        .filter(|setting| matches!(setting, Setting::ClientHttp | Setting::ClientHttps))
    else {
        return false;
    };
    !site.default_port_clients
        && site.client_ports(setting).len() > 1
        && catalogue.default_ports(setting).contains(&port)
}

fn ports(
    site: &Site,
    watchlist: &[u16],
    name: &PortName,
    from: Origin,
    to: SystemId,
) -> Vec<Ports> {
    let destination = &site.systems[to];
    let singles = |ports: &[u16]| {
        ports
            .iter()
            .map(|port| Ports::one(*port))
            .collect::<Vec<_>>()
    };
    match name.setting {
        None => fixed(name),
        Some(
            setting @ (Setting::ClientHttp
            | Setting::ClientHttps
            | Setting::RetiredHttp
            | Setting::RetiredHttps),
        ) => singles(site.client_ports(setting)),
        Some(Setting::SoftwareUpdateHttp) => singles(
            &update_points(site, from, to)
                .map(|pair| pair.0)
                .collect::<Vec<_>>(),
        ),
        Some(Setting::SoftwareUpdateHttps) => singles(
            &update_points(site, from, to)
                .map(|pair| pair.1)
                .collect::<Vec<_>>(),
        ),
        Some(Setting::RpcDynamic) => destination.rpc_ports.clone(),
        Some(Setting::Crl) => {
            let own: Vec<u16> = site
                .crls
                .iter()
                .filter(|crl| crl.system == Some(to))
                .map(|crl| crl.port)
                .collect();
            if own.is_empty() {
                name.default.clone()
            } else {
                singles(&own)
            }
        }
        Some(Setting::Watchlist) => singles(watchlist),
    }
}

/// A fixed name with a few numbers means each of them; one wide range stays a range.
fn fixed(name: &PortName) -> Vec<Ports> {
    const FEW: u16 = 16;
    name.default
        .iter()
        .flat_map(|range| {
            if range.high - range.low < FEW {
                (range.low..=range.high).map(Ports::one).collect()
            } else {
                vec![*range]
            }
        })
        .collect()
}

/// The pairs of the update points that a flow reaches: the destination's own, or of what it publishes.
fn update_points<'a>(
    site: &'a Site,
    from: Origin,
    to: SystemId,
) -> Box<dyn Iterator<Item = (u16, u16)> + 'a> {
    let proxy = &site.systems[to];
    if proxy.publishes.is_empty() || !matches!(from, Origin::Zone(_)) {
        return Box::new(std::iter::once(proxy.software_update_ports));
    }
    let published = proxy.publishes.iter().map(|system| &site.systems[*system]);
    Box::new(
        published
            .filter(|system| has(&system.client_roles, Role::SoftwareUpdatePoint))
            .map(|system| system.software_update_ports),
    )
}

/// The user's own flows.
pub(super) fn own_flows(site: &Site) -> Vec<Flow> {
    let one = |flow: &crate::site::OwnFlow| Flow {
        from: flow.from,
        to: Target::System(flow.to),
        transport: flow.transport,
        port: Ports::one(flow.port),
        protocol: flow
            .protocol
            .unwrap_or(if flow.transport == Transport::Udp {
                Protocol::Udp
            } else {
                Protocol::Tcp
            }),
        need: flow.need,
        reason: Arc::new(Reason {
            rules: vec![OWN.to_string()],
            why: flow
                .why
                .clone()
                .unwrap_or_else(|| "The site file asks for it.".to_string()),
            breaks: "What the site file asks for does not hold.".to_string(),
            source: "the site file".to_string(),
            confidence: Confidence::Documented,
            declared: flow.declared,
            only_watched: false,
        }),
    };
    site.flows.iter().map(one).collect()
}

/// Every port of the watchlist between zones: forbidden unless something needs it.
pub(super) fn from_watchlist(site: &Site, watchlist: &[u16]) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (to, system) in site.systems.iter().enumerate() {
        let why = Arc::new(Reason {
            rules: vec![WATCHLIST.to_string()],
            why: "Nothing that the site file describes needs this port between zones.".to_string(),
            breaks: "An open port that nobody needs can be attacked from the other zone."
                .to_string(),
            source: "follows from the site file".to_string(),
            confidence: Confidence::Derived,
            declared: system.declared,
            only_watched: true,
        });
        for zone in (0..site.zones.len()).filter(|zone| !system.is_in(*zone)) {
            flows.extend(watchlist.iter().map(|port| Flow {
                from: Origin::Zone(zone),
                to: Target::System(to),
                transport: Transport::Tcp,
                port: Ports::one(*port),
                protocol: Protocol::Tcp,
                need: Need::Forbidden,
                reason: Arc::clone(&why),
            }));
        }
    }
    flows
}
