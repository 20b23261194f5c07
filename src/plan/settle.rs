//! Several proposals for one flow become one: required beats optional beats forbidden.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Flow, Reason, Target};
use crate::product::{Confidence, Need, Protocol, Transport};
use crate::site::Origin;
use crate::yaml::Ports;

pub(super) fn settle(proposals: Vec<Flow>) -> Vec<Flow> {
    let mut by_key: BTreeMap<(Origin, Target, Transport, Ports), Vec<Flow>> = BTreeMap::new();
    for flow in proposals {
        by_key
            .entry((flow.from, flow.to.clone(), flow.transport, flow.port))
            .or_default()
            .push(flow);
    }
    by_key.into_values().filter_map(merge).collect()
}

fn merge(mut all: Vec<Flow>) -> Option<Flow> {
    let need = all.iter().map(|flow| flow.need).min()?;
    all.retain(|flow| flow.need == need);
    // What a rule says is more telling than that the port is also watched.
    if need == Need::Forbidden && all.iter().any(|flow| !flow.reason.only_watched) {
        all.retain(|flow| !flow.reason.only_watched);
    }
    let mut merged = all.first()?.clone();
    if all.len() > 1 {
        merged.protocol = all
            .iter()
            .map(|flow| flow.protocol)
            .find(|protocol| !matches!(protocol, Protocol::Tcp | Protocol::Udp))
            .unwrap_or(merged.protocol);
        merged.reason = Arc::new(join(&all));
    }
    Some(merged)
}

fn join(all: &[Flow]) -> Reason {
    let mut rules: Vec<String> = all
        .iter()
        .flat_map(|flow| flow.reason.rules.clone())
        .collect();
    rules.sort();
    rules.dedup();
    Reason {
        rules,
        why: distinct(all, |reason| &reason.why, " "),
        breaks: distinct(all, |reason| &reason.breaks, " "),
        source: distinct(all, |reason| &reason.source, "; "),
        confidence: all
            .iter()
            .map(|flow| flow.reason.confidence)
            .min()
            .unwrap_or(Confidence::Derived),
        declared: all
            .iter()
            .map(|flow| flow.reason.declared)
            .min()
            .unwrap_or_default(),
        only_watched: all.iter().all(|flow| flow.reason.only_watched),
    }
}

fn distinct(all: &[Flow], field: fn(&Reason) -> &str, between: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for flow in all {
        let part = field(&flow.reason);
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(need: Need, rule: &str) -> Flow {
        let reason = Reason {
            rules: vec![rule.to_string()],
            why: format!("{rule}."),
            breaks: String::new(),
            source: String::new(),
            confidence: Confidence::Documented,
            declared: Default::default(),
            only_watched: false,
        };
        Flow {
            from: Origin::Zone(0),
            to: Target::System(0),
            transport: Transport::Tcp,
            port: Ports::one(80),
            protocol: Protocol::Http,
            need,
            reason: Arc::new(reason),
        }
    }

    #[test]
    fn a_needed_flow_wins_over_a_forbidden_one_on_the_same_host_and_port() {
        let settled = settle(vec![
            flow(Need::Forbidden, "closed"),
            flow(Need::Optional, "may"),
            flow(Need::Required, "must"),
            flow(Need::Required, "also"),
        ]);
        assert_eq!(settled.len(), 1);
        assert_eq!(settled[0].need, Need::Required);
        assert_eq!(settled[0].reason.rules, ["also", "must"]);
        assert_eq!(settled[0].reason.why, "must. also.");
    }
}
