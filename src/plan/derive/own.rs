//! The flows that the user asks for.

use crate::plan::settle::{Proposal, Reasons};
use crate::plan::{OWN, Reason, Target};
use crate::product::{Confidence, Protocol, Transport};
use crate::site::OwnFlow;
use crate::yaml::Ports;

/// A flow of the user's own.
pub(super) fn proposal(flow: &OwnFlow, reasons: &mut Reasons) -> Proposal {
    Proposal {
        from: flow.from,
        to: Target::System(flow.to),
        transport: flow.transport,
        ports: [Ports::one(flow.port)].into(),
        protocol: flow
            .protocol
            .unwrap_or(if flow.transport == Transport::Udp {
                Protocol::Udp
            } else {
                Protocol::Tcp
            }),
        need: flow.need,
        reason: reasons.add(Reason {
            rules: vec![OWN.to_string()],
            why: flow
                .why
                .as_deref()
                .unwrap_or("The site file asks for it.")
                .into(),
            breaks: flow.breaks.into(),
            source: "the site file".into(),
            confidence: Confidence::Documented,
            only_watched: false,
        }),
        declared: flow.declared,
    }
}
