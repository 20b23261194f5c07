//! Goes through the objects of all exports, one by one: facts of the site, hosts with their roles, and what is left out.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::Source;
use super::object::{Class, Export, Object};
use super::roles::{self, Meaning};
use super::site_facts::{self, SiteFacts};
use super::system::{self, System};
use crate::config::is_host_name;
use crate::diagnostic::some_of;
use crate::product::{Catalogue, Role};

/// The most systems of a site; the product itself allows some thousands.
const MOST_SYSTEMS: usize = 5_000;
/// The most names of properties that are kept to be listed.
const MOST_UNUSED: usize = 5_000;
/// The most names that a line lists.
pub(super) const MOST_LISTED: usize = 12;

/// The site that an object belongs to.
pub(super) fn code_of(object: &Object) -> Option<String> {
    let of_path = || {
        let path = object.member("NALPath")?;
        let behind = path.split("SMS_SITE=").nth(1)?;
        behind.split('"').next()
    };
    let code = object.member("SiteCode").or_else(of_path)?;
    let code = code.trim().to_ascii_uppercase();
    let is_code = code.len() == 3 && code.chars().all(|c| c.is_ascii_alphanumeric());
    is_code.then_some(code)
}

/// What is known, and what is left aside.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) site: SiteFacts,
    pub(super) systems: BTreeMap<String, System>,
    /// Names of roles without a meaning, and of those without rules.
    unknown_roles: BTreeSet<String>,
    without_rules: BTreeSet<String>,
    /// Kinds of hosts that are no server, such as services of a cloud.
    no_servers: BTreeSet<String>,
    /// Names of properties that nothing is made of.
    unused: BTreeSet<String>,
    /// How many objects of other sites, of planned settings, and without a host there were.
    other_sites: BTreeMap<String, usize>,
    not_actual: usize,
    without_host: usize,
    too_many: usize,
}

impl Gathered {
    pub(super) fn take(&mut self, export: &Export, object: &Object, code: Option<&str>) {
        let own = code_of(object);
        if let (Some(own), Some(code)) = (&own, code)
            && own != code
        {
            *self.other_sites.entry(own.clone()).or_default() += 1;
            return;
        }
        // The settings that are in force are those of type 2.
        let file_type = object.member("FileType");
        if object.class == Class::Component && file_type.is_some_and(|it| it != "2") {
            self.not_actual += 1;
            return;
        }
        if let Some(own) = own {
            self.site
                .code
                .tell(own, Source::of_class(export, object, "SiteCode"));
        }
        let read = match object.class {
            Class::Role | Class::Listed => {
                self.server(export, object);
                system::READ
            }
            Class::Component | Class::SiteDefinition | Class::Site => {
                self.site.take(export, object);
                self.site_server(export, object);
                site_facts::READ
            }
        };
        for property in &object.properties {
            if self.unused.len() < MOST_UNUSED
                && !read.contains(&property.name.to_ascii_lowercase().as_str())
            {
                self.unused.insert(property.name.clone());
            }
        }
    }

    /// The list of sites names the site server of each.
    fn site_server(&mut self, export: &Export, object: &Object) {
        let name = object.member("ServerName");
        if object.class != Class::Site || !name.is_some_and(is_host_name) {
            return;
        }
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let known = self.systems.values().any(|it| it.has(Role::SiteServer));
        if !known && let Some(system) = self.system(name) {
            system.take_role(Role::SiteServer, Source::of(export, object, "ServerName"));
        }
    }

    fn system(&mut self, host: String) -> Option<&mut System> {
        if self.systems.len() >= MOST_SYSTEMS && !self.systems.contains_key(&host) {
            self.too_many += 1;
            return None;
        }
        let new = || System::new(host.clone());
        Some(self.systems.entry(host.clone()).or_insert_with(new))
    }

    /// A server with a role, or with several.
    fn server(&mut self, export: &Export, object: &Object) {
        if let Some(kind) = object.member("NALType")
            && !kind.eq_ignore_ascii_case("Windows NT Server")
        {
            self.no_servers.insert(kind.to_string());
            return;
        }
        let Some(host) = system::host(object) else {
            self.without_host += 1;
            return;
        };
        let what = match object.class {
            Class::Listed => "RoleList",
            _ => "RoleName",
        };
        let roles = self.roles(object);
        let Some(system) = self.system(host) else {
            return;
        };
        system.of_host(export, object);
        for role in roles {
            system.take_role(role, Source::of_class(export, object, what));
            system.of_role(role, export, object);
        }
    }

    /// The roles of an object that have rules; the others are noted.
    fn roles(&mut self, object: &Object) -> Vec<Role> {
        let meant: fn(&str) -> Option<Meaning> = match object.class {
            Class::Listed => roles::of_the_list,
            _ => roles::of_the_provider,
        };
        let listed = object.list("RoleList").iter().map(String::as_str);
        let single = [object.member("RoleList"), object.member("RoleName")];
        let mut found = Vec::new();
        for name in listed.chain(single.into_iter().flatten()) {
            match meant(name) {
                Some(Meaning::Role(role)) => found.push(role),
                Some(Meaning::Nothing) => {}
                Some(Meaning::WithoutRules) => {
                    self.without_rules.insert(name.to_string());
                }
                None => {
                    self.unknown_roles.insert(name.to_string());
                }
            }
        }
        found
    }

    /// Roles that only the current branch has say which product it is.
    pub(super) fn cloud_roles(&mut self) {
        const OF_THE_CURRENT_BRANCH: [Role; 2] =
            [Role::ServiceConnectionPoint, Role::CmgConnectionPoint];
        let mut roles = self.systems.values().flat_map(|system| &system.roles);
        let found = roles.find(|(role, _)| OF_THE_CURRENT_BRANCH.contains(role));
        if let Some((_, source)) = found {
            self.site
                .product
                .tell("configmgr-current-branch", source.clone());
        }
    }

    /// What does not stand in the file.
    pub(super) fn left_out(&self, catalogue: Option<&Catalogue>) -> Vec<String> {
        let mut all = Vec::new();
        listed(
            &mut all,
            "roles that portproof does not know",
            self.unknown_roles.iter().cloned(),
        );
        listed(
            &mut all,
            "roles that portproof has no rules for",
            self.without_rules.iter().cloned(),
        );
        listed(
            &mut all,
            "roles of what is no Windows server (NALType)",
            self.no_servers.iter().cloned(),
        );
        if let Some(catalogue) = catalogue {
            let roles = self.systems.values().flat_map(|system| &system.roles);
            let others = roles.filter(|(role, _)| !catalogue.has_role(*role));
            let others: BTreeSet<String> = others.map(|(role, _)| role.to_string()).collect();
            let what = format!("roles that {} does not have", catalogue.product);
            listed(&mut all, &what, others.into_iter());
        }
        let of_sites = self.other_sites.iter();
        listed(
            &mut all,
            "objects of other sites",
            of_sites.map(|(code, count)| format!("{count} of {code}")),
        );
        for (count, what) in [
            (
                self.not_actual,
                "settings that are not in force (FileType is not 2)",
            ),
            (
                self.without_host,
                "roles whose server has no name that is one",
            ),
            (self.too_many, "servers beyond the 5000 that are read"),
        ] {
            if count > 0 {
                all.push(format!("{what}: {count}"));
            }
        }
        listed(
            &mut all,
            "settings that cannot be read",
            self.site.unread.iter().cloned(),
        );
        listed(
            &mut all,
            "properties that no line is made of",
            self.unused.iter().cloned(),
        );
        all
    }
}

pub(super) fn listed(all: &mut Vec<String>, what: &str, names: impl Iterator<Item = String>) {
    let names: Vec<String> = names.collect();
    if !names.is_empty() {
        all.push(format!("{what}: {}", some_of(&names, MOST_LISTED)));
    }
}
