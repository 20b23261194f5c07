//! The ids of flows, `FROM>TO:PORT/TRANSPORT`.

use super::{Flow, Target};
use crate::product::Transport;
use crate::site::{Origin, Site};
use crate::yaml::Ports;

/// The id of a flow.
pub fn id(site: &Site, flow: &Flow) -> String {
    let mut id = ends(site, flow.from, &flow.to);
    id.push(':');
    id += &service(flow.port, flow.transport);
    id
}

/// What stands before the colon of an id.
pub(super) fn ends(site: &Site, from: Origin, to: &Target) -> String {
    let from = site.origin_name(from);
    match to {
        Target::System(system) => [from, ">", &site.systems[*system].name].concat(),
        Target::Host(_) | Target::Service(_) | Target::Clients(_) => {
            [from, ">", &destination(site, to)].concat()
        }
    }
}

/// What ids and reports call a destination: a system by its name, anything else by its kind, a dot and its name.
pub(super) fn destination(site: &Site, to: &Target) -> String {
    match to {
        Target::System(system) => site.systems[*system].name.clone(),
        Target::Host(name) => format!("crl.{name}"),
        Target::Service(it) => format!("{}.{}", it.service, it.name),
        Target::Clients(zone) => format!("clients.{}", site.zones[*zone].name),
    }
}

/// What stands behind it.
pub(super) fn service(port: Ports, transport: Transport) -> String {
    match transport.has_ports() {
        true => format!("{port}/{transport}"),
        false => transport.to_string(),
    }
}
