//! The network that the agents of portproof itself need.

use super::flows::{FlowItem, UserFlow};
use super::keys::keys;
use super::kinds::*;
use crate::product::{Need, Protocol, Transport};
use crate::yaml::At;

/// The usual port of a NATS server.
const CLIENTS: u16 = 4222;
/// Its usual port for servers that connect to it as leaf nodes.
const LEAVES: u16 = 7422;

keys! {
    /// What the agents of portproof connect to.
    section AgentsSection {
        /// The system with the NATS server that agents connect to.
        server: Option<At<String>> = name(), required("server: nats01");
        /// The zones and systems that agents stand in.
        from: Vec<At<String>> = list(name()), required("from: [internet, perimeter]");
        /// The zone or system that jobs come from: where `check --agents` or `serve` runs.
        hub: Option<At<String>> = name(), optional("the host of a NATS server");
        /// The system with the inner NATS server, which the hub connects to. It connects to `server` as a leaf node.
        hub_server: Option<At<String>> = name(), optional("the hub connects to `server`");
        /// The port of `server` for that.
        leaf_port: Option<At<u16>> = port(), optional("7422");
        /// The port of both servers for agents and the hub.
        port: Option<At<u16>> = port(), optional("4222");
    }
}

impl AgentsSection {
    /// What has to pass: of each connection who begins it, to which server and port.
    pub fn flows(&self) -> Vec<UserFlow> {
        let Some(server) = &self.server else {
            return Vec::new();
        };
        let number = |port: Option<At<u16>>, usual| At {
            value: port.map_or(usual, |it| it.value),
            at: port.map_or(server.at, |it| it.at),
        };
        let (clients, leaves) = (number(self.port, CLIENTS), number(self.leaf_port, LEAVES));
        let flow = |from: &At<String>, to: &At<String>, port, why: &str| At {
            value: FlowItem {
                from: from.clone(),
                to: to.clone(),
                port,
                transport: Transport::Tcp,
                protocol: Some(Protocol::Nats),
                need: Need::Required,
                why: Some(At {
                    value: why.to_string(),
                    at: from.at,
                }),
            },
            at: from.at,
        };
        let agents = self.from.iter();
        let mut flows: Vec<UserFlow> = agents
            .map(|it| {
                flow(
                    it,
                    server,
                    clients,
                    "Agents of portproof there connect to their NATS server.",
                )
            })
            .collect();
        let near = self.hub_server.as_ref();
        let hub = self.hub.as_ref();
        flows.extend(hub.map(|it| {
            let why = "The hub of portproof's agents connects to its NATS server.";
            flow(it, near.unwrap_or(server), clients, why)
        }));
        flows.extend(near.map(|it| {
            let why = "The inner NATS server of portproof's agents connects to the outer one.";
            flow(it, server, leaves, why)
        }));
        flows
    }
}
