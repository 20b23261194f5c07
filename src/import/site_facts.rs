//! What exports say of the site as a whole.

use std::fmt;

use super::fact::{Fact, Source};
use super::object::{Class, Export, Object};
use super::update_ports::{UpdatePorts, tell_port};
use crate::product::{self, Build};

/// The most numbers that clients are given for one service: the usual one and another.
const MOST_CLIENT_PORTS: usize = 2;
/// The product whose builds of version 5 `product::of_build` knows; all others of that version are of 2012.
const CURRENT_BRANCH: &str = "configmgr-current-branch";

/// What holds of the whole site.
#[derive(Clone, Debug, Default)]
pub(super) struct SiteFacts {
    pub(super) code: Fact<String>,
    pub(super) parent: Fact<String>,
    pub(super) version: Fact<Version>,
    pub(super) product: Fact<&'static str>,
    pub(super) client_http: Fact<Numbers>,
    pub(super) client_https: Fact<Numbers>,
    /// A component has the ports of every update point (2007).
    pub(super) updates: UpdatePorts,
    pub(super) sql: Fact<u16>,
    pub(super) service_broker: Fact<u16>,
    /// How clients speak to the site as a whole.
    pub(super) state: Fact<State>,
    /// What is said and cannot be read.
    pub(super) unread: Vec<String>,
}

/// The numbers that clients ask for one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbers(pub(super) Vec<u16>);

impl fmt::Display for Numbers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(u16::to_string).collect();
        match &all[..] {
            [one] => formatter.write_str(one),
            all => write!(formatter, "[{}]", all.join(", ")),
        }
    }
}

/// A version, as in 5.00.9128.1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    major: u32,
    minor: u32,
    build: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            build,
        } = self;
        write!(formatter, "{major}.{minor:02}.{build}")
    }
}

impl Version {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.').map(|part| part.parse().ok());
        let mut next = || parts.next().flatten();
        Some(Self {
            major: next()?,
            minor: next()?,
            build: next()?,
        })
    }

    /// The product that has it.
    pub(super) fn product(self) -> Option<&'static str> {
        match self.major {
            4 => Some("configmgr-2007"),
            5 if self.of_current_branch().is_some() => Some(CURRENT_BRANCH),
            5 => Some("configmgr-2012"),
            _ => None,
        }
    }

    /// Its name, as in 2403.
    pub(super) fn name(self) -> Option<u16> {
        self.of_current_branch()?.version?.parse().ok()
    }

    fn of_current_branch(self) -> Option<Build> {
        let build = (self.major == 5).then(|| product::of_build(self.build))??;
        (build.product == CURRENT_BRANCH).then_some(build)
    }
}

/// The bits of `IISSSLState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(pub(super) i64);

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IISSSLState {}", self.0)
    }
}

impl State {
    /// Whether clients may use nothing but HTTPS.
    pub(super) fn is_https_only(self) -> bool {
        self.0 & 31 == 31
    }

    /// Whether clients check revocation lists. Of 0 the sources say what its bits do not.
    pub(super) fn checks_lists(self) -> Option<bool> {
        (self.0 != 0).then_some(self.0 & 32 != 0)
    }

    /// Whether enhanced HTTP is on.
    pub(super) fn is_enhanced(self) -> bool {
        self.0 & 1_024 != 0
    }
}

/// The properties that are read, in small letters.
pub(super) const READ: &[&str] = &[
    "iisportslist",
    "iissslportslist",
    "iissslstate",
    UpdatePorts::READ[0],
    UpdatePorts::READ[1],
    "sqlserviceport",
    "ssbport",
    "full version",
];

impl SiteFacts {
    /// Takes an object that is about the site.
    pub(super) fn take(&mut self, export: &Export, object: &Object) {
        match object.class {
            Class::Component => self.component(export, object),
            Class::SiteDefinition => self.definition(export, object),
            Class::Site => self.listed(export, object),
            Class::Role | Class::Listed => {}
        }
    }

    fn component(&mut self, export: &Export, object: &Object) {
        for (name, fact) in [
            ("IISPortsList", &mut self.client_http),
            ("IISSSLPortsList", &mut self.client_https),
        ] {
            let Some(text) = object.property(name).and_then(|it| it.text()) else {
                continue;
            };
            let source = Source::of(export, object, name);
            match numbers(text) {
                Some(numbers) => fact.tell(numbers, source),
                None => self.unread.push(format!(
                    "`{text}` is not one or two port numbers ({source})"
                )),
            }
        }
        self.updates.take(export, object);
        let titles = [object.member("ItemName"), object.member("ComponentName")];
        let is_manager = |title: &str| {
            let title = title.to_ascii_uppercase();
            title.starts_with("SMS_SITE_COMPONENT_MANAGER")
        };
        if titles.into_iter().flatten().any(is_manager)
            && let Some(value) = object.number("IISSSLState")
        {
            let what = format!("IISSSLState is {value}");
            self.state
                .tell(State(value), Source::of(export, object, &what));
        }
    }

    fn definition(&mut self, export: &Export, object: &Object) {
        self.parent(export, object, "ParentSiteCode");
        tell_port(&mut self.sql, export, object, "SQlServicePort");
        tell_port(&mut self.service_broker, export, object, "SSBPort");
        let text = object.property("Full Version").and_then(|it| it.text());
        if let Some(version) = text.and_then(Version::read) {
            self.version(version, Source::of(export, object, "Full Version"));
        }
    }

    fn listed(&mut self, export: &Export, object: &Object) {
        self.parent(export, object, "ReportingSiteCode");
        if let Some(version) = object.member("Version").and_then(Version::read) {
            self.version(version, Source::of(export, object, "Version"));
        }
    }

    fn parent(&mut self, export: &Export, object: &Object, name: &str) {
        let own = object.member("SiteCode");
        if let Some(parent) = object.member(name).filter(|parent| Some(*parent) != own) {
            self.parent
                .tell(parent.to_string(), Source::of(export, object, name));
        }
    }

    fn version(&mut self, version: Version, source: Source) {
        if let Some(product) = version.product() {
            self.product.tell(product, source.clone());
        }
        self.version.tell(version, source);
    }
}

/// Port numbers with something between them; nothing where it is anything else.
fn numbers(text: &str) -> Option<Numbers> {
    let parts = text.split([',', ';', ' ']).filter(|part| !part.is_empty());
    let mut all = Vec::new();
    for part in parts {
        let port = part.parse::<u16>().ok().filter(|port| *port != 0)?;
        if !all.contains(&port) {
            all.push(port);
        }
    }
    (1..=MOST_CLIENT_PORTS)
        .contains(&all.len())
        .then_some(Numbers(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_names_its_product() {
        for (text, product, name) in [
            ("4.00.6487.2000", Some("configmgr-2007"), None),
            ("5.00.7958.1000", Some("configmgr-2012"), None),
            ("5.00.8239.1000", Some("configmgr-2012"), None),
            (
                "5.00.8325.1000",
                Some("configmgr-current-branch"),
                Some(1_511),
            ),
            (
                "5.00.9128.1000",
                Some("configmgr-current-branch"),
                Some(2_403),
            ),
            (
                "5.00.9106.1000",
                Some("configmgr-current-branch"),
                Some(2_303),
            ),
            ("5.00.9107.1000", Some("configmgr-current-branch"), None),
            ("4.00.9128.1000", Some("configmgr-2007"), None),
            ("3.0.1.2", None, None),
        ] {
            let version = Version::read(text).expect(text);
            assert_eq!(
                (version.product(), version.name()),
                (product, name),
                "{text}"
            );
        }
        assert_eq!(Version::read("5.00"), None);
        assert_eq!(Version::read("a.b.c"), None);
    }

    #[test]
    fn the_bits_of_the_state_say_what_the_table_says() {
        for (value, https_only, lists, enhanced) in [
            (0, false, None, false),
            (31, true, Some(false), false),
            (63, true, Some(true), false),
            (192, false, Some(false), false),
            (224, false, Some(true), false),
            (448, false, Some(false), false),
            (480, false, Some(true), false),
            (1_216, false, Some(false), true),
            (1_248, false, Some(true), true),
            (1_504, false, Some(true), true),
        ] {
            let state = State(value);
            let read = (
                state.is_https_only(),
                state.checks_lists(),
                state.is_enhanced(),
            );
            assert_eq!(read, (https_only, lists, enhanced), "{value}");
        }
    }

    #[test]
    fn lists_of_ports_are_one_or_two_numbers_and_nothing_else() {
        for (text, read) in [
            ("80", Some(vec![80])),
            ("80,8080", Some(vec![80, 8080])),
            ("80; 80", Some(vec![80])),
            ("", None),
            ("0", None),
            ("80,81,82", None),
            ("70000", None),
            ("eighty", None),
        ] {
            assert_eq!(numbers(text), read.map(Numbers), "{text}");
        }
    }
}
