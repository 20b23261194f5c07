//! The proxy through which the flows of the vantage leave.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::request::SiteFile;
use crate::catalogue::{Need, Role, Transport};
use crate::config::{Route, Via};
use crate::observation::Unresolved;
use crate::plan::{self, Flow, Target};
use crate::probe::{self, Gateway};
use crate::site::{Site, ZoneId};

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
    pub(super) fn takes(&self, file: &SiteFile, flow: &Flow) -> bool {
        let Some(roles) = &self.roles else {
            return true;
        };
        let is_of_lists =
            matches!(flow.to, Target::Crl(_)) || plan::is_only_of_lists(&file.catalogue, flow);
        let is_of_a_role = match is_of_lists {
            true => self.is_for_lists(),
            false => !plan::roles(&file.site, &file.catalogue, flow).is_disjoint(roles),
        };
        is_of_a_role && flow.need != Need::Forbidden && flow.transport == Transport::Tcp
    }
}

/// The proxy of a zone, if flows leave through one. Its name is resolved from here.
///
/// # Errors
/// When the password is none that a proxy could be told.
pub(super) async fn leave(
    site: &Site,
    zone: ZoneId,
    password: Option<&str>,
    timeout: Duration,
) -> anyhow::Result<Option<Leave>> {
    let Some(Route { proxy, roles }) = site.via(zone) else {
        return Ok(None);
    };
    let addresses = addresses(proxy, timeout).await;
    let gateway = Gateway::new(proxy, &addresses, password);
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

async fn addresses(via: &Via, timeout: Duration) -> Vec<IpAddr> {
    if let Ok(address) = via.host.parse() {
        return vec![address];
    }
    let found: Result<Vec<IpAddr>, Unresolved> = probe::lookup(&via.host, timeout).await;
    found.unwrap_or_default()
}
