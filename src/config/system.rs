//! The `systems` section: a host in a zone, or one name for several.

use std::net::IpAddr;

use serde_json::json;

use super::Pin;
use super::host_name::host_name;
use super::keys::{Entries, OfProduct, What, keys};
use super::kinds::*;
use super::site::PortPair;
use crate::diagnostic::Problem;
use crate::product::Role;
use crate::words::words;
use crate::yaml::{self, At, Node, Ports};

/// A host.
pub type System = Named<OfProduct<SystemSection>>;

/// A port that is asked, with the one that it leads to.
pub type Translated = (At<u16>, At<u16>);

keys! {
    /// What a system is.
    section SystemSection checked by has_a_place, compared {
        /// The zone where it stands.
        zone: Option<At<String>> = name(), required("zone: perimeter");
        /// Further zones in which it has a leg; see [Several legs](#several-legs).
        also_in: Vec<At<String>> = list(name()), optional("none");
        /// Host names by the zone that asks; `default` for all others. Names, addresses or both must be there.
        names: Vec<(At<String>, At<String>)> = by_zone(host_name()), optional("none");
        /// One address or a list, by the zone that asks. An address given is the one that is tried; DNS is asked as well, and a
        /// difference is a note.
        addresses: Vec<(At<String>, Vec<At<IpAddr>>)> = by_zone(list(address())), optional("resolved from the name");
        /// What it does in the site: see below.
        roles: Vec<At<Role>> = roles(), required("roles: [management-point]");
        /// The client zones that its roles accept. Must be there with a role that clients reach.
        serves: Option<Vec<At<String>>> = list(name()), optional("none");
        /// Whether only the site server starts connections between the two: SMB and RPC toward the site server must be closed.
        /// It touches neither database nor update sync.
        initiated_by_site_server: bool = boolean(), default("false"), setting;
        /// Its own pair; a flow uses its destination's.
        software_update_ports: PortPair = explained("software-update-ports", section::<PortPair>()), optional("the site's"), setting;
        /// The database that its management point uses.
        database: Option<At<String>> = name(), optional("a replica in its zone, else the site \
            database"), setting;
        /// Its dynamic RPC ranges: one or a list.
        rpc_ports: Vec<At<Ports>> = port_ranges(), optional("the product's"), setting;
        /// Its forest. Flows to domain controllers and DNS stay within a forest.
        forest: Option<At<String>> = caseless(), optional("one forest");
        /// `member` of a domain of its forest, or of `none`: then it needs no domain controller.
        domain: Domain = word(Domain::ALL, Domain::name), default("member");
        /// Of a replica: who starts the replication, `push` (the site database connects) or `pull` (the replica does).
        replication: Option<Replication> = word(Replication::ALL, Replication::name), optional("both optional, with a warning"), choice;
        /// How clients speak to its roles: `https` with certificates, `http`, or `enhanced-http`.
        client_connections: Option<ClientConnections> = word(ClientConnections::ALL, ClientConnections::name), optional("both optional, with a warning"), choice;
        /// Of a pull distribution point: the distribution points from which it fetches its content.
        pulls_from: Vec<At<String>> = list(name()), optional("the site server sends it"), setting;
        /// Of a distribution point: whether it is a Microsoft Connected Cache. Its default web site must listen at port 80,
        /// whatever `client_ports` says. It needs the Internet.
        connected_cache: bool = boolean(), default("false"), setting;
        /// Of a distribution point that sends operating system images by multicast: its UDP ports, one range or a list, as in
        /// `63000-64000`.
        multicast_ports: Vec<At<Ports>> = port_ranges(), optional("no multicast"), setting;
        /// What a web proxy publishes.
        publishes: Option<Publishes> = section::<Publishes>(), optional("nothing");
        /// The hosts behind a virtual name: clients go to the name, servers to its members.
        members: Vec<At<String>> = list(name()), optional("none");
        /// Systems with which it speaks inside IPsec; one of two ends says it for both. See [IPsec](#ipsec).
        ipsec_with: Vec<At<String>> = list(name()), optional("none");
        /// `false`: no handshake in TLS of the past with this system, so that this host's client certificate is never signed for
        /// with it. See [TLS of the past](#tls-of-the-past).
        old_tls: bool = boolean(), default("true");
        /// Of a distribution point: the letters of the drives on which it has packages, as in `[F]`. Their folders prove the
        /// role, and are asked for in the place of those on C, D and E.
        package_drives: Vec<char> = drives(), optional("C, D and E are tried"), setting;
        /// By the zone that asks: the ports that are asked, each with the one at which it listens, as in
        /// `{ internet: { 443: 8443 } }`. See [Address and port translation](#address-and-port-translation).
        ports: Vec<(At<String>, Vec<Translated>)> = by_zone(port_pairs()), optional("nothing is translated");
        /// The SHA-256 of its certificate, hexadecimal, with or without colons, in quotes
        /// (`openssl x509 -noout -fingerprint -sha256`). Another certificate by an authority that the file does not name is
        /// proof of interception.
        pin: Option<Pin> = pin(), optional("none");
    }
}

keys! {
    /// What a web proxy publishes, and how.
    section Publishes, compared {
        /// The systems behind it.
        systems: Vec<At<String>> = list(name()), required("systems: [cm01]");
        /// `bridging`: it ends TLS and opens its own session. `tunnelling`: it passes TLS through.
        tls: ProxyTls = word(ProxyTls::ALL, ProxyTls::name), default("bridging");
        /// Where it listens at other numbers than the systems behind it, as in `{ 443: 8443 }`. Each number is what is
        /// asked of the proxy, with the number at which it asks the system.
        ports: Vec<Translated> = port_pairs(), optional("the same numbers");
    }
}

words! {
    /// Who starts the replication of a database replica.
    Replication {
        /// The site database connects.
        Push = "push",
        /// The replica connects.
        Pull = "pull",
    }
}

words! {
    /// Whether a system belongs to a domain.
    Domain {
        /// Of its forest.
        Member = "member",
        /// It stands alone.
        None = "none",
    }
}

words! {
    /// How clients speak to a role.
    ClientConnections {
        /// HTTPS with certificates of clients.
        Https = "https",
        /// Plain HTTP.
        Http = "http",
        /// Plain HTTP, beside HTTPS without certificates of clients.
        EnhancedHttp = "enhanced-http",
    }
}

words! {
    /// What a web proxy does with TLS.
    ProxyTls {
        /// Ends it and opens its own session.
        Bridging = "bridging",
        /// Passes it through.
        Tunnelling = "tunnelling",
    }
}

fn has_a_place(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    let Entries { fields, what } = entries;
    if fields.get("names").is_none() && fields.get("addresses").is_none() {
        problems.push(
            Problem::error(
                "missing-key",
                fields.place(),
                format!("{what} has neither `names` nor `addresses`"),
            )
            .hint("for example: names: { default: ibs01.dmz.example }"),
        );
    }
}

/// Roles, each once.
pub(super) fn roles() -> Kind<Vec<At<Role>>> {
    let role = || at(role());
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let mut roles: Vec<At<Role>> = Vec::new();
        for role in list(role()).read(node, what, problems)? {
            if !roles.iter().any(|known| known.value == role.value) {
                roles.push(role);
            }
        }
        Some(roles)
    };
    Kind::new(read, move || list(role()).schema())
}

/// A role, by its name or its abbreviation, in capitals or small letters.
fn role() -> Kind<Role> {
    let Kind { read, .. } = word_or("unknown-role", Role::ALL, Role::name);
    let read = move |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let meant = node.text().and_then(Role::written);
        meant.or_else(|| read(node, what, problems))
    };
    let schema = || {
        let names = Role::ALL.iter().map(|role| role.name());
        let all = names.chain(Role::ABBREVIATIONS.iter().map(|(short, _)| *short));
        json!({ "enum": all.collect::<Vec<_>>() })
    };
    Kind::new(read, schema)
}

/// Ports and ranges of ports, one text or a list.
fn port_ranges() -> Kind<Vec<At<Ports>>> {
    plain(
        |node, what, problems| {
            let items = yaml::one_or_list(node).iter();
            Some(
                items
                    .flat_map(|item| yaml::ports(item, what, problems))
                    .collect(),
            )
        },
        || {
            let ranges = json!({ "type": ["integer", "string"] });
            json!({ "anyOf": [ranges, { "type": "array", "items": ranges }] })
        },
    )
}

/// Letters of drives, in capitals, each once.
fn drives() -> Kind<Vec<char>> {
    plain(
        |node, what, problems| Some(yaml::drives(node, what, problems)),
        || {
            let letter = json!({ "type": "string", "pattern": "^[A-Za-z]$" });
            json!({ "anyOf": [letter, { "type": "array", "items": letter }] })
        },
    )
}

fn pin() -> Kind<Pin> {
    plain(
        |node, what, problems| {
            // Digits alone are a number to YAML.
            let text = yaml::text(node, what, problems)?;
            let pin = Pin::read(&text.value);
            if pin.is_none() {
                problems.push(
                    Problem::error(
                        "bad-pin",
                        node.at,
                        format!("{what} is no SHA-256 of a certificate"),
                    )
                    .hint(
                        "64 hexadecimal digits, with or without colons: openssl x509 -noout \
                         -fingerprint -sha256 -in server.pem",
                    ),
                );
            }
            pin
        },
        || json!({ "type": "string", "pattern": "^([0-9A-Fa-f]{2}[: ]?){31}[0-9A-Fa-f]{2}$" }),
    )
}
