//! Several proposals for one flow become one: required beats optional beats forbidden.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Flow, Forbidden, Reason, Target};
use crate::diagnostic::Place;
use crate::product::{Confidence, Need, Protocol, Transport};
use crate::site::Origin;
use crate::yaml::Ports;

/// Flows that are proposed together: alike in everything but the port.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    pub(super) from: Origin,
    pub(super) to: Target,
    pub(super) transport: Transport,
    pub(super) ports: Arc<[Ports]>,
    pub(super) protocol: Protocol,
    pub(super) need: Need,
    pub(super) reason: ReasonId,
    pub(super) declared: Place,
}

/// The number of a reason among all of a plan.
pub(super) type ReasonId = usize;

/// The reasons of a plan, each once.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    all: Vec<Arc<Reason>>,
    known: HashMap<Arc<Reason>, ReasonId>,
    joined: HashMap<Vec<ReasonId>, ReasonId>,
}

impl Reasons {
    pub(super) fn add(&mut self, reason: Reason) -> ReasonId {
        if let Some(known) = self.known.get(&reason) {
            return *known;
        }
        let reason = Arc::new(reason);
        self.known.insert(Arc::clone(&reason), self.all.len());
        self.all.push(reason);
        self.all.len() - 1
    }

    /// One reason for what several give.
    fn join(&mut self, mut several: Vec<ReasonId>) -> ReasonId {
        let mut known = HashSet::new();
        several.retain(|reason| known.insert(*reason));
        if let [one] = several[..] {
            return one;
        }
        if let Some(joined) = self.joined.get(&several) {
            return *joined;
        }
        let reasons: Vec<&Reason> = several.iter().map(|it| &*self.all[*it]).collect();
        let joined = join(&reasons);
        let number = self.add(joined);
        self.joined.insert(several, number);
        number
    }
}

/// What proposals have come to.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) flows: Vec<Flow>,
    pub(super) forbidden: Vec<Forbidden>,
    pub(super) reasons: Reasons,
    sets: HashSet<Arc<[Ports]>>,
}

impl Settled {
    /// Settles proposals, the more telling first; no later ones are for the same ends.
    pub(super) fn settle(&mut self, mut proposals: Vec<Proposal>) {
        let key = |it: &Proposal| (it.from, it.to.clone(), it.transport);
        proposals.sort_by_key(key);
        for between in proposals.chunk_by(|a, b| key(a) == key(b)) {
            match between {
                [one] if one.need == Need::Forbidden => {
                    self.forbid(one, one.ports.to_vec(), Merged::of(one));
                }
                several => self.port_by_port(several),
            }
        }
    }

    fn port_by_port(&mut self, proposals: &[Proposal]) {
        let mut by_port: BTreeMap<Ports, Vec<&Proposal>> = BTreeMap::new();
        for proposal in proposals {
            for port in &*proposal.ports {
                by_port.entry(*port).or_default().push(proposal);
            }
        }
        let mut forbidden: Vec<(Merged, Vec<Ports>)> = Vec::new();
        for (port, all) in by_port {
            let Some((need, merged)) = self.merge(all) else {
                continue;
            };
            if need != Need::Forbidden {
                self.need(&proposals[0], port, need, merged);
                continue;
            }
            match forbidden.iter_mut().find(|(alike, _)| *alike == merged) {
                Some((_, ports)) => ports.push(port),
                None => forbidden.push((merged, vec![port])),
            }
        }
        for (merged, ports) in forbidden {
            self.forbid(&proposals[0], ports, merged);
        }
    }

    /// What the proposals for one port come to.
    fn merge(&mut self, mut all: Vec<&Proposal>) -> Option<(Need, Merged)> {
        let need = all.iter().map(|it| it.need).min()?;
        all.retain(|it| it.need == need);
        // What a rule says is more telling than that the port is also watched.
        let watched = |it: &&Proposal| self.reasons.all[it.reason].only_watched;
        if need == Need::Forbidden && !all.iter().all(watched) {
            all.retain(|it| !watched(it));
        }
        let protocols = || all.iter().map(|it| it.protocol);
        let mut telling = protocols();
        let telling = telling.find(|protocol| !matches!(protocol, Protocol::Tcp | Protocol::Udp));
        let merged = Merged {
            protocol: telling.or(protocols().next())?,
            declared: all.iter().map(|it| it.declared).min()?,
            reason: self.reasons.join(all.iter().map(|it| it.reason).collect()),
        };
        Some((need, merged))
    }

    fn need(&mut self, ends: &Proposal, port: Ports, need: Need, merged: Merged) {
        self.flows.push(Flow {
            from: ends.from,
            to: ends.to.clone(),
            transport: ends.transport,
            port,
            protocol: merged.protocol,
            need,
            reason: Arc::clone(&self.reasons.all[merged.reason]),
            declared: merged.declared,
        });
    }

    fn forbid(&mut self, ends: &Proposal, mut ports: Vec<Ports>, merged: Merged) {
        ports.sort_unstable();
        ports.dedup();
        if ports.is_empty() {
            return;
        }
        let ports = self.set(&ports);
        self.forbidden.push(Forbidden {
            from: ends.from,
            to: ends.to.clone(),
            transport: ends.transport,
            ports,
            protocol: merged.protocol,
            reason: Arc::clone(&self.reasons.all[merged.reason]),
            declared: merged.declared,
        });
    }

    /// The one set with these ports.
    fn set(&mut self, ports: &[Ports]) -> Arc<[Ports]> {
        if let Some(known) = self.sets.get(ports) {
            return Arc::clone(known);
        }
        let set: Arc<[Ports]> = ports.into();
        self.sets.insert(Arc::clone(&set));
        set
    }
}

/// What flows have in common beside their ends and their need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Merged {
    protocol: Protocol,
    reason: ReasonId,
    declared: Place,
}

impl Merged {
    fn of(proposal: &Proposal) -> Self {
        Self {
            protocol: proposal.protocol,
            reason: proposal.reason,
            declared: proposal.declared,
        }
    }
}

fn join(all: &[&Reason]) -> Reason {
    let mut rules: Vec<String> = all.iter().flat_map(|it| it.rules.clone()).collect();
    rules.sort();
    rules.dedup();
    let confidence = all.iter().map(|it| it.confidence).min();
    Reason {
        rules,
        why: distinct(all, |reason| &reason.why, " ").into(),
        breaks: distinct(all, |reason| &reason.breaks, " ").into(),
        source: distinct(all, |reason| &reason.source, "; ").into(),
        confidence: confidence.unwrap_or(Confidence::Derived),
        only_watched: all.iter().all(|it| it.only_watched),
    }
}

fn distinct(all: &[&Reason], field: fn(&Reason) -> &str, between: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for reason in all {
        let part = field(reason);
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proposals of rules by need and name, for ports between the same ends.
    fn settled(all: &[(Need, &str, &[u16])]) -> Settled {
        let mut settled = Settled::default();
        let proposals = all.iter().map(|(need, rule, ports)| Proposal {
            from: Origin::Zone(0),
            to: Target::System(0),
            transport: Transport::Tcp,
            ports: ports.iter().map(|port| Ports::one(*port)).collect(),
            protocol: Protocol::Http,
            need: *need,
            reason: settled.reasons.add(Reason {
                rules: vec![rule.to_string()],
                why: format!("{rule}.").into(),
                breaks: Arc::default(),
                source: Arc::default(),
                confidence: Confidence::Documented,
                only_watched: *rule == "watched",
            }),
            declared: Place::default(),
        });
        let proposals = proposals.collect();
        settled.settle(proposals);
        settled
    }

    #[test]
    fn a_needed_flow_wins_over_a_forbidden_one_on_the_same_host_and_port() {
        let settled = settled(&[
            (Need::Forbidden, "closed", &[80]),
            (Need::Optional, "may", &[80]),
            (Need::Required, "must", &[80]),
            (Need::Required, "also", &[80]),
        ]);
        assert_eq!((settled.flows.len(), settled.forbidden.len()), (1, 0));
        assert_eq!(settled.flows[0].need, Need::Required);
        assert_eq!(settled.flows[0].reason.rules, ["also", "must"]);
        assert_eq!(&*settled.flows[0].reason.why, "must. also.");
    }

    #[test]
    fn what_is_forbidden_is_one_entry_for_each_reason_without_the_ports_that_are_needed() {
        let settled = settled(&[
            (Need::Required, "must", &[80]),
            (Need::Forbidden, "closed", &[135, 445]),
            (Need::Forbidden, "watched", &[80, 135, 445, 3389, 443]),
        ]);
        let entries: Vec<(&str, Vec<u16>)> = settled
            .forbidden
            .iter()
            .map(|it| {
                let ports = it.ports.iter().map(|port| port.low).collect();
                (it.reason.rules[0].as_str(), ports)
            })
            .collect();
        let expected = [("closed", vec![135, 445]), ("watched", vec![443, 3389])];
        assert_eq!(entries, expected);
    }
}
