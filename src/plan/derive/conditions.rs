//! Whether the conditions of a rule hold on this site: all of them stand here.

use super::known::Known;
use crate::config::{
    ClientConnections, Mode, ProxyTls, Replication, ServiceConnection, UpdateSync,
};
use crate::product::{Condition, Role, Rule};
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
        let held = match to {
            Some(to) => condition_holds(site, known, *condition, from, to),
            None => of_source(site, known, *condition, from),
        };
        match held {
            Some(true) => {}
            Some(false) => return None,
            None => certain = false,
        }
    }
    Some(certain)
}

/// A condition on the site or on the source; `None` where the file does not say.
fn of_source(site: &Site, known: &Known<'_>, condition: Condition, from: Origin) -> Option<bool> {
    let source = match from {
        Origin::System(number) => Some(&site.systems[number]),
        Origin::Zone(_) => None,
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
        Condition::SourceIsHttps => {
            return source.and_then(|it| speaks(it, &[ClientConnections::Https]));
        }
        Condition::HasCmg => cmg.is_some(),
        Condition::CmgHasOneInstance => cmg.is_some_and(|cmg| cmg.instances == 1),
        Condition::CmgHasSeveralInstances => cmg.is_some_and(|cmg| cmg.instances > 1),
        Condition::CmgHasContent => cmg.is_some_and(|cmg| cmg.content),
        Condition::TenantAttached => site.tenant_attach,
        Condition::ServiceConnectionOnline => site.settings.is(ServiceConnection::Online),
        Condition::TopOfHierarchy => !known.has_parent,
        Condition::Version2603 => return site.version.map(|version| version >= 2603),
        // What asks for a destination holds of none; a catalogue that asks so is refused.
        Condition::UsesThisDatabase
        | Condition::UsesAnotherDatabase
        | Condition::ReplicationPush
        | Condition::ReplicationPull
        | Condition::SiteServerInDestinationForest
        | Condition::SameForest
        | Condition::SameZone
        | Condition::BetweenZones
        | Condition::PublishedBySource
        | Condition::PublishesManagementOrDistributionPoint
        | Condition::PublishesSoftwareUpdatePoint
        | Condition::PublishesFallbackStatusPoint
        | Condition::SiteServerInDestinationZone
        | Condition::DestinationDoesNotServeInternet
        | Condition::IpsecBetween
        | Condition::SourceZoneIsPassive
        | Condition::DestinationIsHttps
        | Condition::DestinationIsHttp
        | Condition::DestinationIsEnhancedHttp
        | Condition::PullsFromDestination => false,
    })
}

/// One condition; `None` where the file does not say.
fn condition_holds(
    site: &Site,
    known: &Known<'_>,
    condition: Condition,
    from: Origin,
    to: SystemId,
) -> Option<bool> {
    let destination = &site.systems[to];
    let from_zone = site.zone_of(from);
    let legs = || site.legs(from, to);
    let source = match from {
        Origin::System(number) => Some(&site.systems[number]),
        Origin::Zone(_) => None,
    };
    let publishes = |role: Role| {
        destination.publishes.iter().any(|published| {
            site.systems[*published].client_roles.contains(&role)
                && site.serves(*published, from_zone)
        })
    };
    Some(match condition {
        Condition::UsesThisDatabase => source.is_some_and(|source| source.database == Some(to)),
        Condition::UsesAnotherDatabase => {
            source.is_some_and(|source| source.database.is_some_and(|database| database != to))
        }
        Condition::ReplicationPush => {
            return replication(source, destination).map(|way| way == Replication::Push);
        }
        Condition::ReplicationPull => {
            return replication(source, destination).map(|way| way == Replication::Pull);
        }
        Condition::SiteServerInDestinationForest => {
            let forests = &known.site_server_forests;
            // Where no site server is in the file, nobody knows its forest.
            return (!forests.is_empty()).then(|| forests.contains(&destination.forest.as_deref()));
        }
        Condition::SameForest => source.is_none_or(|source| source.forest == destination.forest),
        Condition::SameZone => {
            let (start, end) = legs();
            start == end
        }
        Condition::BetweenZones => {
            let (start, end) = legs();
            start != end
        }
        Condition::PublishedBySource => source.is_some_and(|source| source.publishes.contains(&to)),
        Condition::PublishesManagementOrDistributionPoint => {
            publishes(Role::ManagementPoint) || publishes(Role::DistributionPoint)
        }
        Condition::PublishesSoftwareUpdatePoint => publishes(Role::SoftwareUpdatePoint),
        Condition::PublishesFallbackStatusPoint => publishes(Role::FallbackStatusPoint),
        Condition::SiteServerInDestinationZone => known.has_site_server[destination.zone],
        Condition::DestinationDoesNotServeInternet => site
            .internet
            .is_none_or(|internet| !site.serves(to, internet)),
        Condition::IpsecBetween => match from {
            Origin::System(from) => site.is_ipsec_between(from, to),
            Origin::Zone(_) => false,
        },
        Condition::SourceZoneIsPassive => {
            let between = legs();
            let mut passive = known.passive.borrow_mut();
            let entry = passive.entry(between);
            *entry.or_insert_with(|| is_passive(site, known, between))
        }
        Condition::DestinationIsHttps => {
            return speaks(destination, &[ClientConnections::Https]);
        }
        Condition::DestinationIsHttp => {
            let plain = [ClientConnections::Http, ClientConnections::EnhancedHttp];
            return speaks(destination, &plain);
        }
        Condition::DestinationIsEnhancedHttp => {
            return speaks(destination, &[ClientConnections::EnhancedHttp]);
        }
        Condition::PullsFromDestination => {
            source.is_some_and(|source| source.pulls_from.contains(&to))
        }
        // The others ask nothing of a destination.
        _ => return of_source(site, known, condition, from),
    })
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
