//! From the tree to `System`.

use super::read::{is_host_name, port_pair, texts};
use super::{Pin, ProxyTls, Publishes, Replication, System, Translated};
use crate::catalogue::Role;
use crate::diagnostic::Problem;
use crate::yaml::{self, At, Fields, Node};

pub(super) const SYSTEM: &[&str] = &[
    "zone",
    "also_in",
    "names",
    "addresses",
    "roles",
    "serves",
    "initiated_by_site_server",
    "software_update_ports",
    "database",
    "rpc_ports",
    "forest",
    "replication",
    "publishes",
    "members",
    "pin",
    "ports",
    "ipsec_with",
    "old_tls",
    "package_drives",
];
pub(super) const PUBLISHES: &[&str] = &["systems", "tls", "ports"];

pub(super) fn system(name: At<String>, node: &Node, problems: &mut Vec<Problem>) -> Option<System> {
    let what = format!("system `{}`", name.value);
    let fields = Fields::of(node, &what, SYSTEM, problems)?;
    let text = |key: &str, problems: &mut Vec<Problem>| {
        fields
            .get(key)
            .and_then(|node| yaml::text(node, &format!("`{key}` of {what}"), problems))
    };
    let database = text("database", problems);
    let forest = text("forest", problems);
    let zone = fields
        .need("zone", "zone: perimeter", problems)
        .and_then(|node| yaml::text(node, &format!("`zone` of {what}"), problems));
    if fields.get("names").is_none() && fields.get("addresses").is_none() {
        problems.push(
            Problem::error(
                "missing-key",
                name.at,
                format!("{what} has neither `names` nor `addresses`"),
            )
            .hint("for example: names: { default: ibs01.dmz.example }"),
        );
    }
    let roles = fields
        .need("roles", "roles: [management-point]", problems)
        .map(|node| roles(node, &what, problems))
        .unwrap_or_default();
    let replication = fields.get("replication").and_then(|node| {
        yaml::word(
            node,
            &format!("`replication` of {what}"),
            "unknown-word",
            &[("push", Replication::Push), ("pull", Replication::Pull)],
            problems,
        )
    });
    let initiated = fields.get("initiated_by_site_server").and_then(|node| {
        yaml::boolean(
            node,
            &format!("`initiated_by_site_server` of {what}"),
            problems,
        )
    });
    let old_tls = fields
        .get("old_tls")
        .and_then(|node| yaml::boolean(node, &format!("`old_tls` of {what}"), problems));
    Some(System {
        zone,
        also_in: fields
            .get("also_in")
            .map(|node| texts(node, &format!("`also_in` of {what}"), problems))
            .unwrap_or_default(),
        names: fields
            .get("names")
            .map(|node| names(node, &what, problems))
            .unwrap_or_default(),
        addresses: fields
            .get("addresses")
            .map(|node| addresses(node, &what, problems))
            .unwrap_or_default(),
        roles,
        serves: fields
            .get("serves")
            .map(|node| texts(node, &format!("`serves` of {what}"), problems)),
        initiated_by_site_server: initiated.unwrap_or(false),
        software_update_ports: port_pair(fields.get("software_update_ports"), problems),
        database,
        rpc_ports: fields
            .get("rpc_ports")
            .map(|node| {
                yaml::one_or_list(node)
                    .iter()
                    .flat_map(|item| yaml::ports(item, &format!("`rpc_ports` of {what}"), problems))
                    .collect()
            })
            .unwrap_or_default(),
        forest,
        replication,
        publishes: fields
            .get("publishes")
            .and_then(|node| publishes(node, &what, problems)),
        members: fields
            .get("members")
            .map(|node| texts(node, &format!("`members` of {what}"), problems))
            .unwrap_or_default(),
        pin: fields
            .get("pin")
            .and_then(|node| pin(node, &what, problems)),
        ipsec_with: fields
            .get("ipsec_with")
            .map(|node| texts(node, &format!("`ipsec_with` of {what}"), problems))
            .unwrap_or_default(),
        old_tls: old_tls.unwrap_or(true),
        package_drives: fields
            .get("package_drives")
            .map(|node| yaml::drives(node, &format!("`package_drives` of {what}"), problems))
            .unwrap_or_default(),
        ports: fields
            .get("ports")
            .map(|node| ports(node, &what, problems))
            .unwrap_or_default(),
        name,
    })
}

fn pin(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<Pin> {
    // Digits alone are a number to YAML.
    let text = yaml::text(node, &format!("`pin` of {what}"), problems)?;
    let pin = Pin::read(&text.value);
    if pin.is_none() {
        problems.push(
            Problem::error(
                "bad-pin",
                node.at,
                format!("`pin` of {what} is no SHA-256 of a certificate"),
            )
            .hint("64 hexadecimal digits, with or without colons: openssl x509 -noout -fingerprint -sha256 -in server.pem"),
        );
    }
    pin
}

pub(super) fn roles(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Vec<At<Role>> {
    let known: Vec<(&'static str, Role)> =
        Role::ALL.iter().map(|role| (role.name(), *role)).collect();
    let mut roles: Vec<At<Role>> = Vec::new();
    for item in yaml::list(node, &format!("`roles` of {what}"), problems) {
        let Some(role) = yaml::word(
            item,
            &format!("a role of {what}"),
            "unknown-role",
            &known,
            problems,
        ) else {
            continue;
        };
        if !roles.iter().any(|known| known.value == role.value) {
            roles.push(role);
        }
    }
    roles
}

fn names(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Vec<(At<String>, At<String>)> {
    let owner = format!("`names` of {what}");
    let Some(fields) = Fields::named(node, &owner, problems) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (zone, value) in fields.all() {
        let Some(name) = yaml::text(value, &owner, problems) else {
            continue;
        };
        if is_host_name(&name.value) {
            all.push((zone.owned(), name));
        } else {
            problems.push(Problem::error("bad-host-name", value.at, format!("`{}` is no host name", name.value)).hint("letters, digits, hyphens and dots, as in ibs01.example.com; addresses go under `addresses`"));
        }
    }
    all
}

fn addresses(
    node: &Node,
    what: &str,
    problems: &mut Vec<Problem>,
) -> Vec<(At<String>, Vec<At<std::net::IpAddr>>)> {
    let owner = format!("`addresses` of {what}");
    let Some(fields) = Fields::named(node, &owner, problems) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (zone, value) in fields.all() {
        let list = yaml::one_or_list(value)
            .iter()
            .filter_map(|item| yaml::address(item, &owner, problems))
            .collect();
        all.push((zone.owned(), list));
    }
    all
}

/// Ports by the zone that asks, as address and port translation leads them.
fn ports(
    node: &Node,
    what: &str,
    problems: &mut Vec<Problem>,
) -> Vec<(At<String>, Vec<Translated>)> {
    let owner = format!("`ports` of {what}");
    let Some(fields) = Fields::named(node, &owner, problems) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (zone, pairs) in fields.all() {
        all.push((zone.owned(), yaml::port_pairs(pairs, &owner, problems)));
    }
    all
}

fn publishes(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<Publishes> {
    let fields = Fields::of(node, format!("`publishes` of {what}"), PUBLISHES, problems)?;
    let systems = fields
        .need("systems", "systems: [cm01]", problems)
        .map(|node| texts(node, "`publishes.systems`", problems))
        .unwrap_or_default();
    let ways = [
        ("bridging", ProxyTls::Bridging),
        ("tunnelling", ProxyTls::Tunnelling),
    ];
    let tls = fields
        .get("tls")
        .and_then(|node| yaml::word(node, "`publishes.tls`", "unknown-word", &ways, problems));
    Some(Publishes {
        systems,
        tls: tls.map(|tls| tls.value).unwrap_or_default(),
        ports: fields
            .get("ports")
            .map(|node| yaml::port_pairs(node, "`publishes.ports`", problems))
            .unwrap_or_default(),
    })
}
