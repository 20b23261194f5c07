//! What each rule proposes for this site: its ends (`ends`), where its conditions hold (`conditions`), at the numbers
//! that its ports have here (`ports`). Hosts of revocation lists (`lists`), the user's own flows (`own`) and the
//! watchlist come on top.

mod conditions;
mod ends;
mod lists;
mod own;
mod ports;
mod watchlist;

use std::sync::Arc;

use super::{Flow, Reason, Target};
use crate::config::ProxyTls;
use crate::product::{Catalogue, Need, Rule};
use crate::site::{Origin, Site, SystemId};
use crate::yaml::Ports;

pub use lists::{flow_to_list, is_only_of_lists};
pub(super) use own::own_flows;
pub(super) use watchlist::{from_watchlist, watchlist};

/// Every flow that the catalogue's rules propose.
pub(super) fn from_rules(site: &Site, catalogue: &Catalogue, watchlist: &[u16]) -> Vec<Flow> {
    catalogue
        .rules
        .iter()
        .flat_map(|rule| from_rule(site, catalogue, watchlist, rule))
        .collect()
}

fn from_rule(site: &Site, catalogue: &Catalogue, watchlist: &[u16], rule: &Rule) -> Vec<Flow> {
    let mut flows = Vec::new();
    for to in 0..site.systems.len() {
        if !rule
            .to
            .iter()
            .any(|end| ends::leads_to(site, rule, *end, to))
        {
            continue;
        }
        for from in rule
            .from
            .iter()
            .flat_map(|end| ends::origins(site, *end, to))
        {
            let Some(certain) = conditions::holds(site, rule, from, to) else {
                continue;
            };
            if from == Origin::System(to) {
                continue;
            }
            flows.extend(one_pair(
                site, catalogue, watchlist, rule, from, to, certain,
            ));
        }
    }
    if lists::is_of_lists(catalogue, rule) && site.crl_check {
        flows.extend(lists::crl_flows(site, rule));
    }
    flows
}

fn reason(rule: &Rule) -> Reason {
    Reason {
        rules: vec![rule.id.clone()],
        why: rule.why.clone(),
        breaks: rule.breaks.clone(),
        source: rule.source.clone(),
        confidence: rule.confidence,
        declared: Default::default(),
        only_watched: false,
    }
}

fn one_pair(
    site: &Site,
    catalogue: &Catalogue,
    watchlist: &[u16],
    rule: &Rule,
    from: Origin,
    to: SystemId,
    certain: bool,
) -> Vec<Flow> {
    if rule.planned_need() == Need::Forbidden && !certain {
        return Vec::new();
    }
    let mut why = reason(rule);
    why.declared = site.systems[to].declared;
    why.why += &behind_proxy(site, from, to);
    let why = Arc::new(why);
    let at = |port, need| Flow {
        from,
        to: Target::System(to),
        transport: rule.transport,
        port,
        protocol: rule.protocol,
        need,
        reason: Arc::clone(&why),
    };
    if !rule.transport.has_ports() {
        return vec![at(Ports::NONE, rule.planned_need())];
    }
    let mut flows = Vec::new();
    for name in rule
        .ports
        .iter()
        .filter_map(|name| catalogue.ports.get(name))
    {
        for port in ports::ports(site, watchlist, name, from, to) {
            let demoted = !certain || ports::is_dispensable(site, catalogue, name, port);
            let need = if demoted && rule.planned_need() == Need::Required {
                Need::Optional
            } else {
                rule.planned_need()
            };
            flows.push(at(port, need));
        }
    }
    flows
}

/// What stands behind a proxy that clients use in place of the published systems.
fn behind_proxy(site: &Site, from: Origin, to: SystemId) -> String {
    let proxy = &site.systems[to];
    if proxy.publishes.is_empty() || !matches!(from, Origin::Zone(_)) {
        return String::new();
    }
    let names: Vec<&str> = proxy
        .publishes
        .iter()
        .map(|system| site.systems[*system].name.as_str())
        .collect();
    let how = match proxy.proxy_tls {
        ProxyTls::Bridging => "ends TLS and opens its own session to",
        ProxyTls::Tunnelling => "passes TLS through to",
    };
    format!(" The proxy {how} {}.", names.join(", "))
}
