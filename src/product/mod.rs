//! The catalogue: a product's rules as data. Which role reaches which, on which port, when, why, documented where.
//!
//! Those of `catalogue/` are embedded; `--catalogue FILE` replaces them. Every port number of the product stands
//! there or in the user's file, none in Rust code. Words are closed enums (`words`), so a condition or an end that
//! nothing evaluates cannot be written.

mod builds;
mod check;
mod client_errors;
mod codes;
mod extends;
mod format;
mod http;
mod port_change;
mod read;
mod services;
mod topics;
mod unplanned;
mod words;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::diagnostic::Problem;
use crate::yaml::Ports;

pub use builds::{Build, knows_builds_of, of_build};
pub use client_errors::{ClientError, Log, Outcome};
pub use codes::{Code, CodeMeaning, LogFile, all_codes, all_symbols, log_file};
pub use http::{Expected, Fingerprint, Header, Meaning, Passes};
pub use port_change::{
    Asks, At, ChangeStep, Changed, ClientStep, Deaf, Gives, PortChange, Property, Stage, Value,
};
pub use services::{ANY, CMG, PREFIX, ServiceEntry, ServiceHost};
pub use topics::Topic;
pub use unplanned::Unplanned;
pub use words::{
    Cloud, Condition, Confidence, End, Need, Protocol, Role, Service, Setting, Transport, Verb,
};

/// The embedded catalogue, as bytes.
pub const CONFIGMGR_2007: &[u8] = include_bytes!("../../catalogue/configmgr-2007.yaml");
/// That of 2012 and 2012 R2, as bytes.
const CONFIGMGR_2012: &[u8] = include_bytes!("../../catalogue/configmgr-2012.yaml");
/// That of the current branch, as bytes.
const CURRENT_BRANCH: &[u8] = include_bytes!("../../catalogue/configmgr-current-branch.yaml");

/// The products whose catalogues are embedded, by the name that `site.product` gives them.
const EMBEDDED: [(&str, &[u8]); 3] = [
    ("configmgr-2007", CONFIGMGR_2007),
    ("configmgr-2012", CONFIGMGR_2012),
    ("configmgr-current-branch", CURRENT_BRANCH),
];

/// The names of these products.
pub fn all() -> impl Iterator<Item = &'static str> + Clone {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// The embedded catalogue of a product, as bytes.
pub fn find(product: &str) -> Option<&'static [u8]> {
    let found = EMBEDDED.iter().find(|(name, _)| *name == product);
    found.map(|(_, bytes)| *bytes)
}

/// A product's rules.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The product, as `site.product` names it.
    pub product: String,
    /// The keys of the site file that not every product has and this one does; `None`: it has them all.
    pub keys: Option<Keys>,
    /// Ports by name.
    pub ports: BTreeMap<String, PortName>,
    /// Names of the ports that are tried for being unexpectedly open.
    pub watchlist: Vec<String>,
    /// Services that are no system of the site file.
    pub services: Vec<ServiceEntry>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What the product does beside the plan.
    pub unplanned: Vec<Unplanned>,
    /// What firewalls and proxies must let through in HTTP.
    pub passes: Vec<Passes>,
    /// What proves a role over HTTP.
    pub fingerprints: Vec<Fingerprint>,
    /// What a client logs when the network fails it.
    pub client_errors: Vec<ClientError>,
    /// How ports are changed.
    pub port_change: PortChange,
    /// In which order a client goes about its work.
    pub client_order: Vec<ClientStep>,
    /// Where the console shows what the site file asks for.
    pub topics: Vec<Topic>,
}

/// Keys of the site file that not every product has: those that one has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Those of `site`.
    #[serde(default)]
    pub site: Vec<String>,
    /// Those of a system.
    #[serde(default)]
    pub systems: Vec<String>,
}

/// Whether a product has a key of the site file: one of these that it names, or any.
pub(crate) fn has_key(keys: Option<&[String]>, key: &str) -> bool {
    keys.is_none_or(|keys| keys.iter().any(|it| it == key))
}

/// A named port.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortName {
    /// The key of the site file that sets it; `None`: fixed by the product.
    pub setting: Option<Setting>,
    /// Its numbers where the site file says nothing.
    #[serde(default, deserialize_with = "read::later")]
    pub default: Vec<Ports>,
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Kebab-case, unique.
    pub id: String,
    /// Who starts it.
    pub from: Vec<End>,
    /// Whom it leads to.
    pub to: Vec<End>,
    /// Transport.
    pub transport: Transport,
    /// Names of its ports; none where the transport has none.
    #[serde(default, rename = "port")]
    pub ports: Vec<String>,
    /// What is spoken.
    pub protocol: Protocol,
    /// When it holds: all of them.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// What it asks for.
    pub need: Need,
    /// How sure it is.
    pub confidence: Confidence,
    /// What the traffic is for, in one sentence.
    pub why: String,
    /// What fails without it; of a forbidden one, what an open port would expose.
    pub breaks: String,
    /// Where it is documented; empty for an unconfirmed rule.
    #[serde(default)]
    pub source: String,
    /// What editions of a page say that do not agree; none: they do.
    #[serde(default)]
    pub editions: Vec<Edition>,
}

/// What one edition of a page says, where another says something else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// The page, with its date.
    pub source: String,
    /// What it says, in our words.
    pub says: String,
}

impl Rule {
    /// The need as it is planned: an unconfirmed rule is never more than optional unless the user asks for it.
    pub fn planned_need(&self) -> Need {
        match (self.need, self.confidence) {
            (Need::Required, Confidence::Unconfirmed) => Need::Optional,
            (need, _) => need,
        }
    }
}

impl Catalogue {
    /// Reads a catalogue.
    ///
    /// # Errors
    /// All findings of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        read::read(bytes)
    }

    /// Which keys of `site` that not every product has this one has; `None`: all.
    pub fn site_keys(&self) -> Option<&[String]> {
        self.keys.as_ref().map(|keys| &keys.site[..])
    }

    /// The same of a system.
    pub fn system_keys(&self) -> Option<&[String]> {
        self.keys.as_ref().map(|keys| &keys.systems[..])
    }

    /// Whether the product has a role: a rule names it. A catalogue that does not say which keys it has takes all roles, too.
    pub fn has_role(&self, role: Role) -> bool {
        if self.keys.is_none() {
            return true;
        }
        let mut ends = self
            .rules
            .iter()
            .flat_map(|rule| rule.from.iter().chain(&rule.to));
        ends.any(|end| match end {
            End::Role(named) => *named == role,
            End::ActiveSoftwareUpdatePoint | End::InternetSoftwareUpdatePoint => {
                role == Role::SoftwareUpdatePoint
            }
            _ => false,
        })
    }

    /// Whether the product knows enhanced HTTP: a rule asks for it.
    pub fn has_enhanced_http(&self) -> bool {
        let mut asked = self.rules.iter().flat_map(|rule| &rule.when);
        asked.any(|it| *it == Condition::DestinationIsEnhancedHttp)
    }

    /// Whether the product has a port that a setting gives the numbers of.
    pub fn has(&self, setting: Setting) -> bool {
        self.ports
            .values()
            .any(|port| port.setting == Some(setting))
    }

    /// The default ports of a name; empty when there is none.
    pub fn default_ports(&self, setting: Setting) -> Vec<Ports> {
        self.ports
            .values()
            .find(|port| port.setting == Some(setting))
            .map(|port| port.default.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_finds_its_own_catalogue() {
        for product in all() {
            let bytes = find(product).expect("an embedded catalogue");
            assert_eq!(
                Catalogue::parse(bytes).expect("no findings").product,
                product
            );
        }
        assert!(find("configmgr-2003").is_none());
    }

    #[test]
    fn the_version_of_2012_is_the_current_branch_without_the_cloud() {
        let of_2012 = Catalogue::parse(CONFIGMGR_2012).expect("no findings");
        let current = Catalogue::parse(CURRENT_BRANCH).expect("no findings");
        let services: Vec<Service> = of_2012.services.iter().map(|it| it.id).collect();
        assert_eq!(services, [Service::MicrosoftUpdate]);
        assert!(!of_2012.has_enhanced_http() && current.has_enhanced_http());
        for role in [Role::CmgConnectionPoint, Role::ServiceConnectionPoint] {
            assert!(!of_2012.has_role(role) && current.has_role(role), "{role}");
        }
        for role in [Role::ManagementPoint, Role::ReportingServicesPoint] {
            assert!(of_2012.has_role(role), "{role}");
        }
        for rule in &of_2012.rules {
            assert!(!rule.from.is_empty() && !rule.to.is_empty(), "{}", rule.id);
            assert_ne!(rule.confidence, Confidence::Documented, "{}", rule.id);
        }
        // Nothing that the current branch came with is asked for.
        let when = of_2012.rules.iter().flat_map(|rule| &rule.when);
        for condition in when {
            let is_new = [
                Condition::HasCmg,
                Condition::Version2603,
                Condition::TenantAttached,
                Condition::ServiceConnectionOnline,
            ];
            assert!(!is_new.contains(condition), "{condition}");
        }
    }

    #[test]
    fn editions_that_do_not_agree_are_named_by_their_pages() {
        let current = Catalogue::parse(CURRENT_BRANCH).expect("no findings");
        let of = |id: &str| {
            let rule = current.rules.iter().find(|rule| rule.id == id);
            &rule.expect("a rule").editions[..]
        };
        let browser = of("roles-sql");
        assert!(browser[0].source.contains("2022-02-16"), "{browser:?}");
        assert!(browser[1].source.contains("2025-12-08"), "{browser:?}");
        assert!(of("client-dp-https").is_empty());
    }

    #[test]
    fn the_embedded_catalogue_has_no_findings() {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        assert_eq!(catalogue.product, "configmgr-2007");
        assert!(catalogue.rules.len() > 100);
    }

    #[test]
    fn unconfirmed_rules_carry_no_citation_and_all_others_do() {
        for rule in Catalogue::parse(CONFIGMGR_2007).expect("no findings").rules {
            assert_eq!(
                rule.source.is_empty(),
                rule.confidence == Confidence::Unconfirmed,
                "{}",
                rule.id
            );
        }
    }
}
