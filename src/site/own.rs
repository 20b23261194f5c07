//! The flows that the file asks for: the user's own, and those that the agents of portproof need.

use super::names::Names;
use super::{Origin, OwnFlow, SystemId};
use crate::config::{Config, UserFlow};
use crate::diagnostic::Problem;

/// What fails with them.
const BREAKS: &str = "Agents cannot be asked, so that nothing of their zones is proved.";

/// A flow of the file; `None` when an end of it is not known.
pub(super) fn flow(
    flow: &UserFlow,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Option<OwnFlow> {
    let from = names.origin(&flow.from, "the flow starts at", problems);
    let to = names.system(&flow.to, "the flow leads to", problems);
    let (from, to) = (from?, to?);
    if from == Origin::System(to) {
        problems.push(Problem::error(
            "flow-to-itself",
            flow.to.at,
            format!("the flow leads from `{}` to itself", flow.to.value),
        ));
        return None;
    }
    Some(OwnFlow {
        declared: flow.at,
        from,
        to,
        port: flow.port.value,
        transport: flow.transport,
        protocol: flow.protocol,
        need: flow.need,
        why: flow.why.as_ref().map(|why| why.value.clone()),
        breaks: "What the site file asks for does not hold.",
    })
}

/// What has to pass, and the systems with NATS servers.
pub(super) fn of_agents(
    config: &Config,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> (Vec<OwnFlow>, Vec<SystemId>) {
    let Some(agents) = &config.agents else {
        return Default::default();
    };
    let mut flows: Vec<OwnFlow> = Vec::new();
    let mut found = Vec::new();
    for flow in agents.flows() {
        // An agent or the hub may stand on the host of the server.
        if names.is_same(&flow.value.from, &flow.value.to) {
            continue;
        }
        let Some(own) = self::flow(&flow, names, &mut found) else {
            continue;
        };
        // The hub may stand where agents do.
        if !flows
            .iter()
            .any(|it| (it.from, it.to, it.port) == (own.from, own.to, own.port))
        {
            flows.push(OwnFlow {
                breaks: BREAKS,
                ..own
            });
        }
    }
    // A name stands in several flows, and is told once.
    found.dedup_by(|one, other| (&one.message, one.at) == (&other.message, other.at));
    problems.append(&mut found);
    let mut servers: Vec<SystemId> = flows.iter().map(|it| it.to).collect();
    servers.extend(flows.iter().filter_map(|it| match it.from {
        Origin::System(system) => Some(system),
        Origin::Zone(_) => None,
    }));
    (flows, servers)
}
