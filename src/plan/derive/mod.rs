//! What is proposed for this site, one destination after the other. A rule asks for flows between its ends (`ends`), where
//! its conditions hold (`conditions`), at the numbers that its ports have here (`ports`). Hosts of revocation lists
//! (`lists`), services and clients (`outward`), the user's own flows (`own`) and the watchlist come on top. What rules ask
//! of all systems again and again is found once (`known`).

mod beside;
mod conditions;
mod ends;
mod known;
mod lists;
mod outward;
mod own;
mod ports;
mod watchlist;

use std::collections::HashMap;
use std::sync::Arc;

use super::settle::{Proposal, ReasonId, Reasons, Settled};
use super::{Reason, Target, translate};
use crate::config::ProxyTls;
use crate::product::{Catalogue, Need, Rule};
use crate::site::{Origin, OwnFlow, Site, SystemId};
use crate::yaml::Ports;
use known::Known;

pub use beside::beside;
pub use lists::{flow_to_list, is_only_of_lists};

/// What rules are applied to.
struct Applied<'a> {
    site: &'a Site,
    catalogue: &'a Catalogue,
    known: Known<'a>,
    watchlist: Arc<[Ports]>,
    /// The reason of each rule.
    reasons: Vec<ReasonId>,
}

/// Proposes every flow of a site, and settles them destination by destination: only one's proposals are held at a time.
pub(super) fn propose(site: &Site, catalogue: &Catalogue, settled: &mut Settled) {
    let rules = catalogue.rules.iter();
    let applied = Applied {
        site,
        catalogue,
        known: Known::new(site, catalogue),
        watchlist: watchlist::watchlist(site, catalogue),
        reasons: rules
            .map(|rule| settled.reasons.add(reason(rule)))
            .collect(),
    };
    let watched = settled.reasons.add(watchlist::reason());
    let mut own: HashMap<SystemId, Vec<&OwnFlow>> = HashMap::new();
    for flow in &site.flows {
        own.entry(flow.to).or_default().push(flow);
    }
    for to in 0..site.systems.len() {
        let mut all = applied.toward(to, &mut settled.reasons);
        let own = own.get(&to).into_iter().flatten();
        all.extend(own.map(|flow| own::proposal(flow, &mut settled.reasons)));
        all.extend(watchlist::toward(site, &applied.watchlist, watched, to));
        let asked = all.into_iter().map(|it| translate::asked(site, it));
        settled.settle(asked.collect());
    }
    settled.settle(applied.to_hosts());
    settled.settle(applied.outward());
}

impl Applied<'_> {
    /// What the rules propose toward a system.
    fn toward(&self, to: SystemId, reasons: &mut Reasons) -> Vec<Proposal> {
        let mut all = Vec::new();
        for (rule, reason) in self.catalogue.rules.iter().zip(&self.reasons) {
            let mut ends = rule.to.iter();
            if !ends.any(|end| ends::leads_to(self.site, rule, *end, to)) {
                continue;
            }
            for from in ends::origins(self.site, &self.known, rule, to) {
                if from == Origin::System(to) {
                    continue;
                }
                let held = conditions::holds(self.site, &self.known, rule, from, Some(to));
                let Some(certain) = held else { continue };
                let reason = match behind_proxy(self.site, from, to) {
                    None => *reason,
                    Some(words) => reasons.add(Reason {
                        why: (rule.why.clone() + &words).into(),
                        ..self::reason(rule)
                    }),
                };
                self.one_pair(rule, reason, from, to, certain, &mut all);
            }
        }
        all
    }

    fn one_pair(
        &self,
        rule: &Rule,
        reason: ReasonId,
        from: Origin,
        to: SystemId,
        certain: bool,
        all: &mut Vec<Proposal>,
    ) {
        let planned = rule.planned_need();
        if planned == Need::Forbidden && !certain {
            return;
        }
        let mut at = |need, ports: Vec<Ports>| {
            if ports.is_empty() {
                return;
            }
            all.push(Proposal {
                from,
                to: Target::System(to),
                transport: rule.transport,
                ports: ports.into(),
                protocol: rule.protocol,
                need,
                reason,
                declared: self.site.systems[to].declared,
            });
        };
        if !rule.transport.has_ports() {
            return at(planned, vec![Ports::NONE]);
        }
        let (mut as_planned, mut demoted) = (Vec::new(), Vec::new());
        let names = rule.ports.iter();
        for name in names.filter_map(|name| self.catalogue.ports.get(name)) {
            for port in ports::ports(self.site, &self.watchlist, name, from, to) {
                let dispensable = || ports::is_dispensable(self.site, self.catalogue, name, port);
                match planned == Need::Required && (!certain || dispensable()) {
                    true => demoted.push(port),
                    false => as_planned.push(port),
                }
            }
        }
        at(planned, as_planned);
        at(Need::Optional, demoted);
    }

    /// What the rules propose toward hosts that are no system of the file.
    fn to_hosts(&self) -> Vec<Proposal> {
        let rules = self.catalogue.rules.iter().zip(&self.reasons);
        let of_lists = rules.filter(|(rule, _)| lists::is_of_lists(self.catalogue, rule));
        of_lists
            .flat_map(|(rule, reason)| {
                let origins = self.origins_outward(rule);
                lists::to_hosts(self.site, rule, *reason, &origins)
            })
            .collect()
    }

    /// Who starts a rule's flows toward what is no system of the file, and how much each needs them.
    fn origins_outward(&self, rule: &Rule) -> Vec<(Origin, Need)> {
        let planned = rule.planned_need();
        let origins = ends::origins_outward(self.site, &self.known, rule).into_iter();
        let needs = origins.filter_map(|from| {
            let certain = conditions::holds(self.site, &self.known, rule, from, None)?;
            match (planned, certain) {
                (Need::Forbidden, false) => None,
                (Need::Required, false) => Some((from, Need::Optional)),
                _ => Some((from, planned)),
            }
        });
        needs.collect()
    }
}

fn reason(rule: &Rule) -> Reason {
    Reason {
        rules: vec![rule.id.clone()],
        why: rule.why.as_str().into(),
        breaks: rule.breaks.as_str().into(),
        source: rule.source.as_str().into(),
        confidence: rule.confidence,
        only_watched: false,
    }
}

/// What stands behind a proxy that clients use in place of the published systems.
fn behind_proxy(site: &Site, from: Origin, to: SystemId) -> Option<String> {
    let proxy = &site.systems[to];
    if proxy.publishes.is_empty() || !matches!(from, Origin::Zone(_)) {
        return None;
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
    Some(format!(" The proxy {how} {}.", names.join(", ")))
}
