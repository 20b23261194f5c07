//! Writes the file: each line with where it comes from, a `?` where only the user knows, and at the end what is left out.

use std::fmt::Display;

use super::fact::{Fact, Said, Source};
use super::known::Known;
use super::system::{Speaks, System};
use crate::config::{ClientConnections, Mode};
use crate::diagnostic::some_of;
use crate::first_file::lines::{self, INTERNET, INTRANET, PERIMETER, address, line};
use crate::first_file::names;
use crate::product::{self, Catalogue, Role, has_key};
use crate::site::{CLIENT_FACING, SPOKEN_TO};

/// An answer that is open, as YAML.
const OPEN: &str = "\"?\"";
/// The most sources that a comment names.
const MOST_SOURCES: usize = 2;
/// The most lines on what sources say differently.
const MOST_DIFFERENCES: usize = 50;

/// A file, and what its sources say differently, one sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The site file.
    pub text: String,
    /// The contradictions.
    pub contradictions: Vec<String>,
}

/// The file, as YAML with comments.
pub fn text(known: &Known) -> Written {
    let mut page = Page {
        known,
        names: names::of(known.systems.iter().map(|system| system.host.as_str())),
        text: String::new(),
        contradictions: Vec::new(),
    };
    page.head();
    page.site();
    page.zones();
    page.systems();
    page.end();
    Written {
        text: page.text,
        contradictions: page.contradictions,
    }
}

/// What is written so far.
struct Page<'a> {
    known: &'a Known,
    /// The names of the systems, in their order.
    names: Vec<String>,
    text: String,
    contradictions: Vec<String>,
}

impl Page<'_> {
    fn line(&mut self, text: &str, comment: impl Display) {
        self.text += &line(text, &comment.to_string());
    }

    fn comment(&mut self, indent: &str, text: &str) {
        self.text += &format!("{indent}# {text}\n");
    }

    /// A key with its value, where a source says it. What sources say differently is a question.
    fn fact<T: PartialEq + Display>(&mut self, key: &str, of: &str, fact: &Fact<T>) {
        match fact.said() {
            Said::Nothing => {}
            Said::One(value, source) => self.line(&format!("{key}: {value}"), source),
            Said::Differently(all) => {
                self.differently(key.trim(), of, &all);
                self.line(&format!("{key}: {OPEN}"), all);
            }
        }
    }

    fn differently(&mut self, key: &str, of: &str, all: &str) {
        if self.contradictions.len() < MOST_DIFFERENCES {
            let text = format!("`{key}`{of} is said differently: {all}");
            self.contradictions.push(text);
        }
    }

    fn site_has(&self, key: &str) -> bool {
        let catalogue = self.known.catalogue.as_ref();
        catalogue.is_some_and(|it| has_key(it.site_keys(), key))
    }

    fn systems_have(&self, key: &str) -> bool {
        let catalogue = self.known.catalogue.as_ref();
        catalogue.is_some_and(|it| has_key(it.system_keys(), key))
    }

    fn head(&mut self) {
        let code = self.known.site.code.one().map_or("?", String::as_str);
        let by = format!(
            "`portproof import` wrote it from {}",
            some_of(&self.known.files, 3)
        );
        self.text += &lines::head(code, &by);
        self.text += "#\n\
            # Behind each line stands where it comes from: file, class, property.\n\
            # \"?\" stands where only you know. `portproof plan FILE` asks for each answer.\n\n";
    }

    fn site(&mut self) {
        let site = &self.known.site;
        self.text += "site:\n";
        match site.code.said() {
            Said::One(code, source) => self.line(&format!("  code: {}", lines::code(code)), source),
            _ => self.line(&format!("  code: {OPEN}"), "no export has a site code"),
        }
        let products: Vec<&str> = product::all().collect();
        match site.product.is_said() {
            true => self.fact("  product", "", &site.product),
            false => self.line(
                &format!("  product: {OPEN}"),
                format!("no export says it; one of {}", products.join(", ")),
            ),
        }
        self.version();
        self.mode();
        self.client_ports();
        self.update_ports();
        self.database_ports();
        self.gateway();
        self.lists();
        if let Said::One(parent, source) = site.parent.said() {
            self.comment(
                "  ",
                &format!(
                    "The parent site is {parent} ({source}): add its site server, with the role \
                     parent-site-server."
                ),
            );
        }
        self.text += "\n";
    }

    fn version(&mut self) {
        let Said::One(version, source) = self.known.site.version.said() else {
            return;
        };
        if !self.site_has("version") {
            return;
        }
        match version.name() {
            Some(name) => self.line(&format!("  version: {name}"), source),
            None => self.line(
                "  # version: 2403",
                format!("as the console shows it; {version} by {source}"),
            ),
        }
    }

    fn mode(&mut self) {
        if !self.site_has("mode") {
            return;
        }
        match self.known.site.state.said() {
            Said::One(state, source) => {
                let mode = match state.is_https_only() {
                    true => Mode::Native,
                    false => Mode::Mixed,
                };
                self.line(&format!("  mode: {mode}"), source);
            }
            Said::Nothing => self.line(
                &format!("  mode: {OPEN}"),
                "native or mixed: no export has IISSSLState of SMS_SITE_COMPONENT_MANAGER",
            ),
            Said::Differently(all) => {
                self.differently("mode", "", &all);
                self.line(&format!("  mode: {OPEN}"), all);
            }
        }
    }

    fn client_ports(&mut self) {
        let site = &self.known.site;
        if site.client_http.is_said() || site.client_https.is_said() {
            self.text += "  client_ports:\n";
            self.fact("    http", " of the clients' ports", &site.client_http);
            self.fact("    https", " of the clients' ports", &site.client_https);
        } else if let Some(catalogue) = &self.known.catalogue {
            self.text += &lines::default_ports(catalogue, &["client_ports"]);
        }
    }

    /// Those of the whole site; those of a role stand with their system.
    fn update_ports(&mut self) {
        let site = &self.known.site;
        let mut systems = self.known.systems.iter();
        if site.updates.is_said() {
            self.text += "  software_update_ports:\n";
            self.fact("    http", " of the update ports", &site.updates.http);
            self.fact("    https", " of the update ports", &site.updates.https);
        } else if let Some(catalogue) = &self.known.catalogue
            && !systems.any(|it| it.updates.is_said())
        {
            self.text += &lines::default_ports(catalogue, &["software_update_ports"]);
        }
    }

    fn database_ports(&mut self) {
        let site = &self.known.site;
        for (key, fact) in [
            ("sql_port", &site.sql),
            ("service_broker_port", &site.service_broker),
        ] {
            match (self.site_has(key), fact.said()) {
                (true, _) => self.fact(&format!("  {key}"), "", fact),
                (false, Said::One(port, source)) => {
                    let text = format!("{key}: {port} ({source}); the product has no such key");
                    self.comment("  ", &text);
                }
                (false, _) => {}
            }
        }
    }

    fn gateway(&mut self) {
        let roles = self.known.systems.iter().flat_map(|system| &system.roles);
        let mut points = roles.filter(|(role, _)| *role == Role::CmgConnectionPoint);
        if let Some((_, source)) = points.next()
            && self.site_has("cmg")
        {
            self.text += "  cmg:\n";
            self.line(
                &format!("    name: {OPEN}"),
                format!("the name of the gateway in the cloud; a connection point is in {source}"),
            );
            self.line("    # instances: 1", "how many virtual machines it has");
        }
    }

    fn lists(&mut self) {
        let site = &self.known.site;
        let checked = site.state.one().and_then(|state| state.checks_lists());
        match (site.state.said(), checked) {
            (Said::Nothing, _) => {
                self.text += "  # crl_check: false              # where clients check no \
                              revocation lists; no export says it\n";
            }
            (Said::One(_, source), Some(checked)) => {
                self.line(&format!("  crl_check: {checked}"), source);
            }
            (Said::One(_, source), None) => self.line(
                &format!("  crl_check: {OPEN}"),
                format!("true or false: sources disagree on what this means, {source}"),
            ),
            (Said::Differently(all), _) => {
                self.differently("crl_check", "", &all);
                self.line(&format!("  crl_check: {OPEN}"), all);
            }
        }
        if checked != Some(false) {
            self.text += lines::LISTS;
        }
    }

    fn zones(&mut self) {
        self.text += &lines::zones();
        for (zone, example) in [
            (PERIMETER, "between the firewalls, as in 192.0.2.0/24"),
            (INTRANET, "the inside, as in 10.0.0.0/8"),
        ] {
            self.line(&format!("  {zone}: {{ networks: [{OPEN}] }}"), example);
        }
        self.text += "\n# Without a perimeter take out its line above, and let one firewall stand \
                      between internet and intranet.\n";
        self.text += &lines::firewalls(true);
        self.text += "\n";
        let mut served: Vec<&str> = Vec::new();
        let systems = self.known.systems.iter();
        for zones in systems.filter_map(Served::of).map(|it| it.zones()) {
            served.extend(zones);
        }
        let zones = [INTERNET, INTRANET].into_iter();
        let zones: Vec<&str> = zones.filter(|zone| served.contains(zone)).collect();
        match (served.is_empty(), served.contains(&OPEN)) {
            (true, _) => {
                self.text += "# clients: [intranet]              # the zones with clients\n";
            }
            (false, true) => {
                self.line(&format!("clients: [{OPEN}]"), "the zones with clients");
            }
            (false, false) => self.line(
                &format!("clients: [{}]", zones.join(", ")),
                "the zones with clients, as `serves` below has them",
            ),
        }
        self.text += "\n";
    }

    fn systems(&mut self) {
        self.text += "systems:\n";
        let known = self.known;
        for (index, system) in known.systems.iter().enumerate() {
            if index > 0 {
                self.text += "\n";
            }
            self.system(system, index);
        }
    }

    fn system(&mut self, system: &System, index: usize) {
        let name = self.names[index].clone();
        let of = format!(" of system `{name}`");
        self.text += &format!("  {name}:\n");
        self.line(
            &format!("    zone: {OPEN}"),
            format!(
                "{INTERNET}, {PERIMETER} or {INTRANET}: where it stands{}",
                hint_of_zone(system)
            ),
        );
        self.host_names(system, &of);
        if let Some(short) = &system.short {
            self.comment("    ", &format!("Other exports name it {short}."));
        }
        if let Some(may_be) = &system.may_be {
            let text =
                format!("It may be the same host as {may_be}: if so, make one system of both.");
            self.comment("    ", &text);
        }
        self.addresses(system);
        let roles: Vec<String> = system
            .roles
            .iter()
            .map(|(role, _)| role.to_string())
            .collect();
        let sources = sources(system.roles.iter().map(|(_, source)| source));
        self.line(&format!("    roles: [{}]", roles.join(", ")), sources);
        if let Some(served) = Served::of(system) {
            self.line(
                &format!("    serves: [{}]", served.zones().join(", ")),
                served.why(),
            );
        }
        self.connections(system, &of);
        if self.systems_have("software_update_ports") && system.updates.is_said() {
            self.text += "    software_update_ports:\n";
            self.fact("      http", &of, &system.updates.http);
            self.fact("      https", &of, &system.updates.https);
        }
        if let Some(source) = &system.initiated
            && self.systems_have("initiated_by_site_server")
        {
            self.line("    initiated_by_site_server: true", source);
        }
        if let Some(source) = &system.cache
            && self.systems_have("connected_cache")
        {
            self.line("    connected_cache: true", source);
        }
        self.elsewhere(system);
        if let Said::One(forest, source) = system.forest.said() {
            self.line(&format!("    # forest: {forest}"), source);
        }
    }

    fn host_names(&mut self, system: &System, of: &str) {
        let mut comments = Vec::new();
        let mut chosen = |fact: &Fact<String>, key: &str| match fact.said() {
            Said::Nothing => None,
            Said::One(name, source) => {
                comments.push(source.to_string());
                Some(name.clone())
            }
            Said::Differently(all) => {
                self.differently(key, of, &all);
                comments.push(all);
                Some("?".to_string())
            }
        };
        let public = chosen(&system.public, "names.internet");
        let inside = chosen(&system.inside, "names.default");
        if inside.is_none() {
            comments.push("the name of the server in its roles".to_string());
        }
        let inside = inside.unwrap_or(system.host.clone());
        self.line(
            &lines::names(&inside, public.as_deref()),
            comments.join("; "),
        );
    }

    fn addresses(&mut self, system: &System) {
        let all: Vec<String> = system
            .addresses
            .iter()
            .map(|(it, _)| address(*it))
            .collect();
        if !all.is_empty() {
            self.line(
                &format!("    addresses: {{ default: [{}] }}", all.join(", ")),
                sources(system.addresses.iter().map(|(_, source)| source)),
            );
        }
    }

    fn connections(&mut self, system: &System, of: &str) {
        if !SPOKEN_TO.iter().any(|role| system.has(*role))
            || !self.systems_have("client_connections")
        {
            return;
        }
        let key = "    client_connections";
        // The update point has a setting of its own, which counts where no other role has one.
        let said = match system.speaks.is_said() {
            true => &system.speaks,
            false => &system.updates_speak,
        };
        let state = self.known.site.state.one();
        let catalogue = self.known.catalogue.as_ref();
        let may_be_enhanced = catalogue.is_some_and(Catalogue::has_enhanced_http);
        let (way, comment) = match (said.said(), state) {
            (Said::One(Speaks::Https, source), _) => {
                (Some(ClientConnections::Https), source.to_string())
            }
            (Said::One(Speaks::Http, source), Some(state)) if may_be_enhanced => {
                match state.is_enhanced() {
                    true => (
                        Some(ClientConnections::EnhancedHttp),
                        format!("{source}; {state} has enhanced HTTP"),
                    ),
                    false => (Some(ClientConnections::Http), source.to_string()),
                }
            }
            (Said::One(Speaks::Http, source), None) if may_be_enhanced => (
                None,
                format!("http or enhanced-http: {source}, and no export has IISSSLState"),
            ),
            (Said::One(Speaks::Http, source), _) => {
                (Some(ClientConnections::Http), source.to_string())
            }
            (Said::Differently(all), _) => {
                self.differently(key.trim(), of, &all);
                (None, all)
            }
            (Said::Nothing, Some(state)) if state.is_https_only() => (
                Some(ClientConnections::Https),
                format!("{state} is HTTPS only"),
            ),
            (Said::Nothing, _) => {
                let enhanced = if may_be_enhanced {
                    ", or enhanced-http"
                } else {
                    ""
                };
                (
                    None,
                    format!("https or http{enhanced}: no export says it of its roles"),
                )
            }
        };
        let way = way.map_or(OPEN.to_string(), |way| way.to_string());
        self.line(&format!("{key}: {way}"), comment);
        if let (Some(one), Said::One(other, source)) =
            (system.speaks.one(), system.updates_speak.said())
            && one != other
        {
            let text = format!("Its update point speaks {other}: {source}.");
            self.comment("    ", &text);
        }
    }

    /// The database and the distribution points that it uses, where they are not the usual ones.
    fn elsewhere(&mut self, system: &System) {
        if let Some((name, source)) = &system.database
            && self.systems_have("database")
        {
            let is_own = |it: &&System| it.is_called(name) && it.has(Role::SiteDatabase);
            if !self.known.systems.iter().any(|it| is_own(&it)) {
                let text = format!(
                    "its management point uses a replica, {name} by {source}: add that system with \
                     the role site-database-replica, and write its name"
                );
                self.line(&format!("    database: {OPEN}"), text);
            }
        }
        if let Some((hosts, source)) = &system.pulls_from
            && self.systems_have("pulls_from")
        {
            let name_of = |host: &String| {
                let mut systems = self.known.systems.iter();
                let index = systems.position(|it| it.is_called(host))?;
                Some(self.names[index].clone())
            };
            let names: Vec<String> = hosts.iter().filter_map(name_of).collect();
            let (value, more) = match names.len() == hosts.len() && !names.is_empty() {
                true => (names.join(", "), String::new()),
                false if hosts.is_empty() => (OPEN.to_string(), "; the list is empty".to_string()),
                false => (
                    OPEN.to_string(),
                    format!("; some of {} are no systems here", some_of(hosts, 4)),
                ),
            };
            self.line(
                &format!("    pulls_from: [{value}]"),
                format!("{source}{more}"),
            );
        }
    }

    fn end(&mut self) {
        self.text += "\n# What no export has: domain controllers, DNS, hosts of revocation lists, \
                      proxies, consoles.\n# Add them as systems with their roles.\n";
        let known = self.known;
        if !known.left_out.is_empty() {
            self.text += "#\n# What the exports have, and this file has not:\n";
            for what in &known.left_out {
                self.comment("", &format!("- {what}"));
            }
        }
        self.text += "\n";
        self.text += &lines::rest();
    }
}

/// What hints at a place at the edge.
fn hint_of_zone(system: &System) -> String {
    match (system.public.one(), &system.initiated) {
        (Some(name), _) => format!("; the Internet knows it as {name}"),
        (None, Some(_)) => "; only the site server starts connections to it".to_string(),
        (None, None) => String::new(),
    }
}

/// Whose clients a system accepts.
enum Served<'a> {
    /// As exports say.
    Said(Vec<(&'static str, &'a Source)>),
    /// The Internet knows it, and no export says whom it is for.
    Unknown(String),
    /// Nothing says that it is for the Internet.
    Inside,
}

impl<'a> Served<'a> {
    /// Of a system with roles that clients reach.
    fn of(system: &'a System) -> Option<Self> {
        if !CLIENT_FACING.iter().any(|role| system.has(*role)) {
            return None;
        }
        let said = [(INTERNET, &system.internet), (INTRANET, &system.intranet)];
        let said = said.into_iter();
        let said: Vec<_> = said
            .filter_map(|(zone, why)| Some((zone, why.as_ref()?)))
            .collect();
        if !said.is_empty() {
            return Some(Self::Said(said));
        }
        Some(match system.public.said() {
            Said::Nothing => Self::Inside,
            Said::One(name, _) => Self::Unknown(name.clone()),
            Said::Differently(all) => Self::Unknown(all),
        })
    }

    fn zones(&self) -> Vec<&'static str> {
        match self {
            Self::Said(all) => all.iter().map(|(zone, _)| *zone).collect(),
            Self::Unknown(_) => vec![OPEN],
            Self::Inside => vec![INTRANET],
        }
    }

    fn why(&self) -> String {
        match self {
            Self::Said(all) => sources(all.iter().map(|(_, source)| *source)),
            Self::Unknown(name) => {
                format!("{INTERNET}, {INTRANET} or both: the Internet knows it as {name}")
            }
            Self::Inside => "no export has a name of it in the Internet".to_string(),
        }
    }
}

/// Several sources in one comment, each once.
fn sources<'a>(all: impl Iterator<Item = &'a Source>) -> String {
    let mut texts: Vec<String> = Vec::new();
    for source in all.map(Source::to_string) {
        if !texts.contains(&source) {
            texts.push(source);
        }
    }
    some_of(&texts, MOST_SOURCES)
}
