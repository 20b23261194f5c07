//! The flows that the agents of portproof need themselves.

use super::check::own_flow;
use super::names::Names;
use super::{Origin, OwnFlow, SystemId};
use crate::config::Config;
use crate::diagnostic::Problem;

/// What fails with them.
const BREAKS: &str = "Agents cannot be asked, so that nothing of their zones is proved.";

/// What has to pass, and the systems with NATS servers.
pub(super) fn network(
    config: &Config,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> (Vec<OwnFlow>, Vec<SystemId>) {
    let Some(agents) = &config.agents else {
        return Default::default();
    };
    let mut flows: Vec<OwnFlow> = Vec::new();
    for flow in agents.flows() {
        // An agent or the hub may stand on the host of the server.
        if names.is_same(&flow.value.from, &flow.value.to) {
            continue;
        }
        let Some(own) = own_flow(&flow, names, problems) else {
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
    let mut servers: Vec<SystemId> = flows.iter().map(|it| it.to).collect();
    servers.extend(flows.iter().filter_map(|it| match it.from {
        Origin::System(system) => Some(system),
        Origin::Zone(_) => None,
    }));
    (flows, servers)
}
