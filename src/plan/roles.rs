//! The roles whose rules made a flow: what has to be found at its end.

use std::collections::BTreeSet;

use super::{Flow, Plan, Target};
use crate::config::ProxyTls;
use crate::product::{Catalogue, Condition, End, Need, Protocol, Role, Rule};
use crate::site::{Origin, Site, SystemId};

/// The roles that a flow leads to, by the rules that made it and speak its protocol. Behind a proxy they are those of
/// the systems that it publishes.
pub fn roles(site: &Site, catalogue: &Catalogue, flow: &Flow) -> BTreeSet<Role> {
    let Target::System(to) = flow.to else {
        return BTreeSet::new();
    };
    let made =
        |rule: &&Rule| rule.protocol == flow.protocol && flow.reason.rules.contains(&rule.id);
    let rules = catalogue.rules.iter().filter(made);
    rules.flat_map(|rule| of_rule(site, rule, to)).collect()
}

fn of_rule(site: &Site, rule: &Rule, to: SystemId) -> Vec<Role> {
    let system = &site.systems[to];
    let named = rule.to.iter().filter_map(|end| match end {
        End::Role(role) => Some(*role),
        End::ActiveSoftwareUpdatePoint | End::InternetSoftwareUpdatePoint => {
            Some(Role::SoftwareUpdatePoint)
        }
        End::AnySystem
        | End::Service(_)
        | End::InternetClients
        | End::IntranetClients
        | End::Clients
        | End::Internet
        | End::LessTrustedZones
        | End::MoreTrustedZones => None,
    });
    let mut all = Vec::new();
    for role in named {
        if role == Role::WebProxy {
            all.extend(published(site, rule, to));
        } else if system.client_roles.contains(&role) || system.server_roles.contains(&role) {
            all.push(role);
        }
    }
    all
}

/// What a rule expects behind a proxy.
fn published(site: &Site, rule: &Rule, proxy: SystemId) -> Vec<Role> {
    let wanted = rule.when.iter().flat_map(|condition| match condition {
        Condition::PublishesManagementOrDistributionPoint => {
            &[Role::ManagementPoint, Role::DistributionPoint][..]
        }
        Condition::PublishesSoftwareUpdatePoint => &[Role::SoftwareUpdatePoint],
        Condition::PublishesFallbackStatusPoint => &[Role::FallbackStatusPoint],
        _ => &[],
    });
    let behind = &site.systems[proxy].publishes;
    let has = |role: &&Role| {
        let mut systems = behind.iter().map(|system| &site.systems[*system]);
        systems.any(|system| system.client_roles.contains(role))
    };
    wanted.filter(has).copied().collect()
}

/// The drives with packages of the distribution points at the end of a flow, as far as the site file names them.
pub fn package_drives(site: &Site, flow: &Flow) -> Vec<char> {
    let Target::System(to) = flow.to else {
        return Vec::new();
    };
    let behind = &site.systems[to];
    let all: BTreeSet<char> = std::iter::once(&to)
        .chain(behind.publishes.iter().chain(&behind.members))
        .flat_map(|system| &site.systems[*system].package_drives)
        .copied()
        .collect();
    all.into_iter().collect()
}

/// The flows to databases that a role at the end of a flow needs: of the system itself, and of those that stand behind it.
pub fn databases<'a>(
    site: &Site,
    catalogue: &'a Catalogue,
    plan: &'a Plan,
    flow: &Flow,
    role: Role,
) -> Vec<&'a Flow> {
    let Target::System(to) = flow.to else {
        return Vec::new();
    };
    let behind = |system: SystemId| {
        let system = &site.systems[system];
        system.publishes.iter().chain(&system.members).copied()
    };
    let systems: BTreeSet<SystemId> = std::iter::once(to)
        .chain(behind(to).flat_map(|it| std::iter::once(it).chain(behind(it))))
        .collect();
    let of_role =
        |rule: &&Rule| rule.protocol == Protocol::Tds && rule.from.contains(&End::Role(role));
    let rules: BTreeSet<&str> = catalogue
        .rules
        .iter()
        .filter(of_role)
        .map(|rule| rule.id.as_str())
        .collect();
    let is_it = |flow: &&Flow| {
        let from = matches!(flow.from, Origin::System(from) if systems.contains(&from));
        let mut made = flow.reason.rules.iter();
        from && flow.need == Need::Required && made.any(|rule| rules.contains(rule.as_str()))
    };
    plan.flows.iter().filter(is_it).collect()
}

/// Whether something between the two ends of a flow over TLS sees what is said: a proxy that bridges.
pub fn is_bridged(site: &Site, flow: &Flow) -> bool {
    flow.to.system().is_some_and(|to| {
        let system = &site.systems[to];
        !system.publishes.is_empty() && system.proxy_tls == ProxyTls::Bridging
    })
}
