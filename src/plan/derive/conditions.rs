//! Whether the conditions of a rule hold on this site: all of them stand here.

use super::known::Known;
use crate::config::{
    ClientConnections, Mode, ProxyTls, Replication, ServiceConnection, UpdateSync,
};
use crate::product::{Condition, Role, Rule, Setting};
use crate::site::{Origin, Site, System, SystemId, ZoneId};

/// Whether a rule's conditions hold: `None` no, `Some(true)` yes, `Some(false)` the file does not say. A rule that leads to
/// no system has no condition that asks for one.
pub(super) fn holds(
    site: &Site,
    known: &Known<'_>,
    rule: &Rule,
    from: Origin,
    to: Option<SystemId>,
) -> Option<bool> {
    let mut certain = true;
    for condition in &rule.when {
        match condition_holds(site, known, *condition, from, to) {
            Some(true) => {}
            Some(false) => return None,
            None => certain = false,
        }
    }
    Some(certain)
}

/// One condition; `None` where the file does not say. What asks for a destination holds of none.
fn condition_holds(
    site: &Site,
    known: &Known<'_>,
    condition: Condition,
    from: Origin,
    to: Option<SystemId>,
) -> Option<bool> {
    if to.is_none() && condition.is_of_destination() {
        return Some(false);
    }
    let source = match from {
        Origin::System(number) => Some(&site.systems[number]),
        Origin::Zone(_) => None,
    };
    let destination = to.map(|to| &site.systems[to]);
    let legs = || to.map(|to| site.legs(from, to));
    let publishes = |role: Role| {
        let mut published = destination?.publishes.iter();
        Some(published.any(|system| {
            site.systems[*system].client_roles.contains(&role)
                && site.serves(*system, site.zone_of(from))
        }))
    };
    let cmg = site.cmg.as_ref();
    Some(match condition {
        Condition::NativeMode => site.settings.is(Mode::Native),
        Condition::MixedMode => site.settings.is(Mode::Mixed),
        Condition::CrlCheck => site.crl_check,
        Condition::SyncDirect => site.settings.is(UpdateSync::Direct),
        Condition::SyncExportImport => site.settings.is(UpdateSync::ExportImport),
        Condition::SourceStartsConnections => {
            source.is_some_and(|source| !source.initiated_by_site_server)
        }
        Condition::SourceDoesNotStartConnections => {
            source.is_some_and(|source| source.initiated_by_site_server)
        }
        Condition::SourceBridges => source.is_some_and(|source| bridges(site, source)),
        Condition::SourceIsDomainMember => source.is_some_and(|source| source.is_domain_member),
        Condition::WebProxyInSourceZone => known.has_proxy[site.zone_of(from)],
        Condition::SourceIsHttps => speaks(source?, &[ClientConnections::Https])?,
        Condition::SourceSendsMulticast => source.is_some_and(sends_multicast),
        Condition::SourceIsCache => source.is_some_and(|source| source.connected_cache),
        Condition::HasCmg => cmg.is_some(),
        Condition::CmgHasOneInstance => cmg.is_some_and(|cmg| cmg.instances == 1),
        Condition::CmgHasSeveralInstances => cmg.is_some_and(|cmg| cmg.instances > 1),
        Condition::CmgHasContent => cmg.is_some_and(|cmg| cmg.content),
        Condition::TenantAttached => site.tenant_attach,
        Condition::ServiceConnectionOnline => site.settings.is(ServiceConnection::Online),
        Condition::TopOfHierarchy => !known.has_parent,
        Condition::Version2603 => site.version? >= 2603,
        Condition::UsesThisDatabase => source.is_some_and(|source| source.database == to),
        Condition::UsesAnotherDatabase => {
            source.is_some_and(|source| source.database.is_some() && source.database != to)
        }
        Condition::ReplicationPush => replication(source, destination?)? == Replication::Push,
        Condition::ReplicationPull => replication(source, destination?)? == Replication::Pull,
        Condition::SiteServerInDestinationForest => {
            let forests = &known.site_server_forests;
            let forest = destination?.forest.as_deref();
            // Where no site server is in the file, nobody knows its forest.
            (!forests.is_empty()).then(|| forests.contains(&forest))?
        }
        Condition::SameForest => {
            let forest = &destination?.forest;
            source.is_none_or(|source| source.forest == *forest)
        }
        Condition::SameZone => {
            let (start, end) = legs()?;
            start == end
        }
        Condition::BetweenZones => {
            let (start, end) = legs()?;
            start != end
        }
        Condition::PublishedBySource => {
            let to = to?;
            source.is_some_and(|source| source.publishes.contains(&to))
        }
        Condition::PublishesManagementOrDistributionPoint => {
            publishes(Role::ManagementPoint)? || publishes(Role::DistributionPoint)?
        }
        Condition::PublishesSoftwareUpdatePoint => publishes(Role::SoftwareUpdatePoint)?,
        Condition::PublishesFallbackStatusPoint => publishes(Role::FallbackStatusPoint)?,
        Condition::SiteServerInDestinationZone => known.has_site_server[destination?.zone],
        Condition::DestinationDoesNotServeInternet => {
            let to = to?;
            site.internet
                .is_none_or(|internet| !site.serves(to, internet))
        }
        Condition::IpsecBetween => match from {
            Origin::System(from) => site.is_ipsec_between(from, to?),
            Origin::Zone(_) => false,
        },
        Condition::SourceZoneIsPassive => {
            let between = legs()?;
            let mut passive = known.passive.borrow_mut();
            let entry = passive.entry(between);
            *entry.or_insert_with(|| is_passive(site, known, between))
        }
        Condition::DestinationIsHttps => speaks(destination?, &[ClientConnections::Https])?,
        Condition::DestinationIsHttp => {
            let plain = [ClientConnections::Http, ClientConnections::EnhancedHttp];
            speaks(destination?, &plain)?
        }
        Condition::DestinationIsEnhancedHttp => {
            speaks(destination?, &[ClientConnections::EnhancedHttp])?
        }
        Condition::PullsFromDestination => {
            let to = to?;
            source.is_some_and(|source| source.pulls_from.contains(&to))
        }
        Condition::DestinationSendsMulticast => sends_multicast(destination?),
        Condition::DestinationIsCache => destination?.connected_cache,
    })
}

/// Whether a distribution point sends images by multicast.
fn sends_multicast(system: &System) -> bool {
    !system.settings.ports(Setting::Multicast).is_empty()
}

/// Whether clients speak to a system in one of these ways; `None` where the file does not say.
fn speaks(system: &System, ways: &[ClientConnections]) -> Option<bool> {
    let said: Option<ClientConnections> = system.settings.chosen();
    said.map(|way| ways.contains(&way))
}

/// Whether a system ends TLS before a management or distribution point, and so asks clients for their certificates.
fn bridges(site: &Site, proxy: &System) -> bool {
    let asks = |role| {
        let mut published = proxy.publishes.iter();
        published.any(|system| site.systems[*system].client_roles.contains(&role))
    };
    proxy.proxy_tls == ProxyTls::Bridging
        && (asks(Role::ManagementPoint) || asks(Role::DistributionPoint))
}

fn replication(source: Option<&System>, destination: &System) -> Option<Replication> {
    let replica = |system: &System| system.server_roles.contains(&Role::SiteDatabaseReplica);
    let end = if replica(destination) {
        Some(destination)
    } else {
        source.filter(|source| replica(source))
    };
    end.and_then(|replica| replica.settings.chosen())
}

/// Whether nothing in a zone starts connections toward another. The site server starts them all, and update metadata
/// are carried. No management point there uses a database beyond, and no replica there pulls.
fn is_passive(site: &Site, known: &Known<'_>, (from, to): (ZoneId, ZoneId)) -> bool {
    let carried = site.settings.is(UpdateSync::ExportImport);
    carried
        && known.in_zone[from]
            .iter()
            .map(|system| &site.systems[*system])
            // What has a leg on either side crosses nothing.
            .filter(|system| !system.is_in(to))
            .all(|system| {
                let database_beyond = system.server_roles.contains(&Role::ManagementPoint)
                    && system
                        .database
                        .is_some_and(|database| site.systems[database].is_in(to));
                let pulls = system.server_roles.contains(&Role::SiteDatabaseReplica)
                    && !system.settings.is(Replication::Push);
                let quiet = system.initiated_by_site_server
                    || system.server_roles.contains(&Role::SiteDatabaseReplica);
                quiet && !database_beyond && !pulls && system.publishes.is_empty()
            })
}
