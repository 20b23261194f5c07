//! The flows that the user asks for.

use std::sync::Arc;

use crate::plan::{Flow, OWN, Reason, Target};
use crate::product::{Confidence, Protocol, Transport};
use crate::site::Site;
use crate::yaml::Ports;

/// The user's own flows.
pub(in crate::plan) fn own_flows(site: &Site) -> Vec<Flow> {
    let one = |flow: &crate::site::OwnFlow| Flow {
        from: flow.from,
        to: Target::System(flow.to),
        transport: flow.transport,
        port: Ports::one(flow.port),
        protocol: flow
            .protocol
            .unwrap_or(if flow.transport == Transport::Udp {
                Protocol::Udp
            } else {
                Protocol::Tcp
            }),
        need: flow.need,
        reason: Arc::new(Reason {
            rules: vec![OWN.to_string()],
            why: flow
                .why
                .clone()
                .unwrap_or_else(|| "The site file asks for it.".to_string()),
            breaks: "What the site file asks for does not hold.".to_string(),
            source: "the site file".to_string(),
            confidence: Confidence::Documented,
            declared: flow.declared,
            only_watched: false,
        }),
    };
    site.flows.iter().map(one).collect()
}
