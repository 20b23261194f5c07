//! What all exports say together.

use std::collections::BTreeSet;

use super::Asked;
use super::fact::{Fact, Source};
use super::gathered::{Gathered, MOST_LISTED, code_of, listed};
use super::object::Export;
use super::same_host;
use super::site_facts::SiteFacts;
use super::system::System;
use crate::diagnostic::some_of;
use crate::product::{self, Catalogue, Role};

/// What is known of a site.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub(super) files: Vec<String>,
    pub(super) site: SiteFacts,
    /// The rules of its product.
    pub(super) catalogue: Option<Catalogue>,
    /// Hosts with roles, by their names.
    pub(super) systems: Vec<System>,
    /// What stands in the exports and not in the file, one sentence each.
    pub left_out: Vec<String>,
    /// What the user should look at before anything else.
    pub warnings: Vec<String>,
}

impl Known {
    /// Collects what exports say of one site.
    ///
    /// # Errors
    /// When they are of several sites and nobody says which one is meant. When they do not fit what was asked for, or have
    /// no server of the site.
    pub fn of(exports: &[Export], asked: &Asked) -> Result<Self, String> {
        let code = one_site(exports, asked)?;
        let mut gathered = Gathered::default();
        for export in exports {
            for object in &export.objects {
                gathered.take(export, object, code.as_deref());
            }
            if export.is_control_file {
                let source = Source::file(export, "the site control file");
                gathered.site.product.tell("configmgr-2007", source);
            }
        }
        known(gathered, exports, asked)
    }
}

/// The code of the site that is meant; `None` where no export says one.
fn one_site(exports: &[Export], asked: &Asked) -> Result<Option<String>, String> {
    let all = exports.iter().flat_map(|export| &export.objects);
    let codes: BTreeSet<String> = all.filter_map(code_of).collect();
    let list: Vec<&String> = codes.iter().collect();
    let list = some_of(&list, MOST_LISTED);
    match (&asked.code, codes.len()) {
        (Some(code), count) if count > 0 && !codes.contains(code) => Err(format!(
            "no export has objects of the site {code}; they have those of {list}"
        )),
        (Some(code), _) => Ok(Some(code.clone())),
        (None, 0 | 1) => Ok(codes.into_iter().next()),
        (None, _) => Err(format!(
            "the exports have objects of the sites {list}, and a site file is about one: say which \
             one with --site CODE"
        )),
    }
}

/// Puts together what was gathered.
fn known(mut gathered: Gathered, exports: &[Export], asked: &Asked) -> Result<Known, String> {
    gathered.cloud_roles();
    let catalogue = product_of(&gathered.site.product, asked)?;
    if let Some(catalogue) = &asked.product {
        // A name of the embedded products, which lives as long as the program.
        let name = product::all().find(|name| *name == catalogue.product);
        if let Some(name) = name {
            gathered
                .site
                .product
                .tell(name, Source::option("--product"));
        }
    }
    let mut left_out = gathered.left_out(catalogue.as_ref());
    let mut systems = same_host::joined(gathered.systems);
    if let Some(catalogue) = &catalogue {
        for system in &mut systems {
            system.roles.retain(|(role, _)| catalogue.has_role(*role));
        }
    }
    let (kept, bare): (Vec<System>, Vec<System>) =
        systems.into_iter().partition(|it| !it.roles.is_empty());
    if kept.is_empty() {
        return Err(
            "the exports name no server with a role that portproof knows: export \
                 SMS_SCI_SysResUse, which has them all (docs/import.md has the command)"
                .to_string(),
        );
    }
    listed(
        &mut left_out,
        "without a role that has rules",
        bare.iter().map(|system| system.host.clone()),
    );
    let mut warnings: Vec<String> = Vec::new();
    for export in exports {
        let name = &export.name;
        warnings.extend(export.warnings.iter().map(|it| format!("{name}: {it}")));
        listed(
            &mut left_out,
            &format!("not known to portproof, in {name}"),
            export.unknown.iter().cloned(),
        );
    }
    for system in &kept {
        if let Some(may_be) = &system.may_be {
            let host = &system.host;
            warnings.push(format!("the server {host} may be the same as {may_be}"));
        }
    }
    if let Some(version) = gathered.site.version.one()
        && version.product().is_none()
    {
        warnings.push(format!(
            "version {version} is of no product that portproof has the rules of"
        ));
    }
    Ok(Known {
        files: exports.iter().map(|it| it.name.clone()).collect(),
        site: gathered.site,
        catalogue,
        systems: in_order(kept),
        left_out,
        warnings,
    })
}

/// The rules of the product, where exports or user say which one it is.
fn product_of(said: &Fact<&'static str>, asked: &Asked) -> Result<Option<Catalogue>, String> {
    match (&asked.product, said.one()) {
        (Some(asked), Some(said)) if asked.product != *said => Err(format!(
            "--product says {}, and the exports are of {said}: leave the option out",
            asked.product
        )),
        (Some(asked), _) => Ok(Some(asked.clone())),
        (None, Some(said)) => {
            let bytes = product::find(said).unwrap_or_default();
            Ok(Catalogue::parse(bytes).ok())
        }
        (None, None) => Ok(None),
    }
}

/// The site server first, then all others by their names.
fn in_order(mut systems: Vec<System>) -> Vec<System> {
    systems.sort_by_key(|system| !system.has(Role::SiteServer));
    systems
}
