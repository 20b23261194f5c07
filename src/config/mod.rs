//! The site file `probes.yaml` as it is written: every key read and checked for shape, with its position.
//!
//! Bytes become a tree (`yaml`), the tree becomes `Config`. Each section of the file is a struct that `keys!` declares,
//! one entry for each key. Reader, schema, defaults and the page's tables come from these entries (`keys`). Nothing is
//! looked up here: whether a zone that is named exists is the business of `site`. Reading goes on after a fault, so
//! that one run shows them all.

mod agents;
mod defaults;
mod flows;
mod host_name;
pub(crate) mod keys;
pub(crate) mod kinds;
mod pin;
mod probing;
mod questions;
mod site;
mod system;
mod tls;
mod told;
mod via;
mod zones;

use crate::diagnostic::Problem;
use crate::yaml::{self, At};

pub use agents::AgentsSection;
pub use flows::{Exception, FlowItem, UserFlow};
pub(crate) use host_name::is_host_name;
pub use kinds::Named;
pub use pin::Pin;
pub(crate) use pin::sha256;
pub use probing::{Probing, Sweep};
pub use site::{
    ClientPorts, Cmg, CrlHosts, Mode, PortPair, ServiceConnection, SiteSection, TlsVersion,
    UpdateSync,
};
pub use system::{
    ClientConnections, Domain, ProxyTls, Publishes, Replication, System, SystemSection, Translated,
};
pub use tls::Tls;
pub use told::Values;
pub use via::{ProxyKind, Route, Via};
pub use zones::{Firewall, FirewallSection, Zone, ZoneSection};

pub use keys::{Choice, OfProduct};
use keys::{Section, What, keys};
use kinds::*;
use told::Told as _;

keys! {
    /// The whole file.
    section Config {
        /// The site, as the console shows it.
        site: OfProduct<SiteSection> = of_product::<SiteSection>(), required("site: { code: PRI, product: configmgr-2007 }");
        /// The zones by their names, from the least to the most trusted.
        zones: Vec<Zone> = named("zone", section_or_blank::<ZoneSection>()), required("zones: { internet: { networks: [\"0.0.0.0/0\"] } }");
        /// The firewalls by their names.
        firewalls: Vec<Firewall> = named("firewall", section::<FirewallSection>()), optional("none");
        /// The zones with managed clients. It must be there when a system has a role that clients reach.
        clients: Vec<At<String>> = list(name()), optional("none");
        /// The systems by their names; at least one.
        systems: Vec<System> = filled("missing-key", "at least one system is needed", named("system", of_product::<SystemSection>())), required("systems: \
            { cm01: { zone: intranet, names: { default: cm01.corp.example }, roles: [site-server] } }");
        /// Your own flows, in addition to the catalogue's.
        flows: Vec<UserFlow> = list_of("a flow", at(section::<FlowItem>())), optional("none");
        /// What the agents of portproof connect to: flows of its own ([agents.md](agents.md)).
        agents: Option<AgentsSection> = section::<AgentsSection>(), optional("none");
        /// Faults that are accepted for a time.
        exceptions: Vec<Exception> = list_of("an exception", section::<Exception>()), optional("none");
        /// The authorities that are trusted, and the certificate that this host shows.
        tls: Tls = section::<Tls>(), optional("its defaults");
        /// The proxies through which the flows of a zone leave, by zone: a URL, or `proxy` and `roles`.
        via: Vec<(At<String>, Route)> = by_zone(via::route()), optional("all flows go direct");
        /// A file with the password for the proxy, from the folder of the site file.
        via_password_file: Option<At<String>> = text(), optional("`PORTPROOF_VIA_PASSWORD`, else no password");
        /// How flows are tried.
        probing: Probing = section::<Probing>(), optional("its defaults");
    }
}

impl Config {
    /// What flows come from and lead to, key by key, the keys of systems aside.
    pub fn told(&self) -> Values {
        let mut all = Values::new();
        self.site.tell("", &mut all);
        let zones = self.zones.iter().map(|it| &it.name.value);
        let systems = self.systems.iter().map(|it| &it.name.value);
        let mut put = |key: &str, text: String| all.push((key.to_string(), text));
        put("zones", told::list(zones));
        put(
            "clients",
            told::list(self.clients.iter().map(|it| &it.value)),
        );
        put("systems", told::list(systems));
        let agents = self.agents.iter().flat_map(AgentsSection::flows);
        let flows = self.flows.iter().cloned().chain(agents).map(|it| it.value);
        put("flows", told::list(flows));
        for zone in &self.zones {
            zone.tell(&told::below("zones", &zone.name.value), &mut all);
        }
        for firewall in &self.firewalls {
            firewall.tell(&told::below("firewalls", &firewall.name.value), &mut all);
        }
        all
    }
}

/// The keys of a system.
pub fn told(system: &System) -> Values {
    let mut all = Values::new();
    system.tell("", &mut all);
    all
}

/// Reads the bytes of a site file.
///
/// The findings are all that reading can see. With an error among them the [`Config`] holds what could be read, so that
/// later checks can still speak. `None` when the bytes are no YAML mapping, and while the file has open questions: these
/// are asked alone.
pub fn read(bytes: &[u8]) -> (Option<Config>, Vec<Problem>) {
    let mut problems = Vec::new();
    let root = match yaml::parse(bytes) {
        Ok(root) => root,
        Err(problem) => return (None, vec![problem]),
    };
    let kind = section::<Config>();
    if root.is_open_somewhere() {
        return (None, questions::of(&root, &kind.schema()));
    }
    let config = kind.read(&root, &What::owner(""), &mut problems);
    (config, problems)
}

/// The JSON Schema of the file.
pub fn schema() -> serde_json::Value {
    let mut schema = section::<Config>().schema();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "portproof site file, probes.yaml".into();
    schema["description"] = "Every key is explained in docs/site-file.md.".into();
    defaults::say(&mut schema);
    schema
}

/// The tables of `docs/site-file.md`, each by the name of its section.
pub fn tables() -> Vec<(&'static str, String)> {
    let sections = [
        ("the file", Config::keys()),
        ("`site`", SiteSection::keys()),
        ("`client_ports`", ClientPorts::keys()),
        ("`software_update_ports`", PortPair::keys()),
        ("`cmg`", Cmg::keys()),
        ("a zone", ZoneSection::keys()),
        ("a firewall", FirewallSection::keys()),
        ("a system", SystemSection::keys()),
        ("`publishes`", Publishes::keys()),
        ("a flow", FlowItem::keys()),
        ("`agents`", AgentsSection::keys()),
        ("an exception", Exception::keys()),
        ("`tls`", Tls::keys()),
        ("a proxy of `via`", Route::keys()),
        ("`probing`", Probing::keys()),
    ];
    sections
        .map(|(name, keys)| (name, keys::table(&keys)))
        .into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::product::{self, Catalogue, Setting};

    fn faults(text: &str) -> Vec<String> {
        let (_, problems) = read(text.as_bytes());
        let said = problems.into_iter();
        said.map(|it| format!("{}: {}", it.message, it.hint.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn what_the_file_leaves_out_is_as_the_table_says() {
        let (config, _) = read(b"probing: { timeout: 5s }");
        let config = config.expect("a mapping");
        assert_eq!(config.probing.timeout, Duration::from_secs(5));
        assert_eq!(config.probing.rate, Some(100));
        assert_eq!(config.probing.sweep.value, Sweep::Watchlist);
        assert_eq!(*config.site, SiteSection::default());
        assert_eq!(
            config.site.clients_speak,
            [TlsVersion::Tls10, TlsVersion::Tls12]
        );
        assert_eq!(config.tls.expires_soon, Duration::from_secs(30 * 86_400));
    }

    /// The keys of a section that not every product has.
    fn of_product<S: Section>() -> Vec<&'static str> {
        let keys = S::keys().into_iter().filter(|key| key.is_of_product);
        keys.map(|key| key.name).collect()
    }

    #[test]
    fn every_key_that_a_product_names_is_of_the_table_and_each_of_the_table_is_some_products() {
        let (site, systems) = (of_product::<SiteSection>(), of_product::<SystemSection>());
        let (mut of_sites, mut of_systems) = (BTreeSet::new(), BTreeSet::new());
        for product in product::all() {
            let bytes = product::find(product).expect("embedded");
            let catalogue = Catalogue::parse(bytes).expect("no findings");
            let named = "every product names its keys";
            of_sites.extend(catalogue.site_keys().expect(named).iter().cloned());
            of_systems.extend(catalogue.system_keys().expect(named).iter().cloned());
        }
        let texts = |keys: Vec<&str>| keys.into_iter().map(str::to_string).collect();
        assert_eq!(of_sites, texts(site));
        assert_eq!(of_systems, texts(systems));
    }

    #[test]
    fn a_value_that_cannot_be_read_leaves_the_default() {
        let (config, problems) = read(b"probing: { timeout: soon, attempts: 99 }");
        assert_eq!(config.expect("a mapping").probing, Probing::default());
        assert_eq!(problems.len(), 5, "site, zones and systems are missing too");
    }

    #[test]
    fn a_section_is_read_on_without_what_it_must_have_and_an_item_is_left_out() {
        let (config, problems) = read(
            b"site: { mode: mixed }\nflows: [{ from: a, to: b }]\nzones: {}\nsystems: { a: {} }",
        );
        let config = config.expect("a mapping");
        assert_eq!(config.site.mode.value, Mode::Mixed);
        assert!(config.flows.is_empty());
        assert_eq!(config.systems.len(), 1);
        let missing = problems.iter().filter(|it| it.code == "missing-key");
        assert_eq!(missing.count(), 7, "{problems:?}");
    }

    #[test]
    fn findings_name_the_way_to_a_value_and_the_keys_that_there_are() {
        let said = faults(
            "site: { code: A, prodct: x }\nzones: {}\nsystems:\n  a: { zone: b, roles: [], names: {}, publishes: { systems: [], tls: on } }\nprobing: \
             { attempts: 31 }",
        );
        let said = said.join("\n");
        for part in [
            "`clients_speak`; did you mean `product`?",
            "`site` lacks the key `product`: for example: product: configmgr-2007",
            "`publishes.tls` of system `a` is `on`, which is not known: ",
            "`probing.attempts` is out of range: 1 to 30, or `auto`",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
    }

    /// The schemas of all keys below a schema, each with the way to it.
    fn keys_below(
        schema: &serde_json::Value,
        way: &str,
        found: &mut Vec<(String, serde_json::Value)>,
    ) {
        if let Some(keys) = schema["properties"].as_object() {
            let all = keys.iter();
            found.extend(all.map(|(key, below)| (format!("{way}.{key}"), below.clone())));
        }
        let objects = schema.as_object().into_iter().flatten();
        for (word, below) in objects {
            keys_below(below, &format!("{way}.{word}"), found);
        }
        for below in schema.as_array().into_iter().flatten() {
            keys_below(below, way, found);
        }
    }

    #[test]
    fn every_key_of_the_schema_says_what_it_is_and_what_holds_without_it() {
        let mut found = Vec::new();
        keys_below(&schema(), "", &mut found);
        assert!(found.len() > 70, "{}", found.len());
        for (key, schema) in found {
            let about = schema["description"].as_str().unwrap_or_default();
            let first = about.split('.').next().unwrap_or_default();
            assert!(first.split(' ').count() > 1, "{key}: {about:?}");
            let without = ["Without it: ", "It must be there, as in `"];
            let says = without.iter().any(|it| about.contains(it));
            assert!(says || !schema["default"].is_null(), "{key}: {about}");
            assert!(!about.contains("]("), "{key}: {about}");
        }
    }

    #[test]
    fn every_number_of_a_product_stands_with_its_key() {
        let schema = schema();
        let about = |way: &[&str]| {
            let key = way.iter().fold(&schema, |at, name| match *name {
                "*" => &at["additionalProperties"],
                name => &at["properties"][name],
            });
            key["description"].as_str().unwrap_or_default().to_string()
        };
        for product in product::all() {
            let catalogue = Catalogue::parse(product::find(product).expect("embedded"));
            let catalogue = catalogue.expect("no findings");
            for (way, setting) in [
                (&["site", "client_ports", "http"][..], Setting::ClientHttp),
                (&["site", "client_ports", "https"], Setting::ClientHttps),
                (&["systems", "*", "rpc_ports"], Setting::RpcDynamic),
                (
                    &["systems", "*", "software_update_ports", "https"],
                    Setting::SoftwareUpdateHttps,
                ),
            ] {
                let numbers = catalogue.default_ports(setting);
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                let said = format!(" In {product}: {}.", numbers.join(", "));
                assert!(about(way).contains(&said), "{way:?} {said} {}", about(way));
            }
        }
        assert!(!about(&["site", "retired_client_ports", "http"]).contains(" In "));
    }

    #[test]
    fn the_schema_says_of_a_key_what_it_is_and_its_default() {
        let schema = schema();
        let timeout = &schema["properties"]["probing"]["properties"]["timeout"];
        assert_eq!(timeout["default"], "3s");
        assert_eq!(
            timeout["description"],
            "The longest time for one step of one attempt, `50ms` to `60s`."
        );
        assert_eq!(
            schema["required"],
            serde_json::json!(["site", "zones", "systems"])
        );
    }
}
