//! Which way packets of this vantage go: to the systems themselves, to the lab's stand-ins of them, or through the proxy of
//! the zone. It is decided once, and every part of a run asks here.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::request::SiteFile;
use crate::config::{Route, Via};
use crate::lab::Lab;
use crate::observation::Unresolved;
use crate::plan::{self, Flow, Target};
use crate::probe::{self, Gateway, Way};
use crate::product::{Need, Role, Transport};
use crate::site::{Site, ZoneId};

/// The ways out of this vantage.
pub(super) enum Ways {
    /// All flows go to the systems themselves.
    Direct,
    /// All flows go to stand-ins.
    Lab(Lab),
    /// All flows go through a proxy.
    Proxy(Arc<Gateway>),
    /// The flows of some roles go through a proxy, the others to the systems themselves.
    ProxyOfRoles(Arc<Gateway>, BTreeSet<Role>),
}

impl Ways {
    /// Whether connections to a system end at that system, because no proxy is between. What a device does on the way
    /// can then be looked into.
    pub(super) fn reach_systems(&self) -> bool {
        matches!(self, Self::Direct | Self::ProxyOfRoles(..))
    }

    /// Whether nothing leaves this host.
    pub(super) fn are_of_the_lab(&self) -> bool {
        matches!(self, Self::Lab(_))
    }

    /// Whether nothing goes past the proxy.
    pub(super) fn are_all_by_proxy(&self) -> bool {
        matches!(self, Self::Proxy(_))
    }

    /// Whether there is anything to ask at the end of a flow: the lab has no stand-in for everything.
    pub(super) fn have(&self, flow: &Flow) -> bool {
        match self {
            Self::Lab(lab) => lab.has(flow),
            Self::Direct | Self::Proxy(_) | Self::ProxyOfRoles(..) => true,
        }
    }

    /// The way of a flow.
    pub(super) fn of(&self, file: &SiteFile, flow: &Flow) -> Way {
        match self {
            Self::Direct => Way::Direct,
            Self::Lab(lab) => lab.way(&flow.to, flow.port.low),
            Self::Proxy(gateway) => Way::Proxy(Arc::clone(gateway)),
            Self::ProxyOfRoles(gateway, roles) => match takes(roles, file, flow) {
                true => Way::Proxy(Arc::clone(gateway)),
                false => Way::Direct,
            },
        }
    }

    /// The way to a port of a system of which the plan knows nothing.
    pub(super) fn beside_the_plan(&self, to: &Target, port: u16) -> Way {
        match self {
            Self::Lab(lab) => lab.way(to, port),
            Self::Direct | Self::Proxy(_) | Self::ProxyOfRoles(..) => Way::Direct,
        }
    }

    /// The proxy that lists are fetched through.
    pub(super) fn proxy_of_lists(&self) -> Option<&Arc<Gateway>> {
        match self {
            Self::Proxy(gateway) => Some(gateway),
            Self::ProxyOfRoles(gateway, roles) => of_lists(roles).then_some(gateway),
            Self::Direct | Self::Lab(_) => None,
        }
    }
}

fn of_lists(roles: &BTreeSet<Role>) -> bool {
    roles.contains(&Role::CrlDistributionPoint)
}

/// Whether a flow goes through the proxy of some roles. Of a flow to several roles one decides. What must be closed, and
/// what is not TCP, no proxy leads on: it goes direct where other flows do.
fn takes(roles: &BTreeSet<Role>, file: &SiteFile, flow: &Flow) -> bool {
    let is_of_lists =
        matches!(flow.to, Target::Host(_)) || plan::is_only_of_lists(&file.catalogue, flow);
    let is_of_a_role = match is_of_lists {
        true => of_lists(roles),
        false => !plan::roles(&file.site, &file.catalogue, flow).is_disjoint(roles),
    };
    is_of_a_role && flow.need != Need::Forbidden && flow.transport == Transport::Tcp
}

/// The ways out of a zone, as the site file has them. The name of a proxy is resolved from here.
///
/// # Errors
/// When the password is none that a proxy could be told.
pub(super) async fn of_zone(
    site: &Site,
    zone: ZoneId,
    password: Option<&str>,
    timeout: Duration,
) -> anyhow::Result<Ways> {
    let Some(Route { proxy, roles }) = site.via(zone) else {
        return Ok(Ways::Direct);
    };
    let addresses = addresses(proxy, timeout).await;
    let gateway = Gateway::new(proxy, &addresses, password);
    let gateway = gateway.with_context(|| {
        format!(
            "the password for the proxy {proxy} has to have 1 to 255 bytes without control \
             characters"
        )
    })?;
    Ok(match roles {
        None => Ways::Proxy(Arc::new(gateway)),
        Some(roles) => {
            let gateway = Arc::new(gateway.beside_direct_ways());
            Ways::ProxyOfRoles(gateway, roles.clone())
        }
    })
}

async fn addresses(via: &Via, timeout: Duration) -> Vec<IpAddr> {
    if let Ok(address) = via.host.parse() {
        return vec![address];
    }
    let found: Result<Vec<IpAddr>, Unresolved> = probe::lookup(&via.host, timeout).await;
    found.unwrap_or_default()
}
