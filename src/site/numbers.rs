//! The port numbers that the file gives, else the product, by the setting of the product that they are for.

use std::collections::BTreeMap;

use crate::config::{self, Config, PortPair};
use crate::diagnostic::{Place, Problem};
use crate::product::{Catalogue, Role, Setting};
use crate::yaml::{At, Ports};

/// The console offers two services for each protocol.
const MOST_CLIENT_PORTS: usize = 2;

/// Numbers that the file gives to a setting of the site or of a system.
struct Given<'a> {
    setting: Setting,
    ports: &'a [At<u16>],
}

/// The client request ports, and those that must be closed again.
pub(super) fn of_site(
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Setting, Vec<Ports>> {
    let [http, https, retired_http, retired_https] = of_clients(config);
    let mut all = BTreeMap::new();
    for (active, retired) in [(http, retired_http), (https, retired_https)] {
        let ports = client_ports(active.ports, catalogue, active.setting, problems);
        let gone = retired_ports(retired.ports, &ports, problems);
        all.insert(retired.setting, singles(gone));
        all.insert(active.setting, singles(ports));
    }
    for (setting, own) in of_services(config) {
        let own = own.map(|port| vec![Ports::one(port.value)]);
        let ports = own.unwrap_or_else(|| catalogue.default_ports(setting));
        all.insert(setting, ports);
    }
    let instances = config.site.cmg.as_ref().map_or(0, |cmg| cmg.instances);
    let channels = catalogue.default_ports(Setting::CmgChannels).into_iter();
    let channels = channels.flat_map(|range| range.low..=range.high);
    let channels = channels.take(instances.into()).map(Ports::one).collect();
    all.insert(Setting::CmgChannels, channels);
    all
}

/// Numbers that hold for the whole site, one each.
fn of_services(config: &Config) -> [(Setting, Option<At<u16>>); 4] {
    let site = &config.site;
    [
        (Setting::Sql, site.sql_port),
        (Setting::ServiceBroker, site.service_broker_port),
        (Setting::ClientNotification, site.client_notification_port),
        (Setting::ExpressUpdates, site.express_updates_port),
    ]
}

/// The pair of an update point and the dynamic ports: the system's own, else the site's, else the product's. Ports of
/// multicast are the system's own or none.
pub(super) fn of_system(
    system: &config::System,
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Setting, Vec<Ports>> {
    let own = |ports: &[At<Ports>]| -> Vec<Ports> { ports.iter().map(|it| it.value).collect() };
    let dynamic = match system.rpc_ports.as_slice() {
        [] => catalogue.default_ports(Setting::RpcDynamic),
        ports => own(ports),
    };
    let mut all = BTreeMap::from([
        (Setting::RpcDynamic, dynamic),
        (Setting::Multicast, own(&system.multicast_ports)),
    ]);
    all.extend(update_ports(system, config, catalogue, problems));
    all
}

fn singles(ports: Vec<u16>) -> Vec<Ports> {
    ports.into_iter().map(Ports::one).collect()
}

/// The numbers of clients: those in use, then the retired ones.
fn of_clients(config: &Config) -> [Given<'_>; 4] {
    use Setting::{ClientHttp, ClientHttps, RetiredHttp, RetiredHttps};
    let (active, retired) = (&config.site.client_ports, &config.site.retired_client_ports);
    [
        (ClientHttp, &active.http),
        (ClientHttps, &active.https),
        (RetiredHttp, &retired.http),
        (RetiredHttps, &retired.https),
    ]
    .map(|(setting, ports)| Given { setting, ports })
}

/// A setting, and where the file gives numbers for it.
pub(super) type Written = (Setting, Option<Place>);

/// The numbers that the file gives to the whole site.
pub(super) fn written_of_site(config: &Config) -> Vec<Written> {
    let first = |ports: &[At<u16>]| ports.first().map(|port| port.at);
    let clients = of_clients(config).into_iter();
    let clients = clients.map(|it| (it.setting, first(it.ports)));
    let pair = places(&config.site.software_update_ports);
    let services = of_services(config).into_iter();
    let services = services.map(|(setting, port)| (setting, port.map(|it| it.at)));
    clients.chain(pair).chain(services).collect()
}

/// The numbers that the file gives to a system.
pub(super) fn written_of_system(system: &config::System) -> Vec<Written> {
    let first = |ports: &[At<Ports>]| ports.first().map(|it| it.at);
    let mut all = vec![
        (Setting::RpcDynamic, first(&system.rpc_ports)),
        (Setting::Multicast, first(&system.multicast_ports)),
    ];
    all.extend(places(&system.software_update_ports));
    all
}

fn places(pair: &PortPair) -> [Written; 2] {
    use Setting::{SoftwareUpdateHttp, SoftwareUpdateHttps};
    let (http, https) = (pair.http.map(|it| it.at), pair.https.map(|it| it.at));
    [(SoftwareUpdateHttp, http), (SoftwareUpdateHttps, https)]
}

fn client_ports(
    found: &[At<u16>],
    catalogue: &Catalogue,
    setting: Setting,
    problems: &mut Vec<Problem>,
) -> Vec<u16> {
    if let Some(third) = found.get(MOST_CLIENT_PORTS) {
        let says = "a client request service has at most two port numbers";
        problems.push(Problem::error("too-many-ports", third.at, says).hint(
            "Site Properties > Ports has two services for each; numbers no longer in use go under \
             `retired_client_ports`; portproof explain client-ports says where the console shows \
             them",
        ));
    }
    let mut ports: Vec<u16> = found.iter().map(|port| port.value).collect();
    if ports.is_empty() {
        let usual = catalogue.default_ports(setting);
        ports = usual.iter().map(|range| range.low).collect();
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
            .hint(
                "a number is either in `client_ports` or in `retired_client_ports`; portproof \
                 explain client-ports says where the console shows those in use",
            ),
        );
    }
    found.iter().map(|port| port.value).collect()
}

/// A system's own pair, else the site's, else the product's.
fn update_ports(
    system: &config::System,
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> [(Setting, Vec<Ports>); 2] {
    let own = &system.software_update_ports;
    let site = &config.site.software_update_ports;
    let default = |setting| catalogue.default_ports(setting).first().copied();
    let pick = |own: Option<At<u16>>, site: Option<At<u16>>, setting| {
        let given = own.or(site).map(|port| Ports::one(port.value));
        (setting, given.or_else(|| default(setting)))
    };
    let http = pick(own.http, site.http, Setting::SoftwareUpdateHttp);
    let https = pick(own.https, site.https, Setting::SoftwareUpdateHttps);
    let mut roles = system.roles.iter();
    let is_update_point = roles.any(|role| role.value == Role::SoftwareUpdatePoint);
    if let (true, Some(http), Some(https)) = (is_update_point, http.1, https.1) {
        let at = own.https.or(own.http).or(site.https).or(site.http);
        let at = at.map_or(system.name.at, |port| port.at);
        let name = &system.name.value;
        problems.extend(odd_pair(name, at, http, https, catalogue));
    }
    [http, https].map(|(setting, port)| (setting, Vec::from_iter(port)))
}

/// A pair that the console is unlikely to show.
fn odd_pair(
    name: &str,
    at: Place,
    http: Ports,
    https: Ports,
    catalogue: &Catalogue,
) -> Option<Problem> {
    let of_web_site = catalogue.default_ports(Setting::ClientHttp).contains(&http)
        && catalogue
            .default_ports(Setting::ClientHttps)
            .contains(&https);
    let is_usual = of_web_site || http.low.checked_add(1) == Some(https.low);
    let says = format!("the update ports of system `{name}` are {http} and {https}");
    (!is_usual).then(|| {
        Problem::warning("odd-update-ports", at, says).hint(
            "usually the SSL port is one above the other, or the two are the defaults of the web \
             site: compare with the console, as portproof explain software-update-ports says",
        )
    })
}
