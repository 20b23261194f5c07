//! The site with every name resolved: after `Site::new` succeeds, nobody checks a zone or system name again.
//!
//! Zones and systems are numbered in the order of the file; the order of zones is their trust, from the least to the
//! most. Findings are collected, not returned early.

mod addresses;
mod borders;
mod check;
mod exceptions;
mod flow_id;
mod legs;
mod lookup;
mod names;
mod numbers;
mod own;
mod paths;
mod settings;
mod systems;
mod translation;
mod update_points;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::{Config, CrlHosts, Pin, Probing, ProxyTls, Route, TlsVersion, Values};
use crate::diagnostic::{Place, Problem, has_errors};
use crate::product::{Catalogue, Need, Protocol, Role, Setting, Transport};

pub(crate) use check::CLIENT_FACING;
pub use exceptions::Exception;
pub use flow_id::{FlowId, IdPort, SWEPT, SWEPT_ANSWERED};
pub use settings::Settings;
pub(crate) use systems::SPOKEN_TO;
pub use translation::{Translation, Translator};

/// The number of a zone.
pub type ZoneId = usize;
/// The number of a system.
pub type SystemId = usize;

/// A site that cannot be wrong.
#[derive(Clone, Debug)]
pub struct Site {
    /// Site code.
    pub code: String,
    /// Product.
    pub product: String,
    /// Zones, from the least to the most trusted.
    pub zones: Vec<Zone>,
    /// The zone that Internet clients are in: the one named `internet`, else the one with a default route.
    pub internet: Option<ZoneId>,
    /// Firewalls.
    pub firewalls: Vec<Firewall>,
    /// Zones with managed clients.
    pub clients: Vec<ZoneId>,
    /// Systems.
    pub systems: Vec<System>,
    /// The version of the product; `None`: not said.
    pub version: Option<u16>,
    /// The cloud management gateway.
    pub cmg: Option<Cmg>,
    /// Whether the site is attached to a tenant.
    pub tenant_attach: bool,
    /// What the product lets the whole site choose: words, client request ports in use, and those that must be closed again.
    pub settings: Settings,
    /// Whether some clients still use the default numbers.
    pub default_port_clients: bool,
    /// Whether clients check revocation lists.
    pub crl_check: bool,
    /// Where the lists are.
    pub crls: Vec<Crl>,
    /// Whose lists are fetched.
    pub crl_hosts: CrlHosts,
    /// The newest version of TLS that clients speak; `None`: not said.
    pub clients_speak: Option<TlsVersion>,
    /// The ports at which a host that only certificates name may be asked for a list, besides that of HTTP.
    pub list_ports: BTreeSet<u16>,
    /// The user's own flows.
    pub flows: Vec<OwnFlow>,
    /// Systems that the agents of portproof need whatever their flows: those with NATS servers.
    pub nats: Vec<SystemId>,
    /// Accepted deviations, no two for one flow.
    pub exceptions: Vec<Exception>,
    /// How flows are tried.
    pub probing: Probing,
    /// The proxies through which the flows of zones leave.
    pub via: Vec<(ZoneId, Route)>,
    /// What the file says, key by key, as text: of all that flows come from, the systems aside.
    pub told: Values,
    /// The same, by what it is asked for.
    lookup: lookup::Lookup,
}

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Name.
    pub name: String,
    /// Where the file declares it.
    pub declared: Place,
    /// Networks.
    pub networks: Vec<IpNet>,
}

/// A firewall.
#[derive(Clone, Debug)]
pub struct Firewall {
    /// Name.
    pub name: String,
    /// The zones it stands between.
    pub between: (ZoneId, ZoneId),
    /// Its interfaces.
    pub addresses: Vec<IpAddr>,
    /// The box that it is a leg of, where the file says so.
    pub device: Option<String>,
}

/// A firewall on the way of a packet, with the zone before it and the zone behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The number of the firewall.
    pub firewall: usize,
    /// The zone that the packet comes from.
    pub from: ZoneId,
    /// The zone that it goes on into.
    pub to: ZoneId,
}

/// A host, or one name for several.
#[derive(Clone, Debug)]
pub struct System {
    /// Name in the file.
    pub name: String,
    /// Where the file declares it.
    pub declared: Place,
    /// Zone.
    pub zone: ZoneId,
    /// Further zones that it has a leg in.
    pub also_in: Vec<ZoneId>,
    /// Host names by asking zone (`None`: all others).
    pub names: Vec<(Option<ZoneId>, String)>,
    /// Addresses by asking zone (`None`: all others).
    pub addresses: Vec<(Option<ZoneId>, Vec<IpAddr>)>,
    /// Roles that clients and proxies reach here: none on a member of a virtual name for the roles of that name.
    pub client_roles: BTreeSet<Role>,
    /// Roles that servers reach here: none on a virtual name, its roles on each member.
    pub server_roles: BTreeSet<Role>,
    /// Client zones it accepts; `None` where the file says nothing.
    pub serves: Option<Vec<ZoneId>>,
    /// Whether only the site server may start connections between the two.
    pub initiated_by_site_server: bool,
    /// What the product lets it choose: words, the pair of its software update point, its dynamic RPC ranges.
    pub settings: Settings,
    /// The database its management point uses.
    pub database: Option<SystemId>,
    /// Its forest.
    pub forest: Option<String>,
    /// Whether it is a member of a domain of its forest.
    pub is_domain_member: bool,
    /// The distribution points from which it fetches its content.
    pub pulls_from: Vec<SystemId>,
    /// Whether it is a Connected Cache.
    pub connected_cache: bool,
    /// Systems it publishes.
    pub publishes: Vec<SystemId>,
    /// What it does with TLS when it publishes.
    pub proxy_tls: ProxyTls,
    /// Ports at which it is asked for what it publishes, each with that of the systems behind it.
    pub published_ports: Translation,
    /// The hosts behind a virtual name.
    pub members: Vec<SystemId>,
    /// The SHA-256 of its certificate.
    pub pin: Option<Pin>,
    /// Systems with which it speaks inside IPsec.
    pub ipsec_with: Vec<SystemId>,
    /// Whether the client for TLS of the past may shake hands with it.
    pub old_tls: bool,
    /// The drives on which a distribution point has packages; none: the file does not say.
    pub package_drives: Vec<char>,
    /// By asking zone: where address and port translation leads.
    pub ports: Vec<(ZoneId, Translation)>,
    /// What the file says, key by key, as text.
    pub told: Values,
}

/// A cloud management gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cmg {
    /// Its service name, in lower case.
    pub name: String,
    /// How many virtual machines it has.
    pub instances: u16,
    /// Whether it serves content.
    pub content: bool,
}

/// A revocation list to fetch.
#[derive(Clone, Debug)]
pub struct Crl {
    /// Its address.
    pub url: String,
    /// Host of the URL.
    pub host: String,
    /// Port of the URL.
    pub port: u16,
    /// The system of the file with that name or address.
    pub system: Option<SystemId>,
    /// Where the file says so.
    pub declared: Place,
}

/// A flow of the user's own.
#[derive(Clone, Debug)]
pub struct OwnFlow {
    /// Where the file says so.
    pub declared: Place,
    /// Zone or system it starts at.
    pub from: Origin,
    /// System it leads to.
    pub to: SystemId,
    /// Port.
    pub port: u16,
    /// Transport.
    pub transport: Transport,
    /// Protocol, where the file says so.
    pub protocol: Option<Protocol>,
    /// Need.
    pub need: Need,
    /// Reason.
    pub why: Option<String>,
    /// What fails with it.
    pub breaks: &'static str,
}

impl OwnFlow {
    /// Whether it asks that a TCP port be open.
    pub fn asks_of_tcp(&self) -> bool {
        self.transport == Transport::Tcp && self.need != Need::Forbidden
    }
}

/// Where a flow starts: anything in a zone, or one system only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Anything in the zone.
    Zone(ZoneId),
    /// This system only.
    System(SystemId),
}

impl Site {
    /// Resolves every name of a site file.
    ///
    /// # Errors
    /// `None` when a finding, now or among those that reading made, refuses the file. All findings are in `problems`.
    pub fn new(
        config: &Config,
        catalogue: &Catalogue,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let site = check::resolve(config, catalogue, problems);
        (!has_errors(problems)).then_some(site).flatten()
    }

    /// The system that has a name or address, in the eyes of any zone.
    pub fn system_at(&self, host: &str) -> Option<SystemId> {
        self.systems.iter().position(|system| system.is_at(host))
    }

    /// The zone of a flow's start.
    pub fn zone_of(&self, origin: Origin) -> ZoneId {
        match origin {
            Origin::Zone(zone) => zone,
            Origin::System(system) => self.systems[system].zone,
        }
    }

    /// The name of a flow's start.
    pub fn origin_name(&self, origin: Origin) -> &str {
        match origin {
            Origin::Zone(zone) => &self.zones[zone].name,
            Origin::System(system) => &self.systems[system].name,
        }
    }

    /// The firewalls between two zones, in the order in which a packet meets them.
    pub fn crosses(&self, from: ZoneId, to: ZoneId) -> Vec<&str> {
        self.way(from, to)
            .into_iter()
            .map(|crossing| self.firewalls[crossing.firewall].name.as_str())
            .collect()
    }

    /// The same with the zones on the way.
    pub fn way(&self, from: ZoneId, to: ZoneId) -> Vec<Crossing> {
        let mut here = from;
        let firewalls = self.lookup.ways.firewalls(from, to);
        let crossing = |firewall: usize| {
            let (a, b) = self.firewalls[firewall].between;
            let from = here;
            here = if a == from { b } else { a };
            Crossing {
                firewall,
                from,
                to: here,
            }
        };
        firewalls
            .unwrap_or_default()
            .into_iter()
            .map(crossing)
            .collect()
    }

    /// The box that a firewall is a leg of.
    pub fn device_of(&self, firewall: &str) -> Option<&str> {
        let found = self.firewalls.iter().find(|it| it.name == firewall);
        found.and_then(|it| it.device.as_deref())
    }

    /// The firewalls, the legs of one box once and under its name.
    pub fn boxes(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for firewall in &self.firewalls {
            if !all.contains(&firewall.device()) {
                all.push(firewall.device());
            }
        }
        all
    }

    /// The box of each firewall that is a leg of one, by the firewall's name.
    pub fn devices(&self) -> BTreeMap<String, String> {
        let legs = self.firewalls.iter();
        legs.filter_map(|leg| Some((leg.name.clone(), leg.device.clone()?)))
            .collect()
    }

    /// Whether two systems speak to each other inside IPsec: either of them says so.
    pub fn is_ipsec_between(&self, one: SystemId, other: SystemId) -> bool {
        let says = |one: SystemId, other| self.systems[one].ipsec_with.contains(&other);
        says(one, other) || says(other, one)
    }

    /// The proxy through which the flows of a zone leave.
    pub fn via(&self, zone: ZoneId) -> Option<&Route> {
        let found = self.via.iter().find(|(of, _)| *of == zone);
        found.map(|(_, route)| route)
    }

    /// The accepted deviation for a flow, whether it still holds or has lapsed.
    pub fn exception_for(&self, flow: &str) -> Option<&Exception> {
        let mut all = self.exceptions.iter();
        all.find(|exception| exception.flow == flow)
    }

    /// The firewall that has an address.
    pub fn firewall_at(&self, address: IpAddr) -> Option<&str> {
        self.firewalls
            .iter()
            .find(|firewall| firewall.addresses.contains(&address))
            .map(|firewall| firewall.name.as_str())
    }

    /// The proxy that clients of a zone must go through to reach a system.
    pub fn proxy_for(&self, client_zone: ZoneId, system: SystemId) -> Option<SystemId> {
        let mut publishers = self.publishers(system).iter().copied();
        publishers.find(|proxy| client_zone < self.systems[*proxy].zone)
    }

    /// Whether a system accepts clients of a zone.
    pub fn serves(&self, system: SystemId, client_zone: ZoneId) -> bool {
        let host = &self.systems[system];
        if !host.publishes.is_empty() {
            return client_zone < host.zone
                && host
                    .publishes
                    .iter()
                    .any(|published| self.serves(*published, client_zone));
        }
        match &host.serves {
            Some(zones) => zones.contains(&client_zone),
            None if host.client_roles.contains(&Role::CrlDistributionPoint) => true,
            None => Some(client_zone) != self.internet,
        }
    }

    /// The number of the zone whose networks hold an address most specifically.
    pub fn zone_of_address(&self, address: IpAddr) -> Option<(ZoneId, IpNet)> {
        let networks = self
            .zones
            .iter()
            .enumerate()
            .flat_map(|(zone, it)| it.networks.iter().map(move |network| (zone, *network)));
        networks
            .filter(|(_, network)| network.contains(&address))
            .max_by_key(|(_, network)| network.prefix_len())
    }

    /// The numbers of a setting that is the same for the whole site.
    pub fn client_ports(&self, setting: Setting) -> Vec<u16> {
        self.settings.numbers(setting)
    }
}

impl Firewall {
    /// The box that it is a leg of, else itself.
    pub fn device(&self) -> &str {
        self.device.as_deref().unwrap_or(&self.name)
    }
}

impl System {
    /// Whether it has this name or address, in the eyes of any zone.
    pub fn is_at(&self, host: &str) -> bool {
        let address = host.parse::<IpAddr>().ok();
        let named = |(_, name): &(_, String)| {
            name.trim_end_matches('.')
                .eq_ignore_ascii_case(host.trim_end_matches('.'))
        };
        self.names.iter().any(named)
            || address.is_some_and(|address| {
                self.addresses
                    .iter()
                    .any(|(_, list)| list.contains(&address))
            })
    }

    /// Port and SSL port of its software update point.
    pub fn update_ports(&self) -> Vec<u16> {
        let both = [Setting::SoftwareUpdateHttp, Setting::SoftwareUpdateHttps];
        let both = both.iter().flat_map(|it| self.settings.numbers(*it));
        both.collect()
    }

    /// The name by which a zone sees it.
    pub fn name_for(&self, zone: ZoneId) -> Option<&str> {
        by_zone(&self.names, zone).map(String::as_str)
    }

    /// Whether any zone sees it by an address.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.addresses
            .iter()
            .any(|(_, addresses)| addresses.contains(&address))
    }

    /// The addresses by which a zone sees it; empty where the file gives none.
    pub fn addresses_for(&self, zone: ZoneId) -> &[IpAddr] {
        by_zone(&self.addresses, zone).map_or(&[], Vec::as_slice)
    }
}

fn by_zone<T>(entries: &[(Option<ZoneId>, T)], zone: ZoneId) -> Option<&T> {
    let own = entries.iter().find(|(key, _)| *key == Some(zone));
    own.or_else(|| entries.iter().find(|(key, _)| key.is_none()))
        .map(|(_, value)| value)
}
