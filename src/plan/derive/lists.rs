//! Flows to the hosts of revocation lists.

use std::sync::Arc;

use super::reason;
use crate::diagnostic::Place;
use crate::plan::settle::{Proposal, ReasonId};
use crate::plan::{Flow, LIST, Reason, Target};
use crate::product::{Catalogue, Confidence, Need, Protocol, Rule, Setting, Transport};
use crate::site::{Origin, Site, ZoneId};
use crate::yaml::Ports;

/// Whether a rule is that of revocation lists.
pub(super) fn is_of_lists(catalogue: &Catalogue, rule: &Rule) -> bool {
    rule.ports.iter().any(|name| {
        catalogue
            .ports
            .get(name)
            .is_some_and(|port| port.setting == Some(Setting::Crl))
    })
}

/// Revocation lists on hosts that are no system of the file: each of these origins needs each host and port, as much as
/// it says.
pub(super) fn to_hosts(
    site: &Site,
    rule: &Rule,
    reason: ReasonId,
    origins: &[(Origin, Need)],
) -> Vec<Proposal> {
    let mut all = Vec::new();
    for (number, crl) in site.crls.iter().enumerate() {
        let mut earlier = site.crls[..number].iter();
        let again = earlier.any(|it| (&it.host, it.port) == (&crl.host, crl.port));
        if crl.system.is_some() || again {
            continue;
        }
        for (from, need) in origins {
            all.push(Proposal {
                from: *from,
                to: Target::Host(crl.host.as_str().into()),
                transport: rule.transport,
                ports: [Ports::one(crl.port)].into(),
                protocol: rule.protocol,
                need: *need,
                reason,
                declared: crl.declared,
            });
        }
    }
    all
}

/// Whether a flow has to serve revocation lists and nothing else.
pub fn is_only_of_lists(catalogue: &Catalogue, flow: &Flow) -> bool {
    let of_lists = |id: &String| {
        let rule = catalogue.rules.iter().find(|rule| rule.id == *id);
        *id == LIST || rule.is_some_and(|rule| is_of_lists(catalogue, rule))
    };
    flow.reason.rules.iter().all(of_lists)
}

/// The flow of clients to a host of revocation lists that only certificates name. Why it is needed the catalogue's rule
/// says, where it has one.
pub fn flow_to_list(
    catalogue: &Catalogue,
    zone: ZoneId,
    to: Target,
    port: u16,
    declared: Place,
) -> Flow {
    let rule = catalogue
        .rules
        .iter()
        .find(|rule| is_of_lists(catalogue, rule) && !rule.from.iter().any(|it| it.is_system()));
    let of_rule = rule.map(reason);
    let reason = Reason {
        rules: vec![LIST.to_string()],
        ..of_rule.unwrap_or_else(|| Reason {
            rules: Vec::new(),
            why: "Certificates of the site name a revocation list here.".into(),
            breaks: "Clients that check revocation refuse every certificate that names it.".into(),
            source: "RFC 5280 section 4.2.1.13".into(),
            confidence: Confidence::Derived,
            only_watched: false,
        })
    };
    Flow {
        from: Origin::Zone(zone),
        to,
        transport: Transport::Tcp,
        port: Ports::one(port),
        protocol: Protocol::Http,
        need: Need::Required,
        reason: Arc::new(reason),
        declared,
    }
}
