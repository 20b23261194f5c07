//! Zones, and the firewalls between them.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::json;

use super::keys::{What, keys};
use super::kinds::*;
use crate::diagnostic::Problem;
use crate::yaml::{self, At};

/// A zone.
pub type Zone = Named<ZoneSection>;

/// A firewall between two zones.
pub type Firewall = Named<FirewallSection>;

keys! {
    /// What a zone is.
    section ZoneSection, compared {
        /// One network or a list. The most specific network decides where an address lies.
        networks: Vec<At<IpNet>> = list(network()), optional("none");
    }
}

keys! {
    /// What a firewall is.
    item FirewallSection, compared {
        /// The two zones that it stands between.
        between: Vec<At<String>> = two_zones(), required("between: [internet, perimeter]");
        /// Its interfaces, one or a list, by which a device that rejects or drops can be named.
        addresses: Vec<At<IpAddr>> = list(address()), optional("none");
        /// The box that it is a leg of, where two firewalls are one box: the same name in both.
        device: Option<At<String>> = new_name(), optional("a box of its own");
    }
}

fn network() -> Kind<At<IpNet>> {
    plain(
        |node, what, problems| {
            let found = yaml::text(node, what, problems)?;
            let text = found.value.as_str();
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            let problem = match text.parse::<IpNet>().or_else(|_| address()) {
                Ok(net) if net.trunc() == net => {
                    return Some(At {
                        value: net,
                        at: node.at,
                    });
                }
                Ok(net) => Problem::error(
                    "bad-network",
                    node.at,
                    format!("`{text}` has bits set behind its prefix"),
                )
                .hint(format!("did you mean `{}`?", net.trunc())),
                Err(_) => Problem::error("bad-network", node.at, format!("`{text}` is no network"))
                    .hint("write address/prefix, as in 192.0.2.0/24"),
            };
            problems.push(problem);
            None
        },
        || json!({ "type": "string" }),
    )
}

fn two_zones() -> Kind<Vec<At<String>>> {
    plain(
        |node, what, problems| {
            let zones = list(name()).read(node, &What::owner(what), problems)?;
            if zones.len() != 2 {
                let says = format!("{what} names {} zones; it must be two", zones.len());
                problems.push(
                    Problem::error("firewall-zones", node.at, says)
                        .hint("for example: between: [internet, perimeter]"),
                );
            }
            Some(zones)
        },
        || json!({ "type": "array", "items": name().schema(), "minItems": 2, "maxItems": 2 }),
    )
}
