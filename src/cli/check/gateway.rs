//! The proxy through which the flows of the vantage leave, with the password for it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::catalogue::{Need, Role, Transport};
use crate::cli::files::{self, Loaded};
use crate::cli::handed_over::handed_over;
use crate::config::{Route, Via};
use crate::observation::Unresolved;
use crate::plan::{self, Flow, Target};
use crate::probe::{self, Gateway};
use crate::site::ZoneId;

/// Where the password is looked for first.
const PASSWORD: &str = "PORTPROOF_VIA_PASSWORD";
/// What it is called among the secrets that a service manager hands over; looked for last.
const CREDENTIAL: &str = "portproof.via-password";

/// The proxy through which flows of the vantage leave, and which of them.
pub(super) struct Leave {
    /// The proxy.
    pub(super) gateway: Arc<Gateway>,
    /// The roles whose flows go through it; `None`: all flows do.
    pub(super) roles: Option<BTreeSet<Role>>,
}

impl Leave {
    /// Whether nothing goes past it.
    pub(super) fn is_for_all(&self) -> bool {
        self.roles.is_none()
    }

    /// Whether lists are fetched through it.
    pub(super) fn is_for_lists(&self) -> bool {
        let lists = |roles: &BTreeSet<Role>| roles.contains(&Role::CrlDistributionPoint);
        self.roles.as_ref().is_none_or(lists)
    }

    /// Whether a flow goes through it. Of a flow to several roles one decides. What must be closed, and what is not TCP,
    /// no proxy leads on: it goes direct where other flows do.
    pub(super) fn takes(&self, loaded: &Loaded, flow: &Flow) -> bool {
        let Some(roles) = &self.roles else {
            return true;
        };
        let is_of_lists =
            matches!(flow.to, Target::Crl(_)) || plan::is_only_of_lists(&loaded.catalogue, flow);
        let is_of_a_role = match is_of_lists {
            true => self.is_for_lists(),
            false => !plan::roles(&loaded.site, &loaded.catalogue, flow).is_disjoint(roles),
        };
        is_of_a_role && flow.need != Need::Forbidden && flow.transport == Transport::Tcp
    }
}

/// The proxy of a zone, if flows leave through one. Its name is resolved from here.
///
/// # Errors
/// When the file names a user and there is no password that a proxy could be told.
pub(super) async fn leave(
    loaded: &Loaded,
    zone: ZoneId,
    timeout: Duration,
) -> anyhow::Result<Option<Leave>> {
    let Some(Route { proxy, roles }) = loaded.site.via(zone) else {
        return Ok(None);
    };
    let password = match &proxy.user {
        Some(user) => Some(
            password(loaded)
                .with_context(|| format!("the proxy {proxy} is to be told who `{user}` is"))?,
        ),
        None => None,
    };
    let addresses = addresses(proxy, timeout).await;
    let gateway = Gateway::new(proxy, &addresses, password.as_deref());
    let gateway = gateway.with_context(|| {
        format!(
            "the password for the proxy {proxy} has to have 1 to 255 bytes without control characters"
        )
    })?;
    Ok(Some(Leave {
        gateway: Arc::new(match roles {
            None => gateway,
            Some(_) => gateway.beside_direct_ways(),
        }),
        roles: roles.clone(),
    }))
}

fn password(loaded: &Loaded) -> anyhow::Result<String> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(password);
    }
    let named = loaded.config.via_password_file.as_ref();
    let named = named.map(|file| loaded.folder.join(file));
    let Some(path) = named.or_else(|| handed_over(CREDENTIAL)) else {
        anyhow::bail!("no password: set {PASSWORD}, or name a file under `via_password_file`");
    };
    files::password_of(&path)
        .with_context(|| format!("reading the proxy's password from {}", path.display()))
}

async fn addresses(via: &Via, timeout: Duration) -> Vec<IpAddr> {
    if let Ok(address) = via.host.parse() {
        return vec![address];
    }
    let found: Result<Vec<IpAddr>, Unresolved> = probe::lookup(&via.host, timeout).await;
    found.unwrap_or_default()
}
