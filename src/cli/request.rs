//! From the user's files to what a run is asked to do: where this host is in the site, and which secrets it may use.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use tokio::sync::watch;

use super::credentials::Credentials;
use super::files::Loaded;
use super::{token, via};
use crate::lab::Faults;
use crate::os;
use crate::probe::Permission;
use crate::report::{Named, ReportDocument};
use crate::run::{ClientNumbers, Request, Scope, SiteFile};
use crate::site::{Site, ZoneId};
use crate::vantage::{self, Place};

/// What is asked for beside the site file.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked<'a> {
    /// The zone that this host is said to be in.
    pub(super) from: Option<&'a str>,
    /// The system that it is said to be.
    pub(super) system: Option<&'a str>,
    /// Whether that holds even though this host's addresses say otherwise.
    pub(super) force_vantage: bool,
    /// The lab, with these faults.
    pub(super) lab: Option<Faults>,
    /// The client whose view it is.
    pub(super) client: Option<ClientNumbers>,
    /// How much is tried.
    pub(super) scope: Scope,
    /// Whether no paths may be walked.
    pub(super) no_path: bool,
    /// Whether the run must not set off devices that watch for scans.
    pub(super) gentle: Option<bool>,
    /// The file with the token of listeners.
    pub(super) token_file: Option<&'a Path>,
}

/// What a run is asked to do.
///
/// # Errors
/// When it is not known where this host is, or its addresses contradict what is said. When a secret cannot be read.
pub(super) fn request(
    asked: &Asked<'_>,
    mut loaded: Loaded,
    older: Option<Loaded>,
    resume: Option<Named<ReportDocument>>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<Request> {
    let own = os::own_addresses().unwrap_or_default();
    let own: Vec<IpAddr> = own.iter().map(IpNet::addr).collect();
    let place = place(asked, &loaded.site, &own)?;
    let forced = insisted_on(asked, &loaded.site, &place, &own)?;
    let (via_password, token) = match asked.lab {
        Some(_) => (None, None),
        None => (
            via::password(&loaded, place.zone)?,
            token::token(asked.token_file)?,
        ),
    };
    let Credentials {
        roots,
        client_certificate,
    } = std::mem::take(&mut loaded.credentials);
    Ok(Request {
        file: site_file(loaded),
        older: older.map(site_file),
        place,
        forced,
        lab: asked.lab,
        client: asked.client,
        resume,
        scope: asked.scope,
        walks: !asked.no_path,
        gentle: asked.gentle,
        roots,
        client_certificate,
        via_password,
        token,
        permission: Permission::default(),
        stop,
    })
}

fn site_file(loaded: Loaded) -> SiteFile {
    SiteFile {
        name: loaded.file,
        sha256: loaded.sha256,
        site: loaded.site,
        catalogue: loaded.catalogue,
        expires_soon: loaded.expires_soon,
    }
}

fn place(asked: &Asked<'_>, site: &Site, own: &[IpAddr]) -> anyhow::Result<Place> {
    let (from, hosts) = match asked.lab {
        Some(_) => (Some(lab_zone(asked, site)?), &[][..]),
        None => (asked.from, own),
    };
    vantage::find(site, from, asked.system, hosts).map_err(anyhow::Error::msg)
}

/// The zone in which the lab stands: the one asked for, else the first whose clients a system serves, the Internet before
/// others. Behind a gateway no system serves the Internet, and nothing there would have a stand-in.
fn lab_zone<'a>(asked: &Asked<'a>, site: &'a Site) -> anyhow::Result<&'a str> {
    if let Some(from) = asked.from {
        return Ok(from);
    }
    let is_served = |zone: ZoneId| (0..site.systems.len()).any(|it| site.serves(it, zone));
    let zones = site.clients.iter().copied();
    let zone = zones.min_by_key(|zone| (!is_served(*zone), site.internet != Some(*zone)));
    zone.map(|zone| site.zones[zone].name.as_str())
        .ok_or_else(|| {
            anyhow::anyhow!(
                "the lab stands in for what clients use, and the file has no `clients`; name a \
                 zone with --from"
            )
        })
}

/// What this host's addresses say against the vantage, where the user insists on it; refused where not.
fn insisted_on(
    asked: &Asked<'_>,
    site: &Site,
    place: &Place,
    own: &[IpAddr],
) -> anyhow::Result<Option<String>> {
    if asked.lab.is_some() {
        return Ok(None);
    }
    let Some(found) = vantage::contradiction(site, place, own) else {
        return Ok(None);
    };
    anyhow::ensure!(
        asked.force_vantage,
        "this does not look like zone `{}`{}: {found}. From the wrong place every finding would \
         be wrong. Correct --from or --as; if the place is right all the same, add \
         --force-vantage",
        site.zones[place.zone].name,
        match place.system {
            Some(system) => format!(" on system `{}`", site.systems[system].name),
            None => String::new(),
        }
    );
    Ok(Some(found))
}
