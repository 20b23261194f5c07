//! What exports say of one host.

use std::fmt;
use std::net::IpAddr;

use super::fact::{Fact, Source};
use super::object::{Export, Object};
use super::update_ports::UpdatePorts;
use crate::config::is_host_name;
use crate::product::Role;
use crate::yaml::of_no_host;

/// A host of the site.
#[derive(Clone, Debug, Default)]
pub(super) struct System {
    /// The name that all its roles have in common, in small letters.
    pub(super) host: String,
    /// Its name without its domain, where some export has only that.
    pub(super) short: Option<String>,
    /// By what full name it may stand here, too, and what speaks against it.
    pub(super) may_be: Option<String>,
    /// Its name inside.
    pub(super) inside: Fact<String>,
    /// Its name in the Internet.
    pub(super) public: Fact<String>,
    pub(super) addresses: Vec<(IpAddr, Source)>,
    pub(super) roles: Vec<(Role, Source)>,
    /// Why it is for clients on the Internet, and for those inside.
    pub(super) internet: Option<Source>,
    pub(super) intranet: Option<Source>,
    /// How clients speak to its management and distribution points.
    pub(super) speaks: Fact<Speaks>,
    /// How they speak to its update point.
    pub(super) updates_speak: Fact<Speaks>,
    pub(super) updates: UpdatePorts,
    /// Why only the site server starts connections between the two.
    pub(super) initiated: Option<Source>,
    pub(super) forest: Fact<String>,
    /// The hosts from which its pull distribution point fetches.
    pub(super) pulls_from: Option<(Vec<String>, Source)>,
    /// Why its distribution point is a Connected Cache.
    pub(super) cache: Option<Source>,
    /// Its management point does not use the site database, but this.
    pub(super) database: Option<(String, Source)>,
}

/// How clients speak to a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Https,
    Http,
}

impl fmt::Display for Speaks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Https => "HTTPS",
            Self::Http => "HTTP",
        })
    }
}

/// The properties that are read, in small letters.
pub(super) const READ: &[&str] = &[
    "server remote name",
    "server remote public name",
    "fdmoperation",
    "forestfqdn",
    "mpinternetfacing",
    "mpintranetfacing",
    "usesitedatabase",
    "sqlservername",
    "databasename",
    "sslstate",
    "allowinternetclients",
    "ispulldp",
    "flags",
    "fspinternetfacing",
    "isinf",
    "isintranet",
    "sslwsus",
    UpdatePorts::READ[0],
    UpdatePorts::READ[1],
];

/// The flag of a distribution point that is a Connected Cache (Microsoft Connected Cache in Configuration Manager, Microsoft
/// Learn, 2021-12-01).
const CACHE: i64 = 4;

/// The host that a role stands on, in small letters.
pub(super) fn host(object: &Object) -> Option<String> {
    let path = object.member("NetworkOSPath");
    let of_path = path.map(|path| path.trim_matches('\\'));
    let of_nal = object.member("NALPath").and_then(host_of_nal);
    let listed = object.member("FullQualifiedDomainName");
    let mut all = [of_path, of_nal, listed].into_iter().flatten();
    all.find(|name| is_host_name(name)).map(folded)
}

/// Whether a name has a domain.
pub(super) fn is_full(name: &str) -> bool {
    name.contains('.')
}

/// The host of `["Display=\\CM01\"]MSWNET:["SMS_SITE=PRI"]\\CM01\`.
fn host_of_nal(path: &str) -> Option<&str> {
    let behind = path.rsplit(']').next().unwrap_or(path);
    let mut parts = behind.split('\\').filter(|part| !part.is_empty());
    parts.next()
}

/// The name of a host as it is written.
fn folded(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl System {
    pub(super) fn new(host: String) -> Self {
        Self {
            host,
            ..Self::default()
        }
    }

    /// Whether an export means it by this name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.host == name || self.short.as_deref() == Some(name)
    }

    /// Takes over what is said of it by its short name.
    pub(super) fn take_over(&mut self, short: Self) {
        self.short = Some(short.host);
        if short.inside.one().is_some_and(|name| is_full(name)) {
            self.inside.join(short.inside);
        }
        self.public.join(short.public);
        for (address, source) in short.addresses {
            if !self.addresses.iter().any(|(known, _)| *known == address) {
                self.addresses.push((address, source));
            }
        }
        for (role, source) in short.roles {
            self.take_role(role, source);
        }
        self.internet = self.internet.take().or(short.internet);
        self.intranet = self.intranet.take().or(short.intranet);
        self.speaks.join(short.speaks);
        self.updates_speak.join(short.updates_speak);
        self.updates.http.join(short.updates.http);
        self.updates.https.join(short.updates.https);
        self.initiated = self.initiated.take().or(short.initiated);
        self.forest.join(short.forest);
        self.pulls_from = self.pulls_from.take().or(short.pulls_from);
        self.cache = self.cache.take().or(short.cache);
        self.database = self.database.take().or(short.database);
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.roles.iter().any(|(known, _)| *known == role)
    }

    pub(super) fn take_role(&mut self, role: Role, source: Source) {
        if !self.has(role) {
            self.roles.push((role, source));
        }
    }

    /// Takes what holds of the host, whatever the role that says it.
    pub(super) fn of_host(&mut self, export: &Export, object: &Object) {
        let source = |name: &str| Source::of(export, object, name);
        for (name, fact) in [
            ("Server Remote Name", &mut self.inside),
            ("Server Remote Public Name", &mut self.public),
        ] {
            let text = object.property(name).and_then(|it| it.text());
            if let Some(text) = text.filter(|text| is_host_name(text)) {
                fact.tell(folded(text), source(name));
            }
        }
        if object.number("FDMOperation") == Some(1) {
            self.initiated.get_or_insert(source("FDMOperation is 1"));
        }
        let forest = object.property("ForestFQDN").and_then(|it| it.text());
        if let Some(forest) = forest.filter(|forest| is_host_name(forest)) {
            self.forest.tell(folded(forest), source("ForestFQDN"));
        }
        let listed = object.list("IPAddress").iter().map(String::as_str);
        let listed = listed.chain(object.member("IPAddress"));
        let listed = listed.flat_map(|text| text.split(','));
        for address in listed.filter_map(|it| it.trim().parse::<IpAddr>().ok()) {
            let is_known = self.addresses.iter().any(|(known, _)| *known == address);
            if !is_known && of_no_host(address).is_none() {
                self.addresses.push((address, source("IPAddress")));
            }
        }
    }

    /// Takes what holds of one of its roles.
    pub(super) fn of_role(&mut self, role: Role, export: &Export, object: &Object) {
        self.clients(role, export, object);
        match role {
            Role::ManagementPoint => {
                self.ssl_state(export, object);
                self.own_database(export, object);
            }
            Role::DistributionPoint => {
                self.ssl_state(export, object);
                self.pull(export, object);
                if object
                    .number("Flags")
                    .is_some_and(|flags| flags & CACHE != 0)
                {
                    let source = Source::of(export, object, "Flags have 4");
                    self.cache.get_or_insert(source);
                }
            }
            Role::SoftwareUpdatePoint => self.update_point(export, object),
            _ => {}
        }
    }

    /// Whose clients a role accepts.
    fn clients(&mut self, role: Role, export: &Export, object: &Object) {
        let (internet, intranet) = match role {
            Role::ManagementPoint => ("MPInternetFacing", "MPIntranetFacing"),
            Role::SoftwareUpdatePoint => ("IsINF", "IsIntranet"),
            Role::DistributionPoint => ("AllowInternetClients", ""),
            Role::FallbackStatusPoint => ("FSPInternetFacing", ""),
            _ => return,
        };
        let is_set = |name: &str| object.number(name).is_some_and(|value| value != 0);
        let source = |name: &str, is: u8| Source::of(export, object, &format!("{name} is {is}"));
        if is_set(internet) {
            self.internet.get_or_insert(source(internet, 1));
        }
        if is_set(intranet) {
            self.intranet.get_or_insert(source(intranet, 1));
        }
        // A role that says whether it is for the Internet, and is not, is for the inside.
        if object.number(internet) == Some(0) && object.number(intranet).is_none() {
            self.intranet.get_or_insert(source(internet, 0));
        }
    }

    /// The property is of distribution points (0, or 63 for HTTPS), the member of every role (1 and 3 for HTTPS).
    fn ssl_state(&mut self, export: &Export, object: &Object) {
        let member = object.member("SslState").and_then(|it| it.parse().ok());
        let number = object.number("SslState").or(member);
        let speaks = match number {
            Some(1 | 3 | 63) => Speaks::Https,
            Some(0 | 4) => Speaks::Http,
            _ => return,
        };
        let what = format!("SslState is {}", number.unwrap_or_default());
        self.speaks.tell(speaks, Source::of(export, object, &what));
    }

    fn own_database(&mut self, export: &Export, object: &Object) {
        if object.number("UseSiteDatabase") != Some(0) || self.database.is_some() {
            return;
        }
        let name = object.property("SQLServerName").and_then(|it| it.text());
        let name = name.filter(|name| is_host_name(name)).map(folded);
        let source = Source::of(export, object, "UseSiteDatabase is 0, SQLServerName");
        self.database = Some((name.unwrap_or_default(), source));
    }

    fn pull(&mut self, export: &Export, object: &Object) {
        if object.number("IsPullDP") != Some(1) || self.pulls_from.is_some() {
            return;
        }
        let items = object.list("SourceDistributionPoints").iter();
        let hosts = items.filter_map(|item| host_of_nal(item));
        let hosts = hosts
            .filter(|host| is_host_name(host))
            .map(folded)
            .collect();
        let source = Source::of(export, object, "IsPullDP is 1, SourceDistributionPoints");
        self.pulls_from = Some((hosts, source));
    }

    fn update_point(&mut self, export: &Export, object: &Object) {
        self.updates.take(export, object);
        if let Some(value) = object.number("SSLWSUS") {
            let speaks = match value {
                0 => Speaks::Http,
                _ => Speaks::Https,
            };
            let source = Source::of(export, object, &format!("SSLWSUS is {value}"));
            self.updates_speak.tell(speaks, source);
        }
    }
}
